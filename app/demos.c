/* SPDX-License-Identifier: MIT
 *
 * demos.c -- lfm demos: a scripted expert of a simulated task fills a file of demonstrations.
 */
#include "app.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>

typedef struct request {
  const char *task, *out, *sheet;
  int64_t episodes, threads;
  app_seed seed;
  bool json;
} request;

static lfm_status record(const request *r, app_progress *progress, lfm_demos_result *result) {
  lfm_demos_options options;
  lfm_demos_defaults(&options);
  options.task = r->task;
  options.episodes = r->episodes;
  options.seed = r->seed.value;
  options.sheet = r->sheet;
  options.threads = (int)r->threads;
  options.progress = app_progress_show;
  options.context = progress;
  return lfm_demos_record(&options, r->out, result);
}

static void print_json(const request *r, const lfm_demos_result *result) {
  app_json json = app_json_open(stdout);
  app_json_text(&json, "task", r->task);
  app_json_whole(&json, "episodes", result->success.count);
  app_json_whole(&json, "tried", result->success.of);
  app_json_real(&json, "success", result->success.share);
  app_json_real(&json, "success_low", result->success.low);
  app_json_real(&json, "success_high", result->success.high);
  app_json_whole(&json, "steps", result->steps);
  app_json_real(&json, "seconds", result->seconds);
  app_json_close(&json);
}

static void print_result(const request *r, const lfm_demos_result *result) {
  char text[APP_TEXT_SIZE];
  const lfm_share *success = &result->success;
  printf("episodes      %" PRId64 ", in %s\n", success->count, r->out);
  printf("steps         %" PRId64 ", %.1f an episode\n", result->steps, (double)result->steps / (double)success->count);
  printf("expert        succeeded in %" PRId64 " of %" PRId64 ": %.1f %% (95 %% interval %.1f to %.1f)\n", success->count,
         success->of, 100 * success->share, 100 * success->low, 100 * success->high);
  printf("time          %s\n", app_duration(text, result->seconds));
}

static int run(const app_command *self, int argc, char **argv) {
  request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "TASK", .target = &r.task, .help = "what is to be done: lift, can or square"},
      {APP_COUNT, .letter = 'n', .name = "episodes", .value = "N", .target = &r.episodes, .required = true, .low = 1,
       .high = 100000, .help = "how many episodes to record, all of them successes"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FILE", .target = &r.out, .required = true,
       .help = "the .hdf5 file to write, in robomimic's layout" APP_REPLACED},
      {APP_TEXT, .name = "sheet", .value = "PNG", .target = &r.sheet,
       .help = "also draw the first episodes, a strip of moments each" APP_REPLACED},
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed,
       .help = "another seed gives other starts and another hand (default 0)"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  app_progress progress;
  lfm_demos_result result;
  app_progress_begin(&progress);
  lfm_status status = record(&r, &progress, &result);
  app_progress_end(&progress);
  bool is_recorded = result.success.of > 0; /* whatever became of the sheet */
  if (is_recorded && r.json) print_json(&r, &result);
  if (is_recorded && !r.json) print_result(&r, &result);
  return app_report(self, status);
}

const app_command app_demos = {
    .name = "demos",
    .summary = "record demonstrations by a scripted expert",
    .about =
        "Lets the scripted expert of a simulated task act until N episodes have succeeded, and writes what it saw and did: "
        "observations, actions as steps and as poses, states, rewards. A tenth of the episodes is marked as valid, the "
        "rest as train. The same seed gives the same file.",
    .example = "  lfm demos lift -n 200 -o lift.hdf5 --sheet lift.png\n  lfm info lift.hdf5\n",
    .run = run,
};
