/* SPDX-License-Identifier: MIT
 *
 * format.h -- what every file format offers: a reader from bytes in memory (so that tests and fuzzers need no files) and a
 * writer.  src/data/read.c and write.c choose among them by the ending of the path.
 */
#ifndef LFM_DATA_FORMAT_H
#define LFM_DATA_FORMAT_H

#include "core/file.h"
#include "data/listing.h"
#include "data/table.h"

/* What a reader is given. */
typedef struct lfm_source {
  const char *name;    /* what messages call it: the path, with ::key where there is one */
  const char *path;    /* the file */
  const char *key;     /* behind "::", NULL when there is none */
  const uint8_t *data; /* [size] the bytes of the file; NULL: the reader opens the path (HDF5) */
  size_t size;
  const lfm_table_options *options; /* may be NULL */
  bool survey;                      /* refuse no value (data/survey.h) */
} lfm_source;

typedef lfm_status (*lfm_reader_fn)(const lfm_source *source, lfm_table **out);

lfm_status lfm_csv_parse(const lfm_source *source, lfm_table **out);
lfm_status lfm_csv_gz_parse(const lfm_source *source, lfm_table **out);
lfm_status lfm_npy_parse(const lfm_source *source, lfm_table **out);
lfm_status lfm_npz_parse(const lfm_source *source, lfm_table **out);
lfm_status lfm_hdf5_parse(const lfm_source *source, lfm_table **out);
lfm_status lfm_zarr_read(const lfm_source *source, lfm_table **out); /* of a folder */

/* A writer puts the whole file into `writer`; key is NULL where the format has none. */
typedef lfm_status (*lfm_format_fn)(const lfm_table *table, const char *key, lfm_writer *writer);

lfm_status lfm_csv_write(const lfm_table *table, const char *key, lfm_writer *writer);
lfm_status lfm_csv_gz_write(const lfm_table *table, const char *key, lfm_writer *writer);
lfm_status lfm_npy_write(const lfm_table *table, const char *key, lfm_writer *writer);
lfm_status lfm_npz_write(const lfm_table *table, const char *key, lfm_writer *writer);
lfm_status lfm_hdf5_write(const lfm_table *table, const char *key, lfm_writer *writer);

/* LFM_E_USAGE, with the path, for a key that the writer could not take. */
typedef lfm_status (*lfm_key_fn)(const char *path, const char *key);

lfm_status lfm_npz_check_key(const char *path, const char *key);
lfm_status lfm_hdf5_check_key(const char *path, const char *key);

/* The keys of all arrays in an archive, behind those of `out`. */
typedef lfm_status (*lfm_names_fn)(const lfm_source *source, lfm_listing *out);

lfm_status lfm_npz_names(const lfm_source *source, lfm_listing *out);
lfm_status lfm_hdf5_names(const lfm_source *source, lfm_listing *out);

/* One file format. */
typedef struct lfm_format {
  const char *ending;
  const char *own_key; /* several arrays in a file, told apart by ::key, of which this one is written without; NULL: one */
  bool by_path;        /* the reader opens the file itself */
  lfm_reader_fn read;
  lfm_format_fn write;  /* NULL: it is only read */
  lfm_key_fn check_key; /* this and the next where it has keys */
  lfm_names_fn names;
} lfm_format;

/* The format of this path; *file (free with lfm_free) is the path without ::key, and *key points into it or is NULL.
 * LFM_E_USAGE when no ending matches. */
lfm_status lfm_path_split_key(const char *path, const lfm_format **format, char **file, const char **key);

/* The columns that options keep: *keep [*count] numbers among names [cols], free with lfm_free.
 * LFM_E_USAGE names what is unknown or given twice, or says that the source, which is not named, has no names of its own
 * by which all of its columns could be put into another order. */
lfm_status lfm_select_columns(const lfm_source *source, char *const *names, bool is_named, int64_t cols, int64_t **keep,
                              int64_t *count);

/* Whether the columns that are kept have names: the source's, or the words of who chose them. */
bool lfm_select_names(const lfm_source *source, bool is_named);

/* A table of a binary format as options want it: columns chosen, rows with a value that is not finite dropped or refused.
 * Takes *table over: on failure it is destroyed and NULL. */
lfm_status lfm_select_table(const lfm_source *source, lfm_table **table);

/* Whether a value that is not there, or not finite, drops its row; and the note that says how many were. */
bool lfm_select_drops_missing(const lfm_source *source);
lfm_status lfm_select_note_dropped(const lfm_source *source, int64_t dropped, int64_t rows);

#endif
