/* SPDX-License-Identifier: MIT
 *
 * Any text as a path with ::key, and as the name of a dataset in a good HDF5 file.  The bytes of an HDF5 file are the HDF5
 * library's to fuzz; the names are ours, because a user types them.
 */
#include "data/format.h"
#include "fuzz/read_table.h"

#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file with the dataset group/data, made once through a folder that goes away. */
static void make_image(uint8_t **image, size_t *size) {
  char folder[] = "/tmp/lfm-fuzz-XXXXXX", path[64], with_key[96];
  lfm_table *table;
  require(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/a.h5", folder);
  snprintf(with_key, sizeof with_key, "%s::group/data", path);
  require(lfm_table_create((const double[]){1, 2, 3, 4}, 2, 2, NULL, NULL, &table) == LFM_OK);
  require(lfm_table_write(table, with_key) == LFM_OK);
  require(lfm_file_read(path, image, size) == LFM_OK);
  lfm_table_destroy(table);
  unlink(path);
  rmdir(folder);
}

/* file and key put together again are the path. */
static void check_split(const char *path) {
  const lfm_format *format;
  char *file;
  const char *key;
  lfm_status status = lfm_path_split_key(path, &format, &file, &key);
  require(status == LFM_OK || status == LFM_E_USAGE);
  if (status != LFM_OK) return;
  require(format && (!key || format->own_key) && lfm_path_ends_with(file, format->ending));
  size_t length = strlen(file);
  require(strncmp(path, file, length) == 0);
  require(key ? *key && strncmp(path + length, "::", 2) == 0 && strcmp(path + length + 2, key) == 0 : path[length] == 0);
  lfm_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t *image;
  static size_t image_size;
  char *text;
  if (!image) make_image(&image, &image_size);
  require(LFM_ALLOC(&text, size + 1) == LFM_OK);
  if (size) memcpy(text, data, size);
  check_split(text);
  const lfm_source source = {.name = "input", .path = "input", .key = text, .data = image, .size = image_size};
  read_with(lfm_hdf5_parse, source, NULL);
  lfm_free(text);
  return 0;
}
