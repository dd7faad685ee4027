/* SPDX-License-Identifier: MIT
 *
 * shove.h -- a disturbance for rollouts: once an episode, for a moment, the world does not do as it is told.
 */
#ifndef LFM_POLICY_SHOVE_H
#define LFM_POLICY_SHOVE_H

#include "sim/world.h"

enum { LFM_SHOVE_STEPS = 10, LFM_SHOVE_EARLIEST = 5, LFM_SHOVE_LATEST = 35 };

typedef struct lfm_shove {
  int64_t first;   /* step of it, from 0 */
  int64_t numbers; /* of the action that it moves: the first ones, a position's */
  double off[3];
} lfm_shove;

/* That of an episode: where an action tells the (first) arm or the pusher to go is moved by `size`, in the units of actions,
 * in a direction of its own. */
lfm_shove lfm_shove_of(const lfm_task *task, uint64_t seed, int64_t episode, double size);

/* What the world is told in place of action [action_dim] at this step. */
void lfm_shove_apply(const lfm_shove *shove, int64_t step, double *action);

#endif
