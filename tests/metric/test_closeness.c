/* SPDX-License-Identifier: MIT
 *
 * test_closeness.c -- equal laws are as close as is due, copies are found even when they are few, farther rows are no copies;
 * the interval holds the truth as often as it says; counts by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rng.h"
#include "metric/closeness.h"

enum { ROWS = 2000, OTHERS = 1500 };

static float generated[ROWS], heldout[OTHERS];

/* Squares of normals about `middle`, which are distances to nobody in particular. */
static void draw(float *out, int count, double middle, uint32_t salt) {
  lfm_rng rng = {.seed = 5, .purpose = LFM_FOR_DATA, .step = salt};
  for (int i = 0; i < count; i++) {
    float z;
    lfm_rng_normal(&rng, i, &z, 1);
    double distance = fmax(0.01, middle + (double)z);
    out[i] = (float)(distance * distance);
  }
}

static lfm_closeness compare(void) {
  lfm_closeness c;
  memset(&c, 0xA5, sizeof c);
  assert_int_equal(lfm_closeness_compare(generated, ROWS, heldout, OTHERS, &c), LFM_OK);
  return c;
}

static void by_hand(void **state) {
  (void)state;
  float own[] = {9, 0, 4, 0}, others[] = {16, 4, 25};
  lfm_closeness c;
  assert_int_equal(lfm_closeness_compare(own, 4, others, 3, &c), LFM_OK);
  assert_true(c.generated == 1.0 && c.heldout == 4.0); /* (0 + 2) / 2, and 4 */
  /* of 12 pairs: 0 and 0 are nearer than all three, 9 than two, 4 than two and ties one */
  assert_true(fabs(c.closer.mean - (3 + 3 + 2 + 2.5) / 12) < 1e-12);
  assert_int_equal(c.copies, 2);
  assert_int_equal(c.memorised.count, 2); /* nearer than 2, the nearest held-out row */
  assert_true(fabs(c.memorised_due - 0.25) < 1e-12);
}

static void equal_laws_are_as_close(void **state) {
  (void)state;
  int inside = 0, due = 0;
  for (uint32_t k = 0; k < 40; k++) {
    draw(generated, ROWS, 5, 2 * k), draw(heldout, OTHERS, 5, 2 * k + 1);
    lfm_closeness c = compare();
    assert_true(fabs(c.closer.high - c.closer.low - 2 * 1.959964 * c.closer.se) < 1e-6); /* amid the shares it is DeLong's */
    inside += c.closer.low <= 0.5 && c.closer.high >= 0.5;
    due += c.memorised.low <= c.memorised_due && c.memorised.high >= c.memorised_due;
    assert_int_equal(c.copies, 0);
  }
  assert_in_range(inside, 35, 40);
  assert_in_range(due, 35, 40); /* though its threshold is one of the held-out rows, and so uncertain itself */
}

static void few_copies_are_found(void **state) {
  (void)state;
  draw(generated, ROWS, 5, 0), draw(heldout, OTHERS, 5, 1);
  for (int i = 0; i < ROWS / 20; i++) generated[i * 20] = i % 2 ? 0.0f : 1e-4f;
  lfm_closeness c = compare();
  assert_true(c.memorised.low > 0.03 && c.memorised.share > 4 * c.memorised_due);
  assert_int_equal(c.copies, ROWS / 40);
  assert_true(fabs(c.generated - c.heldout) < 0.2); /* the median says nothing */
}

static void farther_rows_are_no_copies(void **state) {
  (void)state;
  draw(generated, ROWS, 8, 0), draw(heldout, OTHERS, 5, 1);
  lfm_closeness c = compare();
  assert_true(c.closer.high < 0.05 && c.closer.low >= 0 && c.memorised.share < c.memorised_due);
  for (int i = 0; i < ROWS; i++) generated[i] = 1e-6f; /* every one nearer than all */
  c = compare();
  assert_true(c.closer.mean == 1 && c.closer.high == 1 && c.closer.se == 0 && c.memorised.share == 1);
  assert_true(c.closer.low == c.memorised.low && c.closer.low < 0.999); /* so few rows do not show more */
  for (int i = 0; i < ROWS; i++) generated[i] = 1e6f;
  c = compare();
  assert_true(c.closer.mean == 0 && c.closer.low == 0 && c.closer.high > 0.001);
}

static void one_row_is_refused(void **state) {
  (void)state;
  float one[] = {1}, two[] = {1, 2};
  lfm_closeness c;
  assert_int_equal(lfm_closeness_compare(one, 1, two, 2, &c), LFM_E_DATA);
  assert_int_equal(lfm_closeness_compare(two, 2, one, 1, &c), LFM_E_DATA);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(by_hand),
      cmocka_unit_test(equal_laws_are_as_close),
      cmocka_unit_test(few_copies_are_found),
      cmocka_unit_test(farther_rows_are_no_copies),
      cmocka_unit_test(one_row_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
