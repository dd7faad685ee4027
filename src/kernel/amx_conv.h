/* SPDX-License-Identifier: MIT
 *
 * amx_conv.h -- convolutions of images of bfloat16, block 16, by the tile registers of AMX: all shapes and passes.  Internal
 * to this room.  [docs/decisions/bf16.md]
 */
#ifndef LFM_KERNEL_AMX_CONV_H
#define LFM_KERNEL_AMX_CONV_H

#include "kernel/image.h"

typedef struct lfm_amx_conv {
  int64_t read, written;  /* blocks of channels: what is read and written; of the gradient those of x and dy */
  lfm_image large, small; /* the images in front of the convolution and behind it */
  int64_t lines, columns; /* of taps */
  int64_t stride, rows;
  int64_t below, beside; /* zeros: lines behind an image, pixels behind a line */
  int64_t chunk;         /* images, of the gradient pairs of them, at a time */
  bool back, gradient;
} lfm_amx_conv;

bool lfm_amx_conv_can(const lfm_conv_shape *shape); /* on this processor */
lfm_amx_conv lfm_amx_conv_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows);
size_t lfm_amx_conv_scratch(const lfm_amx_conv *c); /* bytes */

/* y = filter x + bias (whole blocks, or NULL), filter [written][read / 2][taps] tiles of 32 channels read, two at a time side
 * by side, and 16 written. */
void lfm_amx_conv_run(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *filter, const float *bias, uint16_t *y,
                      void *scratch);
/* dw [written][read][taps][16 read][16 written] and db (whole blocks) = the gradients. */
void lfm_amx_conv_gradient(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *dy, float *dw, float *db, void *scratch);

#endif
