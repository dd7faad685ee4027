/* SPDX-License-Identifier: MIT
 *
 * ref_body.h -- the kernels of table.h for one number type; ref.c includes this once a type.
 * NUM is the type, TAG its name in function names.  The rows' loops are plain so that they can be read as the definition;
 * the inner loops run over neighbouring columns, so that compilers make vectors of them without changing an order of sums.
 */
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define NAME(function) PASTE(function, TAG)

/* ---- products ------------------------------------------------------------------------------------------------ */

/* C[m, :] = bias + sum over k of A[m, k] B[k, :], k ascending. */
LFM_VECTOR static void NAME(product_rows)(NUM *restrict c, const NUM *restrict a, const NUM *restrict b,
                                          const NUM *restrict bias, const lfm_product_spec *s, int64_t ldb) {
  size_t n = (size_t)s->n;
  for (int64_t row = 0; row < s->m; row++, c += n, a += s->k) {
    for (size_t j = 0; j < n && !s->accumulate; j++) c[j] = bias ? bias[j] : 0;
    for (int64_t k = 0; k < s->k; k++) {
      NUM factor = a[k];
      const NUM *line = b + k * ldb;
      for (size_t j = 0; j < n; j++) c[j] += factor * line[j];
    }
  }
}

/* C[m, :] = sum over k of A[k, m] B[k, :], k ascending. */
LFM_VECTOR static void NAME(product_sum)(NUM *restrict c, const NUM *restrict a, const NUM *restrict b,
                                         const lfm_product_spec *s) {
  size_t n = (size_t)s->n;
  int64_t lda = s->lda ? s->lda : s->m;
  for (int64_t row = 0; row < s->m; row++, c += n) {
    for (size_t j = 0; j < n && !s->accumulate; j++) c[j] = 0;
    for (int64_t k = 0; k < s->k; k++) {
      NUM factor = a[k * lda + row];
      const NUM *line = b + (size_t)k * n;
      for (size_t j = 0; j < n; j++) c[j] += factor * line[j];
    }
  }
}

static lfm_status NAME(product_run)(lfm_product *product, const void *a, const void *b, const void *bias, void *c,
                                    void *scratch) {
  (void)scratch;
  if (product->spec.layout) NAME(product_rows)(c, a, b, product->spec.bias ? bias : NULL, &product->spec, product->ldb);
  else NAME(product_sum)(c, a, b, &product->spec);
  return LFM_OK;
}

/* ---- packing and copying ------------------------------------------------------------------------------------- */

/* Straight: a row of W is a row of B, cut into runs of one tile's width. */
static void NAME(pack_straight)(NUM *restrict dst, const lfm_layout *p, const NUM *restrict w, int64_t ld, int64_t first,
                                int64_t count) {
  for (int64_t k = first; k < first + count; k++) {
    const NUM *row = w + k * ld;
    NUM *line = dst + k / p->row_block * p->row_stride + k % p->row_block * p->col_block;
    for (int64_t n = 0; n < p->cols; n += p->col_block, line += p->col_stride) {
      int64_t run = p->cols - n < p->col_block ? p->cols - n : p->col_block;
      memcpy(line, row + n, (size_t)run * sizeof(NUM));
    }
  }
}

/* Transposed: PACK_RUN rows of W at a time become neighbouring columns of B, a cache line of floats; more rows than that,
 * a power of two apart, would push each other out of the first-level cache. */
LFM_VECTOR static void NAME(pack_transposed)(NUM *restrict dst, const lfm_layout *p, const NUM *restrict w, int64_t ld,
                                             int64_t first, int64_t count) {
  for (int64_t n = first, run; n < first + count; n += run) {
    run = p->col_block - n % p->col_block;
    if (run > PACK_RUN) run = PACK_RUN;
    if (run > first + count - n) run = first + count - n;
    NUM *column = dst + n / p->col_block * p->col_stride + n % p->col_block;
    for (int64_t k = 0; k < p->rows; k++) {
      NUM *line = column + k / p->row_block * p->row_stride + k % p->row_block * p->col_block;
      for (int64_t j = 0; j < run; j++) line[j] = w[(n + j) * ld + k];
    }
  }
}

static void NAME(pack)(void *dst, const lfm_layout *layout, bool transposed, const void *w, int64_t ld, int64_t skip,
                       int64_t first, int64_t count) {
  if (transposed) NAME(pack_transposed)(dst, layout, (const NUM *)w + skip, ld, first, count);
  else NAME(pack_straight)(dst, layout, w, ld, first, count);
}

static void NAME(columns)(void *dst, int64_t dst_ld, const void *src, int64_t src_ld, int64_t rows, int64_t cols, bool add) {
  NUM *to = dst;
  const NUM *from = src;
  for (int64_t row = 0; row < rows; row++, to += dst_ld, from += src_ld) {
    if (add)
      for (int64_t j = 0; j < cols; j++) to[j] += from[j];
    else memcpy(to, from, (size_t)cols * sizeof(NUM));
  }
}

/* ---- activations --------------------------------------------------------------------------------------------- */

/* One loop an activation: inside it the kind is a constant, and the switch of act.h is gone. */
#define FOR_EACH_ACT(LOOP)                                                                                                   \
  switch (act.kind) {                                                                                                        \
  case LFM_ACT_RELU:                                                                                                         \
    LOOP(LFM_ACT_RELU) break;                                                                                                \
  case LFM_ACT_ELU:                                                                                                          \
    LOOP(LFM_ACT_ELU) break;                                                                                                 \
  case LFM_ACT_SILU:                                                                                                         \
    LOOP(LFM_ACT_SILU) break;                                                                                                \
  case LFM_ACT_GELU:                                                                                                         \
    LOOP(LFM_ACT_GELU) break;                                                                                                \
  case LFM_ACT_TANH:                                                                                                         \
    LOOP(LFM_ACT_TANH) break;                                                                                                \
  case LFM_ACT_SOFTPLUS:                                                                                                     \
    LOOP(LFM_ACT_SOFTPLUS) break;                                                                                            \
  case LFM_ACT_MISH:                                                                                                         \
    LOOP(LFM_ACT_MISH) break;                                                                                                \
  default:                                                                                                                   \
    LOOP(LFM_ACT_NONE) break;                                                                                                \
  }

LFM_VECTOR static void NAME(activate_loop)(NUM *y, NUM *slope, const NUM *z, size_t n, lfm_act act) {
  NUM beta = (NUM)act.beta, of_z;
#define LOOP(KIND)                                                                                                           \
  if (slope) {                                                                                                               \
    LFM_ELEMENTWISE for (size_t i = 0; i < n; i++) y[i] = NAME(act_value)(KIND, beta, z[i], &of_z), slope[i] = of_z;         \
  } else {                                                                                                                   \
    LFM_ELEMENTWISE for (size_t i = 0; i < n; i++) y[i] = NAME(act_value)(KIND, beta, z[i], &of_z);                          \
  }
  FOR_EACH_ACT(LOOP)
#undef LOOP
}

static void NAME(activate)(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half) {
  (void)half;
  NAME(activate_loop)(y, slope, z, n, act);
}

LFM_VECTOR static void NAME(slope_loop)(NUM *restrict slope, const NUM *restrict y, size_t n, lfm_act act) {
  NUM beta = (NUM)act.beta;
#define LOOP(KIND)                                                                                                           \
  for (size_t i = 0; i < n; i++) slope[i] = NAME(act_slope)(KIND, beta, y[i]);
  FOR_EACH_ACT(LOOP)
#undef LOOP
}

static void NAME(slope)(void *slope, const void *y, size_t n, lfm_act act) { NAME(slope_loop)(slope, y, n, act); }

/* One row at a time, so that the sum of a column runs down the rows. */
LFM_VECTOR static void NAME(activate_backward_loop)(NUM *restrict d, const NUM *restrict kept, int64_t rows, size_t cols,
                                                    lfm_act act, NUM *restrict d_bias) {
  NUM beta = (NUM)act.beta;
#define LOOP(KIND)                                                                                                           \
  for (int64_t row = 0; row < rows; row++, d += cols, kept += cols)                                                          \
    for (size_t j = 0; j < cols; j++) {                                                                                      \
      d[j] *= lfm_act_keeps_slope((lfm_act){KIND, 0}) ? kept[j] : NAME(act_slope)(KIND, beta, kept[j]);                      \
      d_bias[j] += d[j];                                                                                                     \
    }
  FOR_EACH_ACT(LOOP)
#undef LOOP
}

static void NAME(activate_backward)(void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half,
                                    void *d_bias, bool accumulate) {
  (void)half;
  if (!accumulate) memset(d_bias, 0, (size_t)cols * sizeof(NUM));
  NAME(activate_backward_loop)(d, kept, rows, (size_t)cols, act, d_bias);
}

/* ---- tangents ------------------------------------------------------------------------------------------------ */

LFM_VECTOR static void NAME(unit_tangent_loop)(NUM *restrict panel, const NUM *restrict u, const NUM *restrict slope,
                                               int64_t cols, int64_t directions, int64_t first, int64_t count) {
  for (int64_t f = first; f < first + count; f++, panel += cols) {
    const NUM *weights = u + f % directions * cols;
    const NUM *factor = slope ? slope + f / directions * cols : NULL;
    for (int64_t j = 0; j < cols; j++) panel[j] = factor ? weights[j] * factor[j] : weights[j];
  }
}

static void NAME(unit_tangent)(void *panel, const void *u, const void *slope, int64_t cols, int64_t directions, int64_t first,
                               int64_t count) {
  NAME(unit_tangent_loop)(panel, u, slope, cols, directions, first, count);
}

LFM_VECTOR static void NAME(scale_tangent_loop)(NUM *restrict panel, const NUM *restrict slope, int64_t cols,
                                                int64_t directions, int64_t first, int64_t count) {
  for (int64_t f = first; f < first + count; f++, panel += cols) {
    const NUM *factor = slope + f / directions * cols;
    for (int64_t j = 0; j < cols; j++) panel[j] *= factor[j];
  }
}

static void NAME(scale_tangent)(void *panel, const void *slope, int64_t cols, int64_t directions, int64_t first,
                                int64_t count) {
  NAME(scale_tangent_loop)(panel, slope, cols, directions, first, count);
}

/* Sixteen partial sums side by side, then a tree: an order that vectors of 4, 8 and 16 can all keep. */
LFM_INLINE NUM NAME(dot)(const NUM *restrict a, const NUM *restrict b, int64_t n) {
  NUM sum[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; j++) sum[j] += a[i + j] * b[i + j];
  for (int j = 0; i < n; i++, j++) sum[j] += a[i] * b[i];
  for (int half = 8; half > 0; half /= 2)
    for (int j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

LFM_VECTOR static void NAME(trace_loop)(NUM *restrict trace, const NUM *restrict w, int64_t ld, const NUM *restrict panel,
                                        const NUM *restrict slope, int64_t cols, int64_t directions, int64_t first,
                                        int64_t count) {
  for (int64_t f = first; f < first + count; f++, panel += cols) {
    int64_t b = f / directions, j = f % directions;
    NUM diagonal = NAME(dot)(w + j * ld, panel, cols);
    if (slope) diagonal *= slope[f];
    trace[b] = j == 0 ? diagonal : trace[b] + diagonal;
  }
}

static void NAME(trace)(void *trace, const void *w, int64_t ld, const void *panel, const void *slope, int64_t cols,
                        int64_t directions, int64_t first, int64_t count) {
  NAME(trace_loop)(trace, w, ld, panel, slope, cols, directions, first, count);
}

LFM_VECTOR static void NAME(dots_loop)(NUM *restrict out, const NUM *restrict a, const NUM *restrict b, int64_t cols,
                                       int64_t rows) {
  for (int64_t i = 0; i < rows; i++) out[i] = NAME(dot)(a + i * cols, b + i * cols, cols);
}

static void NAME(dots)(void *out, const void *a, const void *b, int64_t cols, int64_t rows) {
  NAME(dots_loop)(out, a, b, cols, rows);
}

/* ---- waves --------------------------------------------------------------------------------------------------- */

static inline NUM NAME(within)(NUM x) {
  const NUM end = LFM_WAVES_END;
  return x > end ? end : x < -end ? -end : x;
}

/* Turns of waves along x, into `out` [waves]: of the plane, or of columns. */
static inline void NAME(turn)(NUM *restrict out, NUM x0, NUM x1, const lfm_waves *w) {
  const NUM *turns = w->turns;
  for (int64_t k = 0; k < w->count; k++) out[k] = x0 * turns[k] + x1 * turns[w->count + k];
}
static inline void NAME(turn_columns)(NUM *restrict out, const NUM *x, const lfm_waves *w) {
  const NUM *turns = w->turns;
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t j = 0; j < w->dim; j++) out[n * w->dim + j] = NAME(within)(x[j]) * turns[n];
}

LFM_VECTOR static void NAME(waves_loop)(NUM *restrict y, const NUM *restrict x, const NUM *restrict t, const lfm_waves *w,
                                        int64_t rows) {
  const NUM *strengths = w->strengths;
  int64_t dim = w->dim, of_each = dim == 2 ? 1 : dim, all = w->count * of_each;
  for (int64_t row = 0; row < rows; row++, x += dim, y += dim + 2 * all) {
    NUM *restrict sines = y + dim, *restrict cosines = sines + all, quarter, noise = t[row];
    if (w->noise > 0.0) noise = (NUM)w->noise;
    else if (w->trig) NAME(wave)(noise / 4, &noise, &quarter);
    for (int64_t j = 0; j < dim; j++) y[j] = x[j];
    if (dim == 2) NAME(turn)(sines, NAME(within)(x[0]), NAME(within)(x[1]), w);
    else NAME(turn_columns)(sines, x, w);
    for (int64_t n = 0; n < w->count; n++) cosines[n * of_each] = NAME(damp)(-strengths[n] * noise * noise);
    for (int64_t n = 0; n < w->count && of_each > 1; n++)
      for (int64_t j = 1; j < of_each; j++) cosines[n * of_each + j] = cosines[n * of_each];
    for (int64_t k = 0; k < all; k++) {
      NUM sine, cosine, mean = cosines[k];
      NAME(wave)(sines[k], &sine, &cosine);
      sines[k] = mean * sine, cosines[k] = mean * cosine;
    }
  }
}

static void NAME(waves)(void *y, const void *x, const void *t, const lfm_waves *waves, int64_t rows) {
  NAME(waves_loop)(y, x, t, waves, rows);
}

/* d sin(k . x) = (k . e) cos(k . x), d cos(k . x) = -(k . e) sin(k . x), and nothing of a column that stands still. */
LFM_VECTOR static void NAME(waves_tangent_loop)(NUM *restrict panel, const NUM *restrict y, const lfm_waves *w, const NUM *e,
                                                int64_t directions, int64_t first, int64_t rows) {
  const NUM *turns = w->turns, circle = (NUM)6.283185307179586, end = LFM_WAVES_END;
  int64_t dim = w->dim, all = w->count * (dim == 2 ? 1 : dim), width = dim + 2 * all;
  for (int64_t f = first; f < first + rows; f++, panel += width) {
    const NUM *x = y + f / directions * width, *sines = x + dim, *cosines = sines + all;
    NUM *restrict of_sines = panel + dim, *restrict of_cosines = of_sines + all;
    for (int64_t j = 0; j < dim; j++) panel[j] = e ? e[f * dim + j] : (NUM)(f % directions == j);
    if (dim == 2) {
      NUM e0 = x[0] > -end && x[0] < end ? panel[0] : 0, e1 = x[1] > -end && x[1] < end ? panel[1] : 0;
      NAME(turn)(of_sines, circle * e0, circle * e1, w);
    } else {
      for (int64_t n = 0; n < w->count; n++)
        for (int64_t j = 0; j < dim; j++)
          of_sines[n * dim + j] = x[j] > -end && x[j] < end ? circle * panel[j] * turns[n] : 0;
    }
    for (int64_t k = 0; k < all; k++) {
      NUM along = of_sines[k];
      of_sines[k] = along * cosines[k], of_cosines[k] = -along * sines[k];
    }
  }
}

static void NAME(waves_tangent)(void *panel, const void *y, const lfm_waves *waves, const void *e, int64_t directions,
                                int64_t first, int64_t count) {
  NAME(waves_tangent_loop)(panel, y, waves, e, directions, first, count);
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct lfm_kernels NAME(table) = {
    .name = REF_NAME,
    .identity = REF_NAME " " LFM_VERSION,
    .number_size = sizeof(NUM),
    .half_size = sizeof(NUM),
    .row_multiple = 1,
    .gradient_rows = 64,
    .layout = layout,
    .fuses = fuses,
    .product_create = product_create,
    .product_scratch = product_scratch,
    .product_run = NAME(product_run),
    .product_destroy = product_destroy,
    .pack = NAME(pack),
    .columns = NAME(columns),
    .activate = NAME(activate),
    .slope = NAME(slope),
    .activate_backward = NAME(activate_backward),
    .unit_tangent = NAME(unit_tangent),
    .scale_tangent = NAME(scale_tangent),
    .trace = NAME(trace),
    .dots = NAME(dots),
    .waves = NAME(waves),
    .waves_tangent = NAME(waves_tangent),
    .image = &PASTE(lfm_ref_images, TAG),
};

#undef FOR_EACH_ACT
#undef NAME
#undef PASTE
#undef PASTE_
