/* SPDX-License-Identifier: MIT
 *
 * expert.c -- moves of the hand, the angles that its last joint allows, and noise.
 * The noise is 3 mm on the position that is asked for and 0.01 radians on its orientation, drawn anew each step.
 */
#include "sim/expert.h"

#include <math.h>

static const double slowest = 0.7, fastest = 1.1;
static const double position_noise = 0.06, turn_noise = 0.02; /* of a delta: 3 mm of 5 cm, 0.01 of half a radian */
static const double turned = 0.06;                            /* radians that do not matter */
static const double wrist_free = 2.5, strain_a_radian = 20;   /* of 2.9: turned about the base, other joints take a share */
enum { NOISE_ROW = 1 };

/* An angle in -pi .. pi. */
static double wrap(double angle) { return remainder(angle, 2 * mjPI); }

/* The fingers move along the x axis of the grip site. */
static double yaw_now(const lfm_arm *arm) {
  const double *rotation = lfm_grip_rotation(arm);
  return atan2(rotation[3], rotation[0]);
}

void lfm_expert_begin(lfm_arm *arm, lfm_rng rng) {
  arm->plan = (lfm_plan){.rng = rng, .yaw = yaw_now(arm)};
  arm->plan.pace = lfm_expert_choice(arm, 0, slowest, fastest);
}

double lfm_expert_choice(const lfm_arm *arm, uint32_t index, double low, double high) {
  return low + (high - low) * lfm_rng_uniform(&arm->plan.rng, 0, index);
}

void lfm_expert_act(lfm_arm *arm, double delta[LFM_POSE_ACTION]) {
  float noise[6];
  arm->plan.yaw += wrap(yaw_now(arm) - arm->plan.yaw);
  lfm_arm_scene(arm)->expert(arm, delta);
  lfm_rng_normal(&arm->plan.rng, NOISE_ROW + arm->plan.step, noise, 6);
  for (int i = 0; i < 6; i++) {
    delta[i] += (i < 3 ? position_noise : turn_noise) * (double)noise[i];
    delta[i] = fmin(fmax(delta[i], -1), 1);
  }
  arm->plan.step++;
  arm->plan.waited++;
}

void lfm_expert_go_on(lfm_arm *arm) {
  arm->plan.phase++;
  arm->plan.waited = 0;
}

/* out = what turns the hand to yaw, pointing down: an axis-angle in the world, at most a step's worth of yaw. */
static void turn_towards(const lfm_arm *arm, double yaw, double out[3]) {
  double most = LFM_LONGEST_TURN * arm->plan.pace, left = yaw - arm->plan.yaw;
  double next = arm->plan.yaw + fmin(fmax(left, -most), most), c = cos(next), s = sin(next);
  const double down[9] = {c, s, 0, s, -c, 0, 0, 0, -1};
  double turn[9], quat[4];
  mju_mulMatMatT(turn, down, lfm_grip_rotation(arm), 3, 3, 3);
  mju_mat2Quat(quat, turn);
  mju_quat2Vel(out, quat, 1);
}

bool lfm_expert_reach(lfm_arm *arm, const lfm_reach *goal, bool closed, double near, double delta[LFM_POSE_ACTION]) {
  double way[3], turn[3];
  mju_sub3(way, goal->position, lfm_grip_position(arm));
  double distance = mju_norm3(way), most = LFM_LONGEST_MOVE * arm->plan.pace;
  turn_towards(arm, goal->yaw, turn);
  double tilt = mju_norm3(turn);
  for (int i = 0; i < 3; i++) {
    delta[i] = way[i] * (distance > most ? most / distance : 1) / LFM_LONGEST_MOVE;
    delta[3 + i] = turn[i] / LFM_LONGEST_TURN;
  }
  delta[6] = closed ? 1 : -1;
  return distance < near && tilt < turned && fabs(goal->yaw - arm->plan.yaw) < turned;
}

double lfm_expert_strain(const lfm_arm *arm, const double position[3], double yaw) {
  const double *base = lfm_arm_scene(arm)->base, *now = lfm_grip_position(arm);
  double around = wrap(atan2(position[1] - base[1], position[0] - base[0]) - atan2(now[1] - base[1], now[0] - base[0]));
  double wrist = arm->data->qpos[LFM_ARM_JOINTS - 1] - (yaw - arm->plan.yaw) + around;
  return strain_a_radian * fmax(fabs(wrist) - wrist_free, 0);
}

double lfm_expert_yaw(const lfm_arm *arm, const double position[3], double first, double step, bool second) {
  double found[2] = {0, 0}, costs[2] = {HUGE_VAL, HUGE_VAL}; /* the two nearest */
  double start = first + step * round((arm->plan.yaw - first) / step);
  for (int i = -8; i <= 8; i++) {
    double yaw = start + i * step, cost = fabs(yaw - arm->plan.yaw) + lfm_expert_strain(arm, position, yaw);
    if (cost >= costs[1]) continue;
    int at = cost < costs[0] ? 0 : 1;
    if (at == 0) found[1] = found[0], costs[1] = costs[0];
    found[at] = yaw, costs[at] = cost;
  }
  return found[second && costs[1] < mjPI];
}
