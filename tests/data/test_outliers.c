/* SPDX-License-Identifier: MIT
 *
 * test_outliers.c -- a mistyped value is named with its row; heavy tails, rare values and small tables draw no word.
 */
#include "data/support.h"

#include "core/rng.h"
#include "data/outliers.h"

#include <math.h>

enum { ROWS = 2000 };

static void hear(lfm_note_level level, const char *text, void *context) {
  if (level == LFM_WARNING) snprintf(context, 512, "%s", text);
}

/* What is said of a column made of normal draws, with this value (NAN: none) in data row 17. */
static const char *said_of(double (*law)(double normal), double mistyped, int64_t rows) {
  static char heard[512];
  double values[ROWS];
  float z;
  lfm_rng rng = {.seed = 5};
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, &z, 1);
    values[i] = law((double)z);
  }
  if (!isnan(mistyped)) values[16] = mistyped;
  lfm_table *table;
  assert_int_equal(lfm_table_create(values, rows, 1, (const char *const[]){"price"}, NULL, &table), LFM_OK);
  heard[0] = 0;
  lfm_notes_to(hear, heard);
  lfm_status status = lfm_outliers_check(table);
  if (status != LFM_OK) snprintf(heard, sizeof heard, "%d: %s", (int)status, lfm_error());
  lfm_notes_to(NULL, NULL);
  lfm_table_destroy(table);
  return heard;
}

static double normal(double z) { return z; }
static double lognormal(double z) { return exp(2.0 * z); }
static double cauchy(double z) { return tan(M_PI * (0.5 * erfc(-z / sqrt(2.0)) - 0.5)); }
static double seldom(double z) { return z > 1.5 ? 1.0 : 0.0; }

static void a_mistyped_value_is_named(void **state) {
  (void)state;
  const char *said = said_of(normal, 1e6, ROWS);
  assert_non_null(strstr(said, "price"));
  assert_non_null(strstr(said, "row 17 is 1000000"));
  assert_non_null(strstr(said_of(lognormal, -1e9, ROWS), "row 17 is -1e+09"));
}

static void one_without_a_square_is_refused(void **state) {
  (void)state;
  char line[256];
  snprintf(line, sizeof line,
           "%d: row 17, column \"price\": 1e+300 is too large for the column to have a standard deviation; mend or drop the "
           "row, or rescale the column",
           (int)LFM_E_DATA);
  assert_string_equal(said_of(normal, 1e300, ROWS), line);
  assert_string_equal(said_of(normal, 1e300, 20), line);
  assert_non_null(strstr(said_of(normal, -1.7e308, 20), "row 17, column \"price\": -1.7e+308 is too large"));
  assert_non_null(strstr(said_of(normal, 1e150, ROWS), "row 17 is 1e+150, which makes its standard deviation"));
}

static void other_columns_draw_no_word(void **state) {
  (void)state;
  assert_string_equal(said_of(normal, NAN, ROWS), "");
  assert_string_equal(said_of(normal, 50.0, ROWS), "");
  assert_string_equal(said_of(lognormal, NAN, ROWS), "");
  assert_string_equal(said_of(cauchy, NAN, ROWS), "");
  assert_string_equal(said_of(seldom, NAN, ROWS), "");
  assert_string_equal(said_of(normal, 1e6, 99), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_mistyped_value_is_named),
                                     cmocka_unit_test(one_without_a_square_is_refused),
                                     cmocka_unit_test(other_columns_draw_no_word)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
