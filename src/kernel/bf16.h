/* SPDX-License-Identifier: MIT
 *
 * bf16.h -- bfloat16: a float's sign, exponent and upper seven bits, rounded to the nearest, ties to even; NaN stays NaN.
 * Straight-line arithmetic, so that loops become vector code.
 */
#ifndef LFM_KERNEL_BF16_H
#define LFM_KERNEL_BF16_H

#include "core/vmath.h"

static inline uint32_t lfm_bf16_bits(float x) {
  uint32_t bits = lfm_f32_to_bits(x);
  uint32_t rounded = bits + 0x7FFFu + ((bits >> 16) & 1u);
  uint32_t quiet = bits | 0x400000u; /* a NaN's carry could make it a number */
  return (bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded;
}

static inline uint16_t lfm_bf16_of(float x) { return (uint16_t)(lfm_bf16_bits(x) >> 16); }
static inline float lfm_bf16_value(uint16_t half) { return lfm_bits_to_f32((uint32_t)half << 16); }
static inline float lfm_bf16_rounded(float x) { return lfm_bits_to_f32(lfm_bf16_bits(x) & 0xFFFF0000u); }

#endif
