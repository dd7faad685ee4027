/* SPDX-License-Identifier: MIT
 *
 * test_meanflow.c -- the target of a mean velocity against its definition in double; one that is known; and a column for the
 * span that comes, and goes into a bias.
 */
#include "flow_support.h"

#include "flow/meanflow.h"

enum { ROWS = 12, DIM = 2, GIVENS = 3 };

static lfm_net *mlp(const lfm_kernels *kernels, bool span, int givens) {
  lfm_net *net;
  OK(lfm_mlp_create(&(lfm_mlp_config){DIM, 9, 2, {LFM_ACT_TANH, 0}, false, givens, span, {0}}, kernels, &net));
  return net;
}

/* u at one point of a double-precision net, whose inputs are (h, t, x). */
static void evaluate(lfm_run *run, const lfm_params *params, double t, double h, const double *x, double *u) {
  *(double *)lfm_run_t(run) = t;
  *(double *)lfm_run_span(run) = h;
  memcpy(lfm_run_x(run), x, DIM * sizeof *x);
  OK(lfm_run_forward(run, params));
  memcpy(u, lfm_run_v(run), DIM * sizeof *u);
}

static void target_is_the_definition(void **state) {
  (void)state;
  lfm_net *net = mlp(lfm_kernels_best(), true, 0), *oracle = mlp(lfm_kernels_ref64(), true, 0);
  lfm_params *params, *same;
  lfm_run *run, *one;
  lfm_meanflow *meanflow;
  float target[ROWS * DIM], v[ROWS * DIM], x[ROWS * DIM];
  OK(lfm_params_create(net, &params));
  OK(lfm_params_create(oracle, &same));
  lfm_params_init(params, 3, 0);
  lfm_params_init(same, 3, 0);
  OK(lfm_run_create(net, LFM_RUN_EVAL, ROWS, &run));
  OK(lfm_run_create(oracle, LFM_RUN_EVAL, 1, &one));
  OK(lfm_meanflow_create(ROWS, DIM, &meanflow));
  lfm_rng rng = {.seed = 2, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 0, v, ROWS * DIM);
  lfm_rng_normal(&rng, 1, x, ROWS * DIM);
  memcpy(target, v, sizeof v);
  memcpy(lfm_run_x(run), x, sizeof x);
  for (int i = 0; i < ROWS; i++) {
    ((float *)lfm_run_t(run))[i] = 0.1f + 0.07f * (float)i;
    ((float *)lfm_run_span(run))[i] = i % 3 ? 0.05f * (float)i : 0.0f;
  }
  OK(lfm_meanflow_target(meanflow, run, params, ROWS, target));
  for (int i = 0; i < ROWS; i++) {
    const double step = 1e-5;
    double t = (double)((float *)lfm_run_t(run))[i], h = (double)((float *)lfm_run_span(run))[i];
    double ahead[DIM], behind[DIM], at[2][DIM];
    assert_true(t == (double)(0.1f + 0.07f * (float)i)); /* where it was */
    for (int j = 0; j < DIM; j++) {
      double here = (double)x[i * DIM + j], along = step * (double)v[i * DIM + j];
      assert_true(((float *)lfm_run_x(run))[i * DIM + j] == x[i * DIM + j]);
      at[0][j] = here + along, at[1][j] = here - along;
    }
    evaluate(one, same, t + step, h + step, at[0], ahead);
    evaluate(one, same, t - step, h - step, at[1], behind);
    for (int j = 0; j < DIM; j++) {
      double due = (double)v[i * DIM + j] - h * (ahead[j] - behind[j]) / (2.0 * step);
      assert_near(target[i * DIM + j], due, h > 0.0 ? 2e-4 : 1e-7);
    }
  }
  lfm_meanflow_destroy(meanflow);
  lfm_run_destroy(run);
  lfm_run_destroy(one);
  lfm_params_destroy(params);
  lfm_params_destroy(same);
  lfm_net_destroy(net);
  lfm_net_destroy(oracle);
}

/* ---- with a column for the span, and without ------------------------------------------------------------------------- */

/* The same inputs to both, and a span to the one that has it. */
static void expect_alike(const lfm_net *plain, const lfm_params *of_plain, const lfm_net *wide, const lfm_params *of_wide,
                         float span, float tolerance) {
  lfm_run *a, *b;
  int64_t dim = lfm_net_dim(plain), givens = lfm_net_given(plain);
  bool named = lfm_net_classes(plain) > 0;
  OK(lfm_run_create(plain, LFM_RUN_EVAL, 2, &a));
  OK(lfm_run_create(wide, LFM_RUN_EVAL, 2, &b));
  assert_null(lfm_run_span(a));
  float *x = lfm_run_x(a), *t = lfm_run_t(a), *given = lfm_run_given(a), *h = lfm_run_span(b);
  lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 0, x, (size_t)(2 * dim));
  for (int i = 0; i < 2; i++) t[i] = 0.3f + 0.4f * (float)i, h[i] = span;
  for (int64_t k = 0; k < 2 * givens; k++) given[k] = named ? 1.0f : 0.2f * (float)k;
  memcpy(lfm_run_x(b), x, (size_t)(2 * dim) * sizeof *x);
  memcpy(lfm_run_t(b), t, 2 * sizeof *t);
  if (givens) memcpy(lfm_run_given(b), given, (size_t)(2 * givens) * sizeof *given);
  OK(lfm_run_forward(a, of_plain));
  OK(lfm_run_forward(b, of_wide));
  const float *u = lfm_run_v(a), *v = lfm_run_v(b);
  for (int64_t k = 0; k < 2 * dim; k++) assert_near(u[k], v[k], (double)tolerance);
  lfm_run_destroy(a);
  lfm_run_destroy(b);
}

static void fill(lfm_params *params, int64_t count) {
  float *values = lfm_params_data(params);
  lfm_rng rng = {.seed = 6, .purpose = LFM_FOR_DATA};
  for (int64_t k = 0; k < count; k++) values[k] = (float)(0.3 * (lfm_rng_uniform(&rng, k, 0) - 0.5));
  lfm_params_pack(params);
}

static void check_columns(lfm_net *plain, lfm_net *wide) {
  lfm_params *a, *b;
  int64_t count = lfm_net_param_count(plain), more = lfm_net_param_count(wide);
  assert_true(more > count);
  OK(lfm_params_create(plain, &a));
  OK(lfm_params_create(wide, &b));
  fill(a, count);
  lfm_params_widen(b, a);
  expect_alike(plain, a, wide, b, 0.8f, 1e-6f); /* a column of zeros says nothing */
  fill(b, more);
  lfm_params_fold(a, b, 0.75);
  expect_alike(plain, a, wide, b, 0.75f, 1e-5f); /* the bias says it for good */
  lfm_params_destroy(a);
  lfm_params_destroy(b);
  lfm_net_destroy(plain);
  lfm_net_destroy(wide);
}

static void a_span_is_a_column_of_any_network(void **state) {
  (void)state;
  const lfm_kernels *k = lfm_kernels_best();
  lfm_unet1d_config series = {.length = 8,
                              .channels = 3,
                              .given = 5,
                              .hidden_dim = 8,
                              .mult_count = 2,
                              .mults = {1, 2},
                              .kernel_size = 5,
                              .groups = 8,
                              .step_embed_dim = 16};
  lfm_unet2d_config pictures = {.channels = 1,
                                .height = 8,
                                .width = 8,
                                .hidden_dim = 32,
                                .mult_count = 2,
                                .mults = {1, 2},
                                .res_depth = 1,
                                .attention_count = 1,
                                .attention = {4},
                                .num_head_channels = 32,
                                .classes = 3};
  lfm_net *plain, *wide;
  check_columns(mlp(k, false, 0), mlp(k, true, 0));
  check_columns(mlp(k, false, GIVENS), mlp(k, true, GIVENS));
  OK(lfm_unet1d_create(&series, k, &plain));
  series.span = true;
  OK(lfm_unet1d_create(&series, k, &wide));
  check_columns(plain, wide);
  OK(lfm_unet2d_create(&pictures, k, &plain));
  pictures.span = true;
  OK(lfm_unet2d_create(&pictures, k, &wide));
  check_columns(plain, wide);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  lfm_meanflow *meanflow;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK && at < 20; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_meanflow_create(4, 2, &meanflow);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !meanflow));
  }
  lfm_alloc_fail_at(0);
  assert_true(lfm_meanflow_memory(meanflow) >= (2 * 4 * 2 + 2 * 4) * sizeof(float) && lfm_meanflow_memory(NULL) == 0);
  lfm_meanflow_destroy(meanflow);
  lfm_meanflow_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(target_is_the_definition),
      cmocka_unit_test(a_span_is_a_column_of_any_network),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
