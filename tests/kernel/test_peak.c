/* SPDX-License-Identifier: MIT
 *
 * test_peak.c -- the loop does what it says, or says that there is none; how long it takes is no test.
 */
#include "support/near.h"

#include "kernel/peak.h"

#include <stdbool.h>

static void test_operations_are_counted(void **state) {
  (void)state;
  int64_t operations = lfm_peak_spin();
  assert_true(operations == lfm_peak_spin()); /* the same each time */
  assert_true(lfm_peak_spin_bf16() == lfm_peak_spin_bf16());
#if defined(__x86_64__)
  assert_true((lfm_peak_spin_bf16() > 1000000) == (__builtin_cpu_supports("avx512bf16") != 0));
  bool has_loop = __builtin_cpu_supports("fma") != 0;
  assert_true(has_loop ? operations > 1000000 : operations == 0);
#else
  assert_true(operations == 0);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_operations_are_counted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
