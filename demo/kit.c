/* SPDX-License-Identifier: MIT
 *
 * kit.c -- what demo/run.sh needs besides the program: data to start from, rivals to compare with, pictures to look at.
 *   kit magic TABLE.csv.gz FOLDER      train.csv, valid.csv, test.csv: repeated rows dropped, dequantised, split 8 : 1 : 1
 *   kit tree FOLDER                    the same, drawn from the project's tree density
 *   kit rivals FOLDER                  log p of test.csv under a Gaussian and a Gaussian mixture: gaussian.csv, mixture.csv
 *   kit truth FOLDER                   log p of test.csv under the tree density itself: truth.csv
 *   kit compare FOLDER NAME...         the table of test NLLs, each NAME.csv a file of `lfm score -o`, paired with the first
 *   kit panel FOLDER NAME...           panel.png: the data and each model's pool, noise and samples
 *   kit pairs FOLDER NAME              pairs.png: test rows and the rows of NAME-samples.csv
 */
#include "core/alloc.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/table.h"
#include "metric/gaussian.h"
#include "metric/mixture.h"
#include "metric/summary.h"
#include "metric/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096, TREE_ROWS = 100000, TREE_HELD = 4000 };

static lfm_status read_table(const char *folder, const char *name, lfm_table **out) {
  char path[PATH];
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return lfm_table_read(path, NULL, out);
}

static lfm_status write_table(const lfm_table *table, const char *folder, const char *name) {
  char path[PATH];
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return lfm_table_write(table, path);
}

/* ---- data --------------------------------------------------------------------------------------------------- */

static const lfm_table *sorted_table; /* for the comparison of rows: qsort has no context */

static int by_row(const void *a, const void *b) {
  size_t cols = (size_t)sorted_table->cols;
  const double *x = sorted_table->values + (size_t) * (const int64_t *)a * cols;
  const double *y = sorted_table->values + (size_t) * (const int64_t *)b * cols;
  for (size_t j = 0; j < cols; j++)
    if (x[j] != y[j]) return x[j] < y[j] ? -1 : 1;
  return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* The rows that differ from all others, in an order that the seed names. */
static lfm_status distinct_rows(const lfm_table *table, lfm_table **out) {
  int64_t *index, *shuffled, kept = 0;
  LFM_TRY(LFM_ALLOC(&index, table->rows));
  LFM_TRY(LFM_ALLOC(&shuffled, table->rows));
  for (int64_t i = 0; i < table->rows; i++) index[i] = i;
  sorted_table = table;
  qsort(index, (size_t)table->rows, sizeof *index, by_row);
  size_t bytes = (size_t)table->cols * sizeof(double);
  for (int64_t i = 0; i < table->rows; i++) {
    const double *row = table->values + index[i] * table->cols;
    if (i == 0 || memcmp(row, table->values + index[i - 1] * table->cols, bytes) != 0) index[kept++] = index[i];
  }
  lfm_rng rng = {.purpose = LFM_FOR_SPLIT};
  for (int64_t i = 0; i < kept; i++) shuffled[lfm_rng_permute(&rng, 0, kept, i)] = index[i];
  printf("rows        %lld, of which %lld repeat another\n", (long long)table->rows, (long long)(table->rows - kept));
  lfm_status status = lfm_table_take(table, shuffled, kept, out);
  lfm_free(index);
  lfm_free(shuffled);
  return status;
}

/* U(-1/2, 1/2) of the last decimal on every value: the table is rounded, a density is not. */
static void dequantise(lfm_table *table) {
  lfm_rng rng = {.purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < table->rows; i++)
    for (int64_t j = 0; j < table->cols; j++)
      table->values[i * table->cols + j] += (lfm_rng_uniform(&rng, i, (uint32_t)j) - 0.5) * pow(10.0, -table->decimals[j]);
  for (int64_t j = 0; j < table->cols; j++) table->decimals[j] += 3; /* what the noise needs to survive the file */
}

static lfm_status write_range(const lfm_table *table, int64_t first, int64_t count, const char *folder, const char *name) {
  lfm_table part = *table;
  part.values = table->values + first * table->cols;
  part.rows = count;
  return write_table(&part, folder, name);
}

static lfm_status split(const lfm_table *table, int64_t held, const char *folder) {
  LFM_TRY(write_range(table, 0, table->rows - 2 * held, folder, "train.csv"));
  LFM_TRY(write_range(table, table->rows - 2 * held, held, folder, "valid.csv"));
  LFM_TRY(write_range(table, table->rows - held, held, folder, "test.csv"));
  printf("split       %lld rows to train on, %lld to choose by, %lld to test on\n", (long long)(table->rows - 2 * held),
         (long long)held, (long long)held);
  return LFM_OK;
}

static lfm_status make_magic(const char *source, const char *folder) {
  lfm_table *table, *distinct;
  LFM_TRY(lfm_table_read(source, &(lfm_table_options){.drop = "class"}, &table));
  LFM_TRY(distinct_rows(table, &distinct));
  dequantise(distinct);
  lfm_status status = split(distinct, distinct->rows / 10, folder);
  lfm_table_destroy(table);
  lfm_table_destroy(distinct);
  return status;
}

static lfm_status make_tree(const char *folder) {
  lfm_pixel_density *density;
  lfm_table *table;
  lfm_rng rng = {.purpose = LFM_FOR_DATA};
  LFM_TRY(lfm_tree_density(&density));
  LFM_TRY(lfm_table_make(TREE_ROWS + 2 * TREE_HELD, 2, &table));
  for (int64_t i = 0; i < table->rows; i++) lfm_pixel_density_sample(density, &rng, i, table->values + 2 * i);
  table->decimals[0] = table->decimals[1] = 6;
  lfm_status status = split(table, TREE_HELD, folder);
  lfm_table_destroy(table);
  lfm_pixel_density_destroy(density);
  return status;
}

/* ---- rivals ------------------------------------------------------------------------------------------------- */

/* NAME.csv as `lfm score -o` writes it: row, logp, status. */
static lfm_status write_logp(const double *logp, int64_t rows, const char *folder, const char *name) {
  lfm_table *table;
  LFM_TRY(lfm_table_make(rows, 3, &table));
  LFM_TRY(lfm_table_rename(table, 0, "row"));
  LFM_TRY(lfm_table_rename(table, 1, "logp"));
  LFM_TRY(lfm_table_rename(table, 2, "status"));
  table->decimals[0] = table->decimals[2] = 0;
  for (int64_t i = 0; i < rows; i++) {
    table->values[3 * i] = (double)(i + 1);
    table->values[3 * i + 1] = logp[i];
  }
  lfm_status status = write_table(table, folder, name);
  lfm_table_destroy(table);
  return status;
}

static lfm_status score_gaussian(const lfm_table *train, const lfm_table *test, const char *folder) {
  lfm_gaussian *gaussian;
  double *logp, *scratch;
  LFM_TRY(lfm_gaussian_fit(train->values, train->rows, train->cols, &gaussian));
  LFM_TRY(LFM_ALLOC(&logp, test->rows));
  LFM_TRY(LFM_ALLOC(&scratch, test->cols));
  for (int64_t i = 0; i < test->rows; i++) logp[i] = lfm_gaussian_log(gaussian, test->values + i * test->cols, scratch);
  lfm_status status = write_logp(logp, test->rows, folder, "gaussian.csv");
  lfm_gaussian_destroy(gaussian);
  lfm_free(logp);
  lfm_free(scratch);
  return status;
}

/* logp [rows] under the mixture; the mean. */
static double mixture_logp(const lfm_mixture *mixture, const lfm_table *table, double *scratch, double *logp) {
  double sum = 0.0;
  for (int64_t i = 0; i < table->rows; i++) sum += logp[i] = lfm_mixture_log(mixture, table->values + i * table->cols, scratch);
  return sum / (double)table->rows;
}

/* The number of components that held-out rows like best, of 5, 10, 20, ...; more are tried while it still gains. */
static lfm_status score_mixture(const lfm_table *train, const lfm_table *valid, const lfm_table *test, const char *folder) {
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
  lfm_status status = write_logp(logp, test->rows, folder, "mixture.csv");
  lfm_mixture_destroy(best);
  lfm_team_destroy(team);
  lfm_free(logp);
  lfm_free(scratch);
  return status;
}

static lfm_status score_rivals(const char *folder) {
  lfm_table *train, *valid, *test;
  LFM_TRY(read_table(folder, "train.csv", &train));
  LFM_TRY(read_table(folder, "valid.csv", &valid));
  LFM_TRY(read_table(folder, "test.csv", &test));
  lfm_status status = score_gaussian(train, test, folder);
  if (status == LFM_OK) status = score_mixture(train, valid, test, folder);
  lfm_table_destroy(train);
  lfm_table_destroy(valid);
  lfm_table_destroy(test);
  return status;
}

static lfm_status score_truth(const char *folder) {
  lfm_pixel_density *density;
  lfm_table *test;
  double *logp;
  LFM_TRY(lfm_tree_density(&density));
  LFM_TRY(read_table(folder, "test.csv", &test));
  LFM_TRY(LFM_ALLOC(&logp, test->rows));
  for (int64_t i = 0; i < test->rows; i++) logp[i] = lfm_pixel_density_log(density, test->values[2 * i], test->values[2 * i + 1]);
  lfm_status status = write_logp(logp, test->rows, folder, "truth.csv");
  lfm_free(logp);
  lfm_table_destroy(test);
  lfm_pixel_density_destroy(density);
  return status;
}

/* ---- comparison --------------------------------------------------------------------------------------------- */

/* -log p of each row of NAME.csv. */
static lfm_status read_nll(const char *folder, const char *name, double **nll, int64_t *rows) {
  char file[128];
  lfm_table *table;
  snprintf(file, sizeof file, "%s.csv", name);
  LFM_TRY(read_table(folder, file, &table));
  int64_t column = lfm_table_find(table, "logp");
  if (column < 0) return lfm_fail(LFM_E_DATA, "%s/%s: has no column logp", folder, file);
  LFM_TRY(LFM_ALLOC(nll, table->rows));
  for (int64_t i = 0; i < table->rows; i++) (*nll)[i] = -table->values[i * table->cols + column];
  *rows = table->rows;
  lfm_table_destroy(table);
  return LFM_OK;
}

static lfm_status compare(const char *folder, char **names, int count) {
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
      return lfm_fail(LFM_E_DATA, "%s/%s.csv: has %lld rows, not %lld", folder, names[k], (long long)rows, (long long)first_rows);
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

/* ---- pictures ----------------------------------------------------------------------------------------------- */

enum { CELLS_A_ROW = 6 }; /* data, four borders, samples */

/* One row of the panel: data, the pool at each border, the noise that generation starts from, the samples. */
static lfm_status fill_row(const char *folder, const char *name, const lfm_table *test, lfm_panel_cell *cells, char (*titles)[48]) {
  char path[PATH], samples[128];
  lfm_model *model;
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  LFM_TRY(lfm_model_load(path, &model));
  int blocks = lfm_model_blocks(model);
  for (int k = 0; k < CELLS_A_ROW; k++) {
    lfm_table *points = NULL;
    titles[k][0] = 0;
    if (k == CELLS_A_ROW - 1) {
      snprintf(samples, sizeof samples, "%s-samples.csv", name);
      LFM_TRY(read_table(folder, samples, &points));
      snprintf(titles[k], sizeof titles[k], "%s: samples", name);
    } else if (k <= blocks) {
      lfm_push_options options;
      lfm_push_defaults(&options);
      options.to = k;
      LFM_TRY(lfm_push(model, test, &options, &points));
      snprintf(titles[k], sizeof titles[k], k == 0 ? "%s: data" : k == blocks ? "%s: block %d, noise" : "%s: after block %d", name, k);
    }
    cells[k] = (lfm_panel_cell){.title = titles[k], .points = points};
  }
  lfm_model_destroy(model);
  return LFM_OK;
}

static lfm_status draw_panel(const char *folder, char **names, int count) {
  enum { MOST_ROWS = 4 };
  if (count > MOST_ROWS) return lfm_fail(LFM_E_USAGE, "panel: at most %d models", MOST_ROWS);
  lfm_panel_cell cells[MOST_ROWS * CELLS_A_ROW] = {0};
  char titles[MOST_ROWS * CELLS_A_ROW][48], path[PATH];
  lfm_table *train;
  LFM_TRY(read_table(folder, "train.csv", &train));
  for (int k = 0; k < count; k++) LFM_TRY(fill_row(folder, names[k], train, cells + k * CELLS_A_ROW, titles + k * CELLS_A_ROW));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "panel.png"));
  LFM_TRY(lfm_draw_panel(path, cells, count, CELLS_A_ROW, (double[4]){-3.6, 3.6, -3.6, 3.6}));
  for (int k = 0; k < count * CELLS_A_ROW; k++) lfm_table_destroy((lfm_table *)(uintptr_t)cells[k].points);
  lfm_table_destroy(train);
  return LFM_OK;
}

static lfm_status draw_pairs(const char *folder, const char *name) {
  char path[PATH], samples[128];
  lfm_table *test, *generated;
  snprintf(samples, sizeof samples, "%s-samples.csv", name);
  LFM_TRY(read_table(folder, "test.csv", &test));
  LFM_TRY(read_table(folder, samples, &generated));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "pairs.png"));
  lfm_status status = lfm_draw_pairs(path, test, generated);
  lfm_table_destroy(test);
  lfm_table_destroy(generated);
  return status;
}

static void print_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  fprintf(stderr, "%s: %s\n", level == LFM_WARNING ? "warning" : "note", text);
}

int main(int count, char **words) {
  lfm_status status = LFM_E_USAGE;
  const char *act = count > 1 ? words[1] : "";
  lfm_notes_to(print_note, NULL);
  if (strcmp(act, "magic") == 0 && count == 4) status = make_magic(words[2], words[3]);
  else if (strcmp(act, "tree") == 0 && count == 3) status = make_tree(words[2]);
  else if (strcmp(act, "rivals") == 0 && count == 3) status = score_rivals(words[2]);
  else if (strcmp(act, "truth") == 0 && count == 3) status = score_truth(words[2]);
  else if (strcmp(act, "compare") == 0 && count > 3) status = compare(words[2], words + 3, count - 3);
  else if (strcmp(act, "panel") == 0 && count > 3) status = draw_panel(words[2], words + 3, count - 3);
  else if (strcmp(act, "pairs") == 0 && count == 4) status = draw_pairs(words[2], words[3]);
  else lfm_fail(status, "usage: the head of demo/kit.c lists what kit does");
  if (status != LFM_OK) fprintf(stderr, "kit: %s\n", lfm_error());
  return status == LFM_OK ? 0 : status == LFM_E_USAGE ? 2 : 1;
}
