/* SPDX-License-Identifier: MIT
 *
 * test_threads.c -- every task runs exactly once whatever the size of the team, the lowest failure comes back with its line,
 * and thousands of short rounds hand over cleanly (built with LFM_SANITIZE=thread, this is the race test).
 */
#include "core/threads.h"

#include "core/alloc.h"
#include "core/machine.h"

#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const int sizes[] = {1, 2, 3, 8};
enum { SIZES = sizeof sizes / sizeof *sizes, TASKS = 1000 };

typedef struct plain {
  int size;
  int runs[TASKS]; /* plain ints: each is one task's, and the end of a round hands them to the caller */
} plain;

static lfm_status count_run(void *context, int worker, int64_t task) {
  plain *p = context;
  if (worker < 0 || worker >= p->size) return lfm_fail(LFM_E_USAGE, "worker %d", worker);
  p->runs[task]++;
  return LFM_OK;
}

static void every_task_runs_once(void **state) {
  (void)state;
  const int64_t counts[] = {0, 1, 2, 3, 7, TASKS};
  for (int s = 0; s < SIZES; s++) {
    lfm_team *team;
    assert_int_equal(lfm_team_create(sizes[s], &team), LFM_OK);
    assert_int_equal(lfm_team_size(team), sizes[s]);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
      plain p = {.size = sizes[s]};
      assert_int_equal(lfm_team_run(team, counts[c], count_run, &p), LFM_OK);
      for (int64_t i = 0; i < TASKS; i++) assert_int_equal(p.runs[i], i < counts[c]);
    }
    lfm_team_destroy(team);
  }
}

static void short_rounds_hand_over(void **state) {
  (void)state;
  enum { ROUNDS = 3000, WIDTH = 5 };
  for (int s = 0; s < SIZES; s++) {
    lfm_team *team;
    plain p = {.size = sizes[s]};
    assert_int_equal(lfm_team_create(sizes[s], &team), LFM_OK);
    for (int round = 0; round < ROUNDS; round++) {
      int64_t tasks = round % (WIDTH + 1);
      assert_int_equal(lfm_team_run(team, tasks, count_run, &p), LFM_OK);
      for (int64_t i = 0; i < tasks; i++) p.runs[i]--; /* the caller's turn: a race if a worker were still at it */
      for (int64_t i = 0; i < WIDTH; i++) assert_int_equal(p.runs[i], 0);
    }
    lfm_team_destroy(team);
  }
}

typedef struct failing {
  int64_t low, high; /* these fail, the low one only after the high one */
  bool wait;
  atomic_bool high_reached;
  atomic_int begun[16];
} failing;

static lfm_status fail_two(void *context, int worker, int64_t task) {
  failing *f = context;
  (void)worker;
  if (task < 16) atomic_fetch_add(&f->begun[task], 1);
  if (task == f->high) {
    atomic_store(&f->high_reached, true);
    return lfm_fail(LFM_E_DATA, "task %d", (int)task);
  }
  if (task != f->low) return LFM_OK;
  while (f->wait && !atomic_load(&f->high_reached)) sched_yield();
  return lfm_fail(LFM_E_NUMERIC, "task %d", (int)task);
}

static void the_lowest_failure_comes_back(void **state) {
  (void)state;
  for (int s = 0; s < SIZES; s++) {
    lfm_team *team;
    assert_int_equal(lfm_team_create(sizes[s], &team), LFM_OK);
    for (int repeat = 0; repeat < 50; repeat++) {
      failing f = {.low = 3, .high = 7, .wait = sizes[s] > 1};
      lfm_error_set("before");
      assert_int_equal(lfm_team_run(team, 12, fail_two, &f), LFM_E_NUMERIC);
      assert_string_equal(lfm_error(), "task 3");
      plain p = {.size = sizes[s]};
      assert_int_equal(lfm_team_run(team, TASKS, count_run, &p), LFM_OK); /* the team is as good as new */
      for (int64_t i = 0; i < TASKS; i++) assert_int_equal(p.runs[i], 1);
    }
    lfm_team_destroy(team);
  }
}

static void nothing_begins_after_a_failure(void **state) {
  (void)state;
  for (int s = 0; s < SIZES; s++) {
    lfm_team *team;
    failing f = {.low = 5, .high = -1};
    assert_int_equal(lfm_team_create(sizes[s], &team), LFM_OK);
    assert_int_equal(lfm_team_run(team, INT64_MAX / 2, fail_two, &f), LFM_E_NUMERIC); /* comes back in this life */
    for (int i = 0; i <= 5; i++) assert_int_equal(atomic_load(&f.begun[i]), 1);       /* what came before was not skipped */
    if (sizes[s] == 1) assert_int_equal(atomic_load(&f.begun[6]), 0);
    lfm_team_destroy(team);
  }
}

/* Whose data stay in whose cache is not to be seen here; that each task runs once, and as its own number, is. */
static lfm_status count_own(void *context, int worker, int64_t task) {
  return worker == task ? count_run(context, worker, task) : lfm_fail(LFM_E_USAGE, "worker %d", worker);
}

static void shared_tasks_run_once(void **state) {
  (void)state;
  enum { ROUNDS = 3000 };
  for (int s = 0; s < SIZES; s++) {
    lfm_team *team;
    plain p = {.size = sizes[s]};
    assert_int_equal(lfm_team_create(sizes[s], &team), LFM_OK);
    for (int round = 0; round < ROUNDS; round++) {
      int tasks = round % (sizes[s] + 1);
      if (round % 500 == 499) assert_int_equal(nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL), 0); /* all sleep */
      assert_int_equal(lfm_team_share(team, tasks, count_own, &p), LFM_OK);
      for (int64_t i = 0; i < sizes[s]; i++) assert_int_equal(p.runs[i], i < tasks);
      if (round % 3 == 0) assert_int_equal(lfm_team_run(team, tasks, count_run, &p), LFM_OK); /* rounds of both kinds */
      for (int64_t i = 0; i < tasks; i++) p.runs[i] = 0;
    }
    assert_int_equal(lfm_team_share(team, sizes[s] + 1, count_own, &p), LFM_E_USAGE);
    lfm_team_destroy(team);
  }
}

/* Worker 1 is held up in its task; the others' tasks are done meanwhile, whoever comes. */
typedef struct held {
  atomic_int done;
  int others;
} held;

static lfm_status hold_first(void *context, int worker, int64_t task) {
  held *h = context;
  (void)worker;
  if (task != 1) atomic_fetch_add(&h->done, 1);
  else
    while (atomic_load(&h->done) < h->others / 2) sched_yield();
  return task == 2 ? lfm_fail(LFM_E_DATA, "task 2") : LFM_OK;
}

static void nobody_waits_for_one_who_is_late(void **state) {
  (void)state;
  for (int repeat = 0; repeat < 200; repeat++) {
    lfm_team *team;
    held h = {.others = 2}; /* task 0 comes before task 1 even where the caller does them all */
    assert_int_equal(lfm_team_create(3, &team), LFM_OK);
    assert_int_equal(lfm_team_share(team, 3, hold_first, &h), LFM_E_DATA);
    assert_string_equal(lfm_error(), "task 2");
    assert_int_equal(atomic_load(&h.done), 2);
    assert_int_equal(lfm_team_share(team, 2, hold_first, &h), LFM_OK);
    lfm_team_destroy(team);
  }
}

static void a_run_allocates_nothing(void **state) {
  (void)state;
  lfm_team *team;
  plain p = {.size = 3};
  assert_int_equal(lfm_team_create(3, &team), LFM_OK);
  assert_int_equal(lfm_team_run(team, TASKS, count_run, &p), LFM_OK);
  lfm_alloc_fail_at(0);
  size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 100; i++) assert_int_equal(lfm_team_run(team, TASKS, count_run, &p), LFM_OK);
  for (int i = 0; i < 100; i++) assert_int_equal(lfm_team_share(team, 3, count_run, &p), LFM_OK);
  assert_int_equal(mallinfo2().uordblks, before);
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  lfm_team_destroy(team);
}

static void sizes_are_checked_and_defaulted(void **state) {
  (void)state;
  lfm_team *team = (lfm_team *)1;
  assert_int_equal(lfm_team_create(1000000, &team), LFM_E_USAGE);
  assert_int_equal(lfm_team_create(-1, &team), LFM_E_USAGE);
  assert_null(team);
  assert_int_equal(lfm_team_create(0, &team), LFM_OK);
  assert_int_equal(lfm_team_size(team), lfm_machine_processors(""));
  lfm_team_destroy(team);
  lfm_team_destroy(NULL);
}

static void refused_memory_is_told(void **state) {
  (void)state;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_team *team = (lfm_team *)1;
    lfm_alloc_fail_at(at);
    status = lfm_team_create(2, &team);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK ? at == 3 : status == LFM_E_MEMORY && team == NULL);
    lfm_team_destroy(team);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shared_tasks_run_once),         cmocka_unit_test(nobody_waits_for_one_who_is_late),
      cmocka_unit_test(every_task_runs_once),          cmocka_unit_test(short_rounds_hand_over),
      cmocka_unit_test(the_lowest_failure_comes_back), cmocka_unit_test(nothing_begins_after_a_failure),
      cmocka_unit_test(a_run_allocates_nothing),       cmocka_unit_test(sizes_are_checked_and_defaulted),
      cmocka_unit_test(refused_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
