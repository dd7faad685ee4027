/* SPDX-License-Identifier: MIT
 *
 * status.c -- the error line of each thread, and where notes go.
 * A fixed buffer in thread-local storage: setting an error can never fail, and costs nothing until it happens.
 */
#include "core/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 1024 };

static _Thread_local char error_line[LINE];

static lfm_note_fn note_handler;
static void *note_context;

const char *lfm_error(void) { return error_line; }

void lfm_line_tame(char *text) {
  for (unsigned char *c = (unsigned char *)text; *c; c++) {
    if (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) c[0] = c[1] = ' ';
    if (*c < ' ' || *c == 0x7F) *c = ' ';
  }
}

void lfm_error_set(const char *text) {
  if (text == error_line) return;
  snprintf(error_line, sizeof error_line, "%s", text);
  lfm_line_tame(error_line);
}

/* What does not fit into line [size] ends in "...", and not in the middle of a character. */
static void put_line(char *line, size_t size, const char *format, va_list arguments) {
  static const char cut[] = "...";
  int length = vsnprintf(line, size, format, arguments);
  if (length < 0 || (size_t)length < size) return;
  size_t end = size - sizeof cut;
  while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80) end--; /* the bytes behind a character's first, in UTF-8 */
  memcpy(line + end, cut, sizeof cut);
}

lfm_status lfm_fail(lfm_status code, const char *format, ...) {
  char line[LINE]; /* the arguments may include the old error line */
  va_list arguments;
  va_start(arguments, format);
  put_line(line, sizeof line, format, arguments);
  va_end(arguments);
  lfm_error_set(line);
  return code;
}

lfm_status lfm_fail_errno(const char *format, ...) {
  const char *cause = strerror(errno);
  char line[LINE];
  va_list arguments;
  va_start(arguments, format);
  put_line(line, sizeof line - strlen(": ") - strlen(cause), format, arguments); /* of a long path the cause is still heard */
  va_end(arguments);
  return lfm_fail(LFM_E_IO, "%s: %s", line, cause);
}

void lfm_notes_to(lfm_note_fn handler, void *context) {
  note_handler = handler;
  note_context = context;
}

void lfm_note(lfm_note_level level, const char *format, ...) {
  if (!note_handler) return;
  char line[LINE];
  va_list arguments;
  va_start(arguments, format);
  put_line(line, sizeof line, format, arguments);
  va_end(arguments);
  lfm_line_tame(line);
  note_handler(level, line, note_context);
}
