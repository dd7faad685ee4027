/* SPDX-License-Identifier: MIT
 *
 * import.h -- what the files share that make a model of foreign weights: what has been seen of the file, and the steps, which
 * import.c takes one after another.  Internal to this room.
 */
#ifndef LFM_FLOW_IMPORT_H
#define LFM_FLOW_IMPORT_H

#include "flow/chain.h"

/* How columns became x: not at all; by mean and scale; by all of an export; or by a policy's units. */
typedef enum lfm_import_form { LFM_FORM_NONE, LFM_FORM_SCALE, LFM_FORM_WHOLE, LFM_FORM_CHUNKS } lfm_import_form;

typedef struct lfm_import_source {
  const lfm_archive *archive;
  const char *path;
  bool bare; /* one block, whose tensors have no "blocks.N." */
  int blocks;
  int64_t dim;          /* of x, by the first layer, the picture or the windows */
  lfm_images *picture;  /* size and classes; NULL: no pictures */
  lfm_windows *windows; /* of a policy: actions and observations; NULL: it is none */
  lfm_import_form form;
} lfm_import_source;

/* import_source.c.  picture and windows are the caller's to destroy, on failure too. */
lfm_status lfm_import_survey(const lfm_archive *archive, const lfm_config *asked, lfm_import_source *s);
/* N of "blocks.N.", LFM_MAX_BLOCKS for that or more, and what stands behind it; -1: no such name. */
int lfm_import_block_of(const char *name, const char **rest);
void lfm_import_prefix(const lfm_import_source *s, int n, char out[32]); /* what the names of block n begin with */
bool lfm_import_is_normalisers(const lfm_import_source *s, const char *name);

/* import_config.c: a copy, completed by what the file says. */
lfm_status lfm_import_config(const lfm_config *given, const lfm_import_source *s, lfm_config **out);
lfm_status lfm_import_require_keys(const lfm_config *given, const char *const *keys, const char *what);

/* import_columns.c */
lfm_status lfm_import_normaliser(const lfm_import_source *s, const lfm_config *config, lfm_normaliser **out);
/* An empty table of `cols` columns, or of the file's pictures or windows; columns: names for them, or NULL for the file's. */
lfm_status lfm_import_schema(const lfm_import_source *s, const char *columns, int64_t cols, lfm_table **out);

/* import_blocks.c: the weights of all blocks, into a model that is planned. */
lfm_status lfm_import_blocks(const lfm_import_source *s, lfm_model *model);

#endif
