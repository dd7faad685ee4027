/* SPDX-License-Identifier: MIT
 *
 * guard.c -- a guard for a policy: learnt, calibrated, measured.                        [Xu et al. 2025, FAIL-Detect]
 *
 *   learn      a small flow over what the policy observes, from demonstrations       (flow/trainer.h, a block of one kind)
 *   calibrate  its score at each step of good episodes that it has not learnt from; the level is the conformal quantile of
 *              their greatest scores, so that another good episode raises an alarm with a chance of alpha at most
 *   measure    that on good episodes of which neither knows
 *
 * Episodes, never steps, are what is split and counted: steps of one episode are not strangers to each other.  The promise is
 * about episodes like those of the calibration.  A policy does not move as its demonstrators do, so where there is a
 * simulator, or a file of the policy's own successes, these calibrate; held-out demonstrations are what is left otherwise.
 */
#include "core/alloc.h"
#include "core/rng.h"
#include "data/table.h"
#include "flow/trainer.h"
#include "metric/conformal.h"
#include "metric/summary.h"
#include "policy/compile.h"
#include "policy/rollout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROLLOUTS = 1000000, STARTS = 0x67756172 };

/* As a training has them. */
static const int64_t MOST_BATCHES = INT64_C(1000000000000);
static const uint64_t MOST_SEED = UINT64_C(1) << 53;

/* Greatest scores of episodes, by what became of them. */
typedef struct scores {
  double *calibrate, *measure, *failed;
  int64_t calibrates, measures, faileds;
  int64_t infinite; /* one of those that calibrate whose score is no number, from 1; 0: none */
} scores;

typedef struct work {
  const lfm_guard_options *options;
  const lfm_windows *windows;
  lfm_table *learn, *held; /* demonstrations; learn may be NULL: all of the options' are */
  int64_t *held_number;    /* [episodes of held] which of the options' they are; NULL: they have no others */
  lfm_model_guard guard;
  lfm_compiled *flow;
  lfm_rt_guard watch;
  scores scores;
} work;

/* ---- the flow ----------------------------------------------------------------------------------------------------- */

/* A number that does not move has no scale; its last digits are no matter of the flow's. */
static void still(lfm_table *table, int64_t col) {
  double low = table->values[col], high = low;
  for (int64_t i = 1; i < table->rows; i++) {
    low = fmin(low, table->values[i * table->cols + col]);
    high = fmax(high, table->values[i * table->cols + col]);
  }
  for (int64_t i = 0; i < table->rows && high - low < LFM_LEAST_RANGE; i++) table->values[i * table->cols + col] = low;
}

static lfm_status all_that_is_seen(const lfm_demos *demos, int64_t horizon, lfm_table **out) {
  LFM_TRY(lfm_table_make(demos->steps, horizon * demos->obs_dim, out));
  for (int64_t e = 0; e < demos->episodes; e++)
    for (int64_t c = lfm_demos_begin(demos, e); c < demos->ends[e]; c++)
      lfm_windows_look(demos, e, c, horizon, (*out)->values + c * (*out)->cols);
  for (int64_t col = 0; col < (*out)->cols; col++) still(*out, col);
  return LFM_OK;
}

static lfm_status configure(const lfm_guard_options *options, lfm_config **out) {
  static const char *const keys[] = {"hks=[null]", "interp=linear", "hidden_dim=128", "num_hidden=3", "batch_size=256",
                                     "patience=0", "defensive=0",   "target_rows=0",  "waves=0"};
  char number[48];
  LFM_TRY(lfm_config_create(out));
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) LFM_TRY(lfm_config_set(*out, keys[k]));
  snprintf(number, sizeof number, "max_batch=%lld", (long long)options->batches);
  LFM_TRY(lfm_config_set(*out, number));
  snprintf(number, sizeof number, "seed=%llu", (unsigned long long)options->seed);
  return lfm_config_set(*out, number);
}

static lfm_status train(lfm_trainer *trainer) {
  lfm_trainer_show_block(trainer);
  while (!lfm_trainer_is_block_done(trainer)) {
    LFM_TRY(lfm_trainer_step(trainer));
    if (lfm_meter_tick(&trainer->meter, trainer->step)) return lfm_fail(LFM_E_INTERRUPTED, "stopped; nothing was written");
  }
  lfm_trainer_end_block(trainer);
  return LFM_OK;
}

static lfm_status learn(work *w) {
  const lfm_table *demos = w->learn ? w->learn : w->options->demos;
  lfm_config *config = NULL;
  lfm_table *rows = NULL;
  lfm_trainer *trainer = NULL;
  lfm_status status;
  LFM_TRY_GOTO(all_that_is_seen(demos->demos, w->windows->horizons.observation, &rows), done);
  LFM_TRY_GOTO(configure(w->options, &config), done);
  lfm_train_options options = {.config = config,
                               .train = rows,
                               .valid = rows, /* nobody validates */
                               .threads = w->options->threads,
                               .progress = w->options->progress,
                               .context = w->options->context};
  LFM_TRY_GOTO(lfm_trainer_create(&options, &trainer), done);
  LFM_TRY_GOTO(train(trainer), done);
  w->guard.flow = lfm_trainer_take_model(trainer);
done:
  lfm_trainer_destroy(trainer);
  lfm_table_destroy(rows);
  lfm_config_destroy(config);
  return status;
}

/* ---- scores ------------------------------------------------------------------------------------------------------- */

/* Good episodes take turns: one calibrates, the next measures. */
static void add_good(scores *s, int64_t nth, int64_t episode, double most) {
  if (nth % 2) {
    s->measure[s->measures++] = most;
    return;
  }
  s->calibrate[s->calibrates++] = most;
  if (!isfinite(most) && !s->infinite) s->infinite = episode + 1;
}

static lfm_status make_scores(scores *s, int64_t episodes) {
  LFM_TRY(LFM_ALLOC(&s->calibrate, episodes));
  LFM_TRY(LFM_ALLOC(&s->measure, episodes));
  return LFM_ALLOC(&s->failed, episodes);
}

/* What is no number is above any level, here as in a control loop. */
static double worse(double most, double score) { return isnan(score) ? (double)INFINITY : fmax(most, score); }

static lfm_status score_demos(work *w, const lfm_demos *demos) {
  int64_t horizon = w->windows->horizons.observation;
  double *seen;
  LFM_TRY(make_scores(&w->scores, demos->episodes));
  LFM_TRY(LFM_ALLOC(&seen, horizon * demos->obs_dim));
  for (int64_t e = 0; e < demos->episodes; e++) {
    double most = 0.0;
    for (int64_t c = lfm_demos_begin(demos, e); c < demos->ends[e]; c++) {
      lfm_windows_look(demos, e, c, horizon, seen);
      most = worse(most, lfm_rt_guard_score(&w->watch, seen));
    }
    add_good(&w->scores, e, w->held_number ? w->held_number[e] : e, most);
  }
  lfm_free(seen);
  return LFM_OK;
}

/* Episodes of the policy under a guard that never minds. */
static lfm_status score_rollouts(work *w, lfm_guard_result *result) {
  enum { SUCCESS = 1 };
  lfm_model guarded = *w->options->model;
  lfm_rollout_options options;
  lfm_rollout_result rolled;
  lfm_table *table;
  double *score;
  int64_t horizon, good = 0;
  guarded.guard = &w->guard;
  lfm_rollout_defaults(&options);
  options.model = &guarded;
  options.task = w->options->task;
  options.episodes = w->options->rollouts;
  options.seed = w->options->seed ^ STARTS; /* other starts than lfm_rollout's under the same seed */
  options.policy = w->options->policy;
  options.policy.guard = "count";
  options.threads = w->options->threads;
  options.progress = w->options->progress;
  options.context = w->options->context;
  LFM_TRY(make_scores(&w->scores, options.episodes));
  LFM_TRY(lfm_rollout_watch(&options, &horizon, &score, &table, &rolled));
  result->success = rolled.success;
  for (int64_t i = 0; i < table->rows; i++) {
    double most = 0.0;
    for (int64_t t = 0; t < horizon; t++) most = fmax(most, score[i * horizon + t]);
    if (table->values[i * table->cols + SUCCESS] != 0.0) add_good(&w->scores, good++, i, most);
    else w->scores.failed[w->scores.faileds++] = most;
  }
  lfm_free(score);
  lfm_table_destroy(table);
  return LFM_OK;
}

static lfm_status score(work *w, lfm_guard_result *result) {
  const double never = INFINITY;
  LFM_TRY(LFM_ALLOC(&w->guard.level, 1));
  w->guard.levels = 1, w->guard.level[0] = never;
  LFM_TRY(lfm_compile_guard(&w->guard, &w->flow));
  w->watch = *lfm_compiled_guard(w->flow);
  LFM_TRY(LFM_ALLOC(&w->watch.space, w->watch.chain->field->floats));
  if (w->options->rollouts) return score_rollouts(w, result);
  return score_demos(w, (w->held ? w->held : w->options->successes)->demos);
}

/* ---- the level, and what it is worth ------------------------------------------------------------------------------ */

static lfm_share share_above(const double *most, int64_t count, double level) {
  int64_t above = 0;
  for (int64_t i = 0; i < count; i++) above += !(most[i] <= level);
  return lfm_summary_share(above, count);
}

/* Nothing is above an infinite level, and no reader takes one. */
static lfm_status check_level(const work *w) {
  const lfm_guard_options *o = w->options;
  const char *whose = o->successes ? "the episodes that calibrate" : "the demonstrations";
  if (isfinite(w->guard.level[0])) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "the level is not finite, as the score of episode %lld of %s is not; %s",
                  (long long)w->scores.infinite, o->rollouts ? "the rollouts" : whose,
                  o->rollouts ? "try another seed, or more batches" : "leave it out");
}

static lfm_status calibrate(work *w, lfm_guard_result *result) {
  scores *s = &w->scores;
  LFM_TRY(lfm_conformal_quantile(s->calibrate, s->calibrates, w->options->alpha, &w->guard.level[0]));
  LFM_TRY(check_level(w));
  w->guard.alpha = w->options->alpha;
  result->level = w->guard.level[0];
  result->calibrated = s->calibrates;
  result->false_alarms = share_above(s->measure, s->measures, result->level);
  result->detected = share_above(s->failed, s->faileds, result->level);
  return LFM_OK;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static lfm_status check_demos(const lfm_windows *windows, const lfm_table *table, const char *what) {
  if (!table->demos) return lfm_fail(LFM_E_DATA, "%s: are no demonstrations", what);
  return lfm_windows_fit_demos(windows, table->demos);
}

static bool is_same_episode(const lfm_demos *a, int64_t i, const lfm_demos *b, int64_t j) {
  int64_t from = lfm_demos_begin(a, i), steps = a->ends[i] - from, other = lfm_demos_begin(b, j);
  return steps == b->ends[j] - other &&
         memcmp(a->obs + from * a->obs_dim, b->obs + other * b->obs_dim, (size_t)(steps * a->obs_dim) * sizeof *a->obs) == 0;
}

/* A flow finds nothing strange in what it has learnt: a level by that would be too low, and the count of alarms worth
 * nothing.
 */
static lfm_status check_strangers(const lfm_demos *learnt, const lfm_demos *good) {
  for (int64_t j = 0; j < good->episodes; j++)
    for (int64_t i = 0; i < learnt->episodes; i++)
      if (is_same_episode(learnt, i, good, j))
        return lfm_fail(LFM_E_DATA,
                        "the episodes that calibrate: number %lld is also among the demonstrations, number %lld, which are "
                        "learnt from; give others, or none: then half of the demonstrations is held out",
                        (long long)j + 1, (long long)i + 1);
  return LFM_OK;
}

static lfm_status check(const lfm_guard_options *o) {
  if (!o->model || !o->demos) return lfm_fail(LFM_E_USAGE, "a guard needs a model and demonstrations");
  if (!o->model->windows) return lfm_fail(LFM_E_USAGE, "guard: the model is no policy, so that it observes nothing");
  if (!(o->alpha > 0.0 && o->alpha < 1.0)) return lfm_fail(LFM_E_USAGE, "alpha: %g is not between 0 and 1", o->alpha);
  if (o->batches < 1 || o->batches > MOST_BATCHES)
    return lfm_fail(LFM_E_USAGE, "batches: %lld; 1 to %lld are possible", (long long)o->batches, (long long)MOST_BATCHES);
  if (o->seed > MOST_SEED)
    return lfm_fail(LFM_E_USAGE, "seed: %llu; 0 to %llu are possible", (unsigned long long)o->seed,
                    (unsigned long long)MOST_SEED);
  if (o->rollouts < 0 || o->rollouts > MOST_ROLLOUTS)
    return lfm_fail(LFM_E_USAGE, "rollouts: %lld; 0 to %d are possible", (long long)o->rollouts, (int)MOST_ROLLOUTS);
  if (o->rollouts && o->successes)
    return lfm_fail(LFM_E_USAGE, "rollouts: the episodes that calibrate are given; leave out the one or the other");
  const lfm_task *task;
  if (o->rollouts) LFM_TRY(lfm_rollout_task(o->model, o->task, &task)); /* before the batches */
  LFM_TRY(check_demos(o->model->windows, o->demos, "the demonstrations"));
  if (!o->successes) return LFM_OK;
  LFM_TRY(check_demos(o->model->windows, o->successes, "the episodes that calibrate"));
  return check_strangers(o->demos->demos, o->successes->demos);
}

/* Of so many episodes every second one, if it is good, calibrates. */
static lfm_status check_count(const lfm_guard_options *o) {
  int64_t demos = lfm_table_units(o->demos), all = o->rollouts ? o->rollouts : demos - demos / 2;
  if (o->successes) all = lfm_table_units(o->successes);
  return lfm_conformal_check((all + 1) / 2, o->alpha);
}

/* Half of the demonstrations by a permutation that the seed names, where nothing else calibrates. */
static lfm_status hold_out(work *w) {
  const lfm_table *demos = w->options->demos;
  int64_t episodes = lfm_table_units(demos), learn = episodes / 2, *index;
  lfm_rng rng = {.seed = w->options->seed, .purpose = LFM_FOR_SPLIT};
  if (w->options->rollouts || w->options->successes) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&index, episodes));
  for (int64_t i = 0; i < episodes; i++) index[lfm_rng_permute(&rng, 0, episodes, i)] = i;
  lfm_status status = lfm_table_take(demos, index, learn, &w->learn);
  if (status == LFM_OK) status = lfm_table_take(demos, index + learn, episodes - learn, &w->held);
  memmove(index, index + learn, (size_t)(episodes - learn) * sizeof *index);
  w->held_number = index;
  return status;
}

static void release(work *w) {
  lfm_free(w->watch.space);
  lfm_compiled_destroy(w->flow);
  lfm_model_destroy(w->guard.flow);
  lfm_free(w->guard.level);
  lfm_free(w->scores.calibrate);
  lfm_free(w->scores.measure);
  lfm_free(w->scores.failed);
  lfm_table_destroy(w->learn);
  lfm_table_destroy(w->held);
  lfm_free(w->held_number);
}

static lfm_status make(work *w, const char *path, lfm_guard_result *result) {
  const lfm_guard_options *o = w->options;
  LFM_TRY(check(o));
  LFM_TRY(check_count(o));
  LFM_TRY(lfm_chain_writable(path));
  w->windows = o->model->windows;
  LFM_TRY(hold_out(w));
  result->learnt = lfm_table_units(w->learn ? w->learn : o->demos);
  LFM_TRY(learn(w));
  LFM_TRY(score(w, result));
  LFM_TRY(calibrate(w, result));
  lfm_model guarded = *o->model;
  guarded.guard = &w->guard;
  return lfm_model_write(&guarded, path);
}

void lfm_guard_defaults(lfm_guard_options *options) {
  *options = (lfm_guard_options){.alpha = 0.05, .batches = 3000};
  lfm_policy_defaults(&options->policy);
}

lfm_status lfm_guard(const lfm_guard_options *options, const char *path, lfm_guard_result *result) {
  lfm_guard_result unasked;
  if (!result) result = &unasked;
  work w = {.options = options};
  double begun = lfm_seconds();
  *result = (lfm_guard_result){0};
  lfm_status status = make(&w, path, result);
  result->seconds = lfm_seconds() - begun;
  release(&w);
  return status;
}
