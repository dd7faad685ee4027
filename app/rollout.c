/* SPDX-License-Identifier: MIT
 *
 * rollout.c -- lfm rollout: a policy acts in a simulated task, episode after episode.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>

typedef struct request {
  const char *model, *task, *out, *record;
  int64_t episodes, nfe, threads;
  double shove;
  lfm_policy_options policy;
  app_seed seed;
  bool json;
} request;

/* What hours have found is written and printed, whatever became of the sheet or the table. */
static lfm_status roll(const request *r, app_progress *progress, lfm_rollout_result *result, bool *is_written) {
  lfm_model *model = NULL;
  lfm_table *episodes = NULL;
  lfm_rollout_options options;
  lfm_rollout_defaults(&options);
  lfm_status status = r->out ? lfm_table_writable(r->out) : LFM_OK;
  if (status == LFM_OK) status = lfm_model_load(r->model, &model);
  if (status == LFM_OK) {
    options.model = model;
    options.task = r->task;
    options.episodes = r->episodes;
    options.seed = r->seed.value;
    options.policy = r->policy;
    options.policy.solve.nfe = (int)r->nfe;
    options.shove = r->shove;
    options.sheet = r->record;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_rollout(&options, &episodes, result);
  }
  if (episodes && r->out) {
    lfm_status written = lfm_table_write(episodes, r->out);
    *is_written = written == LFM_OK;
    if (status == LFM_OK) status = written;
  }
  lfm_table_destroy(episodes);
  lfm_model_destroy(model);
  return status;
}

static void print_latency(app_json *json, const lfm_policy_stats *policy, int64_t missed) {
  app_json_begin(json, "latency_us");
  app_json_real(json, "p50", policy->p50);
  app_json_real(json, "p99", policy->p99);
  app_json_real(json, "p99_9", policy->p99_9);
  app_json_real(json, "max", policy->max);
  app_json_whole(json, "missed", missed);
  app_json_end(json);
}

static void print_guard_json(app_json *json, const lfm_rollout_result *result) {
  app_json_share(json, "alarms_in_successes", &result->alarms_in_successes);
  app_json_share(json, "alarms_in_failures", &result->alarms_in_failures);
  app_json_whole(json, "alarm_steps", result->policy.alarms);
}

static void print_json(const request *r, const lfm_rollout_result *result) {
  app_json json = app_json_open(stdout);
  app_json_whole(&json, "episodes", result->success.of);
  app_json_real(&json, "success", result->success.share);
  app_json_real(&json, "success_low", result->success.low);
  app_json_real(&json, "success_high", result->success.high);
  app_json_real(&json, "mean_score", result->score);
  app_json_real(&json, "score_se", result->score_se);
  app_json_whole(&json, "steps", result->steps);
  app_json_whole(&json, "broken", result->broken);
  app_json_whole(&json, "nfe", result->policy.nfe);
  app_json_whole(&json, "chunks", result->policy.chunks);
  app_json_whole(&json, "refused", result->policy.refused);
  app_json_whole(&json, "clamped", result->policy.clamped);
  app_json_real(&json, "jump", result->policy.jump);
  if (r->policy.guard) print_guard_json(&json, result);
  print_latency(&json, &result->policy, result->missed);
  app_json_real(&json, "seconds", result->seconds);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_rollout_result *result, bool is_written) {
  char text[APP_TEXT_SIZE], score[APP_TEXT_SIZE];
  const lfm_policy_stats *policy = &result->policy;
  app_print_share("success", &result->success, NULL);
  printf("score         %s: the best reward of an episode, in the mean\n", app_mean(score, result->score, result->score_se));
  if (result->broken > 0)
    printf("broken        %" PRId64 " episodes: physics or policy could not go on, %" PRId64 " observations refused\n",
           result->broken, policy->refused);
  if (policy->clamped > 0) printf("clamped       %" PRId64 " numbers of observations, out of range\n", policy->clamped);
  if (result->alarms_in_successes.of) app_print_share("alarms", &result->alarms_in_successes, "successful episodes");
  if (result->alarms_in_failures.of) app_print_share("alarms", &result->alarms_in_failures, "failed episodes");
  if (policy->chunks > 0)
    printf("chunk         %d evaluations, %.0f us in the median, p99 %.0f, p99.9 %.0f, at most %.0f (%" PRId64
           " chunks, %" PRId64 " too late)\n",
           policy->nfe, policy->p50, policy->p99, policy->p99_9, policy->max, policy->chunks, result->missed);
  if (isfinite(policy->jump))
    printf("jump          %.4f from chunk to chunk, in the mean; 1 is half the range of an action's number\n", policy->jump);
  if (is_written) printf("episodes      each in %s\n", r->out);
  printf("time          %s\n", app_duration(text, result->seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {.episodes = 50};
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r.model, .help = "a model file, or a run folder of lfm train"},
      {APP_TEXT, .name = "task", .value = "TASK", .target = &r.task,
       .help = "lift, can, square or pusht (default: what the demonstrations are of)"},
      {APP_COUNT, .letter = 'n', .name = "episodes", .value = "N", .target = &r.episodes, .low = 1, .high = 1e6,
       .help = "how many episodes (default 50)"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed,
       .help = "another seed gives other starts and other noise (default 0); the same starts for any model"},
      APP_OPTIONS_ACTING("", "end the episode", &r.policy, &r.nfe),
      {APP_REAL, .name = "shove", .value = "D", .target = &r.shove, .low = 0, .high = 1e6,
       .help = "disturb every episode once: for 10 steps the hand is D metres (Push-T: pixels) from where it is told to go"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "OUT", .target = &r.out,
       .help = "a table to write, an episode a row: success, score, steps" APP_ARRAY_REPLACED},
      {APP_TEXT, .name = "record", .value = "PNG", .target = &r.record,
       .help = "also draw the first episodes, a strip of moments each" APP_REPLACED},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (r.out && !app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.model, r.record})) return APP_USAGE;
  app_progress progress;
  lfm_rollout_result result = {0};
  bool is_written = false;
  app_progress_begin(&progress);
  lfm_status status = roll(&r, &progress, &result, &is_written);
  app_progress_end(&progress);
  bool is_rolled = result.success.of > 0;
  if (is_rolled && r.json) print_json(&r, &result);
  if (is_rolled && !r.json) print_result(&r, &result, is_written);
  return app_report(self, status);
}

const app_command app_rollout = {
    .name = "rollout",
    .summary = "let a policy act in a simulated task",
    .about =
        "Runs N episodes of a policy that was trained on demonstrations, each from a start of its own, and says how often it "
        "succeeded. The same seed gives the same episodes, on any number of threads.",
    .example = "  lfm rollout run -n 400 --nfe 8 --seed 100000 -o episodes.csv\n",
    .run = run,
};
