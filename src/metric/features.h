/* SPDX-License-Identifier: MIT
 *
 * features.h -- what the scores of generated pictures take: a table of feature vectors, or of pixels, with a name for errors.
 */
#ifndef LFM_METRIC_FEATURES_H
#define LFM_METRIC_FEATURES_H

#include "core/status.h"

typedef struct lfm_features {
  const char *name; /* "generated": what an error calls them */
  const float *x;   /* [rows, dim]: the caller's, as long as the view is used */
  int64_t rows, dim;
} lfm_features;

/* LFM_E_DATA when there are fewer than `least` rows, no column, or a value that is not finite or beyond 1e15, whose square
 * floats would not hold. */
lfm_status lfm_features_check(const lfm_features *features, int64_t least);

/* The same for two, and when they differ in columns. */
lfm_status lfm_features_check_pair(const lfm_features *a, const lfm_features *b, int64_t least);

#endif
