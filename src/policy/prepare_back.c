/* SPDX-License-Identifier: MIT
 *
 * prepare_back.c -- the gradient with respect to x as further steps, from the last one back to x.
 *
 * Every array has a mirror, its gradient's, in the same form, so zeros around a series are there again.  The gradient of a
 * convolution is one more, whose input is what was the output's mirror.  Of stride s it is s of them, each for every s-th
 * position: with y[p] = sum over k of w[k] x[s p + k - b] it is gx[s m + r] = sum over k of w[k]^T gy[m + (r + b - k) / s],
 * over the taps k for which that is whole.  It is the machine's own convolution each time, so it is as fast as the step that
 * it belongs to, and its sums have an order as fixed.
 */
#include "policy/prepare_internal.h"

static lfm_rt_place mirror_of(const lfm_prepared *p, lfm_rt_place place) {
  return (lfm_rt_place){place.at + p->field.mirror, place.row};
}

static int64_t reach_of(const lfm_prepared *p, int64_t step) {
  for (int64_t i = 0; i < p->source_count; i++)
    if (p->sources[i].step == step) return p->sources[i].before;
  return 0;
}

/* Of positions r, r + stride, ... of what step `of` reads. */
static void conv_back(lfm_prepared *p, int64_t of, int64_t r) {
  const lfm_rt_step *s = &p->steps[of];
  int64_t before = reach_of(p, of), last = s->taps - 1;
  last -= (last + 2 * s->stride - r - before % s->stride) % s->stride; /* the last tap that meets these positions */
  lfm_rt_place from = mirror_of(p, s->to), to = mirror_of(p, s->from);
  from.at += (r + before - last) / s->stride * from.row;
  to.at += (before + r) * to.row;
  to.row *= s->stride;
  lfm_rt_step back = {.kind = LFM_RT_CONV,
                      .positions = s->positions,
                      .channels = lfm_whole_vectors(s->in),
                      .from = from,
                      .to = to,
                      .stride = 1,
                      .taps = last / s->stride + 1,
                      .in = s->channels,
                      .weights = p->weights,
                      .bias = -1,
                      .adds = true,
                      .is_series = s->is_series,
                      .more = -1,
                      .of = of,
                      .tap = last,
                      .tap_step = s->stride};
  p->weights += back.channels * back.taps * back.in;
  p->turned += back.channels * back.taps * back.in;
  lfm_prepare_step(p, back);
}

static void step_back(lfm_prepared *p, int64_t of) {
  const lfm_rt_step s = p->steps[of];
  static const lfm_rt_kind kind[] = {
      [LFM_RT_NORM] = LFM_RT_NORM_BACK, [LFM_RT_ACT] = LFM_RT_ACT_BACK, [LFM_RT_ADD] = LFM_RT_ADD};
  if (s.kind == LFM_RT_CONV) {
    for (int64_t r = 0; r < s.stride; r++) conv_back(p, of, r);
    return;
  }
  lfm_prepare_step(p, (lfm_rt_step){.kind = kind[s.kind],
                                    .positions = s.positions,
                                    .channels = s.channels,
                                    .from = mirror_of(p, s.to),
                                    .to = mirror_of(p, s.from),
                                    .of = of});
}

void lfm_prepare_back(lfm_prepared *p) {
  lfm_rt_field *f = &p->field;
  int64_t first = f->x.at - p->margin * f->x.row; /* x is the first array that has a gradient */
  f->back = p->floats, f->back_floats = p->floats - first;
  f->mirror = f->back - first;
  p->floats += f->back_floats;
  for (int64_t i = f->all_steps - 1; i >= f->given_steps; i--) step_back(p, i);
}
