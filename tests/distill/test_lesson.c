/* SPDX-License-Identifier: MIT
 *
 * test_lesson.c -- pairs of a merge: by the teacher's states where its parts are blocks, by what was taught before else.
 */
#include "distill_support.h"

#include "distill/lesson.h"

typedef struct fixture {
  lfm_model *teacher, *student[LFM_MERGE_MOST_NODES];
  lfm_states_options how;
  drawing d;
  lfm_merge_plan plan;
  lfm_syllabus of;
} fixture;

static void setup_rows(fixture *f, int64_t rows, const char *plan, int split) {
  *f = (fixture){.teacher = linear_teacher(), .how = drawn(rows)};
  f->how.split = split;
  f->d = draw(f->teacher, &f->how, 1);
  OK(lfm_merge_plan_parse(plan, 3 * split, &f->plan));
  f->of = (lfm_syllabus){f->teacher, &f->d.states, &f->how, &f->plan, f->student, f->d.carry, &f->d.meter};
}

static void setup(fixture *f, const char *plan, int split) { setup_rows(f, 100, plan, split); }

static void teardown(fixture *f) {
  for (int k = 0; k < LFM_MERGE_MOST_NODES; k++) lfm_model_destroy(f->student[k]);
  draw_drop(&f->d);
  lfm_model_destroy(f->teacher);
}

static int root_of(const fixture *f, int student) { return f->plan.student[student]; }

/* Nine tenths to learn from, a tenth to be judged by; x_l = factor x_r in both. */
static void expect_pairs_of(const lfm_lesson *lesson, int64_t rows, double factor) {
  int64_t held = rows / 10;
  assert_int_equal(lesson->left.rows, rows - held);
  assert_int_equal(lesson->right.rows, rows - held);
  assert_int_equal(lesson->valid_left.rows, held);
  assert_int_equal(lesson->valid_right.rows, held);
  for (int64_t k = 0; k < 2 * (rows - held); k++)
    assert_near(lesson->left.values[k], factor * (double)lesson->right.values[k], 3e-6);
  for (int64_t k = 0; k < 2 * held; k++)
    assert_near(lesson->valid_left.values[k], factor * (double)lesson->valid_right.values[k], 3e-6);
}

static void expect_pairs(const lfm_lesson *lesson, double factor) { expect_pairs_of(lesson, 100, factor); }

static void blocks_are_as_the_teacher_went(void **state) {
  (void)state;
  static const struct {
    const char *plan;
    int student, first, last;
  } cases[] = {{"1 2 3", 0, 1, 3}, {"1 | 2 3", 0, 1, 1}, {"1 | 2 3", 1, 2, 3}, {"1 2 | 3", 0, 1, 2}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    fixture f;
    lfm_lesson lesson;
    double evaluations = 0.0;
    setup(&f, cases[k].plan, 1);
    OK(lfm_lesson_make(&f.of, root_of(&f, cases[k].student), &lesson, &evaluations));
    expect_pairs(&lesson, shrinks(cases[k].first, cases[k].last));
    assert_true(evaluations == 0.0); /* nothing had to be computed */
    assert_ptr_equal(lesson.start, f.teacher->params[cases[k].last - 1]);
    assert_true(lesson.t_right == 1.0 && lesson.t_left == 0.0);
    lfm_lesson_release(&lesson);
    teardown(&f);
  }
}

/* A student that takes x to x - v = 0.5 x in the place of blocks 2 and 3; or of 1 and 2, before the flow of 3. */
static void parts_that_were_taught_are_used(void **state) {
  (void)state;
  static const struct {
    const char *plan;
    double factor;
    bool starts_from_student;
  } cases[] = {{"1 (2 3)", 0, true}, {"(1 2) 3", 0, false}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    fixture f;
    lfm_lesson lesson;
    double evaluations = 0.0;
    setup(&f, cases[k].plan, 1);
    int part = 0;
    while (!f.plan.node[part].children) part++;
    f.student[part] = linear_teacher();
    set_linear_block(f.student[part], 0, 0.5);
    OK(lfm_lesson_make(&f.of, root_of(&f, 0), &lesson, &evaluations));
    expect_pairs(&lesson, 0.5 * (k ? shrinks(3, 3) : shrinks(1, 1)));
    assert_true(evaluations >= 100.0); /* one of the student's; in the first case the flow of block 1 as well */
    assert_ptr_equal(lesson.start, cases[k].starts_from_student ? f.student[part]->params[0] : f.teacher->params[2]);
    lfm_lesson_release(&lesson);
    teardown(&f);
  }
}

static void pieces_have_their_times(void **state) {
  (void)state;
  fixture f;
  lfm_lesson lesson;
  double evaluations = 0.0;
  setup(&f, "1 | 2 3 | 4 5 6", 2);
  OK(lfm_lesson_make(&f.of, root_of(&f, 0), &lesson, &evaluations)); /* the first half of block 1 */
  expect_pairs(&lesson, exp(-rates[0] / 2.0));
  assert_true(lesson.t_right == 0.5 && lesson.t_left == 0.0);
  lfm_lesson_release(&lesson);
  OK(lfm_lesson_make(&f.of, root_of(&f, 1), &lesson, &evaluations)); /* the second, and the first of block 2 */
  expect_pairs(&lesson, exp(-(rates[0] + rates[1]) / 2.0));
  assert_true(lesson.t_right == 0.5 && lesson.t_left == 0.0);
  assert_ptr_equal(lesson.start, f.teacher->params[1]);
  lfm_lesson_release(&lesson);
  OK(lfm_lesson_make(&f.of, root_of(&f, 2), &lesson, &evaluations));
  expect_pairs(&lesson, exp(-rates[1] / 2.0 - rates[2]));
  assert_true(lesson.t_right == 1.0 && lesson.t_left == 0.0);
  lfm_lesson_release(&lesson);
  teardown(&f);
}

/* One row in a thousand may be lost behind a student, and is no pair then; two are too many. */
static void rows_that_a_part_cannot_carry_are_left_out(void **state) {
  (void)state;
  for (int lost = 1; lost <= 2; lost++) {
    fixture f;
    lfm_lesson lesson;
    double evaluations = 0.0;
    setup_rows(&f, 1000, "1 (2 3)", 1);
    int part = 0;
    while (!f.plan.node[part].children) part++;
    f.student[part] = linear_teacher();
    set_linear_block(f.student[part], 0, 0.5);
    for (int k = 0; k < lost; k++) f.d.states.border[3].values[2 * (3 + 5 * k)] = INFINITY;
    FAILS(lost == 1 ? LFM_OK : LFM_E_NUMERIC, lfm_lesson_make(&f.of, root_of(&f, 0), &lesson, &evaluations));
    if (lost == 2) assert_says("failed for 2 of 1000 rows");
    else expect_pairs_of(&lesson, 999, 0.5 * shrinks(1, 1));
    lfm_lesson_release(&lesson);
    teardown(&f);
  }
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  fixture f;
  lfm_lesson lesson;
  double evaluations = 0.0;
  setup(&f, "1 2 3", 1);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK && at < 100; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_lesson_make(&f.of, root_of(&f, 0), &lesson, &evaluations);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    lfm_lesson_release(&lesson);
  }
  lfm_alloc_fail_at(0);
  assert_int_equal(status, LFM_OK);
  teardown(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_as_the_teacher_went), cmocka_unit_test(parts_that_were_taught_are_used),
      cmocka_unit_test(pieces_have_their_times),        cmocka_unit_test(rows_that_a_part_cannot_carry_are_left_out),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
