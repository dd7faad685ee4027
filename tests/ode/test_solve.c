/* SPDX-License-Identifier: MIT
 *
 * The queue and the batch: a row's bytes do not depend on its company, no evaluation is idle, and a solve that ends early
 * ends cleanly.
 */
#include "rows.h"

enum { ROWS = 150, DIM = 3 };

/* Lorenz's equations in slow motion: nonlinear, and each start takes its own number of steps. */
static void lorenz(double t, const double *y, double *dydt, double *div) {
  double pace = 1.0 + 0.3 * sin(5.0 * t);
  dydt[0] = pace * 10.0 * (y[1] - y[0]);
  dydt[1] = pace * (y[0] * (28.0 - y[2]) - y[1]);
  dydt[2] = pace * (y[0] * y[1] - 8.0 / 3.0 * y[2]);
  *div = pace * (-10.0 - 1.0 - 8.0 / 3.0);
}

/* The same without a value high up, where only some of the rows come by. */
static void lorenz_holed(double t, const double *y, double *dydt, double *div) {
  lorenz(t, y, dydt, div);
  if (y[2] > 40.0) dydt[1] = *div = NAN;
}

static double starts[ROWS * DIM];

static int make_starts(void **state) {
  (void)state;
  for (int i = 0; i < ROWS * DIM; i++) starts[i] = 20.0 * sin(1.0 + 7.3 * i) + (i % DIM == 2 ? 15.0 : 0.0);
  return 0;
}

static lfm_ode_problem likelihood(lfm_solver solver) {
  lfm_ode_problem problem = adaptive(solver, 1e-6, 0.0, 0.6);
  problem.logdets = 1;
  return problem;
}

static void assert_same_rows(const rows *a, const rows *b) {
  assert_memory_equal(a->x, b->x, sizeof *a->x * ROWS * DIM);
  assert_memory_equal(a->logdet, b->logdet, sizeof *a->logdet * ROWS);
  assert_memory_equal(a->status, b->status, sizeof *a->status * ROWS);
  assert_memory_equal(a->nfe, b->nfe, sizeof *a->nfe * ROWS);
}

/* Every combination of slots, threads and order gives the bytes of one slot and one thread. */
static void check_independence(row_field f, lfm_ode_problem problem, rows *alone) {
  int64_t shuffled[ROWS];
  for (int64_t i = 0; i < ROWS; i++) shuffled[i] = i * 67 % ROWS; /* 67 and 150 have no common factor */
  rows_create(alone, f, starts, ROWS, DIM);
  rows_solve(alone, problem, 1);

  rows r;
  rows_create(&r, f, starts, ROWS, DIM);
  const int64_t slots[] = {1, 7, 64};
  for (int s = 0; s < 3; s++) {
    for (int threads = 1; threads <= 3; threads++) {
      r.slots = slots[s];
      r.order = NULL;
      rows_solve(&r, problem, threads);
      assert_same_rows(&r, alone);
      r.order = shuffled;
      rows_solve(&r, problem, threads);
      assert_same_rows(&r, alone);
    }
  }
  rows_destroy(&r);
}

static void test_rows_are_independent(void **state) {
  (void)state;
  rows alone;
  for (lfm_solver solver = LFM_DOPRI5; solver < LFM_SOLVERS; solver++) {
    check_independence(lorenz, likelihood(solver), &alone);
    int least = INT_MAX, most = 0;
    for (int i = 0; i < ROWS; i++) {
      assert_int_equal(alone.status[i], LFM_ROW_SOLVED);
      least = alone.nfe[i] < least ? alone.nfe[i] : least;
      most = alone.nfe[i] > most ? alone.nfe[i] : most;
    }
    assert_true(most > least + 12); /* or the rows would not have been out of step */
    rows_destroy(&alone);
  }
  check_independence(lorenz, fixed(LFM_RK4, 20, 0.0, 0.6), &alone);
  for (int i = 0; i < ROWS; i++) assert_true(alone.status[i] == LFM_ROW_SOLVED && isnan(alone.logdet[i]));
  rows_destroy(&alone);
}

static void test_failed_rows_do_not_disturb_neighbours(void **state) {
  (void)state;
  rows whole, holed;
  rows_create(&whole, lorenz, starts, ROWS, DIM);
  rows_solve(&whole, likelihood(LFM_DOPRI5), 1);
  check_independence(lorenz_holed, likelihood(LFM_DOPRI5), &holed);
  int failed = 0, untouched = 0;
  for (int i = 0; i < ROWS; i++) {
    failed += holed.status[i] == LFM_ROW_NOT_FINITE;
    if (holed.status[i] != LFM_ROW_SOLVED || holed.nfe[i] != whole.nfe[i]) continue;
    untouched += memcmp(holed.x + i * DIM, whole.x + i * DIM, sizeof *whole.x * DIM) == 0;
  }
  assert_true(failed > 10 && untouched > 10);
  rows_destroy(&whole);
  rows_destroy(&holed);
}

static void test_no_evaluation_is_idle(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  const int64_t slots[] = {1, 7, 64};
  for (int s = 0; s < 3; s++) {
    r.slots = slots[s];
    rows_solve(&r, likelihood(LFM_TSIT5), 1);
    int64_t needed = 0, longest = 0;
    for (int i = 0; i < ROWS; i++) {
      needed += r.nfe[i];
      longest = r.nfe[i] > longest ? r.nfe[i] : longest;
    }
    /* All slots are busy until the queue is empty, and then one row's length passes at most. */
    assert_true(r.calls * r.slots >= needed && (r.calls - longest) * r.slots <= needed);
    assert_int_equal(r.busy, needed); /* and those in the front are all that f is told of */
  }
  r.slots = 50; /* equal rows: three full fills and not a call more */
  rows_solve(&r, fixed(LFM_RK4, 5, 0.0, 0.6), 1);
  assert_int_equal(r.calls, 3 * 20);
  rows_destroy(&r);
}

/* The first worker to come does not take all of the few. */
static void test_few_rows_are_spread(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, 10, DIM);
  r.slots = 64;
  for (int threads = 1; threads <= 3; threads++) {
    rows_solve(&r, likelihood(LFM_DOPRI5), threads);
    assert_true(r.most_busy <= (10 + threads - 1) / threads);
  }
  rows_destroy(&r);
}

/* A divergence costs as many products as there are columns: none is asked for where the method gives it no weight (and what
 * f says there is not a number, so that reading it would be seen). */
static void test_traces_are_counted(void **state) {
  (void)state;
  const struct {
    lfm_solver solver;
    int stages, traced;
  } each[] = {{LFM_EULER, 1, 1}, {LFM_MIDPOINT, 2, 1}, {LFM_HEUN, 2, 2}, {LFM_RK4, 4, 4},
              {LFM_BS23, 3, 3},  {LFM_DOPRI5, 6, 5},   {LFM_TSIT5, 6, 6}};
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  r.slots = 7;
  for (size_t s = 0; s < sizeof each / sizeof *each; s++) {
    lfm_ode_problem problem = fixed(each[s].solver, 1, 0.0, 0.1);
    problem.logdets = 1;
    rows_solve(&r, problem, 1);
    assert_int_equal(r.busy, ROWS * each[s].stages);
    assert_int_equal(r.traced, ROWS * each[s].traced);
  }
  rows_solve(&r, likelihood(LFM_DOPRI5), 1);
  int64_t tries = 0;
  for (int i = 0; i < ROWS; i++) tries += (r.nfe[i] - 2) / 6;
  assert_int_equal(r.traced, r.busy - tries);
  rows_destroy(&r);
}

static void test_no_rows(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, 0, DIM);
  rows_solve(&r, likelihood(LFM_DOPRI5), 2);
  assert_int_equal(r.calls, 0);
  rows_destroy(&r);
}

static int64_t stored_rows(const rows *r) {
  int64_t stored = 0;
  for (int i = 0; i < ROWS; i++) {
    assert_in_range(r->stored[i], 0, 1);
    if (r->stored[i] == 1) assert_int_equal(r->status[i], LFM_ROW_SOLVED);
    stored += r->stored[i];
  }
  return stored;
}

static void test_failing_field_ends_the_solve(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  r.slots = 7;
  for (int threads = 1; threads <= 3; threads++) {
    r.fail_at = 1000;
    assert_int_equal(rows_solve_status(&r, likelihood(LFM_DOPRI5), threads), LFM_E_NUMERIC);
    assert_string_equal(lfm_error(), "the field refused call 1000");
    assert_true(stored_rows(&r) > 0);
    assert_true(stored_rows(&r) < ROWS - 3 * r.slots); /* the other workers leave too, with the queue not empty */
  }
  rows_destroy(&r);
}

static void test_stop(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  r.slots = 7;
  r.stop_at = 1;
  assert_int_equal(rows_solve_status(&r, likelihood(LFM_DOPRI5), 1), LFM_E_INTERRUPTED);
  assert_int_equal(r.calls, 0);
  r.stop_at = 1000;
  assert_int_equal(rows_solve_status(&r, likelihood(LFM_DOPRI5), 1), LFM_E_INTERRUPTED);
  assert_int_equal(r.calls, 999);
  assert_true(stored_rows(&r) > 0 && stored_rows(&r) < ROWS);
  r.stop_at = INT_MAX; /* asked and never told to */
  rows_solve(&r, likelihood(LFM_DOPRI5), 1);
  assert_int_equal(r.asked, r.calls);
  rows_solve(&r, likelihood(LFM_DOPRI5), 3); /* one worker asks, so that the callback need not be thread-safe */
  assert_true(r.asked >= r.calls_of_first && r.calls_of_first < r.calls);
  rows_destroy(&r);
}

/* Who asks has no rows left, and another's last: the question is still put, and heard. */
static void test_stop_is_heard_to_the_end(void **state) {
  (void)state;
  rows r;
  const double same[2 * DIM] = {1, 2, 3, 1, 2, 3}; /* as many evaluations, whoever has which */
  rows_create(&r, lorenz, same, 2, DIM);
  r.outlasts = true;
  r.stop_at = INT_MAX;
  rows_solve(&r, likelihood(LFM_DOPRI5), 2);
  int own = r.calls_of_first;
  assert_true(r.asked >= own + 2);
  r.stop_at = own + 2;
  assert_int_equal(rows_solve_status(&r, likelihood(LFM_DOPRI5), 2), LFM_E_INTERRUPTED);
  rows_destroy(&r);
}

/* A work space that an error left in the middle of its rows serves the next solve as a new one would. */
static void test_work_space_is_reusable(void **state) {
  (void)state;
  rows fresh, r;
  rows_create(&fresh, lorenz, starts, ROWS, DIM);
  rows_create(&r, lorenz, starts, ROWS, DIM);
  fresh.slots = r.slots = 16;
  lfm_ode_problem problem = likelihood(LFM_DOPRI5);
  rows_solve(&fresh, problem, 1);

  lfm_team *team;
  lfm_ode *ode;
  assert_ok(lfm_team_create(2, &team));
  assert_ok(lfm_ode_create(2, DIM, 1, 16, &ode));
  problem.dim = DIM, problem.slots = 16;
  problem.field = rows_field, problem.load = rows_load, problem.store = rows_store, problem.context = &r;
  rows_poison(&r);
  r.fail_at = 500;
  assert_int_equal(lfm_ode_solve(ode, team, &problem, ROWS), LFM_E_NUMERIC);
  rows_poison(&r);
  r.fail_at = 0;
  assert_ok(lfm_ode_solve(ode, team, &problem, ROWS));
  assert_same_rows(&r, &fresh);
  lfm_ode_destroy(ode);
  lfm_team_destroy(team);
  rows_destroy(&fresh);
  rows_destroy(&r);
}

static void test_refused_memory(void **state) {
  (void)state;
  lfm_status status = LFM_E_MEMORY;
  int refused = 0;
  for (; status != LFM_OK; refused++) {
    lfm_ode *ode = (lfm_ode *)starts;
    lfm_alloc_fail_at((uint64_t)refused + 1);
    status = lfm_ode_create(2, DIM, 1, 5, &ode);
    lfm_alloc_fail_at(0);
    assert_int_equal(status == LFM_OK, ode != NULL);
    if (status != LFM_OK) assert_int_equal(status, LFM_E_MEMORY);
    lfm_ode_destroy(ode);
  }
  assert_true(refused > 10);
}

static void test_create_refuses_nonsense(void **state) {
  (void)state;
  lfm_ode *ode = (lfm_ode *)starts;
  assert_int_equal(lfm_ode_create(0, DIM, 1, 5, &ode), LFM_E_USAGE);
  assert_null(ode);
  assert_int_equal(lfm_ode_create(1, 0, 1, 5, &ode), LFM_E_USAGE);
  assert_int_equal(lfm_ode_create(1, DIM, 1, 0, &ode), LFM_E_USAGE);
  assert_int_equal(lfm_ode_create(1, DIM, -1, 5, &ode), LFM_E_USAGE);
  assert_int_equal(lfm_ode_create(1, INT64_MAX / 2, 1, INT64_MAX / 2, &ode), LFM_E_USAGE);
  assert_int_equal(lfm_ode_create(1, INT64_MAX, 1, 1, &ode), LFM_E_USAGE);
  assert_null(ode);
  lfm_ode_destroy(NULL);
}

static void test_solve_refuses_nonsense(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  const lfm_ode_problem good = likelihood(LFM_DOPRI5);
  lfm_ode_problem bad[14];
  for (int i = 0; i < 14; i++) bad[i] = good;
  bad[0].atol = 0.0;
  bad[1].atol = NAN;
  bad[2].rtol = -1e-3;
  bad[3].rtol = INFINITY;
  bad[4].t1 = INFINITY;
  bad[5].t0 = NAN;
  bad[6].solver = LFM_RK4; /* no error estimate, and no number of steps */
  bad[7].fixed_steps = -1;
  bad[8].fixed_steps = INT_MAX;
  bad[9].max_steps = -1;
  bad[10].step_floor = NAN;
  bad[11].solver = LFM_SOLVERS;
  bad[12].crowding = NAN;
  bad[13].crowding = 1.5;
  bad[13].t0 = -1.0;
  for (int i = 0; i < 14; i++) {
    assert_int_equal(rows_solve_status(&r, bad[i], 1), LFM_E_USAGE);
    assert_int_equal(r.calls, 0);
  }
  rows_destroy(&r);
}

static void test_work_space_must_fit(void **state) {
  (void)state;
  rows r;
  rows_create(&r, lorenz, starts, ROWS, DIM);
  rows_poison(&r);
  lfm_team *team;
  assert_ok(lfm_team_create(2, &team));
  lfm_ode_problem problem = likelihood(LFM_DOPRI5);
  problem.dim = DIM, problem.slots = 5;
  problem.field = rows_field, problem.load = rows_load, problem.store = rows_store, problem.context = &r;
  const struct {
    int workers;
    int64_t dim, slots;
    int logdets;
  } unfit[] = {{1, DIM, 5, 1}, {2, DIM + 1, 5, 1}, {2, DIM, 6, 1}, {2, DIM, 5, 0}, {2, DIM, 5, 2}};
  for (int i = 0; i < 5; i++) {
    lfm_ode *ode;
    assert_ok(lfm_ode_create(unfit[i].workers, unfit[i].dim, unfit[i].logdets, unfit[i].slots, &ode));
    assert_int_equal(lfm_ode_solve(ode, team, &problem, ROWS), LFM_E_USAGE);
    lfm_ode_destroy(ode);
  }
  assert_int_equal(r.calls, 0);
  lfm_team_destroy(team);
  rows_destroy(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_are_independent),
      cmocka_unit_test(test_failed_rows_do_not_disturb_neighbours),
      cmocka_unit_test(test_no_evaluation_is_idle),
      cmocka_unit_test(test_few_rows_are_spread),
      cmocka_unit_test(test_traces_are_counted),
      cmocka_unit_test(test_no_rows),
      cmocka_unit_test(test_failing_field_ends_the_solve),
      cmocka_unit_test(test_stop),
      cmocka_unit_test(test_stop_is_heard_to_the_end),
      cmocka_unit_test(test_work_space_is_reusable),
      cmocka_unit_test(test_refused_memory),
      cmocka_unit_test(test_create_refuses_nonsense),
      cmocka_unit_test(test_solve_refuses_nonsense),
      cmocka_unit_test(test_work_space_must_fit),
  };
  return cmocka_run_group_tests(tests, make_starts, NULL);
}
