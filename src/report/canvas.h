/* SPDX-License-Identifier: MIT
 *
 * canvas.h -- a white sheet of pixels to draw on, and its way into a PNG file.
 * Errors stick to the sheet, as they do in cairo, and come out of lfm_canvas_write; drawing calls return nothing.
 */
#ifndef LFM_REPORT_CANVAS_H
#define LFM_REPORT_CANVAS_H

#include "core/status.h"

#include <cairo.h>

typedef struct lfm_canvas {
  cairo_surface_t *surface;
  cairo_t *cr;
  int width, height;
} lfm_canvas;

typedef struct lfm_colour {
  double red, green, blue;
} lfm_colour;

extern const lfm_colour lfm_ink;  /* text */
extern const lfm_colour lfm_grey; /* axes, frames and their numbers */
extern const lfm_colour lfm_mist; /* grid lines */

enum { LFM_COLOURS = 8 };
lfm_colour lfm_palette(int index);     /* so many distinct colours, safe for the colour-blind; repeats */
lfm_colour lfm_heat(double intensity); /* 0 white .. 1 dark; lightness falls evenly */

/* LFM_E_USAGE for sizes outside 16..16384. */
lfm_status lfm_canvas_open(int width, int height, lfm_canvas *out);

/* PATH whole or not at all.  Closes the canvas whatever it returns. */
lfm_status lfm_canvas_write(lfm_canvas *canvas, const char *path);
void lfm_canvas_close(lfm_canvas *canvas); /* accepts a closed one */

void lfm_canvas_colour(lfm_canvas *canvas, lfm_colour colour, double alpha);
void lfm_canvas_line(lfm_canvas *canvas, double x0, double y0, double x1, double y1, double width);
void lfm_canvas_frame(lfm_canvas *canvas, double x, double y, double width, double height); /* a thin grey box */

typedef enum lfm_text_place { LFM_TEXT_LEFT, LFM_TEXT_CENTRE, LFM_TEXT_RIGHT, LFM_TEXT_UPWARDS } lfm_text_place;

/* One line in the current colour, `size` pixels high.  (x, y): the left end, middle or right end of the base line; UPWARDS:
 * its middle, turned by a quarter.  Bytes that are no UTF-8 show as '?'; text wider than `most` (0: any) ends in an ellipsis.
 */
void lfm_canvas_text(lfm_canvas *canvas, lfm_text_place place, double x, double y, double size, double most,
                     const char *text);
double lfm_canvas_text_width(lfm_canvas *canvas, double size, const char *text);

/* One of a row of numbers, from left to right, in the middle at x; left out where it would touch the one that ends at *right,
 * which otherwise becomes its own end. */
void lfm_canvas_number(lfm_canvas *canvas, double x, double y, double size, const char *text, double *right);

#endif
