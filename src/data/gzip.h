/* SPDX-License-Identifier: MIT
 *
 * gzip.h -- what we use of zlib: whole gzip files in, raw deflate blocks of a zip archive in, a gzip stream out.
 */
#ifndef LFM_DATA_GZIP_H
#define LFM_DATA_GZIP_H

#include "core/file.h"

static inline bool lfm_is_gzip(const uint8_t *data, size_t size) { return size >= 2 && data[0] == 0x1F && data[1] == 0x8B; }

/* All members of a gzip file as one text; free with lfm_free.  Zeros behind the last one are padding.  LFM_E_FORMAT when
 * truncated or altered. */
lfm_status lfm_gunzip(const char *name, const uint8_t *data, size_t size, uint8_t **out, size_t *out_size);

/* out [count] = the first bytes of what a gzip file holds; *found is false when it is none, damaged before, or holds fewer.
 */
lfm_status lfm_gunzip_start(const uint8_t *data, size_t size, uint8_t *out, size_t count, bool *found);

/* A raw deflate block that must give exactly out_size bytes. */
lfm_status lfm_inflate(const char *name, const uint8_t *data, size_t size, uint8_t *out, size_t out_size);

/* A gzip stream before a writer.  No time stamp: the same text gives the same bytes. */
typedef struct lfm_gzip lfm_gzip;
lfm_status lfm_gzip_create(lfm_writer *writer, lfm_gzip **out);
lfm_status lfm_gzip_put(lfm_gzip *gzip, const void *data, size_t size);
lfm_status lfm_gzip_finish(lfm_gzip *gzip);
void lfm_gzip_destroy(lfm_gzip *gzip); /* accepts NULL */

/* No deflate stream grows by more than this factor: bounds what a small file may claim. */
enum { LFM_DEFLATE_RATIO = 1032 };

#endif
