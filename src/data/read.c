/* SPDX-License-Identifier: MIT
 *
 * read.c -- which format a path means, and the way in.
 * The ending decides, not the content: a user who names a file wrongly should hear of it, and so should one whose
 * download is an error page.  file.npz::key and file.hdf5::dataset name an array inside; the first "::" behind a known
 * ending splits, so that folders may hold colons.
 */
#include "core/alloc.h"
#include "data/format.h"
#include "data/images_format.h"
#include "data/runs.h"
#include "data/survey.h"
#include "data/table.h"

#include <string.h>

#define ENDINGS ".csv .csv.gz .npy .npz[::key] .hdf5[::dataset] .h5[::dataset]" /* of what is written, too */

static const lfm_format formats[] = {
    {".csv", NULL, false, lfm_csv_parse, lfm_csv_write, NULL, NULL},
    {".csv.gz", NULL, false, lfm_csv_gz_parse, lfm_csv_gz_write, NULL, NULL},
    {".npy", NULL, false, lfm_npy_parse, lfm_npy_write, NULL, NULL},
    {".npz", "arr_0", false, lfm_npz_parse, lfm_npz_write, lfm_npz_check_key, lfm_npz_names}, /* NumPy's first array */
    {".hdf5", "data", true, lfm_hdf5_parse, lfm_hdf5_write, lfm_hdf5_check_key, lfm_hdf5_names},
    {".h5", "data", true, lfm_hdf5_parse, lfm_hdf5_write, lfm_hdf5_check_key, lfm_hdf5_names},
    {".zarr", NULL, true, lfm_zarr_read, NULL, NULL, NULL},
    {".zarr/", NULL, true, lfm_zarr_read, NULL, NULL, NULL},
};

static const lfm_format *find_format(const char *file) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (lfm_path_ends_with(file, formats[i].ending)) return &formats[i];
  return NULL;
}

lfm_status lfm_path_split_key(const char *path, const lfm_format **format, char **file, const char **key) {
  *key = NULL;
  LFM_TRY(lfm_alloc_text(file, path));
  for (char *colons = strstr(*file, "::"); colons; colons = strstr(colons + 1, "::")) {
    *colons = 0;
    *format = find_format(*file);
    if (*format && (*format)->own_key && colons[2]) {
      *key = colons + 2;
      return LFM_OK;
    }
    *colons = ':';
  }
  *format = find_format(*file);
  if (*format) return LFM_OK;
  lfm_free(*file);
  *file = NULL;
  return lfm_fail(LFM_E_USAGE, "%s: no data format has this ending; there are " ENDINGS, path);
}

/* Of a path without an ending that we know: is it there, may we look, and what is it then?  LFM_OK: that says nothing. */
static lfm_status explain_path(const char *path) {
  static const char *const of_text[] = {".tsv", ".tab", ".txt", ".dat"};
  lfm_map map;
  bool is_there;
  LFM_TRY(lfm_path_find(path, &is_there));
  if (!is_there) return lfm_fail(LFM_E_IO, "%s: there is no such file or folder", path);
  if (lfm_path_is_folder(path)) {
    LFM_TRY(lfm_folder_explain(path));
    return lfm_fail(
        LFM_E_USAGE,
        "%s: is a folder without pictures (.png, .jpg, .jpeg, CIFAR's .bin); a table is a file: " ENDINGS " .zarr", path);
  }
  LFM_TRY(lfm_map_open(path, &map));
  lfm_map_close(&map);
  for (size_t i = 0; i < sizeof of_text / sizeof *of_text; i++)
    if (lfm_path_ends_with(path, of_text[i]))
      return lfm_fail(LFM_E_USAGE, "%s: text is read as .csv, be its fields apart by commas, semicolons or tabs; name it so",
                      path);
  return LFM_OK;
}

static lfm_status read_source(const lfm_format *format, lfm_source *source, lfm_table **out) {
  lfm_map map = {0};
  if (format->by_path) return format->read(source, out);
  LFM_TRY(lfm_map_open(source->path, &map));
  source->data = map.data;
  source->size = map.size;
  lfm_status status = format->read(source, out);
  lfm_map_close(&map);
  return status;
}

static lfm_status read_path(const char *path, lfm_source source, lfm_table **out) {
  const lfm_format *format;
  char *file;
  *out = NULL;
  lfm_status status = lfm_path_split_key(path, &format, &file, &source.key);
  if (status == LFM_E_USAGE) {
    LFM_TRY(explain_path(path));
    return lfm_fail(status, "%s: no data format has this ending; there are " ENDINGS " .zarr", path);
  }
  LFM_TRY(status);
  source.name = path;
  source.path = file;
  status = read_source(format, &source, out);
  lfm_free(file);
  return status;
}

static lfm_status read_pictures(const char *path, const lfm_table_options *options, lfm_table **out) {
  lfm_images_options wanted = {0};
  lfm_images *images;
  *out = NULL;
  if (options)
    wanted = (lfm_images_options){.size = options->size,
                                  .channels = options->channels,
                                  .strict = options->strict,
                                  .tell = options->tell,
                                  .threads = options->threads};
  if (options && (options->columns || options->drop || options->drop_missing))
    return lfm_fail(LFM_E_USAGE, "%s: holds pictures, whose pixels cannot be chosen or dropped one by one, nor be missing",
                    path);
  LFM_TRY(lfm_images_read(path, &wanted, &images));
  return lfm_table_of_images(images, out);
}

static lfm_status check_due(const char *path, const lfm_table_options *options, lfm_rows_kind found) {
  static const char *const due[] = {
      [LFM_ROWS_TABLE] = "a table is", [LFM_ROWS_PICTURES] = "pictures are", [LFM_ROWS_DEMOS] = "demonstrations are"};
  static const char *const held[] = {
      [LFM_ROWS_TABLE] = "a table", [LFM_ROWS_PICTURES] = "pictures", [LFM_ROWS_DEMOS] = "demonstrations"};
  if (!options || options->due == LFM_ROWS_ANY || options->due == found) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: %s due here, not %s", path, due[options->due], held[found]);
}

/* Of a format that holds tables alone: a word in a column of theirs would be no fault to mend. */
static lfm_status check_format(const char *path, const lfm_table_options *options) {
  const lfm_format *format;
  char *file;
  const char *key;
  if (!options || options->due == LFM_ROWS_ANY) return LFM_OK;
  lfm_status status = lfm_path_split_key(path, &format, &file, &key);
  if (status == LFM_E_USAGE) return LFM_OK; /* its reader says more */
  LFM_TRY(status);
  if (!format->by_path && lfm_path_exists(file)) status = check_due(path, options, LFM_ROWS_TABLE);
  lfm_free(file);
  return status;
}

static lfm_status read_either(const char *path, const lfm_table_options *options, lfm_table **out) {
  lfm_images_kind kind;
  LFM_TRY(lfm_images_recognise(path, &kind));
  if (kind != LFM_IMAGES_NONE) {
    LFM_TRY(check_due(path, options, LFM_ROWS_PICTURES));
    return read_pictures(path, options, out);
  }
  LFM_TRY(check_format(path, options));
  return read_path(path, (lfm_source){.options = options}, out);
}

static lfm_status check_wishes(const char *path, const lfm_table_options *options, const lfm_table *table) {
  LFM_TRY(check_due(path, options, lfm_table_kind(table)));
  if (options && options->observations && !table->demos)
    return lfm_fail(LFM_E_USAGE, "%s: holds no demonstrations, whose observations could be chosen", path);
  if (options && options->size && !table->images)
    return lfm_fail(LFM_E_USAGE, "%s: holds no pictures, which could be scaled to %lld x %lld", path,
                    (long long)options->size, (long long)options->size);
  return LFM_OK;
}

lfm_status lfm_table_read(const char *path, const lfm_table_options *options, lfm_table **out) {
  *out = NULL;
  LFM_TRY(lfm_runs_refuse(path));
  LFM_TRY(read_either(path, options, out));
  lfm_status status = check_wishes(path, options, *out);
  if (status == LFM_OK) return LFM_OK;
  lfm_table_destroy(*out);
  *out = NULL;
  return status;
}

lfm_status lfm_survey_read(const char *path, lfm_table **out) { return read_path(path, (lfm_source){.survey = true}, out); }
