/* SPDX-License-Identifier: MIT
 *
 * rows.h -- a set of rows to solve and what came of it, around a field that is written for one row.
 * Outputs are poisoned before each solve, and a row stored twice or never is noticed.
 */
#ifndef LFM_TESTS_ODE_ROWS_H
#define LFM_TESTS_ODE_ROWS_H

#include <float.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "ode/ode.h"

#define assert_ok(expression)                                                                                                \
  do {                                                                                                                       \
    if ((expression) != LFM_OK) fail_msg("%s: %s", #expression, lfm_error());                                                \
  } while (0)

enum { ROWS_MOST_LOGDETS = 4 };

/* f of one row; div [1] may be ignored by fields that are solved without the log-determinant. */
typedef void (*row_field)(double t, const double *y, double *dydt, double *div);

typedef struct rows {
  int64_t count, dim, slots;
  row_field f;
  const double *start;  /* [count, dim] */
  const int64_t *order; /* the queue's row i is row order[i]; NULL: i */
  double *x, *logdet;   /* [count, dim], [count, logdets] */
  int logdets;          /* of the last solve */
  double spread;        /* of the estimates, when there are several: they swing in t, around f's div as their mean */
  lfm_row_status *status;
  int *nfe;
  int *stored;                      /* how often */
  bool outlasts;                    /* another worker waits until worker 0, who has no rows left, goes on asking */
  bool company;                     /* worker 0 waits for another to work too: small solves would be over before they wake */
  atomic_int calls;                 /* of the batch field */
  atomic_long busy;                 /* rows in flight, summed over the calls */
  atomic_long traced;               /* those of them whose divergence was wanted */
  atomic_int most_busy;             /* in one call */
  int fail_at, stop_at;             /* which call or question fails or stops; 0: none */
  atomic_int asked, calls_of_first; /* questions; calls by worker 0, who is the one to ask */
} rows;

static inline int64_t rows_index(const rows *r, int64_t row) { return r->order != NULL ? r->order[row] : row; }

static inline void rows_load(void *context, int64_t row, double *x) {
  const rows *r = context;
  memcpy(x, r->start + rows_index(r, row) * r->dim, (size_t)r->dim * sizeof *x);
}

static inline void rows_store(void *context, int64_t row, const double *x, const double *logdet, lfm_row_status status,
                              int nfe) {
  rows *r = context;
  int64_t i = rows_index(r, row);
  memcpy(r->x + i * r->dim, x, (size_t)r->dim * sizeof *x);
  for (int64_t k = 0; k < r->logdets; k++) r->logdet[i * r->logdets + k] = logdet[k];
  r->status[i] = status;
  r->nfe[i] = nfe;
  r->stored[i]++;
}

static inline lfm_status rows_field(void *context, int worker, int64_t busy, int64_t traced, const int64_t *row,
                                    const double *t, const double *y, double *dydt, double *div) {
  rows *r = context;
  assert_in_range(busy, 1, r->slots);
  assert_in_range(traced, 0, r->logdets > 0 ? busy : 0);
  atomic_fetch_add(&r->busy, busy);
  atomic_fetch_add(&r->traced, traced);
  for (int most = r->most_busy; most < busy && !atomic_compare_exchange_weak(&r->most_busy, &most, (int)busy);) continue;
  if (worker == 0) r->calls_of_first++;
  int call = atomic_fetch_add(&r->calls, 1) + 1;
  while (worker == 0 && r->company && r->calls == r->calls_of_first) sched_yield();
  while (worker != 0 && r->outlasts && r->asked < r->calls_of_first + 2) sched_yield(); /* one is asked before a call */
  if (call == r->fail_at) return lfm_fail(LFM_E_NUMERIC, "the field refused call %d", call);
  if (r->fail_at > 0 && call > r->fail_at) usleep(1000);                    /* time for the others to hear of it */
  for (int64_t i = busy; i < r->slots; i++) dydt[i * r->dim] = (double)NAN; /* nobody may read it */
  for (int64_t i = 0; i < busy; i++) {
    assert_in_range(row[i], 0, r->count - 1);
    double trace;
    r->f(t[i], y + i * r->dim, dydt + i * r->dim, &trace);
    for (int k = 0; k < r->logdets; k++)
      div[i * r->logdets + k] =
          i < traced ? trace + (k - 0.5 * (r->logdets - 1)) * r->spread * cos(40.0 * t[i]) : (double)NAN;
  }
  return LFM_OK;
}

static inline bool rows_stop(void *context) {
  rows *r = context;
  return atomic_fetch_add(&r->asked, 1) + 1 == r->stop_at;
}

static inline void rows_create(rows *r, row_field f, const double *start, int64_t count, int64_t dim) {
  *r = (rows){.count = count, .dim = dim, .slots = 1, .f = f, .start = start, .logdets = 1};
  r->x = malloc((size_t)(count * dim) * sizeof *r->x);
  r->logdet = malloc(ROWS_MOST_LOGDETS * (size_t)count * sizeof *r->logdet);
  r->status = malloc((size_t)count * sizeof *r->status);
  r->nfe = malloc((size_t)count * sizeof *r->nfe);
  r->stored = malloc((size_t)count * sizeof *r->stored);
  assert_true(r->x != NULL && r->logdet != NULL && r->status != NULL && r->nfe != NULL && r->stored != NULL);
}

static inline void rows_destroy(rows *r) {
  free(r->x);
  free(r->logdet);
  free(r->status);
  free(r->nfe);
  free(r->stored);
}

static inline void rows_poison(rows *r) {
  for (int64_t i = 0; i < r->count; i++) {
    for (int64_t j = 0; j < r->dim; j++) r->x[i * r->dim + j] = NAN;
    for (int k = 0; k < ROWS_MOST_LOGDETS; k++) r->logdet[i * ROWS_MOST_LOGDETS + k] = NAN;
    r->status[i] = (lfm_row_status)99;
    r->nfe[i] = INT_MIN;
    r->stored[i] = 0;
  }
  r->calls = r->asked = r->calls_of_first = r->most_busy = 0;
  r->busy = r->traced = 0;
}

/* Solves PROBLEM (whose dim, slots and callbacks this fills in) for the rows; returns the solve's status. */
static inline lfm_status rows_solve_status(rows *r, lfm_ode_problem problem, int threads) {
  rows_poison(r);
  r->logdets = problem.logdets;
  problem.dim = r->dim;
  problem.slots = r->slots;
  problem.field = rows_field;
  problem.load = rows_load;
  problem.store = rows_store;
  problem.stop = r->stop_at > 0 ? rows_stop : NULL;
  problem.context = r;
  lfm_team *team;
  lfm_ode *ode;
  assert_ok(lfm_team_create(threads, &team));
  assert_ok(lfm_ode_create(threads, r->dim, problem.logdets, r->slots, &ode));
  r->company = threads > 1 && r->count > r->slots;
  lfm_alloc_fail_at(0);
  lfm_status status = lfm_ode_solve(ode, team, &problem, r->count);
  assert_int_equal(lfm_alloc_fail_at(0), 0); /* no solve ever asks for memory */
  lfm_ode_destroy(ode);
  lfm_team_destroy(team);
  return status;
}

static inline void rows_solve(rows *r, lfm_ode_problem problem, int threads) {
  assert_ok(rows_solve_status(r, problem, threads));
  for (int64_t i = 0; i < r->count; i++) assert_int_equal(r->stored[i], 1);
}

/* One row from start [dim] to x [dim], expected to be solved; returns its evaluations. */
static inline int rows_solve_one(row_field f, lfm_ode_problem problem, int64_t dim, const double *start, double *x) {
  rows r;
  rows_create(&r, f, start, 1, dim);
  rows_solve(&r, problem, 1);
  assert_int_equal(r.status[0], LFM_ROW_SOLVED);
  memcpy(x, r.x, (size_t)dim * sizeof *x);
  int nfe = r.nfe[0];
  assert_int_equal(nfe, r.calls);
  rows_destroy(&r);
  return nfe;
}

static inline lfm_ode_problem fixed(lfm_solver solver, int steps, double t0, double t1) {
  return (lfm_ode_problem){.solver = solver, .fixed_steps = steps, .t0 = t0, .t1 = t1};
}

static inline lfm_ode_problem adaptive(lfm_solver solver, double tol, double t0, double t1) {
  return (lfm_ode_problem){.solver = solver, .atol = tol, .rtol = tol, .t0 = t0, .t1 = t1};
}

#endif
