/* SPDX-License-Identifier: MIT
 *
 * rng.c -- Philox 4x32-10 addressed by (seed; group, row, step, purpose, block).
 *   key     = the two halves of seed
 *   counter = { group, row low, step, purpose | block << 8 | row high << 20 }
 * Purpose takes 8 bits, block 12, the high row 12: the fields never overlap, so no two addresses share a counter.
 */
#include "core/rng.h"

#include "core/vmath.h"

#include <math.h>
#include <Random123/philox.h>

void lfm_rng_words(const lfm_rng *rng, int64_t row, uint32_t group, uint32_t out[4]) {
  philox4x32_key_t key = {{(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)}};
  uint32_t place = (uint32_t)rng->purpose | rng->block << 8 | (uint32_t)((uint64_t)row >> 32) << 20;
  philox4x32_ctr_t counter = {{group, (uint32_t)row, rng->step, place}};
  philox4x32_ctr_t words = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) out[i] = words.v[i];
}

enum { CHUNK = 64 }; /* normals a pass: 16 groups of words, transformed by loops that become vector code */

/* Pairs (u, w) of words to pairs of normals: sqrt(-2 ln u) (cos, sin)(2 pi w).  [Box and Muller 1958] */
LFM_VECTOR
static void box_muller(const uint32_t *restrict radius_words, const uint32_t *restrict angle_words, float *restrict cosines,
                       float *restrict sines) {
  for (int i = 0; i < CHUNK / 2; i++) {
    float u = ((float)(int32_t)(radius_words[i] >> 1) + 0.5f) * 0x1p-31f; /* (0, 1] */
    float w = (float)(int32_t)(angle_words[i] >> 8) * 0x1p-24f;            /* [0, 1) */
    float square = -2.0f * lfm_logf(u);
    float radius = __builtin_sqrtf(square > 0.0f ? square : 0.0f); /* the polynomial's log 1 may be a hair above 0 */
    float sine, cosine;
    lfm_sincos_turn(w, &sine, &cosine);
    cosines[i] = radius * cosine;
    sines[i] = radius * sine;
  }
}

void lfm_rng_normal(const lfm_rng *rng, int64_t row, float *out, size_t n) {
  for (size_t begin = 0; begin < n; begin += CHUNK) {
    uint32_t radius_words[CHUNK / 2] = {0}, angle_words[CHUNK / 2] = {0};
    float cosines[CHUNK / 2], sines[CHUNK / 2];
    size_t wanted = n - begin < CHUNK ? n - begin : CHUNK;
    for (size_t group = 0; group < (wanted + 3) / 4; group++) {
      uint32_t words[4];
      lfm_rng_words(rng, row, (uint32_t)(begin / 4 + group), words);
      radius_words[2 * group] = words[0], angle_words[2 * group] = words[1];
      radius_words[2 * group + 1] = words[2], angle_words[2 * group + 1] = words[3];
    }
    box_muller(radius_words, angle_words, cosines, sines);
    for (size_t i = 0; i < wanted; i++) out[begin + i] = i % 2 ? sines[i / 2] : cosines[i / 2];
  }
}

double lfm_rng_uniform(const lfm_rng *rng, int64_t row, uint32_t index) {
  uint32_t words[4];
  lfm_rng_words(rng, row, index, words);
  uint64_t bits = ((uint64_t)words[0] << 32 | words[1]) >> 11;
  return ((double)bits + 0.5) * 0x1p-53;
}

/* The uniforms of one Beta draw: index owns 2^10 groups, enough for 500 rejections of a sampler that accepts most. */
static double next_uniform(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used) {
  return lfm_rng_uniform(rng, row, (index << 10) + (*used)++ % 1024);
}

/* Gamma(shape, 1) for shape >= 1 [Marsaglia and Tsang 2000]; the normal by Box-Muller in double. */
static double gamma_above_one(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used, double shape) {
  double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
  for (;;) {
    double radius = sqrt(-2.0 * log(next_uniform(rng, row, index, used)));
    double x = radius * cos(2.0 * M_PI * next_uniform(rng, row, index, used));
    double v = 1.0 + c * x;
    if (v <= 0.0) continue;
    v = v * v * v;
    if (log(next_uniform(rng, row, index, used)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

/* ln of a Gamma(shape, 1) draw; in the log, since u^{1/shape} underflows for small shapes. */
static double log_gamma_draw(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used, double shape) {
  if (shape >= 1.0) return log(gamma_above_one(rng, row, index, used, shape));
  double boosted = log(gamma_above_one(rng, row, index, used, shape + 1.0));
  return boosted + log(next_uniform(rng, row, index, used)) / shape;
}

/* Beta(a, b) = X / (X + Y), X ~ Gamma(a), Y ~ Gamma(b). */
double lfm_rng_beta(const lfm_rng *rng, int64_t row, uint32_t index, double a, double b) {
  uint32_t used = 0;
  double x = log_gamma_draw(rng, row, index, &used, a);
  double y = log_gamma_draw(rng, row, index, &used, b);
  return 1.0 / (1.0 + exp(y - x));
}

int64_t lfm_rng_permute(const lfm_rng *rng, int64_t salt, int64_t n, int64_t i) {
  int half = 1;
  while (half < 31 && ((int64_t)1 << (2 * half)) < n) half++;
  uint32_t mask = (uint32_t)(((uint64_t)1 << half) - 1);
  uint64_t at = (uint64_t)i;
  do { /* four rounds over 2 half bits, repeated until inside: at most four times in the mean */
    uint32_t left = (uint32_t)(at >> half), right = (uint32_t)at & mask;
    for (uint32_t round = 0; round < 4; round++) {
      uint32_t words[4];
      lfm_rng_words(rng, ((int64_t)right << 2) | round, (uint32_t)salt, words);
      uint32_t swapped = left ^ (words[0] & mask);
      left = right;
      right = swapped;
    }
    at = (uint64_t)left << half | right;
  } while (at >= (uint64_t)n);
  return (int64_t)at;
}
