/* SPDX-License-Identifier: MIT
 * Generated pictures beside their neighbours: every byte of every picture in its place, a frame, text; or nothing at all. */
#include "report/picture.h"
#include "report/pictures.h"

enum {
  COUNT = 4,
  SIZE = 12,
  SCALE = 8,
  SIDE = SIZE * SCALE,
  ROWS = 2,
  NEIGHBOURS = 3,
  EDGE = 28,
  APART = 26,
  GAP = 6,
  HEAD = 74,
  FOOT = 20,
  BETWEEN = 56
};
enum {
  PANEL = SIDE + APART + NEIGHBOURS * (SIDE + GAP) - GAP,
  WIDTH = 2 * EDGE + 2 * PANEL + BETWEEN,
  HEIGHT = HEAD + ROWS * (SIDE + FOOT + GAP) + EDGE - GAP
};

static lfm_images *own, *others;
static const int64_t row[ROWS] = {3, 1}, neighbour[ROWS * NEIGHBOURS] = {0, 1, 2, 3, 0, 1};
static const double distance[ROWS * NEIGHBOURS] = {0, 0.5, 12345.678, 1e-9, 1, 2};

static lfm_images *make_images(int64_t channels, int seed) {
  lfm_images *images;
  assert_int_equal(lfm_images_make(COUNT, channels, SIZE, SIZE, &images), LFM_OK);
  for (size_t i = 0; i < COUNT * lfm_images_row_size(images); i++)
    images->pixels[i] = (uint8_t)((i * 31 + i / 13 + (size_t)seed) % 250); /* never white */
  return images;
}

static lfm_status draw(const char *path) {
  const lfm_nearest_panel panel = {"as they come", ROWS, NEIGHBOURS, row, neighbour, distance}, panels[2] = {panel, panel};
  return lfm_draw_nearest(path, own, others, panels, 2);
}

static uint32_t pixel_at(cairo_surface_t *surface, int x, int y) {
  uint32_t pixel;
  const unsigned char *data = cairo_image_surface_get_data(surface);
  memcpy(&pixel, data + (ptrdiff_t)y * cairo_image_surface_get_stride(surface) + 4 * x, sizeof pixel);
  return pixel & 0xFFFFFF;
}

/* The bytes of picture i at (left, top), each SCALE x SCALE pixels. */
static void assert_shows(cairo_surface_t *surface, const lfm_images *images, int64_t i, int left, int top) {
  const uint8_t *pixels = images->pixels + (size_t)i * lfm_images_row_size(images);
  for (int y = 1; y < SIDE - 1; y++) /* the frame's edge is soft */
    for (int x = 1; x < SIDE - 1; x++) {
      uint32_t expected = 0;
      for (int k = 0; k < 3; k++)
        expected = expected << 8 | pixels[((images->channels == 3 ? k : 0) * SIZE + y / SCALE) * SIZE + x / SCALE];
      assert_int_equal(pixel_at(surface, left + x, top + y), expected);
    }
}

static void assert_pictures(int64_t channels) {
  const char *path = picture_path("nearest.png");
  own = make_images(channels, 0), others = make_images(channels, 99);
  assert_int_equal(draw(path), LFM_OK);
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  for (int p = 0; p < 2; p++)
    for (int i = 0; i < ROWS; i++) {
      int left = EDGE + p * (PANEL + BETWEEN), top = HEAD + i * (SIDE + FOOT + GAP);
      assert_shows(surface, own, row[i], left, top);
      for (int k = 0; k < NEIGHBOURS; k++)
        assert_shows(surface, others, neighbour[i * NEIGHBOURS + k], left + SIDE + APART + k * (SIDE + GAP), top);
    }
  cairo_surface_destroy(surface);
  lfm_images_destroy(others);
  lfm_images_destroy(own);
  remove(path);
}

static void every_byte_is_in_its_place(void **state) {
  (void)state;
  assert_pictures(1);
  assert_pictures(3);
}

static void is_a_picture(void **state) {
  (void)state;
  own = make_images(3, 0), others = make_images(3, 99);
  assert_is_a_picture(draw, WIDTH, HEIGHT, 0.4, 0.99);
  assert_fails_cleanly(draw);
  lfm_images_destroy(others);
  lfm_images_destroy(own);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_is_in_its_place), cmocka_unit_test(is_a_picture)};
  return cmocka_run_group_tests(tests, make_picture_folder, remove_picture_folder);
}
