/* SPDX-License-Identifier: MIT
 *
 * selftest.h -- how far two results lie apart at most, where either may be wrong in any way.
 */
#ifndef LFM_FLOW_SELFTEST_H
#define LFM_FLOW_SELFTEST_H

#include <math.h>

/* The larger of a gap so far and one more difference; infinite for good once a difference is not finite: comparisons and
 * fmax pass over a NaN. */
static inline double lfm_gap_widen(double gap, double difference) {
  return isfinite(difference) ? fmax(gap, fabs(difference)) : (double)INFINITY;
}

#endif
