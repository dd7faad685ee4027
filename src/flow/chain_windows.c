/* SPDX-License-Identifier: MIT
 *
 * chain_windows.c -- what a model file says of a policy in place of columns:
 *   metadata   action (pose, delta, plain), action_dim, task where it is known, observations, and of each of these
 *              observation.K (its key) and observation_dim.K; the horizons are in the configuration
 *   tensors    action.mean, action.scale [width], observation.mean, observation.scale [numbers of a step], float64:
 *              the network sees (value - mean) scale, of poses with their rotation in six numbers; observation.middle,
 *              observation.reach: where observations were in the demonstrations
 */
#include "flow/chain.h"

#include "core/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_KEYS = 1 << 16, MOST_NUMBERS = 1 << 20 };

lfm_horizons lfm_chain_horizons(const lfm_config *config) {
  return (lfm_horizons){config->observation_horizon, config->prediction_horizon, config->action_horizon};
}

lfm_status lfm_chain_units(const lfm_windows *w, lfm_normaliser **out) {
  return lfm_normaliser_chunks(w->horizons.prediction, w->width, w->action_mean, w->action_scale, out);
}

/* One list for writing and reading. */
typedef struct field {
  const char *name;
  int64_t count;
  double *data;
} field;
enum { FIELDS = 6 };

static void fields_of(const lfm_windows *w, field out[FIELDS]) {
  const field fields[FIELDS] = {
      {"action.mean", w->width, w->action_mean},         {"action.scale", w->width, w->action_scale},
      {"observation.mean", w->obs_dim, w->obs_mean},     {"observation.scale", w->obs_dim, w->obs_scale},
      {"observation.middle", w->obs_dim, w->obs_middle}, {"observation.reach", w->obs_dim, w->obs_reach}};
  memcpy(out, fields, sizeof fields);
}

lfm_status lfm_chain_add_windows(const lfm_windows *w, lfm_archive *archive) {
  char key[48];
  field fields[FIELDS];
  LFM_TRY(lfm_archive_meta(archive, "action", lfm_action_kind_name(w->kind)));
  LFM_TRY(lfm_chain_add_number(archive, "action_dim", w->action_dim));
  if (w->task) LFM_TRY(lfm_archive_meta(archive, "task", w->task));
  LFM_TRY(lfm_chain_add_number(archive, "observations", w->keys));
  for (int64_t k = 0; k < w->keys; k++) {
    snprintf(key, sizeof key, "observation.%lld", (long long)k);
    LFM_TRY(lfm_archive_meta(archive, key, w->key[k]));
    snprintf(key, sizeof key, "observation_dim.%lld", (long long)k);
    LFM_TRY(lfm_chain_add_number(archive, key, w->key_dim[k]));
  }
  fields_of(w, fields);
  for (int k = 0; k < FIELDS; k++)
    LFM_TRY(lfm_archive_add(archive, fields[k].name, LFM_F64, 1, &fields[k].count, fields[k].data));
  return LFM_OK;
}

/* ---- and back ----------------------------------------------------------------------------------------------- */

static lfm_status read_kind(const lfm_archive *archive, lfm_windows *sizes) {
  const char *text = lfm_archive_meta_find(archive, "action");
  long dim;
  LFM_TRY(lfm_chain_find_number(archive, "action_dim", 1, MOST_NUMBERS, &dim));
  sizes->action_dim = dim;
  for (sizes->kind = LFM_ACTION_PLAIN; sizes->kind <= LFM_ACTION_DELTA; sizes->kind++)
    if (strcmp(text, lfm_action_kind_name(sizes->kind)) == 0) {
      if (sizes->kind == LFM_ACTION_POSE && dim % LFM_ARM_ACTION) break;
      sizes->width = lfm_windows_width(sizes->kind, dim);
      return LFM_OK;
    }
  return lfm_fail(LFM_E_FORMAT, "%s: metadata 'action' is '%.40s' of %ld numbers; pose, delta or plain is due there",
                  lfm_archive_path(archive), text, dim);
}

/* keys [count] of the caller's, in the archive; *dim adds up. */
static lfm_status read_keys(const lfm_archive *archive, int64_t count, char **keys, int64_t *dims, int64_t *dim) {
  char name[48];
  for (int64_t k = 0; k < count; k++) {
    long numbers;
    snprintf(name, sizeof name, "observation.%lld", (long long)k);
    const char *key = lfm_archive_meta_find(archive, name);
    if (!key) return lfm_fail(LFM_E_FORMAT, "%s: metadata '%s' is missing", lfm_archive_path(archive), name);
    snprintf(name, sizeof name, "observation_dim.%lld", (long long)k);
    LFM_TRY(lfm_chain_find_number(archive, name, 1, MOST_NUMBERS, &numbers));
    LFM_TRY(lfm_alloc_text(&keys[k], key));
    dims[k] = numbers;
    *dim += numbers;
  }
  return LFM_OK;
}

static lfm_status read_units(const lfm_archive *archive, lfm_windows *w) {
  field fields[FIELDS];
  fields_of(w, fields);
  for (int k = 0; k < FIELDS; k++) {
    const lfm_tensor *tensor;
    LFM_TRY(lfm_archive_require(archive, fields[k].name, LFM_F64, 1, &fields[k].count, &tensor));
    memcpy(fields[k].data, tensor->data, (size_t)fields[k].count * sizeof(double));
    for (int64_t i = 0; i < fields[k].count; i++)
      if (!isfinite(fields[k].data[i]) || (k % 2 && !(fields[k].data[i] > 0.0)))
        return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' holds %g", lfm_archive_path(archive), fields[k].name,
                        fields[k].data[i]);
  }
  return LFM_OK;
}

lfm_status lfm_chain_read_windows(const lfm_archive *archive, lfm_horizons horizons, lfm_windows **out) {
  const char *task = lfm_archive_meta_find(archive, "task");
  lfm_windows sizes = {.horizons = horizons}, *like = NULL;
  char **keys = NULL;
  int64_t *dims = NULL;
  long count;
  lfm_status status;
  *out = NULL;
  LFM_TRY(lfm_windows_check(horizons));
  LFM_TRY(read_kind(archive, &sizes));
  LFM_TRY(lfm_chain_find_number(archive, "observations", 1, MOST_KEYS, &count));
  sizes.keys = count;
  LFM_TRY_GOTO(LFM_ALLOC(&keys, count), done);
  LFM_TRY_GOTO(LFM_ALLOC(&dims, count), done);
  LFM_TRY_GOTO(read_keys(archive, count, keys, dims, &sizes.obs_dim), done);
  if (sizes.width > MOST_NUMBERS / horizons.prediction || sizes.obs_dim > MOST_NUMBERS / horizons.observation) {
    status = lfm_fail(LFM_E_FORMAT, "%s: a chunk of %lld x %lld numbers, given %lld x %lld, is more than a model takes",
                      lfm_archive_path(archive), (long long)horizons.prediction, (long long)sizes.width,
                      (long long)horizons.observation, (long long)sizes.obs_dim);
    goto done;
  }
  const lfm_tensor *tensor; /* in the file before memory is asked for as much */
  LFM_TRY_GOTO(lfm_archive_require(archive, "observation.mean", LFM_F64, 1, &sizes.obs_dim, &tensor), done);
  LFM_TRY_GOTO(lfm_windows_make(&sizes, &like), done);
  LFM_TRY_GOTO(lfm_windows_name(like, task, keys, dims), done);
  LFM_TRY_GOTO(read_units(archive, like), done);
  *out = like, like = NULL;
done:
  for (int64_t k = 0; keys && k < count; k++) lfm_free(keys[k]);
  lfm_free(keys);
  lfm_free(dims);
  lfm_windows_destroy(like);
  return status;
}
