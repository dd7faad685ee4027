/* SPDX-License-Identifier: MIT
 *
 * test_plan.c -- buffers in one arena: those that live together never overlap, those that do not share memory, and each lies
 * as low as those placed before it allow.
 */
#include "core/alloc.h"
#include "graph/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), LFM_OK)

static void assert_apart(const lfm_buffer *buffers, size_t count, size_t total) {
  for (size_t i = 0; i < count; i++) {
    const lfm_buffer *a = &buffers[i];
    assert_true(a->offset % 64 == 0 && a->offset + a->bytes <= total);
    for (size_t j = 0; j < i; j++) {
      const lfm_buffer *b = &buffers[j];
      bool together = a->first <= b->last && b->first <= a->last;
      bool overlap = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
      if (together && overlap) fail_msg("buffers %d and %d live together and overlap", (int)i, (int)j);
    }
  }
}

/* Larger buffers are placed first, of equals the one that comes first. */
static bool comes_before(const lfm_buffer *a, const lfm_buffer *b) {
  return a->bytes != b->bytes ? a->bytes > b->bytes : a < b;
}

static bool fits_at(size_t offset, const lfm_buffer *buffers, size_t count, const lfm_buffer *buffer) {
  for (const lfm_buffer *b = buffers; b < buffers + count; b++)
    if (comes_before(b, buffer) && b->first <= buffer->last && buffer->first <= b->last && offset < b->offset + b->bytes &&
        b->offset < offset + buffer->bytes)
      return false;
  return true;
}

/* The lowest place is the bottom or rests on another buffer. */
static void assert_lowest(const lfm_buffer *buffers, size_t count) {
  for (const lfm_buffer *b = buffers; b < buffers + count; b++) {
    assert_true(b->offset == 0 || !fits_at(0, buffers, count, b));
    for (const lfm_buffer *under = buffers; under < buffers + count; under++) {
      size_t end = under->offset + under->bytes;
      if (comes_before(under, b) && end < b->offset) assert_false(fits_at(end, buffers, count, b));
    }
  }
}

static void test_random_lifetimes(void **state) {
  (void)state;
  enum { COUNT = 60 };
  uint32_t random = 1;
  for (int round = 0; round < 50; round++) {
    lfm_buffer buffers[COUNT];
    size_t sum = 0, total = 0;
    for (int i = 0; i < COUNT; i++) {
      random = random * 1664525u + 1013904223u;
      int first = (int)(random >> 24) % 40, length = (int)(random >> 16) % (round % 2 ? 4 : 30);
      buffers[i] = (lfm_buffer){.bytes = random % 5000, .first = first, .last = first + length, .offset = SIZE_MAX};
      sum += buffers[i].bytes + 64;
    }
    OK(lfm_plan_memory(buffers, COUNT, &total));
    assert_true(total < sum);
    assert_apart(buffers, COUNT, total);
    assert_lowest(buffers, COUNT);
  }
}

/* A chain that only ever needs its last two values lives in two buffers. */
static void test_a_chain_needs_two(void **state) {
  (void)state;
  enum { COUNT = 20 };
  lfm_buffer buffers[COUNT];
  size_t total;
  for (int i = 0; i < COUNT; i++) buffers[i] = (lfm_buffer){.bytes = 640, .first = i, .last = i + 1};
  OK(lfm_plan_memory(buffers, COUNT, &total));
  assert_int_equal(total, 2 * 640);
  assert_apart(buffers, COUNT, total);
}

/* Thousands, as deep networks have: a search that starts again at every clash takes minutes. */
static void test_many_buffers(void **state) {
  (void)state;
  enum { COUNT = 6000 };
  lfm_buffer *buffers;
  size_t total, most = 0;
  OK(LFM_ALLOC(&buffers, COUNT));
  for (int i = 0; i < COUNT; i++) { /* all kept until the way back */
    buffers[i] = (lfm_buffer){.bytes = 64 * (size_t)(1 + i % 50), .first = i, .last = 2 * COUNT - i};
    most += buffers[i].bytes;
  }
  OK(lfm_plan_memory(buffers, COUNT, &total));
  assert_int_equal(total, most);
  lfm_free(buffers);
}

static void test_nothing_to_plan(void **state) {
  (void)state;
  size_t total = 1;
  OK(lfm_plan_memory(NULL, 0, &total));
  assert_int_equal(total, 0);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  lfm_buffer buffer = {.bytes = 1};
  size_t total;
  lfm_alloc_fail_at(1);
  assert_int_equal(lfm_plan_memory(&buffer, 1, &total), LFM_E_MEMORY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_lifetimes),
      cmocka_unit_test(test_a_chain_needs_two),
      cmocka_unit_test(test_many_buffers),
      cmocka_unit_test(test_nothing_to_plan),
      cmocka_unit_test(test_refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
