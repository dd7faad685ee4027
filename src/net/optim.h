/* SPDX-License-Identifier: MIT
 *
 * optim.h -- Adam and AdamW with gradient clipping and an exponential moving average, over lanes of partial gradients or the
 * factors of one.  [Kingma and Ba 2015; Loshchilov and Hutter 2019]   One step = the lanes summed by a fixed tree, or the
 * factors multiplied; the norm, the update, the average, and the packed copies that the next step's kernels read.  Work is
 * split by parameter ranges that do not depend on the team, so neither do the bytes.
 */
#ifndef LFM_NET_OPTIM_H
#define LFM_NET_OPTIM_H

#include "net/net.h"

typedef struct lfm_optim_config {
  bool decoupled_decay; /* adamw */
  double beta1, beta2, eps, weight_decay;
  double grad_clip; /* largest 2-norm; 0: none */
  double ema_decay; /* 0: no average is kept */
} lfm_optim_config;

void lfm_optim_defaults(lfm_optim_config *config); /* torch.optim.Adam's: .9 .999 1e-8, no decay, no clip, no average */

typedef struct lfm_optim lfm_optim;
lfm_status lfm_optim_create(const lfm_net *net, const lfm_optim_config *config, lfm_optim **out);
void lfm_optim_destroy(lfm_optim *optim);

/* Forgets moments and step count; a new block begins.  The average starts at `params`. */
void lfm_optim_restart(lfm_optim *optim, const lfm_params *params);

/* Where a step's gradient comes from: `count` lanes [param_count] of partial ones, which hold partial sums afterwards; or,
 * with factors of the whole batch, these, and lanes[0] alone is written. */
typedef struct lfm_gradient {
  float *const *lanes;
  int count;
  lfm_factors *factors; /* NULL: none; of as many workers as the team has */
} lfm_gradient;

/* ema_decay is the decay of this step (warm-up gives 0); unused without an average.  *grad_norm: before clipping.
 * LFM_E_NUMERIC when the gradient is not finite: then nothing else has changed, unless it came from factors and is not
 * clipped, where a strip's weights move as soon as its gradient is there: then they are lost. */
lfm_status lfm_optim_step(lfm_optim *optim, lfm_team *team, lfm_params *params, const lfm_gradient *gradient, double lr,
                          double ema_decay, double *grad_norm);

size_t lfm_optim_memory(const lfm_optim *optim); /* bytes of moments and mean */

/* The state, to save and to restore: three float vectors [param_count] (ema NULL without an average) and the step count. */
float *lfm_optim_first_moment(lfm_optim *optim);
float *lfm_optim_second_moment(lfm_optim *optim);
float *lfm_optim_ema(lfm_optim *optim);
int64_t lfm_optim_steps(const lfm_optim *optim);
void lfm_optim_set_steps(lfm_optim *optim, int64_t steps);

#endif
