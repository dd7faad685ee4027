/* SPDX-License-Identifier: MIT
 * The Frechet distance against closed forms, numpy, and the laws that samples were drawn from: bias, interval and floor. */
#include "core/alloc.h"
#include "core/rng.h"
#include "metric/frechet.h"
#include "metric/gaussian.h"
#include "support/near.h"

#include <string.h>

enum { DIM = 6, MOST = 1200 };
static float a[MOST * DIM], b[MOST * DIM], c[MOST * DIM];

static lfm_features view(const char *name, const float *x, int64_t rows, int64_t dim) {
  return (lfm_features){.name = name, .x = x, .rows = rows, .dim = dim};
}

/* Rows of N(mean, L L^T), L a fixed lower triangle that `lean` makes another law. */
static void draw(uint64_t seed, double shift, double lean, int64_t rows, float *x) {
  const lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < rows; i++) {
    float z[DIM];
    lfm_rng_normal(&rng, i, z, DIM);
    for (int r = 0; r < DIM; r++) {
      double value = (r == 0 ? shift : 0) + (1 + 0.2 * r) * (double)z[r];
      for (int k = 0; k < r; k++) value += lean * (k % 2 ? -0.5 : 1) * (double)z[k];
      x[i * DIM + r] = (float)value;
    }
  }
}

static void law(double shift, double lean, double mean[DIM], double cov[DIM * DIM]) {
  double l[DIM * DIM] = {0};
  memset(mean, 0, DIM * sizeof *mean);
  memset(cov, 0, DIM * DIM * sizeof *cov);
  mean[0] = shift;
  for (int r = 0; r < DIM; r++)
    for (int k = 0; k <= r; k++) l[r * DIM + k] = k == r ? 1 + 0.2 * r : lean * (k % 2 ? -0.5 : 1);
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++)
      for (int k = 0; k < DIM; k++) cov[i * DIM + j] += l[i * DIM + k] * l[j * DIM + k];
}

static double true_distance(double shift, double lean, double other_shift, double other_lean) {
  double mean[DIM], cov[DIM * DIM], other_mean[DIM], other[DIM * DIM], d = NAN;
  law(shift, lean, mean, cov);
  law(other_shift, other_lean, other_mean, other);
  assert_int_equal(lfm_frechet_gaussians(mean, cov, other_mean, other, DIM, &d), LFM_OK);
  return d;
}

/* ---- closed forms ------------------------------------------------------------------------------------------------- */

/* Axes in common: |m|^2 + sum (sqrt(a_i) - sqrt(b_i))^2; a zero among them. */
static void axes_in_common(void **state) {
  (void)state;
  const double mean_a[] = {1, 2, 0}, mean_b[] = {0, 4, 0}, x[] = {4, 0, 0, 0, 9, 0, 0, 0, 0},
               y[] = {1, 0, 0, 0, 2, 0, 0, 0, 3};
  double d = NAN;
  assert_int_equal(lfm_frechet_gaussians(mean_a, x, mean_b, y, 3, &d), LFM_OK);
  assert_near(d, 5 + 1 + (3 - sqrt(2)) * (3 - sqrt(2)) + 3, 1e-12);
}

/* In two dimensions tr (A B)^(1/2) = sqrt(tr A B + 2 sqrt(det A det B)), whether they commute or not. */
static void axes_apart(void **state) {
  (void)state;
  const double zero[2] = {0}, x[] = {5, 2, 2, 1.5}, y[] = {1, -0.7, -0.7, 3};
  double det = (5 * 1.5 - 4) * (3 - 0.49), product = 5 * 1 + 2 * 2 * -0.7 + 1.5 * 3, d = NAN, back = NAN;
  assert_int_equal(lfm_frechet_gaussians(zero, x, zero, y, 2, &d), LFM_OK);
  assert_near(d, 6.5 + 4 - 2 * sqrt(product + 2 * sqrt(det)), 1e-12);
  assert_int_equal(lfm_frechet_gaussians(zero, y, zero, x, 2, &back), LFM_OK);
  assert_near(back, d, 1e-12);
}

/* Two lines, A = u u^T and B = v v^T: |u|^2 + |v|^2 - 2 |u v|. */
static void singular_covariances(void **state) {
  (void)state;
  const double zero[3] = {0}, u[] = {1, 2, 2}, v[] = {3, 0, -1};
  double x[9], y[9], d = NAN;
  for (int i = 0; i < 9; i++) x[i] = u[i / 3] * u[i % 3], y[i] = v[i / 3] * v[i % 3];
  assert_int_equal(lfm_frechet_gaussians(zero, x, zero, y, 3, &d), LFM_OK);
  assert_near(d, 9 + 10 - 2, 1e-6); /* a zero rounded to 1e-15 has a root of 1e-7 */
  assert_int_equal(lfm_frechet_gaussians(zero, x, zero, x, 3, &d), LFM_OK);
  assert_near(d, 0, 1e-6);
}

/* 100 and 130 rows of 12 features, one of the second sample twice another.  numpy 2 (cov, eigvalsh; delete for the groups):
 *   f = lambda a, b: ((a.mean(0) - b.mean(0))**2).sum() + trace(A) + trace(B) - 2 sqrt(eigvalsh(R @ A @ R)).sum()
 *   P = [20 f(a, b) - 19 f(delete(a, s_[g::20], 0), delete(b, s_[g::20], 0)) for g in range(20)]
 * The first also from eigvals(A @ B). */
static void numpy_agrees(void **state) {
  (void)state;
  enum { WIDE = 12 };
  static float x[100 * WIDE], y[130 * WIDE];
  for (int i = 0; i < 130; i++)
    for (int k = 0; k < WIDE; k++) {
      if (i < 100) x[i * WIDE + k] = (float)((i * i * 3 + i * k * 11 + 7 * k * k + 3 * k) % 101) / 16;
      y[i * WIDE + k] = (float)((i * i * 5 + i * k * 13 + 7 * k * k + 3 * k) % 89 + 6 * (k % 3)) / 16;
    }
  for (int i = 0; i < 130; i++) y[i * WIDE + 5] = 2 * y[i * WIDE + 4];
  lfm_features first = view("first", x, 100, WIDE), second = view("second", y, 130, WIDE);
  lfm_frechet d = {.distance = NAN};
  assert_int_equal(lfm_frechet_distance(&first, &second, NULL, &d), LFM_OK);
  assert_near(d.distance, 22.145742066520, 1e-5);
  assert_near(d.corrected, 19.919218183164, 1e-4);
  assert_near(d.se, 3.160582397633, 1e-4);
  assert_near(d.high - d.corrected, 2.093024 * d.se, 0.01 * d.se);
  assert_near(d.corrected - d.low, d.high - d.corrected, 1e-12);
}

/* ---- samples ------------------------------------------------------------------------------------------------------ */

/* The distance is too high, the corrected one right on average, and its interval holds the truth about as often as it says:
 * of 60, fewer than 52 have a chance of 1 %. */
static void intervals_hold_the_truth(void **state) {
  (void)state;
  enum { ROWS = 300, RUNS = 60 };
  const double truths[] = {true_distance(0.5, 0.3, 0, 0.8), 0};
  for (int equal = 0; equal < 2; equal++) {
    double plain = 0, corrected = 0, squares = 0;
    int held = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
      draw(2 * run + 1, equal ? 0 : 0.5, equal ? 0.8 : 0.3, ROWS, a);
      draw(2 * run + 2, 0, 0.8, ROWS, b);
      lfm_features x = view("x", a, ROWS, DIM), y = view("y", b, ROWS, DIM);
      lfm_frechet d = {.distance = NAN};
      assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &d), LFM_OK);
      plain += d.distance / RUNS;
      corrected += d.corrected / RUNS;
      squares += d.se * d.se / RUNS;
      held += d.low <= truths[equal] && truths[equal] <= d.high;
    }
    double error = sqrt(squares / RUNS);
    assert_true(plain > truths[equal] + 4 * error);
    assert_near(corrected, truths[equal], 4 * error);
    assert_in_range(held, 52, RUNS);
  }
}

/* A fresh sample of the law is at the floor; one shifted by 0.7 is 0.49 above it. */
static void above_the_floor(void **state) {
  (void)state;
  draw(11, 0, 0.8, MOST, a);
  draw(12, 0, 0.8, MOST, b);
  draw(13, 0, 0.8, MOST, c);
  lfm_features generated = view("generated", a, MOST, DIM), train = view("train", b, MOST, DIM);
  lfm_features heldout = view("held-out", c, MOST, DIM);
  lfm_frechet_floor same = {.above = {.distance = NAN}}, off = same;
  assert_int_equal(lfm_frechet_above_floor(&generated, &train, &heldout, NULL, &same), LFM_OK);
  assert_true(same.above.low < 0 && same.above.high > 0 && same.floor.low < 0 && same.floor.high > 0);
  assert_near(same.above.distance, same.generated.distance - same.floor.distance, 1e-14);
  assert_near(same.above.corrected, same.generated.corrected - same.floor.corrected, 1e-12);
  draw(11, 0.7, 0.8, MOST, a);
  assert_int_equal(lfm_frechet_above_floor(&generated, &train, &heldout, NULL, &off), LFM_OK);
  assert_true(off.above.low < 0.49 && off.above.high > 0.49 && off.above.low > 0.2);
  assert_memory_equal(&off.floor, &same.floor, sizeof off.floor);
  lfm_frechet alone = {.distance = NAN};
  assert_int_equal(lfm_frechet_distance(&generated, &heldout, NULL, &alone), LFM_OK);
  assert_memory_equal(&alone, &off.generated, sizeof alone);
}

/* Neither a rotation nor a translation of both samples changes it, nor the order of rows, nor which comes first. */
static void invariances(void **state) {
  (void)state;
  enum { ROWS = 200 };
  lfm_features x = view("x", a, ROWS, DIM), y = view("y", b, ROWS, DIM);
  lfm_frechet d = {.distance = NAN}, moved = d, back = d, shuffled = d;
  draw(1, 0.5, 0.3, ROWS, a);
  draw(2, 0, 0.8, ROWS, b);
  assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &d), LFM_OK);
  assert_int_equal(lfm_frechet_distance(&y, &x, NULL, &back), LFM_OK);
  assert_near(back.distance, d.distance, 1e-10);
  for (int64_t i = 0; i < ROWS; i++) memcpy(c + i * DIM, a + (ROWS - 1 - i) * DIM, DIM * sizeof *c);
  lfm_features reversed = view("x", c, ROWS, DIM);
  assert_int_equal(lfm_frechet_distance(&reversed, &y, NULL, &shuffled), LFM_OK);
  assert_near(shuffled.distance, d.distance, 1e-10);
  for (int64_t i = 0; i < 2 * ROWS; i++) {
    float *row = i < ROWS ? a + i * DIM : b + (i - ROWS) * DIM, p = row[1], q = row[4];
    row[1] = (float)(0.6 * (double)p - 0.8 * (double)q) + 100;
    row[4] = (float)(0.8 * (double)p + 0.6 * (double)q) - 3;
  }
  assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &moved), LFM_OK);
  assert_near(moved.distance, d.distance, 1e-4); /* floats at 100 */
  assert_near(moved.se, d.se, 1e-3);
}

static void the_team_changes_nothing(void **state) {
  (void)state;
  draw(1, 0.5, 0.3, 500, a);
  draw(2, 0, 0.8, 500, b);
  draw(3, 0, 0.8, 700, c);
  lfm_features x = view("x", a, 500, DIM), y = view("y", b, 500, DIM), z = view("z", c, 700, DIM);
  lfm_frechet_floor alone = {.above = {.distance = NAN}}, together = alone;
  assert_int_equal(lfm_frechet_above_floor(&x, &y, &z, NULL, &alone), LFM_OK);
  for (int threads = 1; threads <= 3; threads++) {
    lfm_team *team = NULL;
    assert_int_equal(lfm_team_create(threads, &team), LFM_OK);
    assert_int_equal(lfm_frechet_above_floor(&x, &y, &z, team, &together), LFM_OK);
    assert_memory_equal(&alone, &together, sizeof alone);
    lfm_team_destroy(team);
  }
}

/* A constant feature adds nothing; 40 rows of 60 features, all covariances singular, have a distance, and none to themselves.
 */
static void degenerate_samples(void **state) {
  (void)state;
  enum { ROWS = LFM_FRECHET_LEAST, WIDE = 60 };
  lfm_frechet with = {.distance = NAN}, without = with, none = with, few = with;
  draw(1, 0.5, 0.3, 300, a);
  draw(2, 0, 0.8, 300, b);
  for (int64_t i = 0; i < 300; i++) a[i * DIM + 3] = b[i * DIM + 3] = 7;
  lfm_features x = view("x", a, 300, DIM), y = view("y", b, 300, DIM);
  assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &with), LFM_OK);
  for (int64_t i = 0; i < 300; i++)
    for (int64_t k = 0; k < DIM - 1; k++) {
      a[i * (DIM - 1) + k] = a[i * DIM + (k < 3 ? k : k + 1)];
      b[i * (DIM - 1) + k] = b[i * DIM + (k < 3 ? k : k + 1)];
    }
  x.dim = y.dim = DIM - 1;
  assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &without), LFM_OK);
  assert_near(with.distance, without.distance, 1e-6);
  assert_near(with.corrected, without.corrected, 1e-4);

  static float wide[2 * ROWS * WIDE];
  const lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < 2 * ROWS; i++) lfm_rng_normal(&rng, i, wide + i * WIDE, WIDE);
  lfm_features first = view("first", wide, ROWS, WIDE), second = view("second", wide + ROWS * WIDE, ROWS, WIDE);
  assert_int_equal(lfm_frechet_distance(&first, &second, NULL, &few), LFM_OK);
  assert_true(few.distance > 10 && few.distance < 120); /* the traces are about 60 each */
  assert_int_equal(lfm_frechet_distance(&first, &first, NULL, &none), LFM_OK);
  assert_near(none.distance, 0, 1e-4);
}

static void refuses_nonsense(void **state) {
  (void)state;
  lfm_frechet d;
  lfm_frechet_floor above;
  draw(1, 0, 0.3, 100, a);
  draw(2, 0, 0.8, 100, b);
  lfm_features x = view("generated", a, 100, DIM), y = view("real", b, 100, DIM), few = y, narrow = y;
  few.rows = LFM_FRECHET_LEAST - 1;
  narrow.dim = DIM - 1;
  assert_int_equal(lfm_frechet_distance(&x, &few, NULL, &d), LFM_E_DATA);
  assert_int_equal(lfm_frechet_distance(&x, &narrow, NULL, &d), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "6 features"));
  few.rows = 50;
  assert_int_equal(lfm_frechet_above_floor(&few, &x, &y, NULL, &above), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "50 rows"));
  const float bad[] = {NAN, INFINITY, -1e16f};
  for (int i = 0; i < 3; i++) {
    a[17 * DIM + 2] = bad[i];
    assert_int_equal(lfm_frechet_distance(&x, &y, NULL, &d), LFM_E_DATA);
    assert_non_null(strstr(lfm_error(), "generated: feature 2 of row 17"));
  }
  const double mean[] = {0}, variance[] = {1}, broken[] = {NAN};
  double out;
  assert_int_equal(lfm_frechet_gaussians(mean, variance, mean, broken, 1, &out), LFM_E_NUMERIC);
  assert_int_equal(lfm_frechet_gaussians(mean, broken, mean, variance, 1, &out), LFM_E_NUMERIC);
  assert_int_equal(lfm_frechet_gaussians(broken, variance, mean, variance, 1, &out), LFM_E_NUMERIC);
}

static void survives_refused_memory(void **state) {
  (void)state;
  draw(1, 0, 0.3, 50, a);
  lfm_features x = view("x", a, 50, DIM);
  const double mean[] = {0}, variance[] = {1};
  size_t before = lfm_alloc_in_use();
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_frechet_floor above;
    double d;
    lfm_alloc_fail_at(at);
    status = lfm_frechet_above_floor(&x, &x, &x, NULL, &above);
    if (status == LFM_OK) status = lfm_frechet_gaussians(mean, variance, mean, variance, 1, &d);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axes_in_common),
      cmocka_unit_test(axes_apart),
      cmocka_unit_test(singular_covariances),
      cmocka_unit_test(numpy_agrees),
      cmocka_unit_test(intervals_hold_the_truth),
      cmocka_unit_test(above_the_floor),
      cmocka_unit_test(invariances),
      cmocka_unit_test(the_team_changes_nothing),
      cmocka_unit_test(degenerate_samples),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
