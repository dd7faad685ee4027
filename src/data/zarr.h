/* SPDX-License-Identifier: MIT
 *
 * zarr.h -- an array of a zarr folder (format 2): what its .zarray says, and its chunks.
 */
#ifndef LFM_DATA_ZARR_H
#define LFM_DATA_ZARR_H

#include "core/status.h"
#include "data/element.h"

enum { LFM_ZARR_DIMS = 4 };

typedef struct lfm_zarr {
  int rank;                     /* 1 .. LFM_ZARR_DIMS */
  int64_t shape[LFM_ZARR_DIMS]; /* 1 beyond its rank, as chunk */
  int64_t chunk[LFM_ZARR_DIMS]; /* > 0; the last chunk of a dimension is whole and may reach beyond the shape */
  int64_t width;                /* numbers in shape[1], shape[2], ... together: of a row */
  size_t chunk_size;            /* bytes of a chunk, unpacked */
  lfm_element element;
  bool packed; /* by Blosc */
} lfm_zarr;

/* From the text of a .zarray; NAME is for messages.  LFM_E_UNSUPPORTED for what zarr has and we do not read. */
lfm_status lfm_zarr_parse(const char *name, const uint8_t *text, size_t size, lfm_zarr *out);

/* A chunk's bytes unpacked: out [chunk_size]. */
lfm_status lfm_zarr_unpack(const char *name, const lfm_zarr *array, const uint8_t *data, size_t size, uint8_t *out);

/* The numbers of an unpacked chunk, whose place in the grid of chunks is `at`, into columns first .. of out [shape[0], cols].
 */
void lfm_zarr_put(const lfm_zarr *array, const int64_t at[LFM_ZARR_DIMS], const uint8_t *chunk, double *out, int64_t cols,
                  int64_t first);

#endif
