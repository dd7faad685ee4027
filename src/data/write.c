/* SPDX-License-Identifier: MIT
 *
 * write.c -- a table leaves under the format that the ending of its path means, whole or not at all (core/file.h).
 */
#include "core/alloc.h"
#include "data/format.h"
#include "data/table.h"
#include "data/text.h"

#include <string.h>

/* What no table could be written to, whatever lies there. */
static lfm_status check_written(const char *path, const lfm_format *format, const char *key) {
  if (!format->write) return lfm_fail(LFM_E_USAGE, "%s: folders of this kind are read, and not written", path);
  return key ? format->check_key(path, key) : LFM_OK;
}

/* The key that a path without one stands for. */
static const char *key_of(const lfm_format *format, const char *key) { return key ? key : format->own_key; }

static lfm_status list_names(const lfm_format *format, const char *file, lfm_listing *names) {
  lfm_map map;
  LFM_TRY(lfm_map_open(file, &map));
  lfm_source source = {.name = file, .path = file, .data = format->by_path ? NULL : map.data, .size = map.size};
  lfm_status status = map.size ? format->names(&source, names) : LFM_OK; /* as mktemp makes one */
  lfm_map_close(&map);
  if (status != LFM_E_FORMAT && status != LFM_E_UNSUPPORTED) return status;
  return lfm_fail(LFM_E_EXISTS, "%s: is there, and what it holds cannot be told; name another file, or remove it", file);
}

/* Moves the names that are not the key's to the front; how many there are. */
static int64_t find_others(const lfm_listing *names, const char *key) {
  int64_t others = 0;
  key += strspn(key, "/"); /* HDF5's root */
  for (int64_t i = 0; i < names->count; i++) {
    char *name = names->names[i];
    if (strcmp(name, key) == 0) continue;
    names->names[i] = names->names[others];
    names->names[others++] = name;
  }
  return others;
}

/* An archive is replaced as a whole: who names one array of it will not expect to lose the others. */
static lfm_status check_others(const char *path, const lfm_format *format, const char *file, const char *key) {
  lfm_listing names = {0};
  char list[300];
  if (!format->names || !lfm_path_exists(file)) return LFM_OK;
  lfm_status status = list_names(format, file, &names);
  int64_t others = status == LFM_OK ? find_others(&names, key_of(format, key)) : 0;
  if (others)
    status = lfm_fail(LFM_E_EXISTS, "%s: the file holds %s, which would be lost; name another file, or remove it", path,
                      lfm_quote_list(names.names, others, list, sizeof list));
  lfm_listing_free(&names);
  return status;
}

static lfm_status check_target(const char *path, const lfm_format *format, const char *file, const char *key) {
  LFM_TRY(check_written(path, format, key));
  LFM_TRY(lfm_path_check_writable(file));
  return check_others(path, format, file, key);
}

lfm_status lfm_table_writable(const char *path) {
  const lfm_format *format;
  const char *key;
  char *file;
  LFM_TRY(lfm_path_split_key(path, &format, &file, &key));
  lfm_status status = check_target(path, format, file, key);
  lfm_free(file);
  return status;
}

lfm_status lfm_table_write(const lfm_table *table, const char *path) {
  if (table->images)
    return lfm_fail(LFM_E_USAGE, "%s: the table holds pictures, which are not written as columns of numbers", path);
  if (table->demos)
    return lfm_fail(LFM_E_USAGE,
                    "%s: the table holds demonstrations, whose observations and episodes have no place in columns", path);
  const lfm_format *format;
  const char *key;
  char *file;
  lfm_writer *writer = NULL;
  LFM_TRY(lfm_path_split_key(path, &format, &file, &key));
  lfm_status status = check_target(path, format, file, key);
  if (status == LFM_OK) status = lfm_writer_open(file, &writer);
  if (status == LFM_OK) {
    status = format->write(table, key_of(format, key), writer);
    if (status == LFM_OK) status = lfm_writer_commit(writer);
    else lfm_writer_abort(writer);
  }
  lfm_free(file);
  return status;
}
