/* SPDX-License-Identifier: MIT
 *
 * test_choose.c -- the plan for a teacher at hand: by its variances, and by what a pilot learnt.
 */
#include "distill_support.h"

#include "distill/choose.h"
#include "distill/search.h"
#include "distill/student.h"

/* A teacher whose data have variance e^(-2 sum of rates), in both columns alike. */
typedef struct fixture {
  lfm_model *teacher;
  lfm_config *config;
  lfm_states_options how;
  drawing d;
  lfm_choice choice;
} fixture;

static void setup(fixture *f, const double *of_blocks, int students, double s) {
  lfm_table *table = gaussian_table(50, 2, 3);
  *f = (fixture){.teacher = linear_chain(table, of_blocks, 3), .how = drawn(600)};
  lfm_table_destroy(table);
  f->d = draw(f->teacher, &f->how, 1);
  lfm_config *asked = config_of(KEYS("batch_size=64", "lr=0.01", "seed=5"), NULL);
  OK(lfm_student_configure(f->teacher, LFM_OBJECTIVE_RESIDUAL, asked, &f->config));
  lfm_config_destroy(asked);
  f->choice = (lfm_choice){.teacher = f->teacher,
                           .states = &f->d.states,
                           .how = &f->how,
                           .carry = f->d.carry,
                           .meter = &f->d.meter,
                           .config = f->config,
                           .students = students,
                           .threads = 1,
                           .steps = 400,
                           .pilot_steps = 40,
                           .s = s};
}

static void teardown(fixture *f) {
  lfm_config_destroy(f->config);
  draw_drop(&f->d);
  lfm_model_destroy(f->teacher);
}

static void expect(const double *of_blocks, int students, double s, const char *due) {
  fixture f;
  lfm_merge_plan plan;
  char text[LFM_MERGE_TEXT];
  double by, flops = NAN;
  setup(&f, of_blocks, students, s);
  OK(lfm_choose_plan(&f.choice, &plan, &by, &flops));
  assert_true(by == s && flops == 0.0);
  lfm_merge_plan_format(&plan, text);
  assert_string_equal(text, due);
  teardown(&f);
}

/* The regimes of arXiv 2505.16024: narrow data want merging from the noise's side, wide data merging at once; and where
 * training is long all plans do, of which the one of fewest merges is taken. */
static void variances_decide(void **state) {
  (void)state;
  expect((double[]){0.5, 0.4, 0.4}, 1, 0.2, "(1 (2 3))");
  expect((double[]){-0.5, -0.4, -0.4}, 1, 0.05, "(1 2 3)");
  expect((double[]){0.5, 0.4, 0.4}, 1, 50.0, "(1 2 3)");
  expect((double[]){0.5, 0.4, 0.4}, 3, 0.2, "1 | 2 | 3");
}

/* What a pilot says is a time, the longer the longer students train; and the same each time.  It is not for nothing. */
static void a_pilot_tells_how_far_a_student_gets(void **state) {
  (void)state;
  double s[3], flops[3];
  for (int k = 0; k < 3; k++) {
    fixture f;
    lfm_merge_plan plan;
    setup(&f, rates, 2, 0.0);
    f.choice.steps = k == 2 ? 800 : 400;
    OK(lfm_choose_plan(&f.choice, &plan, &s[k], &flops[k]));
    teardown(&f);
  }
  assert_true(s[0] > 0.0 && s[0] == s[1]);
  assert_true(flops[0] > 0.0 && flops[0] == flops[2]);
  assert_near(s[2] / s[0], 2.0, 1e-9);
}

/* Neither one that learnt nothing nor one that blew up ends the run: the usual time stands in. */
static void a_pilot_that_fails_decides_nothing(void **state) {
  (void)state;
  for (int blows_up = 0; blows_up < 2; blows_up++) {
    fixture f;
    lfm_merge_plan plan;
    double s, flops;
    setup(&f, rates, 2, 0.0);
    f.choice.pilot_steps = 20;
    if (!blows_up) OK(lfm_config_set(f.config, "lr=1e-30"));
    for (int64_t k = 0; blows_up && k < 600 * 2; k++) f.d.states.border[3].values[k] = INFINITY;
    OK(lfm_choose_plan(&f.choice, &plan, &s, &flops));
    assert_true(s == 0.5 && plan.students == 2);
    assert_null(strstr(lfm_error(), "null"));
    teardown(&f);
  }
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  fixture f;
  lfm_merge_plan plan;
  double s, flops;
  setup(&f, rates, 2, 0.0);
  f.choice.pilot_steps = 2;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK && at < 400; at += 1 + at / 20) {
    lfm_alloc_fail_at(at);
    status = lfm_choose_plan(&f.choice, &plan, &s, &flops);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  }
  lfm_alloc_fail_at(0);
  assert_int_equal(status, LFM_OK);
  teardown(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(variances_decide),
      cmocka_unit_test(a_pilot_tells_how_far_a_student_gets),
      cmocka_unit_test(a_pilot_that_fails_decides_nothing),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
