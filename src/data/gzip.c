/* SPDX-License-Identifier: MIT
 *
 * gzip.c -- zlib behind three functions, with its memory through core/alloc.h and its codes as one line of text.
 * Whole buffers rather than streams on the reading side: the CSV parser wants the text in one piece to take a second look
 * at a row when it words a message.
 */
#include "data/gzip.h"

#include "core/alloc.h"

#include <string.h>
#define ZLIB_CONST /* zlib does not write to its input */
#include <zlib.h>

static void *zlib_alloc(void *context, unsigned count, unsigned size) {
  (void)context;
  void *memory;
  return lfm_alloc_array(&memory, count, size) == LFM_OK ? memory : Z_NULL;
}

static void zlib_free(void *context, void *memory) {
  (void)context;
  lfm_free(memory);
}

/* zlib counts in 32 bits; larger buffers go piece by piece. */
static uInt piece(size_t size) { return (uInt)(size < (1u << 30) ? size : (1u << 30)); }

static lfm_status refuse(const char *name, int code) {
  if (code == Z_MEM_ERROR) return lfm_fail(LFM_E_MEMORY, "%s: memory was refused while unpacking", name);
  if (code == Z_OK || code == Z_BUF_ERROR)
    return lfm_fail(LFM_E_FORMAT, "%s: compressed data end early; the file is truncated", name);
  return lfm_fail(LFM_E_FORMAT, "%s: compressed data are damaged", name);
}

/* Runs the stream until it ends, fails, or has neither input nor room. */
static int run_inflate(z_stream *stream, const uint8_t **data, size_t *size, uint8_t **out, size_t *room) {
  int code;
  do {
    uInt in = piece(*size), to = piece(*room);
    stream->next_in = *data;
    stream->avail_in = in;
    stream->next_out = *out;
    stream->avail_out = to;
    code = inflate(stream, Z_NO_FLUSH);
    *data += in - stream->avail_in;
    *size -= in - stream->avail_in;
    *out += to - stream->avail_out;
    *room -= to - stream->avail_out;
  } while (code == Z_OK && *room > 0);
  return code;
}

/* Whether nothing but zeros is left: what tapes and block devices fill their last block with, and gzip overlooks. */
static bool is_padding(const uint8_t *data, size_t size) {
  while (size > 0 && *data == 0) data++, size--;
  return size == 0;
}

/* Unpacks member after member into *text, which grows as needed. */
static lfm_status gunzip_all(const char *name, z_stream *stream, const uint8_t *data, size_t size, uint8_t **text,
                             size_t *capacity, size_t *used) {
  for (;;) {
    LFM_TRY(lfm_alloc_grow_rows(text, capacity, *used + 65536, 1));
    uint8_t *to = *text + *used;
    size_t room = *capacity - *used;
    int code = run_inflate(stream, &data, &size, &to, &room);
    *used = (size_t)(to - *text);
    if (code == Z_STREAM_END && is_padding(data, size)) return LFM_OK;
    if (code == Z_STREAM_END) inflateReset(stream);
    else if (code != Z_OK) /* Z_OK: all the room is used, and there is more */ return refuse(name, code);
  }
}

lfm_status lfm_gunzip(const char *name, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  size_t capacity = 0;
  *out = NULL;
  *out_size = 0;
  if (!lfm_is_gzip(data, size)) return lfm_fail(LFM_E_FORMAT, "%s: is not a gzip file", name);
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return refuse(name, Z_MEM_ERROR);
  lfm_status status = gunzip_all(name, &stream, data, size, out, &capacity, out_size);
  inflateEnd(&stream);
  if (status != LFM_OK) {
    lfm_free(*out);
    *out = NULL;
  }
  return status;
}

lfm_status lfm_gunzip_start(const uint8_t *data, size_t size, uint8_t *out, size_t count, bool *found) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  *found = false;
  if (!lfm_is_gzip(data, size)) return LFM_OK;
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return lfm_fail(LFM_E_MEMORY, "memory was refused while unpacking");
  int code = run_inflate(&stream, &data, &size, &out, &count);
  inflateEnd(&stream);
  *found = count == 0;
  return code == Z_MEM_ERROR ? lfm_fail(LFM_E_MEMORY, "memory was refused while unpacking") : LFM_OK;
}

lfm_status lfm_inflate(const char *name, const uint8_t *data, size_t size, uint8_t *out, size_t out_size) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  uint8_t spare; /* zlib wants room to find the end of an empty block */
  uint8_t *to = out_size ? out : &spare;
  if (inflateInit2(&stream, -15) != Z_OK) return refuse(name, Z_MEM_ERROR);
  int code = run_inflate(&stream, &data, &size, &to, &out_size);
  if (code == Z_OK && out_size == 0) { /* all is out; only the end mark may follow */
    size_t none = 1;
    to = &spare;
    code = run_inflate(&stream, &data, &size, &to, &none);
    if (none == 0) code = Z_DATA_ERROR;
  }
  inflateEnd(&stream);
  return code == Z_STREAM_END && out_size == 0 ? LFM_OK : refuse(name, code == Z_STREAM_END ? Z_DATA_ERROR : code);
}

struct lfm_gzip {
  z_stream stream;
  lfm_writer *writer;
  uint8_t out[65536];
};

lfm_status lfm_gzip_create(lfm_writer *writer, lfm_gzip **out) {
  lfm_gzip *gzip;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&gzip, 1));
  gzip->writer = writer;
  gzip->stream.zalloc = zlib_alloc;
  gzip->stream.zfree = zlib_free;
  if (deflateInit2(&gzip->stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    lfm_free(gzip);
    return lfm_fail(LFM_E_MEMORY, "memory was refused for a gzip stream");
  }
  *out = gzip;
  return LFM_OK;
}

/* Feeds what next_in holds and hands on what comes out; flush is Z_NO_FLUSH or, at the end, Z_FINISH. */
static lfm_status run_deflate(lfm_gzip *gzip, int flush) {
  z_stream *stream = &gzip->stream;
  do {
    stream->next_out = gzip->out;
    stream->avail_out = sizeof gzip->out;
    deflate(stream, flush);
    LFM_TRY(lfm_writer_put(gzip->writer, gzip->out, sizeof gzip->out - stream->avail_out));
  } while (stream->avail_out == 0);
  return LFM_OK;
}

lfm_status lfm_gzip_put(lfm_gzip *gzip, const void *data, size_t size) {
  const uint8_t *at = data;
  while (size > 0) {
    uInt in = piece(size);
    gzip->stream.next_in = at;
    gzip->stream.avail_in = in;
    LFM_TRY(run_deflate(gzip, Z_NO_FLUSH));
    at += in;
    size -= in;
  }
  return LFM_OK;
}

lfm_status lfm_gzip_finish(lfm_gzip *gzip) {
  gzip->stream.next_in = NULL;
  gzip->stream.avail_in = 0;
  return run_deflate(gzip, Z_FINISH);
}

void lfm_gzip_destroy(lfm_gzip *gzip) {
  if (!gzip) return;
  deflateEnd(&gzip->stream);
  lfm_free(gzip);
}
