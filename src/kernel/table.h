/* SPDX-License-Identifier: MIT
 *
 * table.h -- what a backend is: a table of kernels on raw arrays of one number type (float or double).
 * The graph plans with it and runs through it; nothing else includes this file.  Kernels know shapes, not networks.
 *
 * Two things are made ahead of a run, because they cost too much inside it:
 *   layout   how a weight matrix lies in memory for the product that reads it (tiles that a vector unit likes)
 *   product  one matrix product of fixed shape, with its bias and activation
 * A backend may keep what passes from layer to layer, and the weights that are read there, as halves: numbers rounded to
 * bfloat16.  Where an array may be of either kind a flag says so; all others are numbers.
 * Arrays are row-major and must not overlap unless said.  Every kernel treats the rows of a batch one by one: the value of
 * a row depends neither on its place nor on its neighbours, to the bit.  Sums over rows run from the first to the last.
 */
#ifndef LFM_KERNEL_TABLE_H
#define LFM_KERNEL_TABLE_H

#include "core/waves.h"
#include "kernel/image.h"
#include "kernel/kernel.h"

/* B [rows, cols] cut into tiles [row_block, col_block], each stored row by row; strides lead from tile to tile.
 * The last tiles are whole: what lies outside B is zero and stays so.  Plain row-major is one tile a row.
 * pair 2: within a tile two rows at a time are interleaved, as instructions on pairs of halves read them.
 * split: each number is two halves, whose sum it is but for its last bits (amx_split.h). */
typedef struct lfm_layout {
  int64_t rows, cols;
  int64_t row_block, col_block;
  int64_t row_stride, col_stride;
  int64_t pair;
  bool half, split;
  size_t count;     /* numbers in all */
  int64_t col_step; /* a product may make some columns alone, from a multiple of this on, to the same bits; 0: may not */
} lfm_layout;

/* layout set:   C [m, n] = act(A [m, k] B + bias [n]), B in that layout, rows = k and cols = n
 * layout NULL:  C [m, n] = A' B with A [k, m] and B [k, n] plain (the gradient of a weight matrix)
 * accumulate adds to C instead; then there is neither bias nor activation.
 * B decides the arithmetic: where it is of halves A is rounded to halves too; the sums are of numbers always. */
typedef struct lfm_product_spec {
  int64_t m, n, k;
  int64_t lda; /* without a layout: numbers from a row of A to the next, where A is columns of a wider matrix; 0: m */
  const lfm_layout *layout;
  bool bias, accumulate;
  bool half_a, half_b, half_c; /* half_b without a layout: with one, the layout says it */
  lfm_act act;                 /* only what fuses() accepts */
} lfm_product_spec;

typedef struct lfm_product lfm_product; /* one worker's: not to be run by two threads at a time */

/* Those of core/waves.h as they are computed: `count` of the plane, or of each column. */
typedef struct lfm_waves {
  int64_t dim, count;
  bool trig;
  double noise; /* 0: by t */
  void *turns, *strengths; /* numbers: k / 2 pi, of the plane [2, count], else [count]; |k|^2 / 2 [count] */
} lfm_waves;

struct lfm_kernels {
  const char *name;
  const char *identity;
  size_t number_size;
  bool halves;           /* are there any?  If not, the flags are never set */
  size_t half_size;      /* bytes that a half takes */
  int64_t row_multiple;  /* m of a product with a layout is a multiple of this: only then do its rows stand alone */
  int64_t gradient_rows; /* of a weight matrix's gradient, so many that more would not make a row of it much cheaper */

  /* The layout that a product with rows = k, cols = n likes. */
  lfm_status (*layout)(int64_t k, int64_t n, bool half, lfm_layout *out);
  /* A `split` layout of the same B, for products with tangents; NULL or false: there is none, or it would gain nothing. */
  bool (*split_layout)(int64_t k, int64_t n, lfm_layout *out);
  bool (*fuses)(lfm_act act); /* can a product apply it? */
  lfm_status (*product_create)(const lfm_product_spec *spec, lfm_product **out);
  size_t (*product_scratch)(const lfm_product *product); /* bytes that each run of it may overwrite */
  lfm_status (*product_run)(lfm_product *product, const void *a, const void *b, const void *bias, void *c, void *scratch);
  void (*product_destroy)(lfm_product *product);

  /* dst in `layout` from rows [first, first + count) of W [*, ld]; transposed: B[k, n] = W[n, skip + k], else W[k, n]. */
  void (*pack)(void *dst, const lfm_layout *layout, bool transposed, const void *w, int64_t ld, int64_t skip, int64_t first,
               int64_t count);

  /* dst [rows, of dst_ld] = or += src [rows, of src_ld], `cols` columns of each. */
  void (*columns)(void *dst, int64_t dst_ld, const void *src, int64_t src_ld, int64_t rows, int64_t cols, bool add);

  /* y [n] = act(z); slope [n] = act'(z), unless NULL.  Either may be z.  half: all three are of halves. */
  void (*activate)(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half);
  /* slope [n] = act'(z) from y = act(z), numbers both, where the value tells it. */
  void (*slope)(void *slope, const void *y, size_t n, lfm_act act);

  /* d [rows, cols] *= act'(z), in place, and d_bias [cols] = or += the sum of its rows.  kept: the slope where the
   * activation keeps it, else y; half: d and kept are. */
  void (*activate_backward)(void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half, void *d_bias,
                            bool accumulate);

  /* Tangents: row f of a panel belongs to batch row b = f / directions and direction j = f % directions; the panel is
   * f = first .. first + count - 1.  slope [batch rows, cols] may be NULL, which means ones.
   *   unit_tangent   panel[f] = u[j] * slope[b]         u [directions, cols]: the weights, transposed
   *   scale_tangent  panel[f] *= slope[b]
   *   trace          trace[b] += slope[b, j] * <w[j], panel[f]>, from zero at j = 0
   *                  w: rows of ld numbers, of which `cols` count; panel [count, cols]; slope [batch rows, directions] */
  void (*unit_tangent)(void *panel, const void *u, const void *slope, int64_t cols, int64_t directions, int64_t first,
                       int64_t count);
  void (*scale_tangent)(void *panel, const void *slope, int64_t cols, int64_t directions, int64_t first, int64_t count);
  void (*trace)(void *trace, const void *w, int64_t ld, const void *panel, const void *slope, int64_t cols,
                int64_t directions, int64_t first, int64_t count);

  /* out [rows] = <a[i], b[i]>, a and b [rows, cols]. */
  void (*dots)(void *out, const void *a, const void *b, int64_t cols, int64_t rows);

  /* y [rows, lfm_wave_columns] = (x, sines, cosines) of x [rows, dim] and t [rows]. */
  void (*waves)(void *y, const void *x, const void *t, const lfm_waves *waves, int64_t rows);
  /* Their tangents from y: panel[f] for direction e_j, or for e[f] where e [batch rows, directions, dim] is not NULL. */
  void (*waves_tangent)(void *panel, const void *y, const lfm_waves *waves, const void *e, int64_t directions, int64_t first,
                        int64_t count);

  const lfm_image_kernels *image; /* of the numbers, or of halves, as it says */
};

static inline lfm_layout lfm_layout_plain(int64_t k, int64_t n) {
  return (lfm_layout){.rows = k,
                      .cols = n,
                      .row_block = 1,
                      .col_block = n,
                      .row_stride = n,
                      .col_stride = n,
                      .pair = 1,
                      .count = (size_t)k * (size_t)n};
}

static inline size_t lfm_stored_size(const lfm_kernels *kernels, bool half) {
  return half ? kernels->half_size : kernels->number_size;
}

/* Some columns of B, `first` a multiple of its step: their layout, `offset` numbers into that of B. */
static inline lfm_layout lfm_layout_part(const lfm_layout *whole, int64_t first, int64_t cols, size_t *offset) {
  lfm_layout part = *whole;
  *offset = (size_t)(first / whole->col_block * whole->col_stride + first % whole->col_block);
  part.cols = cols;
  if (part.col_block > cols && part.row_block == 1) part.col_block = part.col_stride = cols;
  return part;
}

/* Does the value of this activation not tell its derivative, so that a run keeps that, too? */
static inline bool lfm_act_keeps_slope(lfm_act act) {
  return act.kind == LFM_ACT_SILU || act.kind == LFM_ACT_GELU || act.kind == LFM_ACT_MISH;
}

#endif
