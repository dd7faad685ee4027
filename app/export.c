/* SPDX-License-Identifier: MIT
 *
 * export.c -- lfm export: the weights of a model for PyTorch.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"

typedef struct request {
  const char *model, *out;
  bool json;
} request;

static lfm_status export(const request *r, int *blocks) {
  lfm_model *model = NULL;
  lfm_status status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) status = lfm_model_export(model, r->out);
  if (status == LFM_OK) *blocks = lfm_model_blocks(model);
  lfm_model_destroy(model);
  return status;
}

static void print_json(const request *r, int blocks) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "weights", r->out);
  app_json_whole(&json, "blocks", blocks);
  app_json_close(&json);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FILE", .target = &r.out, .required = true,
       .help = "the weights to write, a .safetensors file" APP_REPLACED},
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code, blocks = 0;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model})) return APP_USAGE;
  lfm_status status = export(&r, &blocks);
  if (status == LFM_OK && r.json) print_json(&r, blocks);
  if (status == LFM_OK && !r.json) printf("weights   %s: %d block%s\n", r.out, blocks, blocks == 1 ? "" : "s");
  return app_report(self, status);
}

const app_command app_export = {
    .name = "export",
    .summary = "write the weights of a model for PyTorch",
    .about = "Writes the tensors of a model under the names that import takes, and the columns as metadata: "
             "blocks.N.net.K.weight and .bias, and the normaliser, y = (x - mean) @ forward over the columns varying, with "
             "inverse and logdet. In Python safetensors.torch.load_file reads them.",
    .example = "  lfm export run -o weights.safetensors\n"
               "  lfm import weights.safetensors --config run/config.yaml -o model.safetensors\n",
    .run = run,
};
