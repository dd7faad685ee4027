/* SPDX-License-Identifier: MIT
 *
 * zarr.c -- arrays of zarr's format 2: a JSON text that describes the array, and files with a chunk each.
 * Read are plain numbers in C order, unpacked or packed by Blosc, which is how Diffusion Policy's data sets come; other
 * compressors and filters are refused by name.  A chunk that is not there is an error, not zeros as the format has it: what
 * is missing from a data set was nearly always lost on its way.
 */
#include "data/zarr.h"

#include "core/bytes.h"

#include <blosc.h>
#include <jansson.h>
#include <string.h>

static lfm_status damaged(const char *name, const char *what) {
  return lfm_fail(LFM_E_FORMAT, "%s: %s; the folder was altered", name, what);
}

/* ---- .zarray --------------------------------------------------------------------------------------------------- */

static lfm_status take_lengths(const char *name, const json_t *list, int64_t least, int *rank, int64_t out[LFM_ZARR_DIMS]) {
  size_t count = json_array_size(list);
  if (count < 1 || count > LFM_ZARR_DIMS)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: arrays of 1 to %d dimensions are read", name, LFM_ZARR_DIMS);
  for (size_t k = 0; k < LFM_ZARR_DIMS; k++) out[k] = 1;
  for (size_t k = 0; k < count; k++) {
    const json_t *length = json_array_get(list, k);
    if (!json_is_integer(length) || json_integer_value(length) < least)
      return damaged(name, "its shape or chunks are no list of lengths");
    out[k] = json_integer_value(length);
  }
  *rank = (int)count;
  return LFM_OK;
}

/* Products that overflow are refused here, so that later ones cannot: a length of 0 hides none, wherever it stands. */
static lfm_status measure(const char *name, lfm_zarr *a) {
  size_t all = sizeof(double);
  bool fits = true;
  a->chunk_size = a->element.size;
  for (int k = 0; k < a->rank; k++) {
    fits = fits && lfm_size_multiply(all, a->shape[k] ? (size_t)a->shape[k] : 1, &all);
    fits = fits && lfm_size_multiply(a->chunk_size, (size_t)a->chunk[k], &a->chunk_size);
  }
  if (!fits || all > INT64_MAX || a->chunk_size > BLOSC_MAX_BUFFERSIZE) return damaged(name, "its shape is too large");
  a->width = 1;
  for (int k = 1; k < a->rank; k++) a->width *= a->shape[k];
  return LFM_OK;
}

static lfm_status take_packing(const char *name, const json_t *root, lfm_zarr *a) {
  const json_t *compressor = json_object_get(root, "compressor"), *filters = json_object_get(root, "filters");
  const char *id = json_string_value(json_object_get(compressor, "id"));
  a->packed = id && strcmp(id, "blosc") == 0;
  if (!a->packed && compressor && !json_is_null(compressor))
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: chunks packed by %.20s are not read; save it with Blosc, or without compressor",
                    name, id ? id : "an unnamed compressor");
  if (filters && !json_is_null(filters) && json_array_size(filters))
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: filters are not undone; save it without", name);
  return LFM_OK;
}

static lfm_status take_fields(const char *name, const json_t *root, lfm_zarr *a) {
  int rank;
  const char *type = json_string_value(json_object_get(root, "dtype")),
             *order = json_string_value(json_object_get(root, "order")),
             *separator = json_string_value(json_object_get(root, "dimension_separator"));
  if (json_integer_value(json_object_get(root, "zarr_format")) != 2)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: its zarr_format is not 2; save it with zarr_format=2", name);
  LFM_TRY(take_lengths(name, json_object_get(root, "shape"), 0, &a->rank, a->shape));
  LFM_TRY(take_lengths(name, json_object_get(root, "chunks"), 1, &rank, a->chunk));
  if (rank != a->rank) return damaged(name, "its shape and chunks have different dimensions");
  if (!type || !lfm_element_parse(type, &a->element))
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: elements of type '%.12s' are not read; save it as float64", name,
                    type ? type : "record");
  if (a->rank > 1 && (!order || strcmp(order, "C") != 0))
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: only arrays in C order are read", name);
  if (separator && strcmp(separator, ".") != 0)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: its chunks lie in folders of their own; save it with dimension_separator='.'",
                    name);
  LFM_TRY(take_packing(name, root, a));
  return measure(name, a);
}

lfm_status lfm_zarr_parse(const char *name, const uint8_t *text, size_t size, lfm_zarr *out) {
  json_error_t error;
  *out = (lfm_zarr){0};
  json_t *root = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
  if (!root && json_error_code(&error) == json_error_out_of_memory) return lfm_fail(LFM_E_MEMORY, "%s: out of memory", name);
  if (!json_is_object(root)) {
    json_decref(root);
    return damaged(name, "is no JSON object");
  }
  lfm_status status = take_fields(name, root, out);
  json_decref(root);
  return status;
}

/* ---- chunks ---------------------------------------------------------------------------------------------------- */

lfm_status lfm_zarr_unpack(const char *name, const lfm_zarr *array, const uint8_t *data, size_t size, uint8_t *out) {
  size_t unpacked = size;
  if (array->packed && (size < BLOSC_MIN_HEADER_LENGTH || blosc_cbuffer_validate(data, size, &unpacked) != 0))
    return lfm_fail(LFM_E_FORMAT, "%s: is no chunk of Blosc's, or is truncated", name);
  if (unpacked != array->chunk_size)
    return lfm_fail(LFM_E_FORMAT, "%s: holds %zu bytes; a chunk is %zu", name, unpacked, array->chunk_size);
  if (!array->packed) {
    memcpy(out, data, size);
    return LFM_OK;
  }
  int got = blosc_decompress_ctx(data, out, unpacked, 1);
  return got >= 0 && (size_t)got == unpacked ? LFM_OK : lfm_fail(LFM_E_FORMAT, "%s: is damaged", name);
}

void lfm_zarr_put(const lfm_zarr *a, const int64_t at[LFM_ZARR_DIMS], const uint8_t *chunk, double *out, int64_t cols,
                  int64_t first) {
  int64_t begin[LFM_ZARR_DIMS], count[LFM_ZARR_DIMS];
  for (int k = 0; k < LFM_ZARR_DIMS; k++) { /* what of the chunk lies within the shape */
    begin[k] = at[k] * a->chunk[k];
    int64_t left = a->shape[k] - begin[k];
    count[k] = left < a->chunk[k] ? left : a->chunk[k];
  }
  for (int64_t i = 0; i < count[0]; i++)
    for (int64_t j = 0; j < count[1]; j++)
      for (int64_t k = 0; k < count[2]; k++)
        for (int64_t l = 0; l < count[3]; l++) {
          int64_t from = ((i * a->chunk[1] + j) * a->chunk[2] + k) * a->chunk[3] + l;
          int64_t col = ((begin[1] + j) * a->shape[2] + begin[2] + k) * a->shape[3] + begin[3] + l;
          out[(begin[0] + i) * cols + first + col] = lfm_element_value(&a->element, chunk + (size_t)from * a->element.size);
        }
}
