/* SPDX-License-Identifier: MIT
 *
 * capture.h -- what a stretch of a test prints, to either of the standard streams.  Nothing is asserted within: cmocka's own
 * words would be lost.
 */
#ifndef LFM_TESTS_SUPPORT_CAPTURE_H
#define LFM_TESTS_SUPPORT_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after the four headers that it leans on */

#include <stdio.h>
#include <unistd.h>

typedef struct capture {
  FILE *file;
  int out, err; /* where they went before */
} capture;

static inline capture capture_begin(void) {
  capture c = {.file = tmpfile()};
  assert_non_null(c.file);
  fflush(stdout);
  c.out = dup(STDOUT_FILENO), c.err = dup(STDERR_FILENO);
  assert_true(dup2(fileno(c.file), STDOUT_FILENO) >= 0 && dup2(fileno(c.file), STDERR_FILENO) >= 0);
  return c;
}

/* text [size] = its beginning, ended by a zero. */
static inline void capture_end(capture *c, char *text, size_t size) {
  fflush(stdout);
  dup2(c->out, STDOUT_FILENO), dup2(c->err, STDERR_FILENO);
  close(c->out), close(c->err);
  rewind(c->file);
  text[fread(text, 1, size - 1, c->file)] = 0;
  fclose(c->file);
}

#endif
