/* SPDX-License-Identifier: MIT
 *
 * test_mlp.c -- v, its trace and its gradients against the definition written again (net_support.h) and against central
 * finite differences in double; every activation, t first and everywhere, with something given and without, odd shapes, every
 * backend.
 */
#include "net_support.h"

typedef struct net_case {
  lfm_mlp_config config;
  int64_t rows;
} net_case;

static const net_case cases[] = {
    {{1, 5, 1, {LFM_ACT_NONE, 0}, false, 0, false, {0}}, 3},
    {{2, 16, 2, {LFM_ACT_RELU, 0}, false, 0, false, {0}}, 7},
    {{3, 17, 3, {LFM_ACT_ELU, 0}, true, 0, false, {0}}, 5},
    {{6, 24, 2, {LFM_ACT_SILU, 0}, false, 0, false, {0}}, 9},
    {{2, 33, 3, {LFM_ACT_GELU, 0}, true, 0, false, {0}}, 4},
    {{8, 20, 2, {LFM_ACT_TANH, 0}, true, 0, false, {0}}, 6},
    {{5, 19, 2, {LFM_ACT_SOFTPLUS, 20}, false, 0, false, {0}}, 8},
    {{1, 12, 4, {LFM_ACT_SOFTPLUS, 1}, true, 0, false, {0}}, 2},
    {{3, 18, 2, {LFM_ACT_SILU, 0}, false, 7, false, {0}}, 6},
    {{2, 14, 2, {LFM_ACT_TANH, 0}, true, 1, false, {0}}, 5},
    {{2, 14, 2, {LFM_ACT_TANH, 0}, true, 1, false, {9, 6, false, 0}}, 5},
    {{3, 12, 1, {LFM_ACT_SILU, 0}, false, 0, false, {4, 5, true, 0}}, 6},
    {{1, 13, 1, {LFM_ACT_SILU, 0}, false, 0, false, {1, 5, true, 0}}, 6},
    {{2, 14, 2, {LFM_ACT_TANH, 0}, false, 0, false, {9, 6, true, 0.2}}, 5},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct built {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
} built;

static double far = 1.0; /* how much farther out inputs lie */

static built build(const net_case *c, const lfm_kernels *kernels, lfm_run_kind kind) {
  built b;
  OK(lfm_mlp_create(&c->config, kernels, &b.net));
  OK(lfm_params_create(b.net, &b.params));
  lfm_params_init(b.params, 7, 1);
  OK(lfm_run_create(b.net, kind, c->rows, &b.run));
  fill_inputs(b.net, b.run);
  for (int64_t i = 0; i < c->rows * c->config.dim; i++)
    set_number(b.net, lfm_run_x(b.run), i, far * number_at(b.net, lfm_run_x(b.run), i));
  return b;
}

static void release(built *b) {
  lfm_run_destroy(b->run);
  lfm_params_destroy(b->params);
  lfm_net_destroy(b->net);
}

static void close_to(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance * (1 + fabs(want)))) fail_msg("got %.9g, want %.9g within %g", got, want, tolerance);
}

/* v and trace of a TRACE run against the second writing, one dual number a direction. */
static void check_trace(const net_case *c, const lfm_kernels *kernels, double tolerance) {
  built b = build(c, kernels, LFM_RUN_TRACE);
  int64_t dim = c->config.dim;
  memset((void *)(uintptr_t)lfm_run_v(b.run), 0xFF, (size_t)(c->rows * dim) * lfm_net_number_size(b.net));
  memset((void *)(uintptr_t)lfm_run_trace(b.run), 0xFF, (size_t)c->rows * lfm_net_number_size(b.net));
  OK(lfm_run_forward(b.run, b.params));
  double *weights = weights_as_doubles(b.net, b.params), x[64], given[64];
  dual v[64];
  for (int64_t row = 0; row < c->rows; row++) {
    double trace = 0, t = number_at(b.net, lfm_run_t(b.run), row);
    for (int64_t i = 0; i < dim; i++) x[i] = number_at(b.net, lfm_run_x(b.run), row * dim + i);
    for (int64_t i = 0; i < c->config.given; i++)
      given[i] = number_at(b.net, lfm_run_given(b.run), row * c->config.given + i);
    for (int64_t direction = 0; direction < dim; direction++) {
      mlp_again(&c->config, weights, t, given, x, direction, v);
      trace += v[direction].slope;
    }
    for (int64_t i = 0; i < dim; i++) close_to(number_at(b.net, lfm_run_v(b.run), row * dim + i), v[i].value, tolerance);
    close_to(number_at(b.net, lfm_run_trace(b.run), row), trace, tolerance);
  }
  lfm_free(weights);
  release(&b);
}

/* Beyond the end of the waves, to one side and to both. */
static void check_far_trace(const lfm_kernels *kernels, double tolerance) {
  static const net_case plane = {{2, 14, 2, {LFM_ACT_TANH, 0}, false, 0, false, {9, 6, false, 0}}, 3},
                        columns = {{3, 14, 2, {LFM_ACT_TANH, 0}, false, 0, false, {4, 6, true, 0}}, 2};
  far = 20.0;
  check_trace(&plane, kernels, tolerance);
  check_trace(&columns, kernels, tolerance);
  far = 1.0;
}

static void test_waves_end(void **state) {
  (void)state;
  check_far_trace(lfm_kernels_ref64(), 1e-12);
  check_far_trace(lfm_kernels_ref32(), 1e-5);
}

static void test_trace_is_the_definition(void **state) {
  (void)state;
  for (int i = 0; i < CASES; i++) {
    check_trace(&cases[i], lfm_kernels_ref64(), 1e-12);
    check_trace(&cases[i], lfm_kernels_ref32(), 3e-6);
    check_trace(&cases[i], lfm_kernels_onednn(), 3e-6);
  }
}

/* L = sum of dv * v with dv fixed: its gradient is what backward gives for dv. */
static double loss(const built *b, const double *dv) {
  int64_t count = lfm_run_rows(b->run) * lfm_net_dim(b->net);
  double sum = 0;
  OK(lfm_run_forward(b->run, b->params));
  for (int64_t i = 0; i < count; i++) sum += dv[i] * number_at(b->net, lfm_run_v(b->run), i);
  return sum;
}

/* A central difference with step 1e-5 errs by about 1e-10 where the third derivative is of order one; relu's and elu's
 * kinks are met with a probability that the fixed inputs do not realise. */
static void check_gradient(const net_case *c) {
  built b = build(c, lfm_kernels_ref64(), LFM_RUN_TRAIN);
  int64_t params = lfm_net_param_count(b.net), outputs = c->rows * c->config.dim;
  double *grads, *dv, *w = lfm_params_data(b.params), step = 1e-5;
  OK(LFM_ALLOC(&grads, params));
  OK(LFM_ALLOC(&dv, outputs));
  memset(grads, 0xFF, (size_t)params * sizeof *grads);
  for (int64_t i = 0; i < outputs; i++) dv[i] = wobble(i, 3);
  loss(&b, dv);
  memcpy(lfm_run_dv(b.run), dv, (size_t)outputs * sizeof *dv);
  OK(lfm_run_backward(b.run, b.params, grads, false));
  for (int64_t i = 0; i < params; i++) {
    double kept = w[i];
    w[i] = kept + step, lfm_params_pack(b.params);
    double above = loss(&b, dv);
    w[i] = kept - step, lfm_params_pack(b.params);
    double below = loss(&b, dv);
    w[i] = kept;
    close_to(grads[i], (above - below) / (2 * step), 2e-8);
  }
  lfm_free(grads);
  lfm_free(dv);
  release(&b);
}

static void test_gradient_is_the_finite_difference(void **state) {
  (void)state;
  for (int i = 0; i < CASES; i++) check_gradient(&cases[i]);
}

/* grads [params] of a float backend, as doubles: dv fixed, `times` backward passes added up. */
static double *gradient_of(const net_case *c, const lfm_kernels *kernels, int times) {
  built b = build(c, kernels, LFM_RUN_TRAIN);
  int64_t params = lfm_net_param_count(b.net), outputs = c->rows * c->config.dim;
  void *grads;
  double *out;
  OK(lfm_alloc_array(&grads, (size_t)params, lfm_net_number_size(b.net)));
  OK(LFM_ALLOC(&out, params));
  memset(grads, 0xFF, (size_t)params * lfm_net_number_size(b.net));
  for (int pass = 0; pass < times; pass++) {
    OK(lfm_run_forward(b.run, b.params));
    for (int64_t i = 0; i < outputs; i++) set_number(b.net, lfm_run_dv(b.run), i, wobble(i, 3));
    OK(lfm_run_backward(b.run, b.params, grads, pass > 0));
  }
  for (int64_t i = 0; i < params; i++) out[i] = number_at(b.net, grads, i) / times;
  lfm_free(grads);
  release(&b);
  return out;
}

/* Largest error over largest gradient. */
static void compare_gradients(const net_case *c, const lfm_kernels *kernels, int times, double tolerance) {
  built b = build(c, kernels, LFM_RUN_TRAIN);
  int64_t params = lfm_net_param_count(b.net);
  release(&b);
  double *got = gradient_of(c, kernels, times), *want = gradient_of(c, lfm_kernels_ref64(), 1), most = 0, error = 0;
  for (int64_t i = 0; i < params; i++) {
    assert_true(isfinite(got[i]));
    most = fmax(most, fabs(want[i]));
    error = fmax(error, fabs(got[i] - want[i]));
  }
  if (error > tolerance * most) fail_msg("gradients differ by %g of %g", error, most);
  lfm_free(got);
  lfm_free(want);
}

/* float has 6e-8; sums of up to `rows` and 512 terms of mixed signs lose little.  Two halves have 4e-6, of either sign. */
static void test_float_gradients_are_the_oracle_s(void **state) {
  (void)state;
  const double floats = 3e-6, halves = 5e-6;
  static const net_case larger[] = {{{43, 362, 2, {LFM_ACT_ELU, 0}, false, 0, false, {0}}, 50},
                                    {{63, 128, 3, {LFM_ACT_SILU, 0}, true, 0, false, {0}}, 125},
                                    {{2, 256, 2, {LFM_ACT_SOFTPLUS, 20}, false, 0, false, {0}}, 1}};
  for (int times = 1; times <= 3; times += 2) {
    for (int i = 0; i < CASES; i++) {
      compare_gradients(&cases[i], lfm_kernels_onednn(), times, floats);
      compare_gradients(&cases[i], lfm_kernels_ref32(), times, floats);
    }
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) {
      compare_gradients(&larger[i], lfm_kernels_onednn(), times, floats);
      compare_gradients(&larger[i], lfm_kernels_training(), times, halves);
    }
  }
}

static void test_names_and_shapes_are_torch_s(void **state) {
  (void)state;
  lfm_net *net;
  OK(lfm_mlp_create(&(lfm_mlp_config){2, 8, 2, {LFM_ACT_RELU, 0}, true, 0, false, {0}}, lfm_kernels_ref32(), &net));
  assert_int_equal(lfm_net_tensor_count(net), 6);
  assert_string_equal(lfm_net_tensor(net, 0)->name, "net.0.weight");
  assert_string_equal(lfm_net_tensor(net, 3)->name, "net.2.bias");
  assert_string_equal(lfm_net_tensor(net, 4)->name, "net.4.weight");
  assert_int_equal(lfm_net_tensor(net, 0)->shape[1], 3);
  assert_int_equal(lfm_net_tensor(net, 2)->shape[1], 9);
  assert_int_equal(lfm_net_tensor(net, 4)->shape[0], 2);
  assert_int_equal(lfm_net_param_count(net), 8 * 3 + 8 + 8 * 9 + 8 + 2 * 9 + 2);
  assert_int_equal(lfm_net_given(net), 0);
  lfm_net_destroy(net);
  OK(lfm_mlp_create(&(lfm_mlp_config){2, 8, 2, {LFM_ACT_RELU, 0}, true, 5, false, {0}}, lfm_kernels_ref32(), &net));
  assert_int_equal(lfm_net_given(net), 5);
  assert_int_equal(lfm_net_tensor(net, 0)->shape[1], 1 + 5 + 2);
  assert_int_equal(lfm_net_tensor(net, 2)->shape[1], 9);
  lfm_net_destroy(net);
}

static void test_senseless_configs_are_refused(void **state) {
  (void)state;
  static const lfm_mlp_config bad[] = {{0, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                       {2, 0, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                       {2, -5, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                       {2, 8, 0, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                       {2, INT64_MAX, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                       {2, 8, 1, {LFM_ACTS, 0}, false, 0, false, {0}},
                                       {2, 8, 1, {LFM_ACT_SOFTPLUS, 0}, false, 0, false, {0}},
                                       {2, 8, 1, {LFM_ACT_SOFTPLUS, NAN}, false, 0, false, {0}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, -1, false, {0}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {-1, 8, false, 0}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {4, 0.5, false, 0}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {4, NAN, false, 0}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {4, 8, false, -0.1}},
                                       {2, 8, 1, {LFM_ACT_RELU, 0}, false, 0, false, {4, 8, false, NAN}}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    lfm_net *net = (lfm_net *)1;
    assert_int_equal(lfm_mlp_create(&bad[i], lfm_kernels_best(), &net), LFM_E_USAGE);
    assert_null(net);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_waves_end),
      cmocka_unit_test(test_trace_is_the_definition),
      cmocka_unit_test(test_gradient_is_the_finite_difference),
      cmocka_unit_test(test_float_gradients_are_the_oracle_s),
      cmocka_unit_test(test_names_and_shapes_are_torch_s),
      cmocka_unit_test(test_senseless_configs_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
