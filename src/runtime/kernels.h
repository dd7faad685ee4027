/* SPDX-License-Identifier: MIT
 *
 * kernels.h -- convolutions with few positions.  A vector is sixteen written channels; a weight vector is read once, widened
 * if it is of bfloat16, and multiplied by up to sixteen positions whose sums stay in registers, so that reading the weights
 * is what takes the time.  Where there are fewer positions several vectors are made at once.
 * Vectors are the compiler's (GCC, Clang), in parts as long as the processor's; elsewhere, and with LFM_RT_PLAIN, they are
 * loops, and every sum has the same order.
 */
#ifndef LFM_RUNTIME_KERNELS_H
#define LFM_RUNTIME_KERNELS_H

#include "runtime/conv.h"

#include <math.h>
#include <string.h>

#if !defined(LFM_RT_TARGET)
#define LFM_RT_TARGET
#endif

/* Bytes of a register, and sums that stay in them: AVX-512 has 32 registers, the others half as many or half as long. */
#if !defined(LFM_RT_BYTES) && defined(__AVX512F__)
#define LFM_RT_BYTES 64
#elif !defined(LFM_RT_BYTES) && defined(__AVX__)
#define LFM_RT_BYTES 32
#elif !defined(LFM_RT_BYTES)
#define LFM_RT_BYTES 16
#endif
#define LFM_RT_SUMS (LFM_RT_BYTES == 64 ? 16 : 4)

#if defined(__GNUC__) && !defined(LFM_RT_PLAIN)
#define LFM_RT_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define LFM_RT_FUSED
#define LFM_RT_FUSE _Pragma("clang fp contract(fast)")
#define LFM_RT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LFM_RT_FUSED __attribute__((optimize("fp-contract=fast")))
#define LFM_RT_FUSE
#define LFM_RT_UNROLL _Pragma("GCC unroll 16")
#endif

/* Sixteen floats in parts, each of which a register holds. */
enum { LFM_RT_PARTS = 64 / LFM_RT_BYTES, LFM_RT_PART = LFM_RT_LANES / LFM_RT_PARTS };
typedef float lfm_rt_part __attribute__((vector_size(LFM_RT_BYTES)));
typedef float lfm_rt_unaligned __attribute__((vector_size(LFM_RT_BYTES), aligned(4), may_alias));
typedef uint32_t lfm_rt_bits __attribute__((vector_size(LFM_RT_BYTES)));
typedef uint32_t lfm_rt_words __attribute__((vector_size(LFM_RT_BYTES), aligned(4), may_alias));
typedef struct lfm_rt_vector {
  lfm_rt_part part[LFM_RT_PARTS];
} lfm_rt_vector;
#define LFM_RT_EACH_PART LFM_RT_UNROLL for (int64_t i = 0; i < LFM_RT_PARTS; i++)

LFM_RT_INLINE void lfm_rt_load(lfm_rt_vector *to, const float *from) {
  LFM_RT_EACH_PART to->part[i] = *(const lfm_rt_unaligned *)(from + i * LFM_RT_PART);
}
LFM_RT_INLINE void lfm_rt_store(float *to, const lfm_rt_vector *from) {
  LFM_RT_EACH_PART *(lfm_rt_unaligned *)(to + i * LFM_RT_PART) = from->part[i];
}
LFM_RT_INLINE void lfm_rt_widen(lfm_rt_vector to[2], const uint32_t *from) {
  LFM_RT_EACH_PART {
    lfm_rt_bits words = *(const lfm_rt_words *)(from + i * LFM_RT_PART), low = words << 16, high = words & 0xFFFF0000u;
    memcpy(&to[0].part[i], &low, sizeof low);
    memcpy(&to[1].part[i], &high, sizeof high);
  }
}
LFM_RT_INLINE void lfm_rt_add(lfm_rt_vector *to, const lfm_rt_vector *x) { LFM_RT_EACH_PART to->part[i] += x->part[i]; }
LFM_RT_INLINE void lfm_rt_multiply_add(lfm_rt_vector *sum, const lfm_rt_vector *w, float x) {
  LFM_RT_FUSE LFM_RT_EACH_PART sum->part[i] += w->part[i] * x;
}
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

/* So many vectors at once, and what is left of them one by one. */
LFM_RT_INLINE void conv_positions(lfm_rt_conv c, int positions, int vectors, int series, bool half, int64_t all) {
  for (int64_t made, left = all; left > 0; left -= made) {
    made = left >= vectors ? vectors : 1;
    if (made == vectors) lfm_rt_tile(&c, positions, vectors, series, half);
    else lfm_rt_tile(&c, positions, 1, series, half);
    c.weights += made * c.vector;
    c.to += made * LFM_RT_LANES;
    if (c.bias) c.bias += made * LFM_RT_LANES;
    if (c.more) c.more += made * LFM_RT_LANES;
  }
}

/* As many positions as registers have sums for; few positions, several vectors. */
LFM_RT_INLINE void conv(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half) {
  if (c.is_series && positions == 4 && c.taps == 5) {
    conv_positions(c, 4, LFM_RT_SUMS / 4, 5, half, vectors);
    return;
  }
#if LFM_RT_BYTES == 64
  if (c.is_series && positions == 8 && c.taps == 5) {
    conv_positions(c, 8, 2, 5, half, vectors);
    return;
  }
#endif
#define WHILE_AT_LEAST(N, VECTORS)                                                                                           \
  for (; positions >= (N); positions -= (N), c.from += (N)*c.position, c.to += (N)*c.to_row)                                 \
    conv_positions(c, N, VECTORS, 0, half, vectors);
#if LFM_RT_BYTES == 64
  WHILE_AT_LEAST(16, 1)
  WHILE_AT_LEAST(8, 2)
  WHILE_AT_LEAST(4, 4)
  WHILE_AT_LEAST(2, 4)
  WHILE_AT_LEAST(1, 8)
#else
  WHILE_AT_LEAST(4, 1)
  WHILE_AT_LEAST(2, 2)
  WHILE_AT_LEAST(1, 4)
#endif
#undef WHILE_AT_LEAST
}

LFM_RT_TARGET LFM_RT_FUSED static void conv_of_floats(lfm_rt_conv c, int64_t positions, int64_t vectors) {
  conv(c, positions, vectors, false);
}

LFM_RT_TARGET LFM_RT_FUSED static void conv_of_halves(lfm_rt_conv c, int64_t positions, int64_t vectors) {
  conv(c, positions, vectors, true);
}

LFM_RT_INLINE void lfm_rt_convolve_here(lfm_rt_conv c, int64_t positions, int64_t vectors, bool half) {
  (half ? conv_of_halves : conv_of_floats)(c, positions, vectors);
}

#endif
