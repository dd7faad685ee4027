/* SPDX-License-Identifier: MIT
 *
 * filter.h -- weights between the order of torch, [out, in, taps], and tiles of channels (image.h).  Internal to this room.
 */
#ifndef LFM_KERNEL_FILTER_H
#define LFM_KERNEL_FILTER_H

#include "kernel/image.h"

/* lfm_image_kernels.pack_filter: rows that begin with a tile or end one. */
void lfm_filter_pack(void *dst, const lfm_filter *f, const void *w, int64_t first, int64_t count);
/* dw [out, in, taps] = or += the filter's gradient, tiles [out / block][in / block][taps][block in][block out]. */
void lfm_filter_unpack(float *dw, const float *tiles, const lfm_filter *f, bool accumulate);

#endif
