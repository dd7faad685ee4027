/* SPDX-License-Identifier: MIT
 *
 * guard.c -- one landing place a thread, and the handlers that use it.
 * A fault or a warning outside of our calls, in a program that uses MuJoCo itself, goes to the handler that was there before
 * ours.
 */
#include "sim/guard.h"

#include <mujoco/mujoco.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct landing {
  jmp_buf place;
  char text[256];
} landing;

static _Thread_local landing *open_landing; /* NULL: no call of ours is under way */
static pthread_once_t handlers_are_set = PTHREAD_ONCE_INIT;
static void (*earlier_error)(const char *text), (*earlier_warning)(const char *text);

static void give_up(const char *text) {
  landing *to = open_landing;
  if (to) {
    snprintf(to->text, sizeof to->text, "%s", text);
    longjmp(to->place, 1);
  }
  if (earlier_error) earlier_error(text);
  abort(); /* MuJoCo's own contract: a handler does not return */
}

static void keep_quiet(const char *text) {
  if (!open_landing && earlier_warning) earlier_warning(text);
}

static void set_handlers(void) {
  earlier_error = mju_user_error, earlier_warning = mju_user_warning;
  mju_user_error = give_up;
  mju_user_warning = keep_quiet;
}

lfm_status lfm_physics_guard(lfm_physics_fn fn, void *context) {
  landing here;
  pthread_once(&handlers_are_set, set_handlers);
  if (setjmp(here.place)) {
    open_landing = NULL;
    return lfm_fail(LFM_E_NUMERIC, "MuJoCo gave up: %s", here.text);
  }
  open_landing = &here;
  fn(context);
  open_landing = NULL;
  return LFM_OK;
}
