/* SPDX-License-Identifier: MIT
 *
 * winograd_lines.h -- the matrices of F(4x4, 3x3), of one line and of a tile, for sixteen channels side by side.
 *
 *   Y = A' [(G g G') . (B' x B)] A             x: a tile of 6x6 pixels; Y: one of 4x4; g: the taps
 *   dg = G' [sum (B' x B) . (A dY A')] G
 *
 * A, B and G by Toom and Cook for the points 0, +-5/8, +-3/2 and infinity: exact in floats, and twice as accurate as 0, +-1,
 * +-2.  Of G's lines, 1 / (product of distances) times powers of the point, the factors in front are left to A' where the
 * taps go forward: the filter is transformed anew for every call, and there are more filters than results.  Internal to
 * winograd*.c; x86-64 only.
 */
#ifndef LFM_KERNEL_WINOGRAD_LINES_H
#define LFM_KERNEL_WINOGRAD_LINES_H

#include "kernel/strips.h"

enum { TAPS = 9, TILE = 4, SIDE = 6, POINTS = SIDE * SIDE, PIXELS = TILE * TILE };
enum { SQUARE = LANES * LANES, FILTER = TAPS * SQUARE }; /* numbers from tap to tap, and from block to block */

static const float a = 0.625f, b = 1.5f, aa = 0.390625f, bb = 2.25f, aaa = 0.244140625f, bbb = 3.375f;
static const float aabb = 0.87890625f, aa_bb = 2.640625f; /* a a b b; a a + b b */
static const float g0 = 1 / 0.87890625f, ga = -1 / 1.45263671875f,
                   gb = 1 / 8.3671875f; /* 1 / product of distances to the others */

/* B': six pixels to six points. */
INLINE void line_of_image(__m512 *to, const __m512 *x, int64_t step) {
  __m512 even_a = less(bb, x[2 * step], x[4 * step]), odd_a = less(bb, x[step], x[3 * step]);
  __m512 even_b = less(aa, x[2 * step], x[4 * step]), odd_b = less(aa, x[step], x[3 * step]);
  to[0] = plus(aabb, x[0], less(aa_bb, x[2 * step], x[4 * step]));
  to[step] = plus(a, odd_a, even_a), to[2 * step] = less(a, odd_a, even_a);
  to[3 * step] = plus(b, odd_b, even_b), to[4 * step] = less(b, odd_b, even_b);
  to[5 * step] = plus(aabb, x[step], less(aa_bb, x[3 * step], x[5 * step]));
}

/* G without its factors: three taps to six points. */
INLINE void line_of_filter(__m512 *to, const __m512 *g, int64_t step) {
  __m512 even_a = plus(aa, g[2 * step], g[0]), odd_a = times(a, g[step]);
  __m512 even_b = plus(bb, g[2 * step], g[0]), odd_b = times(b, g[step]);
  to[0] = g[0];
  to[step] = _mm512_add_ps(even_a, odd_a), to[2 * step] = _mm512_sub_ps(even_a, odd_a);
  to[3 * step] = _mm512_add_ps(even_b, odd_b), to[4 * step] = _mm512_sub_ps(even_b, odd_b);
  to[5 * step] = g[2 * step];
}

/* Line `line` of G without its factors times the taps [3, 3], `tap` numbers from tap to tap. */
INLINE void lines_of_taps(__m512 *to, const float *taps, int64_t tap, int line) {
  UNROLL for (int64_t j = 0; j < 3; j++) {
    __m512 first = _mm512_loadu_ps(taps + j * tap), last = _mm512_loadu_ps(taps + (6 + j) * tap);
    __m512 even = plus(line < 3 ? aa : bb, last, first), odd = times(line < 3 ? a : b, _mm512_loadu_ps(taps + (3 + j) * tap));
    to[j] = line == 0 ? first : line == 5 ? last : line % 2 ? _mm512_add_ps(even, odd) : _mm512_sub_ps(even, odd);
  }
}

/* A' with G's factors: six points to four pixels. */
INLINE void line_of_result(__m512 *to, const __m512 *m, int64_t step) {
  __m512 sum_a = _mm512_add_ps(m[step], m[2 * step]), off_a = _mm512_sub_ps(m[step], m[2 * step]);
  __m512 sum_b = _mm512_add_ps(m[3 * step], m[4 * step]), off_b = _mm512_sub_ps(m[3 * step], m[4 * step]);
  to[0] = plus(g0, m[0], plus(ga, sum_a, times(gb, sum_b)));
  to[step] = plus(ga * a, off_a, times(gb * b, off_b));
  to[2 * step] = plus(ga * aa, sum_a, times(gb * bb, sum_b));
  to[3 * step] = plus(ga * aaa, off_a, plus(gb * bbb, off_b, m[5 * step]));
}

/* A: four pixels to six points. */
INLINE void line_of_slope(__m512 *to, const __m512 *y, int64_t step) {
  __m512 even_a = plus(aa, y[2 * step], y[0]), odd_a = plus(aaa, y[3 * step], times(a, y[step]));
  __m512 even_b = plus(bb, y[2 * step], y[0]), odd_b = plus(bbb, y[3 * step], times(b, y[step]));
  to[0] = y[0];
  to[step] = _mm512_add_ps(even_a, odd_a), to[2 * step] = _mm512_sub_ps(even_a, odd_a);
  to[3 * step] = _mm512_add_ps(even_b, odd_b), to[4 * step] = _mm512_sub_ps(even_b, odd_b);
  to[5 * step] = y[3 * step];
}

/* G': six points to three taps. */
INLINE void line_of_gradient(__m512 *to, const __m512 *d, int64_t step) {
  __m512 sum_a = _mm512_add_ps(d[step], d[2 * step]), off_a = _mm512_sub_ps(d[step], d[2 * step]);
  __m512 sum_b = _mm512_add_ps(d[3 * step], d[4 * step]), off_b = _mm512_sub_ps(d[3 * step], d[4 * step]);
  to[0] = plus(g0, d[0], plus(ga, sum_a, times(gb, sum_b)));
  to[step] = plus(ga * a, off_a, times(gb * b, off_b));
  to[2 * step] = plus(ga * aa, sum_a, plus(gb * bb, sum_b, d[5 * step]));
}

/* The lines down, then those across: [before, before] to [after, after]. */
#define TILE_OF(WHAT, BEFORE, AFTER)                                                                                         \
  INLINE void tile_of_##WHAT(__m512 *to, const __m512 *from) {                                                               \
    __m512 half[(BEFORE) * (AFTER)];                                                                                         \
    UNROLL for (int64_t j = 0; j < (BEFORE); j++) line_of_##WHAT(half + j, from + j, BEFORE);                                \
    UNROLL for (int64_t i = 0; i < (AFTER); i++) line_of_##WHAT(to + (AFTER)*i, half + (BEFORE)*i, 1);                       \
  }
TILE_OF(image, 6, 6)
TILE_OF(result, 6, 4)
TILE_OF(slope, 4, 6)
TILE_OF(gradient, 6, 3)
#undef TILE_OF

/* A square of vectors, from and to memory. */
INLINE void load(__m512 *to, const float *from, int64_t line, int64_t step, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) to[i * side + j] =
      _mm512_loadu_ps(from + i * line + j * step);
}

INLINE void store(float *to, int64_t line, int64_t step, const __m512 *from, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++)
      _mm512_storeu_ps(to + i * line + j * step, from[i * side + j]);
}

#endif
