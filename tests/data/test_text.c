/* SPDX-License-Identifier: MIT
 *
 * test_text.c -- numbers from and to text: every bit right, whatever the locale.
 */
#include "data/support.h"
#include "data/text.h"

#include <float.h>
#include <locale.h>

static double parsed(const char *text) {
  double value;
  int decimals;
  lfm_field_kind kind = lfm_number_parse(text, strlen(text), &value, &decimals);
  if (kind != LFM_FIELD_NUMBER) fail_msg("%s is read as no number", text);
  return value;
}

static void assert_formats(double value, int decimals, const char *expected) {
  char text[LFM_NUMBER_MAX];
  memset(text, 'x', sizeof text);
  size_t size = lfm_number_format(value, decimals, text);
  assert_string_equal(text, expected);
  assert_int_equal(size, strlen(expected));
}

/* strtod under the C locale is the oracle; glibc's is correctly rounded. */
static void reads_to_the_last_bit(void **state) {
  (void)state;
  setlocale(LC_ALL, "C");
  const char *const hard[] = {
      "0",
      "-0",
      "1",
      "0.1",
      "1e22",
      "1e23",
      "123456789012345678",
      "9007199254740993",
      "9007199254740992",
      "9007199254740991e22",
      "0.30000000000000004",
      "2.2250738585072011e-308",
      "4.9e-324",
      "2e-324",
      "1.7976931348623157e308",
      "1.7976931348623159e308",
      "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070963302864166928879"
      "1094655554785194040263065748867150582068190890200070838367627385484581771153176447573027006985557136695962284291481986"
      "0834936475292719074168444365510704342711559699508093042880",
      "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001e100",
      "8.5e-5",
      "1e-22",
      "1e-23",
      "00000000000000000000000000001.5",
      "1.00000000000000011102230246251565404236316680908203125",
      "1e-400",
      "1e99999999999",
      "0e99999",
      "-1e-99999"};
  for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
    double value = parsed(hard[i]), expected = strtod(hard[i], NULL);
    if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("%s is read as %a, not %a", hard[i], value, expected);
  }
  uint64_t bits = 88172645463325252u; /* xorshift: doubles of every size, in 1 to 18 digits */
  for (int i = 0; i < 200000; i++) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    double x;
    char text[40];
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x)) continue;
    if (i % 2) x = (double)(int64_t)bits * pow(10, (double)(i % 37) - 25);
    snprintf(text, sizeof text, "%.*e", i % 18, x);
    double value = parsed(text), expected = strtod(text, NULL);
    if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("%s is read as %a, not %a", text, value, expected);
  }
}

static void writes_decimals(void **state) {
  (void)state;
  assert_formats(2.5, 0, "2"); /* ties to even, as printf */
  assert_formats(-0.0, 0, "0");
  assert_formats(-0.004, 2, "0.00");
  assert_formats(-0.006, 2, "-0.01");
  assert_formats(1e15, 3, "1000000000000000.000");
  assert_formats(0.1, 30, "0.100000000000000005551115123126");
  char text[LFM_NUMBER_MAX];
  assert_int_equal(lfm_number_format(-DBL_MAX, LFM_DECIMALS_MAX, text), 1 + 309 + 1 + 30);
}

static void writes_the_shortest(void **state) {
  (void)state;
  assert_formats(0.1, -1, "0.1");
  assert_formats((double)0.1f, -1, "0.1");
  assert_formats(-0.0, -1, "0");
  assert_formats(16777217, -1, "16777216"); /* as a float32 */
  assert_formats(16777217, -2, "16777217");
  assert_formats(0.1, -2, "0.1");
  assert_formats((double)0.1f, -2, "0.10000000149011612");
  assert_formats(1.0 / 3, -1, "0.33333334");
  assert_formats(-1e-7, -1, "-1e-07");
  assert_formats(1e300, -1, "1e+300"); /* no float32, so the same double */
  assert_formats(1.0000000000000002e300, -1, "1.0000000000000002e+300");
  assert_formats(5e-324, -1, "4.94065645841247e-324");
  assert_formats(NAN, 2, "nan");
  assert_formats(-INFINITY, 2, "-inf");
  for (uint32_t bits = 0x00800000; bits < 0x7F800000; bits += 99991) {
    float value;
    char text[LFM_NUMBER_MAX];
    memcpy(&value, &bits, sizeof value);
    lfm_number_format((double)value, -1, text);
    if ((float)parsed(text) != value) fail_msg("%a comes back as %s", (double)value, text);
  }
}

static void quotes_in_one_line(void **state) {
  (void)state;
  char out[LFM_QUOTE_MAX], list[64], name[40];
  assert_string_equal(lfm_quote("a\nb\t\x7F", 5, out), "\"a.b..\"");
  assert_string_equal(lfm_quote("", 0, out), "\"\"");
  char text[200];
  memset(text, 'a', sizeof text);
  memcpy(text + 57, "\xC3\xA9", 2); /* the cut would fall inside this letter */
  lfm_quote(text, sizeof text, out);
  assert_int_equal(strlen(out), 57 + 5);
  assert_string_equal(out + 56, "aa...\"");
  char *names[5];
  snprintf(name, sizeof name, "a name of some length");
  for (int i = 0; i < 5; i++) names[i] = name;
  assert_string_equal(lfm_quote_list(names, 5, list, sizeof list), "a name of some length, ... (5 in all)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_to_the_last_bit),
      cmocka_unit_test(writes_decimals),
      cmocka_unit_test(writes_the_shortest),
      cmocka_unit_test(quotes_in_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
