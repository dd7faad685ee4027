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

/* v and the gradient of the golden loss. */
static void run_golden(const struct golden *g, const lfm_kernels *kernels, double **v, double **grads, int64_t counts[2]) {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
  void *found;
  OK(lfm_unet2d_create(&g->config, kernels, &net));
  OK(lfm_params_create(net, &params));
  OK(lfm_run_create(net, LFM_RUN_TRAIN, GOLDEN_ROWS, &run));
  counts[0] = GOLDEN_ROWS * lfm_net_dim(net), counts[1] = lfm_net_param_count(net);
  OK(lfm_alloc_array(&found, (size_t)counts[1], lfm_net_number_size(net)));
  OK(LFM_ALLOC(v, counts[0]));
  OK(LFM_ALLOC(grads, counts[1]));
  fill_inputs(net, run);
  fill_labels(net, run);
  fill_golden(net, params);
  OK(lfm_run_forward(run, params));
  for (int64_t i = 0; i < counts[0]; i++) {
    (*v)[i] = number_at(net, lfm_run_v(run), i);
    set_number(net, lfm_run_dv(run), i, 2 * ((*v)[i] - wobble(i, 3)) / (double)counts[0]);
  }
  OK(lfm_run_backward(run, params, found, false));
  for (int64_t i = 0; i < counts[1]; i++) (*grads)[i] = number_at(net, found, i);
  lfm_free(found);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
}

static double far(const double *a, const double *b, int64_t count) {
  double off = 0, norm = 0;
  for (int64_t i = 0; i < count; i++) off += (a[i] - b[i]) * (a[i] - b[i]), norm += b[i] * b[i];
  return sqrt(off / norm);
}

/* No farther from double, whose numbers are PyTorch's, than PyTorch's own training in bfloat16. */
static void test_bf16_loses_no_more_than_autocast(void **state) {
  (void)state;
  const lfm_kernels *chosen;
  if (lfm_kernels_bf16(&chosen) != LFM_OK) skip();
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    double *v[2], *grads[2];
    int64_t counts[2];
    run_golden(&golden[i], lfm_kernels_ref64(), &v[0], &grads[0], counts);
    run_golden(&golden[i], lfm_kernels_bf16_pairs(), &v[1], &grads[1], counts);
    double lost[] = {far(v[1], v[0], counts[0]), far(grads[1], grads[0], counts[1])};
    print_message("v off by %.2g (autocast %.2g), the gradient by %.2g (%.2g)\n", lost[0], golden[i].autocast[0], lost[1],
                  golden[i].autocast[1]);
    for (int k = 0; k < 2; k++) {
      assert_true(lost[k] > 1e-4 && lost[k] < 1.2 * golden[i].autocast[k]);
      lfm_free(v[k]), lfm_free(grads[k]);
    }
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
