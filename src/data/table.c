/* SPDX-License-Identifier: MIT
 *
 * table.c -- the table: rows x cols doubles, a name and a number of decimals for each column.
 * Every data file becomes one and every sample leaves as one.  Doubles, though the network computes in float32: values of
 * a file must come back as they were read, and log-densities need the digits.  One block of values, row-major, because
 * training takes whole rows; a column store would serve only the statistics below.  Values over the limit of
 * lfm_memory_limit lie in a file (core/spill.c).
 */
#include "data/table.h"

#include "core/alloc.h"
#include "core/bytes.h"
#include "core/order.h"
#include "core/utf8.h"
#include "data/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lfm_status lfm_table_make(int64_t rows, int64_t cols, lfm_table **out) {
  lfm_table *table = NULL;
  lfm_status status;
  size_t values;
  *out = NULL;
  if (rows < 0 || cols < 0 || !lfm_size_multiply((size_t)rows, (size_t)cols, &values))
    return lfm_fail(LFM_E_USAGE, "a table of %lld rows and %lld columns is too large", (long long)rows, (long long)cols);
  LFM_TRY(LFM_ALLOC(&table, 1));
  table->rows = rows;
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&table->values, values), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&table->decimals, cols), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&table->names, cols), failed);
  for (table->cols = 0; table->cols < cols; table->cols++) { /* cols counts the names that destroy has to free */
    char name[24];
    snprintf(name, sizeof name, "x%lld", (long long)table->cols);
    LFM_TRY_GOTO(lfm_alloc_text(&table->names[table->cols], name), failed);
    table->decimals[table->cols] = LFM_AS_SINGLE;
  }
  *out = table;
  return LFM_OK;
failed:
  lfm_table_destroy(table);
  return status;
}

void lfm_table_destroy(lfm_table *table) {
  if (!table) return;
  for (int64_t col = 0; table->names && col < table->cols; col++) lfm_free(table->names[col]);
  lfm_images_destroy(table->images);
  lfm_free(table->names);
  lfm_free(table->decimals);
  lfm_free(table->number);
  lfm_free(table->path);
  if (!table->demos) lfm_free(table->values);
  lfm_demos_destroy(table->demos);
  lfm_windows_destroy(table->windows);
  lfm_free(table);
}

lfm_status lfm_table_rename(lfm_table *table, int64_t col, const char *name) {
  char *copy;
  LFM_TRY(lfm_alloc_text(&copy, name));
  lfm_free(table->names[col]);
  table->names[col] = copy;
  table->is_named = true;
  return LFM_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

lfm_status lfm_table_unique_names(char *const *names, int64_t cols, const char **twice) {
  const char **sorted;
  *twice = NULL;
  LFM_TRY(LFM_ALLOC(&sorted, cols));
  for (int64_t i = 0; i < cols; i++) sorted[i] = names[i];
  qsort(sorted, (size_t)cols, sizeof *sorted, by_text);
  for (int64_t i = 1; i < cols && !*twice; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0) *twice = sorted[i];
  lfm_free(sorted);
  return LFM_OK;
}

/* What the caller's arrays must be, said before anything is copied. */
static lfm_status check_values(const double *values, int64_t rows, int64_t cols, const int *decimals) {
  if (!values || rows < 1 || cols < 1) return lfm_fail(LFM_E_USAGE, "a table needs values, at least one row and one column");
  for (int64_t col = 0; decimals && col < cols; col++)
    if (decimals[col] < LFM_AS_DOUBLE || decimals[col] > LFM_DECIMALS_MAX)
      return lfm_fail(LFM_E_USAGE, "column %lld: %d decimals; -2 to %d are possible", (long long)col, decimals[col],
                      LFM_DECIMALS_MAX);
  return LFM_OK;
}

lfm_status lfm_table_check_finite(const char *name, const lfm_table *table, const char *advice) {
  char quoted[LFM_QUOTE_MAX];
  for (int64_t row = 0; !table->images && row < table->rows; row++)
    for (int64_t col = 0; col < table->cols; col++) {
      double value = table->values[row * table->cols + col];
      if (!isfinite(value))
        return lfm_fail(LFM_E_DATA, "%s: row %lld, column %s: %s%s%s", name, (long long)row + 1,
                        lfm_quote(table->names[col], strlen(table->names[col]), quoted),
                        isnan(value) ? "the value is missing (nan)" : "the value is infinite", *advice ? "; " : "", advice);
    }
  return LFM_OK;
}

lfm_status lfm_table_create(const double *values, int64_t rows, int64_t cols, const char *const *names, const int *decimals,
                            lfm_table **out) {
  lfm_table *table = NULL;
  lfm_status status;
  const char *twice;
  *out = NULL;
  LFM_TRY(check_values(values, rows, cols, decimals));
  LFM_TRY(lfm_table_make(rows, cols, &table));
  memcpy(table->values, values, (size_t)rows * (size_t)cols * sizeof *values);
  for (int64_t col = 0; col < cols; col++) {
    if (names && !lfm_utf8_is_text(names[col])) {
      status = lfm_fail(LFM_E_USAGE, "the name of column %lld is not UTF-8 text", (long long)col + 1);
      goto failed;
    }
    if (names) LFM_TRY_GOTO(lfm_table_rename(table, col, names[col]), failed);
    table->decimals[col] = decimals ? decimals[col] : LFM_AS_DOUBLE;
  }
  LFM_TRY_GOTO(lfm_table_unique_names(table->names, cols, &twice), failed);
  if (twice) {
    char quoted[LFM_QUOTE_MAX];
    status = lfm_fail(LFM_E_USAGE, "two columns are named %s", lfm_quote(twice, strlen(twice), quoted));
    goto failed;
  }
  LFM_TRY_GOTO(lfm_table_check_finite("table", table, ""), failed);
  *out = table;
  return LFM_OK;
failed:
  lfm_table_destroy(table);
  return status;
}

int64_t lfm_table_find(const lfm_table *table, const char *name) {
  for (int64_t col = 0; table->names && col < table->cols; col++)
    if (strcmp(table->names[col], name) == 0) return col;
  return -1;
}

int64_t lfm_table_number(const lfm_table *table, int64_t row) { return table->number ? table->number[row] : row; }

bool lfm_table_is_beside(const lfm_table *other, const lfm_table *table) {
  return other->rows == table->rows || (table->number && other->rows == table->read);
}

int64_t lfm_table_row_beside(const lfm_table *other, const lfm_table *table, int64_t row) {
  return other->rows == table->rows ? row : lfm_table_number(table, row);
}

int64_t lfm_table_units(const lfm_table *table) { return table->demos ? table->demos->episodes : table->rows; }

static lfm_status take_demos(const lfm_demos *demos, const int64_t *index, int64_t count, lfm_table **out) {
  lfm_demos *taken;
  LFM_TRY(lfm_demos_take(demos, index, count, &taken));
  return lfm_table_of_demos(taken, out);
}

lfm_status lfm_table_take(const lfm_table *table, const int64_t *index, int64_t count, lfm_table **out) {
  lfm_table *taken;
  lfm_status status;
  *out = NULL;
  if (table->images) return lfm_table_take_images(table->images, index, count, out);
  if (table->demos) return take_demos(table->demos, index, count, out);
  LFM_TRY(lfm_table_make(count, table->cols, &taken));
  for (int64_t col = 0; col < table->cols; col++) {
    LFM_TRY_GOTO(lfm_table_rename(taken, col, table->names[col]), failed);
    taken->decimals[col] = table->decimals[col];
  }
  taken->is_named = table->is_named;
  size_t row_size = (size_t)table->cols * sizeof *table->values;
  for (int64_t i = 0; i < count; i++)
    memcpy(taken->values + i * table->cols, table->values + index[i] * table->cols, row_size);
  *out = taken;
  return LFM_OK;
failed:
  lfm_table_destroy(taken);
  return status;
}

lfm_status lfm_table_share_equal(const lfm_table *table, int64_t col, double *share) {
  double *sorted;
  LFM_TRY(LFM_ALLOC_ROWS(&sorted, table->rows));
  for (int64_t row = 0; row < table->rows; row++) sorted[row] = table->values[row * table->cols + col];
  qsort(sorted, (size_t)table->rows, sizeof *sorted, lfm_by_size);
  int64_t longest = 0, run = 0;
  for (int64_t row = 0; row < table->rows; row++) {
    run = row > 0 && sorted[row] == sorted[row - 1] ? run + 1 : 1;
    if (run > longest) longest = run;
  }
  lfm_free(sorted);
  *share = table->rows ? (double)longest / (double)table->rows : 0.0;
  return LFM_OK;
}

lfm_rows_kind lfm_table_kind(const lfm_table *table) {
  return table->images ? LFM_ROWS_PICTURES : table->demos ? LFM_ROWS_DEMOS : LFM_ROWS_TABLE;
}

int64_t lfm_table_rows(const lfm_table *table) { return table->rows; }
int64_t lfm_table_cols(const lfm_table *table) { return table->cols; }
const double *lfm_table_values(const lfm_table *table) { return table->values; }

const char *lfm_table_name(const lfm_table *table, int64_t col) {
  return table->names && col >= 0 && col < table->cols ? table->names[col] : NULL;
}

int lfm_table_decimals(const lfm_table *table, int64_t col) {
  return table->names && col >= 0 && col < table->cols ? table->decimals[col] : -1;
}
