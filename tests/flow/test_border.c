/* SPDX-License-Identifier: MIT
 *
 * test_border.c -- rows of data at each border of a chain, in the flow's units, and from there back to data.
 */
#include "flow_support.h"

static lfm_push_options options_of(int to) {
  lfm_push_options options;
  lfm_push_defaults(&options);
  options.to = to;
  options.threads = 2;
  options.solve.tol = 1e-8;
  return options;
}

/* v_j = rate x_j: rows at border n are e^(rates' sum) times the data. */
static void check_linear_borders(bool back) {
  enum { ROWS = 30 };
  const double rates[] = {-0.5, 0.2, -0.9};
  lfm_table *table = gaussian_table(ROWS, 2, 1), *out;
  lfm_model *model = linear_chain(table, rates, 3);
  double factor = 1.0;
  for (int border = 0; border <= 3; border++) {
    lfm_push_options options = options_of(border);
    options.back = back;
    OK(lfm_push(model, table, &options, &out, NULL));
    assert_true(lfm_table_rows(out) == ROWS && lfm_table_cols(out) == 2);
    for (int i = 0; i < 2 * ROWS; i++)
      assert_near(out->values[i], table->values[i] * (back ? 1.0 / factor : factor), back ? 3e-5 : 1e-5);
    lfm_table_destroy(out);
    if (border < 3) factor *= exp(rates[border]);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void every_border_of_a_linear_chain(void **state) {
  (void)state;
  check_linear_borders(false);
}

static void back_from_every_border_of_a_linear_chain(void **state) {
  (void)state;
  check_linear_borders(true);
}

static void border_zero_is_the_normalised_data(void **state) {
  (void)state;
  const double values[] = {1, 5, 10, 2, 5, 30, 3, 5, 20};
  const char *const names[] = {"a", "fixed", "b"}, *const turned[] = {"b", "a", "fixed"};
  const double moved[] = {10, 1, 5, 30, 2, 5, 20, 3, 5};
  lfm_table *table, *other, *out;
  OK(lfm_table_create(values, 3, 3, names, NULL, &table));
  OK(lfm_table_create(moved, 3, 3, turned, NULL, &other));
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_push_options options = options_of(0);
  OK(lfm_push(model, other, &options, &out, NULL)); /* columns by name, the constant one left out */
  const double scale = sqrt(1.5);
  const double expected[] = {-scale, -scale, 0, scale, scale, 0};
  assert_int_equal(lfm_table_cols(out), 2);
  for (int i = 0; i < 6; i++) assert_near(out->values[i], expected[i], 1e-12);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_table_destroy(other);
  lfm_model_destroy(model);
}

/* Three columns of which one is constant, in units far from the flow's. */
static lfm_table *uneven_table(int64_t rows) {
  static const char *const names[] = {"height", "label", "weight"};
  lfm_table *table, *plain = gaussian_table(rows, 2, 7);
  OK(lfm_table_make(rows, 3, &table));
  for (int j = 0; j < 3; j++) OK(lfm_table_rename(table, j, names[j]));
  for (int64_t i = 0; i < rows; i++) {
    table->values[3 * i] = 1e3 * plain->values[2 * i];
    table->values[3 * i + 1] = 5.25;
    table->values[3 * i + 2] = 40.0 + 1e-2 * plain->values[2 * i + 1];
  }
  for (int j = 0; j < 3; j++) table->decimals[j] = j;
  lfm_table_destroy(plain);
  return table;
}

static void back_is_the_way_back(void **state) {
  (void)state;
  enum { ROWS = 40 };
  const double units[] = {3e3, 0, 3e-2};
  lfm_table *table = uneven_table(ROWS), *states, *again;
  lfm_model *model = random_chain(table, KEYS("hks=[0.1, 0.2, null]", "normalise=whiten"), 1.5);
  assert_int_equal(lfm_model_border_dim(model), 2);
  for (int to = 0; to <= 3; to++) {
    lfm_push_options options = options_of(to);
    OK(lfm_push(model, table, &options, &states, NULL));
    assert_true(lfm_table_rows(states) == ROWS && lfm_table_cols(states) == 2);
    options.back = true;
    OK(lfm_push(model, states, &options, &again, NULL));
    assert_true(lfm_table_rows(again) == ROWS && lfm_table_cols(again) == 3);
    for (int j = 0; j < 3; j++) {
      assert_string_equal(lfm_table_name(again, j), lfm_table_name(table, j));
      assert_int_equal(lfm_table_decimals(again, j), j);
      for (int i = 0; i < ROWS; i++) /* the velocities are floats: what one tolerance in 1e8 leaves is below 1e-6 */
        assert_near(again->values[3 * i + j], table->values[3 * i + j], 1e-6 * units[j]);
    }
    lfm_table_destroy(states);
    lfm_table_destroy(again);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Sampling is decoding noise: the noise of the samples, decoded under the same solver, is the samples. */
static void decoded_noise_is_a_sample(void **state) {
  (void)state;
  lfm_table *table = uneven_table(30), *rows, *noise, *again;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_sample_options sample;
  lfm_sample_defaults(&sample);
  sample.rows = 25;
  sample.solve.tol = 1e-8;
  OK(lfm_sample(model, &sample, &rows, NULL));
  lfm_push_options options = options_of(2);
  OK(lfm_push(model, rows, &options, &noise, NULL));
  lfm_rng rng = {.seed = sample.seed, .purpose = LFM_FOR_SAMPLE};
  for (int64_t i = 0; i < 25; i++) {
    float z[2];
    lfm_rng_normal(&rng, i, z, 2);
    for (int j = 0; j < 2; j++) {
      assert_near(noise->values[2 * i + j], (double)z[j], 2e-6);
      noise->values[2 * i + j] = (double)z[j];
    }
  }
  options.back = true;
  OK(lfm_push(model, noise, &options, &again, NULL));
  assert_memory_equal(again->values, rows->values, 25 * 3 * sizeof(double)); /* the same solve of the same rows */
  lfm_table_destroy(rows);
  lfm_table_destroy(noise);
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* Border columns by name, wherever they stand and whatever stands beside them; by order where no name fits. */
static void columns_of_a_border_are_found(void **state) {
  (void)state;
  const char *const beside[] = {"x1", "note", "x0"}, *const wrong[] = {"x1", "x2"}, *const others[] = {"u", "v"};
  const double wide[] = {0.5, 99, -1.0}, plain[] = {-1.0, 0.5};
  lfm_table *table = uneven_table(9), *named, *bare, *unnamed, *half, *of_named, *of_bare, *of_unnamed, *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  OK(lfm_table_create(wide, 1, 3, beside, NULL, &named));
  OK(lfm_table_create(plain, 1, 2, NULL, NULL, &bare));
  OK(lfm_table_create(plain, 1, 2, others, NULL, &unnamed));
  OK(lfm_table_create(plain, 1, 2, wrong, NULL, &half));
  lfm_push_options options = options_of(1);
  options.back = true;
  OK(lfm_push(model, named, &options, &of_named, NULL));
  OK(lfm_push(model, bare, &options, &of_bare, NULL));
  OK(lfm_push(model, unnamed, &options, &of_unnamed, NULL));
  assert_memory_equal(of_named->values, of_bare->values, 3 * sizeof(double));
  assert_memory_equal(of_unnamed->values, of_bare->values, 3 * sizeof(double));
  FAILS(LFM_E_DATA, lfm_push(model, half, &options, &out, NULL));
  assert_says("none called 'x0'");
  FAILS(LFM_E_DATA, lfm_push(model, table, &options, &out, NULL)); /* three columns of data are no two of a border */
  assert_says("border");
  assert_null(out);
  lfm_table *const made[] = {table, named, bare, unnamed, half, of_named, of_bare, of_unnamed};
  for (size_t k = 0; k < sizeof made / sizeof *made; k++) lfm_table_destroy(made[k]);
  lfm_model_destroy(model);
}

static void refusals_say_why(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(5, 2, 1), *narrow = gaussian_table(5, 1, 1), *out = table;
  lfm_model *model = random_chain(table, NULL, 1.0), *wild = random_chain(table, NULL, 1e30);
  lfm_push_options options = options_of(3);
  FAILS(LFM_E_USAGE, lfm_push(model, table, &options, &out, NULL));
  assert_says("border 3");
  assert_null(out);
  options.to = -1;
  FAILS(LFM_E_USAGE, lfm_push(model, table, &options, &out, NULL));
  options = options_of(1);
  FAILS(LFM_E_DATA, lfm_push(model, narrow, &options, &out, NULL));
  FAILS(LFM_E_NUMERIC, lfm_push(wild, table, &options, &out, NULL));
  assert_says("row 1");
  options.back = true;
  FAILS(LFM_E_NUMERIC, lfm_push(wild, table, &options, &out, NULL));
  assert_says("row 1");
  assert_null(out);
  options.to = 3;
  FAILS(LFM_E_USAGE, lfm_push(model, table, &options, &out, NULL));
  assert_says("border 3");
  const uint8_t grey[10] = {0};
  lfm_table *pictures; /* of as many pixels as the border has columns */
  OK(lfm_table_create_pictures(grey, 5, 1, 1, 2, NULL, &pictures));
  options.to = 1;
  FAILS(LFM_E_DATA, lfm_push(model, pictures, &options, &out, NULL));
  assert_says("not pictures");
  lfm_table_destroy(pictures);
  options.back = false;
  table->values[3] = NAN;
  options.to = 0;
  FAILS(LFM_E_DATA, lfm_push(model, table, &options, &out, NULL));
  lfm_table_destroy(table);
  lfm_table_destroy(narrow);
  lfm_model_destroy(model);
  lfm_model_destroy(wild);
}

/* Four midpoints of two evaluations a block; none on the spot. */
static void what_it_takes_is_told(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(50, 2, 1), *out;
  lfm_model *model = random_chain(table, KEYS("hks=[0.1, 0.2, null]"), 1.0);
  for (int to = 0; to <= 3; to++) {
    lfm_push_options options = options_of(to);
    lfm_push_result result;
    options.solve = (lfm_solver_options){.solver = "midpoint", .nfe = 24};
    OK(lfm_push(model, table, &options, &out, &result));
    assert_int_equal(result.rows, 50);
    assert_near(result.nfe_mean, 8.0 * to, 0.0);
    assert_true(result.seconds >= 0.0);
    lfm_table_destroy(out);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void sweep_memory(bool back) {
  lfm_table *table = gaussian_table(5, 2, 1), *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_push_options options = options_of(2);
  options.back = back;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_push(model, table, &options, &out, NULL);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !out && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  sweep_memory(false);
  sweep_memory(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_border_of_a_linear_chain),
      cmocka_unit_test(border_zero_is_the_normalised_data),
      cmocka_unit_test(back_is_the_way_back),
      cmocka_unit_test(back_from_every_border_of_a_linear_chain),
      cmocka_unit_test(decoded_noise_is_a_sample),
      cmocka_unit_test(columns_of_a_border_are_found),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(what_it_takes_is_told),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
