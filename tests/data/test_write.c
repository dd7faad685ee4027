/* SPDX-License-Identifier: MIT
 *
 * test_write.c -- a path that cannot take a table is told from one that can before there is a table, and in the words that
 * writing would use.
 */
#include "data/support.h"

#include "core/file.h"

#include <stdio.h>
#include <unistd.h>

static void good_places_are_left_as_they_were(void **state) {
  (void)state;
  assert_int_equal(lfm_table_writable(in_folder("t.csv")), LFM_OK);
  assert_int_equal(lfm_table_writable(in_folder("t.h5::a/b")), LFM_OK);
  assert_false(lfm_path_exists(in_folder("t.csv")));
  assert_false(lfm_path_exists(in_folder("t.csv.partial")));
  assert_int_equal(lfm_file_write(in_folder("old.npy"), "old", 3), LFM_OK);
  assert_int_equal(lfm_table_writable(in_folder("old.npy")), LFM_OK); /* would be replaced */
  assert_true(lfm_path_exists(in_folder("old.npy")));
  assert_int_equal(unlink(in_folder("old.npy")), 0);
}

static void bad_places_are_told_as_writing_would(void **state) {
  (void)state;
  static const struct {
    const char *name;
    lfm_status code;
    const char *part;
  } places[] = {
      {"t.parquet", LFM_E_USAGE, "no data format has this ending"},
      {"absent/t.csv", LFM_E_IO, "there is no folder"},
      {"folder.csv", LFM_E_IO, "is a folder"},
      {"t.h5::/", LFM_E_USAGE, "no HDF5 dataset can be named \"/\"; name it as FILE::data"},
      {"t.hdf5::a/.", LFM_E_USAGE, "no HDF5 dataset can be named \"a/.\"; name it as FILE::data"},
  };
  lfm_table *table;
  assert_int_equal(lfm_table_create((const double[]){1}, 1, 1, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_folder_make(in_folder("folder.csv")), LFM_OK);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    char said[400];
    assert_int_equal(lfm_table_writable(in_folder(places[i].name)), places[i].code);
    snprintf(said, sizeof said, "%s", lfm_error());
    assert_non_null(strstr(said, places[i].name));
    assert_non_null(strstr(said, places[i].part));
    assert_int_equal(lfm_table_write(table, in_folder(places[i].name)), places[i].code);
    assert_string_equal(lfm_error(), said);
  }
  assert_int_equal(rmdir(in_folder("folder.csv")), 0);
  lfm_table_destroy(table);
}

/* The longest key of an archive, and one that is a byte longer; written whole, it is found again. */
static void keys_have_a_longest(void **state) {
  (void)state;
  char path[1400];
  lfm_table *table, *again;
  assert_int_equal(lfm_table_create((const double[]){1}, 1, 1, NULL, NULL, &table), LFM_OK);
  int size = snprintf(path, sizeof path, "%s::", in_folder("t.npz"));
  memset(path + size, 'k', 1020);
  path[size + 1020] = 0;
  assert_int_equal(lfm_table_writable(path), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "kkk...: the name of the array is longer than 1019 bytes"));
  path[size + 1019] = 0;
  assert_int_equal(lfm_table_writable(path), LFM_OK);
  assert_int_equal(lfm_table_write(table, path), LFM_OK);
  assert_int_equal(lfm_table_read(path, NULL, &again), LFM_OK);
  assert_values(again, 1, 1, (const double[]){1});
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  assert_int_equal(unlink(in_folder("t.npz")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_places_are_left_as_they_were),
      cmocka_unit_test(bad_places_are_told_as_writing_would),
      cmocka_unit_test(keys_have_a_longest),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
