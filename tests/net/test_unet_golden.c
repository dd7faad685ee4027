/* SPDX-License-Identifier: MIT
 *
 * test_unet_golden.c -- the U-Net against what PyTorch computed of the public implementation: output, loss and every
 * gradient, each as the norm of the difference over the norm, at most 2e-5 in float.  The tensors are $LFM_DATA/../golden's
 * (default ../shared/golden); without them the test is skipped.  Both are sums of some thousand floats in other orders, a few
 * 1e-7 each, through forty layers; double, which errs as PyTorch's float alone does, shows how much of it is PyTorch's.
 */
#include "net_support.h"

#include "golden/unet.h"
#include "store/safetensors.h"

#include <stdio.h>

enum { ROWS = 4 };
static const double tolerance = 2e-5;
/* What stands in front of a norm of one channel a group as a constant of the channel has no gradient but for rounding. */
static const double nothing = 1e-7;

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

/* What make_unet.py fills the parameters with. */
static void fill_golden(const lfm_net *net, lfm_run *run, lfm_params *params) {
  fill_inputs(net, run);
  for (int64_t i = 0; i < GOLDEN_ROWS && lfm_run_given(run); i++)
    set_number(net, lfm_run_given(run), i, (double)(i * 3 % GOLDEN_CLASSES));
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    double scale = info->dims > 1 ? 1 / sqrt((double)(info->count / info->shape[0])) : 0.1;
    double middle = info->dims == 1 && strstr(info->name, ".weight") ? 1 : 0; /* a norm's */
    for (int64_t j = info->offset; j < info->offset + info->count; j++)
      set_number(net, lfm_params_data(params), j, middle + scale * wobble(j, 9));
  }
  lfm_params_pack(params);
}

/* The mean error of the products, as the error of the array they are of: a direction's numbers have the variance 1/3. */
static void near_summary(const lfm_net *net, const char *name, const void *got, int64_t first, int64_t count,
                         const summary want, double most, double *worst) {
  double square = 0, floor = want[0] < nothing ? nothing / most : want[0];
  for (int k = 0; k < GOLDEN_DIRECTIONS; k++) {
    double product = 0;
    for (int64_t i = first; i < first + count; i++) product += number_at(net, got, i) * wobble(i, 20 + k);
    square += 3 * (product - want[1 + k]) * (product - want[1 + k]) / GOLDEN_DIRECTIONS;
  }
  double error = sqrt(square) / floor;
  if (!(error <= most)) fail_msg("%s: relative error %.3g", name, error);
  if (error > *worst) *worst = error;
}

static void check_golden(const struct golden *g, const lfm_kernels *kernels, double most) {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
  void *grads;
  double loss = 0, worst = 0;
  OK(lfm_unet2d_create(&g->config, kernels, &net));
  OK(lfm_params_create(net, &params));
  OK(lfm_run_create(net, LFM_RUN_TRAIN, GOLDEN_ROWS, &run));
  OK(lfm_alloc_array(&grads, (size_t)lfm_net_param_count(net), lfm_net_number_size(net)));
  memset(grads, 0xFF, (size_t)lfm_net_param_count(net) * lfm_net_number_size(net));
  fill_golden(net, run, params);
  int64_t numbers = GOLDEN_ROWS * lfm_net_dim(net);
  OK(lfm_run_forward(run, params));
  near_summary(net, "v", lfm_run_v(run), 0, numbers, g->v, most, &worst);
  for (int64_t i = 0; i < numbers; i++) {
    double error = number_at(net, lfm_run_v(run), i) - wobble(i, 3);
    loss += error * error / (double)numbers;
    set_number(net, lfm_run_dv(run), i, 2 * error / (double)numbers);
  }
  assert_true(fabs(loss - g->loss) <= most * g->loss);
  OK(lfm_run_backward(run, params, grads, false));
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    assert_string_equal(info->name, g->grads[i].name);
    near_summary(net, info->name, grads, info->offset, info->count, g->grads[i].of, most, &worst);
  }
  assert_null(g->grads[lfm_net_tensor_count(net)].name);
  print_message("%s: largest relative error %.2g\n", lfm_kernels_name(kernels), worst);
  lfm_free(grads);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
}

static void test_other_choices_are_torch_s(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    check_golden(&golden[i], lfm_kernels_ref64(), 1e-7); /* eight digits are kept */
    check_golden(&golden[i], lfm_kernels_onednn_direct(), tolerance);
    check_golden(&golden[i], lfm_kernels_onednn(), tolerance);
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
  fill_golden(net, run, params);
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

static const lfm_tensor *find(const lfm_archive *archive, const char *prefix, const char *name) {
  char whole[128];
  snprintf(whole, sizeof whole, "%s%s", prefix, name);
  const lfm_tensor *tensor = lfm_archive_find(archive, whole);
  if (!tensor) fail_msg("the file has no %s", whole);
  return tensor;
}

static void near(const lfm_net *net, const void *got, int64_t offset, const lfm_tensor *want, double *worst) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < lfm_tensor_count(want); i++) {
    double right = (double)((const float *)want->data)[i], off = number_at(net, got, offset + i) - right;
    difference += off * off, norm += right * right;
  }
  difference = sqrt(difference), norm = sqrt(norm);
  if (!(difference <= (norm < nothing ? nothing : tolerance * norm)))
    fail_msg("%s: off by %.3g of %.3g", want->name, difference, norm);
  if (norm > nothing && difference / norm > *worst) *worst = difference / norm;
}

static void fill(const lfm_net *net, lfm_run *run, lfm_params *params, const lfm_archive *archive) {
  const float *x = find(archive, "", "x")->data, *t = find(archive, "", "t")->data;
  const int64_t *labels = find(archive, "", "y")->data;
  for (int64_t i = 0; i < ROWS * lfm_net_dim(net); i++) set_number(net, lfm_run_x(run), i, (double)x[i]);
  for (int64_t i = 0; i < ROWS; i++) set_number(net, lfm_run_t(run), i, (double)t[i]);
  for (int64_t i = 0; i < ROWS; i++) set_number(net, lfm_run_given(run), i, (double)labels[i]);
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    const lfm_tensor *from = find(archive, "param.", info->name);
    assert_int_equal(from->dims, info->dims);
    assert_memory_equal(from->shape, info->shape, (size_t)info->dims * sizeof *info->shape);
    for (int64_t j = 0; j < info->count; j++)
      set_number(net, lfm_params_data(params), info->offset + j, (double)((const float *)from->data)[j]);
  }
  lfm_params_pack(params);
}

static void check(const lfm_kernels *kernels, const lfm_archive *archive) {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
  void *grads;
  double loss = 0, worst = 0;
  OK(lfm_unet2d_create(&small, kernels, &net));
  OK(lfm_params_create(net, &params));
  OK(lfm_run_create(net, LFM_RUN_TRAIN, ROWS, &run));
  OK(lfm_alloc_array(&grads, (size_t)lfm_net_param_count(net), lfm_net_number_size(net)));
  memset(grads, 0xFF, (size_t)lfm_net_param_count(net) * lfm_net_number_size(net));
  fill(net, run, params, archive);
  OK(lfm_run_forward(run, params));
  near(net, lfm_run_v(run), 0, find(archive, "", "out"), &worst);
  const float *target = find(archive, "", "target")->data;
  int64_t numbers = ROWS * lfm_net_dim(net);
  for (int64_t i = 0; i < numbers; i++) {
    double error = number_at(net, lfm_run_v(run), i) - (double)target[i];
    loss += error * error / (double)numbers;
    set_number(net, lfm_run_dv(run), i, 2 * error / (double)numbers);
  }
  double right = (double)*(const float *)find(archive, "", "loss")->data;
  assert_true(fabs(loss - right) <= tolerance * right);
  OK(lfm_run_backward(run, params, grads, false));
  for (int i = 0; i < lfm_net_tensor_count(net); i++)
    near(net, grads, lfm_net_tensor(net, i)->offset, find(archive, "grad.", lfm_net_tensor(net, i)->name), &worst);
  print_message("%s: largest relative error %.2g\n", lfm_kernels_name(kernels), worst);
  lfm_free(grads);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
}

static void test_results_are_torch_s(void **state) {
  char path[4096];
  const char *data = getenv("LFM_DATA");
  lfm_archive *archive;
  (void)state;
  snprintf(path, sizeof path, "%s/../golden/unet_small.safetensors", data ? data : "../shared/data");
  if (lfm_archive_open(path, &archive) != LFM_OK) skip();
  check(lfm_kernels_ref64(), archive);
  check(lfm_kernels_ref32(), archive);
  check(lfm_kernels_onednn_direct(), archive);
  check(lfm_kernels_onednn(), archive);
  lfm_archive_destroy(archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_choices_are_torch_s),
                                     cmocka_unit_test(test_bf16_loses_no_more_than_autocast),
                                     cmocka_unit_test(test_results_are_torch_s)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
