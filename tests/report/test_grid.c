/* SPDX-License-Identifier: MIT
 * A grid shows every byte of every picture in its place, on white; tiny pictures are shown larger, in whole multiples. */
#include "data/png_file.h"
#include "report/picture.h"
#include "report/pictures.h"

enum { COUNT = 7, HEIGHT = 20, WIDTH = 30, SCALE = 2, GUTTER = LFM_GRID_GUTTER };

static lfm_images *make_images(int64_t channels, int64_t height, int64_t width) {
  lfm_images *images;
  assert_int_equal(lfm_images_make(COUNT, channels, height, width, &images), LFM_OK);
  for (size_t i = 0; i < COUNT * lfm_images_row_size(images); i++) images->pixels[i] = (uint8_t)(i * 31 + i / 13);
  return images;
}

static lfm_decoded read_back(const char *path) {
  uint8_t *data;
  size_t size;
  lfm_decoded picture;
  assert_int_equal(lfm_file_read(path, &data, &size), LFM_OK);
  assert_int_equal(lfm_png_decode("t", data, size, 0, &picture), LFM_OK);
  lfm_free(data);
  return picture;
}

/* What the grid has at (y, x) in channel k: a picture's byte, or white. */
static uint8_t expected(const lfm_images *images, int64_t columns, int64_t scale, int64_t y, int64_t x, int64_t k) {
  int64_t height = images->height * scale + GUTTER, width = images->width * scale + GUTTER;
  int64_t row = (y - GUTTER) / height, column = (x - GUTTER) / width, i = row * columns + column;
  if (y < GUTTER || x < GUTTER || i >= COUNT) return 255;
  y -= GUTTER + row * height, x -= GUTTER + column * width;
  if (y >= images->height * scale || x >= images->width * scale) return 255;
  return images->pixels[((i * images->channels + k) * images->height + y / scale) * images->width + x / scale];
}

static void assert_grid(int64_t channels, int64_t height, int64_t width, int64_t scale) {
  const char *path = picture_path("grid.png");
  lfm_images *images = make_images(channels, height, width);
  assert_int_equal(lfm_draw_grid(path, images, 3, 3), LFM_OK);
  lfm_decoded seen = read_back(path);
  assert_int_equal(seen.channels, channels);
  assert_int_equal(seen.height, 3 * (height * scale + GUTTER) + GUTTER);
  assert_int_equal(seen.width, 3 * (width * scale + GUTTER) + GUTTER);
  for (int64_t y = 0; y < seen.height; y++)
    for (int64_t x = 0; x < seen.width; x++)
      for (int64_t k = 0; k < channels; k++)
        assert_int_equal(seen.pixels[(y * seen.width + x) * channels + k], expected(images, 3, scale, y, x, k));
  lfm_decoded_free(&seen);
  lfm_images_destroy(images);
  remove(path);
}

static void every_byte_is_in_its_place(void **state) {
  (void)state;
  assert_grid(1, HEIGHT, WIDTH, SCALE);
  assert_grid(3, HEIGHT, WIDTH, SCALE);
  assert_grid(3, 70, 65, 1);
  assert_grid(1, 1, 1, 64);
}

static lfm_images *drawn;
static lfm_status draw(const char *path) { return lfm_draw_grid(path, drawn, 2, 4); }

static void grid_is_a_picture(void **state) {
  (void)state;
  drawn = make_images(3, HEIGHT, WIDTH);
  assert_is_a_picture(draw, 4 * (SCALE * WIDTH + GUTTER) + GUTTER, 2 * (SCALE * HEIGHT + GUTTER) + GUTTER, 0.5, 0.99);
  assert_fails_cleanly(draw);
  lfm_images_destroy(drawn);
}

static void refuses_nonsense(void **state) {
  (void)state;
  const char *path = picture_path("never.png");
  lfm_images *images = make_images(1, HEIGHT, WIDTH);
  assert_int_equal(lfm_draw_grid(path, images, 0, 1), LFM_E_USAGE);
  assert_int_equal(lfm_draw_grid(path, images, 1, INT64_MAX), LFM_E_USAGE);
  assert_int_equal(lfm_draw_grid(path, images, 1000, 1), LFM_E_USAGE);
  assert_false(lfm_path_exists(path));
  lfm_images_destroy(images);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_is_in_its_place), cmocka_unit_test(grid_is_a_picture),
                                     cmocka_unit_test(refuses_nonsense)};
  return cmocka_run_group_tests(tests, make_picture_folder, remove_picture_folder);
}
