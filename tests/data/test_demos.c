/* SPDX-License-Identifier: MIT
 *
 * test_demos.c -- demonstrations in memory: episodes are taken whole, with all that belongs to them.
 */
#include "data/demos.h"
#include "data/support.h"

/* Episodes of 2, 1 and 3 steps; obs [6, 2] and actions [6, 3] count up. */
static lfm_table *three(void) {
  lfm_demos *demos;
  lfm_table *table;
  assert_int_equal(lfm_demos_make(3, 6, 2, 3, &demos), LFM_OK);
  memcpy(demos->ends, (const int64_t[]){2, 3, 6}, 3 * sizeof *demos->ends);
  for (int i = 0; i < 12; i++) demos->obs[i] = i;
  for (int i = 0; i < 18; i++) demos->actions[i] = 100 + i;
  demos->kind = LFM_ACTION_POSE;
  assert_int_equal(lfm_alloc_text(&demos->task, "lift"), LFM_OK);
  assert_int_equal(LFM_ALLOC(&demos->key, 1), LFM_OK);
  assert_int_equal(LFM_ALLOC(&demos->key_dim, 1), LFM_OK);
  assert_int_equal(lfm_alloc_text(&demos->key[demos->keys++], "object"), LFM_OK);
  demos->key_dim[0] = 2;
  assert_int_equal(lfm_listing_add(&demos->others, "image"), LFM_OK);
  assert_int_equal(lfm_listing_add(&demos->filters, "train"), LFM_OK);
  assert_int_equal(lfm_table_of_demos(demos, &table), LFM_OK);
  return table;
}

static void is_a_table_of_actions(void **state) {
  (void)state;
  lfm_table *table = three();
  assert_int_equal(lfm_table_rows(table), 6);
  assert_int_equal(lfm_table_cols(table), 3);
  assert_int_equal(lfm_table_units(table), 3);
  assert_true(lfm_table_values(table)[17] == 117);
  assert_string_equal(lfm_table_name(table, 2), "x2");
  lfm_table_destroy(table);
}

static void takes_whole_episodes(void **state) {
  (void)state;
  lfm_table *table = three(), *taken;
  assert_int_equal(lfm_table_take(table, (const int64_t[]){2, 0}, 2, &taken), LFM_OK);
  lfm_table_destroy(table); /* nothing is shared */
  const lfm_demos *demos = taken->demos;
  assert_int_equal(demos->episodes, 2);
  assert_int_equal(demos->steps, 5);
  assert_int_equal(demos->ends[0], 3);
  assert_int_equal(demos->ends[1], 5);
  const double obs[] = {6, 7, 8, 9, 10, 11, 0, 1, 2, 3};
  assert_memory_equal(demos->obs, obs, sizeof obs);
  assert_values(taken, 5, 3, (const double[]){109, 110, 111, 112, 113, 114, 115, 116, 117, 100, 101, 102, 103, 104, 105});
  assert_int_equal(demos->kind, LFM_ACTION_POSE);
  assert_string_equal(demos->task, "lift");
  assert_int_equal(demos->keys, 1);
  assert_string_equal(demos->key[0], "object");
  assert_int_equal(demos->key_dim[0], 2);
  assert_string_equal(demos->others.names[0], "image");
  assert_string_equal(demos->filters.names[0], "train");
  lfm_table_destroy(taken);
}

static lfm_status take_two(void *context) {
  lfm_table *taken;
  lfm_status status = lfm_table_take(context, (const int64_t[]){1, 2}, 2, &taken);
  if (status != LFM_OK) assert_null(taken);
  lfm_table_destroy(taken);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  lfm_table *table = three();
  assert_true(refuse_memory(take_two, table) > 10);
  lfm_table_destroy(table);
}

static void refuses_sizes_that_are_none(void **state) {
  (void)state;
  lfm_demos *demos = (lfm_demos *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_demos_make(0, 0, 1, 1, &demos), LFM_E_USAGE);
  assert_null(demos);
  assert_int_equal(lfm_demos_make(2, 1, 1, 1, &demos), LFM_E_USAGE);
  assert_int_equal(lfm_demos_make(1, INT64_MAX, INT64_MAX, 1, &demos), LFM_E_USAGE);
  assert_int_equal(lfm_demos_make(1, 1, 0, 1, &demos), LFM_E_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_a_table_of_actions),
      cmocka_unit_test(takes_whole_episodes),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(refuses_sizes_that_are_none),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
