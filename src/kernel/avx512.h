/* SPDX-License-Identifier: MIT
 *
 * avx512.h -- what the kernels with AVX-512 share: functions for that processor alone, loops without a counter, and a number
 * times a vector of sixteen.  Internal to this room; x86-64 only.
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

/* Sixteen of bfloat16. */
INLINE __m512 floats_of_halves(const uint16_t *from) {
  __m512i halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16));
}

INLINE __m512 times(float f, __m512 x) { return _mm512_mul_ps(_mm512_set1_ps(f), x); }
INLINE __m512 plus(float f, __m512 x, __m512 to) { return _mm512_fmadd_ps(_mm512_set1_ps(f), x, to); }
INLINE __m512 less(float f, __m512 x, __m512 from) { return _mm512_fnmadd_ps(_mm512_set1_ps(f), x, from); }

#endif
