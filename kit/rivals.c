/* SPDX-License-Identifier: MIT
 *
 * rivals.c -- what a flow has to beat on a table: a full-covariance Gaussian, and a Gaussian mixture.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "core/order.h"
#include "core/threads.h"
#include "kit/kit.h"
#include "metric/gaussian.h"
#include "metric/mixture.h"

#include <math.h>
#include <stdio.h>

/* Evenly spaced rows of a table, all where wanted is 0, and their numbers: those that lfm score takes. */
static lfm_status read_some(const char *path, int64_t wanted, lfm_table **out, int64_t **row) {
  lfm_table *table;
  LFM_TRY(kit_read_numbers(path, NULL, &table));
  int64_t count = wanted > 0 && wanted < table->rows ? wanted : table->rows;
  LFM_TRY(LFM_ALLOC(row, count));
  for (int64_t i = 0; i < count; i++) (*row)[i] = lfm_spaced(i, table->rows, count);
  lfm_status status = lfm_table_take(table, *row, count, out);
  lfm_table_destroy(table);
  return status;
}

/* row [test->rows] as kit_write_logp has it. */
static lfm_status score_gaussian(const lfm_table *train, const lfm_table *test, const int64_t *row, const char *folder) {
  lfm_gaussian *gaussian;
  double *logp, *scratch;
  LFM_TRY(lfm_gaussian_fit(train->values, train->rows, train->cols, &gaussian));
  LFM_TRY(LFM_ALLOC(&logp, test->rows));
  LFM_TRY(LFM_ALLOC(&scratch, test->cols));
  for (int64_t i = 0; i < test->rows; i++) logp[i] = lfm_gaussian_log(gaussian, test->values + i * test->cols, scratch);
  lfm_status status = kit_write_logp(logp, row, test->rows, folder, "gaussian.csv");
  lfm_gaussian_destroy(gaussian);
  lfm_free(logp);
  lfm_free(scratch);
  return status;
}

/* logp [rows] under the mixture; the mean. */
static double mixture_logp(const lfm_mixture *mixture, const lfm_table *table, double *scratch, double *logp) {
  double sum = 0.0;
  for (int64_t i = 0; i < table->rows; i++)
    sum += logp[i] = lfm_mixture_log(mixture, table->values + i * table->cols, scratch);
  return sum / (double)table->rows;
}

/* The number of components that held-out rows like best, of 5, 10, 20, ...; more are tried while it still gains. */
static lfm_status score_mixture(const lfm_table *train, const lfm_table *valid, const lfm_table *test, const int64_t *row,
                                const char *folder) {
  enum { MOST = 40 };
  lfm_mixture *best = NULL;
  double *logp, *scratch, best_mean = -(double)INFINITY;
  lfm_team *team;
  int64_t most = valid->rows > test->rows ? valid->rows : test->rows;
  LFM_TRY(lfm_team_create(0, &team));
  LFM_TRY(LFM_ALLOC(&logp, most));
  LFM_TRY(LFM_ALLOC(&scratch, train->cols + MOST));
  for (int64_t components = 5; components <= MOST; components *= 2) {
    lfm_mixture_config config;
    lfm_mixture *mixture;
    lfm_mixture_defaults(&config);
    config.components = components;
    config.tolerance = 1e-4;
    LFM_TRY(lfm_mixture_fit(train->values, train->rows, train->cols, &config, team, &mixture, NULL));
    double mean = mixture_logp(mixture, valid, scratch, logp);
    bool is_better = mean > best_mean;
    lfm_mixture_destroy(is_better ? best : mixture);
    if (!is_better) break;
    best = mixture;
    best_mean = mean;
  }
  mixture_logp(best, test, scratch, logp);
  lfm_status status = kit_write_logp(logp, row, test->rows, folder, "mixture.csv");
  lfm_mixture_destroy(best);
  lfm_team_destroy(team);
  lfm_free(logp);
  lfm_free(scratch);
  return status;
}

lfm_status kit_rivals(const char *folder, int64_t rows) {
  char path[LFM_PATH_SIZE];
  lfm_table *train, *valid, *test;
  int64_t *row;
  LFM_TRY(kit_read(folder, "train.csv", &train));
  LFM_TRY(kit_read(folder, "valid.csv", &valid));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "test.csv"));
  LFM_TRY(read_some(path, rows, &test, &row));
  lfm_status status = kit_check_columns(valid, folder, "valid.csv", train->cols, "train.csv");
  if (status == LFM_OK) status = kit_check_columns(test, folder, "test.csv", train->cols, "train.csv");
  if (status == LFM_OK) status = score_gaussian(train, test, row, folder);
  if (status == LFM_OK) status = score_mixture(train, valid, test, row, folder);
  lfm_free(row);
  lfm_table_destroy(train);
  lfm_table_destroy(valid);
  lfm_table_destroy(test);
  return status;
}

/* ---- large tables -------------------------------------------------------------------------------------------- */

/* A floor far below the noise of a pixel: smooth patches have directions of little else. */
static lfm_status score_large_mixture(const kit_large *large, const lfm_table *train, const lfm_table *test,
                                      const int64_t *row, const char *folder) {
  lfm_mixture_config config;
  lfm_mixture *mixture;
  lfm_team *team;
  double *logp, *scratch, fitted;
  lfm_mixture_defaults(&config);
  config.components = large->components;
  config.iterations = (int)large->iterations;
  config.tolerance = 1e-3;
  config.floor = 1e-6;
  LFM_TRY(lfm_team_create(0, &team));
  LFM_TRY(LFM_ALLOC(&logp, test->rows));
  LFM_TRY(LFM_ALLOC(&scratch, train->cols + large->components));
  LFM_TRY(lfm_mixture_fit(train->values, train->rows, train->cols, &config, team, &mixture, &fitted));
  double mean = mixture_logp(mixture, test, scratch, logp);
  printf("mixture     %lld components: NLL %.3f on the %lld rows of the fit, %.3f on %lld others\n",
         (long long)large->components, -fitted, (long long)train->rows, -mean, (long long)test->rows);
  lfm_status status = kit_write_logp(logp, row, test->rows, folder, "mixture.csv");
  lfm_mixture_destroy(mixture);
  lfm_team_destroy(team);
  lfm_free(logp);
  lfm_free(scratch);
  return status;
}

lfm_status kit_rivals_large(const kit_large *large, const char *folder) {
  lfm_table *train, *test;
  int64_t *fit_row, *row;
  LFM_TRY(lfm_folder_make(folder));
  LFM_TRY(read_some(large->train, large->fit_rows, &train, &fit_row));
  LFM_TRY(read_some(large->test, large->rows, &test, &row));
  if (train->cols != test->cols) return lfm_fail(LFM_E_DATA, "%s has other columns than %s", large->test, large->train);
  lfm_status status = score_gaussian(train, test, row, folder);
  if (status == LFM_OK) status = score_large_mixture(large, train, test, row, folder);
  lfm_free(fit_row);
  lfm_free(row);
  lfm_table_destroy(train);
  lfm_table_destroy(test);
  return status;
}
