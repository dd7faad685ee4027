/* SPDX-License-Identifier: MIT
 *
 * waves.h -- which waves of its input x [dim] a network sees behind it: sines, then cosines, of k . x.
 * Wave numbers |k| from 1 to `finest` radians a unit in equal ratios: finest^(n / (count - 1)), n = 0 .. count - 1; a single
 * wave has 1.  In the plane there are `count` in all, wave n at the angle pi times the fraction of n (sqrt(5) - 1) / 2, so
 * that no two lie alike; of fewer or more columns `count` along each, wave n of column j in place n dim + j.
 *
 * At time t each is times what noise of standard deviation s(t) leaves of it in the mean: exp(-(|k| s)^2 / 2); or of an s
 * that is given, whatever t.
 * Beyond LFM_WAVES_END units of zero, where no row lies, a column stands still for them: a solver that comes from far away
 * would have to follow every one.
 */
#ifndef LFM_CORE_WAVES_H
#define LFM_CORE_WAVES_H

#include <stdbool.h>
#include <stdint.h>

enum { LFM_MOST_WAVES = 1024, LFM_WAVES_END = 8 };

typedef struct lfm_wave_config {
  int64_t count; /* 0: none */
  double finest;
  bool trig;    /* s = sin(pi t / 2); else s = t */
  double noise; /* s; 0: by t */
} lfm_wave_config;

/* Sines and cosines of x [dim], and x itself. */
static inline int64_t lfm_wave_columns(int64_t dim, int64_t count) { return dim + 2 * count * (dim == 2 ? 1 : dim); }

#endif
