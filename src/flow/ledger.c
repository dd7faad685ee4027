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
#include "flow/likelihood.h"
#include "flow/ou.h"
#include "flow/score.h"
#include "flow/spectrum.h"
#include "metric/summary.h"

#include <math.h>

static const double unlikely = 3.0; /* in chance_edge */

void lfm_ledger_defaults(lfm_ledger_options *options) { *options = (lfm_ledger_options){0}; }

typedef struct ledger {
  const lfm_model *model;
  int64_t rows;
  int64_t *row;      /* [rows] number in the table */
  double *x;         /* [rows, cols] */
  float *given;      /* [rows, given], or NULL */
  double *logp;      /* [rows], NAN where the solve failed */
  double *cut;       /* [blocks + 1, rows] */
  double *truth;     /* [rows], or NULL */
  double *group;     /* [rows], or NULL */
  double *terms;     /* [2, rows] what a mean is taken of, and their groups */
  lfm_probes probes; /* their variance [rows], or NULL */
  uint8_t *failed;
  int64_t *nfe;
} ledger;

static void destroy_ledger(ledger *l) {
  lfm_free(l->row);
  lfm_free(l->x);
  lfm_free(l->given);
  lfm_free(l->logp);
  lfm_free(l->cut);
  lfm_free(l->truth);
  lfm_free(l->group);
  lfm_free(l->terms);
  lfm_free(l->probes.variance);
  lfm_free(l->failed);
  lfm_free(l->nfe);
}

static lfm_status read_truth(const lfm_table *truth, const lfm_table *table, ledger *l) {
  int64_t column = lfm_table_find(truth, "logp");
  if (column < 0) return lfm_fail(LFM_E_DATA, "the truth has no column 'logp'");
  if (!lfm_table_is_beside(truth, table))
    return lfm_fail(LFM_E_DATA, "the truth has %lld rows, the table %lld; a row for each row is needed",
                    (long long)truth->rows, (long long)table->rows);
  LFM_TRY(lfm_table_check_finite("the truth", truth, "drop or mend the row, there and in the table"));
  LFM_TRY(LFM_ALLOC(&l->truth, l->rows));
  for (int64_t i = 0; i < l->rows; i++)
    l->truth[i] = truth->values[lfm_table_row_beside(truth, table, l->row[i]) * truth->cols + column];
  return LFM_OK;
}

static lfm_status check_train_group(const lfm_ledger_options *options) {
  if (options->train || !options->train_group) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "train-group: it clusters the training rows, which only train gives");
}

static lfm_status choose_rows(const lfm_table *table, const lfm_ledger_options *options, ledger *l) {
  LFM_TRY(lfm_columns_choose(table, options->rows, &l->row, &l->rows));
  LFM_TRY(LFM_ALLOC(&l->logp, l->rows));
  LFM_TRY(LFM_ALLOC(&l->cut, (l->model->blocks + 1) * l->rows));
  LFM_TRY(LFM_ALLOC(&l->terms, 2 * l->rows));
  LFM_TRY(LFM_ALLOC(&l->failed, l->rows));
  LFM_TRY(LFM_ALLOC(&l->nfe, l->rows));
  LFM_TRY(lfm_columns_gather(l->model, table, l->row, l->rows, &l->x));
  LFM_TRY(lfm_columns_given(l->model, table, l->row, l->rows, &l->given));
  if (options->group) LFM_TRY(lfm_columns_group(options->group, table, l->row, l->rows, &l->group));
  if (options->truth) LFM_TRY(read_truth(options->truth, table, l));
  l->probes = (lfm_probes){.count = lfm_probes_of(l->model, options->probes), .seed = options->seed, .number = l->row};
  return l->probes.count ? LFM_ALLOC(&l->probes.variance, l->rows) : LFM_OK;
}

static lfm_status solve_rows(ledger *l, const lfm_ledger_options *options) {
  lfm_solve solve;
  lfm_team *team;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  LFM_TRY(lfm_solve_flow(l->model, "ledger", &options->solve, &solve));
  LFM_TRY(lfm_team_create(options->threads, &team));
  lfm_status status = lfm_likelihood_cut(l->model, team, &solve, &l->probes, l->rows, l->x, l->given, l->logp, l->cut,
                                         l->failed, l->nfe, &meter);
  lfm_team_destroy(team);
  return status;
}

/* mean of (a - b) over the rows that were solved. */
static lfm_status mean_difference(ledger *l, const double *a, const double *b, lfm_summary *out) {
  int64_t count = 0;
  double *groups = l->terms + l->rows;
  for (int64_t i = 0; i < l->rows; i++) {
    if (!isfinite(l->logp[i])) continue;
    groups[count] = l->group ? l->group[i] : (double)i;
    l->terms[count++] = a[i] - (b ? b[i] : 0.0);
  }
  if (!count)
    return lfm_fail(LFM_E_NUMERIC, "the solve failed for all %lld rows; is this the model of these data?",
                    (long long)l->rows);
  return lfm_summary_mean(l->terms, groups, count, out);
}

/* ---- the borders -------------------------------------------------------------------------------------------- */

static lfm_status fill_border(ledger *l, int n, lfm_ledger_border *border) {
  lfm_summary kl;
  LFM_TRY(mean_difference(l, l->logp, l->cut + n * l->rows, &kl));
  border->kl = kl.mean;
  border->kl_se = kl.se;
  if (!l->truth) return LFM_OK;
  LFM_TRY(mean_difference(l, l->truth, l->cut + n * l->rows, &kl));
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
    result->border[n].theory = result->border[0].kl * exp(-2.0 * lfm_ou_time_before(steps, n)); /* NAN once one is free */
  }
  result->blocks = l->model->blocks;
  result->has_free_block = isnan(steps[l->model->blocks - 1]);
  return LFM_OK;
}

/* ---- the entries that hold for the whole chain --------------------------------------------------------------- */

static lfm_status fill_means(ledger *l, lfm_ledger_result *result) {
  lfm_summary summary;
  LFM_TRY(mean_difference(l, l->logp, NULL, &summary));
  result->rows = summary.count;
  result->failed = l->rows - summary.count;
  result->nll = -summary.mean;
  result->nll_se = summary.se;
  double evaluations = 0.0, variance = 0.0;
  for (int64_t i = 0; i < l->rows; i++) {
    evaluations += (double)l->nfe[i];
    if (l->probes.count && isfinite(l->logp[i])) variance += l->probes.variance[i]; /* NAN for one probe a row */
  }
  result->nfe_mean = evaluations / (double)l->rows;
  if (l->probes.count) result->probe_se = sqrt(variance) / (double)result->rows;
  if (!l->truth) return LFM_OK;
  LFM_TRY(mean_difference(l, l->truth, l->logp, &summary));
  result->excess = summary.mean;
  result->excess_se = summary.se;
  return LFM_OK;
}

static lfm_score_options score_options(const lfm_ledger_options *options, int64_t rows) {
  lfm_score_options score;
  lfm_score_defaults(&score);
  score.solve = options->solve;
  score.rows = rows;
  score.probes = options->probes;
  score.seed = options->seed;
  score.threads = options->threads;
  score.progress = options->progress;
  score.context = options->context;
  return score;
}

static lfm_status fill_solver_error(const ledger *l, const lfm_table *heldout, const lfm_ledger_options *options,
                                    lfm_ledger_result *result) {
  lfm_score_options some = score_options(options, l->rows < LFM_CHECKED_ROWS ? l->rows : LFM_CHECKED_ROWS);
  lfm_score_result scored;
  LFM_TRY(lfm_score_quietly(l->model, heldout, &some, NULL, &scored));
  result->solver_error = scored.solver_error;
  return LFM_OK;
}

/* Training and held-out rows are independent, so the variances of the two means add; both by cluster, or both by row. */
static lfm_status fill_over_fit(const ledger *l, const lfm_ledger_options *options, lfm_ledger_result *result) {
  if (!options->train) return LFM_OK;
  lfm_score_options as_many = score_options(options, l->rows);
  as_many.group = options->train_group;
  lfm_score_result scored;
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
  if (l->rows < 2) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&values, dim));
  lfm_status status = lfm_spectrum(l->model, l->x, l->rows, values);
  if (status == LFM_OK) judge_variances(values, dim, l->rows, result);
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
  LFM_TRY_GOTO(check_train_group(options), done);
  LFM_TRY_GOTO(lfm_columns_windows(model, heldout, &windows), done);
  if (windows) heldout = windows;
  LFM_TRY_GOTO(choose_rows(heldout, options, &l), done);
  LFM_TRY_GOTO(solve_rows(&l, options), done);
  LFM_TRY_GOTO(fill_means(&l, result), done);
  LFM_TRY_GOTO(fill_borders(&l, result), done);
  LFM_TRY_GOTO(fill_solver_error(&l, heldout, options, result), done);
  LFM_TRY_GOTO(fill_over_fit(&l, options, result), done);
  LFM_TRY_GOTO(fill_variances(&l, result), done);
  result->seconds = lfm_seconds() - begun;
done:
  lfm_table_destroy(windows);
  destroy_ledger(&l);
  return status;
}
