/* SPDX-License-Identifier: MIT
 *
 * pictures.h -- pictures out: a grid to look at, single files and an array to work with.
 */
#ifndef LFM_REPORT_PICTURES_H
#define LFM_REPORT_PICTURES_H

#include "data/images.h"

enum { LFM_GRID_GUTTER = 2, LFM_GRID_SIDE = 64 }; /* pixels between pictures; smaller ones are shown in whole multiples */

/* One PNG of the first rows x columns pictures, line by line, on white; grey pictures make a grey PNG.  Places without a
 * picture stay white.  LFM_E_USAGE when it would be over LFM_IMAGES_MOST_SIDE pixels on a side. */
lfm_status lfm_draw_grid(const char *path, const lfm_images *images, int64_t rows, int64_t columns);
lfm_status lfm_grid_check(int64_t rows, int64_t columns, int64_t height, int64_t width);

/* Pictures, each beside those that were found nearest to it. */
typedef struct lfm_nearest_panel {
  const char *title;
  int64_t rows, neighbours;
  const int64_t *row;       /* [rows] which picture */
  const int64_t *neighbour; /* [rows, neighbours] which of the others, nearest first */
  const double *distance;   /* [rows, neighbours] */
} lfm_nearest_panel;

/* One PNG of such panels side by side, distances under the pictures. */
lfm_status lfm_draw_nearest(const char *path, const lfm_images *pictures, const lfm_images *others,
                            const lfm_nearest_panel *panels, int count);

/* A folder of single PNGs 000000.png, 000001.png, ..., which is made, or holds nothing.  Until all are written a new one is
 * called NAME.partial; what a killed program left of that goes.  LFM_E_EXISTS: there are files in either, or another program
 * writes there.  After a failure no picture is there.  check asks what can be known before. */
lfm_status lfm_picture_folder_check(const char *path);
lfm_status lfm_picture_folder_write(const lfm_images *images, const char *path);

/* All of them by PATH: .png one grid, about square; .npy uint8 [n, height, width, channels]; a name without ending, or with a
 * slash behind it, such a folder. */
lfm_status lfm_pictures_write(const lfm_images *images, const char *path);

/* Whether that has a chance for so many pictures of this size, to be asked before the work; writes nothing. */
lfm_status lfm_pictures_writable(const char *path, int64_t count, int64_t height, int64_t width);

#endif
