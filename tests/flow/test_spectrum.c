/* SPDX-License-Identifier: MIT
 *
 * test_spectrum.c -- variances along the axes of a covariance: of rows whose axes are known, of fewer rows than columns, in
 * the flow's units, and of rows that a model draws.
 */
#include "flow_support.h"

#include "flow/spectrum.h"

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Rows +r_k u_k and -r_k u_k along columns u_k of the cosine basis of `cols` dimensions: variances 2 r_k^2 / (2 axes - 1). */
static lfm_table *along_axes(int64_t cols, const double *r, int64_t axes) {
  lfm_table *table;
  OK(lfm_table_make(2 * axes, cols, &table));
  for (int64_t k = 0; k < axes; k++)
    for (int64_t j = 0; j < cols; j++) {
      double u = sqrt(2.0 / (double)cols) * cos(M_PI * ((double)j + .5) * ((double)k + 1) / (double)cols);
      table->values[2 * k * cols + j] = 7 + r[k] * u; /* the mean plays no part */
      table->values[(2 * k + 1) * cols + j] = 7 - r[k] * u;
    }
  return table;
}

static void check_axes(int64_t cols, const double *r, int64_t axes) {
  double values[16];
  lfm_table *table = along_axes(cols, r, axes);
  lfm_model *model = random_chain(table, KEYS("normalise=none"), 1.0);
  memset(values, 0xA5, sizeof values);
  OK(lfm_spectrum(model, table->values, table->rows, values));
  qsort(values, (size_t)cols, sizeof *values, by_size);
  for (int64_t j = 0; j < cols; j++) {
    int64_t k = j - (cols - axes); /* r rises; what no row lies along has no variance */
    assert_near(values[j], k < 0 ? 0 : 2 * r[k] * r[k] / (double)(2 * axes - 1), 1e-12);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void axes_are_found(void **state) {
  (void)state;
  const double r[] = {.3, 1, 1.5, 2, 4};
  check_axes(6, r, 5);  /* more rows than columns */
  check_axes(9, r, 3);  /* fewer */
  check_axes(10, r, 5); /* as many */
}

/* Columns of any unit: standardised ones have variance 1 each, by their number, whatever the directions between them have. */
static void units_are_those_of_the_flow(void **state) {
  (void)state;
  enum { ROWS = 500, DIM = 4 };
  double values[DIM], sum = 0, largest = 0;
  lfm_table *table = gaussian_table(ROWS, DIM, 5);
  lfm_model *model = random_chain(table, KEYS("normalise=standardise"), 1.0);
  lfm_variances_options options;
  memset(&options, 0xA5, sizeof options);
  lfm_variances_defaults(&options);
  options.data = table;
  OK(lfm_model_variances(model, &options, values));
  for (int j = 0; j < DIM; j++) sum += values[j], largest = fmax(largest, values[j]);
  assert_near(sum, DIM * ROWS / (ROWS - 1.0), 1e-9);
  assert_true(largest > 2); /* the columns share z_0 */
  lfm_model_destroy(model);
  model = random_chain(table, KEYS("normalise=whiten"), 1.0);
  OK(lfm_model_variances(model, &options, values));
  for (int j = 0; j < DIM; j++) assert_near(values[j], ROWS / (ROWS - 1.0), 1e-9);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* A chain that shrinks noise by e^-0.5 draws rows of variance e^-1, the same for any number of threads. */
static void a_model_shows_its_own(void **state) {
  (void)state;
  double values[3], again[3];
  lfm_table *table = gaussian_table(50, 3, 1);
  lfm_model *model = linear_chain(table, (double[]){.2, .3}, 2);
  lfm_variances_options options;
  lfm_variances_defaults(&options);
  options.threads = 1;
  OK(lfm_model_variances(model, &options, values));
  for (int j = 0; j < 3; j++) assert_near(values[j] / exp(-1), 1, .12); /* of 2,000 rows */
  options.threads = 2;
  OK(lfm_model_variances(model, &options, again));
  assert_memory_equal(values, again, sizeof values);
  double hks[2];
  lfm_model_hks(model, hks);
  assert_true(hks[0] == .1 && isnan(hks[1]));
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void what_shows_nothing_is_refused(void **state) {
  (void)state;
  double values[3];
  lfm_table *table = gaussian_table(50, 3, 1), *other = gaussian_table(50, 2, 1);
  lfm_model *model = linear_chain(table, (double[]){.2}, 1);
  lfm_variances_options options;
  lfm_variances_defaults(&options);
  options.rows = 1;
  FAILS(LFM_E_USAGE, lfm_model_variances(model, &options, values));
  assert_says("rows: 1");
  FAILS(LFM_E_DATA, lfm_spectrum(model, table->values, 1, values));
  assert_says("1 row shows no covariance");
  options.rows = 2000;
  model->config->objective = LFM_OBJECTIVE_MEANFLOW;
  FAILS(LFM_E_USAGE, lfm_model_variances(model, &options, values));
  assert_says("single steps already");
  model->config->objective = LFM_OBJECTIVE_FLOW;
  options.data = other;
  FAILS(LFM_E_DATA, lfm_model_variances(model, &options, values));
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  lfm_table_destroy(other);
}

static void refused_memory_is_an_error(void **state) {
  (void)state;
  double values[9];
  lfm_table *table = along_axes(9, (double[]){1, 2, 3}, 3);
  lfm_model *model = random_chain(table, KEYS("normalise=none"), 1.0);
  lfm_status status = LFM_E_MEMORY;
  lfm_variances_options options;
  lfm_variances_defaults(&options);
  options.data = table;
  for (uint64_t n = 1; status != LFM_OK; n++) {
    size_t before = lfm_alloc_in_use();
    lfm_alloc_fail_at(n);
    status = lfm_model_variances(model, &options, values);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axes_are_found),
      cmocka_unit_test(units_are_those_of_the_flow),
      cmocka_unit_test(a_model_shows_its_own),
      cmocka_unit_test(what_shows_nothing_is_refused),
      cmocka_unit_test(refused_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
