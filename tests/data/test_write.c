/* SPDX-License-Identifier: MIT
 *
 * test_write.c -- a path that cannot take a table is told from one that can before there is a table, and in the words that
 * writing would use.
 */
#include "data/support.h"

#include "core/file.h"

#include <hdf5.h>
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

/* What lies there already changes nothing in what is written: folder.zarr is only read. */
static void endings_are_those_of_what_is_written(void **state) {
  (void)state;
  char line[700];
  assert_int_equal(lfm_file_write(in_folder("o"), "old", 3), LFM_OK);
  snprintf(line, sizeof line,
           "%s: no data format has this ending; there are .csv .csv.gz .npy .npz[::key] .hdf5[::dataset] .h5[::dataset]",
           in_folder("o"));
  assert_failure(lfm_table_writable(in_folder("o")), LFM_E_USAGE, line);
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("o"), NULL, &table), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), ".h5[::dataset] .zarr"));
  assert_int_equal(unlink(in_folder("o")), 0);
}

/* Which a reader of CSV takes, once it is called so. */
static void other_names_of_text_are_told_theirs(void **state) {
  (void)state;
  lfm_table *table;
  char line[700];
  const char text[] = "a\tb\n1\t2\n3\t4\n";
  assert_int_equal(lfm_file_write(in_folder("t.tsv"), text, sizeof text - 1), LFM_OK);
  snprintf(line, sizeof line, "%s: text is read as .csv, be its fields apart by commas, semicolons or tabs; name it so",
           in_folder("t.tsv"));
  assert_failure(lfm_table_read(in_folder("t.tsv"), NULL, &table), LFM_E_USAGE, line);
  assert_int_equal(rename(in_folder("t.tsv"), in_folder("t.csv")), 0);
  assert_int_equal(lfm_table_read(in_folder("t.csv"), NULL, &table), LFM_OK);
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  lfm_table_destroy(table);
  assert_int_equal(unlink(in_folder("t.csv")), 0);
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

static size_t put_entry(uint8_t *at, const char *name) {
  memcpy(at, "PK\1\2", 4);
  at[28] = (uint8_t)strlen(name);
  memcpy(at + 46, name, at[28]);
  return 46 + (size_t)at[28];
}

/* Archives of the arrays first and second; the zip's directory alone, which is what knows the names. */
static void make_npz(const char *path) {
  uint8_t bytes[200] = {0};
  size_t size = put_entry(bytes, "first.npy");
  size += put_entry(bytes + size, "second.npy");
  memcpy(bytes + size, "PK\5\6", 4);
  bytes[size + 12] = (uint8_t)size;
  assert_int_equal(lfm_file_write(path, bytes, size + 22), LFM_OK);
}

static void make_hdf5(const char *path) {
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  H5Dclose(H5Dcreate2(file, "first", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Dclose(H5Dcreate2(file, "second", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(file);
}

static void assert_refused(const lfm_table *table, const char *path, const char *others) {
  char said[400];
  assert_int_equal(lfm_table_writable(path), LFM_E_EXISTS);
  snprintf(said, sizeof said, "%s: the file holds %s, which would be lost; name another file, or remove it", path, others);
  assert_string_equal(lfm_error(), said);
  assert_int_equal(lfm_table_write(table, path), LFM_E_EXISTS);
  assert_string_equal(lfm_error(), said);
}

static void other_arrays_are_not_lost(void **state) {
  (void)state;
  static const struct {
    const char *name;
    void (*make)(const char *path);
  } archives[] = {{"old.npz", make_npz}, {"old.hdf5", make_hdf5}, {"old.h5", make_hdf5}};
  lfm_table *table;
  assert_int_equal(lfm_table_create((const double[]){1}, 1, 1, NULL, NULL, &table), LFM_OK);
  for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
    const char *name = archives[i].name;
    char path[100];
    archives[i].make(in_folder(name));
    assert_refused(table, in_folder(name), "first, second");
    snprintf(path, sizeof path, "%s::samples", name);
    assert_refused(table, in_folder(path), "first, second");
    snprintf(path, sizeof path, "%s::first", name);
    assert_refused(table, in_folder(path), "second");
    assert_int_equal(unlink(in_folder(name)), 0);
    for (int again = 0; again < 2; again++) assert_int_equal(lfm_table_write(table, in_folder(path)), LFM_OK);
    assert_int_equal(unlink(in_folder(name)), 0);
    assert_int_equal(lfm_file_write(in_folder(name), "", 0), LFM_OK);
    for (int again = 0; again < 2; again++) assert_int_equal(lfm_table_write(table, in_folder(name)), LFM_OK);
    assert_int_equal(lfm_file_write(in_folder(name), "another program's", 17), LFM_OK);
    assert_int_equal(lfm_table_writable(in_folder(name)), LFM_E_EXISTS);
    assert_non_null(strstr(lfm_error(), "is there, and what it holds cannot be told"));
    assert_int_equal(unlink(in_folder(name)), 0);
  }
  lfm_table_destroy(table);
}

static lfm_status ask_for_place(void *path) { return lfm_table_writable(in_folder(path)); }

static void stands_refused_memory(void **state) {
  (void)state;
  char *const paths[] = {"old.npz::samples", "old.h5::samples"};
  for (int i = 0; i < 2; i++) {
    lfm_table *table;
    assert_int_equal(lfm_table_create((const double[]){1}, 1, 1, NULL, NULL, &table), LFM_OK);
    assert_int_equal(lfm_table_write(table, in_folder(paths[i])), LFM_OK);
    lfm_table_destroy(table);
    assert_true(refuse_memory(ask_for_place, paths[i]) >= 3); /* the path, the list, a name */
  }
  unlink(in_folder("old.npz"));
  unlink(in_folder("old.h5"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_places_are_left_as_they_were),
      cmocka_unit_test(bad_places_are_told_as_writing_would),
      cmocka_unit_test(endings_are_those_of_what_is_written),
      cmocka_unit_test(other_names_of_text_are_told_theirs),
      cmocka_unit_test(keys_have_a_longest),
      cmocka_unit_test(other_arrays_are_not_lost),
      cmocka_unit_test(stands_refused_memory),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
