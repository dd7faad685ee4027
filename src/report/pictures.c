/* SPDX-License-Identifier: MIT
 *
 * pictures.c -- which of the three forms of pictures a path asks for: a grid, an array, a folder of single files.
 * A folder has to be empty: files of an earlier and larger set would stay among the new ones, and whoever measures a
 * distance to them would not see it.  For the same reason nothing stays of a set that could not be written to its end, and
 * a new folder is made as NAME.partial, which gets its name when all are in it.
 */
#include "report/pictures.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/listing.h"
#include "data/png_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum form { FORM_GRID, FORM_ARRAY, FORM_FOLDER, FORM_UNKNOWN } form;

static form form_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (lfm_path_is_folder(path)) return FORM_FOLDER;
  if (lfm_path_ends_with(path, ".png")) return FORM_GRID;
  if (lfm_path_ends_with(path, ".npy")) return FORM_ARRAY;
  return (slash && !slash[1]) || !strchr(slash ? slash : path, '.') ? FORM_FOLDER : FORM_UNKNOWN;
}

static lfm_status refuse(const char *path) {
  return lfm_fail(LFM_E_USAGE, "%s: pictures are not written with this ending; there are .png (a grid), .npy and FOLDER/",
                  path);
}

static int64_t columns_of(int64_t count) {
  int64_t columns = 1;
  while (columns * columns < count && columns <= LFM_IMAGES_MOST_SIDE) columns++;
  return columns;
}

static int64_t rows_of(int64_t count) { return count ? (count - 1) / columns_of(count) + 1 : 0; }

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

/* A folder to be made at this path: that a file, or a link that leads nowhere, has the name is seen now. */
static lfm_status check_new_folder(const char *path) {
  char name[LFM_PATH_SIZE];
  struct stat facts;
  LFM_TRY(name_folder(name, path));
  if (lstat(name, &facts) == 0)
    return lfm_fail(LFM_E_IO, "%s: is no folder, and one cannot be made there; name another", name);
  return lfm_path_check_writable(name);
}

static lfm_status check_folder(const char *path) {
  lfm_listing listing;
  if (!lfm_path_is_folder(path)) return check_new_folder(path);
  LFM_TRY(lfm_listing_read(path, &listing));
  int64_t count = listing.count;
  lfm_listing_free(&listing);
  if (count) return lfm_fail(LFM_E_EXISTS, "%s: holds files already; name a new folder", path);
  return LFM_OK;
}

lfm_status lfm_pictures_writable(const char *path, int64_t count, int64_t height, int64_t width) {
  switch (form_of(path)) {
  case FORM_GRID:
    LFM_TRY(lfm_grid_check(rows_of(count), columns_of(count), height, width));
    return lfm_path_check_writable(path);
  case FORM_ARRAY:
    return lfm_path_check_writable(path);
  case FORM_FOLDER:
    return check_folder(path);
  case FORM_UNKNOWN:
    break;
  }
  return refuse(path);
}

/* Of picture i; their order is that of the names, up to a million. */
static lfm_status name_picture(char path[LFM_PATH_SIZE], const char *folder, int64_t i) {
  char name[32];
  snprintf(name, sizeof name, "%06lld.png", (long long)i);
  return lfm_path_join(path, LFM_PATH_SIZE, folder, name);
}

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

/* 000012.png, or what a writer makes of it first. */
static bool is_named_by_us(const char *name) {
  const char *end = name + strspn(name, "0123456789");
  return end - name >= 6 && (strcmp(end, ".png") == 0 || strcmp(end, ".png.partial") == 0);
}

/* What a killed program has left of a set; other files are somebody's. */
static lfm_status clear(const char *partial) {
  lfm_listing listing;
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_listing_read(partial, &listing));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < listing.count && status == LFM_OK; i++)
    if (!is_named_by_us(listing.names[i]))
      status =
          lfm_fail(LFM_E_EXISTS, "%s: is where the folder is made first, and holds %s; move it", partial, listing.names[i]);
  for (int64_t i = 0; i < listing.count && status == LFM_OK; i++) {
    status = lfm_path_join(path, sizeof path, partial, listing.names[i]);
    if (status == LFM_OK) status = lfm_file_remove(path);
  }
  lfm_listing_free(&listing);
  return status;
}

static lfm_status write_new_folder(const lfm_images *images, const char *name) {
  char partial[LFM_PATH_SIZE];
  int lock;
  LFM_TRY(name_partial(name, partial));
  LFM_TRY(lfm_folder_make(partial));
  LFM_TRY(lfm_folder_lock(partial, "is writing", &lock));
  lfm_status status = clear(partial);
  if (status == LFM_OK) status = write_into(images, partial);
  if (status == LFM_OK && rename(partial, name) != 0) {
    status = lfm_fail_errno("%s: the folder cannot be made", name);
    take_back(partial, images->count);
  }
  if (status != LFM_OK) rmdir(partial); /* where it holds what is not ours, it stays */
  close(lock);
  return status;
}

static lfm_status write_folder(const lfm_images *images, const char *path) {
  char name[LFM_PATH_SIZE];
  LFM_TRY(check_folder(path));
  LFM_TRY(name_folder(name, path));
  return lfm_path_is_folder(name) ? write_into(images, name) : write_new_folder(images, name);
}

lfm_status lfm_pictures_write(const lfm_images *images, const char *path) {
  switch (form_of(path)) {
  case FORM_GRID:
    return lfm_draw_grid(path, images, rows_of(images->count), columns_of(images->count));
  case FORM_ARRAY:
    return lfm_images_write_npy(images, path);
  case FORM_FOLDER:
    return write_folder(images, path);
  case FORM_UNKNOWN:
    break;
  }
  return refuse(path);
}
