/* SPDX-License-Identifier: MIT
 *
 * amx_split.h -- products of floats by the tiles of AMX: each number is the sum of two halves, which hold 17 of its 24 bits,
 *   x = hi + lo,   A B = hi hi + hi lo + lo hi        [Henry, Tang & Heinecke 2019, arXiv 1904.06376, "bf16x2"]
 * three products of halves, which the tiles make several times as fast as a vector unit one of floats.  For tangents, whose
 * products are all that an exact trace costs, and for training.  Internal to this room.  [docs/decisions/split.md]
 */
#ifndef LFM_KERNEL_AMX_SPLIT_H
#define LFM_KERNEL_AMX_SPLIT_H

#include "kernel/amx.h"

/* Are such products worth it, of a B [k, n]?  false: not on this processor, or not of so small a matrix. */
bool lfm_amx_split_pays(int64_t k, int64_t n);

/* The layout of B, `split`, and `pack` of table.h for it.  Of a strip of rows of W, `first` is a multiple of 16. */
lfm_layout lfm_amx_split_layout(int64_t k, int64_t n);
void lfm_amx_split_pack(void *dst, const lfm_layout *layout, bool transposed, const float *w, int64_t ld, int64_t skip,
                        int64_t first, int64_t count);

/* A product of table.h, of floats: its layout is split, or it has none. */
lfm_amx_product lfm_amx_split_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers);
size_t lfm_amx_split_scratch(const lfm_amx_product *product);
void lfm_amx_split_run(const lfm_amx_product *product, const float *a, const void *b, const float *bias, float *c,
                       void *scratch);

#endif
