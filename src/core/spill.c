/* SPDX-License-Identifier: MIT
 *
 * spill.c -- arrays of rows that memory does not hold.
 * Such an array is a file mapped into memory: the system keeps the pages that are in use and writes the others out.  The
 * file has no name from the start, so nobody reads it after a crash and nothing need be removed: what must survive goes
 * through lfm_writer as everything does, and the bytes of every result are those that memory would have given.
 * The file's blocks are reserved when it is made: a store into a mapped page that finds the disk full is a signal, not a
 * status.  Refused: one mapped file that is pool and checkpoint at once.  It saves one copy a block, small beside the solve
 * that fills it, and needs a second path for pools that fit.  [docs/decisions/memory.md]
 */
#include "core/spill.h"

#include "core/bytes.h"
#include "core/file.h"
#include "core/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LEAST = 4 * 4096 }; /* smaller arrays are not worth a file */

/* At the front of each mapping; the caller's bytes follow, aligned to a cache line. */
typedef struct mapping {
  _Alignas(64) struct mapping *next;
  size_t bytes; /* of the caller */
} mapping;

static atomic_size_t limit = SIZE_MAX;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around the folder and the list */
static char folder[LFM_PATH_SIZE];
static mapping *mappings;
static atomic_int mapping_count;

/* ---- the limit ---------------------------------------------------------------------------------------------- */

lfm_status lfm_memory_limit(int64_t bytes, const char *where) {
  char path[LFM_PATH_SIZE] = "";
  if (bytes < 0) return lfm_fail(LFM_E_USAGE, "a memory limit of %lld bytes", (long long)bytes);
  if (where && strlen(where) >= LFM_PATH_SIZE) return lfm_fail(LFM_E_USAGE, "%.60s...: the path is too long", where);
  if (where) snprintf(path, sizeof path, "%s", where);
  while (where && !lfm_path_is_folder(path) && lfm_path_parent(path)) continue; /* of a folder that is still to be made */
  pthread_mutex_lock(&lock);
  memcpy(folder, path, sizeof folder);
  pthread_mutex_unlock(&lock);
  atomic_store(&limit, !where ? SIZE_MAX : bytes ? (size_t)bytes : lfm_machine_memory("") / 2);
  return LFM_OK;
}

bool lfm_spill_is_wanted(size_t bytes, size_t in_use) {
  size_t most = atomic_load_explicit(&limit, memory_order_relaxed);
  return bytes >= LEAST && (in_use > most || bytes > most - in_use);
}

/* ---- files without a name ----------------------------------------------------------------------------------- */

static int open_nameless(void) {
#ifdef O_TMPFILE
  int nameless = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (nameless >= 0) return nameless;
#endif
  char path[LFM_PATH_SIZE + 20]; /* a file system that has no such files */
  snprintf(path, sizeof path, "%s/lfm-rows-XXXXXX", folder);
  int descriptor = mkostemp(path, O_CLOEXEC);
  if (descriptor >= 0) unlink(path);
  return descriptor;
}

static lfm_status map_file(int descriptor, size_t size, mapping **out) {
  int refused;
  do refused = posix_fallocate(descriptor, 0, (off_t)size);
  while (refused == EINTR);
  errno = refused;
  if (refused)
    return lfm_fail_errno("%s: no room for %.3g MB of rows that are over the memory limit; free so much there, or raise "
                          "the limit (--memory)",
                          folder, (double)size * 1e-6);
  void *view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (view == MAP_FAILED) return lfm_fail_errno("%s: rows that are over the memory limit cannot be mapped there", folder);
  *out = view;
  return LFM_OK;
}

static lfm_status create(size_t size, mapping **out) {
  int descriptor = open_nameless();
  if (descriptor < 0) return lfm_fail_errno("%s: rows that are over the memory limit cannot be put there", folder);
  lfm_status status = map_file(descriptor, size, out);
  close(descriptor);
  return status;
}

lfm_status lfm_spill_create(size_t bytes, void **out) {
  mapping *made = NULL;
  *out = NULL;
  if (bytes > PTRDIFF_MAX - sizeof *made) return lfm_fail(LFM_E_MEMORY, "memory refused: %zu bytes of rows", bytes);
  pthread_mutex_lock(&lock);
  lfm_status status = create(bytes + sizeof *made, &made);
  if (status == LFM_OK) {
    *made = (mapping){.next = mappings, .bytes = bytes};
    mappings = made;
    atomic_fetch_add(&mapping_count, 1);
    *out = made + 1;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

/* ---- which memory is ours ----------------------------------------------------------------------------------- */

/* The link that leads to the mapping of this memory, or NULL; under the lock. */
static mapping **find(const void *memory) {
  for (mapping **at = &mappings; *at; at = &(*at)->next)
    if (*at + 1 == memory) return at;
  return NULL;
}

static bool is_none(void) { return atomic_load(&mapping_count) == 0; } /* as nearly always: no lock is taken */

bool lfm_spill_destroy(void *memory) {
  if (is_none()) return false;
  pthread_mutex_lock(&lock);
  mapping **link = find(memory), *found = link ? *link : NULL;
  if (found) {
    *link = found->next;
    munmap(found, found->bytes + sizeof *found);
    atomic_fetch_sub(&mapping_count, 1);
  }
  pthread_mutex_unlock(&lock);
  return found != NULL;
}

size_t lfm_spill_size(const void *memory) {
  if (is_none()) return 0;
  pthread_mutex_lock(&lock);
  mapping **link = find(memory);
  size_t bytes = link ? (*link)->bytes : 0;
  pthread_mutex_unlock(&lock);
  return bytes;
}

void lfm_spill_expect(void *memory, bool scattered) {
  size_t bytes = lfm_spill_size(memory);
  if (bytes) posix_madvise((mapping *)memory - 1, bytes + sizeof(mapping), scattered ? POSIX_MADV_RANDOM : POSIX_MADV_NORMAL);
}
