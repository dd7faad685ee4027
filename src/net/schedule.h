/* SPDX-License-Identifier: MIT
 *
 * schedule.h -- the learning rate of a step: a base, a step decay, a linear warm-up and a cosine to zero, multiplied.
 */
#ifndef LFM_NET_SCHEDULE_H
#define LFM_NET_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lfm_lr {
  double base;
  double decay;   /* lr *= decay every `every` steps, as torch.optim.lr_scheduler.StepLR */
  int64_t every;  /* 0: never */
  int64_t warmup; /* steps of linear rise; step 0 already moves: (step + 1) / warmup */
  bool cosine;    /* falls to zero as half a cosine between the end of the warm-up and `total` */
  int64_t total;  /* steps of the block */
} lfm_lr;

/* The rate of step 0, 1, ...; never negative. */
double lfm_lr_at(const lfm_lr *schedule, int64_t step);

#endif
