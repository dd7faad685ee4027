/* SPDX-License-Identifier: MIT
 *
 * choose.h -- the merge plan of least predicted error for a teacher at hand: by the variances of the rows that it drew, along
 * the axes of their covariance, and by how far a student gets, which a short training tells.        [arXiv 2505.16024]
 */
#ifndef LFM_DISTILL_CHOOSE_H
#define LFM_DISTILL_CHOOSE_H

#include "distill/lesson.h"

enum { LFM_CHOICE_PILOTS = 2 }; /* that are flown at most */

/* The teacher's rows as they were drawn; how many students, and how each is trained (`config`, but for its length): for
 * `steps`, or, where that is 0, for `seconds`.  A pilot takes pilot_steps.  s, over 0: how far a student gets, and then there
 * is none. */
typedef struct lfm_choice {
  const lfm_model *teacher;
  const lfm_states *states;
  const lfm_states_options *how;
  lfm_carry *carry;
  lfm_meter *meter;
  const lfm_config *config;
  int students, threads;
  int64_t steps, pilot_steps;
  double seconds, s;
} lfm_choice;

/* *s is that by which it was chosen, of a student's whole training; *flops what the pilots took. */
lfm_status lfm_choose_plan(const lfm_choice *choice, lfm_merge_plan *plan, double *s, double *flops);

#endif
