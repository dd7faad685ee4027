/* SPDX-License-Identifier: MIT
 *
 * columns.h -- rows between a table and a model.  Pictures go as they are; of columns, which are the model's: by name where
 * all are there, by place where none is; and a table with a model's columns.  Some by name and the rest by place was refused:
 * a table in another order with one column renamed would be scored as nonsense.  So was a table without names, whose x0, x1,
 * ... are places, where the model has learnt these columns in another order: nobody can tell which of the two it is in.
 */
#ifndef LFM_FLOW_COLUMNS_H
#define LFM_FLOW_COLUMNS_H

#include "data/table.h"
#include "flow/chain.h"

/* place [cols] of each model column in the table.  LFM_E_DATA when neither names nor the number of columns fit, or when a
 * column that is constant in the model varies in the table (its density there is zero). */
lfm_status lfm_columns_match(const lfm_model *model, const lfm_table *table, int64_t *place);

/* Does a column that is constant in the model vary in the table?  The first *row and the model's *col where it does; place
 * NULL: the columns are the model's own. */
bool lfm_columns_find_change(const lfm_model *model, const lfm_table *table, const int64_t *place, int64_t *row,
                             int64_t *col);

/* LFM_E_DATA unless the densities of two models that match the table are over the same of its columns, which must be so where
 * they are compared; a column that was constant in training is in no density. */
lfm_status lfm_columns_compare(const lfm_model *a, const lfm_model *b, const lfm_table *table);

/* The same for rows of a border, whose columns are x0, x1, ...: place [dim]. */
lfm_status lfm_columns_match_border(const lfm_model *model, const lfm_table *table, int64_t *place);

/* A table of zeros under the model's names, with its decimals as far as single precision goes, and `extra` further columns
 * behind them; or black pictures, which have no further columns. */
lfm_status lfm_columns_make(const lfm_model *model, int64_t rows, int64_t extra, lfm_table **out);

/* A row y [dim] of the flow in the data's units, into a table that lfm_columns_make has made. */
void lfm_columns_put(const lfm_model *model, const double *y, lfm_table *table, int64_t row);

/* The rows to look at: *row [*count], freed with lfm_free, the numbers of all, or of `wanted` evenly spaced ones (0: all).
 * LFM_E_DATA when there are none or a value is not finite; LFM_E_USAGE when wanted is below 0. */
lfm_status lfm_columns_choose(const lfm_table *table, int64_t wanted, int64_t **row, int64_t *count);

/* The clusters of those rows: *out [count], freed with lfm_free.  LFM_E_DATA unless `group` is one column with the rows of
 * the table. */
lfm_status lfm_columns_group(const lfm_table *group, const lfm_table *table, const int64_t *row, int64_t count, double **out);

/* Of a policy and demonstrations: their windows, for the caller to use in their place and to destroy; else NULL. */
lfm_status lfm_columns_windows(const lfm_model *model, const lfm_table *table, lfm_table **out);

/* What is given of those rows of a table of windows: *given [count, given], freed with lfm_free; of others NULL. */
lfm_status lfm_columns_given(const lfm_model *model, const lfm_table *table, const int64_t *rows, int64_t count,
                             float **given);

/* Rows of the table in the model's columns: *x [count, cols], freed with lfm_free. */
lfm_status lfm_columns_gather(const lfm_model *model, const lfm_table *table, const int64_t *rows, int64_t count, double **x);

#endif
