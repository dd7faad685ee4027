/* SPDX-License-Identifier: MIT
 *
 * resolve.h -- the keys that follow the data: what a user who only has a table gets.
 * Decisions depend on the table's shape and on the clock's limit alone; the resolved configuration is written to the run,
 * so that the same run can be made again without a clock, and gone on with by any of its keys.
 */
#ifndef LFM_FLOW_RESOLVE_H
#define LFM_FLOW_RESOLVE_H

#include "config/config.h"
#include "data/images.h"
#include "data/windows.h"

typedef struct lfm_data_shape {
  int64_t rows, dim; /* of the training part, in the flow's space */
  int64_t valid_rows;
  const lfm_images *picture;  /* of pictures: their size; NULL: columns of numbers */
  const lfm_windows *windows; /* of demonstrations; NULL: something else */
  bool taught;                /* a teacher's rows, of which there are as many as one likes */
} lfm_data_shape;

/* Everything but what needs the network's size or its speed (lanes, microbatch, max_batch and what follows from it). */
lfm_status lfm_resolve_shape(lfm_config *config, const lfm_data_shape *shape);

/* Of a configuration whose network is known: LFM_E_USAGE names a key that was given and means nothing here.  (foreign.c) */
lfm_status lfm_resolve_check_keys(const lfm_config *config, const lfm_data_shape *shape);

/* Of a resume: do the keys that are set in `given` (NULL: none) say what `stored`, resolved, says?  They are read as they
 * were then, beside the stored ones: a schedule by the chain it gives, a batch by what the rows hold.  LFM_E_USAGE names one
 * that does not.  (agreement.c) */
lfm_status lfm_resolve_agreement(const lfm_config *stored, const lfm_config *given, const lfm_data_shape *shape);

/* lanes and microbatch, from the rows that suit the network's activations, and whether it is one for factors. */
void lfm_resolve_lanes(lfm_config *config, bool wants_factors, int64_t rows_advised);
int64_t lfm_resolve_microbatches(const lfm_config *config); /* of a batch, once their size is known */
/* Is the gradient made of factors (graph/factors.h), not of lanes?  Of a resolved configuration. */
bool lfm_resolve_keeps_factors(const lfm_config *config, bool wants_factors);

/* max_batch where it is not set: what `time_limit` seconds hold at step_seconds a step, the push included. */
void lfm_resolve_steps(lfm_config *config, const lfm_data_shape *shape, double step_seconds, double time_limit);

/* How often a validation row is drawn, each time with other noise and times: so that the best of a block's validation losses
 * tells the weights, and not the draw, also where few rows are held out. */
int64_t lfm_resolve_valid_draws(const lfm_config *config, int64_t rows);

/* valid_every, checkpoint_every, warmup, patience: they follow max_batch. */
void lfm_resolve_rhythm(lfm_config *config, const lfm_data_shape *shape);

#endif
