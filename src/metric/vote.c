/* SPDX-License-Identifier: MIT
 *
 * vote.c -- classification by the majority of the nearest rows to learn from: of a few, and of many.
 */
#include "core/alloc.h"
#include "metric/classifier.h"
#include "metric/neighbours.h"

lfm_status lfm_neighbours_classify(const lfm_split *split, lfm_team *team, uint8_t *said_few, uint8_t *said_many) {
  const lfm_features learnt = {.name = "rows to learn from", .x = split->x, .rows = split->fit, .dim = split->dim};
  const lfm_features asked = {.name = "rows to classify",
                              .x = split->x + split->fit * split->dim,
                              .rows = split->total - split->fit,
                              .dim = split->dim};
  lfm_neighbour *nearest;
  LFM_TRY(LFM_ALLOC(&nearest, asked.rows * LFM_MANY_NEIGHBOURS));
  lfm_status status = lfm_neighbours_find(&asked, &learnt, LFM_MANY_NEIGHBOURS, false, team, nearest);
  for (int64_t i = 0; status == LFM_OK && i < asked.rows; i++) {
    int votes = 0;
    for (int k = 0; k < LFM_MANY_NEIGHBOURS; k++) {
      votes += split->label[nearest[i * LFM_MANY_NEIGHBOURS + k].row];
      if (k + 1 == LFM_FEW_NEIGHBOURS) said_few[split->fit + i] = 2 * votes > LFM_FEW_NEIGHBOURS;
    }
    said_many[split->fit + i] = 2 * votes > LFM_MANY_NEIGHBOURS;
  }
  lfm_free(nearest);
  return status;
}
