/* SPDX-License-Identifier: MIT
 *
 * test_half.c -- every half is a number that comes back; every float becomes the nearest half, ties to even, and none an
 * infinity; a vectorised loop gives the bits of one call at a time.
 */
#include "core/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

enum { STRIDE = 4099, LARGEST = 0x7BFF };

/* By the definition of the format. */
static double value_again(uint16_t half) {
  int exponent = half >> 10 & 31, fraction = half & 1023;
  double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return half & 0x8000 ? -size : size;
}

static void every_half_is_its_number(void **state) {
  (void)state;
  for (uint32_t size = 0; size <= LARGEST; size++)
    for (uint32_t sign = 0; sign < 2; sign++) {
      uint16_t half = (uint16_t)(size | sign << 15);
      assert_true((double)lfm_half_value(half) == value_again(half));
      assert_int_equal(lfm_half_of(lfm_half_value(half)), half);
    }
  assert_true(isnan(lfm_half_value(lfm_half_of(NAN))));
}

/* No neighbour is nearer, and of two that are as near the even one is taken. */
static void check_nearest(float x) {
  uint16_t half = lfm_half_of(x);
  uint16_t size = half & 0x7FFF;
  assert_true((signbit(x) != 0) == (half >> 15));
  double at = fabs((double)x), here = fabs(at - value_again(size));
  if (at > value_again(LARGEST)) { /* nothing larger is there */
    assert_int_equal(size, LARGEST);
    return;
  }
  if (size > 0) {
    double below = at - value_again((uint16_t)(size - 1));
    assert_true(here < below || (here == below && size % 2 == 0));
  }
  if (size < LARGEST) {
    double above = value_again((uint16_t)(size + 1)) - at;
    assert_true(here < above || (here == above && size % 2 == 0));
  }
}

static void floats_go_to_the_nearest(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 0x7F800000u; bits += STRIDE)
    for (uint32_t sign = 0; sign < 2; sign++) check_nearest(lfm_bits_to_f32(bits | sign << 31));
  for (uint32_t size = 0; size < LARGEST; size++) { /* ties, and what lies beside them */
    float tie = (float)(0.5 * (value_again((uint16_t)size) + value_again((uint16_t)(size + 1))));
    check_nearest(tie), check_nearest(nextafterf(tie, 0.0f)), check_nearest(nextafterf(tie, 1e6f));
  }
  assert_int_equal(lfm_half_of(INFINITY), LARGEST);
  assert_int_equal(lfm_half_of(-1e30f), 0x8000 | LARGEST);
}

enum { MANY = 4099 };

LFM_VECTOR static void there_and_back(float *restrict back, uint16_t *restrict halves, const float *restrict x) {
  for (int i = 0; i < MANY; i++) halves[i] = lfm_half_of(x[i]);
  for (int i = 0; i < MANY; i++) back[i] = lfm_half_value(halves[i]);
}

static void loops_give_the_same_bits(void **state) {
  (void)state;
  static float x[MANY], back[MANY];
  static uint16_t halves[MANY];
  for (uint32_t i = 0; i < MANY; i++) x[i] = lfm_bits_to_f32(i * 1048573u); /* all exponents, both signs, NaN as well */
  there_and_back(back, halves, x);
  for (int i = 0; i < MANY; i++) {
    volatile float alone = x[i];
    assert_int_equal(halves[i], lfm_half_of(alone));
    assert_int_equal(lfm_f32_to_bits(back[i]), lfm_f32_to_bits(lfm_half_value(halves[i])));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_half_is_its_number),
      cmocka_unit_test(floats_go_to_the_nearest),
      cmocka_unit_test(loops_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
