/* SPDX-License-Identifier: MIT
 *
 * test_absent.c -- a build without simulators says what to install, and has no tasks.
 */
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void whoever_asks_is_told_what_to_install(void **state) {
  (void)state;
  const lfm_task *task = (const lfm_task *)&state;
  assert_int_equal(lfm_task_find("lift", &task), LFM_E_UNSUPPORTED);
  assert_null(task);
  assert_non_null(strstr(lfm_error(), "libmujoco-dev"));
  assert_null(lfm_task_at(0));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(whoever_asks_is_told_what_to_install)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
