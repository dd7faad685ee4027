/* SPDX-License-Identifier: MIT
 *
 * amx.h -- products of bfloat16 by the tile registers of AMX, where a processor has them: 16 x 16 sums of 32 products each an
 * instruction.  Internal to this room.  [docs/decisions/bf16.md]
 */
#ifndef LFM_KERNEL_AMX_H
#define LFM_KERNEL_AMX_H

#include "kernel/table.h"

/* Has this processor tiles of bfloat16, and does the system let this process use them? */
bool lfm_amx_ready(void);

/* gradient_rows of table.h: the other factor is brought into tiles for each such product. */
enum { LFM_AMX_GRADIENT_ROWS = 128 };

/* A product of table.h by tiles: here of halves both A and B, in amx_split.h of floats. */
typedef struct lfm_amx_product {
  lfm_product_spec spec;
  lfm_layout layout;                                                                       /* of spec, if it has one */
  void (*activate)(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half); /* of numbers */
} lfm_amx_product;

bool lfm_amx_can(const lfm_product_spec *spec);
lfm_amx_product lfm_amx_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers);
size_t lfm_amx_scratch(const lfm_amx_product *product);
void lfm_amx_run(const lfm_amx_product *product, const void *a, const void *b, const float *bias, void *c, void *scratch);

#endif
