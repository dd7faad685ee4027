/* SPDX-License-Identifier: MIT
 *
 * amx_conv.c -- see amx_conv.h.  A direct convolution, sum by sum in tile registers.
 *
 * Images are laid out anew: 32 channels, a line of a tile, for each pixel; pixels in one long row with zeros behind every
 * line of an image and so many lines of zeros behind every image that no tap reaches over them.  In that row a tap is a
 * distance, the same from every pixel, so that a tile is any 16 neighbours, over the ends of lines and of images, and its
 * sums at the zeros are dropped.  With stride 2 there are as many such rows as remainders of pixels by two, which the taps
 * share out.
 *
 * The gradient of the weights is a sum over pixels of two images: their numbers lie side by side, as the instruction wants
 * pairs.  So what belongs to a tap is a distance there too, whole lines of a tile of dy, and x alone changes lines for
 * columns.
 *
 * A number of the result is one chain of sums, block by block of the channels read and tap by tap, whatever stands beside it.
 */
#include "kernel/amx_conv.h"
#include "core/order.h"
#include "kernel/amx.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include "kernel/amx_tiles.h"

enum { MOST_TAPS = 31, LINE = TILE_HALVES, TILE = TILE_LINES * LINE, SQUARE = LANES * LANES, PAIR = 2 };
enum { SUMS = BLOCK * LANES, ALL_SUMS = PAIR * SUMS }; /* of 32 pixels: of a block of channels, of two */
static const int64_t near = 1 << 19;                   /* bytes that stay in the second level */

bool lfm_amx_conv_can(const lfm_conv_shape *s) {
  return s->in.block == LANES && lfm_conv_taps(s) <= MOST_TAPS && s->stride <= 2 && lfm_amx_ready();
}

/* ---- where pixels lie ---------------------------------------------------------------------------------------------- */

/* Of one image's pixels, those at every stride-th, behind the convolution: line to line, image to image, and in front. */
static int64_t pitch(const lfm_amx_conv *c) { return c->small.width + c->beside; }
static int64_t each(const lfm_amx_conv *c) { return (c->small.height + c->below) * pitch(c); }
static int64_t lead(const lfm_amx_conv *c) { return c->below * pitch(c) + c->beside; }

/* Remainders by the stride that taps have. */
static int64_t planes_down(const lfm_amx_conv *c) { return c->back ? 1 : lfm_least(c->stride, c->lines); }
static int64_t planes_along(const lfm_amx_conv *c) { return c->back ? 1 : lfm_least(c->stride, c->columns); }
static int64_t planes(const lfm_amx_conv *c) { return planes_down(c) * planes_along(c); }

/* Lines of a tile a plane: of `images`, with zeros in front and behind and what the last tiles read beyond. */
static int64_t span(const lfm_amx_conv *c) { return 2 * lead(c) + c->chunk * each(c) + BLOCK; }

/* Blocks of channels that lie in lines: of the image read, 32 each; of the gradient those of dy. */
static int64_t blocks_laid(const lfm_amx_conv *c) { return c->gradient ? c->written : (c->read + 1) / 2; }

static int64_t laid_lines(const lfm_amx_conv *c) { return blocks_laid(c) * (c->gradient ? 1 : planes(c)) * span(c); }

/* Tiles of 16 pixels of x, in the gradient. */
static int64_t tiles_of_pixels(const lfm_amx_conv *c, int64_t images) { return (images * each(c) + LANES - 1) / LANES; }

static int64_t zeros_beside(int64_t taps, int64_t stride) { return (taps / 2 + stride - 1) / stride; }

lfm_amx_conv lfm_amx_conv_of(const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows) {
  bool back = pass == LFM_CONV_BACK_DATA;
  lfm_amx_conv c = {.read = lfm_image_blocks(back ? s->out : s->in),
                    .written = lfm_image_blocks(back ? s->in : s->out),
                    .large = s->in,
                    .small = s->out,
                    .lines = lfm_conv_lines(s),
                    .columns = s->size,
                    .stride = s->stride,
                    .rows = rows,
                    .back = back,
                    .gradient = pass == LFM_CONV_BACK_WEIGHTS};
  c.below = zeros_beside(c.lines, c.stride), c.beside = zeros_beside(c.columns, c.stride);
  int64_t images = c.gradient ? (rows + 1) / 2 : rows;
  int64_t blocks = c.gradient ? c.written + c.read * planes(&c) : blocks_laid(&c) * planes(&c);
  int64_t most = near / (blocks * each(&c) * TILE_BYTES), chunks = most ? (images + most - 1) / most : images;
  c.chunk = (images + chunks - 1) / chunks;
  return c;
}

/* Behind what is laid out in lines: of the gradient x, of others the sums and the places of pixels. */
size_t lfm_amx_conv_scratch(const lfm_amx_conv *c) {
  size_t laid = (size_t)(laid_lines(c) * TILE_BYTES);
  int64_t x = c->read * planes(c) * tiles_of_pixels(c, c->chunk) * TILE_LINES, places = c->chunk * each(c) + BLOCK;
  if (c->gradient) return laid + (size_t)(x * TILE_BYTES);
  return laid + ALL_SUMS * sizeof(float) + (size_t)places * sizeof(int32_t);
}

/* A tap reads its plane so many pixels further on. */
typedef struct tap {
  int64_t number, plane, offset;
} tap;

/* `at` pixels from the middle: the remainder, and the whole strides. */
static int64_t rest(int64_t at, int64_t stride) { return (at % stride + stride) % stride; }
static int64_t strides(int64_t at, int64_t stride) { return (at - rest(at, stride)) / stride; }

/* The taps by number; of back data those that reach the pixels of remainder (down, along), from where they came. */
static int64_t taps_of(const lfm_amx_conv *c, int64_t down, int64_t along, tap *taps) {
  int64_t count = 0;
  for (int64_t line = 0; line < c->lines; line++)
    for (int64_t column = 0; column < c->columns; column++) {
      int64_t y = line - (c->lines - 1) / 2, x = column - (c->columns - 1) / 2;
      int64_t rest_down = rest(y, c->stride), rest_along = rest(x, c->stride);
      int64_t offset = strides(y, c->stride) * pitch(c) + strides(x, c->stride), number = line * c->columns + column;
      if (!c->back) taps[count++] = (tap){number, rest_down * planes_along(c) + rest_along, offset};
      else if (rest_down == down && rest_along == along) taps[count++] = (tap){number, 0, -offset};
    }
  return count;
}

/* ---- laying images out --------------------------------------------------------------------------------------------- */

/* The pixels of one remainder: of two blocks of channels, or one block of two images; without the second there are zeros. */
typedef struct source {
  const uint16_t *low, *high;
  int64_t height, width, step, line; /* pixels; halves from one to the next, and down */
} source;

/* Pixels of an image at every stride-th. */
static source source_of(lfm_image image, int64_t stride, int64_t down, int64_t along, const uint16_t *low,
                        const uint16_t *high) {
  int64_t first = (down * image.width + along) * LANES;
  return (source){.low = low + first,
                  .high = high ? high + first : NULL,
                  .height = (image.height - down + stride - 1) / stride,
                  .width = (image.width - along + stride - 1) / stride,
                  .step = stride * LANES,
                  .line = stride * image.width * LANES};
}

AMX_INLINE __m512i both(const source *s, int64_t at, bool paired) {
  __m256i low = _mm256_loadu_si256((const __m256i *)(s->low + at)), high = _mm256_setzero_si256();
  if (s->high) high = _mm256_loadu_si256((const __m256i *)(s->high + at));
  if (paired) return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

static inline void zero_lines(uint16_t *to, int64_t count) { memset(to, 0, (size_t)(count * TILE_BYTES)); }

AMX_INLINE void lay_image(const lfm_amx_conv *c, uint16_t *to, const source *s, bool paired) {
  int64_t width = s->height > 0 && s->width > 0 ? s->width : 0, line = pitch(c);
  for (int64_t y = 0; y < s->height; y++, to += line * LINE) {
    for (int64_t x = 0; x < width; x++) _mm512_storeu_si512(to + x * LINE, both(s, y * s->line + x * s->step, paired));
    for (int64_t x = width; x < line; x++) _mm512_storeu_si512(to + x * LINE, _mm512_setzero_si512());
  }
  if (s->height < c->small.height + c->below) zero_lines(to, (c->small.height + c->below - s->height) * line);
}

AMX static void lay_channels(const lfm_amx_conv *c, uint16_t *to, const source *s) { lay_image(c, to, s, false); }
AMX static void lay_pairs(const lfm_amx_conv *c, uint16_t *to, const source *s) { lay_image(c, to, s, true); }

/* Images [first, first + count) of what is read, all planes of all blocks. */
AMX static void lay_channels_of(const lfm_amx_conv *c, uint16_t *to, const uint16_t *from, int64_t first, int64_t count) {
  lfm_image image = c->back ? c->small : c->large;
  int64_t stride = c->back ? 1 : c->stride, block = lfm_image_pixels(image) * LANES;
  for (int64_t i = 0; i < c->read; i += PAIR)
    for (int64_t plane = 0; plane < planes(c); plane++, to += span(c) * LINE) {
      zero_lines(to, lead(c));
      for (int64_t row = 0; row < count; row++) {
        const uint16_t *low = from + ((first + row) * c->read + i) * block;
        source s = source_of(image, stride, plane / planes_along(c), plane % planes_along(c), low,
                             i + 1 < c->read ? low + block : NULL);
        lay_channels(c, to + (lead(c) + row * each(c)) * LINE, &s);
      }
    }
}

/* ---- forward and back data ------------------------------------------------------------------------------------------- */

/* What the sums of one set of pixels run over, and where they go. */
typedef struct walk {
  const uint16_t *a, *b;
  int64_t blocks, taps, a_block, b_block, b_written; /* of the channels read; halves from one to the next */
  int64_t a_tap[MOST_TAPS], b_tap[MOST_TAPS];
  float *sums;     /* [PAIR blocks][BLOCK pixels][16 channels] */
  int32_t *places; /* halves in front of a pixel of the long row; below 0: it is no pixel */
} walk;

/* Sums that are there, of BLOCK pixels, and on their way. */
typedef struct outgoing {
  const float *sums;
  const int32_t *places; /* NULL: none are */
  uint16_t *to;
  int64_t block, done, at_once;
  __m512 start[PAIR];
} outgoing;

/* Subnormal sums become zeros, as in the tiles. */
AMX_PAIRS_INLINE void put(uint16_t *to, const float *sums, __m512 start, bool neighbours) {
  __m512 first = _mm512_add_ps(_mm512_loadu_ps(sums), start);
  if (neighbours) {
    __m512 second = _mm512_add_ps(_mm512_loadu_ps(sums + LANES), start);
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(second, first));
  } else _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(first));
}

AMX_PAIRS_INLINE void put_blocks(const outgoing *out, int64_t place, const float *sums, bool neighbours, bool two) {
  put(out->to + place, sums, out->start[0], neighbours);
  if (two) put(out->to + place + out->block, sums + SUMS, out->start[1], neighbours);
}

/* `count` pixels more, if there are. */
AMX_PAIRS_INLINE void put_some(outgoing *out, int64_t count, bool two) {
  if (!out->places) return;
  for (int64_t end = lfm_least(out->done + count, BLOCK); out->done < end;) {
    const int32_t *place = out->places + out->done;
    const float *sums = out->sums + out->done * LANES;
    bool neighbours = place[0] >= 0 && place[1] == place[0] + LANES && out->done + 1 < BLOCK;
    if (neighbours) put_blocks(out, place[0], sums, true, two);
    else if (place[0] >= 0) put_blocks(out, place[0], sums, false, two);
    out->done += neighbours ? 2 : 1;
  }
}

/* 32 pixels, or 16, of two blocks of channels, or one.  The sums before go out in between: in one piece they would be more
 * than the processor looks ahead, and the unit of the tiles would have nothing to do. */
AMX_PAIRS_INLINE void add_up(const walk *w, const uint16_t *a, const uint16_t *b, outgoing *out, bool two_a, bool two_b) {
  tiles_clear(true);
  for (int64_t block = 0; block < w->blocks; block++, a += w->a_block, b += w->b_block)
    for (int64_t t = 0; t < w->taps; t++) {
      const uint16_t *a_at = a + w->a_tap[t], *b_at = b + w->b_tap[t];
      _tile_loadd(4, a_at, TILE_BYTES);
      _tile_loadd(6, b_at, TILE_BYTES);
      _tile_dpbf16ps(0, 4, 6);
      if (two_b) {
        _tile_loadd(7, b_at + w->b_written, TILE_BYTES);
        _tile_dpbf16ps(1, 4, 7);
      }
      if (two_a) {
        _tile_loadd(5, a_at + TILE, TILE_BYTES);
        _tile_dpbf16ps(2, 5, 6);
        if (two_b) _tile_dpbf16ps(3, 5, 7);
      }
      put_some(out, out->at_once, two_b);
    }
  put_some(out, BLOCK, two_b);
}

AMX_PAIRS static void add_up_any(const walk *w, const uint16_t *a, const uint16_t *b, outgoing *out, bool two_a, bool two_b) {
  if (two_a && two_b) add_up(w, a, b, out, true, true);
  else if (two_a) add_up(w, a, b, out, true, false);
  else if (two_b) add_up(w, a, b, out, false, true);
  else add_up(w, a, b, out, false, false);
}

AMX static void store_sums(float *sums) {
  _tile_stored(0, sums, TILE_BYTES);
  _tile_stored(2, sums + SQUARE, TILE_BYTES);
  _tile_stored(1, sums + SUMS, TILE_BYTES);
  _tile_stored(3, sums + SUMS + SQUARE, TILE_BYTES);
}

/* `pixels` of the long row, from `to` on in each image, of all channels. */
AMX_PAIRS static void make_pixels(const lfm_amx_conv *c, walk *w, const uint16_t *filter, const float *bias, uint16_t *to,
                                  int64_t block, int64_t pixels) {
  int64_t steps = w->blocks * w->taps, tiles = blocks_laid(c) * c->lines * c->columns * TILE;
  w->b_written = tiles;
  for (int64_t o = 0; o < c->written; o += PAIR, to += PAIR * block, filter += PAIR * tiles) {
    bool two = o + 1 < c->written;
    outgoing out = {.sums = w->sums, .to = to, .block = block, .at_once = steps ? (BLOCK + steps - 1) / steps : BLOCK};
    out.start[0] = bias ? _mm512_loadu_ps(bias + o * LANES) : _mm512_setzero_ps();
    out.start[1] = bias && two ? _mm512_loadu_ps(bias + (o + 1) * LANES) : _mm512_setzero_ps();
    for (int64_t q = 0; q < pixels; q += BLOCK) {
      add_up_any(w, w->a + q * LINE, filter, &out, pixels - q > TILE_LINES, two);
      store_sums(w->sums);
      out.places = w->places + q, out.done = 0;
    }
    put_some(&out, BLOCK, two);
  }
}

/* Where pixels of one remainder of `images` images go, `image` halves each; and up to a whole BLOCK no pixels. */
static void place_pixels(const lfm_amx_conv *c, int32_t *places, const source *s, int64_t image, int64_t images) {
  for (int64_t row = 0; row < images; row++)
    for (int64_t y = 0; y < c->small.height + c->below; y++)
      for (int64_t x = 0; x < pitch(c); x++) {
        bool inside = y < s->height && x < s->width;
        *places++ = inside ? (int32_t)(row * image + y * s->line + x * s->step) : -1;
      }
  for (int64_t i = 0; i < BLOCK; i++) *places++ = -1;
}

static walk walk_of(const lfm_amx_conv *c, const uint16_t *laid, int64_t down, int64_t along) {
  tap taps[MOST_TAPS];
  float *sums = (float *)(uintptr_t)(laid + laid_lines(c) * LINE);
  walk w = {.a = laid + lead(c) * LINE,
            .blocks = blocks_laid(c),
            .taps = taps_of(c, down, along, taps),
            .a_block = planes(c) * span(c) * LINE,
            .b_block = c->lines * c->columns * TILE,
            .sums = sums,
            .places = (int32_t *)(sums + ALL_SUMS)};
  for (int64_t t = 0; t < w.taps; t++)
    w.a_tap[t] = (taps[t].plane * span(c) + taps[t].offset) * LINE, w.b_tap[t] = taps[t].number * TILE;
  return w;
}

/* `count` images that are laid out: of back data one remainder after the other. */
static void run_chunk(const lfm_amx_conv *c, const uint16_t *laid, const uint16_t *filter, const float *bias, uint16_t *y,
                      int64_t count) {
  lfm_image image = c->back ? c->large : c->small;
  int64_t stride = c->back ? c->stride : 1, block = lfm_image_pixels(image) * LANES;
  for (int64_t down = 0; down < stride; down++)
    for (int64_t along = 0; along < stride; along++) {
      walk w = walk_of(c, laid, down, along);
      source s = source_of(image, stride, down, along, y, NULL);
      if (s.height <= 0 || s.width <= 0) continue; /* of a line, or of one pixel, this remainder has none */
      place_pixels(c, w.places, &s, c->written * block, count);
      make_pixels(c, &w, filter, bias, y + (down * image.width + along) * LANES, block, count * each(c) - lead(c));
    }
}

AMX void lfm_amx_conv_run(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *filter, const float *bias, uint16_t *y,
                          void *scratch) {
  uint16_t *laid = scratch;
  int64_t image = c->written * lfm_image_pixels(c->back ? c->large : c->small) * LANES;
  tiles_take(BLOCK);
  for (int64_t first = 0, count; first < c->rows; first += count) {
    count = lfm_least(c->chunk, c->rows - first);
    lay_channels_of(c, laid, x, first, count);
    tiles_see_memory(laid);
    run_chunk(c, laid, filter, bias, y + first * image, count);
  }
  _tile_release();
}

/* ---- the gradient of the weights --------------------------------------------------------------------------------------- */

/* One block of one pair of images, which may be of one. */
AMX static void lay_pair(const lfm_amx_conv *c, uint16_t *to, lfm_image image, int64_t stride, int64_t plane,
                         const uint16_t *from, int64_t block, int64_t blocks, int64_t pair) {
  int64_t plain = lfm_image_pixels(image) * LANES;
  const uint16_t *low = from + (2 * pair * blocks + block) * plain;
  source s = source_of(image, stride, plane / planes_along(c), plane % planes_along(c), low,
                       2 * pair + 1 < c->rows ? low + blocks * plain : NULL);
  lay_pairs(c, to, &s);
}

/* 16 lines of pairs: lines for columns. */
AMX static void turn_tile(uint16_t *tile) {
  __m512 lines[LANES];
  UNROLL for (int64_t k = 0; k < LANES; k++) lines[k] = _mm512_loadu_ps(tile + k * LINE);
  transpose_square(lines);
  UNROLL for (int64_t k = 0; k < LANES; k++) _mm512_storeu_ps(tile + k * LINE, lines[k]);
}

/* Pairs of images [first, first + count). */
AMX static void lay_pairs_of_x(const lfm_amx_conv *c, uint16_t *to, const uint16_t *x, int64_t first, int64_t count) {
  int64_t tiles = tiles_of_pixels(c, count), pixels = count * each(c);
  for (int64_t i = 0; i < c->read; i++)
    for (int64_t plane = 0; plane < planes(c); plane++, to += tiles * TILE) {
      for (int64_t pair = 0; pair < count; pair++)
        lay_pair(c, to + pair * each(c) * LINE, c->large, c->stride, plane, x, i, c->read, first + pair);
      zero_lines(to + pixels * LINE, tiles * LANES - pixels);
      for (int64_t tile = 0; tile < tiles; tile++) turn_tile(to + tile * TILE);
    }
}

AMX static void add_lines(float *db, const uint16_t *lines, int64_t count) {
  __m512 low = _mm512_loadu_ps(db), high = _mm512_setzero_ps();
  for (int64_t k = 0; k < count; k++) {
    __m512i pairs = _mm512_loadu_si512(lines + k * LINE);
    low = _mm512_add_ps(low, _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)));
    high = _mm512_add_ps(high, _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xFFFF0000))));
  }
  _mm512_storeu_ps(db, _mm512_add_ps(low, high));
}

static void lay_pairs_of_dy(const lfm_amx_conv *c, uint16_t *to, const uint16_t *dy, float *db, int64_t first,
                            int64_t count) {
  int64_t end = lead(c) + count * each(c);
  for (int64_t o = 0; o < c->written; o++, to += span(c) * LINE, db += LANES) {
    zero_lines(to, lead(c)), zero_lines(to + end * LINE, lead(c) + LANES);
    for (int64_t pair = 0; pair < count; pair++) {
      uint16_t *at = to + (lead(c) + pair * each(c)) * LINE;
      lay_pair(c, at, c->small, 1, 0, dy, o, c->written, first + pair);
      add_lines(db, at, each(c));
    }
  }
}

/* Of one tap and up to two blocks each of the channels read and written. */
typedef struct slopes {
  const uint16_t *a, *b;
  float *dw;
  int64_t tiles, a_block, b_block, dw_read, dw_written;
  bool add; /* to what there is */
} slopes;

AMX_INLINE void add_slopes(const slopes *s, bool two_a, bool two_b) {
  float *dw[] = {s->dw, s->dw + s->dw_written, s->dw + s->dw_read, s->dw + s->dw_written + s->dw_read};
  tiles_clear(true);
  if (s->add) {
    _tile_loadd(0, dw[0], TILE_BYTES);
    if (two_b) _tile_loadd(1, dw[1], TILE_BYTES);
    if (two_a) _tile_loadd(2, dw[2], TILE_BYTES);
    if (two_a && two_b) _tile_loadd(3, dw[3], TILE_BYTES);
  }
  const uint16_t *a = s->a, *b = s->b;
  for (int64_t tile = 0; tile < s->tiles; tile++, a += TILE, b += TILE) {
    _tile_loadd(4, a, TILE_BYTES);
    _tile_loadd(6, b, TILE_BYTES);
    _tile_dpbf16ps(0, 4, 6);
    if (two_b) {
      _tile_loadd(7, b + s->b_block, TILE_BYTES);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (two_a) {
      _tile_loadd(5, a + s->a_block, TILE_BYTES);
      _tile_dpbf16ps(2, 5, 6);
      if (two_b) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, dw[0], TILE_BYTES);
  if (two_b) _tile_stored(1, dw[1], TILE_BYTES);
  if (two_a) _tile_stored(2, dw[2], TILE_BYTES);
  if (two_a && two_b) _tile_stored(3, dw[3], TILE_BYTES);
}

AMX static void add_slopes_any(const slopes *s, bool two_a, bool two_b) {
  if (two_a && two_b) add_slopes(s, true, true);
  else if (two_a) add_slopes(s, true, false);
  else if (two_b) add_slopes(s, false, true);
  else add_slopes(s, false, false);
}

/* Of `tiles` tiles of laid pixels. */
AMX static void add_taps(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *dy, float *dw, int64_t tiles, bool add) {
  tap taps[MOST_TAPS];
  int64_t count = taps_of(c, 0, 0, taps);
  slopes s = {.tiles = tiles, .a_block = planes(c) * tiles * TILE, .b_block = span(c) * LINE, .add = add};
  s.dw_read = count * SQUARE, s.dw_written = c->read * s.dw_read;
  for (int64_t o = 0; o < c->written; o += PAIR)
    for (int64_t i = 0; i < c->read; i += PAIR)
      for (int64_t t = 0; t < count; t++) {
        s.a = x + i * s.a_block + taps[t].plane * tiles * TILE;
        s.b = dy + o * s.b_block + (lead(c) - taps[t].offset) * LINE;
        s.dw = dw + o * s.dw_written + i * s.dw_read + taps[t].number * SQUARE;
        add_slopes_any(&s, i + 1 < c->read, o + 1 < c->written);
      }
}

AMX void lfm_amx_conv_gradient(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *dy, float *dw, float *db,
                               void *scratch) {
  uint16_t *laid_dy = scratch, *laid_x = laid_dy + laid_lines(c) * LINE;
  int64_t pairs = (c->rows + 1) / 2;
  memset(db, 0, (size_t)(c->written * LANES) * sizeof *db);
  tiles_take(BLOCK);
  for (int64_t first = 0, count; first < pairs; first += count) {
    count = lfm_least(c->chunk, pairs - first);
    lay_pairs_of_x(c, laid_x, x, first, count);
    lay_pairs_of_dy(c, laid_dy, dy, db, first, count);
    tiles_see_memory(laid_x);
    add_taps(c, laid_x, laid_dy, dw, tiles_of_pixels(c, count), first > 0);
  }
  _tile_release();
}
#else
bool lfm_amx_conv_can(const lfm_conv_shape *shape) {
  (void)shape;
  return false;
}

lfm_amx_conv lfm_amx_conv_of(const lfm_conv_shape *shape, lfm_conv_pass pass, int64_t rows) {
  (void)shape, (void)pass, (void)rows;
  return (lfm_amx_conv){0};
}

size_t lfm_amx_conv_scratch(const lfm_amx_conv *c) {
  (void)c;
  return 0;
}

void lfm_amx_conv_run(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *filter, const float *bias, uint16_t *y,
                      void *scratch) {
  (void)c, (void)x, (void)filter, (void)bias, (void)y, (void)scratch;
}

void lfm_amx_conv_gradient(const lfm_amx_conv *c, const uint16_t *x, const uint16_t *dy, float *dw, float *db,
                           void *scratch) {
  (void)c, (void)x, (void)dy, (void)dw, (void)db, (void)scratch;
}
#endif
