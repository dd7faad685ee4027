/* SPDX-License-Identifier: MIT
 *
 * prepare.c -- see prepare.h: what is the same for all networks.
 *
 * What the control loop would have to ask is answered here.  An array has as many zeros around it as the convolutions reach,
 * so no tap asks where the series ends.  Channels are filled up to whole vectors with weights of zero.  And all that the
 * network makes of t and of what is given, before they meet x, are sums of two terms: the given one is made once a chunk, by
 * one product, the timed one is a table over the times at which the plan evaluates.
 */
#include "policy/prepare_internal.h"

#include "core/alloc.h"
#include "core/order.h"
#include "kernel/bf16.h"
#include "runtime/back.h"

#include <stdio.h>
#include <string.h>

enum { LANES = LFM_RT_LANES };

int64_t lfm_whole_vectors(int64_t channels) { return lfm_rounded_up(channels, LANES); }

static void set_name(char to[LFM_PREPARED_NAME], const char *name) { snprintf(to, LFM_PREPARED_NAME, "%s", name); }

/* ---- steps -------------------------------------------------------------------------------------------------------- */

lfm_rt_place lfm_prepare_array(lfm_prepared *p, int64_t positions, int64_t channels) {
  int64_t row = lfm_whole_vectors(channels), at = p->floats + p->margin * row;
  p->floats += (positions + 2 * p->margin) * row;
  return (lfm_rt_place){at, row};
}

lfm_rt_place lfm_prepare_kept(lfm_prepared *p, lfm_rt_place to, int64_t positions, int64_t channels) {
  return p->back ? lfm_prepare_array(p, positions, channels) : to;
}

/* Beyond the last there is room for one that is overwritten; lfm_prepare_finish says so. */
lfm_rt_step *lfm_prepare_step(lfm_prepared *p, lfm_rt_step step) {
  int64_t at = p->step_count < LFM_PREPARED_STEPS ? p->step_count : LFM_PREPARED_STEPS - 1;
  p->step_count++;
  p->steps[at] = step;
  return &p->steps[at];
}

static lfm_source *add_source(lfm_prepared *p, const char *name, lfm_source source) {
  int64_t at = p->source_count < LFM_PREPARED_STEPS ? p->source_count : LFM_PREPARED_STEPS - 1;
  p->source_count++;
  p->sources[at] = source;
  set_name(p->sources[at].name, name);
  return &p->sources[at];
}

lfm_source *lfm_prepare_conv(lfm_prepared *p, const char *name, lfm_rt_step step, int64_t in, int64_t out) {
  step.kind = LFM_RT_CONV;
  step.channels = lfm_whole_vectors(out);
  step.in = lfm_rounded_up(step.in, 2);
  step.weights = p->weights;
  lfm_source source = {.step = p->step_count,
                       .out = out,
                       .all_in = in,
                       .all_out = out,
                       .in = {in},
                       .all_taps = step.taps,
                       .weights = p->weights,
                       .bias = -1,
                       .written = step.channels};
  for (int k = 0; k < step.taps && k < LFM_PREPARED_TAPS; k++) source.tap[k] = k;
  if (step.bias >= 0) {
    source.bias = step.bias = p->constants;
    p->constants += step.channels;
  }
  p->weights += step.channels * step.taps * step.in;
  lfm_prepare_step(p, step);
  return add_source(p, name, source);
}

void lfm_prepare_norm(lfm_prepared *p, const char *name, lfm_rt_step step) {
  step.kind = LFM_RT_NORM;
  step.scale = p->constants, step.shift = step.scale + step.channels;
  p->constants += 2 * step.channels;
  add_source(p, name, (lfm_source){.is_norm = true, .step = p->step_count, .out = step.channels});
  lfm_prepare_step(p, step);
}

lfm_timed_map *lfm_prepare_timed(lfm_prepared *p, const char *name, int64_t out, int64_t *at) {
  lfm_timed_map *map = &p->maps[p->map_count < LFM_PREPARED_MAPS ? p->map_count : LFM_PREPARED_MAPS - 1];
  *map = (lfm_timed_map){.out = out};
  set_name(map->name, name);
  if (p->map_count > 0) map->at = map[-1].at + lfm_whole_vectors(map[-1].out);
  p->map_count++;
  *at = p->field.timed + map->at;
  return map;
}

void lfm_prepare_given(lfm_prepared *p, int64_t given, int64_t timed, bool mish) {
  lfm_rt_place base = lfm_prepare_array(p, 1, timed), sum = lfm_prepare_array(p, 1, timed);
  lfm_rt_place from = lfm_prepare_array(p, 1, given), seen = mish ? lfm_prepare_array(p, 1, given) : from;
  p->field.base = base.at, p->field.timed = sum.at, p->field.timed_count = timed;
  p->field.given = from.at, p->field.given_count = given;
  if (mish)
    lfm_prepare_step(
        p,
        (lfm_rt_step){.kind = LFM_RT_ACT, .positions = 1, .channels = given, .from = from, .to = seen, .act = LFM_ACT_MISH});
  lfm_prepare_step(p, (lfm_rt_step){.kind = LFM_RT_CONV,
                                    .positions = 1,
                                    .channels = timed,
                                    .from = seen,
                                    .to = base,
                                    .stride = 1,
                                    .taps = 1,
                                    .in = lfm_rounded_up(given, 2),
                                    .more = -1});
  p->field.given_steps = p->step_count;
  p->weights = timed * lfm_rounded_up(given, 2);
  p->constants = timed;
}

void lfm_prepare_given_map(lfm_prepared *p, const lfm_timed_map *map, int64_t first_in, int64_t all_in) {
  add_source(p, map->name,
             (lfm_source){.step = p->field.given_steps - 1,
                          .out = map->out,
                          .all_in = all_in,
                          .all_out = map->out,
                          .first_in = first_in,
                          .in = {p->field.given_count},
                          .all_taps = 1,
                          .weights = map->at * lfm_rounded_up(p->field.given_count, 2),
                          .bias = map->at,
                          .written = lfm_whole_vectors(map->out)});
}

lfm_status lfm_prepare_finish(lfm_prepared *p) {
  p->field.all_steps = p->step_count;
  if (p->back && p->step_count <= LFM_PREPARED_STEPS) lfm_prepare_back(p);
  if (p->step_count > LFM_PREPARED_STEPS || p->source_count > LFM_PREPARED_STEPS || p->map_count > LFM_PREPARED_MAPS)
    return lfm_fail(LFM_E_UNSUPPORTED, "policy: this network is too large for a control loop; up to %d steps are possible",
                    LFM_PREPARED_STEPS);
  p->field.steps = p->steps;
  p->field.back_steps = p->step_count;
  p->field.floats = p->floats;
  return LFM_OK;
}

void lfm_prepared_destroy(lfm_prepared *prepared) { lfm_free(prepared); }
const lfm_rt_field *lfm_prepared_field(const lfm_prepared *prepared) { return &prepared->field; }
int64_t lfm_prepared_weights(const lfm_prepared *prepared) { return prepared->weights; }
int64_t lfm_prepared_turned(const lfm_prepared *prepared) { return prepared->turned; }
int64_t lfm_prepared_constants(const lfm_prepared *prepared) { return prepared->constants; }

/* ---- a block's numbers -------------------------------------------------------------------------------------------- */

lfm_status lfm_prepared_tensor(const lfm_net *net, const lfm_params *params, const char *name, const char *part,
                               int64_t count, const float **out) {
  char full[LFM_PREPARED_NAME + 16];
  snprintf(full, sizeof full, "%s.%s", name, part);
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    if (strcmp(info->name, full) != 0) continue;
    if (info->count != count)
      return lfm_fail(LFM_E_FORMAT, "%s: %lld numbers where %lld are due", full, (long long)info->count, (long long)count);
    *out = (const float *)lfm_params_values(params) + info->offset;
    return LFM_OK;
  }
  return lfm_fail(LFM_E_FORMAT, "%s: the network has no such tensor", full);
}

/* The tensor's channel that a step reads as its i-th; -1: one that fills up. */
static int64_t channel_of(const lfm_source *s, int64_t i) {
  int64_t second = i - lfm_whole_vectors(s->in[0]);
  if (i < s->in[0]) return s->first_in + i;
  return second >= 0 && second < s->in[1] ? s->first_in + s->in[0] + second : -1;
}

static float weight_of(const lfm_source *s, const float *w, int64_t o, int64_t i, int64_t k) {
  int64_t channel = channel_of(s, i);
  if (o >= s->out || channel < 0) return 0.0f;
  int64_t at = s->turned ? channel * s->all_out + o : o * s->all_in + channel;
  return w[at * s->all_taps + s->tap[k]];
}

/* A lane of vector `line` of the block's weights. */
static void put(void *weights, bool half, int64_t line, int64_t lane, float x) {
  if (half) ((uint16_t *)weights)[(line / 2 * LANES + lane) * 2 + line % 2] = lfm_bf16_of(x);
  else ((float *)weights)[line * LANES + lane] = x;
}

static void fill_conv(const lfm_prepared *p, const lfm_source *s, const float *w, bool half, void *weights) {
  const lfm_rt_step *step = &p->steps[s->step];
  int64_t line = s->weights / LANES;
  for (int64_t first = 0; first < s->written; first += LANES)
    for (int64_t k = 0; k < step->taps; k++)
      for (int64_t i = 0; i < step->in; i++, line++)
        for (int64_t lane = 0; lane < LANES; lane++) put(weights, half, line, lane, weight_of(s, w, first + lane, i, k));
}

static lfm_status fill_norm(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, const lfm_source *s,
                            float *constants) {
  const lfm_rt_step *step = &p->steps[s->step];
  const float *scale, *shift;
  LFM_TRY(lfm_prepared_tensor(net, params, s->name, "weight", s->out, &scale));
  LFM_TRY(lfm_prepared_tensor(net, params, s->name, "bias", s->out, &shift));
  memcpy(constants + step->scale, scale, (size_t)s->out * sizeof *scale);
  memcpy(constants + step->shift, shift, (size_t)s->out * sizeof *shift);
  return LFM_OK;
}

lfm_status lfm_prepared_fill(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, bool half, void *weights,
                             float *constants) {
  for (int64_t i = 0; i < p->source_count; i++) {
    const lfm_source *s = &p->sources[i];
    const float *w, *b;
    if (s->is_norm) {
      LFM_TRY(fill_norm(p, net, params, s, constants));
      continue;
    }
    LFM_TRY(lfm_prepared_tensor(net, params, s->name, "weight", s->all_out * s->all_in * s->all_taps, &w));
    fill_conv(p, s, w, half, weights);
    if (s->bias < 0) continue;
    LFM_TRY(lfm_prepared_tensor(net, params, s->name, "bias", s->out, &b));
    for (int64_t o = 0; o < s->written; o++) constants[s->bias + o] = o < s->out ? b[o] : 0.0f;
  }
  lfm_rt_turn(&p->field, half, weights);
  return LFM_OK;
}

lfm_status lfm_prepared_time(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, double t, float *row) {
  memset(row, 0, (size_t)p->field.timed_count * sizeof *row);
  return p->time(p, net, params, t, row);
}
