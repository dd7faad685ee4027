/* SPDX-License-Identifier: MIT
 *
 * decode.h -- a PNG or JPEG file as pixels, whichever it is: the first bytes say so, not the name (data sets have JPEGs that
 * are PNGs).
 */
#ifndef LFM_DATA_DECODE_H
#define LFM_DATA_DECODE_H

#include "core/status.h"

typedef struct lfm_decoded {
  int64_t height, width;
  int channels;    /* 1 grey, 3 RGB */
  uint8_t *pixels; /* [height, width, channels]; NULL when only looked at */
} lfm_decoded;

/* What a file may claim before anything is allocated for it. */
enum { LFM_DECODE_MOST_SIDE = 65500, LFM_DECODE_MOST_PIXELS = 100000000 };

/* Size and channels, from the first part of the file. */
lfm_status lfm_decode_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out);

/* All of it.  LFM_E_FORMAT when it is cut short or damaged anywhere, LFM_E_UNSUPPORTED for CMYK and the like. */
lfm_status lfm_decode(const char *name, const uint8_t *data, size_t size, lfm_decoded *out);
void lfm_decoded_free(lfm_decoded *picture);

/* LFM_E_FORMAT for a size that is too large. */
lfm_status lfm_decode_check_size(const char *name, uint64_t width, uint64_t height);

#endif
