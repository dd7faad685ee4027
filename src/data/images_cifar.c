/* SPDX-License-Identifier: MIT
 *
 * images_cifar.c -- CIFAR-10's binary files: records of a label and three planes (red, green, blue) of 32 x 32 bytes.
 * The folder means what is to be learnt from, data_batch_*.bin; whoever wants the test pictures names test_batch.bin.
 * Nothing in these files says what they are, so a label above 9 is taken for a sign that they are something else.
 */
#include "core/file.h"
#include "data/images_format.h"

#include "core/alloc.h"

#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE };
static const lfm_picture record = {SIDE, SIDE, 3, NULL, SIDE, 1, PLANE};

lfm_status lfm_cifar_count(const char *name, size_t size, int64_t *count) {
  *count = (int64_t)(size / LFM_CIFAR_RECORD);
  if (size == 0 || size % LFM_CIFAR_RECORD != 0)
    return lfm_fail(LFM_E_FORMAT, "%s: is not in CIFAR-10's binary form: %zu bytes are not a multiple of %d; get it anew",
                    name, size, LFM_CIFAR_RECORD);
  return LFM_OK;
}

lfm_status lfm_cifar_parse(const char *name, const uint8_t *data, size_t size, lfm_images *images, int64_t at) {
  int64_t count;
  lfm_picture picture = record;
  LFM_TRY(lfm_cifar_count(name, size, &count));
  for (int64_t i = 0; i < count; i++, data += LFM_CIFAR_RECORD) {
    if (data[0] >= images->classes)
      return lfm_fail(LFM_E_FORMAT, "%s: is not in CIFAR-10's binary form: picture %lld has label %d", name, (long long)i + 1,
                      data[0]);
    images->labels[at + i] = data[0];
    picture.at = data + 1;
    LFM_TRY(lfm_picture_fit(&picture, images, at + i));
  }
  return LFM_OK;
}

/* ---- the files of a folder ------------------------------------------------------------------------------------ */

static bool is_train_batch(const char *name) {
  return strncmp(name, "data_batch_", 11) == 0 && lfm_path_ends_with(name, ".bin");
}

static bool is_test_batch(const char *name) { return strcmp(name, "test_batch.bin") == 0; }

bool lfm_cifar_is_folder(const lfm_listing *listing) {
  for (int64_t i = 0; i < listing->count; i++)
    if (is_train_batch(listing->names[i]) || is_test_batch(listing->names[i])) return true;
  return false;
}

/* Leaves the names of the batches to be read. */
static void keep_batches(lfm_listing *listing) {
  int64_t kept = 0, train = 0;
  for (int64_t i = 0; i < listing->count; i++) train += is_train_batch(listing->names[i]);
  for (int64_t i = 0; i < listing->count; i++) {
    char *name = listing->names[i];
    if (train ? is_train_batch(name) : is_test_batch(name)) listing->names[kept++] = name;
    else lfm_free(name);
  }
  listing->count = kept;
}

/* A line a class in batches.meta.txt, which need not be there. */
static lfm_status name_classes(const char *folder, lfm_images *images) {
  char path[LFM_PATH_SIZE], *save, *text;
  uint8_t *data;
  size_t size;
  int64_t label = 0;
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "batches.meta.txt"));
  if (!lfm_path_exists(path)) return LFM_OK;
  LFM_TRY(lfm_file_read(path, &data, &size));
  text = (char *)data; /* ends in a zero byte */
  lfm_status status = LFM_OK;
  for (char *line = strtok_r(text, "\r\n", &save); line && status == LFM_OK; line = strtok_r(NULL, "\r\n", &save))
    status = label < LFM_CIFAR_CLASSES
                 ? lfm_images_blame(path, lfm_images_name_class(images, label++, line))
                 : lfm_fail(LFM_E_FORMAT, "%s: has more than %d lines, the names of classes", path, LFM_CIFAR_CLASSES);
  lfm_free(data);
  return status;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static lfm_status make(const char *name, int64_t count, const lfm_images_options *options, lfm_images **out) {
  LFM_TRY(lfm_images_make_like(name, &record, count, options, out));
  return lfm_images_label(*out, LFM_CIFAR_CLASSES);
}

static lfm_status read_file(const char *path, const lfm_images_options *options, lfm_images **out) {
  lfm_map map;
  int64_t count;
  LFM_TRY(lfm_map_open(path, &map));
  lfm_status status = lfm_cifar_count(path, map.size, &count);
  if (status == LFM_OK) status = make(path, count, options, out);
  if (status == LFM_OK) status = lfm_cifar_parse(path, map.data, map.size, *out, 0);
  lfm_map_close(&map);
  return status;
}

static lfm_status read_batches(const char *folder, const lfm_listing *batches, lfm_map *maps,
                               const lfm_images_options *options, lfm_images **out) {
  char path[LFM_PATH_SIZE];
  int64_t count, all = 0, at = 0;
  for (int64_t k = 0; k < batches->count; k++) {
    LFM_TRY(lfm_path_join(path, sizeof path, folder, batches->names[k]));
    LFM_TRY(lfm_map_open(path, &maps[k]));
    LFM_TRY(lfm_cifar_count(path, maps[k].size, &count));
    all += count;
  }
  LFM_TRY(make(folder, all, options, out));
  LFM_TRY(name_classes(folder, *out));
  for (int64_t k = 0; k < batches->count; k++) {
    LFM_TRY(lfm_path_join(path, sizeof path, folder, batches->names[k]));
    LFM_TRY(lfm_cifar_parse(path, maps[k].data, maps[k].size, *out, at));
    at += (int64_t)(maps[k].size / LFM_CIFAR_RECORD);
  }
  return LFM_OK;
}

static lfm_status read_folder(const char *folder, const lfm_images_options *options, lfm_images **out) {
  lfm_listing batches;
  lfm_map *maps;
  LFM_TRY(lfm_listing_read(folder, &batches));
  keep_batches(&batches);
  lfm_status status = LFM_ALLOC(&maps, batches.count);
  if (status == LFM_OK) {
    status = read_batches(folder, &batches, maps, options, out);
    for (int64_t k = 0; k < batches.count; k++) lfm_map_close(&maps[k]);
    lfm_free(maps);
  }
  lfm_listing_free(&batches);
  return status;
}

lfm_status lfm_cifar_read(const char *path, const lfm_images_options *options, lfm_images **out) {
  *out = NULL;
  lfm_status status = lfm_path_is_folder(path) ? read_folder(path, options, out) : read_file(path, options, out);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}
