/* SPDX-License-Identifier: MIT
 *
 * gemv.c -- see gemv.h.  A tile's 64 columns are four sums in registers, and the tile is read once from its first row to its
 * last: the arithmetic is nothing beside the reading, which runs at the pace of the second-level cache, where oneDNN's
 * product of one row takes half as long again [docs/decisions/one-row.md]. Sums in the order of oneDNN's AVX-512 product have
 * the bits of the same row in a batch: any other order, a dot product along k or two sums a column, was out of the question.
 */
#include "kernel/gemv.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { LANES = 16, VECTORS = 4, COLUMNS = LANES * VECTORS };

bool lfm_gemv_fits(const lfm_layout *b) {
  return b->col_block == COLUMNS && b->row_stride == b->row_block * COLUMNS && __builtin_cpu_supports("avx512f");
}

/* Adds to the sums the rows from `first` to `end` of a tile column. */
__attribute__((target("avx512f"))) static inline void add_rows(__m512 *sum, const float *a, const float *b, int64_t first,
                                                               int64_t end) {
  for (int64_t k = first; k < end; k++) {
    __m512 factor = _mm512_set1_ps(a[k]);
    for (int64_t v = 0; v < VECTORS; v++)
      sum[v] = _mm512_fmadd_ps(factor, _mm512_loadu_ps(b + k * COLUMNS + v * LANES), sum[v]);
  }
}

__attribute__((target("avx512f"))) void lfm_gemv(float *c, const float *a, const float *b, const lfm_layout *layout,
                                                 int64_t block, const float *bias) {
  int64_t rows = layout->rows;
  for (int64_t k = 0; k < rows; k += LANES) _mm_prefetch((const char *)(a + k), _MM_HINT_T0);
  for (int64_t first = 0; first < layout->cols; first += COLUMNS, b += layout->col_stride) {
    __m512 sum[VECTORS] = {0};
    add_rows(sum, a, b, 0, rows < block ? rows : block);
    for (int64_t k = block; k < rows; k += block) {
      __m512 more[VECTORS] = {0};
      add_rows(more, a, b, k, rows - k < block ? rows : k + block);
      for (int v = 0; v < VECTORS; v++) sum[v] = _mm512_add_ps(sum[v], more[v]);
    }
    for (int64_t v = 0, at = first; v < VECTORS && at < layout->cols; v++, at += LANES) {
      int64_t left = layout->cols - at;
      __mmask16 some = (__mmask16)(left < LANES ? (1u << left) - 1u : 0xFFFFu);
      if (bias) sum[v] = _mm512_add_ps(sum[v], _mm512_maskz_loadu_ps(some, bias + at));
      _mm512_mask_storeu_ps(c + at, some, sum[v]);
    }
  }
}
#else
bool lfm_gemv_fits(const lfm_layout *b) {
  (void)b;
  return false;
}

void lfm_gemv(float *c, const float *a, const float *b, const lfm_layout *layout, int64_t block, const float *bias) {
  (void)c, (void)a, (void)b, (void)layout, (void)block, (void)bias;
}
#endif
