/* SPDX-License-Identifier: MIT
 *
 * test_redundancy.c -- copies are counted, columns that follow from others are named with what they follow from, and a table
 * without either draws no word.
 */
#include "data/support.h"

#include "data/redundancy.h"

enum { ROWS = 300, COLS = 5 };

static char *names[] = {"a", "b", "c", "d", "e"};

/* Numbers in 0..1 without pattern, 4 decimals. */
static void fill(double *x, int64_t count) {
  uint64_t bits = 88172645463325252u; /* xorshift */
  for (int64_t i = 0; i < count; i++) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    x[i] = (double)(bits % 10000) / 1e4;
  }
}

static int64_t dependent(const double *x, int64_t rows, char list[200]) {
  int64_t count = -1;
  memset(list, 0x5A, 200);
  assert_int_equal(lfm_redundant_columns(x, rows, COLS, names, &count, list, 200), LFM_OK);
  return count;
}

static int64_t copies_of(const double *x, int64_t rows) {
  int64_t copies = -1;
  assert_int_equal(lfm_redundant_rows(x, rows, COLS, NULL, &copies), LFM_OK);
  return copies;
}

static void copies_are_counted(void **state) {
  (void)state;
  double x[ROWS * COLS];
  fill(x, ROWS * COLS);
  assert_int_equal(copies_of(x, ROWS), 0);
  assert_int_equal(copies_of(x, 1), 0);
  for (int i = 0; i < 7; i++) memcpy(x + (290 - 10 * i) * COLS, x + 3 * COLS, COLS * sizeof *x); /* eight of one */
  memcpy(x + 299 * COLS, x, COLS * sizeof *x);
  assert_int_equal(copies_of(x, ROWS), 8);
  x[2] = 0.0, x[299 * COLS + 2] = -0.0;
  assert_int_equal(copies_of(x, ROWS), 8);
  x[2] = 0.5, x[3] = 0.25, x[299 * COLS + 2] = 0.25, x[299 * COLS + 3] = 0.5; /* other places are another row */
  assert_int_equal(copies_of(x, ROWS), 7);
}

/* Groups stand for rows that depend on each other: what is copied within one does no harm. */
static void copies_within_a_group_are_none(void **state) {
  (void)state;
  double x[ROWS * COLS], group[ROWS];
  int64_t copies;
  fill(x, ROWS * COLS);
  for (int i = 0; i < ROWS; i++) group[i] = i / 10;
  for (int i = 1; i < 5; i++) memcpy(x + i * COLS, x, COLS * sizeof *x);
  assert_int_equal(lfm_redundant_rows(x, ROWS, COLS, group, &copies), LFM_OK);
  assert_int_equal(copies, 0);
  for (int i = 20; i < 23; i++) memcpy(x + i * COLS, x, COLS * sizeof *x); /* a second and a third within their own */
  assert_int_equal(lfm_redundant_rows(x, ROWS, COLS, group, &copies), LFM_OK);
  assert_int_equal(copies, 1);
}

/* Rows of one table that are also in another, wherever they lie there. */
static void shared_rows_are_counted(void **state) {
  (void)state;
  double x[ROWS * COLS], y[20 * COLS];
  int64_t shared = -1;
  fill(x, ROWS * COLS);
  for (int i = 0; i < 20; i++) memcpy(y + i * COLS, x + (ROWS - 1 - 7 * i) * COLS, COLS * sizeof *y);
  for (int i = 0; i < 8; i++) y[i * COLS] += 1e-9;
  assert_int_equal(lfm_shared_rows(x, ROWS, y, 20, COLS, &shared), LFM_OK);
  assert_int_equal(shared, 12);
}

static void columns_that_follow_are_named(void **state) {
  (void)state;
  double x[ROWS * COLS];
  char list[200];
  fill(x, ROWS * COLS);
  assert_int_equal(dependent(x, ROWS, list), 0);
  assert_string_equal(list, "");
  for (int i = 0; i < ROWS; i++) x[COLS * i + 3] = x[COLS * i];
  assert_int_equal(dependent(x, ROWS, list), 1);
  assert_string_equal(list, "\"d\" (of \"a\")");
  for (int i = 0; i < ROWS; i++) {
    x[COLS * i + 3] = 1e6 - round(2.54e4 * x[COLS * i + 1]) / 1e4; /* inches, rounded */
    x[COLS * i + 4] = x[COLS * i] + 3 * x[COLS * i + 2];
  }
  assert_int_equal(dependent(x, ROWS, list), 2);
  assert_string_equal(list, "\"d\" (of \"b\"), \"e\" (of \"a\", \"c\")");
  for (int i = 0; i < ROWS; i++) x[COLS * i + 3] = 1e9 + 0.1; /* a constant follows from nothing */
  assert_int_equal(dependent(x, ROWS, list), 1);
  assert_string_equal(list, "\"e\" (of \"a\", \"c\")");
}

static void close_is_not_the_same(void **state) {
  (void)state;
  double x[ROWS * COLS];
  char list[200];
  fill(x, ROWS * COLS);
  for (int i = 0; i < ROWS; i++) x[COLS * i + 4] = x[COLS * i] + 0.01 * x[COLS * i + 4]; /* a hundredth of its own */
  assert_int_equal(dependent(x, ROWS, list), 0);
  fill(x, ROWS * COLS);
  for (int i = 0; i < ROWS; i++) x[COLS * i + 4] = x[COLS * i] * x[COLS * i]; /* follows, but bends */
  assert_int_equal(dependent(x, ROWS, list), 0);
  assert_int_equal(dependent(x, 5, list), 0); /* five points of five columns lie in a plane whatever they are */
}

static void a_long_list_ends_in_its_room(void **state) {
  (void)state;
  enum { WIDE = 40 };
  double *x;
  char *wide[WIDE], text[WIDE][8], list[64];
  int64_t count;
  assert_int_equal(LFM_ALLOC(&x, 100 * WIDE), LFM_OK);
  for (int i = 0; i < 100; i++)
    for (int j = 0; j < WIDE; j++) x[WIDE * i + j] = sin(i) * (j + 1);
  for (int j = 0; j < WIDE; j++) snprintf(wide[j] = text[j], sizeof text[j], "col%d", j);
  assert_int_equal(lfm_redundant_columns(x, 100, WIDE, wide, &count, list, sizeof list), LFM_OK);
  assert_int_equal(count, WIDE - 1);
  assert_int_equal(strncmp(list, "\"col1\" (of \"col0\"), \"col2\"", 26), 0);
  assert_true(strlen(list) < sizeof list);
  lfm_free(x);
}

/* ---- the warnings ---------------------------------------------------------------------------------------------- */

static char notes[2048];

static void keep_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  snprintf(notes + strlen(notes), sizeof notes - strlen(notes), "%s%s\n", level == LFM_WARNING ? "warning: " : "", text);
}

static const char *warned(const double *x, int64_t rows, int64_t cols, char *const *called) {
  notes[0] = 0;
  lfm_notes_to(keep_note, NULL);
  assert_int_equal(lfm_redundancy_warn(x, rows, cols, called, NULL, "keep one"), LFM_OK);
  lfm_notes_to(NULL, NULL);
  return notes;
}

static void warnings_begin_at_a_hundredth(void **state) {
  (void)state;
  double x[ROWS * COLS];
  fill(x, ROWS * COLS);
  assert_string_equal(warned(x, ROWS, COLS, names), "");
  for (int i = 0; i < 3; i++) memcpy(x + (290 - 10 * i) * COLS, x, COLS * sizeof *x);
  assert_string_equal(warned(x, ROWS, COLS, names), "");
  memcpy(x + 299 * COLS, x, COLS * sizeof *x);
  assert_string_equal(warned(x, ROWS, COLS, names), "warning: 4 of 300 rows (1.33 %) are exact copies of others: keep one\n");
  for (int i = 0; i < ROWS; i++) x[COLS * i + 2] = 2 * x[COLS * i];
  assert_non_null(strstr(warned(x, ROWS, COLS, names), "warning: 1 column is a linear function of others"));
  assert_non_null(strstr(notes, "\"c\" (of \"a\")"));
}

static void too_large_a_table_is_told(void **state) {
  (void)state;
  enum { WIDE = LFM_MOST_COMPARED_COLUMNS + 1 };
  static double x[2 * WIDE];
  static char *wide[WIDE];
  fill(x, 2 * WIDE);
  for (int j = 0; j < WIDE; j++) wide[j] = "x";
  assert_string_equal(warned(x, 2, WIDE, wide), "401 columns are too many to look for linear functions among them\n");
}

static void refused_memory_is_a_status(void **state) {
  (void)state;
  double x[ROWS * COLS];
  lfm_status status = LFM_E_MEMORY;
  uint64_t n = 1;
  fill(x, ROWS * COLS);
  for (; status != LFM_OK; n++) {
    lfm_alloc_fail_at(n);
    status = lfm_redundancy_warn(x, ROWS, COLS, names, NULL, "keep one");
    lfm_alloc_fail_at(0);
    if (status != LFM_OK) assert_int_equal(status, LFM_E_MEMORY);
    assert_true(n < 20);
  }
  assert_true(n > 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_are_counted),
      cmocka_unit_test(copies_within_a_group_are_none),
      cmocka_unit_test(shared_rows_are_counted),
      cmocka_unit_test(columns_that_follow_are_named),
      cmocka_unit_test(close_is_not_the_same),
      cmocka_unit_test(a_long_list_ends_in_its_room),
      cmocka_unit_test(warnings_begin_at_a_hundredth),
      cmocka_unit_test(too_large_a_table_is_told),
      cmocka_unit_test(refused_memory_is_a_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
