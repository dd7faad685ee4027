/* SPDX-License-Identifier: MIT
 *
 * test_arm.c -- the arm goes where it is told and nowhere else; what is observed is MuJoCo's own; an episode is its seed, its
 * number and its actions, to the bit; faults are statuses, and stepping asks for no memory.
 */
#include "world_support.h"

#include "core/alloc.h"
#include "core/threads.h"
#include "support/near.h"

/* The pose of the grip site now, as an action, fingers open. */
static void pose_now(const lfm_arm *arm, double action[LFM_POSE_ACTION]) {
  memset(action, 0, LFM_POSE_ACTION * sizeof *action);
  action[6] = -1;
  lfm_world_absolute(&arm->base, action, action);
}

static void go(lfm_arm *arm, const double *action, int steps) {
  for (int t = 0; t < steps; t++) OK(lfm_world_step(&arm->base, action));
}

/* Radians between the grip site and an action's orientation. */
static double angle_to(const lfm_arm *arm, const double *action) {
  double quat[4] = {1, 0, 0, 0}, now[4], turn[3];
  mju_quatIntegrate(quat, action + 3, 1);
  mju_mat2Quat(now, arm->data->site_xmat + 9 * arm->grip);
  mju_subQuat(turn, quat, now);
  return mju_norm3(turn);
}

static void a_pose_is_held(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  double action[LFM_POSE_ACTION];
  OK(lfm_world_reset(&arm->base, 1, 0));
  pose_now(arm, action);
  go(arm, action, 60);
  assert_true(mju_dist3(lfm_grip_position(arm), action) < 1e-3);
  assert_true(angle_to(arm, action) < 2e-3);
  lfm_world_destroy(&arm->base);
}

static void goals_are_reached(void **state) {
  (void)state;
  lfm_arm *arm = make_world("square");
  const double goals[][6] = {{0.1, 0.05, -0.05, 0, 0, 0.6}, {0, -0.15, 0.1, 0.2, 0, -0.7}, {0.15, 0.1, 0.02, 0, -0.3, 0}};
  for (int i = 0; i < 3; i++) {
    double action[LFM_POSE_ACTION], turn[4] = {1, 0, 0, 0}, start[4], goal[4];
    OK(lfm_world_reset(&arm->base, 1, i));
    pose_now(arm, action);
    mju_addTo3(action, goals[i]);
    mju_quatIntegrate(turn, goals[i] + 3, 1);
    mju_mat2Quat(start, arm->data->site_xmat + 9 * arm->grip);
    mju_mulQuat(goal, turn, start);
    mju_quat2Vel(action + 3, goal, 1);
    go(arm, action, 60);
    assert_true(mju_dist3(lfm_grip_position(arm), action) < 3e-3);
    assert_true(angle_to(arm, action) < 0.01);
  }
  lfm_world_destroy(&arm->base);
}

/* A delta is so many centimetres and radians from where the arm is, about the axes of the world, and no more than 1. */
static void a_delta_means_the_pose_that_it_is_said_to(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  const double delta[LFM_POSE_ACTION] = {0.5, -1, 3, 0, 0, 0.8, 1};
  double action[LFM_POSE_ACTION], start[3], before[9];
  OK(lfm_world_reset(&arm->base, 1, 0));
  mju_copy3(start, lfm_grip_position(arm));
  mju_copy(before, arm->data->site_xmat + 9 * arm->grip, 9);
  lfm_world_absolute(&arm->base, delta, action);
  assert_near(action[0], start[0] + 0.025, 1e-12);
  assert_near(action[1], start[1] - 0.05, 1e-12);
  assert_near(action[2], start[2] + 0.05, 1e-12);
  assert_true(action[6] == 1);
  go(arm, action, 40);
  assert_true(mju_dist3(lfm_grip_position(arm), action) < 2e-3);
  /* the x axis has turned by 0.4 about z */
  const double *after = arm->data->site_xmat + 9 * arm->grip;
  assert_near(remainder(atan2(after[3], after[0]) - atan2(before[3], before[0]), 2 * mjPI), 0.4, 0.01);
  lfm_world_destroy(&arm->base);
}

static void fingers_open_and_close_at_their_pace(void **state) {
  (void)state;
  lfm_arm *arm = make_world("lift");
  double action[LFM_POSE_ACTION], width[2];
  OK(lfm_world_reset(&arm->base, 1, 0));
  pose_now(arm, action);
  go(arm, action, 20);
  width[0] = arm->data->qpos[7] - arm->data->qpos[8];
  action[6] = 1;
  int steps = 0;
  do {
    go(arm, action, 1);
    width[1] = arm->data->qpos[7] - arm->data->qpos[8];
    steps++;
  } while (width[1] > 0.004 && steps < 60);
  assert_near(width[0], 0.08, 1e-3);
  assert_in_range(steps, 10, 16);
  lfm_world_destroy(&arm->base);
}

static void an_observation_is_what_mujoco_has_in_the_order_that_files_have(void **state) {
  (void)state;
  const char *const names[] = {"lift", "can", "square"};
  for (int k = 0; k < 3; k++) {
    lfm_arm *arm = make_world(names[k]);
    const lfm_task *task = lfm_world_task(&arm->base);
    double obs[MOST_NUMBERS], action[LFM_POSE_ACTION], turned[9];
    OK(lfm_world_reset(&arm->base, 3, k));
    for (int t = 0; t < 12; t++) expert_step(&arm->base, action);
    lfm_world_observe(&arm->base, obs);
    mj_forward(arm->model, arm->data); /* changes no position: they are up to date */
    const double *thing = arm->data->xpos + 3 * arm->object, *quat = arm->data->xquat + 4 * arm->object;
    const double *grip = arm->data->site_xpos + 3 * arm->grip, *hand = arm->data->xquat + 4 * arm->hand;
    const double *tail = obs + task->obs_dim - 9;
    assert_string_equal(task->parts[0].name, "object");
    assert_int_equal(task->parts[0].dim + 9, task->obs_dim);
    for (int i = 0; i < 3; i++) assert_true(obs[i] == thing[i]);
    for (int i = 0; i < 4; i++) assert_true(obs[3 + i] == quat[(i + 1) % 4] && tail[3 + i] == hand[(i + 1) % 4]);
    for (int i = 0; i < 3; i++) assert_true(tail[i] == grip[i]);
    assert_true(tail[7] == arm->data->qpos[7] && tail[8] == arm->data->qpos[8] && tail[7] > 0 && tail[8] < 0);
    const double *frame = arm->data->xmat + 9 * arm->hand;
    for (int i = 0; k == 0 && i < 3; i++) assert_true(obs[7 + i] == grip[i] - thing[i]);
    for (int i = 0; k > 0 && i < 3; i++) { /* along the hand's axes */
      double along = 0;
      for (int j = 0; j < 3; j++) along += frame[3 * j + i] * (thing[j] - grip[j]);
      assert_near(obs[7 + i], along, 1e-12);
    }
    if (k > 0) { /* hand times seen = thing */
      mju_quat2Mat(turned, (const double[4]){obs[13], obs[10], obs[11], obs[12]});
      double product[9];
      mju_mulMatMat(product, frame, turned, 3, 3, 3);
      for (int i = 0; i < 9; i++) assert_near(product[i], arm->data->xmat[9 * arm->object + i], 1e-12);
      assert_true(obs[13] >= 0);
    }
    /* the hand is the grip site turned back by a quarter about its axis */
    const double *site = arm->data->site_xmat + 9 * arm->grip;
    for (int i = 0; i < 3; i++) assert_near(site[3 * i + 1], frame[3 * i], 1e-7);
    lfm_world_destroy(&arm->base);
  }
}

/* ---- to the bit ------------------------------------------------------------------------------------------------ */

enum { STEPS = 30 };

/* What an episode of the expert is after so many steps. */
static void play(lfm_world *world, int64_t episode, double last[MOST_NUMBERS]) {
  double action[LFM_POSE_ACTION];
  OK(lfm_world_reset(world, 5, episode));
  for (int t = 0; t < STEPS; t++) expert_step(world, action);
  lfm_world_state(world, last);
}

static void an_episode_is_the_same_whatever_ran_before(void **state) {
  (void)state;
  lfm_arm *one = make_world("lift"), *two = make_world("lift");
  double first[MOST_NUMBERS] = {0}, again[MOST_NUMBERS] = {0}, other[MOST_NUMBERS] = {0};
  play(&one->base, 0, first);
  play(&two->base, 1, other);
  play(&two->base, 0, again);
  assert_memory_equal(first, again, sizeof first);
  assert_true(memcmp(first, other, sizeof first) != 0);
  lfm_world_destroy(&one->base);
  lfm_world_destroy(&two->base);
}

typedef struct match {
  lfm_arm *worlds[2];
  double last[2][MOST_NUMBERS];
} match;

static lfm_status play_one(void *context, int worker, int64_t task) {
  match *m = context;
  (void)worker;
  play(&m->worlds[task]->base, task, m->last[task]);
  return LFM_OK;
}

static void an_episode_is_the_same_beside_others(void **state) {
  (void)state;
  match alone = {.worlds = {make_world("square"), make_world("square")}}, together = alone;
  lfm_team *team;
  for (int i = 0; i < 2; i++) OK(play_one(&alone, 0, i));
  OK(lfm_team_create(2, &team));
  OK(lfm_team_run(team, 2, play_one, &together));
  lfm_team_destroy(team);
  assert_memory_equal(alone.last, together.last, sizeof alone.last);
  for (int i = 0; i < 2; i++) lfm_world_destroy(&alone.worlds[i]->base);
}

static void a_world_set_to_a_state_goes_on_from_it(void **state) {
  (void)state;
  lfm_arm *one = make_world("lift"), *two = make_world("lift");
  int64_t numbers = lfm_world_task(&one->base)->state_dim;
  double middle[MOST_NUMBERS], last[MOST_NUMBERS], again[MOST_NUMBERS], actions[STEPS][LFM_POSE_ACTION];
  OK(lfm_world_reset(&one->base, 1, 0));
  for (int t = 0; t < STEPS; t++) expert_step(&one->base, actions[0]);
  lfm_world_state(&one->base, middle); /* about to grasp: contacts lie ahead */
  for (int t = 0; t < STEPS; t++) expert_step(&one->base, actions[t]);
  lfm_world_state(&one->base, last);
  OK(lfm_world_reset(&two->base, 9, 9));
  OK(lfm_world_set_state(&two->base, middle));
  for (int t = 0; t < STEPS; t++) OK(lfm_world_step(&two->base, actions[t]));
  lfm_world_state(&two->base, again);
  assert_memory_equal(last, again, (size_t)numbers * sizeof *last);
  lfm_world_destroy(&one->base);
  lfm_world_destroy(&two->base);
}

/* ---- faults ---------------------------------------------------------------------------------------------------- */

static void physics_that_breaks_is_a_status_and_a_reset_mends_it(void **state) {
  (void)state;
  lfm_arm *arm = make_world("can");
  double good[MOST_NUMBERS], bad[MOST_NUMBERS], action[LFM_POSE_ACTION], first[MOST_NUMBERS] = {0}, after[MOST_NUMBERS] = {0};
  play(&arm->base, 0, first);
  OK(lfm_world_reset(&arm->base, 1, 0));
  pose_now(arm, action);
  lfm_world_state(&arm->base, good);
  memcpy(bad, good, sizeof bad);
  for (int i = 17; i < 24; i++) bad[i] = 1e9; /* joints that race */
  OK(lfm_world_set_state(&arm->base, bad));
  lfm_status status = LFM_OK;
  for (int t = 0; t < 5 && status == LFM_OK; t++) status = lfm_world_step(&arm->base, action);
  assert_int_equal(status, LFM_E_NUMERIC);
  assert_non_null(strstr(lfm_error(), "can"));
  action[2] = NAN;
  assert_int_equal(lfm_world_step(&arm->base, action), LFM_E_NUMERIC);
  good[3] = INFINITY;
  assert_int_equal(lfm_world_set_state(&arm->base, good), LFM_E_DATA);
  play(&arm->base, 0, after);
  assert_memory_equal(first, after, sizeof first);
  lfm_world_destroy(&arm->base);
}

static void memory_is_asked_for_when_a_world_is_made_and_never_after(void **state) {
  (void)state;
  const lfm_task *task;
  lfm_world *world;
  double obs[MOST_NUMBERS], action[LFM_POSE_ACTION];
  OK(lfm_task_find("lift", &task));
  lfm_alloc_fail_at(0);
  OK(lfm_world_create(task, &world));
  uint64_t requests = lfm_alloc_fail_at(0);
  OK(lfm_world_reset(world, 1, 0));
  for (int t = 0; t < 5; t++) expert_step(world, action);
  lfm_world_observe(world, obs);
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  lfm_world_destroy(world);
  size_t held = lfm_alloc_in_use();
  for (uint64_t at = 1; at <= requests; at++) {
    lfm_alloc_fail_at(at);
    world = (lfm_world *)obs;
    assert_int_equal(lfm_world_create(task, &world), LFM_E_MEMORY);
    assert_null(world);
  }
  lfm_alloc_fail_at(0);
  assert_true(requests > 0);
  assert_int_equal(lfm_alloc_in_use(), held);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pose_is_held),
      cmocka_unit_test(goals_are_reached),
      cmocka_unit_test(a_delta_means_the_pose_that_it_is_said_to),
      cmocka_unit_test(fingers_open_and_close_at_their_pace),
      cmocka_unit_test(an_observation_is_what_mujoco_has_in_the_order_that_files_have),
      cmocka_unit_test(an_episode_is_the_same_whatever_ran_before),
      cmocka_unit_test(an_episode_is_the_same_beside_others),
      cmocka_unit_test(a_world_set_to_a_state_goes_on_from_it),
      cmocka_unit_test(physics_that_breaks_is_a_status_and_a_reset_mends_it),
      cmocka_unit_test(memory_is_asked_for_when_a_world_is_made_and_never_after),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
