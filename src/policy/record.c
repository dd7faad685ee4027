/* SPDX-License-Identifier: MIT
 *
 * record.c -- demonstrations by a task's scripted expert: episodes are tried in the order of their numbers, and the first
 * successes are kept.
 *   1  refuse what cannot work
 *   2  rounds: as many episodes as successes are missing, shared among the threads, a world each
 *   3  write the file; draw the sheet
 * An episode depends on the seed and its number alone, and a round is over before its successes are counted, so that the file
 * is the same for any number of threads. An episode ends when success has lasted ten steps, as robosuite's own collector has
 * it: a lucky moment is no success, and a policy sees what comes after.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "core/threads.h"
#include "data/demos_write.h"
#include "flow/meter.h"
#include "policy/sheet.h"
#include "sim/world.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { LASTING = 10, MOST_EPISODES = 100000, MOST_ROUNDS = 20 };

typedef struct recorder {
  const lfm_demos_options *options;
  const lfm_task *task;
  lfm_team *team;
  lfm_world **worlds;    /* [threads] */
  lfm_recorded *scratch; /* [threads], each as long as an episode can be */
  lfm_recorded *kept;    /* [options->episodes] */
  int64_t count, tried;  /* of kept; of episodes */
  lfm_recorded *round;   /* [missing] of this round, from episode `tried` on; steps 0: it failed */
  atomic_llong done;     /* successes */
  lfm_meter meter;
} recorder;

/* ---- memory of an episode: one block ------------------------------------------------------------------------------ */

static size_t numbers_of(const lfm_task *task, int64_t steps) {
  return (size_t)((steps + 1) * task->obs_dim + (2 * task->action_dim + task->state_dim + 1) * steps + task->state_dim);
}

static void lay_out(const lfm_task *task, double *block, int64_t steps, lfm_recorded *out) {
  out->steps = steps;
  out->obs = block;
  out->actions = out->obs + (steps + 1) * task->obs_dim;
  out->absolute = out->actions + steps * task->action_dim;
  out->rewards = out->absolute + steps * task->action_dim;
  out->states = out->rewards + steps; /* and the last one behind them, for the sheet */
}

static lfm_status make_episode(const lfm_task *task, int64_t steps, lfm_recorded *out) {
  double *block;
  LFM_TRY(LFM_ALLOC(&block, numbers_of(task, steps)));
  lay_out(task, block, steps, out);
  return LFM_OK;
}

static void copy_numbers(double *to, const double *from, int64_t rows, int64_t cols) {
  memcpy(to, from, (size_t)(rows * cols) * sizeof *to);
}

/* The first steps of an episode, in memory of its own. */
static lfm_status keep(const lfm_task *task, const lfm_recorded *whole, int64_t steps, lfm_recorded *out) {
  LFM_TRY(make_episode(task, steps, out));
  copy_numbers(out->obs, whole->obs, steps + 1, task->obs_dim);
  copy_numbers(out->actions, whole->actions, steps, task->action_dim);
  copy_numbers(out->absolute, whole->absolute, steps, task->action_dim);
  copy_numbers(out->rewards, whole->rewards, steps, 1);
  copy_numbers(out->states, whole->states, steps + 1, task->state_dim);
  return LFM_OK;
}

/* ---- an episode --------------------------------------------------------------------------------------------------- */

/* *steps: how long it was, or 0 when the expert failed; physics that breaks is a failure like others. */
static lfm_status act(lfm_world *world, uint64_t seed, int64_t number, const lfm_recorded *out, int64_t *steps) {
  const lfm_task *task = lfm_world_task(world);
  *steps = 0;
  LFM_TRY(lfm_world_reset(world, seed, number));
  int lasted = 0;
  for (int64_t t = 0; t < task->horizon; t++) {
    double *delta = out->actions + t * task->action_dim, *pose = out->absolute + t * task->action_dim;
    lfm_world_observe(world, out->obs + t * task->obs_dim);
    lfm_world_state(world, out->states + t * task->state_dim);
    lfm_world_expert(world, delta);
    lfm_world_absolute(world, delta, pose);
    lfm_status status = lfm_world_step(world, pose);
    if (status != LFM_OK) return status == LFM_E_NUMERIC ? LFM_OK : status;
    out->rewards[t] = lfm_world_reward(world);
    lasted = lfm_world_succeeded(world) ? lasted + 1 : 0;
    if (lasted < LASTING) continue;
    lfm_world_observe(world, out->obs + (t + 1) * task->obs_dim);
    lfm_world_state(world, out->states + (t + 1) * task->state_dim);
    *steps = t + 1;
    return LFM_OK;
  }
  return LFM_OK;
}

static lfm_status record_one(void *context, int worker, int64_t i) {
  recorder *r = context;
  int64_t steps;
  LFM_TRY(act(r->worlds[worker], r->options->seed, r->tried + i, &r->scratch[worker], &steps));
  if (steps) {
    LFM_TRY(keep(r->task, &r->scratch[worker], steps, &r->round[i]));
    atomic_fetch_add(&r->done, 1);
  }
  bool stop = worker == 0 && lfm_meter_tick(&r->meter, atomic_load(&r->done)); /* the caller's thread */
  return stop ? lfm_fail(LFM_E_INTERRUPTED, "stopped; nothing is written") : LFM_OK;
}

/* As many episodes as successes are missing. */
static lfm_status run_round(recorder *r) {
  int64_t missing = r->options->episodes - r->count;
  LFM_TRY(LFM_ALLOC(&r->round, missing));
  lfm_status status = lfm_team_run(r->team, missing, record_one, r);
  for (int64_t i = 0; i < missing; i++)
    if (r->round[i].steps) r->kept[r->count++] = r->round[i];
  r->tried += missing;
  lfm_free(r->round);
  return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static lfm_status prepare(recorder *r) {
  LFM_TRY(lfm_team_create(r->options->threads, &r->team));
  int threads = lfm_team_size(r->team);
  LFM_TRY(LFM_ALLOC(&r->worlds, threads));
  LFM_TRY(LFM_ALLOC(&r->scratch, threads));
  LFM_TRY(LFM_ALLOC(&r->kept, r->options->episodes));
  for (int i = 0; i < threads; i++) {
    LFM_TRY(lfm_world_create(r->task, &r->worlds[i]));
    LFM_TRY(make_episode(r->task, r->task->horizon, &r->scratch[i]));
  }
  return LFM_OK;
}

static void release(recorder *r) {
  int threads = r->team ? lfm_team_size(r->team) : 0;
  for (int i = 0; r->worlds && i < threads; i++) lfm_world_destroy(r->worlds[i]);
  for (int i = 0; r->scratch && i < threads; i++) lfm_free(r->scratch[i].obs);
  for (int64_t i = 0; i < r->count; i++) lfm_free(r->kept[i].obs);
  lfm_free(r->worlds);
  lfm_free(r->scratch);
  lfm_free(r->kept);
  lfm_team_destroy(r->team);
}

static lfm_status record(recorder *r) {
  for (int round = 0; r->count < r->options->episodes; round++) {
    if (round == MOST_ROUNDS)
      return lfm_fail(LFM_E_NUMERIC, "%s: the expert succeeded in %lld of %lld episodes only", r->task->name,
                      (long long)r->count, (long long)r->tried);
    LFM_TRY(run_round(r));
  }
  return LFM_OK;
}

/* What robomimic's tools ask of the world, by robosuite's words for it; and whose scene it is. */
static void write_env_args(const lfm_task *task, char *out, size_t size) {
  snprintf(out, size,
           "{\"env_name\": \"%s\", \"type\": 1, \"env_version\": \"1.2.0\", \"env_kwargs\": {\"robots\": [\"Panda\"], "
           "\"control_freq\": %g, \"horizon\": %lld, \"reward_shaping\": false, \"use_camera_obs\": false, "
           "\"use_object_obs\": true, \"controller_configs\": {\"type\": \"OSC_POSE\", \"input_max\": 1, \"input_min\": -1, "
           "\"output_max\": [0.05, 0.05, 0.05, 0.5, 0.5, 0.5], \"output_min\": [-0.05, -0.05, -0.05, -0.5, -0.5, -0.5], "
           "\"kp\": 150, \"damping\": 1, \"impedance_mode\": \"fixed\", \"control_ori\": true, \"control_delta\": true, "
           "\"uncouple_pos_ori\": true}}, \"lfm\": \"%s: robosuite-equivalent scene, scripted demonstrations\"}",
           task->environment, task->control_hz, (long long)task->horizon, LFM_VERSION);
}

static lfm_status write_file(const recorder *r, const char *path) {
  const lfm_task *task = r->task;
  char env_args[1024];
  const char *keys[LFM_MOST_PARTS];
  int64_t dims[LFM_MOST_PARTS], count = 0;
  for (; count < LFM_MOST_PARTS && task->parts[count].name; count++)
    keys[count] = task->parts[count].name, dims[count] = task->parts[count].dim;
  write_env_args(task, env_args, sizeof env_args);
  lfm_recording recording = {.env_args = env_args,
                             .keys = count,
                             .key = keys,
                             .key_dim = dims,
                             .obs_dim = task->obs_dim,
                             .action_dim = task->action_dim,
                             .state_dim = task->state_dim,
                             .episodes = r->count,
                             .episode = r->kept};
  return lfm_demos_write(&recording, path);
}

static lfm_status draw_sheet(const recorder *r) {
  lfm_strip strips[LFM_SHEET_ROWS];
  int64_t count = r->count < LFM_SHEET_ROWS ? r->count : LFM_SHEET_ROWS;
  for (int64_t i = 0; i < count; i++) strips[i] = (lfm_strip){r->kept[i].steps + 1, r->kept[i].states};
  return lfm_sheet_draw(r->options->sheet, r->task, strips, count);
}

/* Episodes are tried until `count` of them have succeeded, so that chance decides their number N and not the successes:
 *   P(N <= of | p) = sum over f = 0..of - count of C(count + f - 1, f) p^count (1 - p)^f                    [Pascal's law] */
static double within(int64_t of, int64_t count, double p) {
  double sum = 0, successes = (double)count;
  for (int64_t f = 0; f <= of - count; f++)
    sum += exp(lgamma(successes + (double)f) - lgamma((double)f + 1) - lgamma(successes) + successes * log(p) +
               (double)f * log1p(-p));
  return sum;
}

/* The p in 0..1 by which N is `of` at most with this chance, which grows with p. */
static double chance_within(int64_t of, int64_t count, double chance) {
  double low = 0, high = 1;
  for (int halving = 0; halving < 50; halving++) {
    double middle = (low + high) / 2;
    if (within(of, count, middle) < chance) low = middle;
    else high = middle;
  }
  return high;
}

/* The exact interval, after Clopper and Pearson: every p under which neither so few episodes nor so many are rarer than one
 * time in forty. */
static lfm_share share_until(int64_t count, int64_t of) {
  return (lfm_share){.of = of,
                     .count = count,
                     .share = (double)count / (double)of,
                     .low = chance_within(of, count, 0.025),
                     .high = of > count ? chance_within(of - 1, count, 0.975) : 1};
}

static lfm_demos_result result_of(const recorder *r) {
  lfm_demos_result result = {.success = share_until(r->count, r->tried), .seconds = lfm_seconds() - r->meter.begun};
  for (int64_t i = 0; i < r->count; i++) result.steps += r->kept[i].steps;
  return result;
}

static lfm_status check(const lfm_demos_options *options, const char *path, const lfm_task **task) {
  LFM_TRY(lfm_task_find_expert(options->task ? options->task : "", task));
  if (options->episodes < 1 || options->episodes > MOST_EPISODES)
    return lfm_fail(LFM_E_USAGE, "n: %lld episodes asked; 1 to %d are possible", (long long)options->episodes, MOST_EPISODES);
  if (!lfm_path_ends_with(path, ".hdf5") && !lfm_path_ends_with(path, ".h5"))
    return lfm_fail(LFM_E_USAGE, "%s: demonstrations are an .hdf5 file", path);
  LFM_TRY(lfm_path_check_writable(path));
  return options->sheet ? lfm_sheet_check(options->sheet, *task) : LFM_OK;
}

void lfm_demos_defaults(lfm_demos_options *options) { *options = (lfm_demos_options){.episodes = 200}; }

lfm_status lfm_demos_record(const lfm_demos_options *options, const char *path, lfm_demos_result *result) {
  recorder r = {.options = options};
  if (result) *result = (lfm_demos_result){0};
  LFM_TRY(check(options, path, &r.task));
  lfm_meter_begin(&r.meter, options->progress, options->context);
  lfm_meter_phase(&r.meter, LFM_PHASE_RECORD, 0, 0, 0, options->episodes);
  lfm_status status = prepare(&r);
  if (status == LFM_OK) status = record(&r);
  if (status == LFM_OK) status = write_file(&r, path);
  if (status == LFM_OK && result) *result = result_of(&r);
  if (status == LFM_OK && options->sheet) status = draw_sheet(&r);
  release(&r);
  return status;
}
