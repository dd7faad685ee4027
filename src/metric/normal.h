/* SPDX-License-Identifier: MIT
 *
 * normal.h -- a pair of standard normals in double, from two uniforms of a row (Box-Muller; at most 8.7 in size).
 * core/rng.h's float normals use the same counters as its uniforms; a draw that needs both, as a mixture does, takes
 * everything from uniforms with indices of their own.
 */
#ifndef LFM_METRIC_NORMAL_H
#define LFM_METRIC_NORMAL_H

#include "core/rng.h"
#include <math.h>

#define LFM_TWO_PI 6.283185307179586476925287

/* Uses the uniforms index and index + 1 of this row. */
static inline void lfm_normal_pair(const lfm_rng *rng, int64_t row, uint32_t index, double out[2]) {
  double radius = sqrt(-2.0 * log(lfm_rng_uniform(rng, row, index)));
  double angle = LFM_TWO_PI * lfm_rng_uniform(rng, row, index + 1);
  out[0] = radius * cos(angle);
  out[1] = radius * sin(angle);
}

#endif
