/* SPDX-License-Identifier: MIT
 *
 * solve.h -- the caller's wish for a solver, checked against a chain.
 */
#ifndef LFM_FLOW_SOLVE_H
#define LFM_FLOW_SOLVE_H

#include "flow/carry.h"

typedef struct lfm_solve {
  lfm_solver solver;
  double tol;
  int fixed_steps; /* a block; 0: adaptive */
} lfm_solve;

#define LFM_DEFAULT_TOL 1e-5

/* nfe evaluations over the whole chain become equal steps in every block; with no solver named, of the highest order that
 * they allow.  LFM_E_USAGE when there are too few, or when a fixed-step solver is named without nfe. */
lfm_status lfm_solve_parse(const lfm_solver_options *options, int blocks, lfm_solve *out);

/* The same question without the answer, and without the notes: before hours of other work. */
lfm_status lfm_solve_check(const lfm_solver_options *options, int blocks);

/* The same options; but of a policy, fixed evaluations that no solver is named for are Euler's.  Heun's and Runge's last ones
 * are at t = 0, where the field is E[z] - x for whoever is on the data and of no use to who is not yet there: of few steps
 * the last would lead away again.  Euler's go straight to where the actions are. */
lfm_solver_options lfm_solve_for(bool policy, const lfm_solver_options *options);

/* The path of one block under this solve. */
lfm_path lfm_solve_path(const lfm_solve *solve, double t0, double t1);

#endif
