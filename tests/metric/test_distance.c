/* SPDX-License-Identifier: MIT
 * Distances against closed forms: a shift, a stretch, and a kernel sum worked out by hand. */
#include "core/alloc.h"
#include "metric/distance.h"
#include "metric/gaussian.h"
#include "support/near.h"

enum { ROWS = 1000, DIM = 3 };
static double a[ROWS * DIM], b[ROWS * DIM], moved[ROWS * DIM];

static int draw_samples(void **state) {
  (void)state;
  const double mean[DIM] = {0}, unit[DIM * DIM] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const lfm_rng first = {.seed = 1, .purpose = LFM_FOR_DATA}, second = {.seed = 2, .purpose = LFM_FOR_DATA};
  lfm_gaussian *normal = NULL;
  assert_int_equal(lfm_gaussian_create(mean, unit, DIM, &normal), LFM_OK);
  for (int64_t i = 0; i < ROWS; i++) {
    lfm_gaussian_sample(normal, &first, i, 0, a + i * DIM);
    lfm_gaussian_sample(normal, &second, i, 0, b + i * DIM);
    for (int c = 0; c < DIM; c++) moved[i * DIM + c] = a[i * DIM + c] + (c == 1 ? 2 : 0);
  }
  lfm_gaussian_destroy(normal);
  return 0;
}

static void transport_of_a_shift(void **state) {
  (void)state;
  const double x[] = {3, 1, 2, 10}, shifted[] = {11, 4, 3, 2};
  double d = NAN;
  assert_int_equal(lfm_sliced_wasserstein(x, shifted, 4, 1, 7, 0, NULL, &d), LFM_OK);
  assert_near(d, 1, 1e-12);
  assert_int_equal(lfm_sliced_wasserstein(a, moved, ROWS, DIM, 4000, 0, NULL, &d), LFM_OK);
  assert_near(d, 2 / sqrt(DIM), 0.03); /* the mean of u_1^2 over directions is 1 / dim */
  assert_int_equal(lfm_sliced_wasserstein(a, a, ROWS, DIM, 10, 0, NULL, &d), LFM_OK);
  assert_near(d, 0, 0);
  assert_int_equal(lfm_sliced_wasserstein(a, b, ROWS, DIM, 100, 0, NULL, &d), LFM_OK);
  assert_true(d > 0 && d < 0.12);
}

/* Pooled distances squared 1/4, 1/4, 1, 1, 9/4, 4: the median is 1. */
static void kernel_sum_by_hand(void **state) {
  (void)state;
  const double x[] = {0, 1}, y[] = {0.5, 2};
  double d = NAN;
  assert_int_equal(lfm_mmd_squared(x, y, 2, 1, NULL, &d), LFM_OK);
  assert_near(d, exp(-0.5) + exp(-1.125) - exp(-2) - exp(-0.125), 1e-14);
}

static void kernel_distance_sees_a_shift(void **state) {
  (void)state;
  double same = NAN, other = NAN;
  assert_int_equal(lfm_mmd_squared(a, b, ROWS, DIM, NULL, &same), LFM_OK);
  assert_int_equal(lfm_mmd_squared(b, moved, ROWS, DIM, NULL, &other), LFM_OK);
  assert_near(same, 0, 0.004);
  assert_true(other > 0.1);
}

static void the_team_changes_nothing(void **state) {
  (void)state;
  lfm_team *team = NULL;
  double alone = NAN, together = NAN;
  assert_int_equal(lfm_team_create(3, &team), LFM_OK);
  assert_int_equal(lfm_sliced_wasserstein(a, b, ROWS, DIM, 20, 5, NULL, &alone), LFM_OK);
  assert_int_equal(lfm_sliced_wasserstein(a, b, ROWS, DIM, 20, 5, team, &together), LFM_OK);
  assert_near(alone, together, 0);
  assert_int_equal(lfm_mmd_squared(a, b, 300, DIM, NULL, &alone), LFM_OK);
  assert_int_equal(lfm_mmd_squared(a, b, 300, DIM, team, &together), LFM_OK);
  assert_near(alone, together, 0);
  lfm_team_destroy(team);
}

static void refuses_nonsense(void **state) {
  (void)state;
  const double equal[] = {1, 1, 1};
  double d;
  assert_int_equal(lfm_sliced_wasserstein(a, b, 1, DIM, 10, 0, NULL, &d), LFM_E_DATA);
  assert_int_equal(lfm_sliced_wasserstein(a, b, ROWS, DIM, 0, 0, NULL, &d), LFM_E_USAGE);
  assert_int_equal(lfm_mmd_squared(equal, equal, 3, 1, NULL, &d), LFM_E_DATA);
}

static void survives_refused_memory(void **state) {
  (void)state;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    double d;
    lfm_alloc_fail_at(at);
    status = lfm_sliced_wasserstein(a, b, 50, DIM, 3, 0, NULL, &d);
    if (status == LFM_OK) status = lfm_mmd_squared(a, b, 50, DIM, NULL, &d);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transport_of_a_shift),
      cmocka_unit_test(kernel_sum_by_hand),
      cmocka_unit_test(kernel_distance_sees_a_shift),
      cmocka_unit_test(the_team_changes_nothing),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, draw_samples, NULL);
}
