/* SPDX-License-Identifier: MIT
 *
 * loop.c -- see loop.h.
 */
#include "runtime/loop.h"

#include "core/rotation.h"
#include "runtime/noise.h"

#include <math.h>
#include <string.h>

enum { CHUNKS = 1 << 20 }; /* rows of noise for an episode */

LFM_RT_API void lfm_rt_begin(lfm_rt_loop *l, int64_t episode) {
  l->has_seen = false;
  l->next = l->end = 0;
  l->episode = episode;
  l->drawn = 0;
  l->has_acted = false;
  if (l->guard) lfm_rt_guard_begin(l->guard);
}

/* ---- looking ------------------------------------------------------------------------------------------------------ */

static double given_of(const lfm_rt_units *u, int64_t j, double x) { return (x - u->obs_mean[j]) * u->obs_scale[j]; }

static lfm_rt_outcome check(const lfm_rt_loop *l, const double *observation, int64_t *which) {
  for (int64_t j = 0; j < l->units->obs_dim; j++) {
    *which = j;
    if (!isfinite(observation[j])) return LFM_RT_NOT_A_NUMBER;
    if (!l->clamp && fabs(given_of(l->units, j, observation[j])) > l->range) return LFM_RT_OUT_OF_RANGE;
  }
  return LFM_RT_ACTED;
}

/* The new observation behind the others, the oldest gone. */
static void see(lfm_rt_loop *l, const double *observation) {
  const lfm_rt_units *u = l->units;
  int64_t kept = (u->observed - 1) * u->obs_dim;
  double *last = l->seen + kept;
  memmove(l->seen, l->seen + u->obs_dim, (size_t)kept * sizeof *last);
  for (int64_t j = 0; j < u->obs_dim; j++) {
    double unit = given_of(u, j, observation[j]);
    bool beyond = fabs(unit) > l->range;
    last[j] = beyond ? u->obs_mean[j] + copysign(l->range, unit) / u->obs_scale[j] : observation[j];
    l->clamped += beyond;
  }
  for (int64_t k = 0; k < kept && !l->has_seen; k++) l->seen[k] = last[k % u->obs_dim];
  l->has_seen = true;
}

/* What the guard wants done about what is seen.  What has been stopped, or cannot hold an action, does not go on by itself.
 */
static lfm_rt_outcome heed(lfm_rt_loop *l) {
  if (!l->guard) return LFM_RT_ACTED;
  lfm_rt_guard_watch(l->guard, l->seen);
  if (l->heed == LFM_RT_STOP && l->guard->first >= 0) return LFM_RT_STOPPED;
  if (l->heed == LFM_RT_HOLD && l->guard->alarm) return l->has_acted ? LFM_RT_HELD : LFM_RT_STOPPED;
  return LFM_RT_ACTED;
}

LFM_RT_API lfm_rt_outcome lfm_rt_look(lfm_rt_loop *l, const double *observation, int64_t *which) {
  lfm_rt_outcome outcome = check(l, observation, which);
  if (outcome != LFM_RT_ACTED) return outcome;
  see(l, observation);
  return heed(l);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

static double unit_of(const lfm_rt_units *u, const float *y, int64_t j) {
  return u->action_mean[j] + (double)y[j] / u->action_scale[j];
}

/* An action y [width] of the flow in the data's units. */
static void decode(const lfm_rt_units *u, const float *y, double *action) {
  double arm[LFM_POSE_INSIDE];
  for (int64_t j = 0; j < u->width && !u->poses; j++) action[j] = unit_of(u, y, j);
  for (int64_t j = 0; j < u->width && u->poses; j += LFM_POSE_INSIDE, action += LFM_POSE) {
    for (int64_t k = 0; k < LFM_POSE_INSIDE; k++) arm[k] = unit_of(u, y, j + k);
    lfm_pose_from_inside(arm, action);
  }
}

LFM_RT_API lfm_rt_outcome lfm_rt_draw(lfm_rt_loop *l) {
  const lfm_rt_units *u = l->units;
  int64_t numbers = u->predicted * u->width;
  lfm_rt_noise(l->seed, l->episode * CHUNKS + l->drawn++, l->x, numbers);
  for (int64_t k = 0; k < u->observed * u->obs_dim; k++) l->given[k] = (float)given_of(u, k % u->obs_dim, l->seen[k]);
  lfm_rt_generate(l->chain, l->plan, l->given, l->x, l->space, l->room);
  for (int64_t i = 0; i < numbers; i++)
    if (!isfinite(l->x[i])) return LFM_RT_BROKEN;
  for (int64_t k = 0; k < u->predicted; k++) decode(u, l->x + k * u->width, l->chunk + k * u->action_dim);
  l->next = u->observed - 1;
  l->end = l->next + u->executed;
  return LFM_RT_DREW;
}

LFM_RT_API lfm_rt_outcome lfm_rt_act(lfm_rt_loop *l, const double *observation, double *action, int64_t *which) {
  size_t size = (size_t)l->units->action_dim * sizeof *action;
  lfm_rt_outcome outcome = lfm_rt_look(l, observation, which);
  if (outcome == LFM_RT_HELD) l->next = l->end; /* what was meant to follow is of another situation */
  else if (outcome == LFM_RT_ACTED && l->next == l->end) outcome = lfm_rt_draw(l);
  if (outcome > LFM_RT_HELD) return outcome;
  if (outcome != LFM_RT_HELD) memcpy(l->last, l->chunk + l->next++ * l->units->action_dim, size);
  l->has_acted = true;
  memcpy(action, l->last, size);
  return outcome;
}
