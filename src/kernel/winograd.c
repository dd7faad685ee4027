/* SPDX-License-Identifier: MIT
 *
 * winograd.c -- see winograd.h; the convolution itself: Y = A' [(G g G') . (B' x B)] A, summed over the channels read.
 *
 * With all channels the middle is a product of matrices for each of the 36 points.  The first-level cache sets the measure of
 * the filter: its points U are six times a line of them, made in registers from two blocks of channels, multiplied there with
 * the points V of four tiles, and kept beside for the next four.  So a filter is read as its taps and its points never see
 * memory: beforehand they would be four times the weights to read, and written to the second level and back they cost as
 * much as the products of six tiles, where now they cost as much as two.  The second level sets the measure of the images:
 * they go through in chunks of tiles whose V stays there.  What is read next, taps and the pixels of the next chunk, is asked
 * for meanwhile.
 * A number is one chain of multiply-adds over the channels, whatever the chunk: an image has its bits alone and in any
 * company.
 */
#include "kernel/winograd.h"

#if defined(__x86_64__)
#include "core/order.h"
#include "kernel/winograd_tiles.h"

#include <string.h>

enum { BUNCH = 4, STEP = BUNCH * LANES, BUNCH_ROOM = SIDE * STEP }; /* tiles whose sums are in registers together */
enum { DEPTH = 2, MADE = DEPTH * LANES * SIDE * LANES };            /* blocks of channels at a time; numbers of their U */
enum { CACHE_LINE = LANES };
enum { MOST_AT_ONCE = 64 };                                      /* tiles: more make the filter no cheaper */
static const int64_t near = 2 << 20, near_gradient = 1000 << 10; /* bytes of V, which going forward is read as it lies */

/* ---- points to pixels ------------------------------------------------------------------------------------------------ */

INLINE void result_pixels(__m512 *pixels, const float *m, int64_t down, int64_t step, const float *bias) {
  __m512 points[POINTS];
  load(points, m, down, step, SIDE);
  tile_of_result(pixels, points);
  __m512 more = bias ? _mm512_loadu_ps(bias) : _mm512_setzero_ps();
  UNROLL for (int64_t k = 0; k < PIXELS; k++) pixels[k] = bias ? _mm512_add_ps(pixels[k], more) : pixels[k];
}

APART void result_to_pixels(float *y, int64_t line, const float *m, int64_t down, int64_t step, const float *bias) {
  __m512 pixels[PIXELS];
  result_pixels(pixels, m, down, step, bias);
  store(y, line, LANES, pixels, TILE);
}

APART void result_to_half_pixels(uint16_t *y, int64_t line, const float *m, int64_t down, int64_t step, const float *bias,
                                 const inside *in) {
  __m512 pixels[PIXELS];
  result_pixels(pixels, m, down, step, bias);
  for (int64_t i = 0; i < in->down[1]; i++)
    for (int64_t j = 0; j < in->right[1]; j++)
      _mm256_storeu_si256((__m256i *)(y + i * line + j * LANES), halves_of(pixels[i * TILE + j]));
}

/* The pixels of block `block` from its M; those beside the image go nowhere. */
static void make_pixels(const lfm_winograd *w, void *y, const lfm_points *points, const float *bias, int64_t first,
                        int64_t tiles, int64_t block) {
  int64_t line = w->width * LANES;
  const float *of = bias ? bias + block * LANES : NULL;
  for (int64_t tile = 0; tile < tiles; tile++) {
    square s = square_of(w, first + tile, TILE, 0);
    const float *m = points_of(points, tile);
    int64_t at = (s.row * w->written + block) * w->height * line + s.at;
    if (w->half) {
      result_to_half_pixels((uint16_t *)y + at, line, m, points->line, points->point, of, &s.in);
      continue;
    }
    float *to = (float *)y + at, spare[PIXELS * LANES];
    result_to_pixels(s.whole ? to : spare, s.whole ? line : (int64_t)TILE * LANES, m, points->line, points->point, of);
    for (int64_t i = 0; i < s.in.down[1] && !s.whole; i++)
      memcpy(to + i * line, spare + i * TILE * LANES, (size_t)s.in.right[1] * LANES * sizeof *to);
  }
}

/* ---- products -------------------------------------------------------------------------------------------------------- */

/* A line of six points of M, of one block of channels written, and what some blocks of those read add to it. */
typedef struct sums {
  float *m;           /* [bunch][6 points][4 tiles][16] */
  const float *start; /* what it begins with: itself, or zeros of one bunch */
  const float *v;     /* as m, and so for each block, `v_block` apart */
  const float *taps;
  float *made; /* U [channel][6][16] */
  int64_t v_block, tap, blocks, tiles;
} sums;

typedef enum filter_use { MAKE, MAKE_AND_KEEP, TAKE } filter_use;

/* Of one bunch, or of one tile alone, `at` numbers from the first; `line`, `tiles` and `use` are constants of the caller's.
 */
INLINE void add_up(const sums *s, int64_t at, const float *start, int line, int tiles, filter_use use) {
  __m512 sum[SIDE][BUNCH], u[SIDE], taps[3];
  const float *v = s->v + at, *from = s->taps;
  float *m = s->m + at, *made = s->made;
  int64_t tap = s->tap;
  UNROLL for (int64_t j = 0; j < SIDE; j++) UNROLL for (int64_t t = 0; t < tiles; t++) sum[j][t] =
      _mm512_loadu_ps(start + j * STEP + t * LANES);
  for (int64_t block = 0; block < s->blocks; block++, v += s->v_block - LANES, from += FILTER - SQUARE)
    for (int64_t k = 0; k < LANES; k++, v++, from += LANES, made += (int64_t)SIDE * LANES) {
      if (use == TAKE) UNROLL for (int64_t j = 0; j < SIDE; j++) u[j] = _mm512_loadu_ps(made + j * LANES);
      else lines_of_taps(taps, from, tap, line), line_of_filter(u, taps, 1);
      if (use == MAKE_AND_KEEP) UNROLL for (int64_t j = 0; j < SIDE; j++) _mm512_storeu_ps(made + j * LANES, u[j]);
      UNROLL for (int64_t j = 0; j < SIDE; j++) UNROLL for (int64_t t = 0; t < tiles; t++) sum[j][t] =
          _mm512_fmadd_ps(_mm512_set1_ps(v[j * STEP + t * LANES]), u[j], sum[j][t]);
    }
  UNROLL for (int64_t j = 0; j < SIDE; j++) UNROLL for (int64_t t = 0; t < tiles; t++)
      _mm512_storeu_ps(m + j * STEP + t * LANES, sum[j][t]);
}

APART void take_filter(const sums *s, int64_t at, const float *start) { add_up(s, at, start, 0, BUNCH, TAKE); }
APART void take_filter_once(const sums *s, int64_t at, const float *start) { add_up(s, at, start, 0, 1, TAKE); }

/* All tiles, bunch after bunch; where the last is not full, the others' numbers are anything and nobody reads them. */
INLINE void add_up_line(const sums *s, int line) {
  if (s->tiles == 1) add_up(s, 0, s->start, line, 1, MAKE);
  else if (s->tiles <= BUNCH) add_up(s, 0, s->start, line, BUNCH, MAKE);
  else add_up(s, 0, s->start, line, BUNCH, MAKE_AND_KEEP);
  for (int64_t tile = BUNCH, at = BUNCH_ROOM; tile < s->tiles; tile += BUNCH, at += BUNCH_ROOM)
    (s->tiles - tile == 1 ? take_filter_once : take_filter)(s, at, s->start == s->m ? s->m + at : s->start);
}

#define LINE(N)                                                                                                              \
  APART void add_up_line_##N(const sums *s) { add_up_line(s, N); }
LINE(0)
LINE(1)
LINE(2)
LINE(3)
LINE(4)
LINE(5)
#undef LINE

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

bool lfm_winograd_can(const lfm_conv_shape *s) {
  return s->in.block == LANES && s->size == 3 && !s->line && s->stride == 1 && __builtin_cpu_supports("avx512f");
}

/* As many tiles as fit, and no small rest. */
static int64_t chunk_of(const lfm_winograd *w, int64_t bytes, int64_t limit) {
  int64_t all = w->end, most = bytes / (int64_t)sizeof(float) / (w->read * LANES * POINTS) / STRIP * STRIP;
  most = most < STRIP ? STRIP : lfm_least(most, limit);
  int64_t chunks = lfm_parts_of(all, most);
  return lfm_rounded_up(lfm_parts_of(all, chunks), BUNCH);
}

lfm_winograd lfm_winograd_of(const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows, bool half) {
  bool back = pass == LFM_CONV_BACK_DATA, gradient = pass == LFM_CONV_BACK_WEIGHTS;
  lfm_winograd w = {.read = lfm_image_blocks(back ? s->out : s->in),
                    .written = lfm_image_blocks(back ? s->in : s->out),
                    .height = s->in.height,
                    .width = s->in.width,
                    .rows = rows,
                    .turned = back,
                    .half = half};
  w.across = (w.width + TILE - 1) / TILE;
  w.each = (w.height + TILE - 1) / TILE * w.across;
  w.end = w.rows * w.each;
  w.chunk = gradient ? chunk_of(&w, near_gradient, MOST_TILES) : chunk_of(&w, near, MOST_AT_ONCE);
  return w;
}

/* Of a block read a tile takes some 100 cycles to transform, its taps for a block written some 1000. */
bool lfm_winograd_shares_tiles(const lfm_winograd *w) { return w->each >= (int64_t)2 * BUNCH && w->each > 10 * w->written; }

void lfm_winograd_take(lfm_winograd *w, int part, int parts) {
  int64_t all = w->end, bunches = (all + BUNCH - 1) / BUNCH;
  w->first = bunches * part / parts * BUNCH, w->end = lfm_least(bunches * (part + 1) / parts * BUNCH, all);
}

static int64_t line_room(const lfm_winograd *w) { return w->chunk / BUNCH * BUNCH_ROOM; }

/* U of a few channels, V of a chunk, M of it and of one block. */
size_t lfm_winograd_scratch(const lfm_winograd *w, lfm_conv_pass pass) {
  if (pass == LFM_CONV_BACK_WEIGHTS) return lfm_winograd_gradient_scratch(w);
  return (size_t)(MADE + (w->read + 1) * SIDE * line_room(w)) * sizeof(float);
}

/* The taps of the next blocks of channels, a sixth for each line of points. */
static void fetch_taps(const lfm_winograd *w, const float *filter, int64_t next, int64_t blocks, int line) {
  int64_t share = lfm_least(blocks, w->written * w->read - next) * (FILTER / SIDE);
  const float *from = filter + next * FILTER + line * share;
  for (int64_t at = 0; at < share; at += CACHE_LINE) fetch_line(from + at);
}

/* M of the tiles at work and one block written. */
static void make_sums(const lfm_winograd *w, sums *s, const float *filter, const lfm_points *v, const lfm_points *m,
                      int64_t written) {
  static void (*const add_up_of[SIDE])(const sums *) = {add_up_line_0, add_up_line_1, add_up_line_2,
                                                        add_up_line_3, add_up_line_4, add_up_line_5};
  static const float zeros[SIDE * STEP];
  for (int64_t block = 0; block < w->read; block += s->blocks) {
    s->blocks = lfm_least(w->read - block, DEPTH);
    s->taps = filter + taps_at(w, written, block * LANES, &s->tap);
    for (int line = 0; line < SIDE; line++) {
      fetch_taps(w, filter, written * w->read + block + s->blocks, s->blocks, line);
      s->m = m->at + line * m->line, s->v = v->at + block * v->block + line * v->line;
      s->start = block ? s->m : zeros;
      add_up_of[line](s);
    }
  }
}

void lfm_winograd_run(const lfm_winograd *w, const void *x, const float *filter, const float *bias, void *y, float *scratch) {
  lfm_points v = {scratch + MADE, line_room(w), STEP, LANES, SIDE * line_room(w), BUNCH, BUNCH_ROOM}, m = v;
  m.at += w->read * v.block;
  for (int64_t first = w->first, tiles; first < w->end; first += tiles) {
    tiles = tiles_from(w, first);
    lfm_winograd_image_points(w, &v, x, first, tiles);
    sums s = {.made = scratch, .v_block = v.block, .tiles = tiles};
    for (int64_t block = 0; block < w->written; block++) {
      make_sums(w, &s, filter, &v, &m, block);
      make_pixels(w, y, &m, bias, first, tiles, block);
    }
  }
}
#else
bool lfm_winograd_can(const lfm_conv_shape *shape) {
  (void)shape;
  return false;
}

lfm_winograd lfm_winograd_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows, bool half) {
  (void)shape, (void)pass, (void)rows, (void)half;
  return (lfm_winograd){0};
}

bool lfm_winograd_shares_tiles(const lfm_winograd *w) {
  (void)w;
  return false;
}

void lfm_winograd_take(lfm_winograd *w, int part, int parts) { (void)w, (void)part, (void)parts; }

size_t lfm_winograd_scratch(const lfm_winograd *w, lfm_conv_pass pass) {
  (void)w, (void)pass;
  return 0;
}

void lfm_winograd_run(const lfm_winograd *w, const void *x, const float *filter, const float *bias, void *y, float *scratch) {
  (void)w, (void)x, (void)filter, (void)bias, (void)y, (void)scratch;
}
#endif
