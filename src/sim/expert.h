/* SPDX-License-Identifier: MIT
 *
 * expert.h -- what the scripted experts share: a state machine whose phases pull the grip site to a pose, hand down.
 * Each step's move is a function of where the arm and the thing are now: at most so far towards the goal, so that the arm
 * keeps a steady pace and slows down by itself where it arrives.  It is how a person with a joystick moves it, and easier to
 * learn than a trajectory by the clock.
 * Yaw is that of the line on which the fingers move: with yaw 0 along x.  The hand may turn by 5.8 radians, so yaws are
 * followed beyond a whole turn, and a grasp is chosen by how far the last joint stays from its limits.
 */
#ifndef LFM_SIM_EXPERT_H
#define LFM_SIM_EXPERT_H

#include "sim/arm.h"

void lfm_expert_begin(lfm_arm *arm, lfm_rng rng);
void lfm_expert_act(lfm_arm *arm, double delta[LFM_POSE_ACTION]); /* the scene's move, with noise */

/* A uniform number in low .. high of this episode's choices. */
double lfm_expert_choice(const lfm_arm *arm, uint32_t index, double low, double high);

/* Where the grip site is to be, and its yaw. */
typedef struct lfm_reach {
  double position[3], yaw;
} lfm_reach;

/* The move towards it, fingers open (false) or closed; returns whether the hand is there, to `near` metres and 0.06 radians.
 */
bool lfm_expert_reach(lfm_arm *arm, const lfm_reach *goal, bool closed, double near, double delta[LFM_POSE_ACTION]);

/* The next phase. */
void lfm_expert_go_on(lfm_arm *arm);

/* What it costs to have the hand there, in radians of turning: 0, and much where the last joint would come near its limits
 * (2.9 either way). */
double lfm_expert_strain(const lfm_arm *arm, const double position[3], double yaw);

/* The yaw at `position` that is nearest among first + i * step for every whole i, strain counted; with `second` the one after
 * it, for variety. */
double lfm_expert_yaw(const lfm_arm *arm, const double position[3], double first, double step, bool second);

#endif
