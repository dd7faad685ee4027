/* SPDX-License-Identifier: MIT
 *
 * file.c -- whole files in, whole files out (file.h).
 * Plain write(2) over a buffer of 1 MiB rather than stdio: every error is seen where it happens, and the crash tests can
 * count the calls.
 */
#include "core/file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, LINKS = 40, MODE = 0777 };

static const char *kind_of(const struct stat *facts) { return S_ISDIR(facts->st_mode) ? "folder" : "pipe or device"; }

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* Opens a regular file; *size is its length.  Not blocking, or a pipe without a writer would hold us here. */
static lfm_status open_file(const char *path, int *descriptor, size_t *size) {
  *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (*descriptor < 0) return lfm_fail_errno("%s", path);
  struct stat facts;
  if (fstat(*descriptor, &facts) != 0) {
    close(*descriptor);
    return lfm_fail_errno("%s", path);
  }
  if (!S_ISREG(facts.st_mode)) {
    close(*descriptor);
    return lfm_fail(LFM_E_IO, "%s: is a %s, not a file", path, kind_of(&facts));
  }
  *size = (size_t)facts.st_size;
  return LFM_OK;
}

/* Tables may be larger than memory, so what is large is seen where it lies.  The price: where another program cuts the file
 * short meanwhile, a look behind its new end is SIGBUS (app/main.c). */
lfm_status lfm_map_open(const char *path, lfm_map *out) {
  *out = (lfm_map){0};
  int descriptor;
  size_t size = 0;
  LFM_TRY(open_file(path, &descriptor, &size));
  void *view = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : (void *)(uintptr_t) ""; /* never NULL */
  close(descriptor);
  if (view == MAP_FAILED) return lfm_fail_errno("%s: cannot be mapped", path);
  *out = (lfm_map){.data = view, .size = size};
  return LFM_OK;
}

void lfm_map_close(lfm_map *map) {
  if (map->size) munmap((void *)(uintptr_t)map->data, map->size);
  *map = (lfm_map){0};
}

/* What is small is copied: a file that another program cuts short is then an error and not a signal. */
static lfm_status read_all(const char *path, int descriptor, uint8_t *data, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t got = read(descriptor, data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return lfm_fail_errno("%s: cannot be read", path);
    if (got == 0) return lfm_fail(LFM_E_IO, "%s: became shorter while it was read; try again", path);
    done += (size_t)got;
  }
  return LFM_OK;
}

lfm_status lfm_file_read(const char *path, uint8_t **data, size_t *size) {
  *data = NULL;
  *size = 0;
  int descriptor;
  size_t expected = 0;
  LFM_TRY(open_file(path, &descriptor, &expected));
  lfm_status status = LFM_ALLOC(data, expected + 1); /* ends in a zero byte, for text */
  if (status == LFM_OK) status = read_all(path, descriptor, *data, expected);
  close(descriptor);
  if (status == LFM_OK) {
    *size = expected;
    return LFM_OK;
  }
  lfm_free(*data);
  *data = NULL;
  return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

struct lfm_writer {
  int descriptor;
  bool failed; /* a write did; what is on the disk is not a beginning of what was put */
  size_t filled;
  char path[LFM_PATH_SIZE], partial[LFM_PATH_SIZE + 16];
  uint8_t buffer[BUFFER];
};

static lfm_status flush(lfm_writer *writer) {
  if (writer->failed) return lfm_fail(LFM_E_IO, "%s: not written: an earlier part of it failed", writer->path);
  size_t done = 0;
  while (done < writer->filled) {
    ssize_t wrote = write(writer->descriptor, writer->buffer + done, writer->filled - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      writer->failed = true;
      return lfm_fail_errno("%s: cannot be written", writer->path);
    }
    done += (size_t)wrote;
  }
  writer->filled = 0;
  return LFM_OK;
}

/* The folder that the file of this path lies in. */
static void folder_of(const char *path, char out[LFM_PATH_SIZE]) {
  snprintf(out, LFM_PATH_SIZE, "%s", path);
  lfm_path_parent(out);
}

/* What the links that `path` may be lead to, there or not: they stay, and it is replaced. */
static lfm_status follow_links(const char *path, char place[LFM_PATH_SIZE]) {
  char link[LFM_PATH_SIZE], folder[LFM_PATH_SIZE];
  ssize_t length;
  snprintf(place, LFM_PATH_SIZE, "%s", path);
  for (int links = 0; (length = readlink(place, link, LFM_PATH_SIZE - 1)) >= 0; links++) {
    if (links == LINKS) return lfm_fail(LFM_E_IO, "%s: is a link without an end; remove it", path);
    link[length] = 0;
    folder_of(place, folder);
    LFM_TRY(lfm_path_join(place, LFM_PATH_SIZE, link[0] == '/' ? "" : folder, link));
  }
  return LFM_OK;
}

/* A name has to have room for ".partial" behind it, under which its file is written first. */
static lfm_status check_name(const char *place, const char *folder) {
  const char *slash = strrchr(place, '/'), *name = slash ? slash + 1 : place;
  long most = pathconf(folder, _PC_NAME_MAX);
  if (most < 0 || strlen(name) + strlen(".partial") <= (size_t)most) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "%.60s...: the name is too long; %ld letters are possible", name,
                  most - (long)strlen(".partial"));
}

/* Where the file of this path is, or is to be. */
static lfm_status find_place(const char *path, char place[LFM_PATH_SIZE]) {
  char folder[LFM_PATH_SIZE];
  struct stat facts;
  if (!*path) return lfm_fail(LFM_E_USAGE, "a file's name is empty; name it");
  if (strlen(path) >= LFM_PATH_SIZE) return lfm_fail(LFM_E_USAGE, "%.60s...: the path is too long", path);
  if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) /* the rename would put a file where /dev/null was */
    return lfm_fail(LFM_E_IO, "%s: is a %s; name a file", path, kind_of(&facts));
  LFM_TRY(follow_links(path, place));
  folder_of(place, folder);
  if (stat(folder, &facts) != 0 && errno == ENOENT)
    return lfm_fail(LFM_E_IO, "%s: there is no folder %s; make it first", path, folder);
  if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
    return lfm_fail_errno("%s: cannot be written, because of its folder", path);
  return check_name(place, folder);
}

lfm_status lfm_path_check_writable(const char *path) {
  char place[LFM_PATH_SIZE];
  return find_place(path, place);
}

/* A file that a commit has renamed since it was opened is that commit's. */
static bool is_named(int descriptor, const char *path) {
  struct stat opened, named;
  return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

/* What is no file, somebody else put there: not written through a link, nor waited for as a pipe without a reader. */
static lfm_status open_own(lfm_writer *writer) {
  struct stat facts;
  mode_t mode = 0666;
  if (stat(writer->path, &facts) == 0) mode = (facts.st_mode & MODE) | S_IWUSR; /* no wider than keep_mode's */
  writer->descriptor = open(writer->partial, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
  int reason = errno;
  if (lstat(writer->partial, &facts) == 0 && !S_ISREG(facts.st_mode))
    return lfm_fail(LFM_E_IO, "%s: is a %s where a file is written first; remove it", writer->partial,
                    S_ISLNK(facts.st_mode) ? "link" : kind_of(&facts));
  errno = reason;
  return writer->descriptor < 0 ? lfm_fail_errno("%s: cannot be written", writer->path) : LFM_OK;
}

/* Opens NAME.partial for this writer alone, emptied only when the lock is had: a crashed program's goes with it, a living
 * one's stays whole.  A file system that knows no locks has none. */
static lfm_status open_partial(lfm_writer *writer) {
  do {
    if (writer->descriptor >= 0) close(writer->descriptor);
    LFM_TRY(open_own(writer));
    if (flock(writer->descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      return lfm_fail(LFM_E_EXISTS, "%s: another program is writing it; wait for its end or name another file", writer->path);
  } while (!is_named(writer->descriptor, writer->partial));
  if (ftruncate(writer->descriptor, 0) != 0) return lfm_fail_errno("%s: cannot be written", writer->path);
  return LFM_OK;
}

lfm_status lfm_writer_open(const char *path, lfm_writer **out) {
  *out = NULL;
  lfm_writer *writer;
  LFM_TRY(LFM_ALLOC(&writer, 1));
  writer->descriptor = -1;
  lfm_status status = find_place(path, writer->path);
  snprintf(writer->partial, sizeof writer->partial, "%s.partial", writer->path);
  if (status == LFM_OK) status = open_partial(writer);
  if (status == LFM_OK) {
    *out = writer;
    return LFM_OK;
  }
  if (writer->descriptor >= 0) close(writer->descriptor);
  lfm_free(writer);
  return status;
}

lfm_status lfm_writer_put(lfm_writer *writer, const void *data, size_t size) {
  const uint8_t *from = data;
  while (size) {
    size_t room = BUFFER - writer->filled;
    size_t part = size < room ? size : room;
    memcpy(writer->buffer + writer->filled, from, part);
    writer->filled += part;
    from += part;
    size -= part;
    if (writer->filled == BUFFER) LFM_TRY(flush(writer));
  }
  return LFM_OK;
}

/* The rename is on the disk only when the folder is. */
lfm_status lfm_path_sync(const char *path) {
  char folder[LFM_PATH_SIZE];
  folder_of(path, folder);
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return lfm_fail_errno("%s", folder);
  int failed = fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS; /* some file systems have no folder sync */
  lfm_status status = failed ? lfm_fail_errno("%s: cannot be synced", folder) : LFM_OK;
  close(descriptor);
  return status;
}

/* Who might read and write the file that is replaced may do so with the new one. */
static lfm_status keep_mode(const lfm_writer *writer) {
  struct stat old, new;
  bool differ = stat(writer->path, &old) == 0 && fstat(writer->descriptor, &new) == 0 && ((old.st_mode ^ new.st_mode) & MODE);
  if (differ && fchmod(writer->descriptor, old.st_mode & MODE) != 0)
    return lfm_fail_errno("%s: its permissions cannot be kept", writer->path);
  return LFM_OK;
}

/* The lock goes with the descriptor: until it is closed NAME.partial is ours to rename or remove. */
lfm_status lfm_writer_commit(lfm_writer *writer) {
  lfm_status status = flush(writer);
  if (status == LFM_OK) status = keep_mode(writer);
  if (status == LFM_OK && fsync(writer->descriptor) != 0) status = lfm_fail_errno("%s: cannot be synced", writer->path);
  if (status == LFM_OK && rename(writer->partial, writer->path) != 0)
    status = lfm_fail_errno("%s: cannot be put in place", writer->path);
  if (status != LFM_OK) {
    lfm_writer_abort(writer);
    return status;
  }
  status = lfm_path_sync(writer->path);
  close(writer->descriptor);
  lfm_free(writer);
  return status;
}

void lfm_writer_abort(lfm_writer *writer) {
  if (!writer) return;
  unlink(writer->partial);
  close(writer->descriptor);
  lfm_free(writer);
}

lfm_status lfm_file_write(const char *path, const void *data, size_t size) {
  lfm_writer *writer;
  LFM_TRY(lfm_writer_open(path, &writer));
  lfm_status status = lfm_writer_put(writer, data, size);
  if (status == LFM_OK) return lfm_writer_commit(writer);
  lfm_writer_abort(writer);
  return status;
}

/* ---- paths -------------------------------------------------------------------------------------------------- */

bool lfm_path_exists(const char *path) { return access(path, F_OK) == 0; }

lfm_status lfm_path_find(const char *path, bool *is_there) {
  struct stat facts;
  *is_there = stat(path, &facts) == 0;
  return *is_there || errno == ENOENT || errno == ENOTDIR ? LFM_OK : lfm_fail_errno("%s", path);
}

bool lfm_path_is_folder(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool lfm_path_ends_with(const char *path, const char *ending) {
  size_t length = strlen(path), tail = strlen(ending);
  return length >= tail && strcasecmp(path + length - tail, ending) == 0;
}

lfm_status lfm_path_join(char *out, size_t size, const char *folder, const char *name) {
  const char *between = !*folder || folder[strlen(folder) - 1] == '/' ? "" : "/"; /* "": the working folder */
  int length = snprintf(out, size, "%s%s%s", folder, between, name);
  if (length < 0 || (size_t)length >= size) return lfm_fail(LFM_E_USAGE, "%.60s...: the path is too long", folder);
  return LFM_OK;
}

bool lfm_path_parent(char *path) {
  char *slash = strrchr(path, '/');
  if (strcmp(path, "/") == 0 || strcmp(path, ".") == 0) return false;
  if (slash == path) slash[1] = 0;
  else if (slash) *slash = 0;
  else memcpy(path, ".", sizeof "."); /* a path has room for a name and its end */
  return true;
}

lfm_status lfm_folder_make(const char *path) {
  if (mkdir(path, 0777) == 0) return LFM_OK;
  bool is_taken = errno == EEXIST; /* before a look at what is there says something else, as of a link that leads nowhere */
  if (is_taken && lfm_path_is_folder(path)) return LFM_OK;
  if (is_taken) return lfm_fail(LFM_E_IO, "%s: is no folder, and one cannot be made there; name another", path);
  if (errno == ENOENT) return lfm_fail(LFM_E_IO, "%s: the folder to make it in is not there; make that first", path);
  return lfm_fail_errno("%s: the folder cannot be made", path);
}

lfm_status lfm_folder_lock(const char *path, const char *writes, int *descriptor) {
  int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened == 0) { /* a program without a standard input */
    opened = fcntl(0, F_DUPFD_CLOEXEC, 1);
    close(0);
  }
  if (opened < 0) return lfm_fail_errno("%s", path);
  *descriptor = opened;
  if (flock(opened, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return LFM_OK;
  close(opened);
  *descriptor = 0;
  return lfm_fail(LFM_E_EXISTS, "%s: another program %s there at this moment", path, writes);
}

lfm_status lfm_file_remove(const char *path) {
  if (unlink(path) == 0 || errno == ENOENT) return LFM_OK;
  return lfm_fail_errno("%s: cannot be removed", path);
}
