/* SPDX-License-Identifier: MIT
 *
 * picture_folder.c -- a folder of single pictures, 000000.png, 000001.png, ..., whole or not at all.
 * It has to be new or empty: files of an earlier and larger set would stay among the new ones, and whoever measures a
 * distance to them would not see it.  For the same reason nothing stays of a set that could not be written to its end.  One
 * program writes at a time; a new folder is made as NAME.partial and gets its name when all are in it.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "data/listing.h"
#include "data/png_file.h"
#include "report/pictures.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---------------------------------------------------------------------------------------------------- */

/* The path without slashes at its end. */
static lfm_status name_folder(char name[LFM_PATH_SIZE], const char *path) {
  LFM_TRY(lfm_path_join(name, LFM_PATH_SIZE, path, ""));
  size_t length = strlen(name);
  while (length > 1 && name[length - 1] == '/') name[--length] = 0;
  return LFM_OK;
}

static lfm_status name_partial(const char *name, char partial[LFM_PATH_SIZE]) {
  int length = snprintf(partial, LFM_PATH_SIZE, "%s.partial", name);
  return length < LFM_PATH_SIZE ? LFM_OK : lfm_fail(LFM_E_USAGE, "%.60s...: the path is too long", name);
}

/* Of picture i; their order is that of the names, up to a million. */
static lfm_status name_picture(char path[LFM_PATH_SIZE], const char *folder, int64_t i) {
  char name[32];
  snprintf(name, sizeof name, "%06lld.png", (long long)i);
  return lfm_path_join(path, LFM_PATH_SIZE, folder, name);
}

/* Such a name, or that of what a writer makes of it first. */
static bool is_named_by_us(const char *name) {
  const char *end = name + strspn(name, "0123456789");
  return end - name >= 6 && (strcmp(end, ".png") == 0 || strcmp(end, ".png.partial") == 0);
}

/* ---- what is there before --------------------------------------------------------------------------------------- */

/* Nothing, or what a killed program has left of a set: other files are somebody's, and so is what a link leads to. */
static lfm_status check_partial(const char *partial) {
  lfm_listing listing;
  struct stat facts;
  if (lstat(partial, &facts) != 0) return LFM_OK;
  if (!S_ISDIR(facts.st_mode)) return lfm_fail(LFM_E_EXISTS, "%s: is no folder, where one is made first; move it", partial);
  LFM_TRY(lfm_listing_read(partial, &listing));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < listing.count && status == LFM_OK; i++)
    if (!is_named_by_us(listing.names[i]))
      status =
          lfm_fail(LFM_E_EXISTS, "%s: is where the folder is made first, and holds %s; move it", partial, listing.names[i]);
  lfm_listing_free(&listing);
  return status;
}

/* That a file, or a link that leads nowhere, has the name is seen now. */
static lfm_status check_new(const char *name) {
  char partial[LFM_PATH_SIZE];
  struct stat facts;
  if (lstat(name, &facts) == 0)
    return lfm_fail(LFM_E_IO, "%s: is no folder, and one cannot be made there; name another", name);
  LFM_TRY(name_partial(name, partial));
  LFM_TRY(check_partial(partial));
  return lfm_path_check_writable(name);
}

static lfm_status check_empty(const char *name) {
  lfm_listing listing;
  LFM_TRY(lfm_listing_read(name, &listing));
  int64_t count = listing.count;
  lfm_listing_free(&listing);
  if (count) return lfm_fail(LFM_E_EXISTS, "%s: holds files already; name a new folder", name);
  return LFM_OK;
}

lfm_status lfm_picture_folder_check(const char *path) {
  char name[LFM_PATH_SIZE];
  LFM_TRY(name_folder(name, path));
  return lfm_path_is_folder(name) ? check_empty(name) : check_new(name);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static lfm_status write_each(const lfm_images *images, const char *folder, uint8_t *row, int64_t *written) {
  char path[LFM_PATH_SIZE];
  for (*written = 0; *written < images->count; ++*written) {
    LFM_TRY(name_picture(path, folder, *written));
    lfm_images_interleave(images, *written, row);
    LFM_TRY(lfm_png_write(path, row, images->height, images->width, (int)images->channels));
  }
  return LFM_OK;
}

/* Without a word: the fault is to be heard. */
static void take_back(const char *folder, int64_t count) {
  char path[LFM_PATH_SIZE];
  for (int64_t i = 0; i < count; i++)
    if (name_picture(path, folder, i) == LFM_OK) unlink(path); /* the last may be in place and not on the disk */
}

static lfm_status write_into(const lfm_images *images, const char *folder) {
  uint8_t *row;
  int64_t written = 0;
  LFM_TRY(LFM_ALLOC(&row, lfm_images_row_size(images)));
  lfm_status status = write_each(images, folder, row, &written);
  if (status != LFM_OK) take_back(folder, written + 1);
  lfm_free(row);
  return status;
}

/* Checked once more, behind the lock. */
static lfm_status clear(const char *partial) {
  lfm_listing listing;
  char path[LFM_PATH_SIZE];
  LFM_TRY(check_partial(partial));
  LFM_TRY(lfm_listing_read(partial, &listing));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < listing.count && status == LFM_OK; i++) {
    status = lfm_path_join(path, sizeof path, partial, listing.names[i]);
    if (status == LFM_OK) status = lfm_file_remove(path);
  }
  lfm_listing_free(&listing);
  return status;
}

static lfm_status give_name(const char *partial, const char *name) {
  if (rename(partial, name) != 0) return lfm_fail_errno("%s: the folder cannot be made", name);
  return lfm_path_sync(name);
}

/* Empty, or so it was: by one program at a time. */
static lfm_status write_existing(const lfm_images *images, const char *name) {
  int lock;
  LFM_TRY(lfm_folder_lock(name, "is writing", &lock));
  lfm_status status = check_empty(name);
  if (status == LFM_OK) status = write_into(images, name);
  close(lock);
  return status;
}

static lfm_status write_new(const lfm_images *images, const char *name) {
  char partial[LFM_PATH_SIZE];
  int lock;
  LFM_TRY(name_partial(name, partial));
  LFM_TRY(lfm_folder_make(partial));
  LFM_TRY(lfm_folder_lock(partial, "is writing", &lock));
  lfm_status status = clear(partial);
  if (status == LFM_OK) {
    status = write_into(images, partial);
    if (status == LFM_OK) status = give_name(partial, name);
    if (status != LFM_OK) take_back(partial, images->count);
  }
  if (status != LFM_OK) rmdir(partial); /* where it holds what is not ours, it stays */
  close(lock);
  return status;
}

lfm_status lfm_picture_folder_write(const lfm_images *images, const char *path) {
  char name[LFM_PATH_SIZE];
  LFM_TRY(lfm_picture_folder_check(path));
  LFM_TRY(name_folder(name, path));
  return lfm_path_is_folder(name) ? write_existing(images, name) : write_new(images, name);
}
