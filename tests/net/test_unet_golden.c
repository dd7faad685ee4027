/* SPDX-License-Identifier: MIT
 *
 * test_unet_golden.c -- the U-Net of pictures against PyTorch's (golden_support.h): output, loss and every gradient.
 */
#include "golden_support.h"

#include "golden/unet.h"

enum { ROWS = 4 };

static const lfm_unet2d_config small = {.channels = 3,
                                        .height = 32,
                                        .width = 32,
                                        .hidden_dim = 32,
                                        .mult_count = 3,
                                        .mults = {1, 2, 2},
                                        .res_depth = 1,
                                        .attention_count = 1,
                                        .attention = {16},
                                        .num_head_channels = 32,
                                        .classes = 10};

/* ---- our own references ------------------------------------------------------------------------------------------ */

static void fill_labels(const lfm_net *net, lfm_run *run) {
  for (int64_t i = 0; i < GOLDEN_ROWS && lfm_run_given(run); i++)
    set_number(net, lfm_run_given(run), i, (double)(i * 3 % GOLDEN_CLASSES));
}

static void check(const struct golden *g, const lfm_kernels *kernels, double most) {
  lfm_net *net;
  OK(lfm_unet2d_create(&g->config, kernels, &net));
  check_golden(net, GOLDEN_ROWS, fill_labels, &g->results, most);
}

static void test_other_choices_are_torch_s(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    check(&golden[i], lfm_kernels_ref64(), 1e-7); /* eight digits are kept */
    check(&golden[i], lfm_kernels_onednn_direct(), golden_tolerance);
    check(&golden[i], lfm_kernels_onednn(), golden_tolerance);
  }
}

/* ---- in bfloat16 -------------------------------------------------------------------------------------------------- */

static golden_pass stepped(const struct golden *g, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_unet2d_create(&g->config, kernels, &net));
  golden_pass p = golden_pass_of(net, GOLDEN_ROWS);
  golden_step_made_up(&p, fill_labels);
  return p;
}

/* The norm of a - b over that of b, numbers of two nets. */
static double far(const lfm_net *net_a, const void *a, const lfm_net *net_b, const void *b, int64_t count) {
  double off = 0, norm = 0;
  for (int64_t i = 0; i < count; i++) {
    double right = number_at(net_b, b, i);
    off += pow(number_at(net_a, a, i) - right, 2), norm += right * right;
  }
  return sqrt(off / norm);
}

/* No farther from double, whose numbers are PyTorch's, than PyTorch's own training in bfloat16. */
static void test_bf16_loses_no_more_than_autocast(void **state) {
  (void)state;
  const lfm_kernels *chosen;
  if (lfm_kernels_bf16(&chosen) != LFM_OK) skip();
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    golden_pass exact = stepped(&golden[i], lfm_kernels_ref64()), pairs = stepped(&golden[i], lfm_kernels_bf16_pairs());
    double lost[] = {
        far(pairs.net, lfm_run_v(pairs.run), exact.net, lfm_run_v(exact.run), GOLDEN_ROWS * lfm_net_dim(exact.net)),
        far(pairs.net, pairs.grads, exact.net, exact.grads, lfm_net_param_count(exact.net))};
    print_message("v off by %.2g (autocast %.2g), the gradient by %.2g (%.2g)\n", lost[0], golden[i].autocast[0], lost[1],
                  golden[i].autocast[1]);
    for (int k = 0; k < 2; k++) assert_true(lost[k] > 1e-4 && lost[k] < golden[i].autocast[k]);
    golden_pass_drop(&pairs), golden_pass_drop(&exact);
  }
}

/* ---- the public implementation's ----------------------------------------------------------------------------------- */

static void take_labels(const lfm_net *net, lfm_run *run, const lfm_archive *archive) {
  const int64_t *labels = find(archive, "", "y")->data;
  for (int64_t i = 0; i < ROWS; i++) set_number(net, lfm_run_given(run), i, (double)labels[i]);
}

static void test_results_are_torch_s(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_ref64(), lfm_kernels_ref32(), lfm_kernels_onednn_direct(), lfm_kernels_onednn()};
  lfm_archive *archive = open_golden("unet_small.safetensors");
  if (!archive) skip();
  for (int k = 0; k < 4; k++) {
    lfm_net *net;
    OK(lfm_unet2d_create(&small, tables[k], &net));
    check_archive(net, ROWS, take_labels, archive);
  }
  lfm_archive_destroy(archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_choices_are_torch_s),
                                     cmocka_unit_test(test_bf16_loses_no_more_than_autocast),
                                     cmocka_unit_test(test_results_are_torch_s)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
