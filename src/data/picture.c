/* SPDX-License-Identifier: MIT
 *
 * picture.c -- one picture into its place in a set: channels, then the middle square, then its size.
 *
 * Strides let one function take pictures of any file: interleaved as PNG and JPEG decode, planes as in CIFAR, either order
 * of an array.
 */
#include "data/picture.h"

#include "core/alloc.h"
#include "data/resample.h"

static uint8_t luma(const uint8_t *at, size_t deeper) {
  return (uint8_t)((19595u * at[0] + 38470u * at[deeper] + 7471u * at[2 * deeper] + 32768u) >> 16);
}

/* out [channels, height, width]: the window of the picture whose upper left corner is (top, left). */
static void take_window(const lfm_picture *picture, int64_t top, int64_t left, int64_t channels, int64_t height,
                        int64_t width, uint8_t *out) {
  bool to_grey = channels < picture->channels;
  for (int64_t k = 0; k < channels; k++)
    for (int64_t i = 0; i < height; i++) {
      const uint8_t *from = picture->at + (size_t)(top + i) * picture->down + (size_t)left * picture->right +
                            (channels == picture->channels ? (size_t)k * picture->deeper : 0);
      for (int64_t j = 0; j < width; j++, from += picture->right) *out++ = to_grey ? luma(from, picture->deeper) : *from;
    }
}

lfm_status lfm_picture_fit(const lfm_picture *picture, lfm_images *images, int64_t i) {
  uint8_t *out = images->pixels + (size_t)i * lfm_images_row_size(images), *square;
  int64_t channels = images->channels, size = images->height;
  if (picture->height == images->height && picture->width == images->width) {
    take_window(picture, 0, 0, channels, images->height, images->width, out);
    return LFM_OK;
  }
  int64_t side = picture->height < picture->width ? picture->height : picture->width;
  LFM_TRY(lfm_alloc_array(&square, (size_t)(channels * side), (size_t)side));
  take_window(picture, (picture->height - side) / 2, (picture->width - side) / 2, channels, side, side, square);
  lfm_status status = lfm_resample_square(square, channels, side, out, size);
  lfm_free(square);
  return status;
}
