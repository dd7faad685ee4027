/* SPDX-License-Identifier: MIT
 *
 * coupling.h -- which pool rows a batch takes, and which row the right end x_r is diffused from.
 *   dependent    x' = x_l                        (default: a pair is one row and its own OU step)
 *   shuffled     x' = another row of the batch, by a permutation of it
 *   independent  x' = a row of a separate batch
 *   shared       x' = x_l, and the noise of x_r is that of x_l, with pool: ou (matching.c)
 * The pool is walked in a fresh random order every epoch, so each row is seen once an epoch; the order is a function of
 * (seed, block, epoch), nothing is stored.
 */
#ifndef LFM_FLOW_COUPLING_H
#define LFM_FLOW_COUPLING_H

#include "config/config.h"

typedef struct lfm_pairing {
  lfm_coupling coupling;
  uint64_t seed;
  uint32_t block;
  int64_t pool_rows, batch;
} lfm_pairing;

/* Pool row of x_l of pair i < batch at this step. */
int64_t lfm_pairing_left(const lfm_pairing *pairing, int64_t step, int64_t i);
/* Of the pairs i .. i + count - 1, several at once; out [count]. */
void lfm_pairing_left_rows(const lfm_pairing *pairing, int64_t step, int64_t i, int64_t count, int64_t *out);

/* Pool row that x_r is made from; the left one where x' is the pair's own x_l. */
int64_t lfm_pairing_right(const lfm_pairing *pairing, int64_t step, int64_t i);

#endif
