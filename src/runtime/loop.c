/* SPDX-License-Identifier: MIT
 *
 * loop.c -- see loop.h.
 */
#include "runtime/loop.h"

#include "core/rotation.h"
#include "runtime/guide.h"
#include "runtime/noise.h"

#include <math.h>
#include <string.h>

enum { CHUNKS = 1 << 20, EPISODES = 1 << 24 }; /* rows of noise for an episode; episodes for which there is noise */

/* No chunk is meant to be gone on with. */
static void forget(lfm_rt_loop *l) {
  l->has_drawn = false;
  l->next = l->end;
  l->wait = -1;
}

LFM_RT_API void lfm_rt_begin(lfm_rt_loop *l, int64_t episode) {
  l->has_seen = false;
  forget(l);
  l->episode = episode & (EPISODES - 1);
  l->drawn = 0;
  l->has_acted = false;
  if (l->guard) lfm_rt_guard_begin(l->guard);
}

/* ---- looking ------------------------------------------------------------------------------------------------------ */

/* How far out it is: -1 and 1 are the edges of what was learnt from. */
static double far_of(const lfm_rt_units *u, int64_t j, double x) { return (x - u->obs_middle[j]) / u->obs_reach[j]; }

static lfm_rt_outcome check(const lfm_rt_loop *l, const double *observation, int64_t *which) {
  for (int64_t j = 0; j < l->units->obs_dim; j++) {
    *which = j;
    if (!isfinite(observation[j])) return LFM_RT_NOT_A_NUMBER;
    if (!l->clamp && fabs(far_of(l->units, j, observation[j])) > l->range) return LFM_RT_OUT_OF_RANGE;
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
    double far = far_of(u, j, observation[j]);
    bool beyond = fabs(far) > l->range;
    last[j] = beyond ? u->obs_middle[j] + copysign(l->range, far) * u->obs_reach[j] : observation[j];
    l->clamped += beyond;
  }
  for (int64_t k = 0; k < kept && !l->has_seen; k++) l->seen[k] = last[k % u->obs_dim];
  l->has_seen = true;
}

/* What the guard wants done about what is seen.  What has been stopped does not go on by itself. */
static lfm_rt_outcome heed(lfm_rt_loop *l) {
  if (!l->guard) return LFM_RT_ACTED;
  lfm_rt_guard_watch(l->guard, l->seen);
  if (l->heed == LFM_RT_STOP && l->guard->first >= 0) return LFM_RT_STOPPED;
  if (l->heed == LFM_RT_HOLD && l->guard->alarm) return l->has_acted ? LFM_RT_HELD : LFM_RT_WAITS;
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

/* The chunk before, as it looks from the first step of the next one: `due` of it is the action of what was observed last. */
static void move_on(lfm_rt_loop *l, int64_t due) {
  const lfm_rt_units *u = l->units;
  int64_t passed = due - (u->observed - 1);
  l->overlap = l->has_drawn && due < u->predicted ? u->predicted - passed : 0;
  memcpy(l->before, l->x + (u->predicted - l->overlap) * u->width, (size_t)(l->overlap * u->width) * sizeof *l->x);
}

/* Actions of the next chunk that are not its to choose: of steps that have passed, or will have when it is there. */
static int64_t frozen_of(const lfm_rt_loop *l) {
  int64_t frozen = l->units->observed - 1 + l->delay;
  return frozen < l->overlap ? frozen : l->overlap;
}

static void generate(lfm_rt_loop *l) {
  const lfm_rt_units *u = l->units;
  const lfm_rt_guide guide = {.target = l->before, .weight = l->mask, .most = l->most};
  bool is_guided = l->mask && l->overlap > 0;
  int64_t frozen = is_guided ? frozen_of(l) : 0;
  if (is_guided) lfm_rt_soft_mask(frozen, l->overlap, u->predicted, u->width, l->mask);
  lfm_rt_generate(l->chain, l->plan, is_guided ? &guide : NULL, l->given, l->x, l->space, l->room);
  memcpy(l->x, l->before, (size_t)(frozen * u->width) * sizeof *l->x); /* they are what they are */
}

LFM_RT_API lfm_rt_outcome lfm_rt_draw(lfm_rt_loop *l, int64_t due) {
  const lfm_rt_units *u = l->units;
  int64_t numbers = u->predicted * u->width;
  move_on(l, due);
  lfm_rt_noise(l->seed, l->episode * CHUNKS + l->drawn++, l->x, numbers);
  for (int64_t k = 0; k < u->observed * u->obs_dim; k++) {
    int64_t j = k % u->obs_dim;
    l->given[k] = (float)((l->seen[k] - u->obs_mean[j]) * u->obs_scale[j]);
  }
  generate(l);
  l->has_drawn = false;
  for (int64_t i = 0; i < numbers; i++)
    if (!isfinite(l->x[i])) return LFM_RT_BROKEN;
  l->has_drawn = true;
  for (int64_t k = 0; k < u->predicted; k++) decode(u, l->x + k * u->width, l->coming + k * u->action_dim);
  return LFM_RT_DREW;
}

LFM_RT_API void lfm_rt_take(lfm_rt_loop *l, const lfm_rt_loop *from, int64_t late) {
  const lfm_rt_units *u = l->units;
  memcpy(l->chunk, from->coming, (size_t)(u->predicted * u->action_dim) * sizeof *l->chunk);
  l->wait = -1;
  l->next = u->observed - 1 + late;
  l->end = u->observed - 1 + u->executed;
  if (l->next >= from->overlap) return;
  double square = 0.0;
  for (int64_t j = l->next * u->width; j < (l->next + 1) * u->width; j++) {
    double off = (double)from->x[j] - (double)from->before[j];
    square += off * off;
  }
  l->jumps += sqrt(square);
  l->joints++;
}

/* A chunk that is due into execution, and the next one drawn where it is time: LFM_RT_ACTED, LFM_RT_DREW or LFM_RT_BROKEN. */
static lfm_rt_outcome go_on(lfm_rt_loop *l) {
  if (l->wait == 0) lfm_rt_take(l, l, l->delay);
  if (l->wait > 0) l->wait--;
  else if (l->next >= l->end) {
    bool is_first = !l->has_drawn;
    if (lfm_rt_draw(l, l->next) == LFM_RT_BROKEN) return LFM_RT_BROKEN;
    l->wait = l->delay - 1;
    if (is_first || l->delay == 0) lfm_rt_take(l, l, 0); /* nothing could be done meanwhile */
    return LFM_RT_DREW;
  }
  return LFM_RT_ACTED;
}

LFM_RT_API lfm_rt_outcome lfm_rt_act(lfm_rt_loop *l, const double *observation, double *action, int64_t *which) {
  size_t size = (size_t)l->units->action_dim * sizeof *action;
  lfm_rt_outcome outcome = lfm_rt_look(l, observation, which);
  if (outcome == LFM_RT_HELD) forget(l); /* what was meant to follow is of another situation */
  if (outcome == LFM_RT_ACTED) outcome = go_on(l);
  if (outcome > LFM_RT_HELD) return outcome;
  if (outcome != LFM_RT_HELD) memcpy(l->last, l->chunk + l->next++ * l->units->action_dim, size);
  l->has_acted = true;
  memcpy(action, l->last, size);
  return outcome;
}
