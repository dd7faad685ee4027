/* SPDX-License-Identifier: MIT
 *
 * guard.h -- is what was seen like what good episodes see?  A small flow over what is seen carries it to its noise in one
 * step of Euler, so that a step of control costs one evaluation.                   [Xu et al. 2025, FAIL-Detect: logpZO]
 *
 *   x       the numbers of what was seen that vary, standardised: the flow's data, t = 0
 *   score   |x + v(x, 0)|^2 / numbers.  v(x, 0) is E[noise] - x = -x wherever the flow has learnt, so that nothing is left
 *           there; beside it the network knows no better, and something is
 *   alarm   the score is above the level of this step of the episode
 */
#ifndef LFM_RUNTIME_GUARD_H
#define LFM_RUNTIME_GUARD_H

#include "runtime/runtime.h"

typedef struct lfm_rt_guard {
  const lfm_rt_chain *chain;  /* of one block */
  const float *time;          /* [timed_count] what t = 0 comes to in it */
  int64_t numbers;            /* of what was seen, those that vary: */
  const int64_t *number;      /* [numbers] which they are */
  const double *mean, *scale; /* [numbers] x = (seen - mean) scale */
  int64_t levels;             /* the last one holds on */
  const double *level;        /* [levels] */
  float *space;               /* room */
  /* this episode */
  int64_t step;  /* observations so far */
  int64_t first; /* step of the first alarm, from 0; -1: none */
  double score;  /* of the last one */
  bool alarm;    /* at the last one */
  /* all */
  int64_t alarms, alarmed; /* steps; episodes */
} lfm_rt_guard;

LFM_RT_API void lfm_rt_guard_begin(lfm_rt_guard *guard);

LFM_RT_API double lfm_rt_guard_level(const lfm_rt_guard *guard, int64_t step);

/* The score of what was seen, whatever the level. */
LFM_RT_API double lfm_rt_guard_score(const lfm_rt_guard *guard, const double *seen);

/* A step of the episode: score, alarm, and counts. */
LFM_RT_API void lfm_rt_guard_watch(lfm_rt_guard *guard, const double *seen);

#endif
