/* SPDX-License-Identifier: MIT
 *
 * test_conformal.c -- the level is the order statistic of its definition; another exchangeable score exceeds it as often as
 * the ranks say, whatever law the scores have; too few are refused, with the number that it takes.
 */
#include "core/rng.h"
#include "metric/conformal.h"
#include "support/near.h"

#include <string.h>

static void the_level_is_an_order_statistic(void **state) {
  (void)state;
  double level, few[] = {5, 1, 4, 2, 3, 9, 8, 7, 6}; /* 9: ceil(10 x 0.9) = 9, ceil(10 x 0.75) = 8, ceil(10 x 0.5) = 5 */
  assert_int_equal(lfm_conformal_quantile(few, 9, 0.1, &level), LFM_OK);
  assert_true(level == 9);
  assert_int_equal(lfm_conformal_quantile(few, 9, 0.25, &level), LFM_OK);
  assert_true(level == 8);
  assert_int_equal(lfm_conformal_quantile(few, 9, 0.5, &level), LFM_OK);
  assert_true(level == 5);
  double many[99];
  for (int i = 0; i < 99; i++) many[i] = 99 - i; /* 100 (1 - 0.05) = 95 */
  assert_int_equal(lfm_conformal_quantile(many, 99, 0.05, &level), LFM_OK);
  assert_true(level == 95);
}

static void too_few_are_refused(void **state) {
  (void)state;
  double level, values[19] = {0};
  static const struct {
    double alpha;
    int64_t least;
  } cases[] = {{0.05, 19}, {0.1, 9}, {0.5, 1}, {0.01, 99}};
  for (int c = 0; c < 4; c++) {
    assert_int_equal(lfm_conformal_check(cases[c].least, cases[c].alpha), LFM_OK);
    assert_int_equal(lfm_conformal_check(cases[c].least - 1, cases[c].alpha), LFM_E_DATA);
  }
  assert_int_equal(lfm_conformal_quantile(values, 19, 0.05, &level), LFM_OK);
  assert_int_equal(lfm_conformal_quantile(values, 18, 0.05, &level), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "it takes 19 at least"));
  assert_int_equal(lfm_conformal_quantile(values, 0, 0.9, &level), LFM_E_DATA);
}

/* So many false alarms as hardly leave a level: the least score is it. */
static void nearly_all_may_be_alarms(void **state) {
  (void)state;
  double values[] = {3, 1, 2}, level;
  assert_int_equal(lfm_conformal_quantile(values, 3, 1.0 - 1e-12, &level), LFM_OK);
  assert_true(level == 1.0);
}

/* Scores with a tail so long that they have no mean.  Exactly (count + 1 - rank) / (count + 1) of them exceed the level. */
static void another_one_exceeds_it_as_often_as_ranks_say(void **state) {
  (void)state;
  enum { TRIALS = 40000, MOST = 30 };
  static const struct {
    int64_t count;
    double alpha, due;
  } cases[] = {{19, 0.05, 1.0 / 20}, {30, 0.1, 3.0 / 31}, {9, 0.3, 3.0 / 10}};
  for (int c = 0; c < 3; c++) {
    lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA, .block = (uint32_t)c};
    double values[MOST], level, above = 0;
    assert_true(cases[c].due <= cases[c].alpha);
    for (int64_t trial = 0; trial < TRIALS; trial++) {
      for (int64_t i = 0; i < cases[c].count; i++) values[i] = 1.0 / lfm_rng_uniform(&rng, trial, (uint32_t)i);
      assert_int_equal(lfm_conformal_quantile(values, cases[c].count, cases[c].alpha, &level), LFM_OK);
      above += 1.0 / lfm_rng_uniform(&rng, trial, MOST) > level;
    }
    assert_near(above / TRIALS, cases[c].due, 4.0 * sqrt(cases[c].due / TRIALS)); /* four standard errors */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_level_is_an_order_statistic),
      cmocka_unit_test(too_few_are_refused),
      cmocka_unit_test(nearly_all_may_be_alarms),
      cmocka_unit_test(another_one_exceeds_it_as_often_as_ranks_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
