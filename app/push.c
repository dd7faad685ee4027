/* SPDX-License-Identifier: MIT
 *
 * push.c -- lfm push: rows of data to a border between two blocks (encode), and rows of a border to data (decode).
 */
#include "app.h"
#include "columns.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>

typedef struct request {
  const char *model, *data, *out, *solver;
  int64_t to, nfe, threads; /* to < 0: the noise side */
  double tol;
  lfm_table_options columns;
  bool back, json;
} request;

typedef struct pushed {
  int64_t columns;
  int border, blocks;
  lfm_push_result cost;
} pushed;

static lfm_status carry(const request *r, app_progress *progress, const lfm_model *model, const lfm_table *rows,
                        lfm_table **out, pushed *result) {
  lfm_push_options options;
  lfm_push_defaults(&options);
  options.solve = (lfm_solver_options){.solver = r->solver, .tol = r->tol, .nfe = (int)r->nfe};
  options.to = r->to < 0 ? lfm_model_blocks(model) : (int)r->to;
  options.back = r->back;
  options.threads = (int)r->threads;
  options.progress = app_progress_show;
  options.context = progress;
  *result = (pushed){.border = options.to, .blocks = lfm_model_blocks(model)};
  lfm_status status = lfm_push(model, rows, &options, out, &result->cost);
  if (status == LFM_OK) result->columns = lfm_table_cols(*out);
  return status;
}

static lfm_status push(const request *r, app_progress *progress, pushed *result) {
  lfm_model *model = NULL;
  lfm_table *rows = NULL, *out = NULL;
  lfm_status status = r->back ? LFM_OK : lfm_table_writable(r->out); /* not after the solve */
  if (status == LFM_OK) status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) status = app_read_columns(r->data, &r->columns, model, r->back, &rows);
  if (status == LFM_OK && r->back) status = app_rows_writable(model, lfm_table_rows(rows), r->out);
  if (status == LFM_OK) status = carry(r, progress, model, rows, &out, result);
  if (status == LFM_OK) status = app_write_rows(out, r->out);
  lfm_table_destroy(out);
  lfm_table_destroy(rows);
  lfm_model_destroy(model);
  return status;
}

static void print_json(const request *r, const pushed *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "rows", result->cost.rows);
  app_json_whole(&json, "columns", result->columns);
  app_json_whole(&json, "border", result->border);
  app_json_whole(&json, "blocks", result->blocks);
  app_json_flag(&json, "back", r->back);
  app_json_real(&json, "nfe_mean", result->cost.nfe_mean);
  app_json_real(&json, "seconds", result->cost.seconds);
  app_json_close(&json);
}

static void print_result(const request *r, const pushed *result) {
  const char *side = result->border == 0 ? " (data side)" : result->border == result->blocks ? " (noise side)" : "";
  char text[APP_TEXT_SIZE];
  printf("rows          %" PRId64 " of %" PRId64 " columns, in %s\n", result->cost.rows, result->columns, r->out);
  printf("%s          border %d of %d%s\n", r->back ? "from" : "to  ", result->border, result->blocks, side);
  printf("evaluations   %s a row\n", app_amount(text, result->cost.nfe_mean));
  printf("time          %s\n", app_duration(text, result->cost.seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.to = -1};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_OPERAND, .name = "DATA", .target = &r.data,
       .help = "rows of data; with --back rows of a border, columns x0, x1, ..., as lfm push writes them"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "OUT", .target = &r.out, .required = true,
       .help = "the table to write, by its ending: .csv .csv.gz .npy file.npz::key file.hdf5::dataset; pictures, with "
               "--back: .png (a grid), .npy, or a folder of PNGs to make" APP_ARRAY_REPLACED},
      {APP_COUNT, .name = "to", .value = "N", .target = &r.to, .low = 0, .high = 1e6,
       .help = "the border that the rows go to, or with --back come from: 0 is the normalised data, 1 lies behind the first "
               "block (default: the noise side, behind the last)"},
      {APP_FLAG, .name = "back", .target = &r.back, .help = "decode: rows of the border to data"},
      APP_OPTION_COLUMNS(&r.columns.columns),
      APP_OPTION_DROP(&r.columns.drop),
      APP_OPTION_DROP_MISSING(&r.columns.drop_missing),
      APP_OPTION_HEADER(&r.columns.header),
      APP_OPTION_SOLVER(&r.solver),
      APP_OPTION_TOL(&r.tol, 2),
      APP_OPTION_NFE(&r.nfe, 2),
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model, r.data})) return APP_USAGE;
  r.columns.threads = (int)r.threads;
  app_progress progress;
  pushed result;
  app_progress_begin(&progress);
  lfm_status status = push(&r, &progress, &result);
  app_progress_end(&progress);
  if (status == LFM_OK && r.json) print_json(&r, &result);
  if (status == LFM_OK && !r.json) print_result(&r, &result);
  return app_report(self, status);
}

const app_command app_push = {
    .name = "push",
    .summary = "encode rows to noise or to a border between blocks, and decode",
    .about = "Carries each row of DATA through the first N blocks, into the units of the flow, where the noise side is a "
             "standard normal; with --back carries such rows to data, written with its header, units and decimals. The one "
             "undoes the other, to the errors of both solves. Row i of OUT is row i of DATA, not counting those "
             "that --drop-missing leaves out: a row whose solve fails is an error.",
    .example = "  lfm push run data.csv -o noise.csv\n"
               "  lfm push run noise.csv --back -o again.csv\n"
               "  lfm push run data.csv --to 1 -o border1.npy\n",
    .run = run,
};
