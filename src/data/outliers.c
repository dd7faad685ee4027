/* SPDX-License-Identifier: MIT
 *
 * outliers.c -- see outliers.h.
 * A column's standard deviation beside what the middle 98 % of its values would give if they were normal: some values make it
 * larger in any heavy tail (a lognormal of sigma 2, 2.4 times; ten thousand Cauchy values, some five), a mistyped one makes
 * it so many times larger that nothing of the others is left to learn once it is divided by.
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
  c.sd = sqrt(fmax(squares / (double)rows - pow(sum / (double)rows, 2), 0.0));
  return c;
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

lfm_status lfm_outliers_warn(const lfm_table *table) {
  double *room;
  if (table->rows < LEAST_ROWS) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&room, MOST_LOOKED_AT));
  int named = 0;
  for (int64_t j = 0; j < table->cols && named < MOST_NAMED; j++) {
    column c = look_at(table, j, room);
    if (!(c.sd > TOO_WIDE * (c.high - c.low) / NORMAL_MIDDLE)) continue;
    warn(table, j, &c);
    named++;
  }
  lfm_free(room);
  return LFM_OK;
}
