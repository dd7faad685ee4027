/* SPDX-License-Identifier: MIT
 *
 * test_images_idx.c -- IDX files to the byte; what is cut, altered or something else is refused by name.
 */
#include "data/images_support.h"

static const lfm_images_options plain;

static lfm_status parse(const uint8_t *data, size_t size) {
  lfm_images *images = (lfm_images *)(uintptr_t)0xDEAD0;
  lfm_status status = lfm_idx_parse("t", data, size, &plain, &images);
  if (status != LFM_OK) assert_null(images);
  lfm_images_destroy(images);
  return status;
}

static lfm_status parse_labels(const uint8_t *data, size_t size) {
  lfm_images *images;
  assert_int_equal(lfm_images_make(5, 1, 2, 2, &images), LFM_OK);
  lfm_status status = lfm_idx_parse_labels("t", data, size, images);
  if (status == LFM_OK)
    for (int i = 0; i < 5; i++) assert_true(images->labels[i] >= 0 && images->labels[i] < images->classes);
  lfm_images_destroy(images);
  return status;
}

static void reads_every_byte(void **state) {
  (void)state;
  uint8_t bytes[1024];
  lfm_images *images;
  size_t size = make_idx(bytes, 3, (const int[]){7, 3, 4});
  assert_int_equal(lfm_idx_parse("t", bytes, size, &plain, &images), LFM_OK);
  assert_shape(images, 7, 1, 3, 4);
  for (size_t i = 0; i < 84; i++) assert_int_equal(images->pixels[i], made_byte(i));
  lfm_images_destroy(images);
}

static void says_what_is_wrong(void **state) {
  (void)state;
  uint8_t bytes[256];
  size_t size = make_idx(bytes, 3, (const int[]){1, 3, 4});
  assert_failure(parse(bytes, size - 1), LFM_E_FORMAT, "t: 11 bytes follow the header, which says 12; get the file anew");
  assert_failure(parse(bytes, 9), LFM_E_FORMAT, "t: ends early; get it anew");
  assert_failure(parse((const uint8_t *)"<html>", 6), LFM_E_FORMAT, "t: is not an IDX file; get it anew");
  bytes[2] = 13;
  assert_failure(parse(bytes, size), LFM_E_UNSUPPORTED, "t: its values are not unsigned bytes");
  assert_failure(parse(bytes, make_idx(bytes, 1, (const int[]){9})), LFM_E_DATA,
                 "t: holds labels; name the file of the pictures");
  assert_failure(parse(bytes, make_idx(bytes, 3, (const int[]){0, 3, 4})), LFM_E_DATA, "t: holds no pictures");
  assert_failure(parse(bytes, make_idx(bytes, 2, (const int[]){3, 4})), LFM_E_DATA,
                 "t: has 2 dimensions; pictures have 3 (number, height, width), labels 1");
  static const uint8_t empty[] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0};
  static const uint8_t huge[] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  assert_int_equal(parse(empty, sizeof empty), LFM_E_DATA);
  assert_int_equal(parse(huge, sizeof huge), LFM_E_FORMAT);
}

static void stands_any_bytes(void **state) {
  (void)state;
  uint8_t bytes[256];
  torture_pictures(parse, bytes, make_idx(bytes, 3, (const int[]){2, 3, 4}));
  torture_pictures(parse_labels, bytes, make_idx(bytes, 1, (const int[]){5}));
}

static void labels_lie_beside(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"a/train-images-idx3-ubyte.gz", "a/train-labels-idx1-ubyte.gz"},
                                         {"images/t10k-images.idx3-ubyte", "images/t10k-labels.idx1-ubyte"},
                                         {"my-images", "my-labels"}};
  char out[64];
  for (size_t i = 0; i < 3; i++) {
    assert_true(lfm_idx_labels_path(pairs[i][0], out, sizeof out));
    assert_string_equal(out, pairs[i][1]);
  }
  assert_false(lfm_idx_labels_path("images/digits.idx3", out, sizeof out));
  assert_false(lfm_idx_labels_path("train-images-idx3-ubyte.gz", out, 12));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads_every_byte), cmocka_unit_test(says_what_is_wrong),
                                     cmocka_unit_test(stands_any_bytes), cmocka_unit_test(labels_lie_beside)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
