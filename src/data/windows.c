/* SPDX-License-Identifier: MIT
 *
 * windows.c -- see windows.h.
 * Window c of an episode of `length` steps is step c's; c runs from 0 to the last one whose chunk reaches no farther behind
 * the end than the executed actions do, as Diffusion Policy samples them.  An episode of fewer steps has one window.
 */
#include "data/windows.h"

#include "core/alloc.h"
#include "core/rotation.h"
#include "data/table.h"

#include <math.h>
#include <string.h>

enum { MOST_HORIZON = 4096 };

/* ---- making ------------------------------------------------------------------------------------------------- */

int64_t lfm_windows_width(lfm_action_kind kind, int64_t action_dim) {
  return kind == LFM_ACTION_POSE ? action_dim / LFM_ARM_ACTION * LFM_POSE_INSIDE : action_dim;
}

lfm_status lfm_windows_check(lfm_horizons h) {
  if (h.observation < 1 || h.action < 1 || h.prediction > MOST_HORIZON || h.observation - 1 + h.action > h.prediction)
    return lfm_fail(LFM_E_USAGE,
                    "prediction_horizon: %lld steps do not hold %lld that are observed before the last and %lld that are "
                    "executed; %lld to %d are possible",
                    (long long)h.prediction, (long long)h.observation - 1, (long long)h.action,
                    (long long)(h.observation - 1 + h.action), MOST_HORIZON);
  return LFM_OK;
}

lfm_status lfm_windows_make(const lfm_windows *sizes, lfm_windows **out) {
  lfm_windows *w;
  LFM_TRY(LFM_ALLOC(&w, 1));
  *w = (lfm_windows){.horizons = sizes->horizons,
                     .kind = sizes->kind,
                     .obs_dim = sizes->obs_dim,
                     .action_dim = sizes->action_dim,
                     .width = sizes->width,
                     .keys = sizes->keys,
                     .count = sizes->count};
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&w->key, w->keys), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->key_dim, w->keys), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->obs_mean, w->obs_dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->obs_scale, w->obs_dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->obs_middle, w->obs_dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->obs_reach, w->obs_dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->action_mean, w->width), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&w->action_scale, w->width), fail);
  if (w->count) LFM_TRY_GOTO(LFM_ALLOC_ROWS(&w->given, w->count * w->horizons.observation * w->obs_dim), fail);
  *out = w;
  return LFM_OK;
fail:
  lfm_windows_destroy(w);
  return status;
}

void lfm_windows_destroy(lfm_windows *w) {
  if (!w) return;
  for (int64_t k = 0; w->key && k < w->keys; k++) lfm_free(w->key[k]);
  lfm_free(w->key);
  lfm_free(w->key_dim);
  lfm_free(w->observations);
  lfm_free(w->task);
  lfm_free(w->obs_mean);
  lfm_free(w->obs_scale);
  lfm_free(w->obs_middle);
  lfm_free(w->obs_reach);
  lfm_free(w->action_mean);
  lfm_free(w->action_scale);
  lfm_free(w->given);
  lfm_free(w);
}

lfm_status lfm_windows_name(lfm_windows *w, const char *task, char *const *key, const int64_t *key_dim) {
  size_t size = 1;
  if (task) LFM_TRY(lfm_alloc_text(&w->task, task));
  for (int64_t k = 0; k < w->keys; k++) {
    LFM_TRY(lfm_alloc_text(&w->key[k], key[k]));
    w->key_dim[k] = key_dim[k];
    size += strlen(key[k]) + 1;
  }
  LFM_TRY(LFM_ALLOC(&w->observations, size));
  char *at = w->observations;
  for (int64_t k = 0; k < w->keys; k++) {
    if (k) *at++ = ',';
    at = stpcpy(at, key[k]);
  }
  return LFM_OK;
}

lfm_status lfm_windows_alike(const lfm_windows *from, int64_t count, lfm_windows **out) {
  lfm_windows sizes = *from;
  sizes.count = count;
  LFM_TRY(lfm_windows_make(&sizes, out));
  lfm_status status = lfm_windows_name(*out, from->task, from->key, from->key_dim);
  if (status != LFM_OK) {
    lfm_windows_destroy(*out);
    *out = NULL;
    return status;
  }
  memcpy((*out)->obs_mean, from->obs_mean, (size_t)from->obs_dim * sizeof *from->obs_mean);
  memcpy((*out)->obs_scale, from->obs_scale, (size_t)from->obs_dim * sizeof *from->obs_scale);
  memcpy((*out)->obs_middle, from->obs_middle, (size_t)from->obs_dim * sizeof *from->obs_middle);
  memcpy((*out)->obs_reach, from->obs_reach, (size_t)from->obs_dim * sizeof *from->obs_reach);
  memcpy((*out)->action_mean, from->action_mean, (size_t)from->width * sizeof *from->action_mean);
  memcpy((*out)->action_scale, from->action_scale, (size_t)from->width * sizeof *from->action_scale);
  return LFM_OK;
}

/* ---- units -------------------------------------------------------------------------------------------------- */

/* A column of `rows` lies in middle +- reach. */
static void range_of(const double *values, int64_t rows, int64_t cols, int64_t col, double *middle, double *reach) {
  double low = values[col], high = values[col];
  for (int64_t i = 1; i < rows; i++) low = fmin(low, values[i * cols + col]), high = fmax(high, values[i * cols + col]);
  *middle = 0.5 * (low + high);
  *reach = 0.5 * (high - low);
}

static double or_a_unit(double reach) { return 2.0 * reach < LFM_LEAST_RANGE ? 1.0 : reach; }

/* [-1, 1] between the least and the greatest. */
static void by_range(const double *values, int64_t rows, int64_t cols, int64_t col, double *mean, double *scale) {
  double reach;
  range_of(values, rows, cols, col, mean, &reach);
  *scale = 1.0 / or_a_unit(reach);
}

/* Positions of a pose, and all of what is none, by their range. */
static void fit_actions(const lfm_demos *demos, lfm_windows *w) {
  bool is_pose = w->kind == LFM_ACTION_POSE;
  for (int64_t j = 0; j < w->width; j++) {
    int64_t part = is_pose ? j % LFM_POSE_INSIDE : 0, from = is_pose ? j / LFM_POSE_INSIDE * LFM_ARM_ACTION + part : j;
    w->action_mean[j] = 0.0, w->action_scale[j] = 1.0;
    if (part < LFM_POSITION)
      by_range(demos->actions, demos->steps, demos->action_dim, from, &w->action_mean[j], &w->action_scale[j]);
  }
}

/* A number that hardly varied has a tenth of the reach of its key's farthest, whose unit it shares: a hand that was never
 * tilted by more than a degree is not out of its mind at three. */
static void fit_reach(const lfm_demos *demos, lfm_windows *w) {
  for (int64_t k = 0, from = 0; k < w->keys; from += w->key_dim[k++]) {
    double most = 0.0;
    for (int64_t j = from; j < from + w->key_dim[k]; j++) {
      range_of(demos->obs, demos->steps, demos->obs_dim, j, &w->obs_middle[j], &w->obs_reach[j]);
      most = fmax(most, w->obs_reach[j]);
    }
    for (int64_t j = from; j < from + w->key_dim[k]; j++) w->obs_reach[j] = or_a_unit(fmax(w->obs_reach[j], 0.1 * most));
  }
}

static void fit_observations(const lfm_demos *demos, lfm_windows *w) {
  double most = 0.0;
  for (int64_t i = 0; i < demos->steps * demos->obs_dim; i++) most = fmax(most, fabs(demos->obs[i]));
  for (int64_t j = 0; j < w->obs_dim; j++) {
    w->obs_mean[j] = 0.0, w->obs_scale[j] = most > 0.0 ? 1.0 / most : 1.0;
    if (w->kind == LFM_ACTION_PLAIN) by_range(demos->obs, demos->steps, demos->obs_dim, j, &w->obs_mean[j], &w->obs_scale[j]);
  }
}

static lfm_status check_finite(const lfm_demos *demos) {
  for (int64_t i = 0; i < demos->steps * demos->obs_dim; i++)
    if (!isfinite(demos->obs[i]))
      return lfm_fail(LFM_E_DATA, "observation of step %lld, number %lld: is not finite; leave the episode out",
                      (long long)(i / demos->obs_dim) + 1, (long long)(i % demos->obs_dim) + 1);
  return LFM_OK;
}

lfm_status lfm_windows_fit(const lfm_demos *demos, lfm_horizons horizons, lfm_windows **out) {
  *out = NULL;
  LFM_TRY(lfm_windows_check(horizons));
  LFM_TRY(check_finite(demos));
  if (demos->obs_dim < 1) return lfm_fail(LFM_E_DATA, "the demonstrations have no observations; a policy needs some");
  lfm_windows sizes = {.horizons = horizons,
                       .kind = demos->kind,
                       .obs_dim = demos->obs_dim,
                       .action_dim = demos->action_dim,
                       .width = lfm_windows_width(demos->kind, demos->action_dim),
                       .keys = demos->keys};
  LFM_TRY(lfm_windows_make(&sizes, out));
  lfm_status status = lfm_windows_name(*out, demos->task, demos->key, demos->key_dim);
  if (status != LFM_OK) {
    lfm_windows_destroy(*out);
    *out = NULL;
    return status;
  }
  fit_actions(demos, *out);
  fit_observations(demos, *out);
  fit_reach(demos, *out);
  return LFM_OK;
}

/* ---- one step ----------------------------------------------------------------------------------------------- */

void lfm_windows_give(const lfm_windows *w, const double *observations, float *given) {
  for (int64_t k = 0; k < w->horizons.observation; k++)
    for (int64_t j = 0; j < w->obs_dim; j++) *given++ = (float)((*observations++ - w->obs_mean[j]) * w->obs_scale[j]);
}

void lfm_windows_encode(const lfm_windows *w, const double *action, double *inside) {
  if (w->kind != LFM_ACTION_POSE) {
    memcpy(inside, action, (size_t)w->width * sizeof *inside);
    return;
  }
  for (int64_t arm = 0; arm < w->action_dim / LFM_POSE; arm++)
    lfm_pose_to_inside(action + arm * LFM_POSE, inside + arm * LFM_POSE_INSIDE);
}

void lfm_windows_action(const lfm_windows *w, const double *y, double *action) {
  double arm[LFM_POSE_INSIDE];
  bool is_pose = w->kind == LFM_ACTION_POSE;
  for (int64_t j = 0; j < w->width && !is_pose; j++) action[j] = w->action_mean[j] + y[j] / w->action_scale[j];
  for (int64_t j = 0; j < w->width && is_pose; j += LFM_POSE_INSIDE, action += LFM_POSE) {
    for (int64_t k = 0; k < LFM_POSE_INSIDE; k++) arm[k] = w->action_mean[j + k] + y[j + k] / w->action_scale[j + k];
    lfm_pose_from_inside(arm, action);
  }
}

/* ---- cutting ------------------------------------------------------------------------------------------------ */

static int64_t windows_of(int64_t length, lfm_horizons h) {
  int64_t count = length - h.prediction + h.action + h.observation - 1;
  return count < 1 ? 1 : count;
}

int64_t lfm_windows_count(const lfm_demos *demos, lfm_horizons horizons) {
  int64_t count = 0;
  for (int64_t e = 0; e < demos->episodes; e++) count += windows_of(demos->ends[e] - lfm_demos_begin(demos, e), horizons);
  return count;
}

/* A step of an episode, or the nearest that it has. */
static int64_t within(int64_t step, int64_t begin, int64_t end) {
  return step < begin ? begin : step >= end ? end - 1 : step;
}

void lfm_windows_look(const lfm_demos *demos, int64_t episode, int64_t step, int64_t horizon, double *seen) {
  int64_t begin = lfm_demos_begin(demos, episode), end = demos->ends[episode], obs = demos->obs_dim;
  for (int64_t k = 0; k < horizon; k++)
    memcpy(seen + k * obs, demos->obs + within(step - (horizon - 1) + k, begin, end) * obs, (size_t)obs * sizeof *seen);
}

/* Window `at` is that of step c of an episode; observations: scratch. */
static void cut_window(const lfm_demos *demos, int64_t episode, int64_t c, double *observations, lfm_table *table,
                       int64_t at) {
  lfm_windows *w = table->windows;
  int64_t begin = lfm_demos_begin(demos, episode), end = demos->ends[episode], first = c - (w->horizons.observation - 1);
  lfm_windows_look(demos, episode, c, w->horizons.observation, observations);
  lfm_windows_give(w, observations, w->given + at * w->horizons.observation * w->obs_dim);
  for (int64_t k = 0; k < w->horizons.prediction; k++)
    lfm_windows_encode(w, demos->actions + within(first + k, begin, end) * demos->action_dim,
                       table->values + at * table->cols + k * w->width);
}

/* Of demonstrations the names alone are known. */
lfm_status lfm_windows_fit_demos(const lfm_windows *like, const lfm_demos *demos) {
  if (like->kind != demos->kind || like->action_dim != demos->action_dim)
    return lfm_fail(LFM_E_DATA, "the demonstrations are of %lld %s numbers an action, the model of %lld %s",
                    (long long)demos->action_dim, lfm_action_kind_name(demos->kind), (long long)like->action_dim,
                    lfm_action_kind_name(like->kind));
  bool same = like->keys == demos->keys && like->obs_dim == demos->obs_dim;
  for (int64_t k = 0; same && k < like->keys; k++)
    same = strcmp(like->key[k], demos->key[k]) == 0 && like->key_dim[k] == demos->key_dim[k];
  if (same) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "an observation has %lld numbers there, but the model's %lld, of %s; read those",
                  (long long)demos->obs_dim, (long long)like->obs_dim, like->observations);
}

lfm_status lfm_windows_cut(const lfm_windows *like, const lfm_demos *demos, lfm_table **out) {
  double *observations = NULL;
  int64_t count = lfm_windows_count(demos, like->horizons), at = 0;
  lfm_status status;
  *out = NULL;
  LFM_TRY(lfm_windows_fit_demos(like, demos));
  LFM_TRY(lfm_table_make(count, like->horizons.prediction * like->width, out));
  LFM_TRY_GOTO(lfm_windows_alike(like, count, &(*out)->windows), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&observations, like->horizons.observation * like->obs_dim), fail);
  for (int64_t e = 0; e < demos->episodes; e++) {
    int64_t begin = lfm_demos_begin(demos, e), end = demos->ends[e];
    for (int64_t c = 0; c < windows_of(end - begin, like->horizons); c++)
      cut_window(demos, e, begin + c, observations, *out, at++);
  }
  lfm_free(observations);
  return LFM_OK;
fail:
  lfm_table_destroy(*out);
  *out = NULL;
  return status;
}

lfm_status lfm_windows_compare(const lfm_windows *a, const lfm_windows *b, const char *what) {
  bool same = a->kind == b->kind && a->action_dim == b->action_dim && a->obs_dim == b->obs_dim &&
              strcmp(a->observations, b->observations) == 0 && a->horizons.observation == b->horizons.observation &&
              a->horizons.prediction == b->horizons.prediction;
  if (same) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s is of other actions, observations or horizons than the model", what);
}
