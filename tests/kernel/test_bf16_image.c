/* SPDX-License-Identifier: MIT
 *
 * test_bf16_image.c -- images of bfloat16 against the definition in double, from numbers that eight bits hold: what is
 * written in halves is off by their rounding and no more, what is written in floats hardly at all; rows alone and in company,
 * channels too; packing strip by strip.
 */
#include "kernel/bf16.h"
#include "kernel_support.h"

enum { ROWS = 3 };
static const double of_halves = 2.5e-3, of_sums = 2e-5; /* rms of a rounding is 2^-9 / sqrt(3) of a number at most */
static const lfm_image_kernels *halves, *oracle;
static bool has_pairs; /* else there are no convolutions */

/* Eight bits each, so that both sides see the same. */
static double eight_bits(int64_t i, int salt, double scale) {
  return (double)lfm_bf16_rounded((float)(scale * sin((double)(i * 7 + salt * 131) * 1.3)));
}

/* ---- the same array for both sides: of numbers, and of images -------------------------------------------------------- */

typedef struct both {
  double *exact;
  void *rough; /* floats, or an image of halves */
  int64_t count;
} both;

static both numbers(int64_t count, int salt, double scale) {
  both b = {.count = count};
  float *floats;
  OK(LFM_ALLOC(&b.exact, count));
  OK(LFM_ALLOC(&floats, count));
  for (int64_t i = 0; i < count; i++) floats[i] = (float)(b.exact[i] = eight_bits(i, salt, scale));
  b.rough = floats;
  return b;
}

static lfm_image blocked(lfm_image shape) { return shape.block = halves->block, shape; }

static both images(lfm_image shape, int salt, double scale) {
  both b = numbers(ROWS * lfm_image_count(shape), salt, scale);
  uint16_t *image;
  OK(LFM_ALLOC(&image, ROWS * lfm_image_count(blocked(shape))));
  memset(image, 0xFF, (size_t)(ROWS * lfm_image_count(blocked(shape))) * sizeof *image);
  halves->block_rows(image, b.rough, blocked(shape), false, ROWS);
  lfm_free(b.rough);
  b.rough = image;
  return b;
}

static void drop(both *b) { lfm_free(b->exact), lfm_free(b->rough); }

static double relative(const float *got, const double *want, int64_t count) {
  double off = 0, norm = 0;
  for (int64_t i = 0; i < count; i++) off += pow((double)got[i] - want[i], 2), norm += want[i] * want[i];
  return sqrt(off / norm);
}

/* Written in halves: rounded, but only once. */
static void check_image(const char *what, const both *b, lfm_image shape, double most) {
  float *plain;
  OK(LFM_ALLOC(&plain, b->count));
  halves->plain_rows(plain, b->rough, blocked(shape), false, ROWS);
  double error = relative(plain, b->exact, b->count);
  if (!(error < most)) fail_msg("%s: off by %.3g", what, error);
  lfm_free(plain);
}

static void check_numbers(const char *what, const both *b) {
  double error = relative(b->rough, b->exact, b->count);
  if (!(error < of_sums)) fail_msg("%s: off by %.3g", what, error);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------ */

static const int64_t shapes[][5] = {
    /* in, out, side, size, stride; channels that fill no block as well; a size below 0: of a line, and the side its length */
    {32, 48, 16, 3, 1},  {3, 32, 12, 3, 1},  {32, 3, 12, 3, 1},   {64, 32, 7, 3, 1},   {64, 64, 4, 3, 1},
    {32, 32, 8, 3, 2},   {32, 64, 7, 3, 2},  {64, 96, 8, 1, 1},   {48, 16, 2, 1, 1},   {16, 1, 14, 3, 1},
    {10, 32, 16, -5, 1}, {64, 32, 4, -5, 1}, {32, 32, 16, -3, 2}, {48, 32, 16, -4, 2}, {40, 70, 13, -5, 1},
    {20, 40, 5, 3, 1},   {33, 17, 1, 3, 1},  {128, 16, 32, 3, 1}, {80, 50, 9, 1, 1},   {17, 33, 5, 3, 2},
    {3, 16, 28, 3, 1},   {96, 16, 32, 3, 1}, {32, 40, 1, 1, 1},   {16, 64, 3, -7, 1},  {96, 32, 2, -5, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static lfm_conv_shape shape_of(const int64_t *s) {
  bool line = s[3] < 0;
  int64_t end = (s[2] - 1) / s[4] + 1;
  lfm_image in = {s[0], line ? 1 : s[2], s[2], 1}, out = {s[1], line ? 1 : end, end, 1};
  return (lfm_conv_shape){in, out, line ? -s[3] : s[3], s[4], line};
}

static lfm_conv_shape blocked_shape(lfm_conv_shape s) { return s.in = blocked(s.in), s.out = blocked(s.out), s; }

static void *packed(const lfm_image_kernels *k, const lfm_conv_shape *s, lfm_conv_pass pass, const void *w, size_t size) {
  char *out;
  lfm_filter filter = k->filter(s, pass);
  OK(lfm_alloc_array(&out, filter.count, size));
  for (int64_t first = 0; first < filter.out; first += 16)
    k->pack_filter(out, &filter, w, first, filter.out - first < 16 ? filter.out - first : 16);
  return out;
}

static lfm_conv *made(const lfm_image_kernels *k, const lfm_conv_shape *s, lfm_conv_pass pass, int64_t rows, void **scratch) {
  lfm_conv *conv;
  OK(k->conv_create(s, pass, pass != LFM_CONV_BACK_DATA, rows, &conv));
  OK(lfm_alloc_array(scratch, k->conv_scratch(conv) + 64, 1));
  memset(*scratch, 0xFF, k->conv_scratch(conv));
  return conv;
}

static void convolve(const lfm_image_kernels *k, const lfm_conv_shape *s, lfm_conv_pass pass, const void *in, const void *w,
                     const void *bias, void *out, size_t size) {
  void *scratch, *filter = packed(k, s, pass, w, size);
  lfm_conv *conv = made(k, s, pass, ROWS, &scratch);
  OK(k->conv_run(conv, in, filter, bias, out, scratch));
  k->conv_destroy(conv);
  lfm_free(filter), lfm_free(scratch);
}

static void add_gradients(const lfm_image_kernels *k, const lfm_conv_shape *s, int64_t rows, const void *x, const void *dy,
                          void *dw, void *db) {
  void *scratch;
  lfm_conv *conv = made(k, s, LFM_CONV_BACK_WEIGHTS, rows, &scratch);
  for (int twice = 0; twice < 2; twice++) OK(k->conv_gradient(conv, x, dy, dw, db, twice, scratch));
  k->conv_destroy(conv);
  lfm_free(scratch);
}

static void test_convolutions(void **state) {
  (void)state;
  if (!has_pairs) skip();
  for (int i = 0; i < SHAPES; i++) {
    lfm_conv_shape s = shape_of(shapes[i]), b = blocked_shape(s);
    int64_t weights = shapes[i][0] * shapes[i][1] * lfm_conv_taps(&s);
    both x = images(s.in, 1, 1), dy = images(s.out, 2, 1), w = numbers(weights, 3, 0.3), bias = numbers(s.out.channels, 4, 1);
    both y = images(s.out, 5, 1), dx = images(s.in, 5, 1), dw = numbers(weights, 5, 1), db = numbers(s.out.channels, 5, 1);
    convolve(oracle, &s, LFM_CONV_FORWARD, x.exact, w.exact, bias.exact, y.exact, sizeof(double));
    convolve(halves, &b, LFM_CONV_FORWARD, x.rough, w.rough, bias.rough, y.rough, sizeof(float));
    convolve(oracle, &s, LFM_CONV_BACK_DATA, dy.exact, w.exact, NULL, dx.exact, sizeof(double));
    convolve(halves, &b, LFM_CONV_BACK_DATA, dy.rough, w.rough, NULL, dx.rough, sizeof(float));
    check_image("y", &y, s.out, of_halves), check_image("dx", &dx, s.in, of_halves);
    for (int64_t rows = 1; rows <= ROWS; rows++) {
      add_gradients(oracle, &s, rows, x.exact, dy.exact, dw.exact, db.exact);
      add_gradients(halves, &b, rows, x.rough, dy.rough, dw.rough, db.rough);
      check_numbers("dw", &dw), check_numbers("db", &db);
    }
    both *all[] = {&x, &dy, &w, &bias, &y, &dx, &dw, &db};
    for (int k = 0; k < 8; k++) drop(all[k]);
  }
}

/* An image's bits are its own, forward and back. */
static void test_rows_stand_alone(void **state) {
  (void)state;
  if (!has_pairs) skip();
  for (int i = 0; i < SHAPES; i++)
    for (lfm_conv_pass pass = LFM_CONV_FORWARD; pass <= LFM_CONV_BACK_DATA; pass++) {
      lfm_conv_shape s = shape_of(shapes[i]), b = blocked_shape(s);
      bool back = pass == LFM_CONV_BACK_DATA;
      lfm_image from = back ? s.out : s.in, to = back ? s.in : s.out;
      both x = images(from, 1, 1), w = numbers(shapes[i][0] * shapes[i][1] * lfm_conv_taps(&s), 3, 0.3);
      both bias = numbers(s.out.channels, 4, 1), y = images(to, 5, 1), alone = images(to, 6, 1);
      convolve(halves, &b, pass, x.rough, w.rough, back ? NULL : bias.rough, y.rough, sizeof(float));
      void *scratch, *filter = packed(halves, &b, pass, w.rough, sizeof(float));
      lfm_conv *conv = made(halves, &b, pass, 1, &scratch);
      for (int64_t row = 0; row < ROWS; row++)
        OK(halves->conv_run(conv, (uint16_t *)x.rough + row * lfm_image_count(blocked(from)), filter,
                            back ? NULL : bias.rough, (uint16_t *)alone.rough + row * lfm_image_count(blocked(to)), scratch));
      assert_memory_equal(alone.rough, y.rough, (size_t)(ROWS * lfm_image_count(blocked(to))) * sizeof(uint16_t));
      halves->conv_destroy(conv);
      lfm_free(filter), lfm_free(scratch);
      both *all[] = {&x, &w, &bias, &y, &alone};
      for (int k = 0; k < 5; k++) drop(all[k]);
    }
}

/* Some blocks of the channels written, by themselves: the bits that they have in company. */
static void test_channels_stand_alone(void **state) {
  (void)state;
  if (!has_pairs) skip();
  for (int i = 0; i < SHAPES; i++) {
    lfm_conv_shape s = shape_of(shapes[i]), b = blocked_shape(s), part = b;
    lfm_filter lies = halves->filter(&b, LFM_CONV_FORWARD);
    size_t size = lies.half ? sizeof(uint16_t) : sizeof(float);
    both x = images(s.in, 1, 1), w = numbers(shapes[i][0] * shapes[i][1] * lfm_conv_taps(&s), 3, 0.3);
    both bias = numbers(s.out.channels, 4, 1), y = images(s.out, 5, 1), parts = images(s.out, 6, 1);
    char *scratch, *filter = packed(halves, &b, LFM_CONV_FORWARD, w.rough, sizeof(float));
    lfm_conv *conv = made(halves, &b, LFM_CONV_FORWARD, 1, (void **)&scratch);
    OK(halves->conv_run(conv, x.rough, filter, bias.rough, y.rough, scratch));
    halves->conv_destroy(conv), lfm_free(scratch);
    for (int64_t first = 0, step = halves->block; first < s.out.channels; first += step) {
      part.out.channels = s.out.channels - first < step ? s.out.channels - first : step;
      conv = made(halves, &part, LFM_CONV_FORWARD, 1, (void **)&scratch);
      OK(halves->conv_run(conv, x.rough, filter + (size_t)lfm_filter_at(&lies, first, 0, 0) * size,
                          (float *)bias.rough + first, (uint16_t *)parts.rough + first * lfm_image_pixels(s.out), scratch));
      halves->conv_destroy(conv), lfm_free(scratch);
    }
    assert_memory_equal(parts.rough, y.rough, (size_t)lfm_image_count(b.out) * sizeof(uint16_t));
    lfm_free(filter);
    both *all[] = {&x, &w, &bias, &y, &parts};
    for (int k = 0; k < 5; k++) drop(all[k]);
  }
}

/* ---- the rest ------------------------------------------------------------------------------------------------------- */

static void normalise(const lfm_image_kernels *k, lfm_image shape, lfm_modulation modulation, bool silu, bool exact,
                      both *a) {
  enum { X, DY, E, GAMMA, BETA, STATS, Y, DX, DE, DGAMMA, DBETA, ARRAYS };
  void *of[ARRAYS], *scratch;
  lfm_norm_spec spec = {shape, 32, modulation, silu ? LFM_ACT_SILU : LFM_ACT_NONE, shape.channels};
  for (int i = 0; i < ARRAYS; i++) of[i] = exact ? a[i].exact : a[i].rough;
  OK(lfm_alloc_array(&scratch, k->norm_scratch(&spec), 1));
  k->norm(of[Y], of[X], of[E], of[GAMMA], of[BETA], of[STATS], &spec, ROWS, scratch);
  k->norm_backward(of[DX], of[DY], of[DE], of[DGAMMA], of[DBETA], of[X], of[E], of[GAMMA], of[BETA], of[STATS], &spec, ROWS,
                   true, scratch);
  lfm_free(scratch);
}

static void test_norms(void **state) {
  (void)state;
  for (lfm_modulation m = LFM_MODULATE_NONE; m <= LFM_MODULATE_BEHIND; m++) {
    lfm_image shape = {96, 7, 9, 1};
    int64_t c = shape.channels, e = ROWS * c * (lfm_modulation_is_wide(m) ? 2 : 1);
    both a[] = {images(shape, 1, 1), images(shape, 2, 1),      numbers(e, 3, 0.5),  numbers(c, 4, 1),
                numbers(c, 5, 1),    numbers(ROWS * 64, 6, 1), images(shape, 7, 1), images(shape, 8, 1),
                numbers(e, 9, 1),    numbers(c, 10, 1),        numbers(c, 11, 1)};
    normalise(oracle, shape, m, m != LFM_MODULATE_ADD, true, a);
    normalise(halves, blocked(shape), m, m != LFM_MODULATE_ADD, false, a);
    check_numbers("statistics", &a[5]);
    check_image("y", &a[6], shape, of_halves);
    check_image("dx", &a[7], shape, 2 * of_halves); /* from dz, which has been rounded as well */
    if (m != LFM_MODULATE_NONE) check_numbers("de", &a[8]);
    check_numbers("dgamma", &a[9]), check_numbers("dbeta", &a[10]);
    for (int i = 0; i < 11; i++) drop(&a[i]);
  }
}

static void test_resampling_and_sums(void **state) {
  (void)state;
  lfm_image small = {20, 3, 2, 1}, large = {20, 6, 4, 1};
  both x = images(small, 1, 1), y = images(large, 2, 1), matrix = numbers(8 * 6, 3, 1);
  uint16_t gathered[8 * 6];
  oracle->enlarge(y.exact, x.exact, small, ROWS), halves->enlarge(y.rough, x.rough, blocked(small), ROWS);
  check_image("enlarged", &y, large, 1e-12);
  oracle->reduce(x.exact, y.exact, small, ROWS, true), halves->reduce(x.rough, y.rough, blocked(small), ROWS, true);
  check_image("reduced", &x, small, of_halves);
  drop(&x), x = images(small, 1, 1);
  for (int transposed = 0; transposed < 2; transposed++) {
    oracle->gather(matrix.exact, x.exact, small, 9, 8, transposed, 0.25);
    halves->gather(gathered, x.rough, blocked(small), 9, 8, transposed, 0.25);
    for (int j = 0; j < 8 * 6; j++) assert_true(lfm_bf16_value(gathered[j]) == lfm_bf16_rounded((float)matrix.exact[j]));
  }
  oracle->scatter(x.exact, matrix.exact, small, 2, 8, 0.3);
  for (int j = 0; j < 8 * 6; j++) ((float *)matrix.rough)[j] = lfm_bf16_value(gathered[j]);
  halves->scatter(x.rough, matrix.rough, blocked(small), 2, 8, 0.3);
  check_image("scattered", &x, small, of_halves);
  both z = images(small, 4, 1);
  oracle->sum(x.exact, x.exact, z.exact, (size_t)(ROWS * lfm_image_count(small)));
  halves->sum(x.rough, x.rough, z.rough, (size_t)(ROWS * lfm_image_count(blocked(small))));
  check_image("sum", &x, small, of_halves);
  lfm_dropout drops = {{.seed = 5, .purpose = LFM_FOR_DROPOUT, .step = 3}, 0.3, 7};
  int64_t rows[ROWS] = {4, 1000000007, 5};
  oracle->dropout(z.exact, small, &drops, rows, ROWS), halves->dropout(z.rough, blocked(small), &drops, rows, ROWS);
  check_image("dropped", &z, small, of_halves);
  drop(&x), drop(&y), drop(&z), drop(&matrix);
}

int main(void) {
  const lfm_kernels *chosen;
  has_pairs = lfm_kernels_bf16(&chosen) == LFM_OK;
  halves = lfm_kernels_bf16_pairs()->image, oracle = lfm_kernels_ref64()->image;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_convolutions),         cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_channels_stand_alone), cmocka_unit_test(test_norms),
      cmocka_unit_test(test_resampling_and_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
