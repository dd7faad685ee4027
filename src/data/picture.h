/* SPDX-License-Identifier: MIT
 *
 * picture.h -- one picture, as its file has it or as a part of a larger array, on its way into a set (images.h).
 */
#ifndef LFM_DATA_PICTURE_H
#define LFM_DATA_PICTURE_H

#include "data/images.h"

/* The byte of channel k at (row, col) is at[row * down + col * right + k * deeper]. */
typedef struct lfm_picture {
  int64_t height, width, channels; /* channels: 1 grey, 3 RGB */
  const uint8_t *at;
  size_t down, right, deeper;
} lfm_picture;

/* Puts a picture in the place of number i: channels as the set has them; of another size than the set's, which then is a
 * square, the middle square is scaled. */
lfm_status lfm_picture_fit(const lfm_picture *picture, lfm_images *images, int64_t i);

#endif
