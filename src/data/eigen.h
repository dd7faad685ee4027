/* SPDX-License-Identifier: MIT
 *
 * eigen.h -- eigenvalues and eigenvectors of a symmetric matrix.
 */
#ifndef LFM_DATA_EIGEN_H
#define LFM_DATA_EIGEN_H

#include "core/status.h"

/* a = V diag(values) V^T.  a [n, n] symmetric, destroyed; values [n] in no order; vectors [n, n], one a column.
 * LFM_E_NUMERIC when it does not converge, which only values that are not finite bring about. */
lfm_status lfm_eigen_symmetric(int64_t n, double *a, double *values, double *vectors);

/* The eigenvalues alone, in a tenth of the time and to the rounding of the largest one: small ones are not to the last digit.
 * a [n, n] symmetric, destroyed; values [n] in no order; scratch [2 n].  LFM_E_NUMERIC likewise. */
lfm_status lfm_eigen_values(int64_t n, double *a, double *values, double *scratch);

#endif
