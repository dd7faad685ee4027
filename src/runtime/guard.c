/* SPDX-License-Identifier: MIT
 *
 * guard.c -- see guard.h.
 */
#include "runtime/guard.h"

LFM_RT_API void lfm_rt_guard_begin(lfm_rt_guard *g) {
  g->step = 0;
  g->first = -1;
  g->score = 0.0;
  g->alarm = false;
}

LFM_RT_API double lfm_rt_guard_level(const lfm_rt_guard *g, int64_t step) {
  return g->level[step < g->levels ? step : g->levels - 1];
}

LFM_RT_API double lfm_rt_guard_score(const lfm_rt_guard *g, const double *seen) {
  const lfm_rt_field *field = g->chain->field;
  float *x = g->space + field->x.at, *v = g->space + field->v.at;
  double sum = 0.0;
  for (int64_t k = 0; k < g->numbers; k++) x[k] = (float)((seen[g->number[k]] - g->mean[k]) * g->scale[k]);
  lfm_rt_give(field, g->chain->block, g->chain->half, g->space);
  lfm_rt_velocity(field, g->chain->block, g->chain->half, g->time, g->space);
  for (int64_t k = 0; k < g->numbers; k++) {
    double noise = (double)x[k] + (double)v[k];
    sum += noise * noise;
  }
  return sum / (double)g->numbers;
}

/* What is no number is above any level. */
LFM_RT_API void lfm_rt_guard_watch(lfm_rt_guard *g, const double *seen) {
  g->score = lfm_rt_guard_score(g, seen);
  g->alarm = !(g->score <= lfm_rt_guard_level(g, g->step));
  g->alarms += g->alarm;
  if (g->alarm && g->first < 0) g->first = g->step, g->alarmed++;
  g->step++;
}
