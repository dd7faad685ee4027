/* SPDX-License-Identifier: MIT
 *
 * distill.c -- lfm distill: a chain of flows becomes a few networks, each of which is evaluated once.
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
#include <math.h>
#include <string.h>

typedef struct request {
  const char *teacher, *run, *plan, *method, *file, *given, *solver;
  app_texts sets;
  app_seed seed;
  int64_t steps, split, budget, pairs, nfe, threads, memory;
  double time_limit, tol, guidance, s;
  bool resume, allow_drift, json;
} request;

static lfm_status distill(const request *r, app_progress *progress, lfm_train_result *result) {
  lfm_model *teacher = NULL;
  lfm_config *config = NULL;
  lfm_table *given = NULL;
  lfm_distill_options options;
  lfm_distill_defaults(&options);
  lfm_status status = lfm_memory_limit(r->memory, r->run);
  if (status == LFM_OK) status = lfm_model_load(r->teacher, &teacher);
  if (status == LFM_OK) status = app_configure_seeded(NULL, r->file, &r->sets, &r->seed, &config);
  if (status == LFM_OK && r->given) status = app_read_demos(r->given, &(lfm_table_options){0}, teacher, &given);
  if (status == LFM_OK) {
    options.teacher = teacher;
    options.run = r->run;
    options.steps = (int)r->steps;
    options.plan = r->plan;
    options.s = r->s;
    options.split = (int)r->split;
    options.method = r->method;
    options.config = config;
    options.budget = r->budget;
    options.time_limit = r->time_limit;
    options.pairs = r->pairs;
    options.solve = (lfm_solver_options){.solver = r->solver, .tol = r->tol, .nfe = (int)r->nfe};
    options.given = given;
    options.guidance = r->guidance;
    options.threads = (int)r->threads;
    options.resume = r->resume;
    options.allow_drift = r->allow_drift;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_distill(&options, result);
  }
  lfm_table_destroy(given);
  lfm_config_destroy(config);
  lfm_model_destroy(teacher);
  return status;
}

static void print_json(const request *r, const lfm_train_result *result) {
  char model[PATH_MAX];
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "students", result->blocks);
  app_json_whole(&json, "steps", result->steps);
  app_json_real(&json, "seconds", result->seconds);
  app_json_real(&json, "loss", result->loss);
  app_json_text(&json, "model", app_name_model(r->run, model));
  app_json_real(&json, "train_flops", result->train_flops);
  app_json_real(&json, "teacher_flops", result->push_flops);
  app_json_whole(&json, "rows_dropped", result->rows_dropped);
  app_json_flag(&json, "was_finished", result->was_finished);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_train_result *result) {
  char text[APP_TEXT_SIZE], model[PATH_MAX];
  if (result->was_finished) printf("this run was finished before; nothing was done\n");
  printf("model       %s\n", app_name_model(r->run, model));
  printf("students    %d, one evaluation each; %" PRId64 " steps in all\n", result->blocks, result->steps);
  if (isfinite(result->loss)) printf("loss        %.5g at the end, in the mean\n", result->loss);
  if (result->rows_dropped > 0)
    printf("dropped     %" PRId64 " rows that the teacher could not draw\n", result->rows_dropped);
  printf("compute     %.3g flop training, %.3g flop of the teacher\n", result->train_flops, result->push_flops);
  printf("time        %s\n", app_duration(text, result->seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.split = 1, .guidance = 1.0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.teacher, .help = "the teacher: a model file, or a run folder of lfm train"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "RUN", .target = &r.run, .required = true,
       .help = "folder to make for the distilled model, and a run folder in it for each student"},
      {APP_COUNT, .name = "steps", .value = "K", .target = &r.steps, .low = 1, .high = 64,
       .help = "evaluations that are to be left, 1 to the number of the teacher's blocks (default: as the plan says)"},
      {APP_TEXT, .name = "plan", .value = "PLAN", .target = &r.plan,
       .help =
           "which blocks become one student: even, vanilla (the same), boot, consistency or progressive, each over groups "
           "of equal size; auto, that of least predicted error, as lfm plan finds it; or in words, block 1 being the data's: "
           "\"1 | (2 3) | 4\" (default even)"},
      {APP_REAL, .name = "s", .value = "S", .target = &r.s, .low = 1e-3, .high = 1e6,
       .help =
           "with --plan auto: how long a student learns, as lfm plan has it (default: a pilot of a hundredth of the budget "
           "tells)"},
      {APP_COUNT, .name = "split", .value = "M", .target = &r.split, .low = 1, .high = 64,
       .help =
           "count each block as M, pieces of its flow that are equal in time: for more steps than there are blocks, as of "
           "plain flow matching (default 1)"},
      {APP_WORD, .name = "method", .value = "NAME", .target = &r.method,
       .words = (const char *const[]){"residual", "reflow", "meanflow", NULL},
       .help = "how a student learns (default residual): pairs of the teacher's states at once, a straight flow between "
               "them first, or that flow's mean velocity:"},
      {APP_COUNT, .name = "budget", .value = "STEPS", .target = &r.budget, .low = 1, .high = 1e12,
       .help = "batches over all students (default: as many as --time holds)"},
      {APP_TIME, .name = "time", .value = "TIME", .target = &r.time_limit, .low = 1, .high = 30 * 86400,
       .help = "about how long it may take: 90s, 10m, 2h (default 10m); chooses the number of steps unless --budget does"},
      {APP_COUNT, .name = "pairs", .value = "P", .target = &r.pairs, .low = 1, .high = 1e9,
       .help =
           "rows that the teacher draws to be learnt from (default 50000, of pictures and policies 10000, or what a quarter "
           "of the time holds)"},
      {APP_TEXT, .name = "config", .value = "FILE", .target = &r.file, .help = "how students train: a YAML file of keys"},
      {APP_TEXTS, .name = "set", .value = "KEY=VALUE", .target = &r.sets,
       .help = "set one of the keys that say how to train (lr, batch_size, ema_decay, ...; lfm train --help lists them); may "
               "be repeated"},
      {APP_TEXT, .name = "given", .value = "DEMOS", .target = &r.given,
       .help = "of a policy: the demonstrations on whose observations it acts"},
      {APP_REAL, .name = "guidance", .value = "W", .target = &r.guidance, .low = 0.0, .high = 100.0,
       .help = "of a teacher that knows classes: W times as far from its field without one; the students have it within"},
      APP_OPTION_SOLVER(&r.solver),
      {APP_REAL, .name = "tol", .value = "T", .target = &r.tol, .either = 1, .low = 1e-12, .high = 0.1,
       .help = "tolerance of the teacher's solve (default 1e-4)"},
      APP_OPTION_NFE(&r.nfe, 1),
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .high = 0x1p53,
       .help = "another seed gives other rows of the teacher and another model"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_MEMORY(&r.memory),
      {APP_FLAG, .name = "resume", .target = &r.resume,
       .help = "go on from the checkpoint in RUN; without one, start afresh"},
      {APP_FLAG, .name = "allow-drift", .target = &r.allow_drift, .needs = "resume",
       .help = "resume even under another build, processor type or library version"},
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (r.seed.given && app_sets_key(&r.sets, "seed")) return app_usage_error(self, "--seed and --set both give seed");
  if (r.s > 0.0 && !(r.plan && strcmp(r.plan, "auto") == 0))
    return app_usage_error(self, "--s has no effect without --plan auto");
  app_progress progress;
  lfm_train_result result;
  app_progress_begin(&progress);
  lfm_status status = distill(&r, &progress, &result);
  app_progress_end(&progress);
  code = app_report(self, status);
  if (status == LFM_E_INTERRUPTED) app_print_again(argc, argv, "--resume");
  if (status == LFM_OK && r.json) print_json(&r, &result);
  if (status == LFM_OK && !r.json) print_result(&r, &result);
  return code;
}

const app_command app_distill = {
    .name = "distill",
    .summary = "make a chain of flows into a few single steps",
    .about =
        "Lets the chain in MODEL draw rows, records where they pass between its blocks, and trains networks that do in one "
        "evaluation each what one or several blocks do. What is left draws rows, pictures or actions as any model does, in K "
        "evaluations, but has no density. Stopped, it goes on with --resume.",
    .example = "  lfm distill run -o fast --steps 2\n"
               "  lfm distill run -o fast --plan \"1 | (2 3) | 4\" --time 5m\n"
               "  lfm sample fast -n 1000 -o new.csv\n",
    .run = run,
};
