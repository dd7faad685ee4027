/* SPDX-License-Identifier: MIT
 *
 * distance.c -- sliced Wasserstein and kernel distances between two samples of one size.
 * In one dimension optimal transport pairs sorted values, so a slice costs two sorts.  Slices and rows are tasks that write
 * their own number, and the numbers are added in order: the result does not depend on the team.
 */
#include "metric/distance.h"
#include "core/alloc.h"
#include "core/order.h"
#include "metric/normal.h"

#include <stdlib.h>

typedef struct pair {
  const double *a, *b; /* [rows, dim] */
  int64_t rows, dim;
  double *scratch; /* slices: [workers, 2 rows + dim] */
  double *parts;   /* one number a task */
  lfm_rng rng;
  double scale; /* kernel: -1 / (2 h^2) */
} pair;

static lfm_status check(int64_t rows, int64_t dim) {
  if (rows >= 2 && dim >= 1) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "distance: %lld rows of %lld columns; give two rows or more", (long long)rows, (long long)dim);
}

static lfm_status run(lfm_team *team, int64_t tasks, lfm_task_fn fn, pair *p, double *sum) {
  if (team) LFM_TRY(lfm_team_run(team, tasks, fn, p));
  else
    for (int64_t task = 0; task < tasks; task++) LFM_TRY(fn(p, 0, task));
  *sum = 0;
  for (int64_t task = 0; task < tasks; task++) *sum += p->parts[task];
  return LFM_OK;
}

/* ---- sliced Wasserstein ------------------------------------------------------------------------------------------- */

static void draw_direction(const lfm_rng *rng, int64_t slice, int64_t dim, double *direction) {
  double normal[2] = {0}, squares = 0;
  for (int64_t c = 0; c < dim; c++) {
    if (c % 2 == 0) lfm_normal_pair(rng, slice, (uint32_t)c, normal);
    direction[c] = normal[c % 2];
    squares += normal[c % 2] * normal[c % 2];
  }
  for (int64_t c = 0; c < dim; c++) direction[c] /= sqrt(squares);
}

static void project(const double *x, int64_t rows, int64_t dim, const double *direction, double *out) {
  for (int64_t i = 0; i < rows; i++) {
    out[i] = 0;
    for (int64_t c = 0; c < dim; c++) out[i] += x[i * dim + c] * direction[c];
  }
  qsort(out, (size_t)rows, sizeof *out, lfm_by_size);
}

static lfm_status transport_slice(void *context, int worker, int64_t slice) {
  const pair *p = context;
  double *a = p->scratch + worker * (2 * p->rows + p->dim), *b = a + p->rows, *direction = b + p->rows, sum = 0;
  draw_direction(&p->rng, slice, p->dim, direction);
  project(p->a, p->rows, p->dim, direction, a);
  project(p->b, p->rows, p->dim, direction, b);
  for (int64_t i = 0; i < p->rows; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  p->parts[slice] = sum / (double)p->rows;
  return LFM_OK;
}

lfm_status lfm_sliced_wasserstein(const double *a, const double *b, int64_t rows, int64_t dim, int slices, uint64_t seed,
                                  lfm_team *team, double *out) {
  LFM_TRY(check(rows, dim));
  if (slices < 1) return lfm_fail(LFM_E_USAGE, "distance: %d slices; give 1 or more", slices);
  pair p = {.a = a, .b = b, .rows = rows, .dim = dim, .rng = {.seed = seed, .purpose = LFM_FOR_METRIC, .block = 1}};
  double sum;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&p.scratch, (team ? lfm_team_size(team) : 1) * (2 * rows + dim)), done);
  LFM_TRY_GOTO(LFM_ALLOC(&p.parts, slices), done);
  LFM_TRY_GOTO(run(team, slices, transport_slice, &p, &sum), done);
  *out = sqrt(sum / slices);
done:
  lfm_free(p.scratch);
  lfm_free(p.parts);
  return status;
}

/* ---- maximum mean discrepancy ------------------------------------------------------------------------------------- */

static double squared_distance(const double *x, const double *y, int64_t dim) {
  double sum = 0;
  for (int64_t c = 0; c < dim; c++) sum += (x[c] - y[c]) * (x[c] - y[c]);
  return sum;
}

/* Row i of the sum over i != j of k(a_i, a_j) + k(b_i, b_j) - k(a_i, b_j) - k(a_j, b_i). */
static lfm_status compare_row(void *context, int worker, int64_t i) {
  (void)worker;
  const pair *p = context;
  const double *a = p->a + i * p->dim, *b = p->b + i * p->dim;
  double sum = 0;
  for (int64_t j = 0; j < p->rows; j++) {
    if (j == i) continue;
    const double *other_a = p->a + j * p->dim, *other_b = p->b + j * p->dim;
    sum += exp(p->scale * squared_distance(a, other_a, p->dim)) + exp(p->scale * squared_distance(b, other_b, p->dim)) -
           exp(p->scale * squared_distance(a, other_b, p->dim)) - exp(p->scale * squared_distance(other_a, b, p->dim));
  }
  p->parts[i] = sum;
  return LFM_OK;
}

/* The median squared distance between pooled rows, up to 500 evenly spaced ones of each sample. */
static lfm_status median_squared_distance(const pair *p, double *median) {
  int64_t side = p->rows < 500 ? p->rows : 500, count = side * (2 * side - 1), at = 0;
  double *squares;
  LFM_TRY(LFM_ALLOC(&squares, count));
  for (int64_t i = 0; i < 2 * side; i++)
    for (int64_t j = 0; j < i; j++) {
      const double *x = (i < side ? p->a : p->b) + lfm_spaced(i % side, p->rows, side) * p->dim;
      const double *y = (j < side ? p->a : p->b) + lfm_spaced(j % side, p->rows, side) * p->dim;
      squares[at++] = squared_distance(x, y, p->dim);
    }
  qsort(squares, (size_t)count, sizeof *squares, lfm_by_size);
  *median = squares[count / 2];
  lfm_free(squares);
  return *median > 0 ? LFM_OK : lfm_fail(LFM_E_DATA, "distance: more than half of the rows are equal; no kernel width fits");
}

lfm_status lfm_mmd_squared(const double *a, const double *b, int64_t rows, int64_t dim, lfm_team *team, double *out) {
  LFM_TRY(check(rows, dim));
  pair p = {.a = a, .b = b, .rows = rows, .dim = dim};
  double median, sum;
  lfm_status status;
  LFM_TRY_GOTO(median_squared_distance(&p, &median), done);
  LFM_TRY_GOTO(LFM_ALLOC(&p.parts, rows), done);
  p.scale = -0.5 / median;
  LFM_TRY_GOTO(run(team, rows, compare_row, &p, &sum), done);
  *out = sum / ((double)rows * (double)(rows - 1));
done:
  lfm_free(p.parts);
  return status;
}
