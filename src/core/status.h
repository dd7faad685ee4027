/* SPDX-License-Identifier: MIT
 *
 * status.h -- how a fault travels: a status up the stack, and one line of text beside it, set where the fault arises.
 * Worker threads have their own line; lfm_team_run carries it to the caller (core/threads.h).
 */
#ifndef LFM_CORE_STATUS_H
#define LFM_CORE_STATUS_H

#include "lfm.h"

/* Sets this thread's error line and returns CODE: `return lfm_fail(LFM_E_DATA, "%s:%d: ...", path, line);` */
lfm_status lfm_fail(lfm_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": strerror(errno)" behind the text, as LFM_E_IO. */
lfm_status lfm_fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces the line of this thread (lfm_team_run hands a worker's line on). */
void lfm_error_set(const char *text);

/* Control characters become blanks: what is left is one line, and a name from a file cannot steer a terminal.  Also those of
 * two bytes in UTF-8, U+0080 to U+009F. */
void lfm_line_tame(char *text);

/* A note or a warning to the handler of lfm_notes_to. */
void lfm_note(lfm_note_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Passes a failure on; for functions that have nothing to release. */
#define LFM_TRY(expression)                                                                                                  \
  do {                                                                                                                       \
    lfm_status lfm_try_ = (expression);                                                                                      \
    if (lfm_try_ != LFM_OK) return lfm_try_;                                                                                 \
  } while (0)

/* Passes a failure on through a label that releases; needs a local `lfm_status status`. */
#define LFM_TRY_GOTO(expression, label)                                                                                      \
  do {                                                                                                                       \
    status = (expression);                                                                                                   \
    if (status != LFM_OK) goto label;                                                                                        \
  } while (0)

#endif
