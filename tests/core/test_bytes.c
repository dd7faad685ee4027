/* SPDX-License-Identifier: MIT
 *
 * test_bytes.c -- the bounded reader never passes the end, moves nothing when it refuses, and reads little-endian numbers
 * at any alignment.
 */
#include "core/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t sample[] = {0x01, 0x02, 0x83, 0x04, 0x05, 0x06, 0x07, 0x88, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x8F};

static void numbers_are_little_endian(void **state) {
  (void)state;
  lfm_bytes bytes = {sample, sizeof sample, 1}; /* unaligned from the start */
  uint16_t a = 0;
  uint32_t b = 0;
  uint64_t c = 0;
  assert_true(lfm_bytes_u16le(&bytes, &a));
  assert_int_equal(a, 0x8302);
  assert_true(lfm_bytes_u32le(&bytes, &b));
  assert_int_equal(b, 0x07060504);
  assert_true(lfm_bytes_u64le(&bytes, &c));
  assert_true(c == 0x8F0E0D0C0B0A0988ull);
}

static void the_end_is_never_passed(void **state) {
  (void)state;
  for (size_t left = 0; left < 8; left++) {
    uint8_t *exact = malloc(left + 1); /* at its true size, so that a sanitizer sees a step too far */
    memcpy(exact, sample, left);
    lfm_bytes bytes = {exact, left, 0};
    uint16_t a = 0xAAAA;
    uint32_t b = 0xBBBBBBBB;
    uint64_t c = 0xCCCCCCCC;
    assert_false(lfm_bytes_u64le(&bytes, &c));
    assert_true(c == 0xCCCCCCCC);
    if (left < 4) {
      assert_false(lfm_bytes_u32le(&bytes, &b));
      assert_int_equal(b, 0xBBBBBBBB);
    }
    if (left < 2) {
      assert_false(lfm_bytes_u16le(&bytes, &a));
      assert_int_equal(a, 0xAAAA);
    }
    assert_int_equal(bytes.at, 0);
    free(exact);
  }
}

static void take_hands_out_a_view_and_moves(void **state) {
  (void)state;
  lfm_bytes bytes = {sample, sizeof sample, 0};
  const uint8_t *view = NULL;
  assert_true(lfm_bytes_take(&bytes, 0, &view));
  assert_ptr_equal(view, sample);
  assert_true(lfm_bytes_take(&bytes, 5, &view));
  assert_ptr_equal(view, sample);
  assert_true(lfm_bytes_take(&bytes, sizeof sample - 5, &view));
  assert_ptr_equal(view, sample + 5);
  assert_int_equal(bytes.at, sizeof sample);
  assert_true(lfm_bytes_take(&bytes, 0, &view));
  assert_ptr_equal(view, sample + sizeof sample);
  view = NULL;
  assert_false(lfm_bytes_take(&bytes, 1, &view));
  assert_null(view);
}

static void a_huge_length_does_not_wrap(void **state) {
  (void)state;
  lfm_bytes bytes = {sample, sizeof sample, 7};
  const uint8_t *view = NULL;
  const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 6, SIZE_MAX - 7, SIZE_MAX / 2 + 1, sizeof sample, sizeof sample - 6};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) assert_false(lfm_bytes_take(&bytes, lengths[i], &view));
  assert_null(view);
  assert_int_equal(bytes.at, 7);
}

static void products_that_overflow_are_told(void **state) {
  (void)state;
  size_t product = 1;
  assert_true(lfm_size_multiply(0, SIZE_MAX, &product));
  assert_int_equal(product, 0);
  assert_true(lfm_size_multiply((size_t)1 << 31, (size_t)1 << 32, &product));
  assert_true(product == (size_t)1 << 63);
  assert_true(lfm_size_multiply(SIZE_MAX, 1, &product));
  assert_false(lfm_size_multiply((size_t)1 << 32, (size_t)1 << 32, &product));
  assert_false(lfm_size_multiply(SIZE_MAX, 2, &product));
  assert_false(lfm_size_multiply(SIZE_MAX / 3 + 1, 3, &product));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_little_endian),       cmocka_unit_test(the_end_is_never_passed),
      cmocka_unit_test(take_hands_out_a_view_and_moves), cmocka_unit_test(a_huge_length_does_not_wrap),
      cmocka_unit_test(products_that_overflow_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
