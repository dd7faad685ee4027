/* SPDX-License-Identifier: MIT
 *
 * test_policy.c -- a control loop: the chunk that lfm_sample draws, executed a step at a time; what is forgotten when an
 * episode begins; chunks that take steps to come, and that go on from the one before; observations that are refused or moved
 * into range, and counted; weights of bfloat16; allocation failure at every point of the making, and none afterwards.
 */
#include "flow/modes_support.h"

#include "core/file.h"
#include "policy/policy.h"

enum { FIRST = 1, EXECUTED = 2 }; /* of a chunk: with two observations and an action horizon of two */

/* Learnt a little: whether it does well is flow's to test. */
static lfm_model *small_policy_of(lfm_action_kind kind, const char *const *more) {
  run r = run_of(two_modes(1, kind), POLICY, more);
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  run_drop(&r);
  return model;
}

static lfm_model *small_policy(const char *const *more) { return small_policy_of(LFM_ACTION_PLAIN, more); }

static lfm_policy *policy_of(const lfm_model *model, lfm_policy_options options) {
  lfm_policy *policy;
  OK(lfm_policy_create(model, &options, &policy));
  lfm_policy_begin(policy, 0);
  return policy;
}

static lfm_policy_options options_of(int nfe) {
  lfm_policy_options options;
  lfm_policy_defaults(&options);
  options.solve.nfe = nfe;
  options.seed = 3;
  return options;
}

/* Actions of the first chunk for an observation that has always been the same, as the loop executes them. */
static void executed(lfm_policy *policy, const double *observation, double *actions) {
  for (int k = 0; k < EXECUTED; k++) OK(lfm_policy_act(policy, observation, OBS, actions + k * lfm_policy_actions(policy)));
}

/* Row 0 of lfm_sample given the first window of an episode is the first chunk. */
static void check_chunk(const lfm_model *model, lfm_action_kind kind, int nfe) {
  lfm_table *given = two_modes(2, kind), *drawn;
  lfm_sample_options sampling;
  lfm_sample_result result;
  lfm_sample_defaults(&sampling);
  sampling.rows = 100000, sampling.given = given, sampling.seed = 3, sampling.solve.nfe = nfe;
  OK(lfm_sample(model, &sampling, &drawn, &result));
  double actions[EXECUTED * LFM_ARM_ACTION];
  lfm_policy *policy = policy_of(model, options_of(nfe));
  int64_t dim = lfm_policy_actions(policy);
  executed(policy, given->demos->obs, actions);
  for (int64_t j = 0; j < EXECUTED * dim; j++) assert_near(actions[j], drawn->values[FIRST * dim + j], 2e-5);
  lfm_policy_destroy(policy);
  lfm_table_destroy(drawn);
  lfm_table_destroy(given);
}

static void a_chunk_is_the_one_that_sample_draws(void **state) {
  (void)state;
  const char *const *kinds[] = {NULL, KEYS("network=mlp", "hidden_dim=24", "num_hidden=2", "cat_t=all")};
  static const lfm_action_kind actions[] = {LFM_ACTION_PLAIN, LFM_ACTION_POSE};
  for (int k = 0; k < 4; k++) {
    lfm_model *model = small_policy_of(actions[k / 2], kinds[k % 2]);
    for (int nfe = 2; nfe <= 16; nfe *= 2) check_chunk(model, actions[k / 2], nfe); /* as many steps of Euler as they allow */
    lfm_model_destroy(model);
  }
}

static void episodes_have_their_own_noise_and_no_past(void **state) {
  (void)state;
  lfm_model *model = small_policy(NULL);
  lfm_policy *policy = policy_of(model, options_of(4));
  const double one[OBS] = {1.0, 0.05}, other[OBS] = {-1.0, 0.1};
  double first[EXECUTED * DIM], second[EXECUTED * DIM], again[EXECUTED * DIM];
  executed(policy, one, first);
  executed(policy, one, second); /* the same observation, another chunk */
  assert_memory_not_equal(first, second, sizeof first);
  lfm_policy_begin(policy, 7);
  executed(policy, other, second);
  lfm_policy_begin(policy, 0);
  executed(policy, one, again);
  assert_memory_equal(first, again, sizeof first);
  lfm_policy_begin(policy, 1);
  executed(policy, one, again);
  assert_memory_not_equal(first, again, sizeof first);
  lfm_policy_begin(policy, INT64_C(1) << 62); /* a time stamp, say: the last 24 bits of it */
  assert_int_equal(lfm_policy_loop(policy)->episode, 0);
  executed(policy, one, again);
  assert_memory_equal(first, again, sizeof first);
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
}

static void bad_observations_are_refused_and_counted(void **state) {
  (void)state;
  lfm_model *model = small_policy(NULL);
  lfm_policy *policy = policy_of(model, options_of(4)), *plain = policy_of(model, options_of(4));
  const double good[OBS] = {1.0, 0.05}, later[OBS] = {1.0, -0.05}, nan[OBS] = {1.0, NAN}, far[OBS] = {5.0, 0.05};
  double action[DIM] = {7, 7}, expected[DIM];
  OK(lfm_policy_act(policy, good, OBS, action));
  OK(lfm_policy_act(plain, good, OBS, expected));
  action[0] = 7;
  assert_int_equal(lfm_policy_act(policy, nan, OBS, action), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "number 2 of the observation is not finite"));
  assert_int_equal(lfm_policy_act(policy, far, OBS, action), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "number 1 of the observation is 5"));
  assert_int_equal(lfm_policy_act(policy, good, OBS + 1, action), LFM_E_USAGE);
  assert_true(action[0] == 7); /* left as it was */
  OK(lfm_policy_act(policy, later, OBS, action));
  OK(lfm_policy_act(plain, later, OBS, expected));
  assert_memory_equal(action, expected, sizeof action); /* as if they had not been made */
  lfm_policy_stats stats;
  lfm_policy_look(policy, &stats);
  assert_int_equal(stats.refused, 3);
  assert_int_equal(stats.steps, 2);
  assert_int_equal(stats.chunks, 1);
  assert_int_equal(stats.nfe, 4);
  assert_true(stats.p50 > 0 && stats.p50 <= stats.p99 && stats.p99 <= stats.max);
  lfm_policy_destroy(policy);
  lfm_policy_destroy(plain);
  lfm_model_destroy(model);
}

static void far_observations_are_moved_to_the_edge(void **state) {
  (void)state;
  lfm_model *model = small_policy(NULL);
  lfm_policy_options options = options_of(4);
  options.clamp = true, options.range = 1.0;
  lfm_policy *policy = policy_of(model, options), *edge = policy_of(model, options);
  const double far[OBS] = {1e30, 0.0}, nearest[OBS] = {1.0, 0.0};
  double action[DIM], expected[DIM];
  OK(lfm_policy_act(policy, far, OBS, action));
  OK(lfm_policy_act(edge, nearest, OBS, expected));
  for (int j = 0; j < DIM; j++) assert_near(action[j], expected[j], 1e-6);
  lfm_policy_stats stats;
  lfm_policy_look(policy, &stats);
  assert_int_equal(stats.clamped, 1);
  assert_int_equal(stats.refused, 0);
  lfm_policy_destroy(policy);
  lfm_policy_destroy(edge);
  lfm_model_destroy(model);
}

/* Beside a pose observations have one unit, but the edge of each is where it went itself: this one to a quarter or so. */
static void each_number_has_its_own_edge(void **state) {
  (void)state;
  lfm_model *model = small_policy_of(LFM_ACTION_POSE, NULL);
  lfm_policy *policy = policy_of(model, options_of(4));
  const double inside[OBS] = {1.9, -0.3}, outside[OBS] = {1.0, -0.9};
  double action[LFM_ARM_ACTION];
  OK(lfm_policy_act(policy, inside, OBS, action));
  assert_int_equal(lfm_policy_act(policy, outside, OBS, action), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "number 2 of the observation is -0.9"));
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
}

static void halves_are_near_and_options_are_checked(void **state) {
  (void)state;
  lfm_model *model = small_policy(NULL);
  lfm_policy_options options = options_of(4);
  const double good[OBS] = {1.0, 0.05};
  double floats[DIM], halves[DIM];
  lfm_policy *policy = policy_of(model, options);
  OK(lfm_policy_act(policy, good, OBS, floats));
  lfm_policy_destroy(policy);
  options.precision = "bf16";
  policy = policy_of(model, options);
  OK(lfm_policy_act(policy, good, OBS, halves));
  lfm_policy_destroy(policy);
  assert_true(floats[0] != halves[0]);
  for (int j = 0; j < DIM; j++) assert_near(halves[j], floats[j], 0.03);
  options.precision = "fp8";
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  options.precision = NULL, options.range = 0.5;
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  options.range = INFINITY;
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  options.range = 0, options.solve.nfe = 1; /* of two blocks */
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  options.solve.nfe = 0, options.solve.solver = "dopri5";
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  lfm_model_destroy(model);
}

static void check_memory(bool rtc) {
  lfm_model *model = small_policy(NULL);
  lfm_policy_options options = options_of(8);
  options.rtc = rtc;
  lfm_policy *policy = NULL;
  uint64_t at = 0;
  do { /* each request refused in turn */
    lfm_alloc_fail_at(++at);
    lfm_status status = lfm_policy_create(model, &options, &policy);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !policy));
  } while (!policy);
  assert_true(at > 10);
  const double good[OBS] = {1.0, 0.05};
  double action[DIM];
  lfm_alloc_fail_at(1);
  for (int k = 0; k < 20; k++) {
    if (k % 5 == 0) lfm_policy_begin(policy, k);
    OK(lfm_policy_act(policy, good, OBS, action));
  }
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
}

static void memory_is_asked_for_in_the_making_alone(void **state) {
  (void)state;
  check_memory(false);
  check_memory(true);
}

/* ---- chunks that take their time ---------------------------------------------------------------------------------- */

enum { CHUNK = HORIZON * DIM, CHUNKS_SEEN = 4 };

/* The chunks that a policy executes where the same is seen all the time, each when it is entered, and the actions. */
static void act_on(lfm_policy *policy, int steps, double *actions, double *chunks) {
  static const double one[OBS] = {1.0, 0.05};
  const lfm_rt_loop *loop = lfm_policy_loop(policy);
  for (int k = 0, c = 0; k < steps; k++) {
    int64_t drawn = loop->drawn;
    OK(lfm_policy_act(policy, one, OBS, actions + k * DIM));
    if (loop->drawn > drawn && c < CHUNKS_SEEN) memcpy(chunks + CHUNK * c++, loop->coming, CHUNK * sizeof *chunks);
  }
}

static void a_late_chunk_is_entered_where_it_is_due(void **state) {
  (void)state;
  enum { ACTED = 7 };
  static const int chunk[ACTED] = {0, 0, 0, 1, 1, 2, 2}, step[ACTED] = {1, 2, 3, 2, 3, 2, 3};
  double actions[ACTED * DIM], chunks[CHUNKS_SEEN * CHUNK];
  lfm_model *model = small_policy(NULL);
  for (int rtc = 0; rtc < 2; rtc++) {
    lfm_policy_options options = options_of(4);
    options.delay = 1, options.rtc = rtc;
    lfm_policy *policy = policy_of(model, options);
    act_on(policy, ACTED, actions, chunks);
    for (int k = 0; k < ACTED; k++)
      assert_memory_equal(actions + k * DIM, chunks + chunk[k] * CHUNK + step[k] * DIM, DIM * sizeof *actions);
    /* Chunk 1 was drawn while action 3 of chunk 0 was due, so its steps 0 and 1 are that one's 2 and 3. */
    bool same = memcmp(chunks + CHUNK, chunks + 2 * DIM, 2 * DIM * sizeof *chunks) == 0;
    assert_true(same == (rtc == 1));
    lfm_policy_destroy(policy);
  }
  lfm_model_destroy(model);
}

/* In the mean over some chunks they go on from each other better, in floats and in halves, in a U-Net and in a perceptron. */
static void guided_chunks_go_on(void **state) {
  (void)state;
  const char *const *kinds[] = {NULL, KEYS("network=mlp", "hidden_dim=24", "num_hidden=2", "cat_t=all"),
                                KEYS("hks=[null]", "interp=linear")};
  for (int k = 0; k < 3; k++) {
    lfm_model *model = small_policy(kinds[k]);
    double actions[80 * DIM], chunks[CHUNKS_SEEN * CHUNK], jump[3];
    for (int way = 0; way < 3; way++) {
      lfm_policy_options options = options_of(10);
      options.rtc = way > 0, options.precision = way > 1 ? "bf16" : NULL;
      lfm_policy *policy = policy_of(model, options);
      lfm_policy_stats stats;
      act_on(policy, 80, actions, chunks);
      lfm_policy_look(policy, &stats);
      jump[way] = stats.jump;
      lfm_policy_destroy(policy);
    }
    assert_true(jump[1] > 0 && jump[1] < 0.8 * jump[0] && jump[2] > 0 && jump[2] < 0.8 * jump[0]);
    lfm_model_destroy(model);
  }
}

static void refuse(const lfm_model *model, lfm_policy_options options, const char *word) {
  lfm_policy *policy;
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  assert_null(policy);
  assert_non_null(strstr(lfm_error(), word));
}

static void what_makes_no_sense_is_refused(void **state) {
  (void)state;
  lfm_model *model = small_policy(NULL);
  lfm_policy_options options = options_of(4);
  options.delay = 2;
  refuse(model, options, "delay: 2 steps; 0 to 1 are possible");
  options.delay = -1;
  refuse(model, options, "delay: -1");
  options.delay = 0, options.rtc = true, options.guidance = -1;
  refuse(model, options, "guidance: -1");
  options.rtc = false, options.guidance = 3;
  refuse(model, options, "guidance: 3, but nothing is guided");
  options = options_of(1000000);
  refuse(model, options, "nfe: 1000000 evaluations a chunk; up to 4096");
  lfm_model_destroy(model);
}

static void only_policies_act(void **state) {
  (void)state;
  run r = run_of(gaussian_table(200, 2, 1), KEYS("hidden_dim=16", "num_hidden=1", "hks=[null]", "max_batch=5"), NULL);
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  lfm_policy_options options = options_of(4);
  lfm_policy *policy;
  assert_int_equal(lfm_policy_create(model, &options, &policy), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "not trained on demonstrations"));
  lfm_model_destroy(model);
  run_drop(&r);
}

/* Names come from files: in the comment at the top of an exported policy nothing of them ends it. */
static void names_stay_in_the_comment(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=2"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  lfm_free(model->windows->key[0]), lfm_free(model->windows->task);
  OK(lfm_alloc_text(&model->windows->key[0], "a*/\nint x(void);/*\\"));
  OK(lfm_alloc_text(&model->windows->task, "?\?/*/"));
  char path[1024];
  snprintf(path, sizeof path, "%s.c", r.path);
  const lfm_policy_options options = options_of(2);
  OK(lfm_policy_export(model, &options, path));
  uint8_t *text;
  size_t size;
  OK(lfm_file_read(path, &text, &size));
  char *end = memmem(text, size, "*/", 2);
  assert_non_null(end);
  assert_non_null(memmem(text, (size_t)(end - (char *)text), "a___int_x_void____", 18));
  assert_non_null(memmem(text, (size_t)(end - (char *)text), "-Dpolicy_act=other_act", 22)); /* its last line */
  assert_null(memmem(text, size, "int x(void)", 11));
  lfm_free(text);
  OK(lfm_file_remove(path));
  lfm_model_destroy(model);
  run_drop(&r);
}

static void latencies_are_known_to_one_per_cent(void **state) {
  (void)state;
  static lfm_latency l;
  assert_true(isnan(lfm_latency_at(&l, 0.5)));
  for (int k = 1; k <= 1000; k++) lfm_latency_add(&l, 10.0 * k);
  assert_near(lfm_latency_at(&l, 0.5), 5000.0, 51.0);
  assert_near(lfm_latency_at(&l, 0.99), 9900.0, 100.0);
  assert_true(lfm_latency_at(&l, 1.0) == 10000.0);
  assert_in_range(lfm_latency_over(&l, 9000.0), 90, 110);
  assert_int_equal(lfm_latency_over(&l, 10200.0), 0);
  lfm_latency_add(&l, 1e12); /* and what is beyond has its place, too */
  lfm_latency_add(&l, 0.0);
  assert_true(lfm_latency_at(&l, 1.0) == 1e12 && l.most == 1e12 && l.count == 1002);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chunk_is_the_one_that_sample_draws),
      cmocka_unit_test(episodes_have_their_own_noise_and_no_past),
      cmocka_unit_test(bad_observations_are_refused_and_counted),
      cmocka_unit_test(far_observations_are_moved_to_the_edge),
      cmocka_unit_test(each_number_has_its_own_edge),
      cmocka_unit_test(halves_are_near_and_options_are_checked),
      cmocka_unit_test(memory_is_asked_for_in_the_making_alone),
      cmocka_unit_test(a_late_chunk_is_entered_where_it_is_due),
      cmocka_unit_test(guided_chunks_go_on),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(only_policies_act),
      cmocka_unit_test(names_stay_in_the_comment),
      cmocka_unit_test(latencies_are_known_to_one_per_cent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
