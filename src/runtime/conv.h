/* SPDX-License-Identifier: MIT
 *
 * conv.h -- the convolutions of the runtime's steps.  kernels.h is their one text, for the processor that it is compiled for:
 * in the library three times, and the widest that the processor has is taken.  Clones of one function would not do, since GCC
 * keeps vectors that are longer than the registers in memory.  The bits are the same.
 */
#ifndef LFM_RUNTIME_CONV_H
#define LFM_RUNTIME_CONV_H

#include "runtime/runtime.h"

#include <stddef.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(LFM_NO_CLONES)
#define LFM_RT_CHOOSES
#endif

/* A convolution whose operands have been found. */
typedef struct lfm_rt_conv {
  const char *weights;
  int64_t vector; /* bytes from the weights of one vector of channels to the next one's */
  const float *from, *bias, *more;
  float *to;
  int64_t from_row, to_row, position; /* `position`: from one written position's first tap to the next one's */
  int64_t taps, in;
  bool adds, is_series;
} lfm_rt_conv;

static inline size_t lfm_rt_size(bool half) { return half ? sizeof(uint16_t) : sizeof(float); }

/* At `positions`, of so many vectors of channels. */
LFM_RT_API void lfm_rt_convolve(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half);
#if defined(LFM_RT_CHOOSES)
void lfm_rt_convolve_avx2(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half);
void lfm_rt_convolve_avx512(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half);
#endif

#endif
