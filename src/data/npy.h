/* SPDX-License-Identifier: MIT
 *
 * npy.h -- the header of NumPy's array format, which .npy files and the members of .npz archives share.
 */
#ifndef LFM_DATA_NPY_H
#define LFM_DATA_NPY_H

#include "data/element.h"
#include "data/format.h"

enum {
  LFM_NPY_HEADER = 128, /* bytes of the header that we write: a multiple of 64, as the format asks */
  LFM_NPY_DIMS = 4
};

/* An array as its file has it. */
typedef struct lfm_npy {
  lfm_element element;
  bool by_column; /* Fortran order */
  int rank;
  int64_t shape[LFM_NPY_DIMS]; /* 1 beyond its rank */
  const uint8_t *values;
} lfm_npy;

/* The header alone: all but the values. */
lfm_status lfm_npy_look(const lfm_source *source, lfm_npy *out);

/* least <= rank <= most <= LFM_NPY_DIMS, or LFM_E_DATA with `ranks` as what is wanted; the values are all there. */
lfm_status lfm_npy_open(const lfm_source *source, int least, int most, const char *ranks, lfm_npy *out);

/* The header of a table written as doubles of this machine's byte order; the values follow as they lie in memory. */
void lfm_npy_header(const lfm_table *table, uint8_t header[LFM_NPY_HEADER]);

/* The header of any array in C order; type as "|u1". */
void lfm_npy_header_of(const char *type, int rank, const int64_t *shape, uint8_t header[LFM_NPY_HEADER]);

#endif
