/* SPDX-License-Identifier: MIT
 *
 * test_factors.c -- the gradient of a batch made of factors is the one that a single run makes, for every table of kernels
 * and however many rows a strip or a part has; the optimiser takes the same steps by it, to the same bytes for any number of
 * threads; refusals, and refused memory.
 */
#include "fixture_support.h"

#include "graph/factors.h"
#include "net/internal.h"
#include "net/optim.h"

enum { PARTS = 3, PART = 20, USED = 51 /* rows of the batch: the last part lacks some */ };

/* Strips of 64 rows (by AMX 128) and a last one of 22; t beside every layer; other inputs; an activation that keeps its
 * slope. */
static const lfm_mlp_config uneven = {5, 150, 3, {LFM_ACT_GELU, 0}, true, 3, true, {0}};
static const lfm_mlp_config plain = {6, 200, 2, {LFM_ACT_ELU, 0}, false, 0, false, {0}};

typedef struct batch {
  lfm_factors *factors;
  lfm_run *part[PARTS];
} batch;

static fixture fixture_with(const lfm_mlp_config *config, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_mlp_create(config, kernels, &net));
  return fixture_of(net);
}

static batch batch_of(const fixture *f, int workers) {
  batch b;
  OK(lfm_net_factors(f->net, PART, PARTS, workers, &b.factors));
  for (int p = 0; p < PARTS; p++) OK(lfm_run_create_part(f->net, b.factors, p, &b.part[p]));
  return b;
}

static void batch_drop(batch *b) {
  for (int p = 0; p < PARTS; p++) lfm_run_destroy(b->part[p]);
  lfm_factors_destroy(b->factors);
}

/* Rows [first, first + rows) of the batch. */
static void fill(const fixture *f, lfm_run *run, int64_t first, int64_t rows, int step) {
  int64_t dim = lfm_net_dim(f->net), given = lfm_net_given(f->net);
  for (int64_t i = 0; i < rows; i++) {
    set_number(f->net, lfm_run_t(run), i, 0.5 + 0.5 * wobble(first + i, 1 + step));
    if (lfm_run_span(run)) set_number(f->net, lfm_run_span(run), i, 0.25 + 0.25 * wobble(first + i, 7));
  }
  for (int64_t i = 0; i < rows * dim; i++) set_number(f->net, lfm_run_x(run), i, 2 * wobble(first * dim + i, 2 + step));
  for (int64_t i = 0; i < rows * given; i++) set_number(f->net, lfm_run_given(run), i, wobble(first * given + i, 4));
}

/* Forward and backward of some rows; those of the run beyond them have no gradient. */
static void pass(const fixture *f, lfm_run *run, int64_t first, int64_t rows, int step, void *grads) {
  int64_t dim = lfm_net_dim(f->net), used = first + rows > USED ? USED - first : rows;
  fill(f, run, first, used, step);
  OK(lfm_run_forward(run, f->params));
  for (int64_t i = 0; i < rows * dim; i++)
    set_number(f->net, lfm_run_dv(run), i, i < used * dim ? wobble(first * dim + i, 5) / USED : 0);
  OK(lfm_run_backward(run, f->params, grads, false));
}

static void pass_all(const fixture *f, batch *b, int step) {
  for (int p = PARTS - 1; p >= 0; p--) pass(f, b->part[p], p * PART, PART, step, NULL); /* in whatever order */
}

static void *numbers_of(const fixture *f) {
  char *out;
  size_t bytes = (size_t)f->count * lfm_net_number_size(f->net);
  OK(LFM_ALLOC(&out, bytes));
  memset(out, 0xFF, bytes);
  return out;
}

/* Each tensor's, to within `most` of the largest number in it. */
static void check_gradient(const lfm_mlp_config *config, const lfm_kernels *kernels, double most) {
  fixture f = fixture_with(config, kernels);
  batch b = batch_of(&f, 1);
  lfm_run *whole;
  char *made = numbers_of(&f);
  void *expected = numbers_of(&f);
  size_t size = lfm_net_number_size(f.net);
  OK(lfm_run_create(f.net, LFM_RUN_TRAIN, USED, &whole));
  for (int step = 0; step < 2; step++) { /* the second finds what the first has left */
    pass(&f, whole, 0, USED, step, expected);
    pass_all(&f, &b, step);
    for (int i = 0; i < lfm_net_tensor_count(f.net); i++) {
      const lfm_tensor_info *info = lfm_net_tensor(f.net, i);
      int64_t row = info->count / info->shape[0], at_once = lfm_factors_rows_at_once(f.net->graph, i);
      for (int64_t first = 0; first < info->shape[0]; first += at_once)
        OK(lfm_factors_gradient(b.factors, 0, i, first, made + (size_t)(info->offset + first * row) * size));
      double scale = 0, error = 0;
      for (int64_t j = info->offset; j < info->offset + info->count; j++) {
        double want = number_at(f.net, expected, j), got = number_at(f.net, made, j);
        assert_true(isfinite(got));
        scale = fmax(scale, fabs(want)), error = fmax(error, fabs(got - want));
      }
      if (!(error <= most * scale)) fail_msg("%s: off by %g of %g", info->name, error, scale);
    }
  }
  lfm_free(made);
  lfm_free(expected);
  lfm_run_destroy(whole);
  batch_drop(&b);
  drop(&f);
}

static void the_gradient_is_that_of_one_run(void **state) {
  (void)state;
  const lfm_mlp_config *configs[] = {&uneven, &plain};
  for (int k = 0; k < 2; k++) {
    check_gradient(configs[k], lfm_kernels_ref64(), 1e-13);
    check_gradient(configs[k], lfm_kernels_ref32(), 1e-5);
    check_gradient(configs[k], lfm_kernels_onednn(), 1e-5);
    check_gradient(configs[k], lfm_kernels_training(), 1e-5);
  }
}

/* Halves are rounded the same, whoever multiplies them. */
static void in_bf16_too(void **state) {
  (void)state;
  const lfm_kernels *kernels;
  if (lfm_kernels_bf16(&kernels) != LFM_OK) skip();
  check_gradient(&plain, lfm_kernels_bf16_pairs(), 1e-5);
  check_gradient(&plain, lfm_kernels_bf16_floats(), 1e-5);
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

typedef struct work {
  fixture *f;
  batch *b;
  int step;
} work;

static lfm_status one_part(void *context, int worker, int64_t part) {
  (void)worker;
  const work *w = context;
  pass(w->f, w->b->part[part], part * PART, PART, w->step, NULL);
  return LFM_OK;
}

/* Weights, moments and average [4][count] after some steps; by_factors false: of one lane by one run. */
static float *weights_after(const lfm_mlp_config *config, double grad_clip, bool by_factors, int threads, int64_t *count) {
  lfm_optim_config how;
  lfm_optim *optim;
  lfm_team *team;
  lfm_run *whole;
  lfm_optim_defaults(&how);
  how.grad_clip = grad_clip, how.ema_decay = 0.9;
  fixture f = fixture_with(config, lfm_kernels_onednn());
  batch b = batch_of(&f, threads);
  OK(lfm_optim_create(f.net, &how, &optim));
  lfm_optim_restart(optim, f.params);
  OK(lfm_team_create(threads, &team));
  OK(lfm_run_create(f.net, LFM_RUN_TRAIN, USED, &whole));
  float *lane = numbers_of(&f), *out;
  lfm_gradient gradient = {&lane, 1, by_factors ? b.factors : NULL};
  for (int step = 0; step < 4; step++) {
    double norm;
    work w = {&f, &b, step};
    if (by_factors) OK(lfm_team_run(team, PARTS, one_part, &w));
    else pass(&f, whole, 0, USED, step, lane);
    lfm_alloc_fail_at(0);
    OK(lfm_optim_step(optim, team, f.params, &gradient, 1e-3, 0.9, &norm));
    assert_int_equal(lfm_alloc_fail_at(0), 0); /* it asks for no memory */
    assert_true(norm > 0);
  }
  assert_int_equal(lfm_optim_steps(optim), 4);
  *count = f.count;
  OK(LFM_ALLOC(&out, 4 * f.count));
  const float *parts[] = {lfm_params_values(f.params), lfm_optim_first_moment(optim), lfm_optim_second_moment(optim),
                          lfm_optim_ema(optim)};
  for (int k = 0; k < 4; k++) memcpy(out + k * f.count, parts[k], (size_t)f.count * sizeof *out);
  lfm_free(lane);
  lfm_run_destroy(whole);
  lfm_team_destroy(team);
  lfm_optim_destroy(optim);
  batch_drop(&b);
  drop(&f);
  return out;
}

/* A packed copy that had not followed a strip would make the later steps others. */
static void steps_are_those_of_lanes(void **state) {
  (void)state;
  for (int clips = 0; clips < 2; clips++) {
    int64_t count;
    float *lanes = weights_after(&uneven, clips ? 0.05 : 0, false, 1, &count);
    float *factors = weights_after(&uneven, clips ? 0.05 : 0, true, 2, &count);
    double moved = 0, apart = 0;
    for (int64_t i = 0; i < count; i++) { /* of the moments, which no division by their root makes large */
      moved = fmax(moved, fabs((double)lanes[count + i]));
      apart = fmax(apart, fabs((double)lanes[count + i] - (double)factors[count + i]));
    }
    assert_true(moved > 1e-4 && apart < 1e-4 * moved);
    lfm_free(lanes);
    lfm_free(factors);
  }
}

static void threads_do_not_matter(void **state) {
  (void)state;
  for (int clips = 0; clips < 2; clips++) {
    int64_t count;
    float *one = weights_after(&uneven, clips ? 0.05 : 0, true, 1, &count);
    for (int threads = 2; threads <= 5; threads++) {
      float *more = weights_after(&uneven, clips ? 0.05 : 0, true, threads, &count);
      assert_memory_equal(one, more, (size_t)(4 * count) * sizeof *one);
      lfm_free(more);
    }
    lfm_free(one);
  }
}

static void a_gradient_that_is_not_finite_is_told(void **state) {
  (void)state;
  for (int clips = 0; clips < 2; clips++) {
    lfm_optim_config how;
    lfm_optim *optim;
    lfm_team *team;
    double norm;
    lfm_optim_defaults(&how);
    how.grad_clip = clips;
    fixture f = fixture_with(&plain, lfm_kernels_onednn());
    batch b = batch_of(&f, 1);
    OK(lfm_optim_create(f.net, &how, &optim));
    lfm_optim_restart(optim, f.params);
    OK(lfm_team_create(1, &team));
    float *lane = numbers_of(&f);
    pass_all(&f, &b, 0);
    set_number(f.net, lfm_run_dv(b.part[1]), 3, NAN);
    OK(lfm_run_backward(b.part[1], f.params, NULL, false));
    lfm_gradient gradient = {&lane, 1, b.factors};
    assert_int_equal(lfm_optim_step(optim, team, f.params, &gradient, 1e-3, 0, &norm), LFM_E_NUMERIC);
    assert_int_equal(lfm_optim_steps(optim), 0);
    lfm_free(lane);
    lfm_team_destroy(team);
    lfm_optim_destroy(optim);
    batch_drop(&b);
    drop(&f);
  }
}

/* ---- what has none, and what memory it is ---------------------------------------------------------------------- */

static void pictures_have_none(void **state) {
  (void)state;
  lfm_net *net;
  lfm_factors *factors;
  lfm_unet2d_config config = {
      .channels = 1, .height = 8, .width = 8, .hidden_dim = 32, .mult_count = 1, .mults = {1}, .res_depth = 1};
  OK(lfm_unet2d_create(&config, lfm_kernels_onednn(), &net));
  assert_false(lfm_net_wants_factors(net));
  assert_int_equal(lfm_net_factors(net, 4, 2, 1, &factors), LFM_E_UNSUPPORTED);
  assert_null(factors);
  lfm_net_destroy(net);
}

/* They are for gradients that no second-level cache holds. */
static void large_networks_want_them(void **state) {
  (void)state;
  fixture small = fixture_with(&plain, lfm_kernels_onednn());
  fixture large = fixture_with(&(lfm_mlp_config){63, 512, 4, {LFM_ACT_ELU, 0}, false, 0, false, {0}}, lfm_kernels_onednn());
  assert_false(lfm_net_wants_factors(small.net));
  assert_true(lfm_net_wants_factors(large.net));
  drop(&small);
  drop(&large);
}

static lfm_status build(const void *context) {
  (void)context;
  lfm_net *net;
  lfm_factors *factors = NULL;
  lfm_run *run = NULL;
  LFM_TRY(lfm_mlp_create(&plain, lfm_kernels_onednn(), &net));
  lfm_status status = lfm_net_factors(net, PART, PARTS, 2, &factors);
  if (status == LFM_OK) status = lfm_run_create_part(net, factors, 1, &run);
  lfm_run_destroy(run);
  lfm_factors_destroy(factors);
  lfm_net_destroy(net);
  return status;
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  assert_in_range(check_refused_memory(build, NULL), 20, 1000);
}

/* h of every layer and dz, of all rows. */
static void memory_is_that_of_the_factors(void **state) {
  (void)state;
  fixture f = fixture_with(&plain, lfm_kernels_ref64());
  batch b = batch_of(&f, 1);
  size_t numbers = PARTS * PART * ((1 + 6) + 2 * 200 + 2 * 200 + 6), bytes = lfm_factors_memory(b.factors);
  assert_in_range(bytes, numbers * sizeof(double), numbers * sizeof(double) * 11 / 10);
  assert_true(lfm_factors_memory(NULL) == 0);
  batch_drop(&b);
  drop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_gradient_is_that_of_one_run),
      cmocka_unit_test(in_bf16_too),
      cmocka_unit_test(steps_are_those_of_lanes),
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(a_gradient_that_is_not_finite_is_told),
      cmocka_unit_test(pictures_have_none),
      cmocka_unit_test(large_networks_want_them),
      cmocka_unit_test(refused_memory_leaves_nothing),
      cmocka_unit_test(memory_is_that_of_the_factors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
