/* SPDX-License-Identifier: MIT
 *
 * test_checkpoint.c -- a run that was stopped anywhere goes on to the same bytes; what a resume refuses; checkpoints that
 * were altered.
 */
#include "archive_copy.h"
#include "train_support.h"

#define STATE "checkpoint/state.safetensors"

/* Stops there, and says so. */
static void interrupt(run *r, int phase, int block, int64_t done) {
  stop_at stop = {.phase = phase, .block = block, .done = done};
  r->options.progress = stops_there;
  r->options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(r));
  assert_true(stop.stopped);
  assert_false(lfm_path_exists(file_of(r, "result.json")));
  assert_true(lfm_path_exists(file_of(r, STATE)));
  r->options.progress = NULL;
}

static void go_on(run *r, int threads) {
  r->options.resume = true;
  r->options.threads = threads;
  OK(run_train(r));
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); } /* single steps have no nll */

/* The steps that were made in all. */
static int64_t check_stops(const char *const *more) {
  static const struct {
    int phase, block, done;
  } places[] = {{LFM_PHASE_TRAIN, 1, 0},                           /* before the first step: one is made all the same */
                {LFM_PHASE_TRAIN, 1, 3},  {LFM_PHASE_TRAIN, 1, 9}, /* where a checkpoint was due anyway */
                {LFM_PHASE_TRAIN, 1, 23}, {LFM_PHASE_PUSH, 1, 0},   {LFM_PHASE_PUSH, 1, 270}, /* the pool is through, the
                                                                                                 validation rows are not */
                {LFM_PHASE_TRAIN, 2, 0},  {LFM_PHASE_TRAIN, 2, 15}, {LFM_PHASE_PUSH, 2, 1},   {LFM_PHASE_TRAIN, 3, 7},
                {LFM_PHASE_SCORE, 2, 0}};
  run whole = small_run(more);
  OK(run_train(&whole));
  for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
    if (whole.result.push_flops == 0.0 && places[k].phase == LFM_PHASE_PUSH) continue;
    if (isnan(whole.result.valid_nll) && places[k].phase == LFM_PHASE_SCORE) continue;
    run r = small_run(more);
    interrupt(&r, places[k].phase, places[k].block, places[k].done);
    go_on(&r, 1 + (int)k % 3);
    assert_true(same_model(&r, &whole));
    assert_true(same_metrics(&r, &whole));
    assert_true(same_bytes(file_of(&r, "config.yaml"), file_of(&whole, "config.yaml")));
    assert_true(r.result.steps == whole.result.steps && r.result.loss == whole.result.loss &&
                same_number(r.result.valid_nll, whole.result.valid_nll) && r.result.train_flops == whole.result.train_flops &&
                r.result.push_flops == whole.result.push_flops);
    run_drop(&r);
  }
  run_drop(&whole);
  return whole.result.steps;
}

static void stopped_anywhere_ends_the_same(void **state) {
  (void)state;
  check_stops(KEYS("ema_decay=0.9", "coupling=shuffled"));
}

/* Best weights, no average, a learning rate that steps, and patience that ends a block. */
static void stopped_with_best_weights(void **state) {
  (void)state;
  int64_t steps = check_stops(KEYS("ema_decay=0", "max_batch=400", "patience=30", "valid_every=2", "cosine=false", "lr=0.05",
                                   "lr_decay=0.9", "lr_step=20", "num_tk=2"));
  assert_true(steps < 3 * 400);
}

static void stopped_in_bf16(void **state) {
  (void)state;
  const lfm_kernels *kernels;
  if (lfm_kernels_bf16(&kernels) != LFM_OK) skip();
  check_stops(KEYS("precision=bf16", "ema_decay=0.9"));
}

static void stopped_without_a_push(void **state) {
  (void)state;
  check_stops(KEYS("pool=ou", "coupling=independent"));
}

/* Mean targets over more rows than a batch has. */
static void stopped_with_mean_targets(void **state) {
  (void)state;
  check_stops(KEYS("target_rows=100", "ema_decay=0.9", "defensive=0.02"));
}

/* What moves has a column more than what is kept, which is the best where patience ends a block. */
static void stopped_with_mean_velocities(void **state) {
  (void)state;
  int64_t steps = check_stops(KEYS("objective=meanflow", "pool=ou", "ema_decay=0.9", "max_batch=400", "patience=24",
                                   "valid_every=2", "cosine=false", "lr=0.05"));
  assert_true(steps < 3 * 400);
}

static void stopped_with_a_pool_of_halves(void **state) {
  (void)state;
  check_stops(KEYS("pool_precision=fp16", "ema_decay=0.9"));
}

/* Stopped at every second step from the start. */
static void stopped_again_and_again(void **state) {
  (void)state;
  run whole = small_run(NULL), r = small_run(NULL);
  OK(run_train(&whole));
  for (int block = 1; block <= 3; block++)
    for (int step = 2; step < 24; step += 5) {
      interrupt(&r, LFM_PHASE_TRAIN, block, step);
      r.options.resume = true;
    }
  go_on(&r, 2);
  assert_true(same_model(&r, &whole));
  assert_true(same_metrics(&r, &whole));
  run_drop(&whole);
  run_drop(&r);
}

/* One pool file at most: of the block that the state is in. */
static void old_pools_are_removed(void **state) {
  (void)state;
  run r = small_run(NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 3, 5);
  assert_true(lfm_path_exists(file_of(&r, "checkpoint/pool-2.safetensors")));
  assert_false(lfm_path_exists(file_of(&r, "checkpoint/pool-1.safetensors")));
  run_drop(&r);
}

/* ---- what agrees --------------------------------------------------------------------------------------------- */

static void the_same_command_resumes(void **state) {
  (void)state;
  /* a schedule became hks, a batch shrank, "auto" became a number: none of these is a change */
  static const char *const keys[] = {"schedule.c=0.2",  "schedule.blocks=3", "hidden_dim=16", "num_hidden=1",
                                     "batch_size=5000", "max_batch=12",      "seed=3",        NULL};
  run r = run_of(gaussian_table(100, 2, 7), keys, NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 2, 5);
  go_on(&r, 1);

  run bare = run_of(gaussian_table(100, 2, 7), keys, NULL); /* and so does --resume alone, or without any configuration */
  interrupt(&bare, LFM_PHASE_TRAIN, 2, 5);
  bare.options.resume = true;
  lfm_config_destroy(bare.config);
  bare.config = config_of(NULL, NULL);
  interrupt(&bare, LFM_PHASE_TRAIN, 2, 9);
  lfm_config_destroy(bare.config);
  bare.config = NULL;
  go_on(&bare, 1);
  assert_true(same_model(&r, &bare));
  run_drop(&r);
  run_drop(&bare);
}

/* So do some of its keys, before the end and after it. */
static void some_of_the_keys_resume(void **state) {
  (void)state;
  static const struct {
    const char *begun[4], *again;
  } cases[] = {{{"pool=ou", "coupling=shared"}, "coupling=shared"},
               {{"max_batch=[12, 13, 14]"}, "max_batch=[12, 13, 14]"},
               {{"target_rows=10"}, "target_rows=10"},
               {{"hks=auto", "schedule.blocks=3", "schedule.c=0.2"}, "schedule.blocks=3"}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    run r = small_run(cases[k].begun);
    interrupt(&r, LFM_PHASE_TRAIN, 2, 5);
    lfm_config_destroy(r.config);
    r.config = config_of(KEYS(cases[k].again), NULL);
    go_on(&r, 1);
    OK(run_train(&r));
    assert_true(r.result.was_finished);
    run_drop(&r);
  }
}

static void a_changed_key_is_named(void **state) {
  (void)state;
  static const char *const changes[][2] = {{"lr=0.02", "lr: "},
                                           {"seed=6", "seed: "},
                                           {"hks=[0.2, null]", "hks: "},
                                           {"batch_size=32", "batch_size: "},
                                           {"max_batch=30", "max_batch: "},
                                           {"act=relu", "act: "},
                                           {"normalise=none", "normalise: "},
                                           {"interp=linear", "interp: "}};
  run r = small_run(NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 2, 5);
  r.options.resume = true;
  lfm_config *first = r.config;
  for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
    r.config = config_of(KEYS(changes[k][0]), NULL);
    FAILS(LFM_E_USAGE, run_train(&r));
    assert_true(strstr(lfm_error(), changes[k][1]) == lfm_error());
    lfm_config_destroy(r.config);
  }
  r.config = config_of(KEYS("schedule.c=0.3"), NULL);
  FAILS(LFM_E_USAGE, run_train(&r));
  assert_says("hks: ");
  lfm_config_destroy(r.config);
  r.config = first;
  go_on(&r, 1);
  run_drop(&r);
}

static void other_rows_are_refused(void **state) {
  (void)state;
  const char *const names[] = {"x0", "renamed"};
  run r = small_run(NULL);
  lfm_table *valid = gaussian_table(30, 2, 9), *other = gaussian_table(300, 2, 8), *fewer = gaussian_table(299, 2, 7),
            *renamed;
  OK(lfm_table_create(r.table->values, 300, 2, names, NULL, &renamed));
  r.options.valid = valid;
  interrupt(&r, LFM_PHASE_TRAIN, 1, 5);
  r.options.resume = true;
  const struct {
    const lfm_table *train, *valid;
  } cases[] = {{other, valid}, {fewer, valid}, {renamed, NULL}, {r.table, NULL}, {r.table, fewer}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    r.options.train = cases[k].train;
    r.options.valid = cases[k].valid;
    FAILS(LFM_E_DATA, run_train(&r));
    assert_says("other rows than these");
  }
  r.options.train = r.table;
  r.options.valid = valid;
  go_on(&r, 1);
  lfm_table_destroy(valid);
  lfm_table_destroy(other);
  lfm_table_destroy(fewer);
  lfm_table_destroy(renamed);
  run_drop(&r);
}

/* "Finished" would be taken for "trained on these". */
static void other_rows_are_refused_by_a_finished_run_too(void **state) {
  (void)state;
  run r = small_run(NULL);
  lfm_table *other = gaussian_table(300, 2, 8), *fewer = gaussian_table(299, 2, 7), *valid = gaussian_table(30, 2, 9);
  OK(run_train(&r));
  r.options.resume = true;
  const struct { const lfm_table *train, *valid; } cases[] = {{other, NULL}, {fewer, NULL}, {r.table, valid}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    r.options.train = cases[k].train;
    r.options.valid = cases[k].valid;
    FAILS(LFM_E_DATA, run_train(&r));
    assert_says("other rows than these");
  }
  r.options.train = r.table;
  r.options.valid = NULL;
  OK(run_train(&r));
  assert_true(r.result.was_finished);
  OK(lfm_file_remove(file_of(&r, STATE))); /* who tidied the checkpoint away is believed */
  OK(run_train(&r));
  assert_true(r.result.was_finished);
  lfm_table_destroy(other);
  lfm_table_destroy(fewer);
  lfm_table_destroy(valid);
  run_drop(&r);
}

static void another_build_needs_leave(void **state) {
  (void)state;
  static const char *const others[] = {"lfm 0.0.1, abacus", NULL};
  for (int k = 0; k < 2; k++) {
    run r = small_run(NULL);
    interrupt(&r, LFM_PHASE_TRAIN, 2, 5);
    archive_copy(file_of(&r, STATE), file_of(&r, STATE), &(alteration){.name = "identity", .text = others[k]});
    r.options.resume = true;
    FAILS(LFM_E_UNSUPPORTED, run_train(&r));
    assert_says(k ? "'unknown'" : "'lfm 0.0.1, abacus'");
    assert_says("--allow-drift");
    r.options.allow_drift = true;
    go_on(&r, 1);
    run_drop(&r);
  }
}

/* ---- existing runs ------------------------------------------------------------------------------------------- */

static void finished_and_existing_runs(void **state) {
  (void)state;
  run r = small_run(NULL), copy = small_run(NULL);
  OK(run_train(&r));
  OK(run_train(&copy));
  FAILS(LFM_E_EXISTS, run_train(&r)); /* finished, no resume */
  assert_says("holds a run already");
  lfm_train_result before = copy.result;
  copy.options.resume = true;
  OK(run_train(&copy));
  assert_true(copy.result.was_finished && copy.result.steps == before.steps && copy.result.blocks == before.blocks &&
              copy.result.valid_nll == before.valid_nll && copy.result.loss == before.loss);
  assert_true(same_model(&r, &copy)); /* and files untouched by both */
  assert_true(same_metrics(&r, &copy));
  OK(lfm_config_set(copy.config, "max_batch=25")); /* more of it is not "finished" */
  FAILS(LFM_E_USAGE, run_train(&copy));
  assert_says("max_batch: the run was begun with 24, not 25");
  run_drop(&copy);
  run_drop(&r);

  r = small_run(NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 1, 5);
  uint8_t *then, *now;
  size_t size_then, size_now;
  OK(lfm_file_read(file_of(&r, STATE), &then, &size_then));
  FAILS(LFM_E_EXISTS, run_train(&r)); /* unfinished, no resume */
  OK(lfm_file_read(file_of(&r, STATE), &now, &size_now));
  assert_true(size_then == size_now && memcmp(then, now, size_now) == 0);
  lfm_free(then);
  lfm_free(now);
  run_drop(&r);
}

static void resume_without_a_run_begins_one(void **state) {
  (void)state;
  run r = small_run(NULL), fresh = small_run(NULL);
  OK(run_train(&fresh));
  go_on(&r, 1);
  assert_true(same_model(&r, &fresh) && !r.result.was_finished);
  run_drop(&fresh);
  run_drop(&r);
}

/* Killed before its first checkpoint, a run has left config.yaml: it begins again as what it was, whatever is not said. */
static void resume_before_the_first_checkpoint_goes_by_the_config(void **state) {
  (void)state;
  run r = small_run(KEYS("hidden_dim=24", "seed=9")), again = run_of(gaussian_table(300, 2, 7), NULL, NULL);
  uint8_t *text;
  size_t size;
  OK(run_train(&r));
  OK(lfm_file_read(file_of(&r, "config.yaml"), &text, &size));
  OK(lfm_folder_make(again.path));
  OK(lfm_file_write(file_of(&again, "config.yaml"), text, size));
  OK(lfm_config_set(again.config, "hidden_dim=25"));
  again.options.resume = true;
  FAILS(LFM_E_USAGE, run_train(&again));
  assert_says("hidden_dim: the run was begun with 24, not 25");
  OK(lfm_config_set(again.config, "hidden_dim=auto"));
  go_on(&again, 2);
  assert_true(same_model(&r, &again));
  lfm_free(text);
  run_drop(&again);
  run_drop(&r);
}

/* One that somebody wrote by hand leaves most to the data. */
static void resume_completes_a_config_written_by_hand(void **state) {
  (void)state;
  static const char hand[] = "hidden_dim: 24\nmax_batch: 3\n";
  run r = run_of(gaussian_table(300, 2, 7), NULL, NULL), same = run_of(gaussian_table(300, 2, 7), NULL, NULL);
  OK(lfm_folder_make(r.path));
  OK(lfm_file_write(file_of(&r, "config.yaml"), hand, sizeof hand - 1));
  go_on(&r, 1);
  OK(lfm_config_set(same.config, "hidden_dim=24"));
  OK(lfm_config_set(same.config, "max_batch=3"));
  OK(run_train(&same));
  assert_true(same_model(&r, &same));
  run_drop(&same);
  run_drop(&r);
}

/* A second program on the same RUN while the first trains: here, from inside the first one's progress. */
typedef struct second {
  run *other;
  int tried;
} second;

static bool try_to_train(const lfm_progress *progress, void *context) {
  second *s = context;
  if (progress->done != 4 || progress->phase != LFM_PHASE_TRAIN) return false;
  for (int resume = 0; resume < 2; resume++, s->tried++) {
    s->other->options.resume = resume;
    FAILS(LFM_E_EXISTS, run_train(s->other));
    assert_says(resume ? "another program is training there" : "/run: ");
  }
  return false;
}

static void two_programs_do_not_share_a_run(void **state) {
  (void)state;
  run r = small_run(NULL), other = small_run(NULL), alone = small_run(NULL);
  second s = {.other = &other};
  OK(run_train(&alone));
  snprintf(other.path, sizeof other.path, "%s", r.path);
  r.options.progress = try_to_train;
  r.options.context = &s;
  OK(run_train(&r));
  assert_int_equal(s.tried, 6);
  assert_true(same_model(&r, &alone));
  run_drop(&other);
  run_drop(&alone);
  run_drop(&r);
}

/* ---- altered checkpoints ------------------------------------------------------------------------------------- */

enum { BLOCK, STEP, STEPS_DONE, SECONDS, BEST_LOSS, BEST_STEP, LAST_VALID, LOSS_SUM, LOSS_COUNT, POOL_ROWS = 15, PLACE = 17 };

static void numbers_that_make_no_sense(void **state) {
  (void)state;
  static const struct {
    int at;
    double value;
  } cases[] = {{BLOCK, -1},    {BLOCK, 3},       {BLOCK, 1e300},     {STEP, -1},        {STEP, 25},
               {STEP, 1e300},  {STEPS_DONE, -5}, {STEPS_DONE, 1e19}, {BEST_STEP, 1e19}, {LOSS_COUNT, 0.5},
               {POOL_ROWS, 0}, {POOL_ROWS, 271}, {POOL_ROWS + 1, 31}};
  run r = small_run(NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 1, 5);
  r.options.resume = true;
  const char *whole = inside(r.root.path, "whole.safetensors");
  char kept[2048];
  snprintf(kept, sizeof kept, "%s", whole);
  archive_copy(file_of(&r, STATE), kept, NULL);
  for (int k = -2; k < (int)(sizeof cases / sizeof *cases); k++) {
    double place[PLACE];
    lfm_archive *archive;
    const lfm_tensor *tensor;
    OK(lfm_archive_open(kept, &archive));
    OK(lfm_archive_require(archive, "place", LFM_F64, 1, (int64_t[]){PLACE}, &tensor));
    memcpy(place, tensor->data, sizeof place);
    lfm_archive_destroy(archive);
    if (k >= 0) place[cases[k].at] = cases[k].value;
    if (k == -1) place[STEP] = (double)NAN;
    if (k == -2) place[BEST_STEP] = (double)NAN;
    const lfm_tensor altered = {.dtype = LFM_F64, .dims = 1, .shape = {PLACE}, .data = place};
    archive_copy(kept, file_of(&r, STATE), &(alteration){.name = "place", .tensor = &altered});
    FAILS(LFM_E_FORMAT, run_train(&r));
    assert_says("state.safetensors");
  }
  archive_copy(kept, file_of(&r, STATE), NULL);
  go_on(&r, 1);
  run_drop(&r);
}

/* As many as a whole run has, at a step from which most of them are still to come. */
static void more_records_than_steps(void **state) {
  (void)state;
  enum { RECORDS = 3 * 25 };
  static double records[RECORDS][7];
  run r = small_run(NULL);
  interrupt(&r, LFM_PHASE_TRAIN, 1, 5);
  const lfm_tensor altered = {.dtype = LFM_F64, .dims = 2, .shape = {RECORDS, 7}, .data = records};
  archive_copy(file_of(&r, STATE), file_of(&r, STATE), &(alteration){.name = "records", .tensor = &altered});
  r.options.resume = true;
  FAILS(LFM_E_FORMAT, run_train(&r));
  assert_says("more records than the steps it states");
  run_drop(&r);
}

static void tensors_that_are_missing(void **state) {
  (void)state;
  static const char *const names[] = {"params.net.0.weight",
                                      "first_moment.net.2.bias",
                                      "second_moment.net.4.weight",
                                      "ema.net.0.bias",
                                      "blocks.0.net.0.weight",
                                      "records",
                                      "place",
                                      "config"};
  run r = small_run(KEYS("ema_decay=0.9"));
  interrupt(&r, LFM_PHASE_TRAIN, 2, 5);
  r.options.resume = true;
  char kept[2048];
  snprintf(kept, sizeof kept, "%s", inside(r.root.path, "whole.safetensors"));
  archive_copy(file_of(&r, STATE), kept, NULL);
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    archive_copy(kept, file_of(&r, STATE), &(alteration){.name = names[k]});
    FAILS(LFM_E_FORMAT, run_train(&r));
    assert_says("state.safetensors");
  }
  archive_copy(kept, file_of(&r, STATE), NULL);
  OK(lfm_file_write(file_of(&r, "checkpoint/pool-1.safetensors"), "x", 1));
  FAILS(LFM_E_FORMAT, run_train(&r));
  OK(lfm_file_remove(file_of(&r, "checkpoint/pool-1.safetensors")));
  FAILS(LFM_E_IO, run_train(&r));
  assert_says("pool-1.safetensors");
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stopped_anywhere_ends_the_same),
      cmocka_unit_test(stopped_with_best_weights),
      cmocka_unit_test(stopped_without_a_push),
      cmocka_unit_test(stopped_with_mean_targets),
      cmocka_unit_test(stopped_with_mean_velocities),
      cmocka_unit_test(stopped_with_a_pool_of_halves),
      cmocka_unit_test(stopped_in_bf16),
      cmocka_unit_test(stopped_again_and_again),
      cmocka_unit_test(old_pools_are_removed),
      cmocka_unit_test(the_same_command_resumes),
      cmocka_unit_test(some_of_the_keys_resume),
      cmocka_unit_test(a_changed_key_is_named),
      cmocka_unit_test(other_rows_are_refused),
      cmocka_unit_test(other_rows_are_refused_by_a_finished_run_too),
      cmocka_unit_test(another_build_needs_leave),
      cmocka_unit_test(finished_and_existing_runs),
      cmocka_unit_test(resume_without_a_run_begins_one),
      cmocka_unit_test(resume_before_the_first_checkpoint_goes_by_the_config),
      cmocka_unit_test(resume_completes_a_config_written_by_hand),
      cmocka_unit_test(two_programs_do_not_share_a_run),
      cmocka_unit_test(numbers_that_make_no_sense),
      cmocka_unit_test(more_records_than_steps),
      cmocka_unit_test(tensors_that_are_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
