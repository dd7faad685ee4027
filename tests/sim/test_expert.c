/* SPDX-License-Identifier: MIT
 *
 * test_expert.c -- moves go towards their goal and no further than a step may; yaws keep the last joint free; the noise is as
 * large as it is said to be; an expert begins anew with its episode.
 */
#include "world_support.h"

#include "sim/expert.h"
#include "support/near.h"

static void a_move_goes_towards_its_goal_at_the_pace_of_the_episode(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  for (int64_t e = 0; e < 20; e++) {
    double delta[LFM_POSE_ACTION];
    OK(lfm_world_reset(&arm->base, 1, e));
    const double *grip = lfm_grip_position(arm);
    lfm_reach goal = {.position = {grip[0] + 0.3, grip[1], grip[2] - 0.4}, .yaw = arm->plan.yaw};
    assert_false(lfm_expert_reach(arm, &goal, false, 0.01, delta));
    assert_true(arm->plan.pace >= 0.7 && arm->plan.pace <= 1.1);
    assert_near(mju_norm3(delta), arm->plan.pace, 1e-12); /* in units of 5 cm */
    assert_near(delta[0] / delta[2], -0.75, 1e-12);
    assert_true(delta[6] == -1);
    mju_copy3(goal.position, grip);
    goal.position[1] += 0.005;
    lfm_expert_reach(arm, &goal, true, 0.01, delta);
    assert_near(delta[1], 0.1, 1e-12); /* all that is left */
    assert_true(delta[6] == 1);
  }
  lfm_world_destroy(&arm->base);
}

/* Wherever a hand is to turn, the joint that has to do it ends where it said it would, clear of its limits. */
static void a_chosen_yaw_leaves_the_last_joint_free(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  for (int64_t e = 0; e < 4; e++) {
    const double first = 1.3 * (double)e;
    double delta[LFM_POSE_ACTION];
    OK(lfm_world_reset(&arm->base, 1, e));
    lfm_reach goal = {.position = {0.1, -0.3, 1.0}};
    goal.yaw = lfm_expert_yaw(arm, goal.position, first, mjPI / 2, false);
    double second = lfm_expert_yaw(arm, goal.position, first, mjPI / 2, true);
    assert_near(remainder(goal.yaw - first, mjPI / 2), 0, 1e-12);
    assert_near(fabs(second - goal.yaw), mjPI / 2, 1e-9);
    assert_true(fabs(goal.yaw - arm->plan.yaw) <= fabs(second - arm->plan.yaw));
    assert_true(lfm_expert_strain(arm, goal.position, goal.yaw) == 0);
    assert_true(lfm_expert_strain(arm, goal.position, goal.yaw + 2 * mjPI) > 10);
    bool there = false;
    for (int t = 0; t < 80 && !there; t++) {
      there = lfm_expert_reach(arm, &goal, false, 0.01, delta);
      lfm_world_absolute(&arm->base, delta, delta);
      OK(lfm_world_step(&arm->base, delta));
      arm->plan.yaw += remainder(atan2(lfm_grip_rotation(arm)[3], lfm_grip_rotation(arm)[0]) - arm->plan.yaw, 2 * mjPI);
    }
    assert_true(there);
    assert_true(fabs(arm->data->qpos[6]) < 2.7);
  }
  lfm_world_destroy(&arm->base);
}

static void the_noise_is_three_millimetres(void **state) {
  (void)state;
  enum { DRAWS = 500 };
  lfm_arm *arm = make_world("lift");
  double sum[6] = {0}, squares[6] = {0}, delta[LFM_POSE_ACTION];
  OK(lfm_world_reset(&arm->base, 1, 0));
  arm->plan.pace = 0.5;             /* clear of where a delta is cut off */
  for (int t = 0; t < DRAWS; t++) { /* the world stands still, so that all that changes is noise */
    lfm_world_expert(&arm->base, delta);
    for (int i = 0; i < 6; i++) sum[i] += delta[i], squares[i] += delta[i] * delta[i];
  }
  for (int i = 0; i < 6; i++) {
    double spread = sqrt(squares[i] / DRAWS - sum[i] / DRAWS * sum[i] / DRAWS) * (i < 3 ? 0.05 : 0.5);
    assert_near(spread, i < 3 ? 0.003 : 0.01, i < 3 ? 0.0004 : 0.0013);
  }
  lfm_world_destroy(&arm->base);
}

static void an_expert_begins_anew_with_its_episode(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  double first[LFM_POSE_ACTION], other[LFM_POSE_ACTION], again[LFM_POSE_ACTION];
  OK(lfm_world_reset(&arm->base, 1, 0));
  lfm_world_expert(&arm->base, first);
  for (int t = 0; t < 5; t++) expert_step(&arm->base, other);
  OK(lfm_world_reset(&arm->base, 1, 1));
  lfm_world_expert(&arm->base, other);
  OK(lfm_world_reset(&arm->base, 1, 0));
  lfm_world_expert(&arm->base, again);
  assert_memory_equal(first, again, sizeof first);
  assert_true(memcmp(first, other, sizeof first) != 0);
  lfm_world_destroy(&arm->base);
}

/* Several ways to grasp: what is learnt from them has several modes. */
static void experts_differ_in_how_they_grasp(void **state) {
  (void)state;
  const char *const names[] = {"lift", "can", "square"};
  for (int k = 0; k < 3; k++) {
    lfm_arm *arm = make_world(names[k]);
    int first_way = 0, ways = 0;
    double delta[LFM_POSE_ACTION], yaws[40];
    for (int64_t e = 0; e < 40; e++) {
      OK(lfm_world_reset(&arm->base, 1, e));
      lfm_world_expert(&arm->base, delta);
      if (k == 2) first_way += arm->plan.along < 0.06;
      yaws[e] = arm->plan.grasp[0] - (k == 0 ? lfm_object_yaw(arm) : 0);
    }
    for (int e = 0; e < 40; e++) { /* distinct yaws, up to whole turns of the faces */
      bool seen = false;
      for (int f = 0; f < e; f++) seen |= fabs(remainder(yaws[e] - yaws[f], mjPI)) < 1e-6;
      ways += !seen;
    }
    if (k == 0) assert_int_equal(ways, 2);
    if (k == 1) assert_int_equal(ways, 4);
    if (k == 2) assert_in_range(first_way, 8, 32);
    lfm_world_destroy(&arm->base);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_move_goes_towards_its_goal_at_the_pace_of_the_episode),
      cmocka_unit_test(a_chosen_yaw_leaves_the_last_joint_free),
      cmocka_unit_test(the_noise_is_three_millimetres),
      cmocka_unit_test(an_expert_begins_anew_with_its_episode),
      cmocka_unit_test(experts_differ_in_how_they_grasp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
