/* SPDX-License-Identifier: MIT
 *
 * runtime.c -- see runtime.h.
 */
#include "runtime/back.h"
#include "runtime/conv.h"
#include "runtime/guide.h"
#include "runtime/norm.h"

#include <math.h>
#include <string.h>

static lfm_rt_conv conv_of(const lfm_rt_step *s, const lfm_rt_block *block, bool half, float *space) {
  int64_t size = (int64_t)lfm_rt_size(half);
  return (lfm_rt_conv){.weights = (const char *)block->weights + s->weights * size,
                       .vector = s->taps * s->in * LFM_RT_LANES * size,
                       .from = space + s->from.at,
                       .bias = s->bias < 0 ? NULL : block->constants + s->bias,
                       .more = s->more < 0 ? NULL : space + s->more,
                       .to = space + s->to.at,
                       .from_row = s->from.row,
                       .to_row = s->to.row,
                       .position = s->stride * s->from.row,
                       .taps = s->taps,
                       .in = s->in,
                       .adds = s->adds,
                       .is_series = s->is_series};
}

/* ---- what is between them ----------------------------------------------------------------------------------------- */

/* The activations that a norm, or a step, may end with; `kind` is a constant where this is called. */
static inline float act(lfm_act_kind kind, float beta, float x) {
  float slope;
  return act_value_f32(kind, beta, x, &slope);
}

LFM_VECTOR static void run_act(const lfm_rt_step *s, float *space) {
  for (int64_t p = 0; p < s->positions; p++) {
    const float *from = space + s->from.at + p * s->from.row;
    float *to = space + s->to.at + p * s->to.row;
#define CASE(KIND)                                                                                                           \
  case KIND:                                                                                                                 \
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) to[c] = act(KIND, s->beta, from[c]);                           \
    break;
    switch ((lfm_act_kind)s->act) {
      CASE(LFM_ACT_RELU)
      CASE(LFM_ACT_ELU)
      CASE(LFM_ACT_SILU)
      CASE(LFM_ACT_GELU)
      CASE(LFM_ACT_TANH)
      CASE(LFM_ACT_SOFTPLUS)
      CASE(LFM_ACT_MISH)
    default:
      break;
    }
#undef CASE
  }
}

LFM_VECTOR static void run_add(const lfm_rt_step *s, float *space) {
  for (int64_t p = 0; p < s->positions; p++) {
    const float *from = space + s->from.at + p * s->from.row;
    float *to = space + s->to.at + p * s->to.row;
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) to[c] += from[c];
  }
}

/* Mean and variance of every channel's group become what a number is multiplied by and what is added. */
LFM_VECTOR static void fold(float *mean, float *variance, const float *scale, const float *shift, int64_t channels) {
  LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) {
    float factor = scale[c] / sqrtf(variance[c] + NORM_EPSILON);
    mean[c] = shift[c] - mean[c] * factor;
    variance[c] = factor;
  }
}

/* And mish behind it, the one activation that networks with norms here have. */
LFM_VECTOR static void norm_and_mish(const lfm_rt_step *s, float *to, const float *from, const float *factor,
                                     const float *offset) {
  for (int64_t p = 0; p < s->positions; p++, from += s->from.row, to += s->to.row)
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) to[c] =
        act(LFM_ACT_MISH, 0.0f, from[c] * factor[c] + offset[c]);
}

/* A loop of its own: where a norm has no film, a condition in the loop above becomes masked loads from no address, each of
 * which a processor takes hundreds of cycles to forgive. */
LFM_VECTOR static void film(const lfm_rt_step *s, float *to, const float *times, const float *plus) {
  for (int64_t p = 0; p < s->positions; p++, to += s->to.row)
    LFM_ELEMENTWISE for (int64_t c = 0; c < s->channels; c++) to[c] = times[c] * to[c] + plus[c];
}

static void run_norm(const lfm_rt_field *field, const lfm_rt_step *s, const lfm_rt_block *block, float *space) {
  float *mean = space + field->room, *variance = mean + s->channels;
  const float *from = space + s->from.at;
  moments(s, from, mean, variance);
  fold(mean, variance, block->constants + s->scale, block->constants + s->shift, s->channels);
  norm_and_mish(s, space + s->to.at, from, variance, mean);
  if (s->more >= 0) film(s, space + s->to.at, space + s->more, space + s->more + s->channels);
}

/* ---- a field ------------------------------------------------------------------------------------------------------ */

static void run_steps(const lfm_rt_field *field, int64_t first, int64_t end, const lfm_rt_block *block, bool half,
                      float *space) {
  for (int64_t i = first; i < end; i++) {
    const lfm_rt_step *s = &field->steps[i];
    switch (s->kind) {
    case LFM_RT_CONV:
      lfm_rt_convolve(conv_of(s, block, half, space), s->positions, s->channels / LFM_RT_LANES, half);
      break;
    case LFM_RT_NORM:
      run_norm(field, s, block, space);
      break;
    case LFM_RT_ACT:
      run_act(s, space);
      break;
    case LFM_RT_ADD:
      run_add(s, space);
      break;
    case LFM_RT_NORM_BACK:
      lfm_rt_norm_back(field, s, block, space);
      break;
    case LFM_RT_ACT_BACK:
      lfm_rt_act_back(field, s, space);
      break;
    }
  }
}

LFM_RT_API void lfm_rt_give(const lfm_rt_field *field, const lfm_rt_block *block, bool half, float *space) {
  run_steps(field, 0, field->given_steps, block, half, space);
}

LFM_RT_API void lfm_rt_velocity(const lfm_rt_field *field, const lfm_rt_block *block, bool half, const float *time,
                                float *space) {
  for (int64_t i = 0; i < field->timed_count; i++) space[field->timed + i] = space[field->base + i] + time[i];
  run_steps(field, field->given_steps, field->all_steps, block, half, space);
}

/* x, v, or a gradient between a plain array [positions, channels] and its place. */
static void put(const lfm_rt_field *field, lfm_rt_place place, float *space, const float *x) {
  for (int64_t p = 0; p < field->positions; p++)
    memcpy(space + place.at + p * place.row, x + p * field->channels, (size_t)field->channels * sizeof *x);
}

static void get(const lfm_rt_field *field, lfm_rt_place place, const float *space, float *x) {
  for (int64_t p = 0; p < field->positions; p++)
    memcpy(x + p * field->channels, space + place.at + p * place.row, (size_t)field->channels * sizeof *x);
}

/* Gradients of what several steps read are summed up from zero. */
LFM_RT_API void lfm_rt_back(const lfm_rt_field *field, const lfm_rt_block *block, bool half, float *g, float *space) {
  lfm_rt_place v = {field->v.at + field->mirror, field->v.row}, x = {field->x.at + field->mirror, field->x.row};
  memset(space + field->back, 0, (size_t)field->back_floats * sizeof *space);
  put(field, v, space, g);
  run_steps(field, field->all_steps, field->back_steps, block, half, space);
  get(field, x, space, g);
}

/* ---- a chain ------------------------------------------------------------------------------------------------------ */

/* Where in the plan a step stands. */
typedef struct station {
  int64_t block, step;
} station;

/* One step of length -1 / steps, in room [(stages + 1), numbers], with a guide one more. */
static void step(const lfm_rt_chain *chain, const lfm_rt_plan *plan, const lfm_rt_guide *guide, station where, float *x,
                 float *space, float *room) {
  const lfm_rt_field *field = chain->field;
  const lfm_rt_method *m = &plan->method;
  int64_t numbers = field->positions * field->channels, stage = where.step * m->stages;
  int64_t planned = where.block * plan->steps * m->stages + stage;
  float h = -1.0f / (float)plan->steps, *at = room + m->stages * numbers;
  for (int64_t i = 0; i < m->stages; i++, stage++, planned++) {
    float *v = room + i * numbers;
    memcpy(at, x, (size_t)numbers * sizeof *x);
    for (int64_t j = 0; j < i; j++)
      if (m->a[i][j] != 0.0f)
        for (int64_t k = 0; k < numbers; k++) at[k] += h * m->a[i][j] * room[j * numbers + k];
    put(field, field->x, space, at);
    lfm_rt_velocity(field, &chain->block[where.block], chain->half, plan->time + planned * field->timed_count, space);
    get(field, field->v, space, v);
    if (!guide) continue;
    const lfm_rt_way way = {plan->of_x[stage], plan->of_v[stage], plan->pull[planned]};
    lfm_rt_steer(chain, guide, where.block, &way, at, v, space, at + numbers);
  }
  for (int64_t i = 0; i < m->stages; i++)
    for (int64_t k = 0; k < numbers; k++) x[k] += h * m->b[i] * room[i * numbers + k];
}

LFM_RT_API void lfm_rt_generate(const lfm_rt_chain *chain, const lfm_rt_plan *plan, const lfm_rt_guide *guide,
                                const float *given, float *x, float *space, float *room) {
  const lfm_rt_field *field = chain->field;
  memcpy(space + field->given, given, (size_t)field->given_count * sizeof *given);
  for (int64_t n = chain->blocks - 1; n >= 0; n--) {
    lfm_rt_give(field, &chain->block[n], chain->half, space);
    for (int64_t k = 0; k < plan->steps; k++) step(chain, plan, guide, (station){n, k}, x, space, room);
  }
}
