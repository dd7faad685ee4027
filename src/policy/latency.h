/* SPDX-License-Identifier: MIT
 *
 * latency.h -- how long something took, again and again: a histogram of fixed size, so that counting asks for no memory and
 * the hundredth hour costs what the first did.  Neighbouring bounds are 1 % apart, from a microsecond to some minutes.
 */
#ifndef LFM_POLICY_LATENCY_H
#define LFM_POLICY_LATENCY_H

#include "core/status.h"

enum { LFM_LATENCY_BINS = 2048 };

typedef struct lfm_latency {
  int64_t count, bin[LFM_LATENCY_BINS];
  double most; /* microseconds */
} lfm_latency;

void lfm_latency_add(lfm_latency *latency, double microseconds);

/* So many microseconds at most took the share of them, to 1 %; NAN where there is none. */
double lfm_latency_at(const lfm_latency *latency, double share);

/* How many took more than so many microseconds, to 1 % of these. */
int64_t lfm_latency_over(const lfm_latency *latency, double microseconds);

#endif
