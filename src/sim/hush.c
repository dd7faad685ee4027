/* SPDX-License-Identifier: MIT
 *
 * hush.c -- a call whose greeting nobody wants to read, or a program to parse.
 * Debian's Chipmunk is a debug build that prints two lines when the first space is made.  There is no switch for it, so that
 * for those microseconds stdout, a variable in the GNU library and documented as one, is a stream of ours: it drops what this
 * thread writes and passes on what any other does.  It is never closed, for another thread may still hold it when stdout is
 * what it was again.
 * Refused: /dev/null in the place of descriptor 1, which swallows other threads' output too; building the space from the
 * library's private parts; a patched copy of the library.
 */
#include "sim/hush.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_hushed;
static FILE *real, *screen;

static ssize_t pass_on(void *cookie, const char *text, size_t size) {
  (void)cookie;
  return is_hushed ? (ssize_t)size : (ssize_t)fwrite(text, 1, size, real);
}

static lfm_status make_screen(void) {
  if (screen) return LFM_OK;
  screen = fopencookie(NULL, "w", (cookie_io_functions_t){.write = pass_on});
  if (!screen) return lfm_fail(LFM_E_MEMORY, "memory for a stream was refused");
  setvbuf(screen, NULL, _IONBF, 0); /* a write reaches pass_on in the thread that made it */
  return LFM_OK;
}

lfm_status lfm_hush(void (*noisy)(void *context), void *context) {
  pthread_mutex_lock(&lock);
  lfm_status status = make_screen();
  if (status == LFM_OK) {
    real = stdout;
    stdout = screen;
    is_hushed = true;
    noisy(context);
    is_hushed = false;
    stdout = real;
  }
  pthread_mutex_unlock(&lock);
  return status;
}
