/* SPDX-License-Identifier: MIT
 *
 * score.c -- log p of a table's rows, and what may honestly be said of their mean.
 *   1. choose the rows, evenly spaced; of demonstrations the windows, each under what is given of it
 *   2. log p of each                                            [likelihood.c]
 *   3. the solver's error: some rows again at a tenth of the tolerance
 *   4. the same rows under a second model, for paired differences
 *   5. means, standard errors by row or by group                [metric/summary.h]
 *   6. with probes: their part of the standard error, sqrt(sum_i variance_i) / rows, as rows draw theirs independently
 */
#include "flow/score.h"

#include "core/alloc.h"
#include "data/redundancy.h"
#include "data/text.h"
#include "flow/columns.h"
#include "flow/scored.h"
#include "metric/summary.h"

#include <math.h>
#include <string.h>

void lfm_score_defaults(lfm_score_options *options) { *options = (lfm_score_options){0}; }

typedef struct scored {
  lfm_scored own;
  double *against; /* [rows] log p by the second model, or NULL */
} scored;

static lfm_status choose_rows(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, scored *s) {
  return lfm_scored_choose(model, table, options->rows, options->group, options->probes, options->seed, &s->own);
}

/* The paper's evaluations are Euler's. */
static lfm_status parse_solve(const lfm_score_options *options, const lfm_model *model, lfm_solve *out) {
  lfm_solver_options solve = options->solve;
  if (options->paper_protocol && solve.nfe) solve.solver = "euler";
  return lfm_solve_flow(model, "score", &solve, out);
}

/* The second model's log p of the same rows of the same table; windows are cut again, for their units are its own. */
static lfm_status score_against(const lfm_model *other, lfm_team *team, const lfm_score_options *options,
                                const lfm_solve *solve, const lfm_table *table, scored *s, lfm_meter *meter) {
  lfm_scored again = {0};
  lfm_table *windows = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_columns_windows(other, table, &windows), done);
  LFM_TRY_GOTO(lfm_scored_choose(other, windows ? windows : table, options->rows, NULL, s->own.rows.probes.count,
                                 options->seed, &again),
               done);
  LFM_TRY_GOTO(lfm_likelihood(other, team, solve, options->paper_protocol, &again.rows, meter), done);
  s->against = again.rows.logp, again.rows.logp = NULL;
done:
  lfm_table_destroy(windows);
  lfm_scored_release(&again);
  return status;
}

static bool is_solved(const scored *s, int64_t row) {
  return isfinite(s->own.rows.logp[row]) && (!s->against || isfinite(s->against[row]));
}

/* Standard error of the nll by the probes alone; NAN when there are none, or one a row. */
static double probe_error(const scored *s, int64_t solved) {
  const lfm_probes *probes = &s->own.rows.probes;
  double sum = 0.0;
  if (!probes->count) return (double)NAN;
  for (int64_t i = 0; i < s->own.rows.count; i++) sum += is_solved(s, i) ? probes->variance[i] : 0.0;
  return sqrt(sum) / (double)solved;
}

/* -log p of the rows that were solved (by both models), and their groups, in three vectors side by side. */
static int64_t solved_rows(const scored *s, double *own, double *other, double *group) {
  int64_t count = 0;
  for (int64_t i = 0; i < s->own.rows.count; i++) {
    if (!is_solved(s, i)) continue;
    own[count] = -s->own.rows.logp[i];
    other[count] = s->against ? -s->against[i] : 0.0;
    group[count++] = s->own.group ? s->own.group[i] : (double)i;
  }
  return count;
}

static lfm_status summarise_solved(const scored *s, double *own, double *other, double *group, lfm_score_result *result) {
  lfm_summary summary;
  int64_t count = solved_rows(s, own, other, group);
  if (!count && s->against)
    return lfm_fail(LFM_E_NUMERIC, "none of the %lld rows was solved by both models; are these models of these data?",
                    (long long)s->own.rows.count);
  if (!count)
    return lfm_fail(LFM_E_NUMERIC, "the solve failed for all %lld rows; is this the model of these data?",
                    (long long)s->own.rows.count);
  LFM_TRY(lfm_summary_mean(own, group, count, &summary));
  result->rows = count;
  result->nll = summary.mean;
  result->nll_se = summary.se;
  result->probe_se = probe_error(s, count);
  if (!s->against) return LFM_OK;
  LFM_TRY(lfm_summary_mean(other, group, count, &summary));
  result->against_nll = summary.mean;
  LFM_TRY(lfm_summary_paired(own, other, group, count, &summary));
  result->diff = summary.mean;
  result->diff_se = summary.se;
  result->diff_low = summary.low;
  result->diff_high = summary.high;
  return LFM_OK;
}

/* -log p(y) = -log p(x) + log |det dy/dx|: the mean of the last over the rows that were solved. */
static lfm_status mean_of_units(const lfm_model *model, const scored *s, int64_t solved, double *out) {
  const lfm_normaliser *normaliser = model->normaliser;
  double *y, apart = 0.0;
  LFM_TRY(LFM_ALLOC(&y, normaliser->dim));
  for (int64_t i = 0; i < s->own.rows.count; i++) {
    if (!is_solved(s, i)) continue;
    lfm_normaliser_apply(normaliser, s->own.rows.x + i * model->cols, y);
    apart += lfm_normaliser_logdet(normaliser, y) - normaliser->logdet; /* 0 of an affine map */
  }
  lfm_free(y);
  *out = normaliser->logdet + apart / (double)solved;
  return LFM_OK;
}

static lfm_status summarise(const lfm_model *model, const scored *s, lfm_score_result *result) {
  int64_t rows = s->own.rows.count;
  double *numbers, evaluations = 0.0, units = 0.0;
  LFM_TRY(LFM_ALLOC(&numbers, 3 * rows));
  lfm_status status = summarise_solved(s, numbers, numbers + rows, numbers + 2 * rows, result);
  if (status == LFM_OK) status = mean_of_units(model, s, result->rows, &units);
  lfm_free(numbers);
  for (int64_t i = 0; i < rows; i++) {
    result->failed += !isfinite(s->own.rows.logp[i]);
    result->against_failed += s->against && !isfinite(s->against[i]);
    evaluations += (double)s->own.rows.nfe[i];
  }
  result->nfe_mean = evaluations / (double)rows;
  result->nll_standardised = result->nll + units;
  if (model->picture) {
    result->bits_per_dim = result->nll / ((double)model->cols * log(2.0));
    result->bits_se = result->nll_se / ((double)model->cols * log(2.0));
  }
  return status;
}

static lfm_status to_table(const scored *s, const lfm_table *from, lfm_table **out) {
  static const char *const names[] = {"row", "logp", "status", "logp_against"};
  int64_t cols = s->against ? 4 : 3;
  lfm_table *table;
  LFM_TRY(lfm_table_make(s->own.rows.count, cols, &table));
  for (int64_t j = 0; j < cols; j++) {
    lfm_status status = lfm_table_rename(table, j, names[j]);
    if (status != LFM_OK) return lfm_table_destroy(table), status;
    table->decimals[j] = j == 0 || j == 2 ? 0 : LFM_AS_SINGLE;
  }
  for (int64_t i = 0; i < s->own.rows.count; i++) {
    double *row = table->values + i * cols;
    row[0] = (double)lfm_table_number(from, s->own.row[i]) + 1.0;
    row[1] = s->own.rows.logp[i];
    row[2] = s->own.rows.failed[i];
    if (s->against) row[3] = s->against[i];
  }
  *out = table;
  return LFM_OK;
}

/* Not after the first model's hours; that the first one matches the table is known. */
static lfm_status check_against(const lfm_model *model, const lfm_score_options *options, const lfm_table *table,
                                lfm_solve *solve) {
  const lfm_model *against = options->against;
  int64_t *place;
  LFM_TRY(LFM_ALLOC(&place, against->cols));
  lfm_status status = lfm_density_check(against);
  if (status == LFM_OK) status = lfm_columns_match(against, table, place);
  lfm_free(place);
  if (status == LFM_OK) status = lfm_columns_compare(model, against, table);
  if (status == LFM_OK) status = parse_solve(options, against, solve);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "the second model: %s", lfm_error());
}

/* In the model's columns, of the rows that are scored. */
static lfm_status warn_of_rows(const lfm_model *model, const lfm_score_options *options, const scored *s) {
  const char *advice =
      options->group ? "put copies into one group" : "the standard error takes them for rows of their own (--group)";
  return lfm_redundancy_warn(s->own.rows.x, s->own.rows.count, model->cols, model->names, s->own.group, advice);
}

/* All that can be refused, before the solve: rows, solvers, the second model. */
typedef struct solves {
  lfm_solve own, against;
} solves;

static lfm_status prepare(const lfm_model *model, const lfm_table *rows, const lfm_score_options *options, scored *s,
                          solves *solve) {
  LFM_TRY(lfm_density_check(model));
  if (options->paper_protocol && options->solve.solver)
    return lfm_fail(LFM_E_USAGE, "the paper's protocol has its own solvers: leave solver out");
  LFM_TRY(parse_solve(options, model, &solve->own));
  LFM_TRY(choose_rows(model, rows, options, s));
  lfm_probes_advise(model, options->probes);
  return options->against ? check_against(model, options, rows, &solve->against) : LFM_OK;
}

/* error: NULL where nobody asks for it; it takes a second solve of some rows. */
static lfm_status solve_all(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                            const solves *solve, scored *s, lfm_meter *meter, double *error) {
  lfm_team *team;
  LFM_TRY(lfm_team_create(options->threads, &team));
  lfm_status status = lfm_likelihood(model, team, &solve->own, options->paper_protocol, &s->own.rows, meter);
  if (status == LFM_OK && error && !options->paper_protocol)
    status = lfm_scored_solver_error(&s->own, model, team, &solve->own, meter, error);
  if (status == LFM_OK && options->against)
    status = score_against(options->against, team, options, &solve->against, table, s, meter);
  lfm_team_destroy(team);
  return status;
}

static const lfm_score_result nothing_known = {.bits_per_dim = NAN,
                                               .bits_se = NAN,
                                               .solver_error = NAN,
                                               .probe_se = NAN,
                                               .against_nll = NAN,
                                               .diff = NAN,
                                               .diff_se = NAN,
                                               .diff_low = NAN,
                                               .diff_high = NAN};

static lfm_status score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, bool is_quiet,
                        lfm_table **out, lfm_score_result *result) {
  *result = nothing_known;
  if (out) *out = NULL;
  scored s = {0};
  lfm_table *windows = NULL;
  solves solve;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  lfm_status status;
  LFM_TRY_GOTO(lfm_columns_windows(model, table, &windows), done);
  const lfm_table *rows = windows ? windows : table;
  LFM_TRY_GOTO(prepare(model, rows, options, &s, &solve), done);
  if (!is_quiet && model->names) LFM_TRY_GOTO(warn_of_rows(model, options, &s), done);
  LFM_TRY_GOTO(solve_all(model, table, options, &solve, &s, &meter, is_quiet ? NULL : &result->solver_error), done);
  LFM_TRY_GOTO(summarise(model, &s, result), done);
  if (out) LFM_TRY_GOTO(to_table(&s, rows, out), done);
  result->seconds = lfm_seconds() - meter.begun;
done:
  lfm_table_destroy(windows);
  lfm_scored_release(&s.own);
  lfm_free(s.against);
  return status;
}

lfm_status lfm_score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, lfm_table **out,
                     lfm_score_result *result) {
  lfm_score_result unasked;
  if (!result) result = &unasked;
  return score(model, table, options, false, out, result);
}

lfm_status lfm_score_quietly(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                             lfm_table **out, lfm_score_result *result) {
  return score(model, table, options, true, out, result);
}
