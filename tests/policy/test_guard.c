/* SPDX-License-Identifier: MIT
 *
 * test_guard.c -- what the demonstrations never show raises an alarm, and what they show does not; what a policy then does;
 * the score is one step of Euler, as lfm_push takes it; the same bytes on any number of threads and through a file; what
 * makes no sense, hostile files, refused memory.
 */
#define REAL_CLOCK
#include "flow/modes_support.h"

#include "flow/chain.h"

static const double usual[OBS] = {1.0, 0.05}, other[OBS] = {1.0, -0.08}, strange[OBS] = {1.0, 0.9};

/* A policy that has learnt a little, and it with a guard: made once, and left as it is. */
typedef struct scene {
  run r;
  lfm_model *model, *guarded;
  char path[600], other[600]; /* the guarded one's file; one to write to */
  lfm_guard_result result;
} scene;

static lfm_guard_options guard_options(const scene *s) {
  lfm_guard_options options;
  lfm_guard_defaults(&options);
  options.model = s->model, options.demos = s->r.table;
  options.alpha = 0.2, options.batches = 250, options.seed = 4, options.threads = 1;
  return options;
}

static int make_scene(void **state) {
  static scene s;
  s.r = policy_run(KEYS("max_batch=8"));
  OK(run_train(&s.r));
  s.model = model_of(&s.r);
  snprintf(s.path, sizeof s.path, "%s/guarded.safetensors", s.r.root.path);
  snprintf(s.other, sizeof s.other, "%s/other.safetensors", s.r.root.path);
  lfm_guard_options options = guard_options(&s);
  OK(lfm_guard(&options, s.path, &s.result));
  OK(lfm_model_load(s.path, &s.guarded));
  *state = &s;
  return 0;
}

static int drop_scene(void **state) {
  scene *s = *state;
  remove(s->path), remove(s->other);
  lfm_model_destroy(s->guarded);
  lfm_model_destroy(s->model);
  run_drop(&s->r);
  return 0;
}

static lfm_policy *policy_with(const lfm_model *model, const char *guard) {
  lfm_policy *policy;
  lfm_policy_options options;
  lfm_policy_defaults(&options);
  options.solve.nfe = 4, options.seed = 3, options.range = 100, options.guard = guard;
  OK(lfm_policy_create(model, &options, &policy));
  lfm_policy_begin(policy, 0);
  return policy;
}

static lfm_guard_state state_of(const lfm_policy *policy) {
  lfm_guard_state state = {.steps = -7};
  assert_true(lfm_policy_guard(policy, &state));
  return state;
}

static void what_is_strange_raises_an_alarm(void **made) {
  const scene *s = *made;
  lfm_policy *counted = policy_with(s->guarded, "count"), *plain = policy_with(s->guarded, NULL);
  double action[DIM], expected[DIM];
  lfm_guard_state state;
  assert_int_equal(s->result.learnt, EPISODES / 2);
  assert_int_equal(s->result.calibrated + s->result.false_alarms.of, EPISODES / 2);
  assert_true(s->result.level > 0 && s->result.false_alarms.share <= 0.5);
  assert_false(lfm_policy_guard(plain, &state));
  for (int k = 0; k < 6; k++) { /* counting changes no action */
    const double *seen = k == 4 ? strange : k % 2 ? usual : other;
    OK(lfm_policy_act(counted, seen, OBS, action));
    OK(lfm_policy_act(plain, seen, OBS, expected));
    assert_memory_equal(action, expected, sizeof action);
    state = state_of(counted);
    assert_int_equal(state.steps, k + 1);
    assert_true(state.alarm == (state.score > state.level) && state.level == s->result.level);
    assert_true(state.alarm == (k >= 4)); /* behind it, it is still in sight */
    assert_int_equal(state.first, k < 4 ? -1 : 4);
  }
  lfm_policy_begin(counted, 1);
  assert_true(state_of(counted).first == -1 && state_of(counted).steps == 0);
  OK(lfm_policy_act(counted, usual, OBS, action));
  lfm_policy_stats stats;
  lfm_policy_look(counted, &stats);
  assert_int_equal(stats.alarms, 2);
  assert_int_equal(stats.alarmed, 1);
  assert_int_equal(stats.refused, 0);
  lfm_policy_destroy(counted), lfm_policy_destroy(plain);
}

/* In a loop that draws itself, and in one by a deadline that is never missed. */
static void it_holds(void **made) {
  const scene *s = *made;
  lfm_policy *policy = policy_with(s->guarded, "hold"), *plain = policy_with(s->guarded, NULL);
  lfm_pilot *pilot;
  lfm_pilot_options options;
  lfm_pilot_defaults(&options);
  options.policy.solve.nfe = 4, options.policy.seed = 3, options.policy.range = 100, options.policy.guard = "hold";
  options.deadline = 60e6;
  OK(lfm_pilot_create(s->guarded, &options, &pilot));
  lfm_pilot_begin(pilot, 0);
  double action[DIM] = {0}, last[DIM], flown[DIM], expected[DIM];
  for (int k = 0; k < 6; k++) {
    bool held = k == 1 || k == 2 || k == 3; /* the last time for what is still in sight */
    const double *seen = k == 1 || k == 2 ? strange : usual;
    memcpy(last, action, sizeof last);
    OK(lfm_policy_act(policy, seen, OBS, action));
    OK(lfm_pilot_act(pilot, seen, OBS, flown));
    assert_memory_equal(action, flown, sizeof action);
    assert_true((memcmp(action, last, sizeof last) == 0) == held);
    assert_true(state_of(policy).alarm == held && !state_of(policy).stopped);
  }
  lfm_guard_state state;
  assert_true(lfm_pilot_guard(pilot, &state));
  assert_int_equal(state.first, 1);
  /* nothing to hold yet */
  lfm_policy_begin(policy, 0);
  memcpy(last, action, sizeof last);
  assert_int_equal(lfm_policy_act(policy, strange, OBS, action), LFM_E_DATA);
  assert_memory_equal(action, last, sizeof action);
  assert_says("no action yet to hold");
  assert_false(state_of(policy).stopped);                                 /* it goes on once it knows where it is */
  for (int k = 0; k < 2; k++) lfm_policy_act(policy, usual, OBS, action); /* the first still has the strange one in sight */
  OK(lfm_policy_act(policy, usual, OBS, action));
  lfm_policy_begin(policy, 0);
  OK(lfm_policy_act(policy, usual, OBS, action));
  OK(lfm_policy_act(plain, usual, OBS, expected));
  assert_memory_equal(action, expected, sizeof action);
  lfm_pilot_destroy(pilot);
  lfm_policy_destroy(policy), lfm_policy_destroy(plain);
}

static void it_stops(void **made) {
  const scene *s = *made;
  lfm_policy *policy = policy_with(s->guarded, "stop");
  double action[DIM] = {7, 7};
  OK(lfm_policy_act(policy, usual, OBS, action));
  action[0] = 7;
  for (int k = 0; k < 4; k++) { /* though all were well again */
    assert_int_equal(lfm_policy_act(policy, k ? usual : strange, OBS, action), LFM_E_DATA);
    assert_non_null(strstr(lfm_error(), "stopped by its guard, at step 2"));
    assert_true(action[0] == 7 && state_of(policy).stopped);
  }
  lfm_policy_begin(policy, 1);
  OK(lfm_policy_act(policy, usual, OBS, action));
  assert_false(state_of(policy).stopped);
  lfm_policy_destroy(policy);
}

static void the_score_is_one_step_to_the_noise(void **made) {
  const scene *s = *made;
  const lfm_model *flow = s->guarded->guard->flow;
  lfm_policy *policy = policy_with(s->guarded, "count");
  double seen[2 * OBS], action[DIM], sum = 0;
  memcpy(seen, usual, sizeof usual), memcpy(seen + OBS, strange, sizeof strange);
  OK(lfm_policy_act(policy, usual, OBS, action));
  OK(lfm_policy_act(policy, strange, OBS, action));
  lfm_table *row, *noise;
  OK(lfm_table_create(seen, 1, 2 * OBS, NULL, NULL, &row));
  lfm_push_options options;
  lfm_push_defaults(&options);
  options.solve.solver = "euler", options.solve.nfe = 1, options.to = 1;
  OK(lfm_push(flow, row, &options, &noise, NULL));
  for (int64_t j = 0; j < noise->cols; j++) sum += noise->values[j] * noise->values[j] / (double)noise->cols;
  assert_near(state_of(policy).score, sum, 1e-5 * sum);
  lfm_table_destroy(row), lfm_table_destroy(noise);
  lfm_policy_destroy(policy);
}

static void bytes_hang_on_the_seed_alone(void **made) {
  const scene *s = *made;
  const char *again = s->other;
  lfm_guard_result result;
  lfm_guard_options options = guard_options(s);
  options.threads = 2;
  OK(lfm_guard(&options, again, &result));
  assert_true(same_bytes(s->path, again) && result.level == s->result.level);
  OK(lfm_model_write(s->guarded, again));
  assert_true(same_bytes(s->path, again));
  options.model = s->guarded; /* in place of the guard that is there */
  OK(lfm_guard(&options, again, &result));
  assert_true(same_bytes(s->path, again));
  options.seed = 5;
  OK(lfm_guard(&options, again, &result));
  assert_false(same_bytes(s->path, again));
}

/* Every episode of `successes` is held out of the training already. */
static void recorded_successes_calibrate(void **made) {
  const scene *s = *made;
  lfm_table *successes = two_modes(9, LFM_ACTION_PLAIN);
  lfm_guard_result result;
  lfm_guard_options options = guard_options(s);
  options.successes = successes, options.batches = 5;
  OK(lfm_guard(&options, s->other, &result));
  assert_int_equal(result.learnt, EPISODES);
  assert_int_equal(result.calibrated, EPISODES / 2);
  assert_int_equal(result.false_alarms.of, EPISODES / 2);
  options.rollouts = 5;
  assert_int_equal(lfm_guard(&options, s->other, &result), LFM_E_USAGE);
  lfm_table_destroy(successes);
}

/* Every second episode calibrates, and most of those have seen what single precision does not hold. */
static void a_level_that_nothing_exceeds_is_refused(void **made) {
  const scene *s = *made;
  lfm_table *successes = two_modes(9, LFM_ACTION_PLAIN);
  lfm_guard_result result;
  lfm_guard_options options = guard_options(s);
  for (int64_t e = 4; e < EPISODES; e += 2) successes->demos->obs[e * STEPS * OBS + 1] = 1e300;
  options.successes = successes, options.batches = 5;
  remove(s->other);
  FAILS(LFM_E_DATA, lfm_guard(&options, s->other, &result));
  assert_says("the score of episode 5 of the episodes that calibrate");
  assert_false(lfm_path_exists(s->other));
  lfm_table_destroy(successes);
}

static bool stop_at_once(const lfm_progress *progress, void *context) {
  (void)progress, (void)context;
  return true;
}

#define REFUSED(status, what, field, value)                                                                                  \
  do {                                                                                                                       \
    lfm_guard_result refused;                                                                                                \
    lfm_guard_options changed = options;                                                                                     \
    changed.field = value;                                                                                                   \
    assert_int_equal(lfm_guard(&changed, nowhere, &refused), status);                                                        \
    assert_non_null(strstr(lfm_error(), what));                                                                              \
  } while (0)

static void what_makes_no_sense_is_refused(void **made) {
  const scene *s = *made;
  const char *nowhere = "nowhere.safetensors";
  lfm_guard_options options = guard_options(s);
  options.batches = 3;
  lfm_table *plain = gaussian_table(50, 2, 7), *poses = two_modes(1, LFM_ACTION_POSE);
  REFUSED(LFM_E_USAGE, "alpha", alpha, 0.0);
  REFUSED(LFM_E_USAGE, "alpha", alpha, 1.0);
  REFUSED(LFM_E_USAGE, "batches: 0;", batches, 0);
  REFUSED(LFM_E_USAGE, "seed: 9007199254740993;", seed, (UINT64_C(1) << 53) + 1);
  REFUSED(LFM_E_USAGE, "rollouts", rollouts, -1);
  REFUSED(LFM_E_DATA, "it takes 99 at least", alpha, 0.01);
  REFUSED(LFM_E_DATA, "no demonstrations", demos, plain);
  REFUSED(LFM_E_DATA, "the demonstrations are of", demos, poses);
  REFUSED(LFM_E_DATA, "the demonstrations are of", successes, poses);
  REFUSED(LFM_E_DATA, "number 1 is also among the demonstrations, number 1,", successes, options.demos);
  REFUSED(LFM_E_USAGE, "there are", rollouts, 30); /* "modes" is no task that is simulated */
  REFUSED(LFM_E_INTERRUPTED, "nothing was written", progress, stop_at_once);
  REFUSED(LFM_E_USAGE, "needs a model", model, NULL);
  REFUSED(LFM_E_USAGE, "no policy", model, s->guarded->guard->flow);
  assert_false(lfm_path_exists(nowhere));
  nowhere = "nowhere.txt";
  REFUSED(LFM_E_USAGE, "ending", batches, 3);
  nowhere = "no/where.safetensors"; /* before the work */
  REFUSED(LFM_E_IO, "no/where", batches, 100000000);
  lfm_policy *policy;
  lfm_policy_options asked;
  lfm_policy_defaults(&asked);
  asked.guard = "count";
  assert_int_equal(lfm_policy_create(s->model, &asked, &policy), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "guard: the model has none"));
  assert_int_equal(lfm_policy_export(s->model, &asked, "nowhere.c"), LFM_E_USAGE);
  asked.guard = "shout";
  assert_int_equal(lfm_policy_create(s->guarded, &asked, &policy), LFM_E_USAGE);
  assert_null(policy);
  lfm_table_destroy(plain), lfm_table_destroy(poses);
}

static void check_hostile(const scene *s, const lfm_model_guard *guard, const char *what) {
  lfm_model altered = *s->guarded, *out;
  altered.guard = (lfm_model_guard *)(uintptr_t)guard;
  OK(lfm_model_write(&altered, s->other));
  assert_int_equal(lfm_model_load(s->other, &out), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), what));
  assert_null(out);
}

static void hostile_files_are_refused(void **made) {
  const scene *s = *made;
  lfm_model_guard guard = *s->guarded->guard;
  double level[1] = {NAN};
  guard.level = level;
  check_hostile(s, &guard, "level");
  level[0] = 1.0, guard.levels = 0;
  check_hostile(s, &guard, "levels");
  guard.levels = 1, guard.alpha = 2.0;
  check_hostile(s, &guard, "alpha");
  guard.alpha = 0.1, guard.flow = s->model; /* a policy is no flow over what it sees */
  check_hostile(s, &guard, "not of what this policy observes");
  run density = small_run(KEYS("hks=[null]", "max_batch=1"));
  OK(run_train(&density));
  guard.flow = model_of(&density);
  check_hostile(s, &guard, "not of what this policy observes");
  lfm_model guarded_density = *guard.flow, *out; /* a guard of nothing that acts */
  guarded_density.guard = s->guarded->guard;
  OK(lfm_model_write(&guarded_density, s->other));
  assert_int_equal(lfm_model_load(s->other, &out), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "no policy to guard"));
  lfm_model_destroy(guard.flow);
  run_drop(&density);
}

/* Each request refused in turn: reading a guarded model, and making a policy of it. */
static void memory_is_refused_well(void **made) {
  const scene *s = *made;
  lfm_policy_options options;
  lfm_policy_defaults(&options);
  options.guard = "count";
  lfm_status status;
  uint64_t at = 0;
  do {
    lfm_model *model = NULL;
    lfm_policy *policy = NULL;
    lfm_alloc_fail_at(++at);
    status = lfm_model_load(s->path, &model);
    if (status == LFM_OK) status = lfm_policy_create(model, &options, &policy);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    lfm_policy_destroy(policy);
    lfm_model_destroy(model);
  } while (status != LFM_OK);
  assert_true(at > 50);
  lfm_guard_options making = guard_options(s);
  lfm_guard_result result;
  making.batches = 1;
  at = 0;
  do {
    at += 7; /* a fit of some hundred requests, again and again */
    lfm_alloc_fail_at(at);
    status = lfm_guard(&making, s->other, &result);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  } while (status != LFM_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_strange_raises_an_alarm),
      cmocka_unit_test(it_holds),
      cmocka_unit_test(it_stops),
      cmocka_unit_test(the_score_is_one_step_to_the_noise),
      cmocka_unit_test(bytes_hang_on_the_seed_alone),
      cmocka_unit_test(recorded_successes_calibrate),
      cmocka_unit_test(a_level_that_nothing_exceeds_is_refused),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(hostile_files_are_refused),
      cmocka_unit_test(memory_is_refused_well),
  };
  return cmocka_run_group_tests(tests, make_scene, drop_scene);
}
