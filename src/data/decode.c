/* SPDX-License-Identifier: MIT
 *
 * decode.c -- which decoder a picture file goes to, and what a file may claim to be.
 * 100 million pixels are more than cameras make and take 300 MB: a file of a kilobyte can claim a thousand times more.
 */
#include "data/decode.h"

#include "core/alloc.h"
#include "data/jpeg_file.h"
#include "data/png_file.h"

lfm_status lfm_decode_check_size(const char *name, uint64_t width, uint64_t height) {
  if (width < 1 || height < 1 || width > LFM_DECODE_MOST_SIDE || height > LFM_DECODE_MOST_SIDE ||
      width * height > LFM_DECODE_MOST_PIXELS)
    return lfm_fail(LFM_E_FORMAT, "%s: %llu x %llu pixels; at most %d a side and %d in all are read", name,
                    (unsigned long long)width, (unsigned long long)height, LFM_DECODE_MOST_SIDE, LFM_DECODE_MOST_PIXELS);
  return LFM_OK;
}

static lfm_status refuse(const char *name) {
  return lfm_fail(LFM_E_FORMAT, "%s: is neither PNG nor JPEG, whatever its name", name);
}

lfm_status lfm_decode_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out) {
  *out = (lfm_decoded){0};
  if (lfm_png_is(data, size)) return lfm_png_look(name, data, size, out);
  if (lfm_jpeg_is(data, size)) return lfm_jpeg_look(name, data, size, out);
  return refuse(name);
}

lfm_status lfm_decode(const char *name, const uint8_t *data, size_t size, lfm_decoded *out) {
  *out = (lfm_decoded){0};
  if (lfm_png_is(data, size)) return lfm_png_decode(name, data, size, 0, out);
  if (lfm_jpeg_is(data, size)) return lfm_jpeg_decode(name, data, size, out);
  return refuse(name);
}

void lfm_decoded_free(lfm_decoded *picture) {
  lfm_free(picture->pixels);
  *picture = (lfm_decoded){0};
}
