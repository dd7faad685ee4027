/* SPDX-License-Identifier: MIT
 *
 * frechet.h -- the Frechet distance between two sets of feature vectors, with its bias, its interval, and its floor.
 */
#ifndef LFM_METRIC_FRECHET_H
#define LFM_METRIC_FRECHET_H

#include "core/threads.h"
#include "metric/features.h"

/* |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)): the squared 2-Wasserstein distance of N(mean_a, A) and N(mean_b, B), in
 * squared units of the features.  [Dowson and Landau 1982]
 *   mean_* [dim]; cov_* [dim, dim] symmetric, may be singular, dim up to a few hundred (the time grows with dim^3)
 * LFM_E_NUMERIC when a value is not finite. */
lfm_status lfm_frechet_gaussians(const double *mean_a, const double *cov_a, const double *mean_b, const double *cov_b,
                                 int64_t dim, double *out);

typedef struct lfm_frechet {
  double distance;  /* of the fitted Gaussians: the figure others report; too high, by a term that falls as 1 / rows */
  double corrected; /* without that term, and so about 0, also below, for two samples of one law */
  double se;        /* of `corrected`: jackknife over groups of rows */
  double low, high; /* its 95 % interval, rather too wide than too narrow */
} lfm_frechet;

/* Between two samples, each of LFM_FRECHET_LEAST rows or more.  `corrected` means little with fewer rows than a few times
 * dim: the terms beyond 1 / rows then count.  Does not depend on the team (may be NULL); row i belongs to group i mod 20. */
enum { LFM_FRECHET_GROUPS = 20, LFM_FRECHET_LEAST = 2 * LFM_FRECHET_GROUPS };
lfm_status lfm_frechet_distance(const lfm_features *a, const lfm_features *b, lfm_team *team, lfm_frechet *out);

typedef struct lfm_frechet_floor {
  lfm_frechet generated; /* between generated and held-out rows */
  lfm_frechet floor;     /* between as many training rows and the held-out rows: what a perfect generator gets */
  lfm_frechet above;     /* the difference, paired: both leave out the same held-out rows */
} lfm_frechet_floor;

/* How far generated rows are from held-out real ones, above the floor.  `train` has as many rows as `generated`: rows that
 * are drawn at random from the training set, not its first ones if it is in any order.  With the rows of another generator
 * in its place, `above` is the paired difference of the two. */
lfm_status lfm_frechet_above_floor(const lfm_features *generated, const lfm_features *train, const lfm_features *heldout,
                                   lfm_team *team, lfm_frechet_floor *out);

#endif
