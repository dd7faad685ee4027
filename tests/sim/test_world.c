/* SPDX-License-Identifier: MIT
 *
 * test_world.c -- the tasks have names, their numbers add up, and one that is not there is refused with those that are.
 */
#include "world_support.h"

static void tasks_are_found_by_name_and_add_up(void **state) {
  (void)state;
  int tasks = 0;
  for (const lfm_task *task; (task = lfm_task_at(tasks)); tasks++) {
    const lfm_task *found = NULL;
    int64_t numbers = 0;
    OK(lfm_task_find(task->name, &found));
    assert_ptr_equal(found, task);
    for (int i = 0; i < LFM_MOST_PARTS && task->parts[i].name; i++) numbers += task->parts[i].dim;
    assert_int_equal(numbers, task->obs_dim);
    assert_true(task->horizon > 0 && task->control_hz > 0 && task->action_dim > 0 && task->state_dim > 0);
    assert_int_equal(lfm_task_has_expert(task), task->control == LFM_CONTROL_POSE);
  }
  assert_true(tasks >= 3);
  assert_null(lfm_task_at(-1));
  assert_null(lfm_task_at(tasks + 5));
}

static void an_unknown_task_is_refused_with_those_that_there_are(void **state) {
  (void)state;
  const lfm_task *task = (const lfm_task *)&state;
  assert_int_equal(lfm_task_find("lifting", &task), LFM_E_USAGE);
  assert_null(task);
  assert_non_null(strstr(lfm_error(), "'lifting'"));
  assert_non_null(strstr(lfm_error(), "lift, can, square"));
}

/* Push-T, where the build has it, is a task of people's hands. */
static void an_expert_is_asked_of_tasks_that_have_one(void **state) {
  (void)state;
  const lfm_task *task = (const lfm_task *)&state;
  OK(lfm_task_find_expert("can", &task));
  assert_string_equal(task->name, "can");
  assert_int_equal(lfm_task_find_expert("lifting", &task), LFM_E_USAGE);
  assert_null(task);
  assert_string_equal(lfm_error(), "unknown task 'lifting'; there are lift, can, square");
  if (lfm_task_find("pusht", &task) != LFM_OK) return;
  assert_int_equal(lfm_task_find_expert("pusht", &task), LFM_E_USAGE);
  assert_null(task);
  assert_string_equal(lfm_error(), "task 'pusht' has no scripted expert; lift, can, square have one");
}

static void pictures_show_the_world(void **state) {
  (void)state;
  enum { SIDE = 48 };
  lfm_arm *arm = make_world("lift");
  static uint8_t first[SIDE * SIDE * 3], again[SIDE * SIDE * 3], other[SIDE * SIDE * 3];
  OK(lfm_world_reset(&arm->base, 1, 0));
  lfm_status status = lfm_world_draw(&arm->base, SIDE, SIDE, first);
  if (status == LFM_E_UNSUPPORTED) skip(); /* no OSMesa here */
  assert_int_equal(status, LFM_OK);
  int red = 0; /* the cube */
  for (int i = 0; i < SIDE * SIDE; i++) red += first[3 * i] > 2 * first[3 * i + 1] && first[3 * i] > 80;
  assert_in_range(red, 3, 200);
  OK(lfm_world_reset(&arm->base, 1, 1));
  OK(lfm_world_draw(&arm->base, SIDE, SIDE, other));
  OK(lfm_world_reset(&arm->base, 1, 0));
  OK(lfm_world_draw(&arm->base, SIDE, SIDE, again));
  assert_memory_equal(first, again, sizeof first);
  assert_true(memcmp(first, other, sizeof first) != 0);
  assert_int_equal(lfm_world_draw(&arm->base, 0, SIDE, first), LFM_E_USAGE);
  assert_int_equal(lfm_world_draw(&arm->base, SIDE, 100000, first), LFM_E_USAGE);
  lfm_world_destroy(&arm->base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tasks_are_found_by_name_and_add_up),
      cmocka_unit_test(an_unknown_task_is_refused_with_those_that_there_are),
      cmocka_unit_test(an_expert_is_asked_of_tasks_that_have_one),
      cmocka_unit_test(pictures_show_the_world),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
