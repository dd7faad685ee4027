/* SPDX-License-Identifier: MIT
 *
 * outliers.h -- single values so far beyond all others of their column that its mean and spread are theirs alone, as one that
 * was mistyped is: those are warned of, and refused where the column has no spread in doubles.
 */
#ifndef LFM_DATA_OUTLIERS_H
#define LFM_DATA_OUTLIERS_H

#include "data/table.h"

/* A warning for each such column (of the first few), with the row and what to do; LFM_E_DATA, likewise, where a value is so
 * large that its column has no standard deviation. */
lfm_status lfm_outliers_check(const lfm_table *table);

#endif
