/* SPDX-License-Identifier: MIT
 *
 * world_support.h -- what the tests of worlds share.
 */
#ifndef TESTS_SIM_WORLD_SUPPORT_H
#define TESTS_SIM_WORLD_SUPPORT_H

#include "sim/arm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), LFM_OK)

enum { MOST_NUMBERS = 64 };

static inline lfm_arm *make_world(const char *name) {
  const lfm_task *task;
  lfm_world *world = NULL;
  OK(lfm_task_find(name, &task));
  OK(lfm_world_create(task, &world));
  return (lfm_arm *)world;
}

/* One step of the expert, noise and all; action [7] is what it did. */
static inline void expert_step(lfm_world *world, double action[LFM_POSE_ACTION]) {
  lfm_world_expert(world, action);
  lfm_world_absolute(world, action, action);
  OK(lfm_world_step(world, action));
}

/* How many of the episodes first .. first + count - 1 the expert masters. */
static inline int expert_successes(lfm_world *world, int64_t first, int count) {
  int mastered = 0;
  for (int64_t e = first; e < first + count; e++) {
    double action[LFM_POSE_ACTION];
    OK(lfm_world_reset(world, 7, e));
    for (int64_t t = 0; t < lfm_world_task(world)->horizon && !lfm_world_succeeded(world); t++) expert_step(world, action);
    mastered += lfm_world_succeeded(world);
  }
  return mastered;
}

/* The thing at this place, the grip somewhere else: for the borders of what counts as done. */
static inline void put_object(lfm_arm *arm, double x, double y, double z) {
  double state[MOST_NUMBERS], *q = state + 1 + arm->object_q;
  lfm_world_state(&arm->base, state);
  q[0] = x, q[1] = y, q[2] = z;
  OK(lfm_world_set_state(&arm->base, state));
}

#endif
