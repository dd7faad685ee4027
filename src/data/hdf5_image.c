/* SPDX-License-Identifier: MIT
 *
 * hdf5_image.c -- see hdf5_image.h.
 */
#include "data/hdf5_image.h"

#include "core/alloc.h"

#include <string.h>

lfm_status lfm_hdf5_image_create(size_t bytes, hid_t *file) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, bytes + 65536, 0); /* never written by the library itself */
  *file = H5Fcreate("image.hdf5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  return *file >= 0 ? LFM_OK : lfm_hdf5_refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
}

/* A dataset of this type and space, or less than 0. */
static hid_t make_dataset(hid_t place, const char *path, hid_t type, hid_t space) {
  hid_t groups = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_create_intermediate_group(groups, 1);
  H5Pset_obj_track_times(creation, false);
  hid_t dataset = H5Dcreate2(place, path, type, space, groups, creation, H5P_DEFAULT);
  H5Pclose(creation);
  H5Pclose(groups);
  return dataset;
}

lfm_status lfm_hdf5_put(hid_t place, const char *path, const lfm_hdf5_part *part, bool flat) {
  hsize_t shape[2] = {(hsize_t)part->rows, (hsize_t)part->cols},
          whole[2] = {(hsize_t)(part->first_row + part->rows), (hsize_t)part->width},
          start[2] = {(hsize_t)part->first_row, (hsize_t)part->first_col};
  hid_t space = H5Screate_simple(flat ? 1 : 2, shape, NULL), memory = H5Screate_simple(2, whole, NULL);
  hid_t dataset = make_dataset(place, path, H5T_IEEE_F64LE, space);
  bool empty = part->rows == 0 || part->cols == 0;
  bool done =
      dataset >= 0 && (empty || (H5Sselect_hyperslab(memory, H5S_SELECT_SET, start, NULL, shape, NULL) >= 0 &&
                                 H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, H5S_ALL, H5P_DEFAULT, part->values) >= 0));
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(memory);
  H5Sclose(space);
  return done ? LFM_OK : lfm_hdf5_refuse(LFM_E_USAGE, path, "the dataset cannot be written");
}

lfm_status lfm_hdf5_put_texts(hid_t place, const char *path, const char *const *texts, int64_t count) {
  size_t length = 1;
  char *block;
  hsize_t shape = (hsize_t)count;
  for (int64_t i = 0; i < count; i++) length = strlen(texts[i]) > length ? strlen(texts[i]) : length;
  LFM_TRY(LFM_ALLOC(&block, (size_t)count * length));
  for (int64_t i = 0; i < count; i++) memcpy(block + (size_t)i * length, texts[i], strlen(texts[i]));
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &shape, NULL);
  H5Tset_size(type, length);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  hid_t dataset = make_dataset(place, path, type, space);
  bool done = dataset >= 0 && (count == 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) >= 0);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(type);
  lfm_free(block);
  return done ? LFM_OK : lfm_hdf5_refuse(LFM_E_MEMORY, path, "the list cannot be written");
}

static lfm_status put_attribute(hid_t object, const char *name, hid_t stored, hid_t type, const void *value) {
  hid_t space = H5Screate(H5S_SCALAR), attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
  bool done = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return done ? LFM_OK : lfm_hdf5_refuse(LFM_E_MEMORY, name, "the attribute cannot be written");
}

lfm_status lfm_hdf5_put_whole_attribute(hid_t object, const char *name, int64_t value) {
  return put_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

lfm_status lfm_hdf5_put_text_attribute(hid_t object, const char *name, const char *value) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, strlen(value) + 1);
  lfm_status status = put_attribute(object, name, type, type, value);
  H5Tclose(type);
  return status;
}

lfm_status lfm_hdf5_put_group(hid_t place, const char *path, hid_t *group) {
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation, false);
  *group = H5Gcreate2(place, path, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  return *group >= 0 ? LFM_OK : lfm_hdf5_refuse(LFM_E_MEMORY, path, "the group cannot be written");
}

lfm_status lfm_hdf5_image_take(hid_t file, uint8_t **bytes, size_t *size) {
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  ssize_t needed = H5Fget_file_image(file, NULL, 0);
  if (needed < 0) return lfm_hdf5_refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
  *size = (size_t)needed;
  LFM_TRY(LFM_ALLOC(bytes, *size));
  if (H5Fget_file_image(file, *bytes, *size) == needed) return LFM_OK;
  lfm_free(*bytes);
  *bytes = NULL;
  return lfm_hdf5_refuse(LFM_E_MEMORY, "HDF5", "the file cannot be built");
}
