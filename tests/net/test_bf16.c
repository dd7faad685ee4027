/* SPDX-License-Identifier: MIT
 *
 * test_bf16.c -- a net in bfloat16 is the net in double but for the rounding: v and gradients within some of its eight bits,
 * the two forms of this processor nearer to each other than to it, and no trace.  A U-Net's rows are that where images are of
 * halves, and where they are not it is the net of floats to the bit.
 */
#include "kernel/kernel.h"
#include "net_support.h"

#include <string.h>

enum { ROWS = 125, IMAGES = 3 };

typedef struct outcome {
  int64_t outputs, params;
  double *v, *grads;
} outcome;

/* Of two passes, the second of which adds.  The net is destroyed. */
static outcome outcome_of_net(lfm_net *net, int64_t rows) {
  lfm_params *params;
  lfm_run *run;
  void *grads;
  OK(lfm_params_create(net, &params));
  lfm_params_init(params, 7, 1);
  outcome o = {.outputs = rows * lfm_net_dim(net), .params = lfm_net_param_count(net)};
  for (int64_t i = 0; i < o.params && lfm_net_classes(net); i++) { /* a U-Net's last weights would be zero */
    double start = number_at(net, lfm_params_data(params), i);
    set_number(net, lfm_params_data(params), i, (double)(float)(start + 0.05 * wobble(i, 9)));
  }
  lfm_params_pack(params);
  OK(lfm_run_create(net, LFM_RUN_TRAIN, rows, &run));
  fill_inputs(net, run);
  OK(LFM_ALLOC(&o.v, o.outputs));
  OK(LFM_ALLOC(&o.grads, o.params));
  OK(lfm_alloc_array(&grads, (size_t)o.params, lfm_net_number_size(net)));
  memset(grads, 0xFF, (size_t)o.params * lfm_net_number_size(net));
  for (int pass = 0; pass < 2; pass++) {
    OK(lfm_run_forward(run, params));
    for (int64_t i = 0; i < o.outputs; i++) {
      o.v[i] = number_at(net, lfm_run_v(run), i);
      set_number(net, lfm_run_dv(run), i, wobble(i, 3));
    }
    OK(lfm_run_backward(run, params, grads, pass > 0));
  }
  for (int64_t i = 0; i < o.params; i++) o.grads[i] = number_at(net, grads, i) / 2;
  lfm_free(grads);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
  return o;
}

static outcome outcome_of(const lfm_mlp_config *config, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_mlp_create(config, kernels, &net));
  return outcome_of_net(net, ROWS);
}

static outcome outcome_of_images(const lfm_unet2d_config *config, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_unet2d_create(config, kernels, &net));
  return outcome_of_net(net, IMAGES);
}

static void release(outcome *o) { lfm_free(o->v), lfm_free(o->grads); }

/* Root mean square of a - b over that of b. */
static double gap(const double *a, const double *b, int64_t n) {
  double square = 0, size = 0;
  for (int64_t i = 0; i < n; i++) square += (a[i] - b[i]) * (a[i] - b[i]), size += b[i] * b[i];
  return sqrt(square / size);
}

static void test_is_the_net_but_for_the_rounding(void **state) {
  (void)state;
  static const lfm_mlp_config configs[] = {{63, 128, 4, {LFM_ACT_ELU, 0}, false, 0, false, {0}},
                                           {6, 96, 3, {LFM_ACT_RELU, 0}, false, 0, false, {0}},
                                           {10, 64, 3, {LFM_ACT_SILU, 0}, false, 0, false, {0}},
                                           {2, 100, 1, {LFM_ACT_SOFTPLUS, 20}, false, 0, false, {0}}};
  bool has_pairs = strstr(lfm_kernels_identity(lfm_kernels_onednn()), "avx512") != NULL;
  for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
    outcome exact = outcome_of(&configs[c], lfm_kernels_ref64());
    outcome floats = outcome_of(&configs[c], lfm_kernels_bf16_floats());
    double v = gap(floats.v, exact.v, exact.outputs), grads = gap(floats.grads, exact.grads, exact.params);
    assert_true(v > 1e-5 && v < 1e-2); /* above: it does round.  2^-9 a rounding, and some of them; relu's kinks
                                        * are crossed as well */
    assert_true(grads > 1e-5 && grads < (configs[c].act.kind == LFM_ACT_RELU ? 5e-2 : 1e-2));
    if (has_pairs) {
      outcome pairs = outcome_of(&configs[c], lfm_kernels_bf16_pairs());
      assert_true(gap(pairs.v, floats.v, exact.outputs) < 1e-4);
      assert_true(gap(pairs.grads, floats.grads, exact.params) < 1e-4);
      release(&pairs);
    }
    release(&floats), release(&exact);
  }
}

/* Time added and scaling, one head and two, sizes on both sides of where convolutions change their way. */
static void test_images_are_but_for_the_rounding(void **state) {
  (void)state;
  const lfm_kernels *chosen;
  if (lfm_kernels_bf16(&chosen) != LFM_OK) skip();
  lfm_unet2d_config added = {.channels = 3,
                             .height = 16,
                             .width = 16,
                             .hidden_dim = 64,
                             .mult_count = 3,
                             .mults = {1, 1, 2},
                             .res_depth = 1,
                             .attention_count = 1,
                             .attention = {8},
                             .num_head_channels = 32,
                             .classes = 2};
  lfm_unet2d_config scaled = added;
  scaled.scale_shift = true, scaled.num_head_channels = 0, scaled.channels = 1;
  const lfm_unet2d_config *configs[] = {&added, &scaled};
  for (int c = 0; c < 2; c++) {
    outcome exact = outcome_of_images(configs[c], lfm_kernels_ref64());
    outcome pairs = outcome_of_images(configs[c], lfm_kernels_bf16_pairs());
    double v = gap(pairs.v, exact.v, exact.outputs), grads = gap(pairs.grads, exact.grads, exact.params);
    print_message("v off by %.2g, the gradient by %.2g\n", v, grads);
    assert_true(v > 1e-4 && v < 2e-2);
    assert_true(grads > 1e-4 && grads < 3e-2);
    release(&pairs), release(&exact);
  }
  outcome floats = outcome_of_images(&scaled, lfm_kernels_bf16_floats()),
          fp32 = outcome_of_images(&scaled, lfm_kernels_onednn());
  assert_memory_equal(floats.grads, fp32.grads, (size_t)fp32.params * sizeof(double));
  release(&floats), release(&fp32);
}

static void test_has_no_trace(void **state) {
  (void)state;
  lfm_net *net;
  lfm_run *run;
  OK(lfm_mlp_create(&(lfm_mlp_config){3, 16, 2, {LFM_ACT_ELU, 0}, false, 0, false, {0}}, lfm_kernels_bf16_floats(), &net));
  assert_int_equal(lfm_run_create(net, LFM_RUN_TRACE, 4, &run), LFM_E_UNSUPPORTED);
  assert_null(run);
  lfm_net_destroy(net);
}

/* Eight bits of time are too few: t stands beside halves only where they would have to be mixed, and that is refused. */
static void test_refuses_time_in_halves(void **state) {
  (void)state;
  lfm_net *net;
  lfm_mlp_config everywhere = {3, 16, 2, {LFM_ACT_ELU, 0}, true, 0, false, {0}};
  assert_int_equal(lfm_mlp_create(&everywhere, lfm_kernels_bf16_floats(), &net), LFM_E_UNSUPPORTED);
  assert_null(net);
  assert_non_null(strstr(lfm_error(), "cat_t"));
}

static void test_weights_pass_between_the_precisions(void **state) {
  (void)state;
  lfm_mlp_config config = {3, 16, 2, {LFM_ACT_ELU, 0}, false, 0, false, {0}};
  lfm_net *nets[2];
  lfm_params *params[2];
  lfm_run *run;
  double v[2][ROWS * 3];
  OK(lfm_mlp_create(&config, lfm_kernels_onednn(), &nets[0]));
  OK(lfm_mlp_create(&config, lfm_kernels_bf16_floats(), &nets[1]));
  for (int k = 0; k < 2; k++) OK(lfm_params_create(nets[k], &params[k]));
  for (int k = 0; k < 2; k++) { /* there and back, the packed copies too */
    lfm_params_init(params[k], 1, (uint32_t)k);
    lfm_params_copy(params[1 - k], params[k]);
    assert_memory_equal(lfm_params_values(params[0]), lfm_params_values(params[1]),
                        (size_t)lfm_net_param_count(nets[0]) * sizeof(float));
    for (int n = 0; n < 2; n++) {
      OK(lfm_run_create(nets[n], LFM_RUN_EVAL, ROWS, &run));
      fill_inputs(nets[n], run);
      OK(lfm_run_forward(run, params[n]));
      for (int i = 0; i < ROWS * 3; i++) v[n][i] = number_at(nets[n], lfm_run_v(run), i);
      lfm_run_destroy(run);
    }
    assert_true(gap(v[1], v[0], sizeof v[0] / sizeof(double)) < 1e-2);
  }
  for (int k = 0; k < 2; k++) lfm_params_destroy(params[k]), lfm_net_destroy(nets[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_is_the_net_but_for_the_rounding),
      cmocka_unit_test(test_images_are_but_for_the_rounding),
      cmocka_unit_test(test_has_no_trace),
      cmocka_unit_test(test_refuses_time_in_halves),
      cmocka_unit_test(test_weights_pass_between_the_precisions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
