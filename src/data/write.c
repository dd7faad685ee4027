/* SPDX-License-Identifier: MIT
 *
 * write.c -- a table leaves under the format that the ending of its path means, whole or not at all (core/file.h).
 */
#include "core/alloc.h"
#include "data/format.h"
#include "data/table.h"

/* What no table could be written to, whatever lies there. */
static lfm_status check_target(const char *path, const lfm_format *format, const char *key) {
  if (!format->write) return lfm_fail(LFM_E_USAGE, "%s: folders of this kind are read, and not written", path);
  return key ? format->check_key(path, key) : LFM_OK;
}

lfm_status lfm_table_writable(const char *path) {
  const lfm_format *format;
  const char *key;
  char *file;
  LFM_TRY(lfm_path_split_key(path, &format, &file, &key));
  lfm_status status = check_target(path, format, key);
  if (status == LFM_OK) status = lfm_path_check_writable(file);
  lfm_free(file);
  return status;
}

lfm_status lfm_table_write(const lfm_table *table, const char *path) {
  if (table->images)
    return lfm_fail(LFM_E_USAGE, "%s: the table holds pictures, which are not written as columns of numbers", path);
  const lfm_format *format;
  const char *key;
  char *file;
  lfm_writer *writer = NULL;
  LFM_TRY(lfm_path_split_key(path, &format, &file, &key));
  lfm_status status = check_target(path, format, key);
  if (status == LFM_OK) status = lfm_writer_open(file, &writer);
  if (status == LFM_OK) {
    status = format->write(table, key, writer);
    if (status == LFM_OK) status = lfm_writer_commit(writer);
    else lfm_writer_abort(writer);
  }
  lfm_free(file);
  return status;
}
