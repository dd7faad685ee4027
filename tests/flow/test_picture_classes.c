/* SPDX-License-Identifier: MIT
 *
 * test_picture_classes.c -- a chain of small U-Nets that is shown classes: each class is drawn as it was learnt, guidance
 * pulls away from the field without a class, classes go by their names, and threads, dropout and a stop amid the push do not
 * change a byte.
 */
#include "support/patterns.h"
#include "train_support.h"

enum { SIDE = 8, DIM = SIDE * SIDE, CLASSES = 3, ROWS = 96 };
static const double levels[CLASSES] = {60, 128, 200};

/* Grey levels about their class's. */
static double of_its_class(int64_t picture, int64_t pixel) {
  (void)pixel;
  return levels[picture % CLASSES];
}
static lfm_table *class_table(void) {
  int32_t labels[ROWS];
  for (int i = 0; i < ROWS; i++) labels[i] = i % CLASSES;
  return grey_pictures(ROWS, SIDE, of_its_class, 12.0, labels);
}

#define CLASS_KEYS                                                                                                           \
  KEYS("conditional=true", "hks=[0.5, null]", "hidden_dim=32", "unet_dim_mults=[1, 1]", "res_depth=1",                       \
       "attention_resolution=4", "batch_size=16", "max_batch=6", "lr=3e-3", "warmup=0", "seed=5", "valid_every=3",           \
       "checkpoint_every=4", "patience=0", "push_tol=1e-2", "microbatch=4", "lanes=2", "cosine=true")

static run class_run(const char *const *more) { return run_of(class_table(), CLASS_KEYS, more); }

static void check_bytes(const char *const *keys) {
  run first = class_run(keys), threads = class_run(keys), stopped = class_run(keys);
  OK(run_train(&first));
  threads.options.threads = 2;
  OK(run_train(&threads));
  assert_true(same_model(&threads, &first));
  stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 2, .done = 5};
  stopped.options.progress = stops_there, stopped.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
  stopped.options.progress = NULL, stopped.options.resume = true;
  OK(run_train(&stopped));
  assert_true(same_model(&stopped, &first));
  run plain = class_run(NULL);
  OK(run_train(&plain));
  assert_false(same_model(&plain, &first));
  assert_true(fabs(first.result.loss - plain.result.loss) < 0.2 * plain.result.loss); /* and yet they learn the same */
  run_drop(&plain), run_drop(&stopped), run_drop(&threads), run_drop(&first);
}

static void threads_dropout_and_stops_do_not_change_the_bytes(void **state) {
  (void)state;
  check_bytes(KEYS("dropout=0.2"));
}

static void nor_in_bf16(void **state) {
  const lfm_kernels *kernels;
  (void)state;
  if (lfm_kernels_bf16(&kernels) != LFM_OK || kernels != lfm_kernels_bf16_pairs()) skip();
  check_bytes(KEYS("precision=bf16", "pool_precision=fp16"));
}

static double mean_grey(const lfm_model *model, const lfm_sample_options *options) {
  lfm_table *drawn;
  OK(lfm_sample(model, options, &drawn, NULL));
  double sum = 0;
  for (int64_t k = 0; k < drawn->rows * DIM; k++) sum += lfm_table_pixels(drawn)[k];
  sum /= (double)(drawn->rows * DIM);
  for (int64_t i = 0; options->label >= 0 && i < drawn->rows; i++)
    assert_int_equal(lfm_table_labels(drawn)[i], options->label);
  lfm_table_destroy(drawn);
  return sum;
}

static void a_class_is_drawn_as_it_was_learnt(void **state) {
  (void)state;
  run r = class_run(KEYS("hks=[null]", "max_batch=120", "class_drop=0.2"));
  lfm_model *model;
  r.options.threads = 2;
  OK(run_train(&r));
  OK(lfm_model_load(r.path, &model));
  assert_true(lfm_model_classes(model) == CLASSES);
  assert_string_equal(lfm_model_class(model, 1), "1");
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.rows = 12, options.solve = (lfm_solver_options){.solver = "heun", .nfe = 16};
  double grey[CLASSES], none;
  for (options.label = 0; options.label < CLASSES; options.label++) {
    grey[options.label] = mean_grey(model, &options);
    assert_true(fabs(grey[options.label] - levels[options.label]) < 20.0);
  }
  options.label = LFM_NO_CLASS;
  none = mean_grey(model, &options);
  options.label = 0, options.guidance = 0.0; /* the field without a class, whatever the class */
  assert_near(mean_grey(model, &options), none, 1e-9);
  options.guidance = 2.0;
  assert_true(mean_grey(model, &options) < grey[0] + 2.0); /* further from the others, who are brighter */
  options.label = CLASSES, options.guidance = 1.0;
  lfm_table *table;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &table, NULL));
  assert_says("the model knows 0 to");
  options.label = LFM_EVERY_CLASS - 1;
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  static const double bad[] = {NAN, INFINITY, -1.0, 101.0};
  options.label = 0;
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    options.guidance = bad[k];
    FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
    assert_says("guidance");
  }
  options.label = LFM_EVERY_CLASS, options.guidance = 1.0;
  OK(lfm_sample(model, &options, &table, NULL));
  for (int i = 0; i < 12; i++) assert_int_equal(lfm_table_labels(table)[i], i % CLASSES);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
  run_drop(&r);
}

static char heard[400];
static void hear(lfm_note_level level, const char *text, void *context) {
  (void)context;
  if (level == LFM_WARNING && strncmp(text, "conditional", 11) == 0) snprintf(heard, sizeof heard, "%s", text);
}

/* Numbered labels may leave one out. */
static void a_class_without_pictures_is_said(void **state) {
  (void)state;
  int32_t labels[ROWS];
  for (int i = 0; i < ROWS; i++) labels[i] = i % 2 * 2;
  run r = class_run(KEYS("hks=[null]", "max_batch=1"));
  lfm_table *table = grey_pictures(ROWS, SIDE, of_its_class, 12.0, labels);
  r.options.train = table;
  lfm_notes_to(hear, NULL);
  OK(run_train(&r));
  lfm_notes_to(NULL, NULL);
  assert_non_null(strstr(heard, "1 of the 3 classes, '1' for one, have no training picture"));
  lfm_table_destroy(table);
  run_drop(&r);
}

/* Who has never seen a picture without its class says nothing of one. */
static void without_a_class_nothing_is_made_up(void **state) {
  (void)state;
  run r = class_run(KEYS("hks=[null]", "max_batch=2", "class_drop=0", "dequantise=uniform"));
  lfm_model *model;
  lfm_table *table;
  OK(run_train(&r));
  assert_true(isnan(r.result.valid_nll));
  OK(lfm_model_load(r.path, &model));
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.rows = 3, options.solve.nfe = 2;
  OK(lfm_sample(model, &options, &table, NULL));
  lfm_table_destroy(table);
  options.guidance = 2.0;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &table, NULL));
  options.guidance = 1.0, options.label = LFM_NO_CLASS;
  FAILS(LFM_E_USAGE, lfm_sample(model, &options, &table, NULL));
  assert_says("class_drop=0");
  lfm_score_options score;
  lfm_score_result result;
  lfm_score_defaults(&score);
  FAILS(LFM_E_USAGE, lfm_score(model, r.table, &score, NULL, &result));
  assert_says("class_drop=0");
  lfm_push_options push;
  lfm_push_defaults(&push);
  FAILS(LFM_E_USAGE, lfm_push(model, r.table, &push, &table, NULL));
  assert_says("class_drop=0");
  lfm_model_destroy(model);
  run_drop(&r);
}

/* What guidance costs, and what is refused before anything is drawn. */
static void draws_are_checked_and_counted(void **state) {
  (void)state;
  run r = class_run(KEYS("max_batch=2"));
  lfm_model *model;
  lfm_table *drawn;
  lfm_sample_result plain, guided;
  lfm_sample_options options;
  OK(run_train(&r));
  OK(lfm_model_load(r.path, &model));
  lfm_sample_defaults(&options);
  options.rows = 2, options.solve.nfe = 4;
  OK(lfm_sample(model, &options, &drawn, &plain));
  lfm_table_destroy(drawn);
  options.guidance = 2.0;
  OK(lfm_sample(model, &options, &drawn, &guided));
  lfm_table_destroy(drawn);
  assert_near(plain.flops, 4.0 * lfm_net_forward_flops(model->net), 1e-9 * plain.flops);
  assert_true(guided.nfe_mean == 4.0 && guided.flops == 2.0 * plain.flops);
  OK(lfm_sample_check(model, &options));
  options.solve.nfe = 1; /* below the number of blocks */
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  assert_says("2 blocks");
  options.solve.nfe = 4, options.label = CLASSES;
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  options.label = LFM_NO_CLASS, options.guidance = 2.0; /* which would lead nowhere */
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  assert_says("guidance");
  options.guidance = 1.0;
  OK(lfm_sample_check(model, &options));
  options.label = 0, options.rows = 0;
  FAILS(LFM_E_USAGE, lfm_sample_check(model, &options));
  int label = -7;
  OK(lfm_model_find_class(model, "2", &label));
  assert_int_equal(label, 2);
  OK(lfm_model_find_class(model, "none", &label));
  assert_int_equal(label, LFM_NO_CLASS);
  static const char *const unknown[] = {"shirt", "-1", "3", "1x", "", "99999999999999999999"};
  for (size_t k = 0; k < sizeof unknown / sizeof *unknown; k++) {
    FAILS(LFM_E_USAGE, lfm_model_find_class(model, unknown[k], &label));
    assert_says(unknown[k]);
    assert_says("it knows 0, 1, 2");
  }
  lfm_model_destroy(model);
  run_drop(&r);
}

static lfm_judge *judge_of(const lfm_table *pictures) {
  lfm_judge *judge;
  lfm_judge_result result;
  lfm_judge_options options = {.train = pictures, .epochs = 1};
  OK(lfm_judge_train(&options, &judge, &result));
  return judge;
}

static void a_judge_fits_or_not(void **state) {
  (void)state;
  run r = class_run(KEYS("max_batch=1"));
  lfm_model *model, *numbers;
  lfm_table *named = class_table(), *larger = patterns(30, SIDE + 1, 1, true), *columns = gaussian_table(50, 3, 1);
  OK(run_train(&r));
  OK(lfm_model_load(r.path, &model));
  lfm_judge *judge = judge_of(named), *of_larger = judge_of(larger);
  OK(lfm_judge_fits(judge, model));
  FAILS(LFM_E_DATA, lfm_judge_fits(of_larger, model));
  assert_says("9 x 9");
  lfm_judge_destroy(judge);
  for (int k = 0; k < CLASSES; k++) OK(lfm_images_name_class(named->images, k, k == 2 ? "bright" : k ? "grey" : "dark"));
  judge = judge_of(named);
  OK(lfm_judge_fits(judge, model)); /* a class that is called by its number is the one of that number */
  OK(lfm_images_name_class(model->picture, 1, "green"));
  FAILS(LFM_E_DATA, lfm_judge_fits(judge, model));
  assert_says("'green'");
  numbers = random_chain(columns, NULL, 1.0);
  FAILS(LFM_E_DATA, lfm_judge_fits(judge, numbers));
  assert_says("the model draws no pictures");
  lfm_model_destroy(numbers);
  lfm_judge_destroy(of_larger);
  lfm_judge_destroy(judge);
  lfm_model_destroy(model);
  lfm_table_destroy(columns);
  lfm_table_destroy(larger);
  lfm_table_destroy(named);
  run_drop(&r);
}

/* Pictures of the same bytes whose class is called otherwise are others. */
static void a_resume_wants_the_same_names(void **state) {
  (void)state;
  run stopped = class_run(NULL);
  stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 1, .done = 3};
  stopped.options.progress = stops_there, stopped.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
  stopped.options.progress = NULL, stopped.options.resume = true;
  OK(lfm_images_name_class(stopped.table->images, 1, "another"));
  FAILS(LFM_E_DATA, run_train(&stopped));
  OK(lfm_images_name_class(stopped.table->images, 1, "1"));
  OK(run_train(&stopped));
  run_drop(&stopped);
}

static void classes_that_are_not_there_are_refused(void **state) {
  (void)state;
  uint8_t pixels[20 * DIM] = {0};
  lfm_table *unlabelled;
  OK(lfm_table_create_pictures(pixels, 20, 1, SIDE, SIDE, NULL, &unlabelled));
  run r = run_of(unlabelled, CLASS_KEYS, NULL);
  FAILS(LFM_E_DATA, run_train(&r));
  assert_says("no classes");
  run_drop(&r);
  /* nor by resuming a run that shows them */
  run stopped = class_run(NULL);
  stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 1, .done = 3};
  stopped.options.progress = stops_there, stopped.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
  OK(lfm_table_create_pictures(pixels, 20, 1, SIDE, SIDE, NULL, &unlabelled));
  stopped.options.progress = NULL, stopped.options.resume = true, stopped.options.train = unlabelled;
  lfm_config_destroy(stopped.config);
  stopped.config = NULL;
  FAILS(LFM_E_DATA, run_train(&stopped));
  assert_says("no classes");
  lfm_table_destroy(unlabelled);
  run_drop(&stopped);
  run numbers = run_of(gaussian_table(50, 4, 1), KEYS("network=unet"), NULL);
  FAILS(LFM_E_USAGE, run_train(&numbers));
  assert_says("unet is for pictures");
  run_drop(&numbers);
}

static void name_classes(lfm_table *table, const char *const *names) {
  for (int64_t k = 0; k < lfm_table_classes(table); k++) OK(lfm_images_name_class(table->images, k, names[k]));
}

/* Folders number what lies in them: without the first of them, the others' pictures have other numbers. */
static void classes_of_validation_data_go_by_name(void **state) {
  (void)state;
  static const char *const names[] = {"bright", "dark", "grey", "none such"};
  int64_t index[ROWS], rows = 0;
  int32_t fewer[ROWS];
  lfm_table *valid, *renumbered;
  run r = class_run(KEYS("max_batch=4")), other = class_run(KEYS("max_batch=4"));
  name_classes(r.table, names), name_classes(other.table, names);
  for (int i = 0; i < ROWS; i++)
    if (i % CLASSES > 0) fewer[rows] = i % CLASSES - 1, index[rows++] = i;
  OK(lfm_table_take(r.table, index, rows, &valid));
  OK(lfm_table_create_pictures(lfm_table_pixels(valid), rows, 1, SIDE, SIDE, fewer, &renumbered));
  name_classes(renumbered, names + 1);
  r.options.valid = valid, other.options.valid = renumbered;
  OK(run_train(&r));
  OK(run_train(&other));
  assert_true(same_metrics(&r, &other));
  name_classes(renumbered, names + 2);
  snprintf(other.path, sizeof other.path, "%s/again", other.root.path);
  FAILS(LFM_E_DATA, run_train(&other));
  assert_says("'none such'");
  lfm_table_destroy(renumbered);
  lfm_table_destroy(valid);
  run_drop(&other), run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_dropout_and_stops_do_not_change_the_bytes),
      cmocka_unit_test(nor_in_bf16),
      cmocka_unit_test(a_class_is_drawn_as_it_was_learnt),
      cmocka_unit_test(a_class_without_pictures_is_said),
      cmocka_unit_test(without_a_class_nothing_is_made_up),
      cmocka_unit_test(draws_are_checked_and_counted),
      cmocka_unit_test(a_judge_fits_or_not),
      cmocka_unit_test(a_resume_wants_the_same_names),
      cmocka_unit_test(classes_that_are_not_there_are_refused),
      cmocka_unit_test(classes_of_validation_data_go_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
