/* SPDX-License-Identifier: MIT
 *
 * npy.h -- the header of NumPy's array format, which .npy files and the members of .npz archives share.
 */
#ifndef LFM_DATA_NPY_H
#define LFM_DATA_NPY_H

#include "data/format.h"

enum { LFM_NPY_HEADER = 128 }; /* bytes of the header that we write: a multiple of 64, as the format asks */

/* The header of a table written as doubles of this machine's byte order; the values follow as they lie in memory. */
void lfm_npy_header(const lfm_table *table, uint8_t header[LFM_NPY_HEADER]);

#endif
