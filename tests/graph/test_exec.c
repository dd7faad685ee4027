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
  OK(lfm_alloc_array(&f.packed, lfm_graph_packed_bytes(f.graph, true), 1));
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
    lfm_graph_pack(f->graph, i, 0, lfm_graph_tensor_at(f->graph, i)->shape[0], f->w, f->packed, true);
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

/* A fixture whose run pushes `probes` vectors a row, filled with numbers that are neither signs nor units. */
static fixture make_probed(int64_t probes) {
  fixture f = make(LFM_EXEC_TRACE);
  lfm_exec *exact = f.exec;
  OK(lfm_exec_create_probed(f.graph, probes, ROWS, &f.exec));
  memcpy(lfm_exec_value(f.exec, f.t), lfm_exec_value(exact, f.t), ROWS * sizeof(double));
  memcpy(lfm_exec_value(f.exec, f.x), lfm_exec_value(exact, f.x), ROWS * DIM * sizeof(double));
  for (int64_t i = 0; i < ROWS * probes * DIM; i++) ((double *)lfm_exec_probes(f.exec))[i] = wave(i, 1.3);
  lfm_exec_destroy(exact);
  return f;
}

/* <e, J e> by differences along e, for numbers of probes that fill a panel in part, in two and by far. */
static void test_probes_are_quadratic_forms(void **state) {
  (void)state;
  static const int64_t counts[] = {1, 3, 64, 101};
  const double step = 1e-6;
  for (int c = 0; c < 4; c++) {
    int64_t probes = counts[c];
    fixture f = make_probed(probes);
    double *x = lfm_exec_value(f.exec, f.x), *v = lfm_exec_output(f.exec), *e = lfm_exec_probes(f.exec), start[ROWS * DIM];
    double above[ROWS * DIM], estimates[ROWS * 101];
    memcpy(start, x, sizeof start);
    memset(lfm_exec_trace(f.exec), 0xFF, (size_t)(ROWS * probes) * sizeof(double));
    for (int twice = 0; twice < 2; twice++) forward_loss(&f);
    memcpy(estimates, lfm_exec_trace(f.exec), (size_t)(ROWS * probes) * sizeof(double));
    for (int64_t k = 0; k < probes; k++) {
#define ALONG(i) e[((i) / DIM * probes + k) * DIM + (i) % DIM]
      for (int64_t i = 0; i < ROWS * DIM; i++) x[i] = start[i] + step * ALONG(i);
      forward_loss(&f);
      memcpy(above, v, sizeof above);
      for (int64_t i = 0; i < ROWS * DIM; i++) x[i] = start[i] - step * ALONG(i);
      forward_loss(&f);
      double want[ROWS] = {0};
      for (int64_t i = 0; i < ROWS * DIM; i++) want[i / DIM] += ALONG(i) * (above[i] - v[i]) / (2 * step);
      for (int row = 0; row < ROWS; row++) assert_true(fabs(estimates[row * probes + k] - want[row]) < 1e-8);
    }
    drop(&f);
  }
}

/* The unit vectors as probes: their sum is the exact trace. */
static void test_unit_probes_give_the_trace(void **state) {
  (void)state;
  fixture exact = make(LFM_EXEC_TRACE), f = make_probed(DIM);
  double *e = lfm_exec_probes(f.exec), *estimates = lfm_exec_trace(f.exec), *trace = lfm_exec_trace(exact.exec);
  for (int64_t i = 0; i < ROWS * DIM * DIM; i++) e[i] = i % DIM == i / DIM % DIM;
  forward_loss(&exact);
  forward_loss(&f);
  for (int row = 0; row < ROWS; row++) {
    double sum = 0.0;
    for (int k = 0; k < DIM; k++) sum += estimates[row * DIM + k];
    assert_true(fabs(sum - trace[row]) < 1e-14);
  }
  assert_null(lfm_exec_probes(exact.exec));
  lfm_exec *none;
  assert_int_equal(lfm_exec_create_probed(f.graph, 0, ROWS, &none), LFM_E_USAGE);
  assert_int_equal(lfm_exec_create_probed(f.graph, (int64_t)1 << 40, ROWS, &none), LFM_E_USAGE);
  assert_null(none);
  drop(&exact);
  drop(&f);
}

/* One map v = A x + b: with probes no hidden layer is needed. */
static void test_a_single_map_may_be_probed(void **state) {
  (void)state;
  lfm_graph *g;
  lfm_exec *exec;
  lfm_value x, v;
  double w[6] = {1, 2, 3, 4, 0, 0}, *packed;
  OK(lfm_graph_create(lfm_kernels_ref64(), &g));
  OK(lfm_graph_input(g, 2, true, &x));
  OK(lfm_graph_linear(g, "a", x, 2, (lfm_act){LFM_ACT_NONE, 0}, &v));
  OK(lfm_graph_finish(g, v));
  assert_int_equal(lfm_exec_create(g, LFM_EXEC_TRACE, 1, &exec), LFM_E_UNSUPPORTED);
  OK(lfm_exec_create_probed(g, 2, 1, &exec));
  OK(lfm_alloc_array(&packed, lfm_graph_packed_bytes(g, true), 1));
  lfm_graph_pack(g, 0, 0, 2, w, packed, true);
  memcpy(lfm_exec_probes(exec), (double[]){1, 1, 1, -1}, 4 * sizeof(double));
  OK(lfm_exec_forward(exec, w, packed));
  const double *estimates = lfm_exec_trace(exec);
  assert_true(estimates[0] == 10.0 && estimates[1] == 0.0);
  lfm_free(packed);
  lfm_exec_destroy(exec);
  lfm_graph_destroy(g);
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

/* One kind beyond the last: a probed run. */
static lfm_status build_and_plan(fixture *f, int kind) {
  LFM_TRY(lfm_graph_create(lfm_kernels_ref64(), &f->graph));
  LFM_TRY(build(f));
  if (kind > LFM_EXEC_TRACE) return lfm_exec_create_probed(f->graph, 5, ROWS, &f->exec);
  return lfm_exec_create(f->graph, (lfm_exec_kind)kind, ROWS, &f->exec);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  for (int kind = LFM_EXEC_FORWARD; kind <= LFM_EXEC_TRACE + 1; kind++) {
    lfm_status status = LFM_E_MEMORY;
    uint64_t at = 1;
    for (; status != LFM_OK; at++) {
      fixture f = {0};
      lfm_alloc_fail_at(at);
      status = build_and_plan(&f, kind);
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
      cmocka_unit_test(test_probes_are_quadratic_forms), cmocka_unit_test(test_unit_probes_give_the_trace),
      cmocka_unit_test(test_a_single_map_may_be_probed), cmocka_unit_test(test_graphs_that_make_no_sense),
      cmocka_unit_test(test_refused_memory_is_reported), cmocka_unit_test(test_operations_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
