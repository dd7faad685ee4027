/* SPDX-License-Identifier: MIT
 *
 * stepper.h -- one row on its way from t0 to t1, as a machine that is fed one evaluation of f at a time.
 *
 * The driver (solve.c) owns the queue and calls f for a whole batch; a stepper owns one row's time, stage and step size, says
 * where f is wanted next and takes the answer.  It never sees another row.
 *
 *     wants = lfm_stepper_start(stepper, rule);
 *     while (wants) { dxdt, div = f(*stepper->t, stepper->x);  wants = lfm_stepper_take(stepper, rule, dxdt, div); }
 *     div is read where lfm_stepper_wants_div
 *     stepper->y, stepper->status, stepper->nfe
 */
#ifndef LFM_ODE_STEPPER_H
#define LFM_ODE_STEPPER_H

#include "ode/tableau.h"

/* What all rows of a solve share. */
typedef struct lfm_step_rule {
  const lfm_tableau *tableau;
  int64_t dim;  /* of x */
  int64_t size; /* of the state: dim, and the log-determinants */
  double t0, t1;
  int fixed_steps; /* 0: adaptive, and then max_steps and what follows it */
  double crowding;
  int max_steps; /* tries, accepted or not */
  double atol, rtol;
  double floor; /* the smallest step, over 0 */
} lfm_step_rule;

lfm_step_rule lfm_step_rule_of(const lfm_ode_problem *problem);

typedef enum lfm_stepper_phase {
  LFM_STEPPER_FIRST, /* waits for f(t0, y0), from which the first step size is guessed */
  LFM_STEPPER_PROBE, /* waits for f after a small Euler step, which corrects the guess */
  LFM_STEPPER_STAGE, /* waits for k[stage] of a step */
} lfm_stepper_phase;

typedef struct lfm_stepper {
  /* Where f is wanted: t [1] and x [dim], this row's places in the batch. */
  double *t, *x;
  /* The row's own vectors: y [size] at time `at`, y_next [size] at time `next`, k [7, size]. */
  double *y, *y_next, *k;
  int64_t row; /* its number; < 0: the slot is empty */
  lfm_stepper_phase phase;
  int stage;
  double at, next;
  double h;            /* size of the step, over 0 in both directions */
  double error_before; /* of the step accepted last */
  bool rejected;       /* the last try was: the next step must not grow */
  int steps, nfe;
  lfm_row_status status;
} lfm_stepper;

#define LFM_STEPPER_VECTORS (LFM_TABLEAU_STAGES + 3) /* of `size` doubles that a stepper needs: y, y_next, k */

/* Begins a row whose y holds x at t0.  True: f is wanted at (*t, x).  False: there is nothing to do, as t0 = t1. */
bool lfm_stepper_start(lfm_stepper *stepper, const lfm_step_rule *rule);

/* Has div f(*t, x) a say in the log-determinant or in a step size?  Not at a stage without weight. */
bool lfm_stepper_wants_div(const lfm_stepper *stepper, const lfm_step_rule *rule);

/* Takes f(*t, x): dxdt [dim], div [size - dim].  False: the row has ended, see status. */
bool lfm_stepper_take(lfm_stepper *stepper, const lfm_step_rule *rule, const double *dxdt, const double *div);

#endif
