/* SPDX-License-Identifier: MIT
 *
 * show.c -- see show.h.
 * Pictures as they come say how good the set is; those closest to the training set say whether some of it is copied.  Showing
 * the former only would hide one copy in a hundred, showing the latter only would make every set look copied.
 */
#include "flow/show.h"

#include "core/alloc.h"
#include "report/pictures.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 8, PLACES = SIDE * SIDE, MOST_COLUMNS = 16, SHOWN = 10 };

/* ---- a grid ---------------------------------------------------------------------------------------------------- */

/* index [SIDE * MOST_COLUMNS]: line by line, `each` columns a class; returns the number of columns, 0 where the set has not
 * enough of some class for a line. */
static int64_t sort_by_class(const lfm_images *images, int64_t each, int64_t *lines, int64_t *index) {
  int64_t columns = images->classes * each, found[MOST_COLUMNS] = {0};
  for (int64_t i = 0; i < images->count; i++) {
    int64_t k = images->labels[i], n = found[k]++;
    if (n < SIDE * each) index[n / each * columns + k * each + n % each] = i;
  }
  *lines = SIDE;
  for (int64_t k = 0; k < images->classes; k++) *lines = found[k] / each < *lines ? found[k] / each : *lines;
  return *lines ? columns : 0;
}

static int64_t choose(const lfm_images *images, int64_t *lines, int64_t *index) {
  int64_t classes = images->classes, columns = 0;
  if (images->labels && classes <= MOST_COLUMNS)
    columns = sort_by_class(images, (SIDE + classes - 1) / classes, lines, index);
  if (columns) return columns;
  for (int64_t i = 0; i < PLACES && i < images->count; i++) index[i] = i;
  *lines = images->count < PLACES ? images->count / SIDE : SIDE;
  return SIDE;
}

lfm_status lfm_show_samples(const lfm_table *pictures, const char *path) {
  int64_t index[SIDE * MOST_COLUMNS], lines, columns = choose(pictures->images, &lines, index);
  lfm_table *shown;
  LFM_TRY(lfm_table_take(pictures, index, lines * columns, &shown));
  lfm_status status = lfm_draw_grid(path, shown->images, lines, columns);
  lfm_table_destroy(shown);
  return status;
}

/* ---- beside the training pictures ------------------------------------------------------------------------------- */

typedef struct place {
  int64_t row;
  float square;
} place;

static int by_closeness(const void *left, const void *right) {
  const place *a = left, *b = right;
  if (a->square != b->square) return a->square < b->square ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* row [SHOWN]: those whose nearest is the nearest of all. */
static lfm_status find_closest(const lfm_neighbour *near, int64_t rows, int k, int64_t *row) {
  place *places;
  LFM_TRY(LFM_ALLOC_ROWS(&places, rows));
  for (int64_t i = 0; i < rows; i++) places[i] = (place){i, near[i * k].square};
  qsort(places, (size_t)rows, sizeof *places, by_closeness);
  for (int64_t i = 0; i < SHOWN && i < rows; i++) row[i] = places[i].row;
  lfm_free(places);
  return LFM_OK;
}

lfm_status lfm_show_nearest(const lfm_table *pictures, const lfm_table *train, const lfm_neighbour *near, int k,
                            const char *path) {
  int64_t count = pictures->rows < SHOWN ? pictures->rows : SHOWN, row[2][SHOWN] = {{0}}, *neighbour;
  double *distance = NULL;
  lfm_status status;
  LFM_TRY(LFM_ALLOC(&neighbour, 2 * count * k));
  LFM_TRY_GOTO(LFM_ALLOC(&distance, 2 * count * k), done);
  for (int64_t i = 0; i < count; i++) row[0][i] = i;
  LFM_TRY_GOTO(find_closest(near, pictures->rows, k, row[1]), done);
  for (int64_t i = 0; i < 2 * count * k; i++) {
    const lfm_neighbour *n = &near[row[i / (count * k)][i / k % count] * k + i % k];
    neighbour[i] = n->row;
    distance[i] = sqrt((double)n->square);
  }
  const lfm_nearest_panel panels[2] = {
      {"as they come", count, k, row[0], neighbour, distance},
      {"the closest of all", count, k, row[1], neighbour + count * k, distance + count * k},
  };
  LFM_TRY_GOTO(lfm_draw_nearest(path, pictures->images, train->images, panels, 2), done);
done:
  lfm_free(distance);
  lfm_free(neighbour);
  return status;
}
