/* SPDX-License-Identifier: MIT
 *
 * hdf5_file.h -- what we use of the HDF5 library to read: its manners, a file, datasets of numbers, texts.
 * Everything here is called between lfm_hdf5_enter and lfm_hdf5_leave.
 */
#ifndef LFM_DATA_HDF5_FILE_H
#define LFM_DATA_HDF5_FILE_H

#include "data/format.h"
#include "data/listing.h"

#include <hdf5.h>

typedef struct lfm_hdf5_manners { /* how errors were printed before */
  H5E_auto2_t print;
  void *context;
} lfm_hdf5_manners;

/* Takes the lock that stands before the library, and silences it; and the way back. */
lfm_hdf5_manners lfm_hdf5_enter(void);
void lfm_hdf5_leave(lfm_hdf5_manners before);

/* CODE with "NAME: WHAT (the innermost reason of the library's error stack)". */
lfm_status lfm_hdf5_refuse(lfm_status code, const char *name, const char *what);

/* The source's file, from its path or from its bytes in memory; close with H5Fclose. */
lfm_status lfm_hdf5_open(const lfm_source *source, hid_t *file);

/* Whether PATH, each part of it, is there below `place`, and is an object of this type. */
bool lfm_hdf5_has(hid_t place, const char *path, H5O_type_t type);

/* The names below a group that are of this type, sorted by their bytes. */
lfm_status lfm_hdf5_list(const char *name, hid_t group, H5O_type_t type, lfm_listing *out);

enum { LFM_HDF5_DIMS = 4 };
typedef struct lfm_hdf5_array {
  hid_t id;                     /* close with H5Dclose */
  const char *path;             /* the caller's */
  bool is_numbers;              /* integers, floats or truth values, and not texts or records */
  bool is_whole;                /* of those, not floats */
  int rank;                     /* any */
  int64_t shape[LFM_HDF5_DIMS]; /* 1 beyond its rank */
  int64_t width;                /* numbers in shape[1], shape[2], ... together: of a row */
} lfm_hdf5_array;

/* Opens the dataset PATH below `place`, a file or a group in it; NAME is for messages.  LFM_E_FORMAT also for a shape that
 * cannot be counted; LFM_E_UNSUPPORTED for one that a link leads to in another file. */
lfm_status lfm_hdf5_array_open(const char *name, hid_t place, const char *path, lfm_hdf5_array *out);

/* Whether its numbers are there, to be asked before memory for them.  LFM_E_FORMAT when chunks were never written, or its
 * bytes cannot be so many numbers; LFM_E_UNSUPPORTED when they lie in other files. */
lfm_status lfm_hdf5_array_check(const char *name, const lfm_hdf5_array *array);

/* Its rows into columns `first` .. of out [shape[0], cols], as doubles. */
lfm_status lfm_hdf5_array_read(const char *name, const lfm_hdf5_array *array, double *out, int64_t cols, int64_t first);

/* The texts of a dataset of them, of fixed or variable length. */
lfm_status lfm_hdf5_read_texts(const char *name, hid_t place, const char *path, lfm_listing *out);

/* *out = a text attribute, free with lfm_free; NULL when there is none of that name, or it is no text. */
lfm_status lfm_hdf5_text_attribute(const char *name, hid_t object, const char *attribute, char **out);

/* Whether there is such an attribute that is a whole number; *out = it. */
bool lfm_hdf5_whole_attribute(hid_t object, const char *attribute, int64_t *out);

#endif
