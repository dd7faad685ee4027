/* SPDX-License-Identifier: MIT
 *
 * columns.c -- see columns.h.
 */
#include "flow/columns.h"

#include "core/alloc.h"

#include <math.h>

static lfm_status check_constants(const lfm_model *model, const lfm_table *table, const int64_t *place) {
  const lfm_normaliser *normaliser = model->normaliser;
  for (int64_t j = 0, k = 0; j < model->cols; j++) {
    if (k < normaliser->dim && normaliser->varying[k] == j) {
      k++;
      continue;
    }
    for (int64_t row = 0; row < table->rows; row++) {
      double value = table->values[row * table->cols + place[j]];
      if (value != normaliser->constant[j])
        return lfm_fail(LFM_E_DATA,
                        "row %lld: column '%s' is %.9g, but was always %.9g in training: its density is zero there",
                        (long long)row + 1, model->names[j], value, normaliser->constant[j]);
    }
  }
  return LFM_OK;
}

/* place [cols] of the wanted names in the table; `whose` columns they are, for error lines. */
static lfm_status match(const char *whose, char *const *names, int64_t cols, const lfm_table *table, int64_t *place) {
  const char *missing = NULL;
  int64_t found = 0;
  for (int64_t j = 0; j < cols; j++) {
    place[j] = lfm_table_find(table, names[j]);
    found += place[j] >= 0;
    if (place[j] < 0 && !missing) missing = names[j];
  }
  if (missing && table->cols != cols)
    return lfm_fail(LFM_E_DATA, "%s has %lld column%s, the table %lld, and none of them is called '%s'", whose,
                    (long long)cols, cols == 1 ? "" : "s", (long long)table->cols, missing);
  if (missing && found)
    return lfm_fail(LFM_E_DATA, "the table has some columns of %s, but none called '%s'; rename the one that it is", whose,
                    missing);
  if (missing)
    lfm_note(LFM_NOTE, "no column of the table is named as in %s ('%s', ...): taken in their order", whose, missing);
  for (int64_t j = 0; missing && j < cols; j++) place[j] = j;
  return LFM_OK;
}

lfm_status lfm_columns_match(const lfm_model *model, const lfm_table *table, int64_t *place) {
  LFM_TRY(match("the model", model->names, model->cols, table, place));
  return check_constants(model, table, place);
}

lfm_status lfm_columns_match_border(const lfm_model *model, const lfm_table *table, int64_t *place) {
  lfm_table *border; /* for its names */
  LFM_TRY(lfm_table_make(0, model->normaliser->dim, &border));
  lfm_status status = match("a border of the model", border->names, border->cols, table, place);
  lfm_table_destroy(border);
  return status;
}

/* Column k of those that vary spreads so far; W^-1 is [dim, dim] and its rows are of unit variance. */
static double spread(const lfm_normaliser *normaliser, int64_t k) {
  double squares = 0;
  for (int64_t i = 0; i < normaliser->dim; i++) squares += pow(normaliser->inverse[i * normaliser->dim + k], 2);
  return sqrt(squares);
}

/* The network computes in single precision: behind a hundred-millionth of a column's spread its digits say nothing, though
 * a data file may have had all the digits of a double. */
static void cut_decimals(const lfm_normaliser *normaliser, int *decimals) {
  if (normaliser->kind == LFM_NORMALISE_NONE) return;
  for (int64_t k = 0; k < normaliser->dim; k++) {
    int *own = &decimals[normaliser->varying[k]];
    double most = fmax(0, 8 - floor(log10(spread(normaliser, k))));
    if (*own > most) *own = (int)most;
  }
}

lfm_status lfm_columns_make(const lfm_model *model, int64_t rows, int64_t extra, lfm_table **out) {
  lfm_table *table;
  *out = NULL;
  LFM_TRY(lfm_table_make(rows, model->cols + extra, &table));
  for (int64_t j = 0; j < model->cols; j++) {
    lfm_status status = lfm_table_rename(table, j, model->names[j]);
    if (status != LFM_OK) return lfm_table_destroy(table), status;
    table->decimals[j] = model->decimals[j];
  }
  cut_decimals(model->normaliser, table->decimals);
  *out = table;
  return LFM_OK;
}

lfm_status lfm_columns_choose(const lfm_table *table, int64_t wanted, int64_t **row, int64_t *count) {
  if (table->rows < 1) return lfm_fail(LFM_E_DATA, "the table has no rows to score");
  if (wanted < 0) return lfm_fail(LFM_E_USAGE, "rows: %lld is below 1", (long long)wanted);
  LFM_TRY(lfm_table_check_finite("the table", table, "drop or mend the row"));
  *count = wanted && wanted < table->rows ? wanted : table->rows;
  LFM_TRY(LFM_ALLOC(row, *count));
  for (int64_t i = 0; i < *count; i++) (*row)[i] = (int64_t)((double)i * (double)table->rows / (double)*count);
  return LFM_OK;
}

lfm_status lfm_columns_group(const lfm_table *group, const lfm_table *table, const int64_t *row, int64_t count,
                             double **out) {
  if (group->cols != 1 || group->rows != table->rows)
    return lfm_fail(LFM_E_DATA, "group: has %lld rows and %lld columns; one column with the %lld rows of the data is needed",
                    (long long)group->rows, (long long)group->cols, (long long)table->rows);
  LFM_TRY(LFM_ALLOC(out, count));
  for (int64_t i = 0; i < count; i++) (*out)[i] = group->values[row[i]];
  return LFM_OK;
}

lfm_status lfm_columns_gather(const lfm_model *model, const lfm_table *table, const int64_t *rows, int64_t count,
                              double **x) {
  int64_t *place;
  LFM_TRY(LFM_ALLOC(&place, model->cols));
  lfm_status status = lfm_columns_match(model, table, place);
  if (status == LFM_OK) status = LFM_ALLOC(x, count * model->cols);
  for (int64_t i = 0; status == LFM_OK && i < count; i++)
    for (int64_t j = 0; j < model->cols; j++) (*x)[i * model->cols + j] = table->values[rows[i] * table->cols + place[j]];
  lfm_free(place);
  return status;
}
