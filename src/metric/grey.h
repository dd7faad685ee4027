/* SPDX-License-Identifier: MIT
 *
 * grey.h -- a PNG file as ink: dark is dense.
 */
#ifndef LFM_METRIC_GREY_H
#define LFM_METRIC_GREY_H

#include "core/status.h"

/* *ink [height, width] = (brightest grey of the picture - grey) / 255, row 0 at the top; free with lfm_free.  Colours
 * become grey, transparent places white.  LFM_E_FORMAT when it is no PNG, is damaged, or is over 8192 on a side. */
lfm_status lfm_grey_read(const char *path, float **ink, int64_t *width, int64_t *height);

#endif
