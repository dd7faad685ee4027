/* SPDX-License-Identifier: MIT
 *
 * test_push.c -- the pool through a finished block: where its rows end, a few failures dropped, more than a few refused.
 */
#include "train_support.h"

#include "flow/trainer.h"

enum { ROWS = 3000 };

/* A trainer whose block 1 is v = rate x, as if trained. */
static lfm_trainer *trainer_of(run *r, double rate) {
  lfm_trainer *trainer;
  r->options.config = r->config;
  r->options.run = r->path;
  OK(lfm_trainer_create(&r->options, &trainer));
  set_linear_block(trainer->model, 0, rate);
  return trainer;
}

static run linear_run(void) {
  return run_of(gaussian_table(ROWS, 2, 7), SMALL, KEYS("hidden_dim=4", "num_hidden=1", "act=relu", "normalise=none"));
}

static void rows_follow_the_block(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, -0.3);
  assert_true(t->pool.rows == 2700 && t->valid.rows == 300);
  static float pool[2700 * 2], valid[300 * 2];
  memcpy(pool, t->pool.values, sizeof pool);
  memcpy(valid, t->valid.values, sizeof valid);
  OK(lfm_trainer_push(t));
  for (int i = 0; i < 2700 * 2; i++) assert_near((double)t->pool.values[i], exp(-0.3) * (double)pool[i], 1e-4);
  for (int i = 0; i < 300 * 2; i++) assert_near((double)t->valid.values[i], exp(-0.3) * (double)valid[i], 1e-4);
  assert_true(t->pool.rows == 2700 && t->valid.rows == 300 && t->rows_dropped == 0);
  assert_true(t->push_flops >= 3000.0 * 6 * lfm_net_forward_flops(t->model->net));
  lfm_trainer_destroy(t);
  run_drop(&r);
}

static int warnings;
static void count_warnings(lfm_note_level level, const char *text, void *context) {
  warnings += level == LFM_WARNING && strstr(text, context) != NULL;
}

/* Two of 2,700 are less than one in a thousand: dropped, the others closing up in their order. */
static void few_failures_are_dropped(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, 0.0);
  static float pool[2700 * 2];
  memcpy(pool, t->pool.values, sizeof pool);
  t->pool.values[2 * 100] = NAN;
  t->pool.values[2 * 2699 + 1] = INFINITY;
  warnings = 0;
  lfm_notes_to(count_warnings, "block 1: the push of the pool failed for 2 of 2700 rows, which were dropped");
  OK(lfm_trainer_push(t));
  lfm_notes_to(NULL, NULL);
  assert_int_equal(warnings, 1);
  assert_true(t->pool.rows == 2698 && t->rows_dropped == 2 && t->valid.rows == 300);
  assert_memory_equal(t->pool.values, pool, 200 * sizeof(float));
  assert_memory_equal(t->pool.values + 200, pool + 202, (2698 - 100) * 2 * sizeof(float));
  lfm_trainer_destroy(t);
  run_drop(&r);
}

static void many_failures_stop_the_run(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, 0.0);
  for (int i = 0; i < 3; i++) t->pool.values[2 * i] = NAN;
  FAILS(LFM_E_NUMERIC, lfm_trainer_push(t));
  assert_says("block 1: the push of the pool failed for 3 of 2700 rows, more than 0.1 %");
  lfm_trainer_destroy(t);
  run_drop(&r);
}

/* Rows that only judge are dropped one by one, as long as half of them are left. */
static void validation_rows_may_fail(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, 0.0);
  t->valid.values[2 * 7] = INFINITY;
  warnings = 0;
  lfm_notes_to(count_warnings, "block 1: the push of the validation rows failed for 1 of 300 rows, which were dropped");
  OK(lfm_trainer_push(t));
  lfm_notes_to(NULL, NULL);
  assert_int_equal(warnings, 1);
  assert_true(t->pool.rows == 2700 && t->valid.rows == 299 && t->rows_dropped == 1);
  for (int i = 0; i < 150; i++) t->valid.values[2 * i] = NAN;
  FAILS(LFM_E_NUMERIC, lfm_trainer_push(t));
  assert_says("block 1: the push of the validation rows failed for 150 of 299 rows, more than half; they lie far from");
  lfm_trainer_destroy(t);
  run_drop(&r);
}

/* A run whose weights leave every row unsolvable says so instead of training on. */
static void a_run_with_a_wild_block_stops(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, 1e30);
  FAILS(LFM_E_NUMERIC, lfm_trainer_push(t));
  assert_says("train longer or with a smaller lr");
  lfm_trainer_destroy(t);
  run_drop(&r);
}

/* Where untrained weights carry the rows at this tolerance, by the kernels of that name, or of the processor's own choice;
 * the evaluations that it took. */
static double pushed_by(const char *kernels, const char *tol, float pool[2700 * 2]) {
  if (kernels) setenv("LFM_KERNELS", kernels, 1);
  run r = run_of(gaussian_table(ROWS, 2, 7), SMALL, KEYS("hidden_dim=128", "num_hidden=3", "normalise=none", tol));
  r.options.config = r.config;
  r.options.run = r.path;
  lfm_trainer *t;
  OK(lfm_trainer_create(&r.options, &t));
  lfm_params_init(t->model->params[0], 3, 0);
  OK(lfm_trainer_push(t));
  memcpy(pool, t->pool.values, 2700 * 2 * sizeof *pool);
  double evaluations = t->push_flops / lfm_net_forward_flops(t->model->net);
  lfm_trainer_destroy(t);
  run_drop(&r);
  unsetenv("LFM_KERNELS");
  return evaluations;
}

/* Faster products where the tolerance is above what they lose: the same way in as many steps; below it the same bytes. */
static void what_the_push_loses_is_below_its_tolerance(void **state) {
  (void)state;
  static float floats[2700 * 2], own[2700 * 2];
  double all = pushed_by("onednn", "push_tol=1e-5", floats), taken = pushed_by(NULL, "push_tol=1e-5", own), most = 0;
  for (int i = 0; i < 2700 * 2; i++) most = fmax(most, fabs((double)own[i] - (double)floats[i]));
  print_message("apart by %.2g after %.0f and %.0f evaluations\n", most, all, taken);
  assert_true(fabs(taken - all) <= 0.01 * all);
  assert_true(most <= 1e-5);
  assert_int_equal(most > 0, lfm_kernels_training() != lfm_kernels_best());
  pushed_by("onednn", "push_tol=1e-6", floats), pushed_by(NULL, "push_tol=1e-6", own);
  assert_memory_equal(own, floats, sizeof own);
}

/* Rows dropped in the push stay out of the pool file, and a resume counts with them. */
static void a_smaller_pool_is_resumed(void **state) {
  (void)state;
  run r = linear_run();
  lfm_trainer *t = trainer_of(&r, 0.1);
  t->pool.values[0] = NAN;
  OK(lfm_trainer_push(t));
  t->block = 1;
  lfm_trainer_begin_block(t);
  OK(lfm_checkpoint_write_pool(t));
  OK(lfm_checkpoint_write(t));
  static float pool[2699 * 2];
  memcpy(pool, t->pool.values, sizeof pool);
  lfm_trainer_destroy(t);
  r.options.resume = true;
  OK(lfm_trainer_create(&r.options, &t));
  assert_true(t->block == 1 && t->pool.rows == 2699 && t->rows_dropped == 1);
  assert_memory_equal(t->pool.values, pool, sizeof pool);
  lfm_trainer_destroy(t);
  OK(run_train(&r));
  assert_int_equal(r.result.rows_dropped, 1);
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_follow_the_block),
      cmocka_unit_test(few_failures_are_dropped),
      cmocka_unit_test(many_failures_stop_the_run),
      cmocka_unit_test(a_run_with_a_wild_block_stops),
      cmocka_unit_test(validation_rows_may_fail),
      cmocka_unit_test(a_smaller_pool_is_resumed),
      cmocka_unit_test(what_the_push_loses_is_below_its_tolerance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
