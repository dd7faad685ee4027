/* SPDX-License-Identifier: MIT
 *
 * demos_replay.h -- replay buffers as Diffusion Policy stores them: named arrays, all episodes behind one another, and where
 * each ends.  What holds the arrays is a zarr folder (demos_zarr.c) or an HDF5 file (demos_replay_hdf5.c).
 */
#ifndef LFM_DATA_DEMOS_REPLAY_H
#define LFM_DATA_DEMOS_REPLAY_H

#include "data/format.h"
#include "data/listing.h"

typedef struct lfm_extent {
  bool is_numbers;
  int rank;
  int64_t rows, width; /* width: numbers in all dimensions behind the first */
} lfm_extent;

/* PATH is "data/state" or the like; failures name it. */
typedef struct lfm_arrays {
  void *context;
  lfm_status (*list)(void *context, lfm_listing *names);                  /* what data/ has, sorted by bytes */
  lfm_status (*extent)(void *context, const char *path, lfm_extent *out); /* LFM_E_UNSUPPORTED: it cannot be read */
  lfm_status (*check)(void *context, const char *path); /* whether all its numbers are there, before memory is asked for */
  /* The rows [rows, width], which was its extent, into columns first .. of out [rows, cols]; lfm_extent_changed. */
  lfm_status (*read)(void *context, const char *path, int64_t rows, int64_t width, double *out, int64_t cols, int64_t first);
} lfm_arrays;

/* The failure of a read that finds another extent, for which no room was made. */
lfm_status lfm_extent_changed(const char *name);

lfm_status lfm_replay_read(const lfm_source *source, const lfm_arrays *arrays, lfm_table **out);

#endif
