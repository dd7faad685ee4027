/* SPDX-License-Identifier: MIT
 *
 * golden_support.h -- networks against what PyTorch computed: our own references, of which only norms and products are
 * stored, and the tensors of the public implementations in $LFM_DATA/../golden (default ../shared/golden), each as the norm
 * of the difference over the norm, at most 2e-5 in float.  Both are sums of some thousand floats in other orders, a few 1e-7
 * each, through tens of layers; double, which errs as PyTorch's float alone does, shows how much of it is PyTorch's.
 */
#ifndef GOLDEN_SUPPORT_H
#define GOLDEN_SUPPORT_H

#include "net_support.h"
#include "store/safetensors.h"

#include <stdio.h>

enum { GOLDEN_DIRECTIONS = 4, GOLDEN_TENSORS = 256 };
static const double golden_tolerance = 2e-5;
/* What stands in front of a norm of one channel a group as a constant of the channel has no gradient but for rounding. */
static const double golden_nothing = 1e-7;

/* An array's norm, and its products with wobble(i, 20), wobble(i, 21), ... */
typedef double summary[1 + GOLDEN_DIRECTIONS];

/* Loss, v and the gradient of every tensor, up to a NULL name. */
typedef struct golden_results {
  double loss;
  summary v;
  struct {
    const char *name;
    summary of;
  } grads[GOLDEN_TENSORS];
} golden_results;

/* What the scripts fill the parameters with. */
static inline void fill_golden(const lfm_net *net, lfm_params *params) {
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
static inline void near_summary(const lfm_net *net, const char *name, const void *got, int64_t first, int64_t count,
                                const summary want, double most, double *worst) {
  double square = 0, floor = want[0] < golden_nothing ? golden_nothing / most : want[0];
  for (int k = 0; k < GOLDEN_DIRECTIONS; k++) {
    double product = 0;
    for (int64_t i = first; i < first + count; i++) product += number_at(net, got, i) * wobble(i, 20 + k);
    square += 3 * (product - want[1 + k]) * (product - want[1 + k]) / GOLDEN_DIRECTIONS;
  }
  double error = sqrt(square) / floor;
  if (!(error <= most)) fail_msg("%s: relative error %.3g", name, error);
  if (error > *worst) *worst = error;
}

/* A step's run of the net, poisoned gradients and all; the caller fills the inputs and the weights. */
typedef struct golden_pass {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
  void *grads;
} golden_pass;

/* Takes over the net. */
static inline golden_pass golden_pass_of(lfm_net *net, int64_t rows) {
  golden_pass p = {.net = net};
  size_t bytes = (size_t)lfm_net_param_count(net) * lfm_net_number_size(net);
  OK(lfm_params_create(net, &p.params));
  OK(lfm_run_create(net, LFM_RUN_TRAIN, rows, &p.run));
  OK(lfm_alloc_array(&p.grads, bytes, 1));
  memset(p.grads, 0xFF, bytes);
  return p;
}

static inline void golden_pass_drop(golden_pass *p) {
  lfm_free(p->grads);
  lfm_run_destroy(p->run);
  lfm_params_destroy(p->params);
  lfm_net_destroy(p->net);
}

static inline double golden_target(const void *made_up, int64_t i) {
  (void)made_up;
  return wobble(i, 3);
}

/* Forward and back through the mean square of v - target: the loss. */
static inline double golden_step(golden_pass *p, double (*target)(const void *context, int64_t i), const void *context) {
  double loss = 0;
  int64_t numbers = lfm_run_rows(p->run) * lfm_net_dim(p->net);
  OK(lfm_run_forward(p->run, p->params));
  for (int64_t i = 0; i < numbers; i++) {
    double error = number_at(p->net, lfm_run_v(p->run), i) - target(context, i);
    loss += error * error / (double)numbers;
    set_number(p->net, lfm_run_dv(p->run), i, 2 * error / (double)numbers);
  }
  OK(lfm_run_backward(p->run, p->params, p->grads, false));
  return loss;
}

/* Inputs and weights as the scripts have them; then a step. */
static inline double golden_step_made_up(golden_pass *p, void (*fill_given)(const lfm_net *net, lfm_run *run)) {
  fill_inputs(p->net, p->run);
  if (fill_given) fill_given(p->net, p->run);
  fill_golden(p->net, p->params);
  return golden_step(p, golden_target, NULL);
}

/* The net is used up. */
static inline void check_golden(lfm_net *net, int64_t rows, void (*fill_given)(const lfm_net *net, lfm_run *run),
                                const golden_results *g, double most) {
  double worst = 0;
  golden_pass p = golden_pass_of(net, rows);
  assert_true(fabs(golden_step_made_up(&p, fill_given) - g->loss) <= most * g->loss);
  near_summary(net, "v", lfm_run_v(p.run), 0, rows * lfm_net_dim(net), g->v, most, &worst);
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    assert_string_equal(info->name, g->grads[i].name);
    near_summary(net, info->name, p.grads, info->offset, info->count, g->grads[i].of, most, &worst);
  }
  assert_null(g->grads[lfm_net_tensor_count(net)].name);
  print_message("%s: largest relative error %.2g\n", lfm_kernels_name(lfm_net_kernels(net)), worst);
  golden_pass_drop(&p);
}

/* ---- the public implementations' --------------------------------------------------------------------------------- */

static inline lfm_archive *open_golden(const char *name) {
  char path[4096];
  const char *data = getenv("LFM_DATA");
  lfm_archive *archive;
  snprintf(path, sizeof path, "%s/../golden/%s", data ? data : "../shared/data", name);
  return lfm_archive_open(path, &archive) == LFM_OK ? archive : NULL;
}

static inline const lfm_tensor *find(const lfm_archive *archive, const char *prefix, const char *name) {
  char whole[128];
  snprintf(whole, sizeof whole, "%s%s", prefix, name);
  const lfm_tensor *tensor = lfm_archive_find(archive, whole);
  if (!tensor) fail_msg("the file has no %s", whole);
  return tensor;
}

static inline void near(const lfm_net *net, const void *got, int64_t offset, const lfm_tensor *want, double *worst) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < lfm_tensor_count(want); i++) {
    double right = (double)((const float *)want->data)[i], off = number_at(net, got, offset + i) - right;
    difference += off * off, norm += right * right;
  }
  difference = sqrt(difference), norm = sqrt(norm);
  if (!(difference <= (norm < golden_nothing ? golden_nothing : golden_tolerance * norm)))
    fail_msg("%s: off by %.3g of %.3g", want->name, difference, norm);
  if (norm > golden_nothing && difference / norm > *worst) *worst = difference / norm;
}

static inline void fill_from(const lfm_net *net, lfm_run *run, lfm_params *params, const lfm_archive *archive) {
  const float *x = find(archive, "", "x")->data, *t = find(archive, "", "t")->data;
  for (int64_t i = 0; i < lfm_run_rows(run) * lfm_net_dim(net); i++) set_number(net, lfm_run_x(run), i, (double)x[i]);
  for (int64_t i = 0; i < lfm_run_rows(run); i++) set_number(net, lfm_run_t(run), i, (double)t[i]);
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

static inline double number_of(const void *tensor, int64_t i) {
  return (double)((const float *)((const lfm_tensor *)tensor)->data)[i];
}

/* The net is used up. */
static inline void check_archive(lfm_net *net, int64_t rows,
                                 void (*fill_given)(const lfm_net *net, lfm_run *run, const lfm_archive *archive),
                                 const lfm_archive *archive) {
  double worst = 0, right = number_of(find(archive, "", "loss"), 0);
  golden_pass p = golden_pass_of(net, rows);
  fill_from(net, p.run, p.params, archive);
  fill_given(net, p.run, archive);
  assert_true(fabs(golden_step(&p, number_of, find(archive, "", "target")) - right) <= golden_tolerance * right);
  near(net, lfm_run_v(p.run), 0, find(archive, "", "out"), &worst);
  for (int i = 0; i < lfm_net_tensor_count(net); i++)
    near(net, p.grads, lfm_net_tensor(net, i)->offset, find(archive, "grad.", lfm_net_tensor(net, i)->name), &worst);
  print_message("%s: largest relative error %.2g\n", lfm_kernels_name(lfm_net_kernels(net)), worst);
  golden_pass_drop(&p);
}

#endif
