/* SPDX-License-Identifier: MIT
 *
 * safetensors.h -- the file format of models and checkpoints: an 8-byte header length, a JSON header that names each
 * tensor's type, shape and bytes, then the bytes.  Python reads it with safetensors.torch.load_file.
 * Writing is deterministic: tensors and metadata in the order given, no times, no padding but the header's spaces (to 64).
 * Metadata values are strings (the format's rule).  Key "lfm.crc32", which writing adds, covers all that the file says: the
 * other metadata, each tensor's name, type and shape, and all tensor bytes, whatever order they have.  It is checked on
 * reading where it is present, so that an altered file is an error, not a wrong model.
 */
#ifndef LFM_STORE_SAFETENSORS_H
#define LFM_STORE_SAFETENSORS_H

#include "core/status.h"

typedef enum lfm_dtype { LFM_F32, LFM_F64, LFM_F16, LFM_I64, LFM_U8 } lfm_dtype;
size_t lfm_dtype_size(lfm_dtype dtype);

enum { LFM_MAX_DIMS = 8, LFM_MOST_SCOPE = 16 };

typedef struct lfm_tensor {
  char *name;
  lfm_dtype dtype;
  int dims;
  int64_t shape[LFM_MAX_DIMS];
  const void *data; /* borrowed: by a builder from the caller, by an opened file from the mapping */
} lfm_tensor;
int64_t lfm_tensor_count(const lfm_tensor *tensor); /* elements */

enum { LFM_TENSOR_TEXT = 192 };
/* "F32 [2, 3]" for error lines; returns out. */
const char *lfm_tensor_describe(lfm_dtype dtype, int dims, const int64_t *shape, char out[LFM_TENSOR_TEXT]);

/* ---- writing: collect, then write once, atomically -------------------------------------------------------- */
typedef struct lfm_archive lfm_archive;
lfm_status lfm_archive_create(lfm_archive **out);
/* From now on every name and key given to this archive, to be written or to be found, stands for `scope` and that: a thing
 * within a thing.  "": itself again.  Up to LFM_MOST_SCOPE - 1 letters. */
void lfm_archive_scope(lfm_archive *archive, const char *scope);

/* The data is borrowed until the archive is written or destroyed; the name is copied. */
lfm_status lfm_archive_add(lfm_archive *archive, const char *name, lfm_dtype dtype, int dims, const int64_t *shape,
                           const void *data);
/* LFM_E_DATA when the text is not UTF-8: the format holds no other. */
lfm_status lfm_archive_meta(lfm_archive *archive, const char *key, const char *value);
lfm_status lfm_archive_write(const lfm_archive *archive, const char *path);

/* ---- reading: map, check everything, then look up ----------------------------------------------------------- */
/* LFM_E_FORMAT for any file that is not whole and well-formed: the message says what is wrong with it. */
lfm_status lfm_archive_open(const char *path, lfm_archive **out);
/* The same over bytes in memory, which must outlive the archive; path is for error lines. */
lfm_status lfm_archive_open_memory(const uint8_t *data, size_t size, const char *path, lfm_archive **out);
int lfm_archive_size(const lfm_archive *archive);
const lfm_tensor *lfm_archive_at(const lfm_archive *archive, int index);
const lfm_tensor *lfm_archive_find(const lfm_archive *archive, const char *name); /* NULL when absent */
/* The tensor of that name with that type and shape, or LFM_E_FORMAT that names file, tensor and what was expected. */
lfm_status lfm_archive_require(const lfm_archive *archive, const char *name, lfm_dtype dtype, int dims, const int64_t *shape,
                               const lfm_tensor **out);
const char *lfm_archive_meta_find(const lfm_archive *archive, const char *key); /* NULL when absent */
const char *lfm_archive_path(const lfm_archive *archive);
void lfm_archive_destroy(lfm_archive *archive); /* either kind; accepts NULL */

#endif
