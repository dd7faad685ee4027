/* SPDX-License-Identifier: MIT
 *
 * npz.c -- NumPy's archive: a zip file whose members NAME.npy are arrays (APPNOTE.TXT of PKWARE gives the records).
 * Read: the central directory at the end is the truth about sizes, as writers that stream leave zeros in the local
 * headers; stored and deflated members, zip64 fields where a size does not fit 32 bits, and the CRC is checked.
 * Written: one stored member, always in zip64 form (as NumPy does), so that there is one path for every size; the date is
 * fixed, so that the same table gives the same bytes.  Deflate was refused for writing: float64 noise shrinks by a twentieth
 * and costs ten times the time; .csv.gz is there for who wants small files.
 */
#include "core/alloc.h"
#include "core/bytes.h"
#include "core/utf8.h"
#include "data/gzip.h"
#include "data/npy.h"
#include "data/text.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
  LOCAL_HEADER = 30, /* sizes of the fixed parts */
  CENTRAL_HEADER = 46,
  END_RECORD = 22,
  ZIP64_END_RECORD = 56,
  ZIP64_LOCATOR = 20,
  ZIP64_EXTRA = 20,      /* tag, length, two sizes */
  DOS_DATE = 1 << 5 | 1, /* 1 January 1980, the first day there is */
  UTF8_NAME = 1 << 11,   /* among the flags; without it a name is in IBM's code page 437 */
  MOST_KEY = 1019,       /* bytes of a key that is written */
};

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* One entry of the central directory. */
typedef struct member {
  const char *name; /* [name_size] not ended */
  size_t name_size;
  uint16_t flags, method;
  uint32_t crc;
  uint64_t packed, size, offset;
} member;

typedef struct archive {
  const lfm_source *source;
  lfm_bytes directory; /* the central directory, read from the front */
} archive;

static lfm_status damaged(const lfm_source *source, const char *what) {
  return lfm_fail(LFM_E_FORMAT, "%s: not a readable npz archive: %s", source->name, what);
}

static uint64_t le(const uint8_t *at, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; i--) value = value << 8 | at[i];
  return value;
}

/* The end record is the last 22 bytes, or stands before a comment of up to 64 KiB. */
static const uint8_t *find_end_record(const lfm_source *source) {
  size_t size = source->size;
  for (size_t comment = 0; comment <= 65535 && comment + END_RECORD <= size; comment++) {
    const uint8_t *at = source->data + size - END_RECORD - comment;
    if (memcmp(at, "PK\5\6", 4) == 0 && le(at + 20, 2) == comment) return at;
  }
  return NULL;
}

static lfm_status find_directory(archive *zip) {
  const lfm_source *source = zip->source;
  const uint8_t *end = find_end_record(source);
  if (!end) return damaged(source, "it has no end; the file is truncated");
  size_t before = (size_t)(end - source->data);
  uint64_t size = le(end + 12, 4), offset = le(end + 16, 4);
  if (before >= ZIP64_LOCATOR && memcmp(end - ZIP64_LOCATOR, "PK\6\7", 4) == 0) {
    uint64_t at = le(end - ZIP64_LOCATOR + 8, 8);
    if (at > before || before - at < ZIP64_END_RECORD || memcmp(source->data + at, "PK\6\6", 4) != 0)
      return damaged(source, "its zip64 end record is missing");
    size = le(source->data + at + 40, 8);
    offset = le(source->data + at + 48, 8);
  }
  if (offset > before || size > before - offset) return damaged(source, "its directory lies outside the file");
  zip->directory = (lfm_bytes){.data = source->data + offset, .size = (size_t)size};
  return LFM_OK;
}

/* The zip64 field replaces, in this order, those of size, packed size and offset that are all ones. */
static bool apply_zip64(const uint8_t *extra, size_t size, member *m) {
  lfm_bytes fields = {.data = extra, .size = size};
  uint16_t tag, length;
  while (lfm_bytes_u16le(&fields, &tag) && lfm_bytes_u16le(&fields, &length)) {
    const uint8_t *body;
    if (!lfm_bytes_take(&fields, length, &body)) return false;
    if (tag != 1) continue;
    lfm_bytes values = {.data = body, .size = length};
    uint64_t *const wide[] = {&m->size, &m->packed, &m->offset};
    for (int i = 0; i < 3; i++)
      if (*wide[i] == UINT32_MAX && !lfm_bytes_u64le(&values, wide[i])) return false;
  }
  return true;
}

/* The next entry; *more is false at the end. */
static lfm_status next_member(archive *zip, member *m, bool *more) {
  const uint8_t *h, *name, *extra, *comment;
  *more = zip->directory.at < zip->directory.size;
  if (!*more) return LFM_OK;
  if (!lfm_bytes_take(&zip->directory, CENTRAL_HEADER, &h) || memcmp(h, "PK\1\2", 4) != 0 ||
      !lfm_bytes_take(&zip->directory, (size_t)le(h + 28, 2), &name) ||
      !lfm_bytes_take(&zip->directory, (size_t)le(h + 30, 2), &extra) ||
      !lfm_bytes_take(&zip->directory, (size_t)le(h + 32, 2), &comment))
    return damaged(zip->source, "its directory is damaged");
  *m = (member){.name = (const char *)name,
                .name_size = (size_t)le(h + 28, 2),
                .flags = (uint16_t)le(h + 8, 2),
                .method = (uint16_t)le(h + 10, 2),
                .crc = (uint32_t)le(h + 16, 4),
                .packed = le(h + 20, 4),
                .size = le(h + 24, 4),
                .offset = le(h + 42, 4)};
  return apply_zip64(extra, (size_t)le(h + 30, 2), m) ? LFM_OK : damaged(zip->source, "its directory is damaged");
}

static bool is_array(const member *m) { return m->name_size > 4 && memcmp(m->name + m->name_size - 4, ".npy", 4) == 0; }

/* The key of a member: its name without .npy. */
static size_t key_size(const member *m) { return is_array(m) ? m->name_size - 4 : m->name_size; }

static bool has_key(const member *m, const char *key) {
  size_t size = strlen(key);
  return (key_size(m) == size && memcmp(m->name, key, size) == 0) ||
         (m->name_size == size && memcmp(m->name, key, size) == 0);
}

/* "a, b, c" of all arrays, for messages. */
static lfm_status list_keys(archive *zip, char *list, size_t room) {
  size_t used = 0;
  member m;
  bool more;
  list[0] = 0;
  zip->directory.at = 0;
  for (;;) {
    char quoted[LFM_QUOTE_MAX];
    LFM_TRY(next_member(zip, &m, &more));
    if (!more || used + LFM_QUOTE_MAX + 8 > room) break;
    if (!is_array(&m)) continue;
    used += (size_t)snprintf(list + used, room - used, "%s%s", used ? ", " : "", lfm_quote(m.name, key_size(&m), quoted));
  }
  if (more) snprintf(list + used, room - used, ", ...");
  return LFM_OK;
}

lfm_status lfm_npz_names(const lfm_source *source, lfm_listing *out) {
  archive zip = {.source = source};
  LFM_TRY(find_directory(&zip));
  for (;;) {
    char name[MOST_KEY + sizeof ".npy"];
    member m;
    bool more;
    LFM_TRY(next_member(&zip, &m, &more));
    if (!more) return LFM_OK;
    snprintf(name, sizeof name, "%.*s", (int)key_size(&m), m.name);
    LFM_TRY(lfm_listing_add(out, name));
  }
}

/* The member that the key names; without a key, the only array there is. */
static lfm_status find_member(archive *zip, member *found) {
  const char *key = zip->source->key;
  int64_t members = 0, matches = 0;
  char list[400], quoted[LFM_QUOTE_MAX];
  for (;;) {
    member m;
    bool more;
    LFM_TRY(next_member(zip, &m, &more));
    if (!more) break;
    members++;
    if (key ? !has_key(&m, key) : !is_array(&m)) continue;
    matches++;
    *found = m;
  }
  if (members == 0) return lfm_fail(LFM_E_DATA, "%s: the archive is empty", zip->source->name);
  if (matches == 1) return LFM_OK;
  LFM_TRY(list_keys(zip, list, sizeof list));
  if (key && matches == 0)
    return lfm_fail(LFM_E_USAGE, "%s: has no array %s; there are %s", zip->source->name, lfm_quote(key, strlen(key), quoted),
                    list);
  if (key) return damaged(zip->source, "two arrays have the same name");
  if (matches == 0) return lfm_fail(LFM_E_DATA, "%s: none of what it holds is an array (.npy)", zip->source->name);
  return lfm_fail(LFM_E_USAGE, "%s: holds several arrays; name one as %s::KEY, KEY being one of %s", zip->source->name,
                  zip->source->name, list);
}

/* Where the packed bytes of a member are: behind its local header, whose name and extra field have their own lengths. */
static lfm_status locate(const archive *zip, const member *m, const uint8_t **packed) {
  const lfm_source *source = zip->source;
  if (m->offset > source->size || source->size - m->offset < LOCAL_HEADER)
    return damaged(source, "an array lies outside the file");
  const uint8_t *h = source->data + m->offset;
  uint64_t skip = LOCAL_HEADER + le(h + 26, 2) + le(h + 28, 2), left = source->size - m->offset;
  if (memcmp(h, "PK\3\4", 4) != 0) return damaged(source, "an array's header is damaged");
  if (skip > left || m->packed > left - skip) return damaged(source, "an array lies outside the file");
  *packed = h + skip;
  return LFM_OK;
}

static lfm_status check_crc(const archive *zip, const member *m, const uint8_t *bytes) {
  uLong crc = crc32_z(0, bytes, (size_t)m->size);
  return crc == m->crc ? LFM_OK : damaged(zip->source, "the array's checksum is wrong; the file was altered");
}

static lfm_status parse_packed(const archive *zip, const member *m, const uint8_t *packed, lfm_source *array,
                               lfm_table **out) {
  uint8_t *bytes;
  if (m->size / LFM_DEFLATE_RATIO > m->packed) return damaged(zip->source, "an array claims more than its bytes can hold");
  LFM_TRY(LFM_ALLOC_ROWS(&bytes, m->size));
  lfm_status status = lfm_inflate(zip->source->name, packed, (size_t)m->packed, bytes, (size_t)m->size);
  if (status == LFM_OK) status = check_crc(zip, m, bytes);
  array->data = bytes;
  if (status == LFM_OK) status = lfm_npy_parse(array, out);
  lfm_free(bytes);
  return status;
}

lfm_status lfm_npz_parse(const lfm_source *source, lfm_table **out) {
  archive zip = {.source = source};
  member m = {0};
  const uint8_t *packed = NULL;
  *out = NULL;
  LFM_TRY(find_directory(&zip));
  LFM_TRY(find_member(&zip, &m));
  if (m.flags & 1) return lfm_fail(LFM_E_UNSUPPORTED, "%s: the archive is encrypted", source->name);
  if (m.method != 0 && m.method != Z_DEFLATED)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: packing method %u is not read; numpy.savez writes one that is", source->name,
                    m.method);
  LFM_TRY(locate(&zip, &m, &packed));
  lfm_source array = *source;
  array.size = (size_t)m.size;
  if (m.method == Z_DEFLATED) return parse_packed(&zip, &m, packed, &array, out);
  if (m.size != m.packed) return damaged(source, "an array's sizes disagree");
  LFM_TRY(check_crc(&zip, &m, packed));
  array.data = packed;
  return lfm_npy_parse(&array, out);
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Appends a number, least byte first. */
static void add(uint8_t **at, int bytes, uint64_t value) {
  for (int i = 0; i < bytes; i++) *(*at)++ = (uint8_t)(value >> 8 * i);
}

/* What both headers of a member share, from the version on; the sizes stand in the zip64 field. */
static void add_common(uint8_t **at, uint32_t crc, const char *name, size_t extra_size) {
  add(at, 2, 45); /* the version that brought zip64 */
  add(at, 2, lfm_utf8_is_text(name) ? UTF8_NAME : 0);
  add(at, 2, 0); /* stored */
  add(at, 2, 0); /* midnight */
  add(at, 2, DOS_DATE);
  add(at, 4, crc);
  add(at, 4, UINT32_MAX);
  add(at, 4, UINT32_MAX);
  add(at, 2, strlen(name));
  add(at, 2, extra_size);
}

static void add_zip64(uint8_t **at, uint64_t size) {
  add(at, 2, 1);
  add(at, 2, ZIP64_EXTRA - 4);
  add(at, 8, size);
  add(at, 8, size);
}

static lfm_status put_local(lfm_writer *writer, const char *name, uint32_t crc, uint64_t size) {
  uint8_t header[LOCAL_HEADER], extra[ZIP64_EXTRA], *at = header;
  add(&at, 4, 0x04034B50);
  add_common(&at, crc, name, ZIP64_EXTRA);
  LFM_TRY(lfm_writer_put(writer, header, sizeof header));
  LFM_TRY(lfm_writer_put(writer, name, strlen(name)));
  at = extra;
  add_zip64(&at, size);
  return lfm_writer_put(writer, extra, sizeof extra);
}

static lfm_status put_central(lfm_writer *writer, const char *name, uint32_t crc, uint64_t size) {
  uint8_t header[CENTRAL_HEADER], extra[ZIP64_EXTRA], *at = header;
  add(&at, 4, 0x02014B50);
  add(&at, 2, 45);
  add_common(&at, crc, name, ZIP64_EXTRA);
  memset(at, 0, (size_t)(header + sizeof header - at)); /* no comment, disk 0, no attributes, offset 0 */
  LFM_TRY(lfm_writer_put(writer, header, sizeof header));
  LFM_TRY(lfm_writer_put(writer, name, strlen(name)));
  at = extra;
  add_zip64(&at, size);
  return lfm_writer_put(writer, extra, sizeof extra);
}

/* The zip64 end record, its locator, and the old end record that points to them. */
static lfm_status put_end(lfm_writer *writer, uint64_t directory_at, uint64_t directory_size) {
  uint8_t end[ZIP64_END_RECORD + ZIP64_LOCATOR + END_RECORD], *at = end;
  add(&at, 4, 0x06064B50);
  add(&at, 8, ZIP64_END_RECORD - 12);
  add(&at, 2, 45);
  add(&at, 2, 45);
  add(&at, 8, 0); /* disks */
  add(&at, 8, 1); /* members on this disk, and in all */
  add(&at, 8, 1);
  add(&at, 8, directory_size);
  add(&at, 8, directory_at);
  add(&at, 4, 0x07064B50);
  add(&at, 4, 0);
  add(&at, 8, directory_at + directory_size);
  add(&at, 4, 1); /* disks in all */
  add(&at, 4, 0x06054B50);
  add(&at, 4, 0);
  add(&at, 2, 1);
  add(&at, 2, 1);
  add(&at, 4, directory_size); /* a name is bounded by 64 KiB */
  add(&at, 4, UINT32_MAX);
  add(&at, 2, 0);
  return lfm_writer_put(writer, end, sizeof end);
}

static lfm_status put_member(const lfm_table *table, const char *name, lfm_writer *writer) {
  uint8_t header[LFM_NPY_HEADER];
  size_t values = (size_t)table->rows * (size_t)table->cols * sizeof *table->values;
  uint64_t size = sizeof header + (uint64_t)values;
  lfm_npy_header(table, header);
  uLong crc = crc32_z(crc32_z(0, header, sizeof header), (const uint8_t *)table->values, values);
  LFM_TRY(put_local(writer, name, (uint32_t)crc, size));
  LFM_TRY(lfm_writer_put(writer, header, sizeof header));
  LFM_TRY(lfm_writer_put(writer, table->values, values));
  LFM_TRY(put_central(writer, name, (uint32_t)crc, size));
  uint64_t directory_at = LOCAL_HEADER + strlen(name) + ZIP64_EXTRA + size;
  return put_end(writer, directory_at, CENTRAL_HEADER + strlen(name) + ZIP64_EXTRA);
}

lfm_status lfm_npz_check_key(const char *path, const char *key) {
  if (strlen(key) <= MOST_KEY) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "%.160s...: the name of the array is longer than %d bytes", path, MOST_KEY);
}

lfm_status lfm_npz_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  char name[MOST_KEY + sizeof ".npy"];
  snprintf(name, sizeof name, "%s.npy", key);
  return put_member(table, name, writer);
}
