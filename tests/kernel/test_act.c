/* SPDX-License-Identifier: MIT
 *
 * test_act.c -- activations and slopes in float against the C library in double, over all magnitudes; the slope against a
 * finite difference of the value; vector bodies and scalar tails with the same bits.
 */
#include "core/act.h"
#include "kernel/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const lfm_act acts[] = {{LFM_ACT_NONE, 0},      {LFM_ACT_RELU, 0},     {LFM_ACT_ELU, 0},
                               {LFM_ACT_SILU, 0},      {LFM_ACT_GELU, 0},     {LFM_ACT_TANH, 0},
                               {LFM_ACT_SOFTPLUS, 20}, {LFM_ACT_SOFTPLUS, 1}, {LFM_ACT_MISH, 0}};
enum { ACTS = sizeof acts / sizeof *acts, COUNT = 20011 };

static float z32[COUNT], y32[COUNT], s32[COUNT];
static double z64[COUNT], y64[COUNT], s64[COUNT];

/* -100 .. 100 and a fine sweep around zero. */
static void fill(void) {
  for (int i = 0; i < COUNT; i++) {
    z32[i] = i % 2 ? (float)(i - COUNT / 2) * 0.01f : (float)(i - COUNT / 2) * 2e-4f;
    z64[i] = (double)z32[i];
  }
}

static void test_float_is_near_double(void **state) {
  (void)state;
  fill();
  for (int a = 0; a < ACTS; a++) {
    lfm_kernels_ref32()->activate(y32, s32, z32, COUNT, acts[a], false);
    lfm_kernels_ref64()->activate(y64, s64, z64, COUNT, acts[a], false);
    for (int i = 0; i < COUNT; i++) {
      double scale = 1 + fabs(z64[i]);
      if (!(fabs((double)y32[i] - y64[i]) < 2e-7 * scale) || !(fabs((double)s32[i] - s64[i]) < 1e-6))
        fail_msg("act %d at %g: value %.9g, want %.9g; slope %.9g, want %.9g", (int)acts[a].kind, z64[i], (double)y32[i],
                 y64[i], (double)s32[i], s64[i]);
    }
  }
}

static void test_slope_is_the_derivative(void **state) {
  (void)state;
  const double step = 1e-5;
  for (int a = 0; a < ACTS; a++)
    for (double x = -6.05; x < 6; x += 0.1) {
      double ends[2] = {x - step, x + step}, here = x, y, slope, values[2];
      lfm_kernels_ref64()->activate(values, NULL, ends, 2, acts[a], false);
      lfm_kernels_ref64()->activate(&y, &slope, &here, 1, acts[a], false);
      assert_true(fabs(slope - (values[1] - values[0]) / (2 * step)) < 1e-7);
    }
}

static void test_known_values(void **state) {
  (void)state;
  double x[] = {-1, 1}, y[2];
  static const double want[ACTS][2] = {{-1, 1},
                                       {0, 1},
                                       {-0.63212055882855767, 1},
                                       {-0.26894142136999512, 0.73105857863000488},
                                       {-0.15865525393145705, 0.84134474606854295},
                                       {-0.76159415595576489, 0.76159415595576489},
                                       {1.0305768110643914e-10, 1.0000000001030577},
                                       {0.31326168751822286, 1.3132616875182228},
                                       {-0.30340146137410895, 0.86509838826731034}};
  for (int a = 0; a < ACTS; a++) {
    lfm_kernels_ref64()->activate(y, NULL, x, 2, acts[a], false);
    for (int i = 0; i < 2; i++) assert_true(fabs(y[i] - want[a][i]) < 1e-15);
  }
}

/* One number at a time is all tail; many are mostly body. */
static void test_tails_have_the_bodies_bits(void **state) {
  (void)state;
  fill();
  for (int a = 0; a < ACTS; a++) {
    lfm_kernels_ref32()->activate(y32, s32, z32, COUNT, acts[a], false);
    for (int i = 0; i < COUNT; i++) {
      float y, slope;
      lfm_kernels_ref32()->activate(&y, &slope, &z32[i], 1, acts[a], false);
      assert_memory_equal(&y, &y32[i], sizeof y);
      assert_memory_equal(&slope, &s32[i], sizeof slope);
    }
  }
}

/* In place, without the slope, and the slope from the value alone: the same bits. */
static void test_every_way_has_the_same_bits(void **state) {
  (void)state;
  static float y[COUNT], slope[COUNT];
  fill();
  for (int a = 0; a < ACTS; a++) {
    lfm_kernels_ref32()->activate(y32, s32, z32, COUNT, acts[a], false);
    memcpy(y, z32, sizeof y);
    lfm_kernels_ref32()->activate(y, NULL, y, COUNT, acts[a], false);
    assert_memory_equal(y, y32, sizeof y);
    memcpy(slope, z32, sizeof slope);
    lfm_kernels_ref32()->activate(y, slope, slope, COUNT, acts[a], false);
    assert_memory_equal(y, y32, sizeof y);
    assert_memory_equal(slope, s32, sizeof slope);
    if (lfm_act_keeps_slope(acts[a])) continue;
    lfm_kernels_ref32()->slope(slope, y32, COUNT, acts[a]);
    assert_memory_equal(slope, s32, sizeof slope);
  }
}

static void test_extremes_stay_finite(void **state) {
  (void)state;
  float x[] = {-3e38f, -1000, -0.0f, 1000}, y[4], slope[4];
  for (int a = 0; a < ACTS; a++) {
    lfm_kernels_ref32()->activate(y, slope, x, 4, acts[a], false);
    for (int i = 0; i < 4; i++) assert_true(isfinite(y[i]) && isfinite(slope[i]));
  }
}

/* The bias's gradient is the sum of the rows, added or set; d is scaled in place. */
static void test_backward_scales_and_sums(void **state) {
  (void)state;
  double y[6] = {0.5, -0.5, 0, 2, -0.25, 1}, d[6] = {1, 2, 3, 4, 5, 6}, bias[3] = {10, 20, 30};
  lfm_act elu = {LFM_ACT_ELU, 0};
  lfm_kernels_ref64()->activate_backward(d, y, 2, 3, elu, false, bias, true);
  static const double want_d[] = {1, 1, 3, 4, 3.75, 6}, want_bias[] = {15, 24.75, 39};
  for (int i = 0; i < 6; i++) assert_true(d[i] == want_d[i]);
  for (int i = 0; i < 3; i++) assert_true(bias[i] == want_bias[i]);
  lfm_kernels_ref64()->activate_backward(d, y, 2, 3, (lfm_act){LFM_ACT_NONE, 0}, false, bias, false);
  assert_true(bias[0] == 5 && bias[1] == 4.75 && bias[2] == 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_float_is_near_double),
      cmocka_unit_test(test_slope_is_the_derivative),
      cmocka_unit_test(test_known_values),
      cmocka_unit_test(test_tails_have_the_bodies_bits),
      cmocka_unit_test(test_extremes_stay_finite),
      cmocka_unit_test(test_backward_scales_and_sums),
      cmocka_unit_test(test_every_way_has_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
