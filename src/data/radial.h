/* SPDX-License-Identifier: MIT
 *
 * radial.h -- how far a whitened row lies, drawn together: y = c w (1 + |w|^2 / k^2)^(-1/4), directions kept.  Within the
 * knee k that is a scale; beyond it |y| goes as the root of |w|, so that of radii over two decades one is left.  Where rows
 * lie near and far at once, as patches of low and of high contrast do, a network sees the near ones as finely as the far.
 *   u = |y| / (c k),  R = |w| / k:   u = R (1 + R^2)^(-1/4),   R = u sqrt((u^2 + sqrt(u^4 + 4)) / 2)
 *   log |det dy/dw| = d log c - d/4 log(1 + R^2) + log((1 + R^2 / 2) / (1 + R^2))
 * A stretch of the kind that Lyu and Simoncelli (Neural Computation 2009) fit; the root, not the law that would make radii
 * normal, which hides in a tenth of |y| how far a row lay (docs/decisions/radial.md).
 */
#ifndef LFM_DATA_RADIAL_H
#define LFM_DATA_RADIAL_H

#include "core/status.h"

typedef struct lfm_radial {
  double knee;  /* k > 0 */
  double scale; /* c > 0 */
} lfm_radial;

/* From the radii |w| of rows in d columns: the knee is their first hundredth, and the mean of |y|^2 is d.  radii [rows], of
 * which one at least is not zero, are put in order. */
lfm_radial lfm_radial_fit(double *radii, int64_t rows, int64_t dim);

double lfm_radial_length(const double *w, int64_t dim);                        /* |w|, though no double holds its square */
double lfm_radial_forth(const lfm_radial *map, int64_t dim, const double *w);  /* |y| / |w| */
double lfm_radial_back(const lfm_radial *map, int64_t dim, const double *y);   /* |w| / |y| */
double lfm_radial_logdet(const lfm_radial *map, int64_t dim, const double *y); /* log |det dy/dw|, at the w of y */

#endif
