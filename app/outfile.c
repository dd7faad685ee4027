/* SPDX-License-Identifier: MIT
 *
 * outfile.c -- may the file of -o be replaced?
 * What users of PyTorch, scikit-learn and llama.cpp expect of a writer: an older file of that name gives way, at once and
 * whole (the library writes beside it and renames), so that a script can run twice.  What nobody expects is to lose what
 * went in: `lfm export RUN -o RUN/model.safetensors` would leave tensors where a model was, `lfm score MODEL DATA -o DATA`
 * scores where rows were.  Files are compared by device and inode: links and ./ hide nothing.
 */
#include "outfile.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file that a name of ours stands for: without its ::key, and the model of a run folder. */
static bool find_file(const char *name, struct stat *out) {
  char path[PATH_MAX];
  const char *key = strstr(name, "::");
  int length = key ? (int)(key - name) : (int)strlen(name);
  if (stat(name, out) != 0) {
    if (!key || snprintf(path, sizeof path, "%.*s", length, name) >= PATH_MAX) return false;
    return stat(path, out) == 0;
  }
  if (!S_ISDIR(out->st_mode)) return true;
  return snprintf(path, sizeof path, "%s/model.safetensors", name) < PATH_MAX && stat(path, out) == 0;
}

bool app_out_is_apart(const app_command *command, const char *out, const char *const read[APP_MOST_READ]) {
  struct stat target, input;
  if (!out || !find_file(out, &target)) return true;
  for (int i = 0; i < APP_MOST_READ; i++) {
    if (!read[i] || !find_file(read[i], &input) || input.st_dev != target.st_dev || input.st_ino != target.st_ino) continue;
    app_usage_error(command, "-o %s: is read by this command, and would be lost; name another file", out);
    return false;
  }
  return true;
}

lfm_status app_rows_writable(const lfm_model *model, int64_t rows, const char *path) {
  int64_t channels, height, width;
  bool pictures = lfm_model_picture(model, &channels, &height, &width);
  return pictures ? lfm_draw_pictures_writable(path, rows, height, width) : lfm_table_writable(path);
}

lfm_status app_write_rows(const lfm_table *rows, const char *path) {
  int64_t channels, height, width;
  return lfm_table_picture(rows, &channels, &height, &width) ? lfm_draw_pictures(path, rows) : lfm_table_write(rows, path);
}

int app_make_folder(const app_command *command, const char *folder) {
  struct stat about;
  bool made = mkdir(folder, 0777) == 0;
  if (!made && errno == EEXIST && stat(folder, &about) == 0 && S_ISDIR(about.st_mode)) return APP_DONE;
  if (!made) fprintf(stderr, "lfm %s: %s: cannot be made: %s\n", command->name, folder, strerror(errno));
  return made ? APP_DONE : APP_FAILED;
}

/* Onto the disk, all of it.  A write that failed may have happened long before the stream tells. */
static bool put_all(FILE *out, void (*put)(const void *what, FILE *out), const void *what) {
  errno = 0;
  put(what, out);
  if (ferror(out) && errno == 0) errno = EIO;
  return !ferror(out) && fflush(out) == 0 && fsync(fileno(out)) == 0;
}

bool app_save(const char *folder, const char *name, void (*put)(const void *what, FILE *out), const void *what) {
  char path[PATH_MAX], partial[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (snprintf(partial, sizeof partial, "%s/%s.partial", folder, name) >= PATH_MAX) { /* the longer of the two */
    errno = ENAMETOOLONG;
    return false;
  }
  unlink(partial); /* a crash's; or a link, which is not to be followed */
  FILE *out = fopen(partial, "wxe");
  if (!out) return false;
  bool saved = put_all(out, put, what);
  int reason = errno;
  if (fclose(out) != 0 && saved) saved = false, reason = errno;
  if (saved && rename(partial, path) != 0) saved = false, reason = errno;
  if (!saved) unlink(partial);
  errno = reason; /* of what failed first */
  return saved;
}
