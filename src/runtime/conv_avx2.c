/* SPDX-License-Identifier: MIT
 *
 * conv_avx2.c -- convolutions with AVX2 with fused multiply-adds.
 */
#include "runtime/conv.h"

#if defined(LFM_RT_CHOOSES)
#define LFM_RT_BYTES 32
#define LFM_RT_TARGET __attribute__((target("avx2,fma")))
#include "runtime/kernels.h"

void lfm_rt_convolve_avx2(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half) {
  lfm_rt_convolve_here(c, positions, vectors, half);
}
#endif
