/* SPDX-License-Identifier: MIT
 *
 * toom.h -- convolutions of a line of five taps and stride 1 on images of one line and block 16, by the algorithm of Toom and
 * Cook, with AVX-512.  Four results take eight multiplications a pair of channels instead of twenty, and a line no longer
 * than four takes seven.  Internal to this room.
 */
#ifndef LFM_KERNEL_TOOM_H
#define LFM_KERNEL_TOOM_H

#include "kernel/image.h"

typedef struct lfm_toom {
  int64_t read, written; /* blocks of channels: what is read and written; of the gradient those of x and dy */
  int64_t width, rows;
  bool turned; /* back data: the filter is read from its end */
  bool whole;  /* the line is one tile */
  bool half;   /* x and dy of the gradient are of bfloat16 */
  /* points of a tile; tiles along a line, at a time, of all rows */
  int64_t points, across, chunk, tiles;
} lfm_toom;

bool lfm_toom_can(const lfm_conv_shape *shape); /* on this processor, and faster than directly */
lfm_toom lfm_toom_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows, bool half);
size_t lfm_toom_scratch(const lfm_toom *l, lfm_conv_pass pass); /* bytes */

/* y = filter x + bias (whole blocks, or NULL), filter [written][read][5][16 read][16 written] in blocks of channels. */
void lfm_toom_run(const lfm_toom *l, const float *x, const float *filter, const float *bias, float *y, float *scratch);
/* dw, as the filter lies, and db (whole blocks) = the gradients. */
void lfm_toom_gradient(const lfm_toom *l, const void *x, const void *dy, float *dw, float *db, float *scratch);

#endif
