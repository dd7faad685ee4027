/* SPDX-License-Identifier: MIT
 *
 * pool.h -- the rows that a block trains on or is judged by, normalised, as the blocks before have carried them.
 * They lie there as floats or, for half of the memory and disk, as halves (core/half.h): each number is then rounded once
 * when the pool is filled, and once more by every block that carries it.  What a pool costs is then the rounding alone, as
 * everything that reads it computes in floats.  [docs/decisions/memory.md]
 */
#ifndef LFM_FLOW_POOL_H
#define LFM_FLOW_POOL_H

#include "core/status.h"
#include "store/safetensors.h"

typedef struct lfm_pool {
  int64_t rows, dim;
  float *values;    /* [rows, dim], or NULL; these may lie in a file (lfm_alloc_rows) */
  uint16_t *halves; /* [rows, dim] instead */
  int64_t givens;   /* numbers of each row that the network is shown and no block moves: an observation, a picture's class */
  float *given;     /* [rows, givens]; NULL: none */
} lfm_pool;

/* Zeros.  What it holds after a failure, lfm_pool_release takes as well. */
lfm_status lfm_pool_make(int64_t rows, int64_t dim, bool in_halves, int64_t givens, lfm_pool *out);
void lfm_pool_release(lfm_pool *pool);

/* Row `row` as floats: where it lies, or in room [dim]. */
const float *lfm_pool_row(const lfm_pool *pool, int64_t row, float *room);
void lfm_pool_put(lfm_pool *pool, int64_t row, const float *x); /* x [dim] */
void lfm_pool_move(lfm_pool *pool, int64_t to, int64_t from);   /* a row with what is given of it */

/* The numbers, as they lie, their type, and the bytes of one. */
static inline void *lfm_pool_numbers(const lfm_pool *pool) {
  return pool->halves ? (void *)pool->halves : (void *)pool->values;
}
static inline lfm_dtype lfm_pool_dtype(const lfm_pool *pool) { return pool->halves ? LFM_F16 : LFM_F32; }
static inline size_t lfm_pool_number_size(const lfm_pool *pool) { return pool->halves ? sizeof(uint16_t) : sizeof(float); }

#endif
