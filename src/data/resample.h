/* SPDX-License-Identifier: MIT
 *
 * resample.h -- squares of pixels to another size.
 */
#ifndef LFM_DATA_RESAMPLE_H
#define LFM_DATA_RESAMPLE_H

#include "core/status.h"

/* in [planes, side, side] -> out [planes, size, size], both sides at least 1; must not overlap. */
lfm_status lfm_resample_square(const uint8_t *in, int64_t planes, int64_t side, uint8_t *out, int64_t size);

#endif
