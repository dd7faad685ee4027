/* SPDX-License-Identifier: MIT
 *
 * pictures.c -- a chain at work, and its rows beside real ones.
 */
#include "core/file.h"
#include "kit/kit.h"

#include <stdio.h>

enum { PATH = 4096, SHOWN_ROWS = 20000 };
enum { CELLS_A_ROW = 6 }; /* data, the borders of up to four blocks, samples */

/* The rows carried to one border, 0 .. blocks. */
static lfm_status at_border(const lfm_model *model, const lfm_table *rows, int border, lfm_table **out) {
  lfm_push_options options;
  lfm_push_defaults(&options);
  options.to = border;
  options.solve.tol = 1e-3; /* a dot is wider than that */
  return lfm_push(model, rows, &options, out);
}

/* One row of the panel: data, the pool at each border (the noise of every chain in one column), the samples. */
static lfm_status fill_row(const char *folder, const char *name, const lfm_table *rows, lfm_panel_cell *cells,
                           char (*titles)[48]) {
  char path[PATH], samples[128];
  lfm_table *points;
  lfm_model *model;
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  LFM_TRY(lfm_model_load(path, &model));
  int blocks = lfm_model_blocks(model);
  for (int k = 0; k <= blocks && k < CELLS_A_ROW - 1; k++) {
    int column = k == blocks ? CELLS_A_ROW - 2 : k;
    LFM_TRY(at_border(model, rows, k, &points));
    snprintf(titles[column], sizeof titles[column],
             k == 0        ? "%s: data"
             : k == blocks ? "%s: noise"
                           : "%s: after block %d",
             name, k);
    cells[column] = (lfm_panel_cell){.title = titles[column], .points = points};
  }
  snprintf(samples, sizeof samples, "%s-samples.csv", name);
  LFM_TRY(kit_read(folder, samples, &points));
  snprintf(titles[CELLS_A_ROW - 1], sizeof titles[0], "%s: samples", name);
  cells[CELLS_A_ROW - 1] = (lfm_panel_cell){.title = titles[CELLS_A_ROW - 1], .points = points};
  lfm_model_destroy(model);
  return LFM_OK;
}

lfm_status kit_panel(const char *folder, char **names, int count) {
  enum { MOST_ROWS = 4 };
  if (count > MOST_ROWS) return lfm_fail(LFM_E_USAGE, "panel: at most %d models", MOST_ROWS);
  lfm_panel_cell cells[MOST_ROWS * CELLS_A_ROW] = {0};
  char titles[MOST_ROWS * CELLS_A_ROW][48], path[PATH];
  lfm_table *train;
  LFM_TRY(kit_read(folder, "train.csv", &train));
  if (train->rows > SHOWN_ROWS) train->rows = SHOWN_ROWS;
  for (int k = 0; k < count; k++)
    LFM_TRY(fill_row(folder, names[k], train, cells + k * CELLS_A_ROW, titles + k * CELLS_A_ROW));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "panel.png"));
  LFM_TRY(lfm_draw_panel(path, cells, count, CELLS_A_ROW, (double[4]){-3.6, 3.6, -3.6, 3.6}));
  for (int k = 0; k < count * CELLS_A_ROW; k++) lfm_table_destroy((lfm_table *)(uintptr_t)cells[k].points);
  lfm_table_destroy(train);
  return LFM_OK;
}

lfm_status kit_pairs(const char *folder, const char *name) {
  char path[PATH], samples[128];
  lfm_table *test, *generated;
  snprintf(samples, sizeof samples, "%s-samples.csv", name);
  LFM_TRY(kit_read(folder, "test.csv", &test));
  LFM_TRY(kit_read(folder, samples, &generated));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "pairs.png"));
  lfm_status status = lfm_draw_pairs(path, test, generated);
  lfm_table_destroy(test);
  lfm_table_destroy(generated);
  return status;
}
