/* SPDX-License-Identifier: MIT
 *
 * tree.h -- the project's own 2-D density: a fractal tree with detail at every scale, and its entropy.
 */
#ifndef LFM_METRIC_TREE_H
#define LFM_METRIC_TREE_H

#include "metric/pixel_density.h"

#define LFM_TREE_SIZE 512

/* Ink in 0..1 in whole 255ths, [size, size], row 0 at the top.  Always the same tree; size 64 to 4096. */
lfm_status lfm_tree_draw(int64_t size, float *ink);

/* The tree on 512 x 512 pixels over [-4, 4]^2 with pixel Gaussians of one pixel (1/64). */
lfm_status lfm_tree_density(lfm_pixel_density **out);

/* Its entropy in nats by quadrature (two to six points a pixel agree to 1e-9); the error allows for another libm. */
#define LFM_TREE_ENTROPY 2.4502899
#define LFM_TREE_ENTROPY_ERROR 1e-6

#endif
