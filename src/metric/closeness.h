/* SPDX-License-Identifier: MIT
 *
 * closeness.h -- has a generator learnt its training rows by heart?  How near generated rows come to the training set, beside
 * how near held-out rows do, which nobody has copied.
 */
#ifndef LFM_METRIC_CLOSENESS_H
#define LFM_METRIC_CLOSENESS_H

#include "metric/summary.h"

typedef struct lfm_closeness {
  double generated, heldout; /* median distance to the nearest training row */
  lfm_summary closer;        /* chance that a generated row is nearer than a held-out one, ties by half; 0.5 for equal laws */
  lfm_share memorised;       /* generated rows nearer than the `rank`-th nearest held-out row, the last of its 1 % */
  double memorised_due;      /* rank / (heldout rows + 1): what equal laws give */
  int64_t copies;            /* generated rows at distance 0 */
} lfm_closeness;

/* Squared distances to the nearest training row: generated [rows], heldout [others], each finite; both are sorted in place.
 * LFM_E_DATA when there are fewer than two of either. */
lfm_status lfm_closeness_compare(float *generated, int64_t rows, float *heldout, int64_t others, lfm_closeness *out);

#endif
