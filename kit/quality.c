/* SPDX-License-Identifier: MIT
 *
 * quality.c -- how far samples lie from real rows, where no log p tells: single steps have none.
 * Samples, test rows and other real rows are cut into parts of one size; a distance is taken part by part and all lines share
 * the parts of the test rows, so that a difference is paired, and its error is that over parts.  Real rows in the place of
 * samples give the floor that a perfect generator would meet.  Beside the distances, which see what is coarse, a classifier
 * is asked, which sees what is fine.  Every ± is one standard error.
 */
#include "core/alloc.h"
#include "core/order.h"
#include "kit/kit.h"
#include "metric/c2st.h"
#include "metric/distance.h"
#include "metric/summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { USUAL_ROWS = 2000, MOST_PARTS = 8, SLICES = 200, MOST_LINES = 64 };

typedef enum measure { WASSERSTEIN, MMD, MEASURES } measure;

/* A line's distances, part by part, in the mean over its runs; and each run's own mean. */
typedef struct line {
  kit_names names;
  double part[MEASURES][MOST_PARTS];
  double run[KIT_MOST_RUNS]; /* sliced Wasserstein */
  double told, told_se; /* share of the rows that a classifier tells from test rows, and its error: means over the runs */
} line;

typedef struct survey {
  const kit_samples *asked;
  int64_t rows, dim;
  int parts, count;
  double *test;         /* [parts rows, dim], standardised */
  double *mean, *scale; /* [dim] of the test rows */
  lfm_team *team;
  line floor, lines[MOST_LINES];
} survey;

/* Evenly spaced rows of a table, standardised as the test rows are: [parts rows, dim], freed with lfm_free. */
static lfm_status take(const survey *s, const lfm_table *table, const char *what, double **out) {
  int64_t rows = s->parts * s->rows;
  if (table->cols != s->dim) return lfm_fail(LFM_E_DATA, "%s: has other columns than %s", what, s->asked->test);
  if (table->rows < rows)
    return lfm_fail(LFM_E_DATA, "%s: has %lld rows; %lld are compared", what, (long long)table->rows, (long long)rows);
  LFM_TRY(LFM_ALLOC(out, rows * s->dim));
  for (int64_t i = 0; i < rows; i++) {
    const double *from = table->values + lfm_spaced(i, table->rows, rows) * s->dim;
    for (int64_t j = 0; j < s->dim; j++) (*out)[i * s->dim + j] = (from[j] - s->mean[j]) / s->scale[j];
  }
  return LFM_OK;
}

static void fit_units(survey *s, const lfm_table *test) {
  for (int64_t j = 0; j < s->dim; j++) {
    double sum = 0.0, square = 0.0;
    for (int64_t i = 0; i < test->rows; i++) sum += test->values[i * s->dim + j];
    s->mean[j] = sum / (double)test->rows;
    for (int64_t i = 0; i < test->rows; i++) square += pow(test->values[i * s->dim + j] - s->mean[j], 2.0);
    s->scale[j] = square > 0.0 ? sqrt(square / (double)test->rows) : 1.0;
  }
}

/* Adds a share of the distances of these rows to the line's. */
static lfm_status measure_rows(const survey *s, const double *x, double share, double *run, line *l) {
  int64_t numbers = s->rows * s->dim;
  *run = 0.0;
  for (int part = 0; part < s->parts; part++) {
    const double *a = s->test + part * numbers, *b = x + part * numbers;
    double distance, squared;
    LFM_TRY(lfm_sliced_wasserstein(a, b, s->rows, s->dim, SLICES, (uint64_t)part, s->team, &distance));
    LFM_TRY(lfm_mmd_squared(a, b, s->rows, s->dim, s->team, &squared));
    l->part[WASSERSTEIN][part] += share * distance;
    l->part[MMD][part] += share * squared;
    *run += distance / s->parts;
  }
  lfm_c2st c2st;
  LFM_TRY(lfm_c2st_test(s->test, x, s->parts * s->rows, s->dim, 1, s->team, &c2st));
  l->told += share * c2st.accuracy;
  l->told_se += share * sqrt(c2st.accuracy * (1.0 - c2st.accuracy) / (double)c2st.tests);
  return LFM_OK;
}

static lfm_status measure_table(const survey *s, const lfm_table *table, const char *what, double share, double *run,
                                line *l) {
  double *x = NULL;
  lfm_status status = take(s, table, what, &x);
  if (status == LFM_OK) status = measure_rows(s, x, share, run, l);
  lfm_free(x);
  return status;
}

static lfm_status measure_line(survey *s, const char *text) {
  line *l = &s->lines[s->count++];
  LFM_TRY(kit_split_names(text, &l->names));
  for (int run = 0; run < l->names.count; run++) {
    char file[224];
    lfm_table *table;
    snprintf(file, sizeof file, "%s-samples.csv", l->names.name[run]);
    LFM_TRY(kit_read(s->asked->folder, file, &table));
    lfm_status status = measure_table(s, table, file, 1.0 / l->names.count, &l->run[run], l);
    lfm_table_destroy(table);
    LFM_TRY(status);
  }
  return LFM_OK;
}

static lfm_status begin(survey *s) {
  lfm_table *test, *real = NULL;
  double ignored;
  LFM_TRY(kit_read_numbers(s->asked->test, NULL, &test));
  s->rows = s->asked->rows ? s->asked->rows : USUAL_ROWS;
  s->dim = test->cols;
  s->parts = (int)(test->rows / s->rows < MOST_PARTS ? test->rows / s->rows : MOST_PARTS);
  lfm_status status;
  if (s->parts < 2)
    LFM_TRY_GOTO(lfm_fail(LFM_E_DATA, "%s: has %lld rows; two parts of %lld are the least", s->asked->test,
                          (long long)test->rows, (long long)s->rows),
                 done);
  LFM_TRY_GOTO(LFM_ALLOC(&s->mean, s->dim), done);
  LFM_TRY_GOTO(LFM_ALLOC(&s->scale, s->dim), done);
  fit_units(s, test);
  LFM_TRY_GOTO(take(s, test, s->asked->test, &s->test), done);
  LFM_TRY_GOTO(lfm_team_create(0, &s->team), done);
  LFM_TRY_GOTO(kit_read_numbers(s->asked->real, NULL, &real), done);
  LFM_TRY_GOTO(measure_table(s, real, s->asked->real, 1.0, &ignored, &s->floor), done);
done:
  lfm_table_destroy(real);
  lfm_table_destroy(test);
  return status;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static lfm_status print_line(const survey *s, const line *l, const char *label) {
  lfm_summary distance, above, squared;
  LFM_TRY(lfm_summary_mean(l->part[WASSERSTEIN], NULL, s->parts, &distance));
  LFM_TRY(lfm_summary_mean(l->part[MMD], NULL, s->parts, &squared));
  LFM_TRY(lfm_summary_paired(l->part[WASSERSTEIN], s->floor.part[WASSERSTEIN], NULL, s->parts, &above));
  printf("| %s | %.4f ± %.4f |", label, distance.mean, distance.se);
  if (l == &s->floor) printf(" | |");
  else printf(" %+.4f (%.4f to %.4f) |", above.mean, above.low, above.high);
  for (int run = 0; run < l->names.count && l->names.count > 1; run++) printf("%s%.4f", run ? " / " : " ", l->run[run]);
  if (l != &s->floor) printf(" |");
  printf(" %.2f ± %.2f | %.4f ± %.4f |\n", 1e3 * squared.mean, 1e3 * squared.se, l->told, l->told_se);
  return LFM_OK;
}

static lfm_status print(const survey *s) {
  printf("| %d parts of %lld rows | sliced Wasserstein | above real rows, paired (95 %%) | each run | MMD squared, 1e-3 | "
         "told apart |\n",
         s->parts, (long long)s->rows);
  printf("|---|---|---|---|---|---|\n");
  LFM_TRY(print_line(s, &s->floor, "real rows"));
  for (int k = 0; k < s->count; k++) LFM_TRY(print_line(s, &s->lines[k], s->lines[k].names.label));
  return LFM_OK;
}

lfm_status kit_quality(const kit_samples *samples, char **names, int count) {
  survey s = {.asked = samples};
  if (count > MOST_LINES) return lfm_fail(LFM_E_USAGE, "quality: more than %d lines", MOST_LINES);
  lfm_status status = begin(&s);
  for (int k = 0; status == LFM_OK && k < count; k++) status = measure_line(&s, names[k]);
  if (status == LFM_OK) status = print(&s);
  lfm_team_destroy(s.team);
  lfm_free(s.test);
  lfm_free(s.mean);
  lfm_free(s.scale);
  return status;
}
