/* SPDX-License-Identifier: MIT
 *
 * test_can.c -- how Can begins, when it is done, and that its expert gets there.
 */
#include "world_support.h"

static void cans_begin_where_they_may(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  double low[2] = {9, 9}, high[2] = {-9, -9};
  for (int64_t e = 0; e < 300; e++) {
    OK(lfm_world_reset(&arm->base, 1, e));
    const double *can = lfm_object_position(arm);
    for (int i = 0; i < 2; i++) low[i] = fmin(low[i], can[i]), high[i] = fmax(high[i], can[i]);
    assert_true(fabs(can[2] - 0.86) < 1e-12);
  }
  assert_true(low[0] >= -0.02 && low[0] < -0.01 && high[0] <= 0.22 && high[0] > 0.21);
  assert_true(low[1] >= -0.42 && low[1] < -0.41 && high[1] <= -0.08 && high[1] > -0.09);
  lfm_world_destroy(&arm->base);
}

static void a_can_stands_where_it_was_put(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  double action[LFM_POSE_ACTION] = {0}, start[3];
  OK(lfm_world_reset(&arm->base, 1, 0));
  mju_copy3(start, lfm_object_position(arm));
  lfm_world_absolute(&arm->base, action, action);
  for (int t = 0; t < 60; t++) OK(lfm_world_step(&arm->base, action));
  assert_true(mju_dist3(start, lfm_object_position(arm)) < 2e-3);
  assert_true(arm->data->xmat[9 * arm->object + 8] > 0.999); /* upright */
  lfm_world_destroy(&arm->base);
}

static void done_is_in_the_far_place_and_let_go(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  const double in[3] = {0.2, 0.4, 0.86};
  const double borders[][3] = {{0.1, 0, 0}, {0.295, 0, 0}, {0, 0.28, 0}, {0, 0.525, 0}, {0, 0, 0.8}, {0, 0, 0.9}};
  OK(lfm_world_reset(&arm->base, 1, 0));
  put_object(arm, in[0], in[1], in[2]);
  assert_true(lfm_world_succeeded(&arm->base));
  for (int b = 0; b < 6; b++) { /* a hair on either side of each border */
    double inside[3], outside[3];
    for (int i = 0; i < 3; i++) {
      double hair = borders[b][i] > in[i] ? 1e-6 : -1e-6;
      inside[i] = borders[b][i] != 0 ? borders[b][i] - hair : in[i];
      outside[i] = borders[b][i] != 0 ? borders[b][i] + hair : in[i];
    }
    put_object(arm, inside[0], inside[1], inside[2]);
    assert_true(lfm_world_succeeded(&arm->base));
    put_object(arm, outside[0], outside[1], outside[2]);
    assert_false(lfm_world_succeeded(&arm->base));
  }
  lfm_world_destroy(&arm->base);
}

static void a_can_in_the_gripper_is_not_done(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  double action[LFM_POSE_ACTION], grip[3];
  OK(lfm_world_reset(&arm->base, 7, 0));
  for (int t = 0; t < 400 && arm->plan.phase < 5; t++) expert_step(&arm->base, action);
  for (int t = 0; t < 60 && lfm_object_position(arm)[2] > 0.9; t++) expert_step(&arm->base, action);
  mju_copy3(grip, lfm_grip_position(arm));
  put_object(arm, grip[0], grip[1], grip[2] - 0.0423);
  assert_false(lfm_world_succeeded(&arm->base));
  put_object(arm, grip[0], grip[1], fmin(grip[2] - 0.0425, 0.8999));
  assert_true(lfm_world_succeeded(&arm->base));
  lfm_world_destroy(&arm->base);
}

static void the_expert_carries(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  assert_int_equal(expert_successes(&arm->base, 0, 3), 3);
  lfm_world_destroy(&arm->base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cans_begin_where_they_may),
      cmocka_unit_test(a_can_stands_where_it_was_put),
      cmocka_unit_test(done_is_in_the_far_place_and_let_go),
      cmocka_unit_test(a_can_in_the_gripper_is_not_done),
      cmocka_unit_test(the_expert_carries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
