/* SPDX-License-Identifier: MIT
 *
 * test_groups.c -- clusters of rows as people have them: numbers stay, words are told apart, and what is neither is refused.
 */
#include "data/support.h"

#include "core/file.h"

static lfm_status read_text(const char *text, lfm_table **out) {
  *out = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_file_write(in_folder("g.csv"), text, strlen(text)), LFM_OK);
  lfm_status status = lfm_table_read_groups(in_folder("g.csv"), out);
  if (status != LFM_OK) assert_null(*out);
  assert_int_equal(unlink(in_folder("g.csv")), 0);
  return status;
}

static void numbers_stay_as_they_are(void **state) {
  (void)state;
  lfm_table *table;
  assert_int_equal(read_text("id\n7\n-2\n7.5\n7\n", &table), LFM_OK);
  assert_values(table, 4, 1, (const double[]){7, -2, 7.5, 7});
  lfm_table_destroy(table);
}

static void equal_words_are_one_cluster_and_numbers_beside_them_others(void **state) {
  (void)state;
  lfm_table *table;
  assert_int_equal(read_text("picture\nb.png\na.png\n\"b.png\"\n3\nB.png\n0\n-0\n3.0\n", &table), LFM_OK);
  const double *g = lfm_table_values(table);
  const int same_as[] = {0, 1, 0, 3, 4, 5, 5, 3}; /* the first row of its cluster */
  for (int i = 0; i < 8; i++) {
    assert_true(g[i] >= 0 && g[i] < 5 && g[i] == floor(g[i]));
    for (int j = 0; j < 8; j++) assert_int_equal(g[i] == g[j], same_as[i] == same_as[j]);
  }
  lfm_table_destroy(table);
}

static void a_row_without_a_cluster_is_an_error(void **state) {
  (void)state;
  lfm_table *table;
  assert_int_equal(read_text("id\na\nNA\nb\n", &table), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "g.csv: row 2 has no cluster"));
  assert_int_equal(read_text("id\n1\n2\ninf\n", &table), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "g.csv: row 3 has no cluster"));
  assert_int_equal(read_text("id\n7\n1789000000000000003\n1789000000000000006\n", &table), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "g.csv: row 2: whole numbers from 2^53 on are not told apart"));
  assert_int_equal(read_text("id,x\na,1\nb,2\n", &table), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "g.csv: has 2 columns"));
}

static void refused_memory_is_a_status(void **state) {
  (void)state;
  lfm_table *table;
  lfm_status status = LFM_E_MEMORY;
  assert_int_equal(lfm_file_write(in_folder("g.csv"), "id\na\nb\na\n", 9), LFM_OK);
  for (uint64_t n = 1; status != LFM_OK; n++) {
    table = (lfm_table *)(uintptr_t)0xDEAD0;
    lfm_alloc_fail_at(n);
    status = lfm_table_read_groups(in_folder("g.csv"), &table);
    lfm_alloc_fail_at(0);
    if (status != LFM_OK) assert_int_equal(status, LFM_E_MEMORY);
    if (status != LFM_OK) assert_null(table);
    assert_true(n < 100);
  }
  assert_true(lfm_table_values(table)[0] == lfm_table_values(table)[2]);
  lfm_table_destroy(table);
  assert_int_equal(unlink(in_folder("g.csv")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_stay_as_they_are),
      cmocka_unit_test(equal_words_are_one_cluster_and_numbers_beside_them_others),
      cmocka_unit_test(a_row_without_a_cluster_is_an_error),
      cmocka_unit_test(refused_memory_is_a_status),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
