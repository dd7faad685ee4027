/* SPDX-License-Identifier: MIT
 *
 * test_table.c -- the table itself: made, filled, looked into, taken apart; and the paths that name one.
 */
#include "data/support.h"

static void is_made_of_zeros(void **state) {
  (void)state;
  lfm_table *table;
  assert_int_equal(lfm_table_make(2, 11, &table), LFM_OK);
  for (int64_t i = 0; i < 22; i++) assert_true(table->values[i] == 0);
  assert_string_equal(lfm_table_name(table, 10), "x10");
  assert_int_equal(lfm_table_decimals(table, 10), -1);
  assert_int_equal(lfm_table_find(table, "x10"), 10);
  lfm_table_destroy(table);
  assert_int_equal(lfm_table_make(INT64_MAX, 3, &table), LFM_E_USAGE);
  assert_null(table);
  assert_int_equal(lfm_table_make(-1, 3, &table), LFM_E_USAGE);
  lfm_table_destroy(NULL);
}

static void copies_what_it_is_created_from(void **state) {
  (void)state;
  double values[] = {1, 2, 3, 4};
  char name[] = "height";
  int decimals[] = {2, -1};
  lfm_table *table;
  assert_int_equal(lfm_table_create(values, 2, 2, (const char *const[]){name, "b"}, decimals, &table), LFM_OK);
  memset(values, 0, sizeof values);
  name[0] = '?';
  decimals[0] = 0;
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  assert_string_equal(lfm_table_name(table, 0), "height");
  assert_int_equal(lfm_table_decimals(table, 0), 2);
  lfm_table_destroy(table);
}

static void refuses_values_of_no_use(void **state) {
  (void)state;
  const double values[] = {1, 2, 3, NAN};
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_failure(lfm_table_create(values, 2, 2, (const char *const[]){"a", "b"}, NULL, &table), LFM_E_DATA,
                 "table: row 2, column \"b\": the value is missing (nan)");
  assert_null(table);
  assert_failure(lfm_table_create(values, 1, 3, (const char *const[]){"a", "b", "a"}, NULL, &table), LFM_E_USAGE,
                 "two columns are named \"a\"");
  assert_failure(lfm_table_create(values, 1, 2, (const char *const[]){"a", "gr\xF6\xDF"}, NULL, &table), LFM_E_USAGE,
                 "the name of column 2 is not UTF-8 text");
  assert_failure(lfm_table_create(values, 1, 2, NULL, (const int[]){0, 31}, &table), LFM_E_USAGE,
                 "column 1: 31 decimals; -2 to 30 are possible");
  assert_failure(lfm_table_create(NULL, 1, 1, NULL, NULL, &table), LFM_E_USAGE,
                 "a table needs values, at least one row and one column");
  assert_int_equal(lfm_table_create(values, 0, 1, NULL, NULL, &table), LFM_E_USAGE);
  assert_int_equal(lfm_table_create(values, 1, 0, NULL, NULL, &table), LFM_E_USAGE);
}

static void takes_rows_in_any_order(void **state) {
  (void)state;
  const int64_t index[] = {2, 0, 2};
  lfm_table *table, *taken;
  assert_int_equal(lfm_table_create((const double[]){1, 2, 3, 4, 5, 6}, 3, 2, (const char *const[]){"a", "b"},
                                    (const int[]){0, 3}, &table),
                   LFM_OK);
  assert_int_equal(lfm_table_take(table, index, 3, &taken), LFM_OK);
  lfm_table_destroy(table);
  assert_values(taken, 3, 2, (const double[]){5, 6, 1, 2, 5, 6});
  assert_string_equal(lfm_table_name(taken, 1), "b");
  assert_int_equal(lfm_table_decimals(taken, 1), 3);
  lfm_table_destroy(taken);
}

static void measures_the_share_of_equal_values(void **state) {
  (void)state;
  lfm_table *table;
  double share = -1;
  assert_int_equal(lfm_table_create((const double[]){3, 1, 0, 2, 3, 3, -0.0, 4, 3, 5}, 5, 2, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_share_equal(table, 0, &share), LFM_OK); /* 3 0 3 -0 3 */
  assert_true(share == 0.6);
  assert_int_equal(lfm_table_share_equal(table, 1, &share), LFM_OK); /* all different */
  assert_true(share == 0.2);
  lfm_table_destroy(table);
}

static lfm_status create_and_take(void *context) {
  (void)context;
  lfm_table *table, *taken = NULL;
  double share;
  lfm_status status = lfm_table_create((const double[]){1, 2}, 1, 2, (const char *const[]){"a", "b"}, NULL, &table);
  if (status != LFM_OK) return status;
  status = lfm_table_take(table, (const int64_t[]){0}, 1, &taken);
  if (status == LFM_OK) status = lfm_table_share_equal(table, 0, &share);
  lfm_table_destroy(table);
  lfm_table_destroy(taken);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  assert_true(refuse_memory(create_and_take, NULL) > 15);
}

/* path -> file, key; "-": no such format. */
static void splits_paths(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"a.csv", "a.csv", NULL},
      {"A.CSV.GZ", "A.CSV.GZ", NULL},
      {"x/a.npz", "x/a.npz", NULL},
      {"a.npz::k", "a.npz", "k"},
      {"a.h5::g/d", "a.h5", "g/d"},
      {"a.HDF5::d::e", "a.HDF5", "d::e"},
      {"a::b.npz::k", "a::b.npz", "k"},
      {"a::b.csv", "a::b.csv", NULL},
      {"a.npz::b.npz", "a.npz", "b.npz"},
      {"a.npy::k", "-", NULL},
      {"a.npz::", "-", NULL},
      {"a", "-", NULL},
      {"", "-", NULL},
      {"::", "-", NULL},
      {"a.gz", "-", NULL},
      {"a:::.npz", "a:::.npz", NULL},
      {"a.npz:::k", "a.npz", ":k"},
      {"a.hdf5", "a.hdf5", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const lfm_format *format;
    char *file;
    const char *key = "poison";
    lfm_status status = lfm_path_split_key(cases[i][0], &format, &file, &key);
    if (strcmp(cases[i][1], "-") == 0) {
      assert_int_equal(status, LFM_E_USAGE);
      assert_null(file);
      continue;
    }
    assert_int_equal(status, LFM_OK);
    assert_string_equal(file, cases[i][1]);
    if (cases[i][2]) assert_string_equal(key, cases[i][2]);
    else assert_null(key);
    lfm_free(file);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_made_of_zeros),
      cmocka_unit_test(copies_what_it_is_created_from),
      cmocka_unit_test(refuses_values_of_no_use),
      cmocka_unit_test(takes_rows_in_any_order),
      cmocka_unit_test(measures_the_share_of_equal_values),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(splits_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
