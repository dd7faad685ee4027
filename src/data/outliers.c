/* SPDX-License-Identifier: MIT
 *
 * outliers.c -- see outliers.h.
 * A column's standard deviation beside what the middle 98 % of its values would give if they were normal: some values make it
 * larger in any heavy tail (a lognormal of sigma 2, 2.4 times; ten thousand Cauchy values, some five), a mistyped one makes
 * it so many times larger that nothing of the others is left to learn once it is divided by.  One whose square no double
 * holds cannot be divided by at all.
 */
#include "data/outliers.h"

#include "core/alloc.h"
#include "core/order.h"
#include "data/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LOOKED_AT = 4096, LEAST_ROWS = 100, MOST_NAMED = 3 };
#define NORMAL_MIDDLE 4.6527 /* standard deviations between the first and the last hundredth of a normal law */
#define TOO_WIDE 20.0

typedef struct column {
  double low, high; /* the middle 98 % */
  double sd;
  int64_t farthest; /* row */
} column;

/* Quantiles by evenly spaced rows; room [MOST_LOOKED_AT]. */
static column look_at(const lfm_table *table, int64_t j, double *room) {
  int64_t rows = table->rows, count = lfm_least(rows, MOST_LOOKED_AT);
  const double *x = table->values + j;
  for (int64_t i = 0; i < count; i++) room[i] = x[lfm_spaced(i, rows, count) * table->cols];
  qsort(room, (size_t)count, sizeof *room, lfm_by_size);
  column c = {.low = room[count / 100], .high = room[count - 1 - count / 100]};
  double sum = 0.0, squares = 0.0, middle = 0.5 * (c.low + c.high);
  for (int64_t i = 0; i < rows; i++) {
    double apart = x[i * table->cols] - middle;
    sum += apart, squares += apart * apart;
    if (fabs(apart) > fabs(x[c.farthest * table->cols] - middle)) c.farthest = i;
  }
  c.sd = isfinite(squares) ? sqrt(fmax(squares / (double)rows - pow(sum / (double)rows, 2), 0.0)) : INFINITY;
  return c;
}

/* Of any number of rows: without a standard deviation there is no scale. */
static lfm_status refuse_largest(const lfm_table *table, int64_t j) {
  char quoted[LFM_QUOTE_MAX];
  const double *x = table->values + j;
  int64_t largest = 0;
  for (int64_t i = 1; i < table->rows; i++)
    if (fabs(x[i * table->cols]) > fabs(x[largest * table->cols])) largest = i;
  return lfm_fail(
      LFM_E_DATA,
      "row %lld, column %s: %.7g is too large for the column to have a standard deviation; mend or drop the row, or "
      "rescale the column",
      (long long)lfm_table_number(table, largest) + 1, lfm_quote(table->names[j], strlen(table->names[j]), quoted),
      x[largest * table->cols]);
}

static void warn(const lfm_table *table, int64_t j, const column *c) {
  char quoted[LFM_QUOTE_MAX];
  lfm_note(
      LFM_WARNING,
      "column %s: nearly all of its values lie between %.7g and %.7g, and that of row %lld is %.7g, which makes its standard "
      "deviation %.3g; mend or drop such rows, or the others are learnt as one point",
      lfm_quote(table->names[j], strlen(table->names[j]), quoted), c->low, c->high,
      (long long)lfm_table_number(table, c->farthest) + 1, table->values[c->farthest * table->cols + j], c->sd);
}

static lfm_status check_columns(const lfm_table *table, double *room) {
  int named = 0;
  for (int64_t j = 0; j < table->cols; j++) {
    column c = look_at(table, j, room);
    if (isinf(c.sd)) return refuse_largest(table, j);
    bool is_wide = table->rows >= LEAST_ROWS && c.sd > TOO_WIDE * (c.high - c.low) / NORMAL_MIDDLE;
    if (is_wide && named++ < MOST_NAMED) warn(table, j, &c);
  }
  return LFM_OK;
}

lfm_status lfm_outliers_check(const lfm_table *table) {
  double *room;
  LFM_TRY(LFM_ALLOC(&room, MOST_LOOKED_AT));
  lfm_status status = check_columns(table, room);
  lfm_free(room);
  return status;
}
