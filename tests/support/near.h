/* SPDX-License-Identifier: MIT
 * near.h -- doubles within a tolerance, with both values in the message (cmocka's own compares floats).
 */
#ifndef LFM_TESTS_SUPPORT_NEAR_H
#define LFM_TESTS_SUPPORT_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after the four headers that it leans on */

#define assert_near(actual, expected, tolerance) near_or_fail((actual), (expected), (tolerance), __FILE__, __LINE__)

static inline void near_or_fail(double actual, double expected, double tolerance, const char *file, int line) {
  if (fabs(actual - expected) <= tolerance) return;
  print_error("%.12g is not within %.3g of %.12g\n", actual, tolerance, expected);
  _fail(file, line);
}

#endif
