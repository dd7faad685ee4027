/* SPDX-License-Identifier: MIT
 *
 * update.h -- the optimiser's arithmetic on a range of parameters: floats, whatever the backend.
 */
#ifndef LFM_KERNEL_UPDATE_H
#define LFM_KERNEL_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

/* lanes[0][first .. first + count) = the sum over all lanes, by pairs, pairs of pairs, ...; the other lanes hold partial
 * sums afterwards.  Returns the sum of its squares: sixteen partial sums in double, then a tree. */
double lfm_update_sum_lanes(float *const *lanes, int count_of_lanes, size_t first, size_t count);

/* One step of Adam, its constants worked out in double beforehand (net/optim.c). */
typedef struct lfm_adam {
  float grad_scale;   /* of clipping; 1: none */
  float decay_grad;   /* weight decay added to the gradient (adam); 0: none */
  float decay_weight; /* factor on the weight (adamw); 1: none */
  float beta1, beta2;
  float one_less_beta1, one_less_beta2;
  float root_correction2; /* sqrt(1 - beta2^t) */
  float eps, step_size;   /* lr / (1 - beta1^t) */
} lfm_adam;

/* w, m, v [count] move; g [count] is read. */
void lfm_update_adam(float *w, float *m, float *v, const float *g, size_t count, const lfm_adam *constants);

/* ema [count] += (1 - decay) (w - ema) */
void lfm_update_average(float *ema, const float *w, size_t count, double decay);

#endif
