/* SPDX-License-Identifier: MIT
 *
 * solve.h -- the caller's wish for a solver, checked against a chain.  A student's block is one step of Euler's from noise to
 * data, and nothing else: it has no other solve, and no density.
 */
#ifndef LFM_FLOW_SOLVE_H
#define LFM_FLOW_SOLVE_H

#include "flow/carry.h"
#include "flow/chain.h"

typedef struct lfm_solve {
  lfm_solver solver;
  double tol;
  int fixed_steps; /* a block; 0: adaptive */
  bool crowds;     /* steps are smaller towards the data */
} lfm_solve;

#define LFM_DEFAULT_TOL 1e-5

/* nfe evaluations over the whole chain become equal steps in every block; with no solver named, of the method that does most
 * with them, and in the block at the data of rows those steps crowd towards them (docs/decisions/fixed-steps.md).
 * LFM_E_USAGE when there are too few, or when a fixed-step solver is named without nfe. */
lfm_status lfm_solve_parse(const lfm_solver_options *options, int blocks, lfm_solve *out);

/* The same question without the answer, and without the notes: before hours of other work. */
lfm_status lfm_solve_check(const lfm_solver_options *options, int blocks);

/* The same options as this model's blocks want them.  Of a policy, fixed evaluations that no solver is named for are Euler's:
 * those that methods of higher order make besides learn little there; Heun's and Runge's last ones are at t = 0, where the
 * field is E[z] - x for whoever is on the data and of no use to who is not yet there: of few steps the last would lead away
 * again.  Euler's go straight to where the actions are.  Of students they are one a block; LFM_E_USAGE when others are asked
 * for. */
lfm_status lfm_solve_for(const lfm_model *model, const lfm_solver_options *options, lfm_solver_options *out);

/* lfm_solve_parse for what only a flow has (`what`: "score"); LFM_E_UNSUPPORTED says that of students. */
lfm_status lfm_solve_flow(const lfm_model *model, const char *what, const lfm_solver_options *options, lfm_solve *out);
lfm_status lfm_solve_check_flow(const lfm_model *model, const char *what);
/* LFM_E_USAGE where pictures are shown without their class to one that needs it. */
lfm_status lfm_solve_check_classless(const lfm_model *model, const char *what);

/* Of a class, as lfm_sample_options has it. */
enum { LFM_MOST_GUIDANCE = 100 };
lfm_status lfm_guidance_check(double guidance);

/* The path of block n of the model, or of a part of it, under this solve. */
lfm_path lfm_solve_path(const lfm_solve *solve, const lfm_model *model, int n, double t0, double t1);

#endif
