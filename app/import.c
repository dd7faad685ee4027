/* SPDX-License-Identifier: MIT
 *
 * import.c -- lfm import: weights that PyTorch trained become a model.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"

#include <inttypes.h>

typedef struct request {
  const char *weights, *config, *out, *columns;
  bool json;
} request;

typedef struct imported {
  int64_t columns, channels, height, width; /* of pictures all four, else the first */
  int blocks;
} imported;

static lfm_status import(const request *r, const lfm_config *config, imported *result) {
  lfm_import_options options;
  lfm_model *model = NULL;
  lfm_import_defaults(&options);
  options.config = config;
  options.columns = r->columns;
  lfm_status status = lfm_model_import(r->weights, &options, &model);
  if (status == LFM_OK) status = lfm_model_write(model, r->out);
  if (status == LFM_OK) {
    *result = (imported){.columns = lfm_model_dim(model), .blocks = lfm_model_blocks(model)};
    lfm_model_picture(model, &result->channels, &result->height, &result->width);
  }
  lfm_model_destroy(model);
  return status;
}

static lfm_status configure_and_import(const request *r, imported *result) {
  lfm_config *config = NULL;
  lfm_status status = lfm_config_create(&config);
  if (status == LFM_OK) status = lfm_config_load(config, r->config);
  if (status == LFM_OK) status = import(r, config, result);
  lfm_config_destroy(config);
  return status;
}

static void print_json(const request *r, const imported *result) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "model", r->out);
  app_json_whole(&json, "columns", result->columns);
  app_json_whole(&json, "blocks", result->blocks);
  app_json_close(&json);
}

static void print_text(const request *r, const imported *result) {
  printf("model     %s: %d block%s over ", r->out, result->blocks, result->blocks == 1 ? "" : "s");
  if (result->channels)
    printf("pictures of %" PRId64 " x %" PRId64 " x %" PRId64 "\n", result->channels, result->height, result->width);
  else printf("%" PRId64 " column%s\n", result->columns, result->columns == 1 ? "" : "s");
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "FILE", .target = &r.weights,
       .help = "the weights, written by safetensors.torch.save_file or lfm export"},
      {APP_TEXT, .name = "config", .value = "FILE", .target = &r.config, .required = true,
       .help = "the network, in YAML: hidden_dim, num_hidden, act, cat_t, of one that sees waves also waves, finest_wave and "
               "interp; or the keys of a unet; hks where there are several blocks; the config.yaml of a run will do"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "MODEL", .target = &r.out, .required = true,
       .help = "the model to write, a .safetensors file" APP_REPLACED},
      {APP_TEXT, .name = "columns", .value = "A,B", .target = &r.columns,
       .help = "names of the columns (default: those that lfm export has kept, else x0, x1, ...)"},
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.weights, r.config})) return APP_USAGE;
  imported result;
  lfm_status status = configure_and_import(&r, &result);
  if (status == LFM_OK && r.json) print_json(&r, &result);
  if (status == LFM_OK && !r.json) print_text(&r, &result);
  return app_report(self, status);
}

static void print_names(FILE *out) {
  fputs("\ntensors of FILE, float32, weights [out, in]:\n"
        "  blocks.N.net.K.weight, blocks.N.net.K.bias\n"
        "                      block N = 0 (data side), 1, ...; linear map K = 0, 2, ...\n"
        "                      of a torch.nn.Sequential with activations between; the\n"
        "                      first takes torch.cat([t, x], 1), with waves x and these\n"
        "  net.K.weight, net.K.bias\n"
        "                      instead, where there is a single block\n"
        "  normaliser.mean, normaliser.scale\n"
        "                      [columns]: x = (data - mean) / scale; without them the\n"
        "                      data are x; or all of lfm export's\n"
        "  blocks.N.input_blocks.0.0.weight, ...\n"
        "                      of pictures: the names of guided diffusion's U-Net, with\n"
        "                      the metadata channels, height, width, classes; they enter\n"
        "                      as byte / 127.5 - 1, and t in [0, 1]\n"
        "\nfrom a list of modules, in Python:\n"
        "  tensors = {f'blocks.{n}.{name}': value for n, block in enumerate(blocks)\n"
        "             for name, value in block.state_dict().items()}\n"
        "  safetensors.torch.save_file(tensors, 'weights.safetensors')\n",
        out);
}

const app_command app_import = {
    .name = "import",
    .summary = "make a model of weights from PyTorch",
    .about =
        "Makes a model that sample, score and push take from the weights in FILE and a configuration that says what network "
        "they belong to. Every tensor is checked against it: one that is missing, surplus or of another shape is named.",
    .example = "  lfm import weights.safetensors --config net.yaml -o model.safetensors\n"
               "  lfm score model.safetensors test.csv\n",
    .more_help = print_names,
    .run = run,
};
