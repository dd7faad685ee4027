/* SPDX-License-Identifier: MIT
 *
 * kernels.h -- convolutions with few positions.  A vector is sixteen written channels; a weight vector is read once, widened
 * if it is of bfloat16, and multiplied by up to sixteen positions whose sums stay in registers, so that reading the weights
 * is what takes the time.  Where there are fewer positions several vectors are made at once.
 * Vectors are the compiler's (GCC, Clang), sixteen floats whatever the processor has; elsewhere, and with LFM_RT_PLAIN, they
 * are loops, and every sum has the same order.
 */
#ifndef LFM_RUNTIME_KERNELS_H
#define LFM_RUNTIME_KERNELS_H

#include "runtime/runtime.h"

#include <math.h>
#include <string.h>

#if defined(__GNUC__) && !defined(LFM_RT_PLAIN)
#define LFM_RT_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define LFM_RT_FUSED
#define LFM_RT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LFM_RT_FUSED __attribute__((optimize("fp-contract=fast")))
#define LFM_RT_UNROLL _Pragma("GCC unroll 16")
#endif

typedef float lfm_rt_vector __attribute__((vector_size(64)));
typedef float lfm_rt_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t lfm_rt_bits __attribute__((vector_size(64)));
typedef uint32_t lfm_rt_words __attribute__((vector_size(64), aligned(4), may_alias));

LFM_RT_INLINE void lfm_rt_load(lfm_rt_vector *to, const float *from) { *to = *(const lfm_rt_unaligned *)from; }
LFM_RT_INLINE void lfm_rt_store(float *to, const lfm_rt_vector *from) { *(lfm_rt_unaligned *)to = *from; }
LFM_RT_INLINE void lfm_rt_widen(lfm_rt_vector to[2], const uint32_t *from) {
  lfm_rt_bits words = *(const lfm_rt_words *)from, low = words << 16, high = words & 0xFFFF0000u;
  memcpy(&to[0], &low, sizeof low);
  memcpy(&to[1], &high, sizeof high);
}
LFM_RT_INLINE void lfm_rt_add(lfm_rt_vector *to, const lfm_rt_vector *x) { *to += *x; }
LFM_RT_INLINE void lfm_rt_multiply_add(lfm_rt_vector *sum, const lfm_rt_vector *w, float x) { *sum += *w * x; }
#else
#define LFM_RT_INLINE static inline
#define LFM_RT_FUSED
#define LFM_RT_UNROLL

typedef struct lfm_rt_vector {
  float x[LFM_RT_LANES];
} lfm_rt_vector;

LFM_RT_INLINE void lfm_rt_load(lfm_rt_vector *to, const float *from) { memcpy(to->x, from, sizeof to->x); }
LFM_RT_INLINE void lfm_rt_store(float *to, const lfm_rt_vector *from) { memcpy(to, from->x, sizeof from->x); }
LFM_RT_INLINE void lfm_rt_widen(lfm_rt_vector to[2], const uint32_t *from) {
  for (int i = 0; i < LFM_RT_LANES; i++) {
    uint32_t low = from[i] << 16, high = from[i] & 0xFFFF0000u;
    memcpy(&to[0].x[i], &low, sizeof low);
    memcpy(&to[1].x[i], &high, sizeof high);
  }
}
LFM_RT_INLINE void lfm_rt_add(lfm_rt_vector *to, const lfm_rt_vector *x) {
  for (int i = 0; i < LFM_RT_LANES; i++) to->x[i] += x->x[i];
}
LFM_RT_INLINE void lfm_rt_multiply_add(lfm_rt_vector *sum, const lfm_rt_vector *w, float x) {
  for (int i = 0; i < LFM_RT_LANES; i++) sum->x[i] = fmaf(w->x[i], x, sum->x[i]);
}
#endif

LFM_RT_INLINE size_t lfm_rt_size(bool half) { return half ? sizeof(uint16_t) : sizeof(float); }

/* Sums that stay in registers: sixteen of AVX-512, for which the library's loops are compiled beside others; else four, since
 * a vector takes two registers of AVX2 and four of NEON.  The bits are the same. */
#if defined(__AVX512F__) || (defined(__x86_64__) && !defined(LFM_NO_CLONES))
#define LFM_RT_SUMS 16
#else
#define LFM_RT_SUMS 4
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

/* Vectors of weights for two channels that are read: of floats one behind the other; of bfloat16 side by side in a word, the
 * first in its lower half. */
LFM_RT_INLINE void lfm_rt_read(lfm_rt_vector to[2], const char *weights, bool half) {
  if (half) lfm_rt_widen(to, (const uint32_t *)(const void *)weights);
  else {
    lfm_rt_load(&to[0], (const float *)(const void *)weights);
    lfm_rt_load(&to[1], (const float *)(const void *)weights + LFM_RT_LANES);
  }
}

/* One tap of positions [first, end) of a tile, all channels that are read. */
LFM_RT_INLINE void lfm_rt_tap(lfm_rt_vector *sum, const lfm_rt_conv *c, const char *weights, const float *from, int first,
                              int end, int vectors, bool half) {
  const int64_t position = c->position, vector = c->vector, both = 2 * (int64_t)lfm_rt_size(half) * LFM_RT_LANES;
  lfm_rt_vector w[LFM_RT_SUMS][2];
  for (int64_t i = 0; i < c->in; i += 2, weights += both) {
    LFM_RT_UNROLL for (int64_t v = 0; v < vectors; v++) lfm_rt_read(w[v], weights + v * vector, half);
    LFM_RT_UNROLL for (int64_t j = 0; j < 2; j++) LFM_RT_UNROLL for (int64_t p = first; p < end; p++)
        LFM_RT_UNROLL for (int64_t v = 0; v < vectors; v++)
            lfm_rt_multiply_add(&sum[p * vectors + v], &w[v][j], from[p * position + i + j]);
  }
}

/* `positions` x `vectors`, at most LFM_RT_SUMS, `series` and `half` are constants of the caller's.  series: so many taps, the
 * middle one at each position, and the positions are all there are: what lies beside them is zero and is not multiplied. */
LFM_RT_INLINE void lfm_rt_tile(const lfm_rt_conv *c, int positions, int vectors, int series, bool half) {
  lfm_rt_vector sum[LFM_RT_SUMS];
  LFM_RT_UNROLL for (int64_t v = 0; v < vectors; v++) {
    lfm_rt_vector start = {0}, more;
    if (c->bias) lfm_rt_load(&start, c->bias + v * LFM_RT_LANES);
    if (c->more) {
      lfm_rt_load(&more, c->more + v * LFM_RT_LANES);
      lfm_rt_add(&start, &more);
    }
    LFM_RT_UNROLL for (int64_t p = 0; p < positions; p++) {
      sum[p * vectors + v] = start;
      if (!c->adds) continue;
      lfm_rt_load(&more, c->to + p * c->to_row + v * LFM_RT_LANES);
      lfm_rt_add(&sum[p * vectors + v], &more);
    }
  }
  const int64_t tap = c->in * LFM_RT_LANES * (int64_t)lfm_rt_size(half);
#define TAP(K)                                                                                                               \
  if (series > (K))                                                                                                          \
  lfm_rt_tap(sum, c, c->weights + (K)*tap, c->from + (K)*c->from_row, (K) < series / 2 ? series / 2 - (K) : 0,               \
             (K) > series / 2 ? positions + series / 2 - (K) : positions, vectors, half)
  TAP(0);
  TAP(1);
  TAP(2);
  TAP(3);
  TAP(4);
#undef TAP
  for (int64_t k = series; k < c->taps; k++)
    lfm_rt_tap(sum, c, c->weights + k * tap, c->from + k * c->from_row, 0, positions, vectors, half);
  LFM_RT_UNROLL for (int64_t v = 0; v < vectors; v++) LFM_RT_UNROLL for (int64_t p = 0; p < positions; p++)
      lfm_rt_store(c->to + p * c->to_row + v * LFM_RT_LANES, &sum[p * vectors + v]);
}

#endif
