/* SPDX-License-Identifier: MIT
 *
 * test_ledger.c -- the ledger of chains whose every border is a known Gaussian, against closed forms and row by row; what it
 * adds up from scores; that order, threads and solver do not matter; and when the theory's assumptions are said to fail.
 */
#include "flow_support.h"

enum { ROWS = 4000, DIM = 2, BLOCKS = 3 };

/* Independent columns N(0, sd_j^2), sd [cols]. */
static lfm_table *wide_table(int64_t rows, int64_t cols, const double *sd, uint64_t seed) {
  lfm_table *table;
  float z[16];
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  OK(lfm_table_make(rows, cols, &table));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)cols);
    for (int64_t j = 0; j < cols; j++) table->values[i * cols + j] = sd[j] * (double)z[j];
  }
  return table;
}

static lfm_ledger_options options_of(int threads) {
  lfm_ledger_options options;
  lfm_ledger_defaults(&options);
  options.threads = threads;
  return options;
}

static lfm_ledger_result ledger(const lfm_model *model, const lfm_table *table, const lfm_ledger_options *options) {
  lfm_ledger_result result;
  memset(&result, 0xA5, sizeof result);
  OK(lfm_ledger(model, table, options, &result));
  return result;
}

/* Border n is N(0, variance[n] I): the OU process of steps 0.1, 0.1 from N(0, 4 I), then the rest of the way. */
static lfm_model *gaussian_chain(const lfm_table *table, double variance[BLOCKS + 1]) {
  double rates[BLOCKS];
  variance[0] = 4.0;
  for (int n = 1; n < BLOCKS; n++) variance[n] = exp(-0.2) * variance[n - 1] + 1.0 - exp(-0.2);
  variance[BLOCKS] = 1.0;
  for (int n = 0; n < BLOCKS; n++) rates[n] = 0.5 * log(variance[n + 1] / variance[n]);
  return linear_chain(table, rates, BLOCKS);
}

static double normal_logp(const double *x, double variance) {
  return -0.5 * (x[0] * x[0] + x[1] * x[1]) / variance - log(2 * M_PI * variance);
}

/* mean over the rows of log p_n - log q at x_n = sqrt(variance_n / variance_0) x_0. */
static double kl_by_rows(const lfm_table *table, const double *variance, int n) {
  double sum = 0.0;
  for (int64_t i = 0; i < table->rows; i++) {
    double x[DIM];
    for (int j = 0; j < DIM; j++) x[j] = table->values[DIM * i + j] * sqrt(variance[n] / variance[0]);
    sum += normal_logp(x, variance[n]) - normal_logp(x, 1.0);
  }
  return sum / (double)table->rows;
}

static void borders_have_their_closed_forms(void **state) {
  (void)state;
  double variance[BLOCKS + 1];
  lfm_table *table = wide_table(ROWS, DIM, (double[]){2, 2}, 1);
  lfm_model *model = gaussian_chain(table, variance);
  lfm_ledger_options options = options_of(2);
  options.solve.tol = 1e-7;
  lfm_ledger_result got = ledger(model, table, &options);
  assert_true(got.blocks == BLOCKS && got.rows == ROWS && got.failed == 0 && got.has_free_block);
  for (int n = 0; n <= BLOCKS; n++) {
    const lfm_ledger_border *border = &got.border[n];
    double kl = 0.5 * DIM * (variance[n] - 1.0 - log(variance[n]));
    double se = (variance[n] - 1.0) * sqrt(0.5 * DIM / ROWS); /* log p - log q is (variance - 1) / 2 times a chi^2 of DIM */
    assert_near(border->kl, kl_by_rows(table, variance, n), 1e-5);
    assert_near(border->kl, kl, 4.0 * border->kl_se + 1e-12);
    assert_near(border->kl_se, se, 0.1 * se + 1e-12);
    assert_true(isnan(border->true_kl) && isnan(border->true_kl_se));
    if (n < BLOCKS) {
      assert_near(border->theory, got.border[0].kl * exp(-0.2 * n), 1e-9);
      assert_true(n == 0 || border->kl < border->theory); /* the process contracts at least as fast */
    }
  }
  assert_true(isnan(got.border[0].gamma) && got.border[1].gamma == 0.1 && isnan(got.border[BLOCKS].gamma));
  assert_true(isnan(got.border[BLOCKS].theory) && got.border[BLOCKS].kl == 0.0);
  assert_true(isnan(got.excess) && isnan(got.over_fit) && isnan(got.train_nll) && isnan(got.probe_se));
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* The truth of the rows plus a constant: the model then loses that constant, and every border is as much further away. */
static void a_truth_gives_the_excess(void **state) {
  (void)state;
  enum { SHOWN = 500 };
  double variance[BLOCKS + 1], logp[2 * ROWS] = {0};
  static const char *const names[] = {"row", "logp"};
  lfm_table *table = wide_table(ROWS, DIM, (double[]){2, 2}, 2), *truth;
  lfm_model *model = gaussian_chain(table, variance);
  for (int64_t i = 0; i < ROWS; i++) logp[2 * i + 1] = normal_logp(table->values + DIM * i, 4.0) + 0.7;
  OK(lfm_table_create(logp, ROWS, 2, names, NULL, &truth));
  lfm_ledger_options options = options_of(1);
  options.truth = truth;
  options.rows = SHOWN;
  lfm_ledger_result got = ledger(model, table, &options);
  assert_int_equal(got.rows, SHOWN);
  assert_near(got.excess, 0.7, 1e-4);
  assert_true(got.excess_se < 1e-5);
  for (int n = 0; n <= BLOCKS; n++) {
    assert_near(got.border[n].true_kl - got.border[n].kl, got.excess, 1e-10);
    assert_near(got.border[n].true_kl_se, got.border[n].kl_se, 1e-4);
  }
  lfm_table_destroy(truth);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static lfm_score_result score(const lfm_model *model, const lfm_table *table, int64_t rows) {
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  options.rows = rows;
  OK(lfm_score(model, table, &options, NULL, &result));
  return result;
}

static void losses_are_those_of_score(void **state) {
  (void)state;
  lfm_table *train = gaussian_table(900, 3, 1), *heldout = gaussian_table(150, 3, 2);
  lfm_model *model = random_chain(train, KEYS("normalise=whiten"), 1.5);
  lfm_ledger_options options = options_of(2);
  options.train = train;
  options.rows = 120;
  lfm_ledger_result got = ledger(model, heldout, &options);
  lfm_score_result own = score(model, heldout, 120), learnt = score(model, train, 120);
  assert_near(got.nll, own.nll, 1e-12);
  assert_near(got.nll_se, own.nll_se, 1e-12);
  assert_true(got.nfe_mean == own.nfe_mean);
  assert_near(got.train_nll, learnt.nll, 1e-12);
  assert_near(got.over_fit, own.nll - learnt.nll, 1e-12);
  assert_near(got.over_fit_se, hypot(own.nll_se, learnt.nll_se), 1e-12);
  assert_true(got.solver_error == own.solver_error && got.solver_error > 0.0);
  lfm_model_destroy(model);
  lfm_table_destroy(train);
  lfm_table_destroy(heldout);
}

static void order_threads_and_solver_do_not_matter(void **state) {
  (void)state;
  enum { N = 300 };
  static int64_t order[N];
  lfm_table *table = gaussian_table(N, 3, 1), *other;
  lfm_model *model = random_chain(table, KEYS("hks=[0.1, 0.2, null]"), 1.5);
  lfm_ledger_options options = options_of(1), more = options_of(3), tsit5 = options_of(1), fixed = options_of(1);
  lfm_ledger_result first = ledger(model, table, &options), got = ledger(model, table, &more);
  assert_memory_equal(got.border, first.border, 4 * sizeof *first.border);
  assert_true(got.nll == first.nll && got.solver_error == first.solver_error && got.widest == first.widest);

  for (int64_t i = 0; i < N; i++) order[i] = (i * 61 + 5) % N;
  OK(lfm_table_take(table, order, N, &other));
  lfm_ledger_result turned = ledger(model, other, &options);
  tsit5.solve = (lfm_solver_options){.solver = "tsit5", .tol = 1e-6};
  fixed.solve = (lfm_solver_options){.solver = "rk4", .nfe = 600};
  lfm_ledger_result by_tsit5 = ledger(model, table, &tsit5), by_rk4 = ledger(model, table, &fixed);
  for (int n = 0; n <= 3; n++) {
    assert_near(turned.border[n].kl, first.border[n].kl, 1e-11);
    assert_near(turned.border[n].kl_se, first.border[n].kl_se, 1e-11);
    assert_near(by_tsit5.border[n].kl, first.border[n].kl, 1e-4);
    assert_near(by_rk4.border[n].kl, first.border[n].kl, 1e-4);
  }
  assert_true(by_rk4.solver_error < 1e-4 && by_rk4.nfe_mean == 600);
  assert_true(fabs(first.border[1].kl - first.border[2].kl) > 0.01); /* or nothing was compared */
  lfm_table_destroy(other);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void clusters_and_probes_are_those_of_score(void **state) {
  (void)state;
  enum { N = 120 };
  double clusters[N];
  lfm_table *table = gaussian_table(N, 3, 2), *group;
  for (int i = 0; i < N; i++) clusters[i] = i / 10;
  OK(lfm_table_create(clusters, N, 1, NULL, NULL, &group));
  lfm_model *model = random_chain(table, KEYS("hks=[0.1, 0.2, null]"), 1.5);
  lfm_score_options score_options;
  lfm_score_result own, plain = score(model, table, 0);
  lfm_score_defaults(&score_options);
  lfm_ledger_options options = options_of(2), exactly = options_of(2);
  score_options.group = options.group = group;
  score_options.probes = options.probes = 4;
  score_options.seed = options.seed = 9;
  OK(lfm_score(model, table, &score_options, NULL, &own));
  lfm_ledger_result got = ledger(model, table, &options), exact = ledger(model, table, &exactly);
  assert_near(got.nll, own.nll, 1e-12);
  assert_near(got.nll_se, own.nll_se, 1e-12);
  assert_near(got.probe_se, own.probe_se, 1e-12);
  assert_true(got.probe_se > 0.0 && isnan(exact.probe_se) && fabs(got.nll_se - plain.nll_se) > 1e-3);
  for (int n = 0; n < 3; n++) assert_near(got.border[n].kl, exact.border[n].kl, 5.0 * got.probe_se);
  assert_true(got.border[3].kl == 0.0 && got.border[0].kl != exact.border[0].kl);
  options.probes = 1;
  got = ledger(model, table, &options);
  assert_true(isnan(got.probe_se) && isfinite(got.nll));
  lfm_table_destroy(group);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* The over-fit's error is of one kind: both halves by cluster or both by row, else it is not known. */
static void the_over_fit_is_clustered_on_both_sides(void **state) {
  (void)state;
  enum { N = 120 };
  double clusters[N];
  lfm_table *heldout = gaussian_table(N, 3, 2), *train = gaussian_table(N, 3, 3), *group;
  for (int i = 0; i < N; i++) clusters[i] = i / 10;
  OK(lfm_table_create(clusters, N, 1, NULL, NULL, &group));
  lfm_model *model = random_chain(heldout, NULL, 1.5);
  lfm_score_options score_options;
  lfm_score_result own, learnt;
  lfm_score_defaults(&score_options);
  score_options.group = group;
  OK(lfm_score(model, heldout, &score_options, NULL, &own));
  OK(lfm_score(model, train, &score_options, NULL, &learnt));
  lfm_ledger_options options = options_of(2);
  options.train = train, options.group = group, options.train_group = group;
  assert_near(ledger(model, heldout, &options).over_fit_se, hypot(own.nll_se, learnt.nll_se), 1e-12);
  options.train_group = NULL;
  lfm_ledger_result half = ledger(model, heldout, &options);
  assert_true(isnan(half.over_fit_se) && half.over_fit == own.nll - learnt.nll && isfinite(half.nll_se));
  options.group = NULL, options.train_group = group;
  assert_true(isnan(ledger(model, heldout, &options).over_fit_se));
  options.train = NULL;
  FAILS(LFM_E_USAGE, lfm_ledger(model, heldout, &options, &half));
  assert_says("train-group: it clusters the training rows, which only train gives");
  lfm_model_destroy(model);
  lfm_table_destroy(heldout), lfm_table_destroy(train), lfm_table_destroy(group);
}

static void variances_break_the_assumptions(void **state) {
  (void)state;
  static const struct {
    double sd[3];
    int64_t above_1, above_2;
  } cases[] = {{{1.0, 1.0, 1.0}, 0, 0}, {{1.3, 0.5, 1.0}, 1, 0}, {{1.3, 2.0, 1.6}, 3, 2}, {{0.1, 0.2, 0.3}, 0, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_table *table = wide_table(ROWS, 3, cases[k].sd, 7);
    lfm_model *model = random_chain(table, KEYS("normalise=none", "hks=[0.1, 0.2]"), 0.0);
    lfm_ledger_options options = options_of(2);
    lfm_ledger_result got = ledger(model, table, &options);
    double widest = 0.0;
    for (int j = 0; j < 3; j++) widest = fmax(widest, cases[k].sd[j] * cases[k].sd[j]);
    assert_near(got.widest, widest, 0.1 * widest);
    assert_near(got.chance, pow(1.0 + (sqrt(3) + 3.0) / sqrt(ROWS), 2), 1e-12);
    assert_true(got.above_1 == cases[k].above_1 && got.above_2 == cases[k].above_2);
    assert_true(got.dim == 3 && !got.has_free_block && isfinite(got.border[2].theory) == (got.border[0].kl > 0.0));
    lfm_model_destroy(model);
    lfm_table_destroy(table);
  }
}

/* Rows that differ by chance only are not said to break anything: 3 rows of N(0, I) have large eigenvalues. */
static void few_rows_show_little(void **state) {
  (void)state;
  lfm_table *table = wide_table(100, 2, (double[]){1, 1}, 3);
  lfm_model *model = random_chain(table, KEYS("normalise=none"), 0.0);
  lfm_ledger_options options = options_of(1);
  options.rows = 3;
  lfm_ledger_result got = ledger(model, table, &options);
  assert_true(got.above_1 == 0 && got.above_2 == 0);
  options.rows = 1;
  got = ledger(model, table, &options);
  assert_true(got.rows == 1 && isnan(got.widest) && isnan(got.border[0].kl_se) && isfinite(got.border[0].kl));
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Rows beyond the wall cannot be solved; the others stay where they are. */
static void failed_rows_are_counted_and_left_out(void **state) {
  (void)state;
  const double values[] = {0.5, 5.0, -1.0, 7.0, 1.5};
  lfm_table *table;
  OK(lfm_table_create(values, 5, 1, NULL, NULL, &table));
  lfm_model *model = walled_chain(table);
  lfm_ledger_options options = options_of(1);
  lfm_ledger_result got = ledger(model, table, &options);
  assert_true(got.rows == 3 && got.failed == 2);
  assert_near(got.nll, 0.5 * log(2 * M_PI) + (0.25 + 1.0 + 2.25) / 6, 1e-9);
  assert_near(got.border[0].kl, 0.0, 1e-12);
  assert_int_equal(got.train_failed, 0);

  const double learnt[] = {5.0, 0.5, -0.5};
  lfm_table *train;
  OK(lfm_table_create(learnt, 3, 1, NULL, NULL, &train));
  options.train = train;
  got = ledger(model, table, &options);
  assert_true(got.failed == 2 && got.train_failed == 1);
  assert_near(got.train_nll, 0.5 * log(2 * M_PI) + (0.25 + 0.25) / 4, 1e-9);
  lfm_table_destroy(train);
  options.train = NULL;
  lfm_model_destroy(model);

  model = random_chain(table, NULL, 1e30);
  FAILS(LFM_E_NUMERIC, lfm_ledger(model, table, &options, &got));
  assert_says("all 5 rows");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static bool stop(const lfm_progress *progress, void *context) {
  (void)progress, (void)context;
  return true;
}

static void refusals_say_why(void **state) {
  (void)state;
  const double logp[] = {-1, -2, -3, -4, -5, -6, -7, -8, -9, -10};
  static const char *const name[] = {"logp"};
  lfm_table *table = gaussian_table(10, 2, 1), *narrow = gaussian_table(10, 1, 1), *empty, *truth, *unnamed, *lacking;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_ledger_result result;
  lfm_ledger_options options = options_of(1);
  OK(lfm_table_make(0, 2, &empty));
  OK(lfm_table_create(logp, 9, 1, name, NULL, &truth));
  OK(lfm_table_create(logp, 10, 1, NULL, NULL, &unnamed));
  OK(lfm_table_create(logp, 10, 1, name, NULL, &lacking));
  lacking->values[9] = NAN;
  FAILS(LFM_E_DATA, lfm_ledger(model, empty, &options, &result));
  FAILS(LFM_E_DATA, lfm_ledger(model, narrow, &options, &result));
  options.truth = truth;
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("the truth has 9 rows, the table 10");
  options.truth = unnamed;
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("'logp'");
  options.truth = lacking;
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("row 10");
  options = options_of(1);
  options.train = narrow;
  options.progress = stop; /* before any row is solved */
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("the training table: ");
  options.train = table, options.train_group = truth;
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("the training table: group: has 9 clusters, the data 10 rows; one for each is needed");
  options = options_of(1);
  options.rows = -1;
  FAILS(LFM_E_USAGE, lfm_ledger(model, table, &options, &result));
  options = options_of(1);
  options.solve.solver = "leapfrog";
  FAILS(LFM_E_USAGE, lfm_ledger(model, table, &options, &result));
  options = options_of(1);
  options.probes = 1001;
  FAILS(LFM_E_USAGE, lfm_ledger(model, table, &options, &result));
  options = options_of(1);
  options.group = table;
  FAILS(LFM_E_DATA, lfm_ledger(model, table, &options, &result));
  assert_says("group");
  options = options_of(1);
  options.progress = stop;
  FAILS(LFM_E_INTERRUPTED, lfm_ledger(model, table, &options, &result));
  lfm_table_destroy(empty);
  lfm_table_destroy(truth);
  lfm_table_destroy(unnamed);
  lfm_table_destroy(lacking);
  lfm_table_destroy(narrow);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  const double logp[] = {-1, -2, -3, -4};
  static const char *const name[] = {"logp"};
  lfm_table *table = gaussian_table(4, 2, 1), *truth;
  OK(lfm_table_create(logp, 4, 1, name, NULL, &truth));
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_ledger_options options = options_of(1);
  lfm_ledger_result result;
  lfm_status status = LFM_E_MEMORY;
  options.train = table;
  options.truth = truth;
  options.group = truth;
  options.train_group = truth;
  options.probes = 2;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_ledger(model, table, &options, &result);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_table_destroy(truth);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(borders_have_their_closed_forms),
      cmocka_unit_test(a_truth_gives_the_excess),
      cmocka_unit_test(losses_are_those_of_score),
      cmocka_unit_test(order_threads_and_solver_do_not_matter),
      cmocka_unit_test(clusters_and_probes_are_those_of_score),
      cmocka_unit_test(the_over_fit_is_clustered_on_both_sides),
      cmocka_unit_test(variances_break_the_assumptions),
      cmocka_unit_test(few_rows_show_little),
      cmocka_unit_test(failed_rows_are_counted_and_left_out),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
