/* SPDX-License-Identifier: MIT
 *
 * test_given.c -- students of a teacher that is given something: a policy's observations; a picture's class, with guidance.
 */
#include "distill_support.h"

#include "flow/modes_support.h"

static lfm_status distil(const run *teacher, const char *const *keys, lfm_distill_options *options, lfm_model **out) {
  lfm_train_result result;
  lfm_model *from = model_of(teacher);
  lfm_config *config = config_of(KEYS("batch_size=32", "seed=5"), keys);
  const char *path = file_of(teacher, "../fast");
  options->teacher = from, options->run = path, options->config = config;
  options->budget = options->budget ? options->budget : 200;
  options->threads = 2;
  options->solve.tol = 1e-2;
  lfm_status status = lfm_distill(options, &result);
  if (status == LFM_OK) OK(lfm_model_load(path, out));
  lfm_config_destroy(config);
  lfm_model_destroy(from);
  return status;
}

/* Root mean square of what two models draw from one noise, apart. */
static double distance(const lfm_model *a, const lfm_model *b, const lfm_sample_options *options, lfm_sample_result *of_b) {
  lfm_table *x, *y;
  double sum = 0.0;
  OK(lfm_sample(a, options, &x, NULL));
  lfm_sample_options plain = *options;
  plain.guidance = 1.0; /* a student has it within */
  OK(lfm_sample(b, &plain, &y, of_b));
  int64_t numbers = x->rows * x->cols;
  for (int64_t k = 0; k < numbers; k++)
    sum += x->images ? pow((double)x->images->pixels[k] - (double)y->images->pixels[k], 2.0)
                     : pow(x->values[k] - y->values[k], 2.0);
  if (x->images) assert_memory_equal(x->images->labels, y->images->labels, (size_t)x->rows * sizeof *x->images->labels);
  lfm_table_destroy(x);
  lfm_table_destroy(y);
  return sqrt(sum / (double)numbers);
}

static void a_policy_goes_by_what_is_observed(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=60"));
  OK(run_train(&r));
  lfm_distill_options options;
  lfm_model *fast, *teacher = model_of(&r);
  lfm_distill_defaults(&options);
  options.steps = 1, options.pairs = 300, options.budget = 250;
  FAILS(LFM_E_USAGE, distil(&r, NULL, &options, &fast));
  assert_says("--given DEMOS.hdf5");
  options.given = r.table;
  options.split = 2;
  FAILS(LFM_E_USAGE, distil(&r, NULL, &options, &fast));
  assert_says("the control loop takes whole blocks");
  options.split = 1;
  OK(distil(&r, NULL, &options, &fast));
  lfm_sample_options sample;
  lfm_sample_result drawn_by;
  lfm_sample_defaults(&sample);
  sample.given = r.table, sample.rows = 60;
  double apart = distance(teacher, fast, &sample, &drawn_by);
  print_message("apart by %g\n", apart);
  assert_true(drawn_by.nfe_mean == 1.0);
  assert_true(apart < 0.3); /* modes are 1.6 and 0.8 apart */
  lfm_model_destroy(fast);
  lfm_model_destroy(teacher);
  run_drop(&r);
}

static double level_of_class(int64_t picture, int64_t pixel) {
  (void)pixel;
  return (double[]){60, 128, 200}[picture % 3];
}

static void pictures_have_their_class_and_its_guidance(void **state) {
  (void)state;
  int32_t labels[96];
  for (int i = 0; i < 96; i++) labels[i] = i % 3;
  run r = run_of(grey_pictures(96, 8, level_of_class, 12.0, labels),
                 KEYS("conditional=true", "hks=[0.5, null]", "hidden_dim=32", "unet_dim_mults=[1, 1]", "res_depth=1",
                      "attention_resolution=4", "batch_size=16", "max_batch=16", "lr=3e-3", "warmup=0", "seed=5",
                      "patience=0", "push_tol=1e-2", "microbatch=4", "lanes=2"),
                 NULL);
  OK(run_train(&r));
  lfm_distill_options options;
  lfm_model *fast, *teacher = model_of(&r);
  lfm_distill_defaults(&options);
  options.steps = 1, options.pairs = 100, options.budget = 24, options.guidance = 1.5;
  OK(distil(&r, KEYS("batch_size=16", "lr=2e-3"), &options, &fast));
  lfm_sample_options sample;
  lfm_sample_result drawn_by;
  lfm_sample_defaults(&sample);
  sample.rows = 12, sample.guidance = 1.5;
  double apart = distance(teacher, fast, &sample, &drawn_by);
  print_message("apart by %g levels\n", apart);
  assert_true(drawn_by.nfe_mean == 1.0 && drawn_by.flops == lfm_net_forward_flops(fast->net));
  assert_true(apart < 40.0); /* classes are 70 apart */
  lfm_table *none;
  FAILS(LFM_E_USAGE, lfm_sample(fast, &sample, &none, NULL));
  assert_says("with whatever guidance it was given then");
  lfm_model_destroy(fast);
  lfm_model_destroy(teacher);
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_policy_goes_by_what_is_observed),
      cmocka_unit_test(pictures_have_their_class_and_its_guidance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
