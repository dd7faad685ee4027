/* SPDX-License-Identifier: MIT
 *
 * half.h -- IEEE half precision (fp16): a float's sign, five bits of exponent and ten of fraction, rounded to the nearest,
 * ties to even, below 2^-14 in steps of 2^-24.  What is larger than the largest, 65,504, becomes that: nothing finite is lost
 * to an infinity.  NaN stays NaN.  Straight-line arithmetic, as in vmath.h: vector code, and the same bits on every
 * processor.
 */
#ifndef LFM_CORE_HALF_H
#define LFM_CORE_HALF_H

#include "core/vmath.h"

static inline uint16_t lfm_half_of(float x) {
  uint32_t bits = lfm_f32_to_bits(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7FFFFFFFu;
  uint32_t normal = (size - (112u << 23) + 0xFFFu + (size >> 13 & 1u)) >> 13;
  uint32_t small = lfm_f32_to_bits(lfm_bits_to_f32(size) + 0.5f) - lfm_f32_to_bits(0.5f); /* a float's ulp there is 2^-24 */
  uint32_t half = size < (113u << 23) ? small : normal;
  half = half > 0x7BFFu ? 0x7BFFu : half;
  half = size >= 0x47800000u ? 0x7BFFu : half; /* 65,536 and more, infinity too */
  return (uint16_t)(sign | (size > 0x7F800000u ? 0x7E00u : half));
}

static inline float lfm_half_value(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, size = (uint32_t)(half & 0x7FFFu) << 13;
  float value = lfm_bits_to_f32(size) * 0x1p112f; /* exact, subnormals too */
  return lfm_bits_to_f32(sign | (size >= 0x0F800000u ? 0x7FC00000u : lfm_f32_to_bits(value)));
}

#endif
