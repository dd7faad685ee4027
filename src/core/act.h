/* SPDX-License-Identifier: MIT
 *
 * act.h -- the activations and their derivatives, one number at a time; the loops of kernel/ and runtime/ inline them.
 * Where the derivative follows from the value (relu, elu, tanh, softplus) it is taken from there, so that a run keeps one
 * array a layer; silu, gelu and mish give theirs with the value, and a run keeps both.
 * float: straight-line arithmetic over core/vmath.h, so that loops become vector code whose tails have the bodies' bits;
 * errors below 2e-7 (1 + |x|).  double: the C library, as the oracle.
 */
#ifndef LFM_CORE_ACT_H
#define LFM_CORE_ACT_H

#include "core/vmath.h"

#include <math.h>

typedef enum lfm_act_kind {
  LFM_ACT_NONE,
  LFM_ACT_RELU,
  LFM_ACT_ELU,
  LFM_ACT_SILU,
  LFM_ACT_GELU,
  LFM_ACT_TANH,
  LFM_ACT_SOFTPLUS,
  LFM_ACT_MISH,
  LFM_ACTS
} lfm_act_kind;

/* softplus(x) = log(1 + e^{beta x}) / beta; beta is unused elsewhere.  gelu is the erf form (torch's default). */
typedef struct lfm_act {
  lfm_act_kind kind;
  double beta;
} lfm_act;

#if defined(__GNUC__)
#define LFM_INLINE static inline __attribute__((always_inline))
#else
#define LFM_INLINE static inline
#endif

LFM_INLINE float act_exp_f32(float x) { return lfm_expf(x); }
LFM_INLINE double act_exp_f64(double x) { return exp(x); }

/* The odd polynomial is Cephes' tanhf; beyond it 1 - 2 / (e^2x + 1) loses nothing. */
LFM_INLINE float act_tanh_f32(float x) {
  float size = fabsf(x), s = x * x;
  float far = 1.0f - 2.0f / (lfm_expf(2.0f * size) + 1.0f);
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  float near = p * s * x + x;
  return size < 0.625f ? near : copysignf(far, x);
}
LFM_INLINE double act_tanh_f64(double x) { return tanh(x); }

/* log(1 + e) for 0 <= e <= 1; the second term gives back what 1 + e rounds away. */
LFM_INLINE float act_log1p_f32(float e) {
  float w = 1.0f + e;
  return lfm_logf(w) - ((w - 1.0f) - e) / w;
}
LFM_INLINE double act_log1p_f64(double e) { return log1p(e); }

/* 1 - e^-u for u >= 0, by its series where the difference would lose digits. */
LFM_INLINE float act_one_less_exp_f32(float u) {
  float p = -1.0f / 720.0f;
  p = p * u + 1.0f / 120.0f;
  p = p * u - 1.0f / 24.0f;
  p = p * u + 1.0f / 6.0f;
  p = p * u - 0.5f;
  float near = p * u * u + u;
  return u < 0.25f ? near : 1.0f - lfm_expf(-u);
}
LFM_INLINE double act_one_less_exp_f64(double u) { return -expm1(-u); }

/* The normal distribution function: 1/2 + x P(x^2) / Q(x^2), to within 7e-9 before rounding (tools/fit_normal.py), and 0 or 1
 * where it is so to 2e-8.  Without an exponential, which only the slope takes, a value costs little more than half. */
LFM_INLINE float act_normal_f32(float x) {
  float s = x * x, p = 2.27493416e-8f, q = 1.19749997e-6f;
  p = p * s + 6.35207408e-6f, q = q * s + 7.36467174e-5f;
  p = p * s + 1.68823728e-4f, q = q * s + 1.88443396e-3f;
  p = p * s + 4.67724844e-3f, q = q * s + 2.86457753e-2f;
  p = p * s + 3.38524900e-2f, q = q * s + 2.51521527e-1f;
  p = p * s + 3.98942235e-1f, q = q * s + 1.0f;
  float near = 0.5f + x * p / q;
  return x < -5.5f ? 0.0f : x > 5.5f ? 1.0f : near;
}
LFM_INLINE double act_normal_f64(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

/* mish(x) = x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2).  [Misra 2020]  Beyond 20, n + 2 is n in both types
 * but for a factor that no digit shows, and its square has an end. */
#define LFM_MISH_END 20

/* One text for both types. */
#define LFM_ACT_FUNCTIONS(NUM, TAG)                                                                                          \
  /* act' from the value, where that tells it. */                                                                            \
  LFM_INLINE NUM act_slope_##TAG(lfm_act_kind kind, NUM beta, NUM y) {                                                       \
    switch (kind) {                                                                                                          \
    case LFM_ACT_RELU:                                                                                                       \
      return y > 0 ? (NUM)1 : (NUM)0;                                                                                        \
    case LFM_ACT_ELU:                                                                                                        \
      return y > 0 ? (NUM)1 : y + 1;                                                                                         \
    case LFM_ACT_TANH:                                                                                                       \
      return 1 - y * y;                                                                                                      \
    case LFM_ACT_SOFTPLUS:                                                                                                   \
      return act_one_less_exp_##TAG(beta * y);                                                                               \
    default:                                                                                                                 \
      return 1;                                                                                                              \
    }                                                                                                                        \
  }                                                                                                                          \
  /* act, and *slope = act'. */                                                                                              \
  LFM_INLINE NUM act_value_##TAG(lfm_act_kind kind, NUM beta, NUM x, NUM slope[1]) {                                         \
    NUM y = x;                                                                                                               \
    switch (kind) {                                                                                                          \
    case LFM_ACT_RELU:                                                                                                       \
      y = x < 0 ? (NUM)0 : x;                                                                                                \
      break;                                                                                                                 \
    case LFM_ACT_ELU:                                                                                                        \
      y = x > 0 ? x : act_exp_##TAG(x) - 1;                                                                                  \
      break;                                                                                                                 \
    case LFM_ACT_SILU: {                                                                                                     \
      NUM one_more = 1 + act_exp_##TAG(-x), sigmoid = 1 / one_more;                                                          \
      *slope = sigmoid * (1 + x * (1 - sigmoid));                                                                            \
      return x / one_more;                                                                                                   \
    }                                                                                                                        \
    case LFM_ACT_GELU: {                                                                                                     \
      NUM normal = act_normal_##TAG(x);                                                                                      \
      *slope = normal + x * (NUM)0.39894228040143267794 * act_exp_##TAG(x * x / -2);                                         \
      return x * normal;                                                                                                     \
    }                                                                                                                        \
    case LFM_ACT_MISH: {                                                                                                     \
      NUM e = act_exp_##TAG(x < LFM_MISH_END ? x : LFM_MISH_END), n = e * (e + 2), share = n / (n + 2);                      \
      *slope = share + x * (4 * e / (n + 2)) * ((1 + e) / (n + 2));                                                          \
      return x * share;                                                                                                      \
    }                                                                                                                        \
    case LFM_ACT_TANH:                                                                                                       \
      y = act_tanh_##TAG(x);                                                                                                 \
      break;                                                                                                                 \
    case LFM_ACT_SOFTPLUS: {                                                                                                 \
      NUM scaled = beta * x, size = scaled < 0 ? -scaled : scaled;                                                           \
      y = ((scaled > 0 ? scaled : 0) + act_log1p_##TAG(act_exp_##TAG(-size))) / beta;                                        \
      break;                                                                                                                 \
    }                                                                                                                        \
    default:                                                                                                                 \
      break;                                                                                                                 \
    }                                                                                                                        \
    *slope = act_slope_##TAG(kind, beta, y);                                                                                 \
    return y;                                                                                                                \
  }

LFM_ACT_FUNCTIONS(float, f32)
LFM_ACT_FUNCTIONS(double, f64)

#endif
