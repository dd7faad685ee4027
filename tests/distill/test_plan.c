/* SPDX-License-Identifier: MIT
 *
 * test_plan.c -- merge plans: their text there and back, the tree behind it, the named shapes, and what is refused.
 */
#include "distill/plan.h"
#include "support/near.h"

#include <stdio.h>
#include <string.h>

/* The canonical form of a plan's text. */
static void means(const char *text, int blocks, const char *expected) {
  lfm_merge_plan plan, again;
  char written[LFM_MERGE_TEXT];
  memset(&plan, 0xA5, sizeof plan);
  memset(written, 'x', sizeof written);
  if (lfm_merge_plan_parse(text, blocks, &plan) != LFM_OK) fail_msg("'%s': %s", text, lfm_error());
  lfm_merge_plan_format(&plan, written);
  assert_string_equal(written, expected);
  assert_int_equal(lfm_merge_plan_parse(written, blocks, &again), LFM_OK);
  assert_memory_equal(&plan, &again, sizeof plan);
}

static void refuses(const char *text, int blocks, const char *says) {
  lfm_merge_plan plan;
  assert_int_equal(lfm_merge_plan_parse(text, blocks, &plan), LFM_E_USAGE);
  if (!strstr(lfm_error(), says)) fail_msg("'%s' is not in: %s", says, lfm_error());
}

static void texts_are_read_and_written(void **state) {
  (void)state;
  means("1 | (2 3) | 4 | 5", 5, "1 | (2 3) | 4 | 5");
  means("1 | (2 3 4) | 5", 5, "1 | (2 3 4) | 5");
  means("(1 (2 (3 4))) | 5", 5, "(1 (2 (3 4))) | 5");
  means("(1 2 3 4 5)", 5, "(1 2 3 4 5)");
  means("1", 1, "1");
  means("1 2 3|4", 4, "(1 2 3) | 4");                           /* a bare list is one merge */
  means("  (1 2)(3\t4) 5 ", 5, "((1 2) (3 4) 5)");              /* as are several things */
  means("((1)) | ((2 3)) | (((4) 5))", 5, "1 | (2 3) | (4 5)"); /* parentheses around one thing say nothing */
  means("01 002", 2, "(1 2)");
}

/* Children come before their parent, and every node says which blocks it covers. */
static void trees_are_in_post_order(void **state) {
  (void)state;
  lfm_merge_plan plan;
  assert_int_equal(lfm_merge_plan_parse("1 | (2 (3 4) 5)", 5, &plan), LFM_OK);
  const lfm_merge_node expected[] = {
      {1, 1, 0, -1, -1}, {2, 2, 0, -1, 4},  {3, 3, 0, -1, 3}, {4, 4, 0, -1, -1},
      {3, 4, 2, 2, 5},   {5, 5, 0, -1, -1}, {2, 5, 3, 1, -1},
  };
  assert_int_equal(plan.blocks, 5);
  assert_int_equal(plan.students, 2);
  assert_int_equal(plan.count, 7);
  assert_memory_equal(plan.node, expected, sizeof expected);
  assert_int_equal(plan.student[0], 0);
  assert_int_equal(plan.student[1], 6);
}

static void faults_are_named(void **state) {
  (void)state;
  refuses("1 | 3 | 4", 4, "character 5: block 2 is missing");
  refuses("1 | 2 | 3", 4, "block 4 is missing");
  refuses("1 (2 2) 3", 3, "character 6: block 2 comes twice");
  refuses("1 | 3 2", 3, "character 5: block 3 comes before block 2");
  refuses("1 2 5", 4, "character 5: there is no block 5; the chain has blocks 1 to 4");
  refuses("0 1", 4, "there is no block 0");
  refuses("99999999999999999999999", 4, "there is no block 99999999");
  refuses("(1 2", 2, "character 5: a ')' is missing");
  refuses("(1 | 2)", 2, "character 4: a ')' is missing");
  refuses("1 2)", 2, "character 4: nothing was opened");
  refuses("1 () 2", 2, "character 4: there is no block between");
  refuses("", 2, "student 1 has no block");
  refuses("1 || 2", 2, "character 4: student 2 has no block");
  refuses("1 | 2 |", 2, "student 3 has no block");
  refuses("1, 2", 2, "character 2: \",\"");
  refuses("1 -2", 2, "character 3: \"-\"");
  refuses("1\n2", 2, "character 2");
  refuses("1", 0, "0 blocks");
  refuses("1", LFM_MAX_BLOCKS + 1, "65 blocks");
}

/* As deep as the longest chain can be nested, and deeper. */
static void the_deepest_plan_fits(void **state) {
  (void)state;
  char text[LFM_MERGE_TEXT], written[LFM_MERGE_TEXT], deep[4 * LFM_MAX_BLOCKS];
  lfm_merge_plan plan;
  for (int shape = 0; shape < LFM_MERGE_SHAPES; shape++) {
    assert_int_equal(lfm_merge_plan_even((lfm_merge_shape)shape, LFM_MAX_BLOCKS, 1, &plan), LFM_OK);
    lfm_merge_plan_format(&plan, text);
    assert_true(strlen(text) < sizeof text);
    assert_int_equal(lfm_merge_plan_parse(text, LFM_MAX_BLOCKS, &plan), LFM_OK);
    lfm_merge_plan_format(&plan, written);
    assert_string_equal(written, text);
  }
  memset(deep, '(', sizeof deep);
  deep[sizeof deep - 1] = 0;
  refuses(deep, LFM_MAX_BLOCKS, "more than 64 parentheses");
}

static void even_is(lfm_merge_shape shape, int blocks, int students, const char *expected) {
  lfm_merge_plan plan;
  char text[LFM_MERGE_TEXT];
  memset(&plan, 0xA5, sizeof plan);
  assert_int_equal(lfm_merge_plan_even(shape, blocks, students, &plan), LFM_OK);
  lfm_merge_plan_format(&plan, text);
  assert_string_equal(text, expected);
}

static void shapes_have_their_names(void **state) {
  (void)state;
  even_is(LFM_MERGE_VANILLA, 4, 1, "(1 2 3 4)");
  even_is(LFM_MERGE_BOOT, 4, 1, "(1 (2 (3 4)))");
  even_is(LFM_MERGE_CONSISTENCY, 4, 1, "(((1 2) 3) 4)");
  even_is(LFM_MERGE_PROGRESSIVE, 4, 1, "((1 2) (3 4))");
  even_is(LFM_MERGE_PROGRESSIVE, 5, 1, "((1 2) (3 (4 5)))");
  even_is(LFM_MERGE_BOOT, 8, 3, "(1 2) | (3 (4 5)) | (6 (7 8))");
  for (int shape = 0; shape < LFM_MERGE_SHAPES; shape++) {
    even_is((lfm_merge_shape)shape, 1, 1, "1");
    even_is((lfm_merge_shape)shape, 3, 3, "1 | 2 | 3");
    even_is((lfm_merge_shape)shape, 4, 2, "(1 2) | (3 4)");
  }
  assert_string_equal(lfm_merge_shape_name(LFM_MERGE_BOOT), "boot");
  lfm_merge_plan plan;
  assert_int_equal(lfm_merge_plan_even(LFM_MERGE_BOOT, 4, 5, &plan), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "5 students of a chain of 4 blocks: 1 to 4"));
  assert_int_equal(lfm_merge_plan_even(LFM_MERGE_BOOT, 4, 0, &plan), LFM_E_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_are_read_and_written), cmocka_unit_test(trees_are_in_post_order),
      cmocka_unit_test(faults_are_named),           cmocka_unit_test(the_deepest_plan_fits),
      cmocka_unit_test(shapes_have_their_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
