/* SPDX-License-Identifier: MIT
 *
 * gemv.h -- one row times a tiled matrix: what a single evaluation of a network is made of.
 */
#ifndef LFM_KERNEL_GEMV_H
#define LFM_KERNEL_GEMV_H

#include "kernel/table.h"

/* Can this processor do it, for B in that layout? */
bool lfm_gemv_fits(const lfm_layout *b);

/* c [cols] = a [rows] B + bias [cols], which may be NULL.  Every column is summed by fused multiply-adds down the rows of B,
 * anew after every `block` of them; the sums of the blocks are added in their order. */
void lfm_gemv(float *c, const float *a, const float *b, const lfm_layout *layout, int64_t block, const float *bias);

#endif
