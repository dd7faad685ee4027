/* SPDX-License-Identifier: MIT
 *
 * hdf5_file.c -- the HDF5 library as our readers meet it.
 * Its own error printing is turned off; the innermost reason becomes part of our one line.  The library is not safe to call
 * from two threads in every build of it, so one lock stands before it.
 * It converts every integer and float type to double, undoes chunks and filters, and puts rows straight into the columns that
 * they belong to.  What was never written, or lies in another file that is gone, it reads as zeros without a word; here that
 * is an error, as with zarr: chunks are counted, and datasets whose numbers lie in other files are refused.  (A part of a
 * dataset in one piece cannot be told from zeros that were written.)  A file may claim any shape, so a claim is also held
 * against the bytes that are stored before memory is asked for, by what deflate can gain at best.  Beyond a megabyte this
 * refuses a constant that the library's scale-offset filter has packed, which gains more.
 */
#include "data/hdf5_file.h"

#include "core/alloc.h"
#include "core/bytes.h"
#include "data/gzip.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { SMALL = 1 << 20 }; /* bytes that any dataset may claim, and the longest text */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the library's manners ------------------------------------------------------------------------------------ */

lfm_hdf5_manners lfm_hdf5_enter(void) {
  lfm_hdf5_manners before;
  pthread_mutex_lock(&lock);
  H5Eget_auto2(H5E_DEFAULT, &before.print, &before.context);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

void lfm_hdf5_leave(lfm_hdf5_manners before) {
  H5Eset_auto2(H5E_DEFAULT, before.print, before.context);
  pthread_mutex_unlock(&lock);
}

static herr_t keep_reason(unsigned n, const H5E_error2_t *error, void *reason) {
  if (n == 0 && error->desc) snprintf(reason, 160, "%s", error->desc);
  return 0;
}

lfm_status lfm_hdf5_refuse(lfm_status code, const char *name, const char *what) {
  char reason[160] = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
  return lfm_fail(code, "%s: %s (%s)", name, what, reason);
}

/* The same of a dataset or group in a file. */
static lfm_status refuse_path(const char *name, const char *path, const char *what) {
  char whole[1024];
  snprintf(whole, sizeof whole, "%s: %s", name, path);
  return lfm_hdf5_refuse(LFM_E_FORMAT, whole, what);
}

/* ---- files and groups ------------------------------------------------------------------------------------------ */

lfm_status lfm_hdf5_open(const lfm_source *source, hid_t *file) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (source->data) {
    H5Pset_fapl_core(access, 65536, 0);
    H5Pset_file_image(access, (void *)source->data, source->size); /* copies */
  }
  H5Pset_file_locking(access, false, true); /* it is read only, and not every file system has locks */
  *file = H5Fopen(source->data ? source->name : source->path, H5F_ACC_RDONLY, access);
  lfm_status status =
      *file >= 0 ? LFM_OK : lfm_hdf5_refuse(LFM_E_FORMAT, source->name, "is not an HDF5 file, or is truncated");
  H5Pclose(access); /* behind the refusal: another call clears the library's reason */
  return status;
}

bool lfm_hdf5_has(hid_t place, const char *path, H5O_type_t type) {
  H5O_info_t info;
  return H5Oget_info_by_name2(place, path, &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 && info.type == type;
}

typedef struct lister {
  H5O_type_t type;
  lfm_listing *out;
  lfm_status status;
} lister;

static herr_t list_name(hid_t group, const char *name, const H5L_info_t *info, void *context) {
  lister *l = context;
  (void)info;
  if (lfm_hdf5_has(group, name, l->type)) l->status = lfm_listing_add(l->out, name);
  return l->status == LFM_OK ? 0 : -1;
}

lfm_status lfm_hdf5_list(const char *name, hid_t group, H5O_type_t type, lfm_listing *out) {
  lister l = {.type = type, .out = out};
  herr_t done = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, list_name, &l);
  if (l.status != LFM_OK) return l.status;
  return done >= 0 ? LFM_OK : lfm_hdf5_refuse(LFM_E_FORMAT, name, "its list of names is damaged");
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

static bool read_shape(lfm_hdf5_array *array) {
  hsize_t shape[H5S_MAX_RANK] = {0}, width = 1;
  hid_t space = H5Dget_space(array->id);
  array->rank = H5Sget_simple_extent_dims(space, shape, NULL);
  H5Sclose(space);
  for (int i = 0; i < LFM_HDF5_DIMS; i++) array->shape[i] = 1;
  for (int i = 0; i < array->rank; i++) {
    if (shape[i] > INT64_MAX || (i > 0 && __builtin_mul_overflow(width, shape[i], &width))) return false;
    if (i < LFM_HDF5_DIMS) array->shape[i] = (int64_t)shape[i];
  }
  array->width = (int64_t)width;
  return array->rank >= 0 && width <= INT64_MAX;
}

static void read_type(lfm_hdf5_array *array) {
  hid_t type = H5Dget_type(array->id);
  H5T_class_t class = H5Tget_class(type);
  H5Tclose(type);
  array->is_whole = class == H5T_INTEGER || class == H5T_ENUM; /* the latter is how Python stores truth values */
  array->is_numbers = array->is_whole || class == H5T_FLOAT;
}

/* Not behind a link into another file. */
static bool is_here(hid_t place, hid_t id) {
  H5O_info_t here, there;
  return H5Oget_info2(place, &here, H5O_INFO_BASIC) >= 0 && H5Oget_info2(id, &there, H5O_INFO_BASIC) >= 0 &&
         here.fileno == there.fileno;
}

static lfm_status refuse_elsewhere(const char *name, const char *path) {
  return lfm_fail(LFM_E_UNSUPPORTED, "%s: %s: its numbers lie in other files, which are not read; copy them into this one",
                  name, path);
}

static lfm_status refuse_claim(const char *name, const char *path) {
  return lfm_fail(LFM_E_FORMAT, "%s: %s: claims more numbers than its bytes can be; the file is truncated or altered", name,
                  path);
}

lfm_status lfm_hdf5_array_open(const char *name, hid_t place, const char *path, lfm_hdf5_array *out) {
  *out = (lfm_hdf5_array){.id = H5Dopen2(place, path, H5P_DEFAULT), .path = path};
  if (out->id < 0) return refuse_path(name, path, "is no dataset");
  read_type(out);
  lfm_status status = !is_here(place, out->id) ? refuse_elsewhere(name, path)
                      : !read_shape(out)       ? refuse_claim(name, path)
                                               : LFM_OK;
  if (status == LFM_OK) return LFM_OK;
  H5Dclose(out->id);
  out->id = -1;
  return status;
}

/* Chunks that were never written are in no list. */
static lfm_status check_chunks(const char *name, const lfm_hdf5_array *array, hid_t creation) {
  hsize_t shape[H5S_MAX_RANK] = {0}, chunk[H5S_MAX_RANK] = {0}, due = 1, stored = 0;
  hid_t space = H5Dget_space(array->id);
  H5Sget_simple_extent_dims(space, shape, NULL);
  H5Pget_chunk(creation, H5S_MAX_RANK, chunk);
  for (int i = 0; i < array->rank; i++) due *= shape[i] / chunk[i] + (shape[i] % chunk[i] != 0);
  herr_t counted = H5Dget_num_chunks(array->id, space, &stored);
  H5Sclose(space);
  if (counted < 0) return refuse_path(name, array->path, "its list of chunks is damaged");
  if (stored >= due) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT,
                  "%s: %s: has %llu of its %llu chunks; write the others, or shrink it to those that were written", name,
                  array->path, (unsigned long long)stored, (unsigned long long)due);
}

static lfm_status check_stored(const char *name, const lfm_hdf5_array *array, hid_t creation) {
  H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL || H5Pget_external_count(creation) > 0) return refuse_elsewhere(name, array->path);
  if (layout == H5D_CHUNKED) return check_chunks(name, array, creation);
  if (H5Dget_storage_size(array->id) > 0) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: %s: was made and never written; write its numbers", name, array->path);
}

lfm_status lfm_hdf5_array_check(const char *name, const lfm_hdf5_array *array) {
  size_t numbers, bytes;
  if (!lfm_size_multiply((size_t)array->shape[0], (size_t)array->width, &numbers) ||
      !lfm_size_multiply(numbers, sizeof(double), &bytes))
    return refuse_claim(name, array->path);
  if (numbers == 0) return LFM_OK;
  hid_t creation = H5Dget_create_plist(array->id);
  lfm_status status = check_stored(name, array, creation);
  H5Pclose(creation);
  LFM_TRY(status);
  bool can_be_filled = bytes <= SMALL || numbers / LFM_DEFLATE_RATIO <= H5Dget_storage_size(array->id);
  return can_be_filled ? LFM_OK : refuse_claim(name, array->path);
}

lfm_status lfm_hdf5_array_read(const char *name, const lfm_hdf5_array *array, double *out, int64_t cols, int64_t first) {
  hsize_t whole[2] = {(hsize_t)array->shape[0], (hsize_t)cols}, start[2] = {0, (hsize_t)first},
          part[2] = {(hsize_t)array->shape[0], (hsize_t)array->width};
  hid_t memory = H5Screate_simple(2, whole, NULL);
  bool done = memory >= 0 && H5Sselect_hyperslab(memory, H5S_SELECT_SET, start, NULL, part, NULL) >= 0 &&
              H5Dread(array->id, H5T_NATIVE_DOUBLE, memory, H5S_ALL, H5P_DEFAULT, out) >= 0;
  lfm_status status =
      done ? LFM_OK : refuse_path(name, array->path, "its values cannot be read; the file is truncated or altered");
  if (memory >= 0) H5Sclose(memory); /* behind the refusal, as above */
  return status;
}

/* ---- texts ----------------------------------------------------------------------------------------------------- */

/* A text type as it comes into memory: ends in a zero byte.  Close with H5Tclose. */
static hid_t memory_type(hid_t stored, bool variable) {
  hid_t type = H5Tcopy(stored);
  if (variable) return type;
  H5Tset_size(type, H5Tget_size(stored) + 1);
  H5Tset_strpad(type, H5T_STR_NULLTERM);
  return type;
}

static lfm_status add_texts(const char *block, size_t size, int64_t count, lfm_listing *out) {
  for (int64_t i = 0; i < count; i++) LFM_TRY(lfm_listing_add(out, block + (size_t)i * size));
  return LFM_OK;
}

static lfm_status read_fixed(const char *name, const char *path, hid_t dataset, hid_t type, int64_t count, lfm_listing *out) {
  char *block;
  size_t size = H5Tget_size(type), bytes;
  if (!lfm_size_multiply(size, (size_t)count, &bytes) ||
      (bytes > SMALL && bytes / LFM_DEFLATE_RATIO > H5Dget_storage_size(dataset)))
    return lfm_fail(LFM_E_FORMAT, "%s: %s: claims more than its bytes can be; the file is truncated or altered", name, path);
  LFM_TRY(LFM_ALLOC(&block, bytes));
  lfm_status status = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) >= 0
                          ? add_texts(block, size, count, out)
                          : refuse_path(name, path, "cannot be read");
  lfm_free(block);
  return status;
}

static lfm_status read_variable(const char *name, const char *path, hid_t dataset, hid_t type, int64_t count,
                                lfm_listing *out) {
  char **texts;
  if (count > SMALL && (size_t)count / LFM_DEFLATE_RATIO > H5Dget_storage_size(dataset))
    return lfm_fail(LFM_E_FORMAT, "%s: %s: claims more than its bytes can be; the file is truncated or altered", name, path);
  LFM_TRY(LFM_ALLOC(&texts, count));
  lfm_status status = LFM_OK;
  if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0) status = refuse_path(name, path, "cannot be read");
  for (int64_t i = 0; status == LFM_OK && i < count; i++) status = lfm_listing_add(out, texts[i] ? texts[i] : "");
  for (int64_t i = 0; i < count; i++) H5free_memory(texts[i]);
  lfm_free(texts);
  return status;
}

lfm_status lfm_hdf5_read_texts(const char *name, hid_t place, const char *path, lfm_listing *out) {
  lfm_hdf5_array array;
  LFM_TRY(lfm_hdf5_array_open(name, place, path, &array));
  hid_t stored = H5Dget_type(array.id);
  lfm_status status;
  if (H5Tget_class(stored) != H5T_STRING || array.rank != 1) {
    status = lfm_fail(LFM_E_FORMAT, "%s: %s: is no list of texts", name, path);
  } else {
    bool variable = H5Tis_variable_str(stored) > 0;
    hid_t type = memory_type(stored, variable);
    status = (variable ? read_variable : read_fixed)(name, path, array.id, type, array.shape[0], out);
    H5Tclose(type);
  }
  H5Tclose(stored);
  H5Dclose(array.id);
  return status;
}

/* ---- attributes ------------------------------------------------------------------------------------------------ */

/* An attribute of one value of this class, or less than 0; close with H5Aclose. */
static hid_t open_attribute(hid_t object, const char *name, H5T_class_t class) {
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return attribute;
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  bool fits = H5Tget_class(type) == class && H5Sget_simple_extent_npoints(space) == 1;
  H5Sclose(space);
  H5Tclose(type);
  if (fits) return attribute;
  H5Aclose(attribute);
  return -1;
}

static lfm_status read_text(const char *name, hid_t attribute, hid_t type, bool variable, char **out) {
  char *text = NULL;
  if (variable) {
    if (H5Aread(attribute, type, &text) < 0) return lfm_hdf5_refuse(LFM_E_FORMAT, name, "an attribute cannot be read");
    lfm_status status = text ? lfm_alloc_text(out, text) : LFM_OK;
    H5free_memory(text);
    return status;
  }
  if (H5Tget_size(type) > SMALL) return LFM_OK;
  LFM_TRY(LFM_ALLOC(out, H5Tget_size(type)));
  return H5Aread(attribute, type, *out) >= 0 ? LFM_OK : lfm_hdf5_refuse(LFM_E_FORMAT, name, "an attribute cannot be read");
}

lfm_status lfm_hdf5_text_attribute(const char *name, hid_t object, const char *attribute, char **out) {
  hid_t found = open_attribute(object, attribute, H5T_STRING);
  *out = NULL;
  if (found < 0) return LFM_OK;
  hid_t stored = H5Aget_type(found);
  bool variable = H5Tis_variable_str(stored) > 0;
  hid_t type = memory_type(stored, variable);
  lfm_status status = read_text(name, found, type, variable, out);
  H5Tclose(type);
  H5Tclose(stored);
  H5Aclose(found);
  if (status == LFM_OK) return status;
  lfm_free(*out);
  *out = NULL;
  return status;
}

bool lfm_hdf5_whole_attribute(hid_t object, const char *attribute, int64_t *out) {
  hid_t found = open_attribute(object, attribute, H5T_INTEGER);
  if (found < 0) return false;
  bool done = H5Aread(found, H5T_NATIVE_INT64, out) >= 0;
  H5Aclose(found);
  return done;
}
