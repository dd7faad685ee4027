/* SPDX-License-Identifier: MIT
 *
 * test_pictures.c -- chains that learn pictures: bits per dimension against a known entropy, the same bytes on any threads
 * and after a stop, mirrored draws, pictures to the noise and back, and what is refused.
 */
#include "train_support.h"

enum { SIDE = 4, DIM = SIDE * SIDE };

#define PICTURE_KEYS                                                                                                         \
  KEYS("network=mlp", "hks=[0.4, null]", "hidden_dim=48", "num_hidden=2", "batch_size=128", "max_batch=24", "lr=5e-3",       \
       "checkpoint_every=9", "valid_every=8", "patience=0", "seed=5", "lanes=3", "microbatch=16")

static const double SD = 36.0;
static double grey(int64_t picture, int64_t pixel) {
  (void)picture, (void)pixel;
  return 128.0;
}
static double brighter_left(int64_t picture, int64_t pixel) {
  return grey(picture, pixel) + (pixel % SIDE < SIDE / 2 ? 60 : 0);
}

static lfm_table *grey_table(int64_t rows) { return grey_pictures(rows, SIDE, grey, SD, NULL); }

static run picture_run(const char *const *more) { return run_of(grey_table(600), PICTURE_KEYS, more); }

static lfm_model *model_of(run *r) {
  lfm_model *model;
  OK(run_train(r));
  OK(lfm_model_load(r->path, &model));
  return model;
}

/* ---- bytes --------------------------------------------------------------------------------------------------- */

static void threads_and_stops_do_not_change_the_bytes(void **state) {
  (void)state;
  const char *const *keys = KEYS("dequantise=uniform", "flip=true");
  run first = picture_run(keys);
  OK(run_train(&first));
  assert_true(isfinite(first.result.valid_nll));
  run threads = picture_run(keys);
  threads.options.threads = 3;
  OK(run_train(&threads));
  assert_true(same_model(&threads, &first));
  run stopped = picture_run(keys);
  stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 2, .done = 5};
  stopped.options.progress = stops_there, stopped.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
  stopped.options.progress = NULL;
  stopped.options.resume = true;
  OK(run_train(&stopped));
  assert_true(same_model(&stopped, &first));
  run_drop(&stopped);
  run_drop(&threads);
  run_drop(&first);
}

/* ---- densities ------------------------------------------------------------------------------------------------ */

/* Of a Gaussian of standard deviation SD, in bits: log2(SD sqrt(2 pi e)); its rounding to whole levels loses nothing there.
 */
static void bits_approach_the_entropy(void **state) {
  (void)state;
  run r =
      run_of(grey_table(6000), PICTURE_KEYS, KEYS("dequantise=uniform", "max_batch=1500", "cosine=true", "hidden_dim=64"));
  lfm_model *model = model_of(&r);
  lfm_table *fresh = grey_table(300);
  lfm_score_options options;
  lfm_score_result exact, probed;
  lfm_score_defaults(&options);
  options.threads = 2;
  OK(lfm_score(model, fresh, &options, NULL, &probed)); /* by the two probes that pictures have */
  options.probes = 16;
  OK(lfm_score(model, fresh, &options, NULL, &exact));
  double entropy = log2(SD * sqrt(2.0 * 3.14159265358979 * exp(1.0)));
  assert_true(exact.bits_per_dim > entropy - 0.03 && exact.bits_per_dim < entropy + 0.03);
  assert_near(exact.bits_per_dim, exact.nll / (DIM * log(2.0)), 1e-12);
  assert_true(probed.probe_se > exact.probe_se && isfinite(probed.bits_se));
  assert_true(fabs(probed.nll - exact.nll) < 4.0 * probed.probe_se);
  lfm_table_destroy(fresh);
  lfm_model_destroy(model);
  run_drop(&r);
}

static void a_point_mass_has_no_density(void **state) {
  (void)state;
  run r = picture_run(NULL);
  lfm_model *model = model_of(&r);
  lfm_score_options options;
  lfm_score_result result;
  assert_true(isnan(r.result.valid_nll));
  lfm_score_defaults(&options);
  FAILS(LFM_E_UNSUPPORTED, lfm_score(model, r.table, &options, NULL, &result));
  assert_says("dequantise=uniform");
  lfm_ledger_options ledger;
  lfm_ledger_result borders;
  lfm_ledger_defaults(&ledger);
  FAILS(LFM_E_UNSUPPORTED, lfm_ledger(model, r.table, &ledger, &borders));
  assert_says("dequantise=uniform");
  lfm_model_destroy(model);
  run_drop(&r);
}

/* ---- samples -------------------------------------------------------------------------------------------------- */

/* The mean grey of the left and of the right half. */
static void halves(const lfm_table *table, double mean[2]) {
  const uint8_t *pixels = lfm_table_pixels(table);
  mean[0] = mean[1] = 0.0;
  for (int64_t k = 0; k < table->rows * DIM; k++)
    mean[k % SIDE >= SIDE / 2] += pixels[k] / (0.5 * (double)(table->rows * DIM));
}

static lfm_table *samples_of(const lfm_model *model) {
  lfm_table *table;
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.rows = 300;
  OK(lfm_sample(model, &options, &table, NULL));
  return table;
}

static void mirrored_draws_even_out_the_sides(void **state) {
  (void)state;
  for (int flip = 0; flip < 2; flip++) {
    run r = run_of(grey_pictures(2000, SIDE, brighter_left, SD, NULL), PICTURE_KEYS,
                   KEYS(flip ? "flip=true" : "flip=false", "max_batch=300", "cosine=true"));
    lfm_model *model = model_of(&r);
    lfm_table *drawn = samples_of(model);
    double mean[2];
    halves(drawn, mean);
    if (flip) assert_true(fabs(mean[0] - mean[1]) < 12.0);
    else assert_true(mean[0] - mean[1] > 45.0 && mean[0] - mean[1] < 75.0);
    lfm_table_destroy(drawn);
    lfm_model_destroy(model);
    run_drop(&r);
  }
}

static void a_sample_is_a_table_of_pictures(void **state) {
  (void)state;
  run r = picture_run(NULL);
  lfm_model *model = model_of(&r);
  lfm_table *drawn = samples_of(model);
  int64_t c, h, w;
  assert_true(lfm_model_picture(model, &c, &h, &w) && c == 1 && h == SIDE && w == SIDE);
  assert_true(lfm_table_picture(drawn, &c, &h, &w) && c == 1 && h == SIDE && w == SIDE && !lfm_table_labels(drawn));
  assert_null(lfm_model_name(model, 0));
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.logp = true;
  lfm_table *none;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &none, NULL));
  FAILS(LFM_E_USAGE, lfm_table_write(drawn, inside(r.root.path, "drawn.csv"))); /* they are no columns */
  assert_says("pictures");
  lfm_table_destroy(drawn);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* Through both blocks and back every byte is what it was. */
static void noise_leads_back_to_the_bytes(void **state) {
  (void)state;
  for (int uniform = 0; uniform < 2; uniform++) {
    run r = picture_run(KEYS(uniform ? "dequantise=uniform" : "dequantise=none"));
    lfm_model *model = model_of(&r);
    lfm_push_options options;
    lfm_table *noise, *again, *none;
    lfm_push_defaults(&options);
    options.solve.tol = 1e-7;
    options.to = lfm_model_blocks(model);
    OK(lfm_push(model, r.table, &options, &noise, NULL));
    assert_true(noise->cols == DIM && lfm_table_values(noise));
    options.back = true;
    OK(lfm_push(model, noise, &options, &again, NULL));
    int64_t differ = 0;
    for (int64_t k = 0; k < r.table->rows * DIM; k++) differ += lfm_table_pixels(again)[k] != lfm_table_pixels(r.table)[k];
    assert_true(differ <= (uniform ? r.table->rows * DIM / 1000 : 0));  /* u may lie at the edge of its step */
    FAILS(LFM_E_DATA, lfm_push(model, r.table, &options, &none, NULL)); /* pictures are no rows of a border */
    lfm_table_destroy(noise);
    lfm_table_destroy(again);
    lfm_model_destroy(model);
    run_drop(&r);
  }
}

/* ---- faults --------------------------------------------------------------------------------------------------- */

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  run r = picture_run(KEYS("dequantise=uniform"));
  lfm_model *model = model_of(&r);
  lfm_table *numbers = gaussian_table(20, DIM, 1), *others;
  uint8_t pixels[3 * DIM] = {0};
  OK(lfm_table_create_pictures(pixels, 1, 3, SIDE, SIDE, NULL, &others));
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  FAILS(LFM_E_DATA, lfm_score(model, numbers, &options, NULL, &result));
  assert_says("columns of numbers");
  FAILS(LFM_E_DATA, lfm_score(model, others, &options, NULL, &result));
  assert_says("3 x 4 x 4");
  r.options.valid = others;
  snprintf(r.path, sizeof r.path, "%s/other", r.root.path);
  FAILS(LFM_E_DATA, run_train(&r));
  lfm_model *of_numbers = random_chain(numbers, NULL, 1.0);
  FAILS(LFM_E_DATA, lfm_score(of_numbers, others, &options, NULL, &result));
  assert_says("are pictures");
  lfm_model_destroy(of_numbers);
  lfm_table_destroy(numbers);
  lfm_table_destroy(others);
  lfm_model_destroy(model);
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_and_stops_do_not_change_the_bytes),
      cmocka_unit_test(bits_approach_the_entropy),
      cmocka_unit_test(a_point_mass_has_no_density),
      cmocka_unit_test(mirrored_draws_even_out_the_sides),
      cmocka_unit_test(a_sample_is_a_table_of_pictures),
      cmocka_unit_test(noise_leads_back_to_the_bytes),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
