/* SPDX-License-Identifier: MIT
 *
 * listing.h -- the names in a folder, in an order that does not depend on the file system.
 */
#ifndef LFM_DATA_LISTING_H
#define LFM_DATA_LISTING_H

#include "core/status.h"

typedef struct lfm_listing {
  int64_t count;
  char **names; /* [count] by their bytes, without those that begin with a point */
  size_t room;
} lfm_listing;

lfm_status lfm_listing_read(const char *folder, lfm_listing *out);
/* Of the folder NAME in a folder; none when it is no folder. */
lfm_status lfm_listing_inside(const char *folder, const char *name, lfm_listing *out);
lfm_status lfm_listing_add(lfm_listing *listing, const char *name); /* behind the last; for lists of other names */
void lfm_listing_free(lfm_listing *listing);                        /* accepts a freed one */

#endif
