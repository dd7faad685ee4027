/* SPDX-License-Identifier: MIT
 *
 * panel.c -- lfm_draw_panel: clouds of points side by side as densities, so that one sees what a block has moved.
 *
 * A cloud becomes a histogram of one bin a pixel, smoothed by a Gaussian as wide as the typical distance of neighbours asks
 * for, and then coloured by 1 - exp(-density / typical density), where typical is the density at a point of the cloud: thin
 * and thick clouds use the whole range of colours alike.  Refused: dots with transparency, which saturate where the mass is,
 * and one scale for all squares, which leaves the noise pale beside the data.
 */
#include "core/alloc.h"
#include "data/table.h"
#include "report/canvas.h"

#include <math.h>
#include <string.h>

enum { SIDE = 300, PIXELS = SIDE * SIDE, GAP = 20, TITLE = 40, EDGE = 24, BLUR_REACH = 8 };
static const double FONT = 19;

/* bins [SIDE, SIDE], row 0 at the top; the number of points that fell inside. */
static int64_t count_points(const lfm_table *points, const double window[4], float *bins) {
  int64_t inside = 0;
  memset(bins, 0, PIXELS * sizeof *bins);
  for (int64_t i = 0; i < points->rows; i++) {
    const double *xy = points->values + i * points->cols;
    double u = (xy[0] - window[0]) / (window[1] - window[0]) * SIDE, v = (window[3] - xy[1]) / (window[3] - window[2]) * SIDE;
    if (!(u >= 0 && u < SIDE && v >= 0 && v < SIDE)) continue;
    bins[(int)v * SIDE + (int)u] += 1;
    inside++;
  }
  return inside;
}

/* One pass of the separable Gaussian: rows of `in` become columns of `out`, so that two passes blur and turn back. */
static void blur_and_turn(const float *in, float *out, const float kernel[2 * BLUR_REACH + 1]) {
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++) {
      float sum = 0;
      for (int k = -BLUR_REACH; k <= BLUR_REACH; k++)
        if (i + k >= 0 && i + k < SIDE) sum += kernel[k + BLUR_REACH] * in[j * SIDE + i + k];
      out[i * SIDE + j] = sum;
    }
}

static void blur(float *bins, float *scratch, double sd) {
  float kernel[2 * BLUR_REACH + 1];
  double sum = 0;
  for (int k = -BLUR_REACH; k <= BLUR_REACH; k++) sum += exp(-0.5 * k * k / (sd * sd));
  for (int k = -BLUR_REACH; k <= BLUR_REACH; k++) kernel[k + BLUR_REACH] = (float)(exp(-0.5 * k * k / (sd * sd)) / sum);
  blur_and_turn(bins, scratch, kernel);
  blur_and_turn(scratch, bins, kernel);
}

/* Mean density at a point of the cloud, in points a pixel. */
static double typical_density(const float *bins) {
  double mass = 0, squares = 0;
  for (int i = 0; i < PIXELS; i++) mass += (double)bins[i], squares += (double)bins[i] * (double)bins[i];
  return mass > 0 ? squares / mass : 1;
}

/* A pixel's own points count once too often in `typical_density` of a raw histogram; a first blur gives the pilot. */
static double choose_blur(const float *bins, float *pilot, float *scratch) {
  memcpy(pilot, bins, PIXELS * sizeof *bins);
  blur(pilot, scratch, 1.5);
  return fmin(3, fmax(0.55, 0.95 / sqrt(typical_density(pilot))));
}

static void paint(lfm_canvas *canvas, const float *bins, int left, int top) {
  cairo_surface_flush(canvas->surface);
  unsigned char *data = cairo_image_surface_get_data(canvas->surface);
  int stride = cairo_image_surface_get_stride(canvas->surface);
  if (!data) return; /* the surface holds its error */
  double typical = typical_density(bins);
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++) {
      lfm_colour c = lfm_heat(1 - exp(-1.3 * (double)bins[j * SIDE + i] / typical));
      uint32_t pixel =
          (uint32_t)lround(c.red * 255) << 16 | (uint32_t)lround(c.green * 255) << 8 | (uint32_t)lround(c.blue * 255);
      memcpy(data + (size_t)(top + j) * (size_t)stride + 4 * (size_t)(left + i), &pixel, sizeof pixel);
    }
  cairo_surface_mark_dirty(canvas->surface);
}

/* memory [3, SIDE, SIDE] */
static void draw_cell(lfm_canvas *canvas, const lfm_panel_cell *cell, const double window[4], int left, int top,
                      float *memory) {
  float *bins = memory, *pilot = bins + PIXELS, *scratch = pilot + PIXELS;
  if (count_points(cell->points, window, bins) > 0) {
    blur(bins, scratch, choose_blur(bins, pilot, scratch));
    paint(canvas, bins, left, top);
  }
  lfm_canvas_frame(canvas, left - 1, top - 1, SIDE + 1, SIDE + 1);
  lfm_canvas_colour(canvas, lfm_ink, 1);
  if (cell->title) lfm_canvas_text(canvas, LFM_TEXT_CENTRE, left + SIDE / 2.0, top - 12, FONT, SIDE, cell->title);
}

static lfm_status check(const lfm_panel_cell *cells, int rows, int cols, const double window[4]) {
  if (rows < 1 || cols < 1 || rows > 12 || cols > 12)
    return lfm_fail(LFM_E_USAGE, "panel: %d x %d squares; give 1 to 12 each way", rows, cols);
  if (!(window[0] < window[1]) || !(window[2] < window[3]) || !isfinite(window[1] - window[0]) ||
      !isfinite(window[3] - window[2]))
    return lfm_fail(LFM_E_USAGE, "panel: the window %g..%g, %g..%g is empty", window[0], window[1], window[2], window[3]);
  for (int i = 0; i < rows * cols; i++) {
    const lfm_table *points = cells[i].points;
    if (points && points->images) return lfm_fail(LFM_E_USAGE, "panel: square %d has pictures; give columns of numbers", i);
    if (points && points->cols < 2) return lfm_fail(LFM_E_USAGE, "panel: square %d has fewer than two columns", i);
  }
  return LFM_OK;
}

lfm_status lfm_draw_panel(const char *path, const lfm_panel_cell *cells, int rows, int cols, const double window[4]) {
  LFM_TRY(check(cells, rows, cols, window));
  float *memory = NULL;
  lfm_canvas canvas;
  LFM_TRY(LFM_ALLOC(&memory, 3 * PIXELS));
  lfm_status status =
      lfm_canvas_open(2 * EDGE + cols * (SIDE + GAP) - GAP, EDGE + rows * (SIDE + TITLE + GAP) - GAP, &canvas);
  for (int i = 0; status == LFM_OK && i < rows * cols; i++) {
    int left = EDGE + i % cols * (SIDE + GAP), top = TITLE + i / cols * (SIDE + TITLE + GAP);
    if (cells[i].points) draw_cell(&canvas, &cells[i], window, left, top, memory);
  }
  if (status == LFM_OK) status = lfm_canvas_write(&canvas, path);
  lfm_free(memory);
  return status;
}
