/* SPDX-License-Identifier: MIT
 *
 * attention.c -- see attention.h.
 *
 * The products of a head read queries, keys and values where they lie in the image, a vector of sixteen channels a pixel, and
 * write there; only K' and V' are made, whose columns are pixels.  Queries go through in strips of so many that their rows of
 * P and dS stay in the caches, and those of all pixels, which no cache would hold for all heads, are never seen
 * [Dao et al. 2022].
 *   forward   P = e^(Q K' / sqrt(d) - most);  O = P V / sum of P
 *   backward  P again;  dP = dO V';  dS = P (dP - <P, dP>) / sqrt(d);  dQ = dS K;  dK += dS' Q;  dV += P' dO
 */
#include "kernel/attention.h"

#if defined(__x86_64__)
#include "core/order.h"
#include "kernel/strips.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 4 * STRIP };

/* Where one head lies. */
typedef struct head {
  int64_t pixels, wide, d; /* wide: pixels, in whole vectors */
  int64_t plane;           /* numbers of a block of channels */
  const float *q, *k, *v;
  float *kt, *vt, *p, *ds; /* [d, wide]; [QUERIES, wide] */
  float scale;
} head;

static int64_t wide_of(lfm_image image) { return lfm_rounded_up(lfm_image_pixels(image), LANES); }

static bool can_attend(lfm_image out, int64_t heads) {
  return out.block == LANES && out.channels / heads % LANES == 0 && __builtin_cpu_supports("avx512f");
}

static size_t attend_room(lfm_image out, int64_t heads) {
  return (size_t)(wide_of(out) * 2 * (out.channels / heads + QUERIES)) * sizeof(float);
}

static head head_of(const float *qkv, lfm_image out, int64_t heads, int64_t number, float *room) {
  int64_t d = out.channels / heads, pixels = lfm_image_pixels(out), wide = wide_of(out);
  const float *q = qkv + 3 * number * d * pixels;
  head h = {pixels, wide, d, pixels * LANES, q, q + d * pixels, q + 2 * d * pixels, room, NULL, NULL, NULL, 0};
  h.vt = h.kt + d * wide, h.p = h.vt + d * wide, h.ds = h.p + QUERIES * wide;
  h.scale = (float)(1 / sqrt((double)d));
  return h;
}

/* to [d, wide] = the matrix [pixels, d] that lies in an image, transposed; zeros behind the last pixel. */
AVX512 static void transpose(float *to, const float *from, const head *h) {
  for (int64_t c = 0; c < h->d; c++) {
    const float *at = from + c / LANES * h->plane + c % LANES;
    for (int64_t i = 0; i < h->pixels; i++) to[c * h->wide + i] = at[i * LANES];
    for (int64_t i = h->pixels; i < h->wide; i++) to[c * h->wide + i] = 0;
  }
}

/* ---- products: rows are queries or keys, from pixel `first` on ----------------------------------------------------- */

/* s [rows, wide] = A B, A [rows, d] in an image, B [d, wide]. */
AVX512 static void meet(float *s, const float *a, const float *b, const head *h, int64_t first, int64_t rows) {
  strips product = {.c = s,
                    .c_row = h->wide,
                    .c_vector = LANES,
                    .a = a + first * LANES,
                    .a_row = LANES,
                    .a_step = 1,
                    .a_block = h->plane,
                    .b = b,
                    .b_step = h->wide,
                    .b_vector = LANES,
                    .rows = rows,
                    .depth = h->d};
  for (int64_t left = h->wide / LANES; left > 0; left -= PAIR, product.c += TWO, product.b += TWO)
    multiply_any(&product, left < PAIR ? 1 : PAIR, false);
}

/* Blocks of channels two by two. */
AVX512 static void multiply_blocks(strips product, const head *h, bool add) {
  for (int64_t left = h->d / LANES; left > 0; left -= PAIR, product.c += PAIR * h->plane, product.b += PAIR * h->plane) {
    if (add) product = added(product);
    multiply_any(&product, left < PAIR ? 1 : PAIR, add);
  }
}

/* C [rows, d] = S [rows, pixels] B, B and C in images, C from pixel `first` on. */
AVX512 static void mix(float *c, const float *s, const float *b, const head *h, int64_t first, int64_t rows) {
  strips product = {.c = c + first * LANES,
                    .c_row = LANES,
                    .c_vector = h->plane,
                    .a = s,
                    .a_row = h->wide,
                    .a_step = 1,
                    .a_block = LANES,
                    .b = b,
                    .b_step = LANES,
                    .b_vector = h->plane,
                    .rows = rows,
                    .depth = h->pixels};
  multiply_blocks(product, h, false);
}

/* C [pixels, d] = or += S' B, S [rows, pixels], B in an image from pixel `first` on. */
AVX512 static void mix_back(float *c, const float *s, const float *b, const head *h, int64_t first, int64_t rows) {
  strips product = {.c = c,
                    .c_row = LANES,
                    .c_vector = h->plane,
                    .a = s,
                    .a_row = 1,
                    .a_step = h->wide,
                    .a_block = LANES * h->wide,
                    .b = b + first * LANES,
                    .b_step = LANES,
                    .b_vector = h->plane,
                    .rows = h->pixels,
                    .depth = rows};
  multiply_blocks(product, h, first > 0);
}

/* ---- the softmax ---------------------------------------------------------------------------------------------------- */

/* e^x of sixteen x <= 0 (or NaN), as lfm_expf but for its roundings: 2^k e^r, |r| <= ln 2 / 2; 0 below -104. */
INLINE __m512 exponential(__m512 x) {
  x = _mm512_max_ps(_mm512_set1_ps(-104.0f), x); /* of a NaN the second */
  __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(k, _mm512_set1_ps(-2.12194440e-4f), r);
  static const float of[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  __m512 e = _mm512_set1_ps(1.9875691500e-4f);
  UNROLL for (int i = 0; i < 5; i++) e = _mm512_fmadd_ps(e, r, _mm512_set1_ps(of[i]));
  e = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(e, r), r, r), _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(e, k);
}

/* p = e^(p scale - most), in place; 1 / its sum. */
AVX512 static float exponentials(float *restrict p, const head *h) {
  __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
  __mmask16 last = (__mmask16)(0xFFFFu >> (h->wide - h->pixels));
  for (int64_t i = 0; i < h->wide; i += LANES)
    most = _mm512_mask_max_ps(most, i + LANES < h->wide ? 0xFFFF : last, most, _mm512_loadu_ps(p + i));
  __m512 scale = _mm512_set1_ps(h->scale), off = _mm512_set1_ps(h->scale * _mm512_reduce_max_ps(most));
  for (int64_t i = 0; i < h->wide; i += LANES) {
    __m512 e = exponential(_mm512_fmsub_ps(_mm512_loadu_ps(p + i), scale, off));
    _mm512_storeu_ps(p + i, e);
    sum = _mm512_mask_add_ps(sum, i + LANES < h->wide ? 0xFFFF : last, sum, e);
  }
  return 1 / _mm512_reduce_add_ps(sum);
}

AVX512 static void scale(float *restrict p, float by, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] *= by;
}

/* ds = p (ds - <p, ds>) scale; what lies behind the last pixel is nobody's. */
AVX512 static void slope(float *restrict ds, const float *restrict p, const head *h) {
  __m512 sum = _mm512_setzero_ps();
  __mmask16 last = (__mmask16)(0xFFFFu >> (h->wide - h->pixels));
  for (int64_t i = 0; i < h->wide; i += LANES)
    sum = _mm512_mask3_fmadd_ps(_mm512_loadu_ps(p + i), _mm512_loadu_ps(ds + i), sum, i + LANES < h->wide ? 0xFFFF : last);
  float mean = _mm512_reduce_add_ps(sum);
  float scale = h->scale;
  int64_t wide = h->wide;
  for (int64_t i = 0; i < wide; i++) ds[i] = p[i] * (ds[i] - mean) * scale;
}

/* ---- the kernels ---------------------------------------------------------------------------------------------------- */

AVX512 static void attend(void *out, const void *qkv, lfm_image shape, int64_t heads, int64_t number, void *room) {
  head h = head_of(qkv, shape, heads, number, room);
  float *o = (float *)out + number * h.d * h.pixels, share[QUERIES];
  transpose(h.kt, h.k, &h);
  for (int64_t first = 0, rows; first < h.pixels; first += rows) {
    rows = h.pixels - first < QUERIES ? h.pixels - first : QUERIES;
    meet(h.p, h.q, h.kt, &h, first, rows);
    for (int64_t i = 0; i < rows; i++) share[i] = exponentials(h.p + i * h.wide, &h);
    mix(o, h.p, h.v, &h, first, rows);
    for (int64_t block = 0; block < h.d / LANES; block++)
      for (int64_t i = 0; i < rows; i++) scale(o + block * h.plane + (first + i) * LANES, share[i], LANES);
  }
}

AVX512 static void attend_backward(void *dqkv, const void *dout, const void *qkv, lfm_image shape, int64_t heads,
                                   int64_t number, void *room) {
  head h = head_of(qkv, shape, heads, number, room);
  float *dq = (float *)dqkv + 3 * number * h.d * h.pixels, *dk = dq + h.d * h.pixels, *dv = dk + h.d * h.pixels;
  const float *d_out = (const float *)dout + number * h.d * h.pixels;
  transpose(h.kt, h.k, &h);
  transpose(h.vt, h.v, &h);
  for (int64_t first = 0, rows; first < h.pixels; first += rows) {
    rows = h.pixels - first < QUERIES ? h.pixels - first : QUERIES;
    meet(h.p, h.q, h.kt, &h, first, rows);
    meet(h.ds, d_out, h.vt, &h, first, rows);
    for (int64_t i = 0; i < rows; i++) {
      float *p = h.p + i * h.wide;
      scale(p, exponentials(p, &h), h.wide);
      slope(h.ds + i * h.wide, p, &h);
    }
    mix_back(dv, h.p, d_out, &h, first, rows);
    mix(dq, h.ds, h.k, &h, first, rows);
    mix_back(dk, h.ds, h.q, &h, first, rows);
  }
}

void lfm_attention_add(lfm_image_kernels *table) {
  table->can_attend = can_attend, table->attend_room = attend_room;
  table->attend = attend, table->attend_backward = attend_backward;
}
#else
void lfm_attention_add(lfm_image_kernels *table) { (void)table; }
#endif
