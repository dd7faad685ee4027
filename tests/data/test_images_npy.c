/* SPDX-License-Identifier: MIT
 *
 * test_images_npy.c -- arrays of bytes in either order of axes; what is no picture is named.
 */
#include "data/images_support.h"
#include "data/npy.h"

static const lfm_images_options plain;

/* The file of an array of made bytes, its header as given; returns its length. */
static size_t make_file(uint8_t *out, const char *type, bool by_column, int rank, const int64_t *shape) {
  size_t count = 1;
  lfm_npy_header_of(type, rank, shape, out);
  char *order = memmem(out, LFM_NPY_HEADER, "False", 5);
  if (by_column) memcpy(order, "True ", 5);
  for (int k = 0; k < rank; k++) count *= (size_t)shape[k];
  for (size_t i = 0; i < count; i++) out[LFM_NPY_HEADER + i] = made_byte(i);
  return LFM_NPY_HEADER + count;
}

static lfm_status parse(const uint8_t *data, size_t size) {
  lfm_images *images = (lfm_images *)(uintptr_t)0xDEAD0;
  lfm_status status = lfm_npy_parse_pictures("t", data, size, &plain, &images);
  if (status != LFM_OK) assert_null(images);
  lfm_images_destroy(images);
  return status;
}

/* Byte (n, k, y, x) of the set stands in the file at place n a + k b + y c + x d. */
static void assert_read(int rank, const int64_t *shape, bool by_column, const int64_t *expected, const size_t *strides) {
  uint8_t file[1024];
  lfm_images *images;
  size_t size = make_file(file, "|u1", by_column, rank, shape), at = 0;
  assert_true(lfm_npy_is_pictures(file, size));
  if (lfm_npy_parse_pictures("t", file, size, &plain, &images) != LFM_OK) fail_msg("%s", lfm_error());
  assert_shape(images, expected[0], expected[1], expected[2], expected[3]);
  for (size_t n = 0; n < (size_t)expected[0]; n++)
    for (size_t k = 0; k < (size_t)expected[1]; k++)
      for (size_t y = 0; y < (size_t)expected[2]; y++)
        for (size_t x = 0; x < (size_t)expected[3]; x++)
          assert_int_equal(images->pixels[at++],
                           made_byte(n * strides[0] + k * strides[1] + y * strides[2] + x * strides[3]));
  lfm_images_destroy(images);
}

static void reads_every_order_of_axes(void **state) {
  (void)state;
  assert_read(3, (const int64_t[]){4, 5, 6}, false, (const int64_t[]){4, 1, 5, 6}, (const size_t[]){30, 0, 6, 1});
  assert_read(3, (const int64_t[]){4, 5, 6}, true, (const int64_t[]){4, 1, 5, 6}, (const size_t[]){1, 0, 4, 20});
  assert_read(4, (const int64_t[]){2, 5, 6, 3}, false, (const int64_t[]){2, 3, 5, 6}, (const size_t[]){90, 1, 18, 3});
  assert_read(4, (const int64_t[]){2, 5, 6, 3}, true, (const int64_t[]){2, 3, 5, 6}, (const size_t[]){1, 60, 2, 10});
  assert_read(4, (const int64_t[]){2, 3, 5, 6}, false, (const int64_t[]){2, 3, 5, 6}, (const size_t[]){90, 30, 6, 1});
  assert_read(4, (const int64_t[]){2, 1, 5, 6}, false, (const int64_t[]){2, 1, 5, 6}, (const size_t[]){30, 30, 6, 1});
  assert_read(4, (const int64_t[]){2, 3, 5, 1}, false, (const int64_t[]){2, 1, 3, 5}, (const size_t[]){15, 0, 5, 1});
}

static void says_what_is_wrong(void **state) {
  (void)state;
  uint8_t file[1024];
  assert_failure(parse(file, make_file(file, "|u1", false, 4, (const int64_t[]){2, 4, 5, 2})), LFM_E_DATA,
                 "t: neither its last dimension (2) nor its second (4) is 1 or 3, the channels");
  assert_failure(parse(file, make_file(file, "|u1", false, 2, (const int64_t[]){2, 4})), LFM_E_DATA,
                 "t: the array has 2 dimensions; pictures have 3 or 4");
  assert_failure(parse(file, make_file(file, "|i1", false, 3, (const int64_t[]){2, 4, 5})), LFM_E_DATA,
                 "t: the array has 3 dimensions, as pictures have, which are bytes; save it as uint8, or a table in two");
  assert_failure(parse(file, make_file(file, "|u1", false, 3, (const int64_t[]){2, 0, 5})), LFM_E_DATA,
                 "t: holds no pictures");
  size_t size = make_file(file, "|u1", false, 3, (const int64_t[]){2, 4, 5});
  assert_failure(parse(file, size - 1), LFM_E_FORMAT,
                 "t: an array of 2 x 4 x 5 does not fit in the 39 bytes there are; the file is truncated");
  make_file(file, "|u1", false, 3, (const int64_t[]){1, 1, 1});
  memcpy(file + 10, "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967297), }", 89);
  assert_int_equal(parse(file, LFM_NPY_HEADER + 1), LFM_E_FORMAT);
}

/* Two dimensions are a table; more are pictures, whose reader then says what is wrong. */
static void a_header_tells_pictures_from_tables(void **state) {
  (void)state;
  uint8_t file[1024];
  assert_false(lfm_npy_is_pictures(file, make_file(file, "|u1", false, 2, (const int64_t[]){4, 5})));
  size_t size = make_file(file, "<f8", false, 3, (const int64_t[]){2, 1, 3});
  assert_true(lfm_npy_is_pictures(file, size));
  size = make_file(file, "|u1", false, 3, (const int64_t[]){4, 5, 6});
  assert_true(lfm_npy_is_pictures(file, size - 1));
  assert_false(lfm_npy_is_pictures(file, 20));
  assert_false(lfm_npy_is_pictures(NULL, 0));
}

static void stands_any_bytes(void **state) {
  (void)state;
  uint8_t file[512];
  torture_pictures(parse, file, make_file(file, "|u1", false, 3, (const int64_t[]){2, 3, 4}));
  torture_pictures(parse, file, make_file(file, "|u1", true, 4, (const int64_t[]){2, 3, 4, 3}));
}

/* The file that numpy.save makes of an array of 2 x 1 x 2 x 1 bytes, but for the length of its padding. */
static void writes_channels_last(void **state) {
  (void)state;
  lfm_images *images;
  uint8_t *file;
  size_t size;
  assert_int_equal(lfm_images_make(2, 3, 1, 2, &images), LFM_OK);
  memcpy(images->pixels, "abcdefghijkl", 12);
  assert_int_equal(lfm_images_write_npy(images, in_folder("a.npy")), LFM_OK);
  assert_int_equal(lfm_file_read(in_folder("a.npy"), &file, &size), LFM_OK);
  assert_int_equal(size, LFM_NPY_HEADER + 12);
  assert_memory_equal(file + 10, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2, 3), } ", 66);
  assert_memory_equal(file + LFM_NPY_HEADER, "acebdfgikhjl", 12);
  lfm_free(file);
  lfm_images_destroy(images);
  unlink(in_folder("a.npy"));
}

static lfm_status parse_any(void *context) {
  uint8_t file[512];
  (void)context;
  return parse(file, make_file(file, "|u1", false, 3, (const int64_t[]){2, 3, 4}));
}

static void stands_refused_memory(void **state) {
  (void)state;
  size_t before = lfm_alloc_in_use();
  assert_int_equal(refuse_memory(parse_any, NULL), 3);
  assert_int_equal(lfm_alloc_in_use(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads_every_order_of_axes),
                                     cmocka_unit_test(says_what_is_wrong),
                                     cmocka_unit_test(a_header_tells_pictures_from_tables),
                                     cmocka_unit_test(stands_any_bytes),
                                     cmocka_unit_test(writes_channels_last),
                                     cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
