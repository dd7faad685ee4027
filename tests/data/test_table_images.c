/* SPDX-License-Identifier: MIT
 *
 * test_table_images.c -- pictures as a table: what goes in comes out, rows can be taken, columns have no names, and a wish
 * that makes no sense of pictures is refused.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "data/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { COUNT = 5, CHANNELS = 3, HEIGHT = 2, WIDTH = 4, SIZE = CHANNELS * HEIGHT * WIDTH };

static uint8_t pixels[COUNT * SIZE];
static const int32_t labels[COUNT] = {2, 0, 1, 2, 0};

static lfm_table *make(const int32_t *of) {
  lfm_table *table;
  for (int i = 0; i < COUNT * SIZE; i++) pixels[i] = (uint8_t)(i * 7);
  assert_int_equal(lfm_table_create_pictures(pixels, COUNT, CHANNELS, HEIGHT, WIDTH, of, &table), LFM_OK);
  return table;
}

static void what_goes_in_comes_out(void **state) {
  (void)state;
  int64_t c, h, w;
  lfm_table *table = make(labels);
  assert_true(lfm_table_picture(table, &c, &h, &w) && c == CHANNELS && h == HEIGHT && w == WIDTH);
  assert_true(lfm_table_rows(table) == COUNT && lfm_table_cols(table) == SIZE && lfm_table_classes(table) == 3);
  assert_memory_equal(lfm_table_pixels(table), pixels, sizeof pixels);
  assert_memory_equal(lfm_table_labels(table), labels, sizeof labels);
  assert_string_equal(lfm_table_class(table, 2), "2");
  assert_null(lfm_table_class(table, 3));
  assert_null(lfm_table_values(table));
  assert_null(lfm_table_name(table, 0));
  assert_int_equal(lfm_table_decimals(table, 0), -1);
  assert_int_equal(lfm_table_find(table, "x0"), -1);
  assert_int_equal(lfm_table_check_finite("bytes", table, ""), LFM_OK);
  lfm_table_destroy(table);
  table = make(NULL);
  assert_true(!lfm_table_labels(table) && lfm_table_classes(table) == 0);
  lfm_table_destroy(table);
}

static void rows_are_taken_with_their_labels(void **state) {
  (void)state;
  lfm_table *table = make(labels), *taken;
  static const int64_t index[] = {4, 0, 0};
  assert_int_equal(lfm_table_take(table, index, 3, &taken), LFM_OK);
  assert_int_equal(taken->rows, 3);
  for (int i = 0; i < 3; i++) {
    assert_memory_equal(lfm_table_pixels(taken) + i * SIZE, pixels + index[i] * SIZE, SIZE);
    assert_int_equal(lfm_table_labels(taken)[i], labels[index[i]]);
  }
  assert_int_equal(lfm_table_classes(taken), 3); /* also those that nobody there has */
  lfm_table_destroy(taken);
  lfm_table_destroy(table);
}

static void mirror_images_stand_behind_the_pictures(void **state) {
  (void)state;
  lfm_table *table = make(labels), *both;
  assert_int_equal(lfm_table_add_mirror(table->images, &both), LFM_OK);
  assert_true(both->rows == 2 * COUNT && lfm_table_classes(both) == 3);
  assert_memory_equal(lfm_table_pixels(both), pixels, sizeof pixels);
  for (int i = 0; i < COUNT * SIZE; i++)
    assert_int_equal(lfm_table_pixels(both)[COUNT * SIZE + i], pixels[i / WIDTH * WIDTH + WIDTH - 1 - i % WIDTH]);
  for (int i = 0; i < 2 * COUNT; i++) assert_int_equal(lfm_table_labels(both)[i], labels[i % COUNT]);
  lfm_table_destroy(both);
  lfm_table_destroy(table);
}

static void nonsense_is_refused(void **state) {
  (void)state;
  lfm_table *table;
  static const int32_t below[COUNT] = {0, 1, -1, 0, 0};
  assert_int_equal(lfm_table_create_pictures(NULL, COUNT, 1, 2, 2, NULL, &table), LFM_E_USAGE);
  assert_int_equal(lfm_table_create_pictures(pixels, 0, 1, 2, 2, NULL, &table), LFM_E_USAGE);
  assert_int_equal(lfm_table_create_pictures(pixels, COUNT, 2, 2, 2, NULL, &table), LFM_E_USAGE);
  assert_int_equal(lfm_table_create_pictures(pixels, COUNT, 1, 2, 2, below, &table), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "picture 2"));
  assert_null(table);
}

/* An IDX file of two pictures is a table by lfm_table_read; its pixels cannot be dropped by name. */
static void a_file_of_pictures_is_a_table(void **state) {
  (void)state;
  static const uint8_t idx[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};
  char path[] = "/tmp/lfm-test-idx-XXXXXX";
  lfm_table *table;
  int file = mkstemp(path);
  assert_true(file >= 0 && write(file, idx, sizeof idx) == (ssize_t)sizeof idx && close(file) == 0);
  assert_int_equal(lfm_table_read(path, NULL, &table), LFM_OK);
  assert_true(table->rows == 2 && table->cols == 2 && lfm_table_pixels(table)[3] == 40);
  lfm_table_destroy(table);
  lfm_table_options options = {.drop = "x0"};
  assert_int_equal(lfm_table_read(path, &options, &table), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "pictures"));
  options = (lfm_table_options){.size = 1, .due = LFM_ROWS_PICTURES};
  assert_int_equal(lfm_table_read(path, &options, &table), LFM_OK);
  assert_int_equal(lfm_table_kind(table), LFM_ROWS_PICTURES);
  lfm_table_destroy(table);
  options = (lfm_table_options){.due = LFM_ROWS_TABLE};
  assert_int_equal(lfm_table_read(path, &options, &table), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "a table is due here, not pictures"));
  remove(path);
}

static void a_table_has_no_size_to_choose(void **state) {
  (void)state;
  char path[] = "/tmp/lfm-test-XXXXXX.csv";
  lfm_table *table;
  lfm_table_options options = {.size = 32};
  int file = mkstemps(path, 4);
  assert_true(file >= 0 && write(file, "a\n1\n", 4) == 4 && close(file) == 0);
  assert_int_equal(lfm_table_read(path, &options, &table), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "holds no pictures, which could be scaled to 32 x 32"));
  assert_null(table);
  remove(path);
}

static void refused_memory_leaks_nothing(void **state) {
  (void)state;
  lfm_table *table = make(labels), *taken = NULL;
  static const int64_t index[] = {1, 2};
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    size_t before = lfm_alloc_in_use();
    lfm_alloc_fail_at(at);
    status = lfm_table_take(table, index, 2, &taken);
    lfm_alloc_fail_at(0);
    if (status == LFM_OK) break;
    assert_int_equal(status, LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_table_destroy(taken);
  lfm_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_goes_in_comes_out),
      cmocka_unit_test(rows_are_taken_with_their_labels),
      cmocka_unit_test(mirror_images_stand_behind_the_pictures),
      cmocka_unit_test(nonsense_is_refused),
      cmocka_unit_test(a_file_of_pictures_is_a_table),
      cmocka_unit_test(a_table_has_no_size_to_choose),
      cmocka_unit_test(refused_memory_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
