/* SPDX-License-Identifier: MIT
 *
 * score.c -- lfm score: log p of rows under a model, their mean with its errors, and the paired difference of two models.
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
  const char *model, *data, *out, *group, *against, *solver, *protocol;
  int64_t rows, nfe, probes, threads;
  double tol;
  app_seed seed;
  lfm_table_options columns;
  bool json;
} request;

/* What is not to turn up after the solve. */
static int prepare(const app_command *self, const request *r, lfm_model **model) {
  int code = r->out ? app_report(self, lfm_table_writable(r->out)) : APP_DONE;
  if (code == APP_DONE) code = app_report(self, lfm_model_load(r->model, model));
  return code == APP_DONE ? app_check_probe_seed(self, *model, &r->seed, r->probes) : code;
}

static lfm_status read_and_score(const request *r, const lfm_model *model, app_progress *progress, lfm_score_result *result,
                                 lfm_table **scores) {
  lfm_model *against = NULL;
  lfm_table *rows = NULL, *group = NULL;
  lfm_status status = r->against ? lfm_model_load(r->against, &against) : LFM_OK;
  if (status == LFM_OK) status = app_read_columns(r->data, &r->columns, model, false, &rows);
  if (status == LFM_OK && r->group) status = lfm_table_read_groups(r->group, &group);
  if (status == LFM_OK) {
    lfm_score_options options;
    lfm_score_defaults(&options);
    options.solve = (lfm_solver_options){.solver = r->solver, .tol = r->tol, .nfe = (int)r->nfe};
    options.rows = r->rows;
    options.paper_protocol = r->protocol != NULL;
    options.group = group;
    options.against = against;
    options.probes = (int)r->probes;
    options.seed = r->seed.value;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_score(model, rows, &options, r->out ? scores : NULL, result);
  }
  lfm_table_destroy(group);
  lfm_table_destroy(rows);
  lfm_model_destroy(against);
  return status;
}

static void print_json(const request *r, const lfm_score_result *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "rows", result->rows);
  app_json_real(&json, "nll", result->nll);
  app_json_real(&json, "nll_se", result->nll_se);
  app_json_real(&json, "nll_standardised", result->nll_standardised);
  if (isfinite(result->bits_per_dim)) {
    app_json_real(&json, "bits_per_dim", result->bits_per_dim);
    app_json_real(&json, "bits_se", result->bits_se);
  }
  app_json_real(&json, "solver_error", result->solver_error);
  app_json_real(&json, "probe_se", result->probe_se);
  app_json_real(&json, "seconds", result->seconds);
  app_json_whole(&json, "failed", result->failed);
  app_json_real(&json, "nfe_mean", result->nfe_mean);
  if (r->against) {
    app_json_whole(&json, "against_failed", result->against_failed);
    app_json_real(&json, "against_nll", result->against_nll);
    app_json_real(&json, "diff", result->diff);
    app_json_real(&json, "diff_se", result->diff_se);
    app_json_real(&json, "diff_low", result->diff_low);
    app_json_real(&json, "diff_high", result->diff_high);
  }
  app_json_close(&json);
}

static bool are_lost(const lfm_score_result *result) { return result->failed + result->against_failed > 0; }

static void print_difference(const request *r, const lfm_score_result *result) {
  char mean[APP_TEXT_SIZE], low[APP_TEXT_SIZE], high[APP_TEXT_SIZE];
  printf("against        %s nats a row, %s\n", app_like(mean, result->against_nll, result->nll_se), r->against);
  printf("difference     %s nats a row, 95 %% interval %s to %s\n", app_mean(mean, result->diff, result->diff_se),
         app_like(low, result->diff_low, result->diff_se), app_like(high, result->diff_high, result->diff_se));
  const char *where = are_lost(result) ? ", on the rows that both solved" : "";
  if (result->diff_high < 0) printf("better         %s%s\n", r->model, where); /* nobody remembers which sign is good */
  else if (result->diff_low > 0) printf("better         %s%s\n", r->against, where);
  else printf("better         neither: the interval holds 0\n");
}

static void print_failed(const request *r, const lfm_score_result *result) {
  if (r->against && are_lost(result))
    printf("failed         %" PRId64 " rows, and %" PRId64 " of %s: in neither mean\n", result->failed,
           result->against_failed, r->against);
  else if (are_lost(result))
    printf("failed         %" PRId64 " rows, not in the mean: their solve could not go on\n", result->failed);
}

static void print_result(const request *r, const lfm_score_result *result, bool is_written) {
  char text[APP_TEXT_SIZE];
  printf("nll            %s nats a row, in the units of the data\n", app_mean(text, result->nll, result->nll_se));
  if (isfinite(result->bits_per_dim))
    printf("bits/dim       %s, an upper bound of the pictures' own\n", app_mean(text, result->bits_per_dim, result->bits_se));
  printf("standardised   %s nats a row, without the normaliser's log-determinant\n",
         app_like(text, result->nll_standardised, result->nll_se));
  if (r->against) print_difference(r, result);
  printf("rows           %" PRId64 "%s\n", result->rows, r->group ? ", clustered for the standard error" : "");
  print_failed(r, result);
  app_print_solver_error(result->solver_error, r->nfe && !r->protocol);
  if (isfinite(result->probe_se))
    printf("probe error    %.2g nats: the part of the standard error that is the probes'\n", result->probe_se);
  if (r->probes == 1) printf("probe error    not known from one probe; --probes 2 or more states it\n");
  if (r->protocol) printf("protocol       that of the paper, biased: Euler steps count their own trace\n");
  printf("evaluations    %s a row, over the whole chain\n", app_amount(text, result->nfe_mean));
  printf("time           %s\n", app_duration(text, result->seconds));
  if (is_written) printf("scores         %s\n", r->out);
}

/* What hours have found is printed, whatever became of the table. */
static int score(const app_command *self, const request *r, const lfm_model *model) {
  app_progress progress;
  lfm_score_result result;
  lfm_table *scores = NULL;
  app_progress_begin(&progress);
  lfm_status status = read_and_score(r, model, &progress, &result, &scores);
  bool is_scored = status == LFM_OK;
  if (is_scored && r->out) status = lfm_table_write(scores, r->out);
  app_progress_end(&progress);
  lfm_table_destroy(scores);
  if (is_scored && r->json) print_json(r, &result);
  if (is_scored && !r->json) print_result(r, &result, r->out && status == LFM_OK);
  return app_report(self, status);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_OPERAND, .name = "DATA", .target = &r.data, .help = "the rows to score, by the ending: " APP_ROWS_OF_MODEL},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "OUT", .target = &r.out,
       .help = "write the score of each row: columns row, logp and status (0: solved)" APP_ARRAY_REPLACED},
      {APP_COUNT, .name = "rows", .value = "K", .target = &r.rows, .low = 1, .high = 1e12,
       .help = "score only K rows, evenly spaced"},
      APP_OPTION_COLUMNS(&r.columns.columns),
      APP_OPTION_DROP(&r.columns.drop),
      APP_OPTION_DROP_MISSING(&r.columns.drop_missing),
      APP_OPTION_HEADER(&r.columns.header),
      APP_OPTION_GROUP(&r.group),
      {APP_TEXT, .name = "against", .value = "MODEL", .target = &r.against,
       .help = "score another model of the same columns on the same rows too, and print the paired difference; every mean is "
               "then over the rows that both could solve"},
      APP_OPTION_SOLVER(&r.solver),
      APP_OPTION_TOL(&r.tol, 2),
      APP_OPTION_NFE(&r.nfe, 2),
      {APP_WORD, .name = "protocol", .value = "NAME", .target = &r.protocol, .words = (const char *const[]){"paper", NULL},
       .help = "the likelihood of a publication instead of the exact one, to compare with its numbers (biased; of Euler's "
               "steps, --nfe says another number):"},
      APP_OPTION_PROBES(&r.probes, APP_PROBES_OF_MODEL),
      APP_OPTION_PROBE_SEED(&r.seed),
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model, r.data, r.against, r.group}))
    return APP_USAGE;
  r.columns.threads = (int)r.threads;
  lfm_model *model = NULL;
  code = prepare(self, &r, &model);
  if (code == APP_DONE) code = score(self, &r, model);
  lfm_model_destroy(model);
  return code;
}

const app_command app_score = {
    .name = "score",
    .summary = "log p of each row of a table under a model",
    .about = "Prints the mean of -log p over the rows of DATA (nll, in nats, in the units of DATA, so the normaliser's "
             "log-determinant is included) with its standard error, and how far the solver may be off.",
    .example = "  lfm score run test.csv -o scores.csv\n"
               "  lfm score run test.csv --against run2 --json\n",
    .run = run,
};
