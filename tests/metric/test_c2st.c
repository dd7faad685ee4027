/* SPDX-License-Identifier: MIT
 * The two-sample test lets equal laws pass, rejects smooth and fine differences alike, and does not depend on the team. */
#include "core/alloc.h"
#include "metric/c2st.h"
#include "metric/mixture.h"
#include "metric/tree.h"
#include "support/near.h"

#include <string.h>

enum { ROWS = 1000, DIM = 3 };
static double a[ROWS * DIM], b[ROWS * DIM], fitted[ROWS * DIM];

/* Two samples of a mixture, whose parts lie along a line of small variance across it, and one of its fitted Gaussian. */
static int draw_samples(void **state) {
  (void)state;
  const double weights[] = {3, 2}, means[] = {-1, 0, 0, 1, 0, 0};
  const double covariances[] = {0.1, 0, 0, 0, 1, 0, 0.02, 0, 0.01, 0.1, 0, 0, 0, 1, 0, -0.02, 0, 0.01};
  const lfm_rng first = {.seed = 1, .purpose = LFM_FOR_DATA}, second = {.seed = 2, .purpose = LFM_FOR_DATA};
  lfm_mixture *mixture = NULL;
  lfm_gaussian *gaussian = NULL;
  assert_int_equal(lfm_mixture_create(weights, means, covariances, 2, DIM, &mixture), LFM_OK);
  for (int64_t i = 0; i < ROWS; i++) {
    lfm_mixture_sample(mixture, &first, i, a + i * DIM);
    lfm_mixture_sample(mixture, &second, i, b + i * DIM);
  }
  assert_int_equal(lfm_gaussian_fit(a, ROWS, DIM, &gaussian), LFM_OK);
  for (int64_t i = 0; i < ROWS; i++) lfm_gaussian_sample(gaussian, &second, i, 0, fitted + i * DIM);
  lfm_mixture_destroy(mixture);
  lfm_gaussian_destroy(gaussian);
  return 0;
}

static void equal_laws_pass(void **state) {
  (void)state;
  int covered = 0;
  for (uint64_t seed = 0; seed < 4; seed++) {
    lfm_c2st test = {.accuracy = NAN};
    assert_int_equal(lfm_c2st_test(a, b, ROWS, DIM, seed, NULL, &test), LFM_OK);
    assert_int_equal(test.tests, ROWS);
    assert_true(test.low < test.accuracy && test.accuracy < test.high && test.high - test.low < 0.065);
    covered += test.low <= 0.5 && test.high >= 0.5;
  }
  assert_in_range(covered, 3, 4);
}

/* The rows of the test choose no classifier: of many pairs of one law the accuracy is a half, and not that of the luckiest of
 * the three. */
static void the_choice_is_made_on_other_rows(void **state) {
  (void)state;
  enum { PAIRS = 40, FEW = 200 };
  double sum = 0.0, error = 0.5 / sqrt(PAIRS * FEW);
  for (uint64_t pair = 0; pair < PAIRS; pair++) {
    const lfm_rng rng = {.seed = pair, .purpose = LFM_FOR_DATA};
    static double x[2 * FEW * DIM];
    for (int64_t i = 0; i < 2 * FEW; i++) {
      float z[DIM];
      lfm_rng_normal(&rng, i, z, DIM);
      for (int c = 0; c < DIM; c++) x[i * DIM + c] = (double)z[c];
    }
    lfm_c2st test = {.accuracy = NAN};
    assert_int_equal(lfm_c2st_test(x, x + FEW * DIM, FEW, DIM, pair, NULL, &test), LFM_OK);
    sum += test.accuracy;
  }
  assert_near(sum / PAIRS, 0.5, 3 * error);
}

static void the_fitted_gaussian_is_rejected(void **state) {
  (void)state;
  lfm_c2st test = {.accuracy = NAN};
  assert_int_equal(lfm_c2st_test(a, fitted, ROWS, DIM, 0, NULL, &test), LFM_OK);
  assert_true(test.low > 0.55);
}

/* Hidden from the network, plain to neighbours: the tree against the tree blurred by a fifth of a unit. */
static void fine_differences_are_rejected(void **state) {
  (void)state;
  enum { POINTS = 3000 };
  static double sharp[POINTS * 2], blurred[POINTS * 2];
  const lfm_rng first = {.seed = 1, .purpose = LFM_FOR_DATA}, second = {.seed = 2, .purpose = LFM_FOR_DATA};
  const lfm_rng noise = {.seed = 3, .purpose = LFM_FOR_NOISE};
  lfm_pixel_density *tree = NULL;
  assert_int_equal(lfm_tree_density(&tree), LFM_OK);
  for (int64_t i = 0; i < POINTS; i++) {
    float z[2];
    lfm_rng_normal(&noise, i, z, 2);
    lfm_pixel_density_sample(tree, &first, i, sharp + 2 * i);
    lfm_pixel_density_sample(tree, &second, i, blurred + 2 * i);
    for (int c = 0; c < 2; c++) blurred[2 * i + c] += 0.2 * (double)z[c];
  }
  lfm_c2st test = {.accuracy = NAN};
  assert_int_equal(lfm_c2st_test(sharp, blurred, POINTS, 2, 0, NULL, &test), LFM_OK);
  assert_true(test.low > 0.52);
  lfm_pixel_density_destroy(tree);
}

static void the_team_changes_nothing(void **state) {
  (void)state;
  lfm_team *team = NULL;
  lfm_c2st alone = {.accuracy = NAN}, together = {.accuracy = NAN};
  assert_int_equal(lfm_team_create(3, &team), LFM_OK);
  assert_int_equal(lfm_c2st_test(a, fitted, 500, DIM, 4, NULL, &alone), LFM_OK);
  assert_int_equal(lfm_c2st_test(a, fitted, 500, DIM, 4, team, &together), LFM_OK);
  assert_near(alone.accuracy, together.accuracy, 0);
  assert_string_equal(alone.classifier, together.classifier);
  lfm_team_destroy(team);
}

static void refuses_nonsense(void **state) {
  (void)state;
  static double constant[ROWS * DIM];
  lfm_c2st test;
  assert_int_equal(lfm_c2st_test(a, b, 199, DIM, 0, NULL, &test), LFM_E_DATA);
  assert_int_equal(lfm_c2st_test(constant, constant, ROWS, DIM, 0, NULL, &test), LFM_E_DATA);
}

static void survives_refused_memory(void **state) {
  (void)state;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_c2st test;
    lfm_alloc_fail_at(at);
    status = lfm_c2st_test(a, b, 200, DIM, 0, NULL, &test);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_laws_pass),
      cmocka_unit_test(the_choice_is_made_on_other_rows),
      cmocka_unit_test(the_fitted_gaussian_is_rejected),
      cmocka_unit_test(fine_differences_are_rejected),
      cmocka_unit_test(the_team_changes_nothing),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, draw_samples, NULL);
}
