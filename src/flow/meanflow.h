/* SPDX-License-Identifier: MIT
 *
 * meanflow.h -- a velocity that is the mean over the span h = t - r of time before t, so that one step
 *   x_r = x_t - h u(t, h, x_t)
 * goes as far as the whole flow.                                                              [arXiv 2505.13447, eq. 4]
 * Its derivative along the flow says what it has to be (eq. 6):
 *   h u = integral of v from r to t   =>   u = v - h du/dt,   du/dt = v du/dx + du/dt|_x + du/dh
 * with the right side held fixed while u learns it, and u = v where h = 0.  The paper weighs a row by the inverse of its
 * loss; here none is weighed, since that makes of the mean that a velocity is something nearer to the mode
 * (docs/decisions/distillation.md).
 */
#ifndef LFM_FLOW_MEANFLOW_H
#define LFM_FLOW_MEANFLOW_H

#include "net/net.h"

/* One worker's scratch. */
typedef struct lfm_meanflow lfm_meanflow;
lfm_status lfm_meanflow_create(int64_t rows, int64_t dim, lfm_meanflow **out);
void lfm_meanflow_destroy(lfm_meanflow *meanflow);
size_t lfm_meanflow_memory(const lfm_meanflow *meanflow); /* bytes; NULL: 0 */

/* The run holds t, h and x of `count` rows: target [count, dim], which is v, becomes what u is to be.  The inputs are left as
 * they were; the outputs are those of some other point. */
lfm_status lfm_meanflow_target(lfm_meanflow *meanflow, lfm_run *run, const lfm_params *params, int64_t count, float *target);

double lfm_meanflow_flops(const lfm_net *net); /* of a row, beside those of a step */

#endif
