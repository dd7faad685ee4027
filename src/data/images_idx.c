/* SPDX-License-Identifier: MIT
 *
 * images_idx.c -- IDX files of bytes, the form of MNIST and Fashion-MNIST: 0 0 8 RANK, RANK sizes of 32 bits, largest byte
 * first, then the bytes.  Pictures have rank 3, labels rank 1.  Packed ones are told by their first bytes, not by their name:
 * browsers unpack .gz silently.
 */
#include "core/bytes.h"
#include "data/gzip.h"
#include "data/images_format.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

typedef struct idx {
  uint8_t *unpacked; /* NULL when the file was not packed */
  const uint8_t *values;
  int rank;
  int64_t shape[3];
} idx;

static lfm_status read_header(const char *name, const uint8_t *data, size_t size, idx *out) {
  lfm_bytes bytes = {.data = data, .size = size};
  const uint8_t *head;
  size_t count = 1;
  if (!lfm_bytes_take(&bytes, 4, &head) || head[0] || head[1])
    return lfm_fail(LFM_E_FORMAT, "%s: is not an IDX file; get it anew", name);
  if (head[2] != 8) return lfm_fail(LFM_E_UNSUPPORTED, "%s: its values are not unsigned bytes", name);
  out->rank = head[3];
  if (out->rank != 1 && out->rank != 3)
    return lfm_fail(LFM_E_DATA, "%s: has %d dimensions; pictures have 3 (number, height, width), labels 1", name, out->rank);
  for (int k = 0; k < out->rank; k++) {
    if (!lfm_bytes_take(&bytes, 4, &head)) return lfm_fail(LFM_E_FORMAT, "%s: ends early; get it anew", name);
    out->shape[k] = (int64_t)head[0] << 24 | (int64_t)head[1] << 16 | (int64_t)head[2] << 8 | head[3];
    if (!lfm_size_multiply(count, (size_t)out->shape[k], &count)) count = SIZE_MAX;
  }
  size_t left = size - bytes.at;
  if (count != left)
    return lfm_fail(LFM_E_FORMAT, "%s: %zu bytes follow the header, which says %zu; get the file anew", name, left, count);
  out->values = data + bytes.at;
  return LFM_OK;
}

static lfm_status open_idx(const char *name, const uint8_t *data, size_t size, idx *out) {
  *out = (idx){0};
  if (!lfm_is_gzip(data, size)) return read_header(name, data, size, out);
  LFM_TRY(lfm_gunzip(name, data, size, &out->unpacked, &size));
  lfm_status status = read_header(name, out->unpacked, size, out);
  if (status == LFM_OK) return LFM_OK;
  lfm_free(out->unpacked);
  out->unpacked = NULL;
  return status;
}

static lfm_status take_pictures(const char *name, const idx *file, const lfm_images_options *options, lfm_images **out) {
  if (file->rank != 3) return lfm_fail(LFM_E_DATA, "%s: holds labels; name the file of the pictures", name);
  int64_t count = file->shape[0], height = file->shape[1], width = file->shape[2];
  if (count == 0 || height == 0 || width == 0) return lfm_fail(LFM_E_DATA, "%s: holds no pictures", name);
  lfm_picture picture = {height, width, 1, file->values, (size_t)width, 1, 0};
  LFM_TRY(lfm_images_make_like(name, &picture, count, options, out));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < count && status == LFM_OK; i++, picture.at += height * width)
    status = lfm_picture_fit(&picture, *out, i);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}

lfm_status lfm_idx_parse(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                         lfm_images **out) {
  idx file;
  *out = NULL;
  LFM_TRY(open_idx(name, data, size, &file));
  lfm_status status = take_pictures(name, &file, options, out);
  lfm_free(file.unpacked);
  return status;
}

static lfm_status take_labels(const char *name, const idx *file, lfm_images *images) {
  int64_t classes = 0;
  if (file->rank != 1) return lfm_fail(LFM_E_DATA, "%s: holds no labels", name);
  if (file->shape[0] != images->count)
    return lfm_fail(LFM_E_DATA, "%s: %lld labels for %lld pictures; the two files do not belong together", name,
                    (long long)file->shape[0], (long long)images->count);
  for (int64_t i = 0; i < images->count; i++)
    if (file->values[i] >= classes) classes = file->values[i] + 1;
  LFM_TRY(lfm_images_label(images, classes));
  for (int64_t i = 0; i < images->count; i++) images->labels[i] = file->values[i];
  return LFM_OK;
}

lfm_status lfm_idx_parse_labels(const char *name, const uint8_t *data, size_t size, lfm_images *images) {
  idx file;
  LFM_TRY(open_idx(name, data, size, &file));
  lfm_status status = take_labels(name, &file, images);
  lfm_free(file.unpacked);
  return status;
}

/* The last place of a word in a file's name, the folders before it left alone. */
static char *find_in_name(char *path, const char *word) {
  char *found = NULL, *slash = strrchr(path, '/');
  for (char *at = strstr(slash ? slash : path, word); at; at = strstr(at + 1, word)) found = at;
  return found;
}

/* Over a word of the same length. */
static void put_word(char *at, const char *word) {
  while (*word) *at++ = *word++;
}

bool lfm_idx_labels_path(const char *path, char *out, size_t room) {
  if (snprintf(out, room, "%s", path) >= (int)room) return false;
  char *images = find_in_name(out, "images"), *idx3 = find_in_name(out, "idx3");
  if (!images) return false;
  put_word(images, "labels");
  if (idx3) put_word(idx3, "idx1");
  return true;
}
