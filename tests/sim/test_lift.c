/* SPDX-License-Identifier: MIT
 *
 * test_lift.c -- how Lift begins, when it is done, and that its expert gets there.
 */
#include "world_support.h"

static void cubes_begin_where_they_may_and_differ(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  int quadrants = 0;
  double smallest = 1, largest = 0, spread = 0;
  enum { EPISODES = 100 };
  for (int64_t e = 0; e < EPISODES; e++) {
    OK(lfm_world_reset(&arm->base, 1, e));
    const double *cube = lfm_object_position(arm),
                 *half = arm->model->geom_size + 3 * mj_name2id(arm->model, mjOBJ_GEOM, "object");
    assert_true(fabs(cube[0]) <= 0.03 && fabs(cube[1]) <= 0.03);
    for (int i = 0; i < 3; i++) {
      assert_true(half[i] >= 0.020 && half[i] <= 0.022);
      smallest = fmin(smallest, half[i]), largest = fmax(largest, half[i]);
    }
    assert_true(fabs(cube[2] - 0.8 - half[2]) < 1e-12);
    double yaw = lfm_object_yaw(arm);
    quadrants |= 1 << (int)floor((yaw + mjPI) / (mjPI / 2 + 1e-9));
    for (int i = 0; i < 7; i++) {
      const double rest[7] = {0, mjPI / 16, 0, -mjPI / 2 - mjPI / 3, 0, mjPI - 0.2, mjPI / 4};
      double off = arm->data->qpos[i] - rest[i];
      assert_true(fabs(off) < 0.02 * 6);
      spread += off * off / (7 * EPISODES);
    }
    assert_false(lfm_world_succeeded(&arm->base));
  }
  assert_int_equal(quadrants, 15);
  assert_true(smallest < 0.0201 && largest > 0.0219);
  assert_true(sqrt(spread) > 0.018 && sqrt(spread) < 0.022);
  lfm_world_destroy(&arm->base);
}

static void the_mass_is_that_of_the_cube(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  OK(lfm_world_reset(&arm->base, 1, 4));
  const double *s = arm->shape;
  assert_true(fabs(arm->model->body_mass[arm->object] - 8000 * s[0] * s[1] * s[2]) < 1e-12);
  lfm_world_destroy(&arm->base);
}

/* Boxes that just touch are where MuJoCo's contacts once threw a cube across the room (seed 2, episode 14). */
static void a_cube_that_is_left_alone_stays(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  for (int64_t e = 0; e < 200; e++) {
    double action[LFM_POSE_ACTION] = {0}, start[3];
    OK(lfm_world_reset(&arm->base, 2, e));
    mju_copy3(start, lfm_object_position(arm));
    lfm_world_absolute(&arm->base, action, action);
    OK(lfm_world_step(&arm->base, action));
    assert_true(mju_dist3(start, lfm_object_position(arm)) < 1e-4);
  }
  lfm_world_destroy(&arm->base);
}

static void done_is_four_centimetres_up(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  OK(lfm_world_reset(&arm->base, 1, 0));
  put_object(arm, 0, 0, 0.8399);
  assert_false(lfm_world_succeeded(&arm->base));
  assert_true(lfm_world_reward(&arm->base) == 0);
  put_object(arm, 0, 0, 0.8401);
  assert_true(lfm_world_succeeded(&arm->base));
  assert_true(lfm_world_reward(&arm->base) == 1);
  lfm_world_destroy(&arm->base);
}

static void the_expert_lifts(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  assert_int_equal(expert_successes(&arm->base, 0, 6), 6);
  lfm_world_destroy(&arm->base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cubes_begin_where_they_may_and_differ),
      cmocka_unit_test(the_mass_is_that_of_the_cube),
      cmocka_unit_test(a_cube_that_is_left_alone_stays),
      cmocka_unit_test(done_is_four_centimetres_up),
      cmocka_unit_test(the_expert_lifts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
