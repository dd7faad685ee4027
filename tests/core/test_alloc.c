/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c -- memory is aligned and zeroed, sizes that overflow are refused, growth keeps what was there, and the N-th
 * request fails on command.
 */
#include "core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_aligned_and_zeroed(void **state) {
  (void)state;
  for (size_t n = 0; n < 300; n += 7) {
    uint8_t *dirty, *memory = (uint8_t *)1;
    assert_int_equal(LFM_ALLOC(&dirty, n), LFM_OK);
    memset(dirty, 0xA5, n); /* so that the next request may get used memory */
    lfm_free(dirty);
    assert_int_equal(LFM_ALLOC(&memory, n), LFM_OK);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
    for (size_t i = 0; i < n; i++) assert_int_equal(memory[i], 0);
    lfm_free(memory);
  }
  lfm_free(NULL);
}

static void typed_front_counts_elements(void **state) {
  (void)state;
  double *rows;
  assert_int_equal(LFM_ALLOC(&rows, 1000), LFM_OK);
  for (size_t i = 0; i < 1000; i++) { /* the sanitizer sees a block that is too short */
    assert_true(rows[i] == 0.0);
    rows[i] = 1.0;
  }
  lfm_free(rows);
}

static void sizes_that_overflow_are_refused(void **state) {
  (void)state;
  const size_t cases[][2] = {{SIZE_MAX, 2},
                             {2, SIZE_MAX},
                             {SIZE_MAX / 2, 3},
                             {(size_t)1 << 33, (size_t)1 << 31},
                             {(size_t)1 << 32, 1ull << 32},
                             {SIZE_MAX, 1},
                             {SIZE_MAX - 63, 1},
                             {(size_t)PTRDIFF_MAX + 1, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    void *memory = (void *)1;
    assert_int_equal(lfm_alloc_array(&memory, cases[i][0], cases[i][1]), LFM_E_MEMORY);
    assert_null(memory);
    assert_non_null(strstr(lfm_error(), "memory refused"));
  }
}

static void growth_keeps_contents_and_zeroes_the_rest(void **state) {
  (void)state;
  int *array = NULL;
  size_t capacity = 0;
  for (size_t n = 0; n < 5000; n++) {
    size_t before = capacity;
    assert_int_equal(lfm_alloc_grow(&array, &capacity, n + 1, sizeof *array), LFM_OK);
    assert_true(capacity > n);
    if (capacity != before) {
      for (size_t i = 0; i < n; i++) assert_int_equal(array[i], (int)i + 1);
      for (size_t i = n; i < capacity; i++) assert_int_equal(array[i], 0);
    }
    array[n] = (int)n + 1;
  }
  assert_true(capacity <= 2 * 5000); /* by doubling: no more than that, and a dozen moves */
  int *same = array;
  assert_int_equal(lfm_alloc_grow(&array, &capacity, 10, sizeof *array), LFM_OK);
  assert_ptr_equal(array, same);
  lfm_free(array);
}

static void refused_growth_leaves_the_old_array(void **state) {
  (void)state;
  int *array = NULL;
  size_t capacity = 0;
  assert_int_equal(lfm_alloc_grow(&array, &capacity, 20, sizeof *array), LFM_OK);
  array[19] = 42;
  int *old = array;
  size_t old_capacity = capacity;
  assert_int_equal(lfm_alloc_grow(&array, &capacity, SIZE_MAX, sizeof *array), LFM_E_MEMORY);
  lfm_alloc_fail_at(1);
  assert_int_equal(lfm_alloc_grow(&array, &capacity, old_capacity + 1, sizeof *array), LFM_E_MEMORY);
  lfm_alloc_fail_at(0);
  assert_ptr_equal(array, old);
  assert_int_equal(capacity, old_capacity);
  assert_int_equal(array[19], 42);
  lfm_free(array);
}

static void text_is_copied(void **state) {
  (void)state;
  char from[] = "theta", *copy;
  assert_int_equal(lfm_alloc_text(&copy, from), LFM_OK);
  from[0] = 'X';
  assert_string_equal(copy, "theta");
  lfm_free(copy);
  assert_int_equal(lfm_alloc_text(&copy, ""), LFM_OK);
  assert_string_equal(copy, "");
  lfm_free(copy);
}

static void the_nth_request_fails_once(void **state) {
  (void)state;
  for (uint64_t at = 1; at <= 5; at++) {
    char *memory[8] = {0};
    lfm_alloc_fail_at(at);
    for (uint64_t i = 0; i < 8; i++) {
      assert_int_equal(LFM_ALLOC(&memory[i], 10), i + 1 == at ? LFM_E_MEMORY : LFM_OK);
      assert_int_equal(memory[i] == NULL, i + 1 == at);
    }
    assert_int_equal(lfm_alloc_fail_at(0), 8);
    for (int i = 0; i < 8; i++) lfm_free(memory[i]);
  }
  char *after;
  assert_int_equal(LFM_ALLOC(&after, 10), LFM_OK);
  lfm_free(after);
  assert_int_equal(lfm_alloc_fail_at(0), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_and_zeroed),        cmocka_unit_test(typed_front_counts_elements),
      cmocka_unit_test(sizes_that_overflow_are_refused),     cmocka_unit_test(growth_keeps_contents_and_zeroes_the_rest),
      cmocka_unit_test(refused_growth_leaves_the_old_array), cmocka_unit_test(text_is_copied),
      cmocka_unit_test(the_nth_request_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
