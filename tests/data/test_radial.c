/* SPDX-License-Identifier: MIT
 *
 * test_radial.c -- the root of how far rows lie: there and back, its determinant by differences, and what it is fitted to.
 */
#include "data/radial.h"
#include "data/support.h"

#include "core/rng.h"
#include "support/near.h"

enum { DIM = 3, ROWS = 2000 };

static const lfm_radial map = {.knee = 0.4, .scale = 1.7};

static void drawn(const double *w, double *y) {
  double by = lfm_radial_forth(&map, DIM, w);
  for (int i = 0; i < DIM; i++) y[i] = by * w[i];
}

/* Within the knee a scale, far beyond it the root; and back from anywhere. */
static void roots_beyond_the_knee_and_back(void **state) {
  (void)state;
  double y[DIM];
  for (double length = 1e-12; length < 1e12; length *= 10.0) {
    const double w[DIM] = {0.6 * length, 0.0, -0.8 * length};
    drawn(w, y);
    double far = lfm_radial_length(y, DIM);
    if (length < 1e-4) assert_near(far / length, map.scale, 1e-6);
    if (length > 1e4) assert_near(far / sqrt(length * map.knee), map.scale, 1e-6);
    assert_near(lfm_radial_back(&map, DIM, y) * far / length, 1.0, 1e-12);
    assert_true(y[1] == 0.0);
    assert_near(y[0] / y[2], -0.75, 1e-15); /* the direction stays */
  }
  const double origin[DIM] = {0}, beyond[DIM] = {3e200, 0.0, 4e200}; /* of which no double holds the square */
  assert_near(lfm_radial_forth(&map, DIM, origin), map.scale, 1e-15);
  assert_near(lfm_radial_back(&map, DIM, origin), 1.0 / map.scale, 1e-15);
  assert_near(lfm_radial_logdet(&map, DIM, origin), DIM * log(map.scale), 1e-15);
  assert_near(lfm_radial_length(beyond, DIM) / 5e200, 1.0, 1e-15);
  drawn(beyond, y);
  assert_near(lfm_radial_back(&map, DIM, y) * lfm_radial_length(y, DIM) / 5e200, 1.0, 1e-12);
  assert_near(lfm_radial_logdet(&map, DIM, y), DIM * (log(map.scale) - 0.5 * log(5e200 / map.knee)) + log(0.5), 1e-9);
}

/* log |det| of the 3 x 3 Jacobian by central differences. */
static double measured_logdet(const double *w) {
  double j[DIM][DIM], up[DIM], down[DIM], step = 1e-5 * lfm_radial_length(w, DIM);
  for (int i = 0; i < DIM; i++) {
    double moved[DIM] = {w[0], w[1], w[2]};
    moved[i] = w[i] + step;
    drawn(moved, up);
    moved[i] = w[i] - step;
    drawn(moved, down);
    for (int k = 0; k < DIM; k++) j[i][k] = (up[k] - down[k]) / (2.0 * step);
  }
  return log(fabs(j[0][0] * (j[1][1] * j[2][2] - j[1][2] * j[2][1]) - j[0][1] * (j[1][0] * j[2][2] - j[1][2] * j[2][0]) +
                  j[0][2] * (j[1][0] * j[2][1] - j[1][1] * j[2][0])));
}

static void knows_its_determinant(void **state) {
  (void)state;
  double y[DIM];
  for (double length = 1e-3; length < 1e4; length *= 3.0) {
    const double w[DIM] = {0.5 * length, -0.1 * length, 0.8 * length};
    drawn(w, y);
    assert_near(lfm_radial_logdet(&map, DIM, y), measured_logdet(w), 1e-7);
  }
}

/* Of rows whose radii go over two decades: the knee is the first hundredth, and |y|^2 is DIM in the mean. */
static void fits_the_knee_and_the_scale(void **state) {
  (void)state;
  const lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  double radii[ROWS], squares = 0.0, below = 0.0;
  for (int64_t i = 0; i < ROWS; i++) radii[i] = pow(100.0, lfm_rng_uniform(&rng, i, 0));
  lfm_radial fitted = lfm_radial_fit(radii, ROWS, DIM);
  for (int64_t i = 0; i < ROWS; i++) {
    const double w[DIM] = {radii[i], 0.0, 0.0};
    squares += pow(radii[i] * lfm_radial_forth(&fitted, DIM, w), 2) / ROWS;
    below += radii[i] < fitted.knee;
  }
  assert_near(squares, DIM, 1e-12);
  assert_near(below / ROWS, 0.01, 1e-12);
}

static void stands_rows_at_the_mean(void **state) {
  (void)state;
  double radii[ROWS] = {[ROWS / 2] = 2.0};
  lfm_radial fitted = lfm_radial_fit(radii, ROWS, DIM);
  assert_true(fitted.knee > 0.0 && isfinite(fitted.scale) && fitted.scale > 0.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(roots_beyond_the_knee_and_back),
      cmocka_unit_test(knows_its_determinant),
      cmocka_unit_test(fits_the_knee_and_the_scale),
      cmocka_unit_test(stands_rows_at_the_mean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
