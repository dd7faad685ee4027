/* SPDX-License-Identifier: MIT
 *
 * test_image.c -- the kernels of images: every pass of every convolution, of every table, against the definition in double;
 * the normalisation of blocks of sixteen against that of plain images; packing strip by strip; rows alone against rows in
 * company.
 */
#include "kernel_support.h"

#include <stdio.h>

enum { TABLES = 4 };
static const lfm_kernels *tables[TABLES];

static double get(const lfm_kernels *k, const void *array, int64_t i) {
  return k->number_size == 4 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}
static void set(const lfm_kernels *k, void *array, int64_t i, double value) {
  if (k->number_size == 4) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}
static void *numbers(const lfm_kernels *k, int64_t count, int salt, double scale) {
  void *array;
  OK(lfm_alloc_array(&array, (size_t)count, k->number_size));
  for (int64_t i = 0; i < count; i++) set(k, array, i, (double)(float)(scale * sin((double)(i * 7 + salt * 131) * 1.3)));
  return array;
}
static void *poisoned(const lfm_kernels *k, int64_t count) {
  void *array;
  OK(lfm_alloc_array(&array, (size_t)count, k->number_size));
  memset(array, 0xFF, (size_t)count * k->number_size);
  return array;
}

/* `rows` images of made-up numbers, as this table likes them. */
static void *images(const lfm_kernels *k, lfm_image *image, int64_t rows, int salt) {
  int64_t plain_count = rows * image->channels * lfm_image_pixels(*image);
  image->block = k->image->block;
  void *plain = numbers(k, plain_count, salt, 1), *out = poisoned(k, rows * lfm_image_count(*image));
  k->image->block_rows(out, plain, *image, false, rows);
  lfm_free(plain);
  return out;
}

/* The numbers of images as doubles in plain order; whatever fills up a block must be zero. */
static double *plain_of(const lfm_kernels *k, const void *from, lfm_image image, int64_t rows) {
  int64_t each = image.channels * lfm_image_pixels(image);
  void *plain = poisoned(k, rows * each);
  double *out, sum = 0, all = 0;
  OK(LFM_ALLOC(&out, rows * each));
  k->image->plain_rows(plain, from, image, false, rows);
  for (int64_t i = 0; i < rows * each; i++) out[i] = get(k, plain, i), sum += fabs(out[i]);
  for (int64_t i = 0; i < rows * lfm_image_count(image); i++) all += fabs(get(k, from, i));
  assert_true(fabs(sum - all) <= 1e-9 * sum);
  lfm_free(plain);
  return out;
}

static double relative(const double *a, const double *b, int64_t count) {
  double off = 0, norm = 0;
  for (int64_t i = 0; i < count; i++) off += (a[i] - b[i]) * (a[i] - b[i]), norm += b[i] * b[i];
  return sqrt(off / norm);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------ */

typedef struct results {
  double *y, *dx, *dw, *db;
  int64_t y_count, dx_count, dw_count;
} results;

static void *packed(const lfm_kernels *k, const lfm_conv_shape *s, lfm_conv_pass pass, const void *w) {
  void *out;
  lfm_filter filter = k->image->filter(s, pass);
  OK(lfm_alloc_array(&out, filter.count, k->number_size));
  for (int64_t first = 0; first < filter.out; first += 16) /* strip by strip, as the optimiser does */
    k->image->pack_filter(out, &filter, w, first, filter.out - first < 16 ? filter.out - first : 16);
  return out;
}

static double *doubles(const lfm_kernels *k, void *array, int64_t count) {
  double *out;
  OK(LFM_ALLOC(&out, count));
  for (int64_t i = 0; i < count; i++) out[i] = get(k, array, i);
  lfm_free(array);
  return out;
}

static lfm_conv *made(const lfm_kernels *k, const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows, void **scratch) {
  lfm_conv *conv;
  OK(k->image->conv_create(s, pass, pass != LFM_CONV_BACK_DATA, rows, &conv));
  OK(lfm_alloc_array(scratch, k->image->conv_scratch(conv) + 64, 1));
  memset(*scratch, 0xFF, k->image->conv_scratch(conv));
  return conv;
}

static results convolve(const lfm_kernels *k, lfm_conv_shape s, int64_t rows) {
  const lfm_image_kernels *image = k->image;
  void *scratch, *x = images(k, &s.in, rows, 1), *dy = images(k, &s.out, rows, 2);
  int64_t weights = s.out.channels * s.in.channels * lfm_conv_taps(&s);
  void *w = numbers(k, weights, 3, 0.3), *bias = numbers(k, s.out.channels, 4, 1);
  void *y = poisoned(k, rows * lfm_image_count(s.out)), *dx = poisoned(k, rows * lfm_image_count(s.in));
  void *dw = poisoned(k, weights), *db = poisoned(k, s.out.channels);
  results r = {.y_count = rows * s.out.channels * lfm_image_pixels(s.out),
               .dx_count = rows * s.in.channels * lfm_image_pixels(s.in),
               .dw_count = weights};
  for (lfm_conv_pass pass = LFM_CONV_FORWARD; pass <= LFM_CONV_BACK_WEIGHTS; pass++) {
    lfm_conv *conv = made(k, &s, pass, rows, &scratch);
    void *filter = packed(k, &s, pass, w);
    if (pass == LFM_CONV_FORWARD) OK(image->conv_run(conv, x, filter, bias, y, scratch));
    if (pass == LFM_CONV_BACK_DATA) OK(image->conv_run(conv, dy, filter, NULL, dx, scratch));
    for (int twice = 0; twice < 2 && pass == LFM_CONV_BACK_WEIGHTS; twice++) /* set, then added to */
      OK(image->conv_gradient(conv, x, dy, dw, db, twice, scratch));
    image->conv_destroy(conv);
    lfm_free(filter), lfm_free(scratch);
  }
  r.y = plain_of(k, y, s.out, rows), r.dx = plain_of(k, dx, s.in, rows);
  r.dw = doubles(k, dw, weights), r.db = doubles(k, db, s.out.channels);
  lfm_free(x), lfm_free(dy), lfm_free(w), lfm_free(bias), lfm_free(y), lfm_free(dx);
  return r;
}

static void drop(results *r) { lfm_free(r->y), lfm_free(r->dx), lfm_free(r->dw), lfm_free(r->db); }

static lfm_conv_shape shape_of(int64_t in, int64_t out, int64_t height, int64_t width, int64_t size, int64_t stride) {
  bool line = size < 0;
  lfm_image from = {in, height, width, 1}, to = {out, (height - 1) / stride + 1, (width - 1) / stride + 1, 1};
  return (lfm_conv_shape){from, to, line ? -size : size, stride, line};
}

static const int64_t shapes[][6] = {
    /* in, out, height, width, size, stride; a size below 0: of a line */
    {3, 32, 8, 8, 3, 1},    {32, 3, 8, 8, 3, 1},     {32, 32, 8, 12, 3, 1},  {64, 32, 7, 7, 3, 1},
    {48, 64, 4, 4, 3, 1},   {32, 32, 1, 1, 3, 1},    {32, 32, 8, 8, 3, 2},   {32, 64, 7, 5, 3, 2},
    {64, 192, 6, 6, 1, 1},  {96, 32, 5, 5, 1, 1},    {32, 32, 16, 16, 3, 1}, {1, 32, 14, 14, 3, 1},
    {32, 1, 14, 14, 3, 1},  {16, 48, 2, 2, 1, 1},    {256, 48, 12, 9, 3, 1}, /* more tiles than go at a time, and blocks in
                                                                                pairs and alone */
    {10, 32, 1, 16, -5, 1}, {128, 64, 1, 4, -5, 1},  {24, 40, 1, 12, -7, 1}, {32, 32, 1, 16, -3, 2},
    {48, 32, 1, 16, -4, 2}, {32, 20, 1, 8, -1, 1},   {96, 80, 1, 8, -5, 1},  {20, 33, 1, 3, -5, 1},
    {32, 48, 1, 5, -5, 1},  {65, 24, 1, 7, -5, 1},   {24, 10, 1, 13, -5, 1}, {40, 70, 1, 2, -5, 1},
    {144, 48, 1, 4, -5, 1}, {32, 48, 1, 140, -5, 1}, /* more than go at a time */
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_convolutions(void **state) {
  (void)state;
  for (int i = 0; i < SHAPES; i++) {
    const int64_t *s = shapes[i];
    lfm_conv_shape shape = shape_of(s[0], s[1], s[2], s[3], s[4], s[5]);
    results want = convolve(tables[0], shape, 3);
    for (int t = 1; t < TABLES; t++) {
      results got = convolve(tables[t], shape, 3);
      double errors[] = {relative(got.y, want.y, want.y_count), relative(got.dx, want.dx, want.dx_count),
                         relative(got.dw, want.dw, want.dw_count), relative(got.db, want.db, s[1])};
      for (int e = 0; e < 4; e++)
        if (!(errors[e] < 5e-6)) fail_msg("shape %d, table %d: result %d is off by %.3g", i, t, e, errors[e]);
      drop(&got);
    }
    drop(&want);
  }
}

/* The definition, by hand: one pixel of a small one. */
static void test_the_definition(void **state) {
  (void)state;
  const lfm_kernels *k = tables[0];
  lfm_conv_shape s = shape_of(2, 3, 5, 4, 3, 2);
  results r = convolve(k, s, 2);
  double *x = numbers(k, 2 * 2 * 20, 1, 1), *w = numbers(k, 3 * 2 * 9, 3, 0.3), *bias = numbers(k, 3, 4, 1);
  int64_t row = 1, o = 2, oy = 1, ox = 1; /* in the middle; and the corner */
  for (int corner = 0; corner < 2; corner++) {
    double want = bias[o];
    for (int64_t i = 0; i < 2; i++)
      for (int64_t ky = 0; ky < 3; ky++)
        for (int64_t kx = 0; kx < 3; kx++) {
          int64_t iy = oy * 2 + ky - 1, ix = ox * 2 + kx - 1;
          if (iy >= 0 && iy < 5 && ix >= 0 && ix < 4)
            want += w[((o * 2 + i) * 3 + ky) * 3 + kx] * x[((row * 2 + i) * 5 + iy) * 4 + ix];
        }
    assert_true(fabs(r.y[((row * 3 + o) * 3 + oy) * 2 + ox] - want) < 1e-14);
    oy = ox = 0;
  }
  lfm_free(x), lfm_free(w), lfm_free(bias);
  drop(&r);
}

/* An image alone and among others: the same bits forward and back. */
static void test_rows_stand_alone(void **state) {
  (void)state;
  enum { ROWS = 9 };
  for (int t = 1; t < TABLES; t++)
    for (int i = 0; i < SHAPES; i++) {
      const lfm_kernels *k = tables[t];
      const int64_t *at = shapes[i];
      lfm_conv_shape s = shape_of(at[0], at[1], at[2], at[3], at[4], at[5]);
      s.in.block = s.out.block = k->image->block;
      for (lfm_conv_pass pass = LFM_CONV_FORWARD; pass <= LFM_CONV_BACK_DATA; pass++) {
        bool back = pass == LFM_CONV_BACK_DATA;
        lfm_image from = back ? s.out : s.in, to = back ? s.in : s.out;
        void *x = images(k, &from, ROWS, 1), *w = numbers(k, at[0] * at[1] * lfm_conv_taps(&s), 3, 0.3), *scratch;
        void *filter = packed(k, &s, pass, w), *bias = back ? NULL : numbers(k, at[1], 4, 1);
        size_t in_row = (size_t)lfm_image_count(from) * k->number_size,
               out_row = (size_t)lfm_image_count(to) * k->number_size;
        char *y = poisoned(k, ROWS * lfm_image_count(to)), *alone = poisoned(k, ROWS * lfm_image_count(to));
        lfm_conv *conv = made(k, &s, pass, ROWS, &scratch);
        OK(k->image->conv_run(conv, x, filter, bias, y, scratch));
        k->image->conv_destroy(conv), lfm_free(scratch);
        for (int64_t rows = 1; rows < 4; rows += 2) {
          conv = made(k, &s, pass, rows, &scratch);
          for (int64_t row = 0; row + rows <= ROWS; row += rows)
            OK(k->image->conv_run(conv, (char *)x + (size_t)row * in_row, filter, bias, alone + (size_t)row * out_row,
                                  scratch));
          k->image->conv_destroy(conv), lfm_free(scratch);
          if (memcmp(alone, y, ROWS * out_row) != 0) fail_msg("table %d, shape %d, pass %d", t, i, (int)pass);
        }
        lfm_free(x), lfm_free(w), lfm_free(filter), lfm_free(bias), lfm_free(y), lfm_free(alone);
      }
    }
}

/* Blocks of channels made apart: the bits they have in the whole. */
static void test_channels_stand_alone(void **state) {
  (void)state;
  for (int t = 1; t < TABLES; t++)
    for (int i = 0; i < SHAPES; i++) {
      const lfm_kernels *k = tables[t];
      const int64_t *at = shapes[i];
      lfm_conv_shape s = shape_of(at[0], at[1], at[2], at[3], at[4], at[5]);
      s.out.block = k->image->block;
      void *x = images(k, &s.in, 1, 1), *w = numbers(k, at[0] * at[1] * lfm_conv_taps(&s), 3, 0.3), *scratch;
      void *bias = numbers(k, at[1], 4, 1);
      char *filter = packed(k, &s, LFM_CONV_FORWARD, w);
      lfm_filter lies = k->image->filter(&s, LFM_CONV_FORWARD);
      char *whole = poisoned(k, lfm_image_count(s.out)), *parts = poisoned(k, lfm_image_count(s.out));
      lfm_conv *conv = made(k, &s, LFM_CONV_FORWARD, 1, &scratch);
      OK(k->image->conv_run(conv, x, filter, bias, whole, scratch));
      k->image->conv_destroy(conv), lfm_free(scratch);
      for (int64_t first = 0, count; first < at[1]; first += count) {
        lfm_conv_shape part = s;
        count = part.out.channels = at[1] - first < 16 ? at[1] - first : 16;
        conv = made(k, &part, LFM_CONV_FORWARD, 1, &scratch);
        OK(k->image->conv_run(conv, x, filter + (size_t)lfm_filter_at(&lies, first, 0, 0) * k->number_size,
                              (char *)bias + (size_t)first * k->number_size,
                              parts + (size_t)(first * lfm_image_pixels(s.out)) * k->number_size, scratch));
        k->image->conv_destroy(conv), lfm_free(scratch);
      }
      if (memcmp(whole, parts, (size_t)lfm_image_count(s.out) * k->number_size) != 0) fail_msg("table %d, shape %d", t, i);
      lfm_free(x), lfm_free(w), lfm_free(bias), lfm_free(filter), lfm_free(whole), lfm_free(parts);
    }
}

/* Pixels shared out over workers, more of them than there is work too: the bits of the whole. */
static void test_pixels_stand_alone(void **state) {
  (void)state;
  static const int64_t wide[][3] = {{32, 32, 28}, {16, 3, 14}, {48, 20, 22}}; /* in, out, pixels along a side */
  const lfm_kernels *k = lfm_kernels_onednn();
  if (!k->image->shares_pixels) skip();
  int shared = 0;
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
    lfm_conv_shape s = shape_of(wide[i][0], wide[i][1], wide[i][2], wide[i][2], 3, 1);
    s.in.block = s.out.block = k->image->block;
    if (!k->image->shares_pixels(&s)) continue; /* another processor's kernels */
    shared++;
    void *x = images(k, &s.in, 1, 1), *w = numbers(k, wide[i][0] * wide[i][1] * 9, 3, 0.3), *scratch;
    void *bias = numbers(k, wide[i][1], 4, 1), *filter = packed(k, &s, LFM_CONV_FORWARD, w);
    char *whole = poisoned(k, lfm_image_count(s.out));
    lfm_conv *conv = made(k, &s, LFM_CONV_FORWARD, 1, &scratch);
    OK(k->image->conv_run(conv, x, filter, bias, whole, scratch));
    k->image->conv_destroy(conv), lfm_free(scratch);
    for (int parts = 2; parts <= 20; parts += 9) {
      char *y = poisoned(k, lfm_image_count(s.out));
      for (int part = 0; part < parts; part++) {
        conv = made(k, &s, LFM_CONV_FORWARD, 1, &scratch);
        k->image->conv_take(conv, part, parts);
        OK(k->image->conv_run(conv, x, filter, bias, y, scratch));
        k->image->conv_destroy(conv), lfm_free(scratch);
      }
      if (memcmp(whole, y, (size_t)lfm_image_count(s.out) * k->number_size) != 0) fail_msg("shape %zu, %d parts", i, parts);
      lfm_free(y);
    }
    lfm_free(x), lfm_free(w), lfm_free(bias), lfm_free(filter), lfm_free(whole);
  }
  if (!shared) skip();
}

/* ---- the rest, which is one text: blocks of sixteen against plain ------------------------------------------------- */

static void compare_norms(lfm_modulation modulation, lfm_act_kind act, int64_t channels, int64_t groups, int64_t side) {
  enum { ROWS = 2 };
  double *found[2][6];
  for (int t = 0; t < 2; t++) {
    const lfm_kernels *k = t ? lfm_kernels_onednn() : lfm_kernels_ref64();
    lfm_image shape = {channels, side, side, k->image->block};
    lfm_norm_spec spec = {shape, groups, modulation, act, channels};
    int64_t count = ROWS * lfm_image_count(shape), embedded = ROWS * 2 * channels;
    void *x = images(k, &shape, ROWS, 1), *dy = images(k, &shape, ROWS, 2), *e = numbers(k, embedded, 5, 0.5);
    void *gamma = numbers(k, channels, 6, 1), *beta = numbers(k, channels, 7, 1), *stats = poisoned(k, ROWS * 64), *scratch;
    void *y = poisoned(k, count), *dx = images(k, &shape, ROWS, 8), *de = poisoned(k, embedded), *moved = poisoned(k, count);
    void *dgamma = numbers(k, channels, 9, 1), *dbeta = numbers(k, channels, 10, 1);
    OK(lfm_alloc_array(&scratch, k->image->norm_scratch(&spec), 1));
    k->image->norm(y, x, e, gamma, beta, stats, &spec, ROWS, scratch);
    k->image->norm_tangent(moved, dy, x, e, gamma, beta, stats, &spec, 1, 0, ROWS, scratch);
    k->image->norm_backward(dx, dy, de, dgamma, dbeta, x, e, gamma, beta, stats, &spec, ROWS, true, scratch);
    found[t][0] = plain_of(k, y, shape, ROWS), found[t][1] = plain_of(k, dx, shape, ROWS);
    found[t][2] = plain_of(k, moved, shape, ROWS);
    if (modulation == LFM_MODULATE_NONE) memset(de, 0, (size_t)embedded * k->number_size), set(k, de, 0, 1);
    found[t][3] = doubles(k, de, embedded), found[t][4] = doubles(k, dgamma, channels);
    found[t][5] = doubles(k, dbeta, channels);
    lfm_free(x), lfm_free(dy), lfm_free(e), lfm_free(gamma), lfm_free(beta), lfm_free(stats), lfm_free(scratch);
    lfm_free(y), lfm_free(dx), lfm_free(moved);
  }
  int64_t image = ROWS * channels * side * side, e = ROWS * channels * (lfm_modulation_is_wide(modulation) ? 2 : 1);
  int64_t counts[] = {image, image, image, e, channels, channels};
  for (int i = 0; i < 6; i++) {
    double error = relative(found[1][i], found[0][i], counts[i]);
    if (!(error < 2e-6))
      fail_msg("%d channels of %d, modulation %d: result %d is off by %.3g", (int)channels, (int)side, (int)modulation, i,
               error);
    lfm_free(found[0][i]), lfm_free(found[1][i]);
  }
}

static void test_norms_of_blocks(void **state) {
  (void)state;
  static const lfm_act_kind acts[] = {LFM_ACT_SILU, LFM_ACT_NONE, LFM_ACT_MISH};
  static const int64_t channels[] = {32, 64, 96, 512, 24}, groups[] = {32, 32, 32, 32, 8}, sides[] = {8, 7, 4, 2, 4};
  for (int i = 0; i < 5; i++)
    for (lfm_modulation m = LFM_MODULATE_NONE; m <= LFM_MODULATE_BEHIND; m++) /* a channel a group knows no added constant */
      if (m != LFM_MODULATE_ADD || channels[i] > groups[i])
        compare_norms(m, acts[(i + (int)m) % 3], channels[i], groups[i], sides[i]);
}

static void test_resampling_and_matrices(void **state) {
  (void)state;
  for (int t = 0; t < TABLES; t++) {
    const lfm_kernels *k = tables[t];
    lfm_image small = {32, 3, 2, k->image->block}, large = {32, 6, 4, k->image->block};
    void *x = images(k, &small, 2, 1), *y = poisoned(k, 2 * lfm_image_count(large)), *back = images(k, &small, 2, 1);
    void *matrix = poisoned(k, 16 * 6);
    k->image->enlarge(y, x, small, 2);
    k->image->reduce(back, y, small, 2, true);
    double *a = plain_of(k, x, small, 2), *b = plain_of(k, back, small, 2), *c = plain_of(k, y, large, 2);
    for (int64_t i = 0; i < 2 * 32 * 6; i++) assert_true(fabs(b[i] - 5 * a[i]) < 1e-6);
    for (int64_t i = 0; i < 2 * 32 * 24; i++) assert_true(c[i] == a[i / 24 * 6 + i % 24 / 8 * 2 + i % 4 / 2]);
    for (int transposed = 0; transposed < 2; transposed++) {
      k->image->gather(matrix, x, small, 8, 16, transposed, 0.5);
      for (int64_t j = 0; j < 16 * 6; j++)
        assert_true(get(k, matrix, transposed ? j : j % 6 * 16 + j / 6) == 0.5 * a[8 * 6 + j]);
    }
    k->image->gather(matrix, x, small, 8, 16, false, 1);
    k->image->scatter(back, matrix, small, 8, 16, 2);
    double *d = plain_of(k, back, small, 2);
    for (int64_t j = 8 * 6; j < 24 * 6; j++) assert_true(d[j] == 2 * a[j]);
    lfm_free(x), lfm_free(y), lfm_free(back), lfm_free(matrix), lfm_free(a), lfm_free(b), lfm_free(c), lfm_free(d);
  }
}

static void test_softmax(void **state) {
  (void)state;
  for (int t = 0; t < 2; t++)
    for (int64_t n = 1; n < 50; n += 16) {
      const lfm_kernels *k = tables[t];
      void *p = numbers(k, 3 * n, 1, 30), *dp = numbers(k, 3 * n, 2, 1);
      k->image->softmax(p, 3, n);
      k->image->softmax_slope(dp, p, 3, n);
      for (int64_t row = 0; row < 3; row++) {
        double sum = 0, mean = 0, most = -1e9;
        for (int64_t i = 0; i < n; i++) most = fmax(most, (double)(float)(30 * sin((double)((row * n + i) * 7 + 131) * 1.3)));
        for (int64_t i = 0; i < n; i++) sum += exp((double)(float)(30 * sin((double)((row * n + i) * 7 + 131) * 1.3)) - most);
        for (int64_t i = 0; i < n; i++) {
          double want = exp((double)(float)(30 * sin((double)((row * n + i) * 7 + 131) * 1.3)) - most) / sum;
          assert_true(fabs(get(k, p, row * n + i) - want) < 1e-6);
          mean += want * (double)(float)sin((double)((row * n + i) * 7 + 262) * 1.3);
        }
        for (int64_t i = 0; i < n; i++) {
          double want = get(k, p, row * n + i) * ((double)(float)sin((double)((row * n + i) * 7 + 262) * 1.3) - mean);
          assert_true(fabs(get(k, dp, row * n + i) - want) < 1e-6);
        }
      }
      lfm_free(p), lfm_free(dp);
    }
}

/* The share that is dropped, the scale of the rest, the same mask in every layout, another for another address. */
static void test_dropout(void **state) {
  (void)state;
  double *masks[3];
  lfm_dropout drops = {{.seed = 5, .purpose = LFM_FOR_DROPOUT, .step = 3}, 0.3, 7};
  int64_t rows[] = {4, 1000000007};
  for (int t = 0; t < 3; t++) {
    const lfm_kernels *k = tables[t == 1 ? 2 : 0];
    lfm_image shape = {40, 9, 9, k->image->block};
    if (t == 2) drops.rng.step = 4;
    void *v = images(k, &shape, 2, 1);
    double *before = plain_of(k, v, shape, 2);
    k->image->dropout(v, shape, &drops, rows, 2);
    masks[t] = plain_of(k, v, shape, 2);
    for (int64_t i = 0; i < 2 * 40 * 81; i++) masks[t][i] /= before[i];
    lfm_free(v), lfm_free(before);
  }
  int64_t zeros = 0, other_row = 0, other_step = 0, all = 40 * 81;
  for (int64_t i = 0; i < 2 * all; i++) {
    zeros += masks[0][i] == 0;
    assert_true(masks[0][i] == 0 || fabs(masks[0][i] - 1 / 0.7) < 1e-12);
    assert_true(fabs(masks[0][i] - masks[1][i]) < 1e-6);
    other_step += (masks[0][i] == 0) != (masks[2][i] == 0);
    if (i < all) other_row += (masks[0][i] == 0) != (masks[0][i + all] == 0);
  }
  assert_true(fabs((double)zeros / (double)(2 * all) - 0.3) < 0.02); /* 3.5 deviations of 6,480 draws */
  assert_true(fabs((double)other_step / (double)(2 * all) - 0.42) < 0.03 &&
              fabs((double)other_row / (double)all - 0.42) < 0.04);
  for (int t = 0; t < 3; t++) lfm_free(masks[t]);
}

int main(void) {
  tables[0] = lfm_kernels_ref64(), tables[1] = lfm_kernels_ref32(), tables[2] = lfm_kernels_onednn();
  tables[3] = lfm_kernels_onednn_direct();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_definition),
      cmocka_unit_test(test_convolutions),
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_channels_stand_alone),
      cmocka_unit_test(test_pixels_stand_alone),
      cmocka_unit_test(test_norms_of_blocks),
      cmocka_unit_test(test_softmax),
      cmocka_unit_test(test_dropout),
      cmocka_unit_test(test_resampling_and_matrices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
