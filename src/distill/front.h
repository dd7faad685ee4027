/* SPDX-License-Identifier: MIT
 *
 * front.h -- the partial plans worth keeping, of those that do the same work: a Pareto front that may be cut to a width.
 * An item is a vector of maps, a number a coordinate, of which the first `below` are the better the smaller they are and the
 * others the better the larger (operators.h says why).  Three rules drop an offer:
 *   1. it is dominated: another is at least as good in every coordinate                                        [Pareto]
 *   2. it cannot win: even if all that is yet to come were ideal in every coordinate, a known plan is better    [bound]
 *   3. the front is full: it joins the item that is nearest to it                                             [cluster]
 * The first two lose nothing.  For the third an item is two vectors: `reached`, of a plan that there is, and `bound`, as good
 * in every coordinate as the best of all that the item stands for.  Both go through every later step, so that at the end the
 * best `reached` is a plan and the best `bound` is below every plan's error: the gap between them is certified.  The
 * alternative, a front with a fixed factor 1 + epsilon a step, certifies (1 + epsilon)^steps, which says next to nothing
 * where the chain is long and the errors are small against the maps.
 */
#ifndef LFM_DISTILL_FRONT_H
#define LFM_DISTILL_FRONT_H

#include "core/status.h"

/* Where an item comes from: numbers of items in other fronts, to take the plan from when all is done. */
typedef struct lfm_front_origin {
  int split, left, right;
} lfm_front_origin;

/* What all offers to a front share; the arrays are the caller's. */
typedef struct lfm_front_rule {
  int64_t dim, below;
  const double *target; /* [dim] what a whole plan is to reach */
  double limit;         /* the error of a known plan, a little over: what cannot come below it is dropped */
  int width;            /* items to keep at most, 1 or more */
} lfm_front_rule;

typedef struct lfm_front {
  size_t room, reached_room, bound_room, origin_room;
  int count;
  bool is_cut;              /* rule 3 was used */
  double radius;            /* squared */
  double *score;            /* [count] error of `reached` if all that is yet to come were ideal */
  double *reached, *bound;  /* [count, dim] */
  lfm_front_origin *origin; /* [count] */
} lfm_front;

/* Offers one more.  rest [dim]: the ideal of all that a whole plan has beside it.  Items keep their numbers only once no
 * offer comes any more. */
lfm_status lfm_front_offer(lfm_front *front, const lfm_front_rule *rule, const double *rest, const double *reached,
                           const double *bound, lfm_front_origin origin);

/* sum over coordinates of (map rest - target)^2. */
double lfm_front_cost(const lfm_front_rule *rule, const double *map, const double *rest);

void lfm_front_forget(lfm_front *front); /* the vectors, but not the origins */
void lfm_front_destroy(lfm_front *front);

#endif
