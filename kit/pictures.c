/* SPDX-License-Identifier: MIT
 *
 * pictures.c -- a chain at work, and its rows beside real ones.
 */
#include "core/file.h"
#include "kit/kit.h"

#include <stdio.h>

enum { PATH = 4096 };
enum { CELLS_A_ROW = 6 }; /* data, four borders, samples */

/* One row of the panel: data, the pool at each border, the noise that generation starts from, the samples. */
static lfm_status fill_row(const char *folder, const char *name, const lfm_table *test, lfm_panel_cell *cells, char (*titles)[48]) {
  char path[PATH], samples[128];
  lfm_model *model;
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  LFM_TRY(lfm_model_load(path, &model));
  int blocks = lfm_model_blocks(model);
  for (int k = 0; k < CELLS_A_ROW; k++) {
    lfm_table *points = NULL;
    titles[k][0] = 0;
    if (k == CELLS_A_ROW - 1) {
      snprintf(samples, sizeof samples, "%s-samples.csv", name);
      LFM_TRY(kit_read(folder, samples, &points));
      snprintf(titles[k], sizeof titles[k], "%s: samples", name);
    } else if (k <= blocks) {
      lfm_push_options options;
      lfm_push_defaults(&options);
      options.to = k;
      LFM_TRY(lfm_push(model, test, &options, &points));
      snprintf(titles[k], sizeof titles[k], k == 0 ? "%s: data" : k == blocks ? "%s: block %d, noise" : "%s: after block %d", name, k);
    }
    cells[k] = (lfm_panel_cell){.title = titles[k], .points = points};
  }
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
  for (int k = 0; k < count; k++) LFM_TRY(fill_row(folder, names[k], train, cells + k * CELLS_A_ROW, titles + k * CELLS_A_ROW));
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
