/* SPDX-License-Identifier: MIT
 *
 * hdf5.c -- one dataset of an HDF5 file to a table and back; and the door to the files of demonstrations.
 * Which of the three a file is, its layout says: without ::name one whose names are those of robomimic or of a replay buffer
 * holds demonstrations.
 * Written: the file is built in memory and leaves through the same lfm_writer as every other format, so that there is one
 * place that syncs and renames; the price is a second copy of the table.  No times are kept: same table, same bytes.
 */
#include "core/alloc.h"
#include "data/demos_hdf5.h"
#include "data/hdf5_image.h"
#include "data/text.h"

#include <stdio.h>
#include <string.h>

/* ---- which dataset -------------------------------------------------------------------------------------------- */

/* The library's walk takes a time that grows faster than the depth: a small file of nested groups would keep it for hours. */
enum { MOST_DEEP = 64 };

static bool is_too_deep(const char *name) {
  int slashes = 0;
  for (; *name; name++) slashes += *name == '/';
  return slashes > MOST_DEEP;
}

typedef struct walk {
  lfm_listing *out;
  lfm_status status;
  bool too_deep;
} walk;

static herr_t add_dataset(hid_t root, const char *name, const H5O_info_t *info, void *context) {
  walk *w = context;
  (void)root;
  w->too_deep = is_too_deep(name);
  if (!w->too_deep && info->type == H5O_TYPE_DATASET) w->status = lfm_listing_add(w->out, name);
  return w->too_deep || w->status != LFM_OK; /* which ends the walk */
}

/* The names of all datasets; LFM_E_UNSUPPORTED where groups are nested too deep to be looked through. */
static lfm_status list_datasets(const lfm_source *source, hid_t file, void *names) {
  walk w = {.out = names};
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, add_dataset, &w, H5O_INFO_BASIC) < 0)
    return lfm_hdf5_refuse(LFM_E_FORMAT, source->name, "its list of datasets is damaged");
  if (!w.too_deep) return w.status;
  return lfm_fail(LFM_E_UNSUPPORTED, "%s: holds groups nested too deep to be looked through", source->name);
}

static lfm_status refuse_key(const lfm_source *source, const lfm_listing *names, bool too_deep) {
  char quoted[LFM_QUOTE_MAX], list[400];
  return lfm_fail(LFM_E_USAGE, "%s: has no dataset %s; there are %s", source->name,
                  lfm_quote(source->key, strlen(source->key), quoted),
                  too_deep       ? "groups nested too deep to be looked through"
                  : names->count ? lfm_quote_list(names->names, names->count, list, sizeof list)
                                 : "none");
}

/* The dataset that the key names; without a key, the only one there is: *path points to its name, in the key or in `names`.
 */
static lfm_status find_dataset(const lfm_source *source, hid_t file, lfm_listing *names, const char **path) {
  char list[400];
  *path = source->key;
  if (source->key && lfm_hdf5_has(file, source->key, H5O_TYPE_DATASET)) return LFM_OK;
  lfm_status status = list_datasets(source, file, names);
  bool too_deep = status == LFM_E_UNSUPPORTED;
  if (source->key && (status == LFM_OK || too_deep)) return refuse_key(source, names, too_deep);
  if (too_deep) return lfm_fail(status, "%s; name a dataset as %s::NAME", lfm_error(), source->name);
  LFM_TRY(status);
  if (names->count == 0) return lfm_fail(LFM_E_DATA, "%s: holds no dataset", source->name);
  if (names->count > 1)
    return lfm_fail(LFM_E_USAGE, "%s: holds several datasets; name one as %s::NAME, NAME being one of %s", source->name,
                    source->name, lfm_quote_list(names->names, names->count, list, sizeof list));
  *path = names->names[0];
  return LFM_OK;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static lfm_status check_array(const lfm_source *source, const lfm_hdf5_array *array) {
  if (!array->is_numbers)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: the dataset holds no plain numbers; save it as float64", source->name);
  if (array->rank < 1 || array->rank > 2)
    return lfm_fail(LFM_E_DATA, "%s: the dataset has %d dimensions; a table has 1 or 2", source->name, array->rank);
  return lfm_hdf5_array_check(source->name, array);
}

static lfm_status read_array(const lfm_source *source, const lfm_hdf5_array *array, lfm_table **out) {
  LFM_TRY(check_array(source, array));
  bool empty = array->shape[0] == 0 || array->width == 0; /* (n, 0) must not allocate n of anything */
  int64_t rows = empty ? 0 : array->shape[0], cols = empty ? 0 : array->width;
  LFM_TRY(lfm_table_make(rows, cols, out));
  lfm_status status = empty ? LFM_OK : lfm_hdf5_array_read(source->name, array, (*out)->values, cols, 0);
  if (status != LFM_OK) {
    lfm_table_destroy(*out);
    *out = NULL;
    return status;
  }
  for (int64_t col = 0; array->is_whole && col < cols; col++) (*out)->decimals[col] = 0;
  return lfm_select_table(source, out);
}

static lfm_status read_dataset(const lfm_source *source, hid_t file, lfm_table **out) {
  lfm_listing names = {0};
  const char *path;
  lfm_hdf5_array array;
  lfm_status status = find_dataset(source, file, &names, &path);
  if (status == LFM_OK) status = lfm_hdf5_array_open(source->name, file, path, &array);
  if (status == LFM_OK) {
    status = read_array(source, &array, out);
    H5Dclose(array.id);
  }
  lfm_listing_free(&names);
  return status;
}

/* A dataset that is named is a table, whatever lies about it. */
static lfm_status read_file(const lfm_source *source, hid_t file, void *out) {
  bool names_dataset = source->key && lfm_hdf5_has(file, source->key, H5O_TYPE_DATASET);
  if (!names_dataset && lfm_robomimic_is(file)) return lfm_robomimic_read(source, file, out);
  if (!source->key && lfm_replay_hdf5_is(file)) return lfm_replay_hdf5_read(source, file, out);
  return read_dataset(source, file, out);
}

typedef lfm_status (*file_fn)(const lfm_source *source, hid_t file, void *out);

static lfm_status in_file(const lfm_source *source, file_fn act, void *out) {
  hid_t file;
  lfm_hdf5_manners before = lfm_hdf5_enter();
  lfm_status status = lfm_hdf5_open(source, &file);
  if (status == LFM_OK) {
    status = act(source, file, out);
    H5Fclose(file);
  }
  lfm_hdf5_leave(before);
  return status;
}

lfm_status lfm_hdf5_parse(const lfm_source *source, lfm_table **out) {
  *out = NULL;
  if (!source->data) { /* the system's own words for a file that is not there */
    lfm_map map;
    LFM_TRY(lfm_map_open(source->path, &map));
    lfm_map_close(&map);
  }
  return in_file(source, read_file, out);
}

lfm_status lfm_hdf5_names(const lfm_source *source, lfm_listing *out) { return in_file(source, list_datasets, out); }

/* ---- writing -------------------------------------------------------------------------------------------------- */

static lfm_status build_file(const lfm_table *table, const char *name, uint8_t **image, size_t *size) {
  lfm_hdf5_part all = {.values = table->values, .width = table->cols, .rows = table->rows, .cols = table->cols};
  hid_t file;
  LFM_TRY(lfm_hdf5_image_create((size_t)table->rows * (size_t)table->cols * sizeof *table->values, &file));
  lfm_status status = lfm_hdf5_put(file, name, &all, false);
  if (status == LFM_OK) status = lfm_hdf5_image_take(file, image, size);
  H5Fclose(file);
  return status;
}

/* By a dataset without numbers: which names are good, only the library knows. */
lfm_status lfm_hdf5_check_key(const char *path, const char *key) {
  char quoted[LFM_QUOTE_MAX];
  hid_t file;
  lfm_hdf5_manners before = lfm_hdf5_enter();
  lfm_status status = lfm_hdf5_image_create(0, &file);
  if (status == LFM_OK) {
    status = lfm_hdf5_put(file, key, &(lfm_hdf5_part){0}, false);
    H5Fclose(file);
  }
  lfm_hdf5_leave(before);
  if (status != LFM_E_USAGE) return status;
  return lfm_fail(status, "%s: no HDF5 dataset can be named %s; name it as FILE::data", path,
                  lfm_quote(key, strlen(key), quoted));
}

lfm_status lfm_hdf5_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  uint8_t *image = NULL;
  size_t size = 0;
  lfm_hdf5_manners before = lfm_hdf5_enter();
  lfm_status status = build_file(table, key, &image, &size);
  lfm_hdf5_leave(before);
  if (status == LFM_OK) status = lfm_writer_put(writer, image, size);
  lfm_free(image);
  return status;
}
