/* SPDX-License-Identifier: MIT
 * Standard errors against computations by hand and R's t table. */
#include "core/alloc.h"
#include "metric/summary.h"
#include "support/near.h"

static void independent_rows(void **state) {
  (void)state;
  const double values[] = {1, 2, 3, 4, 10};
  lfm_summary s = {.mean = NAN};
  assert_int_equal(lfm_summary_mean(values, NULL, 5, &s), LFM_OK);
  assert_int_equal(s.clusters, 5);
  assert_near(s.mean, 4, 1e-14);
  assert_near(s.se, sqrt(12.5 / 5), 1e-14); /* sd^2 = 50 / 4 */
  assert_near(s.high - s.mean, 2.776445 * s.se, 0.01 * s.se);
  assert_near(s.mean - s.low, s.high - s.mean, 1e-14);
}

/* Groups {1, 2}, {3}, {4, 10} around the mean 4: sums -5, -1, 6; se = sqrt(3/2 * 62) / 5. */
static void clusters(void **state) {
  (void)state;
  const double values[] = {4, 1, 3, 2, 10}, group[] = {7, -1, 0.5, -1, 7};
  lfm_summary s = {.mean = NAN};
  assert_int_equal(lfm_summary_mean(values, group, 5, &s), LFM_OK);
  assert_int_equal(s.clusters, 3);
  assert_near(s.mean, 4, 1e-14);
  assert_near(s.se, sqrt(1.5 * 62) / 5, 1e-14);
  const double own[] = {5, 4, 3, 2, 1};
  lfm_summary alone, plain;
  assert_int_equal(lfm_summary_mean(values, own, 5, &alone), LFM_OK);
  assert_int_equal(lfm_summary_mean(values, NULL, 5, &plain), LFM_OK);
  assert_near(alone.se, plain.se, 1e-14);
}

static void paired_difference(void **state) {
  (void)state;
  const double a[] = {1, 5, 2, 8}, b[] = {0, 3, 1, 4}; /* differences 1 2 1 4: mean 2, sd^2 = 6 / 3 */
  lfm_summary s = {.mean = NAN};
  assert_int_equal(lfm_summary_paired(a, b, NULL, 4, &s), LFM_OK);
  assert_near(s.mean, 2, 1e-14);
  assert_near(s.se, sqrt(2.0 / 4), 1e-14);
}

static void one_unit_has_no_error(void **state) {
  (void)state;
  const double values[] = {3, 5}, group[] = {1, 1};
  lfm_summary s = {0};
  assert_int_equal(lfm_summary_mean(values, group, 2, &s), LFM_OK);
  assert_near(s.mean, 4, 0);
  assert_true(isnan(s.se) && isnan(s.low) && isnan(s.high));
}

static void refuses_what_has_no_mean(void **state) {
  (void)state;
  const double values[] = {3, NAN}, group[] = {1, INFINITY};
  lfm_summary s;
  assert_int_equal(lfm_summary_mean(values, NULL, 0, &s), LFM_E_DATA);
  assert_int_equal(lfm_summary_mean(values, NULL, 2, &s), LFM_E_DATA);
  assert_int_equal(lfm_summary_mean(group, group, 2, &s), LFM_E_DATA);
}

static void students_points(void **state) {
  (void)state;
  const struct {
    int64_t degrees;
    double point;
  } table[] = {{1, 12.7062}, {2, 4.302653}, {3, 3.182446}, {4, 2.776445}, {9, 2.262157}, {29, 2.045230}, {1000000, 1.959966}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    assert_near(lfm_student_975(table[i].degrees), table[i].point, 0.003 * table[i].point);
}

/* Wilson's interval is where (p - share)^2 = z^2 p (1 - p) / n: both ends solve it, and none leaves 0..1. */
static void shares(void **state) {
  (void)state;
  for (int64_t hits = 0; hits <= 40; hits++) {
    lfm_share s = lfm_summary_share(hits, 40);
    assert_true(s.count == hits && s.of == 40);
    assert_near(s.share, (double)hits / 40, 0);
    assert_true(s.low >= 0 && s.low <= s.share && s.share <= s.high && s.high <= 1 && s.high - s.low > 0.08);
    const double ends[] = {s.low, s.high};
    for (int i = 0; i < 2; i++)
      assert_near((ends[i] - s.share) * (ends[i] - s.share), 3.841458820694124 * ends[i] * (1 - ends[i]) / 40, 1e-12);
  }
  assert_true(lfm_summary_share(0, 0).of == 0 && lfm_summary_share(0, 0).share == 0);
  lfm_share none = lfm_summary_share(0, 1);
  assert_near(none.low, 0, 0);
  assert_near(none.high, 3.841458820694124 / 4.841458820694124, 1e-14);
}

static void survives_refused_memory(void **state) {
  (void)state;
  const double a[] = {1, 2, 3}, b[] = {0, 0, 1};
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_summary s;
    lfm_alloc_fail_at(at);
    status = lfm_summary_paired(a, b, a, 3, &s);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(independent_rows),
      cmocka_unit_test(clusters),
      cmocka_unit_test(paired_difference),
      cmocka_unit_test(one_unit_has_no_error),
      cmocka_unit_test(refuses_what_has_no_mean),
      cmocka_unit_test(students_points),
      cmocka_unit_test(shares),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
