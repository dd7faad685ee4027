/* SPDX-License-Identifier: MIT
 *
 * test_picture_classes.c -- a chain of small U-Nets that is shown classes: each class is drawn as it was learnt, guidance
 * pulls away from the field without a class, and threads, dropout and a stop amid the push do not change a byte.
 */
#include "train_support.h"

enum { SIDE = 8, DIM = SIDE * SIDE, CLASSES = 3, ROWS = 96 };
static const double levels[CLASSES] = {60, 128, 200};

/* Grey levels about their class's. */
static lfm_table *class_table(void) {
  lfm_table *table;
  static uint8_t pixels[ROWS * DIM];
  static int32_t labels[ROWS];
  float z[DIM];
  lfm_rng rng = {.seed = 8, .purpose = LFM_FOR_DATA};
  for (int i = 0; i < ROWS; i++) {
    labels[i] = i % CLASSES;
    lfm_rng_normal(&rng, i, z, DIM);
    for (int j = 0; j < DIM; j++) pixels[i * DIM + j] = (uint8_t)lround(levels[labels[i]] + 12.0 * (double)z[j]);
  }
  OK(lfm_table_create_pictures(pixels, ROWS, 1, SIDE, SIDE, labels, &table));
  return table;
}

#define CLASS_KEYS                                                                                                           \
  KEYS("conditional=true", "hks=[0.5, null]", "hidden_dim=32", "unet_dim_mults=[1, 1]", "res_depth=1",                       \
       "attention_resolution=4", "batch_size=16", "max_batch=6", "lr=3e-3", "warmup=0", "seed=5", "valid_every=3",           \
       "checkpoint_every=4", "patience=0", "push_tol=1e-2", "microbatch=4", "lanes=2", "cosine=true")

static run class_run(const char *const *more) { return run_of(class_table(), CLASS_KEYS, more); }

static void threads_dropout_and_stops_do_not_change_the_bytes(void **state) {
  (void)state;
  run first = class_run(KEYS("dropout=0.2")), threads = class_run(KEYS("dropout=0.2")),
      stopped = class_run(KEYS("dropout=0.2"));
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
  run_drop(&plain), run_drop(&stopped), run_drop(&threads), run_drop(&first);
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
  options.label = LFM_EVERY_CLASS;
  OK(lfm_sample(model, &options, &table, NULL));
  for (int i = 0; i < 12; i++) assert_int_equal(lfm_table_labels(table)[i], i % CLASSES);
  lfm_table_destroy(table);
  lfm_model_destroy(model);
  run_drop(&r);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_dropout_and_stops_do_not_change_the_bytes),
      cmocka_unit_test(a_class_is_drawn_as_it_was_learnt),
      cmocka_unit_test(classes_that_are_not_there_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
