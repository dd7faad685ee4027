/* SPDX-License-Identifier: MIT
 *
 * noise.h -- standard normals by address, those of core/rng.h to the bit: Philox 4x32-10 [Salmon et al. 2011] with the place
 * of a number as its counter.  Written out, since a robot has no library of generators.
 */
#ifndef LFM_RUNTIME_NOISE_H
#define LFM_RUNTIME_NOISE_H

#include "runtime/runtime.h"

/* out [count]: the normals of row `row` that generation draws under a seed (lfm_sample's). */
LFM_RT_API void lfm_rt_noise(uint64_t seed, int64_t row, float *out, int64_t count);

#endif
