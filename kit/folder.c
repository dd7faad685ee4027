/* SPDX-License-Identifier: MIT
 *
 * folder.c -- tables of a folder by name.
 */
#include "core/file.h"
#include "kit/kit.h"

lfm_status kit_read_numbers(const char *path, const lfm_table_options *options, lfm_table **out) {
  LFM_TRY(lfm_table_read(path, options, out));
  if (!(*out)->images && !(*out)->demos) return LFM_OK;
  lfm_table_destroy(*out);
  *out = NULL;
  return lfm_fail(LFM_E_DATA, "%s: holds pictures or demonstrations; a table of numbers is due", path);
}

lfm_status kit_read(const char *folder, const char *name, lfm_table **out) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return kit_read_numbers(path, NULL, out);
}

lfm_status kit_write(const lfm_table *table, const char *folder, const char *name) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return lfm_table_write(table, path);
}

lfm_status kit_check_columns(const lfm_table *table, const char *folder, const char *name, int64_t cols, const char *like) {
  if (table->cols == cols) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s/%s: has %lld columns and %s %lld; name a folder whose tables go together", folder, name,
                  (long long)table->cols, like, (long long)cols);
}

/* The columns of `lfm score -o`: row, logp, status. */
lfm_status kit_write_logp(const double *logp, const int64_t *row, int64_t rows, const char *folder, const char *name) {
  static const char *const names[] = {"row", "logp", "status"};
  lfm_table *table;
  LFM_TRY(lfm_table_make(rows, 3, &table));
  lfm_status status = LFM_OK;
  for (int j = 0; status == LFM_OK && j < 3; j++) status = lfm_table_rename(table, j, names[j]);
  table->decimals[0] = table->decimals[2] = 0;
  for (int64_t i = 0; i < rows; i++) {
    table->values[3 * i] = (double)((row ? row[i] : i) + 1);
    table->values[3 * i + 1] = logp[i];
  }
  if (status == LFM_OK) status = kit_write(table, folder, name);
  lfm_table_destroy(table);
  return status;
}
