/* SPDX-License-Identifier: MIT
 *
 * test_facts.c -- facts as lines and as JSON: what a hostile file calls itself reaches no terminal as it is.
 */
#include "store/facts.h"

#include "core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_cannot_steer_a_terminal(void **state) {
  (void)state;
  lfm_facts *facts;
  char *text;
  assert_int_equal(lfm_facts_create(&facts), LFM_OK);
  lfm_facts_text(facts, "task", "a\x1b[2Jb\x7f\xc2\x9b\xc3\xa9");
  lfm_facts_text(facts, "config", "lr: 1\nseed: \x1b]0;2\n");
  lfm_facts_item(facts, "columns");
  lfm_facts_text(facts, "name", "x\r\n\x1b[1A");
  lfm_facts_end(facts);
  assert_int_equal(lfm_facts_render(facts, false, &text), LFM_OK);
  assert_string_equal(text, "task           a [2Jb   \xc3\xa9\n"
                            "config\n  lr: 1\n  seed:  ]0;2\n"
                            "columns\n  x   [1A\n");
  lfm_free(text);
  assert_int_equal(lfm_facts_render(facts, true, &text), LFM_OK);
  assert_null(strchr(text, 0x1b));
  lfm_free(text);
  lfm_facts_destroy(facts);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_cannot_steer_a_terminal)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
