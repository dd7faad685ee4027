/* SPDX-License-Identifier: MIT
 *
 * test_runtime.c -- convolutions of every number of positions against the sum written out with fmaf, to the bit where the
 * processor fuses; the same text without vectors, and for each length of vectors that the processor has; strides, taps that
 * reach into zeros, sums that are added to; the other steps and their gradients; Runge-Kutta on a field whose solution is
 * known.
 */
#include "runtime/runtime.h"

#include "core/vmath.h"
#include "runtime/conv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same text once more, without vectors. */
#define LFM_RT_PLAIN
#define lfm_rt_give plain_give
#define lfm_rt_velocity plain_velocity
#define lfm_rt_back plain_back
#define lfm_rt_generate plain_generate
#define lfm_rt_norm_back plain_norm_back
#define lfm_rt_act_back plain_act_back
#define lfm_rt_turn plain_turn
#define lfm_rt_convolve plain_convolve
#include "runtime/back.c"
#include "runtime/conv.c"
#include "runtime/runtime.c"
#undef lfm_rt_give
#undef lfm_rt_velocity
#undef lfm_rt_back
#undef lfm_rt_generate
#undef lfm_rt_norm_back
#undef lfm_rt_act_back
#undef lfm_rt_turn
#undef lfm_rt_convolve

enum { SPACE = 1 << 16, WEIGHTS = 1 << 16, CONSTANTS = 1 << 10 };
static float space[SPACE], again[SPACE], weights[WEIGHTS], constants[CONSTANTS];
static uint32_t words[WEIGHTS / 2];
static const lfm_rt_block floats = {weights, constants}, halves = {words, constants};

static float wobble(int64_t i, int salt) {
  uint64_t bits = ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u + (uint64_t)salt * 0xD1B54A32D192ED03u;
  bits ^= bits >> 29, bits *= 0xBF58476D1CE4E5B9u, bits ^= bits >> 32;
  return (float)(int64_t)(bits & 0xFFFF) / 32768.0f - 1.0f;
}

/* Numbers everywhere but where there are to be zeros; weights that are the same in both forms. */
static int fill(void **state) {
  (void)state;
  for (int64_t i = 0; i < SPACE; i++) again[i] = space[i] = wobble(i, 1);
  for (int64_t i = 0; i < CONSTANTS; i++) constants[i] = wobble(i, 2);
  for (int64_t i = 0; i < WEIGHTS; i++) weights[i] = lfm_bits_to_f32(lfm_f32_to_bits(wobble(i, 3)) & 0xFFFF0000u);
  for (int64_t line = 0; line < WEIGHTS / LFM_RT_LANES; line += 2)
    for (int64_t lane = 0; lane < LFM_RT_LANES; lane++)
      words[line / 2 * LFM_RT_LANES + lane] = lfm_f32_to_bits(weights[line * LFM_RT_LANES + lane]) >> 16 |
                                              lfm_f32_to_bits(weights[(line + 1) * LFM_RT_LANES + lane]);
  return 0;
}

static bool fuses(void) {
#if defined(__FMA__) || defined(__aarch64__)
  return true;
#elif defined(LFM_RT_CHOOSES)
  return __builtin_cpu_supports("avx512f") || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#else
  return false;
#endif
}

static void near(float got, float want) {
  if (fuses()) assert_memory_equal(&got, &want, sizeof got);
  else if (!(fabsf(got - want) <= 1e-5f * (1.0f + fabsf(want)))) fail_msg("%.9g where %.9g is due", got, want);
}

static lfm_rt_field field_of(const lfm_rt_step *steps, int64_t count) {
  return (lfm_rt_field){.steps = steps, .all_steps = count, .room = SPACE - 512};
}

static void run(const lfm_rt_step *steps, int64_t count, bool half) {
  lfm_rt_field field = field_of(steps, count);
  lfm_rt_velocity(&field, half ? &halves : &floats, half, NULL, space);
  plain_velocity(&field, half ? &halves : &floats, half, NULL, again);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------- */

enum { FROM = 1000, TO = 30000, MORE = 60000 };

/* The processor's widest vectors have been at work; shorter ones give the same bits. */
static void check_lengths(const lfm_rt_step *s, bool half, const float *before) {
#if defined(LFM_RT_CHOOSES)
  static float shorter[SPACE];
  memcpy(shorter, before, sizeof shorter);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
  lfm_rt_convolve_avx2(conv_of(s, half ? &halves : &floats, half, shorter), s->positions, s->channels / LFM_RT_LANES, half);
  assert_memory_equal(shorter, space, sizeof shorter);
#else
  (void)s, (void)half, (void)before;
#endif
}

static void check_conv(lfm_rt_step s, bool half) {
  fill(NULL);
  s.kind = LFM_RT_CONV;
  s.from = (lfm_rt_place){FROM, 24};
  s.to = (lfm_rt_place){TO, 80};
  if (s.is_series) { /* zeros on both sides of the series, which begins at its middle tap */
    int64_t before = s.taps / 2 * s.from.row, series = s.positions * s.from.row;
    for (int64_t i = 0; i < before; i++)
      space[FROM + i] = again[FROM + i] = space[FROM + before + series + i] = again[FROM + before + series + i] = 0.0f;
  }
  static float before[SPACE];
  memcpy(before, space, sizeof before);
  run(&s, 1, half);
  for (int64_t p = 0; p < s.positions; p++)
    for (int64_t o = 0; o < s.channels; o++) {
      float sum = s.bias < 0 ? 0.0f : constants[s.bias + o];
      if (s.more >= 0) sum += before[s.more + o];
      if (s.adds) sum += before[TO + p * s.to.row + o];
      for (int64_t k = 0; k < s.taps; k++)
        for (int64_t c = 0; c < s.in; c++)
          sum = fmaf(
              weights[s.weights + (((int64_t)(o / LFM_RT_LANES) * s.taps + k) * s.in + c) * LFM_RT_LANES + o % LFM_RT_LANES],
              before[FROM + (p * s.stride + k) * s.from.row + c], sum);
      near(space[TO + p * s.to.row + o], sum);
      assert_true(again[TO + p * s.to.row + o] == sum);
    }
  check_lengths(&s, half, before);
  for (int64_t i = TO + s.positions * s.to.row; i < TO + (s.positions + 2) * s.to.row; i++)
    assert_true(space[i] == before[i]); /* nothing behind the last */
}

static void test_convolutions_of_all_positions(void **state) {
  (void)state;
  for (int64_t positions = 1; positions <= 21; positions++)
    for (int64_t vectors = 1; vectors <= 5; vectors += 1 + (positions > 4))
      check_conv((lfm_rt_step){.positions = positions,
                               .channels = vectors * LFM_RT_LANES,
                               .stride = 1 + positions % 2,
                               .taps = 1 + positions % 3,
                               .in = 2 + 2 * (positions % 5),
                               .weights = 64 * LFM_RT_LANES,
                               .bias = positions % 4 ? 5 : -1,
                               .more = positions % 3 ? MORE : -1,
                               .adds = positions % 2},
                 vectors % 2);
}

static void test_a_whole_series(void **state) {
  (void)state;
  for (int64_t positions = 1; positions <= 16; positions++)
    for (int64_t taps = 1; taps <= 7; taps += 2)
      check_conv((lfm_rt_step){.positions = positions,
                               .channels = 5 * LFM_RT_LANES,
                               .stride = 1,
                               .taps = taps,
                               .in = 18,
                               .more = -1,
                               .is_series = true},
                 positions % 2);
}

/* ---- the other steps ---------------------------------------------------------------------------------------------- */

static double mish_of(double x) { return x * tanh(log1p(exp(x))); }

static void test_norms(void **state) {
  (void)state;
  enum { POSITIONS = 6, CHANNELS = 20, GROUPS = 4, EACH = CHANNELS / GROUPS };
  for (int film = 0; film < 2; film++) {
    fill(NULL);
    static float before[SPACE];
    memcpy(before, space, sizeof before);
    lfm_rt_step s = {.kind = LFM_RT_NORM,
                     .positions = POSITIONS,
                     .channels = CHANNELS,
                     .from = {FROM, 32},
                     .to = {FROM, 32},
                     .more = film ? MORE : -1,
                     .groups = GROUPS,
                     .scale = 10,
                     .shift = 40};
    run(&s, 1, false);
    for (int g = 0; g < GROUPS; g++) {
      double mean = 0, variance = 0;
      for (int p = 0; p < POSITIONS; p++)
        for (int c = g * EACH; c < (g + 1) * EACH; c++) mean += (double)before[FROM + p * 32 + c] / (POSITIONS * EACH);
      for (int p = 0; p < POSITIONS; p++)
        for (int c = g * EACH; c < (g + 1) * EACH; c++)
          variance += pow((double)before[FROM + p * 32 + c] - mean, 2) / (POSITIONS * EACH);
      for (int p = 0; p < POSITIONS; p++)
        for (int c = g * EACH; c < (g + 1) * EACH; c++) {
          double y = mish_of(((double)before[FROM + p * 32 + c] - mean) / sqrt(variance + 1e-5) * (double)constants[10 + c] +
                             (double)constants[40 + c]);
          if (film) y = y * (double)before[MORE + c] + (double)before[MORE + CHANNELS + c];
          assert_true(fabs((double)space[FROM + p * 32 + c] - y) <= 2e-6 * (1 + fabs(y)));
          assert_true(again[FROM + p * 32 + c] == space[FROM + p * 32 + c]);
        }
    }
    for (int p = 0; p < POSITIONS; p++)
      for (int c = CHANNELS; c < 32; c++) assert_true(space[FROM + p * 32 + c] == before[FROM + p * 32 + c]);
  }
}

static void test_activations_and_sums(void **state) {
  (void)state;
  for (int kind = LFM_ACT_RELU; kind < LFM_ACTS; kind++) {
    fill(NULL);
    static float before[SPACE];
    memcpy(before, space, sizeof before);
    const lfm_rt_step steps[] = {
        {.kind = LFM_RT_ACT, .positions = 3, .channels = 37, .from = {FROM, 40}, .to = {TO, 50}, .act = kind, .beta = 2.0f},
        {.kind = LFM_RT_ADD, .positions = 3, .channels = 37, .from = {FROM, 40}, .to = {TO, 50}}};
    run(steps, 2, false);
    for (int p = 0; p < 3; p++)
      for (int c = 0; c < 37; c++) {
        double slope, x = (double)before[FROM + p * 40 + c];
        double y = act_value_f64((lfm_act_kind)kind, 2.0, x, &slope) + x;
        assert_true(fabs((double)space[TO + p * 50 + c] - y) <= 1e-6 * (1 + fabs(y)));
        assert_true(again[TO + p * 50 + c] == space[TO + p * 50 + c]);
      }
  }
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

enum { GRADIENT = 40000, BACK = 50000 };

static void test_gradients_of_activations(void **state) {
  (void)state;
  for (int kind = LFM_ACT_RELU; kind < LFM_ACTS; kind++) {
    fill(NULL);
    const lfm_rt_step steps[] = {
        {.kind = LFM_RT_ACT, .positions = 3, .channels = 37, .from = {FROM, 40}, .to = {TO, 50}, .act = kind, .beta = 2.0f},
        {.kind = LFM_RT_ACT_BACK, .positions = 3, .channels = 37, .from = {GRADIENT, 50}, .to = {BACK, 40}}};
    run(steps, 2, false);
    for (int p = 0; p < 3; p++)
      for (int c = 0; c < 37; c++) {
        double slope;
        act_value_f64((lfm_act_kind)kind, 2.0, (double)space[FROM + p * 40 + c], &slope);
        double want = slope * (double)space[GRADIENT + p * 50 + c];
        assert_true(fabs((double)space[BACK + p * 40 + c] - want) <= 2e-6 * (1 + fabs(want)));
        assert_true(again[BACK + p * 40 + c] == space[BACK + p * 40 + c]);
      }
  }
}

enum { N_POSITIONS = 5, N_CHANNELS = 20, N_GROUPS = 4, N_EACH = N_CHANNELS / N_GROUPS };

/* sum of g y, of a norm with mish and FiLM (or none), in double. */
static double norm_product(double x[N_POSITIONS][N_CHANNELS], int film) {
  double sum = 0;
  for (int g = 0; g < N_GROUPS; g++) {
    double mean = 0, variance = 0;
    for (int p = 0; p < N_POSITIONS; p++)
      for (int c = g * N_EACH; c < (g + 1) * N_EACH; c++) mean += x[p][c] / (N_POSITIONS * N_EACH);
    for (int p = 0; p < N_POSITIONS; p++)
      for (int c = g * N_EACH; c < (g + 1) * N_EACH; c++) variance += pow(x[p][c] - mean, 2) / (N_POSITIONS * N_EACH);
    for (int p = 0; p < N_POSITIONS; p++)
      for (int c = g * N_EACH; c < (g + 1) * N_EACH; c++)
        sum += (double)space[GRADIENT + p * 32 + c] * (film ? (double)space[MORE + c] : 1.0) *
               mish_of((x[p][c] - mean) / sqrt(variance + 1e-5) * (double)constants[10 + c] + (double)constants[40 + c]);
  }
  return sum;
}

static void test_gradients_of_norms(void **state) {
  (void)state;
  for (int film = 0; film < 2; film++) {
    fill(NULL);
    const lfm_rt_step steps[] = {{.kind = LFM_RT_NORM,
                                  .positions = N_POSITIONS,
                                  .channels = N_CHANNELS,
                                  .from = {FROM, 32},
                                  .to = {TO, 32},
                                  .more = film ? MORE : -1,
                                  .groups = N_GROUPS,
                                  .scale = 10,
                                  .shift = 40},
                                 {.kind = LFM_RT_NORM_BACK,
                                  .positions = N_POSITIONS,
                                  .channels = N_CHANNELS,
                                  .from = {GRADIENT, 32},
                                  .to = {BACK, 32}}};
    run(steps, 2, false);
    double x[N_POSITIONS][N_CHANNELS];
    for (int p = 0; p < N_POSITIONS; p++)
      for (int c = 0; c < N_CHANNELS; c++) x[p][c] = (double)space[FROM + p * 32 + c];
    for (int p = 0; p < N_POSITIONS; p++)
      for (int c = 0; c < N_CHANNELS; c++) {
        const double h = 1e-5, at = x[p][c];
        x[p][c] = at + h;
        double slope = norm_product(x, film);
        x[p][c] = at - h;
        slope = (slope - norm_product(x, film)) / (2 * h);
        x[p][c] = at;
        assert_true(fabs((double)space[BACK + p * 32 + c] - slope) <= 5e-6 * (1 + fabs(slope)));
        assert_true(again[BACK + p * 32 + c] == space[BACK + p * 32 + c]);
      }
  }
}

/* ---- the chain ---------------------------------------------------------------------------------------------------- */

/* v = a x + given + t, with a one number: x' has a solution in closed form, and each block its own a. */
static void test_a_chain_is_integrated_from_noise_to_data(void **state) {
  (void)state;
  enum { STEPS = 64, X = 0, V = 100, GIVEN = 200, BASE = 300, TIMED = 400 };
  static const float a[2] = {0.5f, -0.75f};
  static const lfm_rt_method heun = {.stages = 2, .a = {{0}, {1}}, .b = {0.5f, 0.5f}};
  static float table[2][STEPS][2][LFM_RT_LANES], w[2][4 * LFM_RT_LANES];
  static const float zeros[LFM_RT_LANES];
  const lfm_rt_step steps[] = {{.kind = LFM_RT_CONV, /* base = given */
                                .positions = 1,
                                .channels = LFM_RT_LANES,
                                .from = {GIVEN, 16},
                                .to = {BASE, 16},
                                .stride = 1,
                                .taps = 1,
                                .in = 2,
                                .more = -1},
                               {.kind = LFM_RT_CONV, /* v = a x + timed */
                                .positions = 1,
                                .channels = LFM_RT_LANES,
                                .from = {X, 16},
                                .to = {V, 16},
                                .stride = 1,
                                .taps = 1,
                                .in = 2,
                                .weights = 2 * LFM_RT_LANES,
                                .bias = -1,
                                .more = TIMED}};
  const lfm_rt_field field = {.steps = steps,
                              .given_steps = 1,
                              .all_steps = 2,
                              .positions = 1,
                              .channels = 1,
                              .x = {X, 16},
                              .v = {V, 16},
                              .given = GIVEN,
                              .given_count = 1,
                              .base = BASE,
                              .timed = TIMED,
                              .timed_count = LFM_RT_LANES};
  lfm_rt_block block[2];
  memset(space, 0, sizeof space);
  for (int n = 0; n < 2; n++) {
    block[n] = (lfm_rt_block){w[n], zeros};
    w[n][0] = 1.0f, w[n][2 * LFM_RT_LANES] = a[n];
    for (int k = 0; k < STEPS; k++)
      for (int i = 0; i < 2; i++) table[n][k][i][0] = 1.0f - (float)(k + i) / STEPS;
  }
  const lfm_rt_chain chain = {.field = &field, .block = block, .blocks = 2};
  const lfm_rt_plan plan = {.method = heun, .steps = STEPS, .time = &table[0][0][0][0]};
  float x = 0.7f, given = 0.3f, room[3];
  double want = 0.7;
  for (int n = 1; n >= 0; n--) { /* back from t = 1: x = C e^{a t} - (given + t) / a - 1 / a^2 */
    double by = (double)a[n], c = (want + (0.3 + 1.0) / by + 1.0 / (by * by)) / exp(by);
    want = c - 0.3 / by - 1.0 / (by * by);
  }
  lfm_rt_generate(&chain, &plan, NULL, &given, &x, space, room);
  assert_true(fabs((double)x - want) < 1e-4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_convolutions_of_all_positions),
      cmocka_unit_test(test_a_whole_series),
      cmocka_unit_test(test_norms),
      cmocka_unit_test(test_activations_and_sums),
      cmocka_unit_test(test_gradients_of_activations),
      cmocka_unit_test(test_gradients_of_norms),
      cmocka_unit_test(test_a_chain_is_integrated_from_noise_to_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
