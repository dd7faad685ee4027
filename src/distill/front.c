/* SPDX-License-Identifier: MIT
 *
 * front.c -- a Pareto front with bounds and a width.
 * A full front is thinned as in the doubling algorithm for k centres [Charikar, Chekuri, Feder, Motwani 1997]: items within a
 * radius of each other become one, and the radius doubles until there is room.  Distance is what the difference could do to
 * the error, sum over coordinates of ((p - q) rest)^2, so that coordinates count as they will in the end.  Nothing is drawn
 * at random and offers come in one order: the same front each time.
 */
#include "distill/front.h"

#include "core/alloc.h"
#include "core/vmath.h"

#include <float.h>
#include <string.h>

/* Maps are products of up to a few hundred numbers: differences below this are rounding, and a coordinate of variance 1,
 * where all maps are 1, must not keep two items apart. */
static const double rounding = 1e-13;

enum { LANES = 8 }; /* sums run in so many parts, in a fixed order, for vector code */

/* sum of term^2 over c < dim; term is an expression in c. */
#define SUM_SQUARES(dim, term)                                                                                               \
  double part[LANES] = {0};                                                                                                  \
  int64_t whole = (dim) - (dim) % LANES;                                                                                     \
  for (int64_t begin = 0; begin < whole; begin += LANES)                                                                     \
    for (int64_t c = begin; c < begin + LANES; c++) part[c - begin] += (term) * (term);                                      \
  for (int64_t c = whole; c < (dim); c++) part[c - whole] += (term) * (term);                                                \
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]))

LFM_VECTOR
static double cost(int64_t dim, const double *map, const double *rest, const double *target) {
  SUM_SQUARES(dim, map[c] * rest[c] - target[c]);
}

LFM_VECTOR
static double distance(int64_t dim, const double *p, const double *q, const double *rest) {
  SUM_SQUARES(dim, (p[c] - q[c]) * rest[c]);
}

double lfm_front_cost(const lfm_front_rule *rule, const double *map, const double *rest) {
  return cost(rule->dim, map, rest, rule->target);
}

/* Is p at least as good as q in every coordinate? */
static bool dominates(const lfm_front_rule *rule, const double *p, const double *q) {
  for (int64_t c = 0; c < rule->below; c++)
    if (p[c] > q[c] * (1.0 + rounding)) return false;
  for (int64_t c = rule->below; c < rule->dim; c++)
    if (p[c] < q[c] * (1.0 - rounding)) return false;
  return true;
}

/* ---- items ----------------------------------------------------------------------------------------------------- */

typedef struct item {
  const double *reached, *bound;
  double score;
  lfm_front_origin origin;
} item;

static item item_at(const lfm_front *front, const lfm_front_rule *rule, int i) {
  return (item){front->reached + i * rule->dim, front->bound + i * rule->dim, front->score[i], front->origin[i]};
}

static void take_reached(lfm_front *front, const lfm_front_rule *rule, int i, const item *from) {
  memcpy(front->reached + i * rule->dim, from->reached, (size_t)rule->dim * sizeof *front->reached);
  front->score[i] = from->score;
  front->origin[i] = from->origin;
}

static void put(lfm_front *front, const lfm_front_rule *rule, int i, const item *from) {
  take_reached(front, rule, i, from);
  memcpy(front->bound + i * rule->dim, from->bound, (size_t)rule->dim * sizeof *front->bound);
}

static lfm_status append(lfm_front *front, const lfm_front_rule *rule, const item *from) {
  size_t count = (size_t)front->count + 1, numbers = count * (size_t)rule->dim;
  LFM_TRY(lfm_alloc_grow(&front->score, &front->room, count, sizeof *front->score));
  LFM_TRY(lfm_alloc_grow(&front->reached, &front->reached_room, numbers, sizeof *front->reached));
  LFM_TRY(lfm_alloc_grow(&front->bound, &front->bound_room, numbers, sizeof *front->bound));
  LFM_TRY(lfm_alloc_grow(&front->origin, &front->origin_room, count, sizeof *front->origin));
  put(front, rule, front->count++, from);
  return LFM_OK;
}

/* The last item takes its place. */
static void drop(lfm_front *front, const lfm_front_rule *rule, int i) {
  item last = item_at(front, rule, --front->count);
  if (i != front->count) put(front, rule, i, &last);
}

/* Item i stands for one more: its bound is the better of both in each coordinate, and the better plan is the one kept. */
static void absorb(lfm_front *front, const lfm_front_rule *rule, int i, const item *other) {
  double *bound = front->bound + i * rule->dim;
  for (int64_t c = 0; c < rule->dim; c++) {
    bool is_better = c < rule->below ? other->bound[c] < bound[c] : other->bound[c] > bound[c];
    if (is_better) bound[c] = other->bound[c];
  }
  if (other->score < front->score[i]) take_reached(front, rule, i, other);
}

/* ---- the three rules ------------------------------------------------------------------------------------------- */

/* A dominated item whose own plan is better than the dominating one's (which then stands for others) leaves that behind. */
static bool is_dominated(lfm_front *front, const lfm_front_rule *rule, const item *offer) {
  for (int i = 0; i < front->count; i++) {
    if (!dominates(rule, front->bound + i * rule->dim, offer->bound)) continue;
    if (offer->score < front->score[i]) take_reached(front, rule, i, offer);
    return true;
  }
  return false;
}

static void drop_dominated(lfm_front *front, const lfm_front_rule *rule, const item *by) {
  for (int i = front->count - 1; i >= 0; i--)
    if (by->score <= front->score[i] && dominates(rule, by->bound, front->bound + i * rule->dim)) drop(front, rule, i);
}

static int find_near(const lfm_front *front, const lfm_front_rule *rule, const double *rest, const double *reached) {
  for (int i = 0; i < front->count; i++)
    if (distance(rule->dim, front->reached + i * rule->dim, reached, rest) <= front->radius) return i;
  return -1;
}

static double nearest_two(const lfm_front *front, const lfm_front_rule *rule, const double *rest) {
  double least = DBL_MAX;
  for (int i = 0; i < front->count; i++)
    for (int j = 0; j < i; j++) {
      double apart = distance(rule->dim, front->reached + i * rule->dim, front->reached + j * rule->dim, rest);
      if (apart < least) least = apart;
    }
  return least;
}

/* Until the width is kept. */
static void thin(lfm_front *front, const lfm_front_rule *rule, const double *rest) {
  while (front->count > rule->width) {
    front->radius = front->is_cut && front->radius > 0.0 ? 4.0 * front->radius : nearest_two(front, rule, rest);
    front->is_cut = true;
    for (int i = 0; i < front->count; i++)
      for (int j = front->count - 1; j > i; j--) {
        item other = item_at(front, rule, j);
        if (distance(rule->dim, front->reached + i * rule->dim, other.reached, rest) > front->radius) continue;
        absorb(front, rule, i, &other);
        drop(front, rule, j);
      }
  }
}

lfm_status lfm_front_offer(lfm_front *front, const lfm_front_rule *rule, const double *rest, const double *reached,
                           const double *bound, lfm_front_origin origin) {
  item offer = {reached, bound, 0.0, origin};
  if (lfm_front_cost(rule, bound, rest) > rule->limit) return LFM_OK;
  offer.score = lfm_front_cost(rule, reached, rest);
  if (is_dominated(front, rule, &offer)) return LFM_OK;
  drop_dominated(front, rule, &offer);
  int near = front->is_cut ? find_near(front, rule, rest, reached) : -1;
  if (near >= 0) absorb(front, rule, near, &offer);
  else LFM_TRY(append(front, rule, &offer));
  thin(front, rule, rest);
  return LFM_OK;
}

void lfm_front_forget(lfm_front *front) {
  lfm_free(front->reached);
  lfm_free(front->bound);
  front->reached = front->bound = NULL;
  front->reached_room = front->bound_room = 0;
}

void lfm_front_destroy(lfm_front *front) {
  lfm_front_forget(front);
  lfm_free(front->score);
  lfm_free(front->origin);
  *front = (lfm_front){0};
}
