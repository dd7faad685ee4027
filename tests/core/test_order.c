/* SPDX-License-Identifier: MIT
 *
 * test_order.c -- rows that are evenly spaced among others, however many these are.
 */
#include "core/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* floor(i rows / count), the same way in a wider type. */
static void rows_are_evenly_spaced(void **state) {
  static const int64_t sizes[][2] = {
      {1, 1}, {10, 3}, {7, 7}, {100000001, 100000001}, {3000000019, 2999999999}, {INT64_C(1) << 60, 1000003}};
  (void)state;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    int64_t rows = sizes[k][0], count = sizes[k][1];
    for (int64_t at = 0; at < 2000 && at < count; at++) {
      int64_t i = count - 1 - at;
      __extension__ __int128 wide = (__extension__(__int128) i) * rows / count;
      assert_true(lfm_spaced(i, rows, count) == (int64_t)wide);
    }
    assert_int_equal(lfm_spaced(0, rows, count), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_evenly_spaced)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
