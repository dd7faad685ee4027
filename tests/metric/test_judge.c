/* SPDX-License-Identifier: MIT
 *
 * test_judge.c -- a judge that learns three classes of small pictures: how often it is right, the same bytes for any number
 * of threads, what it says of pictures, whose class is whose, what is refused, a wish to stop, memory.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "data/table.h"
#include "metric/judge.h"
#include "support/notes.h"
#include "support/patterns.h"

#define OK(call) assert_int_equal((call), LFM_OK)

static lfm_judge *learnt(const lfm_table *train, const lfm_table *valid, int epochs, uint64_t seed, int threads, bool flip,
                         lfm_judge_result *result) {
  lfm_judge *judge;
  lfm_judge_options options = {
      .train = train, .valid = valid, .epochs = epochs, .seed = seed, .flip = flip, .threads = threads};
  memset(result, 0xA5, sizeof *result);
  OK(lfm_judge_learn(&options, NULL, NULL, &judge, result));
  return judge;
}

static bool same_weights(const lfm_judge *a, const lfm_judge *b) {
  size_t bytes = (size_t)lfm_net_param_count(a->net) * sizeof(float);
  return memcmp(lfm_params_values(a->params), lfm_params_values(b->params), bytes) == 0;
}

/* By a tenth held out, and on others; an interval that holds the share. */
static void learns_easy_classes(void **state) {
  (void)state;
  lfm_table *train = patterns(400, 6, 1, true), *test = patterns(300, 6, 2, true);
  lfm_judge_result result;
  lfm_share right;
  lfm_judge *judge = learnt(train, NULL, 5, 0, 1, false, &result);
  assert_int_equal(result.valid.of, 40);
  assert_int_equal(result.pictures, 360);
  assert_int_equal(result.epochs, 5);
  assert_in_range(result.best_epoch, 1, 5);
  assert_true(result.valid.share > 0.95 && result.loss < 0.3 && result.loss > 0);
  memset(&right, 0xA5, sizeof right);
  OK(lfm_judge_apply(judge, test, 2, NULL, NULL, &right));
  assert_int_equal(right.of, 300);
  assert_true(right.share > 0.95 && right.share == (double)right.count / 300);
  assert_true(right.low < right.share && right.share < right.high + 1e-12 && right.high <= 1);
  assert_int_equal(lfm_judge_classes(judge), 3);
  assert_string_equal(lfm_judge_class(judge, 2), "2");
  assert_null(lfm_judge_class(judge, 3));
  lfm_judge_destroy(judge);
  lfm_table_destroy(test);
  lfm_table_destroy(train);
}

static void bytes_do_not_depend_on_threads(void **state) {
  (void)state;
  lfm_table *train = patterns(150, 6, 1, true), *valid = patterns(70, 6, 2, true), *said[2];
  lfm_judge_result one, other;
  lfm_judge *judge = learnt(train, valid, 2, 7, 1, true, &one);
  for (int threads = 2; threads <= 5; threads += 3) {
    lfm_judge *again = learnt(train, valid, 2, 7, threads, true, &other);
    assert_true(same_weights(judge, again));
    assert_int_equal(other.valid.count, one.valid.count);
    assert_true(other.loss == one.loss);
    lfm_judge_destroy(again);
  }
  for (int i = 0; i < 2; i++) OK(lfm_judge_apply(judge, valid, 1 + 2 * i, &said[i], NULL, NULL));
  assert_memory_equal(said[0]->values, said[1]->values, (size_t)(70 * LFM_JUDGE_WIDTH) * sizeof(double));
  for (int i = 0; i < 2; i++) lfm_table_destroy(said[i]);
  lfm_judge_destroy(judge);
  lfm_table_destroy(valid);
  lfm_table_destroy(train);
}

/* Seed and mirror change what is learnt. */
static void options_matter(void **state) {
  (void)state;
  lfm_table *train = patterns(150, 6, 1, true);
  lfm_judge_result result;
  lfm_judge *plain = learnt(train, NULL, 1, 7, 1, false, &result);
  lfm_judge *mirror = learnt(train, NULL, 1, 7, 1, true, &result), *seed = learnt(train, NULL, 1, 8, 1, false, &result);
  assert_false(same_weights(plain, mirror));
  assert_false(same_weights(plain, seed));
  lfm_judge_destroy(seed);
  lfm_judge_destroy(mirror);
  lfm_judge_destroy(plain);
  lfm_table_destroy(train);
}

/* Features are what the last layer reads, and a picture's do not depend on the others. */
static void says_the_same_of_a_picture_alone(void **state) {
  (void)state;
  lfm_table *train = patterns(130, 6, 1, true), *one, *features, *logits, *alone;
  lfm_judge_result result;
  lfm_judge *judge = learnt(train, NULL, 1, 0, 1, false, &result);
  OK(lfm_judge_apply(judge, train, 2, &features, &logits, NULL));
  assert_int_equal(features->cols, LFM_JUDGE_WIDTH);
  assert_int_equal(logits->cols, 3);
  assert_string_equal(features->names[127], "f127");
  assert_string_equal(logits->names[1], "1");
  const float *w = (const float *)lfm_params_values(judge->params) + lfm_net_param_count(judge->net);
  w -= 3 * (LFM_JUDGE_WIDTH + 1); /* the last layer stands last */
  for (int64_t i = 0; i < train->rows; i += 43) {
    OK(lfm_table_take(train, &i, 1, &one));
    OK(lfm_judge_apply(judge, one, 1, &alone, NULL, NULL));
    assert_memory_equal(alone->values, features->values + i * LFM_JUDGE_WIDTH, LFM_JUDGE_WIDTH * sizeof(double));
    for (int64_t k = 0; k < 3; k++) {
      double sum = (double)w[3 * LFM_JUDGE_WIDTH + k];
      for (int64_t j = 0; j < LFM_JUDGE_WIDTH; j++) sum += (double)w[k * LFM_JUDGE_WIDTH + j] * alone->values[j];
      assert_true(fabs(sum - logits->values[i * 3 + k]) < 1e-4);
    }
    lfm_table_destroy(alone);
    lfm_table_destroy(one);
  }
  lfm_table_destroy(logits);
  lfm_table_destroy(features);
  lfm_judge_destroy(judge);
  lfm_table_destroy(train);
}

/* Names say whose class is whose, whatever their order; where they do not, numbers. */
static void classes_are_found_by_name(void **state) {
  (void)state;
  static const char *const names[] = {"across", "down", "squares"}, *const other[] = {"squares", "across", "down"};
  lfm_table *train = patterns(150, 6, 1, true), *shuffled = patterns(90, 6, 2, true), *numbered = patterns(90, 6, 2, true);
  for (int64_t k = 0; k < 3; k++) {
    OK(lfm_images_name_class(train->images, k, names[k]));
    OK(lfm_images_name_class(shuffled->images, k, other[k]));
  }
  for (int64_t i = 0; i < 90; i++) shuffled->images->labels[i] = (shuffled->images->labels[i] + 1) % 3;
  lfm_judge_result result;
  lfm_judge *judge = learnt(train, shuffled, 1, 0, 1, false, &result);
  int32_t by_name[90], by_number[90];
  OK(lfm_judge_truth(judge, shuffled, by_name));
  OK(lfm_judge_truth(judge, numbered, by_number));
  for (int32_t i = 0; i < 90; i++) assert_true(by_name[i] == i % 3 && by_number[i] == i % 3);
  for (int64_t k = 0; k < 3; k++) OK(lfm_images_name_class(train->images, k, (const char *const[]){"1", "2", "3"}[k]));
  int32_t of[3];
  lfm_images_match_classes(train->images, numbered->images, of); /* the class "0" is none of "1", "2", "3" */
  assert_true(of[0] == -1 && of[1] == 0 && of[2] == 1);
  OK(lfm_images_name_class(shuffled->images, 1, "elsewhere"));
  assert_int_equal(lfm_judge_truth(judge, shuffled, by_name), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "'elsewhere'"));
  lfm_judge_destroy(judge);
  lfm_table_destroy(numbered);
  lfm_table_destroy(shuffled);
  lfm_table_destroy(train);
}

static void cannot_learn(const lfm_table *train, const lfm_table *valid, int epochs, lfm_status status, const char *says) {
  lfm_judge *judge = (lfm_judge *)1;
  lfm_judge_result result;
  lfm_judge_options options = {.train = train, .valid = valid, .epochs = epochs, .threads = 1};
  assert_int_equal(lfm_judge_learn(&options, NULL, NULL, &judge, &result), status);
  assert_null(judge);
  if (!strstr(lfm_error(), says)) fail_msg("'%s' does not say '%s'", lfm_error(), says);
}

/* What nobody knows the right class of has features all the same. */
static void features_need_no_labels(void **state) {
  (void)state;
  lfm_table *train = patterns(30, 6, 1, true), *strange = patterns(30, 6, 2, true), *bare = patterns(30, 6, 2, false),
            *said[2];
  lfm_judge_result result;
  lfm_share right[2];
  lfm_judge *judge = learnt(train, NULL, 1, 0, 1, false, &result);
  memset(right, 0xA5, sizeof right);
  OK(lfm_images_name_class(strange->images, 2, "elsewhere"));
  lfm_notes_to(take_note, NULL);
  OK(lfm_judge_apply(judge, bare, 1, &said[0], NULL, &right[0]));
  assert_int_equal(notes, 0);
  OK(lfm_judge_apply(judge, strange, 1, &said[1], NULL, &right[1]));
  assert_true(notes == 1 && strstr(last_note, "'elsewhere'"));
  lfm_notes_to(NULL, NULL);
  assert_true(right[0].of == 0 && right[1].of == 0);
  assert_memory_equal(said[0]->values, said[1]->values, 30 * LFM_JUDGE_WIDTH * sizeof(double));
  for (int k = 0; k < 2; k++) lfm_table_destroy(said[k]);
  lfm_judge_destroy(judge);
  lfm_table_destroy(bare);
  lfm_table_destroy(strange);
  lfm_table_destroy(train);
}

static void what_is_refused(void **state) {
  (void)state;
  lfm_table *good = patterns(30, 6, 1, true), *bare = patterns(30, 6, 1, false), *one = patterns(1, 6, 1, true);
  lfm_table *large = patterns(30, 8, 1, true), *huge = patterns(2, 129, 1, true), *numbers, *said = (lfm_table *)1;
  OK(lfm_table_create((double[]){1, 2}, 1, 2, NULL, NULL, &numbers));
  cannot_learn(NULL, NULL, 1, LFM_E_USAGE, "missing");
  cannot_learn(good, NULL, -1, LFM_E_USAGE, "epochs");
  cannot_learn(good, NULL, LFM_JUDGE_MOST_EPOCHS + 1, LFM_E_USAGE, "epochs");
  cannot_learn(numbers, NULL, 1, LFM_E_DATA, "pictures are due");
  cannot_learn(good, numbers, 1, LFM_E_DATA, "pictures are due");
  cannot_learn(bare, NULL, 1, LFM_E_DATA, "no labels");
  cannot_learn(good, bare, 1, LFM_E_DATA, "no labels");
  cannot_learn(one, NULL, 1, LFM_E_DATA, "one class");
  cannot_learn(good, large, 1, LFM_E_DATA, "8 x 8");
  cannot_learn(huge, NULL, 1, LFM_E_USAGE, "129 x 129");
  lfm_judge_result result;
  lfm_judge *judge = learnt(good, NULL, 1, 0, 1, false, &result);
  assert_int_equal(lfm_judge_apply(judge, large, 1, &said, NULL, NULL), LFM_E_DATA);
  assert_null(said);
  assert_int_equal(lfm_judge_apply(judge, numbers, 1, NULL, &said, NULL), LFM_E_DATA);
  assert_null(said);
  lfm_judge_destroy(judge);
  lfm_table_destroy(numbers);
  lfm_table_destroy(huge);
  lfm_table_destroy(large);
  lfm_table_destroy(one);
  lfm_table_destroy(bare);
  lfm_table_destroy(good);
}

static bool stop_at(const lfm_judge_progress *progress, void *context) {
  int64_t *stop = context;
  assert_int_equal(progress->total, 4); /* two epochs of two batches */
  assert_true(progress->loss > 0 && (progress->done > 2) == !isnan(progress->valid_loss));
  return progress->done == *stop;
}

static void stops_when_asked(void **state) {
  (void)state;
  lfm_table *train = patterns(150, 6, 1, true), *valid = patterns(30, 6, 2, true);
  lfm_judge_options options = {.train = train, .valid = valid, .epochs = 2, .threads = 1};
  lfm_judge_result result;
  size_t before = lfm_alloc_in_use();
  for (int64_t stop = 1; stop <= 4; stop++) {
    lfm_judge *judge = (lfm_judge *)1;
    assert_int_equal(lfm_judge_learn(&options, stop_at, &stop, &judge, &result), LFM_E_INTERRUPTED);
    assert_null(judge);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_table_destroy(valid);
  lfm_table_destroy(train);
}

static lfm_status all_of_it(const lfm_table *train) {
  lfm_judge *judge;
  lfm_table *said = NULL;
  lfm_judge_result result;
  lfm_share right;
  lfm_judge_options options = {.train = train, .epochs = 1, .threads = 2};
  LFM_TRY(lfm_judge_learn(&options, NULL, NULL, &judge, &result));
  lfm_status status = lfm_judge_apply(judge, train, 2, NULL, &said, &right);
  lfm_table_destroy(said);
  lfm_judge_destroy(judge);
  return status;
}

static void refused_memory_is_reported(void **state) {
  (void)state;
  lfm_table *train = patterns(20, 1, 1, true);
  size_t before = lfm_alloc_in_use();
  uint64_t at = 0;
  lfm_status status = LFM_E_MEMORY;
  while (status != LFM_OK) {
    assert_int_equal(status, LFM_E_MEMORY);
    lfm_alloc_fail_at(++at);
    status = all_of_it(train);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_alloc_fail_at(0);
  assert_true(at > 100);
  lfm_table_destroy(train);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(learns_easy_classes),
      cmocka_unit_test(bytes_do_not_depend_on_threads),
      cmocka_unit_test(options_matter),
      cmocka_unit_test(says_the_same_of_a_picture_alone),
      cmocka_unit_test(classes_are_found_by_name),
      cmocka_unit_test(features_need_no_labels),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(stops_when_asked),
      cmocka_unit_test(refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
