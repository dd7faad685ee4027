/* SPDX-License-Identifier: MIT
 *
 * agree.c -- does what a resume asks for agree with what the run was begun with?
 * Values are compared as text, the form that both were read from and that the message shows.  A stored chain is stated as
 * hks alone, so a schedule that is asked for is compared by the hks it gives, once the caller has filled them.
 */
#include "config/config.h"

#include "config/keys.h"

#include <string.h>

/* Is this key compared at all?  Where the asked chain is known, hks stands for it, and the schedule's parts do not. */
static bool is_asked(const lfm_config *asked, const lfm_key *key) {
  if (asked->blocks && key->kind == LFM_KEY_HKS) return true;
  if (asked->blocks && strncmp(key->name, "schedule.", strlen("schedule.")) == 0) return false;
  return lfm_config_is_set(asked, key->name);
}

lfm_status lfm_config_agrees(const lfm_config *stored, const lfm_config *asked) {
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    char has[LFM_KEY_TEXT], wants[LFM_KEY_TEXT];
    if (!is_asked(asked, key)) continue;
    lfm_key_format(key, stored, has);
    lfm_key_format(key, asked, wants);
    if (strcmp(has, wants) != 0)
      return lfm_fail(LFM_E_USAGE, "%s: the run was begun with %s, not %s; go on with that value, or begin another run",
                      key->name, has, wants);
  }
  return LFM_OK;
}
