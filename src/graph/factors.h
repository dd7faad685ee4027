/* SPDX-License-Identifier: MIT
 *
 * factors.h -- a batch whose weights' gradients are made last.
 *
 * Of a linear map z = W h + b the gradient is dW = dz' h, summed over the rows of the batch.  Runs that are created by
 * lfm_exec_create_part, each of its part of the rows, leave dz and h of every such map here; then any rows of dW are one
 * product over the whole batch, made by whoever wants them, and may be used while a cache holds them.  There is one gradient
 * in place of one a lane, and as many hands as there are strips help with it.
 */
#ifndef LFM_GRAPH_FACTORS_H
#define LFM_GRAPH_FACTORS_H

#include "graph/graph.h"

/* Are all parameters those of linear maps? */
bool lfm_graph_has_factors(const lfm_graph *graph);

/* Of `parts` parts of `rows` rows; `workers` may ask for gradients at a time. */
lfm_status lfm_factors_create(const lfm_graph *graph, int64_t rows, int parts, int workers, lfm_factors **out);
void lfm_factors_destroy(lfm_factors *factors);
size_t lfm_factors_memory(const lfm_factors *factors); /* bytes of its buffers */

/* Rows of a tensor that are made at once, some strips (lfm_graph_strip) of it; the last may be fewer. */
int64_t lfm_factors_rows_at_once(const lfm_graph *graph, int tensor);

/* out = the gradient of the rows at once that begin with row `first`, over all rows of all parts: those beyond what a part
 * was given have a gradient of zero.  After backward of every part. */
lfm_status lfm_factors_gradient(lfm_factors *factors, int worker, int tensor, int64_t first, void *out);

#endif
