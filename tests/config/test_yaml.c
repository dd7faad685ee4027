/* SPDX-License-Identifier: MIT
 *
 * YAML in, pairs out; anything but a flat mapping with one level of groups is an error with its line.
 */
#include "config/yaml.h"

#include "core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char pairs[4096];

static lfm_status note_pair(void *context, const char *key, const char *text, const char *place) {
  (void)context;
  size_t length = strlen(pairs);
  snprintf(pairs + length, sizeof pairs - length, "%s|%s=%s;", strrchr(place, ':') + 1, key, text ? text : "{");
  return strcmp(key, "stop") == 0 ? lfm_fail(LFM_E_DATA, "stopped") : LFM_OK;
}

static lfm_status read_text(const char *text) {
  pairs[0] = 0;
  return lfm_yaml_read(text, strlen(text), "f.yaml", note_pair, NULL);
}

static void test_pairs_with_their_lines(void **state) {
  (void)state;
  assert_int_equal(
      read_text("# a comment\nhks: [0.1, null] # more\nlr: 1e-3\n\nschedule:\n  kind: cosine\n  blocks: 4\nact: 'relu'\n"),
      LFM_OK);
  assert_string_equal(pairs,
                      "2|hks=[0.1, null];3|lr=1e-3;5|schedule={;6|schedule.kind=cosine;7|schedule.blocks=4;8|act=relu;");
  assert_int_equal(read_text("{a: 1, s: {b: [], c: [x]}}"), LFM_OK);
  assert_string_equal(pairs, "1|a=1;1|s={;1|s.b=[];1|s.c=[x];");
  assert_int_equal(read_text("a:\n- 1\n- 2\nb:\n"), LFM_OK);
  assert_string_equal(pairs, "1|a=[1, 2];4|b=;");
}

static void test_nothing_is_an_empty_configuration(void **state) {
  (void)state;
  static const char *const empty[] = {"", "\n", "# only this\n", "---\n", "{}", "---\n...\n"};
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
    assert_int_equal(read_text(empty[i]), LFM_OK);
    assert_string_equal(pairs, "");
  }
  assert_int_equal(lfm_yaml_read(NULL, 0, "f.yaml", note_pair, NULL), LFM_OK); /* an empty file, mapped */
}

static void test_other_forms_are_errors_with_a_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {{"a: 1\nb: [1, 2\n", "f.yaml:3: not YAML"},
               {"a: 1\n  b: 2\n", "f.yaml:2: not YAML"},
               {"a: \x01\n", "f.yaml:1: not YAML"},
               {"a: 1\nb: 2\nc: \xFF\n", "f.yaml:3: not YAML"},
               {"- 1\n- 2\n", "f.yaml:1: expected lines"},
               {"word\n", "f.yaml:1: expected lines"},
               {"a: 1\n---\nb: 2\n", "f.yaml:2: a second document"},
               {"a: &x 1\nb: *x\n", "f.yaml:2: aliases"},
               {"*x : 1\n", "f.yaml:1: aliases"},
               {"[a]: 1\n", "f.yaml:1: expected a single word"},
               {"a: [[1]]\n", "f.yaml:1: expected a single word"},
               {"a:\n  - {b: 1}\n", "f.yaml:2: expected a single word"},
               {"a:\n  b:\n    c: 1\n", "f.yaml:2: mappings nest"},
               {"a: ['1,2']\n", "f.yaml:1: an item of a list"},
               {"a: \"1\\02\"\n", "f.yaml:1: a zero byte"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (read_text(cases[i].text) != LFM_E_USAGE || !strstr(lfm_error(), cases[i].says))
      fail_msg("%s gave '%s', not '%s'", cases[i].text, lfm_error(), cases[i].says);
  }
}

static void test_the_receiver_can_stop(void **state) {
  (void)state;
  assert_int_equal(read_text("a: 1\nstop: 2\nb: 3\n"), LFM_E_DATA);
  assert_string_equal(pairs, "1|a=1;2|stop=2;");
}

static size_t longest;

static lfm_status note_length(void *context, const char *key, const char *text, const char *place) {
  (void)context;
  (void)key;
  (void)place;
  longest = strlen(text);
  return LFM_OK;
}

static void test_long_text_is_refused_or_whole(void **state) {
  (void)state;
  static char text[70000];
  memset(text, ' ', sizeof text - 1);
  assert_int_equal(read_text(text), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "no configuration"));
  strcpy(text, "a: [1");
  for (int i = 1; i < 30000; i++) memcpy(text + 3 + 2 * i, ",1", 3);
  strcat(text, "]");
  assert_int_equal(lfm_yaml_read(text, strlen(text), "f.yaml", note_length, NULL), LFM_OK);
  assert_int_equal(longest, 1 + 30000 + 2 * 29999 + 1);
}

static void test_refused_memory(void **state) {
  (void)state;
  for (uint64_t at = 1; at < 3; at++) {
    lfm_alloc_fail_at(at);
    assert_int_equal(read_text("a: [1, a-word-that-is-longer-than-the-first-room]"), LFM_E_MEMORY);
  }
  lfm_alloc_fail_at(3);
  assert_int_equal(read_text("a: [1, a-word-that-is-longer-than-the-first-room]"), LFM_OK);
  lfm_alloc_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pairs_with_their_lines),
      cmocka_unit_test(test_nothing_is_an_empty_configuration),
      cmocka_unit_test(test_other_forms_are_errors_with_a_line),
      cmocka_unit_test(test_the_receiver_can_stop),
      cmocka_unit_test(test_long_text_is_refused_or_whole),
      cmocka_unit_test(test_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
