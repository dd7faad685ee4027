/* SPDX-License-Identifier: MIT
 *
 * test_selftest.c -- every check passes here, and each reports what it saw; a fault on the way is an error.
 */
#include "flow_support.h"

#include "flow/selftest.h"

typedef struct seen {
  char names[16][32];
  int count, failed;
} seen;

static void note(const char *what, bool passed, const char *detail, void *context) {
  seen *s = context;
  assert_true(s->count < 16 && *detail);
  snprintf(s->names[s->count++], sizeof s->names[0], "%s", what);
  s->failed += !passed;
}

static void all_checks_pass(void **state) {
  (void)state;
  static const char *const names[] = {"random numbers", "kernels", "gradients", "densities", "samples", "threads"};
  seen s = {0};
  OK(lfm_selftest(2, note, &s));
  assert_int_equal(s.failed, 0);
  assert_int_equal(s.count, sizeof names / sizeof *names);
  for (int k = 0; k < s.count; k++) assert_string_equal(s.names[k], names[k]);
  OK(lfm_selftest(1, NULL, NULL));
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

/* Its first requests are spread over the checks; the rest belong to functions whose own tests sweep them. */
static void refused_memory_is_an_error(void **state) {
  (void)state;
  lfm_alloc_fail_at(0);
  OK(lfm_selftest(1, NULL, NULL));
  uint64_t requests = lfm_alloc_fail_at(0);
  assert_in_range(requests, 50, 5000);
  for (int k = 0; k < 12; k++) {
    lfm_alloc_fail_at(1 + (uint64_t)k * requests / 12);
    FAILS(LFM_E_MEMORY, lfm_selftest(1, NULL, NULL));
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
