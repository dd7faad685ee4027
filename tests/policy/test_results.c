/* SPDX-License-Identifier: MIT
 *
 * test_results.c -- who does not want to know a result passes NULL: to each function of lfm.h that has one, but for
 * lfm_eval_pictures (flow/test_evaluate.c).
 */
#include "flow/modes_support.h"

static int make_run(void **state) {
  static run r;
  r = policy_run(KEYS("max_batch=2"));
  r.options.config = r.config, r.options.run = r.path;
  OK(lfm_train(&r.options, NULL));
  *state = &r;
  return 0;
}

static int drop_run(void **state) {
  run_drop(*state);
  return 0;
}

static void a_model_is_asked(void **state) {
  const run *r = *state;
  lfm_model *model = model_of(r);
  lfm_table *rows;
  lfm_sample_options sampled;
  lfm_sample_defaults(&sampled);
  sampled.rows = 2, sampled.given = r->table, sampled.solve.nfe = 4;
  OK(lfm_sample(model, &sampled, &rows, NULL));
  lfm_table_destroy(rows);
  lfm_score_options scored;
  lfm_score_defaults(&scored);
  scored.rows = 2, scored.solve.tol = 1e-2;
  OK(lfm_score(model, r->table, &scored, NULL, NULL));
  lfm_ledger_options asked;
  lfm_ledger_defaults(&asked);
  asked.rows = 2, asked.solve.tol = 1e-2;
  OK(lfm_ledger(model, r->table, &asked, NULL));
  lfm_rollout_options rolled;
  lfm_rollout_defaults(&rolled);
  rolled.model = model, rolled.task = "none";
  assert_int_not_equal(lfm_rollout(&rolled, NULL, NULL), LFM_OK);
  lfm_model_destroy(model);
}

static void a_plan_is_sought(void **state) {
  (void)state;
  lfm_plan_options options;
  lfm_plan_defaults(&options);
  options.variances = (const double[]){0.2, 1.4}, options.dim = 2;
  options.hks = (const double[]){0.1, 0.2}, options.blocks = 2, options.steps = 1;
  OK(lfm_plan_find(&options, NULL));
}

static void files_are_made(void **state) {
  const run *r = *state;
  lfm_model *model = model_of(r);
  char path[600];
  snprintf(path, sizeof path, "%s/guarded.safetensors", r->root.path);
  lfm_guard_options guarded;
  lfm_guard_defaults(&guarded);
  guarded.model = model, guarded.demos = r->table, guarded.alpha = 0.5, guarded.batches = 2;
  OK(lfm_guard(&guarded, path, NULL));
  remove(path);
  lfm_distill_options distilled;
  lfm_distill_defaults(&distilled);
  distilled.teacher = model, distilled.run = path;
  assert_int_equal(lfm_distill(&distilled, NULL), LFM_E_USAGE); /* without demonstrations */
  lfm_demos_options recorded;
  lfm_demos_defaults(&recorded);
  recorded.task = "none";
  assert_int_not_equal(lfm_demos_record(&recorded, path, NULL), LFM_OK);
  lfm_model_destroy(model);
}

static void a_judge_learns(void **state) {
  const run *r = *state;
  lfm_judge *judge;
  lfm_judge_options options;
  lfm_judge_defaults(&options);
  options.train = r->table;
  assert_int_equal(lfm_judge_train(&options, &judge, NULL), LFM_E_DATA); /* no pictures */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_is_asked),
      cmocka_unit_test(a_plan_is_sought),
      cmocka_unit_test(files_are_made),
      cmocka_unit_test(a_judge_learns),
  };
  return cmocka_run_group_tests(tests, make_run, drop_run);
}
