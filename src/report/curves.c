/* SPDX-License-Identifier: MIT
 *
 * curves.c -- lfm_draw_curves: series over common axes, the legend beside them where it hides nothing.
 * The range is that of all drawn values, never a percentile: a spike in a loss is news.
 * A chain of 64 blocks has 65 names, which all stand in the legend: eight colours with eight strokes each, and where a column
 * of the usual size does not hold them, smaller ones side by side.
 */
#include "report/axis.h"
#include "report/canvas.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 1200, HEIGHT = 640 };
static const double LEFT = 110, TOP = 64, BOTTOM = 84, RIGHT = 36, FONT = 18, DOT = 4.5;
/* Of the legend: the stroke before a name, the gaps before and behind it, and the names when there are many. */
static const double STROKE = 34, GAP = 34, SMALL_FONT = 12, WIDEST_NAME = 260;

static bool is_drawn(const lfm_series *series, int64_t i, const lfm_curves_options *options) {
  double x = series->x[i], y = series->y[i];
  return isfinite(x) && isfinite(y) && !(options->log_x && x <= 0) && !(options->log_y && y <= 0);
}

static void find_ranges(const lfm_series *series, int count, const lfm_curves_options *options, lfm_axis *x, lfm_axis *y) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (int s = 0; s < count; s++)
    for (int64_t i = 0; i < series[s].count; i++) {
      if (!is_drawn(&series[s], i, options)) continue;
      x_low = fmin(x_low, series[s].x[i]), x_high = fmax(x_high, series[s].x[i]);
      y_low = fmin(y_low, series[s].y[i]), y_high = fmax(y_high, series[s].y[i]);
    }
  *x = lfm_axis_make(x_low, x_high, 0, options->log_x);
  *y = lfm_axis_make(y_low, y_high, 0.05, options->log_y);
}

/* ---- the legend's place ------------------------------------------------------------------------------------- */

typedef struct legend {
  int columns, rows; /* of names, the rows of the fullest column */
  double font, step; /* from row to row */
  double column;     /* width, its gaps included */
  double name;       /* longer ones are cut */
} legend;

static int count_names(const lfm_series *series, int count) {
  int names = 0;
  for (int s = 0; s < count; s++) names += series[s].name != NULL;
  return names;
}

/* As large as all else in one column; or small, in as many columns as it takes. */
static legend lay_out_legend(lfm_canvas *canvas, const lfm_series *series, int count) {
  int names = count_names(series, count);
  double room = HEIGHT - TOP;
  legend l = {.font = FONT, .step = 1.65 * FONT};
  if (names * l.step > room) l.font = SMALL_FONT, l.step = 1.4 * SMALL_FONT;
  int most = (int)(room / l.step);
  l.columns = (names + most - 1) / most;
  l.rows = l.columns ? (names + l.columns - 1) / l.columns : 0;
  l.name = fmax(1, fmin(WIDEST_NAME, 0.5 * WIDTH / fmax(1, l.columns) - STROKE - GAP)); /* the curves keep half */
  for (int s = 0; s < count; s++)
    if (series[s].name) l.column = fmax(l.column, fmin(l.name, lfm_canvas_text_width(canvas, l.font, series[s].name)));
  l.column += STROKE + GAP;
  return l;
}

/* ---- axes, curves, names ------------------------------------------------------------------------------------- */

/* Room for the widest number beside the y axis, and for the label beyond. */
static double find_left(lfm_canvas *canvas, const lfm_axis *y) {
  lfm_ticks ticks;
  char text[64];
  double widest = 0;
  lfm_axis_ticks(y, 6, &ticks);
  for (int i = 0; i < ticks.count; i++) {
    lfm_axis_number(&ticks, i, text, sizeof text);
    widest = fmax(widest, lfm_canvas_text_width(canvas, FONT, text));
  }
  return fmax(LEFT, 40 + widest + 12);
}

static void draw_axes(lfm_canvas *canvas, const lfm_axis *x, const lfm_axis *y) {
  lfm_ticks ticks;
  char text[64];
  double right = 0;
  lfm_axis_ticks(y, 6, &ticks);
  for (int i = 0; i < ticks.count; i++) {
    double at = round(lfm_axis_place(y, ticks.at[i])) + 0.5;
    lfm_canvas_colour(canvas, lfm_mist, 1);
    lfm_canvas_line(canvas, x->from, at, x->to, at, 1);
    lfm_axis_number(&ticks, i, text, sizeof text);
    lfm_canvas_colour(canvas, lfm_ink, 0.75);
    lfm_canvas_text(canvas, LFM_TEXT_RIGHT, x->from - 12, at + FONT * 0.34, FONT, 0, text);
  }
  lfm_axis_ticks(x, 8, &ticks);
  for (int i = 0; i < ticks.count; i++) {
    double at = round(lfm_axis_place(x, ticks.at[i])) + 0.5;
    lfm_canvas_colour(canvas, lfm_grey, 1);
    lfm_canvas_line(canvas, at, y->from, at, y->from + 6, 1);
    lfm_axis_number(&ticks, i, text, sizeof text);
    lfm_canvas_colour(canvas, lfm_ink, 0.75);
    lfm_canvas_number(canvas, at, y->from + 10 + FONT, FONT, text, &right);
  }
  lfm_canvas_colour(canvas, lfm_grey, 1);
  lfm_canvas_line(canvas, x->from, y->from + 0.5, x->to, y->from + 0.5, 1);
}

/* From the ninth series on colours come again, and with them another stroke each time. */
static void set_stroke(lfm_canvas *canvas, const lfm_series *series) {
  static const struct {
    int count;
    double of[6]; /* drawn, left out, drawn, ... */
  } dashes[] = {
      {0, {0}},                     /* whole */
      {2, {9, 6}},                  /* dashed */
      {2, {2.5, 4.5}},              /* dotted */
      {4, {12, 4, 2.5, 4}},         /* a dash and a dot */
      {2, {20, 5}},                 /* long */
      {6, {12, 4, 2.5, 4, 2.5, 4}}, /* a dash and two dots */
      {4, {20, 5, 6, 5}},           /* long and short */
      {2, {5, 10}},                 /* sparse */
  };
  enum { STROKES = sizeof dashes / sizeof *dashes };
  int stroke = series->colour > 0 ? series->colour / LFM_COLOURS % STROKES : 0;
  if (series->line == LFM_LINE_DASHED && stroke == 0) stroke = 1;
  lfm_canvas_colour(canvas, lfm_palette(series->colour), series->line == LFM_LINE_FAINT ? 0.35 : 1);
  cairo_set_line_width(canvas->cr, series->line == LFM_LINE_FAINT ? 1.2 : 2.4);
  cairo_set_dash(canvas->cr, dashes[stroke].of, dashes[stroke].count, 0);
}

/* Around values that are few: one sees where the line was asked and where it only leads on. */
static void draw_dot(lfm_canvas *canvas, const lfm_series *series, double x, double y) {
  if (series->line != LFM_LINE_DOTS) return;
  cairo_new_sub_path(canvas->cr);
  cairo_arc(canvas->cr, x, y, DOT, 0, 2 * M_PI);
  cairo_fill(canvas->cr);
}

static void draw_series(lfm_canvas *canvas, const lfm_series *series, const lfm_curves_options *options, const lfm_axis *x,
                        const lfm_axis *y) {
  cairo_save(canvas->cr);
  set_stroke(canvas, series);
  bool pen_down = false;
  for (int64_t i = 0; i < series->count; i++) {
    bool drawn = is_drawn(series, i, options);
    if (!drawn) pen_down = false;
    else if (pen_down) cairo_line_to(canvas->cr, lfm_axis_place(x, series->x[i]), lfm_axis_place(y, series->y[i]));
    else cairo_move_to(canvas->cr, lfm_axis_place(x, series->x[i]), lfm_axis_place(y, series->y[i])), pen_down = true;
  }
  cairo_stroke(canvas->cr);
  for (int64_t i = 0; i < series->count; i++)
    if (is_drawn(series, i, options))
      draw_dot(canvas, series, lfm_axis_place(x, series->x[i]), lfm_axis_place(y, series->y[i]));
  cairo_restore(canvas->cr);
}

static void draw_name(lfm_canvas *canvas, const lfm_series *series, const legend *l, double x, double y) {
  cairo_save(canvas->cr);
  set_stroke(canvas, series);
  cairo_move_to(canvas->cr, x, y);
  cairo_line_to(canvas->cr, x + STROKE, y);
  cairo_stroke(canvas->cr);
  draw_dot(canvas, series, x + STROKE / 2, y);
  cairo_restore(canvas->cr);
  lfm_canvas_colour(canvas, lfm_ink, 1);
  lfm_canvas_text(canvas, LFM_TEXT_LEFT, x + STROKE + 12, y + l->font * 0.34, l->font, l->name, series->name);
}

static void draw_legend(lfm_canvas *canvas, const lfm_series *series, int count, const legend *l, double left) {
  int row = 0, column = 0;
  for (int s = 0; s < count; s++) {
    if (!series[s].name) continue;
    draw_name(canvas, &series[s], l, left + column * l->column, TOP + l->font / 2 + row * l->step);
    if (++row == l->rows) row = 0, column++;
  }
}

static void draw_texts(lfm_canvas *canvas, const lfm_curves_options *options, const lfm_axis *x, const lfm_axis *y) {
  lfm_canvas_colour(canvas, lfm_ink, 1);
  double middle = 0.5 * (x->from + x->to), room = x->to - x->from;
  if (options->title) lfm_canvas_text(canvas, LFM_TEXT_LEFT, x->from, 36, FONT * 1.2, room, options->title);
  if (options->x_label) lfm_canvas_text(canvas, LFM_TEXT_CENTRE, middle, HEIGHT - 20, FONT, room, options->x_label);
  if (options->y_label)
    lfm_canvas_text(canvas, LFM_TEXT_UPWARDS, 30, 0.5 * (y->from + y->to), FONT, y->from - y->to, options->y_label);
}

lfm_status lfm_draw_curves(const char *path, const lfm_series *series, int count, const lfm_curves_options *options) {
  static const lfm_curves_options plain = {0};
  if (!options) options = &plain;
  lfm_canvas canvas;
  LFM_TRY(lfm_canvas_open(WIDTH, HEIGHT, &canvas));
  lfm_axis x, y;
  find_ranges(series, count, options, &x, &y);
  legend l = lay_out_legend(&canvas, series, count);
  x.from = find_left(&canvas, &y), x.to = WIDTH - RIGHT - l.columns * l.column;
  y.from = HEIGHT - BOTTOM, y.to = TOP;
  draw_axes(&canvas, &x, &y);
  for (int s = 0; s < count; s++) draw_series(&canvas, &series[s], options, &x, &y);
  draw_legend(&canvas, series, count, &l, x.to + GAP);
  draw_texts(&canvas, options, &x, &y);
  return lfm_canvas_write(&canvas, path);
}
