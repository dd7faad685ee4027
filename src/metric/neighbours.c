/* SPDX-License-Identifier: MIT
 *
 * neighbours.c -- classification by the nearest rows, all distances computed: exact, and in these sizes (10^4 x 10^4) quicker
 * than building a tree that a dozen dimensions would defeat.  The rows to learn from are stored column by column, so that the
 * loop over them is straight-line vector code.
 */
#include "core/alloc.h"
#include "core/vmath.h"
#include "metric/classifier.h"

#include <math.h>

enum { BATCH = 64 }; /* rows a task */

typedef struct search {
  const lfm_split *split;
  float *columns;   /* [dim, fit] */
  float *distances; /* [workers, fit] */
  uint8_t *said_few, *said_many;
} search;

LFM_VECTOR
static void add_squares(const float *restrict column, float x, int64_t n, float *restrict distances) {
  for (int64_t i = 0; i < n; i++) distances[i] += (column[i] - x) * (column[i] - x);
}

/* The labels of the nearest rows, nearest first; ties go to the lower row. */
static void find_nearest(const float *distances, const uint8_t *label, int64_t n, uint8_t nearest[LFM_MANY_NEIGHBOURS]) {
  float best[LFM_MANY_NEIGHBOURS];
  for (int k = 0; k < LFM_MANY_NEIGHBOURS; k++) best[k] = INFINITY, nearest[k] = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!(distances[i] < best[LFM_MANY_NEIGHBOURS - 1])) continue;
    int at = LFM_MANY_NEIGHBOURS - 1;
    for (; at > 0 && best[at - 1] > distances[i]; at--) best[at] = best[at - 1], nearest[at] = nearest[at - 1];
    best[at] = distances[i], nearest[at] = label[i];
  }
}

static lfm_status classify_batch(void *context, int worker, int64_t task) {
  const search *s = context;
  const lfm_split *split = s->split;
  float *distances = s->distances + worker * split->fit;
  int64_t begin = split->fit + task * BATCH, end = begin + BATCH < split->total ? begin + BATCH : split->total;
  for (int64_t row = begin; row < end; row++) {
    for (int64_t i = 0; i < split->fit; i++) distances[i] = 0;
    for (int64_t c = 0; c < split->dim; c++)
      add_squares(s->columns + c * split->fit, split->x[row * split->dim + c], split->fit, distances);
    uint8_t nearest[LFM_MANY_NEIGHBOURS];
    find_nearest(distances, split->label, split->fit, nearest);
    int votes = 0;
    for (int k = 0; k < LFM_MANY_NEIGHBOURS; k++) {
      votes += nearest[k];
      if (k + 1 == LFM_FEW_NEIGHBOURS) s->said_few[row] = 2 * votes > LFM_FEW_NEIGHBOURS;
    }
    s->said_many[row] = 2 * votes > LFM_MANY_NEIGHBOURS;
  }
  return LFM_OK;
}

lfm_status lfm_neighbours_classify(const lfm_split *split, lfm_team *team, uint8_t *said_few, uint8_t *said_many) {
  search s = {.split = split, .said_few = said_few, .said_many = said_many};
  int64_t tasks = (split->total - split->fit + BATCH - 1) / BATCH;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&s.columns, split->dim * split->fit), done);
  LFM_TRY_GOTO(LFM_ALLOC(&s.distances, (team ? lfm_team_size(team) : 1) * split->fit), done);
  for (int64_t i = 0; i < split->fit; i++)
    for (int64_t c = 0; c < split->dim; c++) s.columns[c * split->fit + i] = split->x[i * split->dim + c];
  if (team) status = lfm_team_run(team, tasks, classify_batch, &s);
  else
    for (int64_t task = 0; task < tasks; task++) classify_batch(&s, 0, task);
done:
  lfm_free(s.columns);
  lfm_free(s.distances);
  return status;
}
