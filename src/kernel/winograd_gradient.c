/* SPDX-License-Identifier: MIT
 *
 * winograd_gradient.c -- the gradient of a convolution's weights: dg = G' [sum (B' x B) . (A dY A')] G, a sum over the tiles
 * from the first to the last.
 *
 * With all channels the sum is a product of matrices for each of the 36 points.  Chunks of tiles go through, whose points V
 * stay in the second-level cache, and those of dY, Z; D, two blocks of channels at a time, gathers what all of them give.
 * Between the products the pixels of the next chunk are asked for.
 */
#if defined(__x86_64__)
#include "kernel/winograd_tiles.h"

#include <string.h>

enum { PAD = LANES }; /* between the points' matrices, which would all begin in one set of the cache */

INLINE __m512 sum_of_four(const __m512 *x, int64_t step) {
  return _mm512_add_ps(_mm512_add_ps(x[0], x[step]), _mm512_add_ps(x[2 * step], x[3 * step]));
}

/* sum += that of the pixels. */
INLINE void slope_points(float *to, int64_t step, float *sum, const __m512 *pixels) {
  __m512 points[POINTS], columns[TILE];
  UNROLL for (int64_t j = 0; j < TILE; j++) columns[j] = sum_of_four(pixels + j, TILE);
  _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), sum_of_four(columns, 1)));
  tile_of_slope(points, pixels);
  store(to, SIDE * step, step, points, SIDE);
}

APART void slope_to_points(float *to, int64_t step, float *sum, const float *dy, int64_t line, const inside *in) {
  __m512 pixels[PIXELS];
  load_edge(pixels, dy, line, in, TILE);
  slope_points(to, step, sum, pixels);
}

APART void half_slope_to_points(float *to, int64_t step, float *sum, const uint16_t *dy, int64_t line, const inside *in) {
  __m512 pixels[PIXELS];
  load_halves(pixels, dy, line, in, TILE);
  slope_points(to, step, sum, pixels);
}

/* ---- products ------------------------------------------------------------------------------------------------------ */

/* Where the points of a group of one or two blocks of channels lie: [point][line][vector][16]. */
static int64_t vectors_of(int64_t blocks, int64_t group) { return blocks - group * PAIR < PAIR ? 1 : PAIR; }
static int64_t slab(int64_t lines, int64_t vectors) { return lines * vectors * LANES + PAD; }
static int64_t group_room(int64_t lines) { return POINTS * slab(lines, PAIR); }
static int64_t groups_of(int64_t blocks) { return (blocks + PAIR - 1) / PAIR; }

/* D [channels, a group] = or += V' [channels, tiles] Z [tiles, a group] of one point. */
AVX512 static void multiply_slopes(float *d, const float *v, const float *z, int64_t tiles, int64_t blocks, int64_t vectors,
                                   bool add) {
  int64_t channels = blocks * LANES, wide = vectors * LANES;
  strips s = {.c = d,
              .c_row = wide,
              .c_vector = LANES,
              .a = v,
              .a_row = 1,
              .a_step = channels,
              .a_block = LANES * channels,
              .b = z,
              .b_step = wide,
              .b_vector = LANES,
              .rows = channels,
              .depth = tiles};
  if (add) s = added(s);
  multiply_any(&s, vectors, add);
}

/* ---- slopes to points, and points to taps ---------------------------------------------------------------------------- */

/* Z of the same tiles, all groups one after the other; db gains the sum of dy. */
static void make_slope_points(const lfm_winograd *w, float *z, float *db, const void *dy, int64_t first, int64_t tiles) {
  int64_t line = w->width * LANES, block = w->height * line;
  square squares[MOST_TILES];
  for (int64_t tile = 0; tile < tiles; tile++) squares[tile] = square_of(w, first + tile, TILE, 0);
  for (int64_t i = 0; i < w->written; i++) {
    int64_t group = i / PAIR, vectors = vectors_of(w->written, group), step = slab(tiles, vectors);
    float *to = z + group * group_room(tiles) + i % PAIR * LANES;
    for (int64_t tile = 0; tile < tiles; tile++, to += vectors * LANES) {
      const square *s = &squares[tile];
      int64_t at = (s->row * w->written + i) * block + s->at;
      if (w->half) half_slope_to_points(to, step, db + i * LANES, (const uint16_t *)dy + at, line, &s->in);
      else slope_to_points(to, step, db + i * LANES, (const float *)dy + at, line, &s->in);
    }
  }
}

APART void points_to_gradient(float *dg, int64_t tap, const float *d, int64_t step) {
  __m512 taps[TAPS], points[POINTS];
  load(points, d, SIDE * step, step, SIDE);
  tile_of_gradient(taps, points);
  store(dg, 3 * tap, tap, taps, 3);
}

/* The taps' gradient from D of a group. */
static void make_filter_gradient(const lfm_winograd *w, float *dw, const float *d, int64_t group) {
  int64_t channels = w->read * LANES, vectors = vectors_of(w->written, group), step = slab(channels, vectors), tap;
  for (int64_t i = 0; i < channels; i++)
    for (int64_t v = 0; v < vectors; v++, d += LANES) {
      float *taps = dw + taps_at(w, group * PAIR + v, i, &tap);
      points_to_gradient(taps, tap, d, step);
    }
}

/* Pixels that are wanted soon: tiles [first, first + tiles) of some blocks of an image's.  Between the products, where memory
 * has nothing to do, a share of them is asked for. */
typedef struct wanted {
  const void *image;
  int64_t all_blocks, block, blocks, first, tiles;
} wanted;

static void fetch(const lfm_winograd *w, const wanted *p, int64_t share, int64_t shares) {
  int64_t pairs = p->tiles * p->blocks, size = w->half ? sizeof(uint16_t) : sizeof(float), pixel = LANES * size;
  int64_t line = w->width * pixel;
  for (int64_t pair = pairs * share / shares; pair < pairs * (share + 1) / shares; pair++) {
    square s = square_of(w, p->first + pair % p->tiles, TILE, 0);
    int64_t block = s.row * p->all_blocks + p->block + pair / p->tiles;
    const char *at = (const char *)p->image + block * w->height * line + s.at * size;
    for (int64_t i = 0; i < s.in.down[1]; i++)
      for (int64_t j = 0; j < s.in.right[1]; j++) fetch_line(at + i * line + j * pixel);
  }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

/* Numbers of a group's D, which is needed but once where all tiles go at once, and of all; of V. */
static int64_t filter_step(const lfm_winograd *w) { return w->end <= w->chunk ? 0 : group_room(w->read * LANES); }
static int64_t filter_room(const lfm_winograd *w) {
  return group_room(w->read * LANES) + (groups_of(w->written) - 1) * filter_step(w);
}
static int64_t image_room(const lfm_winograd *w) { return POINTS * slab(w->chunk, w->read); }

size_t lfm_winograd_gradient_scratch(const lfm_winograd *w) {
  return (size_t)(filter_room(w) + image_room(w) + groups_of(w->written) * group_room(w->chunk)) * sizeof(float);
}

void lfm_winograd_gradient(const lfm_winograd *w, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  float *d = scratch, *v = d + filter_room(w), *z = v + image_room(w);
  int64_t channels = w->read * LANES, groups = groups_of(w->written);
  memset(db, 0, (size_t)(w->written * LANES) * sizeof *db);
  for (int64_t first = 0, all = w->end, tiles; first < all; first += tiles) {
    tiles = tiles_from(w, first);
    lfm_points places = {v, SIDE * slab(tiles, w->read), slab(tiles, w->read), w->read * LANES, LANES, tiles, 0};
    lfm_winograd_image_points(w, &places, x, first, tiles);
    make_slope_points(w, z, db, dy, first, tiles);
    wanted next_x = {x, w->read, 0, w->read, first + tiles, tiles_from(w, first + tiles)}, next_dy = next_x;
    next_dy.image = dy, next_dy.all_blocks = next_dy.blocks = w->written;
    for (int64_t group = 0; group < groups; group++) {
      float *of_group = d + group * filter_step(w);
      int64_t vectors = vectors_of(w->written, group);
      for (int64_t p = 0; p < POINTS; p++) {
        fetch(w, &next_x, group * POINTS + p, groups * POINTS);
        fetch(w, &next_dy, group * POINTS + p, groups * POINTS);
        multiply_slopes(of_group + p * slab(channels, vectors), v + p * slab(tiles, w->read),
                        z + group * group_room(tiles) + p * slab(tiles, vectors), tiles, w->read, vectors, first > 0);
      }
      if (first + tiles == all) make_filter_gradient(w, dw, of_group, group);
    }
  }
}
#else
#include "kernel/winograd.h"

void lfm_winograd_gradient(const lfm_winograd *w, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  (void)w, (void)x, (void)dy, (void)dw, (void)db, (void)scratch;
}
#endif
