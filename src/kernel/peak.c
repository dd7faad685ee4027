/* SPDX-License-Identifier: MIT
 *
 * peak.c -- see peak.h.
 * Twelve sums: two units with a latency of four or five cycles need ten in flight to be always busy.  Of tiles four, all that
 * their registers hold beside two operands each.
 */
#include "kernel/peak.h"
#include "kernel/amx.h"

#if defined(__x86_64__)
#include "kernel/amx_tiles.h"

enum { LOOPS = 400000, SUMS = 12, TILE_LOOPS = 100000 };

static _Thread_local volatile float sink; /* so that the sums are wanted */

__attribute__((target("avx512f"))) static int64_t spin_512(void) {
  __m512 sum[SUMS], factor = _mm512_set1_ps(0.5f), term = _mm512_set1_ps(1.0f);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm512_set1_ps((float)i);
  for (int loop = 0; loop < LOOPS; loop++)
    for (int i = 0; i < SUMS; i++) sum[i] = _mm512_fmadd_ps(sum[i], factor, term);
  for (int i = 1; i < SUMS; i++) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  sink = _mm512_cvtss_f32(sum[0]);
  return (int64_t)2 * 16 * SUMS * LOOPS;
}

__attribute__((target("avx2,fma"))) static int64_t spin_256(void) {
  __m256 sum[SUMS], factor = _mm256_set1_ps(0.5f), term = _mm256_set1_ps(1.0f);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm256_set1_ps((float)i);
  for (int loop = 0; loop < LOOPS; loop++)
    for (int i = 0; i < SUMS; i++) sum[i] = _mm256_fmadd_ps(sum[i], factor, term);
  for (int i = 1; i < SUMS; i++) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  sink = _mm256_cvtss_f32(sum[0]);
  return (int64_t)2 * 8 * SUMS * LOOPS;
}

__attribute__((target("avx512f,avx512bf16"))) static int64_t spin_pairs(void) {
  __m512 sum[SUMS];
  __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3F80);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm512_set1_ps((float)i);
  for (int loop = 0; loop < LOOPS; loop++)
    for (int i = 0; i < SUMS; i++) sum[i] = _mm512_dpbf16_ps(sum[i], ones, ones);
  for (int i = 1; i < SUMS; i++) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  sink = _mm512_cvtss_f32(sum[0]);
  return (int64_t)2 * 32 * SUMS * LOOPS;
}

AMX static int64_t spin_tiles(void) {
  uint16_t zeros[TILE_LINES * TILE_HALVES] = {0};
  tiles_take(BLOCK);
  tiles_clear(true);
  _tile_loadd(4, zeros, TILE_BYTES);
  _tile_loadd(5, zeros, TILE_BYTES);
  _tile_loadd(6, zeros, TILE_BYTES);
  _tile_loadd(7, zeros, TILE_BYTES);
  for (int loop = 0; loop < TILE_LOOPS; loop++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return (int64_t)2 * BLOCK * BLOCK * TILE_HALVES * TILE_LOOPS;
}

int64_t lfm_peak_spin_bf16(void) {
  if (lfm_amx_ready()) return spin_tiles();
  return __builtin_cpu_supports("avx512bf16") ? spin_pairs() : 0;
}

int64_t lfm_peak_spin(void) {
  if (__builtin_cpu_supports("avx512f")) return spin_512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return spin_256();
  return 0;
}
#else
int64_t lfm_peak_spin(void) { return 0; }
int64_t lfm_peak_spin_bf16(void) { return 0; }
#endif
