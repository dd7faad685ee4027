/* SPDX-License-Identifier: MIT
 *
 * test_sample.c -- rows from a chain: their law, their log p, their bytes under any number of rows and threads, the columns
 * that were constant, and rows whose solve fails.
 */
#include "flow_support.h"

static lfm_sample_options options_of(int64_t rows, int threads) {
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  assert_int_equal(options.rows, 1000);
  options.rows = rows;
  options.threads = threads;
  options.seed = 11;
  return options;
}

/* x = e^-1 z for blocks of rates 0.3 and 0.7, with its density beside it. */
static void linear_chain_gives_its_law(void **state) {
  (void)state;
  enum { ROWS = 4000 };
  lfm_table *table = gaussian_table(10, 2, 1), *out = NULL;
  lfm_model *model = linear_chain(table, (double[]){0.3, 0.7}, 2);
  lfm_sample_options options = options_of(ROWS, 2);
  lfm_sample_result result;
  memset(&result, 0xA5, sizeof result);
  options.logp = true;
  OK(lfm_sample(model, &options, &out, &result));
  assert_int_equal(lfm_table_rows(out), ROWS);
  assert_int_equal(lfm_table_cols(out), 3);
  assert_string_equal(lfm_table_name(out, 2), "logp");
  double sum[2] = {0}, squares[2] = {0};
  for (int64_t i = 0; i < ROWS; i++) {
    const double *row = lfm_table_values(out) + 3 * i;
    for (int j = 0; j < 2; j++) sum[j] += row[j], squares[j] += row[j] * row[j];
    double expected = 2 * 1.0 - log(2 * M_PI) - 0.5 * exp(2.0) * (row[0] * row[0] + row[1] * row[1]);
    assert_near(row[2], expected, 1e-4);
  }
  for (int j = 0; j < 2; j++) {
    assert_near(sum[j] / ROWS, 0.0, 5 * exp(-1) / sqrt(ROWS));
    assert_near(squares[j] / ROWS, exp(-2), 5 * exp(-2) * sqrt(2.0 / ROWS));
  }
  assert_true(result.rows == ROWS && result.failed == 0 && result.nfe_mean >= 12 && result.seconds >= 0);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void logp_beside_samples_is_logp_scored(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(50, 3, 2), *out = NULL, *scores = NULL;
  static const char *const kinds[] = {"normalise=whiten", "normalise=radial"};
  lfm_sample_options options = options_of(300, 2);
  lfm_score_options score;
  lfm_score_result result;
  options.logp = true;
  options.solve.tol = 1e-7;
  lfm_score_defaults(&score);
  score.solve.tol = 1e-7;
  for (int k = 0; k < 2; k++) {
    lfm_model *model = random_chain(table, KEYS(kinds[k]), 2.0);
    OK(lfm_sample(model, &options, &out, NULL));
    OK(lfm_score(model, out, &score, &scores, &result));
    for (int64_t i = 0; i < 300; i++) assert_near(out->values[4 * i + 3], scores->values[3 * i + 1], 2e-5);
    lfm_table_destroy(out);
    lfm_table_destroy(scores);
    lfm_model_destroy(model);
  }
  lfm_table_destroy(table);
}

/* The probes of a row are those of its number, whichever way it goes; their error is that of scoring. */
static void probes_are_those_of_scoring(void **state) {
  (void)state;
  enum { ROWS = 200, DIM = 6, COLS = DIM + 2 };
  lfm_table *table = gaussian_table(50, DIM, 2), *out = NULL, *exact = NULL, *scores = NULL;
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 2.0);
  lfm_sample_options options = options_of(ROWS, 2);
  lfm_sample_result result;
  lfm_score_options score;
  lfm_score_result scored;
  options.logp = true;
  options.solve.tol = 1e-7;
  OK(lfm_sample(model, &options, &exact, &result));
  assert_true(isnan(result.probe_se));
  options.probes = 5;
  OK(lfm_sample(model, &options, &out, &result));
  assert_int_equal(lfm_table_cols(out), COLS);
  assert_string_equal(lfm_table_name(out, DIM), "logp");
  assert_string_equal(lfm_table_name(out, DIM + 1), "logp_se");
  lfm_score_defaults(&score);
  score.solve.tol = 1e-7;
  score.probes = 5;
  score.seed = options.seed;
  OK(lfm_score(model, out, &score, &scores, &scored));
  double squares = 0.0, misses = 0.0;
  for (int64_t i = 0; i < ROWS; i++) {
    const double *row = out->values + COLS * i, *true_row = exact->values + (DIM + 1) * i;
    for (int j = 0; j < DIM; j++) assert_near(row[j], true_row[j], 1e-5); /* the same rows, by other steps */
    assert_near(row[DIM], scores->values[3 * i + 1], 2e-5);
    assert_true(row[DIM + 1] > 0.0);
    squares += row[DIM + 1] * row[DIM + 1];
    misses += pow(row[DIM] - true_row[DIM], 2) / ROWS;
  }
  assert_near(sqrt(squares) / ROWS, scored.probe_se, 1e-5);
  assert_near(result.probe_se, sqrt(squares / ROWS), 1e-12);
  assert_true(misses > 0.6 * squares / ROWS &&
              misses < 1.6 * squares / ROWS); /* the error that is stated is the error made */
  lfm_table_destroy(out);
  options.probes = 1;
  OK(lfm_sample(model, &options, &out, &result));
  assert_int_equal(lfm_table_cols(out), DIM + 1); /* one probe knows no error */
  assert_true(isnan(result.probe_se));
  lfm_table_destroy(out);
  for (int wrong = 0; wrong < 3; wrong++) {
    options.logp = wrong > 0;
    options.probes = (int[]){5, 1001, -1}[wrong];
    out = table;
    FAILS(LFM_E_USAGE, lfm_sample(model, &options, &out, &result));
    assert_says("probes: ");
    assert_null(out);
  }
  options.logp = true, options.probes = 0;
  lfm_free(model->names[1]);
  OK(lfm_alloc_text(&model->names[1], "logp"));
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &out, &result));
  assert_says("have a column 'logp' of their own");
  lfm_table_destroy(exact), lfm_table_destroy(scores), lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* Row i of a seed is row i, among a thousand or ten, in one thread or three. */
static void a_row_is_the_seeds_alone(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(50, 2, 2), *base = NULL, *other = NULL;
  lfm_model *model = random_chain(table, NULL, 2.0);
  lfm_sample_options options = options_of(1000, 1);
  OK(lfm_sample(model, &options, &base, NULL));
  static const struct {
    int64_t rows;
    int threads;
  } cases[] = {{1000, 2}, {1000, 3}, {10, 1}, {1, 2}, {777, 3}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    options = options_of(cases[k].rows, cases[k].threads);
    OK(lfm_sample(model, &options, &other, NULL));
    assert_memory_equal(other->values, base->values, (size_t)cases[k].rows * 2 * sizeof(double));
    lfm_table_destroy(other);
  }
  options = options_of(1000, 1);
  options.seed = 12;
  OK(lfm_sample(model, &options, &other, NULL));
  for (int64_t i = 0; i < 2000; i++) assert_true(other->values[i] != base->values[i]);
  lfm_table_destroy(other);
  lfm_table_destroy(base);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void constant_columns_come_back(void **state) {
  (void)state;
  const double values[] = {1.0, 7.25, -2.0, 0.1, 2.0, 7.25, -1.0, 0.1, 4.0, 7.25, -5.0, 0.1};
  const char *const names[] = {"a", "fixed", "b", "tenth"};
  const int decimals[] = {1, 2, 0, 1};
  lfm_table *table, *out = NULL;
  OK(lfm_table_create(values, 3, 4, names, decimals, &table));
  lfm_model *model = random_chain(table, NULL, 1.0);
  assert_int_equal(lfm_model_dim(model), 4);
  lfm_sample_options options = options_of(20, 1);
  OK(lfm_sample(model, &options, &out, NULL));
  for (int64_t i = 0; i < 20; i++) {
    assert_true(out->values[4 * i + 1] == 7.25 && out->values[4 * i + 3] == 0.1);
    assert_true(isfinite(out->values[4 * i]) && isfinite(out->values[4 * i + 2]));
  }
  for (int j = 0; j < 4; j++) {
    assert_string_equal(lfm_table_name(out, j), names[j]);
    assert_int_equal(lfm_table_decimals(out, j), decimals[j]);
  }
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* v = 1e30 where x > 1: such rows cannot be solved, the others stand still. */
static lfm_model *cliff(const lfm_table *table) {
  lfm_model *model =
      random_chain(table, KEYS("hks=[null]", "hidden_dim=1", "num_hidden=1", "act=relu", "normalise=none"), 0.0);
  float *weights = lfm_params_data(model->params[0]);
  weights[lfm_net_tensor(model->net, 0)->offset + 1] = 1.0f; /* x */
  weights[lfm_net_tensor(model->net, 1)->offset] = -1.0f;    /* x - 1 */
  weights[lfm_net_tensor(model->net, 2)->offset] = -1e30f;   /* backwards in time it runs away upwards */
  lfm_params_pack(model->params[0]);
  return model;
}

static void failed_rows_are_left_out_and_counted(void **state) {
  (void)state;
  enum { ROWS = 500 };
  lfm_table *table = gaussian_table(10, 1, 1), *out = NULL;
  lfm_model *model = cliff(table);
  lfm_sample_options options = options_of(ROWS, 2);
  lfm_sample_result result;
  OK(lfm_sample(model, &options, &out, &result));
  int64_t expected = 0;
  lfm_rng rng = {.seed = 11, .purpose = LFM_FOR_SAMPLE};
  for (int64_t i = 0; i < ROWS; i++) {
    float z;
    lfm_rng_normal(&rng, i, &z, 1);
    if (z > 1.0f) expected++;
    else assert_true(out->values[i - expected] == (double)z);
  }
  assert_in_range(expected, 40, 120);
  assert_int_equal(result.failed, expected);
  assert_int_equal(result.rows, ROWS - expected);
  assert_int_equal(lfm_table_rows(out), ROWS - expected);
  lfm_table_destroy(out);
  lfm_model_destroy(model);

  model = random_chain(table, NULL, 1e30); /* none can be solved */
  FAILS(LFM_E_NUMERIC, lfm_sample(model, &options, &out, &result));
  assert_null(out);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static bool stop_in_second_block(const lfm_progress *progress, void *context) {
  (void)context;
  assert_int_equal(progress->phase, LFM_PHASE_SAMPLE);
  return progress->block == 2;
}

static void wishes_that_cannot_be_met(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(10, 2, 1), *out = table;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_sample_options options = options_of(0, 1);
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &out, NULL));
  assert_null(out);
  options.rows = INT64_MAX;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &out, NULL));
  assert_says("rows asked");
  options = options_of(5, 1);
  options.solve.nfe = 1;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &out, NULL));
  options = options_of(500, 2);
  options.progress = stop_in_second_block;
  FAILS(LFM_E_INTERRUPTED, lfm_sample(model, &options, &out, NULL));
  assert_null(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(10, 2, 1), *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_sample_options options = options_of(5, 1);
  options.logp = true;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_sample(model, &options, &out, NULL);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !out && at < 1000));
    if (at == 1) assert_says("memory refused: 5 rows take 1.6e-07 GB; draw fewer");
  }
  lfm_alloc_fail_at(0);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linear_chain_gives_its_law),  cmocka_unit_test(logp_beside_samples_is_logp_scored),
      cmocka_unit_test(probes_are_those_of_scoring), cmocka_unit_test(a_row_is_the_seeds_alone),
      cmocka_unit_test(constant_columns_come_back),  cmocka_unit_test(failed_rows_are_left_out_and_counted),
      cmocka_unit_test(wishes_that_cannot_be_met),   cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
