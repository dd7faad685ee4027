/* SPDX-License-Identifier: MIT
 *
 * One row at a time: does the step control reach what was asked, and does it end well where it cannot.
 */
#include "rows.h"

#include "ode/stepper.h"

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

static const lfm_solver pairs[] = {LFM_BS23, LFM_DOPRI5, LFM_TSIT5};
enum { PAIRS = sizeof pairs / sizeof *pairs };

/* ---- fields with known solutions ------------------------------------------------------------------------------ */

/* y' = y^2 cos t:  y = 1 / (1/y0 - sin t) */
static void riccati(double t, const double *y, double *dydt, double *div) {
  dydt[0] = y[0] * y[0] * cos(t);
  *div = 2.0 * y[0] * cos(t);
}

static double riccati_exact(double y0, double t) { return 1.0 / (1.0 / y0 - sin(t)); }

/* y' = y (1 - y):  y = 1 / (1 + (1/y0 - 1) e^-t) */
static void logistic(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = y[0] * (1.0 - y[0]);
  *div = 1.0 - 2.0 * y[0];
}

static void oscillator(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = y[1];
  dydt[1] = -25.0 * y[0];
  *div = 0.0;
}

/* y' = (1 + t) A y with A = [[-1, 3], [-3, -1]] + a third, decoupled, growing component: trace (1 + t) (-1 - 1 + 0.5) */
static void spiral(double t, const double *y, double *dydt, double *div) {
  double s = 1.0 + t;
  dydt[0] = s * (-y[0] + 3.0 * y[1]);
  dydt[1] = s * (-3.0 * y[0] - y[1]);
  dydt[2] = s * 0.5 * y[2];
  *div = s * -1.5;
}

static void spiral_exact(const double *y0, double t, double *y) {
  double s = t + 0.5 * t * t, shrink = exp(-s), c = cos(3.0 * s), d = sin(3.0 * s);
  y[0] = shrink * (c * y0[0] + d * y0[1]);
  y[1] = shrink * (-d * y0[0] + c * y0[1]);
  y[2] = exp(0.5 * s) * y0[2];
}

/* ---- fixed steps ---------------------------------------------------------------------------------------------- */

/* Over several rows: one alone may start where the leading error term happens to vanish. */
static double riccati_error(lfm_solver solver, int steps) {
  double sum = 0.0, y;
  for (double y0 = -0.9; y0 < 0.8; y0 += 0.2) {
    rows_solve_one(riccati, fixed(solver, steps, 0.0, 1.2), 1, &y0, &y);
    sum += fabs(y - riccati_exact(y0, 1.2));
  }
  return sum;
}

static void test_measured_orders(void **state) {
  (void)state;
  const double orders[LFM_SOLVERS] = {1, 2, 2, 4, 3, 5, 5};
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    int steps = orders[solver] == 1 ? 2000 : orders[solver] == 2 ? 400 : 40;
    double measured = log2(riccati_error(solver, steps) / riccati_error(solver, 2 * steps));
    if (fabs(measured - orders[solver]) > 0.3) fail_msg("%s: measured order %g", lfm_solver_name(solver), measured);
  }
}

static void test_fixed_steps_by_hand(void **state) {
  (void)state;
  double y0[3] = {1.0, -2.0, 0.5}, y[3], dydt[3], div;
  rows_solve_one(spiral, fixed(LFM_EULER, 1, 0.25, 0.75), 3, y0, y);
  spiral(0.25, y0, dydt, &div);
  for (int i = 0; i < 3; i++) assert_true(fabs(y[i] - (y0[i] + 0.5 * dydt[i])) < 1e-15);
}

static void test_fixed_steps_count(void **state) {
  (void)state;
  double y0 = 0.3, y;
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    for (int steps = 1; steps < 5; steps++) {
      int nfe = rows_solve_one(logistic, fixed(solver, steps, 0.0, 1.0), 1, &y0, &y);
      assert_int_equal(nfe, steps * lfm_solver_stages(solver)); /* a budget of evaluations is kept exactly */
    }
  }
}

/* Equal in the root of t: 1, 4/9, 1/9, 0 and back; y' = t^2, whose midpoint rule sees where they are. */
static void square(double t, const double *y, double *dydt, double *div) {
  (void)y;
  dydt[0] = t * t;
  *div = 0.0;
}

static void test_fixed_steps_crowd_towards_zero(void **state) {
  (void)state;
  static const double times[] = {0.0, 1.0 / 9.0, 4.0 / 9.0, 1.0};
  double sum = 0.0, y0 = 0.0, y;
  for (int i = 0; i < 3; i++) {
    double middle = 0.5 * (times[i] + times[i + 1]);
    sum += (times[i + 1] - times[i]) * middle * middle;
  }
  for (int back = 0; back < 2; back++) {
    lfm_ode_problem problem = fixed(LFM_MIDPOINT, 3, back, !back);
    problem.crowding = 2.0;
    assert_int_equal(rows_solve_one(square, problem, 1, &y0, &y), 6);
    assert_true(fabs(y - (back ? -sum : sum)) < 1e-15);
  }
}

/* ---- adaptive steps -------------------------------------------------------------------------------------------- */

static void test_tolerance_is_met(void **state) {
  (void)state;
  double y0[3] = {1.0, -2.0, 0.5}, y[3], exact[3];
  for (int p = 0; p < PAIRS; p++) {
    double error_before = INFINITY;
    int nfe_before = 0;
    for (int digits = 3; digits <= 10; digits++) {
      double tol = pow(10.0, -digits);
      int nfe = rows_solve_one(spiral, adaptive(pairs[p], tol, 0.0, 1.5), 3, y0, y);
      spiral_exact(y0, 1.5, exact);
      double error = 0.0;
      for (int i = 0; i < 3; i++) error = fmax(error, fabs(y[i] - exact[i]) / (1.0 + fabs(exact[i])));
      if (error > 10.0 * tol) fail_msg("%s at %g: error %g", lfm_solver_name(pairs[p]), tol, error);
      assert_true(error < error_before && nfe > nfe_before);                      /* accuracy is bought with work */
      assert_true(nfe < 20.0 * pow(tol, -1.0 / lfm_tableau_of(pairs[p])->order)); /* as the order promises */
      error_before = error;
      nfe_before = nfe;
    }
  }
}

static void test_logistic(void **state) {
  (void)state;
  for (int p = 0; p < PAIRS; p++) {
    for (double y0 = 0.01; y0 < 2.0; y0 *= 1.7) {
      double y;
      rows_solve_one(logistic, adaptive(pairs[p], 1e-9, 0.0, 6.0), 1, &y0, &y);
      assert_true(fabs(y - 1.0 / (1.0 + (1.0 / y0 - 1.0) * exp(-6.0))) < 1e-7);
    }
  }
}

static void test_there_and_back(void **state) {
  (void)state;
  double start[2] = {1.0, 0.5}, there[2], back[2];
  for (int p = 0; p < PAIRS; p++) {
    rows_solve_one(oscillator, adaptive(pairs[p], 1e-10, 0.0, 3.0), 2, start, there);
    assert_true(fabs(there[0] - (cos(15.0) + 0.1 * sin(15.0))) < 1e-8);
    assert_true(fabs(there[1] - (-5.0 * sin(15.0) + 0.5 * cos(15.0))) < 1e-7);
    rows_solve_one(oscillator, adaptive(pairs[p], 1e-10, 3.0, 0.0), 2, there, back);
    assert_true(fabs(back[0] - start[0]) < 1e-8 && fabs(back[1] - start[1]) < 1e-7);
  }
}

/* Backwards in t is forwards in the mirrored field, to the bit where the mirror is exact. */
static void oscillator_mirrored(double t, const double *y, double *dydt, double *div) {
  oscillator(-t, y, dydt, div);
  dydt[0] = -dydt[0];
  dydt[1] = -dydt[1];
}

static void test_directions_mirror(void **state) {
  (void)state;
  double start[2] = {1.0, 0.5}, backwards[2], mirrored[2];
  for (int p = 0; p < PAIRS; p++) {
    int nfe = rows_solve_one(oscillator, adaptive(pairs[p], 1e-6, 0.0, -2.0), 2, start, backwards);
    assert_int_equal(nfe, rows_solve_one(oscillator_mirrored, adaptive(pairs[p], 1e-6, 0.0, 2.0), 2, start, mirrored));
    assert_memory_equal(backwards, mirrored, sizeof mirrored);
  }
}

static void test_no_time_is_the_identity(void **state) {
  (void)state;
  double y0 = 0.3, y;
  assert_int_equal(rows_solve_one(logistic, adaptive(LFM_DOPRI5, 1e-5, 0.7, 0.7), 1, &y0, &y), 0);
  assert_true(y == y0);
  assert_int_equal(rows_solve_one(logistic, fixed(LFM_RK4, 3, 0.7, 0.7), 1, &y0, &y), 0);
  assert_true(y == y0);
}

/* A field at rest, at the origin: the first step's formula has nothing to go by. */
static void still(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = 0.0 * y[0];
  *div = 0.0;
}

static void test_rest(void **state) {
  (void)state;
  double y0 = 0.0, y;
  int nfe = rows_solve_one(still, adaptive(LFM_DOPRI5, 1e-5, 0.0, 1.0), 1, &y0, &y);
  assert_true(y == 0.0 && nfe < 60);
}

/* ---- what is evaluated ----------------------------------------------------------------------------------------- */

static struct {
  double t[4000], y[4000];
  int count, not_finite;
} seen;

static void riccati_seen(double t, const double *y, double *dydt, double *div) {
  riccati(t, y, dydt, div);
  assert_true(seen.count < 4000);
  seen.t[seen.count] = t;
  seen.y[seen.count++] = y[0];
}

/* A kink makes rejections. */
static void kinked_seen(double t, const double *y, double *dydt, double *div) {
  riccati_seen(t, y, dydt, div);
  if (t > 0.437) dydt[0] -= 30.0;
}

/* `lands`: the method has a stage at the end of a step. */
static void check_seen(double t0, double t1, bool lands) {
  bool at_end = false;
  for (int i = 0; i < seen.count; i++) {
    assert_true(seen.t[i] >= fmin(t0, t1) && seen.t[i] <= fmax(t0, t1)); /* f is not asked beyond the interval */
    at_end = at_end || seen.t[i] == t1;
    for (int j = 0; j < i; j++) assert_false(seen.t[i] == seen.t[j] && seen.y[i] == seen.y[j]); /* nor twice the same */
  }
  assert_int_equal(at_end, lands); /* the last step ends on t1 */
}

static void test_no_evaluation_is_wasted(void **state) {
  (void)state;
  const double t0s[] = {0.1, 0.7, -1.0 / 3.0}, t1s[] = {0.7, 0.1, 0.9};
  double y0 = 0.5, y;
  for (int i = 0; i < 3; i++) {
    for (int p = 0; p < PAIRS; p++) {
      seen.count = 0;
      int nfe = rows_solve_one(kinked_seen, adaptive(pairs[p], 1e-6, t0s[i], t1s[i]), 1, &y0, &y);
      assert_int_equal(seen.count, nfe);
      assert_int_equal((nfe - 2) % lfm_solver_stages(pairs[p]), 0); /* two to choose the first step */
      check_seen(t0s[i], t1s[i], true);
    }
    for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
      seen.count = 0;
      rows_solve_one(riccati_seen, fixed(solver, 7, t0s[i], t1s[i]), 1, &y0, &y);
      const lfm_tableau *tableau = lfm_tableau_of(solver);
      check_seen(t0s[i], t1s[i], tableau->c[tableau->stages - 1] == 1.0);
    }
  }
}

/* All of a row's tries, one stepper driven by hand: their sizes keep to the rules.  Returns how it ended. */
static lfm_row_status check_steps(row_field f, lfm_ode_problem problem, double y0) {
  problem.dim = 1;
  double t, x, vectors[LFM_STEPPER_VECTORS], dxdt, div;
  lfm_stepper s = {.t = &t, .x = &x, .y = vectors, .y_next = vectors + 1, .k = vectors + 2};
  lfm_step_rule rule = lfm_step_rule_of(&problem);
  vectors[0] = y0;
  int steps = 0, rejections = 0;
  double before = NAN;
  bool after_rejection = false;
  for (bool wants = lfm_stepper_start(&s, &rule); wants; wants = lfm_stepper_take(&s, &rule, &dxdt, &div)) {
    f(t, &x, &dxdt, &div);
    if (s.steps == steps) continue;
    bool last = s.next == problem.t1;
    assert_true(fabs(fabs(s.next - s.at) - s.h) < 1e-15);
    assert_true(s.h >= rule.floor || last);
    if (steps > 0) assert_true(s.h <= 10.1 * before && (s.h >= 0.199 * before || last)); /* 10, 1/5, and 1.01 at the end */
    if (s.rejected) assert_true(s.h < before);
    if (after_rejection) assert_true(s.h <= 1.01 * before);
    after_rejection = s.rejected;
    rejections += s.rejected;
    steps = s.steps;
    before = s.h;
  }
  assert_true(rejections > 3 && steps > rejections);
  return s.status;
}

/* A bump that a long step meets unprepared, a jump, and then a long way with nothing to do. */
static void bumped(double t, const double *y, double *dydt, double *div) {
  *div = -1.0;
  dydt[0] = -y[0] + 30.0 * exp(-1e6 * (t - 0.6) * (t - 0.6)) + (t > 0.8 ? 30.0 : 0.0);
}

static void test_step_sizes_keep_to_the_rules(void **state) {
  (void)state;
  int solved = 0, given_up = 0;
  for (double floor = 1e-8; floor < 1e-3; floor *= 1.3) {
    lfm_ode_problem problem = adaptive(pairs[solved % PAIRS], 1e-7, 0.0, 3.0);
    problem.step_floor = floor;
    lfm_row_status status = check_steps(bumped, problem, 0.5);
    solved += status == LFM_ROW_SOLVED;
    given_up += status == LFM_ROW_STEP_FLOOR;
  }
  assert_true(solved > 10 && given_up > 3); /* some floors are never met, some hold a step up, some are too high */
}

/* As many copies of one component as wanted, with the same number for the trace. */
static void wavy(double t, const double *y, double *dydt, double *div) {
  (void)y;
  dydt[0] = *div = cos(20.0 * t) + exp(t);
}

static void wavy_thrice(double t, const double *y, double *dydt, double *div) {
  for (int i = 0; i < 3; i++) wavy(t, y + i, dydt + i, div);
}

/* The mean over equal components, and the larger of equal errors, are the error of one: the same steps are taken. */
static void test_error_norm(void **state) {
  (void)state;
  double zeros[3] = {0};
  for (int p = 0; p < PAIRS; p++) {
    rows one, three;
    rows_create(&one, wavy, zeros, 1, 1);
    rows_create(&three, wavy_thrice, zeros, 1, 3);
    lfm_ode_problem problem = adaptive(pairs[p], 1e-7, 0.0, 1.0);
    rows_solve(&one, problem, 1);
    rows_solve(&three, problem, 1);
    assert_int_equal(one.nfe[0], three.nfe[0]);
    assert_true(fabs(one.x[0] - three.x[2]) < 1e-14); /* the norm of three is rounded otherwise */
    problem.logdets = 1;
    double x = one.x[0];
    int nfe = one.nfe[0];
    rows_solve(&one, problem, 1);
    assert_int_equal(one.nfe[0], nfe);
    assert_true(one.x[0] == x && one.logdet[0] == x);
    rows_destroy(&one);
    rows_destroy(&three);
  }
}

/* Whatever the numbers: rounding carries no stage beyond the end, and the last step ends on it. */
static void test_times_stay_inside(void **state) {
  (void)state;
  double y0 = 0.5, y;
  for (int i = 1; i < 60; i++) {
    double t0 = -1.0 / i, t1 = 0.3 + 0.01 * i;
    for (int steps = 1; steps < 20; steps += 3) {
      seen.count = 0;
      rows_solve_one(riccati_seen, fixed(LFM_DOPRI5, steps, t0, t1), 1, &y0, &y);
      check_seen(t0, t1, true);
      seen.count = 0;
      rows_solve_one(riccati_seen, fixed(LFM_RK4, steps, t1, t0), 1, &y0, &y);
      check_seen(t1, t0, true);
    }
  }
}

/* ---- against CVODE --------------------------------------------------------------------------------------------- */

/* Van der Pol's equation, mildly stiff: fast jumps between slow stretches. */
static void van_der_pol(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = y[1];
  dydt[1] = 20.0 * (1.0 - y[0] * y[0]) * y[1] - y[0];
  *div = 20.0 * (1.0 - y[0] * y[0]);
}

static int van_der_pol_cvode(sunrealtype t, N_Vector y, N_Vector dydt, void *context) {
  (void)context;
  double div;
  van_der_pol(t, N_VGetArrayPointer(y), N_VGetArrayPointer(dydt), &div);
  return 0;
}

/* The same by backward differentiation formulas with Newton's iteration: another method, another team. */
static void solve_cvode(const double *start, double t1, double *y) {
  SUNContext sun;
  assert_int_equal(SUNContext_Create(NULL, &sun), 0);
  N_Vector v = N_VNew_Serial(2, sun);
  memcpy(N_VGetArrayPointer(v), start, 2 * sizeof *start);
  void *cvode = CVodeCreate(CV_BDF, sun);
  SUNMatrix matrix = SUNDenseMatrix(2, 2, sun);
  SUNLinearSolver linear = SUNLinSol_Dense(v, matrix, sun);
  assert_int_equal(CVodeInit(cvode, van_der_pol_cvode, 0.0, v), CV_SUCCESS);
  assert_int_equal(CVodeSStolerances(cvode, 1e-11, 1e-12), CV_SUCCESS);
  assert_int_equal(CVodeSetLinearSolver(cvode, linear, matrix), CV_SUCCESS);
  assert_int_equal(CVodeSetMaxNumSteps(cvode, 1000000), CV_SUCCESS);
  assert_int_equal(CVodeSetStopTime(cvode, t1), CV_SUCCESS);
  double reached;
  assert_true(CVode(cvode, t1, v, &reached, CV_NORMAL) >= 0);
  assert_true(reached == t1);
  memcpy(y, N_VGetArrayPointer(v), 2 * sizeof *y);
  CVodeFree(&cvode);
  SUNLinSolFree(linear);
  SUNMatDestroy(matrix);
  N_VDestroy(v);
  SUNContext_Free(&sun);
}

static void test_against_cvode(void **state) {
  (void)state;
  double start[2] = {2.0, 0.0}, ours[2], theirs[2];
  solve_cvode(start, 30.0, theirs);
  assert_true(theirs[0] < 0.0); /* a jump lies in between */
  for (int p = 0; p < PAIRS; p++) {
    rows_solve_one(van_der_pol, adaptive(pairs[p], 1e-10, 0.0, 30.0), 2, start, ours);
    assert_true(fabs(ours[0] - theirs[0]) < 1e-7 && fabs(ours[1] - theirs[1]) < 1e-7);
  }
}

/* ---- the log-determinant ---------------------------------------------------------------------------------------- */

static void test_logdet_of_a_linear_field(void **state) {
  (void)state;
  double start[3] = {1.0, -2.0, 0.5};
  rows r;
  rows_create(&r, spiral, start, 1, 3);
  for (int p = 0; p < PAIRS; p++) {
    lfm_ode_problem problem = adaptive(pairs[p], 1e-8, 0.0, 1.5);
    problem.logdets = 1;
    rows_solve(&r, problem, 1);
    assert_true(fabs(r.logdet[0] - -1.5 * (1.5 + 0.5 * 1.5 * 1.5)) < 1e-7);
    problem.t0 = 1.5, problem.t1 = 0.0; /* the integral along the way back has the other sign */
    rows_solve(&r, problem, 1);
    assert_true(fabs(r.logdet[0] - 1.5 * (1.5 + 0.5 * 1.5 * 1.5)) < 1e-7);
  }
  rows_destroy(&r);
}

/* x rests at its fixed point while div swings: only the log-determinant's own error control can see it. */
static void swinging_trace(double t, const double *y, double *dydt, double *div) {
  double rate = 40.0 * cos(40.0 * t);
  dydt[0] = rate * y[0];
  *div = rate;
}

static void test_logdet_is_under_error_control(void **state) {
  (void)state;
  double start = 0.0;
  rows r;
  rows_create(&r, swinging_trace, &start, 1, 1);
  lfm_ode_problem problem = adaptive(LFM_DOPRI5, 1e-7, 0.0, 1.0);
  rows_solve(&r, problem, 1);
  int without = r.nfe[0];
  problem.logdets = 1;
  rows_solve(&r, problem, 1);
  assert_true(r.x[0] == 0.0 && fabs(r.logdet[0] - sin(40.0)) < 1e-5);
  assert_true(r.nfe[0] > 4 * without);
  rows_destroy(&r);
}

/* Estimates that swing widely, but not their mean: its steps, and each its own integral. */
static void test_estimates_are_controlled_by_their_mean(void **state) {
  (void)state;
  double start[3] = {1.0, -2.0, 0.5};
  rows one, four;
  rows_create(&one, spiral, start, 1, 3);
  rows_create(&four, spiral, start, 1, 3);
  four.spread = 0.5;
  for (int p = 0; p < PAIRS; p++) {
    lfm_ode_problem problem = adaptive(pairs[p], 1e-6, 0.0, 1.5);
    problem.logdets = 1;
    rows_solve(&one, problem, 1);
    problem.logdets = 4;
    rows_solve(&four, problem, 1);
    assert_int_equal(four.nfe[0], one.nfe[0]);
    assert_memory_equal(four.x, one.x, sizeof start);
    double mean = 0.0;
    for (int k = 0; k < 4; k++) mean += four.logdet[k] / 4;
    assert_true(fabs(mean - one.logdet[0]) < 1e-13);
    for (int k = 0; k < 4; k++) assert_true(fabs(four.logdet[k] - mean - (k - 1.5) * 0.5 * sin(60.0) / 40.0) < 0.02);
    assert_true(four.logdet[0] != four.logdet[1]);
  }
  rows_destroy(&one);
  rows_destroy(&four);
}

/* A time-dependent field of the plane without symmetry, with its divergence. */
static void bent(double t, const double *y, double *dydt, double *div) {
  double a = tanh(y[0] + 2.0 * y[1] + t), b = tanh(1.5 * y[0] - y[1] - 0.3);
  dydt[0] = a - 0.4 * y[0];
  dydt[1] = b * (1.0 + t) + 0.5 * y[1] * 0.5;
  *div = (1.0 - a * a) - 0.4 - (1.0 - b * b) * (1.0 + t) + 0.25;
}

/* The standard normal pushed along `bent`: its density at points of a grid, from the way back, must integrate to one. */
static void test_density_integrates_to_one(void **state) {
  (void)state;
  enum { SIDE = 241 };
  const double reach = 7.0, cell = 2.0 * reach / (SIDE - 1);
  double *start = malloc(sizeof *start * 2 * SIDE * SIDE);
  for (int i = 0; i < SIDE * SIDE; i++) {
    start[2 * i] = -reach + cell * (i / SIDE);
    start[2 * i + 1] = -reach + cell * (i % SIDE);
  }
  rows r;
  rows_create(&r, bent, start, SIDE * SIDE, 2);
  r.slots = 64;
  for (int p = 0; p < PAIRS; p++) {
    lfm_ode_problem problem = adaptive(pairs[p], 1e-7, 1.0, 0.0);
    problem.logdets = 1;
    rows_solve(&r, problem, 1);
    double mass = 0.0;
    for (int i = 0; i < SIDE * SIDE; i++) {
      assert_int_equal(r.status[i], LFM_ROW_SOLVED);
      double squared = r.x[2 * i] * r.x[2 * i] + r.x[2 * i + 1] * r.x[2 * i + 1];
      mass += exp(-0.5 * squared + r.logdet[i]) / (2.0 * M_PI) * cell * cell;
    }
    assert_true(fabs(mass - 1.0) < 1e-6);
  }
  rows_destroy(&r);
  free(start);
}

/* ---- how a row ends -------------------------------------------------------------------------------------------- */

static void jump(double t, const double *y, double *dydt, double *div) {
  (void)y;
  dydt[0] = t < 0.5 ? 1.0 : 11.0;
  *div = 0.0;
}

static void test_step_floor(void **state) {
  (void)state;
  double start = 0.0;
  rows r;
  rows_create(&r, jump, &start, 1, 1);
  for (int p = 0; p < PAIRS; p++) {
    lfm_ode_problem problem = adaptive(pairs[p], 1e-6, 0.0, 1.0);
    problem.step_floor = 1e-3;
    rows_solve(&r, problem, 1);
    assert_int_equal(r.status[0], LFM_ROW_STEP_FLOOR);
    assert_true(r.x[0] > 0.49 && r.x[0] <= 0.5); /* where it stopped: just before the jump */
    problem.step_floor = 0.0;                    /* the default floor lets it through */
    rows_solve(&r, problem, 1);
    assert_int_equal(r.status[0], LFM_ROW_SOLVED);
    assert_true(fabs(r.x[0] - 6.0) < 1e-4);
  }
  rows_destroy(&r);
}

/* Late on the clock, a step of 1e-10 of the way would not move it: the floor is then what the clock resolves. */
static void late_jump(double t, const double *y, double *dydt, double *div) { jump(t - 1e9, y, dydt, div); }

static void test_step_floor_of_the_clock(void **state) {
  (void)state;
  double start = 0.0;
  rows r;
  rows_create(&r, late_jump, &start, 1, 1);
  for (int p = 0; p < PAIRS; p++) {
    rows_solve(&r, adaptive(pairs[p], 1e-12, 1e9, 1e9 + 1.0), 1);
    assert_int_equal(r.status[0], LFM_ROW_STEP_FLOOR);
    assert_true(fabs(r.x[0] - 0.5) < 1e-4);
  }
  rows_destroy(&r);
}

static void test_too_many_steps(void **state) {
  (void)state;
  double start[2] = {1.0, 0.0};
  rows r;
  rows_create(&r, oscillator, start, 1, 2);
  lfm_ode_problem problem = adaptive(LFM_TSIT5, 1e-9, 0.0, 10.0);
  problem.max_steps = 3;
  rows_solve(&r, problem, 1);
  assert_int_equal(r.status[0], LFM_ROW_TOO_MANY);
  assert_int_equal(r.nfe[0], 2 + 3 * 6);
  assert_true(isfinite(r.x[0]) && isfinite(r.x[1]));
  rows_destroy(&r);
}

/* Not a number from 1 on: nobody can pass. */
static void wall(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = y[0] < 1.0 ? 1.0 : NAN;
  *div = 0.0;
}

static void test_not_finite(void **state) {
  (void)state;
  double starts[2] = {0.0, 2.0}; /* one reaches the wall at t = 1, one starts behind it */
  rows r;
  rows_create(&r, wall, starts, 2, 1);
  for (int p = 0; p < PAIRS; p++) {
    rows_solve(&r, adaptive(pairs[p], 1e-5, 0.0, 2.0), 1);
    assert_int_equal(r.status[0], LFM_ROW_NOT_FINITE);
    assert_true(r.x[0] > 0.999 && r.x[0] < 1.0); /* as far as it could go */
    assert_int_equal(r.status[1], LFM_ROW_NOT_FINITE);
    assert_true(r.x[1] == 2.0 && r.nfe[1] == 1);
  }
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) { /* no smaller step to be had */
    rows_solve(&r, fixed(solver, 10, 0.0, 2.0), 1);
    assert_int_equal(r.status[0], LFM_ROW_NOT_FINITE);
    assert_true(r.x[0] >= 0.79 && r.x[0] < 1.2);
  }
  rows_destroy(&r);
}

/* y' = -2 sqrt(y): y = (1 - t)^2 from 1; a stage that overshoots below zero has no value. */
static void draining(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = -2.0 * sqrt(y[0]);
  *div = -1.0 / sqrt(y[0]);
  seen.not_finite += isnan(dydt[0]);
}

static void test_overshoot_is_retried(void **state) {
  (void)state;
  double y0 = 1.0, y;
  for (int p = 0; p < PAIRS; p++) {
    seen.not_finite = 0;
    rows_solve_one(draining, adaptive(pairs[p], 1e-4, 0.0, 0.99), 1, &y0, &y);
    assert_true(seen.not_finite > 0);
    assert_true(fabs(y - 1e-4) < 1e-4);
  }
}

/* e^(y^2): leaves the range of doubles in finite time. */
static void bursting(double t, const double *y, double *dydt, double *div) {
  (void)t;
  dydt[0] = exp(y[0] * y[0]);
  *div = 2.0 * y[0] * dydt[0];
}

static void test_blow_up_ends(void **state) {
  (void)state;
  double starts[3] = {1.0, 1e154, NAN};
  rows r;
  rows_create(&r, bursting, starts, 3, 1);
  for (int p = 0; p < PAIRS; p++) {
    rows_solve(&r, adaptive(pairs[p], 1e-6, 0.0, 5.0), 1);
    for (int i = 0; i < 3; i++) assert_int_not_equal(r.status[i], LFM_ROW_SOLVED);
    assert_true(isfinite(r.x[0]) && r.nfe[0] < 10000);
    assert_int_equal(r.status[2], LFM_ROW_NOT_FINITE);
  }
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    rows_solve(&r, fixed(solver, 5, 0.0, 5.0), 1);
    for (int i = 0; i < 3; i++) assert_int_equal(r.status[i], LFM_ROW_NOT_FINITE);
  }
  rows_destroy(&r);
}

/* Finite everywhere, but the sum leaves the range of doubles at t = 18. */
static void overflowing(double t, const double *y, double *dydt, double *div) {
  (void)t;
  (void)y;
  dydt[0] = 1e307;
  *div = 0.0;
}

static void test_overflow_is_not_a_solution(void **state) {
  (void)state;
  double starts[3] = {0.0, NAN, INFINITY};
  rows r;
  rows_create(&r, overflowing, starts, 3, 1);
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    rows_solve(&r, fixed(solver, 4, 0.0, 20.0), 1);
    for (int i = 0; i < 3; i++) assert_int_equal(r.status[i], LFM_ROW_NOT_FINITE);
    if (!lfm_solver_is_adaptive(solver)) continue;
    rows_solve(&r, adaptive(solver, 1e-6, 0.0, 20.0), 1);
    for (int i = 0; i < 3; i++) assert_int_equal(r.status[i], LFM_ROW_NOT_FINITE);
    assert_true(r.x[0] > 1.7e308 && isfinite(r.x[0]));
  }
  rows_destroy(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_measured_orders),
      cmocka_unit_test(test_fixed_steps_by_hand),
      cmocka_unit_test(test_fixed_steps_count),
      cmocka_unit_test(test_fixed_steps_crowd_towards_zero),
      cmocka_unit_test(test_tolerance_is_met),
      cmocka_unit_test(test_logistic),
      cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_directions_mirror),
      cmocka_unit_test(test_no_time_is_the_identity),
      cmocka_unit_test(test_rest),
      cmocka_unit_test(test_no_evaluation_is_wasted),
      cmocka_unit_test(test_step_sizes_keep_to_the_rules),
      cmocka_unit_test(test_error_norm),
      cmocka_unit_test(test_times_stay_inside),
      cmocka_unit_test(test_against_cvode),
      cmocka_unit_test(test_logdet_of_a_linear_field),
      cmocka_unit_test(test_logdet_is_under_error_control),
      cmocka_unit_test(test_estimates_are_controlled_by_their_mean),
      cmocka_unit_test(test_density_integrates_to_one),
      cmocka_unit_test(test_step_floor),
      cmocka_unit_test(test_step_floor_of_the_clock),
      cmocka_unit_test(test_too_many_steps),
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_overshoot_is_retried),
      cmocka_unit_test(test_blow_up_ends),
      cmocka_unit_test(test_overflow_is_not_a_solution),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
