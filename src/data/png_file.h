/* SPDX-License-Identifier: MIT
 *
 * png_file.h -- PNG in and out, from and to memory.
 */
#ifndef LFM_DATA_PNG_FILE_H
#define LFM_DATA_PNG_FILE_H

#include "data/decode.h"

bool lfm_png_is(const uint8_t *data, size_t size); /* begins as one */

/* Size and channels (3 when there is any colour); pixels remain NULL. */
lfm_status lfm_png_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out);

/* The picture in so many channels: 1 or 3; 0: as the file has it.  Transparent places are white.  Free with
 * lfm_decoded_free.  LFM_E_FORMAT, beginning with name, when it is damaged or no PNG. */
lfm_status lfm_png_decode(const char *name, const uint8_t *data, size_t size, int channels, lfm_decoded *out);

/* pixels [height, width, channels], 1 or 3 channels, as a file at PATH; equal pixels give equal bytes. */
lfm_status lfm_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width, int channels);

#endif
