/* SPDX-License-Identifier: MIT
 *
 * amx_tiles.h -- the eight tile registers, as all kernels by AMX use them: four sums of 16 x 16 floats, two tiles of A, two
 * of B.  A tile of A is up to 16 lines of 32 halves, one of B 16 lines of 16 pairs of halves: line k, column n holds the pair
 * (2k, n), (2k + 1, n).  Internal to this room; x86-64 only.
 *
 *   sums 0 1   A 4      B 6, 7
 *        2 3     5
 */
#ifndef LFM_KERNEL_AMX_TILES_H
#define LFM_KERNEL_AMX_TILES_H

#include "kernel/avx512.h"

#define AMX __attribute__((target("avx512f,avx512bw,avx512vl,amx-tile,amx-bf16")))
#define AMX_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16"))) /* and rounds */
#define AMX_INLINE AMX __attribute__((always_inline)) static inline
#define AMX_PAIRS_INLINE AMX_PAIRS __attribute__((always_inline)) static inline

enum {
  TILE_LINES = 16,
  TILE_HALVES = 32,
  TILE_BYTES = 64,
  TILE_SIZE = 1024,
  TWO_TILES = 2048 /* bytes: of a line, of all */
};
enum { BLOCK = 2 * TILE_LINES /* lines and columns of the four sums */ };

typedef struct tile_shapes {
  uint8_t palette, start, reserved[14];
  uint16_t line_bytes[16];
  uint8_t lines[16];
} tile_shapes;

/* What has been written, at `at` and elsewhere, is in memory from here on: gcc does not know that loading a tile or its
 * shapes reads it, and would drop or delay the writing.  In front of the first load. */
AMX_INLINE void tiles_see_memory(const void *at) { __asm__ volatile("" : : "r"(at) : "memory"); }

/* Shapes the registers for `lines` lines of A: 1 to 32, of which the second tiles have what is above 16.  What they held is
 * lost. */
AMX_INLINE void tiles_take(int64_t lines) {
  tile_shapes shapes = {.palette = 1};
  int64_t upper = lines < TILE_LINES ? lines : TILE_LINES, lower = lines > TILE_LINES ? lines - TILE_LINES : 1;
  for (int tile = 0; tile < 8; tile++) {
    shapes.line_bytes[tile] = TILE_BYTES;
    shapes.lines[tile] = (uint8_t)(tile >= 6 ? TILE_LINES : tile == 5 || tile == 2 || tile == 3 ? lower : upper);
  }
  tiles_see_memory(&shapes);
  _tile_loadconfig(&shapes);
}

/* The sums, all four or the two of at most 16 lines. */
AMX_INLINE void tiles_clear(bool two) {
  _tile_zero(0);
  _tile_zero(1);
  if (!two) return;
  _tile_zero(2);
  _tile_zero(3);
}

/* The sums, from and to floats, `line` bytes from one line to the next. */
AMX_INLINE void tiles_load(bool two, const float *from, int64_t line) {
  const char *lower = (const char *)from + TILE_LINES * line;
  tiles_see_memory(from);
  _tile_loadd(0, from, line);
  _tile_loadd(1, from + TILE_LINES, line);
  if (!two) return;
  _tile_loadd(2, lower, line);
  _tile_loadd(3, lower + TILE_BYTES, line);
}

AMX_INLINE void tiles_store(bool two, float *to, int64_t line) {
  char *lower = (char *)to + TILE_LINES * line;
  _tile_stored(0, to, line);
  _tile_stored(1, to + TILE_LINES, line);
  if (!two) return;
  _tile_stored(2, lower, line);
  _tile_stored(3, lower + TILE_BYTES, line);
}

#endif
