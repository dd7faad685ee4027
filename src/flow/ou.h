/* SPDX-License-Identifier: MIT
 *
 * ou.h -- the Ornstein-Uhlenbeck process dX = -X dt + sqrt(2) dW, whose steps the blocks learn, and the step schedules.
 *   X_g = e^{-g} X_0 + sqrt(1 - e^{-2g}) Z,  equilibrium N(0, I)                       [paper, section 3]
 * A free block (g = NAN; always the last) has X_g = Z: the step is infinite.
 */
#ifndef LFM_FLOW_OU_H
#define LFM_FLOW_OU_H

#include "config/config.h"

typedef struct lfm_ou {
  double decay; /* e^{-g} */
  double noise; /* sqrt(1 - e^{-2g}) */
} lfm_ou;

lfm_ou lfm_ou_step(double gamma); /* NAN: free */

/* gammas [LFM_MAX_BLOCKS] of the chain that `config` asks for: its hks, or its schedule.  *blocks counts the free one. */
lfm_status lfm_ou_schedule(const lfm_config *config, double *gammas, int *blocks);

/* G_n: the sum of the steps before block n (0-based), none of them free. */
double lfm_ou_time_before(const double *gammas, int n);

#endif
