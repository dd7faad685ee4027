/* SPDX-License-Identifier: MIT
 *
 * test_distill.c -- a chain of flows becomes a few steps: that they are its map, how a run is stopped and goes on, and what
 * is refused.
 */
#include "distill_support.h"

#include "flow/trainer.h"
#include "support/notes.h"

/* Teachers are linear, and so are their students once they have learnt. */
typedef struct lesson_run {
  folder root;
  char path[600];
  lfm_model *teacher;
  lfm_config *config;
  lfm_distill_options options;
  lfm_train_result result;
} lesson_run;

#define USUAL KEYS("batch_size=64", "lr=0.02", "cosine=true", "patience=0", "seed=5", "checkpoint_every=30")

static lesson_run begin(const char *const *more) {
  lesson_run r = {.root = folder_create(), .teacher = linear_teacher(), .config = config_of(USUAL, more)};
  snprintf(r.path, sizeof r.path, "%s/fast", r.root.path);
  lfm_distill_defaults(&r.options);
  r.options.pairs = 400;
  r.options.budget = 240;
  r.options.threads = 1;
  return r;
}

static lfm_status go(lesson_run *r) {
  r->options.teacher = r->teacher;
  r->options.config = r->config;
  r->options.run = r->path;
  return lfm_distill(&r->options, &r->result);
}

static void give_key(lesson_run *r, const char *key) {
  lfm_config_destroy(r->config);
  r->config = config_of(USUAL, key ? KEYS(key) : NULL);
}

static void drop(lesson_run *r) {
  lfm_config_destroy(r->config);
  lfm_model_destroy(r->teacher);
  folder_remove(&r->root);
}

static lfm_model *load(const lesson_run *r) {
  lfm_model *model;
  OK(lfm_model_load(r->path, &model));
  return model;
}

static size_t size_of(const char *path) {
  uint8_t *bytes;
  size_t size;
  OK(lfm_file_read(path, &bytes, &size));
  lfm_free(bytes);
  return size;
}

static void remove_inside(const lesson_run *r, const char *name) {
  folder inner;
  snprintf(inner.path, sizeof inner.path, "%.440s/%.60s", r->path, name);
  folder_remove(&inner);
}

static bool same_students(const lesson_run *a, const lesson_run *b) {
  return same_bytes(inside(a->path, "model.safetensors"), inside(b->path, "model.safetensors"));
}

/* Root mean square of what two models draw from one noise, apart. */
static double distance(const lfm_model *a, const lfm_model *b) {
  lfm_sample_options options;
  lfm_table *of_a, *of_b;
  double sum = 0.0;
  lfm_sample_defaults(&options);
  options.rows = 500, options.threads = 1;
  OK(lfm_sample(a, &options, &of_a, NULL));
  OK(lfm_sample(b, &options, &of_b, NULL));
  for (int64_t k = 0; k < 1000; k++) sum += pow(of_a->values[k] - of_b->values[k], 2.0);
  lfm_table_destroy(of_a);
  lfm_table_destroy(of_b);
  return sqrt(sum / 1000.0);
}

/* ---- what is learnt -------------------------------------------------------------------------------------------- */

static void students_are_their_teachers_map(void **state) {
  (void)state;
  static const struct {
    const char *plan, *method, *text;
    int steps, split, students;
  } cases[] = {
      {NULL, NULL, "(1 2 3)", 1, 1, 1},
      {NULL, NULL, "1 | (2 3)", 2, 1, 2},
      {NULL, NULL, "1 | 2 | 3", 3, 1, 3},
      {"(1 (2 3))", NULL, "(1 (2 3))", 0, 1, 1},
      {"consistency", NULL, "((1 2) 3)", 1, 1, 1},
      {NULL, "reflow", "1 | (2 3)", 2, 1, 2},
      {"auto", NULL, "1 | (2 3)", 2, 1, 2},
      {NULL, "meanflow", "1 | (2 3)", 2, 1, 2},
      {"1 2 | 3 | 4 5 6", "meanflow", "(1 2) | 3 | (4 5 6)", 0, 2, 3},
      {"1 | 2 3 | 4 5 6", NULL, "1 | (2 3) | (4 5 6)", 0, 2, 3},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lesson_run r = begin(NULL);
    r.options.plan = cases[k].plan, r.options.method = cases[k].method;
    r.options.steps = cases[k].steps, r.options.split = cases[k].split;
    r.options.budget = 2400;
    OK(go(&r));
    lfm_model *fast = load(&r);
    lfm_sample_options options;
    lfm_sample_result drawn_by;
    lfm_table *rows;
    lfm_sample_defaults(&options);
    OK(lfm_sample(fast, &options, &rows, &drawn_by));
    assert_true(drawn_by.nfe_mean == (double)cases[k].students);
    assert_string_equal(lfm_model_plan(fast), cases[k].text);
    assert_int_equal(r.result.blocks, cases[k].students);
    assert_true(distance(r.teacher, fast) < 0.04);
    assert_true(r.result.steps > 2390 && r.result.steps <= 2400 && r.result.train_flops > 0 && r.result.push_flops > 0);
    assert_true(size_of(inside(r.path, "checkpoint/states.safetensors")) < 1000); /* no rows are left in it */
    lfm_table_destroy(rows);
    lfm_model_destroy(fast);
    drop(&r);
  }
}

/* Out to other programs and in again: a piece of a block is still that piece. */
static void pieces_travel(void **state) {
  (void)state;
  lesson_run r = begin(NULL);
  r.options.steps = 2, r.options.split = 2, r.options.budget = 2;
  OK(go(&r));
  lfm_model *fast = load(&r), *back;
  lfm_config *config;
  OK(lfm_model_export(fast, inside(r.path, "weights.safetensors")));
  OK(lfm_config_create(&config));
  OK(lfm_config_load(config, inside(r.path, "config.yaml")));
  OK(lfm_model_import(inside(r.path, "weights.safetensors"), &(lfm_import_options){.config = config}, &back));
  assert_string_equal(lfm_model_plan(back), lfm_model_plan(fast));
  assert_true(distance(fast, back) == 0.0);
  lfm_config_destroy(config);
  lfm_model_destroy(back), lfm_model_destroy(fast);
  drop(&r);
}

/* Fixed evaluations of the teacher are those of its whole chain, into however many pieces its blocks are cut. */
static void evaluations_of_the_teacher_are_counted(void **state) {
  (void)state;
  for (int split = 1; split <= 2; split++) {
    lesson_run r = begin(NULL);
    r.options.steps = 1, r.options.split = split, r.options.budget = 2, r.options.solve.nfe = 12;
    OK(go(&r));
    assert_true(r.result.push_flops == 400.0 * 12.0 * lfm_net_forward_flops(r.teacher->net));
    drop(&r);
  }
}

/* Before a step the student is its block taken at one step of Euler's, and no better. */
static void a_student_starts_from_its_noisiest_block(void **state) {
  (void)state;
  lesson_run r = begin(KEYS("lr=1e-9", "cosine=false"));
  r.options.steps = 1, r.options.budget = 1;
  OK(go(&r));
  lfm_model *fast = load(&r);
  lfm_tensor_info info = *lfm_net_tensor(fast->net, 0);
  const float *student = lfm_params_values(fast->params[0]), *block = lfm_params_values(r.teacher->params[2]);
  for (int64_t k = 0; k < info.count; k++) assert_near(student[k], block[k], 1e-6);
  lfm_model_destroy(fast);
  drop(&r);
}

static int64_t steps_of(const lesson_run *r, const char *student) {
  lfm_model *model;
  OK(lfm_model_load(inside(r->path, student), &model));
  int64_t steps = model->config->max_batch.of[0];
  lfm_model_destroy(model);
  return steps;
}

/* Half of the time for a straight flow, and then all that is left: nearly twice as much, as a step that nobody looks at the
 * clock for takes none. */
static void time_is_shared_by_the_trainings_that_are_left(void **state) {
  (void)state;
  lesson_run r = begin(KEYS("checkpoint_every=1000000"));
  r.options.steps = 1, r.options.method = "reflow", r.options.budget = 0, r.options.time_limit = 2400.0;
  OK(go(&r));
  int64_t first = steps_of(&r, "blocks-1-3-reflow"), second = steps_of(&r, "blocks-1-3");
  assert_in_range(first, 1000, 1080);
  assert_in_range(second, first * 3 / 2, first * 2);
  drop(&r);
}

/* What the teacher and a finished student have taken is gone, in whichever call it was.  Whoever shows progress looks at the
 * clock at every step, so that a step takes a second; while steps are timed twice, so that of the half of 2400 seconds that
 * the first student may take a quarter is left to the other. */
static void a_resumed_run_has_the_time_that_is_left(void **state) {
  (void)state;
  lesson_run r = begin(KEYS("checkpoint_every=1000000"));
  stop_at stop = {LFM_PHASE_TRAIN, 2, 5, false};
  r.options.steps = 2, r.options.budget = 0, r.options.time_limit = 2400.0;
  r.options.progress = stops_there, r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, go(&r));
  int64_t first = steps_of(&r, "blocks-1-1");
  remove_inside(&r, "blocks-2-3");
  stop.block = -1, r.options.resume = true;
  OK(go(&r));
  assert_in_range(steps_of(&r, "blocks-2-3"), first * 5 / 4, first * 3 / 2);
  drop(&r);
}

/* Rows beyond the wall at 3.3 cannot be solved: one in two thousand, but one of the first hundred, which are timed. */
static void a_trial_may_lose_a_row(void **state) {
  (void)state;
  lesson_run r = begin(KEYS("max_batch=2"));
  lfm_table *table = gaussian_table(50, 1, 3);
  lfm_rng rng = {.purpose = LFM_FOR_TEACHER};
  float z = 0.0f;
  for (int64_t i = 0; z <= 3.3f; i++) {
    rng.seed = (uint64_t)(i / 100);
    lfm_rng_normal(&rng, i % 100, &z, 1);
  }
  r.config->seed = rng.seed;
  lfm_model_destroy(r.teacher);
  r.teacher = walled_chain(table);
  ((float *)lfm_params_data(r.teacher->params[0]))[lfm_net_tensor(r.teacher->net, 1)->offset] = -3.3f;
  lfm_params_pack(r.teacher->params[0]);
  r.options.steps = 1, r.options.pairs = 0, r.options.budget = 0, r.options.time_limit = 1e5;
  OK(go(&r));
  assert_true(r.result.rows_dropped > 0);
  lfm_table_destroy(table);
  drop(&r);
}

/* Which plan, and for which s. */
static void take_choice(lfm_note_level level, const char *text, void *context) {
  if (strstr(text, "by the predicted errors") || strstr(text, "even merges are taken")) take_note(level, text, context);
}

/* A student's own training is what the plan is chosen for: reflow spends as much again on the straight flow before it.  Steps
 * that a key sets are steps, however long the time. */
static void a_plan_is_chosen_for_the_steps_of_a_training(void **state) {
  (void)state;
  char residual[sizeof last_note];
  lfm_notes_to(take_choice, NULL);
  for (int k = 0; k < 3; k++) {
    lesson_run r = begin(NULL);
    r.options.steps = 2, r.options.plan = "auto";
    if (k == 1) r.options.method = "reflow", r.options.budget *= 2;
    if (k == 2) give_key(&r, "max_batch=120"), r.options.budget = 0;
    last_note[0] = 0;
    OK(go(&r));
    if (k == 0) memcpy(residual, last_note, sizeof residual);
    else assert_string_equal(last_note, residual);
    drop(&r);
  }
  lfm_notes_to(NULL, NULL);
  assert_non_null(strstr(residual, " for s = "));
}

/* Two pilots of twenty steps would be most of it. */
static void a_short_budget_is_merged_evenly(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    lesson_run r = begin(NULL);
    r.options.steps = 2, r.options.plan = "auto", r.options.budget = 40;
    if (k == 1) r.options.s = 0.5;
    last_note[0] = 0;
    lfm_notes_to(take_choice, NULL);
    OK(go(&r));
    lfm_notes_to(NULL, NULL);
    assert_true((strstr(last_note, "even merges are taken") != NULL) == (k == 0));
    assert_int_equal(r.result.blocks, 2);
    drop(&r);
  }
}

/* It leaves nothing that another try would stumble over. */
static void a_teacher_that_fails_leaves_no_run(void **state) {
  (void)state;
  lesson_run r = begin(NULL);
  lfm_table *table = gaussian_table(50, 1, 3);
  lfm_model *walled = walled_chain(table), *sound = r.teacher;
  ((float *)lfm_params_data(walled->params[0]))[lfm_net_tensor(walled->net, 1)->offset] = -1.0f;
  lfm_params_pack(walled->params[0]);
  r.teacher = walled, r.options.plan = "even", r.options.steps = 1;
  FAILS(LFM_E_NUMERIC, go(&r));
  assert_says("it cannot teach");
  assert_false(lfm_path_exists(r.path));
  r.teacher = sound;
  OK(go(&r));
  lfm_model_destroy(walled);
  lfm_table_destroy(table);
  drop(&r);
}

/* Steps as long as may be trained, joined: what was written can be opened. */
static void students_of_long_steps_are_read_back(void **state) {
  (void)state;
  for (int split = 1; split <= 2; split++) {
    lesson_run r = begin(NULL);
    r.teacher->config->hks[0] = 30.0, r.teacher->config->hks[1] = 49.0;
    r.options.plan = split == 1 ? "(1 2) | 3" : "(1 2 3 4) | (5 6)", r.options.split = split, r.options.budget = 2;
    OK(go(&r));
    lfm_model *fast = load(&r);
    assert_near(fast->config->hks[0], 79.0, 1e-9);
    assert_true(isnan(fast->config->hks[1]));
    lfm_model_destroy(fast);
    drop(&r);
  }
}

/* ---- its bytes ------------------------------------------------------------------------------------------------- */

static void threads_do_not_change_a_byte(void **state) {
  (void)state;
  lesson_run one = begin(NULL), two = begin(NULL);
  one.options.steps = two.options.steps = 2;
  two.options.threads = 2;
  OK(go(&one));
  OK(go(&two));
  assert_true(same_students(&one, &two));
  drop(&one);
  drop(&two);
}

static void stopped_anywhere(const char *plan, const char *method, int steps, const stop_at *stops, int count) {
  lesson_run whole = begin(NULL);
  whole.options.plan = plan, whole.options.method = method, whole.options.steps = steps;
  OK(go(&whole));
  for (int k = 0; k < count; k++) {
    lesson_run r = begin(NULL);
    stop_at stop = stops[k];
    r.options.plan = plan, r.options.method = method, r.options.steps = steps;
    r.options.progress = stops_there, r.options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, go(&r));
    assert_true(stop.stopped);
    r.options.progress = NULL;
    bool began = stop.phase != LFM_PHASE_SAMPLE; /* with the teacher's rows */
    assert_true(began == lfm_path_exists(r.path));
    if (began) FAILS(LFM_E_EXISTS, go(&r)); /* no new one in its place */
    r.options.resume = true;
    OK(go(&r));
    assert_true(same_students(&r, &whole));
    assert_false(r.result.was_finished);
    OK(go(&r)); /* and once more: there is nothing left to do */
    assert_true(r.result.was_finished && r.result.blocks == 2);
    drop(&r);
  }
  drop(&whole);
}

static void stopped_anywhere_it_goes_on_to_the_same_bytes(void **state) {
  (void)state;
  const stop_at asked[] = {{LFM_PHASE_SAMPLE, 2, 0, false}, /* while the teacher draws */
                           {LFM_PHASE_TRAIN, 1, 20, false},
                           {LFM_PHASE_TRAIN, 2, 45, false}},
                chosen[] = {{LFM_PHASE_TRAIN, 0, 10, false}}; /* while a pilot flies */
  stopped_anywhere("1 | (2 3)", "reflow", 0, asked, 3);
  stopped_anywhere("auto", NULL, 2, chosen, 1);
}

/* ---- what it took ---------------------------------------------------------------------------------------------- */

/* How often it is seen that rows are drawn: where lessons are made through parts. */
static bool counts_drawing(const lfm_progress *progress, void *context) {
  *(int *)context += progress->phase == LFM_PHASE_SAMPLE;
  return false;
}

/* In two calls as in one; the lesson of the second student is made through the first. */
static void what_is_finished_is_counted_and_not_made_again(void **state) {
  (void)state;
  static const struct {
    const char *plan;
    int steps, split, stop_in;
  } cases[] = {{"(1 (2 3)) | (4 5 6)", 0, 2, 3}, {"auto", 2, 1, 2}};
  for (int k = 0; k < 2; k++) {
    lesson_run whole = begin(NULL), r = begin(NULL);
    stop_at stop = {LFM_PHASE_TRAIN, cases[k].stop_in, 45, false};
    int drawn = 0;
    whole.options.plan = r.options.plan = cases[k].plan;
    whole.options.steps = r.options.steps = cases[k].steps, whole.options.split = r.options.split = cases[k].split;
    OK(go(&whole));
    double begun = lfm_seconds();
    r.options.progress = stops_there, r.options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, go(&r));
    double stopped = lfm_seconds();
    r.options.progress = counts_drawing, r.options.context = &drawn, r.options.resume = true;
    OK(go(&r));
    double ended = lfm_seconds();
    assert_int_equal(drawn, 0);
    assert_true(same_students(&r, &whole));
    assert_true(r.result.push_flops == whole.result.push_flops && r.result.train_flops == whole.result.train_flops);
    assert_true(r.result.seconds > ended - stopped && r.result.seconds < ended - begun);
    drop(&whole);
    drop(&r);
  }
}

static int64_t bytes_held(const lfm_memory *m) { return m->tables + m->pool + m->model + m->lanes + m->workers; }

/* Students are not all: a pilot, too, has taken time and operations. */
static void a_result_is_of_all_that_was_done(void **state) {
  (void)state;
  static const char *const students[] = {"blocks-1-1", "blocks-1-2", "blocks-2-3", "blocks-3-3"};
  lesson_run r = begin(NULL);
  int drawn = 0, count = 0;
  double flops = 0.0;
  int64_t largest = 0;
  r.options.plan = "auto", r.options.steps = 2;
  r.options.progress = counts_drawing, r.options.context = &drawn; /* a step is a look at the clock, and so a second */
  double begun = lfm_seconds();
  OK(go(&r));
  double passed = lfm_seconds() - begun;
  for (size_t k = 0; k < sizeof students / sizeof *students; k++) {
    lfm_train_result one = {0};
    bool is_there;
    OK(lfm_run_folder_read_result(inside(r.path, students[k]), &one, &is_there));
    count += is_there;
    flops += one.train_flops;
    largest = bytes_held(&one.memory) > largest ? bytes_held(&one.memory) : largest;
  }
  assert_int_equal(count, 2);
  assert_true(r.result.train_flops > flops && flops > 0.0);
  assert_true(bytes_held(&r.result.memory) == largest && largest > 0);
  assert_true(r.result.seconds < passed && r.result.seconds > passed - 10.0);
  drop(&r);
}

/* Of a student that has not begun there is no run to go on with; and nobody has given one that has a limit of time. */
static void take_untrue(lfm_note_level level, const char *text, void *context) {
  (void)level;
  *(int *)context += strstr(text, "no run to go on with") || strstr(text, "time limit");
}

static void resuming_notes_only_what_is_so(void **state) {
  (void)state;
  lesson_run r = begin(NULL);
  stop_at stop = {LFM_PHASE_TRAIN, 1, 45, false};
  int untrue = 0;
  r.options.steps = 2, r.options.progress = stops_there, r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, go(&r));
  r.options.progress = NULL, r.options.resume = true;
  lfm_notes_to(take_untrue, &untrue);
  OK(go(&r));
  lfm_notes_to(NULL, NULL);
  assert_int_equal(untrue, 0);
  drop(&r);
}

/* ---- refusals -------------------------------------------------------------------------------------------------- */

/* A training's, whatever is left of it. */
static void another_run_is_left_alone(void **state) {
  (void)state;
  static const char *const gone[] = {NULL, "result.json", "model.safetensors", "checkpoint/state.safetensors"};
  lesson_run r = begin(NULL);
  run other = small_run(KEYS("max_batch=2"));
  uint8_t *then, *now;
  size_t size, left;
  OK(run_train(&other));
  snprintf(r.path, sizeof r.path, "%s", other.path);
  OK(lfm_file_read(inside(r.path, "config.yaml"), &then, &size));
  r.options.steps = 1, r.options.resume = true;
  for (size_t k = 0; k < sizeof gone / sizeof *gone; k++) {
    if (gone[k]) OK(lfm_file_remove(inside(r.path, gone[k])));
    FAILS(LFM_E_EXISTS, go(&r));
    assert_says("holds a run that is no distillation");
  }
  assert_false(lfm_path_exists(inside(r.path, "blocks-1-3")));
  assert_false(lfm_path_exists(inside(r.path, "checkpoint/states.safetensors")));
  OK(lfm_file_read(inside(r.path, "config.yaml"), &now, &left));
  assert_true(left == size && memcmp(now, then, size) == 0);
  lfm_free(now);
  lfm_free(then);
  run_drop(&other);
  drop(&r);
}

/* And the other way round: a training goes on with no distillation, whatever is left of that. */
static void a_training_leaves_it_alone(void **state) {
  (void)state;
  static const char *const gone[] = {NULL, "result.json", "checkpoint/plan.txt", "checkpoint/states.safetensors"};
  lesson_run r = begin(NULL);
  run other = small_run(KEYS("max_batch=2"));
  r.options.steps = 1, r.options.budget = 2;
  OK(go(&r));
  other.options.run = r.path, other.options.resume = true;
  for (size_t k = 0; k < sizeof gone / sizeof *gone; k++) {
    if (gone[k] && lfm_path_exists(inside(r.path, gone[k]))) remove_inside(&r, gone[k]);
    FAILS(LFM_E_EXISTS, lfm_train(&other.options, &other.result));
    assert_says("holds a distillation");
  }
  assert_false(lfm_path_exists(inside(r.path, "checkpoint/state.safetensors")));
  run_drop(&other);
  drop(&r);
}

/* By its model, where somebody has tidied up. */
static void a_distillation_is_known_without_its_checkpoint(void **state) {
  (void)state;
  lesson_run r = begin(NULL);
  r.options.steps = 1, r.options.budget = 2;
  OK(go(&r));
  remove_inside(&r, "checkpoint");
  r.options.resume = true;
  OK(go(&r));
  assert_true(r.result.was_finished);
  drop(&r);
}

static void what_makes_no_sense_is_refused_before_any_work(void **state) {
  (void)state;
  static const struct {
    lfm_distill_options options;
    const char *key, *says;
  } cases[] = {
      {{0}, NULL, "say how many evaluations"},
      {{.steps = 4}, NULL, "4 asked of 3 blocks; 1 to 3"},
      {{.plan = "1 | 2"}, NULL, "3"},
      {{.plan = "2 | 1 | 3"}, NULL, "block"},
      {{.steps = 2, .plan = "1 | 2 | 3"}, NULL, "has 3 students"},
      {{.steps = 2, .plan = "odd"}, NULL, "'odd' is none"},
      {{.steps = 4, .plan = "auto"}, NULL, "1 to 3"},
      {{.steps = 2, .plan = "auto", .s = NAN}, NULL, "s: nan"},
      {{.steps = 2, .plan = "auto", .s = INFINITY}, NULL, "s: inf"},
      {{.steps = 2, .plan = "auto", .s = -1.0}, NULL, "s: -1"},
      {{.steps = 2, .plan = "even", .s = 0.5}, NULL, "s: it chooses among plans"},
      {{.steps = 2, .method = "magic"}, NULL, "'magic' is none"},
      {{.steps = 2, .pairs = 5}, NULL, "too few"},
      {{.steps = 2, .split = 30}, NULL, "1 to 21"},
      {{.steps = 2, .guidance = 2.0}, NULL, "knows no classes"},
      {{.steps = 2, .budget = 1}, NULL, "fewer than the 2 trainings"},
      {{.steps = 2, .budget = 40}, "max_batch=5", "budget: it says how many steps"},
      {{.steps = 2}, "hidden_dim=8", "hidden_dim: a student has it"},
      {{.steps = 2}, "interp=trig", "interp: a student has it"},
      {{.steps = 2, .method = "meanflow"}, "precision=bf16", "too coarse"},
      {{.steps = 2, .solve = {.solver = "euler"}}, NULL, "nfe"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const lfm_distill_options *asked = &cases[k].options;
    lesson_run r = begin(cases[k].key ? KEYS(cases[k].key) : NULL);
    r.options.steps = asked->steps, r.options.plan = asked->plan, r.options.method = asked->method;
    r.options.solve = asked->solve, r.options.s = asked->s;
    if (asked->pairs) r.options.pairs = asked->pairs;
    if (asked->split) r.options.split = asked->split;
    if (asked->budget) r.options.budget = asked->budget;
    if (asked->guidance > 0.0) r.options.guidance = asked->guidance;
    FAILS(LFM_E_USAGE, go(&r));
    assert_says(cases[k].says);
    assert_false(lfm_path_exists(r.path));
    drop(&r);
  }
}

/* It has no flow, so nothing that needs one. */
static void a_student_has_no_flow(void **state) {
  (void)state;
  lesson_run r = begin(NULL), again = begin(NULL);
  r.options.steps = 2;
  OK(go(&r));
  lfm_model *fast = load(&r);
  lfm_table *table = gaussian_table(20, 2, 3), *out;
  lfm_score_options score;
  lfm_score_result scored;
  lfm_push_options push;
  lfm_sample_options sample;
  lfm_ledger_options ledger;
  lfm_ledger_result nats;
  lfm_score_defaults(&score);
  lfm_push_defaults(&push);
  lfm_sample_defaults(&sample);
  lfm_ledger_defaults(&ledger);
  FAILS(LFM_E_UNSUPPORTED, lfm_score(fast, table, &score, NULL, &scored));
  assert_says("no flow density");
  FAILS(LFM_E_UNSUPPORTED, lfm_ledger(fast, table, &ledger, &nats));
  FAILS(LFM_E_UNSUPPORTED, lfm_push(fast, table, &push, &out, NULL));
  push.back = true, push.to = 2;
  lfm_table *noise = gaussian_table(20, 2, 4);
  OK(lfm_table_rename(noise, 0, "x0"));
  OK(lfm_table_rename(noise, 1, "x1"));
  OK(lfm_push(fast, noise, &push, &out, NULL)); /* to data there is a way */
  lfm_table_destroy(out);
  sample.logp = true;
  FAILS(LFM_E_UNSUPPORTED, lfm_sample(fast, &sample, &out, NULL));
  sample.logp = false, sample.solve.nfe = 4;
  FAILS(LFM_E_USAGE, lfm_sample(fast, &sample, &out, NULL));
  assert_says("2 blocks are one step of euler each");
  lfm_model_destroy(again.teacher);
  again.teacher = fast;
  again.options.steps = 1;
  FAILS(LFM_E_USAGE, go(&again));
  assert_says("single steps already (distilled by the plan 1 | (2 3))");
  lfm_table_destroy(noise);
  lfm_table_destroy(table);
  drop(&again);
  drop(&r);
}

/* One of two students is finished, the second under way. */
static lesson_run stopped_in_the_second(void) {
  lesson_run r = begin(NULL);
  stop_at stop = {LFM_PHASE_TRAIN, 2, 45, false};
  r.options.steps = 2;
  r.options.progress = stops_there, r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, go(&r));
  r.options.progress = NULL, r.options.context = NULL;
  return r;
}

static void a_run_goes_on_as_it_was_begun(void **state) {
  (void)state;
  lesson_run r = stopped_in_the_second();
  FAILS(LFM_E_EXISTS, go(&r)); /* not a new one in its place */
  r.options.resume = true, r.options.plan = "(1 2) | 3";
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("the run was begun with 1 | (2 3), not (1 2) | 3");
  r.options.plan = NULL, r.options.pairs = 500;
  FAILS(LFM_E_DATA, go(&r));
  r.options.pairs = 400;
  set_linear_block(r.teacher, 0, 0.7);
  FAILS(LFM_E_DATA, go(&r));
  assert_says("another teacher");
  set_linear_block(r.teacher, 0, rates[0]);
  lfm_config_destroy(r.config);
  r.config = config_of(KEYS("batch_size=32", "seed=5"), NULL);
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("batch_size: the run was begun with 64, not 32");
  drop(&r);
}

/* Between two students, too, where none is at work. */
static void a_stopped_run_keeps_method_and_keys(void **state) {
  (void)state;
  lesson_run r = stopped_in_the_second();
  r.options.resume = true;
  r.options.method = "meanflow";
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("method: the run was begun with residual, not meanflow");
  r.options.method = "reflow";
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("method: the run was begun with residual, not reflow");
  r.options.method = NULL;
  remove_inside(&r, "blocks-2-3");
  char states[700], away[700];
  snprintf(states, sizeof states, "%s", inside(r.path, "checkpoint/states.safetensors"));
  snprintf(away, sizeof away, "%s", inside(r.path, "checkpoint/away"));
  assert_int_equal(rename(states, away), 0);
  FAILS(LFM_E_DATA, go(&r)); /* nor other rows, which another teacher may have drawn */
  assert_says("states.safetensors: is gone");
  assert_int_equal(rename(away, states), 0);
  give_key(&r, "lr=0.01");
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("lr: the run was begun with 0.02, not 0.01");
  give_key(&r, NULL);
  r.options.budget = 300;
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("max_batch: the run was begun with 120, not 150");
  r.options.budget = 240;
  OK(go(&r));
  drop(&r);
}

/* Killed between result.json and the file without rows, it is finished, and rid of them when it is asked again; but not by
 * another program while it is at work. */
static void killed_at_its_end_it_keeps_no_rows(void **state) {
  (void)state;
  lesson_run r = stopped_in_the_second();
  char states[700];
  uint8_t *bytes;
  size_t size;
  snprintf(states, sizeof states, "%s", inside(r.path, "checkpoint/states.safetensors"));
  OK(lfm_file_read(states, &bytes, &size));
  r.options.resume = true;
  OK(go(&r));
  size_t left = size_of(states);
  lfm_claim claim;
  OK(lfm_file_write(states, bytes, size));
  OK(lfm_run_folder_claim(r.path, true, &claim));
  FAILS(LFM_E_EXISTS, go(&r));
  assert_int_equal(size_of(states), size);
  lfm_run_folder_release(&claim);
  OK(go(&r));
  assert_true(r.result.was_finished && size > 4 * left);
  assert_int_equal(size_of(states), left);
  OK(go(&r));
  lfm_free(bytes);
  drop(&r);
}

static void a_finished_run_is_what_it_was_asked_for(void **state) {
  (void)state;
  lesson_run r = begin(NULL);
  r.options.steps = 2, r.options.plan = "auto";
  OK(go(&r));
  r.options.resume = true;
  OK(go(&r));
  assert_true(r.result.was_finished);
  r.options.pairs = 0; /* however many there were */
  OK(go(&r));
  r.options.pairs = 500;
  FAILS(LFM_E_DATA, go(&r));
  r.options.pairs = 400, r.options.steps = 1;
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("steps: the run was begun with 2, not 1");
  r.options.steps = 2, r.options.method = "meanflow";
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("method: the run was begun with residual, not meanflow");
  r.options.method = NULL, r.options.plan = "(1 2) | 3";
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("not (1 2) | 3");
  r.options.plan = "auto", r.options.budget = 300;
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("max_batch: the run was begun with 120, not 150");
  r.options.budget = 240;
  give_key(&r, "lr=0.01");
  FAILS(LFM_E_USAGE, go(&r));
  give_key(&r, "batch_size=1000"); /* more than there are rows: 360, of which a batch has 64 */
  FAILS(LFM_E_USAGE, go(&r));
  assert_says("batch_size: the run was begun with 64, not 360");
  give_key(&r, NULL);
  set_linear_block(r.teacher, 0, 0.7);
  FAILS(LFM_E_DATA, go(&r));
  assert_says("another teacher");
  remove_inside(&r, "model.safetensors");
  FAILS(LFM_E_DATA, go(&r));
  assert_says("has lost its model.safetensors");
  drop(&r);
}

static void refused_memory_leaves_a_run_to_go_on_with(void **state) {
  (void)state;
  lesson_run whole = begin(NULL);
  whole.options.steps = 1, whole.options.budget = 6, whole.options.pairs = 100;
  lfm_alloc_fail_at(0);
  OK(go(&whole));
  uint64_t requests = lfm_alloc_fail_at(0), every = requests / 40 + 1;
  for (uint64_t at = 1; at <= requests; at += every) {
    lesson_run r = begin(NULL);
    r.options.steps = 1, r.options.budget = 6, r.options.pairs = 100;
    lfm_alloc_fail_at(at);
    FAILS(LFM_E_MEMORY, go(&r));
    lfm_alloc_fail_at(0);
    r.options.resume = true;
    OK(go(&r));
    assert_true(same_students(&r, &whole));
    drop(&r);
  }
  drop(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(students_are_their_teachers_map),
      cmocka_unit_test(pieces_travel),
      cmocka_unit_test(evaluations_of_the_teacher_are_counted),
      cmocka_unit_test(a_student_starts_from_its_noisiest_block),
      cmocka_unit_test(time_is_shared_by_the_trainings_that_are_left),
      cmocka_unit_test(a_resumed_run_has_the_time_that_is_left),
      cmocka_unit_test(a_trial_may_lose_a_row),
      cmocka_unit_test(a_teacher_that_fails_leaves_no_run),
      cmocka_unit_test(a_plan_is_chosen_for_the_steps_of_a_training),
      cmocka_unit_test(a_short_budget_is_merged_evenly),
      cmocka_unit_test(students_of_long_steps_are_read_back),
      cmocka_unit_test(threads_do_not_change_a_byte),
      cmocka_unit_test(stopped_anywhere_it_goes_on_to_the_same_bytes),
      cmocka_unit_test(what_is_finished_is_counted_and_not_made_again),
      cmocka_unit_test(a_result_is_of_all_that_was_done),
      cmocka_unit_test(resuming_notes_only_what_is_so),
      cmocka_unit_test(another_run_is_left_alone),
      cmocka_unit_test(a_training_leaves_it_alone),
      cmocka_unit_test(a_distillation_is_known_without_its_checkpoint),
      cmocka_unit_test(what_makes_no_sense_is_refused_before_any_work),
      cmocka_unit_test(a_student_has_no_flow),
      cmocka_unit_test(a_run_goes_on_as_it_was_begun),
      cmocka_unit_test(a_stopped_run_keeps_method_and_keys),
      cmocka_unit_test(killed_at_its_end_it_keeps_no_rows),
      cmocka_unit_test(a_finished_run_is_what_it_was_asked_for),
      cmocka_unit_test(refused_memory_leaves_a_run_to_go_on_with),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
