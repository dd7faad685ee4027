/* SPDX-License-Identifier: MIT
 *
 * waves.h -- which waves of its input a network sees beside it.
 * Sines and cosines of k . x, wave numbers |k| from 1 to `finest` radians a unit in equal ratios.  Of x in the plane `count`
 * of them, wave n at the angle n (sqrt(5) - 1) / 2 pi, so that no two lie alike; of fewer or more columns `count` of each.
 * At time t each is times what noise of standard deviation s(t) leaves of it in the mean: exp(-(|k| s)^2 / 2).
 */
#ifndef LFM_CORE_WAVES_H
#define LFM_CORE_WAVES_H

#include <stdbool.h>
#include <stdint.h>

enum { LFM_MOST_WAVES = 1024 };

typedef struct lfm_wave_config {
  int64_t count; /* 0: none */
  double finest;
  bool trig; /* s = sin(pi t / 2); else s = t */
} lfm_wave_config;

/* Sines and cosines of x [dim], and x itself. */
static inline int64_t lfm_wave_columns(int64_t dim, int64_t count) { return dim + 2 * count * (dim == 2 ? 1 : dim); }

#endif
