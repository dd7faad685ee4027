/* SPDX-License-Identifier: MIT
 *
 * test_pilot.c -- a control loop by a deadline: the actions of lfm_policy_act where chunks come in time; where one is late,
 * the rest of the one before, then its last action, then the late one from the action that is due; another thread that reads
 * the action in force.  The drawer stands behind a gate, so that late is late whatever the machine does.
 */
#define REAL_CLOCK
#include "flow/modes_support.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "policy/policy.h"

static sem_t gate; /* one chunk may be drawn for each time that it is opened */
static atomic_bool is_gated;

static lfm_rt_outcome gated_draw(lfm_rt_loop *loop, int64_t due) {
  if (atomic_load(&is_gated)) sem_wait(&gate);
  return lfm_rt_draw(loop, due);
}

#define lfm_rt_draw gated_draw
#include "policy/pilot.c"
#undef lfm_rt_draw

enum { EXECUTED = 2, PREDICTED = HORIZON, FIRST = 1 }; /* of a chunk of POLICY */
static const double seen[OBS] = {1.0, 0.05};

static lfm_model *small_policy(void) {
  run r = policy_run(KEYS("max_batch=8"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  run_drop(&r);
  return model;
}

static lfm_pilot_options options_of(double deadline) {
  lfm_pilot_options options;
  lfm_pilot_defaults(&options);
  options.policy.solve.nfe = 4, options.policy.seed = 3, options.deadline = deadline;
  return options;
}

static void check_in_time(bool rtc) {
  lfm_model *model = small_policy();
  lfm_pilot_options options = options_of(60e6);
  options.policy.rtc = rtc;
  lfm_pilot *pilot;
  lfm_policy *policy;
  double action[DIM], expected[DIM], current[DIM];
  OK(lfm_pilot_create(model, &options, &pilot));
  OK(lfm_policy_create(model, &options.policy, &policy));
  assert_false(lfm_pilot_current(pilot, current));
  for (int episode = 0; episode < 3; episode++) {
    lfm_pilot_begin(pilot, episode);
    lfm_policy_begin(policy, episode);
    for (int k = 0; k < 9; k++) {
      const double moving[OBS] = {seen[0], 0.02 * k};
      OK(lfm_pilot_act(pilot, moving, OBS, action));
      OK(lfm_policy_act(policy, moving, OBS, expected));
      assert_memory_equal(action, expected, sizeof action);
      assert_true(lfm_pilot_current(pilot, current));
      assert_memory_equal(current, expected, sizeof action);
    }
  }
  const double nan[OBS] = {NAN, 0};
  assert_int_equal(lfm_pilot_act(pilot, nan, OBS, action), LFM_E_DATA);
  assert_int_equal(lfm_pilot_act(pilot, seen, OBS - 1, action), LFM_E_USAGE);
  lfm_pilot_stats stats;
  lfm_pilot_look(pilot, &stats);
  assert_int_equal(stats.missed, 0);
  assert_int_equal(stats.held, 0);
  assert_int_equal(stats.policy.steps, 27);
  assert_int_equal(stats.policy.chunks, 15);
  assert_int_equal(stats.policy.refused, 2);
  assert_int_equal(stats.policy.nfe, 4);
  lfm_policy_stats alone;
  lfm_policy_look(policy, &alone);
  assert_true(stats.policy.jump > 0 && stats.policy.jump == alone.jump);
  lfm_pilot_destroy(pilot);
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
}

static void in_time_it_is_the_policy(void **state) {
  (void)state;
  check_in_time(false);
  check_in_time(true);
}

/* The chunks of an episode in which the same is seen all the time. */
static void chunks_of(const lfm_model *model, const lfm_pilot_options *options, int count, double *chunks) {
  lfm_policy *policy;
  double action[DIM];
  OK(lfm_policy_create(model, &options->policy, &policy));
  lfm_policy_begin(policy, 0);
  for (int c = 0; c < count; c++) {
    for (int k = 0; k < EXECUTED; k++) OK(lfm_policy_act(policy, seen, OBS, action));
    memcpy(chunks + c * PREDICTED * DIM, lfm_policy_loop(policy)->chunk, PREDICTED * DIM * sizeof *chunks);
  }
  lfm_policy_destroy(policy);
}

static void acts(lfm_pilot *pilot, const double *chunks, int chunk, int step) {
  double action[DIM];
  OK(lfm_pilot_act(pilot, seen, OBS, action));
  assert_memory_equal(action, chunks + (chunk * PREDICTED + step) * DIM, sizeof action);
}

static void let_one_through(lfm_pilot *pilot) {
  sem_post(&gate);
  while (!is_there(pilot)) sched_yield();
}

static void a_late_chunk_is_bridged(void **state) {
  (void)state;
  lfm_model *model = small_policy();
  lfm_pilot_options options = options_of(100.0);
  lfm_pilot *pilot;
  double chunks[4 * PREDICTED * DIM];
  chunks_of(model, &options, 4, chunks);
  sem_init(&gate, 0, 0);
  OK(lfm_pilot_create(model, &options, &pilot));
  atomic_store(&is_gated, true);
  sem_post(&gate); /* the first one is waited for */
  for (int k = 0; k < EXECUTED; k++) acts(pilot, chunks, 0, FIRST + k);
  acts(pilot, chunks, 0, FIRST + 2); /* late: the rest of it, */
  acts(pilot, chunks, 0, FIRST + 2); /* and then the last one is held */
  let_one_through(pilot);            /* asked for two steps ago, of which both are over */
  sem_post(&gate);
  lfm_pilot_stats stats;
  lfm_pilot_look(pilot, &stats);
  assert_int_equal(stats.missed, 1);
  assert_int_equal(stats.held, 1);
  double action[DIM];
  OK(lfm_pilot_act(pilot, seen, OBS, action)); /* another one is asked for, and may or may not be in time */
  while (!is_there(pilot)) sched_yield();
  lfm_pilot_begin(pilot, 0);
  sem_post(&gate);
  for (int k = 0; k < EXECUTED; k++) acts(pilot, chunks, 0, FIRST + k);
  acts(pilot, chunks, 0, FIRST + 2);
  let_one_through(pilot); /* one step ago: its second action is due */
  acts(pilot, chunks, 1, FIRST + 1);
  assert_int_equal(delay_of(pilot), 2); /* the first one's steps are still reckoned with */
  atomic_store(&is_gated, false);
  sem_post(&gate);
  lfm_pilot_destroy(pilot);
  lfm_model_destroy(model);
  sem_destroy(&gate);
}

/* Steps whose observations are refused pass all the same: the late chunk is taken up where it is due by then. */
static void refused_steps_pass(void **state) {
  (void)state;
  lfm_model *model = small_policy();
  lfm_pilot_options options = options_of(100.0);
  lfm_pilot *pilot;
  double chunks[2 * PREDICTED * DIM], action[DIM];
  const double nan[OBS] = {NAN, 0};
  chunks_of(model, &options, 2, chunks);
  sem_init(&gate, 0, 0);
  OK(lfm_pilot_create(model, &options, &pilot));
  atomic_store(&is_gated, true);
  sem_post(&gate);
  for (int k = 0; k < EXECUTED; k++) acts(pilot, chunks, 0, FIRST + k);
  acts(pilot, chunks, 0, FIRST + 2); /* late */
  assert_int_equal(pilot->since, 0);
  assert_int_equal(lfm_pilot_act(pilot, nan, OBS, action), LFM_E_DATA);
  assert_int_equal(pilot->since, 1);
  let_one_through(pilot);
  atomic_store(&is_gated, false);
  OK(lfm_pilot_act(pilot, seen, OBS, action)); /* two steps behind: all of it is over, and another is asked for */
  assert_true(pilot->stats.policy.steps == 4);
  lfm_pilot_destroy(pilot);
  lfm_model_destroy(model);
  sem_destroy(&gate);
}

/* ---- the action in force ------------------------------------------------------------------------------------------ */

typedef struct reader {
  lfm_pilot *pilot;
  atomic_bool stops;
  long read, torn;
} reader;

/* Whole actions only: the numbers that are put in force here are all the same. */
static lfm_model *guarded_policy(void) {
  run r = policy_run(KEYS("max_batch=8"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r), *guarded;
  lfm_guard_options options;
  lfm_guard_result result;
  lfm_guard_defaults(&options);
  options.model = model, options.demos = r.table;
  options.alpha = 0.2, options.batches = 250, options.seed = 4, options.threads = 1;
  OK(lfm_guard(&options, file_of(&r, "guarded.safetensors"), &result));
  OK(lfm_model_load(file_of(&r, "guarded.safetensors"), &guarded));
  lfm_model_destroy(model);
  run_drop(&r);
  return guarded;
}

/* A chunk that was on its way when the guard made the policy hold is of another situation: it is not taken up. */
static void what_was_asked_for_before_a_hold_is_dropped(void **state) {
  (void)state;
  lfm_model *model = guarded_policy();
  lfm_pilot_options options = options_of(100.0);
  lfm_pilot *pilot;
  const double strange[OBS] = {1.0, 0.9};
  double action[DIM], held[DIM];
  options.policy.guard = "hold", options.policy.range = 100;
  sem_init(&gate, 0, 0);
  OK(lfm_pilot_create(model, &options, &pilot));
  lfm_pilot_begin(pilot, 0);
  atomic_store(&is_gated, true);
  sem_post(&gate);
  for (int k = 0; k < EXECUTED; k++) OK(lfm_pilot_act(pilot, seen, OBS, action));
  OK(lfm_pilot_act(pilot, seen, OBS, held)); /* asked for, and late */
  assert_true(pilot->waits && pilot->taken == 1);
  OK(lfm_pilot_act(pilot, strange, OBS, action));
  assert_memory_equal(action, held, sizeof action);
  let_one_through(pilot);
  OK(lfm_pilot_act(pilot, seen, OBS, action)); /* the strange one is still in sight */
  assert_memory_equal(action, held, sizeof action);
  assert_true(pilot->taken == 1 && !pilot->waits); /* it is there, and nobody's */
  OK(lfm_pilot_act(pilot, seen, OBS, action));
  assert_memory_equal(action, held, sizeof action);
  assert_true(pilot->waits && !pilot->is_stale); /* one of what is seen now is asked for */
  atomic_store(&is_gated, false);
  sem_post(&gate);
  lfm_pilot_destroy(pilot);
  lfm_model_destroy(model);
  sem_destroy(&gate);
}

static void *read_on(void *context) {
  reader *r = context;
  double action[MOST_ACTION];
  while (!atomic_load(&r->stops))
    if (lfm_pilot_current(r->pilot, action)) r->read++, r->torn += action[0] != action[DIM - 1];
  return NULL;
}

static void another_thread_reads_whole_actions(void **state) {
  (void)state;
  lfm_model *model = small_policy();
  lfm_pilot_options options = options_of(60e6);
  reader r = {0};
  pthread_t thread;
  OK(lfm_pilot_create(model, &options, &r.pilot));
  assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
  for (int k = 0; k < 20000; k++) put_in_force(r.pilot, (const double[DIM]){k, k}, DIM);
  atomic_store(&r.stops, true);
  pthread_join(thread, NULL);
  assert_int_equal(r.torn, 0);
  lfm_pilot_destroy(r.pilot);
  lfm_model_destroy(model);
}

static void evaluations_follow_the_deadline(void **state) {
  (void)state;
  lfm_model *model = small_policy();
  lfm_pilot_options options = options_of(60e6);
  lfm_pilot *pilot;
  lfm_pilot_stats stats;
  options.policy.solve.nfe = 0;
  OK(lfm_pilot_create(model, &options, &pilot));
  lfm_pilot_look(pilot, &stats);
  assert_int_equal(stats.policy.nfe, 32); /* 16 in each of two blocks */
  lfm_pilot_destroy(pilot);
  options.deadline = 1e-3;
  assert_int_equal(lfm_pilot_create(model, &options, &pilot), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "deadline: a chunk of 2 evaluations takes"));
  options.policy.solve.solver = "rk4"; /* fewer than four a block are none of its steps */
  assert_int_equal(lfm_pilot_create(model, &options, &pilot), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "deadline: a chunk of 8 evaluations takes"));
  options.policy.solve.solver = "dopri5";
  assert_int_equal(lfm_pilot_create(model, &options, &pilot), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "dopri5 has 6 stages"));
  options.deadline = 0;
  assert_int_equal(lfm_pilot_create(model, &options, &pilot), LFM_E_USAGE);
  uint64_t at = 0;
  options = options_of(60e6);
  do {
    lfm_alloc_fail_at(++at);
    lfm_status status = lfm_pilot_create(model, &options, &pilot);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !pilot));
  } while (!pilot);
  lfm_pilot_destroy(pilot);
  lfm_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(in_time_it_is_the_policy),
      cmocka_unit_test(a_late_chunk_is_bridged),
      cmocka_unit_test(refused_steps_pass),
      cmocka_unit_test(what_was_asked_for_before_a_hold_is_dropped),
      cmocka_unit_test(another_thread_reads_whole_actions),
      cmocka_unit_test(evaluations_follow_the_deadline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
