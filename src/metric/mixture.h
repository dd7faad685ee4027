/* SPDX-License-Identifier: MIT
 *
 * mixture.h -- a mixture of full-covariance Gaussians, fitted by EM: the strong simple rival of a flow on tables.
 * How many components is the caller's to choose, by the log density of held-out rows.
 */
#ifndef LFM_METRIC_MIXTURE_H
#define LFM_METRIC_MIXTURE_H

#include "core/threads.h"
#include "metric/gaussian.h"

typedef struct lfm_mixture {
  int64_t dim, count;
  double *log_weight;   /* [count] */
  lfm_gaussian **parts; /* [count], in the units of the data */
} lfm_mixture;

typedef struct lfm_mixture_config {
  int64_t components;
  int iterations;   /* at most */
  double tolerance; /* stops when an iteration gains less than this many nats a row */
  double floor;     /* added to every variance, as a share of the column's variance over all rows */
  uint64_t seed;    /* of the starting centres */
} lfm_mixture_config;

void lfm_mixture_defaults(lfm_mixture_config *config); /* 10 components, 200 iterations, 1e-5, 1e-4, seed 0 */

/* x [rows, dim].  The same bytes for any team; team may be NULL.  *mean_log (may be NULL): mean log p of the rows. */
lfm_status lfm_mixture_fit(const double *x, int64_t rows, int64_t dim, const lfm_mixture_config *config, lfm_team *team,
                           lfm_mixture **out, double *mean_log);

/* weights [count] (scaled to sum 1), means [count, dim], covariances [count, dim, dim]: a known mixture. */
lfm_status lfm_mixture_create(const double *weights, const double *means, const double *covariances, int64_t count,
                              int64_t dim, lfm_mixture **out);
void lfm_mixture_destroy(lfm_mixture *mixture); /* accepts NULL */

/* log p(x) in nats; scratch [dim + count]. */
double lfm_mixture_log(const lfm_mixture *mixture, const double *x, double *scratch);

/* The row-th draw: uniform 0 of the row picks the component. */
void lfm_mixture_sample(const lfm_mixture *mixture, const lfm_rng *rng, int64_t row, double *x);

#endif
