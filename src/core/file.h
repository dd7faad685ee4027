/* SPDX-License-Identifier: MIT
 *
 * file.h -- whole files in, whole files out.
 * A writer fills NAME.partial and only its commit gives it the name: write, fsync, rename, fsync of the folder.  A crash at
 * any point leaves the old file or the new one, never half of one.  Of two that write one file the second is refused, by a
 * lock on NAME.partial, which ends with its holder.  As with a shell's ">", a link stays and what it leads to is replaced,
 * and the new file has the old one's permissions.
 */
#ifndef LFM_CORE_FILE_H
#define LFM_CORE_FILE_H

#include "core/status.h"

enum { LFM_PATH_SIZE = 4096 }; /* room for a path, its end included */

lfm_status lfm_file_read(const char *path, uint8_t **data, size_t *size); /* free with lfm_free */

typedef struct lfm_map { /* a read-only view of a file */
  const uint8_t *data;
  size_t size;
} lfm_map;
lfm_status lfm_map_open(const char *path, lfm_map *out);
void lfm_map_close(lfm_map *map); /* accepts a closed one */

typedef struct lfm_writer lfm_writer;
lfm_status lfm_writer_open(const char *path, lfm_writer **out);               /* LFM_E_EXISTS: another one is writing it */
lfm_status lfm_writer_put(lfm_writer *writer, const void *data, size_t size); /* buffered */
lfm_status lfm_writer_commit(lfm_writer *writer);                             /* destroys the writer, whatever it returns */
void lfm_writer_abort(lfm_writer *writer);                                    /* removes NAME.partial; accepts NULL */

/* The whole text as one file, committed. */
lfm_status lfm_file_write(const char *path, const void *data, size_t size);

/* Whether a writer could put a file there: its folder is there and open to us, and the path is no folder or device. */
lfm_status lfm_path_check_writable(const char *path);

bool lfm_path_exists(const char *path);
/* The same, where "no" and "not ours to know" differ: LFM_E_IO, with the path, when the system does not let us look. */
lfm_status lfm_path_find(const char *path, bool *is_there);
bool lfm_path_is_folder(const char *path);
bool lfm_path_ends_with(const char *path, const char *ending);                          /* letters of either case */
lfm_status lfm_path_join(char *out, size_t size, const char *folder, const char *name); /* LFM_E_USAGE when too long */
bool lfm_path_parent(char *path);                                                       /* in place: a/b, a, .; false: none */
lfm_status lfm_folder_make(const char *path);                                           /* an existing folder is fine */
lfm_status lfm_path_sync(const char *path);                                             /* its name in its folder, to disk */
lfm_status lfm_file_remove(const char *path);                                           /* a missing file is fine */

/* A folder for this program alone, until the descriptor is closed, which is above 0.  LFM_E_EXISTS: another one WRITES there,
 * "is training".  A file system that knows no locks has none. */
lfm_status lfm_folder_lock(const char *path, const char *writes, int *descriptor);

#endif
