/* SPDX-License-Identifier: MIT
 *
 * archive_copy.h -- a model or checkpoint file written again with one thing altered: what a hostile file is made with.
 */
#ifndef FLOW_ARCHIVE_COPY_H
#define FLOW_ARCHIVE_COPY_H

#include "flow_support.h"

/* The entry of this name (a tensor or a key of the metadata) is left out, or replaced where a replacement is given. */
typedef struct alteration {
  const char *name;
  const char *text;         /* of metadata; NULL leaves it out */
  const lfm_tensor *tensor; /* NULL leaves it out */
} alteration;

static inline void copy_meta(const lfm_archive *from, const char *key, const alteration *change, lfm_archive *to) {
  const char *text = lfm_archive_meta_find(from, key);
  if (change && strcmp(key, change->name) == 0) text = change->text;
  if (text) OK(lfm_archive_meta(to, key, text));
}

/* FROM with that change, or none where NULL, at TO (which may be FROM). */
static inline void archive_copy(const char *from, const char *to, const alteration *change) {
  static const char *const keys[] = {"format",   "config", "columns", "identity", "data",
                                     "channels", "height", "width",   "classes"};
  lfm_archive *old, *new;
  OK(lfm_archive_open(from, &old));
  OK(lfm_archive_create(&new));
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) copy_meta(old, keys[k], change, new);
  for (int j = 0; j < 8; j++) {
    char key[32];
    snprintf(key, sizeof key, "column.%d", j), copy_meta(old, key, change, new);
    snprintf(key, sizeof key, "decimals.%d", j), copy_meta(old, key, change, new);
    snprintf(key, sizeof key, "class.%d", j), copy_meta(old, key, change, new);
  }
  for (int k = 0; k < lfm_archive_size(old); k++) {
    const lfm_tensor *t = lfm_archive_at(old, k);
    if (change && strcmp(t->name, change->name) == 0) t = change->tensor;
    if (t) OK(lfm_archive_add(new, lfm_archive_at(old, k)->name, t->dtype, t->dims, t->shape, t->data));
  }
  OK(lfm_archive_write(new, to));
  lfm_archive_destroy(new);
  lfm_archive_destroy(old);
}

#endif
