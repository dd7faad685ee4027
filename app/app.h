/* SPDX-License-Identifier: MIT
 *
 * app.h -- what the verbs of the program `lfm` share.
 * The program is a client of lfm.h and of nothing else in this tree; its own names begin with app_, because lfm_ is the
 * library's.  A verb is one file with one app_command: main.c finds it, options.c parses its table of options and writes its
 * help from the same table, progress.c shows how far the library is, json.c prints the result for machines.  What the library
 * notes is shown whatever the verb.
 * Manners: the result goes to standard output and everything else to standard error; exit 0 done; 1 failed,
 * whatever the fault of files and their contents; 2 usage, which is what the words of the command line or a key say wrongly.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "lfm.h"
#include <stdio.h>

enum { APP_DONE = 0, APP_FAILED = 1, APP_USAGE = 2 };

typedef struct app_command {
  const char *name;                                                  /* the verb */
  const char *summary;                                               /* a few words, small letter, no full stop */
  const char *about;                                                 /* the paragraph at the top of its help */
  const char *example;                                               /* whole command lines, each ended by a newline */
  void (*more_help)(FILE *out);                                      /* what the table of options does not say; may be NULL */
  int (*run)(const struct app_command *self, int argc, char **argv); /* argv[0] is the program; returns the exit code */
} app_command;

extern const app_command app_train, app_sweep, app_sample, app_score, app_ledger, app_eval, app_push, app_plan, app_distill,
    app_import, app_export, app_features, app_demos, app_guard, app_rollout, app_info, app_bench, app_selftest;

/* Prints "lfm VERB: text" to standard error as one line; returns APP_USAGE. */
int app_usage_error(const app_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints lfm_error() in the same way; returns the exit code that STATUS means.  LFM_OK prints nothing and is APP_DONE. */
int app_report(const app_command *command, lfm_status status);

/* An lfm_note_fn: a line on standard error.  For all verbs, from main.c; where there is a bar, progress.c clears it first. */
void app_show_note(lfm_note_level level, const char *text, void *context);

#endif
