/* SPDX-License-Identifier: MIT
 *
 * test_ou.c -- one OU step against the moment equations of its diffusion; the published schedules; what is refused.
 */
#include "flow_support.h"

#include "flow/ou.h"

/* dm/dt = -m, dv/dt = -2 v + 2 by many small midpoint steps. */
static void step_follows_moment_equations(void **state) {
  (void)state;
  const double gammas[] = {1e-6, 0.1, 0.35, 2.0};
  for (size_t k = 0; k < sizeof gammas / sizeof *gammas; k++) {
    enum { STEPS = 4000 };
    double mean = 1.7, variance = 0.3, h = gammas[k] / STEPS;
    for (int i = 0; i < STEPS; i++) {
      mean += h * -(mean - 0.5 * h * mean);
      variance += h * (2.0 - 2.0 * (variance + 0.5 * h * (2.0 - 2.0 * variance)));
    }
    lfm_ou step = lfm_ou_step(gammas[k]);
    assert_near(step.decay * 1.7, mean, 1e-6);
    assert_near(step.decay * step.decay * 0.3 + step.noise * step.noise, variance, 1e-6);
  }
}

static void two_steps_are_one(void **state) {
  (void)state;
  lfm_ou a = lfm_ou_step(0.15), b = lfm_ou_step(0.4), both = lfm_ou_step(0.55);
  assert_near(a.decay * b.decay, both.decay, 1e-15);
  assert_near(b.decay * b.decay * a.noise * a.noise + b.noise * b.noise, both.noise * both.noise, 1e-15);
}

/* A step too small for 1 - e^{-2g} to be subtracted, and the free one. */
static void ends_of_the_range(void **state) {
  (void)state;
  assert_near(lfm_ou_step(1e-18).noise / sqrt(2e-18), 1.0, 1e-12);
  assert_true(lfm_ou_step(0.0).decay == 1.0 && lfm_ou_step(0.0).noise == 0.0);
  assert_true(lfm_ou_step(NAN).decay == 0.0 && lfm_ou_step(NAN).noise == 1.0);
}

static void check_schedule(const char *const *keys, const double *expected, int blocks, double tolerance) {
  double gammas[LFM_MAX_BLOCKS];
  int count = -1;
  lfm_config *config = config_of(keys, NULL);
  OK(lfm_ou_schedule(config, gammas, &count));
  assert_int_equal(count, blocks);
  for (int n = 0; n < blocks - 1; n++) assert_near(gammas[n], expected[n], tolerance);
  assert_true(isnan(gammas[blocks - 1]));
  lfm_config_destroy(config);
}

static void schedules_are_the_published_ones(void **state) {
  (void)state;
  check_schedule(KEYS("schedule.kind=exponential", "schedule.c=0.1", "schedule.rho=1.5", "schedule.blocks=4"),
                 (double[]){0.1, 0.15, 0.225}, 4, 1e-12);
  check_schedule(KEYS("schedule.kind=cosine", "schedule.blocks=4"), (double[]){0.08302, 0.269748, 0.615259}, 4, 5e-6);
  check_schedule(KEYS("schedule.kind=linear", "schedule.blocks=4"), (double[]){0.012659, 0.212834, 0.551812}, 4, 5e-7);
  check_schedule(KEYS("hks=[0.25, 0.25, 0.25, null]"), (double[]){0.25, 0.25, 0.25}, 4, 0.0);
  check_schedule(KEYS("schedule.kind=linear", "schedule.blocks=1"), NULL, 1, 0.0); /* plain flow matching */
  check_schedule(KEYS("schedule.kind=cosine", "schedule.blocks=1"), NULL, 1, 0.0);
}

/* Every schedule of every length is a chain: steps over 0, a free block at the end. */
static void schedules_of_any_length(void **state) {
  (void)state;
  static const char *const kinds[] = {"schedule.kind=cosine", "schedule.kind=linear"};
  for (size_t kind = 0; kind < 2; kind++)
    for (int blocks = 1; blocks <= LFM_MAX_BLOCKS; blocks++) {
      char length[32];
      double gammas[LFM_MAX_BLOCKS];
      int count;
      snprintf(length, sizeof length, "schedule.blocks=%d", blocks);
      lfm_config *config = config_of(KEYS(kinds[kind], length), NULL);
      OK(lfm_ou_schedule(config, gammas, &count));
      for (int n = 0; n < count - 1; n++) assert_true(gammas[n] > 0.0 && gammas[n] < 10.0);
      lfm_config_destroy(config);
    }
}

/* The resolved chain through the text that config.yaml, checkpoint and model hold; its longest step. */
static double longest_read_back(lfm_config *config) {
  char *text;
  double longest = 0.0;
  lfm_config *back;
  config->blocks = config->schedule_blocks;
  lfm_config_settle(config);
  OK(lfm_config_write_text(config, &text));
  OK(lfm_config_create(&back));
  OK(lfm_config_parse(back, text, strlen(text), "config.yaml"));
  assert_int_equal(back->blocks, config->blocks);
  assert_memory_equal(back->hks, config->hks, sizeof config->hks);
  for (int n = 0; n < back->blocks; n++) longest = fmax(longest, back->hks[n]);
  lfm_config_destroy(back);
  lfm_free(text);
  return longest;
}

static void what_may_be_trained_is_read_back(void **state) {
  (void)state;
  static const char *const firsts[] = {"schedule.c=0.01", "schedule.c=1", "schedule.c=9.7"}, *const ratios[] = {
                                                                                                 "schedule.rho=0.5",
                                                                                                 "schedule.rho=1.5",
                                                                                                 "schedule.rho=5"};
  double longest = 0.0;
  for (int k = 0; k < 9; k++)
    for (int blocks = 1; blocks <= LFM_MAX_BLOCKS; blocks++) {
      int count;
      lfm_config *config = config_of(KEYS(firsts[k / 3], ratios[k % 3]), NULL);
      config->schedule_blocks = blocks;
      if (lfm_ou_schedule(config, config->hks, &count) == LFM_OK) longest = fmax(longest, longest_read_back(config));
      lfm_config_destroy(config);
    }
  assert_true(longest > 45.0 && longest < LFM_STEP_BELOW);
}

static void time_before_sums_the_steps(void **state) {
  (void)state;
  const double gammas[] = {0.1, 0.15, 0.225, NAN};
  assert_true(lfm_ou_time_before(gammas, 0) == 0.0);
  assert_near(lfm_ou_time_before(gammas, 3), 0.475, 1e-15);
}

static void chains_that_make_no_sense(void **state) {
  (void)state;
  double gammas[LFM_MAX_BLOCKS];
  int count;
  lfm_config *config = config_of(KEYS("hks=[0.1, 0.2, null]"), NULL);
  config->hks[0] = -0.1;
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  assert_says("step 1 is -0.1");
  config->hks[0] = INFINITY;
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  config->hks[0] = NAN;
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  assert_says("only the last block may be free");
  config->blocks = LFM_MAX_BLOCKS + 1;
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  config->blocks = 0;
  config->schedule_blocks = 0;
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  lfm_config_destroy(config);

  config = config_of(KEYS("schedule.c=0.5", "schedule.rho=10", "schedule.blocks=9"), NULL); /* grows beyond reason */
  FAILS(LFM_E_USAGE, lfm_ou_schedule(config, gammas, &count));
  lfm_config_destroy(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(step_follows_moment_equations),
      cmocka_unit_test(two_steps_are_one),
      cmocka_unit_test(ends_of_the_range),
      cmocka_unit_test(schedules_are_the_published_ones),
      cmocka_unit_test(schedules_of_any_length),
      cmocka_unit_test(what_may_be_trained_is_read_back),
      cmocka_unit_test(time_before_sums_the_steps),
      cmocka_unit_test(chains_that_make_no_sense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
