/* SPDX-License-Identifier: MIT
 *
 * cost.h -- what a piece of a distillation took that is made once and not again when the run goes on: the pilots, and the
 * lesson of a student that is finished.  Each has a small file in RUN/checkpoint, so that the result of a run counts the same
 * in however many calls it was made.  Sums in one file were refused: a student that is stopped has its lesson made anew, and
 * who reads a sum cannot tell whose is in it.
 */
#ifndef LFM_DISTILL_COST_H
#define LFM_DISTILL_COST_H

#include "core/status.h"

typedef struct lfm_cost {
  double seconds;
  double flops;       /* of training */
  double evaluations; /* of the network */
  double rows;        /* of a lesson: how many were learnt from, below 2^53; 0: it is none */
} lfm_cost;

lfm_status lfm_cost_keep(const lfm_cost *cost, const char *path);
/* Zeros where there is no such file; LFM_E_FORMAT when it says what cannot be. */
lfm_status lfm_cost_recall(const char *path, lfm_cost *out);

#endif
