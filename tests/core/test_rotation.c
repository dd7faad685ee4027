/* SPDX-License-Identifier: MIT
 *
 * test_rotation.c -- axis-angle to six numbers and back: any rotation, none, a half turn and next to it; six numbers that are
 * no rotation's.
 */
#include "core/rotation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rotate(const double six[6], const double v[3], double out[2]) {
  for (int i = 0; i < 2; i++) out[i] = six[3 * i] * v[0] + six[3 * i + 1] * v[1] + six[3 * i + 2] * v[2];
}

static void test_known_rotations(void **state) {
  (void)state;
  double six[6], turned[2];
  lfm_rotation_to_six((double[]){0, 0, 0}, six);
  for (int i = 0; i < 6; i++) assert_true(six[i] == (i == 0 || i == 4 ? 1.0 : 0.0));
  lfm_rotation_to_six((double[]){0, 0, M_PI / 2}, six); /* x to y, y to -x: rows (0, -1, 0) and (1, 0, 0) */
  rotate(six, (double[]){1, 0, 0}, turned);
  assert_true(fabs(turned[0]) < 1e-15 && fabs(turned[1] - 1) < 1e-15);
  lfm_rotation_to_six((double[]){M_PI, 0, 0}, six); /* y to -y */
  assert_true(fabs(six[0] - 1) < 1e-15 && fabs(six[4] + 1) < 1e-15 && fabs(six[5]) < 1e-15);
}

/* The same rotation comes back: the same vector below a half turn, at one perhaps its negative. */
static void check_there_and_back(const double axis[3], double angle) {
  double length = sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]), v[3], back[3], six[6], again[6], off = 0;
  for (int i = 0; i < 3; i++) v[i] = angle * axis[i] / length;
  lfm_rotation_to_six(v, six);
  for (int i = 0; i < 3; i++) back[i] = NAN;
  lfm_rotation_from_six(six, back);
  lfm_rotation_to_six(back, again);
  for (int i = 0; i < 6; i++) off = fmax(off, fabs(again[i] - six[i]));
  if (!(off < 1e-14)) fail_msg("angle %.17g: rows differ by %g", angle, off);
  double apart = sqrt(pow(back[0] - v[0], 2) + pow(back[1] - v[1], 2) + pow(back[2] - v[2], 2));
  if (angle < M_PI - 1e-7 && !(apart < 1e-8)) fail_msg("angle %.17g: off by %g", angle, apart);
}

static void test_there_and_back(void **state) {
  (void)state;
  static const double angles[] = {0, 1e-12, 1e-8, 1e-5, 0.99e-4, 1.01e-4, 0.3, 1, 2, 3, 3.1, M_PI - 1e-4, M_PI - 1e-8, M_PI};
  for (int k = 0; k < 60; k++) {
    double axis[3] = {sin(1.0 + k), k % 5 ? cos(2.0 * k) : 0, k % 7 ? sin(5.0 + 3 * k) : 0};
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++) check_there_and_back(axis, angles[i]);
  }
  for (int i = 0; i < 3; i++) check_there_and_back((double[]){i == 0, i == 1, -(i == 2)}, M_PI);
}

/* What a network gives: rows that are neither of length one nor upright, or name nothing. */
static void test_six_numbers_of_any_kind(void **state) {
  (void)state;
  double want[3], got[3], bent[6], six[6];
  lfm_rotation_to_six((double[]){0.4, -1.1, 0.3}, six);
  for (int i = 0; i < 3; i++) bent[i] = 2.5 * six[i], bent[3 + i] = 0.3 * six[3 + i] + 1.7 * six[i];
  lfm_rotation_from_six(six, want), lfm_rotation_from_six(bent, got);
  for (int i = 0; i < 3; i++) assert_true(fabs(got[i] - want[i]) < 1e-14);
  static const double odd[][6] = {{0}, {0, 0, 0, 1, 2, 3}, {1, 2, 3, 0, 0, 0}, {1, 2, 3, 2, 4, 6}, {-1, 0, 0, 1, 0, 0}};
  for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
    lfm_rotation_from_six(odd[k], got);
    assert_true(sqrt(got[0] * got[0] + got[1] * got[1] + got[2] * got[2]) <= M_PI + 1e-12); /* finite, too */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_rotations), cmocka_unit_test(test_there_and_back),
                                     cmocka_unit_test(test_six_numbers_of_any_kind)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
