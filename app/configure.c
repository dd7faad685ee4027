/* SPDX-License-Identifier: MIT
 *
 * configure.c -- see configure.h.
 */
#include "configure.h"

#include <inttypes.h>
#include <string.h>

lfm_status app_configure(const char *preset, const char *file, const app_texts *sets, lfm_config **out) {
  lfm_status status = lfm_config_create(out);
  if (status == LFM_OK && preset) status = lfm_config_preset(*out, preset);
  if (status == LFM_OK && file) status = lfm_config_load(*out, file);
  for (int i = 0; status == LFM_OK && i < sets->count; i++) status = lfm_config_set(*out, sets->items[i]);
  return status;
}

bool app_is_of_key(const char *setting, const char *key) {
  size_t length = strcspn(setting, " =");
  return length == strcspn(key, " =") && strncmp(setting, key, length) == 0;
}

bool app_sets_key(const app_texts *sets, const char *key) {
  for (int i = 0; i < sets->count; i++)
    if (app_is_of_key(sets->items[i], key)) return true;
  return false;
}

lfm_status app_configure_seed(lfm_config *config, uint64_t seed) {
  char text[32];
  snprintf(text, sizeof text, "seed=%" PRIu64, seed);
  return lfm_config_set(config, text);
}

lfm_status app_configure_seeded(const char *preset, const char *file, const app_texts *sets, const app_seed *seed,
                                lfm_config **out) {
  lfm_status status = app_configure(preset, file, sets, out);
  return status == LFM_OK && seed->given ? app_configure_seed(*out, seed->value) : status;
}
