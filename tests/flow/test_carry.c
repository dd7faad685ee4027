/* SPDX-License-Identifier: MIT
 *
 * test_carry.c -- rows through one block whose solution is known; failed rows stay failed; a wish to stop is heard.
 */
#include "flow_support.h"

#include "flow/carry.h"

enum { ROWS = 150, DIM = 3 };

typedef struct fixture {
  lfm_model *model;
  lfm_team *team;
  lfm_carry *carry;
} fixture;

static fixture make(int threads, bool with_logdet) {
  fixture f;
  lfm_table *table = gaussian_table(20, DIM, 1);
  f.model = linear_chain(table, (double[]){0.4}, 1);
  OK(lfm_team_create(threads, &f.team));
  OK(lfm_carry_create(f.team, f.model->net, with_logdet, &f.carry));
  lfm_table_destroy(table);
  return f;
}

static void drop(fixture *f) {
  lfm_carry_destroy(f->carry);
  lfm_team_destroy(f->team);
  lfm_model_destroy(f->model);
}

static const lfm_path forth = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_DOPRI5, .tol = 1e-8};
static const lfm_path back = {.t0 = 1.0, .t1 = 0.0, .solver = LFM_TSIT5, .tol = 1e-8};

static void rows_follow_the_exponential_and_return(void **state) {
  (void)state;
  fixture f = make(2, true);
  double x[ROWS * DIM], start[ROWS * DIM], logdet[ROWS];
  uint8_t failed[ROWS] = {0};
  int64_t nfe[ROWS];
  for (int i = 0; i < ROWS * DIM; i++) x[i] = start[i] = sin(i * 0.7 + 0.1) * 2.0;
  for (int i = 0; i < ROWS; i++) logdet[i] = 10.0, nfe[i] = 5;
  lfm_rows rows = {.count = ROWS, .f64 = x, .logdet = logdet, .failed = failed, .nfe = nfe};
  OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &rows, NULL));
  for (int i = 0; i < ROWS * DIM; i++) assert_near(x[i], start[i] * exp(0.4), 3e-7); /* weights in float: 0.4 (1 + 1e-8) */
  for (int i = 0; i < ROWS; i++) {
    assert_near(logdet[i], 10.0 + DIM * 0.4, 1e-6);
    assert_true(failed[i] == LFM_ROW_SOLVED && nfe[i] > 5 + 6); /* added to what was there */
  }
  OK(lfm_carry_rows(f.carry, f.model->params[0], &back, &rows, NULL));
  for (int i = 0; i < ROWS * DIM; i++) assert_near(x[i], start[i], 3e-7);
  for (int i = 0; i < ROWS; i++) assert_near(logdet[i], 10.0, 1e-6);
  drop(&f);
}

static void single_precision_rows_go_the_same_way(void **state) {
  (void)state;
  fixture f = make(1, false);
  float narrow[ROWS * DIM];
  double wide[ROWS * DIM];
  uint8_t failed[ROWS] = {0};
  for (int i = 0; i < ROWS * DIM; i++) wide[i] = (double)(narrow[i] = sinf((float)i) * 2.0f);
  lfm_rows as_f32 = {.count = ROWS, .f32 = narrow, .failed = failed}, as_f64 = {.count = ROWS, .f64 = wide, .failed = failed};
  OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &as_f32, NULL));
  OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &as_f64, NULL));
  for (int i = 0; i < ROWS * DIM; i++) assert_true(narrow[i] == (float)wide[i]);
  drop(&f);
}

/* Euler in equal steps is arithmetic that can be repeated. */
static void fixed_steps_are_equal_steps(void **state) {
  (void)state;
  fixture f = make(1, false);
  double x[DIM] = {1.0, -0.5, 0.25};
  uint8_t failed = 0;
  int64_t nfe = 0;
  lfm_path path = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_EULER, .fixed_steps = 10};
  lfm_rows rows = {.count = 1, .f64 = x, .failed = &failed, .nfe = &nfe};
  OK(lfm_carry_rows(f.carry, f.model->params[0], &path, &rows, NULL));
  assert_near(x[0], pow(1.04, 10), 3e-7);
  assert_near(x[1], -0.5 * pow(1.04, 10), 3e-7);
  assert_int_equal(nfe, 10);
  drop(&f);
}

static void failed_rows_are_carried_no_further(void **state) {
  (void)state;
  fixture f = make(2, true);
  double x[ROWS * DIM], logdet[ROWS] = {0};
  uint8_t failed[ROWS] = {0};
  int64_t nfe[ROWS] = {0};
  for (int i = 0; i < ROWS * DIM; i++) x[i] = 1.0;
  failed[3] = LFM_ROW_STEP_FLOOR; /* in a block before */
  x[7 * DIM + 1] = NAN;           /* fails in this one */
  lfm_rows rows = {.count = ROWS, .f64 = x, .logdet = logdet, .failed = failed, .nfe = nfe};
  OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &rows, NULL));
  for (int i = 0; i < ROWS; i++) {
    if (i == 3) assert_true(failed[i] == LFM_ROW_STEP_FLOOR && x[i * DIM] == 1.0 && logdet[i] == 0.0 && nfe[i] == 0);
    else if (i == 7) assert_int_equal(failed[i], LFM_ROW_NOT_FINITE);
    else assert_true(failed[i] == LFM_ROW_SOLVED && fabs(x[i * DIM] - exp(0.4)) < 1e-6);
  }
  drop(&f);
}

static bool stop_at_once(const lfm_progress *progress, void *context) {
  ++*(int *)context;
  return progress->total > 0;
}

static void a_wish_to_stop_is_heard(void **state) {
  (void)state;
  fixture f = make(2, false);
  double x[ROWS * DIM] = {0};
  uint8_t failed[ROWS] = {0};
  int calls = 0;
  lfm_meter meter;
  lfm_meter_begin(&meter, stop_at_once, &calls);
  lfm_meter_phase(&meter, LFM_PHASE_PUSH, 1, 1, 0, ROWS);
  lfm_rows rows = {.count = ROWS, .f64 = x, .failed = failed};
  FAILS(LFM_E_INTERRUPTED, lfm_carry_rows(f.carry, f.model->params[0], &forth, &rows, &meter));
  assert_int_equal(calls, 1); /* and is not asked again */
  drop(&f);
}

/* Whether alone, with some others or with many, and whoever carries them: the same bytes, and the same evaluations. */
static void few_rows_go_the_same_way(void **state) {
  (void)state;
  static const int64_t counts[] = {1, 1, 8, 64, 65, 3};
  double all[ROWS * DIM], some[ROWS * DIM];
  uint8_t failed[ROWS] = {0};
  int64_t nfe_of_all[ROWS] = {0};
  fixture f = make(2, false);
  for (int i = 0; i < ROWS * DIM; i++) all[i] = sin(i * 0.7 + 0.1) * 2.0;
  lfm_rows rows = {.count = ROWS, .f64 = all, .failed = failed, .nfe = nfe_of_all};
  OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &rows, NULL));
  for (int c = 0; c < 6; c++) {
    int64_t nfe[ROWS] = {0}, first = c * 7;
    for (int i = 0; i < ROWS * DIM; i++) some[i] = sin(i * 0.7 + 0.1) * 2.0;
    lfm_rows few = {.count = counts[c], .f64 = some + first * DIM, .failed = failed, .nfe = nfe + first};
    OK(lfm_carry_rows(f.carry, f.model->params[0], &forth, &few, NULL));
    assert_memory_equal(some + first * DIM, all + first * DIM, (size_t)(counts[c] * DIM) * sizeof *some);
    assert_memory_equal(nfe + first, nfe_of_all + first, (size_t)counts[c] * sizeof *nfe);
  }
  drop(&f);
}

/* What the rows need is asked for when they come; after a refusal the carry serves the next call. */
static void memory_refused_for_few_rows_is_told(void **state) {
  (void)state;
  fixture f = make(2, false);
  uint8_t failed[2] = {0};
  lfm_status status = LFM_E_MEMORY;
  uint64_t at = 0;
  for (; status != LFM_OK; at++) {
    double x[2 * DIM] = {1.0, 2.0};
    lfm_rows rows = {.count = 2, .f64 = x, .failed = failed};
    lfm_alloc_fail_at(at + 1);
    status = lfm_carry_rows(f.carry, f.model->params[0], &forth, &rows, NULL);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_near(x[0], status == LFM_OK ? exp(0.4) : 1.0, 3e-7);
  }
  assert_true(at > 10);
  drop(&f);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  fixture f = make(2, true);
  lfm_carry_destroy(f.carry);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_carry_create(f.team, f.model->net, true, &f.carry);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !f.carry && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_carry_destroy(NULL);
  drop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_follow_the_exponential_and_return),
      cmocka_unit_test(single_precision_rows_go_the_same_way),
      cmocka_unit_test(fixed_steps_are_equal_steps),
      cmocka_unit_test(failed_rows_are_carried_no_further),
      cmocka_unit_test(a_wish_to_stop_is_heard),
      cmocka_unit_test(few_rows_go_the_same_way),
      cmocka_unit_test(memory_refused_for_few_rows_is_told),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
