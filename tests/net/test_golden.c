/* SPDX-License-Identifier: MIT
 *
 * test_golden.c -- v, trace, loss, gradients and three optimiser steps against what PyTorch computed (tests/golden).
 * In double both compute the same sums in other orders: 1e-13 of values of order one; but torch's softplus becomes x where
 * beta x passes 20, and that drops e^-20 / 20 = 1e-10.  In float a value of order one errs by a few 6e-8.  An Adam step is
 * lr times the gradient's direction, so its relative error, up to 1e-3 for the smallest gradients here (1e-4 of the
 * largest, where the float error is a few 1e-7), times lr = 0.01: 1e-5.
 */
#include "net_support.h"

#include "golden/mlp.h"
#include "net/optim.h"

enum { GOLDENS = sizeof golden / sizeof *golden, OUTPUTS = GOLDEN_ROWS * GOLDEN_DIM };

typedef struct fixture {
  lfm_net *net;
  lfm_params *params;
  lfm_run *run;
  int64_t count;
} fixture;

static fixture make(const struct golden *g, const lfm_kernels *kernels, lfm_run_kind kind) {
  fixture f;
  lfm_mlp_config config = {GOLDEN_DIM, GOLDEN_HIDDEN, GOLDEN_LAYERS, g->act, g->cat_t_all, 0, false, {0}};
  OK(lfm_mlp_create(&config, kernels, &f.net));
  OK(lfm_params_create(f.net, &f.params));
  OK(lfm_run_create(f.net, kind, GOLDEN_ROWS, &f.run));
  fill_inputs(f.net, f.run);
  f.count = lfm_net_param_count(f.net);
  assert_true(f.count <= GOLDEN_MOST);
  for (int64_t i = 0; i < f.count; i++) set_number(f.net, lfm_params_data(f.params), i, wobble(i, 9));
  lfm_params_pack(f.params);
  return f;
}

static void drop(fixture *f) {
  lfm_run_destroy(f->run);
  lfm_params_destroy(f->params);
  lfm_net_destroy(f->net);
}

static void all_near(const fixture *f, const void *got, const double *want, int64_t count, double tolerance) {
  for (int64_t i = 0; i < count; i++)
    if (!(fabs(number_at(f->net, got, i) - want[i]) <= tolerance))
      fail_msg("number %d: got %.15g, torch has %.15g", (int)i, number_at(f->net, got, i), want[i]);
}

/* The loss of the script, and its gradient by v. */
static double squares(const fixture *f) {
  double loss = 0;
  for (int64_t i = 0; i < OUTPUTS; i++) {
    double error = number_at(f->net, lfm_run_v(f->run), i) - wobble(i, 3);
    loss += error * error / OUTPUTS;
    set_number(f->net, lfm_run_dv(f->run), i, 2 * error / OUTPUTS);
  }
  return loss;
}

static void check(const struct golden *g, const lfm_kernels *kernels, double tolerance) {
  fixture f = make(g, kernels, LFM_RUN_TRACE), train = make(g, kernels, LFM_RUN_TRAIN);
  OK(lfm_run_forward(f.run, f.params));
  all_near(&f, lfm_run_v(f.run), g->v, OUTPUTS, tolerance);
  all_near(&f, lfm_run_trace(f.run), g->trace, GOLDEN_ROWS, tolerance);
  double grads[GOLDEN_MOST];
  memset(grads, 0xFF, sizeof grads);
  OK(lfm_run_forward(train.run, train.params));
  assert_true(fabs(squares(&train) - g->loss) <= tolerance);
  OK(lfm_run_backward(train.run, train.params, grads, false));
  all_near(&train, grads, g->grads, train.count, tolerance);
  drop(&f);
  drop(&train);
}

static void test_results_are_torch_s(void **state) {
  (void)state;
  for (int i = 0; i < GOLDENS; i++) {
    check(&golden[i], lfm_kernels_ref64(), golden[i].act.beta > 1 ? 2e-10 : 1e-13);
    check(&golden[i], lfm_kernels_ref32(), 3e-6);
    check(&golden[i], lfm_kernels_onednn(), 3e-6);
  }
}

static void check_steps(const struct golden *g, const lfm_kernels *kernels) {
  fixture f = make(g, kernels, LFM_RUN_TRAIN);
  lfm_optim_config config;
  lfm_optim *optim;
  lfm_team *team;
  float lane[GOLDEN_MOST], *lanes[] = {lane};
  double norm;
  lfm_optim_defaults(&config);
  config.decoupled_decay = g->decoupled, config.weight_decay = g->weight_decay, config.grad_clip = g->grad_clip;
  OK(lfm_optim_create(f.net, &config, &optim));
  OK(lfm_team_create(2, &team));
  for (int step = 0; step < GOLDEN_STEPS; step++) {
    OK(lfm_run_forward(f.run, f.params));
    squares(&f);
    OK(lfm_run_backward(f.run, f.params, lane, false));
    OK(lfm_optim_step(optim, team, f.params, &(lfm_gradient){lanes, 1, NULL}, golden_lr, 0, &norm));
  }
  all_near(&f, lfm_params_values(f.params), g->after, f.count, 1e-5);
  lfm_team_destroy(team);
  lfm_optim_destroy(optim);
  drop(&f);
}

static void test_three_steps_are_torch_s(void **state) {
  (void)state;
  for (int i = 0; i < GOLDENS; i++) {
    check_steps(&golden[i], lfm_kernels_onednn());
    check_steps(&golden[i], lfm_kernels_ref32());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_results_are_torch_s),
      cmocka_unit_test(test_three_steps_are_torch_s),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
