/* SPDX-License-Identifier: MIT
 *
 * test_vmath.c -- exp, log, sine and cosine against long double libm over their whole ranges; a vectorised loop gives the
 * bits of one call at a time, whatever the instruction set; the edges of the ranges.
 */
#include "core/vmath.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

/* The strides are odd numbers near 2^32 / 10^6: about a million floats a function, spread over all exponents. */
enum { STRIDE = 4099 };

/* The distance between floats at |value|. */
static long double ulp(long double value) {
  int exponent;
  frexpl(fabsl(value) < 0x1p-126L ? 0x1p-126L : value, &exponent);
  return ldexpl(1.0L, exponent - 24);
}

static void exp_is_within_one_ulp(void **state) {
  (void)state;
  long double worst = 0.0L;
  for (uint32_t bits = 0; bits <= 0x42B00000u; bits += STRIDE) { /* 0 .. 88 */
    for (uint32_t sign = 0; sign < 2; sign++) {
      float x = lfm_bits_to_f32(bits | sign << 31);
      if (x < -87.33654f) continue;
      long double truth = expl((long double)x), error = fabsl((long double)lfm_expf(x) - truth) / ulp(truth);
      if (error > worst) worst = error;
    }
  }
  assert_true(worst < 0.992L);
  assert_true(worst > 0.5L); /* or the measure measures nothing */
}

static void log_is_within_one_ulp(void **state) {
  (void)state;
  long double worst = 0.0L;
  for (uint32_t bits = 0x00800000u; bits < 0x7F800000u; bits += STRIDE) {
    float x = lfm_bits_to_f32(bits);
    long double truth = logl((long double)x), error = fabsl((long double)lfm_logf(x) - truth) / ulp(truth);
    if (error > worst) worst = error;
  }
  assert_true(worst < 0.830L);
  assert_true(worst > 0.5L);
}

static void log_near_one_has_the_right_sign(void **state) {
  (void)state;
  assert_true(lfm_logf(1.0f) == 0.0f);
  for (uint32_t i = 1; i < 200000; i++) { /* the radius of a normal takes the root of -2 ln u */
    assert_true(lfm_logf(lfm_bits_to_f32(0x3F800000u - i)) < 0.0f);
    assert_true(lfm_logf(lfm_bits_to_f32(0x3F800000u + i)) > 0.0f);
  }
}

static void sine_and_cosine_are_within_their_bound(void **state) {
  (void)state;
  const long double turn = 2.0L * 3.14159265358979323846264338327950288L;
  for (uint32_t i = 0; i <= 1u << 24; i += 13) { /* every 13th of the angles of a normal, and the end */
    float u = (float)(i + 13 > 1u << 24 ? 1u << 24 : i) * 0x1p-24f, sine = 9.0f, cosine = 9.0f;
    lfm_sincos_turn(u, &sine, &cosine);
    assert_true(fabsl((long double)sine - sinl(turn * (long double)u)) < 1.08e-7L);
    assert_true(fabsl((long double)cosine - cosl(turn * (long double)u)) < 1.08e-7L);
  }
  const float quarters[5][3] = {{0.0f, 0, 1}, {0.25f, 1, 0}, {0.5f, 0, -1}, {0.75f, -1, 0}, {1.0f, 0, 1}};
  for (int i = 0; i < 5; i++) {
    float sine, cosine;
    lfm_sincos_turn(quarters[i][0], &sine, &cosine);
    assert_true(sine == quarters[i][1] && cosine == quarters[i][2]);
  }
}

static void edges(void **state) {
  (void)state;
  assert_true(lfm_expf(0.0f) == 1.0f && lfm_expf(-0.0f) == 1.0f);
  assert_true(lfm_expf(0x1p-140f) == 1.0f && lfm_expf(-0x1p-149f) == 1.0f); /* denormals in */
  assert_true(lfm_expf(-87.4f) == 0.0f && lfm_expf(-1e30f) == 0.0f && lfm_expf(-INFINITY) == 0.0f);
  assert_true(lfm_expf(-87.3f) >= 0x1p-126f); /* denormals do not come out */
  float largest = lfm_expf(88.0f);
  assert_true(isfinite(largest) && lfm_expf(89.0f) == largest && lfm_expf(INFINITY) == largest);
  assert_true(isnan(lfm_expf(NAN)) && isnan(lfm_expf(-NAN)));
  assert_true(isnan(lfm_expf(lfm_bits_to_f32(0x7F800001u))) && isnan(lfm_expf(lfm_bits_to_f32(0xFFFFFFFFu))));
  assert_true(fabsf(lfm_logf(0x1p-126f) + 87.33655f) < 1e-5f);
  assert_true(fabsf(lfm_logf(3.4028235e38f) - 88.72284f) < 1e-5f);
  float sine, cosine;
  lfm_sincos_turn(NAN, &sine, &cosine);
  assert_true(isnan(sine) && isnan(cosine));
}

/* ---- a loop gives the bits of a call ------------------------------------------------------------------------ */

typedef struct four {
  float exp, log, sine, cosine;
} four;

/* One lane: all of vmath.h, and the root that a normal takes. */
static inline four lane(float x) {
  four out = {.exp = lfm_expf((x - 0.5f) * 200.0f), .log = __builtin_sqrtf(-2.0f * lfm_logf(x))};
  lfm_sincos_turn(x, &out.sine, &out.cosine);
  return out;
}

__attribute__((noinline)) static four one_call(float x) { return lane(x); }

#define LOOP(name, attribute)                                                                                                \
  attribute static void name(float *restrict e, float *restrict l, float *restrict s, float *restrict c,                     \
                             const float *restrict x, size_t n) {                                                            \
    for (size_t i = 0; i < n; i++) {                                                                                         \
      four out = lane(x[i]);                                                                                                 \
      e[i] = out.exp;                                                                                                        \
      l[i] = out.log;                                                                                                        \
      s[i] = out.sine;                                                                                                       \
      c[i] = out.cosine;                                                                                                     \
    }                                                                                                                        \
  }

typedef void (*loop_fn)(float *restrict, float *restrict, float *restrict, float *restrict, const float *restrict, size_t);

LOOP(loop_chosen, LFM_VECTOR)
LOOP(loop_baseline, __attribute__((noinline)))
#if defined(__x86_64__)
LOOP(loop_avx2, __attribute__((target("avx2"))))
LOOP(loop_v4, __attribute__((target("arch=x86-64-v4"))))
#endif

enum { MOST = 1027 };

static void assert_bits(float a, float b) { assert_int_equal(lfm_f32_to_bits(a), lfm_f32_to_bits(b)); }

static void check_loop(loop_fn loop) {
  static float x[MOST], e[MOST], l[MOST], s[MOST], c[MOST];
  const size_t lengths[] = {1, 2, 3, 5, 7, 8, 9, 15, 17, 31, 33, 63, 65, 127, 255, MOST};
  uint32_t word = 12345;
  for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
    for (size_t i = 0; i < lengths[k]; i++) {
      word = word * 1664525u + 1013904223u;
      x[i] = ((float)(int32_t)(word >> 1) + 0.5f) * 0x1p-31f;
      e[i] = l[i] = s[i] = c[i] = NAN;
    }
    loop(e, l, s, c, x, lengths[k]);
    for (size_t i = 0; i < lengths[k]; i++) {
      four alone = one_call(x[i]);
      assert_bits(e[i], alone.exp);
      assert_bits(l[i], alone.log);
      assert_bits(s[i], alone.sine);
      assert_bits(c[i], alone.cosine);
    }
  }
}

static void loops_of_all_instruction_sets_give_the_bits_of_a_call(void **state) {
  (void)state;
  check_loop(loop_chosen);
  check_loop(loop_baseline);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) check_loop(loop_avx2);
  bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (v4) check_loop(loop_v4);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exp_is_within_one_ulp),
      cmocka_unit_test(log_is_within_one_ulp),
      cmocka_unit_test(log_near_one_has_the_right_sign),
      cmocka_unit_test(sine_and_cosine_are_within_their_bound),
      cmocka_unit_test(edges),
      cmocka_unit_test(loops_of_all_instruction_sets_give_the_bits_of_a_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
