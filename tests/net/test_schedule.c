/* SPDX-License-Identifier: MIT
 *
 * test_schedule.c -- learning rates by hand.
 */
#include "net/schedule.h"
#include "support/near.h"

static void test_constant(void **state) {
  (void)state;
  lfm_lr lr = {.base = 1e-3, .decay = 0.5};
  assert_near(lfm_lr_at(&lr, 0), 1e-3, 0);
  assert_near(lfm_lr_at(&lr, 1000000), 1e-3, 0);
}

static void test_steps_down(void **state) {
  (void)state;
  lfm_lr lr = {.base = 1, .decay = 0.5, .every = 100};
  assert_near(lfm_lr_at(&lr, 99), 1, 0);
  assert_near(lfm_lr_at(&lr, 100), 0.5, 0);
  assert_near(lfm_lr_at(&lr, 399), 0.125, 0);
}

static void test_warms_up(void **state) {
  (void)state;
  lfm_lr lr = {.base = 2, .warmup = 4};
  assert_near(lfm_lr_at(&lr, 0), 0.5, 1e-15);
  assert_near(lfm_lr_at(&lr, 2), 1.5, 1e-15);
  assert_near(lfm_lr_at(&lr, 3), 2, 0);
  assert_near(lfm_lr_at(&lr, 4), 2, 0);
}

static void test_falls_to_zero(void **state) {
  (void)state;
  lfm_lr lr = {.base = 2, .warmup = 100, .cosine = true, .total = 300};
  assert_near(lfm_lr_at(&lr, 100), 2, 1e-15);
  assert_near(lfm_lr_at(&lr, 200), 1, 1e-15);
  assert_near(lfm_lr_at(&lr, 250), 1 - sqrt(0.5), 1e-15);
  assert_near(lfm_lr_at(&lr, 300), 0, 0);
  assert_near(lfm_lr_at(&lr, 10000), 0, 0);
  for (int64_t step = 100; step < 300; step++) assert_true(lfm_lr_at(&lr, step + 1) < lfm_lr_at(&lr, step));
}

static void test_all_together(void **state) {
  (void)state;
  lfm_lr lr = {.base = 8, .decay = 0.5, .every = 10, .warmup = 20, .cosine = true, .total = 60};
  assert_near(lfm_lr_at(&lr, 9), 8 * 0.5, 1e-15);
  assert_near(lfm_lr_at(&lr, 40), 8 * 0.0625 * 0.5, 1e-15);
  lfm_lr short_run = {.base = 1, .warmup = 10, .cosine = true, .total = 10}; /* nothing is left to fall in */
  assert_near(lfm_lr_at(&short_run, 9), 1, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constant),      cmocka_unit_test(test_steps_down),   cmocka_unit_test(test_warms_up),
      cmocka_unit_test(test_falls_to_zero), cmocka_unit_test(test_all_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
