/* SPDX-License-Identifier: MIT
 *
 * amx_split.c -- see amx_split.h.
 *
 * Both operands lie in blocks of 32 x 32 numbers, each four tiles: two of upper halves, two of lower.  A product goes down A
 * 32 lines at a time and past all of B; of a block it makes twelve products of tiles for eight that it loads.  A number is
 * one chain of sums down k, wherever its line lies.
 */
#include "kernel/amx_split.h"

#if defined(__x86_64__) && defined(__linux__)
#include "core/order.h"
#include "kernel/amx_tiles.h"

enum { UPPER = 0, LOWER = TWO_TILES, SPLIT_BLOCK = 2 * TWO_TILES /* bytes, of a block's parts and of all */ };
enum { BLOCK_NUMBERS = BLOCK * BLOCK, LEAST = 64 /* rows and columns of B */ };

bool lfm_amx_split_pays(int64_t k, int64_t n) { return k >= LEAST && n >= LEAST && lfm_amx_ready(); }

lfm_layout lfm_amx_split_layout(int64_t k, int64_t n) {
  int64_t rows = lfm_rounded_up(k, BLOCK), cols = lfm_rounded_up(n, BLOCK);
  return (lfm_layout){.rows = k,
                      .cols = n,
                      .row_block = BLOCK,
                      .col_block = BLOCK,
                      .row_stride = BLOCK_NUMBERS,
                      .col_stride = rows * BLOCK,
                      .pair = 2,
                      .split = true,
                      .count = (size_t)(rows * cols)};
}

/* ---- numbers in two ----------------------------------------------------------------------------------------------- */

typedef struct split_line { /* 32 halves each */
  __m512i upper, lower;
} split_line;

/* Of the first sixteen, then of the others. */
AMX_PAIRS_INLINE split_line split(__m512 first, __m512 second) {
  split_line line = {.upper = (__m512i)_mm512_cvtne2ps_pbh(second, first)};
  __m512 rest_first = _mm512_sub_ps(first, floats_of(_mm512_castsi512_si256(line.upper)));
  __m512 rest_second = _mm512_sub_ps(second, floats_of(_mm512_extracti64x4_epi64(line.upper, 1)));
  line.lower = (__m512i)_mm512_cvtne2ps_pbh(rest_second, rest_first);
  return line;
}

/* Sixteen numbers at x, the first `count` of them; zeros behind. */
AMX_PAIRS_INLINE __m512 some(const float *x, int64_t count) {
  return _mm512_maskz_loadu_ps((__mmask16)(count >= LANES ? 0xFFFF : count > 0 ? (1 << count) - 1 : 0), x);
}

/* 32 numbers of a line. */
AMX_PAIRS_INLINE split_line split_of(const float *x, int64_t count) {
  return split(some(x, count), some(x + LANES, count - LANES));
}

/* Sixteen pairs, one of each line; of the second, where it is NULL, zeros. */
AMX_PAIRS_INLINE split_line pairs_of(const float *even, const float *odd, int64_t count) {
  static const uint16_t order[2 * LANES] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                            8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  split_line line = split(some(even, count), odd ? some(odd, count) : _mm512_setzero_ps());
  __m512i places = _mm512_loadu_si512(order);
  return (split_line){_mm512_permutexvar_epi16(places, line.upper), _mm512_permutexvar_epi16(places, line.lower)};
}

AMX_PAIRS_INLINE void put_line(char *tile, int64_t i, split_line line) {
  _mm512_storeu_si512(tile + UPPER + i * TILE_BYTES, line.upper);
  _mm512_storeu_si512(tile + LOWER + i * TILE_BYTES, line.lower);
}

/* Sixteen lines, their words turned. */
AMX_PAIRS_INLINE void put_turned(char *tile, const split_line *lines) {
  __m512 upper[TILE_LINES], lower[TILE_LINES];
  UNROLL for (int64_t i = 0; i < TILE_LINES; i++) upper[i] = _mm512_castsi512_ps(lines[i].upper),
                                                  lower[i] = _mm512_castsi512_ps(lines[i].lower);
  transpose_square(upper);
  transpose_square(lower);
  UNROLL for (int64_t i = 0; i < TILE_LINES; i++)
      put_line(tile, i, (split_line){_mm512_castps_si512(upper[i]), _mm512_castps_si512(lower[i])});
}

/* ---- B: pairs of rows side by side ---------------------------------------------------------------------------------- */

/* Rows [k, k + 32) and columns [n, n + 16) of B [*, cols], which are rows of W. */
AMX_PAIRS static void pack_turned(char *tile, const lfm_layout *p, const float *w, int64_t ld, int64_t k, int64_t n) {
  split_line lines[TILE_LINES];
  UNROLL for (int64_t i = 0; i < TILE_LINES; i++) lines[i] =
      split_of(w + (n + i) * ld + k, n + i < p->cols ? p->rows - k : 0);
  put_turned(tile, lines);
}

/* Rows k and k + 1 of B, which are those of W, in a row of blocks; zeros behind the last. */
AMX_PAIRS static void pack_pairs(char *blocks, const lfm_layout *p, const float *w, int64_t ld, int64_t k) {
  int64_t across = p->col_stride * (int64_t)sizeof *w, cols = k < p->rows ? p->cols : 0;
  const float *even = w + (cols ? k * ld : 0), *odd = k + 1 < p->rows ? even + ld : NULL;
  for (int64_t n = 0; n < lfm_rounded_up(p->cols, BLOCK); n += TILE_LINES)
    put_line(blocks + n / BLOCK * across + n % BLOCK / TILE_LINES * TILE_SIZE, k % BLOCK / 2,
             pairs_of(even + n, odd ? odd + n : NULL, cols - n));
}

void lfm_amx_split_pack(void *dst, const lfm_layout *p, bool transposed, const float *w, int64_t ld, int64_t skip,
                        int64_t first, int64_t count) {
  int64_t size = (int64_t)sizeof *w, down = p->row_stride * size, across = p->col_stride * size, end = first + count;
  char *to = dst;
  if (end == (transposed ? p->cols : p->rows)) end = lfm_rounded_up(end, BLOCK);
  for (int64_t k = first; k < end && !transposed; k += 2) pack_pairs(to + k / BLOCK * down, p, w, ld, k);
  for (int64_t n = first; n < end && transposed; n += TILE_LINES)
    for (int64_t k = 0; k < p->rows; k += BLOCK)
      pack_turned(to + n / BLOCK * across + k / BLOCK * down + n % BLOCK / TILE_LINES * TILE_SIZE, p, w + skip, ld, k, n);
}

/* ---- A: 32 lines as tiles ------------------------------------------------------------------------------------------ */

static int64_t blocks_of(int64_t k) { return lfm_parts_of(k, BLOCK); }

AMX_PAIRS static void take_lines(char *to, const float *a, int64_t lines, int64_t k) {
  for (int64_t at = 0; at < k; at += BLOCK, to += SPLIT_BLOCK)
    for (int64_t i = 0; i < lines; i++) put_line(to, i, split_of(a + i * k + at, k - at));
}

/* Columns [0, count) of lines [k, ld], which are A's lines of a product A' B. */
AMX_PAIRS static void take_columns(char *to, const float *a, int64_t count, int64_t ld, int64_t k) {
  for (int64_t at = 0; at < k; at += BLOCK, to += SPLIT_BLOCK)
    for (int64_t m = 0; m < count; m += TILE_LINES) {
      split_line lines[TILE_LINES];
      UNROLL for (int64_t i = 0; i < TILE_LINES; i++) {
        int64_t even = at + 2 * i;
        const float *line = a + even * ld + m;
        lines[i] = pairs_of(line, even + 1 < k ? line + ld : NULL, even < k ? count - m : 0);
      }
      put_turned(to + m / TILE_LINES * TILE_SIZE, lines);
    }
}

/* ---- the product ----------------------------------------------------------------------------------------------------- */

AMX_INLINE void load_a(bool two, const char *at) {
  _tile_loadd(4, at, TILE_BYTES);
  if (two) _tile_loadd(5, at + TILE_SIZE, TILE_BYTES);
}

AMX_INLINE void load_b(const char *at) {
  _tile_loadd(6, at, TILE_BYTES);
  _tile_loadd(7, at + TILE_SIZE, TILE_BYTES);
}

AMX_INLINE void multiply(bool two) {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  if (!two) return;
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}

/* Two tiles of the next block, into the first level.  While another thread has part of the core, a product whose tiles are
 * asked for only when they are loaded takes a fifth longer. */
AMX_INLINE void fetch(const char *at) { UNROLL for (int64_t i = 0; i < TWO_TILES; i += TILE_BYTES) fetch_near(at + i); }

/* sums += A B over `blocks` blocks along k. */
AMX_INLINE void multiply_lines(bool two, const char *a, const char *b, int64_t blocks) {
  tiles_see_memory(a);
  for (int64_t k = 0; k < blocks; k++, a += SPLIT_BLOCK, b += SPLIT_BLOCK) {
    load_a(two, a + UPPER);
    load_b(b + LOWER);
    fetch(b + SPLIT_BLOCK + UPPER);
    multiply(two);
    load_b(b + UPPER);
    fetch(b + SPLIT_BLOCK + LOWER);
    multiply(two);
    load_a(two, a + LOWER);
    fetch(a + SPLIT_BLOCK + UPPER);
    fetch(a + SPLIT_BLOCK + LOWER);
    multiply(two);
  }
}

/* C [lines, n] = or += A B; the last columns, where they do not fill the tiles, by way of `sums`. */
AMX_INLINE void run_lines(bool two, const lfm_product_spec *spec, int64_t lines, const char *a, const char *b, float *c,
                          float *sums) {
  int64_t n = spec->n, blocks = blocks_of(spec->k), wide = (int64_t)sizeof *c;
  for (int64_t j = 0; j < n; j += BLOCK, b += blocks * SPLIT_BLOCK) {
    bool fits = n - j >= BLOCK;
    if (fits && spec->accumulate) tiles_load(two, c + j, n * wide);
    else tiles_clear(two);
    multiply_lines(two, a, b, blocks);
    tiles_store(two, fits ? c + j : sums, (fits ? n : BLOCK) * wide);
    for (int64_t i = 0; i < lines && !fits; i++)
      for (int64_t l = j; l < n; l++)
        c[i * n + l] = spec->accumulate ? c[i * n + l] + sums[i * BLOCK + l - j] : sums[i * BLOCK + l - j];
  }
}

static void finish(const lfm_amx_product *p, const float *bias, float *c, int64_t lines) {
  int64_t n = p->spec.n;
  for (int64_t i = 0; p->spec.bias && i < lines; i++)
    for (int64_t j = 0; j < n; j++) c[i * n + j] += bias[j];
  if (p->spec.act.kind != LFM_ACT_NONE) p->activate(c, NULL, c, (size_t)(lines * n), p->spec.act, false);
}

/* Where the 32 lines of A, B where it has to be brought into tiles, and the last columns' sums are made. */
typedef struct room {
  char *a, *b;
  float *sums;
} room;

static room room_of(const lfm_amx_product *p, void *scratch) {
  int64_t blocks = blocks_of(p->spec.k), of_b = p->spec.layout ? 0 : blocks * blocks_of(p->spec.n);
  char *a = scratch, *b = a + blocks * SPLIT_BLOCK;
  return (room){a, b, (float *)(b + of_b * SPLIT_BLOCK)};
}

size_t lfm_amx_split_scratch(const lfm_amx_product *p) {
  return (size_t)((uintptr_t)room_of(p, NULL).sums) + BLOCK_NUMBERS * sizeof(float);
}

AMX static void run(const lfm_amx_product *p, const float *a, const char *b, const float *bias, float *c, room in) {
  const lfm_product_spec *spec = &p->spec;
  int64_t lines = 0, ld = spec->lda ? spec->lda : spec->m;
  for (int64_t first = 0; first < spec->m; first += BLOCK, c += BLOCK * spec->n) {
    int64_t count = spec->m - first < BLOCK ? spec->m - first : BLOCK;
    if (count != lines) tiles_take(lines = count);
    if (spec->layout) take_lines(in.a, a + first * spec->k, count, spec->k);
    else take_columns(in.a, a + first, count, ld, spec->k);
    if (count > TILE_LINES) run_lines(true, spec, count, in.a, b, c, in.sums);
    else run_lines(false, spec, count, in.a, b, c, in.sums);
    finish(p, bias, c, count);
  }
  _tile_release();
}

lfm_amx_product lfm_amx_split_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers) {
  lfm_amx_product product = lfm_amx_product_of(spec, numbers);
  if (!spec->layout) product.layout = lfm_amx_split_layout(spec->k, spec->n); /* which B is brought into */
  return product;
}

void lfm_amx_split_run(const lfm_amx_product *p, const float *a, const void *b, const float *bias, float *c, void *scratch) {
  room in = room_of(p, scratch);
  if (!p->spec.layout) lfm_amx_split_pack(in.b, &p->layout, false, b, p->spec.n, 0, 0, p->spec.k);
  run(p, a, p->spec.layout ? b : in.b, bias, c, in);
}
#else
bool lfm_amx_split_pays(int64_t k, int64_t n) { return (void)k, (void)n, false; }
lfm_layout lfm_amx_split_layout(int64_t k, int64_t n) { return (void)k, (void)n, (lfm_layout){.split = true}; }
void lfm_amx_split_pack(void *dst, const lfm_layout *layout, bool transposed, const float *w, int64_t ld, int64_t skip,
                        int64_t first, int64_t count) {
  (void)dst, (void)layout, (void)transposed, (void)w, (void)ld, (void)skip, (void)first, (void)count;
}
lfm_amx_product lfm_amx_split_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers) {
  return (void)numbers, (lfm_amx_product){.spec = *spec};
}
size_t lfm_amx_split_scratch(const lfm_amx_product *product) { return (void)product, 0; }
void lfm_amx_split_run(const lfm_amx_product *product, const float *a, const void *b, const float *bias, float *c,
                       void *scratch) {
  (void)product, (void)a, (void)b, (void)bias, (void)c, (void)scratch;
}
#endif
