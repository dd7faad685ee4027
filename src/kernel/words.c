/* SPDX-License-Identifier: MIT
 *
 * words.c -- see words.h.  Sixteen columns of B at a time are a vector of words.  What lies outside B is zero before
 * and stays so; where a whole vector or square is written there, it is zeros.
 */
#include "kernel/words.h"

#if defined(__x86_64__)
#include "kernel/avx512.h"

enum { DEPTH = 2 * LANES }; /* rows of B in a square of words */

bool lfm_words_can(const lfm_layout *l) {
  return __builtin_cpu_supports("avx512f") && l->half && l->pair == 2 && l->row_block % DEPTH == 0 &&
         l->col_block % LANES == 0;
}

/* Where rows [k, k + 2) from column n on lie; k is even, and n begins a vector. */
static inline uint32_t *place(uint32_t *dst, const lfm_layout *l, int64_t k, int64_t n) {
  int64_t tile = k / l->row_block * l->row_stride + n / l->col_block * l->col_stride;
  return dst + (tile + k % l->row_block * l->col_block) / 2 + n % l->col_block;
}

/* Straight: two rows of W, the second of which may be missing, become one line of words; tile by tile of columns. */
AVX512 static void put_rows(uint32_t *dst, const lfm_layout *l, const float *w, int64_t ld, int64_t first, int64_t count) {
  for (int64_t tile = 0; tile < l->cols; tile += l->col_block)
    for (int64_t k = first; k < first + count; k += 2) {
      const float *row = w + k * ld + tile;
      uint32_t *to = place(dst, l, k, tile);
      for (int64_t j = 0; j < l->col_block; j += LANES) {
        __mmask16 in = lanes_in(tile + j, l->cols);
        __m512i even = rounded_bits(_mm512_maskz_loadu_ps(in, row + j)), odd = _mm512_setzero_si512();
        if (k + 1 < l->rows) odd = rounded_bits(_mm512_maskz_loadu_ps(in, row + ld + j));
        odd = _mm512_and_si512(odd, _mm512_set1_epi32((int)0xFFFF0000u));
        _mm512_storeu_si512(to + j, _mm512_or_si512(_mm512_srli_epi32(even, 16), odd));
      }
    }
}

/* A row of W from k on, as sixteen words of neighbours. */
INLINE __m512 words_of(const float *row, int64_t k, int64_t end) {
  __m256i low = halves_of(_mm512_maskz_loadu_ps(lanes_in(k, end), row + k));
  __m256i high = halves_of(_mm512_maskz_loadu_ps(lanes_in(k + LANES, end), row + k + LANES));
  return _mm512_castsi512_ps(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
}

/* Transposed: sixteen rows of W, those outside [first, first + count) left as they are, turn into lines of words. */
AVX512 static void put_turned(uint32_t *dst, const lfm_layout *l, const float *w, int64_t ld, int64_t first, int64_t count) {
  int64_t end = first + count;
  for (int64_t n = first / LANES * LANES; n < end; n += LANES) {
    __mmask16 rows = lanes_in(n, end) & (__mmask16)~lanes_in(n, first);
    for (int64_t k = 0; k < l->rows; k += DEPTH) {
      __m512 words[LANES];
      UNROLL for (int64_t i = 0; i < LANES; i++) words[i] =
          rows >> i & 1 ? words_of(w + (n + i) * ld, k, l->rows) : _mm512_setzero_ps();
      transpose_square(words);
      uint32_t *to = place(dst, l, k, n);
      UNROLL for (int64_t i = 0; i < LANES; i++) _mm512_mask_storeu_ps(to + i * l->col_block, rows, words[i]);
    }
  }
}

void lfm_words_pack(uint32_t *dst, const lfm_layout *layout, bool transposed, const float *w, int64_t ld, int64_t first,
                    int64_t count) {
  if (transposed) put_turned(dst, layout, w, ld, first, count);
  else put_rows(dst, layout, w, ld, first, count);
}
#else
bool lfm_words_can(const lfm_layout *layout) { return (void)layout, false; }
void lfm_words_pack(uint32_t *dst, const lfm_layout *layout, bool transposed, const float *w, int64_t ld, int64_t first,
                    int64_t count) {
  (void)dst, (void)layout, (void)transposed, (void)w, (void)ld, (void)first, (void)count;
}
#endif
