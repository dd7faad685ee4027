/* SPDX-License-Identifier: MIT
 *
 * patterns.h -- small labelled pictures of three classes that a judge learns at once: lines across, lines down, squares; each
 * with a phase and a contrast of its own, and noise.
 */
#ifndef TESTS_SUPPORT_PATTERNS_H
#define TESTS_SUPPORT_PATTERNS_H

#include "lfm.h"

#include <stdlib.h>

enum { PATTERNS = 3 };

static inline uint32_t pattern_word(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 16;
}

/* Classes come one after the other; labels may be left out. */
static inline lfm_table *patterns(int64_t count, int64_t side, uint32_t seed, bool labelled) {
  uint8_t *pixels = malloc((size_t)(count * side * side));
  int32_t *labels = malloc((size_t)count * sizeof *labels);
  uint32_t state = seed;
  lfm_table *table = NULL;
  for (int64_t i = 0; i < count; i++) {
    uint32_t phase = pattern_word(&state) % 4, contrast = 60 + pattern_word(&state) % 120;
    labels[i] = (int32_t)(i % PATTERNS);
    for (int64_t y = 0; y < side; y++)
      for (int64_t x = 0; x < side; x++) {
        bool across = ((uint32_t)y + phase) / 2 % 2, down = ((uint32_t)x + phase) / 2 % 2;
        bool on = labels[i] == 0 ? across : labels[i] == 1 ? down : across == down;
        pixels[(i * side + y) * side + x] = (uint8_t)((on ? contrast : 0) + pattern_word(&state) % 60);
      }
  }
  if (lfm_table_create_pictures(pixels, count, 1, side, side, labelled ? labels : NULL, &table) != LFM_OK) table = NULL;
  free(labels);
  free(pixels);
  return table;
}

#endif
