/* SPDX-License-Identifier: MIT
 *
 * grey.c -- reads a PNG as ink for metric/pixel_density.h, as FFJORD and its followers read their 2-D pictures: the
 * brightest grey counts as paper.
 */
#include "metric/grey.h"
#include "core/alloc.h"
#include "core/file.h"
#include "data/png_file.h"

#define LARGEST 8192

static lfm_status decode(const char *path, const uint8_t *data, size_t size, lfm_decoded *picture) {
  LFM_TRY(lfm_png_look(path, data, size, picture));
  if (picture->width > LARGEST || picture->height > LARGEST)
    return lfm_fail(LFM_E_FORMAT, "%s: %lld x %lld pixels; at most %d on a side", path, (long long)picture->width,
                    (long long)picture->height, LARGEST);
  return lfm_png_decode(path, data, size, 1, picture);
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
  uint8_t *data = NULL;
  size_t size = 0;
  lfm_decoded picture = {0};
  LFM_TRY(lfm_file_read(path, &data, &size));
  lfm_status status = decode(path, data, size, &picture);
  if (status == LFM_OK) status = to_ink(picture.pixels, (size_t)(picture.width * picture.height), ink);
  if (status == LFM_OK) *width = picture.width, *height = picture.height;
  lfm_decoded_free(&picture);
  lfm_free(data);
  return status;
}
