/* SPDX-License-Identifier: MIT
 *
 * test_prepare.c -- networks as the runtime runs them against themselves as the flow does: rows of other t, x and given, of
 * every shape; weights of bfloat16 within what they have lost.
 */
#include "net/net_support.h"

#include "policy/prepare.h"

enum { ROWS = 3 };

/* Relative error of all rows. */
static double error_of(const lfm_net *net, const lfm_prepared *prepared, bool half) {
  const lfm_rt_field *field = lfm_prepared_field(prepared);
  lfm_params *params;
  lfm_run *run;
  void *weights;
  float *constants, *space, *time;
  OK(lfm_params_create(net, &params));
  float *master = lfm_params_data(params);
  lfm_params_init(params, 5, 0);
  for (int64_t i = 0; i < lfm_net_param_count(net); i++) master[i] += 0.02f * (float)wobble(i, 7); /* zeros, too */
  lfm_params_pack(params);
  OK(lfm_run_create(net, LFM_RUN_EVAL, ROWS, &run));
  fill_inputs(net, run);
  OK(lfm_run_forward(run, params));
  OK(lfm_alloc_array(&weights, (size_t)lfm_prepared_weights(prepared), half ? 2 : 4));
  OK(LFM_ALLOC(&constants, lfm_prepared_constants(prepared)));
  OK(LFM_ALLOC(&space, field->floats));
  OK(LFM_ALLOC(&time, field->timed_count));
  OK(lfm_prepared_fill(prepared, net, params, half, weights, constants));
  const lfm_rt_block block = {weights, constants};
  const float *t = lfm_run_t(run), *x = lfm_run_x(run), *given = lfm_run_given(run), *v = lfm_run_v(run);
  double square = 0, whole = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    OK(lfm_prepared_time(prepared, net, params, (double)t[row], time));
    for (int64_t i = 0; i < field->given_count; i++) space[field->given + i] = given[row * field->given_count + i];
    lfm_rt_give(field, &block, half, space);
    for (int64_t p = 0; p < field->positions; p++)
      for (int64_t c = 0; c < field->channels; c++, x++) space[field->x.at + p * field->x.row + c] = *x;
    lfm_rt_velocity(field, &block, half, time, space);
    for (int64_t p = 0; p < field->positions; p++)
      for (int64_t c = 0; c < field->channels; c++, v++) {
        double off = (double)space[field->v.at + p * field->v.row + c] - (double)*v;
        square += off * off, whole += (double)*v * (double)*v;
      }
  }
  lfm_free(weights), lfm_free(constants), lfm_free(space), lfm_free(time);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  assert_true(whole > 0);
  return sqrt(square / whole);
}

static void check(lfm_net *net, lfm_prepared *prepared) {
  double floats = error_of(net, prepared, false), halves = error_of(net, prepared, true);
  if (!(floats < 2e-6)) fail_msg("relative error %.3g", floats);
  if (!(halves < 1e-2 && halves > floats)) fail_msg("relative error %.3g of bfloat16", halves);
  lfm_prepared_destroy(prepared);
  lfm_net_destroy(net);
}

static void test_series(void **state) {
  (void)state;
  static const lfm_unet1d_config configs[] = {
      {16, 10, 38, 32, 3, {1, 2, 4}, 5, 8, 32, false}, {8, 3, 5, 16, 2, {1, 2}, 5, 4, 6, false},
      {4, 2, 0, 8, 2, {1, 2}, 3, 2, 4, false},         {6, 2, 1, 8, 1, {1}, 5, 8, 4, false},
      {24, 7, 9, 16, 3, {1, 3, 2}, 3, 4, 8, false},    {12, 20, 4, 24, 3, {1, 2, 2}, 7, 8, 2, false}};
  for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
    lfm_net *net;
    lfm_prepared *prepared;
    OK(lfm_unet1d_create(&configs[i], lfm_kernels_ref32(), &net));
    OK(lfm_prepare_unet1d(&configs[i], false, &prepared));
    check(net, prepared);
  }
}

static void test_perceptrons(void **state) {
  (void)state;
  for (int all = 0; all < 2; all++)
    for (int kind = LFM_ACT_RELU; kind < LFM_ACTS; kind++) {
      lfm_mlp_config config = {.dim = 5 + 4 * kind,
                               .hidden_dim = 30 + kind,
                               .num_hidden = 1 + kind % 3,
                               .act = {(lfm_act_kind)kind, 3.0},
                               .cat_t_all = all,
                               .given = kind % 2 ? 0 : 11};
      lfm_net *net;
      lfm_prepared *prepared;
      OK(lfm_mlp_create(&config, lfm_kernels_ref32(), &net));
      OK(lfm_prepare_mlp(&config, false, &prepared));
      check(net, prepared);
    }
}

/* Tensors of another network are not taken. */
static void test_other_networks_are_refused(void **state) {
  (void)state;
  static const lfm_unet1d_config wide = {16, 10, 38, 32, 2, {1, 2}, 5, 8, 32, false},
                                 narrow = {16, 10, 38, 16, 2, {1, 2}, 5, 8, 32, false};
  lfm_net *net;
  lfm_params *params;
  lfm_prepared *prepared;
  OK(lfm_unet1d_create(&narrow, lfm_kernels_ref32(), &net));
  OK(lfm_params_create(net, &params));
  OK(lfm_prepare_unet1d(&wide, false, &prepared));
  float *weights, *constants, *time;
  OK(LFM_ALLOC(&weights, lfm_prepared_weights(prepared)));
  OK(LFM_ALLOC(&constants, lfm_prepared_constants(prepared)));
  OK(LFM_ALLOC(&time, lfm_prepared_field(prepared)->timed_count));
  assert_int_equal(lfm_prepared_fill(prepared, net, params, false, weights, constants), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "down_modules.0.0.blocks.0.block.0.weight"));
  assert_int_equal(lfm_prepared_time(prepared, net, params, 0.5, time), LFM_E_FORMAT);
  lfm_free(weights), lfm_free(constants), lfm_free(time);
  lfm_prepared_destroy(prepared);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_series),
      cmocka_unit_test(test_perceptrons),
      cmocka_unit_test(test_other_networks_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
