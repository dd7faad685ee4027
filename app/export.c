/* SPDX-License-Identifier: MIT
 *
 * export.c -- lfm export: the weights of a model for PyTorch, or a policy as one C file.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "text.h"

typedef struct request {
  const char *model, *out;
  int64_t nfe;
  lfm_policy_options policy;
  app_seed seed;
  bool json;
} request;

static bool is_source(const request *r) { return app_ends_with(r->out, ".c"); }

static lfm_status export_policy(const request *r, const lfm_model *model) {
  lfm_policy_options options = r->policy;
  options.solve.nfe = (int)r->nfe;
  options.seed = r->seed.value;
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
      APP_OPTIONS_ACTING("of a policy: ", "are refused", &r.policy, &r.nfe),
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .help = "of a policy's noise (default 0)"},
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code, blocks = 0;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  const lfm_policy_options *p = &r.policy;
  bool acts = p->solve.solver || p->precision || r.nfe || r.seed.given || p->range > 0.0 || p->clamp || p->guard;
  if (!is_source(&r) && (acts || p->delay || p->rtc || p->guidance > 0.0))
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
             "inverse and logdet, of normalise: radial its two numbers besides (docs/formats.md). In Python "
             "safetensors.torch.load_file reads them. Of a policy -o FILE.c writes all that it "
             "is as one "
             "C99 file: weights, static memory, a self-test; its top says how to call and compile it.",
    .example = "  lfm export run -o weights.safetensors\n"
               "  lfm import weights.safetensors --config run/config.yaml -o model.safetensors\n"
               "  lfm export run -o policy.c --nfe 8 --precision bf16\n",
    .run = run,
};
