/* SPDX-License-Identifier: MIT
 *
 * coupling.c -- see coupling.h.
 */
#include "flow/coupling.h"

#include "core/rng.h"

/* The row at place `at` of an endless walk over the pool, one permutation an epoch; walks of two purposes are unrelated. */
static int64_t walk(const lfm_pairing *pairing, lfm_purpose purpose, int64_t at) {
  lfm_rng rng = {.seed = pairing->seed, .purpose = purpose, .block = pairing->block};
  return lfm_rng_permute(&rng, at / pairing->pool_rows, pairing->pool_rows, at % pairing->pool_rows);
}

int64_t lfm_pairing_left(const lfm_pairing *pairing, int64_t step, int64_t i) {
  return walk(pairing, LFM_FOR_BATCH, step * pairing->batch + i);
}

/* An epoch's end may lie between. */
void lfm_pairing_left_rows(const lfm_pairing *pairing, int64_t step, int64_t i, int64_t count, int64_t *out) {
  lfm_rng rng = {.seed = pairing->seed, .purpose = LFM_FOR_BATCH, .block = pairing->block};
  int64_t rows = pairing->pool_rows, at = step * pairing->batch + i;
  for (int64_t n; count > 0; count -= n, at += n, out += n) {
    n = rows - at % rows < count ? rows - at % rows : count;
    lfm_rng_permute_range(&rng, at / rows, rows, at % rows, n, out);
  }
}

int64_t lfm_pairing_right(const lfm_pairing *pairing, int64_t step, int64_t i) {
  if (lfm_coupling_is_own(pairing->coupling)) return lfm_pairing_left(pairing, step, i);
  if (pairing->coupling == LFM_COUPLING_INDEPENDENT) return walk(pairing, LFM_FOR_COUPLING, step * pairing->batch + i);
  lfm_rng rng = {.seed = pairing->seed, .purpose = LFM_FOR_COUPLING, .block = pairing->block};
  return lfm_pairing_left(pairing, step, lfm_rng_permute(&rng, step, pairing->batch, i));
}
