/* SPDX-License-Identifier: MIT
 *
 * The table itself: no two keys alike, every fallback is a value its own key takes, and a slip of the pen finds its key.
 */
#include "config/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_names_differ_and_have_help(void **state) {
  (void)state;
  const char *name, *fallback, *help;
  int keys = 0;
  for (; lfm_config_key(keys, &name, &fallback, &help); keys++) {
    assert_int_equal(lfm_key_find(name), keys); /* the first of that name */
    assert_true(*help && *fallback);
    assert_null(strchr(help, '\n'));
    bool is_choice = lfm_keys[keys].kind == LFM_KEY_CHOICE || lfm_keys[keys].kind == LFM_KEY_ACT;
    assert_true(!is_choice || strstr(help, lfm_keys[keys].names)); /* the help says what there is to choose from */
  }
  assert_true(keys > 30 && keys <= 128);
  assert_false(lfm_config_key(keys, &name, &fallback, &help));
  assert_false(lfm_config_key(-1, &name, &fallback, &help));
  assert_int_equal(lfm_key_find("absent"), -1);
}

/* A value outside a struct field would be silent corruption: the fields lie inside and apart. */
static void test_fields_lie_apart(void **state) {
  (void)state;
  char owner[sizeof(struct lfm_config)] = {0};
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    assert_true(key->offset + key->size <= sizeof owner);
    for (size_t i = 0; i < key->size; i++) assert_int_equal(owner[key->offset + i]++, 0);
  }
}

static void test_distance_counts_slips(void **state) {
  (void)state;
  assert_int_equal(lfm_name_distance("", ""), 0);
  assert_int_equal(lfm_name_distance("", "abc"), 3);
  assert_int_equal(lfm_name_distance("abc", ""), 3);
  assert_int_equal(lfm_name_distance("hiden_dim", "hidden_dim"), 1);
  assert_int_equal(lfm_name_distance("lr_setp", "lr_step"), 1); /* swapped */
  assert_int_equal(lfm_name_distance("kitten", "sitting"), 3);
  assert_int_equal(lfm_name_distance("bsds", "bsds300@A"), 1); /* unfinished */
  assert_int_equal(lfm_name_distance("hiden", "hidden_dim"), 2);
  char longer[400];
  memset(longer, 'x', sizeof longer);
  longer[399] = 0;
  assert_int_equal(lfm_name_distance(longer, ""), 63);
}

static void test_nearest(void **state) {
  (void)state;
  assert_string_equal(lfm_key_nearest("hiden_dim"), "hidden_dim");
  assert_string_equal(lfm_key_nearest("normalize"), "normalise");
  assert_string_equal(lfm_key_nearest("batchsize"), "batch_size");
  assert_string_equal(lfm_key_nearest("schedule.knd"), "schedule.kind");
  assert_string_equal(lfm_key_nearest("hk"), "hks");
  assert_string_equal(lfm_key_nearest("hiden"), "hidden_dim"); /* misspelt and unfinished */
  assert_string_equal(lfm_key_nearest("batch"), "batch_size");
  assert_null(lfm_key_nearest("temperature"));
  assert_null(lfm_key_nearest("zz"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_differ_and_have_help),
      cmocka_unit_test(test_fields_lie_apart),
      cmocka_unit_test(test_distance_counts_slips),
      cmocka_unit_test(test_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
