/* SPDX-License-Identifier: MIT
 *
 * gaussian.h -- a Gaussian with a full covariance: the simplest rival of a flow, and the part that mixtures are made of.
 */
#ifndef LFM_METRIC_GAUSSIAN_H
#define LFM_METRIC_GAUSSIAN_H

#include "core/rng.h"
#include "core/status.h"

typedef struct lfm_gaussian {
  int64_t dim;
  double *mean;      /* [dim] */
  double *factor;    /* [dim, dim] L, lower triangular, L L^T = covariance */
  double log_height; /* log density at the mean */
} lfm_gaussian;

/* The maximum-likelihood Gaussian of x [rows, dim]; LFM_E_DATA when the covariance is singular: the message names a column.
 */
lfm_status lfm_gaussian_fit(const double *x, int64_t rows, int64_t dim, lfm_gaussian **out);

/* mean [dim], covariance [dim, dim] (the lower half is read). */
lfm_status lfm_gaussian_create(const double *mean, const double *covariance, int64_t dim, lfm_gaussian **out);
void lfm_gaussian_destroy(lfm_gaussian *gaussian); /* accepts NULL */

/* A new covariance and mean for an existing one; false, and nothing usable, when not positive definite. */
bool lfm_gaussian_set(lfm_gaussian *gaussian, const double *mean, const double *covariance);

/* log p(x) in nats; z [dim] is scratch and holds L^-1 (x - mean) afterwards: the whitened row. */
double lfm_gaussian_log(const lfm_gaussian *gaussian, const double *x, double *z);

/* log p of a tile of rows side by side, to the bits that lfm_gaussian_log gives each, at a vector unit's pace.
 *   x [dim, LFM_GAUSSIAN_TILE] a row of the data in each column
 *   z [dim, LFM_GAUSSIAN_TILE] scratch     logp [LFM_GAUSSIAN_TILE] */
enum { LFM_GAUSSIAN_TILE = 32 };
void lfm_gaussian_log_tile(const lfm_gaussian *gaussian, const double *x, double *z, double *logp);

/* The row-th draw, from the uniforms index, index + 1, ... of the row; x [dim]. */
void lfm_gaussian_sample(const lfm_gaussian *gaussian, const lfm_rng *rng, int64_t row, uint32_t index, double *x);

double lfm_gaussian_entropy(const lfm_gaussian *gaussian); /* nats */

#endif
