/* SPDX-License-Identifier: MIT
 *
 * test_prepare_back.c -- the runtime's gradient with respect to x: against finite differences of the flow's own network in
 * double precision, along every coordinate, for networks of every shape; of a perceptron against the graph's backward pass,
 * whose gradient of the first bias it is but for one product; velocities that do not change for it.
 */
#include "net/net_support.h"

#include "policy/prepare.h"

enum { ROWS = 1, MOST = 512 };

/* A network three times: in double, in floats, and prepared with steps back. */
typedef struct trio {
  lfm_net *wide, *net;
  lfm_params *wide_params, *params;
  lfm_run *wide_run, *run;
  lfm_prepared *prepared;
  const lfm_rt_field *field;
  void *weights;
  float *constants, *space, *time;
  lfm_rt_block block;
  int64_t dim;
} trio;

static void begin(trio *t, bool half) {
  OK(lfm_params_create(t->net, &t->params));
  OK(lfm_params_create(t->wide, &t->wide_params));
  lfm_params_init(t->params, 5, 0);
  float *values = lfm_params_data(t->params);
  double *wide = lfm_params_data(t->wide_params);
  for (int64_t i = 0; i < lfm_net_param_count(t->net); i++)
    wide[i] = (double)(values[i] += 0.05f * (float)wobble(i, 7)); /* what begins as zero or one, too */
  lfm_params_pack(t->params), lfm_params_pack(t->wide_params);
  OK(lfm_run_create(t->wide, LFM_RUN_EVAL, ROWS, &t->wide_run));
  OK(lfm_run_create(t->net, LFM_RUN_TRAIN, ROWS, &t->run));
  fill_inputs(t->wide, t->wide_run), fill_inputs(t->net, t->run);
  t->field = lfm_prepared_field(t->prepared);
  t->dim = t->field->positions * t->field->channels;
  assert_true(t->dim <= MOST);
  OK(lfm_alloc_array(&t->weights, (size_t)lfm_prepared_weights(t->prepared), half ? 2 : 4));
  OK(LFM_ALLOC(&t->constants, lfm_prepared_constants(t->prepared)));
  OK(LFM_ALLOC(&t->space, t->field->floats));
  OK(LFM_ALLOC(&t->time, t->field->timed_count));
  OK(lfm_prepared_fill(t->prepared, t->net, t->params, half, t->weights, t->constants));
  t->block = (lfm_rt_block){t->weights, t->constants};
}

static void end(trio *t) {
  lfm_free(t->weights), lfm_free(t->constants), lfm_free(t->space), lfm_free(t->time);
  lfm_run_destroy(t->run), lfm_run_destroy(t->wide_run);
  lfm_params_destroy(t->params), lfm_params_destroy(t->wide_params);
  lfm_net_destroy(t->net), lfm_net_destroy(t->wide);
  lfm_prepared_destroy(t->prepared);
}

/* The runtime's v at the run's inputs. */
static void evaluate(trio *t, bool half, float *v) {
  const lfm_rt_field *f = t->field;
  const float *x = lfm_run_x(t->run), *given = lfm_run_given(t->run);
  OK(lfm_prepared_time(t->prepared, t->net, t->params, (double)*(const float *)lfm_run_t(t->run), t->time));
  for (int64_t i = 0; i < f->given_count; i++) t->space[f->given + i] = given[i];
  lfm_rt_give(f, &t->block, half, t->space);
  for (int64_t i = 0; i < t->dim; i++) t->space[f->x.at + i / f->channels * f->x.row + i % f->channels] = x[i];
  lfm_rt_velocity(f, &t->block, half, t->time, t->space);
  for (int64_t i = 0; i < t->dim; i++) v[i] = t->space[f->v.at + i / f->channels * f->v.row + i % f->channels];
}

static void fill_gradient(float *g, int64_t count) {
  for (int64_t i = 0; i < count; i++) g[i] = (float)wobble(i, 11);
}

/* g^T v of the double network at x + h e_i. */
static double wide_product(trio *t, const float *g, int64_t i, double h) {
  double *x = lfm_run_x(t->wide_run), kept = x[i], sum = 0;
  x[i] += h;
  OK(lfm_run_forward(t->wide_run, t->wide_params));
  x[i] = kept;
  const double *v = lfm_run_v(t->wide_run);
  for (int64_t k = 0; k < t->dim; k++) sum += (double)g[k] * v[k];
  return sum;
}

static double error_of_differences(trio *t, const float *g, const float *back) {
  const double h = 1e-4; /* of fourth order */
  double square = 0, whole = 0;
  for (int64_t i = 0; i < t->dim; i++) {
    double slope = (8 * (wide_product(t, g, i, h) - wide_product(t, g, i, -h)) -
                    (wide_product(t, g, i, 2 * h) - wide_product(t, g, i, -2 * h))) /
                   (12 * h);
    square += (slope - (double)back[i]) * (slope - (double)back[i]);
    whole += slope * slope;
  }
  assert_true(whole > 0);
  return sqrt(square / whole);
}

static double error_of_back(trio *t, bool half) {
  float v[MOST], g[MOST], back[MOST];
  begin(t, half);
  evaluate(t, half, v);
  fill_gradient(g, t->dim);
  for (int twice = 0; twice < 2; twice++) { /* nothing of the first is left to the second */
    memcpy(back, g, sizeof back);
    lfm_rt_back(t->field, &t->block, half, back, t->space);
  }
  return error_of_differences(t, g, back);
}

static void make_series(trio *t, const lfm_unet1d_config *config) {
  OK(lfm_unet1d_create(config, lfm_kernels_ref64(), &t->wide));
  OK(lfm_unet1d_create(config, lfm_kernels_ref32(), &t->net));
  OK(lfm_prepare_unet1d(config, true, &t->prepared));
}

static void make_perceptron(trio *t, const lfm_mlp_config *config) {
  OK(lfm_mlp_create(config, lfm_kernels_ref64(), &t->wide));
  OK(lfm_mlp_create(config, lfm_kernels_ref32(), &t->net));
  OK(lfm_prepare_mlp(config, true, &t->prepared));
}

static void test_series(void **state) {
  (void)state;
  static const lfm_unet1d_config configs[] = {
      {16, 10, 38, 8, 3, {1, 2, 4}, 5, 8, 8, false}, {8, 3, 5, 16, 2, {1, 2}, 5, 4, 6, false},
      {4, 2, 0, 8, 2, {1, 2}, 3, 2, 4, false},       {6, 2, 1, 8, 1, {1}, 5, 8, 4, false},
      {8, 7, 9, 16, 3, {1, 3, 2}, 3, 4, 8, false},   {12, 6, 4, 24, 3, {1, 2, 2}, 7, 8, 2, false},
  };
  for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
    for (int half = 0; half <= (i == 1); half++) {
      trio t = {0};
      make_series(&t, &configs[i]);
      double error = error_of_back(&t, half);
      if (!(error < (half ? 0.02 : 2e-5))) fail_msg("network %zu, half %d: relative error %.3g", i, half, error);
      end(&t);
    }
}

static lfm_mlp_config perceptron_of(lfm_act_kind kind, bool all) {
  return (lfm_mlp_config){.dim = 5 + 4 * (int)kind,
                          .hidden_dim = 30 + (int)kind,
                          .num_hidden = 1 + (int)kind % 3,
                          .act = {kind, 3.0},
                          .cat_t_all = all,
                          .given = (int)kind % 2 ? 0 : 11};
}

static void test_perceptrons(void **state) {
  (void)state;
  for (int all = 0; all < 2; all++)
    for (int kind = LFM_ACT_RELU; kind < LFM_ACTS; kind++) {
      const lfm_mlp_config config = perceptron_of((lfm_act_kind)kind, all);
      trio t = {0};
      make_perceptron(&t, &config);
      double error = error_of_back(&t, false);
      if (!(error < 5e-6)) fail_msg("activation %d: relative error %.3g", kind, error);
      end(&t);
    }
}

/* With one row the gradient of the first bias is the one of the first layer's output, and W_x^T of that the one of x. */
static void test_the_graph_agrees(void **state) {
  (void)state;
  const lfm_mlp_config config = perceptron_of(LFM_ACT_SILU, true);
  float v[MOST], g[MOST], back[MOST], *grads;
  const float *w, *b;
  trio t = {0};
  make_perceptron(&t, &config);
  begin(&t, false);
  evaluate(&t, false, v);
  fill_gradient(g, t.dim);
  OK(LFM_ALLOC(&grads, lfm_net_param_count(t.net)));
  OK(lfm_run_forward(t.run, t.params));
  memcpy(lfm_run_dv(t.run), g, (size_t)t.dim * sizeof *g);
  OK(lfm_run_backward(t.run, t.params, grads, false));
  memcpy(back, g, sizeof back);
  lfm_rt_back(t.field, &t.block, false, back, t.space);
  int64_t in = 1 + config.given + config.dim, at = lfm_net_tensor(t.net, 1)->offset;
  assert_string_equal(lfm_net_tensor(t.net, 1)->name, "net.0.bias");
  w = (const float *)lfm_params_values(t.params) + lfm_net_tensor(t.net, 0)->offset, b = grads + at;
  for (int64_t i = 0; i < t.dim; i++) {
    double sum = 0, size = 0;
    for (int64_t o = 0; o < config.hidden_dim; o++) {
      double term = (double)w[o * in + 1 + config.given + i] * (double)b[o];
      sum += term, size += fabs(term);
    }
    assert_true(size > 0 && fabs(sum - (double)back[i]) <= 2e-6 * size);
  }
  lfm_free(grads);
  end(&t);
}

/* The same bits as without the steps back. */
static void test_velocities_are_the_same(void **state) {
  (void)state;
  static const lfm_unet1d_config config = {16, 10, 38, 16, 3, {1, 2, 4}, 5, 8, 16, false};
  float with[MOST], without[MOST];
  trio t = {0}, plain = {0};
  make_series(&t, &config), make_series(&plain, &config);
  begin(&t, false);
  evaluate(&t, false, with);
  lfm_prepared_destroy(plain.prepared);
  OK(lfm_prepare_unet1d(&config, false, &plain.prepared));
  begin(&plain, false);
  evaluate(&plain, false, without);
  assert_true(lfm_prepared_turned(t.prepared) > 0 && lfm_prepared_turned(plain.prepared) == 0);
  assert_memory_equal(with, without, (size_t)t.dim * sizeof *with);
  end(&t), end(&plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_series),
      cmocka_unit_test(test_perceptrons),
      cmocka_unit_test(test_the_graph_agrees),
      cmocka_unit_test(test_velocities_are_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
