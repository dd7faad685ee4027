/* SPDX-License-Identifier: MIT
 *
 * redundancy.h -- what makes a density of a table mean little though every value is fine: copies of rows, and columns that
 * are linear functions of others.
 */
#ifndef LFM_DATA_REDUNDANCY_H
#define LFM_DATA_REDUNDANCY_H

#include "core/status.h"

/* More rows are not compared, and among more columns no linear functions are sought: either would take seconds. */
enum { LFM_MOST_COMPARED_ROWS = 5000000, LFM_MOST_COMPARED_COLUMNS = 400 };

/* *copies = how many of x [rows, cols] are equal to a row before them; with group [rows], only to rows of other groups. */
lfm_status lfm_redundant_rows(const double *x, int64_t rows, int64_t cols, const double *group, int64_t *copies);

/* *shared = how many of y [others, cols] are equal to a row of x [rows, cols]. */
lfm_status lfm_shared_rows(const double *x, int64_t rows, const double *y, int64_t others, int64_t cols, int64_t *shared);

/* *count = how many columns are linear functions of the columns before them, to a thousandth of their spread; list [size]
 * says which and of what: "b (of a), sum (of x, y)".  None where there are too few rows to tell. */
lfm_status lfm_redundant_columns(const double *x, int64_t rows, int64_t cols, char *const *names, int64_t *count, char *list,
                                 size_t size);

/* Both as warnings, of copies from 1 % of the rows on; a note where the table is too large to look.  `advice` is what to do
 * about copies. */
lfm_status lfm_redundancy_warn(const double *x, int64_t rows, int64_t cols, char *const *names, const double *group,
                               const char *advice);

#endif
