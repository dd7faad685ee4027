/* SPDX-License-Identifier: MIT
 *
 * test_likelihood.c -- log p of chains whose density is known, densities that integrate to one, every solver to the same
 * value, and the published protocol against its own steps written out in double.
 */
#include "flow_support.h"

#include "flow/likelihood.h"
#include "net/net.h"

enum { ROWS = 40 };

typedef struct scored {
  double logp[8192];
  uint8_t failed[8192];
  int64_t nfe[8192];
} scored;

static void score(const lfm_model *model, const lfm_solver_options *options, bool paper, int64_t rows, const double *x,
                  scored *out) {
  lfm_solve solve;
  lfm_team *team;
  lfm_meter meter;
  lfm_meter_begin(&meter, NULL, NULL);
  memset(out, 0xA5, sizeof *out);
  OK(lfm_solve_parse(options, model->blocks, &solve));
  OK(lfm_team_create(2, &team));
  lfm_likelihood_rows task = {.count = rows, .x = (double *)x, .logp = out->logp, .failed = out->failed, .nfe = out->nfe};
  OK(lfm_likelihood(model, team, &solve, paper, &task, &meter));
  lfm_team_destroy(team);
}

static void normal_density(void **state) {
  (void)state;
  assert_near(lfm_normal_logp((double[]){0.0}, 1), -0.91893853320467274, 1e-15);
  assert_near(lfm_normal_logp((double[]){1.0, -2.0, 0.5}, 3), -1.5 * log(2 * M_PI) - 0.5 * 5.25, 1e-14);
}

/* Three blocks x -> e^rate x: log p(x) = log N(e^sum x) + dim sum. */
static void linear_chain_has_its_density(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 3, 2);
  lfm_model *model = linear_chain(table, (double[]){-0.5, 0.2, -0.9}, 3);
  scored got;
  score(model, &(lfm_solver_options){.tol = 1e-8}, false, ROWS, table->values, &got);
  for (int i = 0; i < ROWS; i++) {
    double z[3];
    for (int j = 0; j < 3; j++) z[j] = exp(-1.2) * table->values[3 * i + j];
    assert_near(got.logp[i], lfm_normal_logp(z, 3) - 3 * 1.2, 2e-6);
    assert_true(got.failed[i] == 0 && got.nfe[i] > 3 * 6);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* The normaliser's part: data with standard deviations 2 and 5 under the identity chain. */
static void units_are_those_of_the_data(void **state) {
  (void)state;
  const double corners[] = {-2, -5, 2, 5, -2, 5, 2, -5};
  lfm_table *table;
  OK(lfm_table_create(corners, 4, 2, NULL, NULL, &table));
  lfm_model *model = random_chain(table, NULL, 0.0);
  scored got;
  score(model, &(lfm_solver_options){0}, false, 4, corners, &got);
  for (int i = 0; i < 4; i++) assert_near(got.logp[i], lfm_normal_logp((double[]){1, 1}, 2) - log(10), 1e-9);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* The chain cut at border n is the model whose blocks end there. */
static void cuts_are_shorter_chains(void **state) {
  (void)state;
  enum { BLOCKS = 3 };
  lfm_table *table = gaussian_table(ROWS, 2, 4);
  lfm_model *model = random_chain(table, KEYS("hks=[0.1, 0.2, null]", "normalise=whiten"), 1.5);
  static scored whole;
  double cut[(BLOCKS + 1) * ROWS];
  lfm_solve solve;
  lfm_team *team;
  lfm_meter meter;
  memset(cut, 0xA5, sizeof cut);
  lfm_meter_begin(&meter, NULL, NULL);
  OK(lfm_solve_parse(&(lfm_solver_options){0}, BLOCKS, &solve));
  OK(lfm_team_create(2, &team));
  lfm_likelihood_rows rows = {
      .count = ROWS, .x = table->values, .logp = whole.logp, .cut = cut, .failed = whole.failed, .nfe = whole.nfe};
  OK(lfm_likelihood(model, team, &solve, false, &rows, &meter));
  lfm_team_destroy(team);
  for (int n = 0; n <= BLOCKS; n++) {
    lfm_model shorter = *model;
    static scored got;
    shorter.blocks = n;
    score(&shorter, &(lfm_solver_options){0}, false, ROWS, table->values, &got);
    for (int i = 0; i < ROWS; i++) assert_true(cut[n * ROWS + i] == got.logp[i]);
  }
  assert_memory_equal(whole.logp, cut + BLOCKS * ROWS, ROWS * sizeof *cut);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Exact trace, normaliser and solver together: any error in one of them leaves an integral that is not 1. */
static void densities_integrate_to_one(void **state) {
  (void)state;
  static scored got;
  static double grid[2 * 8192];
  lfm_table *line = gaussian_table(30, 1, 3), *plane = gaussian_table(30, 2, 3);
  lfm_model *one = random_chain(line, KEYS("hks=[0.1, 0.2, null]"), 2.0);
  lfm_model *two = random_chain(plane, KEYS("normalise=whiten"), 2.0);
  lfm_model *drawn = random_chain(plane, KEYS("normalise=radial"), 2.0);
  enum { LINE = 2001, SIDE = 81 };

  double step = 120.0 / (LINE - 1), integral = 0.0;
  for (int i = 0; i < LINE; i++) grid[i] = -60.0 + step * i;
  score(one, &(lfm_solver_options){0}, false, LINE, grid, &got);
  for (int i = 0; i < LINE; i++) integral += exp(got.logp[i]) * step;
  assert_near(integral, 1.0, 1e-4);

  double cell = 80.0 / (SIDE - 1);
  const lfm_model *const flat[] = {two, drawn};
  for (int i = 0; i < SIDE * SIDE; i++) grid[2 * i] = cell * (i % SIDE) - 40.0, grid[2 * i + 1] = cell * (i / SIDE) - 40.0;
  for (int k = 0; k < 2; k++) {
    integral = 0.0;
    score(flat[k], &(lfm_solver_options){0}, false, SIDE * SIDE, grid, &got);
    for (int i = 0; i < SIDE * SIDE; i++) integral += exp(got.logp[i]) * cell * cell;
    assert_near(integral, 1.0, 2e-3);
  }

  lfm_model_destroy(one);
  lfm_model_destroy(two);
  lfm_model_destroy(drawn);
  lfm_table_destroy(line);
  lfm_table_destroy(plane);
}

static void every_solver_converges_to_the_same(void **state) {
  (void)state;
  static const struct {
    lfm_solver_options options;
    double tolerance;
  } solvers[] = {{{.solver = "euler", .nfe = 8000}, 5e-3},   {{.solver = "heun", .nfe = 800}, 1e-3},
                 {{.solver = "midpoint", .nfe = 800}, 1e-3}, {{.solver = "rk4", .nfe = 400}, 1e-4},
                 {{.solver = "tsit5", .tol = 1e-6}, 1e-4},   {{.solver = "dopri5", .tol = 1e-6}, 1e-4},
                 {{.solver = "bs23", .tol = 1e-6}, 1e-4},    {{.solver = "dopri5", .nfe = 240}, 1e-4}};
  lfm_table *table = gaussian_table(ROWS, 2, 4);
  lfm_model *model = random_chain(table, NULL, 1.5);
  static scored exact, got;
  score(model, &(lfm_solver_options){.tol = 1e-8}, false, ROWS, table->values, &exact);
  for (size_t k = 0; k < sizeof solvers / sizeof *solvers; k++) {
    score(model, &solvers[k].options, false, ROWS, table->values, &got);
    for (int i = 0; i < ROWS; i++) assert_near(got.logp[i], exact.logp[i], solvers[k].tolerance);
    for (int i = 0; i < ROWS && solvers[k].options.nfe; i++) assert_int_equal(got.nfe[i], solvers[k].options.nfe);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* ---- probes -------------------------------------------------------------------------------------------------- */

/* By K probes; variance [rows]. */
static void score_probed(const lfm_model *model, lfm_probes probes, bool paper, int64_t rows, const double *x, scored *out,
                         double *variance) {
  lfm_solve solve;
  lfm_team *team;
  lfm_meter meter;
  lfm_meter_begin(&meter, NULL, NULL);
  memset(out, 0xA5, sizeof *out);
  for (int64_t i = 0; i < rows; i++) variance[i] = -1.0;
  probes.variance = variance;
  OK(lfm_solve_parse(&(lfm_solver_options){0}, model->blocks, &solve));
  OK(lfm_team_create(2, &team));
  lfm_likelihood_rows task = {
      .count = rows, .x = (double *)x, .probes = probes, .logp = out->logp, .failed = out->failed, .nfe = out->nfe};
  OK(lfm_likelihood(model, team, &solve, paper, &task, &meter));
  lfm_team_destroy(team);
}

/* e' (rate I) e = d rate whatever the signs: no probe errs. */
static void probes_are_exact_for_a_diagonal_jacobian(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 3, 2);
  lfm_model *model = linear_chain(table, (double[]){-0.5, 0.2, -0.9}, 3);
  static scored exact, got;
  double variance[ROWS];
  for (int paper = 0; paper < 2; paper++) {
    score(model, &(lfm_solver_options){0}, paper, ROWS, table->values, &exact);
    for (int count = 1; count < 6; count += 2) {
      score_probed(model, (lfm_probes){.count = count, .seed = 3}, paper, ROWS, table->values, &got, variance);
      for (int i = 0; i < ROWS; i++) {
        assert_near(got.logp[i], exact.logp[i], 2e-6);
        if (count == 1) assert_true(isnan(variance[i]));
        else assert_near(variance[i], 0.0, 1e-10);
      }
    }
  }
  score_probed(model, (lfm_probes){0}, false, ROWS, table->values, &got, variance);
  score(model, &(lfm_solver_options){0}, false, ROWS, table->values, &exact);
  assert_memory_equal(got.logp, exact.logp, ROWS * sizeof(double)); /* none: the exact trace */
  for (int i = 0; i < ROWS; i++) assert_true(variance[i] == -1.0);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Many probes of each row: the mean is right to its own standard error, which is right in size: a squared error is one
 * variance on average. */
static void probes_are_unbiased(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 4, 4);
  lfm_model *model = random_chain(table, NULL, 2.0);
  static scored exact, got;
  double variance[ROWS], squares = 0.0, smallest = INFINITY;
  score(model, &(lfm_solver_options){.tol = 1e-7}, false, ROWS, table->values, &exact);
  score_probed(model, (lfm_probes){.count = 200}, false, ROWS, table->values, &got, variance);
  for (int i = 0; i < ROWS; i++) {
    double z = (got.logp[i] - exact.logp[i]) / sqrt(variance[i]);
    assert_true(fabs(z) < 4.0);
    squares += z * z / ROWS;
    smallest = fmin(smallest, sqrt(variance[i]));
  }
  assert_true(smallest > 3e-4); /* well above the solver's error, or nothing would have been seen */
  assert_true(squares > 0.5 && squares < 1.6);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Few probes, many seeds: how far log p really varies is what `variance` says of itself. */
static void variance_is_that_over_seeds(void **state) {
  (void)state;
  enum { SEEDS = 60, FEW = 12 };
  lfm_table *table = gaussian_table(FEW, 4, 4);
  lfm_model *model = random_chain(table, NULL, 2.0);
  static scored exact, got;
  double variance[FEW], said = 0.0, seen = 0.0;
  score(model, &(lfm_solver_options){.tol = 1e-7}, false, FEW, table->values, &exact);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    score_probed(model, (lfm_probes){.count = 3, .seed = seed}, false, FEW, table->values, &got, variance);
    for (int i = 0; i < FEW; i++) said += variance[i], seen += pow(got.logp[i] - exact.logp[i], 2);
  }
  assert_true(seen / said > 0.8 && seen / said < 1.25); /* 720 squares of either kind */
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* A row has the probes of its number and K, not of its place or company; another number, seed or row has others. */
static void probes_go_by_the_rows_number(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 4, 4);
  lfm_model *model = random_chain(table, NULL, 2.0);
  static scored whole, part, other;
  static double turned[4 * ROWS];
  int64_t number[ROWS];
  double variance[ROWS], variance_of_part[ROWS];
  score_probed(model, (lfm_probes){.count = 3, .seed = 5}, false, ROWS, table->values, &whole, variance);
  for (int64_t i = 0; i < ROWS; i++) {
    number[i] = ROWS - 1 - i;
    memcpy(turned + 4 * i, table->values + 4 * number[i], 4 * sizeof *turned);
  }
  for (int64_t rows = 1; rows <= ROWS; rows += 13) {
    score_probed(model, (lfm_probes){.count = 3, .seed = 5, .number = number}, false, rows, turned, &part, variance_of_part);
    for (int64_t i = 0; i < rows; i++)
      assert_true(part.logp[i] == whole.logp[number[i]] && variance_of_part[i] == variance[number[i]] &&
                  part.nfe[i] == whole.nfe[number[i]]);
  }
  score_probed(model, (lfm_probes){.count = 3, .seed = 6}, false, ROWS, table->values, &other, variance);
  score_probed(model, (lfm_probes){.count = 3, .seed = 5}, false, ROWS, turned, &part, variance);
  for (int64_t i = 0; i < ROWS; i++) assert_true(other.logp[i] != whole.logp[i] && part.logp[i] != whole.logp[number[i]]);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void probes_out_of_range_are_refused(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(2, 2, 4);
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_solve solve = {.solver = LFM_DOPRI5, .tol = 1e-5};
  double logp[2];
  uint8_t failed[2];
  int64_t nfe[2];
  for (int i = 0; i < 2; i++) {
    lfm_probes probes = {.count = i ? LFM_MOST_PROBES + 1 : -1};
    lfm_likelihood_rows rows = {.count = 2, .x = table->values, .probes = probes, .logp = logp, .failed = failed, .nfe = nfe};
    FAILS(LFM_E_USAGE, lfm_likelihood(model, NULL, &solve, false, &rows, NULL));
    assert_says(i ? "probes: 1001 is not between" : "probes: -1 is not between");
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* ---- the published protocol ---------------------------------------------------------------------------------- */

/* v and trace of one row in double, with the weights of a block. */
typedef struct oracle {
  lfm_net *net;
  lfm_params *params[2];
  lfm_run *run;
} oracle;

static oracle oracle_of(const lfm_model *model) {
  oracle o;
  lfm_mlp_config mlp = {lfm_net_dim(model->net), 16, 2, {LFM_ACT_TANH, 0}, false, 0, false, {0}};
  OK(lfm_mlp_create(&mlp, lfm_kernels_ref64(), &o.net));
  for (int n = 0; n < 2; n++) {
    OK(lfm_params_create(o.net, &o.params[n]));
    lfm_params_set(o.params[n], lfm_params_values(model->params[n]));
  }
  OK(lfm_run_create(o.net, LFM_RUN_TRACE, 1, &o.run));
  return o;
}

static double evaluate(oracle *o, int block, double t, const double x[2], double v[2]) {
  *(double *)lfm_run_t(o->run) = t;
  memcpy(lfm_run_x(o->run), x, 2 * sizeof *x);
  OK(lfm_run_forward(o->run, o->params[block]));
  memcpy(v, lfm_run_v(o->run), 2 * sizeof *v);
  return *(const double *)lfm_run_trace(o->run);
}

/* 149 Euler steps: *x to their end, and the trace's sum. */
static double euler(oracle *o, int block, double x[2]) {
  double trace = 0.0, v[2];
  for (int k = 0; k < 149; k++) {
    trace += evaluate(o, block, k / 149.0, x, v) / 149.0;
    for (int j = 0; j < 2; j++) x[j] += v[j] / 149.0;
  }
  return trace;
}

/* Classical Runge-Kutta in 200 steps stands for dopri5 between the blocks. */
static void transport(oracle *o, int block, double x[2]) {
  const double h = 1.0 / 200;
  for (int k = 0; k < 200; k++) {
    double a[2], b[2], c[2], d[2], y[2], t = k * h;
    evaluate(o, block, t, x, a);
    for (int j = 0; j < 2; j++) y[j] = x[j] + h / 2 * a[j];
    evaluate(o, block, t + h / 2, y, b);
    for (int j = 0; j < 2; j++) y[j] = x[j] + h / 2 * b[j];
    evaluate(o, block, t + h / 2, y, c);
    for (int j = 0; j < 2; j++) y[j] = x[j] + h * c[j];
    evaluate(o, block, t + h, y, d);
    for (int j = 0; j < 2; j++) x[j] += h / 6 * (a[j] + 2 * b[j] + 2 * c[j] + d[j]);
  }
}

static void paper_protocol_is_its_own_arithmetic(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 2, 6);
  lfm_model *model = random_chain(table, KEYS("normalise=none"), 1.5);
  oracle o = oracle_of(model);
  static scored paper, converged;
  double bias = 0.0;
  score(model, &(lfm_solver_options){.tol = 1e-7}, true, ROWS, table->values, &paper);
  score(model, &(lfm_solver_options){.tol = 1e-7}, false, ROWS, table->values, &converged);
  for (int i = 0; i < ROWS; i++) {
    double x[2] = {table->values[2 * i], table->values[2 * i + 1]}, end[2] = {x[0], x[1]};
    double trace = euler(&o, 0, end);
    transport(&o, 0, x);
    trace += euler(&o, 1, x);
    assert_near(paper.logp[i], trace + lfm_normal_logp(x, 2), 2e-5);
    bias = fmax(bias, fabs(paper.logp[i] - converged.logp[i]));
  }
  assert_true(bias > 1e-4); /* or the test would not tell the two apart */
  lfm_run_destroy(o.run);
  for (int n = 0; n < 2; n++) lfm_params_destroy(o.params[n]);
  lfm_net_destroy(o.net);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* The published code's bias on a map that is known: (1 + r / 149)^149 instead of e^r. */
static void paper_protocol_on_a_linear_block(void **state) {
  (void)state;
  const double x[] = {1.0, -2.0};
  lfm_table *table = gaussian_table(10, 2, 6);
  lfm_model *model = linear_chain(table, (double[]){0.8}, 1);
  scored got;
  score(model, &(lfm_solver_options){0}, true, 1, x, &got);
  double factor = pow(1.0 + 0.8 / 149, 149);
  assert_near(got.logp[0], lfm_normal_logp((double[]){factor, -2.0 * factor}, 2) + 2 * 0.8, 1e-5);
  assert_int_equal(got.nfe[0], 149);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void rows_advised(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(10, 2, 6);
  lfm_model *model = random_chain(table, NULL, 1.0);
  assert_int_equal(lfm_likelihood_rows_advised(model, 7), 7);
  assert_int_equal(lfm_likelihood_rows_advised(model, 1000000), 2000);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(normal_density),
      cmocka_unit_test(linear_chain_has_its_density),
      cmocka_unit_test(units_are_those_of_the_data),
      cmocka_unit_test(cuts_are_shorter_chains),
      cmocka_unit_test(densities_integrate_to_one),
      cmocka_unit_test(every_solver_converges_to_the_same),
      cmocka_unit_test(probes_are_exact_for_a_diagonal_jacobian),
      cmocka_unit_test(probes_are_unbiased),
      cmocka_unit_test(variance_is_that_over_seeds),
      cmocka_unit_test(probes_go_by_the_rows_number),
      cmocka_unit_test(probes_out_of_range_are_refused),
      cmocka_unit_test(paper_protocol_is_its_own_arithmetic),
      cmocka_unit_test(paper_protocol_on_a_linear_block),
      cmocka_unit_test(rows_advised),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
