/* SPDX-License-Identifier: MIT
 *
 * safetensors.c -- models and checkpoints on disk (safetensors.h).
 * Writing: the header is built as JSON in the order of the calls, padded so that the data begins at a multiple of 64, and the
 * whole goes out through one atomic writer.  Reading: the file is mapped and every claim of the header is checked against
 * the bytes that are there, before anyone sees a tensor: lengths, types, shapes, and that the tensors tile the data without
 * gap or overlap.
 *
 * The checksum covers what the file says (metadata, names, types, shapes, data), not how the header spells it nor in which
 * order: an altered hidden_dim is as wrong a model as an altered weight.  CRC-32 finds accidents; against forgers a file
 * needs a signature beside it, and sha256 here would only look like one.
 */
#include "store/safetensors.h"

#include "core/alloc.h"
#include "core/bytes.h"
#include "core/file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian, and tensors are used in place");

#define CHECKSUM_KEY "lfm.crc32"
#define META_KEY "__metadata__"
enum { LARGEST_HEADER = 100000000, ALIGNMENT = 64, CHECKSUM = 9 }; /* the format's bound; a cache line; a text */

typedef struct meta {
  char *key, *value;
} meta;

struct lfm_archive {
  char *path; /* NULL in a builder */
  lfm_map map;
  lfm_tensor *tensors;
  size_t count, capacity;
  meta *metas; /* once read, by key: a hostile file may have a million, each asked for */
  size_t meta_count, meta_capacity;
  bool sorted;
  char scope[LFM_MOST_SCOPE]; /* in front of every name that is given */
  void **copies;              /* [count] of data that lies unaligned in the file, NULL elsewhere */
};

/* ---- types -------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {
    [LFM_F32] = {"F32", 4}, [LFM_F64] = {"F64", 8}, [LFM_F16] = {"F16", 2}, [LFM_I64] = {"I64", 8}, [LFM_U8] = {"U8", 1}};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

size_t lfm_dtype_size(lfm_dtype dtype) { return dtypes[dtype].size; }

int64_t lfm_tensor_count(const lfm_tensor *tensor) {
  int64_t count = 1;
  for (int i = 0; i < tensor->dims; i++) count *= tensor->shape[i];
  return count;
}

static size_t bytes_of(const lfm_tensor *tensor) { return (size_t)lfm_tensor_count(tensor) * lfm_dtype_size(tensor->dtype); }

/* Do the shape's sides, and their product times the element's size, fit?  Zeros do not hide an overflow beside them. */
static bool shape_fits(const lfm_tensor *tensor) {
  size_t product = lfm_dtype_size(tensor->dtype);
  for (int i = 0; i < tensor->dims; i++) {
    if (tensor->shape[i] < 0) return false;
    size_t side = tensor->shape[i] ? (size_t)tensor->shape[i] : 1;
    if (!lfm_size_multiply(product, side, &product) || product > INT64_MAX) return false;
  }
  return true;
}

const char *lfm_tensor_describe(lfm_dtype dtype, int dims, const int64_t *shape, char out[LFM_TENSOR_TEXT]) {
  size_t size = LFM_TENSOR_TEXT, length = (size_t)snprintf(out, size, "%s [", dtypes[dtype].name);
  for (int i = 0; i < dims && length < size; i++)
    length += (size_t)snprintf(out + length, size - length, "%s%" PRId64, i ? ", " : "", shape[i]);
  if (length < size) snprintf(out + length, size - length, "]");
  return out;
}

/* ---- the object --------------------------------------------------------------------------------------------- */

lfm_status lfm_archive_create(lfm_archive **out) { return LFM_ALLOC(out, 1); }

void lfm_archive_destroy(lfm_archive *archive) {
  if (!archive) return;
  for (size_t i = 0; i < archive->count; i++) {
    lfm_free(archive->tensors[i].name);
    if (archive->copies) lfm_free(archive->copies[i]);
  }
  for (size_t i = 0; i < archive->meta_count; i++) {
    lfm_free(archive->metas[i].key);
    lfm_free(archive->metas[i].value);
  }
  lfm_free(archive->tensors);
  lfm_free(archive->copies);
  lfm_free(archive->metas);
  lfm_free(archive->path);
  lfm_map_close(&archive->map);
  lfm_free(archive);
}

int lfm_archive_size(const lfm_archive *archive) { return (int)archive->count; }
const lfm_tensor *lfm_archive_at(const lfm_archive *archive, int index) { return &archive->tensors[index]; }
const char *lfm_archive_path(const lfm_archive *archive) { return archive->path ? archive->path : ""; }

void lfm_archive_scope(lfm_archive *archive, const char *scope) {
  snprintf(archive->scope, sizeof archive->scope, "%s", scope);
}

/* Is it the scope and that name? */
static bool is_called(const lfm_archive *archive, const char *full, const char *name) {
  size_t length = strlen(archive->scope);
  return strncmp(full, archive->scope, length) == 0 && strcmp(full + length, name) == 0;
}

const lfm_tensor *lfm_archive_find(const lfm_archive *archive, const char *name) {
  for (size_t i = 0; i < archive->count; i++) {
    if (is_called(archive, archive->tensors[i].name, name)) return &archive->tensors[i];
  }
  return NULL;
}

/* The scope and that name before a full one, as strcmp. */
static int compare_called(const lfm_archive *archive, const char *name, const char *full) {
  size_t length = strlen(archive->scope);
  int order = strncmp(archive->scope, full, length);
  return order ? order : strcmp(name, full + length);
}

static const char *search_meta(const lfm_archive *archive, const char *key) {
  for (size_t low = 0, high = archive->meta_count; low < high;) {
    size_t middle = low + (high - low) / 2;
    int order = compare_called(archive, key, archive->metas[middle].key);
    if (order == 0) return archive->metas[middle].value;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return NULL;
}

const char *lfm_archive_meta_find(const lfm_archive *archive, const char *key) {
  if (archive->sorted) return search_meta(archive, key);
  for (size_t i = 0; i < archive->meta_count; i++) {
    if (is_called(archive, archive->metas[i].key, key)) return archive->metas[i].value;
  }
  return NULL;
}

lfm_status lfm_archive_require(const lfm_archive *archive, const char *name, lfm_dtype dtype, int dims, const int64_t *shape,
                               const lfm_tensor **out) {
  char expected[LFM_TENSOR_TEXT], found[LFM_TENSOR_TEXT];
  lfm_tensor_describe(dtype, dims, shape, expected);
  const lfm_tensor *tensor = lfm_archive_find(archive, name);
  *out = NULL;
  if (!tensor)
    return lfm_fail(LFM_E_FORMAT, "%s: has no tensor '%s%s' (expected %s)", lfm_archive_path(archive), archive->scope, name,
                    expected);
  lfm_tensor_describe(tensor->dtype, tensor->dims, tensor->shape, found);
  if (strcmp(expected, found) != 0)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' is %s, expected %s", lfm_archive_path(archive), tensor->name, found,
                    expected);
  *out = tensor;
  return LFM_OK;
}

/* A copy: the scope and that name. */
static lfm_status copy_name(const lfm_archive *archive, const char *name, char **out) {
  size_t size = strlen(archive->scope) + strlen(name) + 1;
  LFM_TRY(LFM_ALLOC(out, size));
  snprintf(*out, size, "%s%s", archive->scope, name);
  return LFM_OK;
}

/* Appends a tensor, its name copied. */
static lfm_status append_tensor(lfm_archive *archive, const lfm_tensor *tensor) {
  LFM_TRY(lfm_alloc_grow(&archive->tensors, &archive->capacity, archive->count + 1, sizeof *archive->tensors));
  lfm_tensor *added = &archive->tensors[archive->count];
  *added = *tensor;
  LFM_TRY(copy_name(archive, tensor->name, &added->name));
  archive->count++;
  return LFM_OK;
}

static lfm_status append_meta(lfm_archive *archive, const char *key, const char *value) {
  LFM_TRY(lfm_alloc_grow(&archive->metas, &archive->meta_capacity, archive->meta_count + 1, sizeof *archive->metas));
  meta added = {0};
  lfm_status status = copy_name(archive, key, &added.key);
  if (status == LFM_OK) status = lfm_alloc_text(&added.value, value);
  if (status != LFM_OK) return lfm_free(added.key), status;
  archive->metas[archive->meta_count++] = added;
  return LFM_OK;
}

/* ---- the checksum ------------------------------------------------------------------------------------------- */

static uLong add_text(uLong crc, const char *text) { return crc32_z(crc, (const Bytef *)text, strlen(text) + 1); }

static int compare_keys(const void *a, const void *b) { return strcmp(((const meta *)a)->key, ((const meta *)b)->key); }
static int by_key(const void *a, const void *b) { return compare_keys(*(const void *const *)a, *(const void *const *)b); }

static int by_name(const void *a, const void *b) {
  const lfm_tensor *x = *(const void *const *)a, *y = *(const void *const *)b;
  return strcmp(x->name, y->name);
}

static uLong add_metas(uLong crc, const void **order, const lfm_archive *archive) {
  for (size_t i = 0; i < archive->meta_count; i++) order[i] = &archive->metas[i];
  qsort(order, archive->meta_count, sizeof *order, by_key);
  for (size_t i = 0; i < archive->meta_count; i++) {
    const meta *added = order[i];
    if (strcmp(added->key, CHECKSUM_KEY) != 0) crc = add_text(add_text(crc, added->key), added->value);
  }
  return crc;
}

static uLong add_tensors(uLong crc, const void **order, const lfm_archive *archive) {
  for (size_t i = 0; i < archive->count; i++) order[i] = &archive->tensors[i];
  qsort(order, archive->count, sizeof *order, by_name);
  for (size_t i = 0; i < archive->count; i++) {
    const lfm_tensor *tensor = order[i];
    char type[LFM_TENSOR_TEXT];
    size_t size = bytes_of(tensor);
    crc = add_text(add_text(crc, tensor->name), lfm_tensor_describe(tensor->dtype, tensor->dims, tensor->shape, type));
    if (size) crc = crc32_z(crc, tensor->data, size); /* NULL would start the sum anew: zlib's rule */
  }
  return crc;
}

/* Metadata but the checksum's own, then each tensor's name, type, shape and data; both by their names, as every writer has
 * an order of its own. */
static lfm_status checksum(const lfm_archive *archive, char out[CHECKSUM]) {
  const void **order; /* of the metadata, then of the tensors */
  LFM_TRY(LFM_ALLOC(&order, archive->count > archive->meta_count ? archive->count : archive->meta_count));
  uLong crc = add_tensors(add_metas(crc32_z(0, NULL, 0), order, archive), order, archive);
  snprintf(out, CHECKSUM, "%08" PRIx32, (uint32_t)crc);
  lfm_free(order);
  return LFM_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* JSON holds UTF-8 only; better refused when it is handed over than when an hour's work is to be saved. */
static lfm_status check_text(const char *what, const char *text) {
  json_t *string = json_string(text);
  json_decref(string);
  return string ? LFM_OK : lfm_fail(LFM_E_DATA, "%s '%.40s' is not UTF-8 text", what, text);
}

lfm_status lfm_archive_add(lfm_archive *archive, const char *name, lfm_dtype dtype, int dims, const int64_t *shape,
                           const void *data) {
  lfm_tensor tensor = {.name = (char *)(uintptr_t)name, .dtype = dtype, .dims = dims, .data = data};
  if (dims < 0 || dims > LFM_MAX_DIMS)
    return lfm_fail(LFM_E_USAGE, "tensor '%s' has %d dimensions; at most %d", name, dims, LFM_MAX_DIMS);
  if (dims) memcpy(tensor.shape, shape, (size_t)dims * sizeof *shape);
  if (!shape_fits(&tensor)) return lfm_fail(LFM_E_USAGE, "tensor '%s' has a shape that no memory holds", name);
  bool taken = lfm_archive_find(archive, name) || strcmp(name, META_KEY) == 0;
  if (taken) return lfm_fail(LFM_E_USAGE, "tensor '%s' is added twice, or reserved", name);
  LFM_TRY(check_text("tensor name", name));
  return append_tensor(archive, &tensor);
}

lfm_status lfm_archive_meta(lfm_archive *archive, const char *key, const char *value) {
  bool taken = lfm_archive_meta_find(archive, key) || strcmp(key, CHECKSUM_KEY) == 0;
  if (taken) return lfm_fail(LFM_E_USAGE, "metadata key '%s' is given twice, or reserved", key);
  LFM_TRY(check_text("metadata key", key));
  LFM_TRY(check_text("metadata value", value));
  return append_meta(archive, key, value);
}

/* One tensor's entry; its data begins at `begin`. */
static json_t *entry_of(const lfm_tensor *tensor, size_t begin) {
  json_t *shape = json_array();
  size_t end = begin + bytes_of(tensor);
  int failed = 0;
  for (int i = 0; i < tensor->dims; i++) failed |= json_array_append_new(shape, json_integer(tensor->shape[i]));
  if (failed) return json_decref(shape), NULL;
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[tensor->dtype].name, "shape", shape, "data_offsets",
                   (json_int_t)begin, (json_int_t)end);
}

/* The header as JSON text, to be freed with free(); NULL when memory was refused. */
static char *header_text(const lfm_archive *archive, const char *crc) {
  json_t *root = json_object(), *metas = json_object();
  int failed = json_object_set_new(metas, CHECKSUM_KEY, json_string(crc));
  for (size_t i = 0; i < archive->meta_count; i++)
    failed |= json_object_set_new(metas, archive->metas[i].key, json_string(archive->metas[i].value));
  failed |= json_object_set_new(root, META_KEY, metas);
  size_t begin = 0;
  for (size_t i = 0; i < archive->count; i++) {
    failed |= json_object_set_new(root, archive->tensors[i].name, entry_of(&archive->tensors[i], begin));
    begin += bytes_of(&archive->tensors[i]);
  }
  char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
  json_decref(root);
  return text;
}

static lfm_status put_all(const lfm_archive *archive, lfm_writer *writer, const char *header, size_t length) {
  static const char spaces[ALIGNMENT + 1] = "                                                                ";
  size_t padding = (ALIGNMENT - (sizeof(uint64_t) + length) % ALIGNMENT) % ALIGNMENT;
  uint64_t stated = length + padding;
  LFM_TRY(lfm_writer_put(writer, &stated, sizeof stated));
  LFM_TRY(lfm_writer_put(writer, header, length));
  LFM_TRY(lfm_writer_put(writer, spaces, padding));
  for (size_t i = 0; i < archive->count; i++)
    LFM_TRY(lfm_writer_put(writer, archive->tensors[i].data, bytes_of(&archive->tensors[i])));
  return LFM_OK;
}

lfm_status lfm_archive_write(const lfm_archive *archive, const char *path) {
  char crc[CHECKSUM];
  LFM_TRY(checksum(archive, crc));
  char *header = header_text(archive, crc);
  if (!header) return lfm_fail(LFM_E_MEMORY, "%s: memory refused for the header", path);
  size_t length = strlen(header);
  lfm_writer *writer = NULL;
  lfm_status status = LFM_OK;
  if (length > LARGEST_HEADER - ALIGNMENT)
    status = lfm_fail(LFM_E_USAGE, "%s: a header of %zu bytes is more than the format allows", path, length);
  if (status == LFM_OK) status = lfm_writer_open(path, &writer);
  if (status == LFM_OK) status = put_all(archive, writer, header, length);
  if (status == LFM_OK) status = lfm_writer_commit(writer);
  else lfm_writer_abort(writer);
  free(header);
  return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* A span of the data that a tensor claims, for the tiling check. */
typedef struct span {
  size_t begin, end;
  size_t index; /* of the tensor */
} span;

/* The 8 bytes of length and the header's text. */
static lfm_status find_header(lfm_bytes *bytes, const char *path, const uint8_t **header, size_t *length) {
  uint64_t stated;
  if (!lfm_bytes_u64le(bytes, &stated))
    return lfm_fail(LFM_E_FORMAT, "%s: truncated: %zu bytes are too few for any safetensors file", path, bytes->size);
  if (stated > LARGEST_HEADER)
    return lfm_fail(LFM_E_FORMAT, "%s: is not a safetensors file (it would have a header of %" PRIu64 " bytes)", path,
                    stated);
  *length = (size_t)stated;
  if (!lfm_bytes_take(bytes, *length, header))
    return lfm_fail(LFM_E_FORMAT, "%s: truncated: the header ends at byte %zu, the file at %zu", path, *length + 8,
                    bytes->size);
  if (*length == 0 || **header != '{') return lfm_fail(LFM_E_FORMAT, "%s: is not a safetensors file (no header)", path);
  return LFM_OK;
}

static lfm_status parse_header(const uint8_t *header, size_t length, const char *path, json_t **root) {
  json_error_t error;
  *root = json_loadb((const char *)header, length, JSON_REJECT_DUPLICATES, &error);
  if (*root) return LFM_OK;
  if (json_error_code(&error) == json_error_out_of_memory) return lfm_fail(LFM_E_MEMORY, "%s: memory refused", path);
  return lfm_fail(LFM_E_FORMAT, "%s: altered: the header is not what was written (%s)", path, error.text);
}

static lfm_status read_metas(lfm_archive *archive, const json_t *object) {
  if (!json_is_object(object)) return lfm_fail(LFM_E_FORMAT, "%s: the metadata is not an object", archive->path);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    if (!json_is_string(value)) return lfm_fail(LFM_E_FORMAT, "%s: metadata '%s' is not text", archive->path, key);
    LFM_TRY(append_meta(archive, key, json_string_value(value)));
  }
  if (archive->meta_count) qsort(archive->metas, archive->meta_count, sizeof *archive->metas, compare_keys);
  archive->sorted = true;
  return LFM_OK;
}

/* dtype and shape of one entry. */
static lfm_status read_type(const lfm_archive *archive, const json_t *entry, lfm_tensor *tensor) {
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  const json_t *shape = json_object_get(entry, "shape");
  if (!dtype || !json_is_array(shape) || json_object_size(entry) != 3)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' lacks dtype, shape or data_offsets", archive->path, tensor->name);
  int found = 0;
  while (found < DTYPES && strcmp(dtypes[found].name, dtype) != 0) found++;
  if (found == DTYPES)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' has type '%.20s', which is not read; save weights as F32 (float32)",
                    archive->path, tensor->name, dtype);
  if (json_array_size(shape) > LFM_MAX_DIMS)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' has more than %d dimensions", archive->path, tensor->name, LFM_MAX_DIMS);
  tensor->dtype = (lfm_dtype)found;
  tensor->dims = (int)json_array_size(shape);
  for (int i = 0; i < tensor->dims; i++) {
    const json_t *side = json_array_get(shape, (size_t)i);
    tensor->shape[i] = json_is_integer(side) ? json_integer_value(side) : -1;
  }
  if (!shape_fits(tensor))
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' has an impossible shape", archive->path, tensor->name);
  return LFM_OK;
}

/* The bytes that one entry claims: as many as its type and shape need. */
static lfm_status read_span(const lfm_archive *archive, const json_t *entry, const lfm_tensor *tensor, span *out) {
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' lacks its two data_offsets", archive->path, tensor->name);
  json_int_t begin = json_integer_value(first), end = json_integer_value(last);
  if (begin < 0 || end < begin || (uint64_t)(end - begin) != bytes_of(tensor))
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' claims bytes %lld to %lld, but its shape needs %zu", archive->path,
                    tensor->name, (long long)begin, (long long)end, bytes_of(tensor));
  *out = (span){.begin = (size_t)begin, .end = (size_t)end, .index = archive->count};
  return LFM_OK;
}

/* Every entry of the header: metadata into metas, tensors into tensors and spans. */
static lfm_status read_entries(lfm_archive *archive, const json_t *root, span *spans) {
  const char *name;
  json_t *entry;
  json_object_foreach((json_t *)(uintptr_t)root, name, entry) {
    if (strcmp(name, META_KEY) == 0) {
      LFM_TRY(read_metas(archive, entry));
      continue;
    }
    lfm_tensor tensor = {.name = (char *)(uintptr_t)name};
    LFM_TRY(read_type(archive, entry, &tensor));
    LFM_TRY(read_span(archive, entry, &tensor, &spans[archive->count]));
    LFM_TRY(append_tensor(archive, &tensor));
  }
  return LFM_OK;
}

static int by_place(const void *a, const void *b) {
  const span *left = a, *right = b;
  if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
  return (left->end > right->end) - (left->end < right->end);
}

/* In the order of their bytes, each tensor must begin where the one before ends, and the last one where the file ends. */
static lfm_status check_tiling(const lfm_archive *archive, span *spans, size_t data_size) {
  qsort(spans, archive->count, sizeof *spans, by_place);
  size_t end = 0;
  for (size_t i = 0; i < archive->count; i++) {
    const char *name = archive->tensors[spans[i].index].name;
    if (spans[i].begin != end)
      return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' begins at data byte %zu, where %zu was due: %s", archive->path, name,
                      spans[i].begin, end, spans[i].begin > end ? "a gap" : "an overlap");
    end = spans[i].end;
  }
  if (end > data_size)
    return lfm_fail(LFM_E_FORMAT, "%s: truncated: the tensors need %zu bytes of data, %zu are there", archive->path, end,
                    data_size);
  if (end < data_size)
    return lfm_fail(LFM_E_FORMAT, "%s: altered: %zu bytes follow the last tensor", archive->path, data_size - end);
  return LFM_OK;
}

/* Points each tensor at its bytes, or at a copy where they lie so that its numbers cannot be read in place: old writers
 * did not pad the header, and a tensor of bytes shifts the ones behind it. */
static lfm_status place_data(lfm_archive *archive, const span *spans, const uint8_t *data) {
  LFM_TRY(LFM_ALLOC(&archive->copies, archive->count));
  for (size_t i = 0; i < archive->count; i++) {
    size_t index = spans[i].index, size = spans[i].end - spans[i].begin;
    lfm_tensor *tensor = &archive->tensors[index];
    const uint8_t *bytes = data + spans[i].begin;
    tensor->data = bytes;
    if ((uintptr_t)bytes % lfm_dtype_size(tensor->dtype) == 0) continue;
    LFM_TRY(LFM_ALLOC((uint8_t **)&archive->copies[index], size));
    memcpy(archive->copies[index], bytes, size);
    tensor->data = archive->copies[index];
  }
  return LFM_OK;
}

/* Where a checksum is stated, it must be that of the contents. */
static lfm_status check_sum(const lfm_archive *archive) {
  const char *stated = lfm_archive_meta_find(archive, CHECKSUM_KEY);
  if (!stated) return LFM_OK; /* another program's file */
  char found[CHECKSUM];
  LFM_TRY(checksum(archive, found));
  if (strcmp(stated, found) == 0) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: altered: its contents have checksum %s, written was %.20s", archive->path, found,
                  stated);
}

/* data [size], which stays where it is, into an archive that has its path. */
static lfm_status read_all(lfm_archive *archive, const uint8_t *data, size_t size) {
  lfm_bytes bytes = {.data = data, .size = size};
  const uint8_t *header = NULL;
  size_t length = 0;
  json_t *root = NULL;
  span *spans = NULL;
  LFM_TRY(find_header(&bytes, archive->path, &header, &length));
  LFM_TRY(parse_header(header, length, archive->path, &root));
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&spans, json_object_size(root)), done);
  LFM_TRY_GOTO(read_entries(archive, root, spans), done);
  LFM_TRY_GOTO(check_tiling(archive, spans, size - bytes.at), done);
  LFM_TRY_GOTO(place_data(archive, spans, data + bytes.at), done);
  status = check_sum(archive);
done:
  lfm_free(spans);
  json_decref(root);
  return status;
}

lfm_status lfm_archive_open_memory(const uint8_t *data, size_t size, const char *path, lfm_archive **out) {
  *out = NULL;
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = lfm_alloc_text(&archive->path, path);
  if (status == LFM_OK) status = read_all(archive, data, size);
  if (status != LFM_OK) return lfm_archive_destroy(archive), status;
  *out = archive;
  return LFM_OK;
}

lfm_status lfm_archive_open(const char *path, lfm_archive **out) {
  *out = NULL;
  lfm_map map;
  LFM_TRY(lfm_map_open(path, &map));
  lfm_status status = lfm_archive_open_memory(map.data, map.size, path, out);
  if (status == LFM_OK) (*out)->map = map;
  else lfm_map_close(&map);
  return status;
}
