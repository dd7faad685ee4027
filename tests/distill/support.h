/* SPDX-License-Identifier: MIT
 *
 * support.h -- chains of OU blocks as numbers, for the tests of this room.
 */
#ifndef TESTS_DISTILL_SUPPORT_H
#define TESTS_DISTILL_SUPPORT_H

#include "distill/operators.h"
#include "support/near.h"

#include "core/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) ok_or_fail((call), #call, __FILE__, __LINE__)
static inline void ok_or_fail(lfm_status status, const char *call, const char *file, int line) {
  if (status == LFM_OK) return;
  print_error("%s: %s\n", call, lfm_error());
  _fail(file, line);
}

#define REFUSES(expected, call, says)                                                                                        \
  do {                                                                                                                       \
    assert_int_equal((call), (expected));                                                                                    \
    if (!strstr(lfm_error(), (says))) fail_msg("'%s' is not in: %s", (says), lfm_error());                                   \
  } while (0)

/* The chain of the paper's example. */
static const double example_hks[] = {.1, .15, .225, .3375, NAN}, example_variances[] = {.2, 1.4, 6};

static inline lfm_merge_operators *operators_of(const double *variances, int64_t dim, const double *hks, int blocks,
                                                double s) {
  lfm_merge_operators *operators = NULL;
  OK(lfm_merge_operators_create(variances, dim, hks, blocks, s, &operators));
  return operators;
}

static inline double error_of(const lfm_merge_operators *operators, const char *text) {
  lfm_merge_plan plan;
  OK(lfm_merge_plan_parse(text, operators->blocks, &plan));
  return lfm_merge_error(operators, &plan);
}

/* Steps that grow by half over four blocks, together 1, and a free block: hks [blocks]. */
static inline void growing_steps(double *hks, int blocks) {
  double sum = 0;
  for (int n = 0; n + 1 < blocks; n++) sum += hks[n] = pow(1.5, 4.0 * n / blocks);
  for (int n = 0; n + 1 < blocks; n++) hks[n] /= sum;
  hks[blocks - 1] = NAN;
}

/* variances [dim] that fall like a power, as those of pictures do. */
static inline void falling_variances(double *variances, int64_t dim, double top, double power) {
  for (int64_t c = 0; c < dim; c++) variances[c] = top * pow((double)c + 1, -power);
}

#endif
