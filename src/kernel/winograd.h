/* SPDX-License-Identifier: MIT
 *
 * winograd.h -- convolutions of 3x3 taps and stride 1 by F(4x4, 3x3) [Lavin and Gray 2016], on images of block 16, with
 * AVX-512. A tile of 4x4 results takes 36 multiplications a pair of channels instead of 144.  Internal to this room.
 */
#ifndef LFM_KERNEL_WINOGRAD_H
#define LFM_KERNEL_WINOGRAD_H

#include "kernel/image.h"

typedef struct lfm_winograd {
  int64_t read, written; /* blocks of channels: what is read and written; of the gradient those of x and dy */
  int64_t height, width, rows;
  bool turned; /* back data: the filter is read from its end */
  bool half;   /* images are of bfloat16; filters, sums and gradients of floats all the same */
  /* tiles: along a line, an image, at a time; those to be made, of all images */
  int64_t across, each, chunk, first, end;
} lfm_winograd;

bool lfm_winograd_can(const lfm_conv_shape *shape); /* on this processor */
lfm_winograd lfm_winograd_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows, bool half);
/* Two workers on one image: does each transform more than it need if it makes all tiles of some channels, rather than all
 * channels of some tiles? */
bool lfm_winograd_shares_tiles(const lfm_winograd *w);
void lfm_winograd_take(lfm_winograd *w, int part, int parts); /* from now on some of the tiles; not for the gradient */
size_t lfm_winograd_scratch(const lfm_winograd *w, lfm_conv_pass pass); /* bytes */

/* y = filter x + bias (whole blocks, or NULL), filter [written][read][9][16 read][16 written] in blocks of channels. */
void lfm_winograd_run(const lfm_winograd *w, const void *x, const float *filter, const float *bias, void *y, float *scratch);
/* dw, as the filter lies, and db (whole blocks) = the gradients. */
void lfm_winograd_gradient(const lfm_winograd *w, const void *x, const void *dy, float *dw, float *db, float *scratch);

#endif
