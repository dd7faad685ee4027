/* SPDX-License-Identifier: MIT
 *
 * hdf5_image.h -- an HDF5 file that is built in memory and leaves as bytes, through the same lfm_writer as every other
 * format: there is one place that syncs and renames.  The price is a second copy of the values.  No times are kept: what is
 * put decides every byte.  Everything here is called between lfm_hdf5_enter and lfm_hdf5_leave.
 */
#ifndef LFM_DATA_HDF5_IMAGE_H
#define LFM_DATA_HDF5_IMAGE_H

#include "data/hdf5_file.h"

/* An empty file that grows in steps of about so many bytes; close with H5Fclose. */
lfm_status lfm_hdf5_image_create(size_t bytes, hid_t *file);

/* A part of numbers that lie in rows of `width`. */
typedef struct lfm_hdf5_part {
  const double *values;
  int64_t width, first_row, first_col, rows, cols;
} lfm_hdf5_part;

/* It as a float64 dataset PATH [rows, cols], or with `flat` [rows], cols being 1; "a/b" makes the group a.  LFM_E_USAGE when
 * the library refuses the name. */
lfm_status lfm_hdf5_put(hid_t place, const char *path, const lfm_hdf5_part *part, bool flat);

/* count texts of fixed length, as numpy's dtype S. */
lfm_status lfm_hdf5_put_texts(hid_t place, const char *path, const char *const *texts, int64_t count);

/* Attributes of a group or dataset. */
lfm_status lfm_hdf5_put_whole_attribute(hid_t object, const char *name, int64_t value);
lfm_status lfm_hdf5_put_text_attribute(hid_t object, const char *name, const char *value);

/* The group PATH, made; close with H5Gclose. */
lfm_status lfm_hdf5_put_group(hid_t place, const char *path, hid_t *group);

/* The bytes of the file; free with lfm_free. */
lfm_status lfm_hdf5_image_take(hid_t file, uint8_t **bytes, size_t *size);

#endif
