/* SPDX-License-Identifier: MIT
 *
 * sweep_table.c -- see sweep_table.h.
 * Seeds move the nll of all combinations together (the same held-out rows, the same first batches), so a difference is taken
 * seed by seed and its standard error is that of these differences; the spread of the means would hide it.
 */
#include "sweep_table.h"
#include "json.h"
#include "outfile.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct statistics {
  int count;
  double mean, sd; /* NAN where there are too few */
} statistics;

/* [seed_count] of combination K. */
static const app_run *runs_of(const app_sweep_table *table, int k) {
  return &table->runs[(size_t)k * (size_t)table->combinations->seed_count];
}

/* Of the nll of combination K, less that of combination `from` with the same seed when that is not negative. */
static statistics statistics_of(const app_sweep_table *table, int k, int from) {
  int seeds = table->combinations->seed_count;
  const app_run *own = runs_of(table, k), *other = from < 0 ? NULL : runs_of(table, from);
  statistics s = {0, (double)NAN, (double)NAN};
  double sum = 0, squares = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < seeds; i++) {
      if (!own[i].is_done || (other && !other[i].is_done)) continue;
      double value = own[i].nll - (other ? other[i].nll : 0);
      if (pass == 0) s.count++, sum += value;
      else squares += (value - s.mean) * (value - s.mean);
    }
    if (pass == 0 && s.count > 0) s.mean = sum / s.count;
  }
  if (s.count > 1) s.sd = sqrt(squares / (s.count - 1));
  return s;
}

/* Operations of a run of combination K, training and carrying, in the mean; NAN where none is done. */
static double mean_flops(const app_sweep_table *table, int k) {
  const app_run *own = runs_of(table, k);
  double sum = 0;
  int count = 0;
  for (int i = 0; i < table->combinations->seed_count; i++) {
    if (!own[i].is_done) continue;
    sum += own[i].trained.train_flops + own[i].trained.push_flops;
    count++;
  }
  return count > 0 ? sum / count : (double)NAN;
}

static int failures(const app_sweep_table *table, int k) {
  int count = 0;
  for (int i = 0; i < table->combinations->seed_count; i++) count += runs_of(table, k)[i].has_failed;
  return count;
}

static double standard_error(const statistics *s) { return s->sd / sqrt(s->count); }

char *app_sweep_run_name(const app_combinations *combinations, int k, int seed, char out[APP_NAME_SIZE]) {
  app_combinations_name(combinations, k, out);
  size_t used = strlen(out);
  snprintf(out + used, APP_NAME_SIZE - used, "%sseed=%" PRIu64, used > 0 ? "," : "", combinations->seeds[seed]);
  return out;
}

/* ---- markdown ---- */

static void put_markdown_row(const app_sweep_table *table, int k, FILE *out) {
  const app_combinations *c = table->combinations;
  statistics nll = statistics_of(table, k, -1), difference = statistics_of(table, k, 0);
  char text[APP_TEXT_SIZE];
  for (int axis = 0; axis < c->axis_count; axis++) fprintf(out, "| `%s` ", app_combinations_value(c, k, axis));
  fprintf(out, "| %d ", nll.count);
  if (failures(table, k)) fprintf(out, "(%d failed) ", failures(table, k));
  fprintf(out, "| %s ", nll.count > 0 ? app_like(text, nll.mean, nll.sd) : "");
  fprintf(out, "| %s ", nll.count > 1 ? app_like(text, nll.sd, nll.sd) : "");
  if (c->count > 1) {
    bool shown = k > 0 && difference.count > 0;
    fprintf(out, "| %s", shown ? app_mean(text, difference.mean, standard_error(&difference)) : "");
    if (shown && difference.count != nll.count) fprintf(out, " (%d pairs)", difference.count);
    double compute = mean_flops(table, k) / mean_flops(table, 0);
    if (isfinite(compute)) fprintf(out, " | %.3g ", compute);
    else fputs(" | ", out);
  }
  fputs("|\n", out);
}

void app_sweep_put_markdown(const app_sweep_table *table, FILE *out) {
  const app_combinations *c = table->combinations;
  bool compares = c->count > 1;
  fprintf(
      out, "nll in nats a row on %s: mean and standard deviation over n seeds%s.\n\n", table->rows,
      compares
          ? "; difference to the first line, paired by seed, with its standard error; compute, carrying included, over the "
            "first line's"
          : "");
  for (int axis = 0; axis < c->axis_count; axis++) fprintf(out, "| %s ", c->axes[axis].key);
  fprintf(out, "| n | nll | sd |%s\n", compares ? " difference | compute |" : "");
  for (int axis = 0; axis < c->axis_count; axis++) fputs("|---", out);
  fprintf(out, "|---|---|---|%s\n", compares ? "---|---|" : "");
  for (int k = 0; k < c->count; k++) put_markdown_row(table, k, out);
}

/* ---- CSV ---- */

static void put_field(const char *text, FILE *out) {
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') fputc('"', out);
    fputc(*text, out);
  }
  fputs("\",", out);
}

static void put_number(double value, char end, FILE *out) {
  if (isfinite(value)) fprintf(out, "%.12g", value);
  fputc(end, out);
}

static void put_keys(const app_combinations *c, FILE *out) {
  for (int axis = 0; axis < c->axis_count; axis++) put_field(c->axes[axis].key, out);
}

static void put_values(const app_combinations *c, int k, FILE *out) {
  for (int axis = 0; axis < c->axis_count; axis++) put_field(app_combinations_value(c, k, axis), out);
}

static void put_csv(const void *what, FILE *out) {
  const app_sweep_table *table = what;
  put_keys(table->combinations, out);
  fputs("n,failed,nll,sd,pairs,difference,difference_se\n", out);
  for (int k = 0; k < table->combinations->count; k++) {
    statistics nll = statistics_of(table, k, -1), difference = statistics_of(table, k, 0);
    put_values(table->combinations, k, out);
    fprintf(out, "%d,%d,", nll.count, failures(table, k));
    put_number(nll.mean, ',', out);
    put_number(nll.sd, ',', out);
    fprintf(out, "%d,", difference.count);
    put_number(difference.mean, ',', out);
    put_number(standard_error(&difference), '\n', out);
  }
}

static void put_run(const app_sweep_table *table, int k, int seed, FILE *out) {
  const app_combinations *c = table->combinations;
  const app_run *run = &runs_of(table, k)[seed];
  char name[APP_NAME_SIZE];
  if (!run->is_done) return;
  put_field(app_sweep_run_name(c, k, seed, name), out);
  put_values(c, k, out);
  fprintf(out, "%" PRIu64 ",", c->seeds[seed]);
  put_number(run->nll, ',', out);
  put_number(run->nll_se, ',', out);
  put_number(run->trained.valid_nll, ',', out);
  fprintf(out, "%" PRId64 ",", run->trained.steps);
  put_number(run->trained.seconds, ',', out);
  put_number(run->trained.train_flops, ',', out);
  put_number(run->trained.push_flops, '\n', out);
}

static void put_runs(const void *what, FILE *out) {
  const app_sweep_table *table = what;
  fputs("run,", out);
  put_keys(table->combinations, out);
  fputs("seed,nll,nll_se,valid_nll,steps,seconds,train_flops,push_flops\n", out);
  for (int k = 0; k < table->combinations->count; k++)
    for (int seed = 0; seed < table->combinations->seed_count; seed++) put_run(table, k, seed, out);
}

/* ---- JSON ---- */

enum { COLUMNS = 7 };

void app_sweep_put_json(const app_sweep_table *table, FILE *out) {
  static const char *const names[COLUMNS] = {"n", "failed", "nll", "sd", "pairs", "difference", "difference_se"};
  static double values[COLUMNS][APP_MOST_RUNS];
  static char texts[APP_MOST_RUNS][APP_NAME_SIZE];
  static const char *places[APP_MOST_RUNS];
  int count = table->combinations->count;
  for (int k = 0; k < count; k++) {
    statistics nll = statistics_of(table, k, -1), difference = statistics_of(table, k, 0);
    double row[COLUMNS] = {nll.count,       failures(table, k),         nll.mean, nll.sd, difference.count,
                           difference.mean, standard_error(&difference)};
    for (int j = 0; j < COLUMNS; j++) values[j][k] = row[j];
    places[k] = app_combinations_name(table->combinations, k, texts[k]);
  }
  app_json json = app_json_open(out);
  app_json_text(&json, "scored_on", table->rows);
  app_json_texts(&json, "combinations", places, count);
  for (int j = 0; j < COLUMNS; j++) app_json_reals(&json, names[j], values[j], count);
  app_json_close(&json);
}

/* ---- files ---- */

static void put_markdown(const void *what, FILE *out) { app_sweep_put_markdown(what, out); }

bool app_sweep_is_table(const char *name) {
  static const char *const tables[APP_SWEEP_TABLES] = {"sweep.md", "sweep.csv", "runs.csv"};
  for (int k = 0; k < APP_SWEEP_TABLES; k++)
    if (strcmp(name, tables[k]) == 0) return true;
  return false;
}

bool app_sweep_save(const app_sweep_table *table, const char *folder, const char **name) {
  return app_save(folder, *name = "sweep.md", put_markdown, table) && app_save(folder, *name = "sweep.csv", put_csv, table) &&
         app_save(folder, *name = "runs.csv", put_runs, table);
}
