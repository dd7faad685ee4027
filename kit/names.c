/* SPDX-License-Identifier: MIT
 *
 * names.c -- a line of a table by its label and its runs.
 */
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>

lfm_status kit_split_names(const char *text, kit_names *out) {
  const char *equals = strchr(text, '='), *name = equals ? equals + 1 : text;
  *out = (kit_names){0};
  snprintf(out->label, sizeof out->label, "%.*s", (int)(equals ? equals - text : (ptrdiff_t)strcspn(text, ",")), text);
  for (size_t length; *name; name += length + (name[length] == ',')) {
    length = strcspn(name, ",");
    if (out->count == KIT_MOST_RUNS) return lfm_fail(LFM_E_USAGE, "%s: more than %d runs", out->label, KIT_MOST_RUNS);
    snprintf(out->name[out->count++], sizeof out->name[0], "%.*s", (int)length, name);
  }
  return out->count ? LFM_OK : lfm_fail(LFM_E_USAGE, "%s: names nothing", text);
}
