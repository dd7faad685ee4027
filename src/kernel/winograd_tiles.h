/* SPDX-License-Identifier: MIT
 *
 * winograd_tiles.h -- how images are cut into tiles, and where the points of tiles lie.  Internal to winograd*.c; x86-64
 * only.
 */
#ifndef LFM_KERNEL_WINOGRAD_TILES_H
#define LFM_KERNEL_WINOGRAD_TILES_H

#include "kernel/winograd.h"
#include "kernel/winograd_lines.h"

enum { MOST_TILES = 192 }; /* at a time */

/* What of a square of pixels lies in the image: [from, to) down and right. */
typedef struct inside {
  int down[2], right[2];
} inside;

/* A square of pixels of one image. */
typedef struct square {
  int64_t row, at; /* image; where it begins in each block of channels */
  inside in;
  bool whole;
} square;

static inline int at_most(int64_t x, int most) { return x < most ? (int)x : most; }

/* Of tile `tile` the `side` pixels square that begins `before` pixels above and left of it. */
static inline square square_of(const lfm_winograd *w, int64_t tile, int side, int before) {
  int64_t in_row = tile % w->each, y = in_row / w->across * TILE - before, x = in_row % w->across * TILE - before;
  square s = {.row = tile / w->each, .at = (y * w->width + x) * LANES};
  s.in.down[0] = y < 0 ? before : 0, s.in.down[1] = at_most(w->height - y, side);
  s.in.right[0] = x < 0 ? before : 0, s.in.right[1] = at_most(w->width - x, side);
  s.whole = s.in.down[1] - s.in.down[0] == side && s.in.right[1] - s.in.right[0] == side;
  return s;
}

/* Zeros outside; of halves, floats between their two lines of memory. */
INLINE void load_edge(__m512 *to, const float *from, int64_t line, const inside *in, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) {
    bool is_in = i >= in->down[0] && i < in->down[1] && j >= in->right[0] && j < in->right[1];
    to[i * side + j] = _mm512_maskz_loadu_ps(is_in ? 0xFFFF : 0, from + i * line + j * LANES);
  }
}

INLINE void load_halves(__m512 *to, const uint16_t *from, int64_t line, const inside *in, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) {
    bool is_in = i >= in->down[0] && i < in->down[1] && j >= in->right[0] && j < in->right[1];
    to[i * side + j] = is_in ? floats_of_halves(from + i * line + j * LANES) : _mm512_setzero_ps();
  }
}

/* Where points lie: numbers from line to line of six, from point to point, from tile to tile, from block to block of
 * channels.  Each `bunch` tiles lie side by side, and bunches `apart`. */
typedef struct lfm_points {
  float *at;
  int64_t line, point, tile, block, bunch, apart;
} lfm_points;

static inline float *points_of(const lfm_points *p, int64_t tile) {
  return p->at + tile / p->bunch * p->apart + tile % p->bunch * p->tile;
}

/* V = B' x B of tiles [first, first + tiles) of all images, MOST_TILES at most. */
void lfm_winograd_image_points(const lfm_winograd *w, const lfm_points *v, const void *x, int64_t first, int64_t tiles);

static inline int64_t tiles_from(const lfm_winograd *w, int64_t first) {
  int64_t left = w->end - first;
  return left < w->chunk ? left : w->chunk;
}

/* Where the taps of read channel `channel` and written block `written` begin, 16 numbers each, `tap` from tap to tap; a
 * turned filter begins with the last. */
static inline int64_t taps_at(const lfm_winograd *w, int64_t written, int64_t channel, int64_t *tap) {
  int64_t first = ((written * w->read + channel / LANES) * TAPS * LANES + channel % LANES) * LANES;
  *tap = w->turned ? -SQUARE : SQUARE;
  return w->turned ? first + (int64_t)(TAPS - 1) * SQUARE : first;
}

/* lfm_winograd_scratch of the gradient. */
size_t lfm_winograd_gradient_scratch(const lfm_winograd *w);

#endif
