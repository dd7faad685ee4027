/* SPDX-License-Identifier: MIT
 *
 * guide.c -- see guide.h.
 */
#include "runtime/guide.h"

#include "core/vmath.h"

LFM_RT_API void lfm_rt_soft_mask(int64_t frozen, int64_t overlap, int64_t steps, int64_t width, float *weight) {
  const float e = 2.71828183f;
  for (int64_t i = 0; i < steps; i++) {
    float c = (float)(overlap - i) / (float)(overlap - frozen + 1);
    float w = i < frozen ? 1.0f : i < overlap ? c * (lfm_expf(c) - 1.0f) / (e - 1.0f) : 0.0f;
    for (int64_t j = 0; j < width; j++) weight[i * width + j] = w;
  }
}

/* diag(W) (Y - A^1) of number i: the border where x and v lead to, and of that the chunk's mean, keeps times as much. */
static float fault(const lfm_rt_guide *guide, float keeps, const lfm_rt_way *way, const float *x, const float *v, int64_t i) {
  return keeps * guide->weight[i] * (guide->target[i] - keeps * (way->of_x * x[i] - way->of_v * v[i]));
}

LFM_RT_API void lfm_rt_steer(const lfm_rt_chain *chain, const lfm_rt_guide *guide, int64_t n, const lfm_rt_way *way,
                             const float *x, float *v, float *space, float *g) {
  int64_t numbers = chain->field->positions * chain->field->channels;
  float keeps = chain->keeps[n], strength = way->pull < guide->most ? way->pull : guide->most;
  for (int64_t i = 0; i < numbers; i++) g[i] = -way->of_v * fault(guide, keeps, way, x, v, i);
  lfm_rt_back(chain->field, &chain->block[n], chain->half, g, space);
  for (int64_t i = 0; i < numbers; i++) v[i] -= strength * (way->of_x * fault(guide, keeps, way, x, v, i) + g[i]);
}
