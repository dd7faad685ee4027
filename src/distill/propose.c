/* SPDX-License-Identifier: MIT
 *
 * propose.c -- lfm_plan_find: the best merge plan beside the strategies that have names, and one that was given.
 */
#include "distill/search.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static_assert((int)LFM_STRATEGIES == (int)LFM_MERGE_SHAPES + 1, "every shape, and even");

void lfm_plan_defaults(lfm_plan_options *options) { *options = (lfm_plan_options){.s = 0.5}; }

static lfm_strategy strategy_of(const char *name, const lfm_merge_operators *operators, const lfm_merge_plan *plan) {
  lfm_strategy strategy = {.name = name, .error = lfm_merge_error(operators, plan)};
  lfm_merge_plan_format(plan, strategy.plan);
  return strategy;
}

static lfm_status fill_strategies(const lfm_merge_operators *operators, int steps, lfm_plan_result *result) {
  lfm_merge_plan plan;
  lfm_merge_found even;
  for (int i = 0; i < LFM_MERGE_SHAPES; i++) {
    lfm_merge_shape shape = (lfm_merge_shape)i;
    LFM_TRY(lfm_merge_plan_even(shape, operators->blocks, steps, &plan));
    result->strategy[i] = strategy_of(lfm_merge_shape_name(shape), operators, &plan);
  }
  LFM_TRY(lfm_merge_search(operators, steps, true, &even));
  result->strategy[LFM_MERGE_SHAPES] = strategy_of("even", operators, &even.plan);
  return LFM_OK;
}

static lfm_status fill_given(const lfm_merge_operators *operators, const lfm_plan_options *options, lfm_plan_result *result) {
  lfm_merge_plan plan;
  result->given = (lfm_strategy){.name = "given", .error = NAN};
  if (!options->plan) return LFM_OK;
  LFM_TRY(lfm_merge_plan_parse(options->plan, operators->blocks, &plan));
  if (plan.students != options->steps)
    return lfm_fail(LFM_E_USAGE, "the plan has %d students, and steps is %d", plan.students, options->steps);
  result->given = strategy_of("given", operators, &plan);
  return LFM_OK;
}

static lfm_status fill(const lfm_merge_operators *operators, const lfm_plan_options *options, lfm_plan_result *result) {
  lfm_merge_found best;
  LFM_TRY(fill_given(operators, options, result));
  LFM_TRY(lfm_merge_search(operators, options->steps, false, &best));
  result->best = strategy_of("best", operators, &best.plan);
  result->bound = best.bound;
  for (int64_t c = 0; c < operators->dim; c++) result->variance += operators->variance[c];
  return fill_strategies(operators, options->steps, result);
}

lfm_status lfm_plan_find(const lfm_plan_options *options, lfm_plan_result *result) {
  lfm_plan_result unasked;
  if (!result) result = &unasked;
  lfm_merge_operators *operators;
  *result = (lfm_plan_result){0};
  LFM_TRY(
      lfm_merge_operators_create(options->variances, options->dim, options->hks, options->blocks, options->s, &operators));
  lfm_status status = fill(operators, options, result);
  lfm_merge_operators_destroy(operators);
  return status;
}
