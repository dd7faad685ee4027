/* SPDX-License-Identifier: MIT
 *
 * listing.c -- a folder's names, sorted by their bytes.
 * Not by the rules of a language: the order of a data set decides which rows are held out, and must be the same everywhere.
 */
#include "data/listing.h"

#include "core/alloc.h"
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

lfm_status lfm_listing_add(lfm_listing *listing, const char *name) {
  LFM_TRY(lfm_alloc_grow(&listing->names, &listing->room, (size_t)listing->count + 1, sizeof *listing->names));
  LFM_TRY(lfm_alloc_text(&listing->names[listing->count], name));
  listing->count++;
  return LFM_OK;
}

static lfm_status read_names(const char *folder, DIR *stream, lfm_listing *out) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (!entry && errno) return lfm_fail_errno("%s: cannot be listed", folder);
    if (!entry) return LFM_OK;
    if (entry->d_name[0] == '.') continue;
    LFM_TRY(lfm_listing_add(out, entry->d_name));
  }
}

lfm_status lfm_listing_read(const char *folder, lfm_listing *out) {
  *out = (lfm_listing){0};
  DIR *stream = opendir(folder);
  if (!stream) return lfm_fail_errno("%s", folder);
  lfm_status status = read_names(folder, stream, out);
  closedir(stream);
  if (status == LFM_OK && out->count) qsort(out->names, (size_t)out->count, sizeof *out->names, by_bytes);
  if (status != LFM_OK) lfm_listing_free(out);
  return status;
}

lfm_status lfm_listing_inside(const char *folder, const char *name, lfm_listing *out) {
  char path[LFM_PATH_SIZE];
  *out = (lfm_listing){0};
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return lfm_path_is_folder(path) ? lfm_listing_read(path, out) : LFM_OK;
}

void lfm_listing_free(lfm_listing *listing) {
  for (int64_t i = 0; i < listing->count; i++) lfm_free(listing->names[i]);
  lfm_free(listing->names);
  *listing = (lfm_listing){0};
}
