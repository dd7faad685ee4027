/* SPDX-License-Identifier: MIT
 *
 * pixel_density.h -- a picture as a probability density on the square [-extent, extent]^2.
 *   p(x) = sum over pixels of weight_i K(x - centre_i), the weights scaled to sum to 1
 * K is a Gaussian of `sigma` pixels along each axis, or, for sigma = 0, uniform over the pixel.  Row 0 of the picture is
 * its top (largest y).  log p is exact and the entropy is known, so a model's excess over it can be told in nats.
 */
#ifndef LFM_METRIC_PIXEL_DENSITY_H
#define LFM_METRIC_PIXEL_DENSITY_H

#include "core/rng.h"
#include "core/status.h"

typedef struct lfm_pixel_density lfm_pixel_density; /* immutable; may be shared by threads */

/* weights [height, width], not negative, copied.  LFM_E_DATA when they are not, or none is over 0;
 * LFM_E_USAGE for sizes outside 1..8192, extent <= 0, or sigma outside 0 and 0.25..64. */
lfm_status lfm_pixel_density_create(const float *weights, int64_t width, int64_t height, double extent, double sigma,
                                    lfm_pixel_density **out);
void lfm_pixel_density_destroy(lfm_pixel_density *density); /* accepts NULL */

/* The row-th draw: a function of (rng, row) alone. */
void lfm_pixel_density_sample(const lfm_pixel_density *density, const lfm_rng *rng, int64_t row, double xy[2]);

/* log p(x, y) in nats, to 1e-9; -INFINITY where p is 0 (sigma = 0) or the point is not finite. */
double lfm_pixel_density_log(const lfm_pixel_density *density, double x, double y);

/* -integral p log p, in nats.  sigma > 0: the midpoint rule on `refine` x `refine` points a pixel (2 gives 1e-6 at
 * sigma = 1); sigma = 0: a sum in closed form.  *mass (may be NULL): integral p by the same rule, a check on it. */
lfm_status lfm_pixel_density_entropy(const lfm_pixel_density *density, int refine, double *entropy, double *mass);

#endif
