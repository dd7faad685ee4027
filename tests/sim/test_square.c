/* SPDX-License-Identifier: MIT
 *
 * test_square.c -- how Square begins, when it is done, and that its expert gets there.
 */
#include "world_support.h"

static void nuts_begin_where_they_may_and_fall(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  double action[LFM_POSE_ACTION] = {0}, low = 9, high = -9;
  for (int64_t e = 0; e < 200; e++) {
    OK(lfm_world_reset(&arm->base, 1, e));
    const double *nut = lfm_object_position(arm);
    assert_true(nut[0] >= -0.115 && nut[0] <= -0.11 && nut[1] >= 0.11 && nut[1] <= 0.225);
    low = fmin(low, nut[1]), high = fmax(high, nut[1]);
  }
  assert_true(low < 0.113 && high > 0.222);
  assert_true(fabs(lfm_object_position(arm)[2] - 0.88) < 1e-12); /* 5 cm of air under it */
  lfm_world_absolute(&arm->base, action, action);
  for (int t = 0; t < 10; t++) OK(lfm_world_step(&arm->base, action));
  assert_true(fabs(lfm_object_position(arm)[2] - 0.83) < 1e-3);
  lfm_world_destroy(&arm->base);
}

static void done_is_low_around_the_peg(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  const double hair = 1e-6;
  OK(lfm_world_reset(&arm->base, 1, 0));
  put_object(arm, 0.23, 0.1, 0.83);
  assert_true(lfm_world_succeeded(&arm->base));
  for (int sign = -1; sign <= 1; sign += 2) {
    put_object(arm, 0.23 + sign * (0.03 - hair), 0.1 - sign * (0.03 - hair), 0.87 - hair);
    assert_true(lfm_world_succeeded(&arm->base));
    put_object(arm, 0.23 + sign * (0.03 + hair), 0.1, 0.83);
    assert_false(lfm_world_succeeded(&arm->base));
    put_object(arm, 0.23, 0.1 + sign * (0.03 + hair), 0.83);
    assert_false(lfm_world_succeeded(&arm->base));
  }
  put_object(arm, 0.23, 0.1, 0.87 + hair);
  assert_false(lfm_world_succeeded(&arm->base));
  lfm_world_destroy(&arm->base);
}

/* With the grip at the handle it is not done, however low the nut. */
static void a_nut_that_is_held_is_not_done(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  double action[LFM_POSE_ACTION];
  OK(lfm_world_reset(&arm->base, 7, 1));
  for (int t = 0; t < 400 && arm->plan.phase < 5; t++) expert_step(&arm->base, action);
  assert_true(arm->plan.phase >= 5 && lfm_object_position(arm)[2] > 0.87);
  for (int t = 0; t < 200 && lfm_object_position(arm)[2] > 0.87; t++) { /* lowered all the way, never opened */
    double down[LFM_POSE_ACTION] = {0, 0, -0.5, 0, 0, 0, 1};
    lfm_world_absolute(&arm->base, down, down);
    OK(lfm_world_step(&arm->base, down));
  }
  const double *nut = lfm_object_position(arm);
  assert_true(nut[2] < 0.87 && fabs(nut[0] - 0.23) < 0.03 && fabs(nut[1] - 0.1) < 0.03);
  assert_false(lfm_world_succeeded(&arm->base));
  lfm_world_destroy(&arm->base);
}

static void the_expert_threads(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  assert_int_equal(expert_successes(&arm->base, 0, 3), 3);
  lfm_world_destroy(&arm->base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nuts_begin_where_they_may_and_fall),
      cmocka_unit_test(done_is_low_around_the_peg),
      cmocka_unit_test(a_nut_that_is_held_is_not_done),
      cmocka_unit_test(the_expert_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
