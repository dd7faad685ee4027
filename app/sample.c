/* SPDX-License-Identifier: MIT
 *
 * sample.c -- lfm sample: a model draws new rows, written in the columns, units and decimals of its data, or new pictures.
 */
#include "app.h"
#include "columns.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>

typedef struct request {
  const char *model, *out, *solver, *given;
  int64_t rows, nfe, probes, threads;
  double tol, guidance;
  const char *label;
  app_seed seed;
  bool logp, json;
} request;

static lfm_status sample(const request *r, app_progress *progress, lfm_sample_result *result) {
  lfm_model *model = NULL;
  lfm_table *rows = NULL, *given = NULL;
  lfm_status status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) status = app_rows_writable(model, r->rows, r->out); /* not after the solve */
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  if (status == LFM_OK && r->given) status = app_read_demos(r->given, &(lfm_table_options){0}, model, &given);
  if (status == LFM_OK && r->label) status = lfm_model_find_class(model, r->label, &options.label);
  if (status == LFM_OK) {
    options.solve = (lfm_solver_options){.solver = r->solver, .tol = r->tol, .nfe = (int)r->nfe};
    options.rows = r->rows;
    options.given = given;
    options.seed = r->seed.value;
    options.guidance = r->guidance;
    options.logp = r->logp;
    options.probes = (int)r->probes;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_sample(model, &options, &rows, result);
  }
  if (status == LFM_OK) status = app_write_rows(rows, r->out);
  lfm_table_destroy(rows);
  lfm_table_destroy(given);
  lfm_model_destroy(model);
  return status;
}

static void print_json(const lfm_sample_result *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "rows", result->rows);
  app_json_real(&json, "probe_se", result->probe_se);
  app_json_real(&json, "nfe_mean", result->nfe_mean);
  app_json_real(&json, "flops", result->flops);
  app_json_real(&json, "seconds", result->seconds);
  app_json_whole(&json, "failed", result->failed);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_sample_result *result) {
  char text[APP_TEXT_SIZE];
  printf("rows          %" PRId64 ", in %s\n", result->rows, r->out);
  if (result->failed > 0) printf("failed        %" PRId64 " rows, left out: their solve could not go on\n", result->failed);
  if (isfinite(result->probe_se))
    printf("probe error   %.2g nats: of the logp of a row, by its probes; column logp_se\n", result->probe_se);
  if (r->probes == 1) printf("probe error   not known from one probe; --probes 2 or more states it\n");
  printf("evaluations   %s a row, over the whole chain\n", app_amount(text, result->nfe_mean));
  printf("time          %s\n", app_duration(text, result->seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.guidance = 1.0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_COUNT, .letter = 'n', .name = "rows", .value = "N", .target = &r.rows, .required = true, .low = 1, .high = 1e12,
       .help = "how many rows to draw"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "OUT", .target = &r.out, .required = true,
       .help = "the table to write, by its ending: .csv .csv.gz .npy file.npz::key file.hdf5::dataset; pictures: .png (a "
               "grid), .npy, or a folder of PNGs to make" APP_ARRAY_REPLACED},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .help = "another seed gives other rows (default 0)"},
      {APP_TEXT, .name = "given", .value = "DEMOS", .target = &r.given,
       .help = "of a policy: demonstrations; draws a chunk of actions for each of N windows of theirs, evenly spaced, or for "
               "all where there are fewer"},
      {APP_TEXT, .name = "class", .value = "K", .target = &r.label,
       .help = "pictures of a model that knows classes: draw this one, by name or number, or none (default: one after the "
               "other)"},
      {APP_REAL, .name = "guidance", .value = "W", .target = &r.guidance, .low = 0.0, .high = 100.0,
       .help = "with a class: W times as far from the field without one (default 1; others take twice the evaluations)"},
      APP_OPTION_SOLVER(&r.solver),
      APP_OPTION_TOL(&r.tol, 1),
      APP_OPTION_NFE(&r.nfe, 1),
      {APP_FLAG, .name = "logp", .target = &r.logp, .help = "add a column logp: the log density of each row under the model"},
      APP_OPTION_PROBES(&r.probes, ""),
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model, r.given})) return APP_USAGE;
  app_progress progress;
  lfm_sample_result result;
  app_progress_begin(&progress);
  lfm_status status = sample(&r, &progress, &result);
  app_progress_end(&progress);
  if (status == LFM_OK && r.json) print_json(&result);
  if (status == LFM_OK && !r.json) print_result(&r, &result);
  return app_report(self, status);
}

const app_command app_sample = {
    .name = "sample",
    .summary = "draw new rows from a model",
    .about =
        "Draws N rows from the model and writes them with the header, units and decimals of the data it learnt. The same "
        "seed gives the same rows.",
    .example = "  lfm sample run -n 1000 -o new.csv --seed 1 --logp\n",
    .run = run,
};
