/* SPDX-License-Identifier: MIT
 *
 * update.c -- lanes summed, Adam, and the moving average, a pass each over a range that stays in the first-level cache.
 * The arithmetic of Adam is torch's, operation for operation [Kingma and Ba 2015, with torch's order of the corrections].
 */
#include "kernel/update.h"
#include "core/vmath.h"
#include <math.h>

/* Two levels of the tree in one pass: (to + a) + (b + c), where c, or b and c, may be missing. */
LFM_VECTOR static void add_four(float *restrict to, const float *restrict a, const float *restrict b, const float *restrict c,
                                size_t count) {
  if (c)
    for (size_t i = 0; i < count; i++) to[i] = (to[i] + a[i]) + (b[i] + c[i]);
  else if (b)
    for (size_t i = 0; i < count; i++) to[i] = (to[i] + a[i]) + b[i];
  else
    for (size_t i = 0; i < count; i++) to[i] += a[i];
}

LFM_VECTOR static double sum_of_squares(const float *g, size_t count) {
  double sum[16] = {0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t j = 0; j < 16; j++) sum[j] += (double)g[i + j] * (double)g[i + j];
  for (size_t j = 0; i < count; i++, j++) sum[j] += (double)g[i] * (double)g[i];
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

double lfm_update_sum_lanes(float *const *lanes, int count_of_lanes, size_t first, size_t count) {
  for (int stride = 1; stride < count_of_lanes; stride *= 4)
    for (int lane = 0; lane + stride < count_of_lanes; lane += 4 * stride) {
      int b = lane + 2 * stride, c = lane + 3 * stride;
      add_four(lanes[lane] + first, lanes[lane + stride] + first, b < count_of_lanes ? lanes[b] + first : NULL,
               c < count_of_lanes ? lanes[c] + first : NULL, count);
    }
  return sum_of_squares(lanes[0] + first, count);
}

LFM_VECTOR static void adam(float *restrict w, float *restrict m, float *restrict v, const float *restrict g, size_t count,
                            lfm_adam c) {
  for (size_t i = 0; i < count; i++) {
    float weight = w[i] * c.decay_weight;
    float gradient = g[i] * c.grad_scale + weight * c.decay_grad;
    m[i] = c.beta1 * m[i] + c.one_less_beta1 * gradient;
    v[i] = c.beta2 * v[i] + c.one_less_beta2 * (gradient * gradient);
    float root = sqrtf(v[i]) / c.root_correction2 + c.eps;
    w[i] = weight - c.step_size * (m[i] / root);
  }
}

void lfm_update_adam(float *w, float *m, float *v, const float *g, size_t count, const lfm_adam *constants) {
  adam(w, m, v, g, count, *constants);
}

LFM_VECTOR static void average(float *restrict ema, const float *restrict w, size_t count, float share) {
  for (size_t i = 0; i < count; i++) ema[i] += share * (w[i] - ema[i]);
}

void lfm_update_average(float *ema, const float *w, size_t count, double decay) {
  average(ema, w, count, (float)(1.0 - decay));
}
