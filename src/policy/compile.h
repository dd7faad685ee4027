/* SPDX-License-Identifier: MIT
 *
 * compile.h -- a policy's model in the runtime's form: all blocks' weights once, for as many as act by them, and a plan for a
 * number of evaluations.
 */
#ifndef LFM_POLICY_COMPILE_H
#define LFM_POLICY_COMPILE_H

#include "flow/chain.h"
#include "flow/solve.h"
#include "runtime/guard.h"

typedef struct lfm_compiled lfm_compiled; /* immutable; the model outlives it */

/* half: weights of bfloat16, but for the guard's.  guided: with the gradient that guided chunks need (runtime/guide.h).
 * LFM_E_USAGE when the model is no policy. */
lfm_status lfm_compile(const lfm_model *model, bool half, bool guided, lfm_compiled **out);
/* The flow of a guard, as lfm_compiled_guard wants it; no policy. */
lfm_status lfm_compile_guard(const lfm_model_guard *guard, lfm_compiled **out);
void lfm_compiled_destroy(lfm_compiled *compiled); /* accepts NULL */

const lfm_rt_chain *lfm_compiled_chain(const lfm_compiled *compiled);
const lfm_compiled *lfm_compiled_flow(const lfm_compiled *compiled);  /* that of the guard; NULL: none */
const lfm_rt_guard *lfm_compiled_guard(const lfm_compiled *compiled); /* NULL: none; without `space`, and of no episode */
const lfm_windows *lfm_compiled_windows(const lfm_compiled *compiled);
int64_t lfm_compiled_weights(const lfm_compiled *compiled); /* numbers of a block, of which two make a word in bfloat16 */
int64_t lfm_compiled_turned(const lfm_compiled *compiled);  /* the last of them, which are the gradient's */
int64_t lfm_compiled_constants(const lfm_compiled *compiled);

/* The plan of options->nfe evaluations, with the tables of its times: lfm_free(*tables) when it is done with.  LFM_E_USAGE
 * when they are too few for the chain, or of a method that adapts its steps. */
lfm_status lfm_compiled_plan(const lfm_compiled *compiled, const lfm_solver_options *options, lfm_rt_plan *out,
                             float **tables);

#endif
