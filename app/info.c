/* SPDX-License-Identifier: MIT
 *
 * info.c -- lfm info: what a file holds, as the library describes it.
 */
#include "app.h"
#include "options.h"

#include <string.h>

static int run(const app_command *self, int argc, char **argv) {
  const char *path = NULL;
  bool json = false;
  const app_option options[] = {
      {APP_OPERAND, .name = "FILE", .target = &path,
       .help = "a model, a checkpoint, a data file, or a folder: of a run, a sweep, a distillation or pictures"},
      APP_OPTION_JSON(&json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  char *text = NULL;
  lfm_status status = lfm_describe(path, json, &text);
  if (status == LFM_OK) {
    size_t length = strlen(text);
    fputs(text, stdout);
    if (length == 0 || text[length - 1] != '\n') putchar('\n');
    lfm_text_free(text);
  }
  return app_report(self, status);
}

const app_command app_info = {
    .name = "info",
    .summary = "what a model, checkpoint, run folder or data file holds",
    .about = "Says what a file holds: of a model its columns, blocks and configuration, of a run how it ended; of a data "
             "file its rows "
             "and columns.",
    .example = "  lfm info run/model.safetensors\n",
    .run = run,
};
