/* SPDX-License-Identifier: MIT
 *
 * pixels.c -- bytes to floats and back.
 *
 * Side and u of a picture are functions of (seed, block, step, picture) and not of a state, like all that is drawn here
 * (core/rng.h): a pool can be made anew, or a row of it.  u has 16 bits: p + u then has 24, which a float holds exactly, so
 * that x keeps below 1 and floor gives p back whatever was drawn.  With more bits, 255 + u would now and then round to 256.
 */
#include "data/pixels.h"

#include "core/rng.h"

/* Whether picture i of this step is seen in a mirror. */
static bool is_flipped(const lfm_pixels *how, int64_t i) {
  lfm_rng rng = {how->seed, LFM_FOR_FLIP, how->block, how->step};
  uint32_t words[4];
  if (!how->flip) return false;
  lfm_rng_words(&rng, i, 0, words);
  return words[0] >> 31;
}

/* row [count] of whole numbers 0..255 in place to (p + u) / 128 - 1; u of place j is the same whichever side is seen. */
static void dequantise(const lfm_pixels *how, int64_t i, float *row, size_t count) {
  lfm_rng rng = {how->seed, LFM_FOR_DEQUANTISE, how->block, how->step};
  for (size_t j = 0; j < count; j += 8) {
    uint32_t words[4];
    lfm_rng_words(&rng, i, (uint32_t)(j / 8), words);
    for (size_t k = 0; k < 8 && j + k < count; k++) {
      uint32_t half = k % 2 ? words[k / 2] >> 16 : words[k / 2] & 0xFFFF;
      row[j + k] = (row[j + k] + (float)half * 0x1p-16f) * 0x1p-7f - 1;
    }
  }
}

void lfm_pixels_to_row(const lfm_images *images, int64_t i, const lfm_pixels *how, float *row) {
  size_t count = lfm_images_row_size(images), width = (size_t)images->width;
  const uint8_t *pixels = images->pixels + (size_t)i * count;
  bool flipped = how && is_flipped(how, i);
  for (size_t line = 0; line < count; line += width)
    for (size_t j = 0; j < width; j++) row[line + j] = pixels[line + (flipped ? width - 1 - j : j)];
  if (how && how->dequantise) dequantise(how, i, row, count);
  else
    for (size_t j = 0; j < count; j++) row[j] = row[j] / 127.5f - 1;
}

void lfm_pixels_from_row(const float *row, size_t count, bool dequantised, uint8_t *pixels) {
  float scale = dequantised ? 128 : 127.5f, half = dequantised ? 0 : 0.5f;
  for (size_t j = 0; j < count; j++) {
    float p = (row[j] + 1) * scale + half;
    pixels[j] = p >= 255 ? 255 : p >= 0 ? (uint8_t)p : 0; /* not a number: 0 */
  }
}
