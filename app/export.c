/* SPDX-License-Identifier: MIT
 *
 * export.c -- lfm export: the weights of a model for PyTorch, or a policy as one C file.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"

#include <string.h>

typedef struct request {
  const char *model, *out, *solver, *precision, *guard;
  int64_t nfe, delay;
  double range, guidance;
  app_seed seed;
  bool clamp, rtc, json;
} request;

static bool is_source(const request *r) {
  size_t length = strlen(r->out);
  return length > 2 && strcmp(r->out + length - 2, ".c") == 0;
}

static lfm_status export_policy(const request *r, const lfm_model *model) {
  lfm_policy_options options;
  lfm_policy_defaults(&options);
  options.solve = (lfm_solver_options){.solver = r->solver, .nfe = (int)r->nfe};
  options.precision = r->precision;
  options.seed = r->seed.value;
  options.range = r->range;
  options.clamp = r->clamp;
  options.guard = r->guard;
  options.delay = r->delay;
  options.rtc = r->rtc;
  options.guidance = r->guidance;
  return lfm_policy_export(model, &options, r->out);
}

static lfm_status export(const request *r, int *blocks) {
  lfm_model *model = NULL;
  lfm_status status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) status = is_source(r) ? export_policy(r, model) : lfm_model_export(model, r->out);
  if (status == LFM_OK) *blocks = lfm_model_blocks(model);
  lfm_model_destroy(model);
  return status;
}

static void print_json(const request *r, int blocks) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, is_source(r) ? "source" : "weights", r->out);
  app_json_whole(&json, "blocks", blocks);
  app_json_close(&json);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FILE", .target = &r.out, .required = true,
       .help = "the weights to write, a .safetensors file; or of a policy one C99 file, .c" APP_REPLACED},
      APP_OPTION_SOLVER(&r.solver),
      {APP_COUNT, .name = "nfe", .value = "K", .target = &r.nfe, .low = 1, .high = 1e6,
       .help = "of a policy: evaluations a chunk, over the whole chain (default 8 a block)"},
      {APP_WORD, .name = "precision", .value = "P", .target = &r.precision,
       .words = (const char *const[]){"fp32", "bf16", NULL}, .help = "of a policy's weights (default fp32):"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .help = "of a policy's noise (default 0)"},
      {APP_REAL, .name = "range", .value = "R", .target = &r.range, .low = 1, .high = 1e6,
       .help = "of a policy: observations more than R times as far out as the demonstrations go are refused (default 2)"},
      {APP_FLAG, .name = "clamp", .target = &r.clamp, .help = "they are moved to the edge of that range instead"},
      {APP_WORD, .name = "guard", .value = "WHAT", .target = &r.guard,
       .words = (const char *const[]){"count", "hold", "stop", NULL},
       .help = "with the policy's guard (lfm guard), which on a strange observation does this:"},
      APP_OPTIONS_RTC("of a policy: ", &r.delay, &r.rtc, &r.guidance),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code, blocks = 0;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  bool acts = r.solver || r.precision || r.nfe || r.seed.given || r.range > 0.0 || r.clamp || r.guard;
  if (!is_source(&r) && (acts || r.delay || r.rtc || r.guidance > 0.0))
    return app_usage_error(self,
                           "--solver, --nfe, --precision, --seed, --range, --clamp, --guard, --delay, --rtc and --guidance "
                           "are of a policy's source; -o %s is none (a .c file)",
                           r.out);
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model})) return APP_USAGE;
  lfm_status status = export(&r, &blocks);
  if (status == LFM_OK && r.json) print_json(&r, blocks);
  if (status == LFM_OK && !r.json)
    printf("%s   %s: %d block%s\n", is_source(&r) ? "source " : "weights", r.out, blocks, blocks == 1 ? "" : "s");
  return app_report(self, status);
}

const app_command app_export = {
    .name = "export",
    .summary = "write the weights of a model for PyTorch, or a policy as C",
    .about = "Writes the tensors of a model under the names that import takes, and the columns as metadata: "
             "blocks.N.net.K.weight and .bias, and the normaliser, y = (x - mean) @ forward over the columns varying, with "
             "inverse and logdet. In Python safetensors.torch.load_file reads them. Of a policy -o FILE.c writes all that it "
             "is as one "
             "C99 file: weights, static memory, a self-test; its top says how to call and compile it.",
    .example = "  lfm export run -o weights.safetensors\n"
               "  lfm import weights.safetensors --config run/config.yaml -o model.safetensors\n"
               "  lfm export run -o policy.c --nfe 8 --precision bf16\n",
    .run = run,
};
