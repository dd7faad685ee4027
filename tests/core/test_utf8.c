/* SPDX-License-Identifier: MIT
 *
 * test_utf8.c -- the first and last character of every row of RFC 3629's table, and their neighbours that are none.
 */
#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void characters_have_their_lengths(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int length;
  } edges[] = {
      {"", 1},
      {"\x7F", 1},
      {"\xC2\x80", 2},
      {"\xDF\xBF", 2},
      {"\xE0\xA0\x80", 3},
      {"\xED\x9F\xBF", 3},
      {"\xEE\x80\x80", 3},
      {"\xEF\xBF\xBF", 3},
      {"\xF0\x90\x80\x80", 4},
      {"\xF3\xBF\xBF\xBF", 4},
      {"\xF4\x8F\xBF\xBF", 4},
  };
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
    assert_int_equal(lfm_utf8_length(edges[i].text), edges[i].length);
    assert_true(lfm_utf8_is_text(edges[i].text));
  }
  assert_true(lfm_utf8_is_text("Gr\xC3\xB6\xC3\x9F"
                               "e \xE2\x82\xAC \xF0\x9F\x98\x80"));
}

static void other_bytes_are_none(void **state) {
  (void)state;
  static const char *const faults[] = {
      "\x80",
      "\xBF",
      "\xC0\x80",
      "\xC1\xBF", /* stray, overlong */
      "\xE0\x9F\xBF",
      "\xF0\x8F\xBF\xBF",
      "\xED\xA0\x80",
      "\xED\xBF\xBF", /* overlong, surrogates */
      "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80",
      "\xFF", /* beyond U+10FFFF */
      "\xC3",
      "\xE2\x82",
      "\xF0\x9F\x98",
      "\xC3"
      "a",
      "\xE2\x82"
      "a",
      "\xE4t\xE4t", /* cut short; Latin-1 */
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    assert_int_equal(lfm_utf8_length(faults[i]), 0);
    assert_false(lfm_utf8_is_text(faults[i]));
  }
  assert_false(lfm_utf8_is_text("Gr\xF6\xDF"
                                "e"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(characters_have_their_lengths),
      cmocka_unit_test(other_bytes_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
