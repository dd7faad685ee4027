/* SPDX-License-Identifier: MIT
 *
 * images.c -- the set of pictures, which of its forms a path means, and the way in.
 *
 * One block of bytes, picture after picture and plane after plane, as convolutions read them: a pool of floats is made of
 * it row by row (pixels.h).  A table of doubles, which every other kind of data becomes, would take eight times the memory.
 * What a path holds is told by content where there is no ending to go by: MNIST's files have none.
 */
#include "data/images.h"

#include "core/alloc.h"
#include "core/bytes.h"
#include "core/file.h"
#include "core/utf8.h"
#include "data/gzip.h"
#include "data/images_format.h"

#include <stdio.h>
#include <string.h>

/* ---- the set -------------------------------------------------------------------------------------------------- */

bool lfm_images_same_shape(const lfm_images *a, const lfm_images *b) {
  return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

size_t lfm_images_row_size(const lfm_images *images) {
  return (size_t)images->channels * (size_t)images->height * (size_t)images->width;
}

lfm_status lfm_images_make(int64_t count, int64_t channels, int64_t height, int64_t width, lfm_images **out) {
  lfm_images *images;
  *out = NULL;
  if (channels != 1 && channels != 3)
    return lfm_fail(LFM_E_USAGE, "pictures of %lld channels; 1 (grey) and 3 (RGB) are possible", (long long)channels);
  if (height < 1 || width < 1 || height > LFM_IMAGES_MOST_SIDE || width > LFM_IMAGES_MOST_SIDE)
    return lfm_fail(LFM_E_USAGE, "pictures of %lld x %lld pixels; 1 to %d a side are possible", (long long)width,
                    (long long)height, LFM_IMAGES_MOST_SIDE);
  if (count < 0) return lfm_fail(LFM_E_USAGE, "%lld pictures are not possible", (long long)count);
  LFM_TRY(LFM_ALLOC(&images, 1));
  *images = (lfm_images){.count = count, .channels = channels, .height = height, .width = width};
  lfm_status status = lfm_alloc_rows(&images->pixels, (size_t)count, lfm_images_row_size(images));
  if (status == LFM_OK) *out = images;
  else lfm_images_destroy(images);
  return status;
}

static void free_texts(char **texts, int64_t count) {
  for (int64_t i = 0; texts && i < count; i++) lfm_free(texts[i]);
  lfm_free(texts);
}

void lfm_images_destroy(lfm_images *images) {
  if (!images) return;
  free_texts(images->class_names, images->classes);
  free_texts(images->broken_names, images->broken);
  lfm_free(images->labels);
  lfm_free(images->pixels);
  lfm_free(images);
}

lfm_status lfm_images_label(lfm_images *images, int64_t classes) {
  char number[24];
  if (classes < 1 || classes > LFM_MOST_CLASSES)
    return lfm_fail(LFM_E_DATA, "%lld classes of pictures; 1 to %d are possible", (long long)classes, LFM_MOST_CLASSES);
  LFM_TRY(LFM_ALLOC_ROWS(&images->labels, images->count));
  LFM_TRY(LFM_ALLOC(&images->class_names, classes));
  images->classes = classes;
  for (int64_t k = 0; k < classes; k++) {
    snprintf(number, sizeof number, "%lld", (long long)k);
    LFM_TRY(lfm_alloc_text(&images->class_names[k], number));
  }
  return LFM_OK;
}

lfm_status lfm_images_name_class(lfm_images *images, int64_t label, const char *name) {
  char *copy;
  if (!lfm_utf8_is_text(name))
    return lfm_fail(LFM_E_DATA, "the name of class %lld is not UTF-8 text; rename it", (long long)label);
  LFM_TRY(lfm_alloc_text(&copy, name));
  lfm_free(images->class_names[label]);
  images->class_names[label] = copy;
  return LFM_OK;
}

lfm_status lfm_images_blame(const char *name, lfm_status status) {
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "%s: %s", name, lfm_error());
}

static const char *colours(int64_t channels) { return channels == 1 ? "grey" : "RGB"; }

static void tell_change(const char *name, const lfm_picture *from, const lfm_images *to) {
  if (from->channels != to->channels || from->height != to->height || from->width != to->width)
    lfm_note(LFM_NOTE, "%s: %lld x %lld %s is taken as %lld x %lld %s", name, (long long)from->width, (long long)from->height,
             colours(from->channels), (long long)to->width, (long long)to->height, colours(to->channels));
}

/* Where no size is asked for it is the file's own, and no fault of whoever names the file. */
static lfm_status check_sides(const char *name, const lfm_picture *like) {
  if (like->height <= LFM_IMAGES_MOST_SIDE && like->width <= LFM_IMAGES_MOST_SIDE) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: pictures of %lld x %lld pixels; 1 to %d a side are possible", name, (long long)like->width,
                  (long long)like->height, LFM_IMAGES_MOST_SIDE);
}

lfm_status lfm_images_make_like(const char *name, const lfm_picture *like, int64_t count, const lfm_images_options *options,
                                lfm_images **out) {
  int64_t size = options->size;
  if (!size) LFM_TRY(check_sides(name, like));
  LFM_TRY(lfm_images_blame(name, lfm_images_make(count, options->channels ? options->channels : like->channels,
                                                 size ? size : like->height, size ? size : like->width, out)));
  if (options->tell) tell_change(name, like, *out);
  return LFM_OK;
}

/* ---- recognising ---------------------------------------------------------------------------------------------- */

/* An unsigned byte's IDX header, packed or not; shorter files begin with none. */
static lfm_status begins_as_idx(const lfm_map *map, bool *is_idx) {
  uint8_t start[4] = {1};
  bool is_packed;
  LFM_TRY(lfm_gunzip_start(map->data, map->size, start, sizeof start, &is_packed));
  if (!is_packed && map->size >= sizeof start) memcpy(start, map->data, sizeof start);
  *is_idx = start[0] == 0 && start[1] == 0 && start[2] == 8;
  return LFM_OK;
}

static lfm_status recognise_file(const char *path, lfm_images_kind *kind) {
  lfm_map map;
  bool is_idx = false;
  if (lfm_path_ends_with(path, ".bin")) {
    *kind = LFM_IMAGES_CIFAR;
    return LFM_OK;
  }
  if (lfm_map_open(path, &map) != LFM_OK) return LFM_OK;
  lfm_status status = begins_as_idx(&map, &is_idx);
  if (is_idx) *kind = LFM_IMAGES_IDX;
  else if (lfm_path_ends_with(path, ".npy") && lfm_npy_is_pictures(map.data, map.size)) *kind = LFM_IMAGES_NPY;
  lfm_map_close(&map);
  return status;
}

static lfm_status recognise_folder(const char *path, lfm_images_kind *kind) {
  lfm_listing listing;
  lfm_status status = lfm_listing_read(path, &listing);
  if (status != LFM_OK) return status == LFM_E_MEMORY ? status : LFM_OK;
  bool found = false;
  if (lfm_cifar_is_folder(&listing)) *kind = LFM_IMAGES_CIFAR;
  else status = lfm_folder_has_pictures(path, &listing, &found);
  if (found) *kind = LFM_IMAGES_FOLDER;
  lfm_listing_free(&listing);
  return status;
}

lfm_status lfm_images_recognise(const char *path, lfm_images_kind *kind) {
  *kind = LFM_IMAGES_NONE;
  return lfm_path_is_folder(path) ? recognise_folder(path, kind) : recognise_file(path, kind);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* The labels' file, packed or not; none: no labels. */
static lfm_status add_labels(const char *path, lfm_images *images) {
  char labels[LFM_PATH_SIZE + 4];
  lfm_map map;
  if (!lfm_idx_labels_path(path, labels, LFM_PATH_SIZE)) return LFM_OK;
  if (!lfm_path_exists(labels)) {
    if (lfm_path_ends_with(labels, ".gz")) labels[strlen(labels) - 3] = 0;
    else memcpy(labels + strlen(labels), ".gz", sizeof ".gz");
  }
  if (!lfm_path_exists(labels)) return LFM_OK;
  LFM_TRY(lfm_map_open(labels, &map));
  lfm_status status = lfm_idx_parse_labels(labels, map.data, map.size, images);
  lfm_map_close(&map);
  return status;
}

static lfm_status read_idx(const char *path, const lfm_images_options *options, lfm_images **out) {
  lfm_map map;
  LFM_TRY(lfm_map_open(path, &map));
  lfm_status status = lfm_idx_parse(path, map.data, map.size, options, out);
  lfm_map_close(&map);
  return status == LFM_OK ? add_labels(path, *out) : status;
}

static lfm_status read_npy(const char *path, const lfm_images_options *options, lfm_images **out) {
  lfm_map map;
  LFM_TRY(lfm_map_open(path, &map));
  lfm_status status = lfm_npy_parse_pictures(path, map.data, map.size, options, out);
  lfm_map_close(&map);
  return status;
}

static lfm_status read_kind(const char *path, const lfm_images_options *options, lfm_images **out) {
  lfm_images_kind kind;
  LFM_TRY(lfm_images_recognise(path, &kind));
  switch (kind) {
  case LFM_IMAGES_IDX:
    return read_idx(path, options, out);
  case LFM_IMAGES_CIFAR:
    return lfm_cifar_read(path, options, out);
  case LFM_IMAGES_NPY:
    return read_npy(path, options, out);
  case LFM_IMAGES_FOLDER:
    return lfm_folder_read(path, options, out);
  case LFM_IMAGES_NONE:
    break;
  }
  if (!lfm_path_exists(path)) return lfm_fail(LFM_E_IO, "%s: is not there", path);
  return lfm_fail(
      LFM_E_USAGE,
      "%s: holds no pictures; there are folders of .png and .jpg, CIFAR-10's (.bin, or the folder), IDX files and "
      ".npy of uint8 in 3 or 4 dimensions",
      path);
}

lfm_status lfm_images_read(const char *path, const lfm_images_options *options, lfm_images **out) {
  static const lfm_images_options as_they_are;
  *out = NULL;
  lfm_status status = read_kind(path, options ? options : &as_they_are, out);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}
