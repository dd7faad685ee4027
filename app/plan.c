/* SPDX-License-Identifier: MIT
 *
 * plan.c -- lfm plan: which blocks of a chain to merge into few networks, and in which order, before anything is trained.
 * The chain is a model's, whose variances are measured on rows that it draws or on DATA; or it is stated in numbers.
 */
#include "app.h"
#include "columns.h"
#include "json.h"
#include "options.h"
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
  const char *model, *variances, *hks, *data, *plan;
  int64_t steps, rows, threads;
  app_seed seed;
  double s;
  bool json;
} request;

/* The chain in numbers. */
typedef struct chain {
  double *variances; /* [dim] */
  int64_t dim;
  double hks[LFM_MAX_BLOCKS];
  int blocks;
} chain;

/* ---- the chain, as it is given ---- */

/* One number, or "free", of so many characters. */
static bool read_real(const char *text, size_t length, bool may_be_free, double *value) {
  char *end;
  *value = (double)NAN;
  if (may_be_free && length == 4 && (strncmp(text, "free", 4) == 0 || strncmp(text, "null", 4) == 0)) return true;
  *value = strtod(text, &end);
  return end == text + length && length > 0 && !isnan(*value);
}

/* "0.2,1.4,6" -> values [most]; how many, or -1 when the text is no such list. */
static int64_t read_reals(const char *text, bool with_free, double *values, int64_t most) {
  for (int64_t count = 0; count < most;) {
    size_t length = strcspn(text, ",");
    if (!read_real(text, length, with_free, &values[count++])) return -1;
    if (!text[length]) return count;
    text += length + 1;
  }
  return -1;
}

static int64_t count_commas(const char *text) {
  int64_t count = 0;
  for (; *text; text++) count += *text == ',';
  return count;
}

static bool make_room(const app_command *self, int64_t dim, chain *c) {
  c->variances = malloc((size_t)dim * sizeof *c->variances);
  if (!c->variances) fprintf(stderr, "lfm %s: memory refused: %" PRId64 " variances\n", self->name, dim);
  return c->variances != NULL;
}

static int read_numbers(const app_command *self, const request *r, chain *c) {
  int64_t most = count_commas(r->variances) + 1;
  if (!make_room(self, most, c)) return APP_FAILED;
  c->dim = read_reals(r->variances, false, c->variances, most);
  if (c->dim < 0) return app_usage_error(self, "--variances '%s': not a list of numbers: 0.2,1.4,6", r->variances);
  c->blocks = (int)read_reals(r->hks, true, c->hks, LFM_MAX_BLOCKS);
  if (c->blocks < 0)
    return app_usage_error(self, "--hks '%s': not a list of up to %d numbers, the last of which may be 'free': .1,.15,free",
                           r->hks, LFM_MAX_BLOCKS);
  return APP_DONE;
}

static int measure(const app_command *self, const request *r, chain *c) {
  app_progress progress;
  lfm_model *model = NULL;
  lfm_table *data = NULL;
  lfm_variances_options options;
  lfm_variances_defaults(&options);
  options.rows = r->rows > 0 ? r->rows : options.rows;
  options.seed = r->seed.value;
  options.threads = (int)r->threads;
  options.progress = app_progress_show;
  options.context = &progress;
  app_progress_begin(&progress);
  lfm_status status = lfm_model_load(r->model, &model);
  if (status == LFM_OK && r->data)
    status = app_read_columns(r->data, &(lfm_table_options){.threads = (int)r->threads}, model, false, &data);
  int code = APP_DONE;
  if (status == LFM_OK) {
    options.data = data;
    c->dim = lfm_model_border_dim(model);
    c->blocks = lfm_model_blocks(model);
    lfm_model_hks(model, c->hks);
    if (!make_room(self, c->dim, c)) code = APP_FAILED;
    else status = lfm_model_variances(model, &options, c->variances);
  }
  lfm_table_destroy(data);
  lfm_model_destroy(model);
  app_progress_end(&progress);
  return code == APP_DONE ? app_report(self, status) : code;
}

/* ---- the result ---- */

static void put_strategy(app_json *json, const lfm_strategy *strategy) {
  app_json_begin(json, strategy->name);
  app_json_text(json, "plan", strategy->plan);
  app_json_real(json, "error", strategy->error);
  app_json_end(json);
}

static void print_json(const request *r, const chain *c, const lfm_plan_result *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "blocks", c->blocks);
  app_json_whole(&json, "steps", r->steps);
  app_json_real(&json, "s", r->s);
  app_json_text(&json, "best", result->best.plan);
  app_json_real(&json, "error", result->best.error);
  app_json_real(&json, "bound", result->bound);
  app_json_real(&json, "variance", result->variance);
  app_json_begin(&json, "strategies");
  for (int i = 0; i < LFM_STRATEGIES; i++) put_strategy(&json, &result->strategy[i]);
  app_json_end(&json);
  if (r->plan) put_strategy(&json, &result->given);
  app_json_close(&json);
}

static void print_strategy(const lfm_plan_result *result, const lfm_strategy *strategy) {
  printf("%-12s %10.4g %8.3g %%   %s\n", strategy->name, strategy->error, 100.0 * strategy->error / result->variance,
         strategy->plan);
}

static void print_result(const request *r, const chain *c, const lfm_plan_result *result) {
  printf("%d blocks merged into %" PRId64 "; %" PRId64 " axes, of variance %.4g together; s = %g\n\n", c->blocks, r->steps,
         c->dim, result->variance, r->s);
  printf("%-12s %10s %10s   %s\n", "strategy", "error", "of it", "plan");
  print_strategy(result, &result->best);
  for (int i = 0; i < LFM_STRATEGIES; i++) print_strategy(result, &result->strategy[i]);
  if (r->plan) print_strategy(result, &result->given);
  if (result->bound > 0.0 && result->bound < result->best.error)
    printf("\nThe best plan is within %.2g %% of what any plan can reach (error %.6g at least).\n",
           100.0 * (result->best.error / result->bound - 1.0), result->bound);
}

/* ---- the verb ---- */

static int check(const app_command *self, const request *r) {
  if (r->model && r->hks) return app_usage_error(self, "--hks: a model has its own steps");
  if (!r->model && !r->hks) return app_usage_error(self, "--variances need the chain's steps: --hks .1,.15,free");
  if (!r->model && (r->data || r->rows > 0 || r->seed.given || r->threads > 0))
    return app_usage_error(self, "--data, --rows, --seed and --threads are of a model");
  if (r->data && r->seed.given) return app_usage_error(self, "--seed: is of rows that the model draws; --data gives others");
  return APP_DONE;
}

static int propose(const app_command *self, const request *r, chain *c) {
  lfm_plan_options options;
  lfm_plan_result result;
  lfm_plan_defaults(&options);
  options.variances = c->variances;
  options.dim = c->dim;
  options.hks = c->hks;
  options.blocks = c->blocks;
  options.steps = (int)r->steps;
  options.s = r->s;
  options.plan = r->plan;
  lfm_status status = lfm_plan_find(&options, &result);
  if (status == LFM_OK) (r->json ? print_json : print_result)(r, c, &result);
  return app_report(self, status);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.s = 0.5};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .either = 1,
       .help = "a model file, or a run folder of lfm train: its chain, and the variances of its rows"},
      {APP_TEXT, .name = "variances", .value = "V,V", .target = &r.variances, .either = 1,
       .help = "instead: variances of the data along the axes of their covariance, in the flow's units"},
      {APP_TEXT, .name = "hks", .value = "G,G", .target = &r.hks,
       .help = "with --variances: the chain's steps, the data's first; the last may be 'free'"},
      {APP_COUNT, .name = "steps", .value = "K", .target = &r.steps, .required = true, .low = 1, .high = LFM_MAX_BLOCKS,
       .help = "networks to merge the blocks into, and evaluations of the merged sampler"},
      {APP_REAL, .name = "s", .value = "S", .target = &r.s, .low = 1e-6, .high = 1e6,
       .help = "how long a network is trained, in the time of gradient flow (default 0.5)"},
      {APP_TEXT, .name = "plan", .value = "PLAN", .target = &r.plan,
       .help = "say the error of this one, too: '1 | (2 3) | 4'"},
      {APP_TEXT, .name = "data", .value = "DATA", .target = &r.data,
       .help = "take the variances of MODEL from these rows (default: from rows that it draws); of a policy demonstrations"},
      {APP_COUNT, .name = "rows", .value = "N", .target = &r.rows, .low = 2, .high = 1e7,
       .help = "so many of them (default 2000)"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .help = "of drawn rows (default 0)"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  chain c = {0};
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  code = check(self, &r);
  if (code == APP_DONE) code = r.model ? measure(self, &r, &c) : read_numbers(self, &r, &c);
  if (code == APP_DONE) code = propose(self, &r, &c);
  free(c.variances);
  return code;
}

static void more_help(FILE *out) {
  fputs("\n"
        "A plan:  1 | (2 3) | 4  is three networks: block 1, which is the data's, blocks\n"
        "2 and 3 merged, block 4.  (1 (2 (3 4))) is one network, merged from the noise's\n"
        "side, a block at a time; (1 2 3 4) one that learns all at once.\n"
        "\n"
        "The error is the mean square distance of what the merged and the whole chain\n"
        "make of the same noise, predicted for Gaussian rows of these variances, in the\n"
        "flow's units; beside it in percent of the variance of all axes. Strategies cut\n"
        "the blocks evenly: vanilla merges at once, boot from the noise's side,\n"
        "consistency from the data's side, progressive pairs and pairs of pairs; even has\n"
        "the best trees of that cut.\n",
        out);
}

const app_command app_plan = {
    .name = "plan",
    .summary = "which blocks to merge into few networks, and in which order",
    .about = "A chain of N blocks takes N evaluations or more. Merged into K networks it takes K, and loses something on the "
             "way. Predicts how much, for every plan of merges, and finds the best one.",
    .example = "  lfm plan run --steps 2\n"
               "  lfm plan --variances 0.2,1.4,6 --hks .1,.15,.225,.3375,free --steps 4\n",
    .more_help = more_help,
    .run = run,
};
