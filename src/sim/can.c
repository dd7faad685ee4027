/* SPDX-License-Identifier: MIT
 *
 * can.c -- Can: take a can out of one bin and put it into the far place of the other.  Done when it lies there and the
 * gripper is away. The expert has four ways to turn its fingers, the can being round.
 */
#include "sim/expert.h"

#include <math.h>

static const double floor_height = 0.82, half_height = 0.04;
static const double let_go = 0.0424; /* metres between grip and can */

static void place(lfm_arm *arm, const lfm_rng *rng) {
  lfm_place_object(arm, rng, (const double[2]){0.1, -0.25}, (const double[2]){0.12, 0.17}, floor_height + half_height);
}

static bool succeeded(const lfm_arm *arm) {
  const double *can = lfm_object_position(arm);
  bool in_place = can[0] > 0.1 && can[0] < 0.295 && can[1] > 0.28 && can[1] < 0.525 && can[2] > 0.8 && can[2] < 0.9;
  return in_place && lfm_grip_distance(arm, can) > let_go;
}

/* ---- the expert ----------------------------------------------------------------------------------------------- */

enum { ABOVE, DOWN, CLOSE, UP, ACROSS, LOWER, OPEN, AWAY };

static const double target[2] = {0.155, 0.335}; /* in the near corner of the place: the far one is at the arm's full length */
static const double grip_height = 0.015, carry_height = 1.02, drop_height = 0.925, away_height = 1.05;

/* One of four angles at 45 degrees, whichever way round takes less turning. */
static double choose_yaw(const lfm_arm *arm) {
  double way = floor(lfm_expert_choice(arm, 1, 0, 4));
  return lfm_expert_yaw(arm, lfm_object_position(arm), way * mjPI / 4, mjPI, false);
}

static void expert(lfm_arm *arm, double delta[LFM_POSE_ACTION]) {
  const double *can = lfm_object_position(arm), *grip = lfm_grip_position(arm);
  lfm_plan *plan = &arm->plan;
  if (plan->step == 0) plan->grasp[0] = choose_yaw(arm), plan->grasp[1] = plan->grasp[0];
  lfm_reach goal = {.position = {can[0], can[1], can[2] + grip_height}, .yaw = plan->grasp[0]};
  lfm_reach over = {.position = {target[0], target[1], carry_height}, .yaw = plan->grasp[1]};
  switch (plan->phase) {
  case ABOVE:
    goal.position[2] += 0.08;
    if (lfm_expert_reach(arm, &goal, false, 0.015, delta)) lfm_expert_go_on(arm);
    break;
  case DOWN:
    if (lfm_expert_reach(arm, &goal, false, 0.01, delta)) lfm_expert_go_on(arm);
    break;
  case CLOSE:
    lfm_expert_reach(arm, &goal, true, 0.02, delta);
    if (plan->waited >= 11) {
      plan->grasp[1] = lfm_expert_yaw(arm, over.position, plan->grasp[0], mjPI / 4, false);
      lfm_expert_go_on(arm);
    }
    break;
  case UP:
    goal.position[2] = carry_height;
    if (lfm_expert_reach(arm, &goal, true, 0.06, delta) || grip[2] > carry_height - 0.03) lfm_expert_go_on(arm);
    break;
  case ACROSS:
    if (lfm_expert_reach(arm, &over, true, 0.015, delta)) lfm_expert_go_on(arm);
    break;
  case LOWER:
    over.position[2] = drop_height;
    if (lfm_expert_reach(arm, &over, true, 0.015, delta)) lfm_expert_go_on(arm);
    break;
  case OPEN:
    over.position[2] = drop_height;
    lfm_expert_reach(arm, &over, false, 0.02, delta);
    if (plan->waited >= 9) lfm_expert_go_on(arm);
    break;
  default:
    over.position[2] = away_height;
    lfm_expert_reach(arm, &over, false, 0, delta);
  }
}

static const lfm_scene scene = {
    .model = "can",
    .base = {-0.5, -0.1, 0.912},
    .place = place,
    .observe = lfm_observe_object,
    .succeeded = succeeded,
    .expert = expert,
};

const lfm_task lfm_can = {LFM_ARM_TASK(14), .name = "can", .environment = "PickPlaceCan", .state_dim = LFM_ARM_STATE,
                          .scene = &scene};
