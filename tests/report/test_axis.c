/* SPDX-License-Identifier: MIT
 * Ticks are round, inside the axis, and written as a reader would. */
#include "report/axis.h"
#include "support/near.h"

#include <string.h>

static void check(double low, double high, bool log, int wish, const char *expected) {
  lfm_axis axis = {low, high, 0, 100, log};
  lfm_ticks ticks;
  char text[512] = "", number[64];
  lfm_axis_ticks(&axis, wish, &ticks);
  for (int i = 0; i < ticks.count; i++) {
    assert_in_range(lfm_axis_place(&axis, ticks.at[i]) + 1e-6, 0, 100);
    lfm_axis_number(&ticks, i, number, sizeof number);
    strcat(strcat(text, i ? " " : ""), number);
  }
  assert_string_equal(text, expected);
}

static void ticks_are_round_numbers(void **state) {
  (void)state;
  check(0, 80000, false, 8, "0 10000 20000 30000 40000 50000 60000 70000 80000");
  check(-0.31, 0.52, false, 4, "−0.2 0 0.2 0.4");
  check(2.02, 2.11, false, 4, "2.02 2.04 2.06 2.08 2.10");
  check(0, 3e7, false, 3, "0 10⁷ 2×10⁷ 3×10⁷");
  check(1e-7, 1e-2, true, 6, "10⁻⁷ 10⁻⁶ 10⁻⁵ 10⁻⁴ 0.001 0.01");
  check(1e-12, 1, true, 4, "10⁻¹² 10⁻⁹ 10⁻⁶ 0.001 1");
  check(0.7, 30, true, 6, "1 2 5 10 20");
  check(0.55, 2.7, true, 6, "1.0 1.5 2.0 2.5");
}

static void neighbours_far_from_zero_differ(void **state) {
  (void)state;
  check(1.7e9, 1.7000864e9, false, 4, "1700000000 1700020000 1700040000 1700060000 1700080000");
  check(0.5, 0.50002, false, 4, "0.500000 0.500005 0.500010 0.500015 0.500020");
  check(-1234600, -1234000, false, 3, "−1234600 −1234400 −1234200 −1234000");
  check(1e-7, 1.00004e-7, false, 4, "10⁻⁷ 1.00001×10⁻⁷ 1.00002×10⁻⁷ 1.00003×10⁻⁷ 1.00004×10⁻⁷");
  check(1, 1 + 4e-12, false, 4, "1.000000000000 1.000000000001 1.000000000002 1.000000000003 1.000000000004");
  check(1e9, 1.004e9, false, 4, "10⁹ 1.001×10⁹ 1.002×10⁹ 1.003×10⁹ 1.004×10⁹");
}

static void places_follow_the_scale(void **state) {
  (void)state;
  lfm_axis linear = {-1, 3, 200, 100, false}, logarithmic = {1, 1000, 0, 90, true};
  assert_near(lfm_axis_place(&linear, 0), 175, 1e-12);
  assert_near(lfm_axis_place(&logarithmic, 100), 60, 1e-12);
}

static void empty_ranges_are_mended(void **state) {
  (void)state;
  const double ranges[][2] = {{3, 3}, {0, 0}, {INFINITY, -INFINITY}, {NAN, 1}};
  for (int log = 0; log < 2; log++)
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
      lfm_axis axis = lfm_axis_make(ranges[i][0], ranges[i][1], 0.05, log);
      lfm_ticks ticks;
      assert_true(axis.low < axis.high && isfinite(axis.low) && isfinite(axis.high) && !(log && axis.low <= 0));
      lfm_axis_ticks(&axis, 5, &ticks);
      assert_in_range(ticks.count, 1, LFM_TICKS_MOST);
    }
}

static void the_widest_ranges_stay_finite(void **state) {
  (void)state;
  const double ranges[][2] = {{1e-300, 1e308}, {5e-324, 1.7e308}, {1.6e308, 1.7e308}, {5e-324, 1e-323}, {-1.7e308, 1.7e308}};
  for (int log = 0; log < 2; log++)
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
      if (log && ranges[i][0] <= 0) continue;
      lfm_axis axis = lfm_axis_make(ranges[i][0], ranges[i][1], 0.05, log);
      lfm_ticks ticks;
      assert_true(axis.low < axis.high && isfinite(axis.high - axis.low) && !(log && axis.low <= 0));
      for (int end = 0; end < 2; end++) {
        double place = lfm_axis_place(&axis, ranges[i][end]);
        assert_true(place > -1 && place < 2);
      }
      lfm_axis_ticks(&axis, 5, &ticks);
      assert_in_range(ticks.count, 1, LFM_TICKS_MOST);
      for (int k = 0; k < ticks.count; k++) assert_true(isfinite(ticks.at[k]));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ticks_are_round_numbers),       cmocka_unit_test(neighbours_far_from_zero_differ),
      cmocka_unit_test(places_follow_the_scale),       cmocka_unit_test(empty_ranges_are_mended),
      cmocka_unit_test(the_widest_ranges_stay_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
