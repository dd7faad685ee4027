/* SPDX-License-Identifier: MIT
 *
 * test_student.c -- what a student is asked for; students become one chain, or nothing at all.
 */
#include "distill_support.h"

#include "distill/student.h"

/* Or a student that was stopped would go on as another. */
static void what_a_student_learns_to_be_is_compared(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher();
  lfm_config *then, *now;
  OK(lfm_student_configure(teacher, LFM_OBJECTIVE_RESIDUAL, NULL, &then));
  OK(lfm_student_configure(teacher, LFM_OBJECTIVE_MEANFLOW, NULL, &now));
  OK(lfm_config_agrees(then, then));
  FAILS(LFM_E_USAGE, lfm_config_agrees(then, now));
  assert_says("objective: the run was begun with residual, not meanflow");
  lfm_config_destroy(then);
  lfm_config_destroy(now);
  lfm_model_destroy(teacher);
}

/* Those of a step do not fade by the time at which it is taken, when all but the longest would be gone. */
static void a_step_sees_its_waves(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(50, 2, 3);
  static const struct {
    const char *waves;
    lfm_objective objective;
    double noise;
  } cases[] = {{"waves=8", LFM_OBJECTIVE_RESIDUAL, 0.2},
               {"waves=8", LFM_OBJECTIVE_REFLOW, 0.0},
               {"waves=0", LFM_OBJECTIVE_RESIDUAL, 0.0}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_model *teacher = random_chain(table, KEYS(cases[k].waves), 1.0);
    lfm_config *config;
    OK(lfm_student_configure(teacher, cases[k].objective, NULL, &config));
    assert_near(config->wave_noise, cases[k].noise, 0.0);
    lfm_config_destroy(config);
    lfm_model_destroy(teacher);
  }
  lfm_table_destroy(table);
}

/* The three blocks of a teacher as students of themselves. */
static void refused_memory_leaves_no_chain(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher(), *joined;
  const lfm_model *students[] = {teacher, teacher, teacher};
  lfm_merge_plan plan;
  OK(lfm_merge_plan_parse("1 | 2 | 3", 3, &plan));
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    joined = (lfm_model *)&plan;
    lfm_alloc_fail_at(at);
    status = lfm_students_join(teacher, &plan, 1, students, &joined);
    assert_true(status == LFM_OK ? joined != NULL : status == LFM_E_MEMORY && !joined);
  }
  lfm_alloc_fail_at(0);
  assert_string_equal(lfm_model_plan(joined), "1 | 2 | 3");
  lfm_model_destroy(joined);
  lfm_model_destroy(teacher);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_sees_its_waves),
      cmocka_unit_test(what_a_student_learns_to_be_is_compared),
      cmocka_unit_test(refused_memory_leaves_no_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
