/* SPDX-License-Identifier: MIT
 *
 * guard.c -- lfm guard: a policy learns what its observations look like when all is well.
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
  const char *model, *demos, *out, *successes, *task, *solver;
  int64_t rollouts, batches, nfe, threads;
  double alpha;
  app_seed seed;
  bool json;
} request;

static lfm_status guard(const request *r, app_progress *progress, lfm_guard_result *result) {
  lfm_model *model = NULL;
  lfm_table *demos = NULL, *successes = NULL;
  lfm_guard_options options;
  lfm_guard_defaults(&options);
  lfm_status status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) status = app_read_demos(r->demos, &(lfm_table_options){0}, model, &demos);
  if (status == LFM_OK && r->successes) status = app_read_demos(r->successes, &(lfm_table_options){0}, model, &successes);
  if (status == LFM_OK) {
    options.model = model;
    options.demos = demos;
    options.successes = successes;
    options.rollouts = r->rollouts;
    options.task = r->task;
    options.policy.solve = (lfm_solver_options){.solver = r->solver, .nfe = (int)r->nfe};
    if (r->alpha > 0.0) options.alpha = r->alpha;
    if (r->batches) options.batches = r->batches;
    options.seed = r->seed.value;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_guard(&options, r->out, result);
  }
  lfm_table_destroy(demos);
  lfm_table_destroy(successes);
  lfm_model_destroy(model);
  return status;
}

static void print_json(const request *r, const lfm_guard_result *result) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "model", r->out);
  app_json_whole(&json, "learnt_episodes", result->learnt);
  app_json_whole(&json, "calibrated_episodes", result->calibrated);
  app_json_real(&json, "level", result->level);
  if (result->success.of) app_json_share(&json, "success", &result->success);
  app_json_share(&json, "false_alarms", &result->false_alarms);
  if (result->success.of) app_json_share(&json, "detected", &result->detected);
  app_json_real(&json, "seconds", result->seconds);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_guard_result *result) {
  char text[APP_TEXT_SIZE];
  printf("guard         learnt from %" PRId64 " episodes, in %s\n", result->learnt, r->out);
  if (result->success.of) app_print_share("rollouts", &result->success, "episodes succeeded");
  printf("level         %.4g, calibrated on %" PRId64 " good episodes\n", result->level, result->calibrated);
  app_print_share("false alarms", &result->false_alarms, "other good episodes");
  if (result->detected.of) app_print_share("detected", &result->detected, "failed episodes");
  printf("time          %s\n", app_duration(text, result->seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a policy: a model file, or a run folder of lfm train"},
      {APP_OPERAND, .name = "DEMOS", .target = &r.demos, .help = "demonstrations of the same task; the policy's own will do"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FILE", .target = &r.out, .required = true,
       .help = "the model with its guard, a .safetensors file" APP_REPLACED},
      {APP_COUNT, .name = "rollouts", .value = "N", .target = &r.rollouts, .low = 1, .high = 1e6, .either = 1,
       .help = "calibrate by the successful ones of N episodes of the policy in its simulated task"},
      {APP_TEXT, .name = "successes", .value = "EPISODES", .target = &r.successes, .either = 1,
       .help = "calibrate by these episodes, recorded while the policy succeeded (default: half of DEMOS, then not learnt "
               "from)"},
      {APP_REAL, .name = "alpha", .value = "A", .target = &r.alpha, .low = 1e-6, .high = 0.999999,
       .help = "share of good episodes that may raise an alarm (default 0.05)"},
      {APP_TEXT, .name = "task", .value = "TASK", .target = &r.task,
       .help = "of the rollouts (default: what the demonstrations are of)"},
      APP_OPTION_POLICY_SOLVER("of the rollouts: ", &r.solver),
      {APP_COUNT, .name = "nfe", .value = "K", .target = &r.nfe, .low = 1, .high = 1e6,
       .help = "of the rollouts: evaluations of the velocity a chunk (default 8 a block)"},
      {APP_COUNT, .name = "batches", .value = "B", .target = &r.batches, .low = 1, .high = 1e9,
       .help = "batches that the guard learns from (default 3000)"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed, .high = 0x1p53,
       .help = "of its weights, of which episodes calibrate, and of the rollouts (default 0)"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!r.rollouts && (r.task || r.solver || r.nfe))
    return app_usage_error(self, "--task, --solver and --nfe have no effect without --rollouts");
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model, r.demos, r.successes})) return APP_USAGE;
  app_progress progress;
  lfm_guard_result result;
  app_progress_begin(&progress);
  lfm_status status = guard(&r, &progress, &result);
  app_progress_end(&progress);
  if (status == LFM_OK && r.json) print_json(&r, &result);
  if (status == LFM_OK && !r.json) print_result(&r, &result);
  return app_report(self, status);
}

const app_command app_guard = {
    .name = "guard",
    .summary = "teach a policy to notice when all is not well",
    .about = "Gives a policy a guard: a small flow over what it observes, and a level for how strange an observation may be. "
             "The level is calibrated on good episodes, so that another one raises an alarm with a chance of A at most; how "
             "often one does is then counted on good episodes that neither were learnt from nor calibrated. One evaluation "
             "of a small network a step of control. lfm rollout --guard asks it.",
    .example = "  lfm guard run lift.hdf5 --rollouts 400 -o guarded.safetensors\n"
               "  lfm rollout guarded.safetensors -n 400 --guard count\n",
    .run = run,
};
