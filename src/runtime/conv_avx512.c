/* SPDX-License-Identifier: MIT
 *
 * conv_avx512.c -- convolutions with AVX-512.
 */
#include "runtime/conv.h"

#if defined(LFM_RT_CHOOSES)
#define LFM_RT_BYTES 64
#define LFM_RT_TARGET __attribute__((target("avx512f")))
#include "runtime/kernels.h"

void lfm_rt_convolve_avx512(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half) {
  lfm_rt_convolve_here(c, positions, vectors, half);
}
#endif
