/* SPDX-License-Identifier: MIT
 *
 * rollout.h -- inside of lfm_rollout, for those who want to know what the guard said of each step.
 */
#ifndef LFM_POLICY_ROLLOUT_H
#define LFM_POLICY_ROLLOUT_H

#include "flow/chain.h"
#include "sim/world.h"

/* The task of this name (NULL: the one that the demonstrations were of), whose observations and actions the policy has;
 * LFM_E_USAGE, LFM_E_DATA where not. */
lfm_status lfm_rollout_task(const lfm_model *model, const char *task, const lfm_task **out);

/* As lfm_rollout, of a guarded model.  *scores [episodes, *horizon]: of each step, NAN behind an episode's last; lfm_free.
 * episodes has been checked by the caller. */
lfm_status lfm_rollout_watch(const lfm_rollout_options *options, int64_t *horizon, double **scores, lfm_table **out,
                             lfm_rollout_result *result);

#endif
