/* SPDX-License-Identifier: MIT
 *
 * conv.c -- see conv.h.
 */
#include "runtime/conv.h"

#include "runtime/kernels.h"

LFM_RT_API void lfm_rt_convolve(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half) {
#if defined(LFM_RT_CHOOSES) && !defined(LFM_RT_PLAIN)
  if (__builtin_cpu_supports("avx512f")) {
    lfm_rt_convolve_avx512(c, positions, vectors, half);
    return;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    lfm_rt_convolve_avx2(c, positions, vectors, half);
    return;
  }
#endif
  lfm_rt_convolve_here(c, positions, vectors, half);
}
