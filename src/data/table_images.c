/* SPDX-License-Identifier: MIT
 *
 * table_images.c -- pictures as a table: a row a picture, so that whatever takes rows takes pictures.
 * The numbers stay the bytes that they were; values, names and decimals of columns are not made, for there would be
 * eight times as much of them, and nobody calls a pixel by its name.
 */
#include "core/alloc.h"
#include "data/table.h"

#include <stdio.h>
#include <string.h>

lfm_status lfm_table_of_images(lfm_images *images, lfm_table **out) {
  lfm_status status = LFM_ALLOC(out, 1);
  if (status != LFM_OK) return lfm_images_destroy(images), status;
  **out = (lfm_table){.rows = images->count, .cols = (int64_t)lfm_images_row_size(images), .images = images};
  return LFM_OK;
}

lfm_status lfm_images_label_like(lfm_images *images, const lfm_images *like) {
  if (!like->classes) return LFM_OK;
  LFM_TRY(lfm_images_label(images, like->classes));
  for (int64_t k = 0; k < like->classes; k++) LFM_TRY(lfm_images_name_class(images, k, like->class_names[k]));
  return LFM_OK;
}

static bool is_number(const char *name) { return *name && strspn(name, "0123456789") == strlen(name); }

/* By its name; what has only a number is the class of that place, unless that is called by another number. */
static int32_t find_class(const lfm_images *known, const char *name, int64_t label) {
  char number[24];
  for (int64_t k = 0; k < known->classes; k++)
    if (strcmp(known->class_names[k], name) == 0) return (int32_t)k;
  snprintf(number, sizeof number, "%lld", (long long)label);
  if (strcmp(number, name) != 0 || label >= known->classes || is_number(known->class_names[label])) return -1;
  return (int32_t)label;
}

void lfm_images_match_classes(const lfm_images *known, const lfm_images *images, int32_t *of) {
  for (int64_t k = 0; k < images->classes; k++) of[k] = find_class(known, images->class_names[k], k);
}

int64_t lfm_images_find_stranger(const lfm_images *known, const lfm_images *images) {
  int32_t of[LFM_MOST_CLASSES];
  lfm_images_match_classes(known, images, of);
  for (int64_t i = 0; i < images->count; i++)
    if (of[images->labels[i]] < 0) return i;
  return -1;
}

lfm_status lfm_images_alike(const lfm_images *images, int64_t count, lfm_images **out) {
  LFM_TRY(lfm_images_make(count, images->channels, images->height, images->width, out));
  lfm_status status = lfm_images_label_like(*out, images);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}

lfm_status lfm_table_take_images(const lfm_images *images, const int64_t *index, int64_t count, lfm_table **out) {
  lfm_images *taken;
  size_t size = lfm_images_row_size(images);
  LFM_TRY(lfm_images_alike(images, count, &taken));
  for (int64_t i = 0; i < count; i++) {
    memcpy(taken->pixels + (size_t)i * size, images->pixels + (size_t)index[i] * size, size);
    if (images->labels) taken->labels[i] = images->labels[index[i]];
  }
  return lfm_table_of_images(taken, out);
}

lfm_status lfm_table_add_mirror(const lfm_images *images, lfm_table **out) {
  lfm_images *both;
  size_t size = (size_t)images->count * lfm_images_row_size(images), width = (size_t)images->width;
  LFM_TRY(lfm_images_alike(images, 2 * images->count, &both));
  memcpy(both->pixels, images->pixels, size);
  for (size_t line = 0; line < size; line += width)
    for (size_t j = 0; j < width; j++) both->pixels[size + line + j] = images->pixels[line + width - 1 - j];
  for (int64_t i = 0; images->labels && i < both->count; i++) both->labels[i] = images->labels[i % images->count];
  return lfm_table_of_images(both, out);
}

lfm_status lfm_table_create_pictures(const uint8_t *pixels, int64_t count, int64_t channels, int64_t height, int64_t width,
                                     const int32_t *labels, lfm_table **out) {
  lfm_images *images;
  int32_t most = -1;
  *out = NULL;
  if (!pixels || count < 1) return lfm_fail(LFM_E_USAGE, "a table of pictures needs pixels, and one picture at least");
  for (int64_t i = 0; labels && i < count; i++) {
    if (labels[i] < 0) return lfm_fail(LFM_E_USAGE, "picture %lld: class %d; classes begin at 0", (long long)i, labels[i]);
    if (labels[i] > most) most = labels[i];
  }
  LFM_TRY(lfm_images_make(count, channels, height, width, &images));
  memcpy(images->pixels, pixels, (size_t)count * lfm_images_row_size(images));
  lfm_status status = labels ? lfm_images_label(images, (int64_t)most + 1) : LFM_OK;
  if (status != LFM_OK) return lfm_images_destroy(images), status;
  if (labels) memcpy(images->labels, labels, (size_t)count * sizeof *labels);
  return lfm_table_of_images(images, out);
}

bool lfm_table_picture(const lfm_table *table, int64_t *channels, int64_t *height, int64_t *width) {
  const lfm_images *images = table->images;
  if (!images) return false;
  *channels = images->channels, *height = images->height, *width = images->width;
  return true;
}

const uint8_t *lfm_table_pixels(const lfm_table *table) { return table->images ? table->images->pixels : NULL; }
const int32_t *lfm_table_labels(const lfm_table *table) { return table->images ? table->images->labels : NULL; }

int64_t lfm_table_classes(const lfm_table *table) { return table->images ? table->images->classes : 0; }
const char *lfm_table_class(const lfm_table *table, int64_t label) {
  return label >= 0 && label < lfm_table_classes(table) ? table->images->class_names[label] : NULL;
}
