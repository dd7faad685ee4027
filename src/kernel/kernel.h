/* SPDX-License-Identifier: MIT
 *
 * kernel.h -- the seam between the graph and the numbers: one table of kernels a backend.
 *   lfm_kernels_onednn   float; oneDNN's matrix products with fused bias and activation       kernel/onednn.c
 *                        and for images kernels of our own                                    kernel/onednn_conv.c
 *   lfm_kernels_onednn_split   the same, large products of numbers in two halves, for training   kernel/amx_split.c
 *   lfm_kernels_bf16     bfloat16 between the layers, images included, for training; on top of onednn   kernel/bf16.c
 *   lfm_kernels_ref32    float; plain C, the fallback on other processors                     kernel/ref.c
 *   lfm_kernels_ref64    double; the same text, the oracle of the gradient tests              kernel/ref.c
 */
#ifndef LFM_KERNEL_KERNEL_H
#define LFM_KERNEL_KERNEL_H

#include "core/act.h"
#include "core/status.h"

typedef struct lfm_kernels lfm_kernels;

const lfm_kernels *
lfm_kernels_best(void); /* onednn where it is fast, ref32 elsewhere; LFM_KERNELS=ref32|ref64|onednn forces */
const lfm_kernels *lfm_kernels_onednn(void);
const lfm_kernels *lfm_kernels_onednn_direct(void); /* the library's own kernels alone */
const lfm_kernels *lfm_kernels_onednn_split(void);  /* large products of numbers in two halves, where there is AMX */
const lfm_kernels *lfm_kernels_ref32(void);
const lfm_kernels *lfm_kernels_ref64(void);

/* For training in fp32: onednn_split where there is AMX, unless LFM_KERNELS forces another; else the best. */
const lfm_kernels *lfm_kernels_training(void);

/* For training only: such a net has no trace.  The faster of its forms on this processor; LFM_E_UNSUPPORTED where the
 * processor knows no bfloat16. */
lfm_status lfm_kernels_bf16(const lfm_kernels **out);
const lfm_kernels *lfm_kernels_bf16_pairs(void);
const lfm_kernels *lfm_kernels_bf16_floats(void);

const char *lfm_kernels_name(const lfm_kernels *kernels); /* tests: what LFM_KERNELS calls it */

/* Library version and instruction set that decide the bits, e.g. "onednn 2.6.3 avx512_core_bf16": stored in checkpoints. */
const char *lfm_kernels_identity(const lfm_kernels *kernels);

#endif
