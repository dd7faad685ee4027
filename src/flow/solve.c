/* SPDX-License-Identifier: MIT
 *
 * solve.c -- see solve.h.
 */
#include "flow/solve.h"

#include <string.h>

/* docs/decisions/fixed-steps.md */
static lfm_solver best_of(int evaluations_a_block) { return evaluations_a_block >= 2 ? LFM_MIDPOINT : LFM_EULER; }

static lfm_status parse(const lfm_solver_options *options, int blocks, lfm_solve *out) {
  *out = (lfm_solve){.solver = LFM_DOPRI5, .tol = options->tol != 0.0 ? options->tol : LFM_DEFAULT_TOL};
  if (!(out->tol >= 1e-12 && out->tol <= 0.1)) return lfm_fail(LFM_E_USAGE, "tol: %g is not between 1e-12 and 0.1", out->tol);
  if (options->nfe < 0) return lfm_fail(LFM_E_USAGE, "nfe: %d is below 1", options->nfe);
  if (options->nfe && options->tol != 0.0)
    return lfm_fail(LFM_E_USAGE, "nfe takes fixed steps, tol adaptive ones: give one of the two");
  if (options->solver) LFM_TRY(lfm_solver_parse(options->solver, &out->solver));
  else if (options->nfe) out->solver = best_of(options->nfe / blocks), out->crowds = true;
  if (!options->nfe && !lfm_solver_is_adaptive(out->solver))
    return lfm_fail(LFM_E_USAGE, "%s takes fixed steps: say how many evaluations with nfe", lfm_solver_name(out->solver));
  if (!options->nfe) return LFM_OK;
  out->fixed_steps = options->nfe / (blocks * lfm_solver_stages(out->solver));
  if (out->fixed_steps < 1)
    return lfm_fail(LFM_E_USAGE, "nfe: %d evaluations are too few: %s needs at least %d on this chain of %d blocks",
                    options->nfe, lfm_solver_name(out->solver), blocks * lfm_solver_stages(out->solver), blocks);
  return LFM_OK;
}

lfm_status lfm_solve_check(const lfm_solver_options *options, int blocks) {
  lfm_solve solve;
  return parse(options, blocks, &solve);
}

lfm_status lfm_solve_parse(const lfm_solver_options *options, int blocks, lfm_solve *out) {
  LFM_TRY(parse(options, blocks, out));
  if (options->tol != 0.0 && out->tol < 1e-8)
    lfm_note(LFM_NOTE,
             "tol: the network is evaluated in single precision; below 1e-8 a tolerance buys evaluations, not digits");
  int spent = out->fixed_steps * blocks * lfm_solver_stages(out->solver);
  if (spent < options->nfe)
    lfm_note(LFM_NOTE, "nfe: %d of %d evaluations are spent: %d blocks of %d %s steps", spent, options->nfe, blocks,
             out->fixed_steps, lfm_solver_name(out->solver));
  return LFM_OK;
}

lfm_status lfm_solve_for(const lfm_model *model, const lfm_solver_options *options, lfm_solver_options *out) {
  const char *euler = lfm_solver_name(LFM_EULER);
  *out = *options;
  if (model->windows && out->nfe && !out->solver) out->solver = euler;
  if (lfm_chain_is_flow(model)) return LFM_OK;
  bool fits = options->tol == 0.0 && (!options->nfe || options->nfe == model->blocks) &&
              (!options->solver || strcmp(options->solver, euler) == 0);
  if (!fits)
    return lfm_fail(LFM_E_USAGE,
                    "the model's %d block%s one step of %s each, which it has learnt to take; leave nfe, tol and solver out",
                    model->blocks, model->blocks == 1 ? " is" : "s are", euler);
  *out = (lfm_solver_options){.solver = euler, .nfe = model->blocks};
  return LFM_OK;
}

lfm_status lfm_solve_check_flow(const lfm_model *model, const char *what) {
  if (lfm_chain_is_flow(model)) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED,
                  "%s: the model's blocks are single steps (it was distilled, or has learnt mean velocities), which have no "
                  "flow density and no way back",
                  what);
}

lfm_status lfm_solve_check_classless(const lfm_model *model, const char *what) {
  if (!lfm_chain_needs_class(model)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE,
                  "%s: the model was trained with class_drop=0 and has seen no picture without its class, which is not shown "
                  "here; train with class_drop=0.1",
                  what);
}

lfm_status lfm_guidance_check(double guidance) {
  if (guidance >= 0.0 && guidance <= LFM_MOST_GUIDANCE) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "guidance: %g is not between 0 and %d", guidance, LFM_MOST_GUIDANCE);
}

lfm_status lfm_solve_flow(const lfm_model *model, const char *what, const lfm_solver_options *options, lfm_solve *out) {
  LFM_TRY(lfm_solve_check_flow(model, what));
  return lfm_solve_parse(options, model->blocks, out);
}

lfm_path lfm_solve_path(const lfm_solve *solve, const lfm_model *model, int n, double t0, double t1) {
  const double towards_data = 1.5; /* docs/decisions/fixed-steps.md */
  bool crowds = solve->crowds && n == 0 && !model->picture;
  return (lfm_path){.t0 = t0,
                    .t1 = t1,
                    .solver = solve->solver,
                    .tol = solve->tol,
                    .fixed_steps = solve->fixed_steps,
                    .crowding = crowds ? towards_data : 1.0};
}
