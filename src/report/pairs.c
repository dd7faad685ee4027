/* SPDX-License-Identifier: MIT
 *
 * pairs.c -- lfm_draw_pairs: real and generated rows, column against column.
 * Below the diagonal both clouds, drawn in turns of one dot so that neither covers the other; on it both histograms over the
 * same bins.  Axes cover the middle 99 % of the real rows: one far row would otherwise press all others into a corner.
 * Refused: real below and generated above the diagonal; the eye compares an overlay better than mirror images.
 */
#include "core/alloc.h"
#include "core/order.h"
#include "data/table.h"
#include "report/axis.h"
#include "report/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 6, DOTS_MOST = 2500, BINS = 40, GAP = 14, LEFT = 136, TOP = 72, RIGHT = 28, BOTTOM = 92 };
static const double FONT = 19, SMALL = 15;
enum { REAL, GENERATED };

typedef struct pairs {
  const lfm_table *tables[2];
  int columns;
  int side;        /* of a square, in pixels */
  double numbered; /* where the last number below the squares ends */
  lfm_axis axes[COLUMNS_MOST];
  lfm_canvas canvas;
} pairs;

static lfm_colour colour_of(int which) { return lfm_palette(which); }

/* The middle 99 % of each real column; sorted [rows] is scratch. */
static void find_axes(pairs *p, double *sorted) {
  const lfm_table *real = p->tables[REAL];
  for (int c = 0; c < p->columns; c++) {
    int64_t count = 0;
    for (int64_t i = 0; i < real->rows; i++)
      if (isfinite(real->values[i * real->cols + c])) sorted[count++] = real->values[i * real->cols + c];
    qsort(sorted, (size_t)count, sizeof *sorted, lfm_by_size);
    int64_t cut = count / 200;
    p->axes[c] = count > 0 ? lfm_axis_make(sorted[cut], sorted[count - 1 - cut], 0.06, false) : lfm_axis_make(0, 1, 0, false);
  }
}

static lfm_axis placed(const pairs *p, int column, double from, double to) {
  lfm_axis axis = p->axes[column];
  axis.from = from, axis.to = to;
  return axis;
}

/* The k-th of `count` rows, evenly spaced over the table. */
static const double *spaced_row(const lfm_table *table, int64_t k, int64_t count) {
  return table->values + lfm_spaced(k, table->rows, count) * table->cols;
}

static void draw_dots(pairs *p, int across, int down, double left, double top) {
  lfm_axis x = placed(p, across, left, left + p->side), y = placed(p, down, top + p->side, top);
  cairo_t *cr = p->canvas.cr;
  cairo_save(cr);
  cairo_rectangle(cr, left, top, p->side, p->side);
  cairo_clip(cr);
  for (int64_t k = 0; k < DOTS_MOST; k++)
    for (int which = REAL; which <= GENERATED; which++) {
      const lfm_table *table = p->tables[which];
      int64_t count = table->rows < DOTS_MOST ? table->rows : DOTS_MOST;
      if (k >= count) continue;
      const double *row = spaced_row(table, k, count);
      if (!(row[across] >= x.low && row[across] <= x.high && row[down] >= y.low && row[down] <= y.high)) continue;
      lfm_canvas_colour(&p->canvas, colour_of(which), 0.42);
      cairo_arc(cr, lfm_axis_place(&x, row[across]), lfm_axis_place(&y, row[down]), 1.6, 0, 6.283185307179586);
      cairo_fill(cr);
    }
  cairo_restore(cr);
}

/* share [BINS]: the part of the table's rows in each bin; the largest one. */
static double fill_histogram(const lfm_table *table, int column, const lfm_axis *axis, double share[BINS]) {
  double most = 0;
  for (int b = 0; b < BINS; b++) share[b] = 0;
  for (int64_t i = 0; i < table->rows; i++) {
    double at = (table->values[i * table->cols + column] - axis->low) / (axis->high - axis->low) * BINS;
    if (at >= 0 && at < BINS) share[(int)at] += 1 / (double)table->rows;
  }
  for (int b = 0; b < BINS; b++) most = fmax(most, share[b]);
  return most;
}

static void draw_histograms(pairs *p, int column, double left, double top) {
  double share[2][BINS], most = 0, width = (double)p->side / BINS, floor_y = top + p->side;
  for (int which = REAL; which <= GENERATED; which++)
    most = fmax(most, fill_histogram(p->tables[which], column, &p->axes[column], share[which]));
  if (most <= 0) return;
  cairo_t *cr = p->canvas.cr;
  for (int which = REAL; which <= GENERATED; which++) {
    cairo_move_to(cr, left, floor_y);
    for (int b = 0; b < BINS; b++) {
      double y = floor_y - 0.9 * p->side * share[which][b] / most;
      cairo_line_to(cr, left + b * width, y);
      cairo_line_to(cr, left + (b + 1) * width, y);
    }
    cairo_line_to(cr, left + p->side, floor_y);
    lfm_canvas_colour(&p->canvas, colour_of(which), 0.16);
    cairo_fill_preserve(cr);
    lfm_canvas_colour(&p->canvas, colour_of(which), 1);
    cairo_set_line_width(cr, 1.8);
    cairo_stroke(cr);
  }
}

/* Numbers and name under the lowest square of a column, and left of the first square of a row. */
static void label_below(pairs *p, int column, double left, double top) {
  lfm_axis axis = placed(p, column, left, left + p->side);
  lfm_ticks ticks;
  char text[64];
  lfm_axis_ticks(&axis, 3, &ticks);
  for (int i = 0; i < ticks.count; i++) {
    double at = round(lfm_axis_place(&axis, ticks.at[i])) + 0.5;
    lfm_canvas_colour(&p->canvas, lfm_grey, 1);
    lfm_canvas_line(&p->canvas, at, top, at, top + 5, 1);
    lfm_axis_number(&ticks, i, text, sizeof text);
    lfm_canvas_colour(&p->canvas, lfm_ink, 0.7);
    lfm_canvas_number(&p->canvas, at, top + 9 + SMALL, SMALL, text, &p->numbered);
  }
  lfm_canvas_colour(&p->canvas, lfm_ink, 1);
  lfm_canvas_text(&p->canvas, LFM_TEXT_CENTRE, left + p->side / 2.0, top + 9 + SMALL + 1.6 * FONT, FONT, p->side,
                  p->tables[REAL]->names[column]);
}

static void label_left(pairs *p, int column, double left, double top) {
  lfm_axis axis = placed(p, column, top + p->side, top);
  lfm_ticks ticks;
  char text[64];
  lfm_axis_ticks(&axis, 3, &ticks);
  for (int i = 0; column > 0 && i < ticks.count; i++) { /* the first row is a histogram: its height is no value */
    double at = round(lfm_axis_place(&axis, ticks.at[i])) + 0.5;
    lfm_canvas_colour(&p->canvas, lfm_grey, 1);
    lfm_canvas_line(&p->canvas, left - 5, at, left, at, 1);
    lfm_axis_number(&ticks, i, text, sizeof text);
    lfm_canvas_colour(&p->canvas, lfm_ink, 0.7);
    lfm_canvas_text(&p->canvas, LFM_TEXT_RIGHT, left - 9, at + SMALL * 0.34, SMALL, 0, text);
  }
  lfm_canvas_colour(&p->canvas, lfm_ink, 1);
  lfm_canvas_text(&p->canvas, LFM_TEXT_UPWARDS, 28, top + p->side / 2.0, FONT, p->side, p->tables[REAL]->names[column]);
}

static void draw_legend(pairs *p) {
  static const char *const names[] = {"real", "generated"};
  double at = LEFT;
  for (int which = REAL; which <= GENERATED; which++) {
    lfm_canvas_colour(&p->canvas, colour_of(which), 1);
    cairo_arc(p->canvas.cr, at + 7, TOP / 2.0 - 1, 6, 0, 6.283185307179586);
    cairo_fill(p->canvas.cr);
    char text[64];
    snprintf(text, sizeof text, "%s, %lld rows", names[which], (long long)p->tables[which]->rows);
    lfm_canvas_colour(&p->canvas, lfm_ink, 1);
    lfm_canvas_text(&p->canvas, LFM_TEXT_LEFT, at + 22, TOP / 2.0 + 5, FONT, 0, text);
    at += 54 + lfm_canvas_text_width(&p->canvas, FONT, text);
  }
  if (p->tables[REAL]->cols <= COLUMNS_MOST) return;
  char note[96];
  snprintf(note, sizeof note, "the first %d of %lld columns", COLUMNS_MOST, (long long)p->tables[REAL]->cols);
  lfm_canvas_colour(&p->canvas, lfm_grey, 1);
  lfm_canvas_text(&p->canvas, LFM_TEXT_RIGHT, p->canvas.width - RIGHT, TOP / 2.0 + 5, FONT, 0, note);
}

static void draw_squares(pairs *p) {
  for (int down = 0; down < p->columns; down++)
    for (int across = 0; across <= down; across++) {
      int left = LEFT + across * (p->side + GAP), top = TOP + down * (p->side + GAP);
      if (across == down) draw_histograms(p, across, left, top);
      else draw_dots(p, across, down, left, top);
      lfm_canvas_frame(&p->canvas, left - 1, top - 1, p->side + 1, p->side + 1);
      if (down == p->columns - 1) label_below(p, across, left, top + p->side);
      if (across == 0) label_left(p, down, left, top);
    }
}

static lfm_status check_columns(const lfm_table *real, const lfm_table *generated) {
  if (real->cols != generated->cols)
    return lfm_fail(LFM_E_USAGE, "pair plot: %lld real columns and %lld generated ones; give the same", (long long)real->cols,
                    (long long)generated->cols);
  for (int64_t j = 0; j < real->cols && real->names && generated->names; j++)
    if (strcmp(real->names[j], generated->names[j]) != 0)
      return lfm_fail(LFM_E_USAGE,
                      "pair plot: column %lld is '%s' of the real rows and '%s' of the generated ones; give the same",
                      (long long)j + 1, real->names[j], generated->names[j]);
  return LFM_OK;
}

lfm_status lfm_draw_pairs(const char *path, const lfm_table *real, const lfm_table *generated) {
  if (real->images || generated->images)
    return lfm_fail(LFM_E_USAGE, "pair plot: a table holds pictures; give columns of numbers");
  LFM_TRY(check_columns(real, generated));
  pairs p = {.tables = {real, generated}, .columns = real->cols < COLUMNS_MOST ? (int)real->cols : COLUMNS_MOST};
  p.side = p.columns <= 3 ? 300 : 220;
  double *sorted;
  LFM_TRY(LFM_ALLOC(&sorted, real->rows));
  find_axes(&p, sorted);
  lfm_free(sorted);
  int grid = p.columns * (p.side + GAP) - GAP;
  LFM_TRY(lfm_canvas_open(LEFT + grid + RIGHT, TOP + grid + BOTTOM, &p.canvas));
  draw_squares(&p);
  draw_legend(&p);
  return lfm_canvas_write(&p.canvas, path);
}
