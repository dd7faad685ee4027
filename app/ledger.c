/* SPDX-License-Identifier: MIT
 *
 * ledger.c -- lfm ledger: one table that shows where in the chain the nats are lost.
 * A row a border: what the blocks behind it still earn, beside what the theory says is left; then what the held-out rows lose
 * to over-fit, solver and, where the truth is known, to the model as a whole; last, in words, what the theory does not cover.
 */
#include "app.h"
#include "columns.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>

typedef struct request {
  const char *model, *data, *train, *truth, *group, *train_group, *solver;
  int64_t rows, probes, threads;
  app_seed seed;
  double tol;
  lfm_table_options columns;
  bool json;
} request;

static lfm_status make_ledger(const request *r, const lfm_model *model, app_progress *progress, lfm_ledger_result *result) {
  lfm_table *heldout = NULL, *train = NULL, *truth = NULL, *group = NULL, *train_group = NULL;
  lfm_status status = app_read_columns(r->data, &r->columns, model, false, &heldout);
  if (status == LFM_OK && r->train) status = app_read_columns(r->train, &r->columns, model, false, &train);
  if (status == LFM_OK && r->truth) status = app_read_column(r->truth, "logp", &truth);
  if (status == LFM_OK && r->group) status = lfm_table_read_groups(r->group, &group);
  if (status == LFM_OK && r->train_group) status = lfm_table_read_groups(r->train_group, &train_group);
  if (status == LFM_OK) {
    lfm_ledger_options options;
    lfm_ledger_defaults(&options);
    options.solve = (lfm_solver_options){.solver = r->solver, .tol = r->tol};
    options.rows = r->rows;
    options.train = train;
    options.truth = truth;
    options.group = group;
    options.train_group = train_group;
    options.probes = (int)r->probes;
    options.seed = r->seed.value;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_ledger(model, heldout, &options, result);
  }
  lfm_table_destroy(train_group);
  lfm_table_destroy(group);
  lfm_table_destroy(truth);
  lfm_table_destroy(train);
  lfm_table_destroy(heldout);
  return status;
}

/* ---- for machines ---- */

typedef enum field { GAMMA, KL, KL_SE, THEORY, TRUE_KL, TRUE_KL_SE } field;

static double field_of(const lfm_ledger_border *border, field which) {
  switch (which) {
  case GAMMA:
    return border->gamma;
  case KL:
    return border->kl;
  case KL_SE:
    return border->kl_se;
  case THEORY:
    return border->theory;
  case TRUE_KL:
    return border->true_kl;
  case TRUE_KL_SE:
    break;
  }
  return border->true_kl_se;
}

/* A list over the borders, the data's first. */
static void put_borders(app_json *json, const char *key, const lfm_ledger_result *result, field which) {
  double values[LFM_MAX_BLOCKS + 1];
  for (int n = 0; n <= result->blocks; n++) values[n] = field_of(&result->border[n], which);
  app_json_reals(json, key, values, result->blocks + 1);
}

static void print_json(const request *r, const lfm_ledger_result *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "blocks", result->blocks);
  put_borders(&json, "gamma", result, GAMMA);
  put_borders(&json, "kl", result, KL);
  put_borders(&json, "kl_se", result, KL_SE);
  put_borders(&json, "theory", result, THEORY);
  app_json_whole(&json, "rows", result->rows);
  app_json_whole(&json, "failed", result->failed);
  app_json_real(&json, "nll", result->nll);
  app_json_real(&json, "nll_se", result->nll_se);
  if (r->train) {
    app_json_real(&json, "train_nll", result->train_nll);
    app_json_whole(&json, "train_failed", result->train_failed);
    app_json_real(&json, "over_fit", result->over_fit);
    app_json_real(&json, "over_fit_se", result->over_fit_se);
  }
  if (r->truth) {
    app_json_real(&json, "excess", result->excess);
    app_json_real(&json, "excess_se", result->excess_se);
    put_borders(&json, "true_kl", result, TRUE_KL);
    put_borders(&json, "true_kl_se", result, TRUE_KL_SE);
  }
  app_json_real(&json, "solver_error", result->solver_error);
  if (isfinite(result->probe_se)) app_json_real(&json, "probe_se", result->probe_se);
  app_json_real(&json, "widest", result->widest);
  app_json_real(&json, "chance", result->chance);
  app_json_whole(&json, "above_1", result->above_1);
  app_json_whole(&json, "above_2", result->above_2);
  app_json_flag(&json, "a1_broken", result->above_1 > 0);
  app_json_flag(&json, "chi2_infinite", result->above_2 > 0);
  app_json_flag(&json, "free_block", result->has_free_block);
  app_json_real(&json, "nfe_mean", result->nfe_mean);
  app_json_real(&json, "seconds", result->seconds);
  app_json_close(&json);
}

/* ---- for people ---- */

/* Right-aligned by what is seen (± is two bytes and one column), and apart from its neighbour however long it is. */
static void print_cell(int width, const char *text) {
  int seen = 0;
  for (const char *at = text; *at; at++) seen += (*at & 0xC0) != 0x80;
  printf("%*s%s", width > seen ? width - seen : 1, "", text);
}

static void print_border(const lfm_ledger_result *result, int n, bool with_truth) {
  const lfm_ledger_border *border = &result->border[n];
  bool is_free = n > 0 && isnan(border->gamma);
  char name[APP_TEXT_SIZE], step[APP_TEXT_SIZE] = "", text[APP_TEXT_SIZE];
  snprintf(name, sizeof name, n == 0 ? "data" : "block %d", n);
  if (n > 0) snprintf(step, sizeof step, "%.4g", border->gamma);
  printf("%-10s %8s", name, is_free ? "free" : step);
  print_cell(22, app_mean(text, border->kl, border->kl_se));
  print_cell(12, isnan(border->theory) ? "-" : app_like(text, border->theory, result->border[0].kl_se));
  if (with_truth) print_cell(22, app_mean(text, border->true_kl, border->true_kl_se));
  putchar('\n');
}

static void print_borders(const lfm_ledger_result *result, bool with_truth) {
  printf("%-10s %8s%22s%12s%s\n", "behind", "OU step", "KL to N(0, I)", "theory", with_truth ? "         by the truth" : "");
  for (int n = 0; n <= result->blocks; n++) print_border(result, n, with_truth);
}

static void print_losses(const request *r, const lfm_ledger_result *result) {
  char text[APP_TEXT_SIZE];
  printf("\nnll            %s nats a row, held out, in the units of the data\n", app_mean(text, result->nll, result->nll_se));
  if (r->truth)
    printf("excess         %s nats: what the true log p has over the model's\n",
           app_mean(text, result->excess, result->excess_se));
  if (r->train)
    printf("over-fit       %s nats: held-out nll over that of training rows\n",
           app_mean(text, result->over_fit, result->over_fit_se));
  if (r->train && !r->group != !r->train_group)
    printf("over-fit error not known: %s has no clusters; %s names them\n", r->group ? "--train" : "DATA",
           r->group ? "--train-group" : "--group");
  app_print_solver_error(result->solver_error, false);
  if (isfinite(result->probe_se))
    printf("probe error    %.2g nats: the part of the standard error that is the probes'\n", result->probe_se);
  printf("rows           %" PRId64 "%s\n", result->rows, r->group ? ", clustered for the standard errors" : "");
  if (result->failed > 0)
    printf("failed         %" PRId64 " rows, not in the means: their solve could not go on\n", result->failed);
  if (result->train_failed > 0)
    printf("failed         %" PRId64 " training rows, not in the over-fit: likewise\n", result->train_failed);
  printf("time           %s\n", app_duration(text, result->seconds));
}

static void print_sentence(const char *text) {
  app_paragraph paragraph = {.out = stdout, .indent = 2};
  app_put_word(&paragraph, "-", 1);
  app_put_words(&paragraph, text);
  putchar('\n');
}

/* A1: a density below C exp(-|x|^2 / 2). */
static void print_variances(const lfm_ledger_result *result) {
  char text[256];
  const char *chance = "by chance alone these rows could show";
  if (!isfinite(result->widest)) snprintf(text, sizeof text, "Assumption A1 (thin tails): one row shows no covariance.");
  else if (result->above_1 == 0)
    snprintf(text, sizeof text,
             "Assumption A1 (thin tails) is not contradicted by the covariance of the rows: its largest eigenvalue is %.3g, "
             "and %s %.3g.",
             result->widest, chance, result->chance);
  else
    snprintf(text, sizeof text,
             "Assumption A1 (thin tails) fails: the covariance of the rows has %" PRId64 " of %" PRId64
             " eigenvalues above 1, "
             "the largest %.3g; %s %.3g.",
             result->above_1, result->dim, result->widest, chance, result->chance);
  print_sentence(text);
  if (result->above_2 > 0)
    print_sentence("An eigenvalue is above 2: for Gaussian rows like these chi^2 to N(0, I) is infinite, so its contraction "
                   "bounds nothing.");
}

static void print_assumptions(const lfm_ledger_result *result) {
  puts("\nwhere the theory stops:");
  print_variances(result);
  if (result->has_free_block)
    print_sentence("The free block lies outside the theorem, which speaks of OU steps of finite length.");
  print_sentence("KL here is by the model's own log p behind each border, so it ends at 0 whatever the model; the true KL is "
                 "larger by the excess, at every border alike.");
}

static void print_result(const request *r, const lfm_ledger_result *result) {
  print_borders(result, r->truth != NULL);
  print_losses(r, result);
  print_assumptions(result);
}

static int show_ledger(const app_command *self, const request *r, const lfm_model *model) {
  app_progress progress;
  lfm_ledger_result result;
  app_progress_begin(&progress);
  lfm_status status = make_ledger(r, model, &progress, &result);
  app_progress_end(&progress);
  if (status == LFM_OK && r->json) print_json(r, &result);
  if (status == LFM_OK && !r->json) print_result(r, &result);
  return app_report(self, status);
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_OPERAND, .name = "DATA", .target = &r.data,
       .help = "held-out rows, which the model has not learnt from; by the ending: " APP_ROWS_OF_MODEL},
      {APP_TEXT, .name = "train", .value = "DATA", .target = &r.train,
       .help = "the rows that the model learnt from: as many of them are scored too, for the over-fit"},
      {APP_TEXT, .name = "truth", .value = "DATA", .target = &r.truth,
       .help = "where the true density is known: a table with a column logp, a row for each row of DATA; its others are not "
               "read"},
      {APP_COUNT, .name = "rows", .value = "K", .target = &r.rows, .low = 1, .high = 1e12,
       .help = "take only K rows, evenly spaced"},
      APP_OPTION_COLUMNS(&r.columns.columns),
      APP_OPTION_DROP(&r.columns.drop),
      APP_OPTION_DROP_MISSING(&r.columns.drop_missing),
      APP_OPTION_HEADER(&r.columns.header),
      APP_OPTION_GROUP(&r.group),
      {APP_TEXT, .name = "train-group", .value = "DATA", .target = &r.train_group,
       .help = "the same for the rows of --train; with only one of the two the over-fit has no error, since one half of it "
               "would be clustered and the other not"},
      APP_OPTION_ADAPTIVE(&r.solver),
      APP_OPTION_TOL(&r.tol, 0),
      APP_OPTION_PROBES(&r.probes, APP_PROBES_OF_MODEL),
      APP_OPTION_PROBE_SEED(&r.seed),
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  r.columns.threads = (int)r.threads;
  lfm_model *model = NULL;
  code = app_report(self, lfm_model_load(r.model, &model));
  if (code == APP_DONE) code = app_check_probe_seed(self, model, &r.seed, r.probes);
  if (code == APP_DONE) code = show_ledger(self, &r, model);
  lfm_model_destroy(model);
  return code;
}

const app_command app_ledger = {
    .name = "ledger",
    .summary = "where in the chain the nats are lost",
    .about = "Carries held-out rows through the chain and prints, for every border between its blocks, how far the rows "
             "there still are from noise (KL to N(0, I), in nats a row), beside what the theory of the process expects; "
             "then over-fit, the solver's error and, with --truth, the excess over the entropy.",
    .example = "  lfm ledger run test.csv --train train.csv --rows 2000\n"
               "  lfm ledger run test.csv --truth truth.csv --json\n",
    .run = run,
};
