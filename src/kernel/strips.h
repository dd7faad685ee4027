/* SPDX-License-Identifier: MIT
 *
 * strips.h -- a matrix product in registers, with AVX-512, for matrices that lie as images do: strips of twelve rows and two
 * vectors of sixteen columns, 24 sums that no load has to be waited for.  A number of the result is one chain of
 * multiply-adds from the first to the last, so that no bit depends on where in a strip it is made.  Internal to this room;
 * x86-64 only.
 */
#ifndef LFM_KERNEL_STRIPS_H
#define LFM_KERNEL_STRIPS_H

#include "kernel/avx512.h"

enum { PAIR = 2, STRIP = 12, TWO = PAIR * LANES };

/* C [rows, vectors x 16] = A [rows, depth] B [depth, vectors x 16], from zero or from `start`, which may be C; where their
 * numbers lie: */
typedef struct strips {
  float *c;
  int64_t c_row, c_vector;
  const float *start;
  int64_t start_row;
  int64_t start_vector;
  const float *a;
  int64_t a_row, a_step, a_block; /* (i, k) at i * a_row + k % 16 * a_step + k / 16 * a_block */
  const float *b;
  int64_t b_step, b_vector;
  int64_t rows, depth;
} strips;

INLINE void multiply_strip(const strips *s, int rows, int vectors, bool starts) {
  __m512 sum[STRIP][PAIR];
  UNROLL for (int64_t i = 0; i < rows; i++) UNROLL for (int64_t v = 0; v < vectors; v++) sum[i][v] =
      starts ? _mm512_loadu_ps(s->start + i * s->start_row + v * s->start_vector) : _mm512_setzero_ps();
  const float *a = s->a, *b = s->b;
  int64_t a_row = s->a_row, a_step = s->a_step, b_step = s->b_step, b_vector = s->b_vector;
  for (int64_t first = 0; first < s->depth; first += LANES, a += s->a_block) {
    int64_t end = s->depth - first < LANES ? s->depth - first : LANES;
    const float *at = a;
    for (int64_t k = 0; k < end; k++, at += a_step, b += b_step) {
      __m512 line[PAIR];
      UNROLL for (int64_t v = 0; v < vectors; v++) line[v] = _mm512_loadu_ps(b + v * b_vector);
      UNROLL for (int64_t i = 0; i < rows; i++) {
        __m512 factor = _mm512_set1_ps(at[i * a_row]);
        UNROLL for (int64_t v = 0; v < vectors; v++) sum[i][v] = _mm512_fmadd_ps(factor, line[v], sum[i][v]);
      }
    }
  }
  UNROLL for (int64_t i = 0; i < rows; i++) UNROLL for (int64_t v = 0; v < vectors; v++)
      _mm512_storeu_ps(s->c + i * s->c_row + v * s->c_vector, sum[i][v]);
}

/* All rows; `vectors`, 1 or 2, and `starts` are constants of the caller's. */
INLINE void multiply(strips s, int vectors, bool starts) {
#define WHILE_AT_LEAST(N)                                                                                                    \
  for (; s.rows >= (N); s.rows -= (N), s.a += (N)*s.a_row, s.c += (N)*s.c_row, s.start += starts ? (N)*s.start_row : 0)      \
    multiply_strip(&s, N, vectors, starts);
  WHILE_AT_LEAST(STRIP)
  WHILE_AT_LEAST(8)
  WHILE_AT_LEAST(4)
  WHILE_AT_LEAST(2)
  WHILE_AT_LEAST(1)
#undef WHILE_AT_LEAST
}

INLINE void multiply_any(const strips *s, int64_t vectors, bool starts) {
  if (vectors == PAIR && starts) multiply(*s, PAIR, true);
  else if (vectors == PAIR) multiply(*s, PAIR, false);
  else if (starts) multiply(*s, 1, true);
  else multiply(*s, 1, false);
}

/* To the matrix that is there already. */
static inline strips added(strips s) {
  s.start = s.c, s.start_row = s.c_row, s.start_vector = s.c_vector;
  return s;
}

#endif
