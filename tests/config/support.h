/* SPDX-License-Identifier: MIT
 *
 * support.h -- a fresh configuration for each test of this room: setup and teardown for cmocka.
 * "config/support.h" is found below tests/, the rooms' headers below src/.
 */
#ifndef LFM_TESTS_CONFIG_SUPPORT_H
#define LFM_TESTS_CONFIG_SUPPORT_H

#include "config/config.h"

static lfm_config *config;

static int make_config(void **state) {
  (void)state;
  return lfm_config_create(&config) != LFM_OK;
}

static int destroy_config(void **state) {
  (void)state;
  lfm_config_destroy(config);
  return 0;
}

#endif
