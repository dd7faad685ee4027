/* SPDX-License-Identifier: MIT
 *
 * config.c -- lfm_config: fallbacks first, then presets, files and --set laid over them, the later over the earlier.
 * A preset or file counts whole or not at all: it is read into a copy.  What nobody gave stays "auto", and the training
 * driver fills it from the data (flow/resolve.c).  Errors of one value arise in value.c; what only two keys together can
 * get wrong, in lfm_config_validate, once everything is laid on: a --set may mend what a file began.
 */
#include "config/config.h"

#include "config/keys.h"
#include "config/presets.h"
#include "config/yaml.h"
#include "core/alloc.h"
#include "core/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which keys were given ---------------------------------------------------------------------------------- */

static bool has_bit(const uint64_t set[2], int k) { return set[k / 64] >> (k % 64) & 1; }
static void put_bit(uint64_t set[2], int k, bool on) {
  uint64_t bit = (uint64_t)1 << (k % 64);
  set[k / 64] = on ? set[k / 64] | bit : set[k / 64] & ~bit;
}

/* Is this key "group.part"? */
static bool is_part(const lfm_key *key, const char *group) {
  size_t length = strlen(group);
  return strncmp(key->name, group, length) == 0 && key->name[length] == '.';
}

static bool is_group(const char *name) {
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    if (is_part(key, name)) return true;
  }
  return false;
}

bool lfm_config_is_set(const lfm_config *config, const char *name) {
  for (int k = 0; lfm_keys[k].name; k++) {
    bool named = strcmp(lfm_keys[k].name, name) == 0 || is_part(&lfm_keys[k], name);
    if (named && has_bit(config->set, k)) return true;
  }
  return false;
}

bool lfm_config_differs(const lfm_config *config, const char *name) {
  char value[LFM_KEY_TEXT];
  const lfm_key *key = &lfm_keys[lfm_key_find(name)];
  lfm_key_format(key, config, value);
  return lfm_config_is_set(config, name) && strcmp(value, key->fallback) != 0;
}

void lfm_config_take(lfm_config *config, const lfm_config *from, const char *name) {
  int k = lfm_key_find(name);
  const lfm_key *key = &lfm_keys[k];
  memcpy((char *)config + key->offset, (const char *)from + key->offset, key->size);
  if (key->kind == LFM_KEY_HKS) config->blocks = from->blocks;
  put_bit(config->set, k, true);
}

void lfm_config_settle(lfm_config *config) {
  for (int k = 0; lfm_keys[k].name; k++) put_bit(config->set, k, !(config->blocks && is_part(&lfm_keys[k], "schedule")));
}

/* ---- one key ------------------------------------------------------------------------------------------------ */

static lfm_status unknown_key(const char *name, const char *place) {
  lfm_shown shown = lfm_show(name);
  const char *nearest = lfm_key_nearest(name);
  if (is_group(name)) return lfm_fail(LFM_E_USAGE, "%s: %s has parts: give %s.kind and the others", place, name, name);
  if (nearest) return lfm_fail(LFM_E_USAGE, "%s: unknown key '%s'; did you mean '%s'?", place, shown.text, nearest);
  return lfm_fail(LFM_E_USAGE, "%s: unknown key '%s'; `lfm train --help` lists the keys", place, shown.text);
}

/* The setter that --set and YAML share. */
static lfm_status set_key(lfm_config *config, const char *name, const char *text, const char *place) {
  int k = lfm_key_find(name);
  if (k < 0) return unknown_key(name, place);
  LFM_TRY(lfm_key_parse(&lfm_keys[k], text, place, config));
  put_bit(config->set, k, strcmp(text, "auto") != 0);
  return LFM_OK;
}

lfm_status lfm_config_set(lfm_config *config, const char *key_equals_value) {
  const char *equals = strchr(key_equals_value, '=');
  if (!equals) return lfm_fail(LFM_E_USAGE, "--set: '%s' has no '='; write key=value", lfm_show(key_equals_value).text);
  char *name;
  LFM_TRY(lfm_alloc_text(&name, key_equals_value));
  char *text = name + (equals - key_equals_value), *end = text + strlen(text);
  *text++ = 0;
  /* a shell's quoted "lr = 1e-3" is as good as lr=1e-3 */
  for (char *last = text - 1; last > name && last[-1] == ' ';) *--last = 0;
  while (*text == ' ') text++;
  while (end > text && end[-1] == ' ') *--end = 0;
  lfm_status status = set_key(config, name, text, "--set");
  lfm_free(name);
  return status;
}

/* ---- presets and files -------------------------------------------------------------------------------------- */

struct laying { /* a text that is being laid over a copy */
  lfm_config copy;
  uint64_t seen[2];
  char group[64]; /* the mapping that was last begun */
};

static lfm_status lay_pair(void *context, const char *name, const char *text, const char *place) {
  struct laying *laying = context;
  int k = lfm_key_find(name);
  bool repeated = text ? k >= 0 && has_bit(laying->seen, k) : strcmp(name, laying->group) == 0;
  if (repeated) return lfm_fail(LFM_E_USAGE, "%s: '%s' is given twice", place, name);
  if (text) {
    if (k >= 0) put_bit(laying->seen, k, true);
    return set_key(&laying->copy, name, text, place);
  }
  if (k >= 0) return lfm_fail(LFM_E_USAGE, "%s: %s takes a value, not a mapping", place, name);
  if (!is_group(name)) return unknown_key(name, place);
  snprintf(laying->group, sizeof laying->group, "%s", name);
  return LFM_OK;
}

lfm_status lfm_config_parse(lfm_config *config, const char *text, size_t size, const char *place) {
  struct laying laying = {.copy = *config};
  LFM_TRY(lfm_yaml_read(text, size, place, lay_pair, &laying));
  *config = laying.copy;
  return LFM_OK;
}

lfm_status lfm_config_load(lfm_config *config, const char *path) {
  lfm_map map;
  LFM_TRY(lfm_map_open(path, &map));
  lfm_status status = lfm_config_parse(config, (const char *)map.data, map.size, path);
  lfm_map_close(&map);
  return status;
}

static lfm_status unknown_preset(const char *name) {
  char line[768];
  size_t length = 0;
  line[0] = 0;
  for (int distance = 0; distance < 64; distance++) {
    for (const lfm_preset *preset = lfm_presets; preset->name; preset++) {
      if (lfm_name_distance(name, preset->name) != distance || length + strlen(preset->name) + 2 > sizeof line) continue;
      length += (size_t)snprintf(line + length, sizeof line - length, " %s", preset->name);
    }
  }
  return lfm_fail(LFM_E_USAGE, "unknown preset '%s'; there are, nearest first:%s", lfm_show(name).text, line);
}

lfm_status lfm_config_preset(lfm_config *config, const char *name) {
  const lfm_preset *preset = lfm_presets;
  while (preset->name && strcmp(preset->name, name) != 0) preset++;
  if (!preset->name) return unknown_preset(name);
  char place[64];
  snprintf(place, sizeof place, "preset %s", preset->name);
  return lfm_config_parse(config, preset->text, strlen(preset->text), place);
}

const char *lfm_config_preset_name(int index) {
  for (const lfm_preset *preset = lfm_presets; index >= 0 && preset->name; preset++, index--) {
    if (index == 0) return preset->name;
  }
  return NULL;
}

/* ---- the object --------------------------------------------------------------------------------------------- */

lfm_status lfm_config_create(lfm_config **out) {
  *out = NULL;
  lfm_config *config;
  LFM_TRY(LFM_ALLOC(&config, 1));
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    lfm_status status = lfm_key_parse(key, "auto", "fallback", config);
    if (status != LFM_OK) return lfm_free(config), status;
  }
  *out = config;
  return LFM_OK;
}

lfm_status lfm_config_copy(const lfm_config *from, lfm_config **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  **out = *from;
  return LFM_OK;
}

void lfm_config_destroy(lfm_config *config) { lfm_free(config); }

int64_t lfm_config_image_size(const lfm_config *config) { return config ? config->image_size : 0; }

void lfm_config_act_split(const lfm_config *config, char name[16], double *beta) {
  size_t length = strcspn(config->act, "(");
  snprintf(name, 16, "%.*s", (int)length, config->act);
  *beta = lfm_key_act_beta(config->act);
}

lfm_status lfm_config_validate(const lfm_config *config) {
  if (lfm_config_is_set(config, "hks") && lfm_config_is_set(config, "schedule"))
    return lfm_fail(LFM_E_USAGE, "hks and schedule are both given; keep one (--set hks=auto takes the first back)");
  bool is_exponential = config->schedule_kind == LFM_SCHEDULE_EXPONENTIAL;
  if (!is_exponential && !(isnan(config->schedule_c) && isnan(config->schedule_rho)))
    return lfm_fail(LFM_E_USAGE,
                    "schedule.c, schedule.rho: they are of the exponential schedule; leave them, or the kind, out");
  if (config->cat_t_all && config->precision == LFM_PRECISION_BF16)
    return lfm_fail(LFM_E_USAGE,
                    "cat_t: all would show the time in the eight bits of precision: bf16; leave one of the two out");
  if (config->target_rows && !lfm_coupling_is_own(config->coupling))
    return lfm_fail(LFM_E_USAGE,
                    "target_rows needs coupling: dependent or shared; set target_rows: 0 or leave the coupling out");
  if (config->coupling == LFM_COUPLING_SHARED && config->pool != LFM_POOL_OU)
    return lfm_fail(LFM_E_USAGE,
                    "coupling: shared is of noise that rows which were pushed do not have; set pool: ou with it");
  if (config->target_rows && (config->flip || config->conditional))
    return lfm_fail(LFM_E_USAGE,
                    "target_rows: the rows that it takes the mean over are neither mirrored (flip) nor of one class "
                    "(conditional); set it to 0 beside these");
  int blocks = config->blocks ? config->blocks : config->schedule_blocks;
  bool means = config->objective == LFM_OBJECTIVE_MEANFLOW;
  if (means && blocks != 1 && config->pool != LFM_POOL_OU)
    return lfm_fail(LFM_E_USAGE, "objective: meanflow makes blocks into single steps, which carry no rows to the next; set "
                                 "pool: ou, or hks: [null] for one block");
  if (means && config->precision == LFM_PRECISION_BF16)
    return lfm_fail(LFM_E_USAGE,
                    "objective: meanflow learns by differences that precision: bf16 is too coarse for; leave one "
                    "of the two out");
  if (means && config->waves && config->finest_wave > 100.0)
    return lfm_fail(LFM_E_USAGE, "finest_wave: objective: meanflow learns by differences that waves of over 100 radians a "
                                 "unit are too fine for; give a smaller one");
  if (config->patience && config->valid_every > config->patience)
    return lfm_fail(LFM_E_USAGE,
                    "patience: a block would end after %lld batches, before its first validation loss after %lld "
                    "(valid_every); give it more, or leave valid_every out",
                    (long long)config->patience, (long long)config->valid_every);
  const char *from = config->blocks ? "hks" : "schedule.blocks";
  if (config->max_batch.count > 1 && blocks && config->max_batch.count != blocks)
    return lfm_fail(LFM_E_USAGE, "max_batch lists %lld numbers, but %s makes %d blocks; give one number or %d",
                    (long long)config->max_batch.count, from, blocks, blocks);
  return LFM_OK;
}
