/* SPDX-License-Identifier: MIT
 *
 * osc.h -- operational-space control of an arm with seven joints: torques that pull its tip to a pose.  [Khatib 1987]
 * As robosuite's OSC_POSE: gains 150 and 2 sqrt(150), position and orientation uncoupled, the spare joint held near q0.
 *
 *   F = kp (goal - x) - kd v                     T = kp 1/2 sum_i R_i x Rgoal_i - kd w           R_i: columns
 *   tau = J^T [Lam_p F; Lam_o T] + bias + N^T M (10 (q0 - q) - 2 sqrt(10) qd)
 *   Lam = (J M^-1 J^T)^-1, Lam_p and Lam_o likewise of Jp and Jo,  N = I - M^-1 J^T Lam J
 *
 * Pure arithmetic on what the simulator knows; no limits of torque here: the actuators have them.
 */
#ifndef LFM_SIM_OSC_H
#define LFM_SIM_OSC_H

#include <stdbool.h>

enum { LFM_ARM_JOINTS = 7 };

typedef struct lfm_osc_state {
  double position[3], rotation[9];                 /* of the tip; rotation row by row */
  double jacobian[6 * LFM_ARM_JOINTS];             /* [6, 7]: of the position, then of the orientation */
  double inertia[LFM_ARM_JOINTS * LFM_ARM_JOINTS]; /* [7, 7] M */
  double q[LFM_ARM_JOINTS], qd[LFM_ARM_JOINTS], bias[LFM_ARM_JOINTS];
} lfm_osc_state;

typedef struct lfm_osc_goal {
  double position[3], rotation[9];
  double posture[LFM_ARM_JOINTS]; /* q0 */
} lfm_osc_goal;

/* torque [7].  False, and torque as it was, when M or J M^-1 J^T is not positive definite. */
bool lfm_osc_torque(const lfm_osc_state *now, const lfm_osc_goal *goal, double torque[LFM_ARM_JOINTS]);

#endif
