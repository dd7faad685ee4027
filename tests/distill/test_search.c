/* SPDX-License-Identifier: MIT
 *
 * test_search.c -- the best merge plan: against every plan there is, in the regimes that the theory knows, and of long chains
 * with a certified gap.
 */
#include "distill/search.h"
#include "distill/support.h"

static void best_is(const lfm_merge_operators *o, int students, const char *expected) {
  lfm_merge_found found;
  char text[LFM_MERGE_TEXT];
  memset(&found, 0xA5, sizeof found);
  OK(lfm_merge_search(o, students, false, &found));
  lfm_merge_plan_format(&found.plan, text);
  assert_string_equal(text, expected);
  assert_true(found.error == error_of(o, expected));
  assert_true(found.bound == found.error);
}

/* arXiv 2505.16024's example. */
static void the_published_example(void **state) {
  (void)state;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  best_is(o, 5, "1 | 2 | 3 | 4 | 5");
  best_is(o, 4, "1 | (2 3) | 4 | 5");
  best_is(o, 3, "1 | (2 3 4) | 5");
  best_is(o, 2, "(1 (2 (3 4))) | 5");
  best_is(o, 1, "(1 2 3 4 5)");
  lfm_merge_operators_destroy(o);
}

/* ---- every plan there is ------------------------------------------------------------------------------------- */

enum { MOST_BLOCKS = 7, MOST_TEXTS = 2000, TEXT = 64 };
typedef struct texts {
  int count;
  char (*of)[TEXT];
} texts;

static void add_text(texts *to, const char *begin, const char *a, const char *between, const char *b, const char *end) {
  if (!to->of) to->of = malloc(sizeof *to->of * MOST_TEXTS);
  assert_true(to->count < MOST_TEXTS);
  assert_true(snprintf(to->of[to->count++], TEXT, "%s%s%s%s%s", begin, a, between, b, end) < TEXT);
}

/* Everything that begins with one of `heads` and goes on with one of `tails`. */
static void add_pairs(texts *to, const texts *heads, const char *between, const texts *tails) {
  for (int h = 0; h < heads->count; h++)
    for (int t = 0; t < tails->count; t++) add_text(to, "", heads->of[h], between, tails->of[t], "");
}

/* All trees over i .. j, all lists of two or more of them, all plans over i .. j. */
typedef struct everything {
  texts tree[MOST_BLOCKS + 2][MOST_BLOCKS + 2], list[MOST_BLOCKS + 2][MOST_BLOCKS + 2],
      plan[MOST_BLOCKS + 2][MOST_BLOCKS + 2];
} everything;

static void enumerate(everything *all, int blocks) {
  for (int length = 1; length <= blocks; length++)
    for (int i = 1; i + length - 1 <= blocks; i++) {
      int j = i + length - 1;
      texts *tree = &all->tree[i][j], *list = &all->list[i][j], *plan = &all->plan[i][j];
      char leaf[16];
      snprintf(leaf, sizeof leaf, "%d", i);
      for (int m = i; m < j; m++) {
        add_pairs(list, &all->tree[i][m], " ", &all->tree[m + 1][j]);
        add_pairs(list, &all->tree[i][m], " ", &all->list[m + 1][j]);
      }
      if (i == j) add_text(tree, leaf, "", "", "", "");
      for (int t = 0; t < list->count; t++) add_text(tree, "(", list->of[t], ")", "", "");
      for (int t = 0; t < tree->count; t++) add_text(plan, tree->of[t], "", "", "", "");
      for (int m = i; m < j; m++) add_pairs(plan, &all->tree[i][m], " | ", &all->plan[m + 1][j]);
    }
}

static void free_all(everything *all) {
  for (int i = 0; i < MOST_BLOCKS + 2; i++)
    for (int j = 0; j < MOST_BLOCKS + 2; j++) free(all->tree[i][j].of), free(all->list[i][j].of), free(all->plan[i][j].of);
}

/* least [blocks + 1]: the error of the best plan for every number of students. */
static void try_all(const lfm_merge_operators *o, const texts *plans, double *least) {
  for (int k = 0; k <= o->blocks; k++) least[k] = INFINITY;
  for (int t = 0; t < plans->count; t++) {
    lfm_merge_plan plan;
    OK(lfm_merge_plan_parse(plans->of[t], o->blocks, &plan));
    least[plan.students] = fmin(least[plan.students], lfm_merge_error(o, &plan));
  }
}

static void no_plan_is_better(void **state) {
  (void)state;
  static everything all;
  const struct {
    double variances[5], s;
    bool is_free;
  } cases[] = {
      {{.2, 1.4, 6, 1, 0}, .5, true},   {{.01, .3, .9, 2, 40}, .1, true},  {{.5, .7, 1.1, 1.2, 1.3}, 2, true},
      {{3, 4, 5, 6, .001}, .02, false}, {{.9, 1.1, .8, 1.2, 9}, 1, false},
  };
  enumerate(&all, MOST_BLOCKS);
  assert_int_equal(all.tree[1][7].count, 903); /* the little Schroeder number: nothing was forgotten */
  assert_int_equal(all.plan[1][7].count, 1806);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
      double hks[MOST_BLOCKS], least[MOST_BLOCKS + 1];
      for (int n = 0; n < blocks; n++) hks[n] = .1 + .07 * ((5 * n + (int)i) % 7);
      if (cases[i].is_free) hks[blocks - 1] = NAN;
      lfm_merge_operators *o = operators_of(cases[i].variances, 5, hks, blocks, cases[i].s);
      try_all(o, &all.plan[1][blocks], least);
      for (int students = 1; students <= blocks; students++) {
        lfm_merge_found found;
        OK(lfm_merge_search(o, students, false, &found));
        assert_int_equal(found.plan.students, students);
        assert_near(found.error, least[students], 1e-12 * least[students] + 1e-25);
        assert_true(found.bound == found.error);
      }
      lfm_merge_operators_destroy(o);
    }
  free_all(&all);
}

/* ---- the regimes --------------------------------------------------------------------------------------------- */

static void best_is_shape(const lfm_merge_operators *o, lfm_merge_shape shape) {
  lfm_merge_plan plan;
  char text[LFM_MERGE_TEXT];
  OK(lfm_merge_plan_even(shape, o->blocks, 1, &plan));
  lfm_merge_plan_format(&plan, text);
  best_is(o, 1, text);
}

static void narrow_data_want_boot_and_wide_ones_vanilla(void **state) {
  (void)state;
  const double times[] = {.05, .5, 5};
  for (int i = 0; i < 3; i++)
    for (int blocks = 3; blocks <= 12; blocks += 3) {
      double hks[12];
      growing_steps(hks, blocks);
      lfm_merge_operators *narrow = operators_of((double[]){0, .01, .5, .99, 1}, 5, hks, blocks, times[i]);
      lfm_merge_operators *wide = operators_of((double[]){1, 1.01, 7, 50}, 4, hks, blocks, times[i]);
      best_is_shape(narrow, LFM_MERGE_BOOT);
      best_is_shape(wide, LFM_MERGE_VANILLA);
      lfm_merge_operators_destroy(narrow);
      lfm_merge_operators_destroy(wide);
    }
}

/* One coordinate switches at 1 exactly; several on both sides of it may want a tree between the two. */
static void the_switch_is_at_one(void **state) {
  (void)state;
  double hks[6];
  growing_steps(hks, 6);
  lfm_merge_operators *o = operators_of((double[]){.999}, 1, hks, 6, .5);
  best_is_shape(o, LFM_MERGE_BOOT);
  lfm_merge_operators_destroy(o);
  o = operators_of((double[]){1.001}, 1, hks, 6, .5);
  best_is_shape(o, LFM_MERGE_VANILLA);
  lfm_merge_operators_destroy(o);
  o = operators_of((double[]){.01, .01, 6}, 3, hks, 6, .5);
  best_is(o, 1, "(1 (2 3 4 5 6))");
  lfm_merge_operators_destroy(o);
}

static void even_cuts_stay_even(void **state) {
  (void)state;
  double hks[8], variances[20];
  growing_steps(hks, 8);
  falling_variances(variances, 20, 9, 1);
  lfm_merge_operators *o = operators_of(variances, 20, hks, 8, .5);
  for (int students = 1; students <= 8; students++) {
    lfm_merge_found even, best;
    OK(lfm_merge_search(o, students, true, &even));
    OK(lfm_merge_search(o, students, false, &best));
    assert_true(best.error <= even.error && even.bound == even.error);
    for (int k = 1; k <= students; k++)
      assert_int_equal(even.plan.node[even.plan.student[k - 1]].last, lfm_merge_even_end(8, students, k));
    for (int shape = 0; shape < LFM_MERGE_SHAPES; shape++) {
      lfm_merge_plan plan;
      OK(lfm_merge_plan_even((lfm_merge_shape)shape, 8, students, &plan));
      assert_true(even.error <= lfm_merge_error(o, &plan));
    }
  }
  lfm_merge_operators_destroy(o);
}

/* ---- long chains --------------------------------------------------------------------------------------------- */

/* Runs of blocks that end at the bits of `ends`, over student i .. j, each merged at once: the form of good trees. */
static size_t write_student(char *text, int i, int j, int ends) {
  int m = i;
  if (i == j) return (size_t)sprintf(text, "%d", i);
  while (m + 1 < j && !(ends >> m & 1)) m++;
  size_t length = (size_t)sprintf(text, "(");
  for (int block = i; block <= m; block++) length += (size_t)sprintf(text + length, "%d ", block);
  length += write_student(text + length, m + 1, j, ends);
  return length + (size_t)sprintf(text + length, ")");
}

/* Chains of 12 blocks are solved exactly: of three students, the last of which is block 12, every good tree is tried. */
static void twelve_blocks_are_exact(void **state) {
  (void)state;
  enum { BLOCKS = 12 };
  double hks[BLOCKS], variances[12], least = INFINITY;
  growing_steps(hks, BLOCKS);
  falling_variances(variances, 12, 30, 1.2);
  lfm_merge_operators *o = operators_of(variances, 12, hks, BLOCKS, .4);
  for (int cut = 1; cut < BLOCKS - 1; cut++) /* students 1 .. cut, cut+1 .. 11, 12 */
    for (int ends = 0; ends < 1 << (BLOCKS - 1); ends += 2) {
      char text[LFM_MERGE_TEXT];
      if ((ends >> cut & 1) || (ends >> (cut - 1) & 1 && cut > 1) || (ends >> 10 & 1)) continue; /* they say nothing */
      size_t length = write_student(text, 1, cut, ends);
      length += (size_t)sprintf(text + length, " | ");
      length += write_student(text + length, cut + 1, BLOCKS - 1, ends);
      sprintf(text + length, " | %d", BLOCKS);
      least = fmin(least, error_of(o, text));
    }
  lfm_merge_found found;
  OK(lfm_merge_search(o, 3, false, &found));
  assert_true(found.bound == found.error);
  assert_int_equal(found.plan.node[found.plan.student[2]].first, BLOCKS);
  assert_near(found.error, least, 1e-12 * least);
  for (int students = 1; students <= BLOCKS; students++) {
    OK(lfm_merge_search(o, students, false, &found));
    assert_true(found.bound == found.error);
  }
  lfm_merge_operators_destroy(o);
}

static void long_chains_have_a_certified_gap(void **state) {
  (void)state;
  enum { BLOCKS = 24, DIM = 60 };
  double hks[BLOCKS], variances[DIM];
  growing_steps(hks, BLOCKS);
  falling_variances(variances, DIM, 100, 1.5);
  lfm_merge_operators *o = operators_of(variances, DIM, hks, BLOCKS, .5);
  lfm_merge_found found;
  memset(&found, 0xA5, sizeof found);
  OK(lfm_merge_search(o, 4, false, &found));
  assert_true(found.bound > 0.98 * found.error && found.bound <= found.error);
  lfm_merge_plan plan;
  for (int shape = 0; shape < LFM_MERGE_SHAPES; shape++) {
    OK(lfm_merge_plan_even((lfm_merge_shape)shape, BLOCKS, 4, &plan));
    assert_true(found.error < lfm_merge_error(o, &plan));
  }
  lfm_merge_operators_destroy(o);
}

static void numbers_of_students_that_there_are_not(void **state) {
  (void)state;
  lfm_merge_found found;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  REFUSES(LFM_E_USAGE, lfm_merge_search(o, 0, false, &found), "0 students of a chain of 5 blocks: 1 to 5");
  REFUSES(LFM_E_USAGE, lfm_merge_search(o, 6, false, &found), "6 students");
  lfm_merge_operators_destroy(o);
}

static void refused_memory_is_an_error(void **state) {
  (void)state;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t n = 1; status != LFM_OK; n++) {
    lfm_merge_found found;
    size_t before = lfm_alloc_in_use();
    lfm_alloc_fail_at(n);
    status = lfm_merge_search(o, 2, false, &found);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_merge_operators_destroy(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_example),
      cmocka_unit_test(no_plan_is_better),
      cmocka_unit_test(narrow_data_want_boot_and_wide_ones_vanilla),
      cmocka_unit_test(the_switch_is_at_one),
      cmocka_unit_test(even_cuts_stay_even),
      cmocka_unit_test(twelve_blocks_are_exact),
      cmocka_unit_test(long_chains_have_a_certified_gap),
      cmocka_unit_test(numbers_of_students_that_there_are_not),
      cmocka_unit_test(refused_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
