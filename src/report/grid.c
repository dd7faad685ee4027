/* SPDX-License-Identifier: MIT
 *
 * grid.c -- pictures side by side in one PNG.
 * Made of the bytes themselves and not drawn with cairo: a pixel of the data is a pixel of the grid, or a square of them, so
 * that what one sees are the model's bytes and no filter's; and the file is grey where the pictures are.
 */
#include "report/pictures.h"

#include "core/alloc.h"
#include "data/png_file.h"

#include <string.h>

typedef struct sheet {
  int64_t rows, columns, scale, height, width, channels;
  uint8_t *pixels; /* [height, width, channels] */
} sheet;

static void measure(sheet *s, int64_t height, int64_t width) {
  int64_t side = height > width ? height : width;
  s->scale = side < LFM_GRID_SIDE ? LFM_GRID_SIDE / side : 1;
  s->height = s->rows * (height * s->scale + LFM_GRID_GUTTER) + LFM_GRID_GUTTER;
  s->width = s->columns * (width * s->scale + LFM_GRID_GUTTER) + LFM_GRID_GUTTER;
}

lfm_status lfm_grid_check(int64_t rows, int64_t columns, int64_t height, int64_t width) {
  if (rows < 1 || columns < 1 || rows > LFM_IMAGES_MOST_SIDE || columns > LFM_IMAGES_MOST_SIDE)
    return lfm_fail(LFM_E_USAGE, "grid: %lld x %lld pictures; give 1 to %d each way", (long long)rows, (long long)columns,
                    LFM_IMAGES_MOST_SIDE);
  if (height < 1 || width < 1)
    return lfm_fail(LFM_E_USAGE, "grid: pictures of %lld x %lld pixels", (long long)height, (long long)width);
  sheet s = {.rows = rows, .columns = columns};
  measure(&s, height, width);
  if (s.height > LFM_IMAGES_MOST_SIDE || s.width > LFM_IMAGES_MOST_SIDE)
    return lfm_fail(LFM_E_USAGE, "grid: %lld x %lld pictures make %lld x %lld pixels, over %d; show fewer", (long long)rows,
                    (long long)columns, (long long)s.height, (long long)s.width, LFM_IMAGES_MOST_SIDE);
  return LFM_OK;
}

static lfm_status make_sheet(const lfm_images *images, int64_t rows, int64_t columns, sheet *out) {
  LFM_TRY(lfm_grid_check(rows, columns, images->height, images->width));
  *out = (sheet){.rows = rows, .columns = columns, .channels = images->channels};
  measure(out, images->height, images->width);
  size_t size = (size_t)out->height * (size_t)out->width * (size_t)out->channels;
  LFM_TRY(LFM_ALLOC(&out->pixels, size));
  memset(out->pixels, 255, size);
  return LFM_OK;
}

/* Picture i in its place, each of its pixels scale x scale of the sheet's. */
static void place(const sheet *s, const lfm_images *images, int64_t i) {
  int64_t height = images->height * s->scale, width = images->width * s->scale;
  int64_t top = i / s->columns * (height + LFM_GRID_GUTTER) + LFM_GRID_GUTTER;
  int64_t left = i % s->columns * (width + LFM_GRID_GUTTER) + LFM_GRID_GUTTER;
  const uint8_t *pixels = images->pixels + (size_t)i * lfm_images_row_size(images);
  for (int64_t y = 0; y < height; y++)
    for (int64_t x = 0; x < width; x++)
      for (int64_t k = 0; k < s->channels; k++)
        s->pixels[((top + y) * s->width + left + x) * s->channels + k] =
            pixels[(k * images->height + y / s->scale) * images->width + x / s->scale];
}

lfm_status lfm_draw_grid(const char *path, const lfm_images *images, int64_t rows, int64_t columns) {
  sheet s;
  LFM_TRY(make_sheet(images, rows, columns, &s));
  for (int64_t i = 0; i < images->count && i < rows * columns; i++) place(&s, images, i);
  lfm_status status = lfm_png_write(path, s.pixels, s.height, s.width, (int)s.channels);
  lfm_free(s.pixels);
  return status;
}
