/* SPDX-License-Identifier: MIT
 *
 * interpolant.c -- the four coefficients at one time.
 */
#include "flow/interpolant.h"

#include "core/vmath.h"

lfm_interpolant lfm_interpolant_at(lfm_interp kind, double t) {
  if (kind == LFM_INTERP_LINEAR) return (lfm_interpolant){.a = (float)(1.0 - t), .b = (float)t, .da = -1.0f, .db = 1.0f};
  const float half_pi = 1.57079632679f;
  float sine, cosine;
  lfm_sincos_turn((float)t * 0.25f, &sine, &cosine);
  return (lfm_interpolant){.a = cosine, .b = sine, .da = -half_pi * sine, .db = half_pi * cosine};
}
