/* SPDX-License-Identifier: MIT
 *
 * pixels.h -- bytes of pictures to the floats of the flow, and back.
 *
 *   plain         x = p / 127.5 - 1             in [-1, 1]      p = round((x + 1) 127.5)
 *   dequantised   x = (p + u) / 128 - 1         in [-1, 1)      p = floor((x + 1) 128)      u in [0, 1), its own each time
 *
 * A density of the first kind says nothing: mass sits on 256 points a dimension.  Of the second kind, a density q of x is
 * 128 q of p + u, which bounds the probability of the bytes from below [Theis, van den Oord, Bethge, ICLR 2016].
 */
#ifndef LFM_DATA_PIXELS_H
#define LFM_DATA_PIXELS_H

#include "data/images.h"

typedef struct lfm_pixels {
  bool flip;       /* left and right change sides in half of the draws */
  bool dequantise; /* u is added */
  uint64_t seed;   /* with block and step, the address of the draws: equal ones give equal rows */
  uint32_t block;  /* < 4096 */
  uint32_t step;   /* the epoch, or whatever is to give a picture another u and side */
} lfm_pixels;

/* row [channels * height * width] of picture i, plane after plane; how may be NULL: plain. */
void lfm_pixels_to_row(const lfm_images *images, int64_t i, const lfm_pixels *how, float *row);

/* count numbers to bytes; beyond the ends they are the ends, and what is not a number is 0. */
void lfm_pixels_from_row(const float *row, size_t count, bool dequantised, uint8_t *pixels);

#endif
