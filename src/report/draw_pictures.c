/* SPDX-License-Identifier: MIT
 *
 * draw_pictures.c -- a table of pictures out of the library (pictures.h does the work).
 */
#include "data/table.h"
#include "report/pictures.h"

lfm_status lfm_draw_pictures(const char *path, const lfm_table *pictures) {
  if (!pictures->images) return lfm_fail(LFM_E_USAGE, "%s: the table holds columns of numbers, no pictures", path);
  return lfm_pictures_write(pictures->images, path);
}

lfm_status lfm_draw_pictures_writable(const char *path, int64_t count, int64_t height, int64_t width) {
  return lfm_pictures_writable(path, count, height, width);
}
