/* SPDX-License-Identifier: MIT
 *
 * neighbours.h -- all distances between two sets of rows, exactly, and the nearest rows by them.
 */
#ifndef LFM_METRIC_NEIGHBOURS_H
#define LFM_METRIC_NEIGHBOURS_H

#include "core/threads.h"
#include "metric/features.h"

/* squares [count]: the squared distances of a query to the rows first .. first + count - 1.  A query's rows come in order
 * and to one worker, so that what is kept a query needs no lock. */
typedef void (*lfm_distances_fn)(void *context, int64_t query, int64_t first, int64_t count, const float *squares);

/* Shows every query all rows.  A squared distance is sum_c (x_c - y_c)^2 in floats, c in order, whatever the team (may be
 * NULL) and the place of the rows: the same to the bit from either side, and 0 for equal rows.  Holds a copy of the rows.
 * Both are as lfm_features_check_pair wants them. */
lfm_status lfm_distances_visit(const lfm_features *queries, const lfm_features *rows, lfm_team *team, lfm_distances_fn visit,
                               void *context);

typedef struct lfm_neighbour {
  int64_t row;
  float square; /* of the distance */
} lfm_neighbour;

/* The k nearest rows of each query, nearest first, ties to the lower row: out [queries, k].  `itself`: queries and rows are
 * the same, and query i is not its own neighbour.  LFM_E_DATA when there are fewer than k rows, or as lfm_features_check. */
lfm_status lfm_neighbours_find(const lfm_features *queries, const lfm_features *rows, int k, bool itself, lfm_team *team,
                               lfm_neighbour *out);

#endif
