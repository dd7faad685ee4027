/* SPDX-License-Identifier: MIT
 *
 * facts.h -- named numbers and texts, as a JSON object or as aligned lines to read: result.json and `lfm info`.
 * A number that is not finite is null.  An object may hold lists of objects (columns, tensors).
 */
#ifndef LFM_STORE_FACTS_H
#define LFM_STORE_FACTS_H

#include "core/status.h"

typedef struct lfm_facts lfm_facts;

lfm_status lfm_facts_create(lfm_facts **out);
void lfm_facts_destroy(lfm_facts *facts);

/* The first of these that is refused memory is remembered; lfm_facts_render then fails. */
void lfm_facts_number(lfm_facts *facts, const char *name, double value);
void lfm_facts_text(lfm_facts *facts, const char *name, const char *value);
/* A new last item of the list `name`; facts are added to it until lfm_facts_end. */
void lfm_facts_item(lfm_facts *facts, const char *name);
void lfm_facts_end(lfm_facts *facts);

lfm_status lfm_facts_render(const lfm_facts *facts, bool json, char **text); /* free with lfm_free */
lfm_status lfm_facts_write(const lfm_facts *facts, const char *path);        /* as JSON */

/* The number of that name in a JSON file's object; NAN where it is null.  LFM_E_FORMAT when it is not there. */
lfm_status lfm_facts_read(const char *path, lfm_facts **out);
lfm_status lfm_facts_get(const lfm_facts *facts, const char *name, double *value);

#endif
