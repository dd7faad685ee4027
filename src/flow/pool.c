/* SPDX-License-Identifier: MIT
 *
 * pool.c -- rows in floats or in halves (pool.h).
 */
#include "flow/pool.h"

#include "core/alloc.h"
#include "core/half.h"

#include <string.h>

lfm_status lfm_pool_make(int64_t rows, int64_t dim, bool in_halves, int64_t givens, lfm_pool *out) {
  *out = (lfm_pool){.rows = rows, .dim = dim, .givens = givens};
  if (in_halves) LFM_TRY(LFM_ALLOC_ROWS(&out->halves, rows * dim));
  else LFM_TRY(LFM_ALLOC_ROWS(&out->values, rows * dim));
  return givens ? LFM_ALLOC_ROWS(&out->given, rows * givens) : LFM_OK;
}

void lfm_pool_release(lfm_pool *pool) {
  lfm_free(pool->values);
  lfm_free(pool->halves);
  lfm_free(pool->given);
  *pool = (lfm_pool){0};
}

LFM_VECTOR static void widen(float *restrict x, const uint16_t *restrict halves, int64_t n) {
  for (int64_t j = 0; j < n; j++) x[j] = lfm_half_value(halves[j]);
}

LFM_VECTOR static void narrow(uint16_t *restrict halves, const float *restrict x, int64_t n) {
  for (int64_t j = 0; j < n; j++) halves[j] = lfm_half_of(x[j]);
}

const float *lfm_pool_row(const lfm_pool *pool, int64_t row, float *room) {
  if (pool->values) return pool->values + row * pool->dim;
  widen(room, pool->halves + row * pool->dim, pool->dim);
  return room;
}

void lfm_pool_put(lfm_pool *pool, int64_t row, const float *x) {
  if (pool->values) memcpy(pool->values + row * pool->dim, x, (size_t)pool->dim * sizeof *x);
  else narrow(pool->halves + row * pool->dim, x, pool->dim);
}

void lfm_pool_move(lfm_pool *pool, int64_t to, int64_t from) {
  if (to == from) return;
  size_t bytes = (size_t)pool->dim * lfm_pool_number_size(pool);
  char *numbers = lfm_pool_numbers(pool);
  memcpy(numbers + (size_t)to * bytes, numbers + (size_t)from * bytes, bytes);
  size_t given = (size_t)pool->givens;
  if (given) memcpy(pool->given + (size_t)to * given, pool->given + (size_t)from * given, given * sizeof *pool->given);
}
