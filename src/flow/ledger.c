/* SPDX-License-Identifier: MIT
 *
 * ledger.c -- where in the chain the nats are lost: held-out rows at every border, in one likelihood solve.
 * With s_n(x) = log N(x_n; 0, I) + the log-determinants of blocks 1 .. n, the chain cut at border n  [likelihood.h],
 *   KL(p_n || N(0, I)) = mean (log p_n(x_n) - log q(x_n)) = mean (s_N - s_n),
 * since log p_n(x_n) is what blocks n+1 .. N and the base density give, and the first n log-determinants cancel.  So kl is
 * what the blocks behind a border earn, its fall over a block what that block earns.  The log p_n is the model's: where the
 * true one is known, mean (log p - s_n) is the divergence itself, larger by the model's loss at every border alike, because
 * the blocks are one-to-one; at the noise all of it is loss.  Beside them stands the theory, KL_0 exp(-2 sum gamma), the
 * contraction of the OU process (the paper's for chi^2; for KL by the log-Sobolev inequality of N(0, I)), with what can be
 * seen of its assumptions.
 * Refused: an estimate of KL from the states alone (neighbours, a fitted Gaussian), which would add its own error.
 */
#include "core/alloc.h"
#include "flow/columns.h"
#include "flow/ou.h"
#include "flow/score.h"
#include "flow/scored.h"
#include "flow/spectrum.h"
#include "metric/summary.h"

#include <math.h>

static const double unlikely = 3.0; /* in chance_edge */

void lfm_ledger_defaults(lfm_ledger_options *options) { *options = (lfm_ledger_options){0}; }

typedef struct ledger {
  const lfm_model *model;
  lfm_scored own; /* its rows' cut is ours */
  double *truth;  /* [rows], or NULL */
  double *terms;  /* [2, rows] what a mean is taken of, and their groups */
} ledger;

static void destroy_ledger(ledger *l) {
  lfm_free(l->own.rows.cut);
  lfm_scored_release(&l->own);
  lfm_free(l->truth);
  lfm_free(l->terms);
}

static lfm_status read_truth(const lfm_table *truth, const lfm_table *table, ledger *l) {
  int64_t column = lfm_table_find(truth, "logp");
  if (column < 0) return lfm_fail(LFM_E_DATA, "the truth has no column 'logp'");
  if (!lfm_table_is_beside(truth, table))
    return lfm_fail(LFM_E_DATA, "the truth has %lld rows, the table %lld; a row for each row is needed",
                    (long long)truth->rows, (long long)table->rows);
  LFM_TRY(lfm_table_check_finite("the truth", truth, "drop or mend the row, there and in the table"));
  LFM_TRY(LFM_ALLOC(&l->truth, l->own.rows.count));
  for (int64_t i = 0; i < l->own.rows.count; i++)
    l->truth[i] = truth->values[lfm_table_row_beside(truth, table, l->own.row[i]) * truth->cols + column];
  return LFM_OK;
}

/* Not after the hours of the held-out rows. */
static lfm_status check_train(const lfm_model *model, const lfm_ledger_options *options) {
  if (!options->train && options->train_group)
    return lfm_fail(LFM_E_USAGE, "train-group: it clusters the training rows, which only train gives");
  if (!options->train) return LFM_OK;
  lfm_table *windows = NULL;
  lfm_scored one = {0};
  lfm_status status = lfm_columns_windows(model, options->train, &windows);
  if (status == LFM_OK)
    status = lfm_scored_choose(model, windows ? windows : options->train, 1, options->train_group, 0, 0, &one);
  lfm_scored_release(&one);
  lfm_table_destroy(windows);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "the training table: %s", lfm_error());
}

static lfm_status choose_rows(const lfm_table *table, const lfm_ledger_options *options, ledger *l) {
  lfm_likelihood_rows *rows = &l->own.rows;
  LFM_TRY(lfm_scored_choose(l->model, table, options->rows, options->group, options->probes, options->seed, &l->own));
  LFM_TRY(LFM_ALLOC(&rows->cut, (l->model->blocks + 1) * rows->count));
  LFM_TRY(LFM_ALLOC(&l->terms, 2 * rows->count));
  return options->truth ? read_truth(options->truth, table, l) : LFM_OK;
}

static lfm_status solve_rows(ledger *l, const lfm_ledger_options *options, double *solver_error) {
  lfm_solve solve;
  lfm_team *team;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  LFM_TRY(lfm_solve_flow(l->model, "ledger", &options->solve, &solve));
  LFM_TRY(lfm_team_create(options->threads, &team));
  lfm_status status = lfm_likelihood(l->model, team, &solve, false, &l->own.rows, &meter);
  if (status == LFM_OK) status = lfm_scored_solver_error(&l->own, l->model, team, &solve, &meter, solver_error);
  lfm_team_destroy(team);
  return status;
}

/* mean of (a - b) over the rows that were solved. */
static lfm_status mean_difference(ledger *l, const double *a, const double *b, lfm_summary *out) {
  int64_t count = 0, rows = l->own.rows.count;
  double *groups = l->terms + rows;
  for (int64_t i = 0; i < rows; i++) {
    if (!isfinite(l->own.rows.logp[i])) continue;
    groups[count] = l->own.group ? l->own.group[i] : (double)i;
    l->terms[count++] = a[i] - (b ? b[i] : 0.0);
  }
  if (!count)
    return lfm_fail(LFM_E_NUMERIC, "the solve failed for all %lld rows; is this the model of these data?", (long long)rows);
  return lfm_summary_mean(l->terms, groups, count, out);
}

/* ---- the borders -------------------------------------------------------------------------------------------- */

static lfm_status fill_border(ledger *l, int n, lfm_ledger_border *border) {
  lfm_summary kl;
  const double *cut = l->own.rows.cut + n * l->own.rows.count;
  LFM_TRY(mean_difference(l, l->own.rows.logp, cut, &kl));
  border->kl = kl.mean;
  border->kl_se = kl.se;
  if (!l->truth) return LFM_OK;
  LFM_TRY(mean_difference(l, l->truth, cut, &kl));
  border->true_kl = kl.mean;
  border->true_kl_se = kl.se;
  return LFM_OK;
}

static lfm_status fill_borders(ledger *l, lfm_ledger_result *result) {
  const double *steps = l->model->config->hks;
  for (int n = 0; n <= l->model->blocks; n++) {
    double step = n ? steps[n - 1] : (double)NAN, nan = (double)NAN;
    result->border[n] = (lfm_ledger_border){.gamma = step, .true_kl = nan, .true_kl_se = nan};
    LFM_TRY(fill_border(l, n, &result->border[n]));
    double first = result->border[0].kl; /* an estimate, and where the data are nearly normal perhaps below 0 */
    result->border[n].theory = first > 0.0 ? first * exp(-2.0 * lfm_ou_time_before(steps, n)) : nan; /* so once one is free */
  }
  result->blocks = l->model->blocks;
  result->has_free_block = isnan(steps[l->model->blocks - 1]);
  return LFM_OK;
}

/* ---- the entries that hold for the whole chain --------------------------------------------------------------- */

static lfm_status fill_means(ledger *l, lfm_ledger_result *result) {
  const lfm_likelihood_rows *rows = &l->own.rows;
  lfm_summary summary;
  LFM_TRY(mean_difference(l, rows->logp, NULL, &summary));
  result->rows = summary.count;
  result->failed = rows->count - summary.count;
  result->nll = -summary.mean;
  result->nll_se = summary.se;
  double evaluations = 0.0, variance = 0.0;
  for (int64_t i = 0; i < rows->count; i++) {
    evaluations += (double)rows->nfe[i];
    if (rows->probes.count && isfinite(rows->logp[i])) variance += rows->probes.variance[i]; /* NAN for one probe a row */
  }
  result->nfe_mean = evaluations / (double)rows->count;
  if (rows->probes.count) result->probe_se = sqrt(variance) / (double)result->rows;
  if (!l->truth) return LFM_OK;
  LFM_TRY(mean_difference(l, l->truth, rows->logp, &summary));
  result->excess = summary.mean;
  result->excess_se = summary.se;
  return LFM_OK;
}

/* Training and held-out rows are independent, so the variances of the two means add; both by cluster, or both by row. */
static lfm_status fill_over_fit(const ledger *l, const lfm_ledger_options *options, lfm_ledger_result *result) {
  if (!options->train) return LFM_OK;
  lfm_score_options as_many;
  lfm_score_result scored;
  lfm_score_defaults(&as_many);
  as_many.solve = options->solve, as_many.rows = l->own.rows.count;
  as_many.probes = options->probes, as_many.seed = options->seed;
  as_many.group = options->train_group;
  as_many.threads = options->threads;
  as_many.progress = options->progress, as_many.context = options->context;
  lfm_status status = lfm_score_quietly(l->model, options->train, &as_many, NULL, &scored);
  if (status != LFM_OK) return lfm_fail(status, "the training table: %s", lfm_error());
  result->train_nll = scored.nll;
  result->train_failed = scored.failed;
  result->over_fit = result->nll - scored.nll;
  if (!options->group == !options->train_group) result->over_fit_se = hypot(result->nll_se, scored.nll_se);
  return LFM_OK;
}

/* ---- the theory's assumptions -------------------------------------------------------------------------------- */

/* The largest eigenvalue of the covariance of n rows of N(0, I_d) is above this with probability below exp(-9/2), 1 in 90
 * [Davidson and Szarek 2001, theorem II.13]: an eigenvalue of data just above 1 shows nothing. */
static double chance_edge(int64_t dim, int64_t rows) {
  double sd = 1.0 + (sqrt((double)dim) + unlikely) / sqrt((double)rows);
  return sd * sd;
}

static void judge_variances(const double *values, int64_t dim, int64_t rows, lfm_ledger_result *result) {
  result->chance = chance_edge(dim, rows);
  result->widest = values[0];
  for (int64_t j = 0; j < dim; j++) {
    if (values[j] > result->widest) result->widest = values[j];
    result->above_1 += values[j] > result->chance;
    result->above_2 += values[j] > 2.0 * result->chance;
  }
}

static lfm_status fill_variances(const ledger *l, lfm_ledger_result *result) {
  int64_t dim = l->model->normaliser->dim;
  double *values;
  result->dim = dim;
  if (l->own.rows.count < 2) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&values, dim));
  lfm_status status = lfm_spectrum(l->model, l->own.rows.x, l->own.rows.count, values);
  if (status == LFM_OK) judge_variances(values, dim, l->own.rows.count, result);
  lfm_free(values);
  return status;
}

lfm_status lfm_ledger(const lfm_model *model, const lfm_table *heldout, const lfm_ledger_options *options,
                      lfm_ledger_result *result) {
  lfm_ledger_result unasked;
  if (!result) result = &unasked;
  double nan = (double)NAN, begun = lfm_seconds();
  *result = (lfm_ledger_result){.train_nll = nan,
                                .over_fit = nan,
                                .over_fit_se = nan,
                                .excess = nan,
                                .excess_se = nan,
                                .solver_error = nan,
                                .probe_se = nan,
                                .widest = nan,
                                .chance = nan};
  ledger l = {.model = model};
  lfm_table *windows = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_density_check(model), done);
  LFM_TRY_GOTO(check_train(model, options), done);
  LFM_TRY_GOTO(lfm_columns_windows(model, heldout, &windows), done);
  if (windows) heldout = windows;
  LFM_TRY_GOTO(choose_rows(heldout, options, &l), done);
  LFM_TRY_GOTO(solve_rows(&l, options, &result->solver_error), done);
  LFM_TRY_GOTO(fill_means(&l, result), done);
  LFM_TRY_GOTO(fill_borders(&l, result), done);
  LFM_TRY_GOTO(fill_over_fit(&l, options, result), done);
  LFM_TRY_GOTO(fill_variances(&l, result), done);
  result->seconds = lfm_seconds() - begun;
done:
  lfm_table_destroy(windows);
  destroy_ledger(&l);
  return status;
}
