/* SPDX-License-Identifier: MIT
 *
 * manifold.h -- are generated rows where real ones are, and the other way round?
 * Around each row lies a ball that reaches to its k-th nearest neighbour in its own set; the balls of a set are where it is.
 */
#ifndef LFM_METRIC_MANIFOLD_H
#define LFM_METRIC_MANIFOLD_H

#include "metric/neighbours.h"
#include "metric/summary.h"

enum { LFM_PRECISION_NEIGHBOURS = 3, LFM_DENSITY_NEIGHBOURS = 5 }; /* k as published */

typedef struct lfm_manifold {
  lfm_share precision; /* generated rows in a ball of a real row  [Kynkaanniemi et al. 2019, Eq. (2)] */
  lfm_share recall;    /* real rows in a ball of a generated row */
  lfm_summary
      density;        /* real balls that a generated row lies in, over k: 1 in the mean for equal laws  [Naeem et al. 2020] */
  lfm_share coverage; /* real balls that hold a generated row: about 1 - 2^-k = 0.97 for equal laws and numbers of rows */
} lfm_manifold;

/* All depend on the numbers of rows: take as many generated as real ones, and compare only figures of one number.  The
 * intervals are over the rows asked about, with the balls given.  6 rows or more a side; exact; does not depend on the team
 * (may be NULL).  The time grows with (generated + real)^2 dim. */
lfm_status lfm_manifold_compare(const lfm_features *generated, const lfm_features *real, lfm_team *team, lfm_manifold *out);

#endif
