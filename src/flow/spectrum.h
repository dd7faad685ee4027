/* SPDX-License-Identifier: MIT
 *
 * spectrum.h -- the variances of rows along the axes of their covariance, in the flow's units.
 */
#ifndef LFM_FLOW_SPECTRUM_H
#define LFM_FLOW_SPECTRUM_H

#include "flow/chain.h"

/* values [dim], in no order: the eigenvalues of the covariance of rows x [rows, cols], which are in the data's units.  With
 * no more rows than dim there are zeros among them.  LFM_E_DATA when rows < 2. */
lfm_status lfm_spectrum(const lfm_model *model, const double *x, int64_t rows, double *values);

/* Of rows that are in the flow's units already: y [rows, dim], which is overwritten. */
lfm_status lfm_spectrum_within(double *y, int64_t rows, int64_t dim, double *values);

#endif
