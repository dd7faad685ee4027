/* SPDX-License-Identifier: MIT
 *
 * chunker.h -- from observations to actions, one chunk after another: created once, then without asking for memory.
 * Evaluations are fixed, so that every chunk costs the same.  A chunker is one thread's at a time; several may share a model.
 */
#ifndef LFM_FLOW_CHUNKER_H
#define LFM_FLOW_CHUNKER_H

#include "flow/chain.h"

typedef struct lfm_chunker lfm_chunker;

/* nfe: evaluations of the network a chunk, over the whole chain; by Euler's steps, unless another solver is named.
 * LFM_E_USAGE when the model is no policy or the evaluations are too few.  The model outlives the chunker. */
lfm_status lfm_chunker_create(const lfm_model *model, const lfm_solver_options *solve, int threads, lfm_chunker **out);
void lfm_chunker_destroy(lfm_chunker *chunker); /* accepts NULL */

/* observations [observation_horizon, numbers of a step], the last one now, in the data's units;
 * actions [prediction_horizon, action_dim], likewise.  The noise is that of (seed, number), as row `number` of lfm_sample.
 * LFM_E_NUMERIC when an observation, or what comes of it, is not finite. */
lfm_status lfm_chunker_draw(lfm_chunker *chunker, const double *observations, uint64_t seed, int64_t number, double *actions);

#endif
