/* SPDX-License-Identifier: MIT
 * A pair plot holds both colours, at most six columns, and refuses tables that do not match. */
#include "data/table.h"
#include "report/picture.h"

enum { ROWS = 300, COLS = 7 };
static lfm_table *real, *generated, *narrow;

static int make_tables(void **state) {
  static double a[ROWS * COLS], b[ROWS * COLS];
  static const char *const names[COLS] = {"x",   "a name that is longer than its square is wide, by far", "z", "u", "v", "w",
                                          "last"};
  for (int i = 0; i < ROWS * COLS; i++) a[i] = sin(i * 12.9898) * (1 + i % COLS), b[i] = cos(i * 4.1414) * (1 + i % COLS);
  a[5] = 1e9, b[9] = -1e300; /* far rows change nothing */
  assert_int_equal(lfm_table_create(a, ROWS, COLS, names, NULL, &real), LFM_OK);
  assert_int_equal(lfm_table_create(b, ROWS, COLS, names, NULL, &generated), LFM_OK);
  assert_int_equal(lfm_table_create(a, ROWS, 2, NULL, NULL, &narrow), LFM_OK);
  return make_picture_folder(state);
}

static int destroy_tables(void **state) {
  lfm_table_destroy(real);
  lfm_table_destroy(generated);
  lfm_table_destroy(narrow);
  return remove_picture_folder(state);
}

static lfm_status draw(const char *path) { return lfm_draw_pairs(path, real, generated); }
static lfm_status draw_narrow(const char *path) { return lfm_draw_pairs(path, narrow, narrow); }

static void pairs_are_a_picture(void **state) {
  (void)state;
  assert_is_a_picture(draw, 136 + 6 * 234 - 14 + 28, 72 + 6 * 234 - 14 + 92, 0.03, 0.3);
  assert_is_a_picture(draw_narrow, 136 + 2 * 314 - 14 + 28, 72 + 2 * 314 - 14 + 92, 0.03, 0.4);
  assert_fails_cleanly(draw);
}

static void both_colours_are_there(void **state) {
  (void)state;
  const char *path = picture_path("colours.png");
  assert_int_equal(draw(path), LFM_OK);
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  const unsigned char *data = cairo_image_surface_get_data(surface);
  int blue = 0, orange = 0, stride = cairo_image_surface_get_stride(surface);
  for (int j = 0; j < cairo_image_surface_get_height(surface); j++)
    for (int i = 0; i < cairo_image_surface_get_width(surface); i++) {
      const unsigned char *pixel = data + j * stride + 4 * i; /* blue, green, red */
      blue += pixel[0] > pixel[2] + 60, orange += pixel[2] > pixel[0] + 60;
    }
  cairo_surface_destroy(surface);
  remove(path);
  assert_in_range(blue, 5000, 1000000);
  assert_in_range(orange, 5000, 1000000);
}

static void refuses_unlike_tables(void **state) {
  (void)state;
  assert_int_equal(lfm_draw_pairs(picture_path("never.png"), real, narrow), LFM_E_USAGE);
  char *first = generated->names[0];
  generated->names[0] = generated->names[1], generated->names[1] = first; /* as many, in another order */
  assert_int_equal(lfm_draw_pairs(picture_path("never.png"), real, generated), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "column 1 is '"));
  generated->names[1] = generated->names[0], generated->names[0] = first;
}

static void refuses_pictures(void **state) {
  (void)state;
  const uint8_t pixels[ROWS * COLS] = {0};
  lfm_table *pictures;
  assert_int_equal(lfm_table_create_pictures(pixels, ROWS, 1, COLS, 1, NULL, &pictures), LFM_OK);
  assert_int_equal(lfm_draw_pairs(picture_path("never.png"), real, pictures), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "holds pictures"));
  assert_int_equal(lfm_draw_pairs(picture_path("never.png"), pictures, real), LFM_E_USAGE);
  lfm_table_destroy(pictures);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pairs_are_a_picture), cmocka_unit_test(both_colours_are_there),
                                     cmocka_unit_test(refuses_unlike_tables), cmocka_unit_test(refuses_pictures)};
  return cmocka_run_group_tests(tests, make_tables, destroy_tables);
}
