/* SPDX-License-Identifier: MIT
 *
 * posterior.c -- see posterior.h.
 * The candidates lie column by column, so that every loop runs along them: distances, then weights, then one weighted sum a
 * column, all vector code of a fixed order.  A matrix product for the distances was refused: |p|^2 - 2 p x + |x|^2
 * cancels where the noise is small, which is where it must not.
 */
#include "flow/posterior.h"

#include "core/alloc.h"
#include "core/order.h"
#include "core/vmath.h"

#include <math.h>

enum { PARTS = 32 }; /* interleaved partial sums: two of the widest vectors */

struct lfm_posterior {
  int64_t rows, padded, dim; /* padded: a multiple of PARTS */
  float *columns;            /* [dim, padded], zero beyond rows */
  float *weights;            /* [padded] */
  float *row;                /* [dim] of the pool */
};

lfm_status lfm_posterior_create(int64_t rows, int64_t dim, lfm_posterior **out) {
  *out = NULL;
  lfm_posterior *posterior;
  LFM_TRY(LFM_ALLOC(&posterior, 1));
  posterior->rows = rows;
  posterior->padded = lfm_rounded_up(rows, PARTS);
  posterior->dim = dim;
  lfm_status status = LFM_ALLOC(&posterior->columns, posterior->padded * dim);
  if (status == LFM_OK) status = LFM_ALLOC(&posterior->weights, posterior->padded);
  if (status == LFM_OK) status = LFM_ALLOC(&posterior->row, dim);
  if (status == LFM_OK) *out = posterior;
  else lfm_posterior_destroy(posterior);
  return status;
}

void lfm_posterior_destroy(lfm_posterior *posterior) {
  if (!posterior) return;
  lfm_free(posterior->columns);
  lfm_free(posterior->weights);
  lfm_free(posterior->row);
  lfm_free(posterior);
}

size_t lfm_posterior_memory(const lfm_posterior *posterior) {
  return posterior ? lfm_alloc_size(posterior->columns) + lfm_alloc_size(posterior->weights) + lfm_alloc_size(posterior->row)
                   : 0;
}

/* Four a column for the distance, three for the sum; some twenty for the exponential and the sum of the weights. */
double lfm_posterior_flops(int64_t rows, int64_t dim) { return (double)rows * (7.0 * (double)dim + 20.0); }

void lfm_posterior_load(lfm_posterior *posterior, const lfm_pool *pool, const int64_t *place, float scale) {
  for (int64_t k = 0; k < posterior->rows; k++) {
    const float *row = lfm_pool_row(pool, place[k], posterior->row);
    for (int64_t j = 0; j < posterior->dim; j++) posterior->columns[j * posterior->padded + k] = scale * row[j];
  }
}

/* Folded by halves: a fixed tree. */
static inline float sum_of(float part[PARTS]) {
  for (int half = PARTS / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) part[i] += part[i + half];
  return part[0];
}

static inline float least_of(const float *w, int64_t n) {
  float part[PARTS];
  for (int i = 0; i < PARTS; i++) part[i] = w[i];
  for (int64_t k = PARTS; k < n; k += PARTS)
    for (int i = 0; i < PARTS; i++) part[i] = w[k + i] < part[i] ? w[k + i] : part[i];
  for (int half = PARTS / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) part[i] = part[i + half] < part[i] ? part[i + half] : part[i];
  return part[0];
}

/* w [n] += |at - alpha x|^2 of one column. */
static inline void add_distance(float *restrict w, const float *restrict x, int64_t n, float at, float alpha) {
  for (int64_t k = 0; k < n; k++) {
    float apart = at - alpha * x[k];
    w[k] += apart * apart;
  }
}

static inline float weighted_sum(const float *restrict w, const float *restrict x, int64_t n, float from) {
  float part[PARTS] = {0};
  for (int64_t k = 0; k < n; k += PARTS)
    for (int i = 0; i < PARTS; i++) part[i] += w[k + i] * (x[k + i] - from);
  return sum_of(part);
}

/* n = padded; what lies beyond the rows is infinitely far and weighs nothing.  The nearest row has weight 1, so the sum of
 * the weights cannot vanish. */
LFM_VECTOR static void mean_of(const float *restrict columns, float *restrict w, int64_t rows, int64_t n, int64_t dim,
                               const float *point, float alpha, float scale, const float *from, float *out) {
  for (int64_t k = 0; k < n; k++) w[k] = k < rows ? 0.0f : INFINITY;
  for (int64_t j = 0; j < dim; j++) add_distance(w, columns + j * n, n, point[j], alpha);
  float least = least_of(w, n), part[PARTS] = {0};
  for (int64_t k = 0; k < n; k++) w[k] = lfm_expf((least - w[k]) * scale);
  for (int64_t k = 0; k < n; k += PARTS)
    for (int i = 0; i < PARTS; i++) part[i] += w[k + i];
  float all = sum_of(part);
  for (int64_t j = 0; j < dim; j++) out[j] = weighted_sum(w, columns + j * n, n, from[j]) / all;
}

void lfm_posterior_mean(lfm_posterior *posterior, const float *point, float alpha, float variance, const float *from,
                        float *out) {
  mean_of(posterior->columns, posterior->weights, posterior->rows, posterior->padded, posterior->dim, point, alpha,
          0.5f / variance, from, out);
}
