/* SPDX-License-Identifier: MIT
 *
 * bench.h -- inside of lfm_bench, for those who measure what a model does elsewhere (policy/bench.c).
 */
#ifndef LFM_FLOW_BENCH_H
#define LFM_FLOW_BENCH_H

#include "flow/chain.h"

/* The model that options->preset, with options->sets over it, would train: its weights are those before the first step. */
lfm_status lfm_bench_untrained(const lfm_bench_options *options, lfm_model **out);

#endif
