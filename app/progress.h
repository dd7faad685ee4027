/* SPDX-License-Identifier: MIT
 *
 * progress.h -- how far the library is, on standard error, and the user's wish to stop.
 *
 *   app_progress progress;
 *   app_progress_begin(&progress);      notes, warnings, SIGINT, SIGTERM and SIGHUP are in our hands from here
 *   options.progress = app_progress_show, options.context = &progress;
 *   status = lfm_train(...);
 *   app_progress_end(&progress);        the bar is gone, notes and signals are as before
 *
 * One at a time: signals and notes belong to the process.  Not for a call that has no progress function: it would never ask
 * whether the user wants to stop.
 */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "lfm.h"

typedef struct app_progress {
  bool on_terminal, utf8;
  bool shown;           /* the bar stands on the screen */
  bool begun;           /* `last` holds something */
  bool last_is_printed; /* as a line */
  bool hushed;          /* by the caller: notes are not shown, since they will come again */
  lfm_progress last;
  double first_seconds; /* where the estimate of the time left counts from: a resumed run begins in the middle */
  double first_fraction;
  double next_line; /* seconds; when a plain line is due */
} app_progress;

void app_progress_begin(app_progress *progress);
bool app_progress_show(const lfm_progress *now, void *context); /* an lfm_progress_fn; context is the app_progress */
void app_progress_say(app_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3))); /* a line */
void app_progress_end(app_progress *progress);

#endif
