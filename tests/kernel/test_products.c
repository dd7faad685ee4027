/* SPDX-License-Identifier: MIT
 *
 * test_products.c -- the products, layouts and packing of every table against sums written out in double.
 */
#include "kernel_support.h"

static const lfm_kernels *tables[4];
static int table_count = 3; /* four where there are tiles */

static double get(const lfm_kernels *k, const void *array, int64_t i) {
  return k->number_size == 4 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}
static void set(const lfm_kernels *k, void *array, int64_t i, double value) {
  if (k->number_size == 4) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}
static void *filled(const lfm_kernels *k, int64_t count, int salt) {
  void *array;
  OK(lfm_alloc_array(&array, (size_t)count, k->number_size));
  for (int64_t i = 0; i < count; i++) set(k, array, i, exact(i, salt));
  return array;
}

static void *poisoned(const lfm_kernels *k, int64_t count) {
  void *array;
  OK(lfm_alloc_array(&array, (size_t)count, k->number_size));
  memset(array, 0xFF, (size_t)count * k->number_size);
  return array;
}

/* relu and none are exact, so they are compared to the bit; the others are the activations' own test. */
static void check_packed(const lfm_kernels *k, int64_t m, int64_t n, int64_t depth, bool transposed, int64_t skip,
                         bool relu) {
  lfm_layout layout;
  OK(k->layout(depth, n, false, &layout));
  int64_t ld = (transposed ? depth : n) + skip, rows = transposed ? n : depth;
  void *a = filled(k, m * depth, 1), *w = filled(k, rows * ld, 2), *bias = filled(k, n, 3), *c = poisoned(k, m * n), *packed;
  OK(lfm_alloc_array(&packed, layout.count, k->number_size));
  for (int64_t first = 0; first < rows; first += 16) /* strip by strip, as the optimiser does */
    k->pack(packed, &layout, transposed, w, ld, skip, first, rows - first < 16 ? rows - first : 16);
  lfm_product_spec spec = {.m = m, .n = n, .k = depth, .layout = &layout, .bias = true};
  spec.act.kind = relu && k->fuses((lfm_act){LFM_ACT_RELU, 0}) ? LFM_ACT_RELU : LFM_ACT_NONE;
  run_product(k, &spec, a, packed, bias, c);
  for (int64_t row = 0; row < m; row++)
    for (int64_t col = 0; col < n; col++) {
      double want = get(k, bias, col);
      for (int64_t i = 0; i < depth; i++)
        want += get(k, a, row * depth + i) * get(k, w, transposed ? col * ld + skip + i : i * ld + col);
      if (spec.act.kind == LFM_ACT_RELU && want < 0) want = 0;
      assert_true(get(k, c, row * n + col) == want);
    }
  lfm_free(a), lfm_free(w), lfm_free(bias), lfm_free(c), lfm_free(packed);
}

static const int64_t shapes[][3] = {
    /* m, n, k */ {1, 1, 1}, {3, 2, 7},     {16, 64, 16}, {17, 65, 31},  {5, 6, 362},
    {30, 362, 44},           {2, 128, 64},  {24, 1, 256}, {48, 63, 512}, {250, 7, 9},
    {70, 100, 77},           {33, 362, 130}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_packed_products(void **state) {
  (void)state;
  for (int t = 0; t < table_count; t++)
    for (int i = 0; i < SHAPES; i++) {
      const int64_t *s = shapes[i];
      check_packed(tables[t], s[0], s[1], s[2], true, 0, i % 2);
      check_packed(tables[t], s[0], s[1], s[2], true, 1, false);
      check_packed(tables[t], s[0], s[1], s[2], false, 0, i % 2 == 0);
    }
}

/* Uneven numbers, whose sums round: then equal bits mean an equal order. */
static void *rough(const lfm_kernels *k, int64_t count, int salt) {
  void *array = filled(k, count, salt);
  for (int64_t i = 0; i < count; i++) set(k, array, i, sin((double)(i * 7 + salt) * 1.3));
  return array;
}

/* Rows of a batch's product again: alone, few, and with some columns of its matrix alone. */
static void check_alone(const lfm_kernels *k, int64_t n, int64_t depth, lfm_act act) {
  enum { M = 50, FEW = 5, ROW = 11 };
  lfm_layout layout;
  OK(k->layout(depth, n, false, &layout));
  int64_t step = layout.col_step ? layout.col_step : n;
  size_t size = k->number_size, offset;
  void *a = rough(k, M * depth, 1), *w = rough(k, n * depth, 2), *bias = rough(k, n, 3), *c = poisoned(k, M * n), *packed;
  OK(lfm_alloc_array(&packed, layout.count, size));
  k->pack(packed, &layout, true, w, depth, 0, 0, n);
  set(k, a, ROW * depth + depth / 2, INFINITY); /* one row of infinities and NaN */
  lfm_product_spec batch = {.m = M, .n = n, .k = depth, .layout = &layout, .bias = true, .act = act};
  run_product(k, &batch, a, packed, bias, c);
  for (int64_t m = 1; m <= FEW; m += FEW - 1)
    for (int64_t first = 0; first < n; first += step)
      for (int64_t end = n; end > first; end -= step) {
        int64_t cols = end - first;
        lfm_layout part = lfm_layout_part(&layout, first, cols, &offset);
        lfm_product_spec spec = {.m = m, .n = cols, .k = depth, .layout = &part, .bias = true, .act = act};
        for (int64_t row = ROW - 1; row <= ROW; row++) {
          char *alone = poisoned(k, m * cols);
          run_product(k, &spec, (char *)a + (size_t)(row * depth) * size, (char *)packed + offset * size,
                      (char *)bias + (size_t)first * size, alone);
          for (int64_t i = 0; i < m; i++)
            assert_memory_equal(alone + (size_t)(i * cols) * size, (char *)c + (size_t)((row + i) * n + first) * size,
                                (size_t)cols * size);
          lfm_free(alone);
        }
        if (end % step) end += step - end % step; /* the last columns are no whole step */
      }
  lfm_free(a), lfm_free(w), lfm_free(bias), lfm_free(c), lfm_free(packed);
}

static void test_a_row_or_some_columns_alone_have_the_same_bits(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {/* n, k */ {1, 1}, {2, 64},   {6, 256},  {63, 512},   {64, 3},
                                     {65, 17},          {128, 64}, {362, 44}, {200, 2100}, {512, 513}};
  static const lfm_act_kind kinds[] = {LFM_ACT_NONE, LFM_ACT_RELU, LFM_ACT_ELU, LFM_ACT_TANH};
  for (int t = 0; t < table_count; t++)
    for (int i = 0; i < 20; i++) {
      lfm_act act = {kinds[(i + i / 10) % 4], 0};
      if (tables[t]->row_multiple == 1) /* else no run asks for so few rows */
        check_alone(tables[t], sizes[i % 10][0], sizes[i % 10][1], tables[t]->fuses(act) ? act : (lfm_act){0});
    }
}

/* What a product of split numbers is, beside the sum of its terms' sizes: two upper halves and the two mixed products leave
 * three parts in 2^18 of each. */
static void check_split(const lfm_kernels *k, int64_t m, int64_t n, int64_t depth, int64_t skip) {
  lfm_layout layout;
  assert_true(k->split_layout(depth, n, &layout));
  int64_t ld = depth + skip;
  float *a = rough(k, m * depth, 1), *w = rough(k, n * ld, 2), *c = poisoned(k, m * n), *one = poisoned(k, n), *packed;
  packed = poisoned(k, (int64_t)layout.count);
  k->pack(packed, &layout, true, w, ld, skip, 0, n);
  lfm_product_spec spec = {.m = m, .n = n, .k = depth, .layout = &layout}, alone = spec;
  alone.m = 1;
  run_product(k, &spec, a, packed, NULL, c);
  for (int64_t row = 0; row < m; row++) {
    for (int64_t col = 0; col < n; col++) {
      double want = 0, size = 0;
      for (int64_t i = 0; i < depth; i++) {
        double term = (double)a[row * depth + i] * (double)w[col * ld + skip + i];
        want += term, size += fabs(term);
      }
      assert_true(fabs((double)c[row * n + col] - want) < ldexp(size, -16));
    }
    run_product(k, &alone, a + row * depth, packed, NULL, one);
    assert_memory_equal(one, c + row * n, (size_t)n * sizeof *c);
  }
  lfm_free(a), lfm_free(w), lfm_free(c), lfm_free(one), lfm_free(packed);
}

static void test_split_products(void **state) {
  (void)state;
  lfm_layout layout;
  const lfm_kernels *k = lfm_kernels_onednn();
  if (!k->split_layout(512, 512, &layout)) skip();
  assert_false(k->split_layout(512, 6, &layout));
  assert_null(lfm_kernels_ref32()->split_layout);
  check_split(k, 3, 64, 64, 0);
  check_split(k, 33, 96, 128, 1);
  check_split(k, 50, 100, 77, 3);
  check_split(k, 16, 362, 362, 1);
  check_split(k, 47, 512, 512, 0);
  check_split(k, 35, 70, 700, 0);
}

static void check_weight_gradient(const lfm_kernels *k, int64_t m, int64_t n, int64_t rows) {
  void *a = filled(k, rows * m, 4), *b = filled(k, rows * n, 5), *c = poisoned(k, m * n);
  for (int pass = 1; pass <= 2; pass++) {
    lfm_product_spec spec = {.m = m, .n = n, .k = rows, .accumulate = pass == 2};
    run_product(k, &spec, a, b, NULL, c);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double want = 0;
        for (int64_t row = 0; row < rows; row++) want += get(k, a, row * m + i) * get(k, b, row * n + j);
        assert_true(get(k, c, i * n + j) == pass * want);
      }
  }
  lfm_free(a), lfm_free(b), lfm_free(c);
}

static void test_weight_gradients(void **state) {
  (void)state;
  for (int t = 0; t < table_count; t++)
    for (int i = 0; i < SHAPES; i++) check_weight_gradient(tables[t], shapes[i][1], shapes[i][2], shapes[i][0]);
}

/* A layout covers every element once, within its count; what is left of the last tiles is never written. */
static void test_layouts_hold_each_element_once(void **state) {
  (void)state;
  for (int t = 0; t < table_count; t++)
    for (int i = 0; i < SHAPES; i++) {
      const lfm_kernels *k = tables[t];
      lfm_layout p;
      void *packed, *w;
      int64_t rows = shapes[i][2], cols = shapes[i][1];
      OK(k->layout(rows, cols, false, &p));
      if (p.split) continue;
      OK(lfm_alloc_array(&packed, p.count, k->number_size));
      OK(lfm_alloc_array(&w, (size_t)(rows * cols), k->number_size));
      for (int64_t j = 0; j < rows * cols; j++) set(k, w, j, (double)(j + 1));
      k->pack(packed, &p, false, w, cols, 0, 0, rows);
      int64_t found = 0, sum = 0;
      for (size_t j = 0; j < p.count; j++) {
        found += get(k, packed, (int64_t)j) != 0;
        sum += (int64_t)get(k, packed, (int64_t)j);
      }
      assert_int_equal(found, rows * cols);
      assert_int_equal(sum, rows * cols * (rows * cols + 1) / 2);
      lfm_free(packed), lfm_free(w);
    }
}

static void test_columns(void **state) {
  (void)state;
  for (int t = 0; t < table_count; t++) {
    const lfm_kernels *k = tables[t];
    void *to = filled(k, 3 * 5, 1), *from = filled(k, 3 * 4, 2);
    k->columns((char *)to + k->number_size, 5, from, 4, 3, 2, false);
    k->columns((char *)to + k->number_size, 5, from, 4, 3, 2, true);
    for (int64_t i = 0; i < 15; i++)
      assert_true(get(k, to, i) == (i % 5 == 1 || i % 5 == 2 ? 2 * exact(i / 5 * 4 + i % 5 - 1, 2) : exact(i, 1)));
    lfm_free(to), lfm_free(from);
  }
}

static void test_dots(void **state) {
  (void)state;
  for (int t = 0; t < table_count; t++)
    for (int64_t cols = 1; cols < 40; cols += 6) {
      const lfm_kernels *k = tables[t];
      void *a = filled(k, 5 * cols, 1), *b = filled(k, 5 * cols, 2), *out = poisoned(k, 5);
      k->dots(out, a, b, cols, 5);
      for (int64_t i = 0; i < 5; i++) {
        double want = 0.0;
        for (int64_t j = i * cols; j < (i + 1) * cols; j++) want += exact(j, 1) * exact(j, 2);
        assert_true(get(k, out, i) == want);
      }
      lfm_free(a), lfm_free(b), lfm_free(out);
    }
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(lfm_kernels_name(lfm_kernels_onednn()), "onednn");
  assert_string_equal(lfm_kernels_name(lfm_kernels_ref32()), "ref32");
  assert_string_equal(lfm_kernels_name(lfm_kernels_ref64()), "ref64");
  assert_non_null(strstr(lfm_kernels_identity(lfm_kernels_onednn()), "onednn 2."));
}

int main(void) {
  tables[0] = lfm_kernels_onednn(), tables[1] = lfm_kernels_ref32(), tables[2] = lfm_kernels_ref64();
  if (lfm_kernels_training() == lfm_kernels_onednn_split()) tables[table_count++] = lfm_kernels_onednn_split();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_packed_products),
      cmocka_unit_test(test_a_row_or_some_columns_alone_have_the_same_bits),
      cmocka_unit_test(test_split_products),
      cmocka_unit_test(test_weight_gradients),
      cmocka_unit_test(test_layouts_hold_each_element_once),
      cmocka_unit_test(test_columns),
      cmocka_unit_test(test_dots),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
