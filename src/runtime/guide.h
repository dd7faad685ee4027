/* SPDX-License-Identifier: MIT
 *
 * guide.h -- real-time chunking: a chunk of actions that goes on from the one before, of which some are executed while it is
 * drawn.                                                                              [Black, Galliker and Levine 2025]
 * With their time tau = 1 - t from noise to data, their velocity, which is -v, and a straight way (others: of_x x - of_v v):
 *   A^1 = A^tau - t v                                                                                            (3)
 *   -v + min(beta, (1 - tau) / (tau r^2)) (Y - A^1)^T diag(W) dA^1/dA^tau,  r^2 = (1-tau)^2 / (tau^2 + (1-tau)^2)  (2, 4)
 *   W_i = 1 of what is executed meanwhile, then c_i (e^c_i - 1) / (e - 1), c_i falling evenly to 0                  (5)
 * A block of a chain ends not at the chunk but at a border, e^{-G} x_0 + sqrt(1 - e^{-2G}) z.  The process between the two is
 * its own reverse, so of that border x the chunk is e^{-G} x in the mean, and 1 - e^{-2G} its variance, which is added to
 * r^2: docs/decisions/real-time-chunking.md.
 */
#ifndef LFM_RUNTIME_GUIDE_H
#define LFM_RUNTIME_GUIDE_H

#include "runtime/runtime.h"

/* W of `steps` actions of `width` numbers: 1 of the first `frozen`, 0 from `overlap` on. */
LFM_RT_API void lfm_rt_soft_mask(int64_t frozen, int64_t overlap, int64_t steps, int64_t width, float *weight);

/* What the plan says of the stage: where the way ends, of_x x - of_v v, and how strong a guide is before beta. */
typedef struct lfm_rt_way {
  float of_x, of_v, pull;
} lfm_rt_way;

/* v [numbers] of block n at x [numbers], just evaluated in space, becomes the guided one.  g [numbers] is room. */
LFM_RT_API void lfm_rt_steer(const lfm_rt_chain *chain, const lfm_rt_guide *guide, int64_t n, const lfm_rt_way *way,
                             const float *x, float *v, float *space, float *g);

#endif
