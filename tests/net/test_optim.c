/* SPDX-License-Identifier: MIT
 *
 * test_optim.c -- the optimiser against torch's Adam and AdamW written out in double, with clipping, average and lanes; the
 * same bytes for 1, 2 and 3 threads; packed copies that are those of a full repacking; refusals and refused memory.
 */
#include "net_support.h"

#include "net/optim.h"

enum { LANES = 5 };

typedef struct fixture {
  lfm_net *net;
  lfm_params *params;
  lfm_optim *optim;
  lfm_team *team;
  float *grads[LANES];
  int64_t count;
} fixture;

static fixture make(const lfm_optim_config *config, int threads, int64_t hidden) {
  fixture f;
  lfm_mlp_config mlp = {6, hidden, 2, {LFM_ACT_ELU, 0}, true, 0, false, {0}};
  OK(lfm_mlp_create(&mlp, lfm_kernels_onednn(), &f.net));
  OK(lfm_params_create(f.net, &f.params));
  lfm_params_init(f.params, 11, 0);
  OK(lfm_optim_create(f.net, config, &f.optim));
  lfm_optim_restart(f.optim, f.params);
  OK(lfm_team_create(threads, &f.team));
  f.count = lfm_net_param_count(f.net);
  for (int lane = 0; lane < LANES; lane++) OK(LFM_ALLOC(&f.grads[lane], f.count));
  return f;
}

static void drop(fixture *f) {
  for (int lane = 0; lane < LANES; lane++) lfm_free(f->grads[lane]);
  lfm_team_destroy(f->team);
  lfm_optim_destroy(f->optim);
  lfm_params_destroy(f->params);
  lfm_net_destroy(f->net);
}

/* Gradients that shrink by step and differ by lane. */
static void set_grads(fixture *f, int lanes, int step) {
  for (int lane = 0; lane < lanes; lane++)
    for (int64_t i = 0; i < f->count; i++) f->grads[lane][i] = (float)(wobble(i, 100 * step + lane) / (1 + step) / lanes);
}

/* ---- torch, written out -------------------------------------------------------------------------------------- */

typedef struct torch_adam {
  double *w, *m, *v, *ema;
} torch_adam;

/* torch/optim/adam.py, _single_tensor_adam, and torch/nn/utils/clip_grad.py, line for line. */
static double torch_step(torch_adam *s, const lfm_optim_config *c, const fixture *f, int lanes, int step, double lr,
                         double ema_decay) {
  double norm = 0, bias1 = 1 - pow(c->beta1, step), bias2 = 1 - pow(c->beta2, step);
  for (int64_t i = 0; i < f->count; i++) {
    double g = 0;
    for (int lane = 0; lane < lanes; lane++) g += (double)f->grads[lane][i];
    norm += g * g;
  }
  norm = sqrt(norm);
  double clip = c->grad_clip > 0 ? fmin(c->grad_clip / (norm + 1e-6), 1.0) : 1.0;
  for (int64_t i = 0; i < f->count; i++) {
    double g = 0;
    for (int lane = 0; lane < lanes; lane++) g += (double)f->grads[lane][i];
    g *= clip;
    if (c->decoupled_decay) s->w[i] *= 1 - lr * c->weight_decay;
    else g += c->weight_decay * s->w[i];
    s->m[i] = c->beta1 * s->m[i] + (1 - c->beta1) * g;
    s->v[i] = c->beta2 * s->v[i] + (1 - c->beta2) * g * g;
    s->w[i] -= lr / bias1 * s->m[i] / (sqrt(s->v[i]) / sqrt(bias2) + c->eps);
    s->ema[i] = ema_decay * s->ema[i] + (1 - ema_decay) * s->w[i];
  }
  return norm;
}

static double farthest(const float *got, const double *want, int64_t count) {
  double most = 0;
  for (int64_t i = 0; i < count; i++) {
    assert_true(isfinite(got[i]));
    most = fmax(most, fabs((double)got[i] - want[i]));
  }
  return most;
}

/* 20 steps of at most about lr each; a float step errs by a few of its last bits, and w by half of its own each step. */
static void check_against_torch(const lfm_optim_config *config, int lanes) {
  fixture f = make(config, 2, 70);
  torch_adam torch = {.w = weights_as_doubles(f.net, f.params), .ema = weights_as_doubles(f.net, f.params)};
  OK(LFM_ALLOC(&torch.m, f.count));
  OK(LFM_ALLOC(&torch.v, f.count));
  for (int step = 1; step <= 20; step++) {
    double lr = 1e-2 / step, ema_decay = step < 3 ? 0 : 0.9, norm = NAN;
    set_grads(&f, lanes, step);
    double want = torch_step(&torch, config, &f, lanes, step, lr, ema_decay);
    OK(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, lanes, NULL}, lr, ema_decay, &norm));
    assert_true(fabs(norm - want) < 1e-6 * want);
    assert_int_equal(lfm_optim_steps(f.optim), step);
  }
  assert_true(farthest(lfm_params_values(f.params), torch.w, f.count) < 2e-6);
  assert_true(farthest(lfm_optim_first_moment(f.optim), torch.m, f.count) < 1e-6);
  assert_true(farthest(lfm_optim_second_moment(f.optim), torch.v, f.count) < 1e-6);
  if (config->ema_decay > 0) assert_true(farthest(lfm_optim_ema(f.optim), torch.ema, f.count) < 2e-6);
  else assert_null(lfm_optim_ema(f.optim));
  lfm_free(torch.w), lfm_free(torch.m), lfm_free(torch.v), lfm_free(torch.ema);
  drop(&f);
}

static void test_steps_are_torch_s(void **state) {
  (void)state;
  lfm_optim_config plain, config;
  lfm_optim_defaults(&plain);
  check_against_torch(&plain, 1);
  config = plain, config.grad_clip = 0.5, config.ema_decay = 0.99;
  check_against_torch(&config, 2);
  config = plain, config.grad_clip = 1e6, config.weight_decay = 0.1;
  check_against_torch(&config, 3);
  config = plain, config.decoupled_decay = true, config.weight_decay = 0.1, config.ema_decay = 0.9;
  check_against_torch(&config, 5);
  config = plain, config.beta1 = 0.5, config.beta2 = 0.9, config.eps = 1e-3;
  check_against_torch(&config, 4);
}

/* Weights, moments and average after five steps, as bytes. */
static float *run_steps(int threads, int64_t hidden, int64_t *count) {
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  config.grad_clip = 0.5, config.ema_decay = 0.99;
  fixture f = make(&config, threads, hidden);
  for (int step = 1; step <= 5; step++) {
    double norm;
    set_grads(&f, LANES, step);
    OK(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, LANES, NULL}, 1e-3, 0.99, &norm));
  }
  size_t bytes = (size_t)f.count * sizeof(float);
  float *out;
  *count = 4 * f.count;
  OK(LFM_ALLOC(&out, *count));
  memcpy(out, lfm_params_values(f.params), bytes);
  memcpy(out + f.count, lfm_optim_first_moment(f.optim), bytes);
  memcpy(out + 2 * f.count, lfm_optim_second_moment(f.optim), bytes);
  memcpy(out + 3 * f.count, lfm_optim_ema(f.optim), bytes);
  drop(&f);
  return out;
}

static void test_threads_do_not_matter(void **state) {
  (void)state;
  int64_t count;
  float *one = run_steps(1, 200, &count);
  for (int threads = 2; threads <= 3; threads++) {
    float *more = run_steps(threads, 200, &count);
    assert_memory_equal(one, more, (size_t)count * sizeof *one);
    lfm_free(more);
  }
  lfm_free(one);
}

/* What the next step's kernels read is what a full repacking would have given them. */
static void test_packed_copies_follow(void **state) {
  (void)state;
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  fixture f = make(&config, 2, 362);
  lfm_run *run, *repacked;
  lfm_params *copy;
  double norm;
  OK(lfm_run_create(f.net, LFM_RUN_TRACE, 9, &run));
  OK(lfm_run_create(f.net, LFM_RUN_TRACE, 9, &repacked));
  OK(lfm_params_create(f.net, &copy));
  fill_inputs(f.net, run);
  fill_inputs(f.net, repacked);
  set_grads(&f, 1, 1);
  OK(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, 1, NULL}, 1e-2, 0, &norm));
  memcpy(lfm_params_data(copy), lfm_params_values(f.params), (size_t)f.count * sizeof(float));
  lfm_params_pack(copy);
  OK(lfm_run_forward(run, f.params));
  OK(lfm_run_forward(repacked, copy));
  assert_memory_equal(lfm_run_v(run), lfm_run_v(repacked), 9 * 6 * sizeof(float));
  assert_memory_equal(lfm_run_trace(run), lfm_run_trace(repacked), 9 * sizeof(float));
  lfm_params_destroy(copy);
  lfm_run_destroy(run);
  lfm_run_destroy(repacked);
  drop(&f);
}

static void test_a_step_allocates_nothing(void **state) {
  (void)state;
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  config.ema_decay = 0.9, config.grad_clip = 1;
  fixture f = make(&config, 2, 40);
  double norm;
  lfm_alloc_fail_at(0);
  for (int step = 0; step < 3; step++) {
    set_grads(&f, 2, step);
    OK(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, 2, NULL}, 1e-3, 0.5, &norm));
  }
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  drop(&f);
}

static void test_a_gradient_that_is_not_finite_changes_nothing(void **state) {
  (void)state;
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  fixture f = make(&config, 1, 40);
  double norm, *before = weights_as_doubles(f.net, f.params);
  set_grads(&f, 2, 1);
  f.grads[1][f.count / 2] = NAN;
  assert_int_equal(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, 2, NULL}, 1e-3, 0, &norm),
                   LFM_E_NUMERIC);
  assert_true(farthest(lfm_params_values(f.params), before, f.count) == 0);
  assert_int_equal(lfm_optim_steps(f.optim), 0);
  lfm_free(before);
  drop(&f);
}

static void test_restart_forgets(void **state) {
  (void)state;
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  config.ema_decay = 0.9;
  fixture f = make(&config, 1, 40);
  double norm;
  set_grads(&f, 1, 1);
  OK(lfm_optim_step(f.optim, f.team, f.params, &(lfm_gradient){f.grads, 1, NULL}, 1e-3, 0.9, &norm));
  lfm_optim_restart(f.optim, f.params);
  assert_int_equal(lfm_optim_steps(f.optim), 0);
  for (int64_t i = 0; i < f.count; i++)
    assert_true(lfm_optim_first_moment(f.optim)[i] == 0 && lfm_optim_second_moment(f.optim)[i] == 0);
  assert_memory_equal(lfm_optim_ema(f.optim), lfm_params_values(f.params), (size_t)f.count * sizeof(float));
  drop(&f);
}

static void test_senseless_settings_are_refused(void **state) {
  (void)state;
  lfm_optim_config plain, bad[6];
  lfm_optim_defaults(&plain);
  for (int i = 0; i < 6; i++) bad[i] = plain;
  bad[0].beta1 = 1, bad[1].beta2 = NAN, bad[2].eps = 0, bad[3].weight_decay = -1, bad[4].ema_decay = 1,
  bad[5].grad_clip = NAN;
  fixture f = make(&plain, 1, 8);
  for (int i = 0; i < 6; i++) {
    lfm_optim *optim = (lfm_optim *)1;
    assert_int_equal(lfm_optim_create(f.net, &bad[i], &optim), LFM_E_USAGE);
    assert_null(optim);
  }
  lfm_net *doubles;
  lfm_optim *optim;
  OK(lfm_mlp_create(&(lfm_mlp_config){2, 4, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}}, lfm_kernels_ref64(), &doubles));
  assert_int_equal(lfm_optim_create(doubles, &plain, &optim), LFM_E_USAGE);
  lfm_net_destroy(doubles);
  drop(&f);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  config.ema_decay = 0.9;
  fixture f = make(&config, 1, 8);
  lfm_optim *optim = NULL;
  uint64_t at = 1;
  for (;; at++) {
    lfm_alloc_fail_at(at);
    lfm_status status = lfm_optim_create(f.net, &config, &optim);
    if (status == LFM_OK) break;
    assert_int_equal(status, LFM_E_MEMORY);
    assert_null(optim);
  }
  lfm_alloc_fail_at(0);
  assert_int_equal(at, 8);
  lfm_optim_destroy(optim);
  drop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_steps_are_torch_s),
      cmocka_unit_test(test_threads_do_not_matter),
      cmocka_unit_test(test_packed_copies_follow),
      cmocka_unit_test(test_a_step_allocates_nothing),
      cmocka_unit_test(test_a_gradient_that_is_not_finite_changes_nothing),
      cmocka_unit_test(test_restart_forgets),
      cmocka_unit_test(test_senseless_settings_are_refused),
      cmocka_unit_test(test_refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
