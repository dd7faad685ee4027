/* SPDX-License-Identifier: MIT
 *
 * pointwise.c -- see pointwise.h.  The matrices are read where they lie: an image is [pixels, 16] for each block of channels,
 * and so is the filter.  Two blocks of the written channels at a time: their weights stay in the first-level cache, the image
 * in the second.
 */
#include "kernel/pointwise.h"

#include <string.h>

#if defined(__x86_64__)
#include "kernel/strips.h"

enum { SQUARE = LANES * LANES, SUMS = 4, AHEAD = SUMS * LANES };

bool lfm_pointwise_can(const lfm_conv_shape *s) {
  return s->in.block == LANES && s->size == 1 && s->stride == 1 && __builtin_cpu_supports("avx512f");
}

lfm_pointwise lfm_pointwise_of(const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows) {
  bool back = pass == LFM_CONV_BACK_DATA;
  return (lfm_pointwise){.read = lfm_image_blocks(back ? s->out : s->in),
                         .written = lfm_image_blocks(back ? s->in : s->out),
                         .pixels = lfm_image_pixels(s->in),
                         .rows = rows};
}

AVX512 static void run_image(const lfm_pointwise *p, const float *x, const float *filter, const float *bias, float *y) {
  int64_t plane = p->pixels * LANES, tiles = p->read * SQUARE;
  strips s = {.c = y,
              .c_row = LANES,
              .c_vector = plane,
              .start = bias,
              .start_row = 0,
              .start_vector = LANES,
              .a = x,
              .a_row = LANES,
              .a_step = 1,
              .a_block = plane,
              .b = filter,
              .b_step = LANES,
              .b_vector = tiles,
              .rows = p->pixels,
              .depth = p->read * LANES};
  for (int64_t left = p->written; left > 0; left -= PAIR, s.c += PAIR * plane, s.b += PAIR * tiles) {
    multiply_any(&s, left < PAIR ? 1 : PAIR, bias != NULL);
    if (bias) s.start += TWO;
  }
}

void lfm_pointwise_run(const lfm_pointwise *p, const float *x, const float *filter, const float *bias, float *y) {
  int64_t plane = p->pixels * LANES;
  for (int64_t row = 0; row < p->rows; row++)
    run_image(p, x + row * p->read * plane, filter, bias, y + row * p->written * plane);
}

AVX512 static void add_image(const lfm_pointwise *p, const float *x, const float *dy, float *dw, bool add) {
  int64_t plane = p->pixels * LANES, tiles = p->read * SQUARE;
  for (int64_t o = 0; o < p->written; o += PAIR)
    for (int64_t i = 0; i < p->read; i++) {
      strips s = {.c = dw + o * tiles + i * SQUARE,
                  .c_row = LANES,
                  .c_vector = tiles,
                  .a = x + i * plane,
                  .a_row = 1,
                  .a_step = LANES,
                  .a_block = SQUARE,
                  .b = dy + o * plane,
                  .b_step = LANES,
                  .b_vector = plane,
                  .rows = LANES,
                  .depth = p->pixels};
      if (add) s = added(s);
      multiply_any(&s, p->written - o < PAIR ? 1 : PAIR, add);
    }
}

AVX512 static void add_bias(const lfm_pointwise *p, const float *dy, float *db) {
  for (int64_t o = 0; o < p->written; o++, db += LANES) {
    __m512 sum[SUMS] = {_mm512_loadu_ps(db), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    int64_t pixel = 0;
    for (; pixel + SUMS <= p->pixels; pixel += SUMS, dy += AHEAD)
      UNROLL for (int64_t j = 0; j < SUMS; j++) sum[j] = _mm512_add_ps(sum[j], _mm512_loadu_ps(dy + j * LANES));
    for (; pixel < p->pixels; pixel++, dy += LANES) sum[0] = _mm512_add_ps(sum[0], _mm512_loadu_ps(dy));
    _mm512_storeu_ps(db, _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3])));
  }
}

void lfm_pointwise_gradient(const lfm_pointwise *p, const float *x, const float *dy, float *dw, float *db) {
  int64_t plane = p->pixels * LANES;
  memset(db, 0, (size_t)(p->written * LANES) * sizeof *db);
  for (int64_t row = 0; row < p->rows; row++) {
    add_image(p, x + row * p->read * plane, dy + row * p->written * plane, dw, row > 0);
    add_bias(p, dy + row * p->written * plane, db);
  }
}
#else
bool lfm_pointwise_can(const lfm_conv_shape *shape) {
  (void)shape;
  return false;
}

lfm_pointwise lfm_pointwise_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows) {
  (void)shape, (void)pass, (void)rows;
  return (lfm_pointwise){0};
}

void lfm_pointwise_run(const lfm_pointwise *p, const float *x, const float *filter, const float *bias, float *y) {
  (void)p, (void)x, (void)filter, (void)bias, (void)y;
}

void lfm_pointwise_gradient(const lfm_pointwise *p, const float *x, const float *dy, float *dw, float *db) {
  (void)p, (void)x, (void)dy, (void)dw, (void)db;
}
#endif
