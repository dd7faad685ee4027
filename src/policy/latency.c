/* SPDX-License-Identifier: MIT
 *
 * latency.c -- see latency.h.
 */
#include "policy/latency.h"

#include <math.h>

static const double ratio = 1.01;

/* bin k holds ratio^(k-1) to ratio^k; the first all below, the last all above. */
static int bin_of(double microseconds) {
  double k = microseconds > 1.0 ? ceil(log(microseconds) / log(ratio)) : 0.0;
  return k < LFM_LATENCY_BINS - 1 ? (int)k : LFM_LATENCY_BINS - 1;
}

void lfm_latency_add(lfm_latency *l, double microseconds) {
  l->bin[bin_of(microseconds)]++;
  l->count++;
  if (microseconds > l->most) l->most = microseconds;
}

double lfm_latency_at(const lfm_latency *l, double share) {
  int64_t wanted = (int64_t)ceil(share * (double)l->count), seen = 0;
  for (int k = 0; k < LFM_LATENCY_BINS; k++) {
    seen += l->bin[k];
    if (seen < wanted || seen == 0) continue;
    double bound = k < LFM_LATENCY_BINS - 1 ? pow(ratio, k) : l->most; /* the last has all that is above */
    return bound < l->most ? bound : l->most;
  }
  return NAN;
}

int64_t lfm_latency_over(const lfm_latency *l, double microseconds) {
  int64_t over = 0;
  for (int k = bin_of(microseconds) + 1; k < LFM_LATENCY_BINS; k++) over += l->bin[k];
  return over;
}
