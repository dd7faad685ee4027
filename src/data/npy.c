/* SPDX-License-Identifier: MIT
 *
 * npy.c -- NumPy's array format (NEP 1; versions 1, 2 and 3) to a table and back; its header for pictures, too.
 * Read: bool, signed and unsigned integers and floats of 16 to 64 bits, either byte order, C or Fortran order, one or two
 * dimensions (pictures: images_npy.c).  The shape is checked against the size of the file before anything is allocated.
 * Written: float64, so that a round trip is exact; float32 would halve the file and change log-densities in their eighth
 * digit. The header is a Python literal.  We read the three keys that the format defines, in any order, and nothing else of
 * the language.
 */
#include "data/npy.h"

#include "core/alloc.h"
#include "core/bytes.h"

#include <stdio.h>
#include <string.h>

/* ---- the header ----------------------------------------------------------------------------------------------- */

static lfm_status damaged(const lfm_source *source, const char *what) {
  return lfm_fail(LFM_E_FORMAT, "%s: %s", source->name, what);
}

static void skip_space(const char **at) { *at += strspn(*at, " \t\n\r"); }

static bool take(const char **at, const char *token) {
  skip_space(at);
  size_t size = strlen(token);
  if (strncmp(*at, token, size) != 0) return false;
  *at += size;
  return true;
}

/* A quoted string without escapes, as NumPy writes them. */
static bool take_string(const char **at, char *out, size_t room) {
  skip_space(at);
  char quote = **at;
  if (quote != '\'' && quote != '"') return false;
  size_t size = strcspn(*at + 1, quote == '"' ? "\"" : "'");
  if ((*at)[1 + size] != quote || size >= room) return false;
  memcpy(out, *at + 1, size);
  out[size] = 0;
  *at += size + 2;
  return true;
}

static bool take_length(const char **at, int64_t *out) {
  skip_space(at);
  const char *start = *at;
  *out = 0;
  for (; **at >= '0' && **at <= '9'; ++*at) {
    if (*out > (INT64_MAX - 9) / 10) return false;
    *out = *out * 10 + (**at - '0');
  }
  if (*at == start) return false;
  if (**at == 'L') ++*at; /* as Python 2 wrote its long integers */
  return true;
}

/* descr: a structured type is a list and no string. */
static lfm_status take_descr(const lfm_source *source, const char **at, lfm_npy *a) {
  char descr[16];
  if (!take_string(at, descr, sizeof descr))
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: its elements are records; save a plain array of numbers", source->name);
  if (lfm_element_parse(descr, &a->element)) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "%s: elements of type '%.12s' are not read; save it as float64", source->name, descr);
}

/* shape: (n,) or (rows, cols); any number of dimensions is counted, LFM_NPY_DIMS are kept. */
static lfm_status take_shape(const lfm_source *source, const char **at, lfm_npy *a) {
  int64_t length;
  if (!take(at, "(")) return damaged(source, "the array's shape is not readable");
  while (!take(at, ")")) {
    if (!take_length(at, &length)) return damaged(source, "the array's shape is not readable");
    if (a->rank < LFM_NPY_DIMS) a->shape[a->rank] = length;
    a->rank++;
    if (!take(at, ",")) {
      if (!take(at, ")")) return damaged(source, "the array's shape is not readable");
      break;
    }
  }
  return LFM_OK;
}

static lfm_status take_order(const lfm_source *source, const char **at, lfm_npy *a) {
  a->by_column = take(at, "True");
  return a->by_column || take(at, "False") ? LFM_OK : damaged(source, "fortran_order is neither True nor False");
}

/* {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } */
static lfm_status parse_header(const lfm_source *source, const char *text, lfm_npy *a) {
  const char *at = text;
  bool descr = false, order = false, shape = false;
  if (!take(&at, "{")) return damaged(source, "the array's header is not readable");
  while (!take(&at, "}")) {
    char key[16];
    if (!take_string(&at, key, sizeof key) || !take(&at, ":")) return damaged(source, "the array's header is not readable");
    if (strcmp(key, "descr") == 0 && !descr) {
      LFM_TRY(take_descr(source, &at, a));
      descr = true;
    } else if (strcmp(key, "fortran_order") == 0 && !order) {
      LFM_TRY(take_order(source, &at, a));
      order = true;
    } else if (strcmp(key, "shape") == 0 && !shape) {
      LFM_TRY(take_shape(source, &at, a));
      shape = true;
    } else {
      return damaged(source, "the array's header has an unknown key");
    }
    take(&at, ",");
  }
  return descr && order && shape ? LFM_OK : damaged(source, "the array's header lacks a key");
}

/* Magic, version, length of the header, header. */
static lfm_status read_header(const lfm_source *source, lfm_bytes *bytes, lfm_npy *a) {
  const uint8_t *magic, *text;
  uint16_t short_size;
  uint32_t size;
  if (!lfm_bytes_take(bytes, 8, &magic) || memcmp(magic, "\x93NUMPY", 6) != 0) return damaged(source, "is not a NumPy array");
  if (magic[6] < 1 || magic[6] > 3)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: NumPy format version %d is not read", source->name, magic[6]);
  bool complete = magic[6] == 1 ? lfm_bytes_u16le(bytes, &short_size) : lfm_bytes_u32le(bytes, &size);
  if (complete && magic[6] == 1) size = short_size;
  if (!complete || !lfm_bytes_take(bytes, size, &text))
    return damaged(source, "the header ends early; the file is truncated");
  char *copy;
  LFM_TRY(lfm_alloc_array(&copy, (size_t)size + 1, 1));
  memcpy(copy, text, size);
  lfm_status status = parse_header(source, copy, a);
  lfm_free(copy);
  return status;
}

/* The values fill the rest of the file. */
static lfm_status check_size(const lfm_source *source, const lfm_npy *a, size_t left) {
  char text[LFM_NPY_DIMS * 24];
  size_t size = a->element.size, used = 0;
  bool fits = true;
  for (int k = 0; k < LFM_NPY_DIMS; k++) /* (n, 0) is no value, however large n */
    if (a->shape[k] == 0) size = 0;
  for (int k = 0; k < LFM_NPY_DIMS; k++) {
    if (k < a->rank || k < 2)
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", k ? " x " : "", (long long)a->shape[k]);
    fits = fits && lfm_size_multiply(size, (size_t)a->shape[k], &size);
  }
  if (!fits || size > left)
    return lfm_fail(LFM_E_FORMAT, "%s: an array of %s does not fit in the %zu bytes there are; the file is truncated",
                    source->name, text, left);
  return size == left ? LFM_OK : lfm_fail(LFM_E_FORMAT, "%s: %zu bytes follow the array", source->name, left - size);
}

/* `bytes` go on behind the header. */
static lfm_status begin(const lfm_source *source, lfm_bytes *bytes, lfm_npy *out) {
  *bytes = (lfm_bytes){.data = source->data, .size = source->size};
  *out = (lfm_npy){.shape = {1, 1, 1, 1}};
  return read_header(source, bytes, out);
}

lfm_status lfm_npy_look(const lfm_source *source, lfm_npy *out) {
  lfm_bytes bytes;
  return begin(source, &bytes, out);
}

lfm_status lfm_npy_open(const lfm_source *source, int least, int most, const char *ranks, lfm_npy *out) {
  lfm_bytes bytes;
  LFM_TRY(begin(source, &bytes, out));
  if (out->rank < least || out->rank > most)
    return lfm_fail(LFM_E_DATA, "%s: the array has %d dimensions; %s", source->name, out->rank, ranks);
  out->values = bytes.data + bytes.at;
  return check_size(source, out, bytes.size - bytes.at);
}

/* ---- the elements --------------------------------------------------------------------------------------------- */

static void read_elements(const lfm_npy *a, double *values) {
  int64_t rows = a->shape[0], cols = a->shape[1];
  for (int64_t row = 0; row < rows; row++)
    for (int64_t col = 0; col < cols; col++) {
      int64_t place = a->by_column ? col * rows + row : row * cols + col;
      values[row * cols + col] = lfm_element_value(&a->element, a->values + (size_t)place * a->element.size);
    }
}

lfm_status lfm_npy_parse(const lfm_source *source, lfm_table **out) {
  lfm_npy a;
  *out = NULL;
  LFM_TRY(lfm_npy_open(source, 1, 2, "a table has 1 or 2", &a));
  if (a.shape[0] == 0 || a.shape[1] == 0) a.shape[0] = a.shape[1] = 0; /* (n, 0) must not allocate n of anything */
  LFM_TRY(lfm_table_make(a.shape[0], a.shape[1], out));
  for (int64_t col = 0; a.element.kind != 'f' && col < a.shape[1]; col++) (*out)->decimals[col] = 0;
  read_elements(&a, (*out)->values);
  return lfm_select_table(source, out);
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

void lfm_npy_header_of(const char *type, int rank, const int64_t *shape, uint8_t header[LFM_NPY_HEADER]) {
  char text[LFM_NPY_HEADER];
  int size = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
  for (int k = 0; k < rank; k++)
    size += snprintf(text + size, sizeof text - (size_t)size, "%s%lld", k ? ", " : "", (long long)shape[k]);
  size += snprintf(text + size, sizeof text - (size_t)size, "), }"); /* at most 106 of 118 bytes for two dimensions */
  memset(header, ' ', LFM_NPY_HEADER);
  memcpy(header, "\x93NUMPY\x01\x00", 8);
  header[8] = LFM_NPY_HEADER - 10;
  header[9] = 0;
  memcpy(header + 10, text, (size_t)size);
  header[LFM_NPY_HEADER - 1] = '\n';
}

void lfm_npy_header(const lfm_table *table, uint8_t header[LFM_NPY_HEADER]) {
  lfm_npy_header_of(lfm_machine_is_little_endian() ? "<f8" : ">f8", 2, (const int64_t[]){table->rows, table->cols}, header);
}

lfm_status lfm_npy_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  uint8_t header[LFM_NPY_HEADER];
  (void)key;
  lfm_npy_header(table, header);
  LFM_TRY(lfm_writer_put(writer, header, sizeof header));
  return lfm_writer_put(writer, table->values, (size_t)table->rows * (size_t)table->cols * sizeof *table->values);
}
