/* SPDX-License-Identifier: MIT
 *
 * ode.h -- dy/dt = f(t, y) for many independent rows, in microbatches.
 *
 * Each worker keeps `slots` rows in flight; every evaluation of f takes all slots at once, each at its own time, stage and
 * step size.  A row that finishes gives its slot to the next row of the queue.  f must treat rows alone (no row sees its
 * neighbours), and then a row's result does not depend on which rows were beside it: shuffled, split and single calls give
 * the same bytes.  Empty slots carry a copy of harmless values and their results are not looked at.
 *
 * State: y = (x_1 .. x_dim) in double, and with a log-determinant one more number, l = the integral of div f along the path,
 * under the same error control.  Error of a step = max( rms over x of e_i / (atol + rtol max(|y_i|, |y_i'|)),
 *                                                       |e_l| / (atol + rtol max(|l|, |l'|)) ), accepted at <= 1.
 * Several log-determinants are estimates of one whose mean is wanted: l is then their mean.
 * [Hairer, Norsett, Wanner I, II.4: controller and the choice of the first step]
 *
 * Use:  lfm_ode_create once (for the team's workers), lfm_ode_solve as often as wanted, lfm_ode_destroy.
 *
 * What a row costs: with fixed steps exactly fixed_steps * lfm_solver_stages evaluations; adaptive, two to choose the first
 * step and lfm_solver_stages for every try.  f is never asked outside t0 .. t1 and the last step lands exactly on t1.  A
 * value of f that is not finite is met by a quarter of the step while that is above the floor.  A row ends with a status,
 * never with an assert.
 */
#ifndef LFM_ODE_ODE_H
#define LFM_ODE_ODE_H

#include "core/status.h"
#include "core/threads.h"

typedef enum lfm_solver {
  LFM_EULER,
  LFM_MIDPOINT,
  LFM_HEUN,
  LFM_RK4,
  LFM_BS23,
  LFM_DOPRI5,
  LFM_TSIT5,
  LFM_SOLVERS
} lfm_solver;

const char *lfm_solver_name(lfm_solver solver);
lfm_status lfm_solver_parse(const char *name, lfm_solver *out); /* LFM_E_USAGE names the known ones */
bool lfm_solver_is_adaptive(lfm_solver solver);
int lfm_solver_stages(lfm_solver solver); /* evaluations a step; a pair's last stage is the next first one and not counted */

/* One row's outcome. */
typedef enum lfm_row_status {
  LFM_ROW_SOLVED = 0,
  LFM_ROW_NOT_FINITE, /* f gave a value that is not finite */
  LFM_ROW_STEP_FLOOR, /* the step fell below the floor: the error control could not be met */
  LFM_ROW_TOO_MANY,   /* max_steps were used up */
} lfm_row_status;

/* f for all slots of a worker: t [slots], y [slots, dim], dydt [slots, dim], div [slots, logdets] (NULL without).  The rows
 * in flight stand in the first `busy` slots, row [slots] says which; the others hold harmless numbers (row < 0), and what f
 * says of them is not read.  div is wanted of the first `traced` rows only: a stage to which the method gives no weight
 * moves no log-determinant.
 * Not finite values are allowed; an error status ends the whole solve. */
typedef lfm_status (*lfm_field_fn)(void *context, int worker, int64_t busy, int64_t traced, const int64_t *row,
                                   const double *t, const double *y, double *dydt, double *div);

/* Moves row `row` in (x [dim]) and out.  store is called from any worker, once a row, with that row's own number.
 * logdet has `logdets` numbers.  nfe counts this row's evaluations.  A failed row's x is where it stopped. */
typedef void (*lfm_row_load_fn)(void *context, int64_t row, double *x);
typedef void (*lfm_row_store_fn)(void *context, int64_t row, const double *x, const double *logdet, lfm_row_status status,
                                 int nfe);

typedef struct lfm_ode_problem {
  int64_t dim;
  int logdets;   /* 0: none is wanted */
  double t0, t1; /* t1 < t0 runs backwards; t1 = t0 gives each row back as it came, with nfe 0 */
  lfm_solver solver;
  double atol, rtol; /* adaptive solvers */
  int fixed_steps;   /* over 0: that many steps, error estimate unused (any solver) */
  double crowding;   /* of fixed steps, whose times are then not negative: equal in t^(1 / crowding); 0 means 1 */
  int max_steps;     /* adaptive: tries, accepted or not; 0 means 100,000 */
  double step_floor; /* adaptive: 0 means 1e-10 |t1 - t0|; never below what t0 and t1 resolve */
  int64_t slots;     /* rows in flight a worker */
  lfm_field_fn field;
  lfm_row_load_fn load;
  lfm_row_store_fn store;
  void *context;               /* for all three */
  bool (*stop)(void *context); /* asked by worker 0 before evaluations, and while it waits for others; may be NULL; true:
                                  LFM_E_INTERRUPTED */
} lfm_ode_problem;

/* Work space for problems of this dim, slots and logdets, for every worker of a team. */
typedef struct lfm_ode lfm_ode;
lfm_status lfm_ode_create(int workers, int64_t dim, int logdets, int64_t slots, lfm_ode **out);
void lfm_ode_destroy(lfm_ode *ode);
size_t lfm_ode_memory(const lfm_ode *ode); /* bytes of all workers' rows in flight */

/* Solves rows 0 .. rows-1.  Allocates nothing.  The result of a row does not depend on rows, slots' neighbours or threads.
 * LFM_OK also where rows failed: store has each row's status.  Otherwise (LFM_E_USAGE for a problem that makes no sense or
 * does not fit the work space, LFM_E_INTERRUPTED, f's own failure) the rows that had ended are stored and the others are not;
 * the work space serves the next solve all the same. */
lfm_status lfm_ode_solve(lfm_ode *ode, lfm_team *team, const lfm_ode_problem *problem, int64_t rows);

#endif
