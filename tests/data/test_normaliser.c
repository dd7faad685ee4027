/* SPDX-License-Identifier: MIT
 *
 * test_normaliser.c -- the map: covariance I, the log-determinant against the map's own finite differences, and back.
 */
#include "data/normaliser.h"
#include "data/support.h"

#include "core/rng.h"

enum { ROWS = 500, COLS = 5 };

/* Five correlated columns of very different units; column 2 is constant. */
static lfm_table *correlated_table(void) {
  static const double scale[] = {1e-6, 3, 0, 1e5, 0.1};
  const lfm_rng rng = {.seed = 7, .purpose = LFM_FOR_DATA};
  lfm_table *table;
  assert_int_equal(lfm_table_make(ROWS, COLS, &table), LFM_OK);
  for (int64_t row = 0; row < ROWS; row++) {
    float z[COLS];
    double sum = 0;
    lfm_rng_normal(&rng, row, z, COLS);
    for (int64_t col = 0; col < COLS; col++) {
      sum += (double)z[col];
      table->values[row * COLS + col] = scale[col] * (sum + 40 + 0.1 * sum * sum);
    }
    table->values[row * COLS + 2] = -7.5;
  }
  return table;
}

static lfm_normaliser *fit(lfm_normalise kind, const lfm_table *table) {
  lfm_normaliser *m;
  lfm_status status = lfm_normaliser_fit(kind, table, &m);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  return m;
}

/* mean [4] and covariance [4, 4] of the normalised rows. */
static void moments(const lfm_normaliser *m, const lfm_table *table, double *mean, double *covariance) {
  memset(mean, 0, 4 * sizeof *mean);
  memset(covariance, 0, 16 * sizeof *covariance);
  for (int64_t row = 0; row < table->rows; row++) {
    double y[4] = {NAN, NAN, NAN, NAN};
    lfm_normaliser_apply(m, table->values + row * COLS, y);
    for (int i = 0; i < 4; i++) {
      mean[i] += y[i] / ROWS;
      for (int j = 0; j < 4; j++) covariance[4 * i + j] += y[i] * y[j] / ROWS;
    }
  }
}

static void whitens(void **state) {
  (void)state;
  double mean[4], covariance[16];
  lfm_table *table = correlated_table();
  lfm_normaliser *m = fit(LFM_NORMALISE_WHITEN, table);
  assert_int_equal(m->dim, 4);
  moments(m, table, mean, covariance);
  for (int i = 0; i < 16; i++) assert_true(fabs(covariance[i] - (i % 5 == 0)) < 1e-11);
  for (int i = 0; i < 4; i++) assert_true(fabs(mean[i]) < 1e-11);
  lfm_normaliser_destroy(m);
  lfm_table_destroy(table);
}

static void standardises(void **state) {
  (void)state;
  double mean[4], covariance[16];
  lfm_table *table = correlated_table();
  lfm_normaliser *m = fit(LFM_NORMALISE_STANDARDISE, table);
  moments(m, table, mean, covariance);
  for (int i = 0; i < 4; i++) {
    assert_true(fabs(covariance[5 * i] - 1) < 1e-12);
    assert_true(fabs(mean[i]) < 1e-12);
  }
  assert_true(covariance[1] > 0.3); /* the correlation stays */
  lfm_normaliser_destroy(m);
  lfm_table_destroy(table);
}

/* The rows lie where those that are whitened do, nearer the farther they are: in the mean |y|^2 is their number still. */
static void draws_far_rows_nearer(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  lfm_normaliser *m = fit(LFM_NORMALISE_RADIAL, table), *white = fit(LFM_NORMALISE_WHITEN, table);
  double squares = 0, least = INFINITY, most = 0, least_white = INFINITY, most_white = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    double y[4], w[4];
    lfm_normaliser_apply(m, table->values + row * COLS, y);
    lfm_normaliser_apply(white, table->values + row * COLS, w);
    double far = lfm_radial_length(y, 4), by = far / lfm_radial_length(w, 4);
    for (int i = 0; i < 4; i++) assert_true(fabs(y[i] - by * w[i]) < 1e-12);
    squares += far * far / ROWS, least = fmin(least, far), most = fmax(most, far);
    least_white = fmin(least_white, far / by), most_white = fmax(most_white, far / by);
  }
  assert_true(fabs(squares - 4) < 1e-12);
  assert_true(most / least < 2 * sqrt(most_white / least_white));
  lfm_normaliser_destroy(m);
  lfm_normaliser_destroy(white);
  lfm_table_destroy(table);
}

/* log |det| of the 4 x 4 Jacobian of the map, by differences and Gaussian elimination. */
static double measured_logdet(const lfm_normaliser *m, const double *x, double share) {
  double j[4][4], up[4], down[4], logdet = 0;
  for (int i = 0; i < 4; i++) {
    double moved[COLS];
    double step = share / fabs(m->forward[5 * i]);
    memcpy(moved, x, sizeof moved);
    moved[m->varying[i]] = x[m->varying[i]] + step;
    lfm_normaliser_apply(m, moved, up);
    moved[m->varying[i]] = x[m->varying[i]] - step;
    lfm_normaliser_apply(m, moved, down);
    for (int k = 0; k < 4; k++) j[i][k] = (up[k] - down[k]) / (2 * step);
  }
  for (int p = 0; p < 4; p++) { /* positive definite up to a diagonal: no pivoting is needed */
    logdet += log(fabs(j[p][p]));
    for (int r = p + 1; r < 4; r++)
      for (int c = 3; c >= p; c--) j[r][c] -= j[r][p] / j[p][p] * j[p][c];
  }
  return logdet;
}

static void knows_its_determinant(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  for (lfm_normalise kind = LFM_NORMALISE_NONE; kind <= LFM_NORMALISE_RADIAL; kind++) {
    lfm_normaliser *m = fit(kind, table);
    double y[4];
    lfm_normaliser_apply(m, table->values, y);
    double share = kind == LFM_NORMALISE_RADIAL ? 1e-4 : 0.5; /* of an affine map no step is too long */
    double measured = measured_logdet(m, table->values, share), told = lfm_normaliser_logdet(m, y);
    if (fabs(told - measured) > 1e-7) fail_msg("kind %d: logdet %.12g, measured %.12g", kind, told, measured);
    lfm_normaliser_destroy(m);
  }
  lfm_table_destroy(table);
}

/* A 2 x 2 case by hand: sd 2 and 3, correlation 0, so that whitening is standardising: log |det W| = -log 6. */
static void agrees_with_a_hand_count(void **state) {
  (void)state;
  lfm_table *table;
  const double values[] = {3, 4, 3, -2, -1, 4, -1, -2};
  assert_int_equal(lfm_table_create(values, 4, 2, NULL, NULL, &table), LFM_OK);
  for (lfm_normalise kind = LFM_NORMALISE_STANDARDISE; kind <= LFM_NORMALISE_WHITEN; kind++) {
    double y[2] = {NAN, NAN};
    lfm_normaliser *m = fit(kind, table);
    assert_true(fabs(m->logdet + log(6)) < 1e-14);
    assert_true(m->mean[0] == 1 && m->mean[1] == 1);
    lfm_normaliser_apply(m, values, y);
    assert_true(fabs(y[0] - 1) < 1e-14 && fabs(y[1] - 1) < 1e-14);
    lfm_normaliser_destroy(m);
  }
  lfm_table_destroy(table);
}

static void comes_back(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  for (lfm_normalise kind = LFM_NORMALISE_NONE; kind <= LFM_NORMALISE_RADIAL; kind++) {
    lfm_normaliser *m = fit(kind, table);
    for (int64_t row = 0; row < ROWS; row++) {
      const double *x = table->values + row * COLS;
      double y[4], back[COLS] = {NAN, NAN, NAN, NAN, NAN};
      lfm_normaliser_apply(m, x, y);
      lfm_normaliser_invert(m, y, back);
      for (int col = 0; col < COLS; col++) assert_true(fabs(back[col] - x[col]) <= (kind ? 1e-12 : 0) * fabs(x[col]));
      assert_true(back[2] == -7.5); /* the constant, to the bit */
    }
    lfm_normaliser_destroy(m);
  }
  lfm_table_destroy(table);
}

static bool maps_alike(const lfm_normaliser *a, const lfm_normaliser *b, const double *x) {
  double of_a[COLS] = {0}, of_b[COLS] = {0};
  lfm_normaliser_apply(a, x, of_a);
  lfm_normaliser_apply(b, x, of_b);
  return a->kind == b->kind && a->dim == b->dim && a->logdet == b->logdet && memcmp(of_a, of_b, sizeof of_a) == 0;
}

static void a_copy_of_any_kind_is_the_same_map(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  lfm_normaliser *made[6], *copy;
  for (lfm_normalise kind = LFM_NORMALISE_NONE; kind <= LFM_NORMALISE_RADIAL; kind++) made[kind] = fit(kind, table);
  assert_int_equal(lfm_normaliser_pixels(COLS, true, &made[4]), LFM_OK);
  assert_int_equal(lfm_normaliser_chunks(2, 2, (double[]){1, 2}, (double[]){3, 4}, &made[5]), LFM_OK);
  for (int k = 0; k < 6; k++) {
    assert_int_equal(lfm_normaliser_copy(made[k], &copy), LFM_OK);
    double back[COLS] = {0}, again[COLS] = {0}, y[COLS] = {0.5, -1, 2, 0.25, 3};
    assert_true(maps_alike(copy, made[k], table->values));
    lfm_normaliser_invert(made[k], y, back);
    lfm_normaliser_destroy(made[k]); /* nothing is shared */
    lfm_normaliser_invert(copy, y, again);
    assert_memory_equal(back, again, sizeof back);
    lfm_normaliser_destroy(copy);
  }
  lfm_table_destroy(table);
}

static void does_nothing_when_told_so(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  lfm_normaliser *m = fit(LFM_NORMALISE_NONE, table);
  double y[4] = {NAN, NAN, NAN, NAN};
  lfm_normaliser_apply(m, table->values, y);
  assert_true(y[0] == table->values[0] && y[1] == table->values[1] && y[2] == table->values[3] && y[3] == table->values[4]);
  assert_true(m->logdet == 0);
  lfm_normaliser_destroy(m);
  lfm_table_destroy(table);
}

static void names_columns_that_depend_on_each_other(void **state) {
  (void)state;
  lfm_normaliser *m = (lfm_normaliser *)(uintptr_t)0xDEAD0;
  lfm_table *table = correlated_table();
  for (int64_t row = 0; row < ROWS; row++) /* the last is a sum of the second and the fourth */
    table->values[row * COLS + 4] = table->values[row * COLS + 1] + 2e-5 * table->values[row * COLS + 3];
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_WHITEN, table, &m), LFM_E_DATA,
                 "the columns \"x1\", \"x3\", \"x4\" depend on each other (the covariance is singular); drop one, or use "
                 "normalise: standardise");
  assert_null(m);
  table->rows = 3;
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_WHITEN, table, &m), LFM_E_DATA,
                 "whitening 4 columns needs more than the 3 rows there are; normalise: standardise does not");
  table->rows = ROWS;
  lfm_table_destroy(table);
}

static void refuses_what_it_cannot_scale(void **state) {
  (void)state;
  lfm_normaliser *m;
  lfm_table *table;
  assert_int_equal(lfm_table_create((const double[]){1, 2, 1, 2}, 2, 2, NULL, NULL, &table), LFM_OK);
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_STANDARDISE, table, &m), LFM_E_DATA,
                 "no column varies over the 2 rows; there is nothing to learn");
  table->values[1] = 1e308;
  table->values[3] = -1e308;
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_STANDARDISE, table, &m), LFM_E_DATA,
                 "column \"x1\": its standard deviation is inf; rescale the column");
  table->values[1] = 1e-300;
  table->values[3] = 0;
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_WHITEN, table, &m), LFM_E_DATA,
                 "column \"x1\": its standard deviation is 0; rescale the column");
  table->values[3] = NAN;
  assert_failure(lfm_normaliser_fit(LFM_NORMALISE_NONE, table, &m), LFM_E_DATA,
                 "table: row 2, column \"x1\": the value is missing (nan)");
  lfm_table_destroy(table);
  assert_int_equal(lfm_normaliser_make(LFM_NORMALISE_WHITEN, 2, 3, &m), LFM_E_USAGE);
  assert_int_equal(lfm_normaliser_make(LFM_NORMALISE_WHITEN, 2, 0, &m), LFM_E_USAGE);
}

/* What was fitted passes, in whatever units; a number of the inverse that is off, or another determinant, does not. */
static void tells_what_does_not_belong_to_forward(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  for (int kind = LFM_NORMALISE_NONE; kind <= LFM_NORMALISE_RADIAL; kind++) {
    lfm_normaliser *m = fit((lfm_normalise)kind, table);
    const char *wrong = "unheard";
    assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
    assert_null(wrong);
    for (int64_t k = 0; k < m->dim * m->dim; k++) {
      double kept = m->inverse[k];
      m->inverse[k] = kept != 0.0 ? 1.00001 * kept : 1e-3;
      assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
      assert_string_equal(wrong, "inverse");
      m->inverse[k] = kept;
    }
    for (int64_t k = 1; k < m->dim * m->dim && !lfm_normaliser_mixes(m); k += m->dim + 1) {
      m->forward[k] = 1e-9; /* beside the diagonal */
      assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
      assert_string_equal(wrong, "forward");
      m->forward[k] = 0.0;
    }
    if (kind == LFM_NORMALISE_RADIAL) {
      double kept = m->radial.knee;
      m->radial.knee = 0.0;
      assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
      assert_string_equal(wrong, "radial");
      m->radial.knee = kept;
    }
    m->logdet += 1e-4;
    assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
    assert_string_equal(wrong, "logdet");
    memset(m->forward, 0, (size_t)(m->dim * m->dim) * sizeof *m->forward);
    assert_int_equal(lfm_normaliser_check(m, &wrong), LFM_OK);
    assert_string_equal(wrong, "inverse");
    lfm_normaliser_destroy(m);
  }
  lfm_table_destroy(table);
}

static lfm_status fit_table(void *table) {
  lfm_normaliser *m;
  lfm_status status = lfm_normaliser_fit(LFM_NORMALISE_RADIAL, table, &m);
  lfm_normaliser_destroy(m);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  lfm_table *table = correlated_table();
  /* which columns vary, the object and its 5 arrays, sd, 3 matrices, radii and a row */
  assert_int_equal(refuse_memory(fit_table, table), 13);
  lfm_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whitens),
      cmocka_unit_test(standardises),
      cmocka_unit_test(draws_far_rows_nearer),
      cmocka_unit_test(knows_its_determinant),
      cmocka_unit_test(agrees_with_a_hand_count),
      cmocka_unit_test(comes_back),
      cmocka_unit_test(a_copy_of_any_kind_is_the_same_map),
      cmocka_unit_test(does_nothing_when_told_so),
      cmocka_unit_test(names_columns_that_depend_on_each_other),
      cmocka_unit_test(refuses_what_it_cannot_scale),
      cmocka_unit_test(tells_what_does_not_belong_to_forward),
      cmocka_unit_test(stands_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
