/* SPDX-License-Identifier: MIT
 *
 * test_guard.c -- MuJoCo's way to end a program ends a call of ours instead, in the thread where it happened; nothing is
 * printed.
 */
#include "sim/guard.h"

#include "core/threads.h"
#include "sim/load.h"
#include "support/capture.h"

#include <string.h>

static void complain(void *context) {
  (void)context;
  mju_warning("a warning that nobody sees");
  mju_error("the stack is full");
}

static void count(void *context) { ++*(int *)context; }

static void an_error_is_a_status(void **state) {
  (void)state;
  int calls = 0;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(lfm_physics_guard(complain, NULL), LFM_E_NUMERIC);
    assert_non_null(strstr(lfm_error(), "the stack is full"));
    assert_int_equal(lfm_physics_guard(count, &calls), LFM_OK);
  }
  assert_int_equal(calls, 3);
}

/* Neither to a stream nor to the file that MuJoCo keeps for it. */
static void nothing_is_printed(void **state) {
  (void)state;
  char said[256];
  capture c = capture_begin();
  lfm_status status = lfm_physics_guard(complain, NULL);
  capture_end(&c, said, sizeof said);
  assert_int_equal(status, LFM_E_NUMERIC);
  assert_string_equal(said, "");
  assert_int_not_equal(access("MUJOCO_LOG.TXT", F_OK), 0);
}

static lfm_status work(void *context, int worker, int64_t task) {
  int *calls = context;
  (void)worker;
  for (int i = 0; i < 200; i++) {
    if (task % 2 == 0) {
      if (lfm_physics_guard(complain, NULL) != LFM_E_NUMERIC) return lfm_fail(LFM_E_DATA, "an error went astray");
    } else {
      if (lfm_physics_guard(count, calls + task) != LFM_OK) return lfm_fail(LFM_E_DATA, "another's error came here");
    }
  }
  return LFM_OK;
}

static void errors_stay_in_their_thread(void **state) {
  (void)state;
  lfm_team *team;
  int calls[4] = {0};
  assert_int_equal(lfm_team_create(4, &team), LFM_OK);
  assert_int_equal(lfm_team_run(team, 4, work, calls), LFM_OK);
  assert_int_equal(calls[1] + calls[3], 400);
  lfm_team_destroy(team);
}

static void a_model_that_is_not_there_is_named(void **state) {
  (void)state;
  mjModel *model = (mjModel *)(void *)&state;
  assert_int_equal(lfm_load_model("nothing", &model), LFM_E_FORMAT);
  assert_null(model);
  assert_non_null(strstr(lfm_error(), "nothing"));
}

static char warned[64];
static void note_warning(const char *text) { snprintf(warned, sizeof warned, "%s", text); }

/* Of a program that uses MuJoCo itself: its handler, set before ours. */
static void warnings_of_others_go_to_their_handler(void **state) {
  (void)state;
  int calls = 0;
  assert_int_equal(lfm_physics_guard(count, &calls), LFM_OK);
  mju_warning("somebody else's");
  assert_non_null(strstr(warned, "somebody else's"));
  warned[0] = '\0';
  assert_int_equal(lfm_physics_guard(complain, NULL), LFM_E_NUMERIC);
  assert_string_equal(warned, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(warnings_of_others_go_to_their_handler),
      cmocka_unit_test(an_error_is_a_status),
      cmocka_unit_test(nothing_is_printed),
      cmocka_unit_test(errors_stay_in_their_thread),
      cmocka_unit_test(a_model_that_is_not_there_is_named),
  };
  mju_user_warning = note_warning;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
