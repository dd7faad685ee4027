/* SPDX-License-Identifier: MIT
 *
 * fixture_support.h -- a net with its weights, and what the tests of every network ask of it: a scalar of its output that has
 * a gradient; gradients and tangents against central differences in double; refused memory.
 */
#ifndef FIXTURE_SUPPORT_H
#define FIXTURE_SUPPORT_H

#include "net_support.h"

typedef struct fixture {
  lfm_net *net;
  lfm_params *params;
  int64_t count; /* of its parameters */
} fixture;

/* Takes over the net. */
static inline fixture fixture_of(lfm_net *net) {
  fixture f = {.net = net, .count = lfm_net_param_count(net)};
  OK(lfm_params_create(net, &f.params));
  lfm_params_init(f.params, 3, 0);
  return f;
}

static inline void drop(fixture *f) {
  lfm_params_destroy(f->params);
  lfm_net_destroy(f->net);
}

static inline lfm_run *run_of(const fixture *f, lfm_run_kind kind, int64_t rows) {
  lfm_run *run;
  OK(lfm_run_create(f->net, kind, rows, &run));
  fill_inputs(f->net, run);
  return run;
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

typedef struct probe {
  const fixture *f;
  lfm_run *run;
} probe;

static inline double loss_at(const void *context) {
  const probe *at = context;
  double loss = 0;
  OK(lfm_run_forward(at->run, at->f->params));
  for (int64_t i = 0; i < lfm_run_rows(at->run) * lfm_net_out(at->f->net); i++)
    loss += wobble(i, 5) * number_at(at->f->net, lfm_run_v(at->run), i);
  return loss;
}

static inline void *gradient_of(const fixture *f, lfm_run *run) {
  void *grads;
  size_t bytes = (size_t)f->count * lfm_net_number_size(f->net);
  OK(lfm_alloc_array(&grads, bytes, 1));
  memset(grads, 0xFF, bytes);
  loss_at(&(probe){f, run});
  for (int64_t i = 0; i < lfm_run_rows(run) * lfm_net_out(f->net); i++) set_number(f->net, lfm_run_dv(run), i, wobble(i, 5));
  OK(lfm_run_backward(run, f->params, grads, false));
  return grads;
}

/* Of each tensor the derivative along a made-up direction through all of it; in double. */
static inline void check_gradients(const fixture *f, lfm_run *run) {
  const double step = 1e-5;
  double *grads = gradient_of(f, run), *w = lfm_params_data(f->params);
  for (int i = 0; i < lfm_net_tensor_count(f->net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(f->net, i);
    double along = 0, size = 0, ends[2];
    for (int side = 0; side < 2; side++) {
      for (int64_t j = 0; j < info->count; j++) w[info->offset + j] += (side ? -2 : 1) * step * wobble(j, i);
      lfm_params_pack(f->params);
      ends[side] = loss_at(&(probe){f, run});
    }
    for (int64_t j = 0; j < info->count; j++) {
      w[info->offset + j] += step * wobble(j, i);
      along += grads[info->offset + j] * wobble(j, i), size += fabs(grads[info->offset + j]);
    }
    double seen = (ends[0] - ends[1]) / (2 * step);
    if (!(fabs(seen - along) <= 2e-7 * (size + 1))) fail_msg("%s: %.9g, by differences %.9g", info->name, along, seen);
  }
  lfm_free(grads);
}

/* ---- tangents ---------------------------------------------------------------------------------------------------- */

static inline lfm_run *probed_of(const fixture *f, int probes, int64_t rows) {
  lfm_run *run;
  OK(lfm_run_create_probed(f->net, probes, rows, &run));
  fill_inputs(f->net, run);
  for (int64_t j = 0; j < rows * probes * lfm_net_dim(f->net); j++) set_number(f->net, lfm_run_probes(run), j, wobble(j, 6));
  OK(lfm_run_forward(run, f->params));
  return run;
}

/* <e, J e> of each probe against differences of v along it; in double. */
static inline void check_tangents(const fixture *f, int probes, int64_t rows) {
  const double step = 1e-5;
  lfm_run *run = run_of(f, LFM_RUN_EVAL, rows), *probed = probed_of(f, probes, rows);
  int64_t dim = lfm_net_dim(f->net);
  double *x = lfm_run_x(run);
  for (int64_t row = 0; row < rows; row++)
    for (int64_t k = 0; k < probes; k++) {
      const double *along = (double *)lfm_run_probes(probed) + (row * probes + k) * dim;
      double seen = 0;
      for (int side = 1; side >= -1; side -= 2) {
        for (int64_t j = 0; j < dim; j++) x[row * dim + j] += side * step * along[j];
        OK(lfm_run_forward(run, f->params));
        for (int64_t j = 0; j < dim; j++) {
          seen += side * along[j] * ((const double *)lfm_run_v(run))[row * dim + j] / (2 * step);
          x[row * dim + j] -= side * step * along[j];
        }
      }
      double told = ((const double *)lfm_run_trace(probed))[row * probes + k];
      if (!(fabs(told - seen) < 1e-6)) fail_msg("row %d, probe %d: %.9g, by differences %.9g", (int)row, (int)k, told, seen);
    }
  lfm_run_destroy(probed);
  lfm_run_destroy(run);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Makes a run of the net, and drops both. */
static inline lfm_status plan_and_drop(lfm_net *net, bool probed) {
  lfm_run *run = NULL;
  lfm_status status = probed ? lfm_run_create_probed(net, 2, 2, &run) : lfm_run_create(net, LFM_RUN_TRAIN, 2, &run);
  lfm_run_destroy(run);
  lfm_net_destroy(net);
  return status;
}

/* Refuses each request of `build` in turn, which is to report it and leave nothing behind: the first that is not reached. */
static inline uint64_t check_refused_memory(lfm_status (*build)(const void *context), const void *context) {
  uint64_t at = 0;
  size_t before = lfm_alloc_in_use();
  lfm_status status = LFM_E_MEMORY;
  while (status != LFM_OK) {
    assert_int_equal(status, LFM_E_MEMORY);
    lfm_alloc_fail_at(++at);
    status = build(context);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_alloc_fail_at(0);
  return at;
}

#endif
