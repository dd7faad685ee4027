/* SPDX-License-Identifier: MIT
 *
 * distance.h -- distances between two samples: second opinions beside metric/c2st.h.  Columns count in the units they are
 * given in: standardise first.
 */
#ifndef LFM_METRIC_DISTANCE_H
#define LFM_METRIC_DISTANCE_H

#include "core/threads.h"

/* Sliced 2-Wasserstein distance of a and b [rows, dim] over `slices` random directions (100 or more).  [Bonneel et al. 2015]
 * Not 0 for two samples of one law: compare with the distance between two real samples of the same size. */
lfm_status lfm_sliced_wasserstein(const double *a, const double *b, int64_t rows, int64_t dim, int slices, uint64_t seed,
                                  lfm_team *team, double *out);

/* Squared maximum mean discrepancy, the unbiased estimate (about 0, also below, for two samples of one law), with the kernel
 * e^(-|x - y|^2 / 2 h^2), h the median distance of up to 1,000 pooled rows.  [Gretton et al. 2012, Eq. (3)]  Time rows^2 dim.
 */
lfm_status lfm_mmd_squared(const double *a, const double *b, int64_t rows, int64_t dim, lfm_team *team, double *out);

#endif
