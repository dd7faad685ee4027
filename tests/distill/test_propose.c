/* SPDX-License-Identifier: MIT
 *
 * test_propose.c -- lfm_plan_find: the best plan beside the named strategies and a given one, and what is refused.
 */
#include "distill/support.h"

static lfm_plan_options options_of(int steps) {
  lfm_plan_options options;
  memset(&options, 0xA5, sizeof options);
  lfm_plan_defaults(&options);
  options.variances = example_variances;
  options.dim = 3;
  options.hks = example_hks;
  options.blocks = 5;
  options.steps = steps;
  return options;
}

static void strategies_stand_beside_the_best(void **state) {
  (void)state;
  static const char *const names[LFM_STRATEGIES] = {"vanilla", "boot", "consistency", "progressive", "even"};
  static const char *const plans[LFM_STRATEGIES - 1] = {"(1 2) | (3 4 5)", "(1 2) | (3 (4 5))", "(1 2) | ((3 4) 5)",
                                                        "(1 2) | (3 (4 5))"};
  lfm_plan_result result;
  lfm_plan_options options = options_of(2);
  options.plan = "1 | 2 3 4 5";
  memset(&result, 0xA5, sizeof result);
  OK(lfm_plan_find(&options, &result));
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  assert_string_equal(result.best.plan, "(1 (2 (3 4))) | 5");
  assert_true(result.best.error == error_of(o, result.best.plan) && result.bound == result.best.error);
  assert_near(result.variance, .2 + 1.4 + 6, 1e-12);
  double least = INFINITY;
  for (int i = 0; i < LFM_STRATEGIES; i++) {
    assert_string_equal(result.strategy[i].name, names[i]);
    assert_true(result.strategy[i].error == error_of(o, result.strategy[i].plan));
    assert_true(result.strategy[i].error > result.best.error);
    if (i == LFM_STRATEGIES - 1) continue;
    assert_string_equal(result.strategy[i].plan, plans[i]);
    least = fmin(least, result.strategy[i].error);
  }
  assert_true(result.strategy[LFM_STRATEGIES - 1].error <= least);
  assert_string_equal(result.given.plan, "1 | (2 3 4 5)");
  assert_true(result.given.error == error_of(o, "1 | (2 3 4 5)"));
  lfm_merge_operators_destroy(o);
}

static void what_makes_no_sense_is_named(void **state) {
  (void)state;
  lfm_plan_result result;
  lfm_plan_options options = options_of(6);
  REFUSES(LFM_E_USAGE, lfm_plan_find(&options, &result), "6 students of a chain of 5 blocks");
  options = options_of(2);
  OK(lfm_plan_find(&options, &result));
  assert_true(isnan(result.given.error) && !*result.given.plan);
  options.plan = "1 | 2 | (3 4 5)";
  REFUSES(LFM_E_USAGE, lfm_plan_find(&options, &result), "the plan has 3 students, and steps is 2");
  options.plan = "1 | (3 4 5)";
  REFUSES(LFM_E_USAGE, lfm_plan_find(&options, &result), "block 2 is missing");
  options = options_of(2);
  options.s = 0;
  REFUSES(LFM_E_USAGE, lfm_plan_find(&options, &result), "s: 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strategies_stand_beside_the_best),
      cmocka_unit_test(what_makes_no_sense_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
