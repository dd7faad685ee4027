/* SPDX-License-Identifier: MIT
 *
 * search.c -- the best merge plan by a Pareto dynamic program  [arXiv 2505.16024, section 5].
 *   F[i, j]  fronts of one student of the blocks i .. j:  F[j, j] = {a_j}, and by its last merge
 *            F[i, j] = { (1 - kept_j) P w + kept_j w :  i <= m < j,  w in F[m+1, j] },  P a product over i .. m
 *   H[j, k]  fronts of k students of the blocks 1 .. j:  H[j, k] = { h f :  h in H[m, k-1],  f in F[m+1, j] }
 * What P may be needs no search: a student's map lies between that of its blocks and that of its beginning, so the best
 * product in every coordinate is that of the blocks themselves, A = a_i .. a_m.  A good tree's merges therefore take blocks
 * as they are, all but the noisiest child, and F[i, j] is a_j times a factor (1 - kept_j) A + kept_j for every run of blocks
 * that is merged at once: (1 2 (3 (4 5))) has the runs 1 2, 3 and 4.
 *
 * To merge two runs at once, with maps A and B, instead of one after the other changes the student's map by
 * a_j kept (1 - kept) (A - 1) (B - 1) > 0: good for a coordinate with lambda_0 > 1, bad for one below.  So a coordinate alone
 * wants vanilla or boot, and only several together want something between.
 *
 * Every coordinate alone is a shortest path, solved first for all parts of the plan.  These ideals, put together though they
 * belong to different plans, bound what can become of a partial plan, and front.h drops what cannot win.  So the search runs
 * several times, with fronts of growing width, each time with the best plan so far as the limit: the narrow run finds a good
 * plan within moments, and the wide ones mostly prove that it is the best.
 */
#include "distill/search.h"

#include "core/alloc.h"
#include "distill/front.h"

#include <math.h>
#include <string.h>

typedef struct search {
  const lfm_merge_operators *o;
  int blocks, students;
  int64_t dim;
  bool even;
  /* ideals: the best of each coordinate, whatever the others */
  double *student;                  /* [i][j][dim] blocks i .. j as one student */
  double *before;                   /* [j][k][dim] blocks 1 .. j as the first k students */
  double *after;                    /* [j][k][dim] blocks j+1 .. as all students but the first k */
  double *rest;                     /* [i][dim], for the j at work: all beside blocks i .. j of a student that ends with j */
  bool *reachable;                  /* [i] whether there is such a rest */
  double *factor, *reached, *bound; /* [dim] at work */
  lfm_front *one;                   /* [i][j] F */
  lfm_front *many;                  /* [j][k] H */
  lfm_front_rule rule;
  double slack; /* what rounding may do to an error */
  bool is_cut;  /* some front was */
} search;

enum { FIRST_WIDTH = 4, GROWTH = 4, LONG_CHAINS_WIDTH = 64 }; /* fronts grow until the plan is proved, or to the last */

static int64_t pair(const search *s, int i, int j) { return (int64_t)i * (s->blocks + 2) + j; }
static double *at(const search *s, double *ideals, int i, int j) { return ideals + pair(s, i, j) * s->dim; }

/* May student k end with block j?  0 students end before block 1. */
static bool may_end(const search *s, int k, int j) {
  if (k == 0 || k == s->students || s->even) return j == lfm_merge_even_end(s->blocks, s->students, k);
  return j >= k && s->blocks - j >= s->students - k;
}

/* ---- ideals ---------------------------------------------------------------------------------------------------- */

/* best = the better of both in each coordinate; the first one is taken as it is. */
static void improve(const search *s, double *best, const double *a, const double *b, bool is_first) {
  for (int64_t c = 0; c < s->dim; c++) {
    double value = a[c] * b[c];
    if (is_first || (c < s->o->below ? value < best[c] : value > best[c])) best[c] = value;
  }
}

/* The factor of a run of blocks, merged at once, in a student that ends with j. */
static void fill_factor(search *s, int first, int last, int j) {
  const double *kept = s->o->kept + j * s->dim;
  lfm_merge_exact(s->o, first, last, s->factor);
  for (int64_t c = 0; c < s->dim; c++) s->factor[c] = (1.0 - kept[c]) * s->factor[c] + kept[c];
}

static void find_ideal_students(search *s) {
  for (int j = 1; j <= s->blocks; j++) {
    memcpy(at(s, s->student, j, j), s->o->map + j * s->dim, (size_t)s->dim * sizeof *s->student);
    for (int i = j - 1; i >= 1; i--)
      for (int m = i; m < j; m++) {
        fill_factor(s, i, m, j);
        improve(s, at(s, s->student, i, j), s->factor, at(s, s->student, m + 1, j), m == i);
      }
  }
}

static void set_to_one(const search *s, double *ideals) {
  for (int64_t c = 0; c < s->dim; c++) ideals[c] = 1.0;
}

static void find_ideal_prefixes(search *s) {
  set_to_one(s, at(s, s->before, 0, 0));
  for (int k = 1; k <= s->students; k++)
    for (int j = k; j <= s->blocks; j++) {
      bool is_first = true;
      for (int m = k - 1; m < j && may_end(s, k, j); m++) {
        if (!may_end(s, k - 1, m)) continue;
        improve(s, at(s, s->before, j, k), at(s, s->before, m, k - 1), at(s, s->student, m + 1, j), is_first);
        is_first = false;
      }
    }
}

static void find_ideal_suffixes(search *s) {
  set_to_one(s, at(s, s->after, s->blocks, s->students));
  for (int k = s->students - 1; k >= 0; k--)
    for (int j = s->blocks - 1; j >= 0; j--) {
      bool is_first = true;
      for (int m = j + 1; m <= s->blocks && may_end(s, k, j); m++) {
        if (!may_end(s, k + 1, m)) continue;
        improve(s, at(s, s->after, j, k), at(s, s->after, m, k + 1), at(s, s->student, j + 1, m), is_first);
        is_first = false;
      }
    }
}

/* For students that end with j: the best that can stand beside their blocks i .. j, whether they begin with i or before. */
static void find_rests(search *s, int j) {
  for (int i = 1; i <= j; i++) {
    double *rest = s->rest + i * s->dim;
    bool is_first = true;
    for (int k = 1; k <= s->students; k++) {
      if (!may_end(s, k - 1, i - 1) || !may_end(s, k, j)) continue;
      improve(s, rest, at(s, s->before, i - 1, k - 1), at(s, s->after, j, k), is_first);
      is_first = false;
    }
    for (int first = 1; first < i; first++) {
      if (!s->reachable[first]) continue;
      fill_factor(s, first, i - 1, j);
      improve(s, rest, s->factor, s->rest + first * s->dim, is_first);
      is_first = false;
    }
    s->reachable[i] = !is_first;
  }
}

/* ---- fronts ---------------------------------------------------------------------------------------------------- */

/* An item of one front (none: the factor at work) times one of another, to a third. */
static lfm_status offer_product(search *s, lfm_front *to, const double *rest, const lfm_front *left, int l,
                                const lfm_front *right, int r, int split) {
  const double *reached = left ? left->reached + l * s->dim : s->factor;
  const double *bound = left ? left->bound + l * s->dim : s->factor;
  for (int64_t c = 0; c < s->dim; c++) {
    s->reached[c] = reached[c] * right->reached[r * s->dim + c];
    s->bound[c] = bound[c] * right->bound[r * s->dim + c];
  }
  return lfm_front_offer(to, &s->rule, rest, s->reached, s->bound, (lfm_front_origin){split, l, r});
}

/* F[i, j] from F[m+1, j]. */
static lfm_status find_students(search *s, int i, int j) {
  lfm_front *front = &s->one[pair(s, i, j)];
  const double *map = s->o->map + j * s->dim, *rest = s->rest + i * s->dim;
  if (!s->reachable[i]) return LFM_OK;
  if (i == j) return lfm_front_offer(front, &s->rule, rest, map, map, (lfm_front_origin){j, 0, 0});
  for (int m = i; m < j; m++) {
    const lfm_front *begin = &s->one[pair(s, m + 1, j)];
    fill_factor(s, i, m, j);
    for (int w = 0; w < begin->count; w++) LFM_TRY(offer_product(s, front, rest, NULL, 0, begin, w, m));
  }
  s->is_cut |= front->is_cut;
  return LFM_OK;
}

/* H[j, k] from H[m, k-1] and F[m+1, j]. */
static lfm_status find_rows_of_students(search *s, int j, int k) {
  lfm_front *front = &s->many[pair(s, j, k)];
  for (int m = k - 1; m < j && may_end(s, k, j); m++) {
    const lfm_front *left = &s->many[pair(s, m, k - 1)], *right = &s->one[pair(s, m + 1, j)];
    if (!may_end(s, k - 1, m)) continue;
    for (int l = 0; l < left->count; l++)
      for (int r = 0; r < right->count; r++) LFM_TRY(offer_product(s, front, at(s, s->after, j, k), left, l, right, r, m));
  }
  s->is_cut |= front->is_cut;
  return LFM_OK;
}

/* Fronts that end with block j need the vectors of those that end with j and, of H, of those before. */
static lfm_status fill_fronts(search *s) {
  double *ones = at(s, s->before, 0, 0);
  LFM_TRY(lfm_front_offer(&s->many[pair(s, 0, 0)], &s->rule, at(s, s->after, 0, 0), ones, ones, (lfm_front_origin){0, 0, 0}));
  for (int j = 1; j <= s->blocks; j++) {
    find_rests(s, j);
    for (int i = j; i >= 1; i--) LFM_TRY(find_students(s, i, j));
    for (int k = 1; k <= s->students; k++) LFM_TRY(find_rows_of_students(s, j, k));
    for (int i = j; i >= 1; i--) lfm_front_forget(&s->one[pair(s, i, j)]);
  }
  return LFM_OK;
}

/* ---- the plan behind an item ----------------------------------------------------------------------------------- */

static void make_student(const search *s, lfm_merge_maker *maker, int i, int j, int number) {
  lfm_front_origin origin = s->one[pair(s, i, j)].origin[number];
  for (int block = i; block <= origin.split; block++) lfm_merge_leaf(maker);
  if (i == j) return;
  make_student(s, maker, origin.split + 1, j, origin.right);
  lfm_merge_join(maker, origin.split - i + 2);
}

static void make_students(const search *s, lfm_merge_maker *maker, int j, int k, int number) {
  if (k == 0) return;
  lfm_front_origin origin = s->many[pair(s, j, k)].origin[number];
  make_students(s, maker, origin.split, k - 1, origin.left);
  make_student(s, maker, origin.split + 1, j, origin.right);
  lfm_merge_student(maker);
}

/* The best plan of the last front, if it is better than what there was, and what none can be better than. */
static void take_best(search *s, lfm_merge_found *out) {
  const lfm_front *front = &s->many[pair(s, s->blocks, s->students)];
  const double *ones = at(s, s->after, s->blocks, s->students);
  double bound = INFINITY;
  int best = -1;
  for (int i = 0; i < front->count; i++) {
    bound = fmin(bound, lfm_front_cost(&s->rule, front->bound + i * s->dim, ones));
    if (best < 0 || front->score[i] < front->score[best]) best = i;
  }
  if (best >= 0) {
    lfm_merge_plan plan;
    lfm_merge_maker maker = lfm_merge_begin(&plan, s->blocks);
    make_students(s, &maker, s->blocks, s->students, best);
    double error = lfm_merge_error(s->o, &plan);
    if (error < out->error) out->plan = plan, out->error = error;
  }
  /* What was dropped by the limit has no less than the limit, which was that of the best plan. */
  out->bound = fmax(out->bound, fmin(bound, out->error));
  if (!s->is_cut || out->bound >= out->error * (1.0 - 1e-12) - s->slack) out->bound = out->error;
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

static void empty_fronts(search *s) {
  for (int64_t i = 0; i < pair(s, s->blocks + 1, 0); i++) {
    lfm_front_destroy(&s->one[i]);
    lfm_front_destroy(&s->many[i]);
  }
}

static lfm_status run(search *s, int width, lfm_merge_found *out) {
  empty_fronts(s);
  s->rule.width = width;
  s->rule.limit = out->error * (1.0 + 1e-12) + s->slack;
  s->is_cut = false;
  LFM_TRY(fill_fronts(s));
  take_best(s, out);
  return LFM_OK;
}

static void begin_with_shapes(const search *s, lfm_merge_found *out) {
  *out = (lfm_merge_found){.error = INFINITY, .bound = 0.0};
  for (int shape = 0; shape < LFM_MERGE_SHAPES; shape++) {
    lfm_merge_plan plan;
    if (lfm_merge_plan_even((lfm_merge_shape)shape, s->blocks, s->students, &plan) != LFM_OK) continue;
    double error = lfm_merge_error(s->o, &plan);
    if (error < out->error) out->plan = plan, out->error = error;
  }
}

static lfm_status prepare(search *s) {
  int64_t pairs = pair(s, s->blocks + 1, 0), rows = s->blocks + 1;
  LFM_TRY(LFM_ALLOC(&s->student, pairs * s->dim));
  LFM_TRY(LFM_ALLOC(&s->before, pairs * s->dim));
  LFM_TRY(LFM_ALLOC(&s->after, pairs * s->dim));
  LFM_TRY(LFM_ALLOC(&s->rest, rows * s->dim));
  LFM_TRY(LFM_ALLOC(&s->reachable, rows));
  LFM_TRY(LFM_ALLOC(&s->factor, s->dim));
  LFM_TRY(LFM_ALLOC(&s->reached, s->dim));
  LFM_TRY(LFM_ALLOC(&s->bound, s->dim));
  LFM_TRY(LFM_ALLOC(&s->one, pairs));
  LFM_TRY(LFM_ALLOC(&s->many, pairs));
  find_ideal_students(s);
  find_ideal_prefixes(s);
  find_ideal_suffixes(s);
  s->rule = (lfm_front_rule){.dim = s->dim, .below = s->o->below, .target = s->o->target};
  for (int64_t c = 0; c < s->dim; c++) s->slack += 1e-26 * (1.0 + s->o->target[c] * s->o->target[c]);
  return LFM_OK;
}

static void finish(search *s) {
  if (s->one && s->many) empty_fronts(s);
  double *const arrays[] = {s->student, s->before, s->after, s->rest, s->factor, s->reached, s->bound};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) lfm_free(arrays[i]);
  lfm_free(s->reachable);
  lfm_free(s->one);
  lfm_free(s->many);
}

lfm_status lfm_merge_search(const lfm_merge_operators *operators, int students, bool even, lfm_merge_found *out) {
  search s = {.o = operators, .blocks = operators->blocks, .students = students, .dim = operators->dim, .even = even};
  if (students < 1 || students > s.blocks)
    return lfm_fail(LFM_E_USAGE, "%d students of a chain of %d blocks: 1 to %d are possible", students, s.blocks, s.blocks);
  begin_with_shapes(&s, out);
  lfm_status status = prepare(&s);
  for (int width = FIRST_WIDTH; status == LFM_OK && out->bound < out->error; width *= GROWTH) {
    status = run(&s, width, out);
    if (s.blocks > LFM_MERGE_EXACT && width >= LONG_CHAINS_WIDTH) break;
  }
  finish(&s);
  return status;
}
