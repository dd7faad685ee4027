/* SPDX-License-Identifier: MIT
 *
 * policy.c -- a control loop around a model: the runtime's (runtime/loop.h), with room for what it needs, options with
 * defaults, errors in words, and the times that chunks took.
 */
#include "policy/policy.h"

#include "core/alloc.h"
#include "flow/meter.h"
#include "runtime/loop.h"

#include <math.h>
#include <string.h>

enum { EVALUATIONS = 8, MOST_EVALUATIONS = 4096 }; /* a block; a chunk */
#define MOST_GUIDANCE 1000.0

struct lfm_policy {
  lfm_compiled *own; /* NULL: another's */
  float *own_time;
  lfm_rt_units units;
  lfm_rt_plan plan;
  lfm_rt_loop loop;
  lfm_rt_guard guard;
  bool is_stopped; /* by it, in this episode */
  lfm_policy_stats stats;
  lfm_latency latency;
};

void lfm_policy_defaults(lfm_policy_options *options) { *options = (lfm_policy_options){.range = 2.0}; }

bool lfm_policy_is_half(const lfm_policy_options *options) {
  return options->precision && strcmp(options->precision, "bf16") == 0;
}

static const char *const heeds[] = {[LFM_RT_COUNT] = "count", [LFM_RT_HOLD] = "hold", [LFM_RT_STOP] = "stop"};
enum { HEEDS = sizeof heeds / sizeof *heeds };

lfm_rt_heed lfm_policy_heed(const lfm_policy_options *options) {
  int k = 0;
  while (k < HEEDS && strcmp(options->guard, heeds[k]) != 0) k++;
  return (lfm_rt_heed)k;
}

lfm_status lfm_policy_resolve(const lfm_policy_options *options, const lfm_model *model, lfm_policy_options *out) {
  *out = *options;
  if (out->solve.nfe == 0) out->solve.nfe = (lfm_chain_is_flow(model) ? EVALUATIONS : 1) * model->blocks;
  if (out->solve.nfe > MOST_EVALUATIONS)
    return lfm_fail(LFM_E_USAGE, "nfe: %d evaluations a chunk; up to %d are possible of a policy", out->solve.nfe,
                    MOST_EVALUATIONS);
  if (out->guidance != 0.0 && !out->rtc)
    return lfm_fail(LFM_E_USAGE, "guidance: %g, but nothing is guided; ask for rtc, or leave it out", out->guidance);
  if (out->range == 0.0) out->range = 2.0;
  if (out->guidance == 0.0) out->guidance = 5.0;
  if (!(out->guidance > 0.0 && out->guidance <= MOST_GUIDANCE))
    return lfm_fail(LFM_E_USAGE, "guidance: %g; a number above 0, up to %g", out->guidance, MOST_GUIDANCE);
  if (!(out->range >= 1.0 && isfinite(out->range)))
    return lfm_fail(LFM_E_USAGE, "range: %g; a finite number from 1, the edge of what was learnt from", out->range);
  if (out->precision && !lfm_policy_is_half(out) && strcmp(out->precision, "fp32") != 0)
    return lfm_fail(LFM_E_USAGE, "precision: %s; fp32 and bf16 are possible", out->precision);
  if (out->guard && (int)lfm_policy_heed(out) == HEEDS)
    return lfm_fail(LFM_E_USAGE, "guard: %s; count, hold and stop are possible", out->guard);
  return LFM_OK;
}

static lfm_status make_room(lfm_rt_loop *l, bool guided) {
  const lfm_rt_units *u = l->units;
  const lfm_rt_field *field = l->chain->field;
  int64_t numbers = field->positions * field->channels;
  LFM_TRY(LFM_ALLOC(&l->seen, u->observed * u->obs_dim));
  LFM_TRY(LFM_ALLOC(&l->given, field->given_count));
  LFM_TRY(LFM_ALLOC(&l->x, numbers));
  LFM_TRY(LFM_ALLOC(&l->space, field->floats));
  LFM_TRY(LFM_ALLOC(&l->room, (l->plan->method.stages + 1 + guided) * numbers));
  LFM_TRY(LFM_ALLOC(&l->before, numbers));
  if (guided) LFM_TRY(LFM_ALLOC(&l->mask, numbers));
  LFM_TRY(LFM_ALLOC(&l->coming, u->predicted * u->action_dim));
  LFM_TRY(LFM_ALLOC(&l->last, u->action_dim));
  return LFM_ALLOC(&l->chunk, u->predicted * u->action_dim);
}

lfm_status lfm_policy_check_guard(const lfm_policy_options *options, const lfm_compiled *compiled) {
  if (!options->guard || lfm_compiled_guard(compiled)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "guard: the model has none; lfm guard gives it one");
}

static lfm_status set_guard(lfm_policy *p, const lfm_rt_guard *guard, const lfm_policy_options *options) {
  if (!options->guard) return LFM_OK;
  p->guard = *guard;
  p->loop.guard = &p->guard;
  p->loop.heed = lfm_policy_heed(options);
  return LFM_ALLOC(&p->guard.space, guard->chain->field->floats);
}

lfm_rt_units lfm_policy_units(const lfm_windows *w) {
  return (lfm_rt_units){.observed = w->horizons.observation,
                        .predicted = w->horizons.prediction,
                        .executed = w->horizons.action,
                        .obs_dim = w->obs_dim,
                        .action_dim = w->action_dim,
                        .width = w->width,
                        .poses = w->kind == LFM_ACTION_POSE,
                        .obs_mean = w->obs_mean,
                        .obs_scale = w->obs_scale,
                        .obs_middle = w->obs_middle,
                        .obs_reach = w->obs_reach,
                        .action_mean = w->action_mean,
                        .action_scale = w->action_scale};
}

/* So long a chunk may take: until the next one is asked for, and while the one before has actions. */
static lfm_status check_delay(const lfm_rt_units *u, int64_t delay) {
  int64_t left = u->predicted - (u->observed - 1) - u->executed, most = left < u->executed ? left : u->executed;
  if (delay >= 0 && delay <= most) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "delay: %lld steps; 0 to %lld are possible where %lld of %lld actions are executed",
                  (long long)delay, (long long)most, (long long)u->executed, (long long)u->predicted);
}

lfm_status lfm_policy_create_shared(const lfm_compiled *compiled, const lfm_rt_plan *plan, const lfm_policy_options *options,
                                    lfm_policy **out) {
  lfm_policy *p;
  *out = NULL;
  LFM_TRY(lfm_policy_check_guard(options, compiled));
  LFM_TRY(LFM_ALLOC(&p, 1));
  p->units = lfm_policy_units(lfm_compiled_windows(compiled));
  p->plan = *plan;
  p->loop = (lfm_rt_loop){.chain = lfm_compiled_chain(compiled),
                          .plan = &p->plan,
                          .units = &p->units,
                          .seed = options->seed,
                          .range = options->range,
                          .clamp = options->clamp,
                          .delay = options->delay,
                          .wait = -1,
                          .most = (float)options->guidance};
  p->stats.nfe = (int)(p->loop.chain->blocks * plan->steps * plan->method.stages);
  lfm_status status = check_delay(&p->units, options->delay);
  if (status == LFM_OK) status = make_room(&p->loop, options->rtc);
  if (status == LFM_OK) status = set_guard(p, lfm_compiled_guard(compiled), options);
  if (status == LFM_OK) *out = p;
  else lfm_policy_destroy(p);
  return status;
}

lfm_status lfm_policy_create(const lfm_model *model, const lfm_policy_options *options, lfm_policy **out) {
  lfm_policy_options resolved;
  lfm_compiled *compiled;
  lfm_rt_plan plan;
  float *time = NULL;
  *out = NULL;
  LFM_TRY(lfm_policy_resolve(options, model, &resolved));
  LFM_TRY(lfm_compile(model, lfm_policy_is_half(&resolved), resolved.rtc, &compiled));
  lfm_status status;
  LFM_TRY_GOTO(lfm_compiled_plan(compiled, &resolved.solve, &plan, &time), fail);
  LFM_TRY_GOTO(lfm_policy_create_shared(compiled, &plan, &resolved, out), fail);
  (*out)->own = compiled, (*out)->own_time = time;
  return LFM_OK;
fail:
  lfm_free(time);
  lfm_compiled_destroy(compiled);
  return status;
}

void lfm_policy_destroy(lfm_policy *p) {
  if (!p) return;
  lfm_compiled_destroy(p->own);
  lfm_free(p->own_time);
  lfm_free(p->loop.seen);
  lfm_free(p->loop.given);
  lfm_free(p->loop.x);
  lfm_free(p->loop.space);
  lfm_free(p->loop.room);
  lfm_free(p->loop.before);
  lfm_free(p->loop.mask);
  lfm_free(p->loop.coming);
  lfm_free(p->loop.chunk);
  lfm_free(p->loop.last);
  lfm_free(p->guard.space);
  lfm_free(p);
}

int64_t lfm_policy_observed(const lfm_policy *policy) { return policy->units.obs_dim; }
int64_t lfm_policy_actions(const lfm_policy *policy) { return policy->units.action_dim; }
const lfm_latency *lfm_policy_latency(const lfm_policy *policy) { return &policy->latency; }

void lfm_policy_begin(lfm_policy *policy, int64_t episode) {
  policy->is_stopped = false;
  lfm_rt_begin(&policy->loop, episode);
}

lfm_rt_loop *lfm_policy_loop(lfm_policy *policy) { return &policy->loop; }
void lfm_policy_rehearse(lfm_policy *policy) { lfm_rt_draw(&policy->loop, policy->units.observed - 1); }

lfm_status lfm_policy_refuse(lfm_policy *p, lfm_rt_outcome outcome, const double *observation, int64_t which) {
  const lfm_rt_units *u = &p->units;
  if (outcome == LFM_RT_BROKEN) return lfm_fail(LFM_E_NUMERIC, "policy: the network gives a number that is not finite");
  if (outcome == LFM_RT_WAITS)
    return lfm_fail(LFM_E_DATA, "policy: its guard finds strange what is observed, and there is no action yet to hold");
  p->is_stopped |= outcome == LFM_RT_STOPPED;
  if (outcome == LFM_RT_STOPPED)
    return lfm_fail(LFM_E_DATA,
                    "policy: stopped by its guard, at step %lld of the episode: what is observed is strange to it",
                    (long long)p->guard.first + 1);
  p->stats.refused++;
  if (outcome == LFM_RT_NOT_A_NUMBER)
    return lfm_fail(LFM_E_DATA, "policy: number %lld of the observation is not finite", (long long)which + 1);
  return lfm_fail(LFM_E_DATA, "policy: number %lld of the observation is %g, %.3g times as far out as the demonstrations go",
                  (long long)which + 1, observation[which],
                  fabs(observation[which] - u->obs_middle[which]) / u->obs_reach[which]);
}

lfm_status lfm_policy_check_count(lfm_policy *p, int64_t count) {
  if (count == p->units.obs_dim) return LFM_OK;
  p->stats.refused++;
  return lfm_fail(LFM_E_USAGE, "policy: an observation of %lld numbers, where it knows %lld", (long long)count,
                  (long long)p->units.obs_dim);
}

void lfm_policy_count_chunk(lfm_policy *p, double microseconds) {
  p->stats.chunks++;
  lfm_latency_add(&p->latency, microseconds);
}

lfm_status lfm_policy_act(lfm_policy *p, const double *observation, int64_t count, double *action) {
  int64_t which;
  LFM_TRY(lfm_policy_check_count(p, count));
  double begun = lfm_seconds();
  lfm_rt_outcome outcome = lfm_rt_act(&p->loop, observation, action, &which);
  if (outcome > LFM_RT_HELD) return lfm_policy_refuse(p, outcome, observation, which);
  p->stats.steps++;
  if (outcome == LFM_RT_DREW) lfm_policy_count_chunk(p, (lfm_seconds() - begun) * 1e6);
  return LFM_OK;
}

bool lfm_policy_guard(const lfm_policy *p, lfm_guard_state *state) {
  const lfm_rt_guard *g = p->loop.guard;
  if (!g) return false;
  double level = lfm_rt_guard_level(g, g->step ? g->step - 1 : 0);
  *state = (lfm_guard_state){
      .steps = g->step, .first = g->first, .score = g->score, .level = level, .alarm = g->alarm, .stopped = p->is_stopped};
  return true;
}

void lfm_policy_look(const lfm_policy *p, lfm_policy_stats *stats) {
  *stats = p->stats;
  stats->clamped = p->loop.clamped;
  stats->alarms = p->guard.alarms, stats->alarmed = p->guard.alarmed;
  stats->jump = p->loop.joints ? p->loop.jumps / (double)p->loop.joints : NAN;
  stats->p50 = lfm_latency_at(&p->latency, 0.5);
  stats->p99 = lfm_latency_at(&p->latency, 0.99);
  stats->p99_9 = lfm_latency_at(&p->latency, 0.999);
  stats->max = p->latency.count ? p->latency.most : NAN;
}
