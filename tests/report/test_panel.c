/* SPDX-License-Identifier: MIT
 * A panel shows a cloud where its points are, and nothing where there are none. */
#include "report/picture.h"

enum { POINTS = 4000, SIDE = 300, LEFT = 24, TOP = 40 };
static lfm_table *cloud, *outside;

/* A disc of radius 1 around (-2, 2) in the window [-4, 4]^2; and two points outside. */
static int make_tables(void **state) {
  static double xy[2 * POINTS];
  for (int i = 0; i < POINTS; i++) {
    double r = sqrt((i + 0.5) / POINTS), angle = 2.399963 * i; /* the golden angle fills a disc evenly */
    xy[2 * i] = -2 + r * cos(angle), xy[2 * i + 1] = 2 + r * sin(angle);
  }
  const double lost[] = {9, 9, -1e300, 0};
  assert_int_equal(lfm_table_create(xy, POINTS, 2, NULL, NULL, &cloud), LFM_OK);
  assert_int_equal(lfm_table_create(lost, 2, 2, NULL, NULL, &outside), LFM_OK);
  return make_picture_folder(state);
}

static int destroy_tables(void **state) {
  lfm_table_destroy(cloud);
  lfm_table_destroy(outside);
  return remove_picture_folder(state);
}

static const double window[4] = {-4, 4, -4, 4};

static lfm_status draw(const char *path) {
  const lfm_panel_cell cells[] = {{"data", cloud}, {"nothing", outside}, {NULL, NULL}, {NULL, cloud}};
  return lfm_draw_panel(path, cells, 2, 2, window);
}

static lfm_status draw_one(const char *path) { return lfm_draw_panel(path, &(lfm_panel_cell){NULL, cloud}, 1, 1, window); }

static void panel_is_a_picture(void **state) {
  (void)state;
  assert_is_a_picture(draw, 2 * LEFT + 2 * SIDE + 20, 24 + 2 * (SIDE + 40 + 20) - 20, 0.02, 0.1);
  assert_fails_cleanly(draw);
}

static bool is_dark(cairo_surface_t *surface, double x, double y) {
  int i = LEFT + (int)((x + 4) / 8 * SIDE), j = TOP + (int)((4 - y) / 8 * SIDE);
  return cairo_image_surface_get_data(surface)[j * cairo_image_surface_get_stride(surface) + 4 * i] < 200;
}

static void ink_is_where_the_points_are(void **state) {
  (void)state;
  const char *path = picture_path("one.png");
  assert_int_equal(draw_one(path), LFM_OK);
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  assert_true(is_dark(surface, -2, 2) && is_dark(surface, -2.7, 2) && is_dark(surface, -2, 2.7));
  assert_false(is_dark(surface, 2, 2) || is_dark(surface, -2, -2) || is_dark(surface, -2, 0.7) || is_dark(surface, -0.7, 2));
  cairo_surface_destroy(surface);
  remove(path);
}

static void refuses_nonsense(void **state) {
  (void)state;
  const double column[] = {1, 2}, empty[4] = {1, 1, 0, 1};
  lfm_table *narrow;
  assert_int_equal(lfm_table_create(column, 2, 1, NULL, NULL, &narrow), LFM_OK);
  lfm_table *pictures;
  assert_int_equal(lfm_table_create_pictures((const uint8_t[]){1, 2}, 1, 1, 2, 1, NULL, &pictures), LFM_OK);
  const lfm_panel_cell cell = {NULL, cloud}, bad = {NULL, narrow}, worse[] = {cell, {NULL, pictures}};
  const char *path = picture_path("never.png");
  assert_int_equal(lfm_draw_panel(path, &cell, 1, 1, empty), LFM_E_USAGE);
  assert_int_equal(lfm_draw_panel(path, &cell, 0, 1, window), LFM_E_USAGE);
  assert_int_equal(lfm_draw_panel(path, &bad, 1, 1, window), LFM_E_USAGE);
  assert_int_equal(lfm_draw_panel(path, worse, 1, 2, window), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "square 1 has pictures"));
  assert_false(lfm_path_exists(path));
  lfm_table_destroy(narrow);
  lfm_table_destroy(pictures);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(panel_is_a_picture), cmocka_unit_test(ink_is_where_the_points_are),
                                     cmocka_unit_test(refuses_nonsense)};
  return cmocka_run_group_tests(tests, make_tables, destroy_tables);
}
