/* SPDX-License-Identifier: MIT
 *
 * test_columns.c -- which columns of a table are a model's, and what is said when none or not all are; which rows are looked
 * at, and their clusters.
 */
#include "flow_support.h"

#include "flow/columns.h"

/* A table of three columns under these names, column j constant j. */
static lfm_table *named(const char *a, const char *b, const char *c) {
  lfm_table *table;
  const char *names[] = {a, b, c};
  double values[4 * 3];
  for (int i = 0; i < 12; i++) values[i] = i % 3 + 0.25 * (i / 3);
  OK(lfm_table_create(values, 4, 3, names, NULL, &table));
  return table;
}

static void names_come_first(void **state) {
  (void)state;
  int64_t place[3] = {-7, -7, -7};
  lfm_table *learnt = named("a", "b", "c"), *turned = named("c", "a", "b"), *others = named("p", "q", "r");
  lfm_table *mixed = named("a", "b", "z");
  lfm_model *model = random_chain(learnt, NULL, 1.0);
  OK(lfm_columns_match(model, turned, place));
  assert_true(place[0] == 1 && place[1] == 2 && place[2] == 0);
  OK(lfm_columns_match(model, others, place)); /* no name fits: by place */
  assert_true(place[0] == 0 && place[1] == 1 && place[2] == 2);
  FAILS(LFM_E_DATA, lfm_columns_match(model, mixed, place));
  assert_says("none called 'c'");
  lfm_model_destroy(model);
  lfm_table_destroy(learnt), lfm_table_destroy(turned), lfm_table_destroy(others), lfm_table_destroy(mixed);
}

/* x0, x1, ... of a table without names are places, which a model that learnt columns in another order cannot go by: the rows
 * may be those of the file that was learnt from, or what the model drew. */
static void made_up_names_are_no_names(void **state) {
  (void)state;
  int64_t place[3] = {-7, -7, -7};
  const double values[6] = {0, 1, 2, 3, 4, 5};
  lfm_table *turned = named("x2", "x0", "x1"), *part = named("x1", "x2", "x3"), *straight = named("x0", "x1", "x2"),
            *nameless;
  OK(lfm_table_create(values, 2, 3, NULL, NULL, &nameless));
  lfm_model *of_turned = random_chain(turned, NULL, 1.0), *of_part = random_chain(part, NULL, 1.0),
            *of_straight = random_chain(straight, NULL, 1.0);
  FAILS(LFM_E_DATA, lfm_columns_match(of_turned, nameless, place));
  assert_says("columns have no names, and those of the model are x2, x0, x1");
  OK(lfm_columns_match(of_turned, straight, place)); /* called so by somebody */
  assert_true(place[0] == 2 && place[1] == 0 && place[2] == 1);
  lfm_model *by_place[] = {of_part, of_straight};
  for (int k = 0; k < 2; k++) {
    OK(lfm_columns_match(by_place[k], nameless, place));
    assert_true(place[0] == 0 && place[1] == 1 && place[2] == 2);
  }
  lfm_model_destroy(of_turned), lfm_model_destroy(of_part), lfm_model_destroy(of_straight);
  lfm_table_destroy(turned), lfm_table_destroy(part), lfm_table_destroy(straight), lfm_table_destroy(nameless);
}

static void another_number_of_columns_needs_the_names(void **state) {
  (void)state;
  int64_t place[2];
  lfm_table *learnt = gaussian_table(50, 2, 1), *wide = named("x1", "note", "x0"), *strange = named("p", "q", "r");
  lfm_model *model = random_chain(learnt, NULL, 1.0);
  OK(lfm_columns_match(model, wide, place));
  assert_true(place[0] == 2 && place[1] == 0);
  FAILS(LFM_E_DATA, lfm_columns_match(model, strange, place));
  assert_says("2 columns, the table 3");
  assert_says("'x0'");
  lfm_model_destroy(model);
  lfm_table_destroy(learnt), lfm_table_destroy(wide), lfm_table_destroy(strange);
}

static void a_constant_must_stay_what_it_was(void **state) {
  (void)state;
  int64_t place[3];
  lfm_table *learnt = gaussian_table(40, 3, 2), *same = gaussian_table(40, 3, 3);
  for (int i = 0; i < 40; i++) learnt->values[3 * i + 1] = same->values[3 * i + 1] = 5.0;
  lfm_model *model = random_chain(learnt, NULL, 1.0);
  OK(lfm_columns_match(model, same, place));
  same->values[3 * 17 + 1] = 5.5;
  FAILS(LFM_E_DATA, lfm_columns_match(model, same, place));
  assert_says("row 18");
  assert_says("'x1'");
  assert_says("5.5");
  lfm_model_destroy(model);
  lfm_table_destroy(learnt), lfm_table_destroy(same);
}

static void rows_are_evenly_spaced(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(103, 2, 4);
  for (int64_t wanted = 0; wanted < 200; wanted += 7) {
    int64_t *row, count, expected = wanted && wanted < 103 ? wanted : 103;
    OK(lfm_columns_choose(table, wanted, &row, &count));
    assert_int_equal(count, expected);
    for (int64_t i = 0; i < count; i++) assert_int_equal(row[i], i * 103 / count);
    lfm_free(row);
  }
  int64_t *row, count;
  FAILS(LFM_E_USAGE, lfm_columns_choose(table, -1, &row, &count));
  table->values[2 * 60] = NAN;
  FAILS(LFM_E_DATA, lfm_columns_choose(table, 5, &row, &count));
  lfm_table_destroy(table);
}

static void decimals_end_where_single_precision_does(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(500, 4, 5), *out;
  const int decimals[] = {17, 17, 2, -1}, kept[] = {8, 5, 2, -1}; /* spreads of 2 and 2000 */
  for (int j = 0; j < 4; j++) table->decimals[j] = decimals[j];
  for (int i = 0; i < 500; i++)
    table->values[4 * i] *= 2.0, table->values[4 * i + 1] = 1e9 + 2000.0 * table->values[4 * i + 1];
  const char *const kinds[] = {"normalise=standardise", "normalise=whiten", "normalise=radial", "normalise=none"};
  for (int k = 0; k < 4; k++) {
    lfm_model *model = random_chain(table, KEYS(kinds[k]), 1.0);
    OK(lfm_columns_make(model, 3, 1, &out));
    for (int j = 0; j < 4; j++) assert_int_equal(lfm_table_decimals(out, j), k < 3 ? kept[j] : decimals[j]);
    for (int j = 0; j < 4; j++) assert_int_equal(model->decimals[j], decimals[j]); /* the model keeps what the data had */
    lfm_table_destroy(out);
    lfm_model_destroy(model);
  }
  lfm_table_destroy(table);
}

/* Of a column of times in seconds nine digits would leave nothing, and a constant has to come back as it was. */
static void what_is_far_from_zero_keeps_its_digits(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(500, 3, 5), *out, *again;
  folder made = folder_create();
  const char *path = inside(made.path, "times.csv");
  for (int i = 0; i < 500; i++)
    table->values[3 * i] = 1.7e9 + 10.0 * table->values[3 * i], table->values[3 * i + 2] = 1700000001.25;
  lfm_model *model = random_chain(table, KEYS("normalise=standardise"), 1.0);
  OK(lfm_columns_make(model, 1, 0, &out));
  lfm_columns_put(model, (const double[]){0.123456, 0.5}, out, 0);
  OK(lfm_table_write(out, path));
  OK(lfm_table_read(path, NULL, &again));
  assert_true(fabs(again->values[0] - out->values[0]) < 1e-6 && again->values[2] == 1700000001.25);
  assert_int_equal(lfm_table_decimals(out, 1), -1);
  folder_remove(&made);
  lfm_table_destroy(again);
  lfm_table_destroy(out);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void clusters_are_those_of_the_chosen_rows(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(30, 2, 5), *group, *wide, *few;
  double *clusters;
  const int64_t row[] = {0, 11, 29};
  OK(lfm_table_make(30, 1, &group));
  OK(lfm_table_make(30, 2, &wide));
  OK(lfm_table_make(29, 1, &few));
  for (int i = 0; i < 30; i++) group->values[i] = 100.0 + i / 10;
  OK(lfm_columns_group(group, table, row, 3, &clusters));
  assert_true(clusters[0] == 100.0 && clusters[1] == 101.0 && clusters[2] == 102.0);
  lfm_free(clusters);
  FAILS(LFM_E_DATA, lfm_columns_group(wide, table, row, 3, &clusters));
  FAILS(LFM_E_DATA, lfm_columns_group(few, table, row, 3, &clusters));
  lfm_table_destroy(table), lfm_table_destroy(group), lfm_table_destroy(wide), lfm_table_destroy(few);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_come_first),
      cmocka_unit_test(made_up_names_are_no_names),
      cmocka_unit_test(another_number_of_columns_needs_the_names),
      cmocka_unit_test(a_constant_must_stay_what_it_was),
      cmocka_unit_test(rows_are_evenly_spaced),
      cmocka_unit_test(decimals_end_where_single_precision_does),
      cmocka_unit_test(what_is_far_from_zero_keeps_its_digits),
      cmocka_unit_test(clusters_are_those_of_the_chosen_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
