/* SPDX-License-Identifier: MIT
 *
 * test_policy.c -- policies from demonstrations to chunks of actions: what is observed decides which of two modes is acted,
 * for both networks and both pools; the same bytes for any number of threads and after an interruption; what the model file
 * says; log p of actions given their observations; draws given demonstrations.
 */
#include "flow/modes_support.h"

#include "store/facts.h"

/* ---- learning --------------------------------------------------------------------------------------------------- */

/* Chunks given demonstrations with other noise: row by row about what the mode of its window asks for. */
static void check_modes(const lfm_model *model) {
  lfm_table *given = two_modes(2, LFM_ACTION_PLAIN), *drawn;
  lfm_sample_options options;
  lfm_sample_result result;
  lfm_sample_defaults(&options);
  options.rows = 100000, options.given = given, options.seed = 3, options.solve.tol = 1e-2; /* all there are */
  OK(lfm_sample(model, &options, &drawn, &result));
  int64_t windows = EPISODES * (STEPS - HORIZON + 2 + 1); /* length - prediction + action + observation - 1 */
  assert_int_equal(drawn->rows, windows);
  assert_int_equal(drawn->cols, HORIZON * DIM);
  assert_string_equal(lfm_table_name(drawn, DIM + 1), "x1.1");
  double mean[2] = {0}, wrong = 0;
  for (int64_t i = 0; i < windows; i++) {
    double mode = i / (windows / EPISODES) % 2 ? 1.0 : -1.0;
    for (int64_t j = 0; j < drawn->cols; j++)
      mean[j % 2] += mode * drawn->values[i * drawn->cols + j] / (double)(windows * HORIZON);
    wrong += mode * drawn->values[i * drawn->cols] < 0.0;
  }
  assert_near(mean[0], 0.8, 0.08);
  assert_near(mean[1], -0.4, 0.08);
  assert_true(wrong <= 0.05 * (double)windows);
  lfm_table_destroy(drawn);
  lfm_table_destroy(given);
}

static void what_is_observed_decides(void **state) {
  (void)state;
  const char *const *kinds[] = {KEYS("max_batch=120", "hidden_dim=8"),
                                KEYS("max_batch=150", "hidden_dim=8", "pool=ou", "interp=linear"),
                                KEYS("max_batch=200", "network=mlp", "hidden_dim=64", "num_hidden=2")};
  for (int k = 0; k < 3; k++) {
    run r = policy_run(kinds[k]);
    OK(run_train(&r));
    assert_int_equal(r.result.rows_dropped, 0);
    lfm_model *model = model_of(&r);
    check_modes(model);
    lfm_model_destroy(model);
    run_drop(&r);
  }
}

/* log p of actions is high given what was observed, and low given the other mode's. */
static void log_p_is_of_actions_given_observations(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=200", "network=mlp", "hidden_dim=64", "num_hidden=2", "hks=[null]"));
  OK(run_train(&r));
  assert_true(isfinite(r.result.valid_nll));
  lfm_model *model = model_of(&r);
  lfm_table *heldout = two_modes(2, LFM_ACTION_PLAIN), *rows;
  lfm_score_options options;
  lfm_score_result own, other;
  lfm_score_defaults(&options);
  options.rows = 40, options.solve.tol = 1e-3;
  OK(lfm_score(model, heldout, &options, &rows, &own));
  assert_int_equal(rows->rows, 40);
  assert_true(own.failed == 0 && own.solver_error < 0.05 && isfinite(own.nll_se));
  double entropy =
      HORIZON * DIM * (0.5 * log(2 * M_PI * M_E) + log(0.1)); /* of the noise about a mode, but for padded steps */
  assert_true(own.nll > entropy - 2.0 && own.nll < entropy + 6.0);
  for (int64_t i = 0; i < heldout->demos->steps; i++) heldout->demos->obs[OBS * i] *= -1.0;
  OK(lfm_score(model, heldout, &options, NULL, &other));
  assert_true(other.nll > own.nll + 20.0);
  lfm_table_destroy(rows);
  lfm_table_destroy(heldout);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* A row is a chunk of actions, and its log p is by probes without a word, since its network has no exact trace. */
static void samples_are_chunks_with_log_p(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=4"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  lfm_table *given = two_modes(2, LFM_ACTION_PLAIN), *rows;
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.given = given, options.rows = 3, options.logp = true, options.solve.tol = 1e-3;
  OK(lfm_sample(model, &options, &rows, NULL));
  assert_int_equal(rows->cols, lfm_model_dim(model) + 2);
  assert_string_equal(rows->names[rows->cols - 1], "logp_se");
  lfm_table_destroy(rows);
  lfm_table_destroy(given);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* A second policy sees what it would see alone, though its demonstrations were in another range. */
static void against_is_given_in_its_own_units(void **state) {
  (void)state;
  const char *const *tiny = KEYS("max_batch=2", "network=mlp", "hidden_dim=8", "num_hidden=1", "hks=[null]");
  lfm_table *wide = two_modes(3, LFM_ACTION_PLAIN), *heldout = two_modes(2, LFM_ACTION_PLAIN);
  for (int64_t i = 0; i < wide->demos->steps * OBS; i++) wide->demos->obs[i] *= 3.0;
  run first = policy_run(tiny), second = run_of(wide, POLICY, tiny);
  OK(run_train(&first)), OK(run_train(&second));
  lfm_model *model = model_of(&first), *other = model_of(&second);
  lfm_score_options options;
  lfm_score_result paired, alone;
  lfm_score_defaults(&options);
  options.rows = 5, options.solve.nfe = 4;
  OK(lfm_score(other, heldout, &options, NULL, &alone));
  options.against = other;
  OK(lfm_score(model, heldout, &options, NULL, &paired));
  assert_true(paired.against_nll == alone.nll);
  run third = policy_run(tiny); /* fewer windows an episode are its rows */
  OK(lfm_config_set(third.config, "action_horizon=1"));
  OK(run_train(&third));
  lfm_model *shorter = model_of(&third);
  options.against = shorter;
  FAILS(LFM_E_DATA, lfm_score(model, heldout, &options, NULL, &paired));
  assert_says("action_horizon: 2 of the first model, 1 of the second");
  lfm_model_destroy(model), lfm_model_destroy(other), lfm_model_destroy(shorter);
  lfm_table_destroy(heldout);
  run_drop(&first), run_drop(&second), run_drop(&third);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void bytes_hang_on_nothing_but_the_seed(void **state) {
  (void)state;
  const char *const *short_run = KEYS("max_batch=12", "hidden_dim=8");
  run first = policy_run(short_run), two = policy_run(short_run);
  two.options.threads = 2;
  OK(run_train(&first));
  OK(run_train(&two));
  assert_true(same_model(&first, &two));
  static const stop_at stops[] = {
      {LFM_PHASE_TRAIN, 1, 11, false}, {LFM_PHASE_PUSH, 1, 10, false}, {LFM_PHASE_TRAIN, 2, 10, false}};
  for (int k = 0; k < 3; k++) {
    run stopped = policy_run(short_run);
    stop_at stop = stops[k];
    stopped.options.progress = stops_there, stopped.options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
    stopped.options.progress = NULL, stopped.options.resume = true;
    OK(run_train(&stopped));
    assert_true(same_model(&first, &stopped));
    run_drop(&stopped);
  }
  run_drop(&first), run_drop(&two);
}

/* A batch of more rows than there are windows is cut to those: whoever resumes what is done is not told that it was another.
 */
static void a_finished_run_is_known_again(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=1", "batch_size=1000"));
  OK(run_train(&r));
  r.options.resume = true;
  OK(run_train(&r));
  assert_true(r.result.was_finished);
  run_drop(&r);
}

/* Other observations under the same actions: a resume says that the data are not those it was begun with. */
static void a_resume_wants_the_same_observations(void **state) {
  (void)state;
  run r = policy_run(NULL);
  stop_at stop = {LFM_PHASE_TRAIN, 1, 12, false};
  r.options.progress = stops_there, r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&r));
  r.options.progress = NULL, r.options.resume = true;
  r.table->demos->obs[3] += 0.5;
  FAILS(LFM_E_DATA, run_train(&r));
  run_drop(&r);
}

/* ---- the file and what is refused ------------------------------------------------------------------------------- */

static void the_model_says_what_it_is(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=1"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r), *again;
  assert_string_equal(lfm_model_observations(model), "mode,noise");
  assert_int_equal(model->windows->kind, LFM_ACTION_PLAIN);
  assert_string_equal(model->windows->task, "modes");
  assert_true(model->windows->horizons.prediction == HORIZON && model->windows->horizons.action == 2);
  assert_true(model->normaliser->kind == LFM_NORMALISE_CHUNKS && model->cols == HORIZON * DIM);
  OK(lfm_chain_write(model, inside(r.root.path, "again.safetensors")));
  OK(lfm_model_load(inside(r.root.path, "again.safetensors"), &again));
  OK(lfm_chain_write(again, inside(r.root.path, "third.safetensors")));
  assert_true(same_bytes(inside(r.root.path, "again.safetensors"), inside(r.root.path, "third.safetensors")));
  char *text;
  OK(lfm_describe(r.path, true, &text));
  assert_non_null(strstr(text, "\"action\": \"plain\""));
  assert_non_null(strstr(text, "observation_horizon"));
  lfm_text_free(text);
  lfm_model_destroy(model), lfm_model_destroy(again);
  run_drop(&r);
}

/* Out to other programs and in again: the same model. */
static void weights_travel(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=2"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r), *back;
  lfm_config *config;
  OK(lfm_model_export(model, inside(r.root.path, "weights.safetensors")));
  OK(lfm_config_create(&config));
  FAILS(LFM_E_USAGE,
        lfm_model_import(inside(r.root.path, "weights.safetensors"), &(lfm_import_options){.config = config}, &back));
  OK(lfm_config_load(config, file_of(&r, "config.yaml")));
  OK(lfm_config_set(config, "action_horizon=auto")); /* weights have no trace of it */
  FAILS(LFM_E_USAGE,
        lfm_model_import(inside(r.root.path, "weights.safetensors"), &(lfm_import_options){.config = config}, &back));
  assert_says("action_horizon: is not in the configuration");
  OK(lfm_config_set(config, "action_horizon=2"));
  OK(lfm_model_import(inside(r.root.path, "weights.safetensors"), &(lfm_import_options){.config = config}, &back));
  OK(lfm_model_write(back, inside(r.root.path, "back.safetensors")));
  assert_true(same_bytes(inside(r.root.path, "back.safetensors"), file_of(&r, "model.safetensors")));
  lfm_model_destroy(model), lfm_model_destroy(back);
  lfm_config_destroy(config);
  run_drop(&r);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  run r = policy_run(KEYS("max_batch=1"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r), *numbers;
  lfm_table *plain = gaussian_table(300, 2, 7), *poses = two_modes(1, LFM_ACTION_POSE), *out;
  lfm_sample_options options;
  lfm_score_options score;
  lfm_score_result result;
  lfm_push_options push;
  lfm_sample_defaults(&options);
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  assert_says("--given");
  options.given = plain;
  FAILS(LFM_E_DATA, lfm_sample_check(model, &options));
  options.given = poses;
  FAILS(LFM_E_DATA, lfm_sample(model, &options, &out, NULL));
  lfm_score_defaults(&score);
  FAILS(LFM_E_DATA, lfm_score(model, plain, &score, NULL, &result));
  assert_says("demonstrations");
  lfm_push_defaults(&push);
  FAILS(LFM_E_UNSUPPORTED, lfm_push(model, plain, &push, &out, NULL));
  FAILS(LFM_E_USAGE, lfm_table_write(poses, "poses.hdf5"));
  assert_says("holds demonstrations");
  static const char *const bad[] = {
      "normalise=whiten",     "flip=true",  "dropout=0.1", "target_rows=64", "prediction_horizon=2",
      "prediction_horizon=5", "n_groups=3", "network=unet"};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    run wrong = policy_run(KEYS("max_batch=1"));
    OK(lfm_config_set(wrong.config, bad[k]));
    FAILS(LFM_E_USAGE, run_train(&wrong));
    run_drop(&wrong);
  }
  run mixed = policy_run(KEYS("max_batch=1"));
  mixed.options.valid = plain;
  FAILS(LFM_E_DATA, run_train(&mixed));
  run_drop(&mixed);
  run of_numbers = small_run(KEYS("max_batch=1"));
  OK(run_train(&of_numbers));
  numbers = model_of(&of_numbers);
  FAILS(LFM_E_USAGE, lfm_sample_check(numbers, &options)); /* nothing can be given */
  lfm_model_destroy(numbers), lfm_model_destroy(model);
  lfm_table_destroy(plain), lfm_table_destroy(poses);
  run_drop(&of_numbers), run_drop(&r);
}

/* ---- presets ---------------------------------------------------------------------------------------------------- */

static double parameters_of(const char *preset, int64_t channels, int64_t given) {
  lfm_config *c = config_of(NULL, NULL);
  lfm_net *net;
  OK(lfm_config_preset(c, preset));
  lfm_unet1d_config unet = {
      c->prediction_horizon, channels,          given, c->hidden_dim, (int)c->unet_dim_mults.count, {0}, c->kernel_size,
      c->n_groups,           c->step_embed_dim, false};
  for (int k = 0; k < unet.mult_count; k++) unet.mults[k] = (int)c->unet_dim_mults.of[k];
  OK(lfm_unet1d_create(&unet, lfm_kernels_ref32(), &net));
  double count = (double)(lfm_net_param_count(net) * c->blocks);
  lfm_net_destroy(net);
  lfm_config_destroy(c);
  return count;
}

/* A chain's networks together are as large as its twin's one. */
static void twins_are_of_one_size(void **state) {
  (void)state;
  static const struct {
    const char *name, *twin;
    int64_t channels, given;
  } presets[] = {
      {"lift", "lift-fm", 10, 38}, {"can", "can-fm", 10, 46}, {"square", "square-fm", 10, 46}, {"pusht", "pusht-fm", 2, 10}};
  for (int k = 0; k < 4; k++)
    assert_near(parameters_of(presets[k].name, presets[k].channels, presets[k].given) /
                    parameters_of(presets[k].twin, presets[k].channels, presets[k].given),
                1.0, 0.025);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_observed_decides),
      cmocka_unit_test(log_p_is_of_actions_given_observations),
      cmocka_unit_test(samples_are_chunks_with_log_p),
      cmocka_unit_test(against_is_given_in_its_own_units),
      cmocka_unit_test(bytes_hang_on_nothing_but_the_seed),
      cmocka_unit_test(a_finished_run_is_known_again),
      cmocka_unit_test(a_resume_wants_the_same_observations),
      cmocka_unit_test(the_model_says_what_it_is),
      cmocka_unit_test(twins_are_of_one_size),
      cmocka_unit_test(weights_travel),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
