/* SPDX-License-Identifier: MIT
 *
 * bench_subject.h -- inside of lfm_bench: what is timed, for the figures of training (bench.c) and for those who measure
 * what a model does elsewhere (policy/bench.c).
 */
#ifndef LFM_FLOW_BENCH_SUBJECT_H
#define LFM_FLOW_BENCH_SUBJECT_H

#include "flow/trainer.h"

/* A trainer before its first step, over rows that mean nothing. */
typedef struct lfm_bench_subject {
  lfm_config *config;
  lfm_table *table;
  lfm_train_options options;
  lfm_trainer *trainer;
  char name[32]; /* the rows' shape */
} lfm_bench_subject;

/* Of the preset, or, without one (NULL), of options->picture; what it holds after a failure, lfm_bench_drop takes as well. */
lfm_status lfm_bench_make(const char *preset, const lfm_bench_options *options, lfm_bench_subject *s);
void lfm_bench_drop(lfm_bench_subject *s);

/* The model that options->preset, with options->sets over it, would train: its weights are those before the first step. */
lfm_status lfm_bench_untrained(const lfm_bench_options *options, lfm_model **out);

bool lfm_bench_is_bf16(const lfm_bench_options *options);

#endif
