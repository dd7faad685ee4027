/* SPDX-License-Identifier: MIT
 *
 * jpeg_file.h -- JPEG in, from memory.
 */
#ifndef LFM_DATA_JPEG_FILE_H
#define LFM_DATA_JPEG_FILE_H

#include "data/decode.h"

bool lfm_jpeg_is(const uint8_t *data, size_t size); /* begins as one */

/* As lfm_decode_look and lfm_decode. */
lfm_status lfm_jpeg_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out);
lfm_status lfm_jpeg_decode(const char *name, const uint8_t *data, size_t size, lfm_decoded *out);

#endif
