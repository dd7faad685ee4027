/* SPDX-License-Identifier: MIT
 *
 * toom.c -- see toom.h; the matrices are toom_points.h's.
 *
 * With all channels a convolution is a product of matrices for each point, V [tiles, read] U [read, written], and the
 * gradient another, V' [read, tiles] Z [tiles, written]; strips.h makes both.  Forward, a few blocks of channels read and two
 * written go at a time: the points of their taps are made where the tiles meet them, in the second-level cache, and what they
 * give is added to M; one or two tiles meet them in registers.  Tiles go through in chunks whose V stays in the second level
 * too, or is read as it lies.
 * A number is one chain of multiply-adds over the channels, whatever the chunk: a row has its bits alone and in any company.
 */
#include "kernel/toom.h"

#if defined(__x86_64__)
#include "core/order.h"
#include "kernel/strips.h"
#include "kernel/toom_points.h"

#include <string.h>

enum { SQUARE = LANES * LANES, FILTER = TAPS * SQUARE }; /* numbers from tap to tap, and from block to block */
enum { DEPTH = 4, REACH = 2 };                           /* blocks of channels read at a time; pixels beside a tile */
enum { FEW = 2 };                                        /* tiles that need no U in memory */
enum { PAD = LANES };                                    /* between rows, which would all begin in one set of the cache */

/* Where points lie: numbers from point to point, and from row to row, which is a tile's or a channel's. */
typedef struct points {
  float *at;
  int64_t point, row;
} points;

static points points_at(float *at, int64_t rows, int64_t numbers) {
  int64_t row = numbers > TWO ? numbers + PAD : numbers;
  return (points){at, rows * row + PAD, row};
}

static int64_t room_of(const lfm_toom *l, int64_t rows, int64_t numbers) {
  return l->points * points_at(NULL, rows, numbers).point;
}

/* ---- numbers to points ------------------------------------------------------------------------------------------------ */

/* What a tile reads: from where in its block of channels, and which of its numbers are inside. */
typedef struct span {
  int64_t row, at, from, to;
  bool half;
} span;

static span span_of(const lfm_toom *l, int64_t tile, int64_t before) {
  int64_t at = tile % l->across * TILE - before;
  return (span){tile / l->across, at * LANES, at < 0 ? before : 0, l->width - at, l->half};
}

INLINE void load_numbers(__m512 *to, const void *from, const span *s, int count) {
  if (s->half)
    UNROLL for (int64_t j = 0; j < count; j++) to[j] =
        j >= s->from && j < s->to ? floats_of_halves((const uint16_t *)from + j * LANES) : _mm512_setzero_ps();
  else
    UNROLL for (int64_t j = 0; j < count; j++) to[j] =
        _mm512_maskz_loadu_ps(j >= s->from && j < s->to ? 0xFFFF : 0, (const float *)from + j * LANES);
}

INLINE void load_points(__m512 *to, const float *from, int64_t point, bool whole) {
  UNROLL for (int64_t p = 0; p < MOST_POINTS - whole; p++) to[p] = _mm512_loadu_ps(from + p * point);
}

INLINE void store_points(float *to, int64_t point, const __m512 *from, bool whole) {
  UNROLL for (int64_t p = 0; p < MOST_POINTS - whole; p++) _mm512_storeu_ps(to + p * point, from[p]);
}

/* A function for lines of one tile and one for others. */
#define BOTH(NAME, ARGUMENTS, ...)                                                                                           \
  APART void NAME##_of_line ARGUMENTS { NAME(__VA_ARGS__, false); }                                                          \
  APART void NAME##_of_whole ARGUMENTS { NAME(__VA_ARGS__, true); }

INLINE void image_points(float *to, int64_t point, const void *x, const span *s, bool whole) {
  __m512 numbers[SPAN], made[MOST_POINTS];
  load_numbers(numbers, x, s, whole ? TILE : SPAN);
  points_of_image(made, numbers, whole);
  store_points(to, point, made, whole);
}
BOTH(image_points, (float *to, int64_t point, const void *x, const span *s), to, point, x, s)

INLINE void slope_points(float *to, int64_t point, const void *dy, const span *s, bool whole) {
  __m512 numbers[TILE], made[MOST_POINTS];
  load_numbers(numbers, dy, s, TILE);
  points_of_slope(made, numbers, whole);
  store_points(to, point, made, whole);
}
BOTH(slope_points, (float *to, int64_t point, const void *dy, const span *s), to, point, dy, s)

typedef void to_points(float *to, int64_t point, const void *image, const span *s);

/* Tiles [first, first + tiles) of all blocks; `before`: numbers that a tile reads in front of it. */
static void make_points(const lfm_toom *l, const points *to, const void *image, int64_t blocks, int64_t first, int64_t tiles,
                        int64_t before, to_points *make) {
  int64_t size = l->half ? sizeof(uint16_t) : sizeof(float), line = l->width * LANES;
  for (int64_t tile = 0; tile < tiles; tile++) {
    span s = span_of(l, first + tile, before);
    const char *from = (const char *)image + (s.row * blocks * line + s.at) * size;
    float *at = to->at + tile * to->row;
    for (int64_t block = 0; block < blocks; block++, from += line * size, at += LANES) make(at, to->point, from, &s);
  }
}

static void make_image_points(const lfm_toom *l, const points *v, const void *x, int64_t first, int64_t tiles) {
  if (l->whole) make_points(l, v, x, l->read, first, tiles, 0, image_points_of_whole);
  else make_points(l, v, x, l->read, first, tiles, REACH, image_points_of_line);
}

static void make_slope_points(const lfm_toom *l, const points *z, const void *dy, int64_t first, int64_t tiles) {
  make_points(l, z, dy, l->written, first, tiles, 0, l->whole ? slope_points_of_whole : slope_points_of_line);
}

/* db += what the tiles have at the point 1, where a polynomial is the sum of its coefficients. */
static void add_slopes(float *db, const points *z, int64_t tiles, int64_t channels) {
  for (int64_t tile = 0; tile < tiles; tile++) {
    const float *sums = z->at + ONE * z->point + tile * z->row;
    for (int64_t i = 0; i < channels; i++) db[i] += sums[i];
  }
}

/* Where the taps of a block written and one read begin, and how far it is to the next; a turned filter begins with the last.
 */
static int64_t taps_at(const lfm_toom *l, int64_t written, int64_t read, int64_t *tap) {
  int64_t first = (written * l->read + read) * FILTER;
  *tap = l->turned ? -SQUARE : SQUARE;
  return l->turned ? first + (int64_t)(TAPS - 1) * SQUARE : first;
}

INLINE void filter_points(const points *u, const float *taps, int64_t tap, bool whole) {
  float *to = u->at;
  for (int64_t k = 0; k < LANES; k++, taps += LANES, to += u->row) {
    __m512 g[TAPS], made[MOST_POINTS];
    UNROLL for (int64_t j = 0; j < TAPS; j++) g[j] = _mm512_loadu_ps(taps + j * tap);
    points_of_taps(made, g, whole);
    store_points(to, u->point, made, whole);
  }
}
BOTH(filter_points, (const points *u, const float *taps, int64_t tap), u, taps, tap)

/* Taps of one block written and all read: the first, and how far it is to the next. */
typedef struct toom_taps {
  const float *first;
  int64_t tap, blocks;
} toom_taps;

/* Blocks of channels whose taps meet tiles together. */
typedef struct meeting {
  int64_t written, vectors, read, depth;
} meeting;

static meeting meeting_at(const lfm_toom *l, int64_t written, int64_t read) {
  return (meeting){written, lfm_least(l->written - written, PAIR), read, lfm_least(l->read - read, DEPTH)};
}

/* All blocks read, then the next ones written; none has no vectors. */
static meeting behind(const lfm_toom *l, const meeting *of) {
  bool more = of->read + of->depth < l->read;
  return more ? meeting_at(l, of->written, of->read + of->depth) : meeting_at(l, of->written + PAIR, 0);
}

/* U of some blocks written and read. */
static void make_filter_points(const lfm_toom *l, points u, const float *filter, const meeting *of) {
  for (int64_t block = 0; block < of->depth; block++, u.at += LANES * u.row)
    for (int64_t v = 0; v < of->vectors; v++) {
      int64_t tap, at = taps_at(l, of->written + v, of->read + block, &tap);
      points to = {u.at + v * LANES, u.point, u.row};
      (l->whole ? filter_points_of_whole : filter_points_of_line)(&to, filter + at, tap);
    }
}

/* The taps of the next meeting, a share for each point: between the products memory has nothing to do. */
static void fetch_taps(const lfm_toom *l, const float *filter, const meeting *of, int64_t point) {
  int64_t count = of->depth * FILTER, share = (count / l->points + LANES) / LANES * LANES;
  for (int64_t v = 0; v < of->vectors; v++) {
    const float *from = filter + ((of->written + v) * l->read + of->read) * FILTER;
    for (int64_t at = point * share; at < lfm_least((point + 1) * share, count); at += LANES) fetch_line(from + at);
  }
}

/* ---- points to numbers ------------------------------------------------------------------------------------------------ */

INLINE void result(float *y, const span *s, const float *m, int64_t point, const float *bias, bool whole) {
  __m512 made[MOST_POINTS], numbers[TILE], more = bias ? _mm512_loadu_ps(bias) : _mm512_setzero_ps();
  load_points(made, m, point, whole);
  result_of_points(numbers, made, whole);
  UNROLL for (int64_t j = 0; j < TILE; j++)
      _mm512_mask_storeu_ps(y + j * LANES, j < s->to ? 0xFFFF : 0, bias ? _mm512_add_ps(numbers[j], more) : numbers[j]);
}
BOTH(result, (float *y, const span *s, const float *m, int64_t point, const float *bias), y, s, m, point, bias)

static void make_results(const lfm_toom *l, float *y, const points *m, const float *bias, int64_t first, int64_t tiles,
                         int64_t written, int64_t vectors) {
  int64_t line = l->width * LANES;
  for (int64_t tile = 0; tile < tiles; tile++) {
    span s = span_of(l, first + tile, 0);
    for (int64_t v = 0, block = written; v < vectors; v++, block++)
      (l->whole ? result_of_whole : result_of_line)(y + (s.row * l->written + block) * line + s.at, &s,
                                                    m->at + tile * m->row + v * LANES, m->point,
                                                    bias ? bias + block * LANES : NULL);
  }
}

INLINE void gradient(float *dg, int64_t tap, const float *d, int64_t point, bool whole) {
  __m512 made[MOST_POINTS], taps[TAPS];
  load_points(made, d, point, whole);
  taps_of_points(taps, made, whole);
  UNROLL for (int64_t j = 0; j < TAPS; j++) _mm512_storeu_ps(dg + j * tap, taps[j]);
}
BOTH(gradient, (float *dg, int64_t tap, const float *d, int64_t point), dg, tap, d, point)

static void make_filter_gradient(const lfm_toom *l, float *dw, const points *d, int64_t written, int64_t vectors) {
  for (int64_t v = 0; v < vectors; v++)
    for (int64_t i = 0; i < l->read * LANES; i++) {
      int64_t tap, at = taps_at(l, written + v, i / LANES, &tap) + i % LANES * LANES;
      (l->whole ? gradient_of_whole : gradient_of_line)(dw + at, tap, d->at + i * d->row + v * LANES, d->point);
    }
}

/* ---- products -------------------------------------------------------------------------------------------------------- */

/* M of all points = or += V U of a meeting. */
AVX512 static void multiply_filter(const lfm_toom *l, const points *m, const points *v, const points *u, int64_t tiles,
                                   const meeting *of, const float *filter, const meeting *next) {
  strips s = {.c = m->at,
              .c_row = m->row,
              .c_vector = LANES,
              .a = v->at + of->read * LANES,
              .a_row = v->row,
              .a_step = 1,
              .a_block = LANES,
              .b = u->at,
              .b_step = u->row,
              .b_vector = LANES,
              .rows = tiles,
              .depth = of->depth * LANES};
  for (int64_t p = 0; p < l->points; p++, s.c += m->point, s.a += v->point, s.b += u->point) {
    fetch_taps(l, filter, next, p);
    if (of->read) s = added(s);
    multiply_any(&s, of->vectors, of->read > 0);
  }
}

/* M of one block written and few tiles: taps meet them where their points are made, and the sums stay in registers from the
 * first channel to the last. */
INLINE void multiply_few(const points *m, const points *v, const toom_taps *of, int tiles, bool whole) {
  __m512 sum[MOST_POINTS][FEW];
  UNROLL for (int64_t p = 0; p < MOST_POINTS - whole; p++) UNROLL for (int64_t t = 0; t < tiles; t++) sum[p][t] =
      _mm512_setzero_ps();
  const float *at = v->at, *taps = of->first;
  for (int64_t block = 0; block < of->blocks; block++, taps += FILTER - SQUARE)
    for (int64_t k = 0; k < LANES; k++, at++, taps += LANES) {
      __m512 g[TAPS], u[MOST_POINTS];
      UNROLL for (int64_t j = 0; j < TAPS; j++) g[j] = _mm512_loadu_ps(taps + j * of->tap);
      points_of_taps(u, g, whole);
      UNROLL for (int64_t p = 0; p < MOST_POINTS - whole; p++) UNROLL for (int64_t t = 0; t < tiles; t++) sum[p][t] =
          _mm512_fmadd_ps(_mm512_set1_ps(at[p * v->point + t * v->row]), u[p], sum[p][t]);
    }
  UNROLL for (int64_t p = 0; p < MOST_POINTS - whole; p++) UNROLL for (int64_t t = 0; t < tiles; t++)
      _mm512_storeu_ps(m->at + p * m->point + t * m->row, sum[p][t]);
}
#define TILES(N)                                                                                                             \
  APART void multiply_##N##_of_line(const points *m, const points *v, const toom_taps *of) {                                 \
    multiply_few(m, v, of, N, false);                                                                                        \
  }                                                                                                                          \
  APART void multiply_##N##_of_whole(const points *m, const points *v, const toom_taps *of) {                                \
    multiply_few(m, v, of, N, true);                                                                                         \
  }
TILES(1)
TILES(2)
#undef TILES

/* D of all points = or += V' Z, from block `written` on. */
AVX512 static void multiply_slopes(const lfm_toom *l, const points *d, const points *v, const points *z, int64_t tiles,
                                   int64_t written, int64_t vectors, bool add) {
  strips s = {.c = d->at,
              .c_row = d->row,
              .c_vector = LANES,
              .a = v->at,
              .a_row = 1,
              .a_step = v->row,
              .a_block = LANES * v->row,
              .b = z->at + written * LANES,
              .b_step = z->row,
              .b_vector = LANES,
              .rows = l->read * LANES,
              .depth = tiles};
  for (int64_t p = 0; p < l->points; p++, s.c += d->point, s.a += v->point, s.b += z->point) {
    if (add) s = added(s);
    multiply_any(&s, vectors, add);
  }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static const int64_t near = 2 << 20; /* bytes of V, and Z: in the second level, or read as it lies */
enum { MOST_TILES = 96 };            /* at a time: more make the filter no cheaper */

bool lfm_toom_can(const lfm_conv_shape *s) {
  return s->in.block == LANES && s->line && s->size == TAPS && s->stride == 1 && s->in.width > 2 &&
         __builtin_cpu_supports("avx512f");
}

/* As many tiles as fit, and no small rest. */
static int64_t chunk_of(const lfm_toom *l, int64_t channels) {
  int64_t each = l->points * (channels + PAD) * (int64_t)sizeof(float);
  int64_t most = lfm_least(near / each / STRIP * STRIP, MOST_TILES), chunks;
  if (most < STRIP) most = STRIP;
  chunks = (l->tiles + most - 1) / most;
  return lfm_rounded_up((l->tiles + chunks - 1) / chunks, STRIP);
}

lfm_toom lfm_toom_of(const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows, bool half) {
  bool back = pass == LFM_CONV_BACK_DATA, slopes = pass == LFM_CONV_BACK_WEIGHTS;
  lfm_toom l = {.read = lfm_image_blocks(back ? s->out : s->in),
                .written = lfm_image_blocks(back ? s->in : s->out),
                .width = s->in.width,
                .rows = rows,
                .turned = back,
                .whole = s->in.width <= TILE,
                .half = half,
                .across = (s->in.width + TILE - 1) / TILE};
  l.points = MOST_POINTS - l.whole, l.tiles = rows * l.across;
  l.chunk = slopes ? chunk_of(&l, (l.read + l.written) * LANES) : chunk_of(&l, l.read * LANES);
  return l;
}

static int64_t tiles_from(const lfm_toom *l, int64_t first) { return lfm_least(l->tiles - first, l->chunk); }

/* Numbers of D: of two blocks written, of which all are there at once only if the tiles are not. */
static int64_t group_room(const lfm_toom *l) { return room_of(l, l->read * LANES, TWO); }
static int64_t group_step(const lfm_toom *l) { return l->tiles <= l->chunk ? 0 : group_room(l); }

size_t lfm_toom_scratch(const lfm_toom *l, lfm_conv_pass pass) {
  int64_t v = room_of(l, l->chunk, l->read * LANES), u = room_of(l, (int64_t)DEPTH * LANES, TWO),
          m = room_of(l, l->chunk, TWO);
  int64_t z = room_of(l, l->chunk, l->written * LANES), d = group_room(l) + (l->written - 1) / PAIR * group_step(l);
  return (size_t)(v + (pass == LFM_CONV_BACK_WEIGHTS ? z + d : u + m)) * sizeof(float);
}

static void run_few(const lfm_toom *l, const points *m, const points *v, const float *filter, const float *bias, float *y) {
  toom_taps of = {.blocks = l->read};
  for (int64_t written = 0; written < l->written; written++) {
    of.first = filter + taps_at(l, written, 0, &of.tap);
    if (l->tiles == 1) (l->whole ? multiply_1_of_whole : multiply_1_of_line)(m, v, &of);
    else (l->whole ? multiply_2_of_whole : multiply_2_of_line)(m, v, &of);
    make_results(l, y, m, bias, 0, l->tiles, written, 1);
  }
}

void lfm_toom_run(const lfm_toom *l, const float *x, const float *filter, const float *bias, float *y, float *scratch) {
  points v = points_at(scratch, l->chunk, l->read * LANES);
  points u = points_at(v.at + l->points * v.point, (int64_t)DEPTH * LANES, TWO);
  points m = points_at(u.at + l->points * u.point, l->chunk, TWO);
  for (int64_t first = 0, tiles; first < l->tiles; first += tiles) {
    tiles = tiles_from(l, first);
    make_image_points(l, &v, x, first, tiles);
    if (l->tiles <= FEW) run_few(l, &m, &v, filter, bias, y);
    else
      for (meeting at = meeting_at(l, 0, 0), next; at.vectors > 0; at = next) {
        next = behind(l, &at);
        make_filter_points(l, u, filter, &at);
        multiply_filter(l, &m, &v, &u, tiles, &at, filter, &next);
        if (next.read == 0) make_results(l, y, &m, bias, first, tiles, at.written, at.vectors);
      }
  }
}

void lfm_toom_gradient(const lfm_toom *l, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  points v = points_at(scratch, l->chunk, l->read * LANES);
  points z = points_at(v.at + l->points * v.point, l->chunk, l->written * LANES);
  float *room = z.at + l->points * z.point;
  memset(db, 0, (size_t)(l->written * LANES) * sizeof *db);
  for (int64_t first = 0, tiles; first < l->tiles; first += tiles) {
    tiles = tiles_from(l, first);
    make_image_points(l, &v, x, first, tiles);
    make_slope_points(l, &z, dy, first, tiles);
    add_slopes(db, &z, tiles, l->written * LANES);
    for (int64_t written = 0; written < l->written; written += PAIR) {
      int64_t vectors = lfm_least(l->written - written, PAIR);
      points d = points_at(room + written / PAIR * group_step(l), l->read * LANES, TWO);
      multiply_slopes(l, &d, &v, &z, tiles, written, vectors, first > 0);
      if (first + tiles == l->tiles) make_filter_gradient(l, dw, &d, written, vectors);
    }
  }
}
#else
bool lfm_toom_can(const lfm_conv_shape *shape) {
  (void)shape;
  return false;
}

lfm_toom lfm_toom_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows, bool half) {
  (void)shape, (void)pass, (void)rows, (void)half;
  return (lfm_toom){0};
}

size_t lfm_toom_scratch(const lfm_toom *l, lfm_conv_pass pass) {
  (void)l, (void)pass;
  return 0;
}

void lfm_toom_run(const lfm_toom *l, const float *x, const float *filter, const float *bias, float *y, float *scratch) {
  (void)l, (void)x, (void)filter, (void)bias, (void)y, (void)scratch;
}

void lfm_toom_gradient(const lfm_toom *l, const void *x, const void *dy, float *dw, float *db, float *scratch) {
  (void)l, (void)x, (void)dy, (void)dw, (void)db, (void)scratch;
}
#endif
