/* SPDX-License-Identifier: MIT
 *
 * attention.h -- attention's head of one image of block 16 as one kernel, with AVX-512.  Internal to this room.
 */
#ifndef LFM_KERNEL_ATTENTION_H
#define LFM_KERNEL_ATTENTION_H

#include "kernel/image.h"

/* image.h's kernels attend and attend_backward, or NULL where this processor has none. */
void lfm_attention_add(lfm_image_kernels *table);

#endif
