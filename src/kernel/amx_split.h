/* SPDX-License-Identifier: MIT
 *
 * amx_split.h -- products of floats by the tiles of AMX: each number is the sum of two halves, which hold 17 of its 24 bits,
 *   x = hi + lo,   A B = hi hi + hi lo + lo hi        [Henry, Tang & Heinecke 2019, arXiv 1904.06376, "bf16x2"]
 * three products of halves, which the tiles make several times as fast as a vector unit one of floats.  For tangents, whose
 * products are all that an exact trace costs.  Internal to this room.  [docs/decisions/traces.md]
 */
#ifndef LFM_KERNEL_AMX_SPLIT_H
#define LFM_KERNEL_AMX_SPLIT_H

#include "kernel/table.h"

/* The layout of such a B [k, n], `split`; false: not on this processor, or not worth it for so small a matrix. */
bool lfm_amx_split_layout(int64_t k, int64_t n, lfm_layout *out);

/* As `pack` of table.h, transposed: B[k, n] = W[n, skip + k], of all rows of W. */
void lfm_amx_split_pack(void *dst, const lfm_layout *layout, const float *w, int64_t ld, int64_t skip);

/* C [m, n] = A [m, k] B of floats; neither bias nor activation. */
size_t lfm_amx_split_scratch(int64_t k);
void lfm_amx_split_run(int64_t m, int64_t n, int64_t k, const float *a, const void *b, float *c, void *scratch);

#endif
