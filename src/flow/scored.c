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

enum { CHECKED_ROWS = 32, FAR_ROWS = 4, USUAL_EVALUATIONS = 60 /* a block, under error control */ };
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

/* Some of the rows: those of the least log p, whose errors may be as large as it, and others evenly spaced, which stand for
 * all the rest.  Their probes are those that they had. */
typedef struct sample {
  lfm_likelihood_rows rows;
  int64_t far; /* of the first kind, which come first */
  int64_t from[CHECKED_ROWS], number[CHECKED_ROWS], nfe[CHECKED_ROWS];
  double logp[CHECKED_ROWS];
  uint8_t failed[CHECKED_ROWS];
} sample;

static bool is_listed(const int64_t *list, int64_t count, int64_t row) {
  while (count-- > 0)
    if (list[count] == row) return true;
  return false;
}

/* The `count` rows of the least log p, the least first; fewer where fewer were solved. */
static int64_t find_far(const lfm_scored *s, int64_t count, int64_t *out) {
  int64_t found = 0;
  for (; found < count; found++) {
    int64_t least = -1;
    for (int64_t i = 0; i < s->rows.count; i++)
      if (isfinite(s->rows.logp[i]) && (least < 0 || s->rows.logp[i] < s->rows.logp[least]) && !is_listed(out, found, i))
        least = i;
    if (least < 0) break;
    out[found] = least;
  }
  return found;
}

static void choose_sample(const lfm_scored *s, int64_t count, sample *out) {
  bool is_all = count == s->rows.count;
  out->far = is_all ? 0 : find_far(s, count / (CHECKED_ROWS / FAR_ROWS), out->from);
  for (int64_t i = out->far; i < count; i++) out->from[i] = lfm_spaced(i - out->far, s->rows.count, count - out->far);
}

static lfm_status take_sample(const lfm_scored *s, const lfm_model *model, int64_t count, sample *out) {
  const lfm_likelihood_rows *all = &s->rows;
  lfm_likelihood_rows *some = &out->rows;
  size_t cols = (size_t)model->cols, given = (size_t)lfm_net_given(model->net);
  *some = (lfm_likelihood_rows){.count = count,
                                .probes = {.count = all->probes.count, .seed = all->probes.seed, .number = out->number},
                                .logp = out->logp,
                                .failed = out->failed,
                                .nfe = out->nfe};
  choose_sample(s, count, out);
  LFM_TRY(LFM_ALLOC(&some->x, (size_t)some->count * cols));
  if (all->given) LFM_TRY(LFM_ALLOC(&some->given, (size_t)some->count * given));
  for (int64_t i = 0; i < some->count; i++) {
    int64_t from = out->from[i];
    out->number[i] = s->row[from];
    memcpy(some->x + (size_t)i * cols, all->x + (size_t)from * cols, cols * sizeof *some->x);
    if (all->given) memcpy(some->given + (size_t)i * given, all->given + (size_t)from * given, given * sizeof *some->given);
  }
  return LFM_OK;
}

/* Over all rows: the far ones each for itself, the others for as many as there are besides. */
static double mean_difference(const lfm_scored *s, const sample *finer) {
  int64_t far = 0, compared = 0;
  double sum_far = 0.0, sum = 0.0;
  for (int64_t i = 0; i < finer->rows.count; i++) {
    double difference = fabs(finer->logp[i] - s->rows.logp[finer->from[i]]);
    if (!isfinite(difference)) continue;
    if (i < finer->far) sum_far += difference, far++;
    else if (!is_listed(finer->from, finer->far, finer->from[i])) sum += difference, compared++;
  }
  if (!compared) return (double)NAN;
  double all = (double)s->rows.count;
  return (sum_far + (all - (double)far) * sum / (double)compared) / all;
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
