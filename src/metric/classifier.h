/* SPDX-License-Identifier: MIT
 *
 * classifier.h -- the two kinds of classifier that metric/c2st.h chooses from, over rows already whitened and shuffled.
 */
#ifndef LFM_METRIC_CLASSIFIER_H
#define LFM_METRIC_CLASSIFIER_H

#include "core/threads.h"

typedef struct lfm_split {
  int64_t dim, fit, valid, total; /* rows [0, fit) to learn from, [fit, valid) to choose by, [valid, total) to test on */
  const float *x;                 /* [total, dim] */
  const uint8_t *label;           /* [total] 0 or 1 */
} lfm_split;

/* said [total]: the label that each row from `fit` on is given; the others are left alone. */

enum { LFM_FEW_NEIGHBOURS = 5, LFM_MANY_NEIGHBOURS = 25 };

/* The majority among the nearest rows to learn from.  team may be NULL. */
lfm_status lfm_neighbours_classify(const lfm_split *split, lfm_team *team, uint8_t *said_few, uint8_t *said_many);

/* A small network, trained by AdamW and kept at its best loss on the rows to choose by. */
lfm_status lfm_network_classify(const lfm_split *split, uint64_t seed, uint8_t *said);

#endif
