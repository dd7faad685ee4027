/* SPDX-License-Identifier: MIT
 *
 * test_show.c -- the grid of a generated set: columns of one class where there are enough of each, else pictures as they
 * come.
 */
#include "flow_support.h"

#include "data/png_file.h"
#include "flow/show.h"
#include "report/pictures.h"

enum { SIDE = 8, SCALE = LFM_GRID_SIDE / SIDE, STRIDE = SIDE * SCALE + LFM_GRID_GUTTER };

/* Plain pictures, brighter from one to the next within a class, whose tens they begin at. */
static lfm_table *plain_pictures(int64_t count, int classes, bool labelled) {
  static uint8_t pixels[256 * SIDE * SIDE];
  static int32_t labels[256];
  lfm_table *table;
  assert_true(count <= 256);
  for (int64_t i = 0; i < count; i++) {
    labels[i] = (int32_t)(i % 7 % classes); /* in some order */
    memset(pixels + i * SIDE * SIDE, labelled ? 10 * labels[i] + 5 : (int)i, SIDE * SIDE);
  }
  OK(lfm_table_create_pictures(pixels, count, 1, SIDE, SIDE, labelled ? labels : NULL, &table));
  return table;
}

/* The grid's pictures, by their first pixel: level [lines, columns]. */
static void draw(const lfm_table *table, int64_t *lines, int64_t *columns, uint8_t *level) {
  folder here = folder_create();
  const char *path = inside(here.path, "grid.png");
  uint8_t *data;
  size_t size;
  lfm_decoded grid;
  OK(lfm_show_samples(table, path));
  OK(lfm_file_read(path, &data, &size));
  OK(lfm_png_decode("grid", data, size, 0, &grid));
  *lines = grid.height / STRIDE, *columns = grid.width / STRIDE;
  for (int64_t i = 0; i < *lines * *columns; i++)
    level[i] = grid.pixels[(i / *columns * STRIDE + LFM_GRID_GUTTER) * grid.width + i % *columns * STRIDE + LFM_GRID_GUTTER];
  lfm_decoded_free(&grid);
  lfm_free(data);
  folder_remove(&here);
}

static void columns_are_of_one_class(void **state) {
  (void)state;
  static const struct {
    int classes;
    int64_t count, lines, columns;
  } cases[] = {{3, 250, 8, 9}, {7, 250, 8, 14}, {2, 250, 8, 8}, {3, 21, 2, 9}, {3, 30, 2, 9}};
  uint8_t level[8 * 16];
  int64_t lines, columns;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_table *table = plain_pictures(cases[k].count, cases[k].classes, true);
    draw(table, &lines, &columns, level);
    assert_int_equal(lines, cases[k].lines);
    assert_int_equal(columns, cases[k].columns);
    for (int64_t i = 0; i < lines * columns; i++)
      assert_int_equal(level[i], 10 * (i % columns * cases[k].classes / columns) + 5);
    lfm_table_destroy(table);
  }
}

static void others_come_as_they_are(void **state) {
  (void)state;
  uint8_t level[8 * 16];
  int64_t lines, columns;
  for (int64_t count = 40; count <= 100; count += 60) {
    lfm_table *table = plain_pictures(count, 1, false);
    draw(table, &lines, &columns, level);
    assert_int_equal(columns, 8);
    assert_int_equal(lines, count == 40 ? 5 : 8);
    for (int64_t i = 0; i < lines * columns; i++) assert_int_equal(level[i], i);
    lfm_table_destroy(table);
  }
  lfm_table *table = plain_pictures(40, 1, false); /* of some class fewer than a line takes */
  OK(lfm_images_label(table->images, 9));
  draw(table, &lines, &columns, level);
  assert_true(lines == 5 && columns == 8);
  lfm_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(columns_are_of_one_class), cmocka_unit_test(others_come_as_they_are)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
