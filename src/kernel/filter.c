/* SPDX-License-Identifier: MIT
 *
 * filter.c -- see filter.h.  Weights are packed by the optimiser for each pass that reads them; gradients are unpacked while
 * they are in the cache.  In a tile the channels written run fastest, in torch's order the taps of a channel read: with
 * AVX-512 a tile goes sixteen numbers of sixteen channels at a time, which change places in registers.
 */
#include "kernel/filter.h"
#include "core/vmath.h"
#include "kernel/bf16.h"

/* ---- packing ---------------------------------------------------------------------------------------------------- */

/* A tap of one tile: [in][out] or [out][in], of w's rows `o` and columns `i` on. */
LFM_VECTOR static void pack_tap(float *restrict to, const float *restrict w, const lfm_filter *f, int64_t outs, int64_t ins) {
  int64_t row = f->in * f->taps, block = f->block;
  if (f->in_fastest)
    for (int64_t o = 0; o < outs; o++)
      for (int64_t i = 0; i < ins; i++) to[o * block + i] = w[o * row + i * f->taps];
  else
    for (int64_t i = 0; i < ins; i++)
      for (int64_t o = 0; o < outs; o++) to[i * block + o] = w[o * row + i * f->taps];
}

/* The same in halves: two lines side by side, the second of zeros where there is none. */
LFM_VECTOR static void pack_tap_of_pairs(uint32_t *restrict to, const float *restrict w, const lfm_filter *f, int64_t outs,
                                         int64_t ins) {
  int64_t row = f->in * f->taps, block = f->block, lines = f->in_fastest ? outs : ins, length = f->in_fastest ? ins : outs;
  int64_t down = f->in_fastest ? row : f->taps, along = f->in_fastest ? f->taps : row;
  for (int64_t i = 0; i < lines; i += 2, w += 2 * down)
    for (int64_t j = 0; j < length; j++) {
      uint32_t first = lfm_bf16_of(w[j * along]), second = i + 1 < lines ? lfm_bf16_of(w[down + j * along]) : 0u;
      to[i / 2 * block + j] = first | second << 16;
    }
}

void lfm_filter_pack(void *dst, const lfm_filter *f, const void *w, int64_t first, int64_t count) {
  const float *from = w;
  int64_t block = f->block;
  for (int64_t o = first, outs; o < first + count; o += outs) {
    outs = block - o % block < first + count - o ? block - o % block : first + count - o;
    for (int64_t i = 0; i < f->in; i += block)
      for (int64_t tap = 0; tap < f->taps; tap++) {
        const float *w_tap = from + (o * f->in + i) * f->taps + tap;
        int64_t at = lfm_filter_at(f, o, i, tap), ins = f->in - i < block ? f->in - i : block;
        if (f->half) pack_tap_of_pairs((uint32_t *)dst + at / 2, w_tap, f, outs, ins);
        else pack_tap((float *)dst + at, w_tap, f, outs, ins);
      }
  }
}

/* ---- unpacking ---------------------------------------------------------------------------------------------------- */

/* Of one tile the rows of `outs` channels written, `count` numbers each, `row` from one to the next. */
LFM_VECTOR static void unpack_tile(float *restrict dw, int64_t row, const float *restrict tile, const lfm_filter *f,
                                   int64_t outs, int64_t count, bool accumulate) {
  for (int64_t k = 0; k < count; k++) {
    const float *line = tile + (k % f->taps * f->block + k / f->taps) * f->block;
    for (int64_t j = 0; j < outs; j++) dw[j * row + k] = accumulate ? dw[j * row + k] + line[j] : line[j];
  }
}

#if defined(__x86_64__)
#include "kernel/avx512.h"

enum { SQUARE = LANES * LANES }; /* numbers from tap to tap */

AVX512 static void unpack_tile_at_once(float *dw, int64_t row, const float *tile, const lfm_filter *f, int64_t outs,
                                       int64_t count, bool accumulate) {
  const float *line = tile;
  int64_t back = LANES - (f->taps - 1) * SQUARE; /* from the last tap to the first of the next channel read */
  for (int64_t k = 0, tap = 0; k < count; k += LANES) {
    __mmask16 inside = (__mmask16)(count - k < LANES ? (1 << (count - k)) - 1 : 0xFFFF);
    __m512 x[LANES];
    UNROLL for (int64_t j = 0; j < LANES; j++) {
      x[j] = _mm512_loadu_ps(line);
      tap = tap + 1 < f->taps ? tap + 1 : 0, line += tap ? SQUARE : back;
    }
    transpose_square(x);
    UNROLL for (int64_t j = 0; j < LANES; j++) if (j < outs) {
      float *to = dw + j * row + k;
      if (accumulate) x[j] = _mm512_add_ps(_mm512_maskz_loadu_ps(inside, to), x[j]);
      _mm512_mask_storeu_ps(to, inside, x[j]);
    }
  }
}
#endif

void lfm_filter_unpack(float *dw, const float *tiles, const lfm_filter *f, bool accumulate) {
  int64_t row = f->in * f->taps, block = f->block;
  for (int64_t o = 0; o < f->out; o += block)
    for (int64_t i = 0; i < f->in; i += block, tiles += f->taps * block * block) {
      int64_t outs = f->out - o < block ? f->out - o : block, ins = f->in - i < block ? f->in - i : block;
      float *to = dw + o * row + i * f->taps;
#if defined(__x86_64__)
      if (block == LANES) { /* which only AVX-512 has */
        unpack_tile_at_once(to, row, tiles, f, outs, ins * f->taps, accumulate);
        continue;
      }
#endif
      unpack_tile(to, row, tiles, f, outs, ins * f->taps, accumulate);
    }
}
