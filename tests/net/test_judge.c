/* SPDX-License-Identifier: MIT
 *
 * test_judge.c -- the network that judges pictures: its gradient against differences in double; logits that are a map of its
 * features; float against double; rows that stand alone; the names; what is refused; memory.
 */
#include "fixture_support.h"

static const lfm_judge_config small = {.channels = 3, .height = 5, .width = 6, .classes = 4};

static fixture make(const lfm_judge_config *config, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_judge_net_create(config, kernels, &net));
  return fixture_of(net);
}

static void test_gradients(void **state) {
  (void)state;
  fixture f = make(&small, lfm_kernels_ref64());
  lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 2);
  check_gradients(&f, run);
  lfm_run_destroy(run);
  drop(&f);
}

static lfm_run *answered(const fixture *f, int64_t rows) {
  lfm_run *run = run_of(f, LFM_RUN_EVAL, rows);
  assert_null(lfm_run_t(run));
  OK(lfm_run_forward(run, f->params));
  return run;
}

/* What the last layer reads is kept beside what it makes of it: W f + b are the logits. */
static void test_features_lie_under_the_logits(void **state) {
  (void)state;
  fixture f = make(&small, lfm_kernels_ref64());
  lfm_run *run = answered(&f, 3);
  assert_int_equal(lfm_net_out(f.net), 4);
  const double *w = (const double *)lfm_params_values(f.params) + f.count - 4 * (LFM_JUDGE_WIDTH + 1);
  const double *bias = w + 4 * LFM_JUDGE_WIDTH, *features = lfm_run_features(run);
  for (int64_t i = 0; i < 3; i++)
    for (int64_t k = 0; k < 4; k++) {
      double sum = bias[k];
      for (int64_t j = 0; j < LFM_JUDGE_WIDTH; j++) sum += w[k * LFM_JUDGE_WIDTH + j] * features[i * LFM_JUDGE_WIDTH + j];
      assert_true(fabs(sum - number_at(f.net, lfm_run_v(run), i * 4 + k)) < 1e-12);
    }
  lfm_run_destroy(run);
  drop(&f);
}

static void test_floats(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_ref32(), lfm_kernels_onednn()};
  fixture exact = make(&small, lfm_kernels_ref64());
  lfm_run *due = answered(&exact, 5);
  for (int i = 0; i < 2; i++) {
    fixture f = make(&small, tables[i]);
    lfm_run *run = answered(&f, 5);
    for (int64_t j = 0; j < 5 * 4; j++)
      assert_true(fabs(number_at(f.net, lfm_run_v(run), j) - number_at(exact.net, lfm_run_v(due), j)) < 1e-5);
    lfm_run_destroy(run);
    drop(&f);
  }
  lfm_run_destroy(due);
  drop(&exact);
}

/* To the bit, whatever stands beside it and wherever. */
static void test_rows_stand_alone(void **state) {
  (void)state;
  fixture f = make(&small, lfm_kernels_best());
  int64_t dim = lfm_net_dim(f.net);
  lfm_run *many = answered(&f, 9), *one;
  OK(lfm_run_create(f.net, LFM_RUN_EVAL, 1, &one));
  for (int64_t i = 0; i < 9; i++) {
    memcpy(lfm_run_x(one), (float *)lfm_run_x(many) + i * dim, (size_t)dim * sizeof(float));
    OK(lfm_run_forward(one, f.params));
    assert_memory_equal(lfm_run_v(one), (const float *)lfm_run_v(many) + i * 4, 4 * sizeof(float));
  }
  lfm_run_destroy(one);
  lfm_run_destroy(many);
  drop(&f);
}

/* As in a torch.nn.Sequential. */
static void test_names(void **state) {
  (void)state;
  static const char *const names[] = {"net.0.weight",  "net.0.bias",  "net.1.weight",  "net.1.bias",
                                      "net.3.weight",  "net.3.bias",  "net.4.weight",  "net.4.bias",
                                      "net.6.weight",  "net.6.bias",  "net.7.weight",  "net.7.bias",
                                      "net.10.weight", "net.10.bias", "net.12.weight", "net.12.bias"};
  fixture f = make(&small, lfm_kernels_best());
  assert_int_equal(lfm_net_tensor_count(f.net), sizeof names / sizeof *names);
  for (int i = 0; i < lfm_net_tensor_count(f.net); i++) assert_string_equal(lfm_net_tensor(f.net, i)->name, names[i]);
  assert_int_equal(lfm_net_tensor(f.net, 12)->shape[1], 128 * 2 * 2); /* 5 x 6, halved twice */
  drop(&f);
}

static void refused(lfm_judge_config c) {
  lfm_net *net = (lfm_net *)1;
  assert_int_equal(lfm_judge_net_create(&c, lfm_kernels_ref64(), &net), LFM_E_USAGE);
  assert_null(net);
}

static void test_what_is_refused(void **state) {
  (void)state;
  refused((lfm_judge_config){0, 5, 6, 4});
  refused((lfm_judge_config){3, 0, 6, 4});
  refused((lfm_judge_config){3, 5, -1, 4});
  refused((lfm_judge_config){3, 5, 6, 0});
  refused((lfm_judge_config){3, LFM_JUDGE_MOST_SIDE + 1, 6, 4});
  refused((lfm_judge_config){3, 5, INT64_MAX, 4});
  fixture f = make(&small, lfm_kernels_ref64());
  lfm_run *run = (lfm_run *)1;
  assert_int_equal(lfm_run_create(f.net, LFM_RUN_TRACE, 2, &run), LFM_E_UNSUPPORTED);
  assert_null(run);
  drop(&f);
}

static lfm_status build_and_plan(const void *kernels) {
  lfm_net *net;
  LFM_TRY(lfm_judge_net_create(&small, kernels, &net));
  return plan_and_drop(net, false);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  assert_true(check_refused_memory(build_and_plan, lfm_kernels_ref64()) > 20);
  assert_true(check_refused_memory(build_and_plan, lfm_kernels_onednn()) > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients),
      cmocka_unit_test(test_features_lie_under_the_logits),
      cmocka_unit_test(test_floats),
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
