/* SPDX-License-Identifier: MIT
 *
 * posterior.h -- which rows may have led to a point: the mean of x_l given I_t, over some rows of the pool.
 *
 * The target of a pair depends, beyond t and the point I_t itself, on x_l alone, and a network that sees only the point
 * learns the target's mean over all x_l that lead there.  Of n rows drawn alike, the pair's own among them, row k was the one
 * with probability w_k ~ exp(-|I_t - alpha x_k|^2 / 2 variance): training on the mean under w instead of on the pair's own
 * target learns the same field with less noise. [Rao-Blackwell; for denoising scores Xu, Tong and Jaakkola, "Stable Target
 * Field", ICLR 2023; docs/decisions/learning.md]
 */
#ifndef LFM_FLOW_POSTERIOR_H
#define LFM_FLOW_POSTERIOR_H

#include "flow/pool.h"

typedef struct lfm_posterior lfm_posterior; /* one worker's */

lfm_status lfm_posterior_create(int64_t rows, int64_t dim, lfm_posterior **out);
void lfm_posterior_destroy(lfm_posterior *posterior);
size_t lfm_posterior_memory(const lfm_posterior *posterior);
double lfm_posterior_flops(int64_t rows, int64_t dim); /* of one mean */

/* The candidates: x_k = scale * row place[k] of the pool, k < rows. */
void lfm_posterior_load(lfm_posterior *posterior, const lfm_pool *pool, const int64_t *place, float scale);

/* out [dim] = sum_k w_k (x_k - from),  w_k ~ exp(-|point - alpha x_k|^2 / (2 variance)), sum_k w_k = 1; variance > 0.
 * Differences from `from`, the pair's own x_l, are exact zeros where no other row comes into question. */
void lfm_posterior_mean(lfm_posterior *posterior, const float *point, float alpha, float variance, const float *from,
                        float *out);

#endif
