/* SPDX-License-Identifier: MIT
 *
 * demos_zarr.c -- the arrays of a replay buffer in a zarr folder: FOLDER/data/state/.zarray beside its chunks 0.0, 1.0, ...
 */
#include "core/alloc.h"
#include "data/demos_replay.h"
#include "data/zarr.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PACKED = 1 << 16 }; /* bytes from one: Blosc makes an 18,376th of 256 MB of zeros, by zstd */

/* FOLDER/PATH/NAME */
static lfm_status join(const char *folder, const char *path, const char *name, char out[LFM_PATH_SIZE]) {
  char array[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(array, sizeof array, folder, path));
  return lfm_path_join(out, LFM_PATH_SIZE, array, name);
}

static lfm_status open_array(const char *folder, const char *path, lfm_zarr *out) {
  char file[LFM_PATH_SIZE];
  lfm_map map;
  LFM_TRY(join(folder, path, ".zarray", file));
  LFM_TRY(lfm_map_open(file, &map));
  lfm_status status = lfm_zarr_parse(file, map.data, map.size, out);
  lfm_map_close(&map);
  return status;
}

static lfm_status list(void *context, lfm_listing *names) {
  char data[LFM_PATH_SIZE], file[LFM_PATH_SIZE];
  lfm_listing all;
  LFM_TRY(lfm_path_join(data, sizeof data, context, "data"));
  LFM_TRY(lfm_listing_read(data, &all));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; status == LFM_OK && i < all.count; i++) {
    status = join(data, all.names[i], ".zarray", file);
    if (status == LFM_OK && lfm_path_exists(file)) status = lfm_listing_add(names, all.names[i]);
  }
  lfm_listing_free(&all);
  return status;
}

/* Bytes of these files together; one that cannot be looked at has none, and is missed when it is read. */
static uint64_t stored_bytes(const char *place, const lfm_listing *files) {
  char file[LFM_PATH_SIZE];
  struct stat about;
  uint64_t bytes = 0;
  for (int64_t i = 0; i < files->count; i++)
    if (lfm_path_join(file, sizeof file, place, files->names[i]) == LFM_OK && stat(file, &about) == 0)
      bytes += (uint64_t)about.st_size;
  return bytes;
}

static bool can_be_filled(const lfm_zarr *array, uint64_t stored) {
  uint64_t claimed = (uint64_t)array->shape[0] * (uint64_t)array->width * array->element.size;
  if (claimed < array->chunk_size) claimed = array->chunk_size; /* is asked for, too */
  return claimed / (array->packed ? MOST_PACKED : 1) <= stored;
}

/* Whether there are as many chunks as the shape claims, and bytes that can be them: an empty promise allocates nothing. */
static lfm_status check_chunks(const char *folder, const char *path, const lfm_zarr *array) {
  char place[LFM_PATH_SIZE];
  lfm_listing chunks;
  int64_t due = 1;
  for (int k = 0; k < array->rank; k++) due *= array->shape[k] / array->chunk[k] + (array->shape[k] % array->chunk[k] != 0);
  LFM_TRY(lfm_path_join(place, sizeof place, folder, path));
  LFM_TRY(lfm_listing_read(place, &chunks));
  int64_t count = chunks.count;
  uint64_t stored = stored_bytes(place, &chunks);
  lfm_listing_free(&chunks);
  if (count < due)
    return lfm_fail(LFM_E_FORMAT, "%s: has %lld of its %lld chunks; copy the folder anew", place, (long long)count,
                    (long long)due);
  if (due == 0 || can_be_filled(array, stored)) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: claims more numbers than its bytes can be; copy the folder anew", place);
}

static lfm_status extent(void *context, const char *path, lfm_extent *out) {
  lfm_zarr array;
  LFM_TRY(open_array(context, path, &array));
  *out = (lfm_extent){.is_numbers = true, .rank = array.rank, .rows = array.shape[0], .width = array.width};
  return LFM_OK;
}

static lfm_status check(void *context, const char *path) {
  lfm_zarr array;
  LFM_TRY(open_array(context, path, &array));
  return check_chunks(context, path, &array);
}

static void name_chunk(const lfm_zarr *array, const int64_t at[LFM_ZARR_DIMS], char out[128]) {
  size_t used = 0;
  for (int k = 0; k < array->rank; k++)
    used += (size_t)snprintf(out + used, 128 - used, "%s%lld", k ? "." : "", (long long)at[k]);
}

static lfm_status unpack_file(const char *file, const lfm_zarr *array, uint8_t *chunk) {
  lfm_map map;
  LFM_TRY(lfm_map_open(file, &map));
  lfm_status status = lfm_zarr_unpack(file, array, map.data, map.size, chunk);
  lfm_map_close(&map);
  return status;
}

/* The next place in the grid of chunks, the last dimension first; false past the last. */
static bool advance(const lfm_zarr *array, int64_t at[LFM_ZARR_DIMS]) {
  for (int k = array->rank - 1; k >= 0; k--) {
    if (++at[k] * array->chunk[k] < array->shape[k]) return true;
    at[k] = 0;
  }
  return false;
}

static lfm_status read_chunks(const char *folder, const char *path, const lfm_zarr *array, uint8_t *chunk, double *out,
                              int64_t cols, int64_t first) {
  char file[LFM_PATH_SIZE], name[128];
  int64_t at[LFM_ZARR_DIMS] = {0};
  do {
    name_chunk(array, at, name);
    LFM_TRY(join(folder, path, name, file));
    LFM_TRY(unpack_file(file, array, chunk));
    lfm_zarr_put(array, at, chunk, out, cols, first);
  } while (advance(array, at));
  return LFM_OK;
}

static lfm_status read(void *context, const char *path, int64_t rows, int64_t width, double *out, int64_t cols,
                       int64_t first) {
  lfm_zarr array;
  uint8_t *chunk;
  LFM_TRY(open_array(context, path, &array));
  if (array.shape[0] != rows || array.width != width) return lfm_extent_changed(context);
  LFM_TRY(LFM_ALLOC(&chunk, array.chunk_size));
  lfm_status status = read_chunks(context, path, &array, chunk, out, cols, first);
  lfm_free(chunk);
  return status;
}

lfm_status lfm_zarr_read(const lfm_source *source, lfm_table **out) {
  char file[LFM_PATH_SIZE];
  *out = NULL;
  LFM_TRY(join(source->path, "data", "action/.zarray", file));
  if (!lfm_path_exists(file))
    return lfm_fail(lfm_path_exists(source->path) ? LFM_E_FORMAT : LFM_E_IO,
                    "%s: has no array data/action of zarr's format 2; a folder of demonstrations is due", source->name);
  const lfm_arrays arrays = {
      .context = (void *)(uintptr_t)source->path, .list = list, .extent = extent, .check = check, .read = read};
  return lfm_replay_read(source, &arrays, out);
}
