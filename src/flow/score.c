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
#include "flow/columns.h"
#include "flow/likelihood.h"
#include "metric/summary.h"

#include <math.h>
#include <string.h>

void lfm_score_defaults(lfm_score_options *options) { *options = (lfm_score_options){0}; }

typedef struct scored {
  int64_t rows;
  int64_t *row;      /* [rows] number in the table */
  double *x;         /* [rows, cols] */
  float *given;      /* [rows, given], or NULL */
  double *logp;      /* [rows], NAN where the solve failed */
  double *against;   /* [rows], or NULL */
  double *group;     /* [rows], or NULL */
  lfm_probes probes; /* their variance [rows], or NULL */
  uint8_t *failed;
  int64_t *nfe;
} scored;

static void destroy_scored(scored *s) {
  lfm_free(s->row);
  lfm_free(s->x);
  lfm_free(s->given);
  lfm_free(s->logp);
  lfm_free(s->against);
  lfm_free(s->group);
  lfm_free(s->probes.variance);
  lfm_free(s->failed);
  lfm_free(s->nfe);
}

static lfm_status choose_rows(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, scored *s) {
  if (options->paper_protocol && options->solve.solver)
    return lfm_fail(LFM_E_USAGE, "the paper's protocol has its own solvers: leave solver out");
  LFM_TRY(lfm_columns_choose(table, options->rows, &s->row, &s->rows));
  LFM_TRY(LFM_ALLOC(&s->logp, s->rows));
  LFM_TRY(LFM_ALLOC(&s->failed, s->rows));
  LFM_TRY(LFM_ALLOC(&s->nfe, s->rows));
  if (options->group) LFM_TRY(lfm_columns_group(options->group, table, s->row, s->rows, &s->group));
  int probes = lfm_probes_of(model, options->probes);
  s->probes = (lfm_probes){.count = probes, .seed = options->seed, .number = s->row};
  return probes ? LFM_ALLOC(&s->probes.variance, s->rows) : LFM_OK;
}

/* log p of the chosen rows again, more precisely, for the mean absolute difference; the rows are evenly spaced again, and
 * their probes are those that they had. */
static lfm_status solver_error(const lfm_model *model, lfm_team *team, const lfm_solve *solve, const scored *s,
                               lfm_meter *meter, double *error) {
  int64_t count = s->rows < LFM_CHECKED_ROWS ? s->rows : LFM_CHECKED_ROWS, compared = 0;
  lfm_solve finer = *solve;
  finer.tol = fmax(solve->tol / 10.0, 1e-12);
  size_t given = (size_t)lfm_net_given(model->net);
  float *beside = NULL;
  double *x = NULL, *logp = NULL, sum = 0.0;
  uint8_t failed[LFM_CHECKED_ROWS];
  int64_t nfe[LFM_CHECKED_ROWS], number[LFM_CHECKED_ROWS];
  lfm_probes probes = {.count = s->probes.count, .seed = s->probes.seed, .number = number};
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&x, count * model->cols), done);
  LFM_TRY_GOTO(LFM_ALLOC(&logp, count), done);
  if (s->given) LFM_TRY_GOTO(LFM_ALLOC(&beside, (size_t)count * given), done);
  for (int64_t i = 0; i < count; i++) {
    if (beside) memcpy(beside + (size_t)i * given, s->given + (size_t)(i * s->rows / count) * given, given * sizeof *beside);
    memcpy(x + i * model->cols, s->x + i * s->rows / count * model->cols, (size_t)model->cols * sizeof *x);
    number[i] = s->row[i * s->rows / count];
  }
  LFM_TRY_GOTO(lfm_likelihood_probed(model, team, &finer, false, &probes, count, x, beside, logp, failed, nfe, meter), done);
  for (int64_t i = 0; i < count; i++) {
    double difference = fabs(logp[i] - s->logp[i * s->rows / count]);
    if (!isfinite(difference)) continue;
    sum += difference;
    compared++;
  }
  *error = compared ? sum / (double)compared : (double)NAN;
done:
  lfm_free(x);
  lfm_free(beside);
  lfm_free(logp);
  return status;
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
  lfm_probes probes = {.count = s->probes.count, .seed = s->probes.seed, .number = s->row};
  lfm_table *windows = NULL;
  double *x = NULL;
  float *given = NULL;
  uint8_t *failed = NULL;
  int64_t *nfe = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_columns_windows(other, table, &windows), done);
  if (windows) table = windows;
  LFM_TRY_GOTO(LFM_ALLOC(&s->against, s->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC(&failed, s->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC(&nfe, s->rows), done);
  LFM_TRY_GOTO(lfm_columns_gather(other, table, s->row, s->rows, &x), done);
  LFM_TRY_GOTO(lfm_columns_given(other, table, s->row, s->rows, &given), done);
  LFM_TRY_GOTO(lfm_likelihood_probed(other, team, solve, options->paper_protocol, &probes, s->rows, x, given, s->against,
                                     failed, nfe, meter),
               done);
done:
  lfm_table_destroy(windows);
  lfm_free(x);
  lfm_free(given);
  lfm_free(failed);
  lfm_free(nfe);
  return status;
}

static bool is_solved(const scored *s, int64_t row) {
  return isfinite(s->logp[row]) && (!s->against || isfinite(s->against[row]));
}

/* Standard error of the nll by the probes alone; NAN when there are none, or one a row. */
static double probe_error(const scored *s, int64_t solved) {
  double sum = 0.0;
  if (!s->probes.count) return (double)NAN;
  for (int64_t i = 0; i < s->rows; i++) sum += is_solved(s, i) ? s->probes.variance[i] : 0.0;
  return sqrt(sum) / (double)solved;
}

/* -log p of the rows that were solved (by both models), and their groups, in three vectors side by side. */
static int64_t solved_rows(const scored *s, double *own, double *other, double *group) {
  int64_t count = 0;
  for (int64_t i = 0; i < s->rows; i++) {
    if (!is_solved(s, i)) continue;
    own[count] = -s->logp[i];
    other[count] = s->against ? -s->against[i] : 0.0;
    group[count++] = s->group ? s->group[i] : (double)i;
  }
  return count;
}

static lfm_status summarise_solved(const scored *s, double *own, double *other, double *group, lfm_score_result *result) {
  lfm_summary summary;
  int64_t count = solved_rows(s, own, other, group);
  if (!count && s->against)
    return lfm_fail(LFM_E_NUMERIC, "none of the %lld rows was solved by both models; are these models of these data?",
                    (long long)s->rows);
  if (!count)
    return lfm_fail(LFM_E_NUMERIC, "the solve failed for all %lld rows; is this the model of these data?",
                    (long long)s->rows);
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

static lfm_status summarise(const lfm_model *model, const scored *s, lfm_score_result *result) {
  double *numbers, evaluations = 0.0;
  LFM_TRY(LFM_ALLOC(&numbers, 3 * s->rows));
  lfm_status status = summarise_solved(s, numbers, numbers + s->rows, numbers + 2 * s->rows, result);
  lfm_free(numbers);
  for (int64_t i = 0; i < s->rows; i++) {
    result->failed += !isfinite(s->logp[i]);
    result->against_failed += s->against && !isfinite(s->against[i]);
    evaluations += (double)s->nfe[i];
  }
  result->nfe_mean = evaluations / (double)s->rows;
  result->nll_standardised = result->nll + model->normaliser->logdet; /* -log p(y) = -log p(x) + log |det W| */
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
  LFM_TRY(lfm_table_make(s->rows, cols, &table));
  for (int64_t j = 0; j < cols; j++) {
    lfm_status status = lfm_table_rename(table, j, names[j]);
    if (status != LFM_OK) return lfm_table_destroy(table), status;
    table->decimals[j] = j == 0 || j == 2 ? 0 : -1;
  }
  for (int64_t i = 0; i < s->rows; i++) {
    double *row = table->values + i * cols;
    row[0] = (double)lfm_table_number(from, s->row[i]) + 1.0;
    row[1] = s->logp[i];
    row[2] = s->failed[i];
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
  lfm_status status = lfm_columns_match(against, table, place);
  lfm_free(place);
  if (status == LFM_OK) status = lfm_columns_compare(model, against, table);
  if (status == LFM_OK) status = parse_solve(options, against, solve);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "the second model: %s", lfm_error());
}

/* In the model's columns, of the rows that are scored. */
static lfm_status warn_of_rows(const lfm_model *model, const lfm_score_options *options, const scored *s) {
  const char *advice =
      options->group ? "put copies into one group" : "the standard error takes them for rows of their own (--group)";
  return lfm_redundancy_warn(s->x, s->rows, model->cols, model->names, advice);
}

static lfm_status score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, bool warns,
                        lfm_table **out, lfm_score_result *result) {
  double nan = (double)NAN;
  *result = (lfm_score_result){.bits_per_dim = nan,
                               .bits_se = nan,
                               .solver_error = nan,
                               .probe_se = nan,
                               .against_nll = nan,
                               .diff = nan,
                               .diff_se = nan,
                               .diff_low = nan,
                               .diff_high = nan};
  if (out) *out = NULL;
  scored s = {0};
  lfm_table *windows = NULL;
  lfm_team *team = NULL;
  lfm_solve solve, others;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  lfm_status status;
  LFM_TRY_GOTO(lfm_density_check(model), done);
  if (options->against) LFM_TRY_GOTO(lfm_density_check(options->against), done);
  LFM_TRY_GOTO(lfm_columns_windows(model, table, &windows), done);
  const lfm_table *rows = windows ? windows : table;
  LFM_TRY_GOTO(choose_rows(model, rows, options, &s), done);
  LFM_TRY_GOTO(parse_solve(options, model, &solve), done);
  lfm_probes_advise(model, options->probes);
  LFM_TRY_GOTO(lfm_columns_gather(model, rows, s.row, s.rows, &s.x), done);
  if (options->against) LFM_TRY_GOTO(check_against(model, options, rows, &others), done);
  LFM_TRY_GOTO(lfm_columns_given(model, rows, s.row, s.rows, &s.given), done);
  if (warns && model->names) LFM_TRY_GOTO(warn_of_rows(model, options, &s), done);
  LFM_TRY_GOTO(lfm_team_create(options->threads, &team), done);
  LFM_TRY_GOTO(lfm_likelihood_probed(model, team, &solve, options->paper_protocol, &s.probes, s.rows, s.x, s.given, s.logp,
                                     s.failed, s.nfe, &meter),
               done);
  if (!options->paper_protocol && !solve.fixed_steps)
    LFM_TRY_GOTO(solver_error(model, team, &solve, &s, &meter, &result->solver_error), done);
  if (options->against) LFM_TRY_GOTO(score_against(options->against, team, options, &others, table, &s, &meter), done);
  LFM_TRY_GOTO(summarise(model, &s, result), done);
  if (out) LFM_TRY_GOTO(to_table(&s, rows, out), done);
  result->seconds = lfm_seconds() - meter.begun;
done:
  lfm_team_destroy(team);
  lfm_table_destroy(windows);
  destroy_scored(&s);
  return status;
}

lfm_status lfm_score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options, lfm_table **out,
                     lfm_score_result *result) {
  lfm_score_result unasked;
  if (!result) result = &unasked;
  return score(model, table, options, true, out, result);
}

lfm_status lfm_score_quietly(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                             lfm_table **out, lfm_score_result *result) {
  return score(model, table, options, false, out, result);
}
