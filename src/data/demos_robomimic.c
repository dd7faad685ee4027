/* SPDX-License-Identifier: MIT
 *
 * demos_robomimic.c -- low-dimensional demonstrations in robomimic's layout of an HDF5 file.
 *   data        attributes env_args (JSON), total; a group demo_N for each episode, in the order of the numbers N
 *   demo_N      attribute num_samples; actions [T, A], maybe actions_abs [T, A]; obs/KEY [T, ...]; the rest is not read
 *   mask/NAME   names of episodes: a filter, FILE::NAME
 * Published files lack attributes, have gaps between their numbers, and mix float types.  So everything is held against the
 * actions, whose rows are the steps, and what the first episode has, all must have: a key that a few episodes lack would
 * otherwise come out as zeros.  Actions of 7 numbers an arm are poses where the file calls them absolute, and else steps,
 * robosuite's own default.
 */
#include "data/demos_hdf5.h"

#include "core/alloc.h"
#include "data/demos_read.h"
#include "data/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_KEYS "object,robot0_eef_pos,robot0_eef_quat,robot0_gripper_qpos"

typedef struct reader {
  const lfm_source *source;
  hid_t file;
  lfm_listing filters, episodes; /* "train"; "demo_0", in the order of their numbers */
  lfm_offer offer;
  int64_t *chosen, keys, obs_dim;
  const char *actions; /* "actions" or "actions_abs" */
  int64_t action_dim, steps;
  bool absolute;
  char *task;
  lfm_demos *demos;
} reader;

/* ---- which episodes -------------------------------------------------------------------------------------------- */

/* N of demo_N; -1 for a name of another kind. */
static int64_t number_of(const char *name) {
  enum { MOST_DIGITS = 18 };
  static const char prefix[] = "demo_";
  if (strncmp(name, prefix, sizeof prefix - 1) != 0) return -1;
  const char *digits = name + sizeof prefix - 1;
  size_t count = strspn(digits, "0123456789");
  return count < 1 || count > MOST_DIGITS || digits[count] ? -1 : strtoll(digits, NULL, 10);
}

static int by_number(const void *a, const void *b) {
  const char *one = *(char *const *)a, *two = *(char *const *)b;
  int64_t x = number_of(one), y = number_of(two);
  return x != y ? (x > y) - (x < y) : strcmp(one, two);
}

static herr_t is_episode(hid_t group, const char *name, const H5L_info_t *info, void *context) {
  (void)info, (void)context;
  return number_of(name) >= 0 && lfm_hdf5_has(group, name, H5O_TYPE_GROUP);
}

bool lfm_robomimic_is(hid_t file) {
  return lfm_hdf5_has(file, "data", H5O_TYPE_GROUP) &&
         H5Literate_by_name(file, "data", H5_INDEX_NAME, H5_ITER_INC, NULL, is_episode, NULL, H5P_DEFAULT) > 0;
}

static lfm_status list_filters(reader *r) {
  if (!lfm_hdf5_has(r->file, "mask", H5O_TYPE_GROUP)) return LFM_OK;
  hid_t group = H5Gopen2(r->file, "mask", H5P_DEFAULT);
  lfm_status status = lfm_hdf5_list(r->source->name, group, H5O_TYPE_DATASET, &r->filters);
  H5Gclose(group);
  return status;
}

static lfm_status refuse_filter(const reader *r) {
  char quoted[LFM_QUOTE_MAX], list[400];
  return lfm_fail(LFM_E_USAGE, "%s: has no dataset or filter %s; its filters are %s", r->source->path,
                  lfm_quote(r->source->key, strlen(r->source->key), quoted),
                  r->filters.count ? lfm_quote_list(r->filters.names, r->filters.count, list, sizeof list) : "none");
}

/* Those of the filter; every one must be there, once. */
static lfm_status list_filtered(reader *r) {
  char path[1024], episode[1024], quoted[LFM_QUOTE_MAX];
  snprintf(path, sizeof path, "mask/%s", r->source->key);
  if (!lfm_hdf5_has(r->file, path, H5O_TYPE_DATASET)) return refuse_filter(r);
  LFM_TRY(lfm_hdf5_read_texts(r->source->name, r->file, path, &r->episodes));
  if (r->episodes.count) qsort(r->episodes.names, (size_t)r->episodes.count, sizeof *r->episodes.names, by_number);
  for (int64_t i = 0; i < r->episodes.count; i++) {
    const char *name = r->episodes.names[i];
    snprintf(episode, sizeof episode, "data/%s", name);
    if (number_of(name) < 0 || !lfm_hdf5_has(r->file, episode, H5O_TYPE_GROUP))
      return lfm_fail(LFM_E_FORMAT, "%s: %s names %s, which data does not hold", r->source->name, path,
                      lfm_quote(name, strlen(name), quoted));
    if (i && strcmp(name, r->episodes.names[i - 1]) == 0)
      return lfm_fail(LFM_E_FORMAT, "%s: %s names %s twice", r->source->name, path, name);
  }
  return LFM_OK;
}

static lfm_status list_all(reader *r, hid_t data) {
  lfm_listing groups = {0};
  lfm_status status = lfm_hdf5_list(r->source->name, data, H5O_TYPE_GROUP, &groups);
  for (int64_t i = 0; status == LFM_OK && i < groups.count; i++)
    if (number_of(groups.names[i]) >= 0) status = lfm_listing_add(&r->episodes, groups.names[i]);
  lfm_listing_free(&groups);
  if (status == LFM_OK && r->episodes.count)
    qsort(r->episodes.names, (size_t)r->episodes.count, sizeof *r->episodes.names, by_number);
  return status;
}

/* The episodes, and what the file says of its world. */
static lfm_status survey_file(reader *r) {
  char *text = NULL;
  hid_t data = H5Gopen2(r->file, "data", H5P_DEFAULT);
  if (data < 0) return lfm_fail(LFM_E_FORMAT, "%s: its group data cannot be opened", r->source->name);
  lfm_status status = r->source->key ? list_filtered(r) : list_all(r, data);
  if (status == LFM_OK && !r->episodes.count) status = lfm_fail(LFM_E_DATA, "%s: has no episodes", r->source->name);
  if (status == LFM_OK) status = lfm_hdf5_text_attribute(r->source->name, data, "env_args", &text);
  if (status == LFM_OK && text) status = lfm_demos_env(r->source->name, text, &r->task, &r->absolute);
  lfm_free(text);
  H5Gclose(data);
  return status;
}

/* ---- what they hold -------------------------------------------------------------------------------------------- */

/* data/demo_N/NAME of the i-th episode, or of its obs. */
static void path_of(const reader *r, int64_t i, const char *name, char path[1024]) {
  snprintf(path, 1024, "data/%s/%s", r->episodes.names[i], name);
}
static void path_of_key(const reader *r, int64_t i, const char *key, char path[1024]) {
  snprintf(path, 1024, "data/%s/obs/%s", r->episodes.names[i], key);
}

/* Numbers a step of an array, 0 where it is no row of numbers a step. */
static int64_t step_size(const lfm_hdf5_array *array) {
  return array->is_numbers && (array->rank == 1 || array->rank == 2) ? array->width : 0;
}

/* Opens an array that every episode is to have. */
static lfm_status open_array(const reader *r, const char *path, lfm_hdf5_array *array) {
  if (lfm_hdf5_has(r->file, path, H5O_TYPE_DATASET)) return lfm_hdf5_array_open(r->source->name, r->file, path, array);
  return lfm_fail(LFM_E_DATA, "%s: %s: is not there; leave the episode out with a filter", r->source->name, path);
}

/* Whether its numbers are there; closes it. */
static lfm_status check_array(const reader *r, const lfm_hdf5_array *array) {
  lfm_status status = lfm_hdf5_array_check(r->source->name, array);
  H5Dclose(array->id);
  return status;
}

static lfm_status offer_key(reader *r, const char *key) {
  char path[1024];
  lfm_hdf5_array array;
  path_of_key(r, 0, key, path);
  LFM_TRY(lfm_hdf5_array_open(r->source->name, r->file, path, &array));
  H5Dclose(array.id);
  return lfm_offer_add(&r->offer, key, step_size(&array));
}

/* Before memory is asked for by what the first episode claims. */
static lfm_status check_chosen(const reader *r) {
  for (int64_t k = 0; k < r->keys; k++) {
    char path[1024];
    lfm_hdf5_array array;
    path_of_key(r, 0, r->offer.names.names[r->chosen[k]], path);
    LFM_TRY(open_array(r, path, &array));
    LFM_TRY(check_array(r, &array));
  }
  return LFM_OK;
}

static lfm_status choose_keys(reader *r) {
  char path[1024];
  lfm_listing keys = {0};
  path_of(r, 0, "obs", path);
  hid_t group = H5Gopen2(r->file, path, H5P_DEFAULT);
  if (group < 0)
    return lfm_fail(LFM_E_DATA, "%s: %s is not there; a file of states only gets observations from robomimic's own scripts",
                    r->source->name, path);
  lfm_status status = lfm_hdf5_list(r->source->name, group, H5O_TYPE_DATASET, &keys);
  for (int64_t k = 0; status == LFM_OK && k < keys.count; k++) status = offer_key(r, keys.names[k]);
  lfm_listing_free(&keys);
  H5Gclose(group);
  LFM_TRY(status);
  LFM_TRY(lfm_offer_choose(r->source, &r->offer, USUAL_KEYS, &r->chosen, &r->keys, &r->obs_dim));
  return check_chosen(r);
}

/* Where the first episode is like that, all of them may be, and none is to be left out. */
static const char *advice_for(int64_t i) { return i ? "; leave the episode out with a filter" : ""; }

static lfm_status refuse_actions(const reader *r, int64_t i, const char *path, const lfm_hdf5_array *array) {
  char what[64] = "holds no numbers", due[96] = "[steps, numbers] is due";
  if (array->is_numbers && array->rank == 2) snprintf(what, sizeof what, "is empty");
  else if (array->is_numbers) snprintf(what, sizeof what, "has %d dimensions", array->rank);
  if (array->is_numbers && array->rank == 1) {
    snprintf(what, sizeof what, "has the shape [%lld]", (long long)array->shape[0]);
    snprintf(due, sizeof due, "[steps, numbers] is due, [%lld, 1] where an action is one number", (long long)array->shape[0]);
  }
  return lfm_fail(LFM_E_DATA, "%s: %s: %s; %s%s", r->source->name, path, what, due, advice_for(i));
}

/* The actions of an episode, which say how many steps it has; path is theirs, and the caller's to keep. */
static lfm_status open_actions(reader *r, int64_t i, char path[1024], lfm_hdf5_array *array) {
  char group[1024];
  int64_t stated;
  path_of(r, i, r->actions, path);
  LFM_TRY(open_array(r, path, array));
  snprintf(group, sizeof group, "data/%s", r->episodes.names[i]);
  hid_t episode = H5Gopen2(r->file, group, H5P_DEFAULT);
  bool states = lfm_hdf5_whole_attribute(episode, "num_samples", &stated);
  H5Gclose(episode);
  lfm_status status = LFM_OK;
  if (!array->is_numbers || array->rank != 2 || array->width < 1 || array->shape[0] < 1)
    status = refuse_actions(r, i, path, array);
  else if (i && array->width != r->action_dim)
    status = lfm_fail(LFM_E_DATA, "%s: %s: has %lld numbers a step, those of %s %lld; leave the episode out with a filter",
                      r->source->name, path, (long long)array->width, r->episodes.names[0], (long long)r->action_dim);
  else if (states && stated != array->shape[0])
    status = lfm_fail(LFM_E_FORMAT, "%s: %s: has %lld steps, where num_samples says %lld; the file is truncated or altered",
                      r->source->name, path, (long long)array->shape[0], (long long)stated);
  if (status != LFM_OK) H5Dclose(array->id);
  return status;
}

static lfm_status count_steps(reader *r) {
  char path[1024];
  path_of(r, 0, "actions_abs", path);
  bool has_absolute = lfm_hdf5_has(r->file, path, H5O_TYPE_DATASET);
  r->actions = has_absolute ? "actions_abs" : "actions";
  r->absolute |= has_absolute;
  for (int64_t i = 0; i < r->episodes.count; i++) {
    lfm_hdf5_array array;
    LFM_TRY(open_actions(r, i, path, &array));
    LFM_TRY(check_array(r, &array));
    r->action_dim = array.width;
    if (__builtin_add_overflow(r->steps, array.shape[0], &r->steps))
      return lfm_fail(LFM_E_FORMAT, "%s: claims more steps than can be counted", r->source->name);
  }
  return LFM_OK;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* The array at PATH, open, into columns first .. of its episode's steps; closes it. */
static lfm_status take_array(reader *r, const char *path, const lfm_hdf5_array *array, double *out, int64_t cols,
                             int64_t first) {
  lfm_status status = lfm_hdf5_array_check(r->source->name, array);
  if (status == LFM_OK) status = lfm_hdf5_array_read(r->source->name, array, out, cols, first);
  H5Dclose(array->id);
  LFM_TRY(status);
  return lfm_demos_check_finite(r->source, path, out, array->shape[0], cols, first, array->width);
}

/* An observation that is not numbers for every step, as many as in the first episode. */
static lfm_status refuse_key(const reader *r, int64_t i, const char *path, const lfm_hdf5_array *array, int64_t dim,
                             int64_t steps) {
  if (step_size(array) == dim)
    return lfm_fail(LFM_E_DATA, "%s: %s has %lld rows, data/%s/%s %lld%s", r->source->name, path, (long long)array->shape[0],
                    r->episodes.names[i], r->actions, (long long)steps, advice_for(i));
  return lfm_fail(LFM_E_DATA, "%s: %s: is not %lld numbers a step, as in %s%s", r->source->name, path, (long long)dim,
                  r->episodes.names[0], advice_for(i));
}

static lfm_status read_key(reader *r, int64_t i, int64_t k, int64_t steps, double *obs, int64_t first) {
  char path[1024];
  lfm_hdf5_array array;
  int64_t dim = r->offer.dims[r->chosen[k]];
  path_of_key(r, i, r->offer.names.names[r->chosen[k]], path);
  LFM_TRY(open_array(r, path, &array));
  if (step_size(&array) == dim && array.shape[0] == steps) return take_array(r, path, &array, obs, r->obs_dim, first);
  H5Dclose(array.id);
  return refuse_key(r, i, path, &array, dim, steps);
}

static lfm_status read_episode(reader *r, int64_t i) {
  lfm_demos *demos = r->demos;
  char path[1024];
  lfm_hdf5_array actions;
  int64_t begin = lfm_demos_begin(demos, i), first = 0;
  LFM_TRY(open_actions(r, i, path, &actions));
  int64_t steps = actions.shape[0];
  demos->ends[i] = begin + steps;
  LFM_TRY(take_array(r, path, &actions, demos->actions + begin * r->action_dim, r->action_dim, 0));
  for (int64_t k = 0; k < r->keys; k++) {
    LFM_TRY(read_key(r, i, k, steps, demos->obs + begin * r->obs_dim, first));
    first += r->offer.dims[r->chosen[k]];
  }
  return LFM_OK;
}

static lfm_status read_all(reader *r) {
  LFM_TRY(lfm_demos_check_options(r->source));
  LFM_TRY(list_filters(r));
  LFM_TRY(survey_file(r));
  LFM_TRY(count_steps(r));
  LFM_TRY(choose_keys(r));
  LFM_TRY(lfm_demos_make(r->episodes.count, r->steps, r->obs_dim, r->action_dim, &r->demos));
  bool has_arms = r->action_dim == LFM_ARM_ACTION || r->action_dim == LFM_TWO_ARMS_ACTION;
  r->demos->kind = !has_arms ? LFM_ACTION_PLAIN : r->absolute ? LFM_ACTION_POSE : LFM_ACTION_DELTA;
  r->demos->task = r->task;
  r->task = NULL;
  LFM_TRY(lfm_demos_name_keys(&r->offer, r->chosen, r->keys, r->demos));
  r->demos->filters = r->filters;
  r->filters = (lfm_listing){0};
  for (int64_t i = 0; i < r->episodes.count; i++) LFM_TRY(read_episode(r, i));
  return LFM_OK;
}

lfm_status lfm_robomimic_read(const lfm_source *source, hid_t file, lfm_table **out) {
  reader r = {.source = source, .file = file};
  lfm_status status = read_all(&r);
  lfm_listing_free(&r.filters);
  lfm_listing_free(&r.episodes);
  lfm_offer_free(&r.offer);
  lfm_free(r.chosen);
  lfm_free(r.task);
  if (status == LFM_OK) return lfm_table_of_demos(r.demos, out);
  lfm_demos_destroy(r.demos);
  return status;
}
