/* SPDX-License-Identifier: MIT
 *
 * compare.c -- what the numbers of a folder say about each other: paired, with their errors, which are clustered
 * where rows belong together.  Several runs of a recipe are one line: the mean over its runs, row by row, so that its error
 * is that of the rows; what the runs differ by stands beside it, run by run.  A row that one model gives a thousand nats less
 * than another decides every mean that it is in: it is counted, and the table is made once more without such rows.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "data/survey.h"
#include "kit/kit.h"
#include "metric/c2st.h"
#include "metric/gaussian.h"
#include "metric/summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* -log p of each row of NAME.csv, and the rows' numbers in the table that was scored (numbers may be NULL). */
static lfm_status read_nll(const char *folder, const char *name, double **nll, double **numbers, int64_t *rows) {
  char file[256], path[LFM_PATH_SIZE];
  lfm_table *table;
  snprintf(file, sizeof file, "%s.csv", name);
  LFM_TRY(lfm_path_join(path, sizeof path, folder, file));
  LFM_TRY(lfm_survey_read(path, &table)); /* a row without a log p is one whose solve failed */
  int64_t column = lfm_table_find(table, "logp"), number = lfm_table_find(table, "row");
  if (column < 0 || number < 0) return lfm_fail(LFM_E_DATA, "%s/%s: has no column row or none of logp", folder, file);
  LFM_TRY(LFM_ALLOC(nll, table->rows));
  if (numbers) LFM_TRY(LFM_ALLOC(numbers, table->rows));
  for (int64_t i = 0; i < table->rows; i++) {
    (*nll)[i] = -table->values[i * table->cols + column];
    if (numbers) (*numbers)[i] = table->values[i * table->cols + number];
  }
  *rows = table->rows;
  lfm_table_destroy(table);
  return LFM_OK;
}

/* ---- a comparison: a line a model, or a recipe with all its runs --------------------------------------------- */

enum { MOST_LINES = 24 };

typedef struct line {
  char label[128];
  int runs;
  double *nll[KIT_MOST_RUNS]; /* [rows] of each run */
  double *mean;               /* [rows] over the runs */
} line;

typedef struct comparison {
  const char *folder;
  int64_t rows;
  double *numbers; /* [rows] */
  double *group;   /* [rows], or NULL */
  int count;
  line lines[MOST_LINES];
} comparison;

static lfm_status add_run(comparison *c, line *l, const char *name) {
  double *numbers;
  int64_t rows;
  LFM_TRY(read_nll(c->folder, name, &l->nll[l->runs], &numbers, &rows));
  if (!c->numbers) {
    c->numbers = numbers;
    c->rows = rows;
  } else {
    bool are_same = rows == c->rows && memcmp(numbers, c->numbers, (size_t)rows * sizeof *numbers) == 0;
    lfm_free(numbers);
    if (!are_same) return lfm_fail(LFM_E_DATA, "%s/%s.csv: scores other rows than the first", c->folder, name);
  }
  l->runs++;
  return LFM_OK;
}

static lfm_status add_line(comparison *c, const char *text) {
  line *l = &c->lines[c->count++];
  kit_names names;
  LFM_TRY(kit_split_names(text, &names));
  memcpy(l->label, names.label, sizeof l->label);
  for (int run = 0; run < names.count; run++) LFM_TRY(add_run(c, l, names.name[run]));
  return LFM_OK;
}

static bool is_solved_by_all(const comparison *c, int64_t row) {
  for (int k = 0; k < c->count; k++)
    for (int run = 0; run < c->lines[k].runs; run++)
      if (!isfinite(c->lines[k].nll[run][row])) return false;
  return true;
}

static const double lost_by = 1000.0; /* nats */

static bool is_lost_by(const comparison *c, const line *l, int64_t row) {
  double best = INFINITY, worst = -INFINITY;
  for (int k = 0; k < c->count; k++)
    for (int run = 0; run < c->lines[k].runs; run++) best = fmin(best, c->lines[k].nll[run][row]);
  for (int run = 0; run < l->runs; run++) worst = fmax(worst, l->nll[run][row]);
  return worst > best + lost_by;
}

static bool is_lost_by_none(const comparison *c, int64_t row) {
  for (int k = 0; k < c->count; k++)
    if (is_lost_by(c, &c->lines[k], row)) return false;
  return true;
}

/* Other rows are dropped, for all models: what is compared is compared on the same rows.  How many went. */
static int64_t keep(comparison *c, bool (*is_kept)(const comparison *c, int64_t row)) {
  int64_t kept = 0, rows = c->rows;
  for (int64_t i = 0; i < rows; i++) {
    if (!is_kept(c, i)) continue;
    for (int k = 0; k < c->count; k++)
      for (int run = 0; run < c->lines[k].runs; run++) c->lines[k].nll[run][kept] = c->lines[k].nll[run][i];
    if (c->group) c->group[kept] = c->group[i];
    c->numbers[kept++] = c->numbers[i];
  }
  c->rows = kept;
  return rows - kept;
}

static lfm_status take_groups(comparison *c, const char *path) {
  lfm_table *table;
  LFM_TRY(lfm_table_read_groups(path, &table));
  LFM_TRY(LFM_ALLOC(&c->group, c->rows));
  for (int64_t i = 0; i < c->rows; i++) {
    if (!(c->numbers[i] >= 1 && c->numbers[i] <= (double)table->rows))
      return lfm_fail(LFM_E_DATA, "%s: has %lld rows, and no cluster for row %.0f", path, (long long)table->rows,
                      c->numbers[i]);
    c->group[i] = table->values[(int64_t)c->numbers[i] - 1];
  }
  lfm_table_destroy(table);
  return LFM_OK;
}

static void average(comparison *c) {
  for (int k = 0; k < c->count; k++) {
    line *l = &c->lines[k];
    for (int64_t i = 0; i < c->rows; i++) {
      l->mean[i] = 0.0;
      for (int run = 0; run < l->runs; run++) l->mean[i] += l->nll[run][i] / l->runs;
    }
  }
}

static double mean_of(const double *a, const double *b, int64_t rows) {
  double sum = 0.0;
  for (int64_t i = 0; i < rows; i++) sum += a[i] - (b ? b[i] : 0.0);
  return sum / (double)rows;
}

/* " each run": the means of the runs, or of their differences to the runs of `first`, one by one. */
static void print_runs(const comparison *c, const line *l, const line *first) {
  for (int run = 0; run < l->runs; run++)
    printf(first ? "%s%+.3f" : "%s%.3f", run ? " / " : "", mean_of(l->nll[run], first ? first->nll[run] : NULL, c->rows));
}

static lfm_status print_plain(const comparison *c) {
  printf("%-12s %22s   %s\n", "test NLL", "nats a row", "paired difference to the first (95 %)");
  for (int k = 0; k < c->count; k++) {
    lfm_summary own, paired;
    LFM_TRY(lfm_summary_mean(c->lines[k].mean, c->group, c->rows, &own));
    printf("%-12s %12.3f +- %6.3f", c->lines[k].label, own.mean, own.se);
    if (k > 0) {
      LFM_TRY(lfm_summary_paired(c->lines[k].mean, c->lines[0].mean, c->group, c->rows, &paired));
      printf("   %+8.3f (%+.3f to %+.3f)", paired.mean, paired.low, paired.high);
    }
    printf("\n");
  }
  return LFM_OK;
}

static lfm_status print_markdown(const comparison *c) {
  const line *first = &c->lines[0];
  bool shows_runs = false;
  for (int k = 0; k < c->count; k++) shows_runs |= c->lines[k].runs > 1;
  const char *each = shows_runs ? " each run |" : "";
  printf("| %lld rows | nats a row |%s minus %s, paired (95 %%) |%s\n", (long long)c->rows, each, first->label, each);
  printf("|---|---|%s---|%s\n", shows_runs ? "---|" : "", shows_runs ? "---|" : "");
  for (int k = 0; k < c->count; k++) {
    const line *l = &c->lines[k];
    lfm_summary own, paired;
    LFM_TRY(lfm_summary_mean(l->mean, c->group, c->rows, &own));
    LFM_TRY(lfm_summary_paired(l->mean, first->mean, c->group, c->rows, &paired));
    printf("| %s | %.3f ± %.3f |", l->label, own.mean, own.se);
    if (shows_runs) printf(" "), print_runs(c, l, NULL), printf(" |");
    if (k > 0) printf(" %+.3f (%.3f to %.3f) |", paired.mean, paired.low, paired.high);
    else printf(" |");
    if (!shows_runs) printf("\n");
    else if (k > 0 && l->runs == first->runs) printf(" "), print_runs(c, l, first), printf(" |\n");
    else printf(" |\n");
  }
  return LFM_OK;
}

static lfm_status print(comparison *c, bool markdown) {
  average(c);
  return markdown ? print_markdown(c) : print_plain(c);
}

/* Whose rows are lost, and the table without them. */
static lfm_status print_without_lost(comparison *c, bool markdown) {
  for (int k = 0; k < c->count; k++) {
    int64_t lost = 0;
    for (int64_t i = 0; i < c->rows; i++) lost += is_lost_by(c, &c->lines[k], i);
    if (lost)
      printf("\n%s loses %lld of %lld rows: over %.0f nats below another's log p", c->lines[k].label, (long long)lost,
             (long long)c->rows, lost_by);
  }
  if (!keep(c, is_lost_by_none) || !c->rows) return LFM_OK;
  printf("\n\nThe rows that none loses:\n\n");
  return print(c, markdown);
}

static void release(comparison *c) {
  for (int k = 0; k < c->count; k++) {
    for (int run = 0; run < c->lines[k].runs; run++) lfm_free(c->lines[k].nll[run]);
    lfm_free(c->lines[k].mean);
  }
  lfm_free(c->numbers);
  lfm_free(c->group);
}

lfm_status kit_compare(const char *folder, const char *group, bool markdown, char **names, int count) {
  comparison c = {.folder = folder};
  lfm_status status;
  if (count > MOST_LINES) return lfm_fail(LFM_E_USAGE, "compare: more than %d models", MOST_LINES);
  for (int k = 0; k < count; k++) LFM_TRY_GOTO(add_line(&c, names[k]), done);
  int64_t rows = c.rows, unsolved = keep(&c, is_solved_by_all);
  if (unsolved) printf("%lld of %lld rows are left out: some solve failed there\n\n", (long long)unsolved, (long long)rows);
  if (group) LFM_TRY_GOTO(take_groups(&c, group), done);
  for (int k = 0; k < count; k++) LFM_TRY_GOTO(LFM_ALLOC(&c.lines[k].mean, c.rows), done);
  LFM_TRY_GOTO(print(&c, markdown), done);
  LFM_TRY_GOTO(print_without_lost(&c, markdown), done);
done:
  release(&c);
  return status;
}

/* Of a model with the truth: E[log p - log p_model] is the KL divergence, nats lost by the model; the worst row tells whether
 * the mean is made by a few. */
lfm_status kit_gap(const char *folder, const char *name) {
  double *model, *truth, square = 0.0, worst = 0.0;
  int64_t rows, truth_rows;
  lfm_summary gap;
  LFM_TRY(read_nll(folder, name, &model, NULL, &rows));
  LFM_TRY(read_nll(folder, "truth", &truth, NULL, &truth_rows));
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

/* rows draws [rows, cols] of the Gaussian fitted to the training rows, whose columns are those of the truth. */
static lfm_status draw_fitted(const char *folder, int64_t rows, int64_t cols, double **draws) {
  lfm_table *train;
  lfm_gaussian *gaussian = NULL;
  lfm_rng rng = {.purpose = LFM_FOR_METRIC};
  lfm_status status;
  LFM_TRY(kit_read(folder, "train.csv", &train));
  LFM_TRY_GOTO(kit_check_columns(train, folder, "train.csv", cols, "test.csv"), done);
  LFM_TRY_GOTO(lfm_gaussian_fit(train->values, train->rows, train->cols, &gaussian), done);
  LFM_TRY_GOTO(LFM_ALLOC(draws, rows * cols), done);
  for (int64_t i = 0; i < rows; i++) lfm_gaussian_sample(gaussian, &rng, i, 0, *draws + i * cols);
done:
  lfm_gaussian_destroy(gaussian);
  lfm_table_destroy(train);
  return status;
}

lfm_status kit_tell_apart(const char *folder, const char *name) {
  char file[128], what[160];
  lfm_table *truth, *samples = NULL;
  lfm_team *team = NULL;
  double *fitted = NULL;
  lfm_status status;
  snprintf(file, sizeof file, "%s-samples.csv", name);
  snprintf(what, sizeof what, "samples of %s", name);
  LFM_TRY(kit_read(folder, "test.csv", &truth));
  LFM_TRY_GOTO(kit_read(folder, file, &samples), done);
  LFM_TRY_GOTO(kit_check_columns(samples, folder, file, truth->cols, "test.csv"), done);
  int64_t rows = samples->rows < truth->rows ? samples->rows : truth->rows;
  LFM_TRY_GOTO(draw_fitted(folder, rows, truth->cols, &fitted), done);
  LFM_TRY_GOTO(lfm_team_create(0, &team), done);
  LFM_TRY_GOTO(tell(what, truth, samples->values, rows, team), done);
  LFM_TRY_GOTO(tell("fitted Gaussian", truth, fitted, rows, team), done);
done:
  lfm_team_destroy(team);
  lfm_free(fitted);
  lfm_table_destroy(samples);
  lfm_table_destroy(truth);
  return status;
}
