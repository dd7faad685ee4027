/* SPDX-License-Identifier: MIT
 *
 * summary.h -- a mean with its standard error and 95 % interval, over independent rows or over clusters of rows; and a share
 * of rows with its interval.
 */
#ifndef LFM_METRIC_SUMMARY_H
#define LFM_METRIC_SUMMARY_H

#include "core/status.h"

typedef struct lfm_summary {
  int64_t count, clusters; /* values; independent units among them (= count without groups) */
  double mean;
  double se;        /* of the mean; NAN when there is one unit only */
  double low, high; /* mean -+ t se, t the 97.5 % point of Student's law with clusters - 1 degrees of freedom */
} lfm_summary;

/* values [count].  group [count]: rows with equal numbers form a cluster, and clusters are independent; NULL: every row is.
 * LFM_E_DATA when there is no value, or one that is not finite. */
lfm_status lfm_summary_mean(const double *values, const double *group, int64_t count, lfm_summary *out);

/* Of a - b, row by row: the paired difference. */
lfm_status lfm_summary_paired(const double *a, const double *b, const double *group, int64_t count, lfm_summary *out);

/* 0 <= right <= rows; zeros where there are no rows.  The interval is Wilson's, for a binomial share: never outside 0..1,
 * right also near its ends. */
lfm_share lfm_summary_share(int64_t right, int64_t rows);
/* That interval alone, of a share that is as sure as one of n rows. */
void lfm_summary_wilson(double share, double n, double *low, double *high);

/* The 97.5 % point of Student's law; degrees >= 1.  Within 0.3 % (exact for 1 and 2). */
double lfm_student_975(int64_t degrees);

#endif
