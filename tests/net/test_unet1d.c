/* SPDX-License-Identifier: MIT
 *
 * test_unet1d.c -- the conditional 1-D U-Net against its own definition: gradients and tangents against central differences
 * in double; rows that stand alone; the same bytes twice, without memory; halves; what is refused.  test_unet1d_golden.c has
 * PyTorch's numbers.
 */
#include "fixture_support.h"

static const lfm_unet1d_config tiny = {8, 3, 5, 16, 2, {1, 2}, 5, 4, 6, false},
                               bare = {4, 2, 0, 8, 2, {1, 2}, 3, 2, 4, false}, flat = {6, 2, 1, 8, 1, {1}, 5, 8, 4, false};

static fixture make(const lfm_unet1d_config *c, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_unet1d_create(c, kernels, &net));
  return fixture_of(net);
}

static const lfm_unet1d_config *const configs[] = {&tiny, &bare, &flat};

static void test_gradients(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    fixture f = make(configs[i], lfm_kernels_ref64());
    lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 2);
    check_gradients(&f, run);
    lfm_run_destroy(run);
    drop(&f);
  }
}

static void test_tangents(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    fixture f = make(configs[i], lfm_kernels_ref64());
    check_tangents(&f, 3, 2);
    drop(&f);
  }
}

/* What is given is seen: another observation, another velocity; and each row sees its own alone. */
static void test_rows_stand_alone(void **state) {
  (void)state;
  enum { ROWS = 7 };
  const lfm_kernels *tables[] = {lfm_kernels_onednn(), lfm_kernels_ref32()};
  for (int t = 0; t < 2; t++) {
    fixture f = make(&tiny, tables[t]);
    size_t dim = (size_t)lfm_net_dim(f.net), given = (size_t)lfm_net_given(f.net);
    lfm_run *run = run_of(&f, LFM_RUN_EVAL, ROWS);
    OK(lfm_run_forward(run, f.params));
    for (int64_t rows = 1; rows <= 10; rows += 3) {
      lfm_run *few = run_of(&f, LFM_RUN_EVAL, rows);
      for (int64_t row = 0; row < rows; row++) {
        size_t from = (size_t)(row * 3 + 1) % ROWS, to = (size_t)row;
        memcpy((float *)lfm_run_x(few) + to * dim, (float *)lfm_run_x(run) + from * dim, dim * sizeof(float));
        memcpy((float *)lfm_run_given(few) + to * given, (float *)lfm_run_given(run) + from * given, given * sizeof(float));
        ((float *)lfm_run_t(few))[row] = ((float *)lfm_run_t(run))[from];
      }
      OK(lfm_run_forward(few, f.params));
      for (int64_t row = 0; row < rows; row++)
        assert_memory_equal((const float *)lfm_run_v(few) + (size_t)row * dim,
                            (const float *)lfm_run_v(run) + (size_t)((row * 3 + 1) % ROWS) * dim, dim * sizeof(float));
      ((float *)lfm_run_given(few))[0] += 1.0f;
      OK(lfm_run_forward(few, f.params));
      assert_memory_not_equal(lfm_run_v(few), (const float *)lfm_run_v(run) + dim, dim * sizeof(float));
      lfm_run_destroy(few);
    }
    lfm_run_destroy(run);
    drop(&f);
  }
}

static void test_runs_repeat(void **state) {
  (void)state;
  fixture f = make(&tiny, lfm_kernels_onednn());
  lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 3);
  float *first = gradient_of(&f, run), *second = gradient_of(&f, run);
  assert_memory_equal(first, second, (size_t)f.count * sizeof *first);
  for (int64_t i = 0; i < 3 * lfm_net_dim(f.net); i++) set_number(f.net, lfm_run_dv(run), i, wobble(i, 5));
  lfm_alloc_fail_at(0);
  OK(lfm_run_forward(run, f.params));
  OK(lfm_run_backward(run, f.params, second, true));
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  for (int64_t i = 0; i < f.count; i++) assert_true(fabsf(second[i] - 2 * first[i]) <= 1e-5f * (1e-3f + fabsf(first[i])));
  lfm_free(first), lfm_free(second);
  lfm_run_destroy(run);
  drop(&f);
}

/* In halves the gradient keeps two digits and its direction. */
static void test_halves(void **state) {
  (void)state;
  const lfm_kernels *chosen;
  if (lfm_kernels_bf16(&chosen) != LFM_OK) skip();
  lfm_unet1d_config c = {16, 10, 12, 32, 3, {1, 2, 4}, 5, 8, 16, false};
  fixture f[2] = {make(&c, lfm_kernels_ref64()), make(&c, lfm_kernels_bf16_pairs())};
  double off = 0, norm = 0, *exact = NULL;
  for (int k = 0; k < 2; k++) {
    lfm_run *run = run_of(&f[k], LFM_RUN_TRAIN, 4);
    void *grads = gradient_of(&f[k], run);
    for (int64_t i = 0; k && i < f[k].count; i++) {
      off += pow(number_at(f[k].net, grads, i) - exact[i], 2);
      norm += pow(exact[i], 2);
    }
    if (k) lfm_free(grads);
    else exact = grads;
    lfm_run_destroy(run);
  }
  assert_true(sqrt(off / norm) > 1e-5 && sqrt(off / norm) < 0.03);
  lfm_free(exact);
  drop(&f[0]), drop(&f[1]);
}

static void test_what_is_refused(void **state) {
  (void)state;
  static const lfm_unet1d_config bad[] = {
      {8, 3, 5, 16, 0, {0}, 5, 4, 6, false},    {10, 3, 5, 16, 3, {1, 2, 2}, 5, 4, 6, false},
      {8, 0, 5, 16, 2, {1, 2}, 5, 4, 6, false}, {8, 3, -1, 16, 2, {1, 2}, 5, 4, 6, false},
      {8, 3, 5, 18, 2, {1, 2}, 5, 4, 6, false}, {8, 3, 5, 16, 2, {1, 2}, 4, 4, 6, false},
      {8, 3, 5, 16, 2, {1, 2}, 5, 0, 6, false}, {8, 3, 5, 16, 2, {1, 2}, 5, 4, 5, false},
      {8, 3, 5, 12, 2, {1, 1}, 5, 4, 6, false},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    lfm_net *net = (lfm_net *)1;
    assert_int_equal(lfm_unet1d_create(&bad[i], lfm_kernels_best(), &net), LFM_E_USAGE);
    assert_null(net);
  }
}

static lfm_status build_and_plan(const void *kernels) {
  lfm_net *net;
  LFM_TRY(lfm_unet1d_create(&bare, kernels, &net));
  return plan_and_drop(net, false);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  assert_true(check_refused_memory(build_and_plan, lfm_kernels_ref32()) > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients),
      cmocka_unit_test(test_tangents),
      cmocka_unit_test(test_runs_repeat),
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_halves),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
