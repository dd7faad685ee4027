/* SPDX-License-Identifier: MIT
 *
 * bf16.c -- training in bfloat16 [Micikevicius et al. 2018; Kalamkar et al. 2019]: masters, sums, gradients of the
 * parameters, inputs and outputs are floats; what passes between layers, and the weights that products read, are halves.
 *
 *   tiles    halves of two bytes; products by AMX, where there is any and the weights lie for it (amx.c)
 *   pairs    the same halves; products by instructions on pairs of them, the library's
 *   floats   halves kept as floats whose lower sixteen bits are zero; products by the float kernels
 *
 * All compute the same but for the order of sums.  Which is faster depends on the processor, not on the network: one that
 * has AVX-512-FP16 and no AMX (Intel's server cores with AMX switched off) executes vdpbf16ps at a quarter of the rate of a
 * multiply-add, half the float rate in operations; there `floats` is chosen.  By the instruction set, never by a timing,
 * since the choice is in the last bits.  [docs/decisions/bf16.md]
 */
#include "kernel/bf16.h"
#include "core/alloc.h"
#include "kernel/amx.h"
#include "kernel/onednn.h"
#include "kernel/words.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { CHUNK = 512, PACK_RUN = 16 };

/* ---- arrays -------------------------------------------------------------------------------------------------- */

LFM_VECTOR static void halve(uint16_t *restrict half, const float *restrict x, size_t n) {
  for (size_t i = 0; i < n; i++) half[i] = lfm_bf16_of(x[i]);
}

LFM_VECTOR static void widen(float *restrict x, const uint16_t *restrict half, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = lfm_bf16_value(half[i]);
}

LFM_VECTOR static void round_here(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = lfm_bf16_rounded(x[i]);
}

LFM_VECTOR static void round_to(float *restrict to, const float *restrict x, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = lfm_bf16_rounded(x[i]);
}

/* ---- products ------------------------------------------------------------------------------------------------ */

typedef enum convert { AS_IT_IS, HALVE, WIDEN, ROUND } convert;

struct lfm_product {
  lfm_product *inner; /* the library's; NULL: by tiles */
  lfm_amx_product tiles;
  lfm_layout layout;
  convert a, c;
  size_t a_count, c_count;
  int64_t a_lines, a_step; /* A is so many lines of equal length, that many numbers from one to the next */
  size_t inner_scratch, a_scratch, c_scratch;
};

static const lfm_kernels *library; /* of float products; set once, with the tables */

static void apply(convert how, void *to, const void *from, size_t n) {
  if (how == HALVE) halve(to, from, n);
  else if (how == WIDEN) widen(to, from, n);
  else if (to == from) round_here(to, n);
  else round_to(to, from, n);
}

/* What the library is to do, and what is to be done before and after it. */
static lfm_product_spec divide(const lfm_product_spec *spec, bool floats, lfm_product *product) {
  bool halves = spec->layout ? spec->layout->half : spec->half_b;
  lfm_product_spec inner = *spec;
  if (spec->layout) product->layout = *spec->layout;
  if (floats) product->layout.half = false;
  if (spec->layout) inner.layout = &product->layout;
  inner.half_a = inner.half_b = halves && !floats;
  inner.half_c = halves && spec->half_c && !floats;
  if (halves && !spec->half_a) product->a = floats ? ROUND : HALVE;
  if (!halves && spec->half_a && !floats) product->a = WIDEN;
  if (spec->half_c && floats) product->c = ROUND;
  if (spec->half_c && !halves && !floats) product->c = HALVE;
  product->a_count = (size_t)(spec->m * spec->k);
  product->a_lines = spec->lda ? spec->k : 1, product->a_step = spec->lda;
  if (product->a != AS_IT_IS) inner.lda = 0; /* what is rounded lies close */
  product->c_count = (size_t)(spec->m * spec->n);
  if (product->a != AS_IT_IS) product->a_scratch = lfm_whole_lines(product->a_count * sizeof(float));
  if (product->c == HALVE) product->c_scratch = lfm_whole_lines(product->c_count * sizeof(float));
  return inner;
}

/* The library's product, or where tiles can, theirs. */
static lfm_status make_inner(const lfm_product_spec *spec, lfm_product *product) {
  if (lfm_amx_can(spec)) {
    product->tiles = lfm_amx_product_of(spec, library);
    product->inner_scratch = lfm_whole_lines(lfm_amx_scratch(&product->tiles));
    return LFM_OK;
  }
  LFM_TRY(library->product_create(spec, &product->inner));
  product->inner_scratch = lfm_whole_lines(library->product_scratch(product->inner));
  return LFM_OK;
}

static void product_destroy(lfm_product *product) {
  if (!product) return;
  library->product_destroy(product->inner);
  lfm_free(product);
}

static lfm_status product_create(const lfm_product_spec *spec, bool floats, lfm_product **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  lfm_product_spec inner = divide(spec, floats, *out);
  lfm_status status = make_inner(&inner, *out);
  if (status == LFM_OK && (*out)->c_scratch && spec->accumulate)
    status = lfm_fail(LFM_E_UNSUPPORTED, "bf16: halves cannot be added to by a product of floats");
  if (status == LFM_OK) return LFM_OK;
  product_destroy(*out);
  *out = NULL;
  return status;
}

static lfm_status create_of_pairs(const lfm_product_spec *spec, lfm_product **out) {
  return product_create(spec, false, out);
}
static lfm_status create_of_floats(const lfm_product_spec *spec, lfm_product **out) {
  return product_create(spec, true, out);
}

static size_t product_scratch(const lfm_product *p) { return p->inner_scratch + p->a_scratch + p->c_scratch; }

static size_t size_of(bool half) { return half ? sizeof(uint16_t) : sizeof(float); }

static void convert_a(const lfm_product *p, char *to, const char *from) {
  size_t length = p->a_count / (size_t)p->a_lines;
  for (int64_t line = 0; line < p->a_lines; line++)
    apply(p->a, to + (size_t)line * length * size_of(p->a == HALVE),
          from + (size_t)(line * p->a_step) * size_of(p->a == WIDEN), length);
}

static lfm_status product_run(lfm_product *p, const void *a, const void *b, const void *bias, void *c, void *scratch) {
  char *a_room = (char *)scratch + p->inner_scratch, *c_room = a_room + p->a_scratch;
  if (p->a != AS_IT_IS) convert_a(p, a_room, a);
  void *result = p->c_scratch ? c_room : c;
  if (!p->inner) lfm_amx_run(&p->tiles, p->a == AS_IT_IS ? a : a_room, b, bias, result, scratch);
  else LFM_TRY(library->product_run(p->inner, p->a == AS_IT_IS ? a : a_room, b, bias, result, scratch));
  if (p->c != AS_IT_IS) apply(p->c, c, result, p->c_count);
  return LFM_OK;
}

/* ---- packing ------------------------------------------------------------------------------------------------- */

static lfm_status layout_of_pairs(int64_t k, int64_t n, bool half, lfm_layout *out) {
  LFM_TRY(library->layout(k, n, half, out));
  if (half && !lfm_words_can(out))
    return lfm_fail(LFM_E_UNSUPPORTED, "bf16: this library does not want weights in pairs as they are written here");
  return LFM_OK;
}

static lfm_status layout_of_floats(int64_t k, int64_t n, bool half, lfm_layout *out) {
  LFM_TRY(library->layout(k, n, false, out));
  out->half = half;
  return LFM_OK;
}

static void pack_of_pairs(void *dst, const lfm_layout *layout, bool transposed, const void *w, int64_t ld, int64_t skip,
                          int64_t first, int64_t count) {
  if (!layout->half) library->pack(dst, layout, transposed, w, ld, skip, first, count);
  else lfm_words_pack(dst, layout, transposed, (const float *)w + (transposed ? skip : 0), ld, first, count);
}

/* Rows [k, k + ks) and columns [n, n + ns) of B, whose (k, n) is w[k * by_k + n * by_n]. */
typedef struct patch {
  int64_t k, ks, n, ns, by_k, by_n;
} patch;

static patch patch_of(const lfm_layout *layout, bool transposed, int64_t ld, int64_t first, int64_t count) {
  if (transposed) return (patch){0, layout->rows, first, count, 1, ld};
  return (patch){first, count, 0, layout->cols, ld, 1};
}

LFM_VECTOR static void put_floats(float *dst, const lfm_layout *p, const float *w, patch at) {
  for (int64_t n = at.n, run; n < at.n + at.ns; n += run) {
    run = p->col_block - n % p->col_block;
    if (run > PACK_RUN) run = PACK_RUN;
    if (run > at.n + at.ns - n) run = at.n + at.ns - n;
    float *column = dst + n / p->col_block * p->col_stride + n % p->col_block;
    for (int64_t k = at.k; k < at.k + at.ks; k++) {
      float *line = column + k / p->row_block * p->row_stride + k % p->row_block * p->col_block;
      const float *from = w + k * at.by_k + n * at.by_n;
      for (int64_t j = 0; j < run; j++) line[j] = lfm_bf16_rounded(from[j * at.by_n]);
    }
  }
}

static void pack_of_floats(void *dst, const lfm_layout *layout, bool transposed, const void *w, int64_t ld, int64_t skip,
                           int64_t first, int64_t count) {
  if (layout->half)
    put_floats(dst, layout, (const float *)w + (transposed ? skip : 0), patch_of(layout, transposed, ld, first, count));
  else library->pack(dst, layout, transposed, w, ld, skip, first, count);
}

/* ---- activations --------------------------------------------------------------------------------------------- */

static size_t chunk_of(size_t left) { return left < CHUNK ? left : CHUNK; }

static void activate_pairs(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half) {
  float values[CHUNK], slopes[CHUNK];
  if (!half) {
    library->activate(y, slope, z, n, act, false);
    return;
  }
  for (size_t i = 0; i < n; i += CHUNK) {
    widen(values, (const uint16_t *)z + i, chunk_of(n - i));
    library->activate(values, slope ? slopes : NULL, values, chunk_of(n - i), act, false);
    halve((uint16_t *)y + i, values, chunk_of(n - i));
    if (slope) halve((uint16_t *)slope + i, slopes, chunk_of(n - i));
  }
}

static void activate_floats(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half) {
  library->activate(y, slope, z, n, act, false);
  if (!half) return;
  round_here(y, n);
  if (slope) round_here(slope, n);
}

/* A row's chunk at a time through the float kernel: the sum of a column still runs down the rows. */
static void activate_backward_pairs(void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half,
                                    void *d_bias, bool accumulate) {
  if (!half) {
    library->activate_backward(d, kept, rows, cols, act, false, d_bias, accumulate);
    return;
  }
  float gradient[CHUNK], value[CHUNK];
  if (!accumulate) memset(d_bias, 0, (size_t)cols * sizeof(float));
  for (int64_t row = 0; row < rows; row++)
    for (int64_t j = 0; j < cols; j += CHUNK) {
      size_t n = chunk_of((size_t)(cols - j)), at = (size_t)(row * cols + j);
      uint16_t *to = (uint16_t *)d + at;
      widen(gradient, to, n);
      widen(value, (const uint16_t *)kept + at, n);
      library->activate_backward(gradient, value, 1, (int64_t)n, act, false, (float *)d_bias + j, true);
      halve(to, gradient, n);
    }
}

static void activate_backward_floats(void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half,
                                     void *d_bias, bool accumulate) {
  library->activate_backward(d, kept, rows, cols, act, false, d_bias, accumulate);
  if (half) round_here(d, (size_t)(rows * cols));
}

/* ---- the tables ---------------------------------------------------------------------------------------------- */

static struct lfm_kernels pairs, floats;
static char identities[2][128];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  library = lfm_kernels_onednn();
  pairs = floats = *library;
  pairs.halves = floats.halves = true;
  pairs.image = lfm_onednn_images_of_halves(); /* those of floats stay the library's: to round them would gain nothing */
  pairs.half_size = sizeof(uint16_t);
  if (lfm_amx_ready()) pairs.gradient_rows = LFM_AMX_GRADIENT_ROWS;
  pairs.product_scratch = floats.product_scratch = product_scratch;
  pairs.product_run = floats.product_run = product_run;
  pairs.product_destroy = floats.product_destroy = product_destroy;
  pairs.product_create = create_of_pairs, floats.product_create = create_of_floats;
  pairs.layout = layout_of_pairs, floats.layout = layout_of_floats;
  pairs.pack = pack_of_pairs, floats.pack = pack_of_floats;
  pairs.activate = activate_pairs, floats.activate = activate_floats;
  pairs.activate_backward = activate_backward_pairs, floats.activate_backward = activate_backward_floats;
  pairs.name = "bf16 pairs", floats.name = "bf16 floats";
  snprintf(identities[0], sizeof identities[0], "%s, bf16 in %s", library->identity, lfm_amx_ready() ? "tiles" : "pairs");
  snprintf(identities[1], sizeof identities[1], "%s, bf16 in floats", library->identity);
  pairs.identity = identities[0], floats.identity = identities[1];
}

const lfm_kernels *lfm_kernels_bf16_pairs(void) {
  pthread_once(&once, make_tables);
  return &pairs;
}

const lfm_kernels *lfm_kernels_bf16_floats(void) {
  pthread_once(&once, make_tables);
  return &floats;
}

static bool has_fp16(void) {
#if defined(__x86_64__)
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 23 & 1u);
#else
  return false;
#endif
}

lfm_status lfm_kernels_bf16(const lfm_kernels **out) {
  const char *isa = lfm_kernels_onednn()->identity;
  bool has_amx = strstr(isa, "amx") != NULL;
  if (!has_amx && !strstr(isa, "bf16"))
    return lfm_fail(LFM_E_UNSUPPORTED,
                    "precision bf16: this processor has no bfloat16 arithmetic (AVX512_BF16 or AMX); use precision fp32");
  if (lfm_kernels_best() != lfm_kernels_onednn())
    return lfm_fail(LFM_E_UNSUPPORTED, "precision bf16: LFM_KERNELS asks for kernels that have none; unset it, or use fp32");
  *out = has_amx || !has_fp16() ? lfm_kernels_bf16_pairs() : lfm_kernels_bf16_floats();
  return LFM_OK;
}
