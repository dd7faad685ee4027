/* SPDX-License-Identifier: MIT
 *
 * Any text as a .zarray and, behind its first zero byte, any bytes as a chunk of that array.
 */
#include "core/alloc.h"
#include "data/zarr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

static void require_refused(lfm_status status) {
  require(status == LFM_E_FORMAT || status == LFM_E_UNSUPPORTED);
  require(*lfm_error() && !strchr(lfm_error(), '\n'));
}

/* A chunk at the first and the last place of the grid stays within its array. */
static void put_chunk(const lfm_zarr *array, const uint8_t *chunk) {
  int64_t at[LFM_ZARR_DIMS] = {0}, numbers = array->shape[0] * array->width;
  double *out;
  if (numbers == 0) return;
  require(LFM_ALLOC(&out, numbers) == LFM_OK);
  lfm_zarr_put(array, at, chunk, out, array->width, 0);
  for (int k = 0; k < LFM_ZARR_DIMS; k++) at[k] = (array->shape[k] - 1) / array->chunk[k];
  lfm_zarr_put(array, at, chunk, out, array->width, 0);
  lfm_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { MOST = 1 << 20 };
  const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
  size_t text = zero ? (size_t)(zero - data) : size;
  lfm_zarr array;
  uint8_t *chunk;
  lfm_status status = lfm_zarr_parse("input", data, text, &array);
  if (status != LFM_OK) return require_refused(status), 0;
  require(array.rank >= 1 && array.rank <= LFM_ZARR_DIMS && array.chunk_size > 0);
  if (!zero || array.chunk_size > MOST) return 0;
  require(LFM_ALLOC(&chunk, array.chunk_size) == LFM_OK);
  status = lfm_zarr_unpack("input", &array, zero + 1, size - text - 1, chunk);
  if (status != LFM_OK) require_refused(status);
  else if (array.shape[0] <= MOST / 8 && array.width <= MOST / 8 && array.shape[0] * array.width <= MOST / 8)
    put_chunk(&array, chunk);
  lfm_free(chunk);
  return 0;
}
