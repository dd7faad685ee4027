/* SPDX-License-Identifier: MIT
 *
 * vmath.h -- exp, log, sin and cos, and normals from random words, as straight-line arithmetic, so that compilers turn loops
 * over them into vector code and the scalar tail of a loop gives the same bits as its body (the build keeps
 * -ffp-contract=off).  libm's scalar calls would cost a tenth of a training step, and differ from a vector library's in the
 * last bit.
 * Largest errors, over every float of the range: expf 0.992 ulp, logf 0.830 ulp; sine and cosine 1.08e-7 absolute.
 */
#ifndef LFM_CORE_VMATH_H
#define LFM_CORE_VMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Compiled for AVX-512, AVX2 and the baseline, chosen when the program loads.  All give the same bits: no operation is
 * contracted or reordered, only made wider; in src/runtime, where multiply-adds are fused, the first two, which can (the
 * level of AVX2 has FMA, which AVX2 alone has not).  Off under sanitizers, whose start-up does not agree with ifunc
 * resolvers. */
#if defined(__x86_64__) && defined(__ELF__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&            \
    !defined(LFM_NO_CLONES)
#define LFM_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LFM_VECTOR
#endif

/* In front of a loop whose arrays are the same or apart, never shifted: without it a loop in place runs number by number. */
#if defined(__clang__)
#define LFM_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define LFM_ELEMENTWISE _Pragma("GCC ivdep")
#else
#define LFM_ELEMENTWISE
#endif

static inline float lfm_bits_to_f32(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static inline uint32_t lfm_f32_to_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

/* e^x: x = k ln 2 + r, |r| <= ln 2 / 2, a degree-6 polynomial in r, then the exponent.  0 below -87.3, e^88 above 88,
 * NaN at NaN. */
static inline float lfm_expf(float x) {
  float clamped = x < -87.33654f ? -87.33654f : (x > 88.0f ? 88.0f : x);
  float k = clamped * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to the nearest whole number */
  int32_t whole = (int32_t)(lfm_f32_to_bits(k) - 0x4B400000u);
  k -= 12582912.0f;
  float r = clamped - k * 0.693359375f;
  r -= k * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  float e = (p * r * r + r) + 1.0f;
  float scaled = e * lfm_bits_to_f32((uint32_t)(whole + 127) << 23);
  return x < -87.33654f ? 0.0f : scaled;
}

/* ln x for finite x >= 2^-126 (elsewhere some number): x = 2^k m, m in [sqrt(1/2), sqrt(2)), Cephes' polynomial in m - 1. */
static inline float lfm_logf(float x) {
  uint32_t bits = lfm_f32_to_bits(x);
  int32_t k = (int32_t)((bits - 0x3F3504F3u) >> 23);
  k = (k ^ 0x100) - 0x100; /* sign-extends the nine bits that the shift left */
  float m = lfm_bits_to_f32(bits - ((uint32_t)k << 23)) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float squared = m * m;
  float y = p * m * squared + (float)k * -2.12194440e-4f;
  y -= 0.5f * squared;
  return (m + y) + (float)k * 0.693359375f;
}

/* sin and cos of 2 pi u for u in [0, 1]: the octant by rounding, then polynomials on |a| <= pi / 4. */
static inline void lfm_sincos_turn(float u, float *sine, float *cosine) {
  float scaled = u * 4.0f;
  float k = scaled + 12582912.0f;
  uint32_t quadrant = lfm_f32_to_bits(k) - 0x4B400000u;
  k -= 12582912.0f;
  float a = (scaled - k) * 1.57079632679f;
  float s2 = a * a;
  float s = a + a * s2 * (-1.6666654611e-1f + s2 * (8.3321608736e-3f + s2 * -1.9515295891e-4f));
  float c = 1.0f - 0.5f * s2 + s2 * s2 * (4.166664568298827e-2f + s2 * (-1.388731625493765e-3f + s2 * 2.443315711809948e-5f));
  float swapped_s = quadrant & 1u ? c : s;
  float swapped_c = quadrant & 1u ? s : c;
  *sine = quadrant & 2u ? -swapped_s : swapped_s;
  *cosine = (quadrant + 1u) & 2u ? -swapped_c : swapped_c;
}

/* Two words to two normals: sqrt(-2 ln u) (cos, sin)(2 pi w).  [Box and Muller 1958] */
static inline void lfm_box_muller(uint32_t radius_word, uint32_t angle_word, float *first, float *second) {
  float u = ((float)(int32_t)(radius_word >> 1) + 0.5f) * 0x1p-31f; /* [2^-32, 1] */
  float w = (float)(int32_t)(angle_word >> 8) * 0x1p-24f;           /* [0, 1) */
  float radius = sqrtf(-2.0f * lfm_logf(u));                        /* the log is exact at 1 and has the right sign below */
  float sine, cosine;
  lfm_sincos_turn(w, &sine, &cosine);
  *first = radius * cosine;
  *second = radius * sine;
}

#endif
