/* SPDX-License-Identifier: MIT
 *
 * test_score.c -- what is said of a table's log p: the same bytes for a row wherever it stands, units, standard errors by
 * hand, paired differences, columns by name, rows that fail, and what is refused.
 */
#include "flow_support.h"

enum { ROWS = 1000 };

static lfm_score_options options_of(int threads) {
  lfm_score_options options;
  lfm_score_defaults(&options);
  options.threads = threads;
  return options;
}

/* logp [rows], in the table's order. */
static lfm_score_result score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                              double *logp) {
  lfm_table *out;
  lfm_score_result result;
  memset(&result, 0xA5, sizeof result);
  OK(lfm_score(model, table, options, &out, &result));
  for (int64_t i = 0; i < out->rows; i++) logp[i] = out->values[i * out->cols + 1];
  lfm_table_destroy(out);
  return result;
}

static void a_row_is_itself_wherever_it_stands(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 3, 1), *other;
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 2.0);
  static double whole[ROWS], logp[ROWS];
  static int64_t order[ROWS];
  lfm_score_options options = options_of(1);
  score(model, table, &options, whole);
  for (int threads = 2; threads <= 3; threads++) {
    lfm_score_options more = options_of(threads);
    score(model, table, &more, logp);
    assert_memory_equal(logp, whole, sizeof whole);
  }
  for (int64_t i = 0; i < ROWS; i++) order[i] = (i * 617 + 5) % ROWS;
  OK(lfm_table_take(table, order, ROWS, &other));
  score(model, other, &options, logp);
  for (int64_t i = 0; i < ROWS; i++) assert_true(logp[i] == whole[order[i]]);
  lfm_table_destroy(other);
  for (int64_t i = 0; i < ROWS; i += 331) {
    OK(lfm_table_take(table, &i, 1, &other));
    score(model, other, &options, logp);
    assert_true(logp[0] == whole[i]);
    lfm_table_destroy(other);
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Metres and millimetres: the same density, in other units. */
static void units_shift_by_their_logarithm(void **state) {
  (void)state;
  static const char *const kinds[] = {"normalise=standardise", "normalise=whiten", "normalise=radial"};
  for (int k = 0; k < 3; k++) {
    lfm_table *metres = gaussian_table(100, 3, 1), *millimetres = gaussian_table(100, 3, 1);
    for (int64_t i = 0; i < 300; i++) millimetres->values[i] *= 1000.0;
    lfm_model *in_m = random_chain(metres, KEYS(kinds[k]), 1.0), *in_mm = random_chain(millimetres, KEYS(kinds[k]), 1.0);
    double m[100], mm[100];
    lfm_score_options options = options_of(2);
    lfm_score_result of_m = score(in_m, metres, &options, m), of_mm = score(in_mm, millimetres, &options, mm);
    for (int i = 0; i < 100; i++) assert_near(m[i] - mm[i], 3 * log(1000), 1e-5);
    assert_near(of_mm.nll - of_m.nll, 3 * log(1000), 1e-6);
    assert_near(of_mm.nll_standardised, of_m.nll_standardised, 1e-6);
    double units = 0.0;
    for (int i = 0; i < 100; i++) {
      double y[3];
      lfm_normaliser_apply(in_m->normaliser, metres->values + 3 * i, y);
      units += lfm_normaliser_logdet(in_m->normaliser, y) / 100.0;
    }
    assert_near(of_m.nll_standardised, of_m.nll + units, 1e-12);
    lfm_model_destroy(in_m);
    lfm_model_destroy(in_mm);
    lfm_table_destroy(metres);
    lfm_table_destroy(millimetres);
  }
}

static void means_and_errors_by_hand(void **state) {
  (void)state;
  enum { N = 12 };
  const double groups[N] = {3, 3, 3, 8, 8, 1, 1, 1, 1, 2, 2, 8};
  lfm_table *table = gaussian_table(N, 2, 3), *group;
  OK(lfm_table_create(groups, N, 1, NULL, NULL, &group));
  lfm_model *model = random_chain(table, NULL, 1.0);
  double logp[N], mean = 0, squares = 0, sums[9] = {0}, clustered = 0;
  lfm_score_options options = options_of(1);
  lfm_score_result plain = score(model, table, &options, logp);
  options.group = group;
  lfm_score_result grouped = score(model, table, &options, logp);
  for (int i = 0; i < N; i++) mean -= logp[i] / N;
  for (int i = 0; i < N; i++) squares += (-logp[i] - mean) * (-logp[i] - mean), sums[(int)groups[i]] += -logp[i] - mean;
  for (int g = 0; g < 9; g++) clustered += sums[g] * sums[g];
  assert_near(plain.nll, mean, 1e-12);
  assert_near(plain.nll_se, sqrt(squares / (N - 1) / N), 1e-12);
  assert_near(grouped.nll, mean, 1e-12);
  assert_near(grouped.nll_se, sqrt(4.0 / 3.0 * clustered) / N, 1e-12); /* four clusters */
  assert_true(plain.rows == N && plain.failed == 0 && plain.nfe_mean > 12 && isnan(plain.probe_se) && isnan(plain.diff));
  assert_true(plain.solver_error >= 0.0 && plain.solver_error < 1e-3);
  lfm_table_destroy(group);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

static void against_is_antisymmetric(void **state) {
  (void)state;
  enum { N = 60 };
  lfm_table *table = gaussian_table(N, 2, 3), *out;
  lfm_model *a = random_chain(table, NULL, 1.0), *b = random_chain(table, KEYS("hks=[null]", "normalise=whiten"), 2.0);
  double of_a[N], of_b[N], mean = 0, squares = 0;
  lfm_score_options options = options_of(2), with_b = options, with_a = options;
  with_b.against = b, with_a.against = a;
  score(b, table, &options, of_b);
  lfm_score_result ab = score(a, table, &with_b, of_a), ba;
  OK(lfm_score(b, table, &with_a, &out, &ba));
  assert_string_equal(lfm_table_name(out, 3), "logp_against");
  for (int i = 0; i < N; i++) assert_true(out->values[4 * i + 1] == of_b[i] && out->values[4 * i + 3] == of_a[i]);
  lfm_table_destroy(out);
  for (int i = 0; i < N; i++) mean += (of_b[i] - of_a[i]) / N;
  for (int i = 0; i < N; i++) squares += pow(of_b[i] - of_a[i] - mean, 2);
  assert_near(ab.diff, mean, 1e-12);
  assert_near(ab.diff_se, sqrt(squares / (N - 1) / N), 1e-12);
  assert_true(ab.diff == -ba.diff && ab.diff_se == ba.diff_se && ab.diff_low == -ba.diff_high &&
              ab.diff_high == -ba.diff_low);
  assert_true(ab.nll == ba.against_nll && ab.against_nll == ba.nll);
  assert_true(ab.diff_low < ab.diff && ab.diff < ab.diff_high);
  lfm_model_destroy(a);
  lfm_model_destroy(b);
  lfm_table_destroy(table);
}

static void columns_go_by_name(void **state) {
  (void)state;
  enum { N = 30 };
  const char *const names[] = {"height", "width", "depth"}, *const turned[] = {"other", "depth", "height", "width"};
  lfm_table *drawn = gaussian_table(N, 3, 4), *table, *reordered, *unnamed;
  double values[N * 4], logp[N], again[N];
  for (int i = 0; i < N; i++) {
    const double *row = drawn->values + 3 * i;
    values[4 * i] = 99.0, values[4 * i + 1] = row[2], values[4 * i + 2] = row[0], values[4 * i + 3] = row[1];
  }
  OK(lfm_table_create(drawn->values, N, 3, names, NULL, &table));
  OK(lfm_table_create(values, N, 4, turned, NULL, &reordered));
  OK(lfm_table_create(drawn->values, N, 3, NULL, NULL, &unnamed));
  lfm_model *model = random_chain(table, NULL, 2.0);
  lfm_score_options options = options_of(1);
  score(model, table, &options, logp);
  score(model, reordered, &options, again);
  assert_memory_equal(again, logp, sizeof logp);
  score(model, unnamed, &options, again); /* by place */
  assert_memory_equal(again, logp, sizeof logp);
  lfm_table_destroy(drawn);
  lfm_table_destroy(table);
  lfm_table_destroy(reordered);
  lfm_table_destroy(unnamed);
  lfm_model_destroy(model);
}

static void chosen_rows_are_evenly_spaced(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(100, 2, 4), *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_score_options options = options_of(1);
  lfm_score_result result;
  options.rows = 8;
  OK(lfm_score(model, table, &options, &out, &result));
  assert_int_equal(lfm_table_rows(out), 8);
  for (int i = 0; i < 8; i++) assert_true(out->values[3 * i] == floor(i * 12.5) + 1);
  lfm_table_destroy(out);
  options.rows = 500; /* more than there are: all */
  OK(lfm_score(model, table, &options, NULL, &result));
  assert_int_equal(result.rows, 100);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* Rows beyond the wall cannot be solved; the others have density N(0, 1). */
static void failed_rows_are_counted_and_left_out(void **state) {
  (void)state;
  const double values[] = {0.5, 5.0, -1.0, 7.0, 1.5};
  lfm_table *table, *out;
  OK(lfm_table_create(values, 5, 1, NULL, NULL, &table));
  lfm_model *model = walled_chain(table);
  lfm_score_options options = options_of(2);
  lfm_score_result result;
  OK(lfm_score(model, table, &options, &out, &result));
  assert_true(result.rows == 3 && result.failed == 2);
  assert_near(result.nll, 0.5 * log(2 * M_PI) + (0.25 + 1.0 + 2.25) / 6, 1e-9);
  for (int i = 0; i < 5; i++) {
    bool fails = values[i] > 4;
    assert_int_equal(isnan(out->values[3 * i + 1]), fails);
    assert_int_equal(out->values[3 * i + 2] != 0.0, fails);
  }
  lfm_table_destroy(out);
  lfm_model_destroy(model);

  model = random_chain(table, NULL, 1e30);
  out = table;
  FAILS(LFM_E_NUMERIC, lfm_score(model, table, &options, &out, &result));
  assert_null(out);
  assert_says("all 5 rows");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* Each model's own are told; the means of both are over what is left. */
static void rows_that_one_model_loses_are_in_neither_mean(void **state) {
  (void)state;
  const double values[] = {0.5, 5.0, -1.0, 7.0, 1.5};
  lfm_table *table;
  OK(lfm_table_create(values, 5, 1, NULL, NULL, &table));
  lfm_model *walled = walled_chain(table), *still = linear_chain(table, (double[]){0.0}, 1),
            *none = random_chain(table, NULL, 1e30);
  double nll = 0.5 * log(2 * M_PI) + (0.25 + 1.0 + 2.25) / 6;
  lfm_score_options options = options_of(1);
  for (int turn = 0; turn < 2; turn++) {
    lfm_score_result result;
    options.against = turn ? still : walled;
    OK(lfm_score(turn ? walled : still, table, &options, NULL, &result));
    assert_true(result.rows == 3 && result.failed == 2 * turn && result.against_failed == 2 - 2 * turn);
    assert_near(result.nll, nll, 1e-9);
    assert_near(result.against_nll, nll, 1e-9);
    assert_near(result.diff, 0.0, 1e-9);
  }
  lfm_score_result result;
  options.against = none;
  FAILS(LFM_E_NUMERIC, lfm_score(still, table, &options, NULL, &result));
  assert_says("none of the 5 rows was solved by both models");
  lfm_model_destroy(walled), lfm_model_destroy(still), lfm_model_destroy(none);
  lfm_table_destroy(table);
}

static void count_notes(lfm_note_level level, const char *text, void *context) {
  (void)level;
  assert_non_null(strstr(text, "in their order"));
  ++*(int *)context;
}

static void refusals_say_why(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(10, 2, 1), *narrow = gaussian_table(10, 1, 1), *empty, *ill, *out;
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_score_result result;
  lfm_score_options options = options_of(1);
  OK(lfm_table_make(0, 2, &empty));
  FAILS(LFM_E_DATA, lfm_score(model, empty, &options, &out, &result));
  FAILS(LFM_E_DATA, lfm_score(model, narrow, &options, &out, &result));
  assert_says("the model has 2 columns, the table 1, and none of them is called 'x1'");
  lfm_table *renamed = gaussian_table(10, 2, 1);
  OK(lfm_table_rename(renamed, 0, "x1"));
  OK(lfm_table_rename(renamed, 1, "other"));
  FAILS(LFM_E_DATA, lfm_score(model, renamed, &options, &out, &result));
  assert_says("none called 'x0'");
  OK(lfm_table_rename(renamed, 0, "another")); /* no name in common: by place, and that is said */
  int notes = 0;
  lfm_notes_to(count_notes, &notes);
  OK(lfm_score(model, renamed, &options, NULL, &result));
  assert_int_equal(notes, 1);
  OK(lfm_score(model, table, &options, NULL, &result));
  assert_int_equal(notes, 1);
  lfm_notes_to(NULL, NULL);
  lfm_table_destroy(renamed);
  ill = gaussian_table(10, 2, 1);
  ill->values[7] = NAN;
  FAILS(LFM_E_DATA, lfm_score(model, ill, &options, &out, &result));
  options.rows = -1;
  FAILS(LFM_E_USAGE, lfm_score(model, table, &options, &out, &result));
  options = options_of(1);
  options.group = table;
  FAILS(LFM_E_DATA, lfm_score(model, table, &options, &out, &result));
  assert_says("group");
  options = options_of(1);
  options.solve.solver = "midpoint";
  FAILS(LFM_E_USAGE, lfm_score(model, table, &options, &out, &result));
  lfm_table_destroy(empty);
  lfm_table_destroy(narrow);
  lfm_table_destroy(ill);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* A column that never varied has no density elsewhere. */
static void constant_columns_must_be_what_they_were(void **state) {
  (void)state;
  const double values[] = {1, 5, 2, 5, 4, 5}, moved[] = {1, 5, 2, 6, 4, 5};
  lfm_table *table, *other, *out;
  lfm_score_result result;
  lfm_score_options options = options_of(1);
  OK(lfm_table_create(values, 3, 2, NULL, NULL, &table));
  OK(lfm_table_create(moved, 3, 2, NULL, NULL, &other));
  lfm_model *model = random_chain(table, NULL, 1.0);
  OK(lfm_score(model, table, &options, NULL, &result));
  FAILS(LFM_E_DATA, lfm_score(model, other, &options, &out, &result));
  assert_says("row 2: column 'x1' is 6, but was always 5");
  lfm_table_destroy(table);
  lfm_table_destroy(other);
  lfm_model_destroy(model);
}

static void fixed_steps_and_the_papers(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(20, 2, 1);
  lfm_model *model = random_chain(table, NULL, 1.0);
  double logp[20];
  lfm_score_options options = options_of(1);
  options.solve.nfe = 40;
  lfm_score_result fixed = score(model, table, &options, logp);
  double apart = 0.0, exact[20];
  options = options_of(1);
  score(model, table, &options, exact);
  for (int i = 0; i < 6; i++) /* 20 evaluations a block for 60 */
    apart += fabs(logp[i * 20 / 6] - exact[i * 20 / 6]) / 6;
  assert_true(fabs(fixed.solver_error - apart) < 1e-3 * apart && fixed.nfe_mean == 40);
  options.solve = (lfm_solver_options){.solver = "euler", .nfe = 4};
  assert_true(isnan(score(model, table, &options, logp).solver_error)); /* the check would take longer */
  options = options_of(1);
  options.paper_protocol = true;
  lfm_score_result paper = score(model, table, &options, logp);
  assert_true(isnan(paper.solver_error) && paper.nfe_mean > 2 * 149);
  options.solve.nfe = 2 * 149; /* what is published, said */
  assert_true(score(model, table, &options, logp).nll == paper.nll);
  options.solve.nfe = 2 * 149 * 16;
  double nearer = score(model, table, &options, logp).nll, converged;
  options = options_of(1);
  converged = score(model, table, &options, logp).nll;
  assert_true(fabs(nearer - converged) < 0.1 * fabs(paper.nll - converged)); /* the bias goes as 1 / steps */
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

/* The whole chain's nll by probes: within its own standard error of the exact one, seed after seed. */
static void probe_error_covers_the_error(void **state) {
  (void)state;
  enum { N = 80, SEEDS = 20 };
  lfm_table *table = gaussian_table(N, 6, 1);
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 2.0);
  static double logp[N];
  lfm_score_options options = options_of(2);
  lfm_score_result exact = score(model, table, &options, logp);
  options.probes = 2;
  double squares = 0.0, said = 0.0;
  for (options.seed = 0; options.seed < SEEDS; options.seed++) {
    lfm_score_result got = score(model, table, &options, logp);
    double z = (got.nll - exact.nll) / got.probe_se;
    assert_true(fabs(z) < 4.0 && got.probe_se < got.nll_se);
    squares += z * z / SEEDS, said += got.probe_se / SEEDS;
    assert_true(got.solver_error < 1e-3); /* by the same probes, or it would hold their error too */
  }
  assert_true(said > 10 * exact.solver_error);
  assert_true(squares > 0.4 && squares < 1.9);
  options.probes = 1;
  lfm_score_result one = score(model, table, &options, logp);
  assert_true(isnan(one.probe_se) && fabs(one.nll - exact.nll) < 6 * said);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

static void ignore_note(lfm_note_level level, const char *text, void *context) {
  (void)level;
  *(int *)context += strstr(text, "cost no less than the exact trace of 3 columns") != NULL;
}

/* By threads, beside other rows of the table and under the paper's protocol; two models alike have no difference. */
static void probed_rows_are_themselves_too(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 3, 1);
  lfm_model *model = random_chain(table, NULL, 2.0);
  static double whole[ROWS], again[ROWS];
  lfm_score_options options = options_of(1);
  int notes = 0;
  lfm_notes_to(ignore_note, &notes);
  options.probes = 2, options.seed = 9;
  lfm_score_result first = score(model, table, &options, whole);
  options.threads = 3;
  lfm_score_result threaded = score(model, table, &options, again);
  assert_memory_equal(again, whole, sizeof whole);
  assert_true(first.probe_se == threaded.probe_se && first.probe_se > 0.0);
  assert_int_equal(notes, 0);
  options.rows = 10;
  options.against = model;
  lfm_score_result few = score(model, table, &options, again);
  for (int i = 0; i < 10; i++) assert_true(again[i] == whole[100 * i]);
  assert_true(few.diff == 0.0 && few.diff_se == 0.0);
  options.paper_protocol = true;
  assert_true(score(model, table, &options, again).probe_se > 0.0);
  options.probes = 3;
  score(model, table, &options, again);
  assert_int_equal(notes, 1);
  lfm_notes_to(NULL, NULL);
  options.probes = 1001;
  lfm_score_result result;
  FAILS(LFM_E_USAGE, lfm_score(model, table, &options, NULL, &result));
  assert_says("probes: 1001");
  options.probes = -1;
  FAILS(LFM_E_USAGE, lfm_score(model, table, &options, NULL, &result));
  assert_says("probes: -1");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
}

/* What the second model cannot do is said before the first one is scored. */
static void a_second_model_is_checked_first(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(ROWS, 2, 1);
  lfm_model *one = random_chain(table, KEYS("hks=[null]"), 1.0),
            *three = random_chain(table, KEYS("hks=[0.1, 0.1, null]"), 1.0);
  lfm_score_options options = options_of(1);
  lfm_score_result result;
  options.solve.nfe = 2, options.against = three;
  FAILS(LFM_E_USAGE, lfm_score(one, table, &options, NULL, &result));
  assert_says("the second model: nfe: 2 evaluations are too few");
  lfm_model_destroy(one), lfm_model_destroy(three);
  lfm_table_destroy(table);
}

/* Nats of other columns are no difference, whichever model has more of them; a column that never varied has none. */
static void densities_over_other_columns_do_not_compare(void **state) {
  (void)state;
  const char *const names[] = {"a", "b", "c"}, *const others[] = {"p", "q", "r"};
  lfm_table *drawn = gaussian_table(20, 3, 1), *table, *wide, *narrow = gaussian_table(20, 2, 1), *still;
  OK(lfm_table_create(drawn->values, 20, 3, names, NULL, &table));
  OK(lfm_table_create(drawn->values, 20, 3, others, NULL, &wide));
  for (int j = 0; j < 2; j++) OK(lfm_table_rename(narrow, j, names[j]));
  lfm_model *three = random_chain(table, NULL, 1.0), *by_place = random_chain(wide, NULL, 1.0),
            *two = random_chain(narrow, NULL, 1.0);
  for (int i = 0; i < 20; i++) drawn->values[3 * i + 2] = 5.0;
  OK(lfm_table_create(drawn->values, 20, 3, names, NULL, &still));
  lfm_model *constant = random_chain(still, NULL, 1.0);
  const struct {
    const lfm_model *model, *against;
    const lfm_table *table;
    const char *says;
  } cases[] = {{three, two, table, "the second model: column 'c' is in the density of the first model only"},
               {two, three, table, "the second model: column 'c' is in the density of the second model only"},
               {by_place, two, table, "of the first model only"},
               {two, by_place, table, "of the second model only"},
               {constant, three, still, "of the second model only"},
               {three, by_place, table, NULL},
               {constant, two, still, NULL}};
  lfm_score_options options = options_of(1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_score_result result;
    options.against = cases[k].against;
    lfm_status status = lfm_score(cases[k].model, cases[k].table, &options, NULL, &result);
    assert_int_equal(status, cases[k].says ? LFM_E_DATA : LFM_OK);
    if (cases[k].says) assert_says(cases[k].says);
  }
  lfm_model_destroy(three), lfm_model_destroy(by_place), lfm_model_destroy(two), lfm_model_destroy(constant);
  lfm_table_destroy(drawn), lfm_table_destroy(table), lfm_table_destroy(wide);
  lfm_table_destroy(narrow), lfm_table_destroy(still);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(4, 2, 1), *out, *group = gaussian_table(4, 1, 2);
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_score_options options = options_of(1);
  lfm_score_result result;
  options.against = model;
  options.group = group;
  for (int way = 0; way < 3; way++) {
    lfm_status status = LFM_E_MEMORY;
    options.paper_protocol = way == 1;
    options.probes = way == 2;
    for (uint64_t at = 1; status != LFM_OK; at++) {
      lfm_alloc_fail_at(at);
      status = lfm_score(model, table, &options, &out, &result);
      assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !out && at < 1000));
    }
    lfm_alloc_fail_at(0);
    lfm_table_destroy(out);
  }
  lfm_table_destroy(group);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_itself_wherever_it_stands),
      cmocka_unit_test(units_shift_by_their_logarithm),
      cmocka_unit_test(means_and_errors_by_hand),
      cmocka_unit_test(against_is_antisymmetric),
      cmocka_unit_test(columns_go_by_name),
      cmocka_unit_test(chosen_rows_are_evenly_spaced),
      cmocka_unit_test(failed_rows_are_counted_and_left_out),
      cmocka_unit_test(rows_that_one_model_loses_are_in_neither_mean),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(constant_columns_must_be_what_they_were),
      cmocka_unit_test(fixed_steps_and_the_papers),
      cmocka_unit_test(probe_error_covers_the_error),
      cmocka_unit_test(probed_rows_are_themselves_too),
      cmocka_unit_test(a_second_model_is_checked_first),
      cmocka_unit_test(densities_over_other_columns_do_not_compare),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
