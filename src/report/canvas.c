/* SPDX-License-Identifier: MIT
 *
 * canvas.c -- cairo behind six calls: what all pictures share (docs/decisions/pictures.md says why cairo).
 * Fonts are drawn without hinting and in grey, whatever the desktop asks for, so that a picture does not depend on settings.
 * cairo_t objects share nothing that is mutable, so pictures may be drawn in several threads at once.
 */
#include "report/canvas.h"
#include "core/file.h"
#include "core/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const lfm_colour lfm_ink = {0.13, 0.14, 0.16};
const lfm_colour lfm_grey = {0.55, 0.57, 0.60};
const lfm_colour lfm_mist = {0.91, 0.92, 0.93};

lfm_colour lfm_palette(int index) {
  static const lfm_colour colours[LFM_COLOURS] = {
      {0.14, 0.42, 0.69}, {0.88, 0.43, 0.12}, {0.13, 0.58, 0.42}, {0.76, 0.27, 0.47},
      {0.45, 0.36, 0.66}, {0.80, 0.64, 0.11}, {0.30, 0.64, 0.81}, {0.45, 0.45, 0.45},
  };
  return colours[(unsigned)index % LFM_COLOURS];
}

lfm_colour lfm_heat(double intensity) {
  static const lfm_colour stops[] = {
      {1.00, 1.00, 1.00}, {0.87, 0.95, 0.88}, {0.68, 0.87, 0.76}, {0.43, 0.76, 0.68}, {0.25, 0.63, 0.65},
      {0.18, 0.49, 0.62}, {0.19, 0.35, 0.56}, {0.21, 0.21, 0.44}, {0.14, 0.09, 0.25},
  };
  const int last = (int)(sizeof stops / sizeof *stops) - 1;
  double at = fmin(fmax(intensity, 0), 1) * last;
  int below = at >= last ? last - 1 : (int)at;
  double s = at - below;
  const lfm_colour *a = &stops[below], *b = a + 1;
  return (lfm_colour){a->red + s * (b->red - a->red), a->green + s * (b->green - a->green),
                      a->blue + s * (b->blue - a->blue)};
}

lfm_status lfm_canvas_open(int width, int height, lfm_canvas *out) {
  *out = (lfm_canvas){.width = width, .height = height};
  if (width < 16 || height < 16 || width > 16384 || height > 16384)
    return lfm_fail(LFM_E_USAGE, "picture: %d x %d pixels; give 16 to 16384", width, height);
  out->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  out->cr = cairo_create(out->surface);
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_set_font_options(out->cr, options);
  cairo_font_options_destroy(options);
  cairo_select_font_face(out->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_line_join(out->cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_source_rgb(out->cr, 1, 1, 1);
  cairo_paint(out->cr);
  return LFM_OK;
}

void lfm_canvas_close(lfm_canvas *canvas) {
  if (canvas->cr) cairo_destroy(canvas->cr);
  if (canvas->surface) cairo_surface_destroy(canvas->surface);
  canvas->cr = NULL;
  canvas->surface = NULL;
}

typedef struct sink {
  lfm_writer *writer;
  lfm_status status;
} sink;

static cairo_status_t put(void *closure, const unsigned char *data, unsigned int size) {
  sink *s = closure;
  s->status = lfm_writer_put(s->writer, data, size);
  return s->status == LFM_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static lfm_status cairo_fault(const char *path, cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return LFM_OK;
  return lfm_fail(status == CAIRO_STATUS_NO_MEMORY ? LFM_E_MEMORY : LFM_E_UNSUPPORTED, "%s: the picture cannot be drawn: %s",
                  path, cairo_status_to_string(status));
}

static lfm_status write_png(const lfm_canvas *canvas, const char *path) {
  sink s = {NULL, LFM_OK};
  LFM_TRY(cairo_fault(path, cairo_status(canvas->cr)));
  LFM_TRY(lfm_writer_open(path, &s.writer));
  cairo_status_t drawn = cairo_surface_write_to_png_stream(canvas->surface, put, &s);
  if (s.status == LFM_OK) s.status = cairo_fault(path, drawn);
  if (s.status == LFM_OK) return lfm_writer_commit(s.writer);
  lfm_writer_abort(s.writer);
  return s.status;
}

lfm_status lfm_canvas_write(lfm_canvas *canvas, const char *path) {
  lfm_status status = write_png(canvas, path);
  lfm_canvas_close(canvas);
  return status;
}

void lfm_canvas_colour(lfm_canvas *canvas, lfm_colour colour, double alpha) {
  cairo_set_source_rgba(canvas->cr, colour.red, colour.green, colour.blue, alpha);
}

void lfm_canvas_line(lfm_canvas *canvas, double x0, double y0, double x1, double y1, double width) {
  cairo_set_line_width(canvas->cr, width);
  cairo_move_to(canvas->cr, x0, y0);
  cairo_line_to(canvas->cr, x1, y1);
  cairo_stroke(canvas->cr);
}

void lfm_canvas_frame(lfm_canvas *canvas, double x, double y, double width, double height) {
  lfm_canvas_colour(canvas, lfm_grey, 1);
  cairo_set_line_width(canvas->cr, 1);
  cairo_rectangle(canvas->cr, floor(x) + 0.5, floor(y) + 0.5, round(width), round(height)); /* on pixel centres: crisp */
  cairo_stroke(canvas->cr);
}

/* A copy that cairo accepts: UTF-8 without control characters, cut at a whole character. */
static void clean(const char *text, char out[256]) {
  size_t at = 0;
  for (const char *in = text; *in && at < 250;) {
    int length = lfm_utf8_length(in);
    if (length == 0 || (unsigned char)*in < ' ') {
      out[at++] = '?';
      in++;
      continue;
    }
    memcpy(out + at, in, (size_t)length);
    at += (size_t)length;
    in += length;
  }
  out[at] = '\0';
}

static double advance(lfm_canvas *canvas, double size, const char *cleaned) {
  cairo_text_extents_t extents;
  cairo_set_font_size(canvas->cr, size);
  cairo_text_extents(canvas->cr, cleaned, &extents);
  return extents.x_advance;
}

double lfm_canvas_text_width(lfm_canvas *canvas, double size, const char *text) {
  char cleaned[256];
  clean(text, cleaned);
  return advance(canvas, size, cleaned);
}

/* Takes characters off the end until the text and an ellipsis fit. */
static void shorten(lfm_canvas *canvas, double size, double most, char text[256]) {
  if (most <= 0 || advance(canvas, size, text) <= most) return;
  size_t length = strlen(text);
  do {
    while (length > 0 && ((unsigned char)text[--length] & 0xC0) == 0x80) continue;
    memcpy(text + length, "\xE2\x80\xA6", 4);
  } while (length > 0 && advance(canvas, size, text) > most);
}

void lfm_canvas_text(lfm_canvas *canvas, lfm_text_place place, double x, double y, double size, double most,
                     const char *text) {
  char cleaned[256];
  clean(text, cleaned);
  shorten(canvas, size, most, cleaned);
  double width = advance(canvas, size, cleaned), share = place == LFM_TEXT_LEFT ? 0 : place == LFM_TEXT_RIGHT ? 1 : 0.5;
  cairo_save(canvas->cr);
  cairo_translate(canvas->cr, x, y);
  if (place == LFM_TEXT_UPWARDS) cairo_rotate(canvas->cr, -1.5707963267948966);
  cairo_move_to(canvas->cr, -share * width, 0);
  cairo_show_text(canvas->cr, cleaned);
  cairo_restore(canvas->cr);
}

void lfm_canvas_number(lfm_canvas *canvas, double x, double y, double size, const char *text, double *right) {
  double half = lfm_canvas_text_width(canvas, size, text) / 2;
  if (x - half < *right + size / 3) return;
  lfm_canvas_text(canvas, LFM_TEXT_CENTRE, x, y, size, 0, text);
  *right = x + half;
}
