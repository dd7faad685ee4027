/* SPDX-License-Identifier: MIT
 *
 * test_rollout.c -- episodes of a policy in Push-T: the same table and result on one thread and on two, others under another
 * seed; a shove that is the episode's own; what breaks an episode is counted and spares the others; a model of another task
 * is told so; stopping.
 */
#include "flow/modes_support.h"

#include "data/demos.h"
#include "policy/shove.h"
#include "sim/world.h"

enum { STATE = 5, EPISODES_RUN = 6, COLUMNS = 5, SUCCESS = 1, SCORE, STEPS_TAKEN, BROKEN };

/* A hand that wanders over the table, in the units of the task. */
static lfm_table *wandering(const char *key, double size) {
  lfm_demos *d;
  lfm_table *table;
  lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  OK(lfm_demos_make(EPISODES, EPISODES * STEPS, STATE, DIM, &d));
  OK(LFM_ALLOC(&d->key, 1));
  OK(LFM_ALLOC(&d->key_dim, 1));
  OK(lfm_alloc_text(&d->key[0], key));
  OK(lfm_alloc_text(&d->task, "pusht"));
  d->keys = 1, d->key_dim[0] = STATE;
  for (int64_t e = 0; e < EPISODES; e++) d->ends[e] = (e + 1) * STEPS;
  for (int64_t i = 0; i < d->steps; i++) {
    for (int64_t j = 0; j < STATE; j++)
      d->obs[STATE * i + j] = (j < STATE - 1 ? size : 6.3) * lfm_rng_uniform(&rng, i, (uint32_t)j);
    for (int64_t j = 0; j < DIM; j++) d->actions[DIM * i + j] = d->obs[STATE * i + j];
  }
  OK(lfm_table_of_demos(d, &table));
  return table;
}

static lfm_model *model_from(lfm_table *demonstrations) {
  run r = run_of(demonstrations, POLICY, KEYS("max_batch=10", "hks=[null]"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  run_drop(&r);
  return model;
}

static lfm_rollout_options options_of(const lfm_model *model, uint64_t seed, int threads) {
  lfm_rollout_options options;
  lfm_rollout_defaults(&options);
  options.model = model, options.episodes = EPISODES_RUN, options.seed = seed, options.threads = threads;
  options.policy.solve.nfe = 2;
  return options;
}

static bool is_there(void) {
  const lfm_task *task;
  return lfm_task_find("pusht", &task) == LFM_OK;
}

/* All but times, to the bit. */
static void expect_same(const lfm_rollout_result *a, const lfm_rollout_result *b) {
  const lfm_policy_stats *p = &a->policy, *q = &b->policy;
  const double of_a[] = {a->score, a->score_se, p->jump}, of_b[] = {b->score, b->score_se, q->jump};
  assert_memory_equal(of_a, of_b, sizeof of_a);
  assert_memory_equal(&a->success, &b->success, sizeof a->success);
  assert_true(a->steps == b->steps && a->broken == b->broken && p->steps == q->steps && p->chunks == q->chunks);
  assert_true(p->refused == q->refused && p->clamped == q->clamped && p->nfe == q->nfe);
}

static void a_table_hangs_on_the_seed_alone(void **state) {
  (void)state;
  if (!is_there()) skip();
  lfm_model *model = model_from(wandering("state", 512));
  lfm_table *one, *two, *other;
  lfm_rollout_result result, again;
  lfm_rollout_options options = options_of(model, 1, 1);
  OK(lfm_rollout(&options, &one, &result));
  options.threads = 2;
  OK(lfm_rollout(&options, &two, &again));
  assert_true(result.policy.jump > 0);
  expect_same(&result, &again);
  options.seed = 2;
  OK(lfm_rollout(&options, &other, &again));
  size_t bytes = EPISODES_RUN * COLUMNS * sizeof(double);
  assert_memory_equal(one->values, two->values, bytes);
  assert_memory_not_equal(one->values, other->values, bytes);
  double score = 0, steps = 0;
  for (int i = 0; i < EPISODES_RUN; i++) {
    const double *row = one->values + i * COLUMNS;
    assert_true(row[0] == i && row[SCORE] >= 0 && row[SCORE] <= 1 && row[BROKEN] == 0);
    assert_true(row[SUCCESS] == 1 || row[STEPS_TAKEN] == 300);
    score += row[SCORE] / EPISODES_RUN, steps += row[STEPS_TAKEN];
  }
  assert_near(result.score, score, 1e-12);
  assert_int_equal(result.steps, (int64_t)steps);
  assert_int_equal(result.success.of, EPISODES_RUN);
  assert_int_equal(result.policy.steps, (int64_t)steps);
  assert_true(result.policy.chunks >= result.steps / 2 && result.policy.p99 > 0 && result.score_se >= 0);
  assert_string_equal(lfm_table_name(one, SCORE), "score");
  lfm_table_destroy(one), lfm_table_destroy(two), lfm_table_destroy(other);
  lfm_model_destroy(model);
}

static void a_shove_is_the_episodes_own(void **state) {
  (void)state;
  if (!is_there()) skip();
  const lfm_task *task;
  OK(lfm_task_find("pusht", &task));
  bool differs = false;
  for (int64_t episode = 0; episode < 20; episode++) {
    lfm_shove shove = lfm_shove_of(task, 1, episode, 50), other = lfm_shove_of(task, 1, episode + 1, 50);
    assert_near(hypot(shove.off[0], shove.off[1]), 50, 1e-9);
    assert_true(shove.first >= LFM_SHOVE_EARLIEST && shove.first < LFM_SHOVE_LATEST);
    differs |= shove.first != other.first;
    double action[2] = {100, 200};
    lfm_shove_apply(&shove, shove.first - 1, action);
    lfm_shove_apply(&shove, shove.first + LFM_SHOVE_STEPS, action);
    assert_true(action[0] == 100 && action[1] == 200);
    lfm_shove_apply(&shove, shove.first + LFM_SHOVE_STEPS - 1, action);
    assert_true(action[0] == 100 + shove.off[0] && action[1] == 200 + shove.off[1]);
  }
  assert_true(differs);
  lfm_model *model = model_from(wandering("state", 512));
  lfm_table *calm, *one, *two;
  lfm_rollout_result result;
  lfm_rollout_options options = options_of(model, 1, 1);
  OK(lfm_rollout(&options, &calm, &result));
  options.shove = 50;
  OK(lfm_rollout(&options, &one, &result));
  options.threads = 2;
  OK(lfm_rollout(&options, &two, &result));
  size_t bytes = EPISODES_RUN * COLUMNS * sizeof(double);
  assert_memory_not_equal(calm->values, one->values, bytes);
  assert_memory_equal(one->values, two->values, bytes);
  options.shove = NAN;
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_USAGE);
  lfm_table_destroy(calm), lfm_table_destroy(one), lfm_table_destroy(two);
  lfm_model_destroy(model);
}

/* A policy that has seen a small corner only refuses what it sees in the rest. */
static void what_breaks_is_counted(void **state) {
  (void)state;
  if (!is_there()) skip();
  lfm_model *model = model_from(wandering("state", 20));
  lfm_table *table;
  lfm_rollout_result result;
  lfm_rollout_options options = options_of(model, 1, 2);
  OK(lfm_rollout(&options, &table, &result));
  assert_int_equal(result.broken, EPISODES_RUN);
  assert_int_equal(result.policy.refused, EPISODES_RUN);
  assert_int_equal(result.steps, result.policy.steps); /* a step that was refused is none */
  assert_int_equal(result.success.count, 0);
  lfm_table_destroy(table);
  options.policy.clamp = true;
  OK(lfm_rollout(&options, NULL, &result));
  assert_int_equal(result.broken, 0);
  assert_true(result.policy.clamped > 0 && result.policy.refused == 0);
  lfm_model_destroy(model);
}

static bool stops(const lfm_progress *progress, void *context) {
  (void)progress, (void)context;
  return true;
}

static void other_models_are_told_so(void **state) {
  (void)state;
  if (!is_there()) skip();
  lfm_model *model = model_from(wandering("pose", 512));
  lfm_rollout_result result;
  lfm_rollout_options options = options_of(model, 1, 1);
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "pusht: the model observes pose, 5 numbers"));
  options.task = "tetris";
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_USAGE);
  options.model = NULL;
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_USAGE);
  options.model = model, options.task = NULL, options.episodes = 0;
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_USAGE);
  lfm_model_destroy(model);
  model = model_from(wandering("state", 512));
  options = options_of(model, 1, 1);
  options.progress = stops;
  options.episodes = 2000;
  assert_int_equal(lfm_rollout(&options, NULL, &result), LFM_E_INTERRUPTED);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_table_hangs_on_the_seed_alone),
      cmocka_unit_test(a_shove_is_the_episodes_own),
      cmocka_unit_test(what_breaks_is_counted),
      cmocka_unit_test(other_models_are_told_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
