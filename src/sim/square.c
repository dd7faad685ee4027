/* SPDX-License-Identifier: MIT
 *
 * square.c -- Square: put a square nut, held by its handle, over a peg.  Done when the nut lies low around the peg and the
 * gripper has let go.
 */
#include "sim/expert.h"

#include <math.h>

static const double table = 0.82, half_thickness = 0.01, fall = 0.05;
static const double peg[2] = {0.23, 0.1}, around = 0.03, low = 0.87, let_go = 0.0424;

static void place(lfm_arm *arm, const lfm_rng *rng) {
  lfm_place_object(arm, rng, (const double[2]){-0.1125, 0.1675}, (const double[2]){0.0025, 0.0575},
                   table + half_thickness + fall);
}

/* The point of the handle that lies so far from the middle of the hole. */
static void handle_point(const lfm_arm *arm, double along, double out[3]) {
  mju_rotVecQuat(out, (const double[3]){along, 0, 0}, lfm_object_quat(arm));
  mju_addTo3(out, lfm_object_position(arm));
}

static bool succeeded(const lfm_arm *arm) {
  const double *nut = lfm_object_position(arm);
  double handle[3];
  handle_point(arm, 0.0615, handle);
  bool on_peg = fabs(nut[0] - peg[0]) < around && fabs(nut[1] - peg[1]) < around && nut[2] < low;
  return on_peg && lfm_grip_distance(arm, handle) > let_go;
}

/* ---- the expert ----------------------------------------------------------------------------------------------- */

/* The handle ends up towards the robot: with it on the far side of the peg the grip would have to be where the arm does not
 * get. */
enum { ABOVE, DOWN, CLOSE, UP, ACROSS, LOWER, OPEN, AWAY };

static const double carry_height = 1.005, release_height = 0.9, away_height = 1.05; /* of grip, nut, grip */

/* The handle lies along x of the nut, so the fingers close along y.  Of both ways round, and of both ways to turn the nut
 * about, the pair that turns the hand least, strain counted. */
static void choose_yaws(lfm_arm *arm, const double grasp_at[3]) {
  lfm_plan *plan = &arm->plan;
  const double put_at[3] = {peg[0] - plan->along, peg[1], carry_height};
  double nut = lfm_object_yaw(arm), least = HUGE_VAL;
  for (int i = -4; i <= 4; i++) {
    for (int j = -1; j <= 1; j++) {
      double yaw = nut + mjPI / 2 + i * mjPI, turn = remainder(mjPI - nut, 2 * mjPI) + 2 * j * mjPI;
      double cost = fabs(yaw - plan->yaw) + fabs(turn) + lfm_expert_strain(arm, grasp_at, yaw) +
                    lfm_expert_strain(arm, put_at, yaw + turn);
      if (cost >= least) continue;
      least = cost;
      plan->grasp[0] = yaw, plan->grasp[1] = yaw + turn;
    }
  }
}

/* Where the grip is to be so that the nut is at this place, given how it hangs in the fingers now. */
static lfm_reach carry_to(const lfm_arm *arm, double x, double y, double z) {
  const double *nut = lfm_object_position(arm), *grip = lfm_grip_position(arm);
  return (lfm_reach){.position = {grip[0] + x - nut[0], grip[1] + y - nut[1], grip[2] + z - nut[2]},
                     .yaw = arm->plan.grasp[1]};
}

static void expert(lfm_arm *arm, double delta[LFM_POSE_ACTION]) {
  lfm_plan *plan = &arm->plan;
  const double *nut = lfm_object_position(arm);
  lfm_reach goal;
  if (plan->step == 0) plan->along = lfm_expert_choice(arm, 1, 0, 1) < 0.5 ? 0.058 : 0.066;
  handle_point(arm, plan->along, goal.position);
  goal.position[2] += 0.008;
  if (plan->phase == ABOVE) choose_yaws(arm, goal.position);
  goal.yaw = plan->grasp[0];
  lfm_reach over = carry_to(arm, peg[0], peg[1], carry_height);
  switch (plan->phase) {
  case ABOVE:
    goal.position[2] += 0.07;
    if (lfm_expert_reach(arm, &goal, false, 0.015, delta)) lfm_expert_go_on(arm);
    break;
  case DOWN:
    if (lfm_expert_reach(arm, &goal, false, 0.007, delta)) lfm_expert_go_on(arm);
    break;
  case CLOSE:
    lfm_expert_reach(arm, &goal, true, 0.02, delta);
    if (plan->waited >= 11) lfm_expert_go_on(arm);
    break;
  case UP:
    goal.position[2] = carry_height + 0.03;
    lfm_expert_reach(arm, &goal, true, 0.03, delta);
    if (nut[2] > carry_height - 0.02) lfm_expert_go_on(arm);
    break;
  case ACROSS:
    if (lfm_expert_reach(arm, &over, true, 0.006, delta)) lfm_expert_go_on(arm);
    break;
  case LOWER:
    over = carry_to(arm, peg[0], peg[1], release_height);
    lfm_expert_reach(arm, &over, true, 0.01, delta);
    if (nut[2] < release_height + 0.01) lfm_expert_go_on(arm);
    break;
  case OPEN:
    over = carry_to(arm, peg[0], peg[1], release_height);
    mju_copy3(over.position, lfm_grip_position(arm));
    lfm_expert_reach(arm, &over, false, 0.02, delta);
    if (plan->waited >= 6) lfm_expert_go_on(arm);
    break;
  default:
    mju_copy3(goal.position, lfm_grip_position(arm));
    goal.position[2] = away_height, goal.yaw = plan->grasp[1];
    lfm_expert_reach(arm, &goal, false, 0, delta);
  }
}

static const lfm_scene scene = {
    .model = "square",
    .base = {-0.56, 0, 0.912},
    .place = place,
    .observe = lfm_observe_object,
    .succeeded = succeeded,
    .expert = expert,
};

const lfm_task lfm_square = {LFM_ARM_TASK(14), .name = "square", .environment = "NutAssemblySquare",
                             .state_dim = LFM_ARM_STATE, .scene = &scene};
