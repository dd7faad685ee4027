/* SPDX-License-Identifier: MIT
 *
 * groups.c -- the cluster of each row, from a file of one column: numbers, or words such as the name of a picture.
 * Words come as the survey's marks (survey.h), 50 bits of a hash: two of a million different ones are taken for one with a
 * chance of 1 in 2,000, which a standard error survives.  Where there are words, every row gets the rank of its mark as its
 * number; a column of numbers stays as it is.  A column store of texts was refused, as there.
 */
#include "core/alloc.h"
#include "core/order.h"
#include "data/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return value == 0 ? 0 : bits; /* -0 is 0 */
}

/* Each value becomes its rank among the different ones. */
static lfm_status number_words(lfm_table *table) {
  uint64_t *marks;
  size_t count = 0, rows = (size_t)table->rows;
  LFM_TRY(LFM_ALLOC(&marks, rows));
  for (size_t i = 0; i < rows; i++) marks[i] = bits_of(table->values[i]);
  qsort(marks, rows, sizeof *marks, lfm_by_bits);
  for (size_t i = 0; i < rows; i++)
    if (i == 0 || marks[i] != marks[count - 1]) marks[count++] = marks[i];
  for (size_t i = 0; i < rows; i++) {
    uint64_t bits = bits_of(table->values[i]);
    const uint64_t *found = bsearch(&bits, marks, count, sizeof *marks, lfm_by_bits);
    table->values[i] = (double)(found - marks);
  }
  lfm_free(marks);
  return LFM_OK;
}

static lfm_status take_clusters(const char *path, lfm_table *table) {
  lfm_column_survey found;
  if (table->cols != 1)
    return lfm_fail(LFM_E_DATA, "%s: has %lld columns; the clusters are one column, in a file of its own", path,
                    (long long)table->cols);
  LFM_TRY(lfm_survey_column(table, 0, &found));
  for (int64_t row = 0; found.missing + found.infinite > 0 && row < table->rows; row++)
    if (!isfinite(table->values[row]) && !lfm_survey_is_word(table->values[row]))
      return lfm_fail(LFM_E_DATA, "%s: row %lld has no cluster: the value is missing or infinite", path, (long long)row + 1);
  for (int64_t row = 0; row < table->rows; row++)
    if (fabs(table->values[row]) >= 0x1p53 && !lfm_survey_is_word(table->values[row]))
      return lfm_fail(LFM_E_DATA, "%s: row %lld: whole numbers from 2^53 on are not told apart; number the clusters anew",
                      path, (long long)row + 1);
  return found.words ? number_words(table) : LFM_OK;
}

lfm_status lfm_table_read_groups(const char *path, lfm_table **out) {
  LFM_TRY(lfm_survey_read(path, out));
  lfm_status status = take_clusters(path, *out);
  if (status == LFM_OK) status = lfm_alloc_text(&(*out)->path, path);
  if (status == LFM_OK) return LFM_OK;
  lfm_table_destroy(*out);
  *out = NULL;
  return status;
}
