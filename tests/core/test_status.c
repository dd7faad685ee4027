/* SPDX-License-Identifier: MIT
 *
 * test_status.c -- the error line: one line, cut rather than overrun, each thread its own; notes reach their handler.
 */
#include "core/status.h"
#include "core/utf8.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_failure_returns_its_code_and_leaves_its_line(void **state) {
  (void)state;
  assert_int_equal(lfm_fail(LFM_E_DATA, "%s:%d: not a number", "a.csv", 7), LFM_E_DATA);
  assert_string_equal(lfm_error(), "a.csv:7: not a number");
}

static void the_old_line_may_be_part_of_the_new(void **state) {
  (void)state;
  lfm_error_set("inner");
  assert_int_equal(lfm_fail(LFM_E_FORMAT, "outer: %s", lfm_error()), LFM_E_FORMAT);
  assert_string_equal(lfm_error(), "outer: inner");
  lfm_error_set(lfm_error());
  assert_string_equal(lfm_error(), "outer: inner");
}

static void errno_is_put_into_words(void **state) {
  (void)state;
  errno = ENOSPC;
  assert_int_equal(lfm_fail_errno("%s", "model"), LFM_E_IO);
  char expected[200];
  snprintf(expected, sizeof expected, "model: %s", strerror(ENOSPC));
  assert_string_equal(lfm_error(), expected);
}

static void long_lines_are_cut(void **state) {
  (void)state;
  char text[5000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  lfm_fail(LFM_E_USAGE, "%s", text);
  assert_int_equal(strlen(lfm_error()), 1023);
  assert_string_equal(lfm_error() + 1020, "...");
  errno = EIO;
  lfm_fail_errno("%s", text);
  assert_in_range(strlen(lfm_error()), 1000, 1023);
  const char *cause = strerror(EIO);
  assert_string_equal(lfm_error() + strlen(lfm_error()) - strlen(cause), cause);
}

/* Wherever the cut falls. */
static void no_character_is_cut(void **state) {
  (void)state;
  char text[5000];
  for (size_t shift = 0; shift < 3; shift++) {
    memset(text, 'x', shift);
    for (size_t i = shift; i + 3 <= sizeof text - 1; i += 3) memcpy(text + i, "\xE2\x82\xAC", 4); /* the euro sign */
    lfm_fail(LFM_E_USAGE, "%s", text);
    assert_true(lfm_utf8_is_text(lfm_error()));
  }
}

static void control_characters_become_spaces(void **state) {
  (void)state;
  lfm_fail(LFM_E_DATA, "column %s", "a\nb\x1b[2Jc\xc3\xa9");
  assert_string_equal(lfm_error(), "column a b [2Jc\xc3\xa9");
  lfm_fail(LFM_E_DATA, "column %s", "\x7f\xc2\x9b\xc2\xa0");
  assert_string_equal(lfm_error(), "column    \xc2\xa0");
}

static void *fail_elsewhere(void *seen) {
  *(int *)seen = lfm_error()[0] == 0;
  lfm_fail(LFM_E_IO, "elsewhere");
  *(int *)seen += strcmp(lfm_error(), "elsewhere") == 0;
  return NULL;
}

static void each_thread_has_its_own_line(void **state) {
  (void)state;
  pthread_t thread;
  int seen = -1;
  lfm_fail(LFM_E_DATA, "here");
  assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &seen), 0);
  pthread_join(thread, NULL);
  assert_int_equal(seen, 2);
  assert_string_equal(lfm_error(), "here");
}

static lfm_status counted(lfm_status status, int *calls) {
  ++*calls;
  return status;
}

static lfm_status tries(lfm_status first, int *calls) {
  LFM_TRY(counted(first, calls));
  return counted(LFM_OK, calls);
}

static lfm_status tries_goto(lfm_status first, int *calls, int *released) {
  lfm_status status;
  LFM_TRY_GOTO(counted(first, calls), release);
  LFM_TRY_GOTO(counted(LFM_OK, calls), release);
release:
  ++*released;
  return status;
}

static void try_stops_at_the_first_failure(void **state) {
  (void)state;
  int calls = 0, released = 0;
  assert_int_equal(tries(LFM_E_MEMORY, &calls), LFM_E_MEMORY);
  assert_int_equal(calls, 1);
  assert_int_equal(tries(LFM_OK, &calls), LFM_OK);
  assert_int_equal(calls, 3);
  assert_int_equal(tries_goto(LFM_E_IO, &calls, &released), LFM_E_IO);
  assert_int_equal(calls, 4);
  assert_int_equal(tries_goto(LFM_OK, &calls, &released), LFM_OK);
  assert_int_equal(calls, 6);
  assert_int_equal(released, 2);
}

typedef struct heard {
  int notes, warnings;
  char text[100];
} heard;

static void hear(lfm_note_level level, const char *text, void *context) {
  heard *ear = context;
  *(level == LFM_WARNING ? &ear->warnings : &ear->notes) += 1;
  snprintf(ear->text, sizeof ear->text, "%s", text);
}

static void notes_reach_the_handler_until_it_is_taken_away(void **state) {
  (void)state;
  heard ear = {0};
  lfm_note(LFM_WARNING, "nobody listens");
  lfm_notes_to(hear, &ear);
  lfm_note(LFM_NOTE, "batch_size shrunk to %d rows", 900);
  assert_string_equal(ear.text, "batch_size shrunk to 900 rows");
  lfm_note(LFM_NOTE, "column %s", "\x1b[2J");
  assert_string_equal(ear.text, "column  [2J");
  lfm_note(LFM_WARNING, "careful");
  lfm_notes_to(NULL, NULL);
  lfm_note(LFM_WARNING, "nobody listens");
  assert_int_equal(ear.notes, 2);
  assert_int_equal(ear.warnings, 1);
  assert_string_equal(ear.text, "careful");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_returns_its_code_and_leaves_its_line),
      cmocka_unit_test(the_old_line_may_be_part_of_the_new),
      cmocka_unit_test(errno_is_put_into_words),
      cmocka_unit_test(long_lines_are_cut),
      cmocka_unit_test(no_character_is_cut),
      cmocka_unit_test(control_characters_become_spaces),
      cmocka_unit_test(each_thread_has_its_own_line),
      cmocka_unit_test(try_stops_at_the_first_failure),
      cmocka_unit_test(notes_reach_the_handler_until_it_is_taken_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
