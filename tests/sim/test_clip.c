/* SPDX-License-Identifier: MIT
 *
 * test_clip.c -- areas that geometry knows, and a count of points where it does not.
 */
#include "sim/clip.h"
#include "support/near.h"

#include <stdbool.h>

static const double unit[] = {0, 0, 1, 0, 1, 1, 0, 1};

static void squares(void **state) {
  (void)state;
  assert_near(lfm_clip_area(unit, 4, unit, 4), 1, 1e-15);
  assert_near(lfm_clip_area(unit, 4, (const double[]){0.25, 0.5, 2, 0.5, 2, 3, 0.25, 3}, 4), 0.75 * 0.5, 1e-15);
  assert_near(lfm_clip_area(unit, 4, (const double[]){0.2, 0.2, 0.7, 0.2, 0.7, 0.4, 0.2, 0.4}, 4), 0.5 * 0.2,
              1e-15); /* inside */
  assert_near(lfm_clip_area((const double[]){0.2, 0.2, 0.7, 0.2, 0.7, 0.4, 0.2, 0.4}, 4, unit, 4), 0.5 * 0.2, 1e-15);
  assert_near(lfm_clip_area(unit, 4, (const double[]){1, 0, 2, 0, 2, 1, 1, 1}, 4), 0, 0); /* an edge in common */
  assert_near(lfm_clip_area(unit, 4, (const double[]){5, 5, 6, 5, 6, 6, 5, 6}, 4), 0, 0);
}

/* Two squares of side 2, one turned by an eighth: a regular octagon of inner radius 1. */
static void an_octagon(void **state) {
  (void)state;
  double r = sqrt(2);
  const double square[] = {-1, -1, 1, -1, 1, 1, -1, 1}, turned[] = {r, 0, 0, r, -r, 0, 0, -r};
  assert_near(lfm_clip_area(square, 4, turned, 4), 8 * (r - 1), 1e-14);
  assert_near(lfm_clip_area(turned, 4, square, 4), 8 * (r - 1), 1e-14);
}

static void a_triangle(void **state) {
  (void)state;
  assert_near(lfm_clip_area(unit, 4, (const double[]){0, 0, 2, 0, 0, 2}, 3), 1, 1e-15); /* its long side passes (1, 1) */
  assert_near(lfm_clip_area(unit, 4, (const double[]){0, 0, 1.5, 0, 0, 1.5}, 3), 0.875, 1e-15);
}

static bool is_left_of_all(const double *p, int n, double x, double y) {
  for (int i = 0; i < n; i++) {
    const double *from = p + 2 * i, *to = p + 2 * ((i + 1) % n);
    if ((to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0]) < 0) return false;
  }
  return true;
}

/* Rectangles at any angle, beside a count of the points of a grid; and the same with the two exchanged. */
static void rectangles_at_any_angle(void **state) {
  (void)state;
  enum { GRID = 400 };
  for (int n = 0; n < 12; n++) {
    double angle = 0.53 * n, c = cos(angle), s = sin(angle), wide = 1 + 0.2 * n, high = 0.4, x = 0.05 * n - 0.2, y = 0.3;
    const double corner[4][2] = {{0, 0}, {wide, 0}, {wide, high}, {0, high}};
    double turned[8];
    for (int k = 0; k < 4; k++) {
      turned[2 * k] = x + c * corner[k][0] - s * corner[k][1];
      turned[2 * k + 1] = y + s * corner[k][0] + c * corner[k][1];
    }
    int inside = 0;
    for (int i = 0; i < GRID * GRID; i++)
      inside += is_left_of_all(turned, 4, (i % GRID + 0.5) / GRID, (i / GRID + 0.5) / GRID);
    double area = lfm_clip_area(unit, 4, turned, 4);
    assert_near(area, (double)inside / (GRID * GRID), 4.0 / GRID); /* a point an edge's length of the grid */
    assert_near(lfm_clip_area(turned, 4, unit, 4), area, 1e-14);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(squares),
      cmocka_unit_test(an_octagon),
      cmocka_unit_test(a_triangle),
      cmocka_unit_test(rectangles_at_any_angle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
