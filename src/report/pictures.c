/* SPDX-License-Identifier: MIT
 *
 * pictures.c -- which of the three forms of pictures a path asks for: a grid, an array, a folder of single files.
 */
#include "report/pictures.h"

#include "core/file.h"

#include <string.h>

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

lfm_status lfm_pictures_writable(const char *path, int64_t count, int64_t height, int64_t width) {
  switch (form_of(path)) {
  case FORM_GRID:
    LFM_TRY(lfm_grid_check(rows_of(count), columns_of(count), height, width));
    return lfm_path_check_writable(path);
  case FORM_ARRAY:
    return lfm_path_check_writable(path);
  case FORM_FOLDER:
    return lfm_picture_folder_check(path);
  case FORM_UNKNOWN:
    break;
  }
  return refuse(path);
}

lfm_status lfm_pictures_write(const lfm_images *images, const char *path) {
  switch (form_of(path)) {
  case FORM_GRID:
    return lfm_draw_grid(path, images, rows_of(images->count), columns_of(images->count));
  case FORM_ARRAY:
    return lfm_images_write_npy(images, path);
  case FORM_FOLDER:
    return lfm_picture_folder_write(images, path);
  case FORM_UNKNOWN:
    break;
  }
  return refuse(path);
}
