/* SPDX-License-Identifier: MIT
 *
 * avx512.h -- what the kernels with AVX-512 share: functions for that processor alone, loops without a counter, and of
 * vectors of sixteen: halves, the end of a row, a square turned, a number times one.  Internal to this room; x86-64 only.
 */
#ifndef LFM_KERNEL_AVX512_H
#define LFM_KERNEL_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE AVX512 __attribute__((always_inline)) static inline
/* A function of its own: in a loop the compiler would keep the addresses of every point of a tile. */
#define APART AVX512 __attribute__((noinline)) static
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 36")
#endif

enum { LANES = 16 };

/* Asks for a line of memory, into the second level.  In assembler: gcc takes a function that does nothing but
 * __builtin_prefetch for one that does nothing, and drops its calls. */
static inline void fetch_line(const void *at) { __asm__ volatile("prefetcht1 %0" : : "m"(*(const char *)at)); }

static inline void fetch_near(const void *at) { __asm__ volatile("prefetcht0 %0" : : "m"(*(const char *)at)); } /* first */

/* Sixteen of bfloat16. */
INLINE __m512 floats_of(__m256i halves) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16)); }
INLINE __m512 floats_of_halves(const uint16_t *from) { return floats_of(_mm256_loadu_si256((const __m256i *)from)); }

/* lfm_bf16_bits of sixteen, and lfm_bf16_of. */
INLINE __m512i rounded_bits(__m512 x) {
  __m512i bits = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
  __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_mask_or_epi32(rounded, is_nan, bits, _mm512_set1_epi32(0x400000));
}
INLINE __m256i halves_of(__m512 x) { return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded_bits(x), 16)); }

/* Those of sixteen numbers from `at` on that lie before `end`. */
INLINE __mmask16 lanes_in(int64_t at, int64_t end) {
  if (at + LANES <= end) return 0xFFFF;
  return at < end ? (__mmask16)((1 << (end - at)) - 1) : 0;
}

/* Sixteen lines of sixteen become columns: pairs, fours, then the four parts of a line. */
INLINE void transpose_square(__m512 *x) {
  __m512 pairs[LANES];
  UNROLL for (int64_t i = 0; i < LANES; i += 2) pairs[i] = _mm512_unpacklo_ps(x[i], x[i + 1]),
                                                pairs[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
  UNROLL for (int64_t i = 0; i < LANES; i += 4) UNROLL for (int64_t j = 0; j < 2; j++) {
    __m512d low = _mm512_castps_pd(pairs[i + j]), high = _mm512_castps_pd(pairs[i + j + 2]);
    x[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
    x[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
  }
  UNROLL for (int64_t j = 0; j < 4; j++) {
    __m512 even_low = _mm512_shuffle_f32x4(x[j], x[4 + j], 0x88), odd_low = _mm512_shuffle_f32x4(x[j], x[4 + j], 0xDD);
    __m512 even_high = _mm512_shuffle_f32x4(x[8 + j], x[12 + j], 0x88),
           odd_high = _mm512_shuffle_f32x4(x[8 + j], x[12 + j], 0xDD);
    x[j] = _mm512_shuffle_f32x4(even_low, even_high, 0x88), x[8 + j] = _mm512_shuffle_f32x4(even_low, even_high, 0xDD);
    x[4 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88), x[12 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD);
  }
}

INLINE __m512 times(float f, __m512 x) { return _mm512_mul_ps(_mm512_set1_ps(f), x); }
INLINE __m512 plus(float f, __m512 x, __m512 to) { return _mm512_fmadd_ps(_mm512_set1_ps(f), x, to); }
INLINE __m512 less(float f, __m512 x, __m512 from) { return _mm512_fnmadd_ps(_mm512_set1_ps(f), x, from); }

#endif
