/* SPDX-License-Identifier: MIT
 *
 * test_posterior.c -- the mean of x_l given a point: against the definition in double, exactly nothing where only the pair's
 * own row comes into question, and finite wherever the point lies.
 */
#include "flow_support.h"

#include "flow/posterior.h"

enum { POOL = 300, DIM = 3 };

static float pool[POOL * DIM];
static const lfm_pool rows = {.rows = POOL, .dim = DIM, .values = pool};
static int64_t place[POOL];

static void setup(void) {
  lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 0, pool, POOL * DIM);
  for (int64_t k = 0; k < POOL; k++) place[k] = lfm_rng_permute(&rng, 1, POOL, k);
}

static void mean_again(int64_t count, double scale, const float *point, double alpha, double variance, const float *from,
                       double mean[DIM]) {
  double all = 0.0, sums[DIM] = {0};
  for (int64_t k = 0; k < count; k++) {
    double square = 0.0;
    const float *x = pool + place[k] * DIM;
    for (int j = 0; j < DIM; j++) square += pow((double)point[j] - alpha * scale * (double)x[j], 2.0);
    double w = exp(-square / (2.0 * variance));
    all += w;
    for (int j = 0; j < DIM; j++) sums[j] += w * (scale * (double)x[j] - (double)from[j]);
  }
  for (int j = 0; j < DIM; j++) mean[j] = sums[j] / all;
}

/* Sizes about the width of the vector code, one row to all. */
static void it_is_the_definition(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 31, 32, 33, 100, POOL};
  static const double variances[] = {4.0, 0.3, 0.01};
  const float point[DIM] = {0.4f, -0.7f, 0.2f};
  setup();
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    lfm_posterior *posterior;
    OK(lfm_posterior_create(sizes[s], DIM, &posterior));
    lfm_posterior_load(posterior, &rows, place, 0.9f);
    for (size_t v = 0; v < sizeof variances / sizeof *variances; v++) {
      float mean[DIM] = {1e30f, 1e30f, 1e30f};
      double again[DIM];
      lfm_posterior_mean(posterior, point, 0.8f, (float)variances[v], pool + DIM, mean);
      mean_again(sizes[s], 0.9, point, 0.8, variances[v], pool + DIM, again);
      for (int j = 0; j < DIM; j++) assert_near((double)mean[j], again[j], 1e-5 * (1.0 + fabs(again[j])) / variances[v]);
    }
    lfm_posterior_destroy(posterior);
  }
}

/* With hardly any noise a point has come from its own row: the difference is zero to the bit. */
static void nobody_else_comes_into_question(void **state) {
  (void)state;
  lfm_posterior *posterior;
  setup();
  OK(lfm_posterior_create(POOL, DIM, &posterior));
  lfm_posterior_load(posterior, &rows, place, 1.0f);
  for (int64_t i = 0; i < POOL; i++) {
    float point[DIM], mean[DIM] = {1e30f, 1e30f, 1e30f};
    for (int j = 0; j < DIM; j++) point[j] = 0.9f * pool[i * DIM + j] + 1e-4f;
    lfm_posterior_mean(posterior, point, 0.9f, 1e-6f, pool + i * DIM, mean);
    for (int j = 0; j < DIM; j++) assert_true(mean[j] == 0.0f);
  }
  lfm_posterior_destroy(posterior);
}

/* However far, the nearest row is there. */
static void far_points_have_a_mean(void **state) {
  (void)state;
  lfm_posterior *posterior;
  const float point[DIM] = {1e6f, -1e6f, 1e6f}, from[DIM] = {0};
  float mean[DIM] = {1e30f, 1e30f, 1e30f};
  setup();
  OK(lfm_posterior_create(POOL, DIM, &posterior));
  lfm_posterior_load(posterior, &rows, place, 1.0f);
  lfm_posterior_mean(posterior, point, 1.0f, 1e-6f, from, mean);
  for (int j = 0; j < DIM; j++) assert_true(fabsf(mean[j]) < 5.0f);
  assert_true(mean[0] > 0.0f && mean[1] < 0.0f && mean[2] > 0.0f);
  lfm_posterior_destroy(posterior);
}

static void refused_memory_is_a_status(void **state) {
  (void)state;
  lfm_posterior *posterior;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_posterior_create(POOL, DIM, &posterior);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !posterior && at < 10));
  }
  lfm_alloc_fail_at(0);
  assert_true(lfm_posterior_memory(posterior) >= (320 * DIM + 320) * sizeof(float)); /* whole vectors */
  lfm_posterior_destroy(posterior);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_the_definition),
      cmocka_unit_test(nobody_else_comes_into_question),
      cmocka_unit_test(far_points_have_a_mean),
      cmocka_unit_test(refused_memory_is_a_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
