/* SPDX-License-Identifier: MIT
 *
 * ask.c -- see ask.h.
 * Each check stands on those before it: the teacher has flows, they can be cut so, the pieces can be merged so.  What keys a
 * student may have is student.c's to say, and whether the budget is enough distill.c's, which counts the trainings.
 * To take the nearest that is possible was refused: what cannot be is told with what can, since a run that starts all the
 * same is hours of another distillation.
 */
#include "distill/ask.h"

#include <math.h>
#include <string.h>

enum { LEAST_PAIRS = 100 };

/* A student misses its teacher by far more. */
static const double TEACHER_TOL = 1e-4;

/* ---- the plan -------------------------------------------------------------------------------------------------- */

static bool is_auto(const lfm_distill_options *options) { return options->plan && strcmp(options->plan, "auto") == 0; }

static lfm_status check_steps(const lfm_distill_options *options) {
  int parts = options->teacher->blocks * options->split;
  if (options->steps >= 1 && options->steps <= parts) return LFM_OK;
  if (!options->steps) return lfm_fail(LFM_E_USAGE, "steps: say how many evaluations are to be left, 1 to %d", parts);
  return lfm_fail(LFM_E_USAGE, "steps: %d asked of %d block%s; 1 to %d are possible%s", options->steps, parts,
                  parts == 1 ? "" : "s", parts,
                  options->teacher->windows ? "" : ", and more where split cuts blocks into pieces");
}

static lfm_status choose_plan(const lfm_distill_options *options, lfm_merge_plan *plan) {
  int blocks = options->teacher->blocks * options->split;
  const char *asked = options->plan ? options->plan : "even";
  if (strpbrk(asked, "0123456789")) {
    LFM_TRY(lfm_merge_plan_parse(asked, blocks, plan));
    if (options->steps && options->steps != plan->students)
      return lfm_fail(LFM_E_USAGE, "steps: %d asked, but the plan %s has %d students; leave one of the two out",
                      options->steps, asked, plan->students);
    return LFM_OK;
  }
  LFM_TRY(check_steps(options));
  if (strcmp(asked, "even") == 0) return lfm_merge_plan_even(LFM_MERGE_VANILLA, blocks, options->steps, plan);
  for (lfm_merge_shape shape = 0; shape < LFM_MERGE_SHAPES; shape++)
    if (strcmp(asked, lfm_merge_shape_name(shape)) == 0) return lfm_merge_plan_even(shape, blocks, options->steps, plan);
  return lfm_fail(
      LFM_E_USAGE,
      "plan: '%s' is none; auto, even, vanilla, boot, consistency and progressive are, and one as text: 1 | (2 3) | 4",
      asked);
}

static lfm_status check_time(const lfm_distill_options *options) {
  double s = options->s;
  if (s == 0.0) return LFM_OK;
  if (!(s > 0.0 && isfinite(s)))
    return lfm_fail(LFM_E_USAGE, "s: %g; a time of training is a number above 0, and 0 asks a pilot", s);
  if (!is_auto(options)) return lfm_fail(LFM_E_USAGE, "s: it chooses among plans; ask for the plan auto, or leave it out");
  return LFM_OK;
}

/* ---- the method ------------------------------------------------------------------------------------------------ */

const char *lfm_asked_method(const lfm_distill_options *options) { return options->method ? options->method : "residual"; }

static lfm_status choose_method(const char *asked, lfm_objective *method) {
  static const struct {
    const char *name;
    lfm_objective objective;
  } methods[] = {
      {"residual", LFM_OBJECTIVE_RESIDUAL}, {"reflow", LFM_OBJECTIVE_REFLOW}, {"meanflow", LFM_OBJECTIVE_MEANFLOW}};
  for (size_t k = 0; k < sizeof methods / sizeof *methods; k++) {
    *method = methods[k].objective;
    if (strcmp(asked, methods[k].name) == 0) return LFM_OK;
  }
  return lfm_fail(LFM_E_USAGE, "method: '%s' is none; residual, reflow and meanflow are", asked);
}

/* ---- the teacher and its rows ---------------------------------------------------------------------------------- */

static lfm_status check_split(const lfm_distill_options *options) {
  int most = LFM_MAX_BLOCKS / options->teacher->blocks;
  if (options->split < 1 || options->split > most)
    return lfm_fail(LFM_E_USAGE, "split: %d pieces a block; 1 to %d are possible of this chain", options->split, most);
  if (options->split > 1 && options->teacher->windows)
    return lfm_fail(LFM_E_USAGE, "split: the control loop takes whole blocks of a policy; leave it out");
  return LFM_OK;
}

static lfm_status check_given(const lfm_distill_options *options) {
  const lfm_model *teacher = options->teacher;
  bool is_policy = teacher->windows != NULL;
  if (is_policy && !options->given)
    return lfm_fail(LFM_E_USAGE,
                    "the teacher is a policy: say with given whose observations it acts on (--given DEMOS.hdf5)");
  if (is_policy && !options->given->demos) return lfm_fail(LFM_E_DATA, "given: the table holds no demonstrations");
  if (!is_policy && options->given)
    return lfm_fail(LFM_E_USAGE, "given: the teacher is no policy, so nothing is given of its rows");
  if (teacher->guard) lfm_note(LFM_NOTE, "the teacher's guard stays with it: lfm guard gives the student one");
  LFM_TRY(lfm_guidance_check(options->guidance));
  if (options->guidance != 1.0 && !lfm_model_classes(teacher))
    return lfm_fail(LFM_E_USAGE, "guidance: the teacher knows no classes");
  return LFM_OK;
}

static lfm_status choose_states(const lfm_distill_options *options, lfm_states_options *how) {
  const lfm_model *teacher = options->teacher;
  lfm_solver_options solve;
  *how = (lfm_states_options){.split = options->split,
                              .rows = options->pairs,
                              .seed = options->config ? options->config->seed : 0,
                              .in_halves = options->config && options->config->pool_precision == LFM_POOL_FP16,
                              .given = options->given,
                              .guidance = options->guidance};
  if (how->rows && how->rows < LEAST_PAIRS)
    return lfm_fail(LFM_E_USAGE, "pairs: %lld are too few; at least %d are needed", (long long)how->rows, LEAST_PAIRS);
  LFM_TRY(lfm_solve_for(teacher, &options->solve, &solve));
  if (!solve.nfe && solve.tol == 0.0) solve.tol = TEACHER_TOL;
  return lfm_solve_parse(&solve, teacher->blocks * options->split, &how->solve); /* nfe is that of all pieces */
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

lfm_status lfm_asked_take(const lfm_distill_options *options, lfm_merge_plan *plan, lfm_objective *method,
                          lfm_states_options *how) {
  if (!options->teacher || !options->run) return lfm_fail(LFM_E_USAGE, "distilling needs a teacher and a run folder");
  if (!lfm_chain_is_flow(options->teacher))
    return lfm_fail(LFM_E_USAGE, "the teacher's blocks are single steps already%s%s%s: they have no flow to teach",
                    options->teacher->plan ? " (distilled by the plan " : "",
                    options->teacher->plan ? options->teacher->plan : "", options->teacher->plan ? ")" : "");
  LFM_TRY(check_split(options));
  LFM_TRY(check_given(options));
  if (is_auto(options)) LFM_TRY(check_steps(options));
  else LFM_TRY(choose_plan(options, plan));
  LFM_TRY(check_time(options));
  LFM_TRY(choose_method(lfm_asked_method(options), method));
  return choose_states(options, how);
}
