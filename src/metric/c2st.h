/* SPDX-License-Identifier: MIT
 *
 * c2st.h -- can a classifier tell two samples apart?  The classifier two-sample test.  [Lopez-Paz and Oquab 2017]
 */
#ifndef LFM_METRIC_C2ST_H
#define LFM_METRIC_C2ST_H

#include "core/threads.h"

typedef struct lfm_c2st {
  int64_t tests;          /* rows that the accuracy is measured on: as many as one sample has, or one more */
  double accuracy;        /* 0.5 when the samples cannot be told apart */
  double low, high;       /* its 95 % interval: Wilson's, for a binomial share */
  const char *classifier; /* the one that was chosen */
} lfm_c2st;

/* a, b [rows, dim]: two samples of one size, at least 200 rows.  The outcome depends on the seed, not on the team (may be
 * NULL).  LFM_E_DATA when a column is constant or a linear function of others. */
lfm_status lfm_c2st_test(const double *a, const double *b, int64_t rows, int64_t dim, uint64_t seed, lfm_team *team,
                         lfm_c2st *out);

#endif
