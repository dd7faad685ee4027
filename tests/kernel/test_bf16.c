/* SPDX-License-Identifier: MIT
 *
 * test_bf16.c -- rounding to bfloat16 against its definition, and the products, packings and activations of both bf16 tables
 * against sums written out in double.
 */
#include "kernel_support.h"

#include "kernel/bf16.h"

static const lfm_kernels *tables[2];

/* ---- rounding ------------------------------------------------------------------------------------------------ */

static void test_rounds_to_the_nearest(void **state) {
  (void)state;
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 9973) {
    float x = lfm_bits_to_f32((uint32_t)bits), got = lfm_bf16_rounded(x);
    if (isnan(x)) {
      assert_true(isnan(got));
      continue;
    }
    float below = lfm_bits_to_f32((uint32_t)bits & 0xFFFF0000u); /* towards zero */
    float above = lfm_bits_to_f32(((uint32_t)bits & 0xFFFF0000u) + 0x10000u);
    assert_true(got == below || got == above);
    if (isinf(x) || isinf(above)) continue;
    double down = fabs((double)x - (double)below), up = fabs((double)above - (double)x);
    if (down != up) assert_true(got == (down < up ? below : above));
    else assert_int_equal(lfm_f32_to_bits(got) >> 16 & 1u, 0); /* a tie goes to the even one */
  }
  assert_true(lfm_bf16_rounded(1.0f + 1.0f / 256) == 1.0f && lfm_bf16_rounded(1.0f + 3.0f / 256) == 1.0f + 4.0f / 256);
  assert_true(isinf(lfm_bf16_rounded(3.4e38f)) && isinf(lfm_bf16_rounded(INFINITY)));
  assert_true(isnan(lfm_bf16_rounded(lfm_bits_to_f32(0x7FFFFFFFu))) && isnan(lfm_bf16_value(lfm_bf16_of(NAN))));
  assert_true(signbit(lfm_bf16_rounded(-0.0f)));
}

/* ---- products ------------------------------------------------------------------------------------------------ */

static void *stored(const lfm_kernels *k, int64_t count, bool half) {
  void *array;
  OK(lfm_alloc_array(&array, (size_t)count, lfm_stored_size(k, half)));
  memset(array, 0xFF, (size_t)count * lfm_stored_size(k, half));
  return array;
}

static void set(const lfm_kernels *k, void *array, int64_t i, bool half, float value) {
  if (half && k->half_size == 2) ((uint16_t *)array)[i] = lfm_bf16_of(value);
  else ((float *)array)[i] = half ? lfm_bf16_rounded(value) : value;
}

static float get(const lfm_kernels *k, const void *array, int64_t i, bool half) {
  return half && k->half_size == 2 ? lfm_bf16_value(((const uint16_t *)array)[i]) : ((const float *)array)[i];
}

static void *filled(const lfm_kernels *k, int64_t count, bool half, int salt) {
  void *array = stored(k, count, half);
  for (int64_t i = 0; i < count; i++) set(k, array, i, half, (float)exact(i, salt));
  return array;
}

/* C = A B + bias with B packed strip by strip, each of the kinds that a layer meets. */
static void check_packed(const lfm_kernels *k, int64_t m, int64_t n, int64_t depth, bool transposed, bool half_a, bool half_b,
                         bool half_c) {
  lfm_layout layout;
  OK(k->layout(depth, n, half_b, &layout));
  assert_int_equal(layout.half, half_b);
  int64_t ld = transposed ? depth : n, rows = transposed ? n : depth;
  void *a = filled(k, m * depth, half_a, 1), *w = filled(k, rows * ld, false, 2), *bias = filled(k, n, false, 3);
  void *c = stored(k, m * n, half_c), *packed;
  OK(lfm_alloc_array(&packed, layout.count, lfm_stored_size(k, half_b)));
  int64_t strip = transposed && m % 2 ? 10 : 16; /* strips of the optimiser's, and others */
  for (int64_t first = 0; first < rows; first += strip)
    k->pack(packed, &layout, transposed, w, ld, 0, first, rows - first < strip ? rows - first : strip);
  lfm_product_spec spec = {.m = m, .n = n, .k = depth, .layout = &layout, .bias = true, .half_a = half_a, .half_c = half_c};
  run_product(k, &spec, a, packed, bias, c);
  for (int64_t row = 0; row < m; row++)
    for (int64_t col = 0; col < n; col++) {
      double want = exact(col, 3);
      for (int64_t i = 0; i < depth; i++)
        want += exact(row * depth + i, 1) * exact(transposed ? col * ld + i : i * ld + col, 2);
      float expected = half_c ? lfm_bf16_rounded((float)want) : (float)want;
      assert_true(get(k, c, row * n + col, half_c) == expected);
    }
  lfm_free(a), lfm_free(w), lfm_free(bias), lfm_free(c), lfm_free(packed);
}

static const int64_t shapes[][3] = {
    /* m, n, k */ {1, 1, 1}, {3, 2, 7},    {16, 64, 16},  {17, 65, 31}, {5, 6, 362},
    {30, 362, 44},           {24, 1, 256}, {48, 63, 512}, {70, 96, 130}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_packed_products(void **state) {
  (void)state;
  for (int t = 0; t < 2; t++)
    for (int i = 0; i < SHAPES; i++) {
      const int64_t *s = shapes[i];
      for (int transposed = 0; transposed < 2; transposed++) {
        check_packed(tables[t], s[0], s[1], s[2], transposed, true, true, true);   /* between two layers */
        check_packed(tables[t], s[0], s[1], s[2], transposed, true, true, false);  /* the last */
        check_packed(tables[t], s[0], s[1], s[2], transposed, false, true, true);  /* back from the last */
        check_packed(tables[t], s[0], s[1], s[2], transposed, false, false, true); /* the first */
      }
    }
}

/* C = relu(A B + bias), or, twice, C += A B, where C holds numbers of eight bits. */
static void check_behind(const lfm_kernels *k, int64_t m, int64_t n, int64_t depth, bool relu, bool half_c) {
  lfm_layout layout;
  OK(k->layout(depth, n, true, &layout));
  void *a = filled(k, m * depth, true, 1), *w = filled(k, depth * n, false, 2), *bias = filled(k, n, false, 3), *packed;
  void *c = filled(k, m * n, half_c, 4);
  OK(lfm_alloc_array(&packed, layout.count, lfm_stored_size(k, true)));
  k->pack(packed, &layout, false, w, n, 0, 0, depth);
  lfm_product_spec spec = {.m = m, .n = n, .k = depth, .layout = &layout, .half_a = true, .half_c = half_c};
  spec.bias = relu, spec.accumulate = !relu;
  if (relu) spec.act.kind = LFM_ACT_RELU;
  run_product(k, &spec, a, packed, relu ? bias : NULL, c);
  for (int64_t row = 0; row < m; row++)
    for (int64_t col = 0; col < n; col++) {
      double want = relu ? exact(col, 3) : exact(row * n + col, 4);
      for (int64_t i = 0; i < depth; i++) want += exact(row * depth + i, 1) * exact(i * n + col, 2);
      if (relu) want = fmax(want, 0);
      assert_true(get(k, c, row * n + col, half_c) == (half_c ? lfm_bf16_rounded((float)want) : (float)want));
    }
  lfm_free(a), lfm_free(w), lfm_free(bias), lfm_free(c), lfm_free(packed);
}

static void test_what_goes_along_with_a_product(void **state) {
  (void)state;
  for (int t = 0; t < 2; t++)
    for (int i = 0; i < SHAPES; i++)
      for (int half_c = 0; half_c < 2; half_c++)
        for (int relu = 0; relu < 2; relu++) check_behind(tables[t], shapes[i][0], shapes[i][1], shapes[i][2], relu, half_c);
}

/* Numbers whose sums are rounded: a row has the bits that it has alone, or in the least company that a table allows. */
static void test_rows_stand_alone(void **state) {
  (void)state;
  enum { COMPANY = 37, N = 50, K = 75 };
  for (int t = 0; t < 2; t++) {
    const lfm_kernels *k = tables[t];
    int64_t few = k->row_multiple, many = COMPANY * few;
    lfm_layout layout;
    OK(k->layout(K, N, true, &layout));
    void *a = stored(k, many * K, true), *w = stored(k, K * N, false), *packed;
    void *c = stored(k, many * N, true), *alone = stored(k, few * N, true);
    for (int64_t i = 0; i < many * K; i++) set(k, a, i, true, sinf((float)i));
    for (int64_t i = 0; i < (int64_t)K * N; i++) set(k, w, i, false, cosf(1.7f * (float)i));
    OK(lfm_alloc_array(&packed, layout.count, lfm_stored_size(k, true)));
    k->pack(packed, &layout, false, w, N, 0, 0, K);
    lfm_product_spec spec = {.m = many, .n = N, .k = K, .layout = &layout, .half_a = true, .half_c = true};
    run_product(k, &spec, a, packed, NULL, c);
    spec.m = few;
    for (int64_t first = 0; first < many; first += few) {
      run_product(k, &spec, (char *)a + (size_t)(first * K) * k->half_size, packed, NULL, alone);
      assert_memory_equal(alone, (char *)c + (size_t)(first * N) * k->half_size, (size_t)(few * N) * k->half_size);
    }
    lfm_free(a), lfm_free(w), lfm_free(packed), lfm_free(c), lfm_free(alone);
  }
}

static void check_weight_gradient(const lfm_kernels *k, int64_t m, int64_t n, int64_t rows, bool half_a, bool half_b) {
  void *a = filled(k, rows * m, half_a, 4), *b = filled(k, rows * n, half_b, 5), *c = stored(k, m * n, false);
  for (int pass = 1; pass <= 2; pass++) {
    lfm_product_spec spec = {.m = m, .n = n, .k = rows, .accumulate = pass == 2, .half_a = half_a, .half_b = half_b};
    run_product(k, &spec, a, b, NULL, c);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double want = 0;
        for (int64_t row = 0; row < rows; row++) want += exact(row * m + i, 4) * exact(row * n + j, 5);
        assert_true((double)get(k, c, i * n + j, false) == pass * want);
      }
  }
  lfm_free(a), lfm_free(b), lfm_free(c);
}

static void test_weight_gradients(void **state) {
  (void)state;
  for (int t = 0; t < 2; t++)
    for (int i = 0; i < SHAPES; i++)
      for (int kind = 0; kind < 3; kind++)
        check_weight_gradient(tables[t], shapes[i][1], shapes[i][2], shapes[i][0], kind != 0, kind != 1);
}

/* Some columns of A alone: these rows of the gradient. */
static void test_strips_of_a_gradient(void **state) {
  (void)state;
  enum { M = 70, N = 45, ROWS_HERE = 37, FIRST = 19, COUNT = 33 };
  for (int t = 0; t < 2; t++) {
    const lfm_kernels *k = tables[t];
    void *a = filled(k, ROWS_HERE * M, true, 4), *b = filled(k, ROWS_HERE * N, true, 5), *c = stored(k, COUNT * N, false);
    lfm_product_spec spec = {.m = COUNT, .n = N, .k = ROWS_HERE, .lda = M, .half_a = true, .half_b = true};
    run_product(k, &spec, (char *)a + FIRST * k->half_size, b, NULL, c);
    for (int64_t i = 0; i < COUNT; i++)
      for (int64_t j = 0; j < N; j++) {
        double want = 0;
        for (int64_t row = 0; row < ROWS_HERE; row++) want += exact(row * M + FIRST + i, 4) * exact(row * N + j, 5);
        assert_true((double)get(k, c, i * N + j, false) == want);
      }
    lfm_free(a), lfm_free(b), lfm_free(c);
  }
}

/* What does not fit eight bits is rounded on its way into a product of halves, and only there. */
static void test_operands_are_rounded_where_halves_meet(void **state) {
  (void)state;
  float a = 1.0f + 1.0f / 512, b = 1.0f + 3.0f / 512, c;
  for (int t = 0; t < 2; t++)
    for (int half = 0; half < 2; half++) {
      void *packed;
      lfm_layout layout;
      OK(tables[t]->layout(1, 1, half, &layout));
      OK(lfm_alloc_array(&packed, layout.count, lfm_stored_size(tables[t], half)));
      tables[t]->pack(packed, &layout, true, &b, 1, 0, 0, 1);
      lfm_product_spec spec = {.m = 1, .n = 1, .k = 1, .layout = &layout};
      run_product(tables[t], &spec, &a, packed, NULL, &c);
      assert_true(c == (half ? lfm_bf16_rounded(a) * lfm_bf16_rounded(b) : a * b));
      lfm_free(packed);
    }
}

/* ---- activations --------------------------------------------------------------------------------------------- */

enum { ROWS = 3, COLS = 1031 };

static void check_activation(const lfm_kernels *k, lfm_act act) {
  const lfm_kernels *of_floats = lfm_kernels_ref32();
  int64_t n = ROWS * COLS;
  void *z = stored(k, n, true), *y = stored(k, n, true), *d = stored(k, n, true);
  float *zf, *yf, *df, bias[COLS], bias_f[COLS];
  OK(LFM_ALLOC(&zf, n)), OK(LFM_ALLOC(&yf, n)), OK(LFM_ALLOC(&df, n));
  for (int64_t i = 0; i < n; i++) {
    zf[i] = lfm_bf16_rounded(3.0f * sinf((float)i)), df[i] = lfm_bf16_rounded(cosf(0.7f * (float)i));
    set(k, z, i, true, zf[i]), set(k, d, i, true, df[i]);
  }
  k->activate(y, z, z, (size_t)n, act, true); /* the slope in the argument's place */
  of_floats->activate(yf, zf, zf, (size_t)n, act, false);
  for (int64_t i = 0; i < n; i++) {
    yf[i] = lfm_bf16_rounded(yf[i]), zf[i] = lfm_bf16_rounded(zf[i]);
    assert_true(get(k, y, i, true) == yf[i] && get(k, z, i, true) == zf[i]);
  }
  bool keeps = lfm_act_keeps_slope(act);
  for (int pass = 0; pass < 2; pass++) { /* the second adds to the first */
    k->activate_backward(d, keeps ? z : y, ROWS, COLS, act, true, bias, pass);
    of_floats->activate_backward(df, keeps ? zf : yf, ROWS, COLS, act, false, bias_f, pass);
    for (int64_t i = 0; i < n; i++) {
      df[i] = lfm_bf16_rounded(df[i]);
      assert_true(get(k, d, i, true) == df[i]);
    }
    assert_memory_equal(bias, bias_f, sizeof bias);
  }
  lfm_free(z), lfm_free(y), lfm_free(d), lfm_free(zf), lfm_free(yf), lfm_free(df);
}

static void test_activations(void **state) {
  (void)state;
  static const lfm_act acts[] = {{LFM_ACT_RELU, 0}, {LFM_ACT_ELU, 0},  {LFM_ACT_SILU, 0},
                                 {LFM_ACT_GELU, 0}, {LFM_ACT_TANH, 0}, {LFM_ACT_SOFTPLUS, 20}};
  for (int t = 0; t < 2; t++)
    for (size_t a = 0; a < sizeof acts / sizeof *acts; a++) check_activation(tables[t], acts[a]);
}

/* ---- which --------------------------------------------------------------------------------------------------- */

static int of_pairs_if_any(void **state) {
  (void)state;
  bool known =
      strstr(lfm_kernels_identity(lfm_kernels_onednn()), "avx512") != NULL; /* oneDNN has its kernels from there on */
  tables[0] = lfm_kernels_bf16_floats(), tables[1] = known ? lfm_kernels_bf16_pairs() : tables[0];
  return 0;
}

static void test_a_processor_without_it_is_told(void **state) {
  (void)state;
  const lfm_kernels *chosen = NULL;
  bool has =
      strstr(lfm_kernels_identity(lfm_kernels_onednn()), "bf16") || strstr(lfm_kernels_identity(lfm_kernels_onednn()), "amx");
  assert_int_equal(lfm_kernels_bf16(&chosen), has ? LFM_OK : LFM_E_UNSUPPORTED);
  assert_true(!has || chosen == lfm_kernels_bf16_pairs() || chosen == lfm_kernels_bf16_floats());
  if (!has) assert_non_null(strstr(lfm_error(), "precision fp32"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rounds_to_the_nearest),
      cmocka_unit_test(test_packed_products),
      cmocka_unit_test(test_what_goes_along_with_a_product),
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_strips_of_a_gradient),
      cmocka_unit_test(test_weight_gradients),
      cmocka_unit_test(test_operands_are_rounded_where_halves_meet),
      cmocka_unit_test(test_activations),
      cmocka_unit_test(test_a_processor_without_it_is_told),
  };
  return cmocka_run_group_tests(tests, of_pairs_if_any, NULL);
}
