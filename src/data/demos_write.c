/* SPDX-License-Identifier: MIT
 *
 * demos_write.c -- robomimic's layout, as its own converter writes it.
 * An episode is done where it is rewarded and where it ends, as robomimic's done mode 2 has it.
 */
#include "data/demos_write.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/hdf5_image.h"

#include <stdio.h>

enum { NAME_MAX_SIZE = 32 };

/* obs/KEY or next_obs/KEY for every key, from this row of the observations on. */
static lfm_status put_obs(hid_t demo, const lfm_recording *r, const lfm_recorded *e, const char *folder, int64_t first_row) {
  lfm_hdf5_part part = {.values = e->obs, .width = r->obs_dim, .first_row = first_row, .rows = e->steps};
  for (int64_t k = 0; k < r->keys; k++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, r->key[k]);
    part.cols = r->key_dim[k];
    LFM_TRY(lfm_hdf5_put(demo, path, &part, false));
    part.first_col += part.cols;
  }
  return LFM_OK;
}

static lfm_status put_table(hid_t demo, const char *name, const double *values, int64_t rows, int64_t cols) {
  return lfm_hdf5_put(demo, name, &(lfm_hdf5_part){.values = values, .width = cols, .rows = rows, .cols = cols}, false);
}

static lfm_status put_line(hid_t demo, const char *name, const double *values, int64_t rows) {
  return lfm_hdf5_put(demo, name, &(lfm_hdf5_part){.values = values, .width = 1, .rows = rows, .cols = 1}, true);
}

static lfm_status put_dones(hid_t demo, const lfm_recorded *e) {
  double *dones;
  LFM_TRY(LFM_ALLOC(&dones, e->steps));
  for (int64_t t = 0; t < e->steps; t++) dones[t] = e->rewards[t] >= 1 || t == e->steps - 1;
  lfm_status status = put_line(demo, "dones", dones, e->steps);
  lfm_free(dones);
  return status;
}

static lfm_status fill_demo(hid_t demo, const lfm_recording *r, const lfm_recorded *e) {
  LFM_TRY(lfm_hdf5_put_whole_attribute(demo, "num_samples", e->steps));
  LFM_TRY(put_table(demo, "actions", e->actions, e->steps, r->action_dim));
  LFM_TRY(put_table(demo, "actions_abs", e->absolute, e->steps, r->action_dim));
  LFM_TRY(put_table(demo, "states", e->states, e->steps, r->state_dim));
  LFM_TRY(put_line(demo, "rewards", e->rewards, e->steps));
  LFM_TRY(put_dones(demo, e));
  LFM_TRY(put_obs(demo, r, e, "obs", 0));
  return put_obs(demo, r, e, "next_obs", 1);
}

static lfm_status put_data(hid_t file, const lfm_recording *r) {
  hid_t data;
  int64_t total = 0;
  for (int64_t i = 0; i < r->episodes; i++) total += r->episode[i].steps;
  LFM_TRY(lfm_hdf5_put_group(file, "data", &data));
  lfm_status status = lfm_hdf5_put_whole_attribute(data, "total", total);
  if (status == LFM_OK) status = lfm_hdf5_put_text_attribute(data, "env_args", r->env_args);
  for (int64_t i = 0; status == LFM_OK && i < r->episodes; i++) {
    char name[NAME_MAX_SIZE];
    hid_t demo = -1;
    snprintf(name, sizeof name, "demo_%lld", (long long)i);
    status = lfm_hdf5_put_group(data, name, &demo);
    if (status == LFM_OK) status = fill_demo(demo, r, &r->episode[i]);
    if (demo >= 0) H5Gclose(demo);
  }
  H5Gclose(data);
  return status;
}

/* The names of the episodes first .. last - 1. */
static lfm_status put_mask(hid_t file, const char *path, int64_t first, int64_t last) {
  char(*names)[NAME_MAX_SIZE];
  const char **list = NULL;
  lfm_status status = LFM_ALLOC(&names, last - first);
  if (status == LFM_OK) status = LFM_ALLOC(&list, last - first);
  for (int64_t i = first; status == LFM_OK && i < last; i++) {
    snprintf(names[i - first], NAME_MAX_SIZE, "demo_%lld", (long long)i);
    list[i - first] = names[i - first];
  }
  if (status == LFM_OK) status = lfm_hdf5_put_texts(file, path, list, last - first);
  lfm_free(list);
  lfm_free(names);
  return status;
}

static lfm_status put_masks(hid_t file, const lfm_recording *r) {
  int64_t valid = r->episodes < 2 ? 0 : r->episodes < 20 ? 1 : r->episodes / 10;
  LFM_TRY(put_mask(file, "mask/train", 0, r->episodes - valid));
  return put_mask(file, "mask/valid", r->episodes - valid, r->episodes);
}

static size_t expected_bytes(const lfm_recording *r) {
  size_t numbers = 0;
  for (int64_t i = 0; i < r->episodes; i++)
    numbers += (size_t)r->episode[i].steps * (size_t)(2 * r->obs_dim + 2 * r->action_dim + r->state_dim + 2);
  return numbers * sizeof(double);
}

static lfm_status build_file(const lfm_recording *r, uint8_t **bytes, size_t *size) {
  hid_t file;
  LFM_TRY(lfm_hdf5_image_create(expected_bytes(r), &file));
  lfm_status status = put_data(file, r);
  if (status == LFM_OK) status = put_masks(file, r);
  if (status == LFM_OK) status = lfm_hdf5_image_take(file, bytes, size);
  H5Fclose(file);
  return status;
}

lfm_status lfm_demos_write(const lfm_recording *recording, const char *path) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  lfm_hdf5_manners before = lfm_hdf5_enter();
  lfm_status status = build_file(recording, &bytes, &size);
  lfm_hdf5_leave(before);
  if (status == LFM_OK) status = lfm_file_write(path, bytes, size);
  lfm_free(bytes);
  return status;
}
