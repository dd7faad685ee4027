/* SPDX-License-Identifier: MIT
 *
 * rollout.c -- a policy in simulated worlds: episodes, each from its own start and with its own noise, until it succeeds, the
 * horizon is reached, its guard stops it, or physics or policy cannot go on.  Every worker has a world and a policy of its
 * own over common weights; an episode is a task, so the table depends on no thread.  Nor does the result: whole numbers are
 * counted by worker, but what is summed up in fractions is kept by episode and added in their order.
 */
#include "policy/rollout.h"
#include "core/alloc.h"
#include "data/table.h"
#include "flow/meter.h"
#include "metric/summary.h"
#include "policy/policy.h"
#include "policy/sheet.h"
#include "policy/shove.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST_EPISODES = 1000000, EPISODE = 0, SUCCESS, SCORE, STEPS, BROKEN, ALARM, COLUMNS };
static char *const column_names[COLUMNS] = {"episode", "success", "score", "steps", "broken", "alarm"};

typedef struct actor {
  lfm_world *world;
  lfm_policy *policy;
  double *observation, *action, *absolute;
} actor;

/* Of an episode: chunks entered where the one before had an action, too, and how far apart the two were. */
typedef struct joint {
  int64_t joints;
  double jumps;
} joint;

typedef struct rollout {
  const lfm_rollout_options *options;
  const lfm_task *task;
  lfm_team *team;
  lfm_compiled *compiled;
  lfm_rt_plan plan;
  float *time;
  actor *actors; /* [workers] */
  lfm_table *table;
  joint *joints;   /* [episodes] */
  double *watched; /* [episodes, horizon] what the guard said of each step, NAN behind the last; NULL: nobody asks */
  double *states[LFM_SHEET_ROWS]; /* [horizon + 1, state_dim] of the first episodes, where they are to be drawn; else NULL */
  lfm_meter meter;
  atomic_llong done;
  atomic_bool stopped;
} rollout;

void lfm_rollout_defaults(lfm_rollout_options *options) {
  *options = (lfm_rollout_options){.episodes = 50};
  lfm_policy_defaults(&options->policy);
}

/* ---- does the policy fit the task? -------------------------------------------------------------------------------- */

static lfm_status find_task(const char *name, const lfm_task **out) {
  if (!name) return lfm_fail(LFM_E_USAGE, "task: the demonstrations do not say of what they are; name it");
  for (int i = 0; lfm_task_at(i); i++)
    if (strcmp(lfm_task_at(i)->environment, name) == 0) return *out = lfm_task_at(i), LFM_OK;
  return lfm_task_find(name, out);
}

static lfm_status check_observation(const lfm_windows *w, const lfm_task *task) {
  bool same = w->obs_dim == task->obs_dim;
  for (int64_t k = 0; same && k < w->keys; k++)
    same = k < LFM_MOST_PARTS && task->parts[k].name && strcmp(task->parts[k].name, w->key[k]) == 0 &&
           task->parts[k].dim == w->key_dim[k];
  if (same) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: the model observes %s, %lld numbers in all; the task shows %s and so on, %lld", task->name,
                  w->observations, (long long)w->obs_dim, task->parts[0].name, (long long)task->obs_dim);
}

static lfm_status check_action(const lfm_windows *w, const lfm_task *task) {
  bool poses = w->kind == LFM_ACTION_POSE || w->kind == LFM_ACTION_DELTA;
  if (w->action_dim == task->action_dim && poses == (task->control == LFM_CONTROL_POSE)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: the model's actions are %lld numbers, %s; the task wants %lld, %s", task->name,
                  (long long)w->action_dim, lfm_action_kind_name(w->kind), (long long)task->action_dim,
                  task->control == LFM_CONTROL_POSE ? "poses of an arm" : "a position");
}

lfm_status lfm_rollout_task(const lfm_model *model, const char *task, const lfm_task **out) {
  LFM_TRY(find_task(task ? task : model->windows->task, out));
  LFM_TRY(check_observation(model->windows, *out));
  return check_action(model->windows, *out);
}

/* ---- one episode -------------------------------------------------------------------------------------------------- */

/* *steps is the world's: one that the policy refuses is none. */
static lfm_status act(const rollout *r, actor *a, const lfm_shove *shove, double *steps) {
  bool delta = lfm_compiled_windows(r->compiled)->kind == LFM_ACTION_DELTA;
  lfm_world_observe(a->world, a->observation);
  LFM_TRY(lfm_policy_act(a->policy, a->observation, r->task->obs_dim, a->action));
  if (delta) lfm_world_absolute(a->world, a->action, a->absolute);
  else memcpy(a->absolute, a->action, (size_t)r->task->action_dim * sizeof *a->absolute);
  lfm_shove_apply(shove, (int64_t)*steps, a->absolute);
  ++*steps;
  return lfm_world_step(a->world, a->absolute);
}

static void keep(const rollout *r, const actor *a, int64_t episode, double step) {
  if (episode < LFM_SHEET_ROWS && r->states[episode])
    lfm_world_state(a->world, r->states[episode] + (int64_t)step * r->task->state_dim);
}

/* What the guard has said so far, if there is one.  True: the policy does not act, as it should: it is stopped for good, or
 * is to hold an action before there is one. */
static bool heed(const rollout *r, const actor *a, int64_t episode, double *row) {
  lfm_guard_state state;
  const lfm_rt_loop *loop = lfm_policy_loop(a->policy);
  if (!lfm_policy_guard(a->policy, &state)) return false;
  row[ALARM] = (double)state.first + 1.0;
  if (r->watched && state.steps)
    r->watched[episode * r->task->horizon + state.steps - 1] = isnan(state.score) ? (double)INFINITY : state.score;
  return state.stopped || (loop->heed == LFM_RT_HOLD && state.alarm && !loop->has_acted);
}

/* What a policy's loop sums up is this episode's between the two. */
static void begin(const rollout *r, const actor *a, int64_t episode) {
  lfm_rt_loop *loop = lfm_policy_loop(a->policy);
  lfm_policy_begin(a->policy, episode);
  loop->joints = 0, loop->jumps = 0.0;
  keep(r, a, episode, 0);
}

static void end(const rollout *r, const actor *a, int64_t episode) {
  const lfm_rt_loop *loop = lfm_policy_loop(a->policy);
  r->joints[episode] = (joint){loop->joints, loop->jumps};
}

/* What breaks ends the episode, not the others; nothing else can fail here. */
static lfm_status run_episode(void *context, int worker, int64_t episode) {
  rollout *r = context;
  actor *a = &r->actors[worker];
  double *row = r->table->values + episode * r->table->cols;
  lfm_shove shove = lfm_shove_of(r->task, r->options->seed, episode, r->options->shove);
  bool goes_on = true;
  if (atomic_load(&r->stopped)) return LFM_OK;
  LFM_TRY(lfm_world_reset(a->world, r->options->seed, episode));
  begin(r, a, episode);
  row[EPISODE] = (double)episode;
  row[SCORE] = lfm_world_reward(a->world);
  for (int64_t t = 0; t < r->task->horizon && !lfm_world_succeeded(a->world) && goes_on; t++) {
    goes_on = act(r, a, &shove, &row[STEPS]) == LFM_OK;
    row[BROKEN] = !heed(r, a, episode, row) && !goes_on;
    keep(r, a, episode, row[STEPS]);
    if (goes_on) row[SCORE] = fmax(row[SCORE], lfm_world_reward(a->world));
  }
  row[SUCCESS] = goes_on && lfm_world_succeeded(a->world);
  end(r, a, episode);
  atomic_fetch_add(&r->done, 1);
  if (worker == 0 && lfm_meter_tick(&r->meter, atomic_load(&r->done))) atomic_store(&r->stopped, true);
  return LFM_OK;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static lfm_status make_actor(const rollout *r, const lfm_policy_options *policy, actor *a) {
  LFM_TRY(lfm_world_create(r->task, &a->world));
  LFM_TRY(lfm_policy_create_shared(r->compiled, &r->plan, policy, &a->policy));
  LFM_TRY(LFM_ALLOC(&a->observation, r->task->obs_dim));
  LFM_TRY(LFM_ALLOC(&a->action, r->task->action_dim));
  return LFM_ALLOC(&a->absolute, r->task->action_dim);
}

static lfm_status build(rollout *r) {
  const lfm_rollout_options *o = r->options;
  lfm_policy_options policy;
  if (!o->model) return lfm_fail(LFM_E_USAGE, "a rollout needs a model");
  if (o->episodes < 1 || o->episodes > MOST_EPISODES)
    return lfm_fail(LFM_E_USAGE, "episodes: %lld; 1 to %d are possible", (long long)o->episodes, MOST_EPISODES);
  if (!(o->shove >= 0.0 && isfinite(o->shove))) return lfm_fail(LFM_E_USAGE, "shove: %g is not 0 or more", o->shove);
  LFM_TRY(lfm_policy_resolve(&o->policy, o->model, &policy));
  policy.seed = o->seed;
  LFM_TRY(lfm_compile(o->model, lfm_policy_is_half(&policy), policy.rtc, &r->compiled));
  LFM_TRY(lfm_rollout_task(o->model, o->task, &r->task));
  LFM_TRY(lfm_compiled_plan(r->compiled, &policy.solve, &r->plan, &r->time));
  LFM_TRY(lfm_team_create(o->threads, &r->team));
  LFM_TRY(LFM_ALLOC(&r->actors, lfm_team_size(r->team)));
  for (int w = 0; w < lfm_team_size(r->team); w++) LFM_TRY(make_actor(r, &policy, &r->actors[w]));
  LFM_TRY(LFM_ALLOC(&r->joints, o->episodes));
  LFM_TRY(lfm_table_make(o->episodes, policy.guard ? COLUMNS : ALARM, &r->table));
  for (int c = 0; c < r->table->cols; c++) LFM_TRY(lfm_table_rename(r->table, c, column_names[c]));
  if (!o->sheet) return LFM_OK;
  LFM_TRY(lfm_sheet_check(o->sheet, r->task));
  for (int64_t i = 0; i < LFM_SHEET_ROWS && i < o->episodes; i++)
    LFM_TRY(LFM_ALLOC(&r->states[i], (r->task->horizon + 1) * r->task->state_dim));
  return LFM_OK;
}

static lfm_status draw_sheet(const rollout *r) {
  lfm_strip strips[LFM_SHEET_ROWS];
  int64_t count = 0;
  for (; count < LFM_SHEET_ROWS && r->states[count]; count++)
    strips[count] = (lfm_strip){(int64_t)r->table->values[count * r->table->cols + STEPS] + 1, r->states[count]};
  return lfm_sheet_draw(r->options->sheet, r->task, strips, count);
}

static void destroy(rollout *r) {
  for (int w = 0; r->actors && w < lfm_team_size(r->team); w++) {
    lfm_world_destroy(r->actors[w].world);
    lfm_policy_destroy(r->actors[w].policy);
    lfm_free(r->actors[w].observation);
    lfm_free(r->actors[w].action);
    lfm_free(r->actors[w].absolute);
  }
  lfm_free(r->actors);
  lfm_free(r->joints);
  for (int i = 0; i < LFM_SHEET_ROWS; i++) lfm_free(r->states[i]);
  lfm_team_destroy(r->team);
  lfm_free(r->time);
  lfm_compiled_destroy(r->compiled);
  lfm_table_destroy(r->table);
}

/* In the mean, whoever ran which episode. */
static double jump_of(const rollout *r) {
  double jumps = 0.0;
  int64_t joints = 0;
  for (int64_t i = 0; i < r->table->rows; i++) jumps += r->joints[i].jumps, joints += r->joints[i].joints;
  return joints ? jumps / (double)joints : NAN;
}

/* Of all workers' policies together. */
static lfm_policy_stats stats_of(const rollout *r) {
  static const double shares[] = {0.5, 0.99, 0.999};
  lfm_policy_stats all = {.jump = jump_of(r)};
  lfm_latency sum = {0};
  for (int w = 0; w < lfm_team_size(r->team); w++) {
    lfm_policy_stats own;
    const lfm_latency *latency = lfm_policy_latency(r->actors[w].policy);
    lfm_policy_look(r->actors[w].policy, &own);
    all.nfe = own.nfe;
    all.alarms += own.alarms, all.alarmed += own.alarmed;
    all.steps += own.steps, all.chunks += own.chunks, all.refused += own.refused, all.clamped += own.clamped;
    sum.count += latency->count;
    sum.most = fmax(sum.most, latency->most);
    for (int k = 0; k < LFM_LATENCY_BINS; k++) sum.bin[k] += latency->bin[k];
  }
  all.p50 = lfm_latency_at(&sum, shares[0]), all.p99 = lfm_latency_at(&sum, shares[1]);
  all.p99_9 = lfm_latency_at(&sum, shares[2]);
  all.max = sum.count ? sum.most : NAN;
  return all;
}

/* Chunks that a robot would have waited for: it has the next one a step of control, or `delay` of them, after its
 * observation. [lfm.h: missed] */
static int64_t missed_of(const rollout *r) {
  double steps = (double)(r->options->policy.delay > 1 ? r->options->policy.delay : 1);
  int64_t missed = 0;
  for (int w = 0; w < lfm_team_size(r->team); w++)
    missed += lfm_latency_over(lfm_policy_latency(r->actors[w].policy), 1e6 * steps / r->task->control_hz);
  return missed;
}

/* Alarms in episodes that went well, or else in those that did not. */
static lfm_share alarms_where(const lfm_table *table, bool went_well) {
  int64_t hits = 0, count = 0;
  for (int64_t i = 0; i < table->rows && table->cols > ALARM; i++) {
    const double *row = table->values + i * table->cols;
    bool counts = (row[SUCCESS] != 0.0) == went_well;
    count += counts;
    hits += counts && row[ALARM] > 0.0;
  }
  return lfm_summary_share(hits, count);
}

static lfm_status summarise(const rollout *r, lfm_rollout_result *result) {
  int64_t episodes = r->table->rows, hits = 0;
  double *score;
  lfm_summary summary;
  LFM_TRY(LFM_ALLOC(&score, episodes));
  for (int64_t i = 0; i < episodes; i++) {
    const double *row = r->table->values + i * r->table->cols;
    hits += row[SUCCESS] != 0.0;
    score[i] = row[SCORE];
    result->steps += (int64_t)row[STEPS];
    result->broken += row[BROKEN] != 0.0;
  }
  lfm_status status = lfm_summary_mean(score, NULL, episodes, &summary);
  lfm_free(score);
  result->success = lfm_summary_share(hits, episodes);
  result->alarms_in_successes = alarms_where(r->table, true);
  result->alarms_in_failures = alarms_where(r->table, false);
  result->score = summary.mean, result->score_se = summary.se;
  result->policy = stats_of(r);
  result->missed = missed_of(r);
  return status;
}

static lfm_status run(rollout *r, lfm_rollout_result *result) {
  LFM_TRY(build(r));
  lfm_meter_begin(&r->meter, r->options->progress, r->options->context);
  lfm_meter_phase(&r->meter, LFM_PHASE_ROLLOUT, 1, 1, 0, r->options->episodes);
  LFM_TRY(lfm_team_run(r->team, r->options->episodes, run_episode, r));
  if (atomic_load(&r->stopped)) return lfm_fail(LFM_E_INTERRUPTED, "stopped before all episodes were done");
  lfm_meter_tick(&r->meter, r->options->episodes);
  return summarise(r, result);
}

static lfm_status roll(rollout r, lfm_table **out, lfm_rollout_result *result) {
  double begun = lfm_seconds();
  *result = (lfm_rollout_result){0};
  if (out) *out = NULL;
  lfm_status status = run(&r, result);
  bool is_whole = status == LFM_OK;
  if (is_whole && r.options->sheet) status = draw_sheet(&r);
  result->seconds = lfm_seconds() - begun;
  if (is_whole && out) *out = r.table, r.table = NULL; /* whatever became of the sheet */
  destroy(&r);
  return status;
}

lfm_status lfm_rollout(const lfm_rollout_options *options, lfm_table **out, lfm_rollout_result *result) {
  lfm_rollout_result unasked;
  if (!result) result = &unasked;
  return roll((rollout){.options = options}, out, result);
}

lfm_status lfm_rollout_watch(const lfm_rollout_options *options, int64_t *horizon, double **scores, lfm_table **out,
                             lfm_rollout_result *result) {
  rollout r = {.options = options};
  *scores = NULL;
  LFM_TRY(lfm_rollout_task(options->model, options->task, &r.task));
  *horizon = r.task->horizon;
  LFM_TRY(LFM_ALLOC(scores, options->episodes * *horizon));
  for (int64_t k = 0; k < options->episodes * *horizon; k++) (*scores)[k] = (double)NAN;
  r.watched = *scores;
  lfm_status status = roll(r, out, result);
  if (status == LFM_OK) return LFM_OK;
  lfm_free(*scores);
  *scores = NULL;
  return status;
}
