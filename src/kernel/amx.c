/* SPDX-License-Identifier: MIT
 *
 * amx.c -- see amx.h.
 *
 * A layer's product goes down A 32 lines at a time, which stay in the first level, and past all of B, whose tiles lie as the
 * optimiser has packed them; the sums of those lines get bias and activation, and are rounded, before they leave the cache.
 * For the gradient of weights, A' B, both are brought into tiles first: pairs of lines side by side, and those of A turned.
 * A number is one chain of sums down k, 32 products at a time, wherever its line lies.
 */
#include "kernel/amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include "core/order.h"
#include "kernel/amx_tiles.h"
#include <cpuid.h>
#include <dnnl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ASK_FOR_STATE = 0x1023, TILE_DATA = 18 }; /* arch_prctl */

static bool ready;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The library must see them, too: DNNL_MAX_CPU_ISA hides them from both, and its tiles of weights are read here. */
static void ask(void) {
  unsigned a, b, c, d = 0;
  bool has_tiles = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1u), has_pairs = d >> 22 & 1u;
  bool has_vectors =
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16");
  bool is_seen = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
  ready = has_tiles && has_pairs && has_vectors && is_seen && syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
}

bool lfm_amx_ready(void) {
  pthread_once(&once, ask);
  return ready;
}

/* ---- tiles in memory --------------------------------------------------------------------------------------------- */

/* A row of tiles along k: from line to line, from tile to tile, and to the same tile of the second row, in bytes. */
typedef struct operand {
  const char *at;
  int64_t line, step, second;
} operand;

/* sums += A B over `count` tiles along k. */
AMX_INLINE void multiply(bool two, operand a, operand b, int64_t count) {
  tiles_see_memory(a.at);
  for (int64_t k = 0; k < count; k++, a.at += a.step, b.at += b.step) {
    _tile_loadd(4, a.at, a.line);
    _tile_loadd(6, b.at, b.line);
    _tile_loadd(7, b.at + b.second, b.line);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (!two) continue;
    _tile_loadd(5, a.at + a.second, a.line);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

/* ---- a layer: C = act(A B + bias) ---------------------------------------------------------------------------------- */

/* Lines of A as tiles, zeros behind the last column: within a matrix a line of a tile may lie across two of the cache. */
AMX static void take_lines(char *to, const uint16_t *a, int64_t lines, int64_t k) {
  for (int64_t at = 0; at < k; at += TILE_HALVES, to += TWO_TILES) {
    __mmask32 in = k - at < TILE_HALVES ? ((__mmask32)1 << (k - at)) - 1 : ~(__mmask32)0;
    for (int64_t i = 0; i < lines; i++)
      _mm512_storeu_si512(to + i * TILE_BYTES, _mm512_maskz_loadu_epi16(in, a + i * k + at));
  }
}

AMX_INLINE void sum_lines(bool two, float *sums, int64_t width, operand a, const lfm_amx_product *p, const char *b) {
  const lfm_layout *l = &p->layout;
  int64_t half = (int64_t)sizeof(uint16_t), count = lfm_rounded_up(l->rows, TILE_HALVES) / TILE_HALVES;
  for (int64_t n = 0; n < l->cols; n += BLOCK) {
    operand tiles = {b + (n / l->col_block * l->col_stride + n % l->col_block * l->pair) * half,
                     l->col_block * l->pair * half, l->row_stride * half, TILE_BYTES};
    tiles_clear(two);
    multiply(two, a, tiles, count);
    tiles_store(two, sums + n, width * (int64_t)sizeof *sums);
  }
}

/* relu goes along with bias and rounding; another activation in between. */
AMX static void finish_line(const lfm_amx_product *p, float *sums, const float *bias, void *c, int64_t line) {
  int64_t n = p->spec.n;
  float *to = (float *)c + line * n;
  uint16_t *halves = (uint16_t *)c + line * n;
  lfm_act_kind act = p->spec.act.kind;
  __m512 least = _mm512_set1_ps(act == LFM_ACT_RELU ? 0.0f : -INFINITY);
  bool is_apart = act != LFM_ACT_NONE && act != LFM_ACT_RELU;
  if (is_apart) {
    for (int64_t j = 0; bias && j < n; j++) sums[j] += bias[j];
    p->activate(sums, NULL, sums, (size_t)n, p->spec.act, false);
  }
  const float *more = p->spec.half_c ? NULL : to;
  if (!p->spec.accumulate) more = is_apart ? NULL : bias;
  for (int64_t j = 0; j < n; j += LANES) {
    __mmask16 in = lanes_in(j, n);
    __m512 x = _mm512_loadu_ps(sums + j);
    if (more) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(in, more + j));
    else if (p->spec.accumulate) x = _mm512_add_ps(x, floats_of(_mm256_maskz_loadu_epi16(in, halves + j)));
    x = _mm512_max_ps(least, x); /* x where it is no number */
    if (p->spec.half_c) _mm256_mask_storeu_epi16(halves + j, in, halves_of(x));
    else _mm512_mask_storeu_ps(to + j, in, x);
  }
}

AMX static void run_layer(const lfm_amx_product *p, const uint16_t *a, const void *b, const float *bias, void *c,
                          float *sums) {
  int64_t m = p->spec.m, k = p->spec.k, width = lfm_rounded_up(p->spec.n, BLOCK), lines = 0;
  char *room = (char *)(sums + BLOCK * width);
  operand tiles = {room, TILE_BYTES, TWO_TILES, TILE_SIZE};
  for (int64_t first = 0; first < m; first += BLOCK) {
    int64_t count = m - first < BLOCK ? m - first : BLOCK;
    if (count != lines) tiles_take(lines = count);
    take_lines(room, a + first * k, count, k);
    if (count > TILE_LINES) sum_lines(true, sums, width, tiles, p, b);
    else sum_lines(false, sums, width, tiles, p, b);
    for (int64_t i = 0; i < count; i++) finish_line(p, sums + i * width, bias, c, first + i);
  }
  _tile_release();
}

/* ---- the gradient of weights: C = or += A' B ------------------------------------------------------------------------ */

/* Two lines of numbers, the second NULL for zeros, as pairs: columns [at, at + 16), those from n on zero. */
AMX_INLINE __m512i pairs_of(const uint16_t *even, const uint16_t *odd, int64_t at, int64_t n) {
  __mmask16 in = lanes_in(at, n);
  __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(in, even + at));
  if (!odd) return low;
  return _mm512_or_si512(low, _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(in, odd + at)), 16));
}

/* Lines [k, n], `ld` numbers from one to the next, as tiles [n / 16][k / 32]: of B, or turned, of A. */
AMX static void make_tiles(char *to, const uint16_t *from, int64_t k, int64_t n, int64_t ld, bool turned) {
  for (int64_t at = 0; at < n; at += TILE_LINES)
    for (int64_t first = 0; first < k; first += TILE_HALVES, to += TILE_SIZE) {
      __m512 tile[TILE_LINES];
      UNROLL for (int64_t i = 0; i < TILE_LINES; i++) {
        int64_t even = first + 2 * i;
        const uint16_t *line = from + even * ld;
        tile[i] =
            _mm512_castsi512_ps(even < k ? pairs_of(line, even + 1 < k ? line + ld : NULL, at, n) : _mm512_setzero_si512());
      }
      if (turned) transpose_square(tile);
      UNROLL for (int64_t i = 0; i < TILE_LINES; i++) _mm512_storeu_ps(to + i * TILE_BYTES, tile[i]);
    }
}

/* Of lines [k, n] as tiles, two at a time. */
static int64_t tiles_bytes(int64_t k, int64_t n) {
  return lfm_rounded_up(k, TILE_HALVES) * lfm_rounded_up(n, BLOCK) * (int64_t)sizeof(uint16_t);
}

/* Into C itself, or where its columns do not fill the tiles, by way of `sums`. */
AMX_INLINE void gradient_lines(bool two, const lfm_amx_product *p, operand a, operand b, int64_t lines, float *c,
                               float *sums) {
  int64_t n = p->spec.n, count = lfm_rounded_up(p->spec.k, TILE_HALVES) / TILE_HALVES, line = n * (int64_t)sizeof *c;
  for (int64_t j = 0; j < n; j += BLOCK, b.at += 2 * b.second) {
    bool fits = n - j >= BLOCK;
    if (p->spec.accumulate && fits) tiles_load(two, c + j, line);
    else tiles_clear(two);
    multiply(two, a, b, count);
    if (fits) {
      tiles_store(two, c + j, line);
      continue;
    }
    tiles_store(two, sums, BLOCK * (int64_t)sizeof *sums);
    for (int64_t i = 0; i < lines; i++)
      for (int64_t l = j; l < n; l++)
        c[i * n + l] = p->spec.accumulate ? c[i * n + l] + sums[i * BLOCK + l - j] : sums[i * BLOCK + l - j];
  }
}

AMX static void run_gradient(const lfm_amx_product *p, const uint16_t *a, const uint16_t *b, float *c, char *room) {
  int64_t m = p->spec.m, n = p->spec.n, k = p->spec.k, lines = 0;
  int64_t row = lfm_rounded_up(k, TILE_HALVES) / TILE_HALVES * TILE_SIZE;
  char *a_room = room, *b_room = a_room + tiles_bytes(k, m);
  float *sums = (float *)(b_room + tiles_bytes(k, n));
  make_tiles(a_room, a, k, m, p->spec.lda ? p->spec.lda : m, true);
  make_tiles(b_room, b, k, n, n, false);
  operand b_tiles = {b_room, TILE_BYTES, TILE_SIZE, row};
  for (int64_t first = 0; first < m; first += BLOCK) {
    int64_t count = m - first < BLOCK ? m - first : BLOCK;
    if (count != lines) tiles_take(lines = count);
    operand a_tiles = {a_room + first / TILE_LINES * row, TILE_BYTES, TILE_SIZE, row};
    if (count > TILE_LINES) gradient_lines(true, p, a_tiles, b_tiles, count, c + first * n, sums);
    else gradient_lines(false, p, a_tiles, b_tiles, count, c + first * n, sums);
  }
  _tile_release();
}

/* ---- the product ----------------------------------------------------------------------------------------------------- */

bool lfm_amx_can(const lfm_product_spec *spec) {
  if (!lfm_amx_ready()) return false;
  const lfm_layout *l = spec->layout;
  if (!l) return spec->half_a && spec->half_b && !spec->half_c;
  return l->half && spec->half_a && l->pair == 2 && l->row_block == TILE_HALVES && l->col_block % BLOCK == 0;
}

lfm_amx_product lfm_amx_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers) {
  lfm_amx_product product = {.spec = *spec, .activate = numbers->activate};
  if (spec->layout) product.layout = *spec->layout;
  return product;
}

size_t lfm_amx_scratch(const lfm_amx_product *p) {
  int64_t sums = BLOCK * (int64_t)sizeof(float), k = p->spec.k;
  if (p->spec.layout) return (size_t)(sums * lfm_rounded_up(p->spec.n, BLOCK) + tiles_bytes(BLOCK, k));
  return (size_t)(tiles_bytes(k, p->spec.m) + tiles_bytes(k, p->spec.n) + sums * BLOCK);
}

void lfm_amx_run(const lfm_amx_product *p, const void *a, const void *b, const float *bias, void *c, void *scratch) {
  if (p->spec.layout) run_layer(p, a, b, bias, c, scratch);
  else run_gradient(p, a, b, c, scratch);
}
#else
bool lfm_amx_ready(void) { return false; }
bool lfm_amx_can(const lfm_product_spec *spec) { return (void)spec, false; }
lfm_amx_product lfm_amx_product_of(const lfm_product_spec *spec, const lfm_kernels *numbers) {
  return (void)numbers, (lfm_amx_product){.spec = *spec};
}
size_t lfm_amx_scratch(const lfm_amx_product *product) { return (void)product, 0; }
void lfm_amx_run(const lfm_amx_product *product, const void *a, const void *b, const float *bias, void *c, void *scratch) {
  (void)product, (void)a, (void)b, (void)bias, (void)c, (void)scratch;
}
#endif
