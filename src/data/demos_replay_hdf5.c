/* SPDX-License-Identifier: MIT
 *
 * demos_replay_hdf5.c -- the arrays of a replay buffer in an HDF5 file: datasets of the same names.
 */
#include "data/demos_hdf5.h"
#include "data/demos_replay.h"

typedef struct place {
  const char *name; /* of the source */
  hid_t file;
} place;

static lfm_status list(void *context, lfm_listing *names) {
  const place *at = context;
  hid_t group = H5Gopen2(at->file, "data", H5P_DEFAULT);
  if (group < 0) return lfm_hdf5_refuse(LFM_E_FORMAT, at->name, "its group data cannot be opened");
  lfm_status status = lfm_hdf5_list(at->name, group, H5O_TYPE_DATASET, names);
  H5Gclose(group);
  return status;
}

static lfm_status extent(void *context, const char *path, lfm_extent *out) {
  const place *at = context;
  lfm_hdf5_array array;
  LFM_TRY(lfm_hdf5_array_open(at->name, at->file, path, &array));
  *out = (lfm_extent){.is_numbers = array.is_numbers, .rank = array.rank, .rows = array.shape[0], .width = array.width};
  H5Dclose(array.id);
  return LFM_OK;
}

static lfm_status check(void *context, const char *path) {
  const place *at = context;
  lfm_hdf5_array array;
  LFM_TRY(lfm_hdf5_array_open(at->name, at->file, path, &array));
  lfm_status status = lfm_hdf5_array_check(at->name, &array);
  H5Dclose(array.id);
  return status;
}

static lfm_status read(void *context, const char *path, int64_t rows, int64_t width, double *out, int64_t cols,
                       int64_t first) {
  const place *at = context;
  lfm_hdf5_array array;
  LFM_TRY(lfm_hdf5_array_open(at->name, at->file, path, &array));
  bool fits = array.shape[0] == rows && array.width == width;
  lfm_status status = fits ? lfm_hdf5_array_read(at->name, &array, out, cols, first) : lfm_extent_changed(at->name);
  H5Dclose(array.id);
  return status;
}

bool lfm_replay_hdf5_is(hid_t file) {
  return lfm_hdf5_has(file, "data/action", H5O_TYPE_DATASET) && lfm_hdf5_has(file, "meta/episode_ends", H5O_TYPE_DATASET);
}

lfm_status lfm_replay_hdf5_read(const lfm_source *source, hid_t file, lfm_table **out) {
  place at = {.name = source->name, .file = file};
  const lfm_arrays arrays = {.context = &at, .list = list, .extent = extent, .check = check, .read = read};
  return lfm_replay_read(source, &arrays, out);
}
