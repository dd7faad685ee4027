/* SPDX-License-Identifier: MIT
 *
 * back.h -- the steps that only a gradient has, and the weights that it reads.  A gradient with respect to x is a list of
 * steps like the network itself: convolutions become convolutions whose weights are turned round, sums stay sums.  No
 * gradient of a weight is made.
 */
#ifndef LFM_RUNTIME_BACK_H
#define LFM_RUNTIME_BACK_H

#include "runtime/runtime.h"

/* Of mish(scale (x - mean) / sd + shift) within groups, and FiLM behind it, of the x that the forward step has left. */
LFM_RT_API void lfm_rt_norm_back(const lfm_rt_field *field, const lfm_rt_step *s, const lfm_rt_block *block, float *space);

LFM_RT_API void lfm_rt_act_back(const lfm_rt_field *field, const lfm_rt_step *s, float *space);

/* Behind a block's weights those of its backward steps, from the forward ones: out and in exchanged, taps from last to first.
 */
LFM_RT_API void lfm_rt_turn(const lfm_rt_field *field, bool half, void *weights);

#endif
