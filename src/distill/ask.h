/* SPDX-License-Identifier: MIT
 *
 * ask.h -- what a distillation is asked for, from its options: checked before any work, and told with what would be possible.
 */
#ifndef LFM_DISTILL_ASK_H
#define LFM_DISTILL_ASK_H

#include "distill/plan.h"
#include "distill/states.h"

/* The plan (left as it is where it is to be chosen by the teacher's rows), the method, and how the teacher draws its rows
 * (rows 0: as many as the time allows).  LFM_E_USAGE names the first option that cannot be. */
lfm_status lfm_asked_take(const lfm_distill_options *options, lfm_merge_plan *plan, lfm_objective *method,
                          lfm_states_options *how);

const char *lfm_asked_method(const lfm_distill_options *options); /* by its name */

#endif
