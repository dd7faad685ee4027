/* SPDX-License-Identifier: MIT
 *
 * pictures.c -- a chain at work, its rows beside real ones, and curves of a table.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "data/survey.h"
#include "kit/kit.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN_ROWS = 20000 };
/* The rows carried to one border, 0 .. blocks. */
static lfm_status at_border(const lfm_model *model, const lfm_table *rows, int border, lfm_table **out) {
  lfm_push_options options;
  lfm_push_defaults(&options);
  options.to = border;
  options.solve.tol = 1e-3; /* a dot is wider than that */
  return lfm_push(model, rows, &options, out, NULL);
}

/* A panel: a row a model, whose columns are the data, the pool at each border (the noise of every chain in one column) and
 * the samples. */
enum { MOST_ROWS = 4, MOST_COLUMNS = 8 };
typedef struct panel {
  int rows, columns;
  lfm_panel_cell cells[MOST_ROWS * MOST_COLUMNS];
  char titles[MOST_ROWS * MOST_COLUMNS][48];
} panel;

static void put(panel *p, int row, int column, lfm_table *points, const char *name, const char *what) {
  int at = row * p->columns + column;
  snprintf(p->titles[at], sizeof p->titles[at], "%s: %s", name, what);
  p->cells[at] = (lfm_panel_cell){.title = p->titles[at], .points = points};
}

static lfm_status fill_row(panel *p, int row, const char *folder, const char *name, const lfm_model *model,
                           const lfm_table *rows) {
  char samples[128], what[32];
  lfm_table *points;
  int blocks = lfm_model_blocks(model);
  for (int k = 0; k <= blocks && k < p->columns - 1; k++) {
    LFM_TRY(at_border(model, rows, k, &points));
    snprintf(what, sizeof what, k == 0 ? "data" : k == blocks ? "noise" : "after block %d", k);
    put(p, row, k == blocks ? p->columns - 2 : k, points, name, what);
  }
  snprintf(samples, sizeof samples, "%s-samples.csv", name);
  LFM_TRY(kit_read(folder, samples, &points));
  put(p, row, p->columns - 1, points, name, "samples");
  return LFM_OK;
}

static lfm_status load_models(const char *folder, char **names, int count, lfm_model **models, panel *p) {
  char path[LFM_PATH_SIZE];
  p->rows = count;
  for (int k = 0; k < count; k++) {
    LFM_TRY(lfm_path_join(path, sizeof path, folder, names[k]));
    LFM_TRY(lfm_model_load(path, &models[k]));
    int columns = lfm_model_blocks(models[k]) + 2;
    if (columns > p->columns) p->columns = columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
  }
  return LFM_OK;
}

lfm_status kit_panel(const char *folder, char **names, int count) {
  if (count > MOST_ROWS) return lfm_fail(LFM_E_USAGE, "panel: at most %d models", MOST_ROWS);
  panel p = {0};
  char path[LFM_PATH_SIZE];
  lfm_model *models[MOST_ROWS];
  lfm_table *train;
  LFM_TRY(load_models(folder, names, count, models, &p));
  LFM_TRY(kit_read(folder, "train.csv", &train));
  if (train->rows > SHOWN_ROWS) train->rows = SHOWN_ROWS;
  for (int k = 0; k < count; k++) LFM_TRY(fill_row(&p, k, folder, names[k], models[k], train));
  LFM_TRY(lfm_path_join(path, sizeof path, folder, "panel.png"));
  LFM_TRY(lfm_draw_panel(path, p.cells, p.rows, p.columns, (double[4]){-3.6, 3.6, -3.6, 3.6}));
  for (int k = 0; k < p.rows * p.columns; k++) lfm_table_destroy((lfm_table *)(uintptr_t)p.cells[k].points);
  for (int k = 0; k < count; k++) lfm_model_destroy(models[k]);
  lfm_table_destroy(train);
  return LFM_OK;
}

lfm_status kit_pairs(const char *folder, const char *name) {
  char path[LFM_PATH_SIZE], samples[128];
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

lfm_status kit_curves(const char *path, const char *png, const char *title) {
  enum { MOST_CURVES = 18 };
  lfm_series series[MOST_CURVES];
  lfm_table *table;
  double *points; /* of each curve x [rows], then y [rows]; a row that it has no value in is passed over */
  LFM_TRY(lfm_survey_read(path, &table));
  int count = (int)table->cols - 1;
  if (count < 1 || count > MOST_CURVES) return lfm_fail(LFM_E_DATA, "%s: 2 to %d columns are drawn", path, MOST_CURVES + 1);
  LFM_TRY(LFM_ALLOC(&points, 2 * count * table->rows));
  for (int k = 0; k < count; k++) {
    double *x = points + 2 * k * table->rows, *y = x + table->rows;
    series[k] = (lfm_series){.name = table->names[k + 1], .x = x, .y = y, .colour = k};
    for (int64_t i = 0; i < table->rows; i++) {
      const double *row = table->values + i * table->cols;
      if (!isfinite(row[k + 1])) continue;
      x[series[k].count] = row[0], y[series[k].count++] = row[k + 1];
    }
    if (series[k].count == 1) series[k].line = LFM_LINE_DOTS; /* a line needs two */
  }
  lfm_curves_options options = {.title = title, .x_label = table->names[0], .log_x = true};
  lfm_status status = lfm_draw_curves(png, series, count, &options);
  lfm_free(points);
  lfm_table_destroy(table);
  return status;
}
