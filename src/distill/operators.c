/* SPDX-License-Identifier: MIT
 *
 * operators.c -- a chain of OU blocks and its students as numbers, a coordinate at a time (operators.h has the equations).
 * Whole plans are judged here by their definition, node after node, for any tree whatever; the search (search.h) uses the
 * form that the good ones have, and what it finds is judged here again.
 */
#include "distill/operators.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LONGEST = 0x1p20; /* no variance but 0 leaves anything of a beginning then */

/* ---- the chain ------------------------------------------------------------------------------------------------- */

static lfm_status check_chain(const double *hks, int blocks, double s) {
  if (blocks < 1 || blocks > LFM_MAX_BLOCKS)
    return lfm_fail(LFM_E_USAGE, "hks: the chain has %d blocks; 1 to %d are possible", blocks, LFM_MAX_BLOCKS);
  for (int n = 0; n < blocks; n++) {
    if (isnan(hks[n]) && n < blocks - 1)
      return lfm_fail(LFM_E_USAGE, "hks: step %d is free, but only the last block may be", n + 1);
    if (!isnan(hks[n]) && !(hks[n] > 0.0 && hks[n] < LFM_STEP_BELOW))
      return lfm_fail(LFM_E_USAGE, "hks: step %d is %g; a step is a number above 0 and below %d, or free", n + 1, hks[n],
                      LFM_STEP_BELOW);
  }
  if (!(s > 0.0 && s <= LONGEST)) return lfm_fail(LFM_E_USAGE, "s: %g; a time of training is a number above 0", s);
  return LFM_OK;
}

/* lambda_0, sorted. */
static lfm_status take_variances(lfm_merge_operators *o, const double *variances) {
  double largest = 0.0;
  for (int64_t c = 0; c < o->dim; c++) largest = fmax(largest, variances[c]);
  for (int64_t c = 0; c < o->dim; c++) {
    if (!isfinite(variances[c]) || variances[c] < -1e-9 * largest)
      return lfm_fail(LFM_E_USAGE, "variances: number %lld is %g; a variance is a number, 0 or more", (long long)c + 1,
                      variances[c]);
    o->variance[c] = fmax(variances[c], 0.0);
  }
  if (!(largest > 0.0)) return lfm_fail(LFM_E_USAGE, "variances: none is above 0; there is nothing to generate");
  qsort(o->variance, (size_t)o->dim, sizeof *o->variance, lfm_by_size);
  while (o->below < o->dim && o->variance[o->below] <= 1.0) o->below++;
  return LFM_OK;
}

static void follow_chain(lfm_merge_operators *o, const double *hks, double s) {
  for (int64_t c = 0; c < o->dim; c++) o->target[c] = 1.0;
  for (int n = 1; n <= o->blocks; n++)
    for (int64_t c = 0; c < o->dim; c++) {
      int64_t at = n * o->dim + c;
      double step = hks[n - 1], before = o->variance[at - o->dim];
      o->variance[at] = isnan(step) ? 1.0 : exp(-2.0 * step) * before - expm1(-2.0 * step);
      o->map[at] = sqrt(before / o->variance[at]);
      o->kept[at] = exp(-2.0 * s * o->variance[at]);
      o->target[c] *= o->map[at];
    }
}

lfm_status lfm_merge_operators_create(const double *variances, int64_t dim, const double *hks, int blocks, double s,
                                      lfm_merge_operators **out) {
  lfm_merge_operators *o;
  lfm_status status;
  *out = NULL;
  LFM_TRY(check_chain(hks, blocks, s));
  if (dim < 1) return lfm_fail(LFM_E_USAGE, "variances: there are none");
  LFM_TRY(LFM_ALLOC(&o, 1));
  o->blocks = blocks, o->dim = dim;
  LFM_TRY_GOTO(LFM_ALLOC(&o->variance, (blocks + 1) * dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&o->map, (blocks + 1) * dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&o->kept, (blocks + 1) * dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&o->target, dim), failed);
  LFM_TRY_GOTO(take_variances(o, variances), failed);
  follow_chain(o, hks, s);
  *out = o;
  return LFM_OK;
failed:
  lfm_merge_operators_destroy(o);
  return status;
}

void lfm_merge_operators_destroy(lfm_merge_operators *o) {
  if (!o) return;
  lfm_free(o->variance);
  lfm_free(o->map);
  lfm_free(o->kept);
  lfm_free(o->target);
  lfm_free(o);
}

void lfm_merge_exact(const lfm_merge_operators *o, int first, int last, double *map) {
  const double *from = o->variance + (first - 1) * o->dim, *to = o->variance + last * o->dim;
  for (int64_t c = 0; c < o->dim; c++) map[c] = sqrt(from[c] / to[c]);
}

/* ---- plans ----------------------------------------------------------------------------------------------------- */

/* The maps of all nodes in coordinate c: value [plan->count]. */
static void follow_plan(const lfm_merge_operators *o, const lfm_merge_plan *plan, int64_t c, double *value) {
  for (int i = 0; i < plan->count; i++) {
    const lfm_merge_node *node = &plan->node[i];
    int64_t at = node->last * o->dim + c;
    double product = 1.0, begin = o->map[at];
    for (int child = node->child; child >= 0; child = plan->node[child].next)
      if (plan->node[child].next >= 0) product *= value[child];
      else begin = value[child];
    value[i] = node->children ? (1.0 - o->kept[at]) * product * begin + o->kept[at] * begin : begin;
  }
}

double lfm_merge_error(const lfm_merge_operators *o, const lfm_merge_plan *plan) {
  double value[LFM_MERGE_MOST_NODES], error = 0.0;
  for (int64_t c = 0; c < o->dim; c++) {
    double product = 1.0;
    follow_plan(o, plan, c, value);
    for (int k = 0; k < plan->students; k++) product *= value[plan->student[k]];
    error += (product - o->target[c]) * (product - o->target[c]);
  }
  return error;
}

/* ---- the time of training -------------------------------------------------------------------------------------- */

/* What is left at s of a pilot's error, as a share. */
static double left_at(const lfm_merge_operators *o, const lfm_merge_pilot *pilot, double s) {
  const double *variance = o->variance + pilot->last * o->dim, *begin = o->map + pilot->last * o->dim;
  const double *from = o->variance + (pilot->first - 1) * o->dim, *to = variance - o->dim;
  double whole = 0.0, left = 0.0;
  for (int64_t c = 0; c < o->dim; c++) {
    double missing = (1.0 - sqrt(from[c] / to[c])) * begin[c], weight = variance[c] * missing * missing;
    whole += weight;
    left += weight * exp(-4.0 * s * variance[c]);
  }
  return whole > 0.0 ? left / whole : 1.0;
}

static double left_of_all(const lfm_merge_operators *o, const lfm_merge_pilot *pilots, int count, double s) {
  double left = 0.0;
  for (int i = 0; i < count; i++) left += pilots[i].before * left_at(o, &pilots[i], s);
  return left;
}

static lfm_status check_pilots(const lfm_merge_operators *o, const lfm_merge_pilot *pilots, int count, double *after) {
  double before = 0.0;
  for (int i = 0; i < count; i++) {
    const lfm_merge_pilot *pilot = &pilots[i];
    if (pilot->first < 1 || pilot->last > o->blocks || pilot->first >= pilot->last)
      return lfm_fail(LFM_E_USAGE, "a pilot of blocks %d to %d; a merge takes two or more of the %d there are", pilot->first,
                      pilot->last, o->blocks);
    if (!(isfinite(pilot->before) && pilot->before > 0.0 && isfinite(pilot->after) && pilot->after >= 0.0))
      return lfm_fail(LFM_E_DATA, "the pilot of blocks %d to %d: its error went from %g to %g; errors are finite numbers",
                      pilot->first, pilot->last, pilot->before, pilot->after);
    before += pilot->before, *after += pilot->after;
  }
  if (!(*after < before))
    return lfm_fail(LFM_E_DATA, "the pilots learnt nothing: their error went from %g to %g; train them longer, or give s",
                    before, *after);
  return LFM_OK;
}

lfm_status lfm_merge_fit_time(const lfm_merge_operators *o, const lfm_merge_pilot *pilots, int count, double *s) {
  double after = 0.0, low = 0.0, high = 1.0;
  LFM_TRY(check_pilots(o, pilots, count, &after));
  while (high < LONGEST && left_of_all(o, pilots, count, high) > after) low = high, high *= 2.0;
  for (int halving = 0; halving < 60; halving++) {
    double middle = 0.5 * (low + high);
    if (left_of_all(o, pilots, count, middle) > after) low = middle;
    else high = middle;
  }
  *s = high;
  if (left_of_all(o, pilots, count, 0.0) <= left_of_all(o, pilots, count, high))
    return lfm_fail(LFM_E_DATA, "the pilots say nothing about s: every variance is 1, and their blocks do nothing");
  return LFM_OK;
}
