/* SPDX-License-Identifier: MIT
 * The pixel density against closed forms: one pixel is a Gaussian, a flat picture a uniform law; its mass is 1, its draws
 * have its entropy. */
#include "core/alloc.h"
#include "metric/pixel_density.h"
#include "support/near.h"

#include <string.h>

#define TWO_PI 6.283185307179586

static const lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};

static lfm_pixel_density *make(const float *weights, int64_t width, int64_t height, double extent, double sigma) {
  lfm_pixel_density *density = NULL;
  assert_int_equal(lfm_pixel_density_create(weights, width, height, extent, sigma, &density), LFM_OK);
  return density;
}

static void one_pixel_is_a_gaussian(void **state) {
  (void)state;
  float weights[5 * 10] = {0};
  weights[1 * 10 + 7] = 0.3f; /* extent 2: pixels 0.4 wide and 0.8 high; centre (1, 0.8) */
  lfm_pixel_density *density = make(weights, 10, 5, 2, 1.5);
  double sx = 0.6, sy = 1.2, entropy = NAN, mass = NAN;
  double points[][2] = {{1, 0.8}, {0.3, -0.2}, {-1.9, 1.7}, {-30, 25}, {6, -11}}; /* the last ones are far out */
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    double a = (points[i][0] - 1) / sx, b = (points[i][1] - 0.8) / sy;
    double expected = -0.5 * (a * a + b * b) - log(TWO_PI * sx * sy);
    assert_near(lfm_pixel_density_log(density, points[i][0], points[i][1]), expected, 1e-9 * (1 + fabs(expected)));
  }
  assert_int_equal(lfm_pixel_density_entropy(density, 2, &entropy, &mass), LFM_OK);
  assert_near(mass, 1, 1e-12);
  assert_near(entropy, 1 + log(TWO_PI * sx * sy), 1e-9);
  assert_true(isinf(lfm_pixel_density_log(density, NAN, 0)));
  lfm_pixel_density_destroy(density);
}

static void boxes_are_uniform_over_the_ink(void **state) {
  (void)state;
  float weights[2 * 4] = {1, 0, 0, 0, /* top */ 0, 0, 0, 3};
  lfm_pixel_density *density = make(weights, 4, 2, 1, 0); /* pixels 0.5 wide, 1 high */
  assert_near(lfm_pixel_density_log(density, -0.9, 0.4), log(0.25 / 0.5), 1e-12);
  assert_near(lfm_pixel_density_log(density, 0.7, -0.01), log(0.75 / 0.5), 1e-12);
  assert_true(lfm_pixel_density_log(density, 0.7, 0.01) == -INFINITY);
  assert_true(lfm_pixel_density_log(density, 1.01, -0.5) == -INFINITY);
  double entropy = NAN;
  assert_int_equal(lfm_pixel_density_entropy(density, 1, &entropy, NULL), LFM_OK);
  assert_near(entropy, -0.25 * log(0.5) - 0.75 * log(1.5), 1e-12);
  int heavy = 0;
  for (int64_t row = 0; row < 4000; row++) {
    double xy[2] = {NAN, NAN};
    lfm_pixel_density_sample(density, &rng, row, xy);
    assert_true(isfinite(lfm_pixel_density_log(density, xy[0], xy[1]))); /* never off the ink */
    heavy += xy[0] > 0;
  }
  assert_in_range(heavy, 3000 - 110, 3000 + 110); /* 4 sd */
  lfm_pixel_density_destroy(density);
}

static void draws_have_the_entropy_and_the_moments(void **state) {
  (void)state;
  enum { SIDE = 24, DRAWS = 40000 };
  float weights[SIDE * SIDE];
  double centre_x = 0, centre_y = 0, total = 0;
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++) {
      float w = (float)(1 + (i * 7 + j * 5) % 11) * (i > j ? 1.0f : 0.1f);
      weights[j * SIDE + i] = w;
      centre_x += (double)w * (-3 + (i + 0.5) * 0.25), centre_y += (double)w * (3 - (j + 0.5) * 0.25), total += (double)w;
    }
  lfm_pixel_density *density = make(weights, SIDE, SIDE, 3, 0.8);
  double entropy = NAN, coarse = NAN, mass = NAN, sum = 0, squares = 0, x = 0, y = 0;
  assert_int_equal(lfm_pixel_density_entropy(density, 4, &entropy, &mass), LFM_OK);
  assert_int_equal(lfm_pixel_density_entropy(density, 2, &coarse, NULL), LFM_OK);
  assert_near(mass, 1, 1e-10);
  assert_near(entropy, coarse, 1e-6);
  for (int64_t row = 0; row < DRAWS; row++) {
    double xy[2] = {NAN, NAN}, logp;
    lfm_pixel_density_sample(density, &rng, row, xy);
    logp = lfm_pixel_density_log(density, xy[0], xy[1]);
    sum -= logp, squares += logp * logp, x += xy[0], y += xy[1];
  }
  double mean = sum / DRAWS, se = sqrt((squares / DRAWS - mean * mean) / DRAWS);
  assert_near(mean, entropy, 4 * se);
  assert_near(x / DRAWS, centre_x / total, 4 * 2 / sqrt(DRAWS)); /* each sd is below 2 */
  assert_near(y / DRAWS, centre_y / total, 4 * 2 / sqrt(DRAWS));
  lfm_pixel_density_destroy(density);
}

static void refuses_nonsense(void **state) {
  (void)state;
  float blank[4] = {0}, negative[4] = {1, -1, 0, 0}, fine[4] = {1, 1, 1, 1};
  lfm_pixel_density *density;
  assert_int_equal(lfm_pixel_density_create(blank, 2, 2, 1, 1, &density), LFM_E_DATA);
  assert_null(density);
  assert_int_equal(lfm_pixel_density_create(negative, 2, 2, 1, 1, &density), LFM_E_DATA);
  assert_int_equal(lfm_pixel_density_create(fine, 0, 2, 1, 1, &density), LFM_E_USAGE);
  assert_int_equal(lfm_pixel_density_create(fine, 2, 2, 0, 1, &density), LFM_E_USAGE);
  assert_int_equal(lfm_pixel_density_create(fine, 2, 2, 1, NAN, &density), LFM_E_USAGE);
}

static void survives_refused_memory(void **state) {
  (void)state;
  float fine[4] = {1, 2, 3, 4};
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_pixel_density *density = NULL;
    double entropy;
    lfm_alloc_fail_at(at);
    status = lfm_pixel_density_create(fine, 2, 2, 1, 1, &density);
    if (status == LFM_OK) status = lfm_pixel_density_entropy(density, 1, &entropy, NULL);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    lfm_pixel_density_destroy(density);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_pixel_is_a_gaussian),
      cmocka_unit_test(boxes_are_uniform_over_the_ink),
      cmocka_unit_test(draws_have_the_entropy_and_the_moments),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
