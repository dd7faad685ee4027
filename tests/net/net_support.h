/* SPDX-License-Identifier: MIT
 *
 * net_support.h -- what the tests of this room share: nets of every table, numbers of either type seen as doubles, and an
 * MLP written a second time, straight from its definition, in double, with one dual number a direction.
 */
#ifndef NET_SUPPORT_H
#define NET_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "net/net.h"

#define OK(call) assert_int_equal((call), LFM_OK)

static inline double number_at(const lfm_net *net, const void *array, int64_t i) {
  return lfm_net_number_size(net) == 4 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static inline void set_number(const lfm_net *net, void *array, int64_t i, double value) {
  if (lfm_net_number_size(net) == 4) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}

/* A fixed, uneven sequence in (-1, 1), exact in float: inputs that owe nothing to the library's generator. */
static inline double wobble(int64_t i, int salt) {
  uint64_t bits = ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u + (uint64_t)salt * 0xD1B54A32D192ED03u;
  bits ^= bits >> 29, bits *= 0xBF58476D1CE4E5B9u, bits ^= bits >> 32;
  return (double)(int64_t)(bits & 0xFFFF) / 32768.0 - 1.0;
}

static inline void fill_inputs(const lfm_net *net, lfm_run *run) {
  int64_t rows = lfm_run_rows(run), dim = lfm_net_dim(net);
  for (int64_t b = 0; b < rows && lfm_run_t(run); b++) set_number(net, lfm_run_t(run), b, 0.5 + 0.5 * wobble(b, 1));
  for (int64_t i = 0; i < rows * dim; i++) set_number(net, lfm_run_x(run), i, 2.0 * wobble(i, 2));
  int64_t classes = lfm_net_classes(net);
  for (int64_t i = 0; i < rows * lfm_net_given(net); i++)
    set_number(net, lfm_run_given(run), i, classes ? (double)(i % classes) : wobble(i, 4));
}

/* ---- the MLP again ------------------------------------------------------------------------------------------- */

typedef struct dual {
  double value, slope;
} dual;

static inline dual act_again(lfm_act act, dual z) {
  double x = z.value, y = x, d = 1;
  switch (act.kind) {
  case LFM_ACT_RELU:
    y = x > 0 ? x : 0, d = x > 0;
    break;
  case LFM_ACT_ELU:
    y = x > 0 ? x : expm1(x), d = x > 0 ? 1 : exp(x);
    break;
  case LFM_ACT_SILU:
    y = x / (1 + exp(-x)), d = (1 + exp(-x) + x * exp(-x)) / ((1 + exp(-x)) * (1 + exp(-x)));
    break;
  case LFM_ACT_GELU:
    y = 0.5 * x * (1 + erf(x / sqrt(2)));
    d = 0.5 * (1 + erf(x / sqrt(2))) + x * exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
    break;
  case LFM_ACT_TANH:
    y = tanh(x), d = 1 / (cosh(x) * cosh(x));
    break;
  case LFM_ACT_SOFTPLUS:
    y = log(1 + exp(act.beta * x)) / act.beta, d = 1 / (1 + exp(-act.beta * x));
    break;
  default:
    break;
  }
  return (dual){y, d * z.slope};
}

/* The mean of wave k over y ~ N(x, s(t)^2 I). */
static inline void wave_again(const lfm_mlp_config *c, double t, const double *x, int64_t k, int64_t direction, dual *sine,
                              dual *cosine) {
  const double pi = 3.14159265358979323846, golden = (sqrt(5.0) - 1.0) / 2.0;
  bool plane = c->dim == 2;
  double step = c->waves.count > 1 ? (double)(plane ? k : k / c->dim) / (double)(c->waves.count - 1) : 0.0;
  double number = pow(c->waves.finest, step), angle = pi * fmod(golden * (double)k, 1.0), phase = 0, along = 0;
  double by_time = c->waves.trig ? sin(pi / 2 * t) : t, noise = c->waves.noise > 0 ? c->waves.noise : by_time,
         mean = exp(-number * number * noise * noise / 2);
  for (int64_t j = 0; j < c->dim; j++) {
    double share = plane ? (j ? sin(angle) : cos(angle)) : (double)(k % c->dim == j);
    phase += number * share * fmax(fmin(x[j], LFM_WAVES_END), -LFM_WAVES_END);
    if (j == direction && fabs(x[j]) < LFM_WAVES_END) along = number * share;
  }
  *sine = (dual){mean * sin(phase), mean * cos(phase) * along};
  *cosine = (dual){mean * cos(phase), -mean * sin(phase) * along};
}

/* v [dim] of one row, and dv/dx_direction in the slopes; weights as doubles in the net's flat order. */
static inline void mlp_again(const lfm_mlp_config *c, const double *weights, double t, const double *given, const double *x,
                             int64_t direction, dual *v) {
  enum { MOST = 1024 };
  dual h[MOST], next[MOST];
  int64_t width = c->given + c->dim, waves = (c->dim == 2 ? 1 : c->dim) * c->waves.count;
  for (int64_t i = 0; i < c->given; i++) h[i] = (dual){given[i], 0};
  for (int64_t i = 0; i < c->dim; i++) h[c->given + i] = (dual){x[i], i == direction};
  for (int64_t k = 0; k < waves; k++) {
    dual *sine = &h[width + k], *cosine = &h[width + waves + k];
    wave_again(c, t, x, k, direction, sine, cosine);
  }
  width += 2 * waves;
  for (int layer = 0; layer <= c->num_hidden; layer++) {
    bool last = layer == c->num_hidden, with_t = layer == 0 || c->cat_t_all;
    int64_t out = last ? c->dim : c->hidden_dim, in = width + with_t;
    const double *bias = weights + out * in;
    for (int64_t o = 0; o < out; o++) {
      dual z = {bias[o], 0};
      if (with_t) z.value += weights[o * in] * t;
      for (int64_t i = 0; i < width; i++) {
        z.value += weights[o * in + with_t + i] * h[i].value;
        z.slope += weights[o * in + with_t + i] * h[i].slope;
      }
      next[o] = last ? z : act_again(c->act, z);
    }
    memcpy(h, next, (size_t)out * sizeof *h);
    weights = bias + out, width = out;
  }
  memcpy(v, h, (size_t)width * sizeof *v);
}

static inline double *weights_as_doubles(const lfm_net *net, const lfm_params *params) {
  int64_t count = lfm_net_param_count(net);
  double *out;
  OK(LFM_ALLOC(&out, count));
  for (int64_t i = 0; i < count; i++) out[i] = number_at(net, lfm_params_values(params), i);
  return out;
}

#endif
