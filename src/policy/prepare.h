/* SPDX-License-Identifier: MIT
 *
 * prepare.h -- a network of the flow made ready for the runtime: its steps and where everything lies, once for all blocks of
 * a chain; then the numbers of each block, in the order in which the steps read them.
 */
#ifndef LFM_POLICY_PREPARE_H
#define LFM_POLICY_PREPARE_H

#include "net/net.h"
#include "runtime/runtime.h"

typedef struct lfm_prepared lfm_prepared;

/* back: with steps for the gradient with respect to x (prepare_back.c), and as many weights again for them. */
lfm_status lfm_prepare_unet1d(const lfm_unet1d_config *config, bool back, lfm_prepared **out);
lfm_status lfm_prepare_mlp(const lfm_mlp_config *config, bool back, lfm_prepared **out);
void lfm_prepared_destroy(lfm_prepared *prepared);

const lfm_rt_field *lfm_prepared_field(const lfm_prepared *prepared);
int64_t lfm_prepared_weights(const lfm_prepared *prepared); /* numbers of a block, those of the gradient behind the others */
int64_t lfm_prepared_turned(const lfm_prepared *prepared);  /* how many are the gradient's */
int64_t lfm_prepared_constants(const lfm_prepared *prepared);

/* The numbers of `params`, whose net has the configuration that was prepared: weights, floats or bfloat16 (half), and
 * constants, as many as the functions above say. */
lfm_status lfm_prepared_fill(const lfm_prepared *prepared, const lfm_net *net, const lfm_params *params, bool half,
                             void *weights, float *constants);

/* What t comes to in that network: row [timed_count of the field].  In double, rounded once. */
lfm_status lfm_prepared_time(const lfm_prepared *prepared, const lfm_net *net, const lfm_params *params, double t,
                             float *row);

#endif
