/* SPDX-License-Identifier: MIT
 *
 * test_exec.c -- graphs that are no chain: a value read by several nodes (its gradient is a sum), a still branch beside a
 * moving one, an activation on the output; gradients and trace against central finite differences in double.
 */
#include "core/alloc.h"
#include "graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), LFM_OK)

enum { ROWS = 4, DIM = 3 };
static const lfm_act act_tanh = {LFM_ACT_TANH, 0}, silu = {LFM_ACT_SILU, 0};

typedef struct fixture {
  lfm_graph *graph;
  lfm_exec *exec;
  lfm_value t, x;
  int64_t params;
  double *w, *packed, *grads;
} fixture;

/* s = tanh(A t) is read four times: twice in one concat, once behind another; h moves, s and t do not; v has an activation.
 */
static lfm_status build(fixture *f) {
  lfm_value s, twice, h, front, deep, v;
  lfm_graph *g = f->graph;
  LFM_TRY(lfm_graph_input(g, 1, false, &f->t));
  LFM_TRY(lfm_graph_input(g, DIM, true, &f->x));
  LFM_TRY(lfm_graph_linear(g, "time", f->t, 5, act_tanh, &s));
  LFM_TRY(lfm_graph_concat(g, s, s, &twice));
  LFM_TRY(lfm_graph_concat(g, twice, f->x, &front));
  LFM_TRY(lfm_graph_linear(g, "first", front, 7, silu, &h));
  LFM_TRY(lfm_graph_concat(g, s, h, &h));
  LFM_TRY(lfm_graph_linear(g, "second", h, 6, act_tanh, &deep));
  LFM_TRY(lfm_graph_concat(g, s, deep, &deep));
  LFM_TRY(lfm_graph_concat(g, f->t, deep, &deep));
  LFM_TRY(lfm_graph_linear(g, "last", deep, DIM, silu, &v));
  return lfm_graph_finish(g, v);
}

static double wave(int64_t i, double speed) { return sin(speed * (double)(i + 1)); }

static fixture make(lfm_exec_kind kind) {
  fixture f = {0};
  OK(lfm_graph_create(lfm_kernels_ref64(), &f.graph));
  OK(build(&f));
  OK(lfm_exec_create(f.graph, kind, ROWS, &f.exec));
  f.params = lfm_graph_param_count(f.graph);
  OK(LFM_ALLOC(&f.w, f.params));
  OK(LFM_ALLOC(&f.grads, f.params));
  OK(LFM_ALLOC(&f.packed, lfm_graph_packed_count(f.graph)));
  for (int64_t i = 0; i < f.params; i++) f.w[i] = 0.7 * wave(i, 1.7);
  for (int64_t i = 0; i < ROWS; i++) ((double *)lfm_exec_value(f.exec, f.t))[i] = wave(i, 0.9);
  for (int64_t i = 0; i < ROWS * DIM; i++) ((double *)lfm_exec_value(f.exec, f.x))[i] = wave(i, 2.3);
  memset(f.grads, 0xFF, (size_t)f.params * sizeof *f.grads);
  return f;
}

static void drop(fixture *f) {
  lfm_exec_destroy(f->exec);
  lfm_graph_destroy(f->graph);
  lfm_free(f->w), lfm_free(f->packed), lfm_free(f->grads);
}

static double forward_loss(fixture *f) {
  double loss = 0;
  for (int i = 0; i < lfm_graph_tensor_count(f->graph); i++)
    lfm_graph_pack(f->graph, i, 0, lfm_graph_tensor_at(f->graph, i)->shape[0], f->w, f->packed);
  OK(lfm_exec_forward(f->exec, f->w, f->packed));
  for (int64_t i = 0; i < ROWS * DIM; i++) loss += wave(i, 3.1) * ((double *)lfm_exec_output(f->exec))[i];
  return loss;
}

static void test_gradients_of_shared_values(void **state) {
  (void)state;
  fixture f = make(LFM_EXEC_BACKWARD);
  const double step = 1e-6;
  forward_loss(&f);
  for (int64_t i = 0; i < ROWS * DIM; i++) ((double *)lfm_exec_output_gradient(f.exec))[i] = wave(i, 3.1);
  OK(lfm_exec_backward(f.exec, f.w, f.packed, f.grads, false));
  for (int64_t i = 0; i < f.params; i++) {
    double kept = f.w[i];
    f.w[i] = kept + step;
    double above = forward_loss(&f);
    f.w[i] = kept - step;
    double below = forward_loss(&f);
    f.w[i] = kept;
    if (!(fabs(f.grads[i] - (above - below) / (2 * step)) < 1e-8)) fail_msg("parameter %d", (int)i);
  }
  drop(&f);
}

static void test_trace_beside_still_values(void **state) {
  (void)state;
  fixture f = make(LFM_EXEC_TRACE);
  const double step = 1e-6;
  double *x = lfm_exec_value(f.exec, f.x), *v = lfm_exec_output(f.exec), want[ROWS] = {0}, trace[ROWS];
  forward_loss(&f);
  memcpy(trace, lfm_exec_trace(f.exec), sizeof trace);
  for (int64_t i = 0; i < ROWS * DIM; i++) {
    double kept = x[i];
    x[i] = kept + step, forward_loss(&f);
    double above = v[i];
    x[i] = kept - step, forward_loss(&f);
    want[i / DIM] += (above - v[i]) / (2 * step);
    x[i] = kept;
  }
  for (int row = 0; row < ROWS; row++) assert_true(fabs(trace[row] - want[row]) < 1e-8);
  drop(&f);
}

static void test_graphs_that_make_no_sense(void **state) {
  (void)state;
  lfm_graph *g;
  lfm_value t, x, h, v;
  lfm_exec *exec;
  OK(lfm_graph_create(lfm_kernels_ref64(), &g));
  OK(lfm_graph_input(g, 1, false, &t));
  OK(lfm_graph_input(g, 2, true, &x));
  assert_int_equal(lfm_graph_input(g, 2, true, &v), LFM_E_USAGE);          /* a second moving input */
  assert_int_equal(lfm_graph_linear(g, "a", 9, 4, silu, &v), LFM_E_USAGE); /* no such value */
  assert_int_equal(lfm_graph_linear(g, "a", x, 0, silu, &v), LFM_E_USAGE);
  assert_int_equal(lfm_graph_concat(g, x, t, &v), LFM_E_UNSUPPORTED); /* moving before still */
  assert_int_equal(lfm_graph_finish(g, x), LFM_E_USAGE);              /* an input is no output */
  OK(lfm_graph_linear(g, "a", x, 4, silu, &h));
  assert_int_equal(lfm_graph_finish(g, h), LFM_E_USAGE); /* t is never read */
  OK(lfm_graph_concat(g, t, h, &h));
  OK(lfm_graph_linear(g, "b", h, 3, silu, &v));
  assert_int_equal(lfm_exec_create(g, LFM_EXEC_FORWARD, 1, &exec), LFM_E_USAGE); /* not finished */
  OK(lfm_graph_finish(g, v));
  assert_int_equal(lfm_graph_linear(g, "c", v, 3, silu, &h), LFM_E_USAGE);           /* finished */
  assert_int_equal(lfm_exec_create(g, LFM_EXEC_TRACE, 1, &exec), LFM_E_UNSUPPORTED); /* 3 outputs of 2 inputs */
  assert_null(exec);
  lfm_graph_destroy(g);
}

static lfm_status build_and_plan(fixture *f, lfm_exec_kind kind) {
  LFM_TRY(lfm_graph_create(lfm_kernels_ref64(), &f->graph));
  LFM_TRY(build(f));
  return lfm_exec_create(f->graph, kind, ROWS, &f->exec);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  for (int kind = LFM_EXEC_FORWARD; kind <= LFM_EXEC_TRACE; kind++) {
    lfm_status status = LFM_E_MEMORY;
    uint64_t at = 1;
    for (; status != LFM_OK; at++) {
      fixture f = {0};
      lfm_alloc_fail_at(at);
      status = build_and_plan(&f, (lfm_exec_kind)kind);
      if (status != LFM_OK) assert_int_equal(status, LFM_E_MEMORY);
      lfm_exec_destroy(f.exec);
      lfm_graph_destroy(f.graph);
    }
    lfm_alloc_fail_at(0);
    assert_true(at > 15);
  }
}

/* Multiply-adds by hand: time 5, first 13*7, second 12*6, last 12*3. */
static void test_operations_are_counted(void **state) {
  (void)state;
  fixture f = make(LFM_EXEC_FORWARD);
  lfm_graph_flops flops = lfm_graph_count_flops(f.graph);
  assert_true(flops.forward == 2.0 * (5 + 91 + 72 + 36));
  assert_true(flops.backward == 2.0 * (5 + 2 * 91 + 2 * 72 + 2 * 36));
  assert_true(flops.trace == 2.0 * (DIM * 7 * 6 + 6 * 3));
  drop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients_of_shared_values), cmocka_unit_test(test_trace_beside_still_values),
      cmocka_unit_test(test_graphs_that_make_no_sense),  cmocka_unit_test(test_refused_memory_is_reported),
      cmocka_unit_test(test_operations_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
