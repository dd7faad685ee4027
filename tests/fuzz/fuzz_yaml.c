/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a configuration file, and as the argument of --set: refused with a line of text and nothing changed, or taken,
 * and then the resolved file says the same.
 */
#include "config/config.h"
#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

/* Written, read and written again: the same text. */
static void check_round_trip(const lfm_config *config) {
  char *text, *again;
  lfm_config *back;
  require(lfm_config_write_text(config, &text) == LFM_OK);
  require(lfm_config_create(&back) == LFM_OK);
  require(lfm_config_parse(back, text, strlen(text), "written") == LFM_OK);
  require(lfm_config_write_text(back, &again) == LFM_OK);
  require(strcmp(text, again) == 0);
  lfm_config_destroy(back);
  lfm_free(text);
  lfm_free(again);
}

static void check(lfm_status status, const lfm_config *config, const lfm_config *before) {
  if (status == LFM_OK) {
    (void)lfm_config_validate(config);
    check_round_trip(config);
  } else {
    require(status == LFM_E_USAGE && *lfm_error() && !strchr(lfm_error(), '\n'));
    require(memcmp(config, before, sizeof *config) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lfm_config *config, *before;
  char *text;
  require(lfm_config_create(&config) == LFM_OK);
  require(lfm_config_copy(config, &before) == LFM_OK);
  check(lfm_config_parse(config, (const char *)data, size, "input"), config, before);
  require(LFM_ALLOC(&text, size + 1) == LFM_OK);
  if (size) memcpy(text, data, size);
  *before = *config;
  check(lfm_config_set(config, text), config, before);
  lfm_free(text);
  lfm_config_destroy(config);
  lfm_config_destroy(before);
  return 0;
}
