/* SPDX-License-Identifier: MIT
 *
 * columns.c -- see columns.h.
 */
#include "flow/columns.h"

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

lfm_status lfm_columns_match(const lfm_model *model, const lfm_table *table, int64_t *place) {
  const char *missing = NULL;
  int64_t found = 0;
  for (int64_t j = 0; j < model->cols; j++) {
    place[j] = lfm_table_find(table, model->names[j]);
    found += place[j] >= 0;
    if (place[j] < 0 && !missing) missing = model->names[j];
  }
  if (missing && table->cols != model->cols)
    return lfm_fail(LFM_E_DATA, "the model has %lld column%s, the table %lld, and none of them is called '%s'",
                    (long long)model->cols, model->cols == 1 ? "" : "s", (long long)table->cols, missing);
  if (missing && found)
    return lfm_fail(LFM_E_DATA, "the table has some of the model's columns, but none called '%s'; rename the one that it is",
                    missing);
  if (missing)
    lfm_note(LFM_NOTE, "no column of the table is named as in the model ('%s', ...): taken in their order", missing);
  for (int64_t j = 0; missing && j < model->cols; j++) place[j] = j;
  return check_constants(model, table, place);
}
