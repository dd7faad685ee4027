/* SPDX-License-Identifier: MIT
 *
 * test_unet1d_golden.c -- the conditional 1-D U-Net against PyTorch's (golden_support.h): output, loss and every gradient.
 */
#include "golden_support.h"

#include "golden/unet1d.h"

static void test_other_choices_are_torch_s(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_ref64(), lfm_kernels_ref32(), lfm_kernels_onednn_direct(), lfm_kernels_onednn()};
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
    for (int k = 0; k < 4; k++) {
      lfm_net *net;
      OK(lfm_unet1d_create(&golden[i].config, tables[k], &net));
      check_golden(net, GOLDEN_ROWS, NULL, &golden[i].results, k ? golden_tolerance : 1e-7); /* eight digits are kept */
    }
}

static void take_condition(const lfm_net *net, lfm_run *run, const lfm_archive *archive) {
  const lfm_tensor *cond = find(archive, "", "cond");
  assert_int_equal(lfm_tensor_count(cond), lfm_run_rows(run) * lfm_net_given(net));
  for (int64_t i = 0; i < lfm_tensor_count(cond); i++)
    set_number(net, lfm_run_given(run), i, (double)((const float *)cond->data)[i]);
}

static void test_results_are_torch_s(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_ref64(), lfm_kernels_ref32(), lfm_kernels_onednn_direct(), lfm_kernels_onednn()};
  const lfm_unet1d_config policy = {.length = 16,
                                    .channels = 10,
                                    .given = 38,
                                    .hidden_dim = 32,
                                    .mult_count = 3,
                                    .mults = {1, 2, 4},
                                    .kernel_size = 5,
                                    .groups = 8,
                                    .step_embed_dim = 32};
  lfm_archive *archive = open_golden("unet1d_small.safetensors");
  if (!archive) skip();
  for (int k = 0; k < 4; k++) {
    lfm_net *net;
    OK(lfm_unet1d_create(&policy, tables[k], &net));
    check_archive(net, 3, take_condition, archive);
  }
  lfm_archive_destroy(archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_choices_are_torch_s),
                                     cmocka_unit_test(test_results_are_torch_s)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
