/* SPDX-License-Identifier: MIT
 *
 * An HDF5 file that the HDF5 library itself makes of any script, as demonstrations: its bytes are sound, for those are the
 * library's to fuzz, and what it holds is not.  A script is lines of words:
 *   group PATH                      f4|f8|i2|nan PATH ROWS [COLS [MORE]]
 *   texts PATH fixed|variable WORD,WORD,...
 *   text PATH ATTRIBUTE REST        whole PATH ATTRIBUTE NUMBER
 *   key FILTER                      observations LIST
 */
#include "data/hdf5_file.h"
#include "fuzz/read_table.h"

#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_NUMBERS = 4096, MOST_LINES = 200 };

static hid_t intermediate(void) {
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  return links;
}

static void put_group(hid_t file, const char *path) {
  hid_t links = intermediate(), group = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
  if (group >= 0) H5Gclose(group);
  H5Pclose(links);
}

/* What is large is only claimed: chunks of which none is written. */
static void put_numbers(hid_t file, const char *type, const char *path, char *sizes) {
  static double values[MOST_NUMBERS];
  hsize_t shape[3] = {0}, chunk[3] = {1, 1, 1}, count = 1;
  int rank = 0;
  for (char *save, *word = strtok_r(sizes, " ", &save); word && rank < 3; word = strtok_r(NULL, " ", &save)) {
    shape[rank] = strtoull(word, NULL, 10);
    if (__builtin_mul_overflow(count, shape[rank++], &count)) return;
  }
  if (!rank) return;
  for (int i = 0; i < MOST_NUMBERS; i++) values[i] = strcmp(type, "nan") == 0 && i == 2 ? (double)NAN : i + 1;
  hid_t stored = strcmp(type, "f4") == 0 ? H5T_IEEE_F32LE : strcmp(type, "i2") == 0 ? H5T_STD_I16LE : H5T_IEEE_F64LE;
  hid_t links = intermediate(), creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, shape, NULL);
  if (count > MOST_NUMBERS) H5Pset_chunk(creation, rank, chunk);
  hid_t dataset = space < 0 ? -1 : H5Dcreate2(file, path, stored, space, links, creation, H5P_DEFAULT);
  if (dataset >= 0 && count <= MOST_NUMBERS) H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  if (dataset >= 0) H5Dclose(dataset);
  if (space >= 0) H5Sclose(space);
  H5Pclose(creation);
  H5Pclose(links);
}

static hid_t text_type(bool variable, size_t size) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, variable ? H5T_VARIABLE : size);
  return type;
}

static void put_texts(hid_t file, const char *path, bool variable, char *words) {
  char fixed[16][12] = {{0}}, *texts[16];
  hsize_t count = 0;
  for (char *save, *word = strtok_r(words, ",", &save); word && count < 16; word = strtok_r(NULL, ",", &save)) {
    snprintf(fixed[count], sizeof *fixed, "%s", word);
    texts[count++] = word;
  }
  hid_t links = intermediate(), type = text_type(variable, sizeof *fixed), space = H5Screate_simple(1, &count, NULL);
  hid_t dataset = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset >= 0) H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, variable ? (const void *)texts : fixed);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(type);
  H5Pclose(links);
}

/* text NULL: the number. */
static void put_attribute(hid_t file, const char *path, const char *name, const char *text, int64_t number) {
  hid_t place = H5Oopen(file, path, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  hid_t type = text ? text_type(false, strlen(text) + 1) : H5Tcopy(H5T_NATIVE_INT64);
  hid_t attribute = place < 0 ? -1 : H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) H5Awrite(attribute, type, text ? (const void *)text : &number);
  if (attribute >= 0) H5Aclose(attribute);
  H5Tclose(type);
  H5Sclose(space);
  if (place >= 0) H5Oclose(place);
}

typedef struct question {
  const char *key, *observations;
} question;

static void put_line(hid_t file, char *line, question *asked) {
  char *rest = line, *verb = strsep(&rest, " "), *path = rest ? strsep(&rest, " ") : NULL;
  if (!path || !*path) return;
  if (strcmp(verb, "group") == 0) put_group(file, path);
  if (strcmp(verb, "key") == 0) asked->key = path;
  if (strcmp(verb, "observations") == 0) asked->observations = path;
  if (!rest) return;
  if (strcmp(verb, "f4") == 0 || strcmp(verb, "f8") == 0 || strcmp(verb, "i2") == 0 || strcmp(verb, "nan") == 0)
    put_numbers(file, verb, path, rest);
  char *word = strsep(&rest, " ");
  if (!rest || !*word) return;
  if (strcmp(verb, "texts") == 0) put_texts(file, path, strcmp(word, "variable") == 0, rest);
  if (strcmp(verb, "text") == 0) put_attribute(file, path, word, rest, 0);
  if (strcmp(verb, "whole") == 0) put_attribute(file, path, word, NULL, strtoll(rest, NULL, 10));
}

/* The file as bytes; free with lfm_free. */
static bool make_image(char *script, question *asked, uint8_t **image, size_t *size) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 65536, 0);
  lfm_hdf5_manners before = lfm_hdf5_enter();
  hid_t file = H5Fcreate("input.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  char *line;
  for (int lines = 0; (line = strsep(&script, "\n")) && lines < MOST_LINES; lines++) put_line(file, line, asked);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  ssize_t needed = H5Fget_file_image(file, NULL, 0);
  bool made = needed > 0 && LFM_ALLOC(image, needed) == LFM_OK && H5Fget_file_image(file, *image, (size_t)needed) == needed;
  *size = made ? (size_t)needed : 0;
  H5Fclose(file);
  lfm_hdf5_leave(before);
  H5Pclose(access);
  return made;
}

/* Ends that grow to the number of steps, and a name for each key. */
static void require_demos(const lfm_table *table) {
  const lfm_demos *demos = table->demos;
  int64_t width = 0;
  if (!demos) return;
  require(table->rows == demos->steps && table->cols == demos->action_dim && table->values == demos->actions);
  for (int64_t i = 0; i < demos->episodes; i++) require(demos->ends[i] > lfm_demos_begin(demos, i));
  require(demos->ends[demos->episodes - 1] == demos->steps);
  for (int64_t k = 0; k < demos->keys; k++) {
    require(demos->key[k] && demos->key_dim[k] > 0);
    width += demos->key_dim[k];
  }
  require(width == demos->obs_dim);
  for (int64_t i = 0; i < demos->steps * demos->obs_dim; i++) require(isfinite(demos->obs[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *script;
  question asked = {0};
  uint8_t *image = NULL;
  size_t image_size;
  require(LFM_ALLOC(&script, size + 1) == LFM_OK);
  if (size) memcpy(script, data, size);
  if (make_image(script, &asked, &image, &image_size)) {
    lfm_table *table;
    const lfm_table_options options = {.observations = asked.observations};
    const lfm_source source = {
        .name = "input", .path = "input", .key = asked.key, .data = image, .size = image_size, .options = &options};
    read_with(lfm_hdf5_parse, source, &options);
    if (lfm_hdf5_parse(&source, &table) == LFM_OK) require_demos(table);
    lfm_table_destroy(table);
  }
  lfm_free(image);
  lfm_free(script);
  return 0;
}
