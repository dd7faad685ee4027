/* SPDX-License-Identifier: MIT
 *
 * test_decode.c -- PNG and JPEG files of every kind give the pixels that Pillow gives; a file that is cut or altered gives a
 * line of text.
 */
#include "data/decode.h"
#include "data/images_support.h"
#include "data/jpeg_file.h"
#include "data/png_file.h"
#include "golden/pictures.h"

enum { PIXELS = GOLDEN_HEIGHT * GOLDEN_WIDTH, CASES = sizeof golden_pictures / sizeof *golden_pictures };

static void pixels_are_pillow_s(void **state) {
  (void)state;
  for (size_t k = 0; k < CASES; k++) {
    int channels = golden_pictures[k].channels;
    lfm_decoded seen, read;
    assert_int_equal(lfm_decode_look("t", golden_pictures[k].file, golden_pictures[k].size, &seen), LFM_OK);
    assert_null(seen.pixels);
    assert_int_equal(lfm_decode("t", golden_pictures[k].file, golden_pictures[k].size, &read), LFM_OK);
    assert_true(seen.height == GOLDEN_HEIGHT && seen.width == GOLDEN_WIDTH && seen.channels == channels);
    assert_true(read.height == GOLDEN_HEIGHT && read.width == GOLDEN_WIDTH && read.channels == channels);
    for (int i = 0; i < PIXELS * channels; i++)
      if (abs(read.pixels[i] - golden_pictures[k].pixels[i]) > golden_pictures[k].off)
        fail_msg("%s: byte %d is %d, Pillow's %d", golden_pictures[k].name, i, read.pixels[i], golden_pictures[k].pixels[i]);
    lfm_decoded_free(&read);
  }
}

static void other_files_are_named(void **state) {
  (void)state;
  lfm_decoded picture = {.pixels = (uint8_t *)(uintptr_t)0xDEAD0};
  assert_failure(lfm_decode("t", cmyk_jpeg, sizeof cmyk_jpeg, &picture), LFM_E_UNSUPPORTED,
                 "t: a JPEG of 4 colours (CMYK); save it as RGB");
  assert_null(picture.pixels);
  assert_failure(lfm_decode("t", (const uint8_t *)"GIF89a", 6, &picture), LFM_E_FORMAT,
                 "t: is neither PNG nor JPEG, whatever its name");
  assert_failure(lfm_decode_look("t", NULL, 0, &picture), LFM_E_FORMAT, "t: is neither PNG nor JPEG, whatever its name");
}

/* What libjpeg finds odd, but reads whole. */
static void an_odd_version_is_no_damage(void **state) {
  (void)state;
  uint8_t jpeg[sizeof rgb_jpeg];
  lfm_decoded picture;
  memcpy(jpeg, rgb_jpeg, sizeof jpeg);
  assert_memory_equal(jpeg + 6, "JFIF\0\1", 6);
  jpeg[11] = 2;
  assert_int_equal(lfm_decode("t", jpeg, sizeof jpeg, &picture), LFM_OK);
  lfm_decoded_free(&picture);
}

/* A cut that leaves the end mark of the format alone may go unseen; pixels may not be missing. */
static void cuts_and_turned_bits_are_stood(void **state) {
  (void)state;
  for (size_t k = 0; k < CASES; k++) {
    size_t size = golden_pictures[k].size;
    uint8_t *bytes = malloc(size);
    lfm_decoded picture;
    assert_non_null(bytes);
    for (size_t cut = 0; cut + 13 < size; cut++) { /* in a block of that size, so that a sanitizer sees a step too far */
      uint8_t *exact = malloc(cut ? cut : 1);
      assert_non_null(exact);
      memcpy(exact, golden_pictures[k].file, cut);
      if (lfm_decode("t", exact, cut, &picture) == LFM_OK) fail_msg("%s may be cut at %zu", golden_pictures[k].name, cut);
      assert_null(picture.pixels);
      free(exact);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
      memcpy(bytes, golden_pictures[k].file, size);
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
      if (lfm_decode("t", bytes, size, &picture) != LFM_OK) assert_true(strlen(lfm_error()) > 0 && !picture.pixels);
      lfm_decoded_free(&picture);
    }
    free(bytes);
  }
}

/* A header may not claim a picture that would not fit in memory, or far more than the file can hold. */
static void claims_are_bounded(void **state) {
  (void)state;
  assert_int_equal(lfm_decode_check_size("t", 10000, 10000), LFM_OK);
  assert_int_equal(lfm_decode_check_size("t", 10001, 10000), LFM_E_FORMAT);
  assert_int_equal(lfm_decode_check_size("t", 65501, 1), LFM_E_FORMAT);
  assert_int_equal(lfm_decode_check_size("t", 0, 1), LFM_E_FORMAT);
  assert_int_equal(lfm_decode_check_size("t", UINT64_MAX, UINT64_MAX), LFM_E_FORMAT);
  uint8_t jpeg[sizeof rgb_jpeg];
  lfm_decoded picture;
  memcpy(jpeg, rgb_jpeg, sizeof jpeg);
  for (size_t i = 0; i + 9 < sizeof jpeg; i++)
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) memset(jpeg + i + 5, 0x7F, 4); /* 32639 x 32639 */
  assert_failure(lfm_decode_look("t", jpeg, sizeof jpeg, &picture), LFM_E_FORMAT,
                 "t: 32639 x 32639 pixels; at most 65500 a side and 100000000 in all are read");
  for (size_t i = 0; i + 9 < sizeof jpeg; i++)
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) memcpy(jpeg + i + 5, (const uint8_t[]){0x27, 0, 0x27, 0}, 4); /* 9984 */
  char line[100];
  snprintf(line, sizeof line, "t: a damaged JPEG (9984 x 9984 pixels of %zu bytes)", sizeof jpeg);
  assert_failure(lfm_decode_look("t", jpeg, sizeof jpeg, &picture), LFM_E_FORMAT, line);
}

static lfm_status decode_all(void *context) {
  lfm_status status = LFM_OK;
  lfm_decoded picture;
  (void)context;
  for (size_t k = 0; k < CASES && status == LFM_OK; k++) {
    status = lfm_decode("t", golden_pictures[k].file, golden_pictures[k].size, &picture);
    lfm_decoded_free(&picture);
  }
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  size_t before = lfm_alloc_in_use();
  assert_int_equal(refuse_memory(decode_all, NULL), CASES);
  assert_int_equal(lfm_alloc_in_use(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pixels_are_pillow_s),         cmocka_unit_test(other_files_are_named),
      cmocka_unit_test(an_odd_version_is_no_damage), cmocka_unit_test(cuts_and_turned_bits_are_stood),
      cmocka_unit_test(claims_are_bounded),          cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
