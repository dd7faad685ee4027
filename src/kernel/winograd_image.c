/* SPDX-License-Identifier: MIT
 *
 * winograd_image.c -- V = B' x B: tiles of an image to points, for both the convolution and the gradient of its weights.
 */
#if defined(__x86_64__)
#include "kernel/winograd_tiles.h"

INLINE void image_points(float *to, int64_t down, int64_t step, const __m512 *pixels) {
  __m512 points[POINTS];
  tile_of_image(points, pixels);
  store(to, down, step, points, SIDE);
}

APART void image_to_points(float *to, int64_t down, int64_t step, const float *x, int64_t line) {
  __m512 pixels[POINTS];
  load(pixels, x, line, LANES, SIDE);
  image_points(to, down, step, pixels);
}

APART void image_edge_to_points(float *to, int64_t down, int64_t step, const float *x, int64_t line, const inside *in) {
  __m512 pixels[POINTS];
  load_edge(pixels, x, line, in, SIDE);
  image_points(to, down, step, pixels);
}

APART void half_image_to_points(float *to, int64_t down, int64_t step, const uint16_t *x, int64_t line, const inside *in) {
  __m512 pixels[POINTS];
  load_halves(pixels, x, line, in, SIDE);
  image_points(to, down, step, pixels);
}

/* Block by block: its lines are then read in the order they lie. */
void lfm_winograd_image_points(const lfm_winograd *w, const lfm_points *v, const void *x, int64_t first, int64_t tiles) {
  int64_t line = w->width * LANES, block = w->height * line, step = v->point;
  square squares[MOST_TILES];
  float *places[MOST_TILES];
  for (int64_t tile = 0; tile < tiles; tile++)
    squares[tile] = square_of(w, first + tile, SIDE, 1), places[tile] = points_of(v, tile);
  for (int64_t i = 0; i < w->read; i++)
    for (int64_t tile = 0; tile < tiles; tile++) {
      const square *s = &squares[tile];
      int64_t at = (s->row * w->read + i) * block + s->at;
      const float *from = (const float *)x + at;
      float *to = places[tile] + i * v->block;
      if (w->half) half_image_to_points(to, v->line, step, (const uint16_t *)x + at, line, &s->in);
      else if (s->whole) image_to_points(to, v->line, step, from, line);
      else image_edge_to_points(to, v->line, step, from, line, &s->in);
    }
}
#endif
