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

/* The path of one block under this solve. */
lfm_path lfm_solve_path(const lfm_solve *solve, double t0, double t1);

#endif
