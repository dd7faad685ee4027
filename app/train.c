/* SPDX-License-Identifier: MIT
 *
 * train.c -- lfm train: a table and a configuration become a run folder.
 * The configuration is laid in layers, each over the one before: preset or file, --set in the order given, --seed and --size.
 */
#include "app.h"
#include "columns.h"
#include "configure.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "run.h"
#include "text.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct request {
  const char *data, *run, *valid, *preset, *file;
  app_texts sets;
  app_seed seed;
  lfm_table_options columns;
  double time_limit;
  int64_t threads, memory, preview_every;
  bool resume, allow_drift, json;
} request;

static lfm_status configure(const request *r, lfm_config **out) {
  char size[32];
  lfm_status status = app_configure_seeded(r->preset, r->file, &r->sets, &r->seed, out);
  if (status != LFM_OK || !r->columns.size) return status;
  snprintf(size, sizeof size, "image_size=%" PRId64, r->columns.size);
  return lfm_config_set(*out, size);
}

static void print_json(const request *r, const lfm_train_result *result) {
  char model[PATH_MAX];
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "blocks", result->blocks);
  app_json_whole(&json, "steps", result->steps);
  app_json_real(&json, "seconds", result->seconds);
  app_json_real(&json, "loss", result->loss);
  app_json_real(&json, "valid_nll", result->valid_nll);
  app_json_real(&json, "valid_nll_se", result->valid_nll_se);
  app_json_whole(&json, "valid_failed", result->valid_failed);
  app_json_text(&json, "model", app_name_model(r->run, model));
  app_json_real(&json, "train_flops", result->train_flops);
  app_json_real(&json, "push_flops", result->push_flops);
  app_json_whole(&json, "rows_dropped", result->rows_dropped);
  app_json_whole(&json, "memory_tables", result->memory.tables);
  app_json_whole(&json, "memory_pool", result->memory.pool);
  app_json_whole(&json, "memory_model", result->memory.model);
  app_json_whole(&json, "memory_lanes", result->memory.lanes);
  app_json_whole(&json, "memory_workers", result->memory.workers);
  app_json_whole(&json, "memory_in_files", result->memory.in_files);
  app_json_flag(&json, "was_finished", result->was_finished);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_train_result *result) {
  char text[APP_TEXT_SIZE], model[PATH_MAX];
  if (result->was_finished) printf("this run was finished before; nothing was done\n");
  printf("model       %s\n", app_name_model(r->run, model));
  printf("blocks      %d, %" PRId64 " steps in all\n", result->blocks, result->steps);
  if (isfinite(result->loss)) printf("loss        %.5g at the end of the last block\n", result->loss);
  if (isfinite(result->valid_nll))
    printf("valid nll   %s nats a row, in the units of the data\n", app_mean(text, result->valid_nll, result->valid_nll_se));
  if (result->valid_failed > 0) printf("            without %" PRId64 " rows whose solve failed\n", result->valid_failed);
  if (result->rows_dropped > 0) printf("dropped     %" PRId64 " rows that could not be carried on\n", result->rows_dropped);
  printf("compute     %.3g flop training, %.3g flop carrying the data\n", result->train_flops, result->push_flops);
  printf("time        %s\n", app_duration(text, result->seconds));
}

static lfm_status train(const request *r, const lfm_config *config, app_progress *progress, lfm_train_result *result) {
  lfm_table *rows = NULL, *valid = NULL;
  lfm_table_options of_data = r->columns;
  of_data.size = lfm_config_image_size(config);
  of_data.threads = (int)r->threads;
  lfm_status status = lfm_memory_limit(r->memory, r->run);
  if (status == LFM_OK) status = lfm_table_read(r->data, &of_data, &rows);
  if (status == LFM_OK && r->valid) status = app_read_beside(r->valid, &of_data, rows, &valid);
  if (status == LFM_OK) {
    lfm_train_options options;
    lfm_train_defaults(&options);
    options.config = config;
    options.train = rows;
    options.valid = valid;
    options.run = r->run;
    options.time_limit = r->time_limit;
    options.threads = (int)r->threads;
    options.resume = r->resume;
    options.allow_drift = r->allow_drift;
    options.preview_every = r->preview_every;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_train(&options, result);
  }
  lfm_table_destroy(valid);
  lfm_table_destroy(rows);
  return status;
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.preview_every = LFM_PREVIEW_AUTO};
  const app_option options[] = {
      {APP_OPERAND, .name = "DATA", .target = &r.data,
       .help =
           "the table to learn, by its ending: .csv .csv.gz .npy file.npz::key file.hdf5::dataset; or pictures: an IDX "
           "file, a CIFAR-10 or image folder, .npy of bytes; or demonstrations: HDF5 in robomimic's layout, a replay buffer"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "RUN", .target = &r.run, .required = true,
       .help = "folder to make for model, configuration, metrics and checkpoint"},
      {APP_TEXT, .name = "preset", .value = "NAME", .target = &r.preset, .either = 1,
       .help = "begin with one of the presets below"},
      {APP_TEXT, .name = "config", .value = "FILE", .target = &r.file, .either = 1,
       .help = "begin with the keys of a YAML file"},
      {APP_TEXTS, .name = "set", .value = "KEY=VALUE", .target = &r.sets,
       .help = "set one of the keys below, over preset or file; may be repeated"},
      {APP_TEXT, .name = "valid", .value = "DATA", .target = &r.valid,
       .help = "validation rows (default: a tenth of the rows is held out)"},
      {APP_TEXT, .name = "columns", .value = "A,B", .target = &r.columns.columns, .either = 2,
       .help = "learn these columns only, in this order"},
      {APP_TEXT, .name = "drop", .value = "A,B", .target = &r.columns.drop, .either = 2,
       .help = "learn all columns but these"},
      {APP_FLAG, .name = "drop-missing", .target = &r.columns.drop_missing,
       .help = "leave out rows with an empty or NaN field (otherwise they are an error)"},
      APP_OPTION_HEADER(&r.columns.header),
      {APP_COUNT, .name = "size", .value = "N", .target = &r.columns.size, .low = 4, .high = 1024,
       .help = "pictures: the middle square of each, scaled to N x N (the key image_size, below)"},
      {APP_FLAG, .name = "strict", .target = &r.columns.strict,
       .help = "pictures: one that cannot be read is an error (otherwise it is left out, with a warning)"},
      {APP_TEXT, .name = "observations", .value = "A,B", .target = &r.columns.observations,
       .help = "demonstrations: what an observation is made of, in this order (default: object, end-effector and gripper, as "
               "many of them as there are)"},
      {APP_COUNT, .name = "preview", .value = "STEPS", .target = &r.preview_every, .high = 1e12,
       .help =
           "pictures: batches between two looks at preview.png, a grid by the blocks so far, and strip.png in RUN; 0: none "
           "(default: as often as costs a fiftieth); the model is the same for any"},
      {APP_TIME, .name = "time", .value = "TIME", .target = &r.time_limit, .low = 1, .high = 30 * 86400,
       .help =
           "about how long to train: 90s, 10m, 2h (default 10m); chooses the number of steps unless the configuration does; "
           "few rows take less"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .high = 0x1p53,
       .help = "another seed gives another model (the key seed, below)"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_MEMORY(&r.memory),
      {APP_FLAG, .name = "resume", .target = &r.resume,
       .help = "go on from the checkpoint in RUN; without one, start afresh"},
      {APP_FLAG, .name = "allow-drift", .target = &r.allow_drift, .needs = "resume",
       .help = "resume even under another build, processor type or library version: the model will not be the same to the "
               "last bit"},
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (r.seed.given && app_sets_key(&r.sets, "seed")) return app_usage_error(self, "--seed and --set both give seed");
  if (r.columns.size && app_sets_key(&r.sets, "image_size"))
    return app_usage_error(self, "--size and --set both give image_size");
  app_progress progress;
  lfm_config *config = NULL;
  lfm_train_result result;
  app_progress_begin(&progress);
  lfm_status status = configure(&r, &config);
  if (status == LFM_OK) status = train(&r, config, &progress, &result);
  app_progress_end(&progress);
  code = app_report(self, status);
  if (status == LFM_E_INTERRUPTED) app_print_again(argc, argv, "--resume");
  if (status == LFM_OK && r.json) print_json(&r, &result);
  if (status == LFM_OK && !r.json) print_result(&r, &result);
  lfm_config_destroy(config);
  return code;
}

/* ---- help: keys and presets, as the library knows them ---- */

static void print_key(FILE *out, const char *name, const char *fallback, const char *help) {
  enum { INDENT = 20 };
  int column = fprintf(out, "  %-*s", INDENT - 2, name);
  if (strlen(name) + 2 >= INDENT) column = fprintf(out, "\n%*s", INDENT, "") - 1;
  app_paragraph paragraph = {.out = out, .column = column, .indent = INDENT};
  app_put_words(&paragraph, help);
  if (fallback && *fallback) {
    char text[128];
    int length = snprintf(text, sizeof text, "[%s]", fallback);
    app_put_word(&paragraph, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
  }
  fputc('\n', out);
}

static void print_keys_and_presets(FILE *out) {
  const char *name, *fallback, *help;
  fputs("\nkeys of --set and of YAML files [default]:\n", out);
  for (int i = 0; lfm_config_key(i, &name, &fallback, &help); i++) print_key(out, name, fallback, help);
  fputs("\npresets:\n ", out);
  app_paragraph paragraph = {.out = out, .column = 1, .indent = 2, .begun = true};
  for (int i = 0; (name = lfm_config_preset_name(i)) != NULL; i++) app_put_word(&paragraph, name, strlen(name));
  fputc('\n', out);
}

const app_command app_train = {
    .name = "train",
    .summary = "learn the density of a table",
    .about =
        "Trains a chain of flow-matching blocks on the rows of DATA and leaves the model in the folder RUN. Without a preset "
        "the architecture, batch and steps follow the data and --time. Ctrl-C, SIGTERM and a terminal that closes finish the "
        "step and write a checkpoint; the line that goes on is printed.",
    .example = "  lfm train data.csv -o run --time 10m --drop label\n"
               "  lfm train train.npy -o run2 --valid valid.npy --set hidden_dim=256 --seed 1\n",
    .more_help = print_keys_and_presets,
    .run = run,
};
