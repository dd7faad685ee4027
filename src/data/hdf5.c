/* SPDX-License-Identifier: MIT
 *
 * hdf5.c -- one dataset of an HDF5 file to a table and back, through the HDF5 C library.
 * The library converts every integer and float type to double, and undoes chunks and filters.  Its own error printing is
 * turned off; the innermost reason becomes part of our one line.  The library is not safe to call from two threads in
 * every build of it, so one lock stands before it.
 * Written: the file is built in memory and leaves through the same lfm_writer as every other format, so that there is one
 * place that syncs and renames; the price is a second copy of the table.  No times are kept: same table, same bytes.
 */
#include "core/alloc.h"
#include "data/format.h"
#include "data/text.h"

#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the library's manners ------------------------------------------------------------------------------------ */

typedef struct manners { /* what was there before, to be put back */
  H5E_auto2_t print;
  void *context;
} manners;

static manners enter(void) {
  manners before;
  pthread_mutex_lock(&lock);
  H5Eget_auto2(H5E_DEFAULT, &before.print, &before.context);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

static void leave(manners before) {
  H5Eset_auto2(H5E_DEFAULT, before.print, before.context);
  pthread_mutex_unlock(&lock);
}

static herr_t keep_reason(unsigned n, const H5E_error2_t *error, void *reason) {
  if (n == 0 && error->desc) snprintf(reason, 160, "%s", error->desc);
  return 0;
}

/* The innermost message of the library's error stack. */
static lfm_status refuse(lfm_status code, const char *name, const char *what) {
  char reason[160] = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
  return lfm_fail(code, "%s: %s (%s)", name, what, reason);
}

/* ---- which dataset -------------------------------------------------------------------------------------------- */

typedef struct listing {
  char text[400], only[1024]; /* only: the name, when there is one */
  size_t used;
  int64_t count;
} listing;

static herr_t list_dataset(hid_t root, const char *name, const H5O_info_t *info, void *context) {
  listing *list = context;
  char quoted[LFM_QUOTE_MAX];
  (void)root;
  if (info->type != H5O_TYPE_DATASET) return 0;
  if (list->count++ == 0) snprintf(list->only, sizeof list->only, "%s", name);
  if (list->used + LFM_QUOTE_MAX + 8 < sizeof list->text)
    list->used += (size_t)snprintf(list->text + list->used, sizeof list->text - list->used, "%s%s", list->used ? ", " : "",
                                   lfm_quote(name, strlen(name), quoted));
  return 0;
}

/* Opens the dataset that the key names; without a key, the only one there is. */
static lfm_status open_dataset(const lfm_source *source, hid_t file, hid_t *dataset) {
  listing list = {.text = "none"};
  char quoted[LFM_QUOTE_MAX];
  const char *key = source->key;
  *dataset = key ? H5Dopen2(file, key, H5P_DEFAULT) : -1;
  if (*dataset >= 0) return LFM_OK;
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, list_dataset, &list, H5O_INFO_BASIC) < 0)
    return refuse(LFM_E_FORMAT, source->name, "its list of datasets is damaged");
  if (key)
    return lfm_fail(LFM_E_USAGE, "%s: has no dataset %s; there are %s", source->name, lfm_quote(key, strlen(key), quoted),
                    list.text);
  if (list.count == 0) return lfm_fail(LFM_E_DATA, "%s: holds no dataset", source->name);
  if (list.count > 1)
    return lfm_fail(LFM_E_USAGE, "%s: holds several datasets; name one as %s::NAME, NAME being one of %s", source->name,
                    source->name, list.text);
  *dataset = H5Dopen2(file, list.only, H5P_DEFAULT);
  return *dataset >= 0 ? LFM_OK : refuse(LFM_E_FORMAT, source->name, "its dataset cannot be opened");
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static lfm_status check_type(const lfm_source *source, hid_t dataset, bool *whole) {
  hid_t type = H5Dget_type(dataset);
  H5T_class_t class = H5Tget_class(type);
  H5Tclose(type);
  /* H5T_ENUM is how Python stores truth values */
  *whole = class != H5T_FLOAT;
  if (class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "%s: the dataset holds no plain numbers; save it as float64", source->name);
}

static lfm_status read_shape(const lfm_source *source, hid_t dataset, int64_t *rows, int64_t *cols) {
  hsize_t shape[H5S_MAX_RANK] = {0};
  hid_t space = H5Dget_space(dataset);
  int rank = H5Sget_simple_extent_dims(space, shape, NULL);
  H5Sclose(space);
  if (rank < 0) return refuse(LFM_E_FORMAT, source->name, "its shape is damaged");
  if (rank < 1 || rank > 2)
    return lfm_fail(LFM_E_DATA, "%s: the dataset has %d dimensions; a table has 1 or 2", source->name, rank);
  if (rank == 1) shape[1] = 1;
  if (shape[0] > INT64_MAX || shape[1] > INT64_MAX) return lfm_fail(LFM_E_FORMAT, "%s: its shape is damaged", source->name);
  bool empty = shape[0] == 0 || shape[1] == 0; /* (n, 0) must not allocate n of anything */
  *rows = empty ? 0 : (int64_t)shape[0];
  *cols = empty ? 0 : (int64_t)shape[1];
  return LFM_OK;
}

static lfm_status read_dataset(const lfm_source *source, hid_t dataset, lfm_table **out) {
  int64_t rows, cols;
  bool whole;
  LFM_TRY(check_type(source, dataset, &whole));
  LFM_TRY(read_shape(source, dataset, &rows, &cols));
  LFM_TRY(lfm_table_make(rows, cols, out));
  if (rows && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, (*out)->values) < 0) {
    lfm_table_destroy(*out);
    *out = NULL;
    return refuse(LFM_E_FORMAT, source->name, "its values cannot be read; the file is truncated or altered");
  }
  for (int64_t col = 0; whole && col < cols; col++) (*out)->decimals[col] = 0;
  return lfm_select_table(source, out);
}

/* From the path, or from bytes in memory. */
static hid_t open_file(const lfm_source *source) {
  if (!source->data) return H5Fopen(source->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 65536, 0);
  H5Pset_file_image(access, (void *)source->data, source->size); /* copies */
  hid_t file = H5Fopen(source->name, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

static lfm_status parse_file(const lfm_source *source, lfm_table **out) {
  hid_t dataset, file = open_file(source);
  if (file < 0) return refuse(LFM_E_FORMAT, source->name, "is not an HDF5 file, or is truncated");
  lfm_status status = open_dataset(source, file, &dataset);
  if (status == LFM_OK) status = read_dataset(source, dataset, out);
  if (dataset >= 0) H5Dclose(dataset);
  H5Fclose(file);
  return status;
}

lfm_status lfm_hdf5_parse(const lfm_source *source, lfm_table **out) {
  *out = NULL;
  if (!source->data) { /* the system's own words for a file that is not there */
    lfm_map map;
    LFM_TRY(lfm_map_open(source->path, &map));
    lfm_map_close(&map);
  }
  manners before = enter();
  lfm_status status = parse_file(source, out);
  leave(before);
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static bool put_dataset(const lfm_table *table, const char *name, hid_t file) {
  hsize_t shape[2] = {(hsize_t)table->rows, (hsize_t)table->cols};
  hid_t groups = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE),
        space = H5Screate_simple(2, shape, NULL);
  H5Pset_create_intermediate_group(groups, 1); /* "a/b" makes the group a */
  H5Pset_obj_track_times(creation, false);
  hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, groups, creation, H5P_DEFAULT);
  bool done = dataset >= 0 && (table->rows == 0 || table->cols == 0 ||
                               H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->values) >= 0);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
  H5Pclose(groups);
  return done;
}

/* The finished file as bytes; free with lfm_free. */
static lfm_status take_image(hid_t file, uint8_t **image, size_t *size) {
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  ssize_t needed = H5Fget_file_image(file, NULL, 0);
  if (needed < 0) return refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
  *size = (size_t)needed;
  LFM_TRY(LFM_ALLOC(image, *size));
  return H5Fget_file_image(file, *image, *size) == needed ? LFM_OK : refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
}

static lfm_status build_file(const lfm_table *table, const char *name, uint8_t **image, size_t *size) {
  size_t values = (size_t)table->rows * (size_t)table->cols * sizeof *table->values;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, values + 65536, 0); /* grows once, and is never written by the library itself */
  hid_t file = H5Fcreate("table.hdf5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (file < 0) return refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
  lfm_status status = put_dataset(table, name, file) ? take_image(file, image, size)
                                                     : refuse(LFM_E_USAGE, name, "the dataset cannot be written");
  H5Fclose(file);
  return status;
}

lfm_status lfm_hdf5_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  uint8_t *image = NULL;
  size_t size = 0;
  manners before = enter();
  lfm_status status = build_file(table, key ? key : "data", &image, &size);
  leave(before);
  if (status == LFM_OK) status = lfm_writer_put(writer, image, size);
  lfm_free(image);
  return status;
}
