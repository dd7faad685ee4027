/* SPDX-License-Identifier: MIT
 *
 * scored.c -- see scored.h.
 */
#include "flow/scored.h"

#include "core/alloc.h"
#include "core/order.h"
#include "flow/columns.h"

#include <math.h>
#include <string.h>

enum { CHECKED_ROWS = 32, USUAL_EVALUATIONS = 60 /* a block, under error control */ };
#define LEAST_TOL 1e-12 /* of any solve */

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

lfm_status lfm_scored_choose(const lfm_model *model, const lfm_table *table, int64_t wanted, const lfm_table *group,
                             int probes, uint64_t seed, lfm_scored *s) {
  lfm_likelihood_rows *r = &s->rows;
  *s = (lfm_scored){0};
  LFM_TRY(lfm_columns_choose(table, wanted, &s->row, &r->count));
  LFM_TRY(LFM_ALLOC(&r->logp, r->count));
  LFM_TRY(LFM_ALLOC(&r->failed, r->count));
  LFM_TRY(LFM_ALLOC(&r->nfe, r->count));
  if (group) LFM_TRY(lfm_columns_group(group, table, s->row, r->count, &s->group));
  LFM_TRY(lfm_columns_gather(model, table, s->row, r->count, &r->x));
  LFM_TRY(lfm_columns_given(model, table, s->row, r->count, &r->given));
  r->probes = (lfm_probes){.count = lfm_probes_of(model, probes), .seed = seed, .number = s->row};
  return r->probes.count ? LFM_ALLOC(&r->probes.variance, r->count) : LFM_OK;
}

void lfm_scored_release(lfm_scored *s) {
  lfm_free(s->row);
  lfm_free(s->group);
  lfm_free(s->rows.x);
  lfm_free(s->rows.given);
  lfm_free(s->rows.logp);
  lfm_free(s->rows.failed);
  lfm_free(s->rows.nfe);
  lfm_free(s->rows.probes.variance);
}

/* ---- the solver's error ------------------------------------------------------------------------------------------ */

/* Some of the rows, evenly spaced again; their probes are those that they had. */
typedef struct sample {
  lfm_likelihood_rows rows;
  int64_t from[CHECKED_ROWS], number[CHECKED_ROWS], nfe[CHECKED_ROWS];
  double logp[CHECKED_ROWS];
  uint8_t failed[CHECKED_ROWS];
} sample;

static lfm_status take_sample(const lfm_scored *s, const lfm_model *model, int64_t count, sample *out) {
  const lfm_likelihood_rows *all = &s->rows;
  lfm_likelihood_rows *some = &out->rows;
  size_t cols = (size_t)model->cols, given = (size_t)lfm_net_given(model->net);
  *some = (lfm_likelihood_rows){.count = count,
                                .probes = {.count = all->probes.count, .seed = all->probes.seed, .number = out->number},
                                .logp = out->logp,
                                .failed = out->failed,
                                .nfe = out->nfe};
  LFM_TRY(LFM_ALLOC(&some->x, (size_t)some->count * cols));
  if (all->given) LFM_TRY(LFM_ALLOC(&some->given, (size_t)some->count * given));
  for (int64_t i = 0; i < some->count; i++) {
    int64_t from = out->from[i] = lfm_spaced(i, all->count, some->count);
    out->number[i] = s->row[from];
    memcpy(some->x + (size_t)i * cols, all->x + (size_t)from * cols, cols * sizeof *some->x);
    if (all->given) memcpy(some->given + (size_t)i * given, all->given + (size_t)from * given, given * sizeof *some->given);
  }
  return LFM_OK;
}

static double mean_difference(const lfm_scored *s, const sample *finer) {
  int64_t compared = 0;
  double sum = 0.0;
  for (int64_t i = 0; i < finer->rows.count; i++) {
    double difference = fabs(finer->logp[i] - s->rows.logp[finer->from[i]]);
    if (!isfinite(difference)) continue;
    sum += difference;
    compared++;
  }
  return compared ? sum / (double)compared : (double)NAN;
}

/* Of fixed steps as many as take no longer than the scores did. */
static int64_t count_checked(const lfm_scored *s, const lfm_solve *solve) {
  int64_t count = lfm_least(s->rows.count, CHECKED_ROWS);
  if (!solve->fixed_steps) return count;
  double evaluations = (double)solve->fixed_steps * lfm_solver_stages(solve->solver); /* a block */
  return lfm_least(count, (int64_t)((double)s->rows.count * evaluations / USUAL_EVALUATIONS));
}

/* Fixed steps are held against a solve under error control, such a one against a tenth of its tolerance. */
lfm_status lfm_scored_solver_error(const lfm_scored *s, const lfm_model *model, lfm_team *team, const lfm_solve *solve,
                                   lfm_meter *meter, double *error) {
  sample some = {0};
  lfm_solve finer = *solve;
  finer.tol = solve->tol / 10.0;
  if (solve->fixed_steps) finer = (lfm_solve){.solver = LFM_DOPRI5, .tol = LFM_DEFAULT_TOL};
  int64_t count = count_checked(s, solve);
  *error = (double)NAN;
  if (count < 1 || finer.tol < LEAST_TOL) return LFM_OK;
  lfm_status status = take_sample(s, model, count, &some);
  if (status == LFM_OK) status = lfm_likelihood(model, team, &finer, false, &some.rows, meter);
  if (status == LFM_OK) *error = mean_difference(s, &some);
  lfm_free(some.rows.x);
  lfm_free(some.rows.given);
  return status;
}
