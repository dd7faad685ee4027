/* SPDX-License-Identifier: MIT
 *
 * conformal.h -- levels that what comes exceeds no more often than asked for, whatever the law of it, as long as it is
 * exchangeable with what they were calibrated on.                                          [Vovk, Gammerman, Shafer 2005]
 */
#ifndef LFM_METRIC_CONFORMAL_H
#define LFM_METRIC_CONFORMAL_H

#include "core/status.h"

/* The ceil((count + 1) (1 - alpha))-th smallest of values [count], which are sorted: another exchangeable one exceeds it with
 * a chance of alpha at most, and above alpha - 1 / (count + 1) where no two are equal.  0 < alpha < 1.  LFM_E_DATA as
 * lfm_conformal_check. */
lfm_status lfm_conformal_quantile(double *values, int64_t count, double alpha, double *out);

/* LFM_E_DATA when there are too few for any level: to be asked before the hours that it takes to get them. */
lfm_status lfm_conformal_check(int64_t count, double alpha);

#endif
