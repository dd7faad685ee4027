/* SPDX-License-Identifier: MIT
 *
 * test_hush.c -- what one thread prints in a hushed call is gone; everything else comes out, whoever prints it and when.
 */
#include "sim/hush.h"
#include "support/capture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static void greet(void *context) {
  printf("hello %s\n", (const char *)context);
  puts("how are you");
  fputs("fine", stdout);
  putchar('\n');
}

static void drops_what_is_said_within(void **state) {
  (void)state;
  char text[256];
  capture c = capture_begin();
  printf("before\n");
  lfm_status first = lfm_hush(greet, "there"), second = lfm_hush(greet, "again");
  printf("behind\n");
  capture_end(&c, text, sizeof text);
  assert_int_equal(first, LFM_OK);
  assert_int_equal(second, LFM_OK);
  assert_string_equal(text, "before\nbehind\n");
}

typedef struct talk {
  atomic_bool begun, ended;
} talk;

enum { LINES = 20000 };

static void *chatter(void *context) {
  talk *t = context;
  atomic_store(&t->begun, true);
  for (int i = 0; i < LINES; i++) printf("x\n");
  atomic_store(&t->ended, true);
  return NULL;
}

static void greet_and_linger(void *context) {
  greet(context);
  for (volatile int i = 0; i < 1000; i++) {}
}

static void passes_on_what_others_say(void **state) {
  (void)state;
  static char text[2 * LINES + 1024];
  talk t = {false, false};
  pthread_t other;
  capture c = capture_begin();
  int created = pthread_create(&other, NULL, chatter, &t), failed = 0;
  while (!created && !atomic_load(&t.begun)) {}
  while (!created && !atomic_load(&t.ended)) failed += lfm_hush(greet_and_linger, "you") != LFM_OK;
  pthread_join(other, NULL);
  capture_end(&c, text, sizeof text);
  assert_int_equal(created, 0);
  assert_int_equal(failed, 0);
  assert_int_equal(strlen(text), 2 * LINES);
  assert_int_equal(strspn(text, "x\n"), 2 * LINES);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(drops_what_is_said_within),
      cmocka_unit_test(passes_on_what_others_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
