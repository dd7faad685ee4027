/* SPDX-License-Identifier: MIT
 *
 * crash_shim.c -- LD_PRELOAD: dies, is interrupted or runs out of disk at the N-th call that changes a file.
 *
 * Counts every write, pwrite, posix_fallocate, fsync, fdatasync, rename and unlink on a path below $LFM_CRASH_DIR, in the
 * order made:
 *
 *   LFM_CRASH_AT=N       act at call N; LFM_CRASH_WHEN says how:
 *     before | after       _exit(137) instead of the call, or once it is done
 *     half                 a write puts half of its bytes down first; other calls as before
 *     INT | TERM           send the process that signal, then do the call: a polite interruption at a place we choose
 *     BUS                  likewise, as a fault that comes of no file
 *   LFM_CRASH_LOSE=1     a crash also takes what was never synced: each file falls back to its size at its last fsync.
 *                        That is what a power cut may do, and what makes a forgotten fsync visible.
 *   LFM_ENOSPC_AT=N      call N and all later writes and fallocates fail with ENOSPC: the disk is full and stays full
 *   LFM_CRASH_COUNT=F    at a normal exit the number of calls is written into file F
 *   LFM_CUT=F            file F is cut to nothing once it has been mapped, as by another program
 *
 * A descriptor's path is asked of /proc, so no open call need be followed; the calls themselves go straight to the kernel,
 * so that a sanitizer's own replacements do not matter.  Linux, 64 bits.  Not seen: stdio (its writes stay inside the C
 * library) and stores into mapped files; the program writes what must survive through write().
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CRASH_STATUS = 137, MAX_UNSYNCED = 256 };

typedef enum moment { NEVER, BEFORE, AFTER, HALF } moment;

/* A file with bytes that no fsync covers; fd is a descriptor of our own, so that it outlives the program's. */
typedef struct unsynced {
  dev_t device;
  ino_t inode;
  int fd;
  off_t safe_size;
} unsynced;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around the counter and the table */
static long calls;
static unsynced files[MAX_UNSYNCED];
static int file_count;

static long setting(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

/* ---- whose file is it --------------------------------------------------------------------------------------- */

static bool below_watched(const char *path) {
  const char *folder = getenv("LFM_CRASH_DIR");
  char full[4096];
  if (!folder) return false;
  if (path[0] != '/') { /* rename("run/a.partial", ...): relative to the working folder */
    char here[2048];
    if (!getcwd(here, sizeof here)) return false;
    if (snprintf(full, sizeof full, "%s/%s", here, path) >= (int)sizeof full) return false;
    path = full;
  }
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool path_of(int fd, char path[4096]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, 4095);
  if (length < 0) return false;
  path[length] = '\0';
  return true;
}

static bool watched(int fd) {
  char path[4096];
  return path_of(fd, path) && below_watched(path);
}

/* ---- what a power cut would take ----------------------------------------------------------------------------- */

static int find_unsynced(const struct stat *info) {
  for (int i = 0; i < file_count; i++)
    if (files[i].device == info->st_dev && files[i].inode == info->st_ino) return i;
  return -1;
}

/* Before a write: remember how much of the file is safe. */
static void note_write(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || find_unsynced(&info) >= 0 || file_count == MAX_UNSYNCED) return;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int own = open(link, O_RDWR | O_CLOEXEC);
  files[file_count++] = (unsynced){.device = info.st_dev, .inode = info.st_ino, .fd = own, .safe_size = info.st_size};
}

static void note_sync(int fd) {
  struct stat info;
  int at = fstat(fd, &info) == 0 ? find_unsynced(&info) : -1;
  if (at < 0) return;
  close(files[at].fd);
  files[at] = files[--file_count];
}

__attribute__((noreturn)) static void crash(void) {
  if (setting("LFM_CRASH_LOSE"))
    for (int i = 0; i < file_count; i++)
      if (files[i].fd >= 0 && ftruncate(files[i].fd, files[i].safe_size) != 0) abort();
  _exit(CRASH_STATUS);
}

/* ---- the N-th call ------------------------------------------------------------------------------------------- */

/* Counts one call; says whether it is the one to die at.  A signal is sent here, and the call goes on. */
static moment count_call(void) {
  const char *when = getenv("LFM_CRASH_WHEN");
  calls++;
  if (calls != setting("LFM_CRASH_AT") || !when) return NEVER;
  int signal = strcmp(when, "INT") == 0    ? SIGINT
               : strcmp(when, "TERM") == 0 ? SIGTERM
               : strcmp(when, "BUS") == 0  ? SIGBUS
                                           : 0;
  if (signal) {
    kill(getpid(), signal);
    return NEVER;
  }
  if (strcmp(when, "after") == 0) return AFTER;
  return strcmp(when, "half") == 0 ? HALF : BEFORE;
}

static bool disk_is_full(void) {
  long full_from = setting("LFM_ENOSPC_AT");
  return full_from > 0 && calls >= full_from;
}

/* The life of every watched call: the system call NUMBER with its arguments.  The lock keeps the count and the calls in
 * one order. */
static long watched_call(long number, long a, long b, long c, long d) {
  bool writes = number == SYS_write || number == SYS_pwrite64, wants_room = number == SYS_fallocate;
  bool syncs = number == SYS_fsync || number == SYS_fdatasync;
  pthread_mutex_lock(&lock);
  moment death = count_call();
  if (writes) note_write((int)a);
  if (writes && death == HALF) syscall(number, a, b, c / 2, d);
  if (death == BEFORE || death == HALF) crash();

  long result = -1;
  if ((writes || wants_room) && disk_is_full()) errno = ENOSPC;
  else result = syscall(number, a, b, c, d, 0L);
  int saved = errno;
  if (syncs && result == 0) note_sync((int)a);
  if (death == AFTER) crash();
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

/* ---- libc's functions, replaced ------------------------------------------------------------------------------ */

static long any_call(bool is_watched, long number, long a, long b, long c, long d) {
  return is_watched ? watched_call(number, a, b, c, d) : syscall(number, a, b, c, d, 0L);
}

ssize_t write(int fd, const void *data, size_t size) {
  return any_call(watched(fd), SYS_write, fd, (long)data, (long)size, 0);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return any_call(watched(fd), SYS_pwrite64, fd, (long)data, (long)size, at);
}

/* The same under its large-file name, which programs built with _FILE_OFFSET_BITS=64 call. */
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return pwrite(fd, data, size, at); }

/* Says its errno instead of setting it. */
int posix_fallocate(int fd, off_t at, off_t size) {
  int saved = errno, refused = any_call(watched(fd), SYS_fallocate, fd, 0, (long)at, (long)size) == 0 ? 0 : errno;
  errno = saved;
  return refused;
}

int posix_fallocate64(int fd, off_t at, off_t size) { return posix_fallocate(fd, at, size); }

int fsync(int fd) { return (int)any_call(watched(fd), SYS_fsync, fd, 0, 0, 0); }

int fdatasync(int fd) { return (int)any_call(watched(fd), SYS_fdatasync, fd, 0, 0, 0); }

int rename(const char *from, const char *to) {
  return (int)any_call(below_watched(to), SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD, (long)to);
}

int unlink(const char *path) { return (int)any_call(below_watched(path), SYS_unlinkat, AT_FDCWD, (long)path, 0, 0); }

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t at) {
  const char *cut = fd >= 0 ? getenv("LFM_CUT") : NULL;
  char path[4096];
  long view = syscall(SYS_mmap, address, size, protection, flags, fd, at);
  if (cut && path_of(fd, path) && strcmp(path, cut) == 0 && truncate(path, 0) != 0) abort();
  return (void *)view;
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t at) {
  return mmap(address, size, protection, flags, fd, at);
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("LFM_CRASH_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", calls);
  fclose(file);
}
