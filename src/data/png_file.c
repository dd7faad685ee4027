/* SPDX-License-Identifier: MIT
 *
 * png_file.c -- libpng's simplified interface: it decodes from memory, reports faults by value instead of by longjmp, never
 * prints, and turns every kind of PNG into 8-bit grey or RGB. Colour becomes grey as libpng does it, in linear light, only
 * where a caller asks for one channel here (metric/grey.h); a set of pictures uses the luma of images.h for PNG and JPEG
 * alike.
 */
#include "data/png_file.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/gzip.h"

#include <png.h>
#include <string.h>

bool lfm_png_is(const uint8_t *data, size_t size) { return size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0; }

/* Rows of at least a bit a pixel cannot come out of fewer bytes than deflate's best. */
static lfm_status check_size(const char *name, const png_image *image, size_t size) {
  LFM_TRY(lfm_decode_check_size(name, image->width, image->height));
  if ((uint64_t)image->width / 8 * image->height / LFM_DEFLATE_RATIO > size)
    return lfm_fail(LFM_E_FORMAT, "%s: a damaged PNG (%u x %u pixels in %zu bytes)", name, image->width, image->height, size);
  return LFM_OK;
}

/* Leaves the image begun, to be ended by png_image_free. */
static lfm_status begin(const char *name, const uint8_t *data, size_t size, png_image *image) {
  *image = (png_image){.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_memory(image, data, size))
    return lfm_fail(LFM_E_FORMAT, "%s: not a readable PNG (%s)", name, image->message);
  lfm_status status = check_size(name, image, size);
  if (status != LFM_OK) png_image_free(image);
  image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits without a gamma are meant as 8 bits are */
  return status;
}

static lfm_decoded shape_of(const png_image *image, int channels) {
  if (channels == 0) channels = image->format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
  return (lfm_decoded){.height = image->height, .width = image->width, .channels = channels};
}

lfm_status lfm_png_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out) {
  png_image image;
  *out = (lfm_decoded){0};
  LFM_TRY(begin(name, data, size, &image));
  *out = shape_of(&image, 0);
  png_image_free(&image);
  return LFM_OK;
}

lfm_status lfm_png_decode(const char *name, const uint8_t *data, size_t size, int channels, lfm_decoded *out) {
  png_image image;
  *out = (lfm_decoded){0};
  LFM_TRY(begin(name, data, size, &image));
  *out = shape_of(&image, channels);
  image.format = out->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const png_color white = {255, 255, 255};
  lfm_status status = LFM_ALLOC(&out->pixels, PNG_IMAGE_SIZE(image));
  if (status == LFM_OK && !png_image_finish_read(&image, &white, out->pixels, 0, NULL))
    status = lfm_fail(LFM_E_FORMAT, "%s: a damaged PNG (%s)", name, image.message);
  png_image_free(&image);
  if (status != LFM_OK) lfm_decoded_free(out);
  return status;
}

lfm_status lfm_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width, int channels) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = (png_uint_32)height};
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  uint8_t *file;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  LFM_TRY(LFM_ALLOC(&file, size));
  lfm_status status = png_image_write_to_memory(&image, file, &size, 0, pixels, 0, NULL)
                          ? lfm_file_write(path, file, size)
                          : lfm_fail(LFM_E_UNSUPPORTED, "%s: the picture cannot be packed (%s)", path, image.message);
  lfm_free(file);
  return status;
}
