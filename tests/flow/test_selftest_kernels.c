/* SPDX-License-Identifier: MIT
 *
 * test_selftest_kernels.c -- no check of the kernels passes by chance: copies of this machine's tables in which one kernel is
 * a little wrong are found out, whichever it is, and so is an arithmetic coarser than the one that it is said to be; what
 * they are copies of passes.  So each kernel of a table is run.
 */
#include "flow_support.h"

#include "flow/selftest.h"
#include "kernel/bf16.h"
#include "kernel/table.h"

static lfm_team *team;
static lfm_oracle *oracle;

/* What is trained and evaluated on here, each as what it is. */
static void tables_are_those_in_use(void **state) {
  (void)state;
  lfm_checked_table tables[LFM_CHECKED_TABLES];
  const lfm_kernels *halves;
  int count, at = 0;
  bool is_double = lfm_kernels_best() == lfm_kernels_ref64();
  lfm_checked_tables(tables, &count);
  if (!is_double) assert_true(tables[at].kernels == lfm_kernels_best() && tables[at++].bits == 24);
  if (lfm_kernels_training() != lfm_kernels_best())
    assert_true(tables[at].kernels == lfm_kernels_training() && tables[at++].bits == 17);
  if (lfm_kernels_bf16(&halves) == LFM_OK) assert_true(tables[at].kernels == halves && tables[at++].bits == 8);
  assert_int_equal(count, at);
}

/* ---- copies -------------------------------------------------------------------------------------------------- */

typedef struct copy {
  struct lfm_kernels table;
  lfm_image_kernels image;
} copy;

static copy real; /* what a copy was before one of its kernels became wrong */
static float off; /* by how much a number of that kernel's is */

/* Of floats, whatever the environment forces. */
static const lfm_kernels *floats(void) {
  bool is_fast = strstr(lfm_kernels_identity(lfm_kernels_onednn()), "avx") != NULL;
  return is_fast ? lfm_kernels_onednn() : lfm_kernels_ref32();
}

static copy copy_of(const lfm_kernels *kernels) { return (copy){*kernels, *kernels->image}; }

static int failures_of(copy *c, int bits) {
  lfm_checks checks = {.team = team};
  c->table.image = &c->image;
  OK(lfm_check_table(&checks, oracle, &(lfm_checked_table){&c->table, bits}));
  return checks.failed;
}

/* ---- kernels ------------------------------------------------------------------------------------------------- */

/* Each that writes an array of numbers, with the first of them off. */
#define WRONG(ROOM, NAME, PARAMETERS, ARGUMENTS, RESULT)                                                                     \
  static void wrong_##NAME PARAMETERS {                                                                                      \
    real.ROOM.NAME ARGUMENTS;                                                                                                \
    *(float *)(RESULT) += off;                                                                                               \
  }                                                                                                                          \
  static void put_##NAME(copy *c) { c->ROOM.NAME = wrong_##NAME; }
typedef const lfm_norm_spec norm_spec;
WRONG(table, activate, (void *y, void *slope, const void *z, size_t n, lfm_act act, bool half), (y, slope, z, n, act, half),
      y)
WRONG(table, slope, (void *slope, const void *y, size_t n, lfm_act act), (slope, y, n, act), slope)
WRONG(table, activate_backward,
      (void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half, void *bias, bool add),
      (d, kept, rows, cols, act, half, bias, add), bias)
WRONG(table, pack,
      (void *dst, const lfm_layout *layout, bool turned, const void *w, int64_t ld, int64_t skip, int64_t first, int64_t n),
      (dst, layout, turned, w, ld, skip, first, n), dst)
WRONG(table, columns, (void *dst, int64_t dst_ld, const void *src, int64_t src_ld, int64_t rows, int64_t cols, bool add),
      (dst, dst_ld, src, src_ld, rows, cols, add), dst)
WRONG(table, unit_tangent,
      (void *panel, const void *u, const void *slope, int64_t cols, int64_t directions, int64_t first, int64_t count),
      (panel, u, slope, cols, directions, first, count), panel)
WRONG(table, scale_tangent, (void *panel, const void *slope, int64_t cols, int64_t directions, int64_t first, int64_t count),
      (panel, slope, cols, directions, first, count), panel)
WRONG(table, trace,
      (void *trace, const void *w, int64_t ld, const void *panel, const void *slope, int64_t cols, int64_t directions,
       int64_t first, int64_t count),
      (trace, w, ld, panel, slope, cols, directions, first, count), trace)
WRONG(table, dots, (void *out, const void *a, const void *b, int64_t cols, int64_t rows), (out, a, b, cols, rows), out)
WRONG(table, waves, (void *y, const void *x, const void *t, const lfm_waves *waves, int64_t rows), (y, x, t, waves, rows), y)
WRONG(table, waves_tangent,
      (void *panel, const void *y, const lfm_waves *waves, const void *e, int64_t directions, int64_t first, int64_t count),
      (panel, y, waves, e, directions, first, count), panel)
WRONG(image, pack_filter, (void *dst, const lfm_filter *filter, const void *w, int64_t first, int64_t count),
      (dst, filter, w, first, count), dst)
WRONG(image, block_rows, (void *image, const void *plain, lfm_image shape, bool pixels_first, int64_t rows),
      (image, plain, shape, pixels_first, rows), image)
WRONG(image, plain_rows, (void *plain, const void *image, lfm_image shape, bool pixels_first, int64_t rows),
      (plain, image, shape, pixels_first, rows), plain)
WRONG(image, add_bias, (void *v, const void *bias, lfm_image shape, int64_t rows), (v, bias, shape, rows), v)
WRONG(image, sum_bias, (void *d_bias, const void *d, lfm_image shape, int64_t rows, bool add), (d_bias, d, shape, rows, add),
      d_bias)
WRONG(image, norm,
      (void *y, const void *x, const void *e, const void *gamma, const void *beta, void *stats, norm_spec *spec, int64_t rows,
       void *scratch),
      (y, x, e, gamma, beta, stats, spec, rows, scratch), y)
WRONG(image, norm_backward,
      (void *dx, void *dy, void *de, void *dgamma, void *dbeta, const void *x, const void *e, const void *gamma,
       const void *beta, const void *stats, norm_spec *spec, int64_t rows, bool add, void *scratch),
      (dx, dy, de, dgamma, dbeta, x, e, gamma, beta, stats, spec, rows, add, scratch), dgamma)
WRONG(image, norm_tangent,
      (void *dy, const void *dx, const void *x, const void *e, const void *gamma, const void *beta, const void *stats,
       norm_spec *spec, int64_t directions, int64_t first, int64_t count, void *scratch),
      (dy, dx, x, e, gamma, beta, stats, spec, directions, first, count, scratch), dy)
WRONG(image, dropout, (void *v, lfm_image shape, const lfm_dropout *dropout, const int64_t *row_of, int64_t rows),
      (v, shape, dropout, row_of, rows), v)
WRONG(image, enlarge, (void *large, const void *small, lfm_image shape, int64_t rows), (large, small, shape, rows), large)
WRONG(image, reduce, (void *small, const void *large, lfm_image shape, int64_t rows, bool add),
      (small, large, shape, rows, add), small)
WRONG(image, gather,
      (void *matrix, const void *image, lfm_image shape, int64_t first, int64_t count, bool turned, double scale),
      (matrix, image, shape, first, count, turned, scale), matrix)
WRONG(image, scatter, (void *image, const void *matrix, lfm_image shape, int64_t first, int64_t count, double scale),
      (image, matrix, shape, first, count, scale), image)
WRONG(image, attend, (void *out, const void *qkv, lfm_image shape, int64_t heads, int64_t number, void *room),
      (out, qkv, shape, heads, number, room), out)
WRONG(image, attend_backward,
      (void *dqkv, const void *dout, const void *qkv, lfm_image shape, int64_t heads, int64_t number, void *room),
      (dqkv, dout, qkv, shape, heads, number, room), dqkv)
WRONG(image, softmax, (void *p, int64_t rows, int64_t n), (p, rows, n), p)
WRONG(image, softmax_slope, (void *dp, const void *p, int64_t rows, int64_t n), (dp, p, rows, n), dp)
WRONG(image, sinusoid, (void *out, const void *t, int64_t dim, bool sines_first, int64_t rows),
      (out, t, dim, sines_first, rows), out)
WRONG(image, sum, (void *y, const void *a, const void *b, size_t n), (y, a, b, n), y)
#undef WRONG

static void (*const wrongs[])(copy *c) = {
    put_pack,          put_pack_filter,  put_activate, put_slope,   put_activate_backward, put_columns,  put_unit_tangent,
    put_scale_tangent, put_trace,        put_dots,     put_enlarge, put_block_rows,        put_reduce,   put_plain_rows,
    put_add_bias,      put_sum_bias,     put_norm,     put_gather,  put_norm_backward,     put_scatter,  put_norm_tangent,
    put_dropout,       put_softmax,      put_sum,      put_attend,  put_attend_backward,   put_sinusoid, put_softmax_slope,
    put_waves,         put_waves_tangent};

/* Heads of 32 channels, where this processor has a kernel for them. */
static bool attends(const copy *c) {
  return c->image.can_attend && c->image.can_attend((lfm_image){64, 6, 10, c->image.block}, 2);
}

static void a_wrong_kernel_is_found_out(void **state) {
  (void)state;
  real = copy_of(floats()), off = 1e-2f;
  for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
    copy c = real;
    wrongs[k](&c);
    bool is_run = attends(&c) || (wrongs[k] != put_attend && wrongs[k] != put_attend_backward);
    if (is_run && !failures_of(&c, 24)) fail_msg("wrong kernel %d is not found out", (int)k);
  }
}

/* A term left out on the way back: the slope of an activation. */
static void without_slope(void *d, const void *kept, int64_t rows, int64_t cols, lfm_act act, bool half, void *d_bias,
                          bool add) {
  act.kind = LFM_ACT_NONE;
  real.table.activate_backward(d, kept, rows, cols, act, half, d_bias, add);
}

static void a_term_left_out_is_found_out(void **state) {
  (void)state;
  lfm_checked_table tables[LFM_CHECKED_TABLES];
  int count;
  lfm_checked_tables(tables, &count);
  for (int k = 0; k < count; k++) {
    copy c = real = copy_of(tables[k].kernels);
    assert_int_equal(failures_of(&c, tables[k].bits), 0);
    c.table.activate_backward = without_slope;
    assert_int_equal(failures_of(&c, tables[k].bits), 3);
  }
}

/* ---- products ------------------------------------------------------------------------------------------------ */

static bool (*is_wrong_product)(const lfm_product_spec *spec);
struct lfm_product {
  lfm_product *inner;
  int64_t last; /* of the first row */
  bool is_wrong;
};

static lfm_status product_create(const lfm_product_spec *spec, lfm_product **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->last = spec->n - 1, (*out)->is_wrong = !spec->half_c && is_wrong_product(spec);
  return real.table.product_create(spec, &(*out)->inner);
}
static size_t product_scratch(const lfm_product *p) { return real.table.product_scratch(p->inner); }
static lfm_status product_run(lfm_product *p, const void *a, const void *b, const void *bias, void *c, void *scratch) {
  LFM_TRY(real.table.product_run(p->inner, a, b, bias, c, scratch));
  if (p->is_wrong) ((float *)c)[p->last] += off;
  return LFM_OK;
}
static void product_destroy(lfm_product *p) {
  if (p) real.table.product_destroy(p->inner);
  lfm_free(p);
}

static copy with_products(const lfm_kernels *kernels, bool (*is_wrong)(const lfm_product_spec *spec)) {
  copy c = real = copy_of(kernels);
  is_wrong_product = is_wrong;
  c.table.product_create = product_create, c.table.product_scratch = product_scratch;
  c.table.product_run = product_run, c.table.product_destroy = product_destroy;
  return c;
}

static bool none(const lfm_product_spec *s) { return (void)s, false; }
static bool any(const lfm_product_spec *s) { return (void)s, true; }
static bool adding(const lfm_product_spec *s) { return s->accumulate; }
static bool of_factors(const lfm_product_spec *s) { return s->lda != 0; }
static bool of_one_row(const lfm_product_spec *s) { return s->layout && s->m == real.table.row_multiple; }
static bool of_two_halves(const lfm_product_spec *s) { return s->layout && s->layout->split; }
static bool of_gradients(const lfm_product_spec *s) { return !s->layout; }

static void wrong_products_are_found_out(void **state) {
  (void)state;
  bool (*const wrong[])(const lfm_product_spec *) = {any, adding, of_factors, of_one_row, of_gradients};
  copy c = with_products(floats(), none);
  off = 1e-2f;
  assert_int_equal(failures_of(&c, 24), 0);
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    c = with_products(floats(), wrong[k]);
    if (!failures_of(&c, 24)) fail_msg("wrong product %d is not found out", (int)k);
  }
}

static void wrong_products_of_halves_are_found_out(void **state) {
  (void)state;
  const lfm_kernels *halves, *split = lfm_kernels_onednn_split();
  lfm_layout layout;
  off = 1e-2f;
  if (split->split_layout(64, 64, &layout)) {
    copy c = with_products(split, of_two_halves);
    assert_int_equal(failures_of(&c, 17), 3); /* in v, traces and gradients of all that is not convolved */
    c = with_products(split, none);
    assert_int_equal(failures_of(&c, 17), 0);
  }
  if (lfm_kernels_bf16(&halves) != LFM_OK) return;
  off = 1.0f;
  copy c = with_products(halves, of_factors);
  assert_int_equal(failures_of(&c, 8), 1);
}

/* ---- convolutions -------------------------------------------------------------------------------------------- */

static bool (*is_wrong_shape)(const lfm_conv_shape *shape);
static lfm_conv_pass wrong_pass;
struct lfm_conv {
  lfm_conv *inner;
  bool is_wrong;
};

static lfm_status conv_create(const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows, lfm_conv **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->is_wrong = pass == wrong_pass && is_wrong_shape(shape);
  return real.image.conv_create(shape, pass, bias, rows, &(*out)->inner);
}
static size_t conv_scratch(const lfm_conv *conv) { return real.image.conv_scratch(conv->inner); }
static lfm_status conv_run(lfm_conv *conv, const void *in, const void *filter, const void *bias, void *out, void *scratch) {
  LFM_TRY(real.image.conv_run(conv->inner, in, filter, bias, out, scratch));
  if (conv->is_wrong) *(float *)out += off;
  return LFM_OK;
}
static lfm_status conv_gradient(lfm_conv *conv, const void *x, const void *dy, void *dw, void *db, bool add, void *scratch) {
  LFM_TRY(real.image.conv_gradient(conv->inner, x, dy, dw, db, add, scratch));
  if (conv->is_wrong) *(float *)dw += off;
  return LFM_OK;
}
static void conv_take(lfm_conv *conv, int part, int parts) { real.image.conv_take(conv->inner, part, parts); }
static void conv_destroy(lfm_conv *conv) {
  if (conv) real.image.conv_destroy(conv->inner);
  lfm_free(conv);
}

static bool square(const lfm_conv_shape *s) { return !s->line && s->size == 3 && s->stride == 1; }
static bool strided(const lfm_conv_shape *s) { return !s->line && s->stride == 2; }
static bool strided_line(const lfm_conv_shape *s) { return s->line && s->stride == 2; }
static bool one_tap(const lfm_conv_shape *s) { return !s->line && s->size == 1; }
static bool long_line(const lfm_conv_shape *s) { return s->line && s->size == 5 && s->in.width > 4; }
static bool short_line(const lfm_conv_shape *s) { return s->line && s->size == 5 && s->in.width <= 4; }

static void wrong_convolutions_are_found_out(void **state) {
  (void)state;
  bool (*const shapes[])(const lfm_conv_shape *) = {square, strided, strided_line, one_tap, long_line, short_line};
  copy c = real = copy_of(floats());
  c.image.conv_create = conv_create, c.image.conv_scratch = conv_scratch, c.image.conv_run = conv_run;
  c.image.conv_gradient = conv_gradient, c.image.conv_take = conv_take, c.image.conv_destroy = conv_destroy;
  off = 1e-2f;
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    for (wrong_pass = LFM_CONV_FORWARD; wrong_pass <= LFM_CONV_BACK_WEIGHTS; wrong_pass++) {
      is_wrong_shape = shapes[k];
      if (!failures_of(&c, 24)) fail_msg("wrong convolution %d, pass %d, is not found out", (int)k, (int)wrong_pass);
    }
}

/* ---- arithmetic ---------------------------------------------------------------------------------------------- */

static void activate_in_halves(void *y, void *slope, const void *z, size_t n, lfm_act act, bool half) {
  real.table.activate(y, slope, z, n, act, half);
  for (size_t i = 0; i < n; i++) ((float *)y)[i] = lfm_bf16_rounded(((float *)y)[i]);
}

/* Numbers of eight bits in place of seventeen, and those in place of all; each is right as what it is. */
static void a_coarser_arithmetic_is_found_out(void **state) {
  (void)state;
  lfm_layout layout;
  copy c = real = copy_of(floats());
  c.table.activate = activate_in_halves;
  assert_true(failures_of(&c, 17) > 0);
  assert_int_equal(failures_of(&c, 8), 0);
  c = copy_of(lfm_kernels_onednn_split());
  if (!c.table.split_layout(64, 64, &layout)) return;
  assert_true(failures_of(&c, 24) > 0);
  assert_int_equal(failures_of(&c, 17), 0);
}

static void note_failure(const char *what, bool passed, const char *detail, void *context) {
  int *count = context;
  assert_false(passed);
  assert_int_equal(strncmp(what, "kernels for ", 12), 0);
  assert_int_equal(strncmp(detail, lfm_kernels_identity(floats()), strlen(lfm_kernels_identity(floats()))), 0);
  assert_non_null(strstr(detail, "off by inf in v, inf in gradients, inf in traces; rounding makes at most "));
  ++*count;
}

/* What is not a number is never a small difference, nor an error on the way; and what is wrong is told. */
static void what_is_not_finite_is_found_out(void **state) {
  (void)state;
  int told = 0;
  copy c = with_products(floats(), any);
  lfm_checks checks = {.report = note_failure, .context = &told, .team = team};
  c.table.image = &c.image, off = NAN;
  OK(lfm_check_table(&checks, oracle, &(lfm_checked_table){&c.table, 24}));
  assert_int_equal(told, 3);
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static lfm_status make_oracle(void) {
  lfm_oracle *made;
  lfm_status status = lfm_oracle_create(team, &made);
  lfm_oracle_destroy(made);
  return status;
}

static lfm_status check_table(void) {
  lfm_checks checks = {.team = team};
  return lfm_check_table(&checks, oracle, &(lfm_checked_table){floats(), 24});
}

static lfm_status check_gradients(void) {
  lfm_checks checks = {.team = team};
  return lfm_check_gradients(&checks, oracle);
}

/* The request at `first` and every `step`-th behind it, `count` in all. */
static void refuse(lfm_status (*function)(void), uint64_t first, uint64_t step, int count) {
  size_t before = lfm_alloc_in_use();
  for (int k = 0; k < count; k++) {
    lfm_alloc_fail_at(first + (uint64_t)k * step);
    FAILS(LFM_E_MEMORY, function());
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_alloc_fail_at(0);
}

/* All of the first network, and here and there of the others. */
static void refused_memory_is_an_error(void **state) {
  (void)state;
  lfm_alloc_fail_at(0);
  OK(check_table());
  uint64_t requests = lfm_alloc_fail_at(0);
  refuse(check_table, 1, 1, 150);
  refuse(check_table, 151, (requests - 151) / 8, 8);
  refuse(make_oracle, 1, 1, 100);
  refuse(check_gradients, 1, 1, 20);
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static int begin(void **state) {
  (void)state;
  OK(lfm_team_create(2, &team));
  OK(lfm_oracle_create(team, &oracle));
  return 0;
}

static int end(void **state) {
  (void)state;
  lfm_oracle_destroy(oracle);
  lfm_team_destroy(team);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_those_in_use),
      cmocka_unit_test(a_wrong_kernel_is_found_out),
      cmocka_unit_test(a_term_left_out_is_found_out),
      cmocka_unit_test(wrong_products_are_found_out),
      cmocka_unit_test(wrong_products_of_halves_are_found_out),
      cmocka_unit_test(wrong_convolutions_are_found_out),
      cmocka_unit_test(a_coarser_arithmetic_is_found_out),
      cmocka_unit_test(what_is_not_finite_is_found_out),
      cmocka_unit_test(refused_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
