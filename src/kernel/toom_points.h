/* SPDX-License-Identifier: MIT
 *
 * toom_points.h -- the matrices of toom.c, for sixteen channels side by side.
 *
 * Of polynomials X, Y and G with as many coefficients as a tile has numbers read, numbers written and taps, each result is a
 * sum over coefficients of a product of two of them, and the third weighs them.  A product of N coefficients is known from
 * its values at N points: two of the three are evaluated, the third is brought to points by the transposed interpolation.
 *
 *   four results from eight numbers, N = 8:     Y = E4' [(E5 g) . (B x)]      dg = E5' [sum (B x) . (E4 dY)]
 *   a line of four, N = 7:                      Y = E4' [(B g) . (E4 x)]      dg = B'  [sum (E4 x) . (E4 dY)]
 *
 * En evaluates n coefficients, B interpolates.  Outside a line of four there are zeros, so there the taps may be what is
 * interpolated, and a point is saved: taps turned and x turned, with zeros where B wants more numbers than there are taps.
 * The points are 0, +-1/2, +-1, +-2, and infinity the eighth.  B is of whole polynomials: the factors 1 / (product of the
 * distances to the other points) are left to E4' and E5' and B', that is to the results.  Internal to toom.c; x86-64 only.
 */
#ifndef LFM_KERNEL_TOOM_POINTS_H
#define LFM_KERNEL_TOOM_POINTS_H

#include "kernel/avx512.h"

enum { TAPS = 5, TILE = 4, SPAN = 8, MOST_POINTS = 8, SIGNS = 3 }; /* SPAN: numbers that a tile of results hangs on */
enum { ONE = 3 };                                                  /* the place of the point 1 */

/* Of the points with two signs: p, p^2; what is left of (z^2 - 1/4)(z^2 - 1)(z^2 - 4), z^4 - sum z^2 + product; factors. */
static const float p1[SIGNS] = {0.5f, 1, 2}, p2[SIGNS] = {0.25f, 1, 4};
static const float sum_of[SIGNS] = {5, 4.25f, 1.25f}, product_of[SIGNS] = {4, 1, 0.25f};
static const float middle = 5.25f; /* of the whole, z^6 - middle z^4 + middle z^2 - 1 */
static const float at_zero = -1, at_point[SIGNS] = {32 / 45.0f, -2 / 9.0f, 1 / 90.0f};

/* E4 or E5: n coefficients to points, infinity the last of eight. */
INLINE void evaluate(__m512 *to, const __m512 *c, int n, int points) {
  to[0] = c[0];
  UNROLL for (int64_t k = 0; k < SIGNS; k++) {
    __m512 even = plus(p2[k], n == TAPS ? plus(p2[k], c[4], c[2]) : c[2], c[0]), odd = plus(p2[k], c[3], c[1]);
    to[1 + 2 * k] = plus(p1[k], odd, even), to[2 + 2 * k] = less(p1[k], odd, even);
  }
  if (points == MOST_POINTS) to[7] = c[n - 1];
}

/* E4' or E5', with the factors. */
INLINE void evaluate_back(__m512 *to, const __m512 *m, int n, int points) {
  __m512 sums[SIGNS], offs[SIGNS];
  UNROLL for (int64_t k = 0; k < SIGNS; k++) {
    sums[k] = times(at_point[k], _mm512_add_ps(m[1 + 2 * k], m[2 + 2 * k]));
    offs[k] = times(at_point[k] * p1[k], _mm512_sub_ps(m[1 + 2 * k], m[2 + 2 * k]));
  }
  to[0] = _mm512_add_ps(_mm512_add_ps(plus(at_zero, m[0], sums[0]), sums[1]), sums[2]);
  to[1] = _mm512_add_ps(_mm512_add_ps(offs[0], offs[1]), offs[2]);
  to[2] = plus(p2[2], sums[2], plus(p2[0], sums[0], sums[1]));
  to[3] = plus(p2[2], offs[2], plus(p2[0], offs[0], offs[1]));
  if (n == TAPS) to[4] = plus(p2[2] * p2[2], sums[2], plus(p2[0] * p2[0], sums[0], sums[1]));
  if (points == MOST_POINTS) to[n - 1] = _mm512_add_ps(to[n - 1], m[7]);
}

/* B: eight numbers to eight points. */
INLINE void interpolate(__m512 *to, const __m512 *x) {
  to[0] = plus(middle, _mm512_sub_ps(x[2], x[4]), _mm512_sub_ps(x[6], x[0]));
  UNROLL for (int64_t k = 0; k < SIGNS; k++) {
    __m512 even = plus(product_of[k], x[2], less(sum_of[k], x[4], x[6]));
    __m512 odd = plus(product_of[k], x[1], less(sum_of[k], x[3], x[5]));
    to[1 + 2 * k] = plus(p1[k], odd, even), to[2 + 2 * k] = less(p1[k], odd, even);
  }
  to[7] = plus(middle, _mm512_sub_ps(x[3], x[5]), _mm512_sub_ps(x[7], x[1]));
}

/* B of zero, five taps from the last to the first, and zeros: to seven points. */
INLINE void interpolate_taps(__m512 *to, const __m512 *g) {
  to[0] = times(middle, _mm512_sub_ps(g[3], g[1]));
  UNROLL for (int64_t k = 0; k < SIGNS; k++) {
    __m512 even = less(sum_of[k], g[1], times(product_of[k], g[3]));
    __m512 odd = plus(product_of[k], g[4], less(sum_of[k], g[2], g[0]));
    to[1 + 2 * k] = plus(p1[k], odd, even), to[2 + 2 * k] = less(p1[k], odd, even);
  }
}

/* Its transpose, with the factors. */
INLINE void interpolate_taps_back(__m512 *to, const __m512 *m) {
  __m512 zero = times(at_zero * middle, m[0]), none = _mm512_setzero_ps();
  to[0] = to[2] = to[4] = none, to[1] = _mm512_sub_ps(none, zero), to[3] = zero;
  UNROLL for (int64_t k = 0; k < SIGNS; k++) {
    __m512 even = times(at_point[k], _mm512_add_ps(m[1 + 2 * k], m[2 + 2 * k]));
    __m512 odd = times(at_point[k] * p1[k], _mm512_sub_ps(m[1 + 2 * k], m[2 + 2 * k]));
    to[0] = _mm512_add_ps(to[0], odd), to[2] = less(sum_of[k], odd, to[2]), to[4] = plus(product_of[k], odd, to[4]);
    to[1] = less(sum_of[k], even, to[1]), to[3] = plus(product_of[k], even, to[3]);
  }
}

/* What each of the four does, of a line that is one tile (`whole`) and of others. */
INLINE void points_of_image(__m512 *to, const __m512 *x, bool whole) {
  if (whole) evaluate(to, (__m512[TILE]){x[3], x[2], x[1], x[0]}, TILE, MOST_POINTS - 1);
  else interpolate(to, x);
}

INLINE void points_of_slope(__m512 *to, const __m512 *dy, bool whole) { evaluate(to, dy, TILE, MOST_POINTS - whole); }

INLINE void points_of_taps(__m512 *to, const __m512 *g, bool whole) {
  if (whole) interpolate_taps(to, g);
  else evaluate(to, g, TAPS, MOST_POINTS);
}

INLINE void result_of_points(__m512 *to, const __m512 *m, bool whole) { evaluate_back(to, m, TILE, MOST_POINTS - whole); }

INLINE void taps_of_points(__m512 *to, const __m512 *d, bool whole) {
  if (whole) interpolate_taps_back(to, d);
  else evaluate_back(to, d, TAPS, MOST_POINTS);
}

#endif
