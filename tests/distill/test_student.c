/* SPDX-License-Identifier: MIT
 *
 * test_student.c -- students become one chain, or nothing at all.
 */
#include "distill_support.h"

#include "distill/student.h"

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
      cmocka_unit_test(refused_memory_leaves_no_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
