/* SPDX-License-Identifier: MIT
 *
 * select.c -- which columns and rows of a file become the table: --columns, --drop and --drop-missing.
 * Names in a list are separated by commas; a name that itself holds a comma is found all the same, because the longest
 * column name that fits is taken at each place, which spares users a second kind of quoting.
 * Text formats choose columns before they parse values (a column of words that is dropped never hurts); binary formats go
 * through lfm_select_table afterwards.
 */
#include "core/alloc.h"
#include "data/format.h"
#include "data/text.h"

#include <math.h>
#include <string.h>

bool lfm_select_drops_missing(const lfm_source *source) { return source->options && source->options->drop_missing; }

lfm_status lfm_select_note_dropped(const lfm_source *source, int64_t dropped, int64_t rows) {
  if (dropped == rows)
    return lfm_fail(LFM_E_DATA,
                    "%s: each of the %lld rows has a missing value; leave out the columns that are empty with --drop",
                    source->name, (long long)rows);
  if (dropped)
    lfm_note(LFM_NOTE, "%s: left out %lld of %lld rows, which have a missing value", source->name, (long long)dropped,
             (long long)rows);
  return LFM_OK;
}

/* The column whose name stands at the front of the list, behind it a comma or the end, and blanks before; the longest such.
 */
static int64_t match_name(const char *list, char *const *names, int64_t cols, size_t *length) {
  int64_t best = -1;
  size_t longest = 0;
  for (int64_t col = 0; col < cols; col++) {
    size_t size = strlen(names[col]);
    if (strncmp(list, names[col], size) != 0) continue;
    const char *behind = list + size + strspn(list + size, " ");
    if ((*behind != ',' && *behind != 0) || (best >= 0 && size <= longest)) continue;
    best = col;
    longest = size;
    *length = (size_t)(behind - list);
  }
  return best;
}

static lfm_status unknown_name(const lfm_source *source, const char *at, char *const *names, int64_t cols) {
  char quoted[LFM_QUOTE_MAX], list[300];
  return lfm_fail(LFM_E_USAGE, "%s: has no column %s; its columns are %s", source->name,
                  lfm_quote(at, strcspn(at, ","), quoted), lfm_quote_list(names, cols, list, sizeof list));
}

/* listed [*count] = the columns that the list names, in its order; marked [cols] says which.  absent: a name that is not
 * there is passed over. */
static lfm_status read_list(const lfm_source *source, const char *list, bool absent, char *const *names, int64_t cols,
                            int64_t *listed, bool *marked, int64_t *count) {
  const char *at = list;
  *count = 0;
  for (;;) {
    size_t length = 0;
    while (*at == ' ') at++;
    int64_t col = match_name(at, names, cols, &length);
    if (col < 0 && !absent) return unknown_name(source, at, names, cols);
    if (col < 0) length = strcspn(at, ",");
    else if (marked[col]) {
      char quoted[LFM_QUOTE_MAX];
      return lfm_fail(LFM_E_USAGE, "%s: column %s is listed twice", source->name, lfm_quote(at, length, quoted));
    }
    if (col >= 0) marked[col] = true, listed[(*count)++] = col;
    at += length;
    if (*at == 0) return LFM_OK;
    at++;
  }
}

static lfm_status choose(const lfm_source *source, char *const *names, int64_t cols, bool *marked, int64_t *keep,
                         int64_t *count) {
  const lfm_table_options *options = source->options;
  if (options && options->columns && options->drop) return lfm_fail(LFM_E_USAGE, "--columns and --drop exclude each other");
  if (options && options->columns) return read_list(source, options->columns, false, names, cols, keep, marked, count);
  if (options && options->drop)
    LFM_TRY(read_list(source, options->drop, options->drop_absent, names, cols, keep, marked, count));
  *count = 0;
  for (int64_t col = 0; col < cols; col++)
    if (!marked[col]) keep[(*count)++] = col;
  if (*count == 0) return lfm_fail(LFM_E_USAGE, "%s: --drop leaves no column", source->name);
  return LFM_OK;
}

bool lfm_select_names(const lfm_source *source, bool is_named) {
  return is_named || (source->options && (source->options->columns || source->options->drop));
}

/* All columns, in another order. */
static bool is_turned(const int64_t *keep, int64_t count, int64_t cols) {
  for (int64_t i = 0; count == cols && i < count; i++)
    if (keep[i] != i) return true;
  return false;
}

lfm_status lfm_select_columns(const lfm_source *source, char *const *names, bool is_named, int64_t cols, int64_t **keep,
                              int64_t *count) {
  lfm_status status;
  bool *marked;
  *keep = NULL;
  LFM_TRY(LFM_ALLOC(&marked, cols));
  LFM_TRY_GOTO(LFM_ALLOC(keep, cols), done);
  LFM_TRY_GOTO(choose(source, names, cols, marked, *keep, count), done);
  if (!is_named && source->options && source->options->own_names && is_turned(*keep, *count, cols))
    status = lfm_fail(LFM_E_USAGE,
                      "%s: its columns have no names; name them in the first row of a CSV, or choose places (--columns "
                      "x1,x0)",
                      source->name);
done:
  lfm_free(marked);
  if (status != LFM_OK) {
    lfm_free(*keep);
    *keep = NULL;
  }
  return status;
}

/* Replaces *table by one of the kept columns. */
static lfm_status take_columns(const lfm_source *source, lfm_table **table, const int64_t *keep, int64_t count) {
  const lfm_table *from = *table;
  lfm_table *taken;
  lfm_status status;
  LFM_TRY(lfm_table_make(from->rows, count, &taken));
  for (int64_t i = 0; i < count; i++) {
    LFM_TRY_GOTO(lfm_table_rename(taken, i, from->names[keep[i]]), failed);
    taken->decimals[i] = from->decimals[keep[i]];
    for (int64_t row = 0; row < from->rows; row++) taken->values[row * count + i] = from->values[row * from->cols + keep[i]];
  }
  taken->is_named = lfm_select_names(source, from->is_named);
  lfm_table_destroy(*table);
  *table = taken;
  return LFM_OK;
failed:
  lfm_table_destroy(taken);
  return status;
}

static bool row_is_finite(const double *row, int64_t cols) {
  for (int64_t col = 0; col < cols; col++)
    if (!isfinite(row[col])) return false;
  return true;
}

static lfm_status drop_missing(const lfm_source *source, lfm_table *table) {
  int64_t kept = 0, rows = table->rows;
  LFM_TRY(LFM_ALLOC_ROWS(&table->number, rows));
  table->read = rows;
  for (int64_t row = 0; row < rows; row++) {
    const double *values = table->values + row * table->cols;
    if (!row_is_finite(values, table->cols)) continue;
    table->number[kept] = row;
    memmove(table->values + kept++ * table->cols, values, (size_t)table->cols * sizeof *values);
  }
  table->rows = kept;
  return lfm_select_note_dropped(source, rows - kept, rows);
}

static lfm_status refine(const lfm_source *source, lfm_table **table) {
  int64_t *keep, count;
  if ((*table)->rows < 1 || (*table)->cols < 1)
    return lfm_fail(LFM_E_DATA, "%s: holds no values (%lld rows, %lld columns)", source->name, (long long)(*table)->rows,
                    (long long)(*table)->cols);
  if (source->options && (source->options->columns || source->options->drop)) {
    LFM_TRY(lfm_select_columns(source, (*table)->names, (*table)->is_named, (*table)->cols, &keep, &count));
    lfm_status status = take_columns(source, table, keep, count);
    lfm_free(keep);
    LFM_TRY(status);
  }
  if (source->survey) return LFM_OK;
  if (lfm_select_drops_missing(source)) return drop_missing(source, *table);
  return lfm_table_check_finite(source->name, *table, "--drop-missing leaves such rows out");
}

lfm_status lfm_select_table(const lfm_source *source, lfm_table **table) {
  lfm_status status = refine(source, table);
  if (status != LFM_OK) {
    lfm_table_destroy(*table);
    *table = NULL;
  }
  return status;
}
