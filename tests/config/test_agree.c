/* SPDX-License-Identifier: MIT
 *
 * A resume is refused where it asks for something else, and only there.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static lfm_config *stored, *asked;

static int make_configs(void **state) {
  (void)state;
  if (lfm_config_create(&stored) != LFM_OK || lfm_config_create(&asked) != LFM_OK) return -1;
  return lfm_config_preset(stored, "power@A") != LFM_OK;
}

static int destroy_configs(void **state) {
  (void)state;
  lfm_config_destroy(stored);
  lfm_config_destroy(asked);
  return 0;
}

static void test_what_is_not_asked_agrees(void **state) {
  (void)state;
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_OK);
  assert_int_equal(lfm_config_preset(asked, "power@A"), LFM_OK);
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_OK);
}

static void test_another_value_is_named(void **state) {
  (void)state;
  assert_int_equal(lfm_config_set(asked, "lr=0.0001"), LFM_OK);
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "lr: the run was begun with 0.005, not 0.0001"));
  assert_int_equal(lfm_config_set(asked, "lr=5e-3"), LFM_OK);
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_OK);
}

static void test_a_schedule_is_compared_by_its_chain(void **state) {
  (void)state;
  assert_int_equal(lfm_config_set(asked, "schedule.c=0.15"), LFM_OK);
  asked->blocks = 1; /* the chain that the schedule gives, the caller's to fill */
  asked->hks[0] = 0.15;
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "hks: the run was begun with [0.15, 0.2, 0.26, null], not [0.15]"));
  asked->blocks = stored->blocks;
  memcpy(asked->hks, stored->hks, sizeof asked->hks);
  assert_int_equal(lfm_config_agrees(stored, asked), LFM_OK);
}

#define WITH_CONFIGS(test) cmocka_unit_test_setup_teardown(test, make_configs, destroy_configs)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_CONFIGS(test_what_is_not_asked_agrees),
      WITH_CONFIGS(test_another_value_is_named),
      WITH_CONFIGS(test_a_schedule_is_compared_by_its_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
