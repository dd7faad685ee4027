/* SPDX-License-Identifier: MIT
 *
 * test_border.c -- rows of data at each border of a chain, in the flow's units.
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

static void every_border_of_a_linear_chain(void **state) {
  (void)state;
  enum { ROWS = 30 };
  const double rates[] = {-0.5, 0.2, -0.9};
  lfm_table *table = gaussian_table(ROWS, 2, 1), *out;
  lfm_model *model = linear_chain(table, rates, 3);
  double factor = 1.0;
  for (int to = 0; to <= 3; to++) {
    lfm_push_options options = options_of(to);
    OK(lfm_push(model, table, &options, &out));
    assert_true(lfm_table_rows(out) == ROWS && lfm_table_cols(out) == 2);
    for (int i = 0; i < 2 * ROWS; i++) assert_near(out->values[i], factor * table->values[i], 1e-5);
    lfm_table_destroy(out);
    if (to < 3) factor *= exp(rates[to]);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
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
  OK(lfm_push(model, other, &options, &out)); /* columns by name, the constant one left out */
  const double scale = sqrt(1.5);
  const double expected[] = {-scale, -scale, 0, scale, scale, 0};
  assert_int_equal(lfm_table_cols(out), 2);
  for (int i = 0; i < 6; i++) assert_near(out->values[i], expected[i], 1e-12);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_table_destroy(other);
  lfm_model_destroy(model);
}

static void refusals_say_why(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(5, 2, 1), *narrow = gaussian_table(5, 1, 1), *out = table;
  lfm_model *model = random_chain(table, NULL, 1.0), *wild = random_chain(table, NULL, 1e30);
  lfm_push_options options = options_of(3);
  FAILS(LFM_E_USAGE, lfm_push(model, table, &options, &out));
  assert_says("border 3");
  assert_null(out);
  options.to = -1;
  FAILS(LFM_E_USAGE, lfm_push(model, table, &options, &out));
  options = options_of(1);
  FAILS(LFM_E_DATA, lfm_push(model, narrow, &options, &out));
  FAILS(LFM_E_NUMERIC, lfm_push(wild, table, &options, &out));
  assert_says("row 1");
  table->values[3] = NAN;
  options.to = 0;
  FAILS(LFM_E_DATA, lfm_push(model, table, &options, &out));
  lfm_table_destroy(table);
  lfm_table_destroy(narrow);
  lfm_model_destroy(model);
  lfm_model_destroy(wild);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(5, 2, 1), *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_push_options options = options_of(2);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_push(model, table, &options, &out);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !out && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_table_destroy(out);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_border_of_a_linear_chain),
      cmocka_unit_test(border_zero_is_the_normalised_data),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
