/* SPDX-License-Identifier: MIT
 *
 * manifold.c -- improved precision and recall  [Kynkaanniemi et al. 2019]; density and coverage  [Naeem et al. 2020].
 *   1  the radii of both sets: squared distances to the 3rd and the 5th neighbour in the own set
 *   2  generated rows against real ones: how many balls of either kind hold each?     precision, density
 *   3  real rows against generated ones: how many balls, and the nearest               recall, coverage
 * Density and coverage come with the same distances: they are what is read when precision is flattered by one far real row
 * with a wide ball, or recall by generated rows that are scattered.  Squared distances are compared, never their roots, so
 * that a ball holds the neighbour that made it.
 */
#include "metric/manifold.h"
#include "core/alloc.h"

#include <math.h>

enum { FEW = LFM_PRECISION_NEIGHBOURS, MANY = LFM_DENSITY_NEIGHBOURS };

typedef struct radii {
  float *few, *many; /* [rows] squared */
} radii;

typedef struct tally {
  const radii *balls;  /* of the rows */
  int64_t *few, *many; /* [queries] balls that hold the query */
  float *nearest;      /* [queries] squared distance to the nearest row */
} tally;

static void radii_release(radii *b) {
  lfm_free(b->few);
  lfm_free(b->many);
}

static lfm_status radii_find(const lfm_features *set, lfm_team *team, radii *b) {
  lfm_neighbour *nearest = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&nearest, set->rows * MANY), done);
  LFM_TRY_GOTO(LFM_ALLOC(&b->few, set->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC(&b->many, set->rows), done);
  LFM_TRY_GOTO(lfm_neighbours_find(set, set, MANY, true, team, nearest), done);
  for (int64_t i = 0; i < set->rows; i++) {
    b->few[i] = nearest[i * MANY + FEW - 1].square;
    b->many[i] = nearest[i * MANY + MANY - 1].square;
  }
done:
  lfm_free(nearest);
  return status;
}

static void count_balls(void *context, int64_t query, int64_t first, int64_t count, const float *squares) {
  const tally *t = context;
  const float *few = t->balls->few + first, *many = t->balls->many + first;
  int held_few = 0, held_many = 0;
  float nearest = t->nearest[query];
  for (int64_t i = 0; i < count; i++) {
    held_few += squares[i] <= few[i];
    held_many += squares[i] <= many[i];
    nearest = squares[i] < nearest ? squares[i] : nearest;
  }
  t->few[query] += held_few;
  t->many[query] += held_many;
  t->nearest[query] = nearest;
}

static void tally_release(tally *t) {
  lfm_free(t->few);
  lfm_free(t->many);
  lfm_free(t->nearest);
}

static lfm_status tally_make(const lfm_features *queries, const lfm_features *rows, const radii *balls, lfm_team *team,
                             tally *t) {
  t->balls = balls;
  LFM_TRY(LFM_ALLOC(&t->few, queries->rows));
  LFM_TRY(LFM_ALLOC(&t->many, queries->rows));
  LFM_TRY(LFM_ALLOC(&t->nearest, queries->rows));
  for (int64_t i = 0; i < queries->rows; i++) t->nearest[i] = INFINITY;
  return lfm_distances_visit(queries, rows, team, count_balls, t);
}

static lfm_share share_held(const int64_t *held, int64_t rows) {
  int64_t hits = 0;
  for (int64_t i = 0; i < rows; i++) hits += held[i] > 0;
  return lfm_summary_share(hits, rows);
}

static lfm_status mean_density(const int64_t *held, int64_t rows, lfm_summary *out) {
  double *density;
  LFM_TRY(LFM_ALLOC(&density, rows));
  for (int64_t i = 0; i < rows; i++) density[i] = (double)held[i] / MANY;
  lfm_status status = lfm_summary_mean(density, NULL, rows, out);
  lfm_free(density);
  return status;
}

static lfm_share share_covered(const float *nearest, const float *radius, int64_t rows) {
  int64_t hits = 0;
  for (int64_t i = 0; i < rows; i++) hits += nearest[i] <= radius[i];
  return lfm_summary_share(hits, rows);
}

lfm_status lfm_manifold_compare(const lfm_features *generated, const lfm_features *real, lfm_team *team, lfm_manifold *out) {
  LFM_TRY(lfm_features_check_pair(generated, real, MANY + 1));
  radii around_real = {0}, around_generated = {0};
  tally of_generated = {0}, of_real = {0};
  lfm_status status;
  LFM_TRY_GOTO(radii_find(real, team, &around_real), done);
  LFM_TRY_GOTO(radii_find(generated, team, &around_generated), done);
  LFM_TRY_GOTO(tally_make(generated, real, &around_real, team, &of_generated), done);
  LFM_TRY_GOTO(tally_make(real, generated, &around_generated, team, &of_real), done);
  LFM_TRY_GOTO(mean_density(of_generated.many, generated->rows, &out->density), done);
  out->precision = share_held(of_generated.few, generated->rows);
  out->recall = share_held(of_real.few, real->rows);
  out->coverage = share_covered(of_real.nearest, around_real.many, real->rows);
done:
  radii_release(&around_real);
  radii_release(&around_generated);
  tally_release(&of_generated);
  tally_release(&of_real);
  return status;
}
