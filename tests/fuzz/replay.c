/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target over the files of a folder: what fuzzing once found stays found, with any compiler.
 * Every file is also cut in half and given with its last byte altered: cheap neighbours of hard-won inputs.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of that size exactly, so that a sanitizer sees a read past its end. */
static void run_copy(const uint8_t *data, size_t size, uint8_t change) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) abort();
  memcpy(copy, data, size);
  if (size) copy[size - 1] ^= change;
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static int run_file(const char *path) {
  static uint8_t bytes[1 << 20];
  FILE *file = fopen(path, "rb");
  if (!file) return perror(path), 1;
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  run_copy(bytes, size, 0);
  run_copy(bytes, size, 1);
  run_copy(bytes, size / 2, 0);
  return 0;
}

int main(int count, char **arguments) {
  DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
  if (!folder) return fprintf(stderr, "usage: %s CORPUS_FOLDER\n", arguments[0]), 2;
  int files = 0, failed = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", arguments[1], entry->d_name);
    failed |= run_file(path);
    files++;
  }
  closedir(folder);
  printf("%d inputs of %s replayed\n", files, arguments[1]);
  return failed || files == 0;
}
