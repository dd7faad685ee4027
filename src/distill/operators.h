/* SPDX-License-Identifier: MIT
 *
 * operators.h -- a chain of OU blocks and its students as numbers: what a merge costs, before anything is trained.
 * Rows that are Gaussian with covariance diag(lambda_0), in the axes of its eigenvectors, stay so along the chain, and every
 * exact map is a number a coordinate  [arXiv 2505.16024, section 4]:
 *   lambda_n = e^-2g_n lambda_(n-1) + 1 - e^-2g_n      the variance at border n; behind a free block 1
 *   a_n = sqrt(lambda_(n-1) / lambda_n)                the generating map of block n, from border n to n - 1
 *   kept_n = e^(-2 s lambda_n)                         what training for the time s leaves of a student's beginning
 * A student of the blocks i .. j begins as the part on the noise's side, whose map is w, and is to learn P w, P being the map
 * of the other parts.  It sees rows of variance lambda_j and learns by gradient flow, so it reaches
 *   (1 - kept_j) P w + kept_j w
 * The error of a plan is the sum over coordinates of (its map - the chain's)^2: the mean square distance of what both make of
 * the same noise, in the flow's units.
 *
 * Where lambda_0 <= 1 every map is at most 1 and a student's too large; where lambda_0 >= 1 every map is at least 1 and a
 * student's too small.  Better is therefore smaller in the first coordinates and larger in the others, whatever the merge.
 */
#ifndef LFM_DISTILL_OPERATORS_H
#define LFM_DISTILL_OPERATORS_H

#include "distill/plan.h"

typedef struct lfm_merge_operators {
  int blocks;
  int64_t dim, below; /* coordinates by variance, the smallest first; `below` of them have 1 or less */
  double *variance;   /* [blocks + 1, dim] lambda_n */
  double *map;        /* [blocks + 1, dim] a_n; row 0 is not used */
  double *kept;       /* [blocks + 1, dim] kept_n; row 0 is not used */
  double *target;     /* [dim] the whole chain: a_1 .. a_N */
} lfm_merge_operators;

/* variances [dim] in any order, 0 or more (rounding's small negatives count as 0), with one above 0; hks [blocks] above 0,
 * the last may be NAN, which is a free block; s, a time of training, above 0.  LFM_E_USAGE names what makes no sense. */
lfm_status lfm_merge_operators_create(const double *variances, int64_t dim, const double *hks, int blocks, double s,
                                      lfm_merge_operators **out);
void lfm_merge_operators_destroy(lfm_merge_operators *operators);

/* map [dim]: exactly through the blocks first .. last. */
void lfm_merge_exact(const lfm_merge_operators *operators, int first, int last, double *map);

/* The error of any plan over these blocks. */
double lfm_merge_error(const lfm_merge_operators *operators, const lfm_merge_plan *plan);

/* s from pilots: short trainings of students of plain merges (first ... last), flat and from exact teachers, whose mean
 * square error to their teacher, over rows at border `last`, was `before` and became `after`.  The s that takes the sum of
 * the one to the sum of the other by error(s) ~ sum over coordinates of lambda ((1 - P) w)^2 e^(-4 s lambda). It is that of
 * the pilots' own length: training m times as long has m s.  LFM_E_DATA when nothing was learnt, or when the errors are no
 * such numbers; LFM_E_USAGE when a pilot merges fewer than two blocks.  The operators' own s plays no part. */
typedef struct lfm_merge_pilot {
  int first, last;
  double before, after;
} lfm_merge_pilot;

lfm_status lfm_merge_fit_time(const lfm_merge_operators *operators, const lfm_merge_pilot *pilots, int count, double *s);

#endif
