/* SPDX-License-Identifier: MIT
 *
 * test_selftest.c -- every check passes here, and each reports what it saw; a fault on the way is an error.
 */
#include "flow_support.h"

#include "flow/selftest.h"

typedef struct seen {
  char names[24][32];
  int count, failed;
} seen;

static void note(const char *what, bool passed, const char *detail, void *context) {
  seen *s = context;
  assert_true(s->count < 24 && *detail);
  snprintf(s->names[s->count++], sizeof s->names[0], "%s", what);
  s->failed += !passed;
}

/* Three for each table of kernels in use. */
static void all_checks_pass(void **state) {
  (void)state;
  static const char *const of_kernels[] = {"kernels for tables", "kernels for pictures", "kernels for policies"};
  static const char *const others[] = {"gradients", "densities", "samples", "threads"};
  lfm_checked_table tables[LFM_CHECKED_TABLES];
  int count, at = 1;
  seen s = {0};
  lfm_checked_tables(tables, &count);
  OK(lfm_selftest(2, note, &s));
  assert_int_equal(s.failed, 0);
  assert_int_equal(s.count, 1 + 3 * count + 4);
  assert_string_equal(s.names[0], "random numbers");
  for (int k = 0; k < 3 * count; k++) assert_string_equal(s.names[at++], of_kernels[k % 3]);
  for (int k = 0; k < 4; k++) assert_string_equal(s.names[at++], others[k]);
}

/* What is not a number comes first, in the middle, last, and never goes away. */
static void no_gap_hides_what_is_not_finite(void **state) {
  (void)state;
  const double wrong[] = {NAN, INFINITY, -INFINITY};
  double gap = 0.0;
  for (int i = 0; i < 4; i++) gap = lfm_gap_widen(gap, (double[]){0.25, -0.5, 0.125, 0.0}[i]);
  assert_true(gap == 0.5);
  for (int at = 0; at < 12; at++) {
    gap = 0.0;
    for (int i = 0; i < 4; i++) gap = lfm_gap_widen(gap, i == at % 4 ? wrong[at / 4] : 0.5);
    assert_true(gap == (double)INFINITY);
  }
}

/* The first requests, one amid the kernels and the last; test_selftest_kernels.c and the tests of what is called have more.
 */
static void refused_memory_is_an_error(void **state) {
  (void)state;
  enum { FIRST = 8 };
  size_t before = lfm_alloc_in_use();
  lfm_alloc_fail_at(0);
  OK(lfm_selftest(1, NULL, NULL));
  uint64_t requests = lfm_alloc_fail_at(0);
  assert_in_range(requests, 500, 50000);
  for (uint64_t k = 1; k <= FIRST + 2; k++) {
    lfm_alloc_fail_at(k <= FIRST ? k : k == FIRST + 1 ? requests / 4 : requests);
    FAILS(LFM_E_MEMORY, lfm_selftest(1, NULL, NULL));
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_alloc_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_checks_pass),
      cmocka_unit_test(no_gap_hides_what_is_not_finite),
      cmocka_unit_test(refused_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
