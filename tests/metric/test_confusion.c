/* SPDX-License-Identifier: MIT
 * The confusion table by hand, the choice among scores, and what neither can count. */
#include "metric/confusion.h"
#include "support/near.h"

#include <string.h>

static void counts_by_hand(void **state) {
  (void)state;
  const int32_t truth[] = {0, 0, 1, 2, 2, 2, 2}, said[] = {0, 2, 1, 2, 2, 0, 2};
  const int64_t expected[] = {1, 0, 1, 0, 1, 0, 1, 0, 3};
  int64_t table[9];
  lfm_share accuracy = {.share = NAN};
  memset(table, 0x55, sizeof table);
  assert_int_equal(lfm_confusion_count(truth, said, 7, 3, table, &accuracy), LFM_OK);
  assert_memory_equal(table, expected, sizeof table);
  assert_int_equal(accuracy.count, 5);
  assert_int_equal(accuracy.of, 7);
  assert_near(accuracy.share, 5.0 / 7, 1e-15);
}

static void the_highest_score_is_chosen(void **state) {
  (void)state;
  const float scores[] = {-1, 3, 2, 5, 5, 4, -INFINITY, -INFINITY, -9};
  int32_t said[] = {7, 7, 7};
  assert_int_equal(lfm_confusion_choose(scores, 3, 3, said), LFM_OK);
  assert_int_equal(said[0], 1);
  assert_int_equal(said[1], 0);
  assert_int_equal(said[2], 2);
}

static void refuses_nonsense(void **state) {
  (void)state;
  const int32_t good[] = {0, 1}, high[] = {0, 2}, low[] = {0, -1};
  int64_t table[4];
  lfm_share accuracy;
  assert_int_equal(lfm_confusion_count(good, good, 0, 2, table, &accuracy), LFM_E_DATA);
  assert_int_equal(lfm_confusion_count(good, high, 2, 2, table, &accuracy), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "row 1"));
  assert_int_equal(lfm_confusion_count(low, good, 2, 2, table, &accuracy), LFM_E_DATA);
  const float scores[] = {1, 2, 3, NAN};
  int32_t said[2];
  assert_int_equal(lfm_confusion_choose(scores, 2, 2, said), LFM_E_DATA);
  assert_int_equal(lfm_confusion_choose(scores, 2, 0, said), LFM_E_DATA);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_by_hand),
      cmocka_unit_test(the_highest_score_is_chosen),
      cmocka_unit_test(refuses_nonsense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
