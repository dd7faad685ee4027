/* SPDX-License-Identifier: MIT
 *
 * pointwise.h -- convolutions of one tap and stride 1 on images of block 16, with AVX-512: a matrix product a pixel. Internal
 * to this room.
 */
#ifndef LFM_KERNEL_POINTWISE_H
#define LFM_KERNEL_POINTWISE_H

#include "kernel/image.h"

typedef struct lfm_pointwise {
  int64_t read, written; /* blocks of channels: what is read and written; of the gradient those of x and dy */
  int64_t pixels, rows;
} lfm_pointwise;

bool lfm_pointwise_can(const lfm_conv_shape *shape); /* on this processor */
lfm_pointwise lfm_pointwise_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows);

/* y = filter x + bias (whole blocks, or NULL), filter [written][read][16 read][16 written] in blocks of channels. */
void lfm_pointwise_run(const lfm_pointwise *p, const float *x, const float *filter, const float *bias, float *y);
/* dw, as the filter lies, and db (whole blocks) = the gradients. */
void lfm_pointwise_gradient(const lfm_pointwise *p, const float *x, const float *dy, float *dw, float *db);

#endif
