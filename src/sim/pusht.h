/* SPDX-License-Identifier: MIT
 *
 * pusht.h -- Push-T: a round finger pushes a T-shaped block over a table onto the place of its picture.
 */
#ifndef LFM_SIM_PUSHT_H
#define LFM_SIM_PUSHT_H

#include "sim/world.h"

/* Pixels of a table of 512 x 512, y downwards.
 *   action       where the finger is to go, x and y
 *   observation  "state": finger x, y; block x, y, angle 0 .. 2 pi
 *   state        finger x, y and its velocity; block x, y, angle (any), and its velocity and angular velocity
 *   reward       coverage / 0.95, at most 1; success: coverage over 0.95 */
extern const lfm_task lfm_pusht;

/* The share of the goal's T that the block covers, 0 .. 1. */
double lfm_pusht_coverage(const lfm_world *world);

#endif
