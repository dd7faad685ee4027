/* SPDX-License-Identifier: MIT
 * picture.h -- what every picture must be: a PNG of the stated size with something on it, the same bytes twice, nothing on a
 * path that cannot be written, and nothing leaked when memory is refused.
 */
#ifndef LFM_TESTS_REPORT_PICTURE_H
#define LFM_TESTS_REPORT_PICTURE_H

#include "core/alloc.h"
#include "core/file.h"
#include "support/near.h"

#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef lfm_status (*draw_fn)(const char *path);

static char picture_folder[] = P_tmpdir "/lfm_picture_XXXXXX";

static inline int make_picture_folder(void **state) {
  (void)state;
  return mkdtemp(picture_folder) ? 0 : -1;
}

static inline int remove_picture_folder(void **state) {
  (void)state;
  return rmdir(picture_folder); /* fails when a test, or a failed write, left a file */
}

static inline const char *picture_path(const char *name) {
  static char path[2][sizeof picture_folder + 32];
  static int turn;
  turn = 1 - turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", picture_folder, name);
  return path[turn];
}

/* The part of the pixels that are not white; the size is as said. */
static inline double inked_share(const char *path, int width, int height) {
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  assert_int_equal(cairo_image_surface_get_width(surface), width);
  assert_int_equal(cairo_image_surface_get_height(surface), height);
  const unsigned char *data = cairo_image_surface_get_data(surface);
  int64_t inked = 0;
  for (int j = 0; j < height; j++)
    for (int i = 0; i < width; i++) {
      uint32_t pixel;
      memcpy(&pixel, data + (ptrdiff_t)j * cairo_image_surface_get_stride(surface) + 4 * i, sizeof pixel);
      inked += (pixel & 0xFFFFFF) != 0xFFFFFF;
    }
  cairo_surface_destroy(surface);
  return (double)inked / ((double)width * height);
}

static inline void assert_is_a_picture(draw_fn draw, int width, int height, double least, double most) {
  const char *first = picture_path("first.png"), *second = picture_path("second.png");
  assert_int_equal(draw(first), LFM_OK);
  assert_int_equal(draw(second), LFM_OK);
  double share = inked_share(first, width, height);
  if (share < least || share > most) fail_msg("%g of the pixels are inked, not %g..%g", share, least, most);
  uint8_t *a, *b;
  size_t a_size, b_size;
  assert_int_equal(lfm_file_read(first, &a, &a_size), LFM_OK);
  assert_int_equal(lfm_file_read(second, &b, &b_size), LFM_OK);
  assert_int_equal(a_size, b_size);
  assert_memory_equal(a, b, a_size);
  lfm_free(a);
  lfm_free(b);
  remove(first);
  remove(second);
}

static inline void assert_fails_cleanly(draw_fn draw) {
  assert_int_equal(draw(picture_path("no/such/folder.png")), LFM_E_IO);
  lfm_status status = LFM_E_MEMORY;
  const char *path = picture_path("sweep.png");
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = draw(path);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_true(lfm_path_exists(path) == (status == LFM_OK));
  }
  remove(path);
}

#endif
