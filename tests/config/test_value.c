/* SPDX-License-Identifier: MIT
 *
 * One value: what each kind of key takes, what it refuses and how it says so; and text that reads back the same.
 */
#include "config/keys.h"

#include "core/alloc.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/support.h"

static lfm_status parse(const char *name, const char *text) {
  return lfm_key_parse(&lfm_keys[lfm_key_find(name)], text, "here", config);
}

static const char *format(const char *name) {
  static char out[LFM_KEY_TEXT];
  lfm_key_format(&lfm_keys[lfm_key_find(name)], config, out);
  return out;
}

/* Refused, with the field as it was and a line that names place, key, value and what is allowed. */
static void assert_refused(const char *name, const char *text, const char *allowed) {
  struct lfm_config before = *config;
  char expected[400];
  snprintf(expected, sizeof expected, "here: %s: '%.48s", name, text);
  assert_int_equal(parse(name, text), LFM_E_USAGE);
  assert_memory_equal(&before, config, sizeof before);
  if (!strstr(lfm_error(), expected) || !strstr(lfm_error(), allowed)) fail_msg("%s", lfm_error());
}

static void test_counts(void **state) {
  (void)state;
  assert_int_equal(parse("hidden_dim", "362"), LFM_OK);
  assert_int_equal(config->hidden_dim, 362);
  assert_int_equal(parse("num_tk", "10"), LFM_OK);
  assert_int_equal(config->num_tk, 10);
  assert_int_equal(parse("seed", "9007199254740992"), LFM_OK);
  assert_true(config->seed == 9007199254740992u);
  assert_int_equal(parse("patience", "0"), LFM_OK);
  static const char *const wrong[] = {
      "", "0", "65537", "-1", "+1", "1.5", "1e3", "0x10", "abc", "12 3", "18446744073709551617"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_refused("hidden_dim", wrong[i], "a whole number from 1 to 65536");
}

static void test_reals(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } right[] = {{"1e-3", 1e-3}, {".5", 0.5}, {"2.", 2.0}, {"+1", 1.0}, {"10", 10.0}, {"4.9406564584124654e-324", 5e-324}};
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    config->lr = -1.0;
    assert_int_equal(parse("lr", right[i].text), LFM_OK);
    assert_true(config->lr == right[i].value);
  }
  static const char *const wrong[] = {"",      "0",     "-1e-3", "10.001", "nan", "inf", "0x1p-3",
                                      "1e999", "1e-3x", "1,5",   ".",      "1e",  "1 2"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_refused("lr", wrong[i], "a number over 0 and at most 10");
  assert_refused("ema_decay", "1", "a number at least 0 and below 1");
  assert_int_equal(parse("ema_decay", "0"), LFM_OK);
  assert_true(config->ema_decay == 0.0);
}

static void test_words(void **state) {
  (void)state;
  assert_int_equal(parse("interp", "linear"), LFM_OK);
  assert_int_equal(config->interp, LFM_INTERP_LINEAR);
  assert_int_equal(parse("coupling", "independent"), LFM_OK);
  assert_int_equal(config->coupling, LFM_COUPLING_INDEPENDENT);
  assert_int_equal(parse("pool", "ou"), LFM_OK);
  assert_int_equal(config->pool, LFM_POOL_OU);
  assert_int_equal(parse("normalise", "whiten"), LFM_OK);
  assert_int_equal(config->normalise, 2);
  assert_int_equal(parse("optimizer", "adamw"), LFM_OK);
  assert_true(config->adamw);
  assert_int_equal(parse("cat_t", "all"), LFM_OK);
  assert_true(config->cat_t_all);
  assert_int_equal(parse("schedule.kind", "linear"), LFM_OK);
  assert_int_equal(config->schedule_kind, LFM_SCHEDULE_LINEAR);
  assert_refused("interp", "lin", "one of linear|trig");
  assert_refused("interp", "linear|trig", "one of");
  assert_refused("interp", "Trig", "one of");
  assert_refused("interp", "", "one of");
}

static void test_flags(void **state) {
  (void)state;
  static const char *const yes[] = {"true", "True", "yes", "on", "ON"}, *const no[] = {"false", "FALSE", "no", "off", "Off"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    assert_int_equal(parse("beta_sample_t", no[i]), LFM_OK);
    assert_int_equal(config->beta_sample_t, LFM_TIME_UNIFORM);
    assert_int_equal(parse("beta_sample_t", yes[i]), LFM_OK);
    assert_int_equal(config->beta_sample_t, LFM_TIME_BETA);
  }
  assert_refused("warm_start", "1", "true or false");
  assert_refused("warm_start", "tRue", "true or false");
}

static void test_activations(void **state) {
  (void)state;
  char name[16];
  double beta = 0;
  assert_int_equal(parse("act", "softplus(20)"), LFM_OK);
  lfm_config_act_split(config, name, &beta);
  assert_string_equal(name, "softplus");
  assert_true(beta == 20.0);
  assert_int_equal(parse("act", "gelu"), LFM_OK);
  assert_string_equal(config->act, "gelu");
  lfm_config_act_split(config, name, &beta);
  assert_string_equal(name, "gelu");
  assert_true(beta == 1.0);
  static const char *const wrong[] = {"softplus(",    "softplus()",     "softplus(0)",
                                      "softplus(-1)", "softplus(2000)", "softplus(20",
                                      "gelu(2)",      "swish",          "softplus(1.00000000000000000)"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_refused("act", wrong[i], "softplus(beta)");
}

static void test_chains(void **state) {
  (void)state;
  static const char *const spellings[] = {"[0.1, 0.2, null]", "0.1,0.2,null", "[.1,.2,~]", "[ 1e-1 , 2e-1 , Null ]"};
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
    assert_int_equal(parse("hks", "[9]"), LFM_OK);
    assert_int_equal(parse("hks", spellings[i]), LFM_OK);
    assert_int_equal(config->blocks, 3);
    assert_true(config->hks[0] == 0.1 && config->hks[1] == 0.2 && isnan(config->hks[2]));
  }
  assert_int_equal(parse("hks", "[null]"), LFM_OK);
  assert_true(config->blocks == 1 && isnan(config->hks[0]) && config->hks[1] == 0.0);
  assert_int_equal(parse("hks", "0.5"), LFM_OK);
  assert_int_equal(config->blocks, 1);
  static const char *const wrong[] = {"",     "[]",     "[null, 0.1]", "[0.1, null, null]", "[0]",     "[-0.1]", "[0.1",
                                      "0.1]", "[0.1,]", "[,0.1]",      "[[0.1]]",           "0.1;0.2", "[3200]", "[nan]",
                                      "[",    "]",      "free",        "[0.1 0.2]"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_refused("hks", wrong[i], "of which the last may be null");
}

static void test_no_more_blocks_than_there_is_room_for(void **state) {
  (void)state;
  char text[8 * LFM_MAX_BLOCKS] = "0.1";
  for (int n = 1; n < LFM_MAX_BLOCKS; n++) strcat(text, ",0.1");
  assert_int_equal(parse("hks", text), LFM_OK);
  assert_int_equal(config->blocks, LFM_MAX_BLOCKS);
  strcat(text, ",0.1");
  assert_int_equal(parse("hks", text), LFM_E_USAGE);
  assert_int_equal(config->blocks, LFM_MAX_BLOCKS);
}

static void test_batches(void **state) {
  (void)state;
  assert_int_equal(parse("max_batch", "[10, 20]"), LFM_OK);
  assert_true(config->max_batch.count == 2 && config->max_batch.of[0] == 10 && config->max_batch.of[1] == 20);
  assert_int_equal(parse("max_batch", "30000"), LFM_OK);
  assert_true(config->max_batch.count == 1 && config->max_batch.of[0] == 30000 && config->max_batch.of[1] == 0);
  assert_refused("max_batch", "[10, null]", "or a list of 1 to 64 of them");
  assert_refused("max_batch", "0", "a whole number from 1");
}

static void test_auto_takes_back(void **state) {
  (void)state;
  assert_int_equal(parse("lr", "0.5"), LFM_OK);
  assert_int_equal(parse("lr", "auto"), LFM_OK);
  assert_true(isnan(config->lr));
  assert_int_equal(parse("hks", "[0.1]"), LFM_OK);
  assert_int_equal(parse("hks", "auto"), LFM_OK);
  assert_true(config->blocks == 0 && config->hks[0] == 0.0);
  assert_int_equal(parse("max_batch", "5"), LFM_OK);
  assert_int_equal(parse("max_batch", "auto"), LFM_OK);
  assert_true(config->max_batch.count == 0 && config->max_batch.of[0] == 0);
  assert_int_equal(parse("interp", "linear"), LFM_OK);
  assert_int_equal(parse("interp", "auto"), LFM_OK);
  assert_int_equal(config->interp, LFM_INTERP_TRIG); /* a fallback that is a value */
}

/* The shortest decimal that is the same double, with a point before any exponent. */
static void test_numbers_read_back(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0.1, "0.1"},
               {1e-5, "1.0e-05"},
               {2.5e-7, "2.5e-07"},
               {3, "3"},
               {0.1 + 0.2, "0.30000000000000004"},
               {1.0 / 3, "0.3333333333333333"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    config->lr = cases[i].value;
    assert_string_equal(format("lr"), cases[i].text);
    assert_int_equal(parse("lr", format("lr")), LFM_OK);
    assert_true(config->lr == cases[i].value);
  }
}

static void test_a_decimal_comma_around_us_changes_nothing(void **state) {
  (void)state;
  const char *found = setlocale(LC_NUMERIC, "de_DE.UTF-8");
  if (!found) found = setlocale(LC_NUMERIC, "fr_FR.UTF-8");
  if (!found) skip();
  lfm_status status = parse("lr", "0.25");
  char text[LFM_KEY_TEXT];
  strcpy(text, format("lr"));
  setlocale(LC_NUMERIC, "C");
  assert_int_equal(status, LFM_OK);
  assert_string_equal(text, "0.25");
}

static void test_shown_text_is_short_and_one_line(void **state) {
  (void)state;
  assert_string_equal(lfm_show("a\nb\x7F").text, "a?b?");
  assert_string_equal(lfm_show("").text, "");
  assert_string_equal(lfm_show("123456789012345678901234567890123456789012345678").text,
                      "123456789012345678901234567890123456789012345678");
  assert_string_equal(lfm_show("1234567890123456789012345678901234567890123456789").text,
                      "123456789012345678901234567890123456789012345678...");
}

#define WITH_CONFIG(test) cmocka_unit_test_setup_teardown(test, make_config, destroy_config)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_CONFIG(test_counts),
      WITH_CONFIG(test_reals),
      WITH_CONFIG(test_words),
      WITH_CONFIG(test_flags),
      WITH_CONFIG(test_activations),
      WITH_CONFIG(test_chains),
      WITH_CONFIG(test_no_more_blocks_than_there_is_room_for),
      WITH_CONFIG(test_batches),
      WITH_CONFIG(test_auto_takes_back),
      WITH_CONFIG(test_numbers_read_back),
      WITH_CONFIG(test_a_decimal_comma_around_us_changes_nothing),
      WITH_CONFIG(test_shown_text_is_short_and_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
