/* SPDX-License-Identifier: MIT
 *
 * winograd.c -- see winograd.h.
 *
 *   Y = A' [(G g G') . (B' x B)] A             x: a tile of 6x6 pixels; Y: one of 4x4; g: the taps
 *   dg = G' [sum (B' x B) . (A dY A')] G
 *
 * A, B and G by Toom and Cook for the points 0, +-5/8, +-3/2 and infinity: exact in floats, and twice as accurate as 0, +-1,
 * +-2.
 *
 * With all channels the middle is a product of matrices for each of the 36 points.  The second-level cache sets the measure:
 * the images go through in chunks of tiles, whose points V stay there; the filter's points U, made once a call, which costs
 * as much as three tiles, are streamed past each chunk in the order they lie; the results M of two blocks of channels are
 * brought back while they are near, and between the products the pixels of the next chunk are asked for.  U beforehand would
 * be four times the weights to read, and more memory than all else. A number is one chain of multiply-adds over the channels,
 * whatever the chunk: an image has its bits alone and in any company. Of the gradient the sum runs over the tiles, from the
 * first to the last.
 */
#include "kernel/winograd.h"

#include <string.h>

#if defined(__x86_64__)
#include "kernel/strips.h"

enum { FEW_BLOCKS = 2, MOST_TILES = 192, TAPS = 9, TILE = 4, SIDE = 6, POINTS = SIDE * SIDE, PIXELS = TILE * TILE };
enum { SQUARE = LANES * LANES, FILTER = TAPS * SQUARE }; /* numbers from tap to tap, and from block to block */
enum { WIDE = TILE * LANES };                            /* of a line of a tile */
enum { PAD = LANES }; /* between the points' matrices, which would all begin in one set of the cache */
static const int64_t near = 400 << 10, near_gradient = 1000 << 10; /* bytes of V */

/* ---- one line of a transform, and tiles of lines ------------------------------------------------------------------ */

static const float a = 0.625f, b = 1.5f, aa = 0.390625f, bb = 2.25f, aaa = 0.244140625f, bbb = 3.375f;
static const float aabb = 0.87890625f, aa_bb = 2.640625f; /* a a b b; a a + b b */
static const float g0 = 1 / 0.87890625f, ga = -1 / 1.45263671875f,
                   gb = 1 / 8.3671875f; /* 1 / product of distances to the others */

INLINE __m512 times(float f, __m512 x) { return _mm512_mul_ps(_mm512_set1_ps(f), x); }
INLINE __m512 plus(float f, __m512 x, __m512 to) { return _mm512_fmadd_ps(_mm512_set1_ps(f), x, to); }
INLINE __m512 less(float f, __m512 x, __m512 from) { return _mm512_fnmadd_ps(_mm512_set1_ps(f), x, from); }

/* B': six pixels to six points. */
INLINE void line_of_image(__m512 *to, const __m512 *x, int64_t step) {
  __m512 even_a = less(bb, x[2 * step], x[4 * step]), odd_a = less(bb, x[step], x[3 * step]);
  __m512 even_b = less(aa, x[2 * step], x[4 * step]), odd_b = less(aa, x[step], x[3 * step]);
  to[0] = plus(aabb, x[0], less(aa_bb, x[2 * step], x[4 * step]));
  to[step] = plus(a, odd_a, even_a), to[2 * step] = less(a, odd_a, even_a);
  to[3 * step] = plus(b, odd_b, even_b), to[4 * step] = less(b, odd_b, even_b);
  to[5 * step] = plus(aabb, x[step], less(aa_bb, x[3 * step], x[5 * step]));
}

/* G: three taps to six points. */
INLINE void line_of_filter(__m512 *to, const __m512 *g, int64_t step) {
  __m512 even_a = plus(ga * aa, g[2 * step], times(ga, g[0])), odd_a = times(ga * a, g[step]);
  __m512 even_b = plus(gb * bb, g[2 * step], times(gb, g[0])), odd_b = times(gb * b, g[step]);
  to[0] = times(g0, g[0]);
  to[step] = _mm512_add_ps(even_a, odd_a), to[2 * step] = _mm512_sub_ps(even_a, odd_a);
  to[3 * step] = _mm512_add_ps(even_b, odd_b), to[4 * step] = _mm512_sub_ps(even_b, odd_b);
  to[5 * step] = g[2 * step];
}

/* A': six points to four pixels. */
INLINE void line_of_result(__m512 *to, const __m512 *m, int64_t step) {
  __m512 sum_a = _mm512_add_ps(m[step], m[2 * step]), off_a = _mm512_sub_ps(m[step], m[2 * step]);
  __m512 sum_b = _mm512_add_ps(m[3 * step], m[4 * step]), off_b = _mm512_sub_ps(m[3 * step], m[4 * step]);
  to[0] = _mm512_add_ps(m[0], _mm512_add_ps(sum_a, sum_b));
  to[step] = plus(a, off_a, times(b, off_b));
  to[2 * step] = plus(aa, sum_a, times(bb, sum_b));
  to[3 * step] = plus(aaa, off_a, plus(bbb, off_b, m[5 * step]));
}

/* A: four pixels to six points. */
INLINE void line_of_slope(__m512 *to, const __m512 *y, int64_t step) {
  __m512 even_a = plus(aa, y[2 * step], y[0]), odd_a = plus(aaa, y[3 * step], times(a, y[step]));
  __m512 even_b = plus(bb, y[2 * step], y[0]), odd_b = plus(bbb, y[3 * step], times(b, y[step]));
  to[0] = y[0];
  to[step] = _mm512_add_ps(even_a, odd_a), to[2 * step] = _mm512_sub_ps(even_a, odd_a);
  to[3 * step] = _mm512_add_ps(even_b, odd_b), to[4 * step] = _mm512_sub_ps(even_b, odd_b);
  to[5 * step] = y[3 * step];
}

/* G': six points to three taps. */
INLINE void line_of_gradient(__m512 *to, const __m512 *d, int64_t step) {
  __m512 sum_a = _mm512_add_ps(d[step], d[2 * step]), off_a = _mm512_sub_ps(d[step], d[2 * step]);
  __m512 sum_b = _mm512_add_ps(d[3 * step], d[4 * step]), off_b = _mm512_sub_ps(d[3 * step], d[4 * step]);
  to[0] = plus(g0, d[0], plus(ga, sum_a, times(gb, sum_b)));
  to[step] = plus(ga * a, off_a, times(gb * b, off_b));
  to[2 * step] = plus(ga * aa, sum_a, plus(gb * bb, sum_b, d[5 * step]));
}

/* The lines down, then those across: [before, before] to [after, after]. */
#define TILE_OF(WHAT, BEFORE, AFTER)                                                                                         \
  INLINE void tile_of_##WHAT(__m512 *to, const __m512 *from) {                                                               \
    __m512 half[(BEFORE) * (AFTER)];                                                                                         \
    UNROLL for (int64_t j = 0; j < (BEFORE); j++) line_of_##WHAT(half + j, from + j, BEFORE);                                \
    UNROLL for (int64_t i = 0; i < (AFTER); i++) line_of_##WHAT(to + (AFTER)*i, half + (BEFORE)*i, 1);                       \
  }
TILE_OF(image, 6, 6)
TILE_OF(filter, 3, 6)
TILE_OF(result, 6, 4)
TILE_OF(slope, 4, 6)
TILE_OF(gradient, 6, 3)
#undef TILE_OF

/* A tile of one block of channels.  Functions of their own: in a loop the compiler would keep all 36 addresses. */
#define APART AVX512 __attribute__((noinline)) static

INLINE void load(__m512 *to, const float *from, int64_t line, int64_t step, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) to[i * side + j] =
      _mm512_loadu_ps(from + i * line + j * step);
}

INLINE void store(float *to, int64_t line, int64_t step, const __m512 *from, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++)
      _mm512_storeu_ps(to + i * line + j * step, from[i * side + j]);
}

/* What of a square of pixels lies in the image: [from, to) down and right. */
typedef struct inside {
  int down[2], right[2];
} inside;

/* Zeros outside. */
INLINE void load_edge(__m512 *to, const float *from, int64_t line, const inside *in, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) {
    bool is_in = i >= in->down[0] && i < in->down[1] && j >= in->right[0] && j < in->right[1];
    to[i * side + j] = _mm512_maskz_loadu_ps(is_in ? 0xFFFF : 0, from + i * line + j * LANES);
  }
}

INLINE __m512 sum_of_four(const __m512 *x, int64_t step) {
  return _mm512_add_ps(_mm512_add_ps(x[0], x[step]), _mm512_add_ps(x[2 * step], x[3 * step]));
}

INLINE void image_points(float *to, int64_t step, const __m512 *pixels) {
  __m512 points[POINTS];
  tile_of_image(points, pixels);
  store(to, SIDE * step, step, points, SIDE);
}

APART void image_to_points(float *to, int64_t step, const float *x, int64_t line) {
  __m512 pixels[POINTS];
  load(pixels, x, line, LANES, SIDE);
  image_points(to, step, pixels);
}

APART void image_edge_to_points(float *to, int64_t step, const float *x, int64_t line, const inside *in) {
  __m512 pixels[POINTS];
  load_edge(pixels, x, line, in, SIDE);
  image_points(to, step, pixels);
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

INLINE void result_pixels(__m512 *pixels, const float *m, int64_t step, const float *bias) {
  __m512 points[POINTS];
  load(points, m, SIDE * step, step, SIDE);
  tile_of_result(pixels, points);
  __m512 more = bias ? _mm512_loadu_ps(bias) : _mm512_setzero_ps();
  UNROLL for (int64_t k = 0; k < PIXELS; k++) pixels[k] = bias ? _mm512_add_ps(pixels[k], more) : pixels[k];
}

APART void result_to_pixels(float *y, int64_t line, const float *m, int64_t step, const float *bias) {
  __m512 pixels[PIXELS];
  result_pixels(pixels, m, step, bias);
  store(y, line, LANES, pixels, TILE);
}

/* The same of images of halves, which are floats between their two lines of memory. */
INLINE void load_halves(__m512 *to, const uint16_t *from, int64_t line, const inside *in, int side) {
  UNROLL for (int64_t i = 0; i < side; i++) UNROLL for (int64_t j = 0; j < side; j++) {
    bool is_in = i >= in->down[0] && i < in->down[1] && j >= in->right[0] && j < in->right[1];
    __m512i halves = _mm512_setzero_si512();
    if (is_in) halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(from + i * line + j * LANES)));
    to[i * side + j] = _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16));
  }
}

/* lfm_bf16_of of sixteen. */
INLINE __m256i halves_of(__m512 x) {
  __m512i bits = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
  __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  rounded = _mm512_mask_or_epi32(rounded, is_nan, bits, _mm512_set1_epi32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

APART void half_image_to_points(float *to, int64_t step, const uint16_t *x, int64_t line, const inside *in) {
  __m512 pixels[POINTS];
  load_halves(pixels, x, line, in, SIDE);
  image_points(to, step, pixels);
}

APART void half_slope_to_points(float *to, int64_t step, float *sum, const uint16_t *dy, int64_t line, const inside *in) {
  __m512 pixels[PIXELS];
  load_halves(pixels, dy, line, in, TILE);
  slope_points(to, step, sum, pixels);
}

APART void result_to_half_pixels(uint16_t *y, int64_t line, const float *m, int64_t step, const float *bias,
                                 const inside *in) {
  __m512 pixels[PIXELS];
  result_pixels(pixels, m, step, bias);
  for (int64_t i = 0; i < in->down[1]; i++)
    for (int64_t j = 0; j < in->right[1]; j++)
      _mm256_storeu_si256((__m256i *)(y + i * line + j * LANES), halves_of(pixels[i * TILE + j]));
}

/* `tap` numbers from tap to tap.  The same channel of the next block is asked for: a single image waits for its weights. */
APART void filter_to_points(float *to, int64_t step, const float *g, int64_t tap) {
  __m512 taps[TAPS], points[POINTS];
  UNROLL for (int64_t k = 0; k < TAPS; k++) __builtin_prefetch(g + k * tap + FILTER);
  load(taps, g, 3 * tap, tap, 3);
  tile_of_filter(points, taps);
  store(to, SIDE * step, step, points, SIDE);
}

APART void points_to_gradient(float *dg, int64_t tap, const float *d, int64_t step) {
  __m512 taps[TAPS], points[POINTS];
  load(points, d, SIDE * step, step, SIDE);
  tile_of_gradient(taps, points);
  store(dg, 3 * tap, tap, taps, 3);
}

/* ---- products ------------------------------------------------------------------------------------------------------ */

/* Where the points of a group of one or two blocks of channels lie: [point][line][vector][16]. */
static int64_t vectors_of(int64_t blocks, int64_t group) { return blocks - group * PAIR < PAIR ? 1 : PAIR; }
static int64_t slab(int64_t lines, int64_t vectors) { return lines * vectors * LANES + PAD; }
static int64_t group_room(int64_t lines) { return POINTS * slab(lines, PAIR); }
static int64_t groups_of(int64_t blocks) { return (blocks + PAIR - 1) / PAIR; }

/* M [tiles, a group] = or += V [tiles, some of the channels] U [those channels, a group] of one point. */
AVX512 static void multiply_tiles(float *m, const float *v, const float *u, int64_t tiles, int64_t all_blocks, int64_t blocks,
                                  int64_t vectors, bool add) {
  int64_t wide = vectors * LANES;
  strips s = {.c = m,
              .c_row = wide,
              .c_vector = LANES,
              .a = v,
              .a_row = all_blocks * LANES,
              .a_step = 1,
              .a_block = LANES,
              .b = u,
              .b_step = wide,
              .b_vector = LANES,
              .rows = tiles,
              .depth = blocks * LANES};
  if (add) s = added(s);
  multiply_any(&s, vectors, add);
}

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

/* ---- between images and points -------------------------------------------------------------------------------------- */

/* A square of pixels of one image. */
typedef struct square {
  int64_t row, at; /* image; where it begins in each block of channels */
  inside in;
  bool whole;
} square;

static int at_most(int64_t x, int most) { return x < most ? (int)x : most; }

/* Of tile `tile` the `side` pixels square that begins `before` pixels above and left of it. */
static square square_of(const lfm_winograd *w, int64_t tile, int side, int before) {
  int64_t in_row = tile % w->each, y = in_row / w->across * TILE - before, x = in_row % w->across * TILE - before;
  square s = {.row = tile / w->each, .at = (y * w->width + x) * LANES};
  s.in.down[0] = y < 0 ? before : 0, s.in.down[1] = at_most(w->height - y, side);
  s.in.right[0] = x < 0 ? before : 0, s.in.right[1] = at_most(w->width - x, side);
  s.whole = s.in.down[1] - s.in.down[0] == side && s.in.right[1] - s.in.right[0] == side;
  return s;
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
      for (int64_t j = 0; j < s.in.right[1]; j++) __builtin_prefetch(at + i * line + j * pixel, 0, 2);
  }
}

/* V of tiles [first, first + tiles).  Block by block: its lines are then read in the order they lie. */
static void make_image_points(const lfm_winograd *w, float *v, const void *x, int64_t first, int64_t tiles) {
  int64_t line = w->width * LANES, block = w->height * line, step = slab(tiles, w->read);
  square squares[MOST_TILES];
  for (int64_t tile = 0; tile < tiles; tile++) squares[tile] = square_of(w, first + tile, SIDE, 1);
  for (int64_t i = 0; i < w->read; i++)
    for (int64_t tile = 0; tile < tiles; tile++) {
      const square *s = &squares[tile];
      int64_t at = (s->row * w->read + i) * block + s->at;
      const float *from = (const float *)x + at;
      float *to = v + (tile * w->read + i) * LANES;
      if (w->half) half_image_to_points(to, step, (const uint16_t *)x + at, line, &s->in);
      else if (s->whole) image_to_points(to, step, from, line);
      else image_edge_to_points(to, step, from, line, &s->in);
    }
}

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

/* The pixels of a group from its M; those beside the image go nowhere. */
static void make_pixels(const lfm_winograd *w, void *y, const float *m, const float *bias, int64_t first, int64_t tiles,
                        int64_t group) {
  int64_t line = w->width * LANES, block = w->height * line, vectors = vectors_of(w->written, group);
  int64_t step = slab(tiles, vectors);
  for (int64_t tile = 0; tile < tiles; tile++) {
    square s = square_of(w, first + tile, TILE, 0);
    int64_t at = (s.row * w->written + group * PAIR) * block + s.at;
    float *to = (float *)y + at, spare[TILE * WIDE];
    for (int64_t v = 0; v < vectors; v++, m += LANES, to += block) {
      const float *of = bias ? bias + (group * PAIR + v) * LANES : NULL;
      if (w->half) {
        result_to_half_pixels((uint16_t *)y + at + v * block, line, m, step, of, &s.in);
        continue;
      }
      result_to_pixels(s.whole ? to : spare, s.whole ? line : WIDE, m, step, of);
      for (int64_t i = 0; i < s.in.down[1] && !s.whole; i++)
        memcpy(to + i * line, spare + i * WIDE, (size_t)s.in.right[1] * LANES * sizeof *to);
    }
  }
}

/* ---- between filters and points ------------------------------------------------------------------------------------- */

/* Taps of channel `channel`, 16 written channels each; a turned filter begins with the last. */
static const float *taps_of(const lfm_winograd *w, const float *filter, int64_t written, int64_t channel, int64_t *tap) {
  const float *first = filter + ((written * w->read + channel / LANES) * TAPS * LANES + channel % LANES) * LANES;
  *tap = w->turned ? -SQUARE : SQUARE;
  return w->turned ? first - (TAPS - 1) * *tap : first;
}

/* U of a group and some blocks of what is read. */
static void make_filter_points(const lfm_winograd *w, float *u, const float *filter, int64_t group, int64_t block,
                               int64_t blocks) {
  int64_t vectors = vectors_of(w->written, group), step = slab(blocks * LANES, vectors), tap;
  for (int64_t i = block * LANES; i < (block + blocks) * LANES; i++)
    for (int64_t v = 0; v < vectors; v++, u += LANES) {
      const float *taps = taps_of(w, filter, group * PAIR + v, i, &tap);
      filter_to_points(u, step, taps, tap);
    }
}

/* The taps' gradient from D of a group. */
static void make_filter_gradient(const lfm_winograd *w, float *dw, const float *d, int64_t group) {
  int64_t channels = w->read * LANES, vectors = vectors_of(w->written, group), step = slab(channels, vectors), tap;
  for (int64_t i = 0; i < channels; i++)
    for (int64_t v = 0; v < vectors; v++, d += LANES) {
      float *taps = dw + (taps_of(w, dw, group * PAIR + v, i, &tap) - dw);
      points_to_gradient(taps, tap, d, step);
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

bool lfm_winograd_can(const lfm_conv_shape *s) {
  return s->in.block == LANES && s->size == 3 && !s->line && s->stride == 1 && __builtin_cpu_supports("avx512f");
}

/* As many tiles as fit, in strips, and no small rest. */
static int64_t chunk_of(const lfm_winograd *w, int64_t bytes) {
  int64_t all = w->rows * w->each, most = bytes / (int64_t)sizeof(float) / (w->read * LANES * POINTS) / STRIP * STRIP;
  if (most < STRIP) most = STRIP;
  if (most > MOST_TILES) most = MOST_TILES;
  int64_t chunks = (all + most - 1) / most;
  return ((all + chunks - 1) / chunks + 3) / 4 * 4;
}

lfm_winograd lfm_winograd_of(const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows, bool half) {
  bool back = pass == LFM_CONV_BACK_DATA;
  lfm_winograd w = {.read = lfm_image_blocks(back ? s->out : s->in),
                    .written = lfm_image_blocks(back ? s->in : s->out),
                    .height = s->in.height,
                    .width = s->in.width,
                    .rows = rows,
                    .turned = back,
                    .half = half};
  w.across = (w.width + TILE - 1) / TILE;
  w.each = (w.height + TILE - 1) / TILE * w.across;
  w.chunk = chunk_of(&w, pass == LFM_CONV_BACK_WEIGHTS ? near_gradient : near);
  return w;
}

/* Where all tiles go at once a group's U or D is needed but once, and U is made and used up a few blocks at a time, so that
 * it stays near: of a single image that is most of the work. */
static bool is_once(const lfm_winograd *w) { return w->rows * w->each <= w->chunk; }

/* Numbers of a group's U or D, and of all; of V; of a group's M or Z. */
static int64_t filter_step(const lfm_winograd *w) { return is_once(w) ? 0 : group_room(w->read * LANES); }
static int64_t filter_room(const lfm_winograd *w) {
  return group_room(w->read * LANES) + (groups_of(w->written) - 1) * filter_step(w);
}
static int64_t image_room(const lfm_winograd *w) { return POINTS * slab(w->chunk, w->read); }

size_t lfm_winograd_scratch(const lfm_winograd *w, lfm_conv_pass pass) {
  int64_t groups = pass == LFM_CONV_BACK_WEIGHTS ? groups_of(w->written) : 1;
  return (size_t)(filter_room(w) + image_room(w) + groups * group_room(w->chunk)) * sizeof(float);
}

static int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }

static int64_t tiles_from(const lfm_winograd *w, int64_t first) {
  int64_t left = w->rows * w->each - first;
  return left < w->chunk ? left : w->chunk;
}

void lfm_winograd_run(const lfm_winograd *w, const void *x, const float *filter, const float *bias, void *y, float *scratch) {
  float *u = scratch, *v = u + filter_room(w), *m = v + image_room(w);
  int64_t groups = groups_of(w->written), at_a_time = is_once(w) ? FEW_BLOCKS : w->read;
  for (int64_t first = 0, all = w->rows * w->each, tiles; first < all; first += tiles) {
    tiles = tiles_from(w, first);
    make_image_points(w, v, x, first, tiles);
    wanted next = {x, w->read, 0, w->read, first + tiles, tiles_from(w, first + tiles)};
    for (int64_t group = 0; group < groups; group++) {
      float *of_group = u + group * filter_step(w);
      int64_t vectors = vectors_of(w->written, group);
      wanted written = {y, w->written, group * PAIR, vectors, first, tiles};
      for (int64_t block = 0, blocks; block < w->read; block += blocks) {
        blocks = least(w->read - block, at_a_time);
        if (first == 0) make_filter_points(w, of_group, filter, group, block, blocks);
        for (int64_t p = 0; p < POINTS; p++) {
          if (block == 0) fetch(w, &next, group * POINTS + p, groups * POINTS);
          if (block == 0) fetch(w, &written, p, POINTS);
          multiply_tiles(m + p * slab(tiles, vectors), v + p * slab(tiles, w->read) + block * LANES,
                         of_group + p * slab(blocks * LANES, vectors), tiles, w->read, blocks, vectors, block > 0);
        }
      }
      make_pixels(w, y, m, bias, first, tiles, group);
    }
  }
}

void lfm_winograd_gradient(const lfm_winograd *w, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  float *d = scratch, *v = d + filter_room(w), *z = v + image_room(w);
  int64_t channels = w->read * LANES, groups = groups_of(w->written);
  memset(db, 0, (size_t)(w->written * LANES) * sizeof *db);
  for (int64_t first = 0, all = w->rows * w->each, tiles; first < all; first += tiles) {
    tiles = tiles_from(w, first);
    make_image_points(w, v, x, first, tiles);
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
bool lfm_winograd_can(const lfm_conv_shape *shape) {
  (void)shape;
  return false;
}

lfm_winograd lfm_winograd_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows, bool half) {
  (void)shape, (void)pass, (void)rows, (void)half;
  return (lfm_winograd){0};
}

size_t lfm_winograd_scratch(const lfm_winograd *w, lfm_conv_pass pass) {
  (void)w, (void)pass;
  return 0;
}

void lfm_winograd_run(const lfm_winograd *w, const void *x, const float *filter, const float *bias, void *y, float *scratch) {
  (void)w, (void)x, (void)filter, (void)bias, (void)y, (void)scratch;
}

void lfm_winograd_gradient(const lfm_winograd *w, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  (void)w, (void)x, (void)dy, (void)dw, (void)db, (void)scratch;
}
#endif
