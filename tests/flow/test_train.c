/* SPDX-License-Identifier: MIT
 *
 * test_train.c -- Algorithm 1 as a whole: the same bytes for any number of threads and twice; what a run leaves behind; the
 * keys that change what is trained; learning a density whose entropy is known; faults, refused memory included.
 */
#include "train_support.h"

/* ---- bytes --------------------------------------------------------------------------------------------------- */

static void check_threads(const char *const *more) {
  run first = small_run(more);
  OK(run_train(&first));
  for (int threads = 1; threads <= 3; threads++) { /* 1 again: twice the same */
    run again = small_run(more);
    again.options.threads = threads;
    OK(run_train(&again));
    assert_true(same_model(&again, &first));
    assert_true(same_metrics(&again, &first));
    assert_true(again.result.valid_nll == first.result.valid_nll && again.result.loss == first.result.loss);
    assert_true(again.result.push_flops == first.result.push_flops);
    run_drop(&again);
  }
  run seed = small_run(more);
  OK(lfm_config_set(seed.config, "seed=6"));
  OK(run_train(&seed));
  assert_false(same_model(&seed, &first));
  run_drop(&seed);
  run_drop(&first);
}

static void threads_do_not_change_the_bytes(void **state) {
  (void)state;
  check_threads(KEYS("ema_decay=0.9", "num_tk=2", "lanes=3", "microbatch=16", "patience=16"));
  check_threads(KEYS("target_rows=100", "num_tk=2", "lanes=3", "microbatch=16"));
  check_threads(KEYS("hidden_dim=512", "num_hidden=4", "ema_decay=0.9", "microbatch=16", "max_batch=6")); /* factors */
}

/* A large network's gradient comes from factors, unless several lanes are asked for. */
static void large_networks_keep_factors(void **state) {
  (void)state;
  const int64_t weights = 800 * (3 + 800 + 2 + 2) + 2;
  run factors = small_run(KEYS("hidden_dim=800", "waves=0", "max_batch=2")),
      lanes = small_run(KEYS("hidden_dim=800", "waves=0", "max_batch=2", "lanes=2"));
  OK(run_train(&factors));
  OK(run_train(&lanes));
  assert_true(trained_by_factors(&factors, 1, weights));
  assert_false(trained_by_factors(&lanes, 2, weights));
  assert_true(fabs(factors.result.loss - lanes.result.loss) < 1e-4 * lanes.result.loss);
  run_drop(&factors);
  run_drop(&lanes);
}

static bool has_bf16(void) {
  const lfm_kernels *kernels;
  return lfm_kernels_bf16(&kernels) == LFM_OK;
}

/* Nor in bf16, which is another model, of nearly the same quality. */
static void steps_in_bf16(void **state) {
  (void)state;
  if (!has_bf16()) skip();
  check_threads(KEYS("precision=bf16", "lanes=3", "microbatch=16", "ema_decay=0.9"));
  run fp32 = small_run(NULL), bf16 = small_run(KEYS("precision=bf16"));
  OK(run_train(&fp32));
  OK(run_train(&bf16));
  assert_false(same_model(&fp32, &bf16));
  assert_true(fabs(bf16.result.valid_nll - fp32.result.valid_nll) < 0.002);
  lfm_model *model; /* what it leaves is a model of floats like any other */
  OK(lfm_model_load(bf16.path, &model));
  lfm_model_destroy(model);
  run_drop(&fp32);
  run_drop(&bf16);
}

/* The resolved configuration of a run that had none to speak of makes the same run. */
static void a_run_can_be_made_again_from_its_config(void **state) {
  (void)state;
  run first = run_of(gaussian_table(200, 2, 1), KEYS("hidden_dim=16", "num_hidden=1", "microbatch=32"), NULL);
  first.options.time_limit = 1.0; /* second of the clock above: the fewest steps there are */
  OK(run_train(&first));
  assert_true(first.result.blocks >= 1 && first.result.steps >= 100 * first.result.blocks);
  run again = run_of(gaussian_table(200, 2, 1), NULL, NULL);
  OK(lfm_config_load(again.config, file_of(&first, "config.yaml")));
  OK(run_train(&again));
  assert_true(same_model(&again, &first));
  assert_true(same_bytes(file_of(&again, "config.yaml"), file_of(&first, "config.yaml")));
  run_drop(&first);
  run_drop(&again);
}

/* Nor is anything left of a run that was stopped while its steps were timed. */
static void a_trial_can_be_stopped(void **state) {
  (void)state;
  run r = run_of(gaussian_table(200, 2, 1), KEYS("hidden_dim=16", "num_hidden=1"), NULL);
  stop_at stop = {.phase = LFM_PHASE_TRIAL, .block = 0, .done = 3};
  r.options.time_limit = 1.0, r.options.progress = stops_there, r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&r));
  assert_true(stop.stopped && !lfm_path_exists(r.path));
  run_drop(&r);
}

/* ---- what is left behind ------------------------------------------------------------------------------------- */

static void result_and_files(void **state) {
  (void)state;
  static const char *const names[] = {"model.safetensors", "config.yaml", "metrics.jsonl", "result.json", "loss.png"};
  static metric metrics[MOST_METRICS];
  run r = small_run(NULL);
  OK(run_train(&r));
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) assert_true(lfm_path_exists(file_of(&r, names[k])));
  assert_true(r.result.blocks == 3 && r.result.steps == 72 && !r.result.was_finished && r.result.rows_dropped == 0);
  lfm_model *model;
  OK(lfm_model_load(r.path, &model));
  assert_true(r.result.train_flops == 72.0 * 64 * lfm_net_train_flops(model->net));
  double evaluations = r.result.push_flops / lfm_net_forward_flops(model->net); /* 270 + 30 rows through two blocks */
  assert_true(evaluations >= 600 * 6 && evaluations == floor(evaluations));
  int count = read_metrics(&r, metrics);
  assert_int_equal(count, 72);
  for (int k = 0; k < count; k++) {
    assert_true(metrics[k].block == k / 24 + 1 && metrics[k].step == k % 24 + 1);
    double fall = 0.5 * (1 + cos(M_PI * (k % 24 - 2) / 22)), rate = 0.01 * (k % 24 < 2 ? (k % 24 + 1) / 2.0 : fall);
    assert_near(metrics[k].lr, rate, 1e-7); /* six digits are written */
    assert_int_equal(isnan(metrics[k].valid_loss), k % 24 < 7);
  }
  assert_near(r.result.loss, (metrics[71].loss + metrics[70].loss) / 2, 1e-8);

  /* valid_nll is what scoring the held-out rows gives; here the whole table stands in for them */
  lfm_score_options options;
  lfm_score_result score;
  lfm_score_defaults(&options);
  OK(lfm_score(model, r.table, &options, NULL, &score));
  assert_near(r.result.valid_nll, score.nll, 1.5);
  lfm_model_destroy(model);
  run_drop(&r);
}

static void given_validation_rows_are_used(void **state) {
  (void)state;
  run r = small_run(KEYS("patience=16"));
  const char *const names[] = {"x1", "x0"};
  lfm_table *drawn = gaussian_table(50, 2, 99), *valid, *turned;
  double values[100];
  for (int i = 0; i < 50; i++) values[2 * i] = drawn->values[2 * i + 1], values[2 * i + 1] = drawn->values[2 * i];
  OK(lfm_table_create(drawn->values, 50, 2, NULL, NULL, &valid));
  OK(lfm_table_create(values, 50, 2, names, NULL, &turned));
  r.options.valid = valid;
  OK(run_train(&r));
  lfm_model *model;
  lfm_score_options options;
  lfm_score_result score;
  lfm_score_defaults(&options);
  OK(lfm_model_load(r.path, &model));
  OK(lfm_score(model, valid, &options, NULL, &score));
  assert_true(score.nll == r.result.valid_nll);
  /* all 300 rows were trained on: the normaliser has their mean */
  double mean = 0.0;
  for (int i = 0; i < 300; i++) mean += r.table->values[2 * i] / 300;
  assert_near(model->normaliser->mean[0], mean, 1e-9);
  lfm_model_destroy(model);

  run other = small_run(KEYS("patience=16")); /* columns go by name here too */
  other.options.valid = turned;
  OK(run_train(&other));
  assert_true(same_model(&other, &r));
  assert_true(same_metrics(&other, &r));
  lfm_table_destroy(drawn);
  lfm_table_destroy(valid);
  lfm_table_destroy(turned);
  run_drop(&other);
  run_drop(&r);
}

static void constant_columns_are_stored(void **state) {
  (void)state;
  lfm_table *drawn = gaussian_table(120, 1, 3), *table;
  double values[240];
  for (int i = 0; i < 120; i++) values[2 * i] = 42.5, values[2 * i + 1] = drawn->values[i];
  OK(lfm_table_create(values, 120, 2, NULL, NULL, &table));
  run r = run_of(table, SMALL, KEYS("max_batch=5"));
  OK(run_train(&r));
  lfm_model *model;
  lfm_table *out;
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.rows = 20;
  OK(lfm_model_load(r.path, &model));
  OK(lfm_sample(model, &options, &out, NULL));
  for (int i = 0; i < 20; i++) assert_true(out->values[2 * i] == 42.5);
  lfm_table_destroy(out);
  lfm_table_destroy(drawn);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* ---- notes --------------------------------------------------------------------------------------------------- */

static char notes[2048];
static void keep_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  snprintf(notes + strlen(notes), sizeof notes - strlen(notes), "%s%s\n", level == LFM_WARNING ? "warning: " : "", text);
}

static void notes_say_what_was_changed(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(100, 2, 3);
  for (int i = 0; i < 50; i++) table->values[2 * i] = 1.0;
  run r = run_of(table, SMALL, KEYS("batch_size=5000", "max_batch=3"));
  notes[0] = 0;
  lfm_notes_to(keep_note, NULL);
  OK(run_train(&r));
  lfm_notes_to(NULL, NULL);
  assert_non_null(strstr(notes, "batch_size: 5000 shrunk to the 90 training rows"));
  assert_non_null(strstr(notes, "warning: 1 column with over 1 % of equal values: x0"));
  assert_null(strstr(notes, "x1"));
  assert_null(strstr(notes, "ended after"));
  r.options.resume = true; /* the same command once more, on a finished run */
  OK(run_train(&r));
  assert_true(r.result.was_finished && r.result.steps == 9 && r.result.blocks == 3);
  run_drop(&r);
}

/* Losses of different targets do not tell over-fit, so nobody is sent to compare them. */
static void few_rows_are_warned_of(void **state) {
  (void)state;
  static const char *const targets[] = {"target_rows=0", "target_rows=50"},
                           *const says[] = {"by heart; compare loss and validation loss",
                                            "by heart; `lfm ledger RUN HELD_OUT --train DATA` says how far"};
  for (int k = 0; k < 2; k++) {
    run r = run_of(gaussian_table(220, 2, 3), SMALL, KEYS("max_batch=1", targets[k]));
    notes[0] = 0;
    lfm_notes_to(keep_note, NULL);
    OK(run_train(&r));
    lfm_notes_to(NULL, NULL);
    assert_non_null(strstr(notes, "warning: 198 rows to train on are few"));
    assert_non_null(strstr(notes, says[k]));
    assert_null(strstr(notes, says[1 - k]));
    run_drop(&r);
  }
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */

static lfm_model *trained(run *r) {
  lfm_model *model;
  OK(run_train(r));
  OK(lfm_model_load(r->path, &model));
  return model;
}

static double distance(const lfm_model *a, int block_a, const lfm_model *b, int block_b) {
  const float *of_a = lfm_params_values(a->params[block_a]), *of_b = lfm_params_values(b->params[block_b]);
  double sum = 0.0;
  for (int64_t i = 0; i < lfm_net_param_count(a->net); i++) sum += pow((double)of_a[i] - (double)of_b[i], 2);
  return sqrt(sum);
}

/* With steps too small to move anything, a block is its start: the block before, or weights of its own. */
static void warm_start_begins_from_the_block_before(void **state) {
  (void)state;
  static const char *const still[] = {"lr=1e-30", "ema_decay=0", NULL};
  run warm = small_run(still), cold = small_run(still);
  OK(lfm_config_set(cold.config, "warm_start=false"));
  lfm_model *a = trained(&warm), *b = trained(&cold);
  assert_true(distance(a, 0, b, 0) == 0.0);
  assert_true(distance(a, 0, a, 1) == 0.0 && distance(a, 1, a, 2) == 0.0);
  for (int n = 0; n < 3; n++)
    for (int m = 0; m < n; m++) assert_true(distance(b, n, b, m) > 1.0);
  lfm_model_destroy(a);
  lfm_model_destroy(b);
  run_drop(&warm);
  run_drop(&cold);
}

/* pool: ou -- nothing is pushed, and a block does not depend on those before it, save through warm_start. */
static void blocks_of_the_process_stand_alone(void **state) {
  (void)state;
  static const char *const more[] = {"pool=ou",         "warm_start=false", "warmup=1", "ema_decay=0.8",
                                     "defensive=0.001", "valid_every=3",    NULL}; /* unset, the shortest block decides */
  run whole = small_run(more), short_first = small_run(more);
  OK(lfm_config_set(short_first.config, "max_batch=[3, 24, 24]"));
  lfm_model *a = trained(&whole), *b = trained(&short_first);
  assert_true(whole.result.push_flops == 0.0);
  assert_false(lfm_path_exists(file_of(&whole, "checkpoint/pool-1.safetensors")));
  assert_true(distance(a, 0, b, 0) > 0.0);
  assert_true(distance(a, 1, b, 1) == 0.0 && distance(a, 2, b, 2) == 0.0);
  lfm_model_destroy(a);
  lfm_model_destroy(b);
  run_drop(&whole);
  run_drop(&short_first);
}

static void a_schedule_is_its_hks(void **state) {
  (void)state;
  run as_schedule =
      run_of(gaussian_table(300, 2, 7), SMALL + 1, KEYS("schedule.c=0.2", "schedule.rho=2", "schedule.blocks=3"));
  run as_hks = run_of(gaussian_table(300, 2, 7), SMALL + 1, KEYS("hks=[0.2, 0.4, null]"));
  OK(run_train(&as_schedule));
  OK(run_train(&as_hks));
  assert_true(same_model(&as_schedule, &as_hks));
  run_drop(&as_schedule);
  run_drop(&as_hks);
}

/* The loss after two batches, with so many copies of one row held out. */
static double loss_of_one(int64_t copies) {
  enum { COLS = 2 };
  static metric metrics[MOST_METRICS];
  lfm_table *row = gaussian_table(1, COLS, 2), *valid;
  double *values;
  OK(LFM_ALLOC(&values, copies * COLS));
  for (int64_t c = 0; c < copies; c++) memcpy(values + c * COLS, row->values, COLS * sizeof *values);
  OK(lfm_table_create(values, copies, COLS, (const char *const *)row->names, NULL, &valid));
  run r = run_of(gaussian_table(300, COLS, 1), SMALL, KEYS("hks=[null]", "max_batch=2", "valid_every=2", "batch_size=128"));
  r.options.valid = valid;
  OK(run_train(&r));
  double loss = metrics[read_metrics(&r, metrics) - 1].valid_loss;
  lfm_table_destroy(row), lfm_table_destroy(valid), lfm_free(values);
  run_drop(&r);
  return loss;
}

/* One row is drawn a thousand times, each time with other noise and times, as a thousand copies of it are once. */
static void a_row_is_drawn_again(void **state) {
  (void)state;
  double one = loss_of_one(1), many = loss_of_one(1024);
  assert_true(fabs(one - many) < 0.1 * many);
}

/* The weights of the lowest validation loss, which are those of a run that had ended there. */
static void patience_keeps_the_best_weights(void **state) {
  (void)state;
  static const char *const more[] = {"hks=[null]",    "max_batch=400", "lr=0.05", "cosine=false", "warmup=0", "ema_decay=0",
                                     "valid_every=2", "patience=12",   NULL};
  static metric metrics[MOST_METRICS];
  run r = run_of(gaussian_table(60, 2, 7), SMALL, more);
  notes[0] = 0;
  lfm_notes_to(keep_note, NULL);
  lfm_model *kept = trained(&r);
  lfm_notes_to(NULL, NULL);
  int count = read_metrics(&r, metrics);
  long best_step = 0, last = metrics[count - 1].step;
  double best = INFINITY;
  for (int k = 0; k < count; k++) /* records are every second step here, and so are validations */
    if (metrics[k].valid_loss < best) best = metrics[k].valid_loss, best_step = metrics[k].step;
  assert_true(last < 400 && last == best_step + 12);
  assert_int_equal(r.result.steps, last);
  char says[64];
  snprintf(says, sizeof says, "block 1: ended after %ld of 400 batches, 12 of them without", last);
  assert_non_null(strstr(notes, says));

  char steps[32];
  snprintf(steps, sizeof steps, "max_batch=%ld", best_step);
  run until_best = run_of(gaussian_table(60, 2, 7), SMALL, more);
  OK(lfm_config_set(until_best.config, steps));
  OK(lfm_config_set(until_best.config, "patience=0"));
  lfm_model *there = trained(&until_best);
  assert_true(distance(kept, 0, there, 0) == 0.0);
  lfm_model_destroy(kept);
  lfm_model_destroy(there);
  run_drop(&r);
  run_drop(&until_best);
}

static void hear_of_failures(lfm_note_level level, const char *text, void *heard) {
  *(bool *)heard |= level == LFM_WARNING && strstr(text, "valid_nll leaves out 1 of 50 held-out rows, whose solve failed");
}

/* A held-out row beyond single precision has no log p: the mean is over the others, and that is said and kept. */
static void lost_validation_rows_are_told(void **state) {
  (void)state;
  run r = small_run(KEYS("hks=[null]"));
  lfm_table *valid = gaussian_table(50, 2, 99);
  bool heard = false;
  valid->values[6] = 1e60;
  r.options.valid = valid;
  lfm_notes_to(hear_of_failures, &heard);
  OK(run_train(&r));
  lfm_notes_to(NULL, NULL);
  assert_true(heard && r.result.valid_failed == 1 && r.result.valid_nll < 100.0);
  r.options.resume = true; /* the run is finished: its result.json is read */
  OK(run_train(&r));
  assert_true(r.result.was_finished && r.result.valid_failed == 1);
  lfm_table_destroy(valid);
  run_drop(&r);
}

/* Nor does a chain that is trained stay unfinished where none of them has one. */
static void unscorable_validation_rows_do_not_hold_a_run(void **state) {
  (void)state;
  run r = small_run(KEYS("hks=[null]"));
  lfm_table *valid = gaussian_table(20, 2, 99);
  for (int64_t i = 0; i < 40; i++) valid->values[i] = 1e60;
  r.options.valid = valid;
  OK(run_train(&r));
  assert_true(r.result.valid_failed == 20 && isnan(r.result.valid_nll));
  r.options.resume = true;
  OK(run_train(&r));
  assert_true(r.result.was_finished);
  lfm_table_destroy(valid);
  run_drop(&r);
}

static void hear_of_shared(lfm_note_level level, const char *text, void *heard) {
  *(bool *)heard |= level == LFM_WARNING && strstr(text, "50 of the 50 validation rows are also among those to train on");
}

/* One file named twice, say. */
static void validation_rows_that_are_learnt_are_told(void **state) {
  (void)state;
  for (int among = 0; among < 2; among++) {
    run r = small_run(KEYS("max_batch=2"));
    lfm_table *valid = gaussian_table(50, 2, 99);
    bool heard = false;
    if (among) memcpy(valid->values, r.options.train->values, 100 * sizeof *valid->values);
    r.options.valid = valid;
    lfm_notes_to(hear_of_shared, &heard);
    OK(run_train(&r));
    lfm_notes_to(NULL, NULL);
    assert_true(heard == among);
    lfm_table_destroy(valid);
    run_drop(&r);
  }
}

/* ---- learning ------------------------------------------------------------------------------------------------ */

/* Two columns with correlation 0.8: entropy 2 log(3) + log(2 pi e) + log(0.6).  The gap to the true density is paired over
 * fresh rows; a Gaussian without the correlation would be at 0.51, an untrained chain at some nats. */
static void learns_a_gaussian(void **state) {
  (void)state;
  enum { TEST = 2000 };
  run r = run_of(gaussian_table(4000, 2, 7),
                 KEYS("hks=[0.3, null]", "hidden_dim=48", "num_hidden=2", "batch_size=256", "max_batch=500", "lr=0.005",
                      "warmup=20", "cosine=true", "ema_decay=0.95", "patience=0"),
                 NULL);
  lfm_table *test = gaussian_table(TEST, 2, 8);
  r.options.threads = 2;
  lfm_model *model = trained(&r);
  lfm_score_options options;
  lfm_score_result score;
  lfm_score_defaults(&options);
  options.threads = 2;
  OK(lfm_score(model, test, &options, NULL, &score));
  double truth = 0.0;
  for (int i = 0; i < TEST; i++) {
    double a = test->values[2 * i] / 3, b = (test->values[2 * i + 1] - 1) / 3, rest = (b - 0.8 * a) / 0.6;
    truth += (0.5 * (a * a + rest * rest) + log(2 * M_PI * 0.6 * 9)) / TEST;
  }
  assert_near(truth, log(9) + log(2 * M_PI * M_E) + log(0.6), 0.1);
  assert_true(score.nll - truth < 0.03);
  assert_true(score.nll - truth > -0.01); /* better than the truth by more than chance is a wrong density */
  lfm_table_destroy(test);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* One step a block, learnt from the rows alone: the mean and the covariance of what it draws. */
static void single_steps_learn_a_gaussian(void **state) {
  (void)state;
  enum { DRAWN = 4000 };
  for (int blocks = 1; blocks <= 2; blocks++) {
    run r = run_of(gaussian_table(4000, 2, 7),
                   KEYS("objective=meanflow", "pool=ou", "hidden_dim=48", "num_hidden=2", "batch_size=256", "max_batch=2000",
                        "lr=0.005", "warmup=20", "cosine=true", "ema_decay=0.95", "patience=0"),
                   blocks == 1 ? KEYS("hks=[null]") : KEYS("hks=[0.7, null]"));
    r.options.threads = 2;
    lfm_model *model = trained(&r);
    lfm_sample_options options;
    lfm_sample_result result;
    lfm_table *rows;
    double sum[2] = {0}, square[2] = {0}, product = 0.0;
    lfm_sample_defaults(&options);
    options.rows = DRAWN;
    OK(lfm_sample(model, &options, &rows, &result));
    assert_true(result.nfe_mean == blocks && isnan(r.result.valid_nll));
    for (int i = 0; i < DRAWN; i++) {
      double z[2] = {rows->values[2 * i] / 3, (rows->values[2 * i + 1] - 1) / 3};
      for (int j = 0; j < 2; j++) sum[j] += z[j] / DRAWN, square[j] += z[j] * z[j] / DRAWN;
      product += z[0] * z[1] / DRAWN;
    }
    print_message("%d blocks: means %g %g, squares %g %g, product %g\n", blocks, sum[0], sum[1], square[0], square[1],
                  product);
    for (int j = 0; j < 2; j++) assert_near(sum[j], 0.0, 0.1), assert_near(square[j], 1.0, 0.15);
    assert_near(product, 0.8, 0.12);
    lfm_table_destroy(rows);
    lfm_model_destroy(model);
    run_drop(&r);
  }
}

/* One step of Euler's a block, of a standard normal, whose linear flow in two steps from t = 1/2 has spread 1/2: a block
 * whose ends share their noise keeps it, one whose ends do not leads to the mean. */
static void one_noise_keeps_the_spread_of_single_steps(void **state) {
  (void)state;
  enum { DRAWN = 4000 };
  static const char *const couplings[] = {"coupling=shared", "coupling=dependent"};
  static const double low[] = {0.42, 0.0}, high[] = {0.58, 0.2};
  for (int k = 0; k < 2; k++) {
    run r = run_of(gaussian_table(4000, 2, 7),
                   KEYS("normalise=whiten", "interp=linear", "pool=ou", "hks=[0.34657359, null]", "hidden_dim=32",
                        "num_hidden=2", "batch_size=256", "max_batch=800", "lr=0.005", "warmup=20", "cosine=true",
                        "patience=0", "defensive=0", "beta_sample_t=false"),
                   KEYS(couplings[k]));
    r.options.threads = 2;
    lfm_model *model = trained(&r);
    lfm_sample_options options;
    lfm_sample_result result;
    lfm_table *rows;
    double square = 0.0;
    lfm_sample_defaults(&options);
    options.rows = DRAWN;
    options.solve.solver = "euler";
    options.solve.nfe = 2;
    OK(lfm_sample(model, &options, &rows, &result));
    assert_true(result.nfe_mean == 2);
    for (int i = 0; i < DRAWN; i++) square += pow(rows->values[2 * i] / 3, 2.0) / DRAWN;
    print_message("%s: spread %g\n", couplings[k], sqrt(square));
    assert_true(sqrt(square) > low[k] && sqrt(square) < high[k]);
    lfm_table_destroy(rows);
    lfm_model_destroy(model);
    run_drop(&r);
  }
}

static void threads_do_not_change_single_steps(void **state) {
  (void)state;
  const char *const keys[] = {"objective=meanflow", "pool=ou", "ema_decay=0.9", "lanes=3", "microbatch=16", NULL};
  run one = small_run(keys), two = small_run(keys);
  two.options.threads = 2;
  OK(run_train(&one));
  OK(run_train(&two));
  assert_true(same_model(&one, &two) && same_metrics(&one, &two));
  run_drop(&one);
  run_drop(&two);
}

/* Two tight clusters in three columns, and a sphere of rows far from both. */
static lfm_table *clusters(int64_t rows) {
  lfm_table *table;
  lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  float z[3];
  OK(lfm_table_make(rows, 3, &table));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, 3);
    double *row = table->values + 3 * i, side = i % 2 ? 1.0 : -1.0;
    row[0] = side + 0.05 * (double)z[0], row[1] = 0.5 * side + 0.05 * (double)z[1], row[2] = 0.3 * side + 0.2 * (double)z[2];
  }
  return table;
}

static lfm_table *sphere(int64_t rows) {
  lfm_table *table;
  lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  float z[3];
  OK(lfm_table_make(rows, 3, &table));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, 3);
    double norm = sqrt((double)(z[0] * z[0] + z[1] * z[1] + z[2] * z[2]));
    for (int j = 0; j < 3; j++) table->values[3 * i + j] = (double[]){3.0, 1.5, 1.0}[j] * (double)z[j] / norm;
  }
  return table;
}

static double lowest_of_far_rows(const char *defensive) {
  const char *more[] = {defensive, NULL};
  run r = run_of(clusters(3000),
                 KEYS("hks=[0.5, null]", "hidden_dim=48", "num_hidden=3", "batch_size=256", "max_batch=800", "lr=0.01",
                      "warmup=50", "cosine=true", "ema_decay=0.99", "patience=0", "beta_sample_t=true"),
                 more);
  r.options.threads = 2;
  lfm_model *model = trained(&r);
  lfm_table *far = sphere(64), *scores;
  lfm_score_options options;
  lfm_score_result score;
  lfm_score_defaults(&options);
  OK(lfm_score(model, far, &options, &scores, &score));
  double lowest = INFINITY;
  for (int64_t i = 0; i < scores->rows; i++) lowest = fmin(lowest, scores->values[i * scores->cols + 1]);
  lfm_table_destroy(scores);
  lfm_table_destroy(far);
  lfm_model_destroy(model);
  run_drop(&r);
  return lowest;
}

/* Where no row ever lay, log p stays above what the wide law leaves; without it the field there is anything. */
static void far_rows_keep_a_sane_density(void **state) {
  (void)state;
  double defended = lowest_of_far_rows("defensive=0.01"), open = lowest_of_far_rows("defensive=0");
  print_message("lowest log p of 64 far rows: %g, without the wide law %g\n", defended, open);
  assert_true(defended > -100.0);
  assert_true(open < 10.0 * defended);
}

/* ---- waves --------------------------------------------------------------------------------------------------- */

/* Points on a grid, one unit apart, of a fiftieth across. */
static lfm_table *grid(int64_t rows, uint64_t seed) {
  lfm_table *table;
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  float z[4];
  OK(lfm_table_make(rows, 2, &table));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, 4);
    for (int j = 0; j < 2; j++) table->values[2 * i + j] = rint(1.5 * (double)z[j]) + 0.02 * (double)z[2 + j];
  }
  return table;
}

static double nll_of_grid(const char *waves) {
  const char *more[] = {waves, NULL};
  run r = run_of(grid(3000, 1),
                 KEYS("hks=[0.3, null]", "hidden_dim=32", "num_hidden=2", "batch_size=128", "max_batch=600", "lr=0.01",
                      "warmup=20", "cosine=true", "ema_decay=0.99", "patience=0", "normalise=none"),
                 more);
  r.options.threads = 2;
  r.options.valid = grid(500, 2);
  OK(run_train(&r));
  double nll = r.result.valid_nll;
  lfm_table_destroy((lfm_table *)(uintptr_t)r.options.valid);
  run_drop(&r);
  return nll;
}

/* What is fine beside how wide it all is a small network learns from waves and not without, for the same batches. */
static void waves_show_what_is_fine(void **state) {
  (void)state;
  double with = nll_of_grid("waves=32"), without = nll_of_grid("waves=0");
  print_message("nats a point of a grid: %g, without waves %g\n", with, without);
  assert_true(with < without - 2.0);
}

/* A row as far out as this costs a solver no more than it does without them. */
static void waves_end_where_no_row_lies(void **state) {
  (void)state;
  run r = run_of(grid(3000, 1), KEYS("hks=[0.3, null]", "hidden_dim=32", "num_hidden=2", "batch_size=128", "max_batch=100"),
                 KEYS("waves=64", "finest_wave=32"));
  lfm_model *model = trained(&r);
  lfm_table *far, *scores;
  lfm_score_options options;
  lfm_score_result score;
  OK(lfm_table_make(2, 2, &far));
  far->values[0] = 1e4, far->values[2] = -3e5, far->values[3] = 2e5;
  lfm_score_defaults(&options);
  OK(lfm_score(model, far, &options, &scores, &score));
  print_message("%g evaluations a far row\n", score.nfe_mean);
  assert_true(score.nfe_mean < 1000.0);
  lfm_table_destroy(scores), lfm_table_destroy(far);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* Of a run whose configuration lacks a key, as it is older than the key, what a run without it was. */
static void an_older_run_goes_on_without_them(void **state) {
  (void)state;
  run first = small_run(KEYS("waves=0")), again = small_run(NULL);
  uint8_t *bytes;
  size_t size;
  OK(run_train(&first));
  OK(lfm_file_read(file_of(&first, "config.yaml"), &bytes, &size));
  char *text = strndup((char *)bytes, size), *waves = strstr(text, "waves: 0\n"), *finest = strstr(text, "finest_wave: ");
  assert_true(waves && finest);
  memmove(waves, strchr(finest, '\n') + 1, strlen(strchr(finest, '\n')));
  OK(lfm_folder_make(again.path));
  OK(lfm_file_write(file_of(&again, "config.yaml"), text, strlen(text)));
  again.options.resume = true;
  OK(run_train(&again));
  assert_true(same_model(&again, &first));
  lfm_free(bytes);
  free(text);
  run_drop(&first), run_drop(&again);
}

/* ---- faults -------------------------------------------------------------------------------------------------- */

static void tables_that_cannot_be_used(void **state) {
  (void)state;
  run r = small_run(NULL);
  lfm_table *whole = r.table, *ill = gaussian_table(300, 2, 7), *narrow = gaussian_table(20, 1, 7),
            *few = gaussian_table(9, 2, 7);
  lfm_table *none, *same;
  OK(lfm_table_make(0, 2, &none));
  OK(lfm_table_make(50, 2, &same)); /* zeros */
  ill->values[41] = INFINITY;
  const struct {
    const lfm_table *train, *valid;
    lfm_status status;
  } cases[] = {{NULL, NULL, LFM_E_USAGE}, {ill, NULL, LFM_E_DATA},     {none, NULL, LFM_E_DATA}, {few, NULL, LFM_E_DATA},
               {same, NULL, LFM_E_DATA},  {whole, narrow, LFM_E_DATA}, {whole, ill, LFM_E_DATA}, {whole, none, LFM_E_DATA}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    r.options.train = cases[k].train;
    r.options.valid = cases[k].valid;
    FAILS(cases[k].status, run_train(&r));
    assert_true(*lfm_error());
    assert_false(lfm_path_exists(r.path)); /* nor a folder that looks like a run */
  }
  r.options.train = whole;
  r.options.valid = NULL;
  OK(run_train(&r)); /* what was refused left nothing that is in the way */
  lfm_table_destroy(ill);
  lfm_table_destroy(narrow);
  lfm_table_destroy(few);
  lfm_table_destroy(none);
  lfm_table_destroy(same);
  run_drop(&r);
}

/* Whoever gave one table hears of its rows, not of a part that they never saw. */
static void a_value_that_is_held_out_alone_is_named(void **state) {
  (void)state;
  const lfm_rng split = {.seed = 5, .purpose = LFM_FOR_SPLIT}; /* the seed of SMALL */
  const char *const names[] = {"x0", "flag"};
  double values[2 * 300];
  char says[128];
  lfm_table *drawn = gaussian_table(300, 1, 7), *table, *valid;
  int rare = 0;
  while (lfm_rng_permute(&split, 0, 300, rare) >= 30) rare++;
  for (int i = 0; i < 300; i++) values[2 * i] = drawn->values[i], values[2 * i + 1] = i == rare;
  OK(lfm_table_create(values, 300, 2, names, NULL, &table));
  run r = run_of(table, SMALL, NULL);
  FAILS(LFM_E_DATA, run_train(&r));
  snprintf(says, sizeof says, "row %d: column 'flag' is 1, and 0 in every row that is not held out", rare + 1);
  assert_true(strstr(lfm_error(), says) == lfm_error());
  assert_says("(--drop)");
  assert_false(lfm_path_exists(r.path));

  table->values[2 * rare + 1] = 0; /* validation rows that were given are another table */
  OK(lfm_table_create(values + 2 * rare, 1, 2, names, NULL, &valid));
  r.options.valid = valid;
  FAILS(LFM_E_DATA, run_train(&r));
  assert_says("the validation table: row 1: column 'flag' is 1, but was always 0 in training");
  lfm_table_destroy(drawn);
  lfm_table_destroy(valid);
  run_drop(&r);
}

/* Values that single precision cannot hold, and steps that blow up: with what is left of them. */
static void a_loss_that_is_not_finite_stops(void **state) {
  (void)state;
  lfm_table *huge = gaussian_table(100, 2, 7);
  for (int i = 0; i < 200; i++) huge->values[i] *= 1e30;
  run r = run_of(huge, SMALL, KEYS("normalise=none", "lr=10", "grad_clip=0"));
  FAILS(LFM_E_NUMERIC, run_train(&r));
  assert_says("at step ");
  assert_says("of block 1: training stopped; a smaller lr");
  assert_false(lfm_path_exists(file_of(&r, "model.safetensors")));
  run_drop(&r);

  r = small_run(KEYS("lr=10", "optimizer=adamw", "weight_decay=10", "checkpoint_every=1")); /* weights by -99 a step */
  FAILS(LFM_E_NUMERIC, run_train(&r));
  assert_says("the last good state is ");
  assert_says("/run/checkpoint; a smaller lr");
  assert_true(lfm_path_exists(file_of(&r, "checkpoint/state.safetensors")));
  run_drop(&r);
}

/* One value out of all range among the validation rows: they are judged by the others from the first push on. */
static void a_wild_validation_row_does_not_stop(void **state) {
  (void)state;
  static metric metrics[MOST_METRICS];
  run r = small_run(KEYS("patience=16"));
  lfm_table *valid = gaussian_table(40, 2, 99);
  valid->values[2 * 11] = 1e100;
  r.options.valid = valid;
  notes[0] = 0;
  lfm_notes_to(keep_note, NULL);
  OK(run_train(&r));
  lfm_notes_to(NULL, NULL);
  const char *once = "warning: block 1: the validation loss is not finite ", *first = strstr(notes, once);
  assert_non_null(first);
  assert_null(strstr(first + strlen(once), "the validation loss is "));
  assert_non_null(strstr(notes, "at step 8, and cannot tell the best weights; look for"));
  assert_non_null(strstr(notes, "warning: block 1: the push of the validation rows failed for 1 of 40 rows"));
  assert_int_equal(r.result.rows_dropped, 1);
  int count = read_metrics(&r, metrics);
  for (int k = 0; k < count; k++)
    assert_true(isfinite(metrics[k].valid_loss) == (metrics[k].block > 1 && metrics[k].step >= 8));
  assert_true(metrics[23].block == 1 && metrics[23].step == 24); /* patience counts from a loss that can be told */
  lfm_table_destroy(valid);
  run_drop(&r);
}

static void refused_configurations(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=[3, 4]"));
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("max_batch");
  OK(lfm_config_set(r.config, "max_batch=3"));
  for (int k = 0; k < 2; k++) {
    r.options.time_limit = k ? (double)NAN : -5.0;
    FAILS(LFM_E_USAGE, run_train(&r));
    assert_says("0 takes the usual 600");
  }
  r.options.time_limit = 0.0;
  OK(lfm_config_set(r.config, "objective=residual"));
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("are learnt from a teacher");
  OK(lfm_config_set(r.config, "objective=meanflow"));
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("set pool: ou");
  OK(lfm_config_set(r.config, "coupling=shared"));
  OK(lfm_config_set(r.config, "hks=[null]"));
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("coupling: shared");
  OK(lfm_config_set(r.config, "hks=auto"));
  OK(lfm_config_set(r.config, "pool=ou"));
  OK(lfm_config_set(r.config, "precision=bf16"));
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("too coarse");
  OK(lfm_config_set(r.config, "precision=fp32"));
  OK(lfm_config_set(r.config, "objective=flow"));
  OK(run_train(&r)); /* in the same folder: nothing had been begun there */
  run_drop(&r);
}

/* What a run would be refused for, or end without, is told without a run. */
static void a_run_can_be_checked_beforehand(void **state) {
  (void)state;
  static const struct {
    const char *key, *says; /* NULL: nothing is refused */
    bool is_scored;
  } cases[] = {{"objective=flow", NULL, true},
               {"objective=meanflow", NULL, false},
               {"objective=residual", "learnt from a teacher", false},
               {"network=unet", "network: unet is for pictures", false},
               {"network=unet1d", "network: unet1d is for demonstrations", false},
               {"network=mlp", NULL, true},
               {"conditional=true", "conditional: the data have no classes", false},
               {"max_batch=[3, 4]", "max_batch", false}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    run r = small_run(KEYS("pool=ou", cases[k].key));
    bool is_scored = !cases[k].is_scored;
    r.options.config = r.config;
    lfm_status status = LFM_E_MEMORY;
    for (uint64_t at = 1; status == LFM_E_MEMORY; at++) {
      lfm_alloc_fail_at(at);
      status = lfm_train_check(&r.options, NULL, &is_scored);
      assert_true(at < 1000);
    }
    lfm_alloc_fail_at(0);
    assert_true(cases[k].says ? status == LFM_E_USAGE || status == LFM_E_DATA : status == LFM_OK);
    if (cases[k].says) assert_says(cases[k].says);
    else assert_true(is_scored == cases[k].is_scored);
    assert_false(lfm_path_exists(r.path));
    run_drop(&r);
  }
}

static void double_precision_does_not_train(void **state) {
  (void)state;
  run r = small_run(NULL);
  setenv("LFM_KERNELS", "ref64", 1);
  FAILS(LFM_E_UNSUPPORTED, run_train(&r));
  assert_says("single precision");
  unsetenv("LFM_KERNELS");
  OK(run_train(&r));
  run_drop(&r);
}

/* A processor that knows no bfloat16 says so, and no folder is left. */
static void bf16_needs_the_processor(void **state) {
  (void)state;
  if (has_bf16()) skip();
  run r = small_run(KEYS("precision=bf16"));
  FAILS(LFM_E_UNSUPPORTED, run_train(&r));
  assert_says("precision fp32");
  assert_false(lfm_path_exists(r.path));
  run_drop(&r);
}

/* Wherever memory is refused, the run ends with a status and leaves whole files; resumed, it is as if undisturbed (every
 * ninth is: a run draws its picture, which takes a while). */
static void refused_memory_can_be_resumed(void **state) {
  (void)state;
  static const char *const tiny[] = {
      "hks=[0.2, null]", "hidden_dim=2", "num_hidden=1", "batch_size=8", "max_batch=2", "checkpoint_every=1",
      "valid_every=1",   "patience=2",   "lanes=2",      "microbatch=8", NULL};
  setenv("LFM_KERNELS", "ref32", 1);
  run whole = run_of(gaussian_table(20, 1, 7), tiny, NULL);
  lfm_alloc_fail_at(0);
  OK(run_train(&whole));
  uint64_t requests = lfm_alloc_fail_at(0);
  assert_in_range(requests, 100, 10000);
  for (uint64_t at = 1; at <= requests; at++) {
    run r = run_of(gaussian_table(20, 1, 7), tiny, NULL);
    check_refusal(&r, at, at % 9 == 1 ? &whole : NULL);
  }
  run_drop(&whole);
  unsetenv("LFM_KERNELS");
}

/* Between two steps that neither write a checkpoint nor end a block, nothing is asked for. */
typedef struct counts {
  int64_t last_step;
  int block, steps;
  uint64_t most;
} counts;

static bool count_requests(const lfm_progress *progress, void *context) {
  counts *c = context;
  uint64_t seen = lfm_alloc_fail_at(0);
  if (progress->phase != LFM_PHASE_TRAIN) return false;
  if (progress->block == c->block && progress->done == c->last_step + 1) {
    c->steps++;
    c->most = seen > c->most ? seen : c->most;
  }
  c->block = progress->block;
  c->last_step = progress->done;
  return false;
}

static void steps_ask_for_no_memory(void **state) {
  (void)state;
  static const char *const widths[] = {"hidden_dim=16", "hidden_dim=800"}; /* by lanes, and by factors */
  for (int k = 0; k < 2; k++) {                                            /* validations and records included */
    run r = small_run(KEYS("checkpoint_every=1000", "ema_decay=0.9", "patience=24", "target_rows=100"));
    counts c = {0};
    OK(lfm_config_set(r.config, widths[k]));
    r.options.progress = count_requests;
    r.options.context = &c;
    r.options.threads = 2;
    OK(run_train(&r));
    assert_int_equal(c.steps, 3 * 24);
    assert_int_equal(c.most, 0);
    assert_int_equal(trained_by_factors(&r, 1, 800 * (3 + 800 + 2 + 2) + 2), k);
    run_drop(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_do_not_change_the_bytes),
      cmocka_unit_test(large_networks_keep_factors),
      cmocka_unit_test(steps_in_bf16),
      cmocka_unit_test(bf16_needs_the_processor),
      cmocka_unit_test(a_run_can_be_made_again_from_its_config),
      cmocka_unit_test(a_trial_can_be_stopped),
      cmocka_unit_test(result_and_files),
      cmocka_unit_test(given_validation_rows_are_used),
      cmocka_unit_test(constant_columns_are_stored),
      cmocka_unit_test(notes_say_what_was_changed),
      cmocka_unit_test(few_rows_are_warned_of),
      cmocka_unit_test(warm_start_begins_from_the_block_before),
      cmocka_unit_test(blocks_of_the_process_stand_alone),
      cmocka_unit_test(a_schedule_is_its_hks),
      cmocka_unit_test(a_row_is_drawn_again),
      cmocka_unit_test(patience_keeps_the_best_weights),
      cmocka_unit_test(lost_validation_rows_are_told),
      cmocka_unit_test(validation_rows_that_are_learnt_are_told),
      cmocka_unit_test(unscorable_validation_rows_do_not_hold_a_run),
      cmocka_unit_test(learns_a_gaussian),
      cmocka_unit_test(single_steps_learn_a_gaussian),
      cmocka_unit_test(one_noise_keeps_the_spread_of_single_steps),
      cmocka_unit_test(threads_do_not_change_single_steps),
      cmocka_unit_test(far_rows_keep_a_sane_density),
      cmocka_unit_test(waves_show_what_is_fine),
      cmocka_unit_test(waves_end_where_no_row_lies),
      cmocka_unit_test(an_older_run_goes_on_without_them),
      cmocka_unit_test(tables_that_cannot_be_used),
      cmocka_unit_test(a_value_that_is_held_out_alone_is_named),
      cmocka_unit_test(a_loss_that_is_not_finite_stops),
      cmocka_unit_test(a_wild_validation_row_does_not_stop),
      cmocka_unit_test(refused_configurations),
      cmocka_unit_test(a_run_can_be_checked_beforehand),
      cmocka_unit_test(double_precision_does_not_train),
      cmocka_unit_test(refused_memory_can_be_resumed),
      cmocka_unit_test(steps_ask_for_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
