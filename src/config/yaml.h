/* SPDX-License-Identifier: MIT
 *
 * yaml.h -- the part of YAML that a configuration is made of: one document, one mapping of words to values or to flat
 * lists, and mappings one level down, which come out as dotted keys.
 */
#ifndef LFM_CONFIG_YAML_H
#define LFM_CONFIG_YAML_H

#include "core/status.h"

/* key: "hidden_dim" or "schedule.kind"; text: the value, a list as "[a, b]", NULL where a mapping begins under this key;
 * place: "FILE:LINE".  A failure ends the reading and is passed on. */
typedef lfm_status (*lfm_yaml_fn)(void *context, const char *key, const char *text, const char *place);

/* LFM_E_USAGE "FILE:LINE: ..." for text that is not of this form. */
lfm_status lfm_yaml_read(const char *text, size_t size, const char *file, lfm_yaml_fn fn, void *context);

#endif
