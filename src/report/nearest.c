/* SPDX-License-Identifier: MIT
 *
 * nearest.c -- generated pictures beside the training pictures that are nearest to them: what shows a copy at a glance, where
 * a number has to be believed.
 * A generated picture has a frame, its neighbours stand to the right of it with their distances.  Pixels are bytes of the
 * data, as in grid.c; cairo adds text and frames only.
 */
#include "report/canvas.h"
#include "report/pictures.h"

#include <stdio.h>
#include <string.h>

enum { SIDE = 96, EDGE = 28, GAP = 6, APART = 26, HEAD = 74, FOOT = 20, BETWEEN = 56 }; /* pixels */
static const double TITLE = 19, FONT = 13;

typedef struct layout {
  int scale, width, height; /* of a picture */
} layout;

static layout measure(const lfm_images *images) {
  int64_t side = images->height > images->width ? images->height : images->width;
  int scale = side < SIDE ? (int)(SIDE / side) : 1;
  return (layout){scale, (int)images->width * scale, (int)images->height * scale};
}

static int panel_width(const layout *l, const lfm_nearest_panel *panel) {
  return l->width + APART + (int)panel->neighbours * (l->width + GAP) - GAP;
}

/* Picture i with its left upper corner at (left, top). */
static void paint(lfm_canvas *canvas, const layout *l, const lfm_images *images, int64_t i, int left, int top) {
  cairo_surface_flush(canvas->surface);
  unsigned char *data = cairo_image_surface_get_data(canvas->surface);
  size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
  const uint8_t *pixels = images->pixels + (size_t)i * lfm_images_row_size(images);
  int64_t plane = images->channels == 3 ? images->height * images->width : 0;
  if (!data) return; /* the surface holds its error */
  for (int y = 0; y < l->height; y++)
    for (int x = 0; x < l->width; x++) {
      const uint8_t *at = pixels + y / l->scale * images->width + x / l->scale;
      uint32_t pixel = (uint32_t)at[0] << 16 | (uint32_t)at[plane] << 8 | at[2 * plane];
      memcpy(data + (size_t)(top + y) * stride + 4 * (size_t)(left + x), &pixel, sizeof pixel);
    }
  cairo_surface_mark_dirty(canvas->surface);
}

static void draw_head(lfm_canvas *canvas, const layout *l, const lfm_nearest_panel *panel, int left) {
  int beside = left + l->width + APART;
  lfm_canvas_colour(canvas, lfm_ink, 1);
  lfm_canvas_text(canvas, LFM_TEXT_LEFT, left, 32, TITLE, panel_width(l, panel), panel->title);
  lfm_canvas_colour(canvas, lfm_palette(0), 1);
  lfm_canvas_text(canvas, LFM_TEXT_LEFT, left, HEAD - 14, FONT, l->width + APART - GAP, "generated");
  lfm_canvas_colour(canvas, lfm_ink, 0.75);
  lfm_canvas_text(canvas, LFM_TEXT_LEFT, beside, HEAD - 14, FONT, panel_width(l, panel) - l->width - APART,
                  "nearest training pictures, and their distance");
}

static void draw_row(lfm_canvas *canvas, const layout *l, const lfm_images *pictures, const lfm_images *others,
                     const lfm_nearest_panel *panel, int64_t i, int left, int top) {
  char text[32];
  paint(canvas, l, pictures, panel->row[i], left, top);
  lfm_canvas_colour(canvas, lfm_palette(0), 1);
  cairo_set_line_width(canvas->cr, 2);
  cairo_rectangle(canvas->cr, left - 2, top - 2, l->width + 4, l->height + 4);
  cairo_stroke(canvas->cr);
  for (int64_t k = 0; k < panel->neighbours; k++) {
    int x = left + l->width + APART + (int)k * (l->width + GAP);
    paint(canvas, l, others, panel->neighbour[i * panel->neighbours + k], x, top);
    snprintf(text, sizeof text, "%.3g", panel->distance[i * panel->neighbours + k]);
    lfm_canvas_colour(canvas, lfm_ink, 0.75);
    lfm_canvas_text(canvas, LFM_TEXT_CENTRE, x + l->width / 2.0, top + l->height + FONT + 1, FONT, l->width + GAP, text);
  }
}

lfm_status lfm_draw_nearest(const char *path, const lfm_images *pictures, const lfm_images *others,
                            const lfm_nearest_panel *panels, int count) {
  layout l = measure(pictures);
  int width = 2 * EDGE - BETWEEN, left = EDGE;
  int64_t rows = 0;
  lfm_canvas canvas;
  for (int p = 0; p < count; p++) {
    width += panel_width(&l, &panels[p]) + BETWEEN;
    rows = panels[p].rows > rows ? panels[p].rows : rows;
  }
  LFM_TRY(lfm_canvas_open(width, HEAD + (int)rows * (l.height + FOOT + GAP) + EDGE - GAP, &canvas));
  for (int p = 0; p < count; left += panel_width(&l, &panels[p++]) + BETWEEN) {
    draw_head(&canvas, &l, &panels[p], left);
    for (int64_t i = 0; i < panels[p].rows; i++)
      draw_row(&canvas, &l, pictures, others, &panels[p], i, left, HEAD + (int)i * (l.height + FOOT + GAP));
  }
  return lfm_canvas_write(&canvas, path);
}
