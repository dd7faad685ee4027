/* SPDX-License-Identifier: MIT
 *
 * compare.c -- what the numbers of a folder say about each other: paired, with their errors.
 */
#include "core/alloc.h"
#include "kit/kit.h"
#include "metric/c2st.h"
#include "metric/gaussian.h"
#include "metric/summary.h"

#include <math.h>
#include <stdio.h>

/* -log p of each row of NAME.csv. */
static lfm_status read_nll(const char *folder, const char *name, double **nll, int64_t *rows) {
  char file[128];
  lfm_table *table;
  snprintf(file, sizeof file, "%s.csv", name);
  LFM_TRY(kit_read(folder, file, &table));
  int64_t column = lfm_table_find(table, "logp");
  if (column < 0) return lfm_fail(LFM_E_DATA, "%s/%s: has no column logp", folder, file);
  LFM_TRY(LFM_ALLOC(nll, table->rows));
  for (int64_t i = 0; i < table->rows; i++) (*nll)[i] = -table->values[i * table->cols + column];
  *rows = table->rows;
  lfm_table_destroy(table);
  return LFM_OK;
}

lfm_status kit_compare(const char *folder, char **names, int count) {
  double *first = NULL, *nll;
  int64_t rows = 0, first_rows = 0;
  printf("%-12s %22s   %s\n", "test NLL", "nats a row", "paired difference to the first (95 %)");
  for (int k = 0; k < count; k++) {
    lfm_summary own, paired;
    LFM_TRY(read_nll(folder, names[k], &nll, &rows));
    LFM_TRY(lfm_summary_mean(nll, NULL, rows, &own));
    printf("%-12s %12.3f +- %6.3f", names[k], own.mean, own.se);
    if (k == 0) {
      first = nll;
      first_rows = rows;
    } else if (rows != first_rows) {
      return lfm_fail(LFM_E_DATA, "%s/%s.csv: has %lld rows, not %lld", folder, names[k], (long long)rows,
                      (long long)first_rows);
    } else {
      LFM_TRY(lfm_summary_paired(nll, first, NULL, rows, &paired));
      printf("   %+8.3f (%+.3f to %+.3f)", paired.mean, paired.low, paired.high);
      lfm_free(nll);
    }
    printf("\n");
  }
  lfm_free(first);
  return LFM_OK;
}

/* Of a model with the truth: E[log p - log p_model] is the KL divergence, nats lost by the model; the worst row tells whether
 * the mean is made by a few. */
lfm_status kit_gap(const char *folder, const char *name) {
  double *model, *truth, square = 0.0, worst = 0.0;
  int64_t rows, truth_rows;
  lfm_summary gap;
  LFM_TRY(read_nll(folder, name, &model, &rows));
  LFM_TRY(read_nll(folder, "truth", &truth, &truth_rows));
  if (rows != truth_rows) return lfm_fail(LFM_E_DATA, "%s: %s.csv and truth.csv have different rows", folder, name);
  LFM_TRY(lfm_summary_paired(model, truth, NULL, rows, &gap));
  for (int64_t i = 0; i < rows; i++) {
    double lost = model[i] - truth[i];
    square += lost * lost;
    worst = fmax(worst, lost);
  }
  printf("%-12s gap to the truth %.4f +- %.4f nats (95 %%: %.4f to %.4f), row RMS %.4f, worst row %.1f\n", name, gap.mean,
         gap.se, gap.low, gap.high, sqrt(square / (double)rows), worst);
  lfm_free(model);
  lfm_free(truth);
  return LFM_OK;
}

/* Accuracy of telling `other` from fresh draws of the truth (test.csv); both [rows, cols]. */
static lfm_status tell(const char *what, const lfm_table *truth, const double *other, int64_t rows, lfm_team *team) {
  lfm_c2st outcome;
  LFM_TRY(lfm_c2st_test(truth->values, other, rows, truth->cols, 1, team, &outcome));
  printf("%-22s told apart in %.4f of cases (95 %%: %.4f to %.4f; %s): %s\n", what, outcome.accuracy, outcome.low,
         outcome.high, outcome.classifier, outcome.low <= 0.5 ? "not rejected" : "rejected");
  return LFM_OK;
}

/* rows draws [rows, cols] of the Gaussian fitted to the training rows. */
static lfm_status draw_fitted(const char *folder, int64_t rows, double **draws) {
  lfm_table *train;
  lfm_gaussian *gaussian;
  lfm_rng rng = {.purpose = LFM_FOR_METRIC};
  LFM_TRY(kit_read(folder, "train.csv", &train));
  LFM_TRY(lfm_gaussian_fit(train->values, train->rows, train->cols, &gaussian));
  LFM_TRY(LFM_ALLOC(draws, rows * train->cols));
  for (int64_t i = 0; i < rows; i++) lfm_gaussian_sample(gaussian, &rng, i, 0, *draws + i * train->cols);
  lfm_gaussian_destroy(gaussian);
  lfm_table_destroy(train);
  return LFM_OK;
}

lfm_status kit_tell_apart(const char *folder, const char *name) {
  char file[128], what[160];
  lfm_table *truth, *samples;
  lfm_team *team;
  double *fitted;
  snprintf(file, sizeof file, "%s-samples.csv", name);
  LFM_TRY(kit_read(folder, "test.csv", &truth));
  LFM_TRY(kit_read(folder, file, &samples));
  if (samples->cols != truth->cols) return lfm_fail(LFM_E_DATA, "%s/%s: has other columns than test.csv", folder, file);
  int64_t rows = samples->rows < truth->rows ? samples->rows : truth->rows;
  LFM_TRY(draw_fitted(folder, rows, &fitted));
  LFM_TRY(lfm_team_create(0, &team));
  snprintf(what, sizeof what, "samples of %s", name);
  lfm_status status = tell(what, truth, samples->values, rows, team);
  if (status == LFM_OK) status = tell("fitted Gaussian", truth, fitted, rows, team);
  lfm_team_destroy(team);
  lfm_free(fitted);
  lfm_table_destroy(samples);
  lfm_table_destroy(truth);
  return status;
}
