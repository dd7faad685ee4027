/* SPDX-License-Identifier: MIT
 *
 * test_interpolant.c -- both paths start at x_l and end at x_r, and their velocity is their slope.
 */
#include "flow_support.h"

#include "flow/interpolant.h"

static const lfm_interp kinds[] = {LFM_INTERP_LINEAR, LFM_INTERP_TRIG};

static void paths_join_the_ends(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    lfm_interpolant first = lfm_interpolant_at(kinds[k], 0.0), last = lfm_interpolant_at(kinds[k], 1.0);
    assert_near(first.a, 1.0, 1e-7);
    assert_near(first.b, 0.0, 1e-7);
    assert_near(last.a, 0.0, 1e-7);
    assert_near(last.b, 1.0, 1e-7);
  }
}

/* Central differences of single-precision values: 1e-7 / 1e-3 of noise, h^2 of bias. */
static void velocity_is_the_slope(void **state) {
  (void)state;
  const double h = 1e-3;
  for (int k = 0; k < 2; k++)
    for (double t = h; t <= 1.0 - h; t += 0.0173) {
      lfm_interpolant at = lfm_interpolant_at(kinds[k], t), below = lfm_interpolant_at(kinds[k], t - h),
                      above = lfm_interpolant_at(kinds[k], t + h);
      assert_near(at.da, ((double)above.a - (double)below.a) / (2 * h), 3e-4);
      assert_near(at.db, ((double)above.b - (double)below.b) / (2 * h), 3e-4);
    }
}

static void trig_is_cosine_and_sine(void **state) {
  (void)state;
  for (double t = 0.0; t <= 1.0; t += 0.01) {
    lfm_interpolant at = lfm_interpolant_at(LFM_INTERP_TRIG, t);
    assert_near(at.a, cos(M_PI * t / 2), 3e-7);
    assert_near(at.b, sin(M_PI * t / 2), 3e-7);
    assert_near(at.da, -M_PI / 2 * sin(M_PI * t / 2), 5e-7);
    assert_near(at.db, M_PI / 2 * cos(M_PI * t / 2), 5e-7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_join_the_ends),
      cmocka_unit_test(velocity_is_the_slope),
      cmocka_unit_test(trig_is_cosine_and_sine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
