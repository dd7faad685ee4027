/* SPDX-License-Identifier: MIT
 *
 * test_osc.c -- what the torques do to the tip: M qdd = tau - bias, so that its acceleration is J M^-1 (tau - bias).
 */
#include "sim/osc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/near.h"

enum { N = LFM_ARM_JOINTS };

static uint32_t word = 1;
static double number(void) { return (word = word * 1664525u + 1013904223u) / 4294967296.0 - 0.5; }

/* Some arm, at rest in its posture; the goal is where its tip is. */
static void make_arm(lfm_osc_state *now, lfm_osc_goal *goal) {
  double half[N * N];
  for (int i = 0; i < 6 * N; i++) now->jacobian[i] = number();
  for (int i = 0; i < N * N; i++) half[i] = number();
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      now->inertia[i * N + j] = i == j ? 0.3 : 0;
      for (int k = 0; k < N; k++) now->inertia[i * N + j] += half[i * N + k] * half[j * N + k];
    }
  for (int i = 0; i < N; i++) now->q[i] = goal->posture[i] = number(), now->qd[i] = 0, now->bias[i] = 10 * number();
  for (int i = 0; i < 9; i++) now->rotation[i] = goal->rotation[i] = i % 4 == 0;
  for (int i = 0; i < 3; i++) now->position[i] = goal->position[i] = number();
}

/* Gaussian elimination: not the way that the controller goes. */
static void accelerate(const lfm_osc_state *now, const double torque[N], double qdd[N]) {
  double a[N][N + 1];
  for (int i = 0; i < N; i++) {
    memcpy(a[i], now->inertia + i * N, N * sizeof **a);
    a[i][N] = torque[i] - now->bias[i];
  }
  for (int p = 0; p < N; p++)
    for (int i = 0; i < N; i++) {
      double factor = a[i][p] / a[p][p];
      for (int j = p; i != p && j <= N; j++) a[i][j] -= factor * a[p][j];
    }
  for (int i = 0; i < N; i++) qdd[i] = a[i][N] / a[i][i];
}

static double of_tip(const lfm_osc_state *now, int row, const double joints[N]) {
  double sum = 0;
  for (int i = 0; i < N; i++) sum += now->jacobian[row * N + i] * joints[i];
  return sum;
}

static void at_its_goal_an_arm_is_only_held_up(void **state) {
  (void)state;
  lfm_osc_state now;
  lfm_osc_goal goal;
  double torque[N];
  make_arm(&now, &goal);
  assert_true(lfm_osc_torque(&now, &goal, torque));
  for (int i = 0; i < N; i++) assert_near(torque[i], now.bias[i], 1e-12);
}

static void a_far_position_pulls_the_tip_by_150_a_metre(void **state) {
  (void)state;
  lfm_osc_state now;
  lfm_osc_goal goal;
  double torque[N], qdd[N];
  make_arm(&now, &goal);
  goal.position[0] += 0.01, goal.position[2] -= 0.02;
  assert_true(lfm_osc_torque(&now, &goal, torque));
  accelerate(&now, torque, qdd);
  assert_near(of_tip(&now, 0, qdd), 1.5, 1e-9);
  assert_near(of_tip(&now, 1, qdd), 0, 1e-9);
  assert_near(of_tip(&now, 2, qdd), -3, 1e-9);
}

static void a_turned_goal_turns_the_tip_the_same_way(void **state) {
  (void)state;
  lfm_osc_state now;
  lfm_osc_goal goal;
  double torque[N], qdd[N], angle = 0.3;
  make_arm(&now, &goal);
  const double about_z[9] = {cos(angle), -sin(angle), 0, sin(angle), cos(angle), 0, 0, 0, 1};
  memcpy(goal.rotation, about_z, sizeof about_z);
  assert_true(lfm_osc_torque(&now, &goal, torque));
  accelerate(&now, torque, qdd);
  assert_near(of_tip(&now, 3, qdd), 0, 1e-9);
  assert_near(of_tip(&now, 4, qdd), 0, 1e-9);
  assert_near(of_tip(&now, 5, qdd), 150 * sin(angle), 1e-9);
}

static void holding_the_posture_leaves_the_tip_alone(void **state) {
  (void)state;
  lfm_osc_state now;
  lfm_osc_goal goal;
  double torque[N], qdd[N], moved = 0;
  make_arm(&now, &goal);
  for (int i = 0; i < N; i++) goal.posture[i] += number();
  assert_true(lfm_osc_torque(&now, &goal, torque));
  accelerate(&now, torque, qdd);
  for (int i = 0; i < 6; i++) assert_near(of_tip(&now, i, qdd), 0, 1e-9);
  for (int i = 0; i < N; i++) moved += fabs(qdd[i]);
  assert_true(moved > 0.1); /* the arm does move within itself */
}

static void an_arm_that_cannot_move_some_way_has_no_torque(void **state) {
  (void)state;
  lfm_osc_state now;
  lfm_osc_goal goal;
  double torque[N] = {1, 2, 3, 4, 5, 6, 7};
  make_arm(&now, &goal);
  memset(now.jacobian + N, 0, N * sizeof *now.jacobian);
  assert_false(lfm_osc_torque(&now, &goal, torque));
  make_arm(&now, &goal);
  now.inertia[0] = NAN;
  assert_false(lfm_osc_torque(&now, &goal, torque));
  for (int i = 0; i < N; i++) assert_true(torque[i] == i + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_its_goal_an_arm_is_only_held_up),
      cmocka_unit_test(a_far_position_pulls_the_tip_by_150_a_metre),
      cmocka_unit_test(a_turned_goal_turns_the_tip_the_same_way),
      cmocka_unit_test(holding_the_posture_leaves_the_tip_alone),
      cmocka_unit_test(an_arm_that_cannot_move_some_way_has_no_torque),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
