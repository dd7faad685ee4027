/* SPDX-License-Identifier: MIT
 *
 * shove.c -- see shove.h.  The same for any policy: its size apart, it follows from seed and episode.
 */
#include "policy/shove.h"

#include "core/rng.h"

#include <math.h>

lfm_shove lfm_shove_of(const lfm_task *task, uint64_t seed, int64_t episode, double size) {
  enum { SPAN = LFM_SHOVE_LATEST - LFM_SHOVE_EARLIEST };
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_SHOVE};
  lfm_shove shove = {.numbers = task->control == LFM_CONTROL_POSE ? 3 : 2};
  float normal[3];
  double length = 0.0;
  shove.first = LFM_SHOVE_EARLIEST + (int64_t)(SPAN * lfm_rng_uniform(&rng, episode, 2)); /* behind the normals' words */
  lfm_rng_normal(&rng, episode, normal, (size_t)shove.numbers);
  for (int64_t j = 0; j < shove.numbers; j++) length += (double)normal[j] * (double)normal[j];
  for (int64_t j = 0; j < shove.numbers; j++) shove.off[j] = size * (double)normal[j] / sqrt(length);
  return shove;
}

void lfm_shove_apply(const lfm_shove *shove, int64_t step, double *action) {
  if (step < shove->first || step >= shove->first + LFM_SHOVE_STEPS) return;
  for (int64_t j = 0; j < shove->numbers; j++) action[j] += shove->off[j];
}
