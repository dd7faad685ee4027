/* SPDX-License-Identifier: MIT
 * EM finds a known mixture again, gives the same bytes for every team, and one component is the Gaussian. */
#include "core/alloc.h"
#include "metric/mixture.h"
#include "support/near.h"

#include <string.h>

enum { ROWS = 6000, DIM = 2, PARTS = 3 };
static double x[ROWS * DIM];

static const double weights[] = {5, 3, 2};
static const double means[] = {0, 0, 100, 1, -60, 2};
static const double covariances[] = {400, 0, 1.5, 0.01, 100, 0, 0, 0.04, 225, 0, -2.5, 0.09}; /* columns of unlike units */

static lfm_mixture *known(void) {
  lfm_mixture *truth = NULL;
  assert_int_equal(lfm_mixture_create(weights, means, covariances, PARTS, DIM, &truth), LFM_OK);
  return truth;
}

static int draw_rows(void **state) {
  (void)state;
  lfm_mixture *truth = known();
  lfm_rng rng = {.seed = 1, .purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < ROWS; i++) lfm_mixture_sample(truth, &rng, i, x + i * DIM);
  lfm_mixture_destroy(truth);
  return 0;
}

static lfm_mixture *fit(int64_t components, lfm_team *team, double *mean_log) {
  lfm_mixture_config config;
  lfm_mixture_defaults(&config);
  config.components = components;
  lfm_mixture *mixture = NULL;
  assert_int_equal(lfm_mixture_fit(x, ROWS, DIM, &config, team, &mixture, mean_log), LFM_OK);
  return mixture;
}

/* Also where the number of iterations ends it. */
static void the_mean_log_is_that_of_what_is_returned(void **state) {
  (void)state;
  lfm_mixture_config config;
  lfm_mixture_defaults(&config);
  config.components = PARTS;
  double scratch[DIM + PARTS];
  for (config.iterations = 1; config.iterations < 4; config.iterations++) {
    lfm_mixture *mixture;
    double mean_log, sum = 0;
    assert_int_equal(lfm_mixture_fit(x, ROWS, DIM, &config, NULL, &mixture, &mean_log), LFM_OK);
    for (int64_t i = 0; i < ROWS; i++) sum += lfm_mixture_log(mixture, x + i * DIM, scratch);
    assert_near(mean_log, sum / ROWS, 1e-9);
    lfm_mixture_destroy(mixture);
  }
}

static void finds_a_known_mixture(void **state) {
  (void)state;
  lfm_mixture *truth = known(), *fitted = fit(PARTS, NULL, NULL);
  double scratch[DIM + PARTS], gain = 0;
  for (int64_t i = 0; i < ROWS; i++)
    gain += lfm_mixture_log(fitted, x + i * DIM, scratch) - lfm_mixture_log(truth, x + i * DIM, scratch);
  assert_true(gain > -10 && gain < 30); /* 17 parameters: half a chi-square, less what the floor costs */
  for (int k = 0; k < PARTS; k++) {
    int best = 0;
    for (int j = 1; j < PARTS; j++)
      if (fabs(fitted->parts[j]->mean[0] - means[k * DIM]) < fabs(fitted->parts[best]->mean[0] - means[k * DIM])) best = j;
    assert_near(exp(fitted->log_weight[best]), weights[k] / 10, 0.03);
    assert_near(fitted->parts[best]->mean[0], means[k * DIM], 2);
    assert_near(fitted->parts[best]->mean[1], means[k * DIM + 1], 0.03);
  }
  lfm_mixture_destroy(truth);
  lfm_mixture_destroy(fitted);
}

static void density_is_that_of_the_parts(void **state) {
  (void)state;
  lfm_mixture *truth = known();
  const double point[] = {90, 1.1};
  double p = 0, scratch[DIM + PARTS];
  for (int k = 0; k < PARTS; k++) {
    const double *c = covariances + k * 4;
    double det = c[0] * c[3] - c[2] * c[2], a = point[0] - means[k * 2], b = point[1] - means[k * 2 + 1];
    p += weights[k] / 10 * exp(-0.5 * (c[3] * a * a - 2 * c[2] * a * b + c[0] * b * b) / det) / (2 * M_PI * sqrt(det));
  }
  assert_near(lfm_mixture_log(truth, point, scratch), log(p), 1e-12);
  lfm_mixture_destroy(truth);
}

static void one_component_is_the_gaussian(void **state) {
  (void)state;
  double mean_log = NAN, z[DIM + 1];
  lfm_mixture *one = fit(1, NULL, &mean_log);
  lfm_gaussian *gaussian = NULL;
  assert_int_equal(lfm_gaussian_fit(x, ROWS, DIM, &gaussian), LFM_OK);
  assert_near(mean_log, -lfm_gaussian_entropy(gaussian), 1e-4); /* at its maximum a Gaussian's mean log p is -entropy */
  assert_near(lfm_mixture_log(one, x, z), lfm_gaussian_log(gaussian, x, z), 1e-3);
  lfm_gaussian_destroy(gaussian);
  lfm_mixture_destroy(one);
}

static void threads_change_nothing(void **state) {
  (void)state;
  double alone = NAN, together = NAN;
  lfm_team *team = NULL;
  assert_int_equal(lfm_team_create(3, &team), LFM_OK);
  lfm_mixture *a = fit(5, NULL, &alone), *b = fit(5, team, &together);
  assert_memory_equal(&alone, &together, sizeof alone);
  assert_memory_equal(a->log_weight, b->log_weight, 5 * sizeof(double));
  for (int k = 0; k < 5; k++) assert_memory_equal(a->parts[k]->factor, b->parts[k]->factor, DIM * DIM * sizeof(double));
  lfm_mixture_destroy(a);
  lfm_mixture_destroy(b);
  lfm_team_destroy(team);
}

static void refuses_nonsense(void **state) {
  (void)state;
  lfm_mixture_config config;
  lfm_mixture_defaults(&config);
  lfm_mixture *mixture;
  const double constant[] = {1, 2, 1, 3, 1, 5, 1, 7};
  config.components = 2;
  assert_int_equal(lfm_mixture_fit(constant, 4, 2, &config, NULL, &mixture, NULL), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "column 0"));
  assert_int_equal(lfm_mixture_fit(x, 1, DIM, &config, NULL, &mixture, NULL), LFM_E_DATA);
  config.components = 0;
  assert_int_equal(lfm_mixture_fit(x, ROWS, DIM, &config, NULL, &mixture, NULL), LFM_E_USAGE);
  const double flat[] = {1, 0, 1, 0}, negative[] = {-1};
  assert_int_equal(lfm_mixture_create(weights, means, flat, 1, DIM, &mixture), LFM_E_DATA);
  assert_int_equal(lfm_mixture_create(negative, means, covariances, 1, DIM, &mixture), LFM_E_USAGE);
}

static void survives_refused_memory(void **state) {
  (void)state;
  lfm_mixture_config config;
  lfm_mixture_defaults(&config);
  config.components = 3;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_mixture *mixture;
    lfm_alloc_fail_at(at);
    status = lfm_mixture_fit(x, 60, DIM, &config, NULL, &mixture, NULL);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !mixture));
    lfm_mixture_destroy(mixture);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_mean_log_is_that_of_what_is_returned),
      cmocka_unit_test(finds_a_known_mixture),
      cmocka_unit_test(density_is_that_of_the_parts),
      cmocka_unit_test(one_component_is_the_gaussian),
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, draw_rows, NULL);
}
