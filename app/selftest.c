/* SPDX-License-Identifier: MIT
 *
 * selftest.c -- lfm selftest: is this machine computing right?  One line a check as it is done, then the verdict.
 */
#include "app.h"
#include "json.h"
#include "options.h"

typedef struct tally {
  FILE *out; /* lines; standard error when standard output belongs to the object */
  int passed, failed;
} tally;

static void show_check(const char *what, bool passed, const char *detail, void *context) {
  tally *t = context;
  bool has_detail = detail && *detail;
  fprintf(t->out, "%-6s  %s%s%s\n", passed ? "ok" : "FAILED", what, has_detail ? ": " : "", has_detail ? detail : "");
  fflush(t->out);
  if (passed) t->passed++;
  else t->failed++;
}

static int run(const app_command *self, int argc, char **argv) {
  int64_t threads = 0;
  bool as_json = false;
  const app_option options[] = {APP_OPTION_THREADS(&threads), APP_OPTION_JSON(&as_json), {0}};
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  tally t = {.out = as_json ? stderr : stdout};
  lfm_status status = lfm_selftest((int)threads, show_check, &t);
  if (as_json) {
    app_json json = app_json_open(stdout);
    app_json_whole(&json, "passed", t.passed);
    app_json_whole(&json, "failed", t.failed);
    app_json_close(&json);
  } else if (status == LFM_OK) {
    printf("all %d checks passed\n", t.passed);
  }
  return app_report(self, status);
}

const app_command app_selftest = {
    .name = "selftest",
    .summary = "check that lfm computes right on this machine",
    .about =
        "Networks for tables, pictures and policies run on the kernels that evaluate and train on this machine, those of "
        "bf16 too where it has them, and in double precision, whose gradients are held against finite differences; solvers "
        "and densities are compared with answers that are known. A difference is a share of the largest number. Takes some "
        "seconds; exit code 1 when a check fails.",
    .example = "  lfm selftest\n",
    .run = run,
};
