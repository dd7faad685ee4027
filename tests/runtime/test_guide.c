/* SPDX-License-Identifier: MIT
 *
 * test_guide.c -- real-time chunking: the soft mask by the paper's formula; the guided velocity of a field whose gradient is
 * known, of one block and behind a border; actions that are frozen come out as they are, and those beyond the mask untouched.
 */
#include "runtime/guide.h"

#include "runtime/back.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 8, WIDTH = 2 };

static void test_the_mask_is_the_paper_s(void **state) {
  (void)state;
  for (int frozen = 0; frozen <= 6; frozen++)
    for (int overlap = frozen; overlap <= STEPS; overlap++) {
      float weight[STEPS * WIDTH];
      memset(weight, 0x7f, sizeof weight);
      lfm_rt_soft_mask(frozen, overlap, STEPS, WIDTH, weight);
      for (int i = 0; i < STEPS * WIDTH; i++) {
        double c = (double)(overlap - i / WIDTH) / (overlap - frozen + 1), soft = c * (exp(c) - 1) / (exp(1) - 1);
        double want = i / WIDTH < frozen ? 1.0 : i / WIDTH < overlap ? soft : 0.0;
        assert_true(fabs((double)weight[i] - want) < 1e-6);
        if (want > 0 && want < 1) assert_true(weight[i] < (i < WIDTH ? 1.0f : weight[i - WIDTH])); /* it falls */
      }
    }
}

/* v = a x of one number, in one block or in two; its gradient is a. */
enum { X = 0, V = 100, TIMED = 200, MIRROR = 300, ALL = 600 };
static const lfm_rt_step steps[] = {{.kind = LFM_RT_CONV,
                                     .positions = 1,
                                     .channels = LFM_RT_LANES,
                                     .from = {X, 16},
                                     .to = {V, 16},
                                     .stride = 1,
                                     .taps = 1,
                                     .in = 2,
                                     .bias = -1,
                                     .more = -1},
                                    {.kind = LFM_RT_CONV,
                                     .positions = 1,
                                     .channels = LFM_RT_LANES,
                                     .from = {MIRROR + V, 16},
                                     .to = {MIRROR + X, 16},
                                     .stride = 1,
                                     .taps = 1,
                                     .in = LFM_RT_LANES,
                                     .weights = 2 * LFM_RT_LANES,
                                     .bias = -1,
                                     .more = -1,
                                     .adds = true,
                                     .tap_step = 1}};
static const lfm_rt_field field = {.steps = steps,
                                   .all_steps = 1,
                                   .back_steps = 2,
                                   .positions = 1,
                                   .channels = 1,
                                   .x = {X, 16},
                                   .v = {V, 16},
                                   .given = 280,
                                   .timed = TIMED,
                                   .base = TIMED,
                                   .mirror = MIRROR,
                                   .back = MIRROR,
                                   .back_floats = MIRROR,
                                   .floats = ALL};
static float weights[(2 + LFM_RT_LANES) * LFM_RT_LANES], space[ALL];
static const lfm_rt_block blocks[2] = {{weights, weights}, {weights, weights}};

static void set_slope(float a) {
  weights[0] = a;
  lfm_rt_turn(&field, false, weights);
}

static void test_a_velocity_is_corrected(void **state) {
  (void)state;
  const float a = 0.5f, keeps[2] = {1.0f, 0.8f};
  const lfm_rt_chain chain = {.field = &field, .block = blocks, .keeps = keeps, .blocks = 2};
  set_slope(a);
  for (int n = 0; n < 2; n++)
    for (int strong = 0; strong < 2; strong++) {
      const float target = 0.9f, weight = 0.7f, x = -0.3f;
      const lfm_rt_way way = {0.9f, 0.6f, strong ? 9.0f : 2.0f};
      const lfm_rt_guide guide = {&target, &weight, 5.0f};
      float v = a * x, g;
      space[X] = x;
      lfm_rt_velocity(&field, &blocks[n], false, NULL, space);
      lfm_rt_steer(&chain, &guide, n, &way, &x, &v, space, &g);
      double k = (double)keeps[n], slope = 0.9 - 0.6 * 0.5, end = k * -0.3 * slope;
      double want = -0.15 - (strong ? 5.0 : 2.0) * k * slope * 0.7 * (0.9 - end);
      assert_true(fabs((double)v - want) < 1e-6);
    }
}

/* Where the flow is at rest and the pull is the number of steps, the first of them arrives. */
static void test_what_is_frozen_arrives(void **state) {
  (void)state;
  enum { N = 5 };
  static const float one = 1.0f, zero, ones[N] = {1, 1, 1, 1, 1}, t[N] = {1.0f, 0.8f, 0.6f, 0.4f, 0.2f},
                     pull[N] = {1e6f, 4.25f, 2.17f, 2.17f, 4.25f};
  const lfm_rt_method euler = {.stages = 1, .b = {1.0f}};
  const lfm_rt_chain chain = {.field = &field, .block = blocks, .keeps = &one, .blocks = 1};
  const lfm_rt_plan plan = {.method = euler, .steps = N, .time = &zero, .of_x = ones, .of_v = t, .pull = pull};
  const float target = 0.9f;
  float room[3], x = -1.25f;
  set_slope(0.0f);
  lfm_rt_generate(&chain, &plan, &(lfm_rt_guide){&target, &one, 5.0f}, &zero, &x, space, room);
  assert_true(fabsf(x - target) < 1e-6f);
  x = -1.25f;
  lfm_rt_generate(&chain, &plan, &(lfm_rt_guide){&target, &zero, 5.0f}, &zero, &x, space, room);
  assert_true(x == -1.25f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_mask_is_the_paper_s),
      cmocka_unit_test(test_a_velocity_is_corrected),
      cmocka_unit_test(test_what_is_frozen_arrives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
