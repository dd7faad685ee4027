/* SPDX-License-Identifier: MIT
 *
 * back.c -- see back.h.  With h = x^ scale + shift, x^ = (x - mean) / sd, y = times mish(h) + plus and a = dL/dx^:
 *   a = dL/dy times mish'(h) scale
 *   dL/dx = (a - mean of a - x^ mean of a x^) / sd, the means over a group
 * [Wu and He 2018, by the chain rule].  Mean and sd are made again: keeping them for each norm would save little.
 */
#include "runtime/back.h"

#include "runtime/norm.h"

/* Variances become 1 / sd. */
LFM_VECTOR static void invert(float *variance, int64_t channels) {
  LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) variance[c] = 1.0f / sqrtf(variance[c] + NORM_EPSILON);
}

/* The numbers of a norm's channels. */
typedef struct normed {
  const float *mean, *inverse, *scale, *shift;
  float *a, *ax; /* sums, then means: of a, of a x^ */
} normed;

/* to = what came from behind FiLM's factors. */
LFM_VECTOR static void through_film(const lfm_rt_step *s, const float *times, const float *from, float *to) {
  for (int64_t p = 0; p < s->positions; p++, from += s->from.row, to += s->to.row)
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) to[c] = from[c] * times[c];
}

/* to = a, and the sums of each channel. */
LFM_VECTOR static void through_mish(const lfm_rt_step *s, const normed *k, const float *x, int64_t x_row, const float *from,
                                    int64_t from_row, float *to) {
  LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) k->a[c] = k->ax[c] = 0.0f;
  for (int64_t p = 0; p < s->positions; p++, x += x_row, from += from_row, to += s->to.row)
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) {
      float slope, unit = (x[c] - k->mean[c]) * k->inverse[c];
      act_value_f32(LFM_ACT_MISH, 0.0f, unit * k->scale[c] + k->shift[c], &slope);
      float a = from[c] * slope * k->scale[c];
      to[c] = a;
      k->a[c] += a;
      k->ax[c] += a * unit;
    }
}

LFM_VECTOR static void through_moments(const lfm_rt_step *s, const normed *k, const float *x, int64_t x_row, float *to) {
  for (int64_t p = 0; p < s->positions; p++, x += x_row, to += s->to.row)
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) {
      float unit = (x[c] - k->mean[c]) * k->inverse[c];
      to[c] = (to[c] - k->a[c] - unit * k->ax[c]) * k->inverse[c];
    }
}

LFM_RT_API void lfm_rt_norm_back(const lfm_rt_field *field, const lfm_rt_step *s, const lfm_rt_block *block, float *space) {
  const lfm_rt_step *of = &field->steps[s->of];
  int64_t each = of->channels / of->groups, from_row = s->from.row;
  float count = (float)(of->positions * each), *room = space + field->room;
  float *mean = room, *inverse = room + s->channels;
  const float *x = space + of->from.at, *from = space + s->from.at;
  float *to = space + s->to.at;
  const normed k = {.mean = mean,
                    .inverse = inverse,
                    .scale = block->constants + of->scale,
                    .shift = block->constants + of->shift,
                    .a = room + 2 * s->channels,
                    .ax = room + 3 * s->channels};
  moments(of, x, mean, inverse);
  invert(inverse, s->channels);
  if (of->more >= 0) {
    through_film(s, space + of->more, from, to);
    from = to, from_row = s->to.row;
  }
  through_mish(s, &k, x, of->from.row, from, from_row, to);
  share_in_groups(k.a, s->channels, of->groups, count);
  share_in_groups(k.ax, s->channels, of->groups, count);
  through_moments(s, &k, x, of->from.row, to);
}

LFM_VECTOR static void act_back(const lfm_rt_field *field, const lfm_rt_step *s, float *space) {
  const lfm_rt_step *of = &field->steps[s->of];
  for (int64_t p = 0; p < s->positions; p++) {
    const float *x = space + of->from.at + p * of->from.row, *from = space + s->from.at + p * s->from.row;
    float *to = space + s->to.at + p * s->to.row;
    for (int64_t c = 0; c < s->channels; c++) {
      float slope;
      act_value_f32((lfm_act_kind)of->act, of->beta, x[c], &slope);
      to[c] = from[c] * slope;
    }
  }
}

LFM_RT_API void lfm_rt_act_back(const lfm_rt_field *field, const lfm_rt_step *s, float *space) { act_back(field, s, space); }

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* Where, in numbers, the weight stands by which step s multiplies channel i of tap k for channel o. */
static int64_t index_of(const lfm_rt_step *s, bool half, int64_t o, int64_t k, int64_t i) {
  int64_t line = (o / LFM_RT_LANES * s->taps + k) * s->in + i, lane = o % LFM_RT_LANES;
  return s->weights + (half ? (line / 2 * LFM_RT_LANES + lane) * 2 + line % 2 : line * LFM_RT_LANES + lane);
}

static void turn(const lfm_rt_step *to, const lfm_rt_step *from, bool half, char *weights) {
  size_t size = half ? sizeof(uint16_t) : sizeof(float);
  for (int64_t o = 0; o < to->channels && o < from->in; o++)
    for (int64_t k = 0; k < to->taps; k++)
      for (int64_t i = 0; i < to->in; i++)
        memcpy(weights + (size_t)index_of(to, half, o, k, i) * size,
               weights + (size_t)index_of(from, half, i, to->tap - k * to->tap_step, o) * size, size);
}

LFM_RT_API void lfm_rt_turn(const lfm_rt_field *field, bool half, void *weights) {
  for (int64_t i = field->all_steps; i < field->back_steps; i++)
    if (field->steps[i].kind == LFM_RT_CONV) turn(&field->steps[i], &field->steps[field->steps[i].of], half, weights);
}
