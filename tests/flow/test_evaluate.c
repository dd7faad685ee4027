/* SPDX-License-Identifier: MIT
 *
 * test_evaluate.c -- real pictures reach the floor; a worse generator is farther off, also from another one; labels that lie
 * are found out by the judge and by retraining; copies are found out, and held-out pictures that are none; threads do not
 * change a byte; what is refused; a wish to stop; memory.
 */
#include "flow_support.h"
#include "metric/judge.h"
#include "support/notes.h"
#include "support/patterns.h"

#include <math.h>

enum { SIDE = 6, TRAIN = 420, HELDOUT = 360, ROWS = 240 };

typedef struct world {
  lfm_table *train, *heldout;
  lfm_judge *judge;
} world;

static world w;

static int create_world(void **state) {
  (void)state;
  lfm_judge_options options;
  lfm_judge_result result;
  w = (world){.train = patterns(TRAIN, SIDE, 1, true), .heldout = patterns(HELDOUT, SIDE, 2, true)};
  lfm_judge_defaults(&options);
  options.train = w.train;
  options.epochs = 5;
  return lfm_judge_train(&options, &w.judge, &result);
}

static int destroy_world(void **state) {
  (void)state;
  lfm_judge_destroy(w.judge);
  lfm_table_destroy(w.heldout);
  lfm_table_destroy(w.train);
  return 0;
}

static lfm_eval_options options_of(int threads) {
  lfm_eval_options options;
  lfm_eval_defaults(&options);
  options.judge = w.judge, options.train = w.train, options.heldout = w.heldout;
  options.rows = ROWS, options.manifold_rows = ROWS, options.threads = threads;
  return options;
}

static lfm_eval_result judged_by(lfm_eval_options options, const lfm_eval_set *set) {
  lfm_eval *eval;
  lfm_eval_result result;
  memset(&result, 0xA5, sizeof result);
  OK(lfm_eval_create(&options, &eval));
  OK(lfm_eval_pictures(eval, set, &result));
  lfm_eval_destroy(eval);
  return result;
}

static lfm_eval_result judged(int threads, const lfm_eval_set *set) { return judged_by(options_of(threads), set); }

static bool holds(lfm_estimate e, double value) { return e.low <= value && value <= e.high; }

/* Other pictures of the same law: nothing to find fault with. */
static void real_pictures_reach_the_floor(void **state) {
  (void)state;
  lfm_table *fresh = patterns(ROWS + 60, SIDE, 3, true);
  lfm_share by_class[PATTERNS];
  lfm_eval_result r = judged(2, &(lfm_eval_set){.pictures = fresh, .by_class = by_class});
  assert_true(r.rows == ROWS && r.train_rows == TRAIN && r.heldout_rows == HELDOUT && r.manifold_rows == ROWS);
  assert_true(holds(r.above, 0) && r.above.low < r.above.high);
  assert_near(r.above.value, r.generated.frechet.value - r.floor.frechet.value, 1e-9 * r.generated.fitted);
  assert_true(r.generated.fitted > r.generated.frechet.value); /* what is taken off is the bias */
  assert_true(fabs(r.generated.precision.value - r.floor.precision.value) < 0.1);
  assert_true(fabs(r.generated.recall.value - r.floor.recall.value) < 0.1);
  assert_true(fabs(r.generated.density.value - r.floor.density.value) < 0.25);
  assert_true(fabs(r.generated.coverage.value - r.floor.coverage.value) < 0.1);
  assert_true(holds(r.closer, 0.5) && r.copies == 0 && r.memorised.share < 0.05);
  assert_true(fabs(r.nearest - r.heldout_nearest) < 0.2 * r.heldout_nearest);
  assert_int_equal(r.recognised.of, ROWS);
  assert_true(r.recognised.share > 0.9 && r.heldout_recognised.share > 0.9);
  int64_t rows = 0, right = 0;
  for (int k = 0; k < PATTERNS; k++) rows += by_class[k].of, right += by_class[k].count;
  assert_true(rows == ROWS && right == r.recognised.count);
  assert_true(isnan(r.against.value) && isnan(r.difference.low) && r.retrained.of == 0);
  lfm_table_destroy(fresh);
}

/* Half noise, and asked for as the class after its own. */
static lfm_table *spoilt_pictures(void) {
  lfm_table *spoilt = patterns(ROWS, SIDE, 4, true);
  uint32_t word = 9;
  for (int64_t i = 0; i < ROWS * SIDE * SIDE; i++)
    spoilt->images->pixels[i] = (uint8_t)(spoilt->images->pixels[i] / 2 + pattern_word(&word) % 128);
  for (int64_t i = 0; i < ROWS; i++) spoilt->images->labels[i] = (spoilt->images->labels[i] + 1) % PATTERNS;
  return spoilt;
}

static void a_worse_generator_is_found_out(void **state) {
  (void)state;
  lfm_table *spoilt = spoilt_pictures(), *good = patterns(ROWS, SIDE, 5, false);
  lfm_eval_result r = judged(2, &(lfm_eval_set){.pictures = spoilt, .against = good, .retrain = true});
  assert_true(r.above.low > 0 && r.difference.low > 0);
  assert_near(r.difference.value, r.generated.frechet.value - r.against.value, 1e-9 * r.generated.fitted);
  assert_true(r.difference.high - r.difference.low < r.difference.value);
  assert_true(r.generated.precision.high < r.floor.precision.low);
  assert_true(r.closer.high < 0.5 && r.nearest > r.heldout_nearest);
  assert_true(r.recognised.share < 0.4 && r.retrained.share < 0.4);
  assert_true(r.retrained_floor.share > 0.85 && r.retrained.of == HELDOUT && r.retrained_lost.low > 0.4);
  assert_near(r.retrained_lost.value, r.retrained_floor.share - r.retrained.share, 1e-12);
  lfm_table_destroy(good);
  lfm_table_destroy(spoilt);
}

/* The training set handed out again passes every test but one.  By one thread and by three: to the byte. */
static void copies_are_found_out_by_any_team(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_eval_result r[2];
  char samples[2][2048], nearest[2][2048];
  for (int k = 0; k < 2; k++) {
    snprintf(samples[k], sizeof samples[k], "%s/samples-%d.png", here.path, k);
    snprintf(nearest[k], sizeof nearest[k], "%s/nearest-%d.png", here.path, k);
    r[k] = judged(1 + 2 * k,
                  &(lfm_eval_set){.pictures = w.train, .samples = samples[k], .nearest = nearest[k], .by_class = NULL});
    r[k].seconds = 0;
  }
  assert_true(holds(r[0].above, 0) && r[0].copies == ROWS && r[0].nearest == 0);
  assert_true(r[0].memorised.share == 1 && r[0].closer.value > 0.99);
  assert_memory_equal(&r[0], &r[1], sizeof r[0]);
  assert_true(same_bytes(samples[0], samples[1]) && same_bytes(nearest[0], nearest[1]));
  folder_remove(&here);
}

/* Whoever learnt from mirrored pictures may hand these out; held-out ones are compared with as many. */
static void so_are_copies_in_a_mirror(void **state) {
  (void)state;
  lfm_eval_options options = options_of(2);
  lfm_table *both, *mirrored, *fresh = patterns(ROWS, SIDE, 3, true);
  folder here = folder_create();
  char nearest[2048];
  int64_t index[TRAIN];
  snprintf(nearest, sizeof nearest, "%s/nearest.png", here.path);
  for (int64_t i = 0; i < TRAIN; i++) index[i] = TRAIN + i;
  OK(lfm_table_add_mirror(w.train->images, &both));
  OK(lfm_table_take(both, index, TRAIN, &mirrored));
  assert_int_equal(judged_by(options, &(lfm_eval_set){.pictures = mirrored}).copies, 0);
  options.mirrored = true;
  lfm_eval_result r = judged_by(options, &(lfm_eval_set){.pictures = mirrored, .nearest = nearest});
  assert_true(r.copies == ROWS && r.memorised.share == 1 && r.train_rows == TRAIN);
  r = judged_by(options, &(lfm_eval_set){.pictures = fresh});
  assert_true(r.copies == 0 && holds(r.closer, 0.5));
  lfm_table_destroy(fresh);
  lfm_table_destroy(mirrored);
  lfm_table_destroy(both);
  folder_remove(&here);
}

/* Who is shown training pictures as held-out ones is told: beside these, copies look like what is due. */
static void held_out_pictures_that_were_learnt_from_are_counted(void **state) {
  (void)state;
  lfm_eval_options options = options_of(1);
  lfm_table *heldout = patterns(HELDOUT, SIDE, 2, true);
  lfm_eval *eval;
  lfm_notes_to(take_note, NULL);
  for (int learnt = 0; learnt <= 7; learnt += 7) {
    memcpy(heldout->images->pixels, w.train->images->pixels, (size_t)(learnt * SIDE * SIDE));
    options.heldout = heldout;
    OK(lfm_eval_create(&options, &eval));
    lfm_eval_destroy(eval);
    assert_int_equal(strstr(last_note, "7 of the 360 held-out pictures are training pictures") != NULL, learnt != 0);
  }
  assert_int_equal(last_level, LFM_WARNING);
  lfm_notes_to(NULL, NULL);
  lfm_table_destroy(heldout);
}

static void cannot_begin(lfm_eval_options options, lfm_status status, const char *says) {
  lfm_eval *eval = (lfm_eval *)1;
  FAILS(status, lfm_eval_create(&options, &eval));
  assert_null(eval);
  assert_says(says);
}

static void what_is_refused(void **state) {
  (void)state;
  lfm_table *few = patterns(39, SIDE, 3, true), *bare = patterns(ROWS, SIDE, 3, false), *large = patterns(ROWS, 8, 3, true);
  lfm_table *numbers = gaussian_table(ROWS, 3, 1);
  lfm_eval_options options = options_of(1), other;
  other = options, other.judge = NULL, cannot_begin(other, LFM_E_USAGE, "lfm_judge_train");
  other = options, other.train = NULL, cannot_begin(other, LFM_E_USAGE, "training pictures: none");
  other = options, other.heldout = NULL, cannot_begin(other, LFM_E_USAGE, "held-out pictures: none");
  other = options, other.rows = 39, cannot_begin(other, LFM_E_USAGE, "rows: 39 pictures asked; 40 or more are due");
  other = options, other.rows = TRAIN + 1, cannot_begin(other, LFM_E_DATA, "training pictures: there are 420; 421");
  other = options, other.manifold_rows = 39, cannot_begin(other, LFM_E_USAGE, "39");
  other = options, other.manifold_rows = ROWS + 1, cannot_begin(other, LFM_E_USAGE, "241");
  other = options, other.rows = 0, other.manifold_rows = HELDOUT + 1, cannot_begin(other, LFM_E_USAGE, "40 to 360");
  other = options, other.heldout = few, cannot_begin(other, LFM_E_DATA, "held-out pictures: there are 39");
  other = options, other.train = large, cannot_begin(other, LFM_E_DATA, "8 x 8");
  other = options, other.heldout = numbers, cannot_begin(other, LFM_E_DATA, "pictures are due");
  lfm_eval *eval;
  lfm_eval_result result;
  OK(lfm_eval_create(&options, &eval));
  const struct {
    lfm_eval_set set;
    lfm_status status;
    const char *says;
  } cases[] = {
      {{.pictures = NULL}, LFM_E_USAGE, "generated pictures: none"},
      {{.pictures = few}, LFM_E_DATA, "generated pictures: there are 39; 240"},
      {{.pictures = large}, LFM_E_DATA, "8 x 8"},
      {{.pictures = bare, .against = few}, LFM_E_DATA, "pictures to compare with: there are 39"},
      {{.pictures = bare, .retrain = true}, LFM_E_DATA, "generated pictures have no labels"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    FAILS(cases[k].status, lfm_eval_pictures(eval, &cases[k].set, &result));
    assert_says(cases[k].says);
    if (!cases[k].set.pictures) continue;
    FAILS(cases[k].status, lfm_eval_check(&options, &cases[k].set));
    assert_says(cases[k].says);
  }
  OK(lfm_eval_check(&options, &(lfm_eval_set){.against = bare, .retrain = true})); /* the set is yet to be drawn */
  lfm_table *renamed = patterns(ROWS, SIDE, 3, true);                              /* before a judge learns anything */
  OK(lfm_images_name_class(renamed->images, 1, "elsewhere"));
  other = options, other.heldout = renamed;
  cannot_begin(other, LFM_E_DATA, "held-out pictures: judge: picture 2 is of class 'elsewhere', which is none of the");
  OK(lfm_images_name_class(w.judge->picture, 1, "elsewhere")); /* which it knows now, and the others do not */
  FAILS(LFM_E_DATA, lfm_eval_check(&other, &(lfm_eval_set){.retrain = true}));
  assert_says("held-out picture 2 is of class 'elsewhere', which is none of the training pictures'");
  lfm_table *set = patterns(ROWS, SIDE, 3, true);
  other.train = renamed, other.rows = 0;
  FAILS(LFM_E_DATA, lfm_eval_check(&other, &(lfm_eval_set){.pictures = set, .retrain = true}));
  assert_says("held-out picture 2 is of class 'elsewhere', which is none of the generated pictures'");
  OK(lfm_images_name_class(w.judge->picture, 1, "1"));
  lfm_table_destroy(set);
  lfm_table_destroy(renamed);
  OK(lfm_images_name_class(w.train->images, 1, "elsewhere"));
  FAILS(LFM_E_DATA, lfm_eval_pictures(eval, &(lfm_eval_set){.pictures = w.train}, &result));
  assert_says("'elsewhere'");
  OK(lfm_images_name_class(w.train->images, 1, "1"));
  lfm_eval_destroy(eval);
  lfm_table_destroy(numbers);
  lfm_table_destroy(large);
  lfm_table_destroy(bare);
  lfm_table_destroy(few);
}

typedef struct listener {
  int64_t parts; /* stops after so many */
  int64_t last, total;
} listener;

static bool listen(const lfm_progress *now, void *context) {
  listener *l = context;
  assert_int_equal(now->phase, LFM_PHASE_COMPARE);
  assert_true(now->done >= 0 && now->done <= now->total);
  l->last = now->done, l->total = now->total;
  return now->done == l->parts;
}

static void stops_when_asked(void **state) {
  (void)state;
  lfm_eval *eval;
  for (int64_t parts = 0; parts <= 4; parts++) {
    listener l = {.parts = parts};
    lfm_eval_options options = options_of(1);
    options.progress = listen, options.context = &l;
    FAILS(LFM_E_INTERRUPTED, lfm_eval_create(&options, &eval));
    assert_null(eval);
    assert_true(l.last == parts && l.total == 4);
  }
  listener l = {.parts = -1};
  lfm_eval_options options = options_of(1);
  options.progress = listen, options.context = &l;
  OK(lfm_eval_create(&options, &eval));
  l.parts = 1;
  FAILS(LFM_E_INTERRUPTED, lfm_eval_pictures(eval, &(lfm_eval_set){.pictures = w.heldout}, NULL)); /* whose result may be */
  l.parts = 4; /* the last one is another set's */
  FAILS(LFM_E_INTERRUPTED, lfm_eval_pictures(eval, &(lfm_eval_set){.pictures = w.heldout, .against = w.train}, NULL));
  assert_true(l.last == 4 && l.total == 4);
  lfm_eval_destroy(eval);
}

/* Of the fewest pictures; a set of them, or none. */
static lfm_status begin_and_judge(const lfm_table *few, const lfm_table *set) {
  lfm_eval_options options = {.judge = w.judge, .train = few, .heldout = few, .mirrored = true, .threads = 2};
  lfm_eval_result result;
  lfm_eval *eval;
  LFM_TRY(lfm_eval_create(&options, &eval));
  lfm_status status = set ? lfm_eval_pictures(eval, &(lfm_eval_set){.pictures = set, .against = set}, &result) : LFM_OK;
  lfm_eval_destroy(eval);
  return status;
}

/* Of the real side every request in turn; of a set, where sums are long, some. */
static void refused_memory_is_reported(void **state) {
  (void)state;
  lfm_table *few = patterns(40, SIDE, 6, true);
  size_t before = lfm_alloc_in_use();
  uint64_t at = 1;
  for (int judges = 0; judges < 2; judges++)
    for (lfm_status status = LFM_E_MEMORY; status != LFM_OK; at += judges ? 17 : 1) {
      lfm_alloc_fail_at(at);
      status = begin_and_judge(few, judges ? few : NULL);
      lfm_alloc_fail_at(0);
      assert_true(status == LFM_OK || status == LFM_E_MEMORY);
      assert_int_equal(lfm_alloc_in_use(), before);
    }
  assert_true(at > 100);
  lfm_table_destroy(few);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(real_pictures_reach_the_floor),
      cmocka_unit_test(a_worse_generator_is_found_out),
      cmocka_unit_test(copies_are_found_out_by_any_team),
      cmocka_unit_test(so_are_copies_in_a_mirror),
      cmocka_unit_test(held_out_pictures_that_were_learnt_from_are_counted),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(stops_when_asked),
      cmocka_unit_test(refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, create_world, destroy_world);
}
