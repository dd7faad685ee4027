/* SPDX-License-Identifier: MIT
 *
 * normaliser.h -- the map between the data's units and the flow's: y = (x - mean) W, with its exact log-determinant.
 *   none         W = I over the varying columns, mean = 0
 *   standardise  W = diag(1 / sd)
 *   whiten       W = D^-1 R^-1/2, D the standard deviations and R the correlation: y has covariance I (normaliser.c)
 *   radial       whiten, and rows that lie far drawn nearer (radial.h): the one map that is not affine
 * A constant column has no density: it is left out of y, stored, and put back by the inverse.
 *   pixels       y = x scale - 1 for pictures, all columns alike and none left out: there are too many for matrices
 *   chunks       y = (x - mean) forward, a number a column: forward is the diagonal, [dim], and none is left out either
 */
#ifndef LFM_DATA_NORMALISER_H
#define LFM_DATA_NORMALISER_H

#include "core/status.h"
#include "data/radial.h"

typedef enum lfm_normalise {
  LFM_NORMALISE_NONE,
  LFM_NORMALISE_STANDARDISE,
  LFM_NORMALISE_WHITEN,
  LFM_NORMALISE_RADIAL,
  LFM_NORMALISE_PIXELS, /* follows from the data being pictures; no key asks for it */
  LFM_NORMALISE_CHUNKS, /* from their being chunks of actions; likewise */
} lfm_normalise;

typedef struct lfm_normaliser {
  lfm_normalise kind;
  int64_t cols;      /* of the data */
  int64_t dim;       /* of the flow: the columns that vary */
  int64_t *varying;  /* [dim] their numbers */
  double *constant;  /* [cols] the value of a constant column, 0 elsewhere */
  double *mean;      /* [dim] */
  double *forward;   /* [dim, dim] W, row-vector convention: y = (x - mean) W; of chunks [dim], its diagonal */
  double *inverse;   /* [dim, dim] W^-1 */
  double scale;      /* of pixels, whose arrays are NULL */
  double logdet;     /* log |det W| */
  lfm_radial radial; /* of radial alone */
} lfm_normaliser;

/* From the rows of a table; sums run in row order in double.  LFM_E_DATA when no column varies, or (whiten, radial) when the
 * covariance is singular: the message names the columns. */
lfm_status lfm_normaliser_fit(lfm_normalise kind, const lfm_table *table, lfm_normaliser **out);
lfm_status lfm_normaliser_make(lfm_normalise kind, int64_t cols, int64_t dim, lfm_normaliser **out); /* to be filled */
/* Grey levels 0 .. 255 to [-1, 1]; dequantised, levels anywhere in 0 .. 256 to it.  (pixels.h) */
lfm_status lfm_normaliser_pixels(int64_t dim, bool dequantised, lfm_normaliser **out);
/* Chunks of `steps` actions, each (a - mean) scale with mean and scale [width]. */
lfm_status lfm_normaliser_chunks(int64_t steps, int64_t width, const double *mean, const double *scale, lfm_normaliser **out);
lfm_status lfm_normaliser_copy(const lfm_normaliser *from, lfm_normaliser **out);
void lfm_normaliser_destroy(lfm_normaliser *normaliser);

/* Of one that somebody else filled: *wrong names what is not that of forward to six digits, "inverse" or "logdet", or
 * "forward", where that mixes columns and the kind does not, or "radial", whose numbers are no scales; NULL: all is well.
 */
lfm_status lfm_normaliser_check(const lfm_normaliser *normaliser, const char **wrong);

void lfm_normaliser_apply(const lfm_normaliser *normaliser, const double *x, double *y);  /* x [cols] -> y [dim] */
void lfm_normaliser_invert(const lfm_normaliser *normaliser, const double *y, double *x); /* y [dim] -> x [cols] */

bool lfm_normaliser_mixes(const lfm_normaliser *normaliser); /* a number of y is of several columns */
/* log p(x) = log p(y) + this, over the varying columns; y [dim].  An affine map's is that of every row. */
double lfm_normaliser_logdet(const lfm_normaliser *normaliser, const double *y);

#endif
