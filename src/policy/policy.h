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

/* The options with their defaults filled in; LFM_E_USAGE names what makes no sense. */
lfm_status lfm_policy_resolve(const lfm_policy_options *options, int blocks, lfm_policy_options *out);
bool lfm_policy_is_half(const lfm_policy_options *options);

lfm_rt_units lfm_policy_units(const lfm_windows *windows); /* whose arrays they point to */

const lfm_latency *lfm_policy_latency(const lfm_policy *policy);

#endif
