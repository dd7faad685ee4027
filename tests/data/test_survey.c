/* SPDX-License-Identifier: MIT
 *
 * test_survey.c -- a file that cannot be learnt from is still told: words and how many differ, missing and infinite values,
 * and the statistics of the numbers that there are.
 */
#include "data/support.h"

#include "core/file.h"
#include "data/survey.h"

#include <unistd.h>

static lfm_table *survey(const char *name, const void *bytes, size_t size) {
  lfm_table *table = NULL;
  assert_int_equal(lfm_file_write(in_folder(name), bytes, size), LFM_OK);
  lfm_status status = lfm_survey_read(in_folder(name), &table);
  if (status != LFM_OK) print_error("%s\n", lfm_error());
  assert_int_equal(status, LFM_OK);
  assert_int_equal(unlink(in_folder(name)), 0);
  return table;
}

static lfm_column_survey column_of(const lfm_table *table, int64_t col) {
  lfm_column_survey column;
  memset(&column, 0x5A, sizeof column);
  assert_int_equal(lfm_survey_column(table, col, &column), LFM_OK);
  assert_int_equal(column.numbers + column.infinite + column.missing + column.words, table->rows);
  return column;
}

static void every_kind_is_counted(void **state) {
  (void)state;
  const char text[] = "species,length,note,empty\nsetosa,1.5,ok,\nvirginica,NA,,?\n\"setosa\",inf,4,\n,2.5,-inf,nan\n";
  lfm_table *table = survey("t.csv", text, sizeof text - 1);
  assert_int_equal(table->rows, 4);
  lfm_column_survey species = column_of(table, 0), length = column_of(table, 1), note = column_of(table, 2),
                    empty = column_of(table, 3);
  assert_int_equal(species.words, 3);
  assert_int_equal(species.distinct, 2);
  assert_int_equal(species.missing, 1);
  assert_true(isnan(species.mean) && isnan(species.min) && isnan(species.max) && isnan(species.sd));
  assert_int_equal(length.numbers, 2);
  assert_int_equal(length.missing, 1);
  assert_int_equal(length.infinite, 1);
  assert_true(length.min == 1.5 && length.max == 2.5 && length.mean == 2.0);
  assert_true(fabs(length.sd - sqrt(0.5)) < 1e-15); /* of a sample */
  assert_int_equal(table->decimals[1], 1);
  assert_int_equal(note.words, 1);
  assert_int_equal(note.numbers, 1);
  assert_int_equal(note.infinite, 1);
  assert_true(note.mean == 4 && isnan(note.sd)); /* one number has no spread */
  assert_int_equal(empty.missing, 4);
  lfm_table_destroy(table);
}

static void many_words_are_told_apart(void **state) {
  (void)state;
  enum { WORDS = 20000, SIZE = WORDS * 24 };
  char *text;
  size_t used = 5;
  assert_int_equal(LFM_ALLOC(&text, SIZE), LFM_OK);
  memcpy(text, "word\n", used);
  for (int i = 0; i < WORDS; i++) used += (size_t)snprintf(text + used, SIZE - used, "w%d\nw%d\n", i, i / 2);
  lfm_table *table = survey("t.csv", text, used);
  lfm_column_survey column = column_of(table, 0);
  assert_int_equal(column.words, 2 * WORDS);
  assert_int_equal(column.distinct, WORDS);
  lfm_table_destroy(table);
  lfm_free(text);
}

static void not_a_number_of_an_array_is_missing_and_no_word(void **state) {
  (void)state;
  lfm_table *table, *read;
  assert_int_equal(lfm_table_create((const double[]){1, 2, 3, 4}, 4, 1, NULL, NULL, &table), LFM_OK);
  table->values[1] = NAN;
  table->values[2] = -NAN;
  assert_int_equal(lfm_table_write(table, in_folder("t.npy")), LFM_OK);
  assert_int_equal(lfm_table_read(in_folder("t.npy"), NULL, &read), LFM_E_DATA); /* elsewhere it is still an error */
  assert_int_equal(lfm_survey_read(in_folder("t.npy"), &read), LFM_OK);
  lfm_column_survey column = column_of(read, 0);
  assert_int_equal(column.missing, 2);
  assert_int_equal(column.words, 0);
  assert_true(column.min == 1 && column.max == 4);
  assert_int_equal(unlink(in_folder("t.npy")), 0);
  lfm_table_destroy(read);
  lfm_table_destroy(table);
}

static void a_broken_file_is_still_refused(void **state) {
  (void)state;
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_file_write(in_folder("t.csv"), "a,b\n1,2\n3\n", 10), LFM_OK);
  assert_int_equal(lfm_survey_read(in_folder("t.csv"), &table), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "t.csv:3: 1 field, where the first line has 2"));
  assert_null(table);
  assert_int_equal(unlink(in_folder("t.csv")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_is_counted),
      cmocka_unit_test(many_words_are_told_apart),
      cmocka_unit_test(not_a_number_of_an_array_is_missing_and_no_word),
      cmocka_unit_test(a_broken_file_is_still_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
