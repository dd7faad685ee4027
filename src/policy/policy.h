/* SPDX-License-Identifier: MIT
 *
 * policy.h -- inside of lfm_policy, for those who act by one model together.
 */
#ifndef LFM_POLICY_POLICY_H
#define LFM_POLICY_POLICY_H

#include "policy/compile.h"
#include "policy/latency.h"
#include "runtime/loop.h"

/* A plan and weights that outlive the policy. */
lfm_status lfm_policy_create_shared(const lfm_compiled *compiled, const lfm_rt_plan *plan, const lfm_policy_options *options,
                                    lfm_policy **out);

/* What is wrong with an observation, or with the network, in words; counted if it is the former. */
lfm_status lfm_policy_refuse(lfm_policy *policy, lfm_rt_outcome outcome, const double *observation, int64_t which);
lfm_status lfm_policy_check_count(lfm_policy *policy, int64_t count);

lfm_rt_loop *lfm_policy_loop(lfm_policy *policy);
/* Draws a chunk of nothing, as if the one before had just begun; it is not counted. */
void lfm_policy_rehearse(lfm_policy *policy);
void lfm_policy_count_chunk(lfm_policy *policy, double microseconds);

/* The options with their defaults filled in; LFM_E_USAGE names what makes no sense. */
lfm_status lfm_policy_resolve(const lfm_policy_options *options, const lfm_model *model, lfm_policy_options *out);
bool lfm_policy_is_half(const lfm_policy_options *options);

lfm_status lfm_policy_check_guard(const lfm_policy_options *options, const lfm_compiled *compiled); /* is there one to ask? */
lfm_rt_heed lfm_policy_heed(const lfm_policy_options *options); /* of a guard that has been resolved */

lfm_rt_units lfm_policy_units(const lfm_windows *windows); /* whose arrays they point to */

const lfm_latency *lfm_policy_latency(const lfm_policy *policy);

#endif
