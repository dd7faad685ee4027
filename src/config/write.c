/* SPDX-License-Identifier: MIT
 *
 * write.c -- lfm_config as YAML: RUN/config.yaml, and the text inside checkpoints and model files.
 * Every key is there, so that a run can be repeated from its own file by a later version with other fallbacks; numbers are
 * the shortest that read back the same.  Where the chain is known it is stated once, as hks.
 */
#include "config/config.h"

#include "config/keys.h"
#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

/* "key: value"; the parts of a group are indented under its name. */
static int write_key(const lfm_key *key, const lfm_config *config, bool begins_group, char *out, size_t size) {
  char value[LFM_KEY_TEXT];
  lfm_key_format(key, config, value);
  const char *dot = strchr(key->name, '.');
  int group = dot ? (int)(dot - key->name) : 0;
  if (!dot) return snprintf(out, size, "%s: %s\n", key->name, value);
  if (begins_group) return snprintf(out, size, "%.*s:\n  %s: %s\n", group, key->name, dot + 1, value);
  return snprintf(out, size, "  %s: %s\n", dot + 1, value);
}

lfm_status lfm_config_write_text(const lfm_config *config, char **text) {
  enum { LARGEST = 4 * LFM_KEY_TEXT };
  LFM_TRY(LFM_ALLOC(text, LARGEST));
  size_t length = 0;
  bool in_group = false;
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    bool grouped = strchr(key->name, '.') != NULL;
    if (!(grouped && config->blocks))
      length += (size_t)write_key(key, config, grouped && !in_group, *text + length, LARGEST - length);
    in_group = grouped;
  }
  return LFM_OK;
}
