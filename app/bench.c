/* SPDX-License-Identifier: MIT
 *
 * bench.c -- lfm bench: how fast the parts are on this machine, as lines, JSON, a markdown table or CSV.
 */
#include "app.h"
#include "json.h"
#include "machine_lock.h"
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
  const char *what, *preset, *model, *precision, *size;
  app_texts sets;
  int64_t picture[3];
  int64_t rows, repetitions, threads, nfe;
  double tol;
  bool rtc, json, md, csv;
} request;

/* "3x32x32" */
static bool read_picture(const char *text, int64_t picture[3]) {
  for (int i = 0; i < 3; i++) {
    char *end;
    picture[i] = strtol(text, &end, 10);
    if (end == text || picture[i] < 1 || *end != (i < 2 ? 'x' : 0)) return false;
    text = end + 1;
  }
  return true;
}

/* ---- which options mean something -------------------------------------------------------------------------------- */

/* What is measured; the last three are latency. */
enum { PEAK = 1, TRAIN = 2, SAMPLE = 4, SCORE = 8, OF_MODEL = 16, OF_POLICY = 32, OF_PRESET = 64 };

/* Without the model latency may be of either kind; what nobody measures is the library's to refuse. */
static unsigned kinds_of(const request *r, const lfm_model *model) {
  static const char *const words[] = {"peak", "train", "sample", "score"};
  for (unsigned k = 0; k < 4; k++)
    if (strcmp(r->what, words[k]) == 0) return 1U << k;
  if (strcmp(r->what, "latency") != 0) return ~0U;
  if (model) return lfm_model_observations(model) ? OF_POLICY : OF_MODEL;
  return r->preset ? OF_PRESET : OF_MODEL | OF_POLICY;
}

/* --precision is missing here: what knows fp32 alone refuses another itself. */
static int check_options(const app_command *self, const request *r, unsigned kinds) {
  const struct {
    const char *name;
    bool given;
    unsigned of;
  } rules[] = {{"preset", r->preset != NULL, TRAIN | OF_PRESET},
               {"set", r->sets.count > 0, TRAIN | OF_PRESET},
               {"picture", r->size != NULL, TRAIN},
               {"model", r->model != NULL, SAMPLE | SCORE | OF_MODEL | OF_POLICY},
               {"rows", r->rows > 0, SAMPLE | SCORE | OF_POLICY | OF_PRESET},
               {"nfe", r->nfe > 0, OF_POLICY | OF_PRESET},
               {"rtc", r->rtc, OF_POLICY | OF_PRESET},
               {"tol", r->tol > 0.0, SAMPLE | SCORE},
               {"repetitions", r->repetitions > 0, PEAK | TRAIN | SAMPLE | SCORE | OF_MODEL}};
  const char *whose = kinds == OF_PRESET   ? " of a preset"
                      : kinds == OF_POLICY ? " of a policy"
                      : kinds == OF_MODEL  ? " of a model that is no policy"
                                           : "";
  for (size_t k = 0; k < sizeof rules / sizeof *rules; k++)
    if (rules[k].given && !(rules[k].of & kinds))
      return app_usage_error(self, "--%s: has no meaning for %s%s; see lfm bench --help", rules[k].name, r->what, whose);
  return APP_DONE;
}

/* ---- what was measured ------------------------------------------------------------------------------------------- */

/* A list of figures, or how long a policy takes. */
typedef struct measured {
  lfm_bench_result figures[LFM_BENCH_MOST];
  int count;
  bool is_policy;
  lfm_policy_stats policy;
} measured;

static lfm_status bench(const request *r, const lfm_model *model, measured *out) {
  lfm_bench_options options;
  lfm_bench_defaults(&options);
  options.model = model;
  options.nfe = (int)r->nfe;
  options.rtc = r->rtc;
  options.what = r->what;
  options.preset = r->preset;
  options.precision = r->precision;
  options.rows = r->rows;
  options.tol = r->tol;
  options.threads = (int)r->threads;
  options.sets = r->sets.items;
  options.set_count = r->sets.count;
  memcpy(options.picture, r->picture, sizeof options.picture);
  if (r->repetitions) options.repetitions = (int)r->repetitions;
  return out->is_policy ? lfm_bench_policy(&options, &out->policy) : lfm_bench(&options, out->figures, &out->count);
}

static void print_object(const lfm_bench_result *result) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "name", result->name);
  app_json_text(&json, "unit", result->unit);
  app_json_real(&json, "median", result->median);
  app_json_real(&json, "min", result->minimum);
  app_json_real(&json, "max", result->maximum);
  app_json_real(&json, "sd", result->sd);
  app_json_whole(&json, "repetitions", result->repetitions);
  app_json_real(&json, "peak_fraction", result->peak_fraction);
  app_json_close(&json);
}

static void print_line(const request *r, const lfm_bench_result *b) {
  char share[16] = "", sd[24] = "";
  if (isfinite(b->peak_fraction))
    snprintf(share, sizeof share, r->csv ? "%.4f" : "%.1f %%", (r->csv ? 1 : 100) * b->peak_fraction);
  if (isfinite(b->sd)) snprintf(sd, sizeof sd, "%.9g", b->sd);
  if (r->md) printf("| %s | %.4g %s | %.4g to %.4g | %s |\n", b->name, b->median, b->unit, b->minimum, b->maximum, share);
  else if (r->csv)
    printf("%s,%s,%.9g,%.9g,%.9g,%s,%d,%s\n", b->name, b->unit, b->median, b->minimum, b->maximum, sd, b->repetitions, share);
  else
    printf("%-34s %9.4g %-8s (%.4g to %.4g)%s%s\n", b->name, b->median, b->unit, b->minimum, b->maximum,
           *share ? "  of the peak: " : "", share);
}

static void print_results(const request *r, const lfm_bench_result *results, int count) {
  if (r->md) printf("| | median | range | of the peak |\n|---|---|---|---|\n");
  if (r->csv) printf("name,unit,median,min,max,sd,repetitions,peak_fraction\n");
  for (int k = 0; k < count; k++) {
    if (r->json) fputs(k ? "," : "[", stdout), print_object(&results[k]);
    else print_line(r, &results[k]);
  }
  if (r->json) puts("]");
}

static void print_policy_json(const char *name, const lfm_policy_stats *p) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "name", name);
  app_json_text(&json, "unit", "us");
  app_json_real(&json, "p50", p->p50);
  app_json_real(&json, "p99", p->p99);
  app_json_real(&json, "p99_9", p->p99_9);
  app_json_real(&json, "max", p->max);
  app_json_whole(&json, "nfe", p->nfe);
  app_json_whole(&json, "chunks", p->chunks);
  app_json_close(&json);
}

static void print_policy(const request *r, const lfm_policy_stats *p) {
  char name[64];
  snprintf(name, sizeof name, "%.40s %s of %d evaluations", r->preset ? r->preset : "chunk",
           r->precision ? r->precision : "fp32", p->nfe);
  if (r->json) fputs("[", stdout), print_policy_json(name, p), puts("]");
  else if (r->md)
    printf("| | p50 | p99 | p99.9 | max |\n|---|---|---|---|---|\n| %s | %.0f us | %.0f | %.0f | %.0f |\n", name, p->p50,
           p->p99, p->p99_9, p->max);
  else if (r->csv) printf("name,unit,p50,p99,p99_9,max\n%s,us,%.9g,%.9g,%.9g,%.9g\n", name, p->p50, p->p99, p->p99_9, p->max);
  else
    printf("%-34s p50 %.0f us, p99 %.0f, p99.9 %.0f, at most %.0f (%" PRId64 " chunks)\n", name, p->p50, p->p99, p->p99_9,
           p->max, p->chunks);
}

static int measure(const app_command *self, const request *r, const lfm_model *model, int argc, char **argv) {
  unsigned kinds = kinds_of(r, model);
  measured m = {.is_policy = kinds == OF_POLICY || kinds == OF_PRESET};
  int code = check_options(self, r, kinds);
  if (code == APP_DONE) code = app_machine_lock(self, argc, argv); /* beside another long run no time means anything */
  if (code != APP_DONE) return code;
  lfm_status status = bench(r, model, &m);
  if (status == LFM_OK && m.is_policy) print_policy(r, &m.policy);
  else if (status == LFM_OK) print_results(r, m.figures, m.count);
  return app_report(self, status);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "WHAT", .target = &r.what,
       .help = "peak: multiply-adds in registers; train: steps of the presets' networks; sample, score, latency: of a model; "
               "of a policy latency is that of chunks, on one thread"},
      {APP_TEXT, .name = "preset", .value = "NAME", .target = &r.preset,
       .help = "train: this preset's network and batch (default: bsds300@A, miniboone@A and power@A); latency: this policy's "
               "network, untrained"},
      {APP_TEXTS, .name = "set", .value = "KEY=VALUE", .target = &r.sets,
       .help = "train, latency: set a key over the preset; may be repeated"},
      {APP_TEXT, .name = "picture", .value = "CxHxW", .target = &r.size,
       .help = "train: rows are pictures of so many channels, height and width, and without a preset the network is the one "
               "that follows from that"},
      {APP_TEXT, .name = "precision", .value = "P", .target = &r.precision,
       .help = "peak, train, and latency of a policy: fp32 or bf16 (default fp32)"},
      {APP_TEXT, .name = "model", .value = "MODEL", .target = &r.model,
       .help = "sample, score, latency: a model file, or a run folder of lfm train"},
      {APP_COUNT, .name = "rows", .value = "N", .target = &r.rows, .low = 1, .high = 1e9,
       .help = "rows of sample (default 100,000) and score (200); chunks of latency (2000)"},
      {APP_COUNT, .name = "nfe", .value = "K", .target = &r.nfe, .low = 1, .high = 1e6,
       .help = "latency of a policy: evaluations a chunk (default 8 a block)"},
      {APP_FLAG, .name = "rtc", .target = &r.rtc, .help = "latency of a policy: of chunks that go on from the one before"},
      {APP_REAL, .name = "tol", .value = "T", .target = &r.tol, .low = 1e-12, .high = 0.1,
       .help = "sample, score: tolerance of the solver (default 1e-5)"},
      {APP_COUNT, .letter = 'r', .name = "repetitions", .value = "R", .target = &r.repetitions, .low = 1, .high = 1000,
       .help = "how often each figure is measured, alternating (default 7); the median counts"},
      APP_OPTION_THREADS(&r.threads),
      {APP_FLAG, .name = "json", .target = &r.json, .either = 1, .help = "a JSON list, one object a figure"},
      {APP_FLAG, .name = "md", .target = &r.md, .either = 1, .help = "a markdown table"},
      {APP_FLAG, .name = "csv", .target = &r.csv, .either = 1, .help = "a CSV table"},
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  for (int k = 0; r.precision && k < r.sets.count; k++)
    if (strncmp(r.sets.items[k], "precision=", 10) == 0)
      return app_usage_error(self, "--precision and --set %s both give it; leave one out", r.sets.items[k]);
  if (r.size && !read_picture(r.size, r.picture))
    return app_usage_error(self, "--picture %s: write channels, height and width, as 3x32x32", r.size);
  code = check_options(self, &r, kinds_of(&r, NULL));
  if (code != APP_DONE) return code;
  lfm_model *model = NULL;
  if (r.model) code = app_report(self, lfm_model_load(r.model, &model));
  if (code == APP_DONE) code = measure(self, &r, model, argc, argv);
  lfm_model_destroy(model);
  return code;
}

const app_command app_bench = {
    .name = "bench",
    .summary = "measure how fast this machine is",
    .about =
        "Measures training steps, sampling, scoring or single evaluations, beside the peak of this machine. Nothing else "
        "should run meanwhile; a sweep, or another bench, keeps it from beginning.",
    .example = "  lfm bench train -r 15 --md\n"
               "  lfm bench train --preset cifar10 --set hidden_dim=64 --set batch_size=32\n"
               "  lfm bench score --model run --rows 500\n"
               "  lfm bench latency --preset lift-fm --nfe 4 --precision bf16\n",
    .run = run,
};
