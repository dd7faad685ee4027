/* SPDX-License-Identifier: MIT
 *
 * test_hdf5.c -- HDF5 datasets in and out.  The files are made with the HDF5 library itself, in the types people store.
 */
#include "data/support.h"

#include <hdf5.h>

/* A dataset of `rank` dimensions in the type `stored`, from doubles. */
static void put(hid_t file, const char *name, hid_t stored, int rank, const hsize_t *shape, const double *values) {
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t dataset = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(dataset >= 0);
  if (values) assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

/* types.h5: what the tests below read. */
static void make_types(void) {
  hid_t file = H5Fcreate(in_folder("types.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t group = H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const double values[] = {1, -2, 3, 4, 5, 127};
  put(file, "train/f4", H5T_IEEE_F32LE, 2, (const hsize_t[]){2, 3}, values);
  put(file, "train/f8be", H5T_IEEE_F64BE, 2, (const hsize_t[]){3, 2}, values);
  put(file, "i1", H5T_STD_I8LE, 1, (const hsize_t[]){6}, values);
  put(file, "i8be", H5T_STD_I64BE, 2, (const hsize_t[]){1, 6}, values);
  put(file, "cube", H5T_IEEE_F64LE, 3, (const hsize_t[]){1, 2, 3}, values);
  put(file, "empty", H5T_IEEE_F64LE, 2, (const hsize_t[]){0, 3}, NULL);
  const signed char truths[] = {1, 0}; /* as h5py stores numpy.bool_ */
  hid_t truth = H5Tenum_create(H5T_NATIVE_SCHAR), space = H5Screate_simple(1, (const hsize_t[]){2}, NULL);
  H5Tenum_insert(truth, "TRUE", &truths[0]);
  H5Tenum_insert(truth, "FALSE", &truths[1]);
  hid_t dataset = H5Dcreate2(file, "truth", truth, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(dataset, truth, H5S_ALL, H5S_ALL, H5P_DEFAULT, truths) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(truth);
  hid_t text = H5Tcopy(H5T_C_S1);
  put(file, "words", text, 1, (const hsize_t[]){4}, NULL);
  H5Tclose(text);
  H5Gclose(group);
  H5Fclose(file);
}

static void reads_as(const char *name, int64_t rows, int64_t cols, const double *values) {
  lfm_table *table;
  char path[64];
  snprintf(path, sizeof path, "types.h5::%s", name);
  lfm_status status = lfm_table_read(in_folder(path), NULL, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_values(table, rows, cols, values);
  lfm_table_destroy(table);
}

static void refuses(const char *path, lfm_status code, const char *line) {
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_table_read(in_folder(path), NULL, &table), code);
  assert_null(table);
  assert_string_equal(lfm_error() + strlen(folder) + 1, line); /* behind the folder's name */
}

static void reads_every_type(void **state) {
  (void)state;
  const double values[] = {1, -2, 3, 4, 5, 127};
  make_types();
  reads_as("train/f4", 2, 3, values);
  reads_as("/train/f8be", 3, 2, values);
  reads_as("i1", 6, 1, values);
  reads_as("i8be", 1, 6, values);
  reads_as("truth", 2, 1, (const double[]){1, 0});
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("types.h5::train/f4"), &(lfm_table_options){.columns = "x2"}, &table), LFM_OK);
  assert_values(table, 2, 1, (const double[]){3, 127});
  lfm_table_destroy(table);
  unlink(in_folder("types.h5"));
}

static void tells_what_there_is(void **state) {
  (void)state;
  make_types();
  const char *all = "cube, empty, i1, i8be, train/f4, train/f8be, truth, words";
  char line[1024];
  snprintf(line, sizeof line, "types.h5::test: has no dataset \"test\"; there are %s", all);
  refuses("types.h5::test", LFM_E_USAGE, line);
  snprintf(line, sizeof line, "types.h5::train: has no dataset \"train\"; there are %s", all); /* a group is no dataset */
  refuses("types.h5::train", LFM_E_USAGE, line);
  snprintf(line, sizeof line, "types.h5: holds several datasets; name one as %s::NAME, NAME being one of %s",
           in_folder("types.h5"), all);
  refuses("types.h5", LFM_E_USAGE, line);
  refuses("types.h5::cube", LFM_E_DATA, "types.h5::cube: the dataset has 3 dimensions; a table has 1 or 2");
  refuses("types.h5::empty", LFM_E_DATA, "types.h5::empty: holds no values (0 rows, 0 columns)");
  refuses("types.h5::words", LFM_E_UNSUPPORTED, "types.h5::words: the dataset holds no plain numbers; save it as float64");
  unlink(in_folder("types.h5"));
}

/* parts.h5::NAME [6, 2] in chunks of [4, 1], of which the first `rows` rows and `cols` columns are written. */
static void put_part(hid_t file, const char *name, hsize_t rows, hsize_t cols) {
  const double values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, (const hsize_t[]){6, 2}, NULL),
        memory = H5Screate_simple(2, (const hsize_t[]){rows, cols}, NULL);
  H5Pset_chunk(creation, 2, (const hsize_t[]){4, 1});
  hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, (const hsize_t[]){0, 0}, NULL, (const hsize_t[]){rows, cols}, NULL);
  if (rows) assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0);
  H5Dclose(dataset);
  H5Sclose(memory);
  H5Sclose(space);
  H5Pclose(creation);
}

/* A dataset [6, 2] of the numbers of another file. */
static void put_elsewhere(hid_t file, const char *name, bool is_virtual) {
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, (const hsize_t[]){6, 2}, NULL);
  if (is_virtual) assert_true(H5Pset_virtual(creation, space, "gone.h5", "data", space) >= 0);
  else assert_true(H5Pset_external(creation, "gone.raw", 0, 6 * 2 * 8) >= 0);
  H5Dclose(H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Sclose(space);
  H5Pclose(creation);
}

/* The library reads all of these, as zeros. */
static void refuses_what_was_never_written(void **state) {
  (void)state;
  hid_t file = H5Fcreate(in_folder("parts.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put_part(file, "whole", 6, 2);
  put_part(file, "rows", 4, 2);
  put_part(file, "cols", 6, 1);
  put_part(file, "none", 0, 0);
  put(file, "piece", H5T_IEEE_F64LE, 2, (const hsize_t[]){6, 2}, NULL);
  put_elsewhere(file, "virtual", true);
  put_elsewhere(file, "external", false);
  hid_t other = H5Fcreate(in_folder("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put_part(other, "data", 6, 2);
  H5Fclose(other);
  assert_true(H5Lcreate_external("other.h5", "data", file, "linked", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  assert_true(H5Lcreate_external("other.h5", "/", file, "group", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  H5Fclose(file);
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("parts.h5::whole"), NULL, &table), LFM_OK);
  assert_values(table, 6, 2, (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  lfm_table_destroy(table);
#define ADVICE "; write the others, or shrink it to those that were written"
  refuses("parts.h5::rows", LFM_E_FORMAT, "parts.h5::rows: rows: has 2 of its 4 chunks" ADVICE);
  refuses("parts.h5::cols", LFM_E_FORMAT, "parts.h5::cols: cols: has 2 of its 4 chunks" ADVICE);
  refuses("parts.h5::none", LFM_E_FORMAT, "parts.h5::none: none: has 0 of its 4 chunks" ADVICE);
#undef ADVICE
  refuses("parts.h5::piece", LFM_E_FORMAT, "parts.h5::piece: piece: was made and never written; write its numbers");
#define ADVICE ": its numbers lie in other files, which are not read; copy them into this one"
  refuses("parts.h5::virtual", LFM_E_UNSUPPORTED, "parts.h5::virtual: virtual" ADVICE);
  refuses("parts.h5::external", LFM_E_UNSUPPORTED, "parts.h5::external: external" ADVICE);
  refuses("parts.h5::linked", LFM_E_UNSUPPORTED, "parts.h5::linked: linked" ADVICE);
  refuses("parts.h5::group/data", LFM_E_UNSUPPORTED, "parts.h5::group/data: group/data" ADVICE);
#undef ADVICE
  unlink(in_folder("parts.h5"));
  unlink(in_folder("other.h5"));
}

/* deep.h5: a dataset in so many groups, one in another; *name is its path. */
static void put_deep(int groups, char *name) {
  const double value = 3;
  hid_t file = H5Fcreate(in_folder("deep.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), links = H5Pcreate(H5P_LINK_CREATE),
        space = H5Screate(H5S_SCALAR);
  H5Pset_create_intermediate_group(links, 1);
  for (int i = 0; i < groups; i++) name += sprintf(name, "g/");
  name -= 2 * groups;
  strcat(name, "x");
  put(file, "y", H5T_IEEE_F64LE, 1, (const hsize_t[]){1}, &value);
  H5Dclose(H5Dcreate2(file, name, H5T_IEEE_F64LE, space, links, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Pclose(links);
  H5Fclose(file);
}

static void looks_so_deep_and_no_deeper(void **state) {
  (void)state;
  char name[300] = "", line[1024];
  put_deep(64, name);
  snprintf(line, sizeof line, "deep.h5: holds several datasets; name one as %s::NAME, NAME being one of %.58s..., y",
           in_folder("deep.h5"), name);
  refuses("deep.h5", LFM_E_USAGE, line);
  name[0] = 0;
  put_deep(65, name);
  snprintf(line, sizeof line, "deep.h5: holds groups nested too deep to be looked through; name a dataset as %s::NAME",
           in_folder("deep.h5"));
  refuses("deep.h5", LFM_E_UNSUPPORTED, line);
  refuses("deep.h5::z", LFM_E_USAGE,
          "deep.h5::z: has no dataset \"z\"; there are groups nested too deep to be looked through");
  assert_int_equal(lfm_table_writable(in_folder("deep.h5::y")), LFM_E_EXISTS); /* nor is it walked to be replaced */
  assert_non_null(strstr(lfm_error(), "what it holds cannot be told"));
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("deep.h5::y"), NULL, &table), LFM_OK);
  assert_values(table, 1, 1, (const double[]){3});
  lfm_table_destroy(table);
  unlink(in_folder("deep.h5"));
}

static void refuses_other_files(void **state) {
  (void)state;
  refuses("none.hdf5::a", LFM_E_IO, "none.hdf5: No such file or directory");
  assert_int_equal(lfm_file_write(in_folder("text.h5"), "a,b\n1,2\n", 8), LFM_OK);
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("text.h5"), NULL, &table), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "text.h5: is not an HDF5 file, or is truncated (file signature not found)"));
  unlink(in_folder("text.h5"));
  hid_t file = H5Fcreate(in_folder("none.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  refuses("none.h5", LFM_E_DATA, "none.h5: holds no dataset");
  refuses("none.h5::a", LFM_E_USAGE, "none.h5::a: has no dataset \"a\"; there are none");
  unlink(in_folder("none.h5"));
}

static herr_t never_print(hid_t stack, void *calls) {
  (void)stack;
  ++*(int *)calls;
  return 0;
}

/* The caller's own handler hears nothing from inside, and is there again afterwards. */
static void keeps_the_error_handler(void **state) {
  (void)state;
  int calls = 0;
  H5E_auto2_t handler;
  void *context;
  lfm_table *table;
  H5Eset_auto2(H5E_DEFAULT, never_print, &calls);
  assert_int_equal(lfm_file_write(in_folder("text.h5"), "x", 1), LFM_OK);
  assert_int_equal(lfm_table_read(in_folder("text.h5"), NULL, &table), LFM_E_FORMAT);
  assert_int_equal(calls, 0);
  H5Eget_auto2(H5E_DEFAULT, &handler, &context);
  assert_true(handler == never_print && context == &calls);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  unlink(in_folder("text.h5"));
}

static void comes_back_to_the_bit(void **state) {
  (void)state;
  const double values[] = {1.5, -2, 3, 0.1, 1e300, -5e-324};
  lfm_table *table, *again;
  assert_int_equal(lfm_table_create(values, 2, 3, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.hdf5")), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("b.hdf5::data")), LFM_OK);
  assert_true(same_file(in_folder("a.hdf5"), in_folder("b.hdf5")));
  assert_int_equal(lfm_table_read(in_folder("a.hdf5"), NULL, &again), LFM_OK); /* the only dataset needs no name */
  assert_values(again, 2, 3, values);
  lfm_table_destroy(again);
  unlink(in_folder("a.hdf5"));
  assert_int_equal(lfm_table_write(table, in_folder("a.hdf5::deep/er/x")), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.hdf5::/deep/er/x")), LFM_OK); /* over the old one */
  assert_int_equal(lfm_table_read(in_folder("a.hdf5::deep/er/x"), NULL, &again), LFM_OK);
  assert_values(again, 2, 3, values);
  lfm_table_destroy(again);
  assert_int_equal(lfm_table_write(table, in_folder("a.hdf5::/")), LFM_E_USAGE); /* and the old file stands */
  assert_int_equal(lfm_table_read(in_folder("a.hdf5::deep/er/x"), NULL, &again), LFM_OK);
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  unlink(in_folder("a.hdf5"));
  unlink(in_folder("b.hdf5"));
}

static void refuses_missing_values(void **state) {
  (void)state;
  lfm_table *table, *again;
  assert_int_equal(lfm_table_make(2, 2, &table), LFM_OK);
  table->values[3] = NAN;
  assert_int_equal(lfm_table_write(table, in_folder("a.h5")), LFM_OK);
  refuses("a.h5", LFM_E_DATA, "a.h5: row 2, column \"x1\": the value is missing (nan); --drop-missing leaves such rows out");
  assert_int_equal(lfm_table_read(in_folder("a.h5"), &(lfm_table_options){.drop_missing = true}, &again), LFM_OK);
  assert_values(again, 1, 2, (const double[]){0, 0});
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  unlink(in_folder("a.h5"));
}

/* The bytes of a file with one small dataset; free with lfm_free. */
static void sample_bytes(uint8_t **bytes, size_t *size) {
  lfm_table *table;
  assert_int_equal(lfm_table_create((const double[]){1, 2, 3, 4}, 2, 2, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("s.h5")), LFM_OK);
  assert_int_equal(lfm_file_read(in_folder("s.h5"), bytes, size), LFM_OK);
  lfm_table_destroy(table);
  unlink(in_folder("s.h5"));
}

static void stands_truncation(void **state) {
  (void)state;
  uint8_t *bytes;
  size_t size;
  sample_bytes(&bytes, &size);
  assert_true(survives(lfm_hdf5_parse, bytes, size, "data"));
  for (size_t cut = 1; cut < size; cut++) assert_false(survives(lfm_hdf5_parse, bytes, cut, "data"));
  lfm_free(bytes);
}

typedef struct file_image {
  uint8_t *bytes;
  size_t size;
} file_image;

static lfm_status parse_sample(void *context) {
  const file_image *image = context;
  lfm_table *table;
  lfm_status status =
      read_bytes(lfm_hdf5_parse, image->bytes, image->size, NULL, &(lfm_table_options){.columns = "x1"}, &table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  file_image image;
  sample_bytes(&image.bytes, &image.size);
  assert_true(refuse_memory(parse_sample, &image) > 5);
  lfm_free(image.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_type),
      cmocka_unit_test(tells_what_there_is),
      cmocka_unit_test(refuses_other_files),
      cmocka_unit_test(keeps_the_error_handler),
      cmocka_unit_test(comes_back_to_the_bit),
      cmocka_unit_test(refuses_missing_values),
      cmocka_unit_test(stands_truncation),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(refuses_what_was_never_written),
      cmocka_unit_test(looks_so_deep_and_no_deeper),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
