/* SPDX-License-Identifier: MIT
 *
 * machine_lock.c -- flock on a file of the user: $XDG_RUNTIME_DIR/lfm.lock, or lfm-UID.lock in the temporary folder where
 * that names no folder to write in, as in a container.
 * The kernel lets go of it when the holder ends, also by kill -9, so no stale lock can be left; the text in the file only
 * says who holds it.  A file with a process number and no lock was refused: numbers are used again.  The file is not removed
 * at the end, since another program may have opened it already and would then lock what nobody else can see.
 */
#include "machine_lock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HOLDER_SIZE = 512 };

static void name_file(char out[PATH_MAX]) {
  const char *runtime = getenv("XDG_RUNTIME_DIR"), *temporary = getenv("TMPDIR");
  if (runtime && *runtime && access(runtime, W_OK | X_OK) == 0) snprintf(out, PATH_MAX, "%s/lfm.lock", runtime);
  else snprintf(out, PATH_MAX, "%s/lfm-%ld.lock", temporary && *temporary ? temporary : "/tmp", (long)getuid());
}

/* The temporary folder is everybody's: a link or another user's file under our name is not followed. */
static int open_own(const char *path) {
  struct stat about;
  int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return -1;
  if (fstat(file, &about) == 0 && about.st_uid == getuid() && S_ISREG(about.st_mode)) return file;
  close(file);
  errno = EPERM;
  return -1;
}

static void write_holder(int file, int argc, char **argv) {
  char text[HOLDER_SIZE], now[32];
  time_t clock = time(NULL);
  struct tm parts;
  strftime(now, sizeof now, "%Y-%m-%d %H:%M", localtime_r(&clock, &parts));
  FILE *out = fmemopen(text, sizeof text, "w"); /* what is too long is cut off */
  if (!out) return;
  fprintf(out, "process %ld, since %s:", (long)getpid(), now);
  for (int i = 0; i < argc; i++) {
    fputc(' ', out);
    app_print_quoted(out, argv[i]);
  }
  fclose(out);
  text[sizeof text - 1] = '\0';
  if (ftruncate(file, 0) != 0 || write(file, text, strlen(text)) < 0) return; /* it is held all the same */
}

static void read_holder(int file, char out[HOLDER_SIZE]) {
  ssize_t length = pread(file, out, HOLDER_SIZE - 1, 0);
  out[length > 0 ? length : 0] = '\0';
  for (char *at = out; *at; at++)
    if ((unsigned char)*at < 0x20) *at = '?';
}

int app_machine_lock(const app_command *command, int argc, char **argv) {
  char path[PATH_MAX], holder[HOLDER_SIZE];
  name_file(path);
  int file = open_own(path);
  if (file < 0) {
    fprintf(stderr, "lfm %s: %s: cannot be opened as the lock of long runs: %s\n", command->name, path, strerror(errno));
    return APP_FAILED;
  }
  if (flock(file, LOCK_EX | LOCK_NB) == 0) {
    write_holder(file, argc, argv);
    return APP_DONE; /* the descriptor stays open: it is the lock */
  }
  if (errno != EWOULDBLOCK) {
    fprintf(stderr, "lfm %s: %s: cannot be locked, as long runs do: %s; set TMPDIR to another folder\n", command->name, path,
            strerror(errno));
    close(file);
    return APP_FAILED;
  }
  read_holder(file, holder);
  close(file);
  fprintf(stderr, "lfm %s: another long run has this machine (%s); wait for its end or stop it\n", command->name, holder);
  return APP_FAILED;
}
