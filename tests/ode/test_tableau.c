/* SPDX-License-Identifier: MIT
 *
 * Each tableau is proved, not sampled: a Runge-Kutta method has order p exactly when, for every rooted tree of up to p
 * vertices, sum_i b_i phi_i(tree) = 1 / gamma(tree)  [Hairer, Norsett, Wanner I, Theorem II.2.13].
 */
#include "rows.h"

#include "ode/tableau.h"

enum { MOST = LFM_TABLEAU_STAGES + 1 };

/* A tableau with the extra stage of a pair written out. */
typedef struct whole {
  int stages;
  double c[MOST], a[MOST][MOST], b[MOST], b_hat[MOST];
} whole;

static whole write_out(const lfm_tableau *tableau) {
  whole w = {.stages = tableau->stages + tableau->fsal};
  for (int i = 0; i < tableau->stages; i++) {
    w.c[i] = tableau->c[i];
    w.b[i] = tableau->b[i];
    for (int j = 0; j < i; j++) w.a[i][j] = tableau->a[i][j];
  }
  if (tableau->fsal) w.c[tableau->stages] = 1.0;
  for (int j = 0; tableau->fsal && j < tableau->stages; j++) w.a[tableau->stages][j] = tableau->b[j];
  for (int i = 0; i < w.stages; i++) w.b_hat[i] = w.b[i] + tableau->e[i];
  return w;
}

/* Rooted trees by their number of vertices, a vertex as a pair of brackets around its branches: 1, 1, 2, 4, 9, 20. */
static const char *const trees[] = {
    "()",         "(())",       "((()))",     "(()())",     "(((())))",   "((()()))",
    "((())())",   "(()()())",   "((((()))))", "(((()())))", "(((())()))", "((()()()))",
    "(((()))())", "((()())())", "((())(()))", "((())()())", "(()()()())",
};
enum { TREES = sizeof trees / sizeof *trees };

/* A tree of six vertices that is not met by a method of order five: the tall one. */
static const char tall_tree[] = "(((((())))))";

/* phi [stages] of the tree at *text, moves *text behind it, multiplies *gamma; returns the number of vertices. */
static int weigh(const whole *w, const char **text, double phi[MOST], double *gamma) {
  int vertices = 1;
  for (int i = 0; i < w->stages; i++) phi[i] = 1.0;
  (*text)++;
  while (**text == '(') {
    double branch[MOST];
    vertices += weigh(w, text, branch, gamma);
    for (int i = 0; i < w->stages; i++) {
      double sum = 0.0;
      for (int j = 0; j < i; j++) sum += w->a[i][j] * branch[j];
      phi[i] *= sum;
    }
  }
  (*text)++;
  *gamma *= vertices;
  return vertices;
}

/* By how much the condition of this tree is missed; its number of vertices to *vertices. */
static double residual(const whole *w, const double *b, const char *tree, int *vertices) {
  double phi[MOST], gamma = 1.0, sum = 0.0;
  *vertices = weigh(w, &tree, phi, &gamma);
  for (int i = 0; i < w->stages; i++) sum += b[i] * phi[i];
  return sum - 1.0 / gamma;
}

/* Every condition up to ORDER holds to rounding (of terms up to 13 in size), and one of the next order does not. */
static void check_order(const char *name, const whole *w, const double *b, int order) {
  double next = 0.0;
  int checked = 0, vertices;
  for (int i = 0; i < TREES; i++) {
    double missed = fabs(residual(w, b, trees[i], &vertices));
    if (vertices == order + 1) next = fmax(next, missed);
    if (vertices > order) continue;
    checked++;
    if (missed > 2e-14) fail_msg("%s: tree %s is missed by %g", name, trees[i], missed);
  }
  const int trees_up_to[] = {0, 1, 2, 4, 8, 17};
  assert_int_equal(checked, trees_up_to[order]);
  if (order == 5) next = fabs(residual(w, b, tall_tree, &vertices));
  if (next < 1e-5) fail_msg("%s: order %d is understated", name, order);
}

static void test_order_conditions(void **state) {
  (void)state;
  const int orders[LFM_SOLVERS] = {1, 2, 2, 4, 3, 5, 5};
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    const lfm_tableau *tableau = lfm_tableau_of(solver);
    whole w = write_out(tableau);
    assert_int_equal(tableau->order, orders[solver]);
    check_order(tableau->name, &w, w.b, tableau->order);
    if (tableau->fsal) check_order("the embedded solution", &w, w.b_hat, tableau->embedded_order);
  }
}

static void test_row_sums(void **state) {
  (void)state;
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    whole w = write_out(lfm_tableau_of(solver));
    for (int i = 0; i < w.stages; i++) {
      double sum = 0.0;
      for (int j = 0; j < i; j++) sum += w.a[i][j];
      assert_true(fabs(sum - w.c[i]) < 2e-15 * (1.0 + 20.0 * (i > 3))); /* their terms are up to 13 in size */
    }
  }
}

static void test_error_weights(void **state) {
  (void)state;
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    const lfm_tableau *tableau = lfm_tableau_of(solver);
    double sum = 0.0, size = 0.0;
    for (int i = 0; i <= LFM_TABLEAU_STAGES; i++) {
      sum += tableau->e[i];
      size += fabs(tableau->e[i]);
    }
    assert_true(fabs(sum) < 1e-16); /* a constant field has no error */
    assert_int_equal(size > 0.0, tableau->fsal);
    assert_int_equal(lfm_solver_is_adaptive(solver), tableau->fsal);
    /* The size of the estimate's leading terms: a pair that always says "exact" would pass the sum. */
    if (tableau->fsal) assert_true(fabs(tableau->e[tableau->stages]) > 0.01);
  }
}

static void test_names(void **state) {
  (void)state;
  const int stages[LFM_SOLVERS] = {1, 2, 2, 4, 3, 6, 6};
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    lfm_solver parsed = LFM_SOLVERS;
    assert_ok(lfm_solver_parse(lfm_solver_name(solver), &parsed));
    assert_int_equal(parsed, solver);
    assert_int_equal(lfm_solver_stages(solver), stages[solver]);
  }
  lfm_solver untouched = LFM_RK4;
  assert_int_equal(lfm_solver_parse("rk45", &untouched), LFM_E_USAGE);
  assert_int_equal(untouched, LFM_RK4);
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++)
    assert_non_null(strstr(lfm_error(), lfm_solver_name(solver))); /* the message names what is known */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_conditions),
      cmocka_unit_test(test_row_sums),
      cmocka_unit_test(test_error_weights),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
