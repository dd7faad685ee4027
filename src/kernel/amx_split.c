/* SPDX-License-Identifier: MIT
 *
 * amx_split.c -- see amx_split.h.
 *
 * Both operands lie in blocks of 32 x 32 numbers, each four tiles: two of upper halves, two of lower.  A product goes down A
 * 32 lines at a time and past all of B; of a block it makes twelve products of tiles for eight that it loads.  A number is
 * one chain of sums down k, wherever its line lies.
 */
#include "kernel/amx_split.h"

#include "kernel/amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include "core/order.h"
#include "kernel/amx_tiles.h"

enum { UPPER = 0, LOWER = TWO_TILES, SPLIT_BLOCK = 2 * TWO_TILES /* bytes, of a block's parts and of all */ };
enum { BLOCK_NUMBERS = BLOCK * BLOCK, LEAST = 64 /* rows and columns of B */ };

bool lfm_amx_split_layout(int64_t k, int64_t n, lfm_layout *out) {
  if (k < LEAST || n < LEAST || !lfm_amx_ready()) return false;
  int64_t rows = lfm_rounded_up(k, BLOCK), cols = lfm_rounded_up(n, BLOCK);
  *out = (lfm_layout){.rows = k,
                      .cols = n,
                      .row_block = BLOCK,
                      .col_block = BLOCK,
                      .row_stride = BLOCK_NUMBERS,
                      .col_stride = rows * BLOCK,
                      .pair = 2,
                      .split = true,
                      .count = (size_t)(rows * cols)};
  return true;
}

typedef struct split_line { /* 32 halves each */
  __m512i upper, lower;
} split_line;

/* 32 numbers of a line, the first `count` of them; zeros behind. */
AMX_PAIRS_INLINE split_line split(const float *x, int64_t count) {
  __mmask16 in[2];
  __m512 part[2], rest[2];
  UNROLL for (int64_t i = 0; i < 2; i++) {
    int64_t left = count - i * LANES;
    in[i] = (__mmask16)(left >= LANES ? 0xFFFF : left > 0 ? (1 << left) - 1 : 0);
    part[i] = _mm512_maskz_loadu_ps(in[i], x + i * LANES);
  }
  split_line line = {.upper = (__m512i)_mm512_cvtne2ps_pbh(part[1], part[0])};
  rest[0] = _mm512_sub_ps(part[0], floats_of(_mm512_castsi512_si256(line.upper)));
  rest[1] = _mm512_sub_ps(part[1], floats_of(_mm512_extracti64x4_epi64(line.upper, 1)));
  line.lower = (__m512i)_mm512_cvtne2ps_pbh(rest[1], rest[0]);
  return line;
}

/* ---- B: pairs of rows side by side ---------------------------------------------------------------------------------- */

/* Rows [k, k + 32) and columns [n, n + 16) of B, which are 16 rows of W. */
AMX_PAIRS static void pack_tile(char *to, const lfm_layout *p, const float *w, int64_t ld, int64_t k, int64_t n) {
  __m512 upper[TILE_LINES], lower[TILE_LINES];
  UNROLL for (int64_t i = 0; i < TILE_LINES; i++) {
    split_line line = split(w + (n + i) * ld + k, n + i < p->cols ? p->rows - k : 0);
    upper[i] = _mm512_castsi512_ps(line.upper), lower[i] = _mm512_castsi512_ps(line.lower);
  }
  transpose_square(upper);
  transpose_square(lower);
  UNROLL for (int64_t i = 0; i < TILE_LINES; i++) {
    _mm512_storeu_ps(to + UPPER + i * TILE_BYTES, upper[i]);
    _mm512_storeu_ps(to + LOWER + i * TILE_BYTES, lower[i]);
  }
}

void lfm_amx_split_pack(void *dst, const lfm_layout *p, const float *w, int64_t ld, int64_t skip) {
  char *to = dst;
  for (int64_t n = 0; n < p->cols; n += BLOCK)
    for (int64_t k = 0; k < p->rows; k += BLOCK, to += SPLIT_BLOCK) {
      pack_tile(to, p, w + skip, ld, k, n);
      pack_tile(to + TILE_SIZE, p, w + skip, ld, k, n + TILE_LINES);
    }
}

/* ---- the product ----------------------------------------------------------------------------------------------------- */

AMX_PAIRS static void take_lines(char *to, const float *a, int64_t lines, int64_t k) {
  for (int64_t at = 0; at < k; at += BLOCK, to += SPLIT_BLOCK)
    for (int64_t i = 0; i < lines; i++) {
      split_line line = split(a + i * k + at, k - at);
      _mm512_storeu_si512(to + UPPER + i * TILE_BYTES, line.upper);
      _mm512_storeu_si512(to + LOWER + i * TILE_BYTES, line.lower);
    }
}

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

/* sums += A B over `blocks` blocks along k. */
AMX_INLINE void multiply_lines(bool two, const char *a, const char *b, int64_t blocks) {
  tiles_see_memory(a);
  for (int64_t k = 0; k < blocks; k++, a += SPLIT_BLOCK, b += SPLIT_BLOCK) {
    load_a(two, a + UPPER);
    load_b(b + LOWER);
    multiply(two);
    load_b(b + UPPER);
    multiply(two);
    load_a(two, a + LOWER);
    multiply(two);
  }
}

/* C [lines, n] = A B; the last columns, where they do not fill the tiles, by way of `sums`. */
AMX_INLINE void run_lines(bool two, int64_t lines, int64_t n, int64_t blocks, const char *a, const char *b, float *c,
                          float *sums) {
  for (int64_t j = 0; j < n; j += BLOCK, b += blocks * SPLIT_BLOCK) {
    bool fits = n - j >= BLOCK;
    tiles_clear(two);
    multiply_lines(two, a, b, blocks);
    tiles_store(two, fits ? c + j : sums, (fits ? n : BLOCK) * (int64_t)sizeof *c);
    for (int64_t i = 0; i < lines && !fits; i++)
      for (int64_t l = j; l < n; l++) c[i * n + l] = sums[i * BLOCK + l - j];
  }
}

static int64_t blocks_of(int64_t k) { return lfm_parts_of(k, BLOCK); }

size_t lfm_amx_split_scratch(int64_t k) { return (size_t)blocks_of(k) * SPLIT_BLOCK + BLOCK_NUMBERS * sizeof(float); }

AMX static void run(int64_t m, int64_t n, int64_t k, const float *a, const char *b, float *c, char *room) {
  int64_t blocks = blocks_of(k), lines = 0;
  float *sums = (float *)(room + blocks * SPLIT_BLOCK);
  for (int64_t first = 0; first < m; first += BLOCK, a += BLOCK * k, c += BLOCK * n) {
    int64_t count = m - first < BLOCK ? m - first : BLOCK;
    if (count != lines) tiles_take(lines = count);
    take_lines(room, a, count, k);
    if (count > TILE_LINES) run_lines(true, count, n, blocks, room, b, c, sums);
    else run_lines(false, count, n, blocks, room, b, c, sums);
  }
  _tile_release();
}

void lfm_amx_split_run(int64_t m, int64_t n, int64_t k, const float *a, const void *b, float *c, void *scratch) {
  run(m, n, k, a, b, c, scratch);
}
#else
bool lfm_amx_split_layout(int64_t k, int64_t n, lfm_layout *out) { return (void)k, (void)n, (void)out, false; }
void lfm_amx_split_pack(void *dst, const lfm_layout *layout, const float *w, int64_t ld, int64_t skip) {
  (void)dst, (void)layout, (void)w, (void)ld, (void)skip;
}
size_t lfm_amx_split_scratch(int64_t k) { return (void)k, 0; }
void lfm_amx_split_run(int64_t m, int64_t n, int64_t k, const float *a, const void *b, float *c, void *scratch) {
  (void)m, (void)n, (void)k, (void)a, (void)b, (void)c, (void)scratch;
}
#endif
