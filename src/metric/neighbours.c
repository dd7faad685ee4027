/* SPDX-License-Identifier: MIT
 *
 * neighbours.c -- exact neighbours by computing all distances: in these sizes (10^4 x 10^4) quicker than building a tree that
 * a dozen dimensions would defeat.
 * The rows are stored in panels of 32, column by column; four queries at a time run over a panel, so that a column that was
 * loaded serves four, and 128 sums stay in registers.  Refused: |x|^2 + |y|^2 - 2 x y by a matrix product, which is twice as
 * fast and cancels for rows that lie close together, just those that are asked about: equal rows would not be at distance 0.
 */
#include "metric/neighbours.h"
#include "core/alloc.h"
#include "core/vmath.h"

#include <math.h>
#include <string.h>

enum { PANEL = 32, TOGETHER = 4, BATCH = 64 }; /* rows of a panel; queries that share a load; queries a task */

typedef struct search {
  const lfm_features *queries;
  int64_t rows, dim;
  float *panels; /* [ceil(rows / PANEL), dim, PANEL]; the last is filled up with zeros */
  lfm_distances_fn visit;
  void *context;
} search;

static float *make_panel(float *panel, const lfm_features *rows, int64_t first) {
  int64_t count = rows->rows - first < PANEL ? rows->rows - first : PANEL;
  for (int64_t i = 0; i < count; i++)
    for (int64_t c = 0; c < rows->dim; c++) panel[c * PANEL + i] = rows->x[(first + i) * rows->dim + c];
  return panel + rows->dim * PANEL;
}

/* squares [TOGETHER, PANEL] of TOGETHER queries, each a pointer to its row, to a panel. */
LFM_VECTOR
static void measure(const float *restrict panel, const float *const queries[TOGETHER], int64_t dim,
                    float squares[TOGETHER][PANEL]) {
  float sums[TOGETHER][PANEL] = {{0}};
  for (int64_t c = 0; c < dim; c++)
    for (int q = 0; q < TOGETHER; q++) {
      float x = queries[q][c];
      for (int i = 0; i < PANEL; i++) {
        float difference = panel[c * PANEL + i] - x;
        sums[q][i] += difference * difference;
      }
    }
  memcpy(squares, sums, sizeof sums);
}

static lfm_status visit_batch(void *context, int worker, int64_t task) {
  (void)worker;
  const search *s = context;
  float squares[TOGETHER][PANEL];
  int64_t begin = task * BATCH, end = begin + BATCH < s->queries->rows ? begin + BATCH : s->queries->rows;
  const float *panel = s->panels;
  for (int64_t first = 0; first < s->rows; first += PANEL, panel += s->dim * PANEL) {
    int64_t count = s->rows - first < PANEL ? s->rows - first : PANEL;
    for (int64_t query = begin; query < end; query += TOGETHER) {
      const float *x[TOGETHER];
      for (int q = 0; q < TOGETHER; q++) x[q] = s->queries->x + (query + q < end ? query + q : end - 1) * s->dim;
      measure(panel, x, s->dim, squares);
      for (int q = 0; q < TOGETHER && query + q < end; q++) s->visit(s->context, query + q, first, count, squares[q]);
    }
  }
  return LFM_OK;
}

lfm_status lfm_distances_visit(const lfm_features *queries, const lfm_features *rows, lfm_team *team, lfm_distances_fn visit,
                               void *context) {
  search s = {.queries = queries, .rows = rows->rows, .dim = rows->dim, .visit = visit, .context = context};
  int64_t tasks = (queries->rows + BATCH - 1) / BATCH, panels = (rows->rows + PANEL - 1) / PANEL;
  LFM_TRY(LFM_ALLOC_ROWS(&s.panels, panels * rows->dim * PANEL));
  float *panel = s.panels;
  for (int64_t first = 0; first < rows->rows; first += PANEL) panel = make_panel(panel, rows, first);
  lfm_status status = LFM_OK;
  if (team) status = lfm_team_run(team, tasks, visit_batch, &s);
  else
    for (int64_t task = 0; task < tasks; task++) visit_batch(&s, 0, task);
  lfm_free(s.panels);
  return status;
}

/* ---- the nearest -------------------------------------------------------------------------------------------------- */

typedef struct nearest {
  int k;
  bool itself;
  lfm_neighbour *out;
} nearest;

static void keep_nearest(void *context, int64_t query, int64_t first, int64_t count, const float *squares) {
  const nearest *n = context;
  lfm_neighbour *best = n->out + query * n->k;
  for (int64_t i = 0; i < count; i++) {
    if (!(squares[i] < best[n->k - 1].square) || (n->itself && first + i == query)) continue;
    int at = n->k - 1;
    for (; at > 0 && best[at - 1].square > squares[i]; at--) best[at] = best[at - 1];
    best[at] = (lfm_neighbour){.row = first + i, .square = squares[i]};
  }
}

lfm_status lfm_neighbours_find(const lfm_features *queries, const lfm_features *rows, int k, bool itself, lfm_team *team,
                               lfm_neighbour *out) {
  LFM_TRY(lfm_features_check_pair(queries, rows, 1));
  if (k < 1 || rows->rows - itself < k)
    return lfm_fail(LFM_E_DATA, "%s: %lld rows do not have %d neighbours each", rows->name, (long long)rows->rows, k);
  for (int64_t i = 0; i < queries->rows * k; i++) out[i] = (lfm_neighbour){.row = -1, .square = INFINITY};
  nearest n = {.k = k, .itself = itself, .out = out};
  return lfm_distances_visit(queries, rows, team, keep_nearest, &n);
}
