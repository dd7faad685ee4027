/* SPDX-License-Identifier: MIT
 *
 * eval_report.c -- see eval_report.h.
 * Whatever is said of generated pictures stands beside the same of real ones in the same number: no figure here has a scale
 * of its own.  Several budgets become one table, a line each; one budget is spelt out.
 */
#include "eval_report.h"
#include "json.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { MOST_CLASSES_SHOWN = 20, LONGEST_CELL = 3 * APP_TEXT_SIZE };

/* ---- a figure with its interval ---- */

/* "12.3 (11.2 to 13.4)". */
static char *interval_text(char out[LONGEST_CELL], const lfm_estimate *e) {
  char value[APP_TEXT_SIZE], low[APP_TEXT_SIZE], high[APP_TEXT_SIZE];
  double error = (e->high - e->low) / 4;
  snprintf(out, LONGEST_CELL, "%s (%s to %s)", app_like(value, e->value, error), app_like(low, e->low, error),
           app_like(high, e->high, error));
  return out;
}

static lfm_estimate share_of(const lfm_share *accuracy) {
  return (lfm_estimate){accuracy->share, accuracy->low, accuracy->high};
}

static char *share_text(char out[LONGEST_CELL], const lfm_estimate *e) {
  snprintf(out, LONGEST_CELL, "%.1f %% (%.1f to %.1f)", 100 * e->value, 100 * e->low, 100 * e->high);
  return out;
}

static char *points_text(char out[LONGEST_CELL], const lfm_estimate *e) {
  snprintf(out, LONGEST_CELL, "%.1f (%.1f to %.1f)", 100 * e->value, 100 * e->low, 100 * e->high);
  return out;
}

/* ---- one budget ---- */

static void print_pair(const char *name, const char *generated, const char *real) {
  printf("%-15s  %-30s%s\n", name, generated, real);
}

static void print_shares(const char *name, const lfm_estimate *generated, const lfm_estimate *real) {
  char left[LONGEST_CELL], right[LONGEST_CELL];
  print_pair(name, share_text(left, generated), share_text(right, real));
}

static void print_accuracies(const char *name, const lfm_share *generated, const lfm_share *real) {
  char left[LONGEST_CELL], right[LONGEST_CELL] = "";
  lfm_estimate own = share_of(generated), other = share_of(real);
  if (generated->of > 0) print_pair(name, share_text(left, &own), real->of > 0 ? share_text(right, &other) : right);
}

static void print_figures(const lfm_eval_result *r) {
  char left[LONGEST_CELL], right[LONGEST_CELL];
  print_pair("", "generated", "real");
  print_pair("Frechet", interval_text(left, &r->generated.frechet), interval_text(right, &r->floor.frechet));
  print_shares("precision", &r->generated.precision, &r->floor.precision);
  print_shares("recall", &r->generated.recall, &r->floor.recall);
  print_pair("density", interval_text(left, &r->generated.density), interval_text(right, &r->floor.density));
  print_shares("coverage", &r->generated.coverage, &r->floor.coverage);
  snprintf(left, sizeof left, "%.4g", r->nearest);
  snprintf(right, sizeof right, "%.4g", r->heldout_nearest);
  print_pair("nearest", left, right);
  print_accuracies("recognised", &r->recognised, &r->heldout_recognised);
  print_accuracies("retrained", &r->retrained, &r->retrained_floor);
}

static void print_copies(const lfm_eval_result *r) {
  char text[LONGEST_CELL];
  lfm_estimate memorised = share_of(&r->memorised);
  printf("closer           %s: chance to be nearer to the training set than a held-out\n"
         "                 picture is; 50 %% is due\n",
         share_text(text, &r->closer));
  printf("memorised        %s: nearer than all but 1 %% of the held-out pictures;\n"
         "                 %.1f %% is due\n",
         share_text(text, &memorised), 100 * r->memorised_due);
  if (r->copies > 0) printf("copies           %" PRId64 " training pictures, just as they are\n", r->copies);
}

static void print_classes(const app_eval_report *report, const lfm_eval_result *r) {
  char text[LONGEST_CELL];
  int64_t classes = lfm_judge_classes(report->judge);
  if (r->recognised.of == 0 || classes > MOST_CLASSES_SHOWN) return;
  puts("\nrecognised as the class that was asked for:");
  for (int64_t k = 0; k < classes; k++) {
    lfm_estimate share = share_of(&report->by_class[k]);
    if (report->by_class[k].of > 0) printf("  %-20s %s\n", lfm_judge_class(report->judge, k), share_text(text, &share));
  }
}

static void print_difference(const app_eval_report *report, const lfm_eval_result *r) {
  char text[LONGEST_CELL];
  printf("against          %s, %s\n", interval_text(text, &r->against), report->against);
  printf("difference       %s, paired; ", interval_text(text, &r->difference));
  if (r->difference.high < 0) printf("better: %s\n", report->model); /* in words: nobody remembers which sign is good */
  else if (r->difference.low > 0) printf("better: %s\n", report->against);
  else printf("better: neither, the interval holds 0\n");
}

static void print_one(const app_eval_report *report) {
  const app_eval_line *line = &report->lines[0];
  const lfm_eval_result *r = &line->result;
  char text[LONGEST_CELL];
  print_figures(r);
  printf("\nabove the floor  %s: Frechet distance over that of real pictures\n", interval_text(text, &r->above));
  if (report->against) print_difference(report, r);
  if (r->retrained.of > 0)
    printf("retraining lost  %s points of accuracy, paired; of\n"
           "                 these two judges, each of which was trained once\n",
           points_text(text, &r->retrained_lost));
  print_copies(r);
  print_classes(report, r);
  putchar('\n');
  if (isfinite(line->nfe)) {
    printf("evaluations      %s a picture, over the whole chain", app_amount(text, line->nfe));
    printf("; %s operations\n", app_amount(text, line->flops));
  }
}

/* ---- several budgets ---- */

/* What a judge said, where one was asked. */
static void print_said(const lfm_share *recognised, const lfm_share *retrained) {
  if (recognised->of > 0) printf(" %9.1f %%", 100 * recognised->share);
  if (retrained->of > 0) printf(" %9.1f %%", 100 * retrained->share);
}

static void print_line(const app_eval_report *report, const app_eval_line *line) {
  const lfm_eval_result *r = &line->result;
  char above[LONGEST_CELL], difference[LONGEST_CELL], flops[APP_TEXT_SIZE];
  printf("%6d  %-28s %10s %8.1f %% %8.1f %%", line->budget, interval_text(above, &r->above), app_amount(flops, line->flops),
         100 * r->generated.precision.value, 100 * r->generated.recall.value);
  print_said(&r->recognised, &r->retrained);
  if (report->against) printf("  %s", interval_text(difference, &r->difference));
  putchar('\n');
}

static void print_table(const app_eval_report *report) {
  const lfm_eval_result *first = &report->lines[0].result;
  char text[LONGEST_CELL];
  printf("%6s  %-28s %10s %10s %10s", "nfe", "Frechet above the floor", "operations", "precision", "recall");
  printf("%s%s%s\n", first->recognised.of > 0 ? "  recognised" : "", first->retrained.of > 0 ? "   retrained" : "",
         report->against ? "  less the other's" : "");
  for (int i = 0; i < report->count; i++) print_line(report, &report->lines[i]);
  printf("%6s  %-28s %10s %8.1f %% %8.1f %%", "real", "0", "", 100 * first->floor.precision.value,
         100 * first->floor.recall.value);
  print_said(&first->heldout_recognised, &first->retrained_floor);
  putchar('\n');
  printf("\nfloor            %s: Frechet distance of real pictures\n", interval_text(text, &first->floor.frechet));
}

void app_eval_print(const app_eval_report *report) {
  const lfm_eval_result *r = &report->lines[0].result;
  char text[APP_TEXT_SIZE];
  if (report->count > 1) print_table(report);
  else print_one(report);
  if (report->count < report->asked)
    printf("stopped          after %d of %d numbers of evaluations\n", report->count, report->asked);
  printf("pictures         %" PRId64 " judged beside %" PRId64 " held-out ones; nearest of %" PRId64
         "; precision and recall by %" PRId64 "\n",
         r->rows, r->heldout_rows, r->train_rows, r->manifold_rows);
  printf("time             %s\n", app_duration(text, report->seconds));
  if (report->folder) printf("folder           %s\n", report->folder);
}

/* ---- for machines ---- */

typedef enum kind { REAL, WHOLE, INTERVAL, SHARE } kind; /* a double, int64_t, lfm_estimate, lfm_share */

typedef struct field {
  const char *key;
  kind kind;
  size_t at; /* in an app_eval_line */
} field;

#define FIELD(key, kind, member)                                                                                             \
  { key, kind, offsetof(app_eval_line, member) }

/* The same for all budgets, and of each. */
static const field common[] = {
    FIELD("rows", WHOLE, result.rows),
    FIELD("train_rows", WHOLE, result.train_rows),
    FIELD("heldout_rows", WHOLE, result.heldout_rows),
    FIELD("manifold_rows", WHOLE, result.manifold_rows),
    FIELD("floor", INTERVAL, result.floor.frechet),
    FIELD("floor_fitted", REAL, result.floor.fitted),
    FIELD("floor_precision", INTERVAL, result.floor.precision),
    FIELD("floor_recall", INTERVAL, result.floor.recall),
    FIELD("floor_density", INTERVAL, result.floor.density),
    FIELD("floor_coverage", INTERVAL, result.floor.coverage),
    FIELD("heldout_nearest", REAL, result.heldout_nearest),
    FIELD("memorised_due", REAL, result.memorised_due),
};
static const field each[] = {
    FIELD("nfe", REAL, nfe),
    FIELD("flops", REAL, flops),
    FIELD("above", INTERVAL, result.above),
    FIELD("frechet", INTERVAL, result.generated.frechet),
    FIELD("fitted", REAL, result.generated.fitted),
    FIELD("precision", INTERVAL, result.generated.precision),
    FIELD("recall", INTERVAL, result.generated.recall),
    FIELD("density", INTERVAL, result.generated.density),
    FIELD("coverage", INTERVAL, result.generated.coverage),
    FIELD("nearest", REAL, result.nearest),
    FIELD("closer", INTERVAL, result.closer),
    FIELD("memorised", SHARE, result.memorised),
    FIELD("copies", WHOLE, result.copies),
};
static const field of_labels[] = {FIELD("recognised", SHARE, result.recognised)};
static const field of_real_labels[] = {FIELD("heldout_recognised", SHARE, result.heldout_recognised)};
static const field of_against[] = {FIELD("against", INTERVAL, result.against),
                                   FIELD("difference", INTERVAL, result.difference)};
static const field of_retraining[] = {FIELD("retrained", SHARE, result.retrained),
                                      FIELD("retrained_floor", SHARE, result.retrained_floor),
                                      FIELD("retrained_lost", INTERVAL, result.retrained_lost)};

/* out [3]: the value, and the ends of its interval where it has one; returns how many. */
static int values_of(const app_eval_line *line, const field *f, double out[3]) {
  const char *at = (const char *)line + f->at;
  lfm_share share;
  lfm_estimate interval;
  int64_t whole;
  if (f->kind == REAL) return memcpy(out, at, sizeof *out), 1;
  if (f->kind == WHOLE) {
    memcpy(&whole, at, sizeof whole);
    out[0] = (double)whole;
    return 1;
  }
  if (f->kind == SHARE) memcpy(&share, at, sizeof share), interval = share_of(&share);
  else memcpy(&interval, at, sizeof interval);
  out[0] = interval.value, out[1] = interval.low, out[2] = interval.high;
  return 3;
}

/* A number; or, of several lines, a list of them.  An interval is three fields. */
static void put_field(app_json *json, const app_eval_line *lines, int count, const field *f) {
  static const char *const ends[] = {"", "_low", "_high"};
  double values[3][APP_MOST_BUDGETS], of_line[3];
  char key[APP_TEXT_SIZE];
  int parts = 0;
  for (int i = 0; i < count; i++) {
    parts = values_of(&lines[i], f, of_line);
    for (int k = 0; k < parts; k++) values[k][i] = of_line[k];
  }
  for (int k = 0; k < parts; k++) {
    snprintf(key, sizeof key, "%s%s", f->key, ends[k]);
    if (count > 1) app_json_reals(json, key, values[k], count);
    else if (f->kind == WHOLE) app_json_whole(json, key, (int64_t)values[k][0]);
    else app_json_real(json, key, values[k][0]);
  }
}

static void put_fields(app_json *json, const app_eval_line *lines, int count, const field *fields, size_t size) {
  for (size_t i = 0; i < size; i++) put_field(json, lines, count, &fields[i]);
}

#define PUT(fields, count) put_fields(&json, report->lines, (count), (fields), sizeof(fields) / sizeof *(fields))

static void put_classes(app_json *json, const app_eval_report *report) {
  const char *names[LFM_MOST_CLASSES];
  double shares[LFM_MOST_CLASSES];
  int classes = (int)lfm_judge_classes(report->judge);
  for (int k = 0; k < classes; k++) {
    names[k] = lfm_judge_class(report->judge, k);
    shares[k] = report->by_class[k].of ? report->by_class[k].share : (double)NAN;
  }
  app_json_texts(json, "classes", names, classes);
  app_json_reals(json, "class_recognised", shares, classes);
}

void app_eval_put_json(const void *what, FILE *out) {
  const app_eval_report *report = what;
  const lfm_eval_result *first = &report->lines[0].result;
  app_json json = app_json_open(out);
  app_json_text(&json, "model", report->model);
  PUT(common, 1);
  PUT(each, report->count);
  if (first->recognised.of > 0) {
    PUT(of_labels, report->count);
    put_classes(&json, report);
  }
  if (first->heldout_recognised.of > 0) PUT(of_real_labels, 1);
  if (report->against) {
    app_json_text(&json, "against_model", report->against);
    PUT(of_against, report->count);
  }
  if (first->retrained.of > 0) PUT(of_retraining, report->count);
  app_json_flag(&json, "complete", report->count == report->asked);
  app_json_real(&json, "seconds", report->seconds);
  app_json_close(&json);
}

/* ---- the curve ---- */

lfm_status app_eval_draw_curve(const app_eval_report *report, const char *path) {
  double nfe[APP_MOST_BUDGETS], above[APP_MOST_BUDGETS], low[APP_MOST_BUDGETS], high[APP_MOST_BUDGETS],
      other[APP_MOST_BUDGETS];
  bool all_above = true;
  for (int i = 0; i < report->count; i++) {
    const lfm_eval_result *r = &report->lines[i].result;
    nfe[i] = report->lines[i].nfe;
    above[i] = r->above.value, low[i] = r->above.low, high[i] = r->above.high;
    other[i] = r->above.value - r->difference.value;
    all_above = all_above && low[i] > 0 && !(other[i] <= 0);
  }
  const lfm_series series[] = {{report->against ? report->model : NULL, nfe, above, report->count, 0, LFM_LINE_DOTS},
                               {NULL, nfe, low, report->count, 0, LFM_LINE_FAINT},
                               {NULL, nfe, high, report->count, 0, LFM_LINE_FAINT},
                               {report->against, nfe, other, report->count, 1, LFM_LINE_DOTS}};
  const lfm_curves_options options = {.title = "Frechet distance above its floor, with its 95 % interval",
                                      .x_label = "evaluations a picture, over the whole chain",
                                      .y_label = "squared units of the judge's features",
                                      .log_x = true,
                                      .log_y = all_above}; /* an end at 0 or below has no place on a logarithm */
  return lfm_draw_curves(path, series, report->against ? 4 : 3, &options);
}
