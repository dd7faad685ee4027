/* SPDX-License-Identifier: MIT
 *
 * grey.c -- reads a PNG as ink for metric/pixel_density.h, as FFJORD and its followers read their 2-D pictures: the
 * brightest grey counts as paper.  libpng's simplified interface: it decodes from memory, reports faults by value instead of
 * by longjmp, and turns every kind of PNG into 8-bit grey.
 */
#include "metric/grey.h"
#include "core/alloc.h"
#include "core/file.h"

#include <png.h>

#define LARGEST 8192

static lfm_status decode(const char *path, const uint8_t *data, size_t size, uint8_t **grey, png_image *image) {
  *image = (png_image){.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_memory(image, data, size))
    return lfm_fail(LFM_E_FORMAT, "%s: not a readable PNG (%s)", path, image->message);
  if (image->width > LARGEST || image->height > LARGEST) {
    png_image_free(image);
    return lfm_fail(LFM_E_FORMAT, "%s: %u x %u pixels; at most %d on a side", path, image->width, image->height, LARGEST);
  }
  image->format = PNG_FORMAT_GRAY;
  lfm_status status = LFM_ALLOC(grey, PNG_IMAGE_SIZE(*image));
  png_color white = {255, 255, 255};
  if (status == LFM_OK && !png_image_finish_read(image, &white, *grey, 0, NULL))
    status = lfm_fail(LFM_E_FORMAT, "%s: a damaged PNG (%s)", path, image->message);
  png_image_free(image);
  return status;
}

static lfm_status to_ink(const uint8_t *grey, size_t count, float **ink) {
  LFM_TRY(LFM_ALLOC(ink, count));
  uint8_t paper = 0;
  for (size_t i = 0; i < count; i++) paper = grey[i] > paper ? grey[i] : paper;
  for (size_t i = 0; i < count; i++) (*ink)[i] = (float)(paper - grey[i]) / 255.0f;
  return LFM_OK;
}

lfm_status lfm_grey_read(const char *path, float **ink, int64_t *width, int64_t *height) {
  *ink = NULL;
  uint8_t *data = NULL, *grey = NULL;
  size_t size = 0;
  png_image image;
  LFM_TRY(lfm_file_read(path, &data, &size));
  lfm_status status = decode(path, data, size, &grey, &image);
  if (status == LFM_OK) status = to_ink(grey, (size_t)image.width * image.height, ink);
  if (status == LFM_OK) *width = image.width, *height = image.height;
  lfm_free(grey);
  lfm_free(data);
  return status;
}
