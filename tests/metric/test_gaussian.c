/* SPDX-License-Identifier: MIT
 * The Gaussian against its formula in two dimensions, and its fit against the law that the rows were drawn from. */
#include "core/alloc.h"
#include "metric/gaussian.h"
#include "support/near.h"

#include <string.h>

static const lfm_rng rng = {.seed = 5, .purpose = LFM_FOR_DATA};

static void two_dimensions_by_hand(void **state) {
  (void)state;
  const double mean[] = {1, -2}, covariance[] = {4, 0, 1.5, 1}; /* the upper half is not read */
  lfm_gaussian *g = NULL;
  assert_int_equal(lfm_gaussian_create(mean, covariance, 2, &g), LFM_OK);
  double det = 4 * 1 - 1.5 * 1.5, x[] = {2, 0.5}, z[2], a = x[0] - 1, b = x[1] + 2;
  double form = (a * a * 1 - 2 * 1.5 * a * b + 4 * b * b) / det;
  assert_near(lfm_gaussian_log(g, x, z), -0.5 * form - log(2 * M_PI) - 0.5 * log(det), 1e-13);
  assert_near(z[0] * z[0] + z[1] * z[1], form, 1e-12);
  assert_near(lfm_gaussian_entropy(g), 1 + log(2 * M_PI) + 0.5 * log(det), 1e-13);
  lfm_gaussian_destroy(g);
}

static void draws_and_fit_agree(void **state) {
  (void)state;
  enum { ROWS = 20000, DIM = 3 };
  static double x[ROWS * DIM];
  const double mean[] = {10, 0, -3}, covariance[] = {4, 0, 0, 1.5, 1, 0, -0.02, 0.01, 0.01};
  lfm_gaussian *truth = NULL, *fitted = NULL;
  assert_int_equal(lfm_gaussian_create(mean, covariance, DIM, &truth), LFM_OK);
  for (int64_t i = 0; i < ROWS; i++) lfm_gaussian_sample(truth, &rng, i, 0, x + i * DIM);
  assert_int_equal(lfm_gaussian_fit(x, ROWS, DIM, &fitted), LFM_OK);
  double z[DIM], gain = 0;
  for (int64_t i = 0; i < ROWS; i++)
    gain += lfm_gaussian_log(fitted, x + i * DIM, z) - lfm_gaussian_log(truth, x + i * DIM, z);
  assert_true(gain > 0 &&
              gain < 20); /* half a chi-square with 9 degrees: the fit is the maximum, and hardly above the truth */
  for (int c = 0; c < DIM; c++) assert_near(fitted->mean[c], mean[c], 4 * sqrt(covariance[c * 4] / ROWS));
  lfm_gaussian_destroy(truth);
  lfm_gaussian_destroy(fitted);
}

/* Rows side by side have the bits of rows alone. */
static void a_tile_is_its_rows(void **state) {
  (void)state;
  enum { TILE = LFM_GAUSSIAN_TILE, DIM = 3 };
  const double mean[] = {10, 0, -3}, covariance[] = {4, 0, 0, 1.5, 1, 0, -0.02, 0.01, 0.01};
  double rows[TILE * DIM], columns[DIM * TILE], z[DIM * TILE], logp[TILE];
  lfm_gaussian *g = NULL;
  assert_int_equal(lfm_gaussian_create(mean, covariance, DIM, &g), LFM_OK);
  for (int i = 0; i < TILE; i++) {
    lfm_gaussian_sample(g, &rng, i, 0, rows + i * DIM);
    for (int c = 0; c < DIM; c++) columns[c * TILE + i] = rows[i * DIM + c];
    logp[i] = NAN;
  }
  lfm_gaussian_log_tile(g, columns, z, logp);
  for (int i = 0; i < TILE; i++) {
    double alone_z[DIM], alone = lfm_gaussian_log(g, rows + i * DIM, alone_z);
    assert_memory_equal(&logp[i], &alone, sizeof alone);
  }
  lfm_gaussian_destroy(g);
}

static void refuses_the_singular(void **state) {
  (void)state;
  const double rows[] = {1, 2, 5, 2, 4, 7, 3, 6, 6, 5, 10, 1}; /* column 1 is twice column 0 */
  lfm_gaussian *g = (lfm_gaussian *)1;
  assert_int_equal(lfm_gaussian_fit(rows, 4, 3, &g), LFM_E_DATA);
  assert_null(g);
  assert_non_null(strstr(lfm_error(), "column 1"));
  assert_int_equal(lfm_gaussian_fit(rows, 0, 3, &g), LFM_E_DATA);
}

static void survives_refused_memory(void **state) {
  (void)state;
  const double rows[] = {1, 2, 2, 5, 3, 1};
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_gaussian *g;
    lfm_alloc_fail_at(at);
    status = lfm_gaussian_fit(rows, 3, 2, &g);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !g));
    lfm_gaussian_destroy(g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_dimensions_by_hand),  cmocka_unit_test(draws_and_fit_agree),
      cmocka_unit_test(a_tile_is_its_rows),      cmocka_unit_test(refuses_the_singular),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
