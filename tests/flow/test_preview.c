/* SPDX-License-Identifier: MIT
 *
 * test_preview.c -- training that shows itself: the model has the same bytes whether it does or not, the last grid is what
 * sampling draws, that of an unfinished chain comes from held-out pictures, the strip leads to the noise and back.
 */
#include "train_support.h"

#include "data/decode.h"
#include "flow/trainer.h"

enum { SIDE = 4, DIM = SIDE * SIDE, HELD_OUT = 128, GRID = 64, LINES = 6 };

/* Grey levels about a dark or a bright one, two pictures each in turn. */
static const double levels[2] = {60, 200};
static double dark_or_bright(int64_t picture, int64_t pixel) {
  (void)pixel;
  return levels[picture / 2 % 2];
}
static lfm_table *two_greys(int64_t rows) { return grey_pictures(rows, SIDE, dark_or_bright, 8.0, NULL); }

#define PREVIEW_KEYS                                                                                                         \
  KEYS("network=mlp", "hks=[0.1, null]", "hidden_dim=32", "num_hidden=2", "batch_size=64", "max_batch=20", "lr=5e-3",        \
       "checkpoint_every=1000", "valid_every=6", "patience=0", "seed=5", "lanes=2", "microbatch=16", "push_tol=1e-2")

static run shown_run(int64_t every, const char *const *more) {
  run r = run_of(two_greys(400), PREVIEW_KEYS, more);
  r.options.preview_every = every;
  return r;
}

/* The grey levels of picture `at` of a sheet with `columns` on a line. */
static void look(const char *path, int64_t columns, int64_t at, uint8_t out[DIM]) {
  enum { SCALE = 64 / SIDE, STEP = SCALE * SIDE + 2 };
  uint8_t *bytes;
  size_t size;
  lfm_decoded sheet;
  OK(lfm_file_read(path, &bytes, &size));
  OK(lfm_decode(path, bytes, size, &sheet));
  assert_true(sheet.channels == 1 && sheet.width == columns * STEP + 2);
  for (int j = 0; j < DIM; j++) {
    int64_t y = 2 + at / columns * STEP + j / SIDE * SCALE, x = 2 + at % columns * STEP + j % SIDE * SCALE;
    assert_true(y < sheet.height);
    out[j] = sheet.pixels[y * sheet.width + x];
  }
  lfm_decoded_free(&sheet);
  lfm_free(bytes);
}

static double mean_of(const uint8_t pixels[DIM]) {
  double sum = 0;
  for (int j = 0; j < DIM; j++) sum += pixels[j];
  return sum / DIM;
}

static void looking_changes_no_byte(void **state) {
  (void)state;
  run blind = shown_run(0, KEYS("ema_decay=0.9")), shown = shown_run(7, KEYS("ema_decay=0.9")),
      threads = shown_run(7, KEYS("ema_decay=0.9")), often = shown_run(LFM_PREVIEW_AUTO, KEYS("ema_decay=0.9"));
  threads.options.threads = 3;
  OK(run_train(&blind));
  OK(run_train(&shown));
  OK(run_train(&threads));
  OK(run_train(&often));
  assert_true(same_model(&shown, &blind) && same_model(&threads, &blind) && same_model(&often, &blind));
  assert_true(same_metrics(&shown, &blind));
  assert_false(lfm_path_exists(file_of(&blind, "preview.png")) || lfm_path_exists(file_of(&blind, "strip.png")));
  assert_true(same_bytes(file_of(&shown, "preview.png"), file_of(&threads, "preview.png")));
  assert_true(same_bytes(file_of(&shown, "strip.png"), file_of(&threads, "strip.png")));
  assert_true(same_bytes(file_of(&shown, "preview.png"), file_of(&often, "preview.png")));
  run_drop(&often), run_drop(&threads), run_drop(&shown), run_drop(&blind);
}

static void the_last_grid_is_what_sampling_draws(void **state) {
  (void)state;
  run r = shown_run(9, KEYS("ema_decay=0.9", "patience=12")); /* the best weights, not the last */
  lfm_model *model;
  lfm_table *drawn;
  OK(run_train(&r));
  OK(lfm_model_load(r.path, &model));
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.rows = GRID, options.seed = 5, options.solve.nfe = 2 * 16;
  OK(lfm_sample(model, &options, &drawn, NULL));
  OK(lfm_draw_pictures(file_of(&r, "drawn.png"), drawn));
  assert_true(same_bytes(file_of(&r, "drawn.png"), file_of(&r, "preview.png")));
  lfm_table_destroy(drawn);
  lfm_model_destroy(model);
  run_drop(&r);
}

/* Behind the first small step a picture is still what it was: drawn anew it has its brightness. */
static void an_unfinished_chain_begins_from_held_out_pictures(void **state) {
  (void)state;
  static const char *const pools[] = {"pool=pushed", "pool=ou"};
  for (size_t k = 0; k < 2; k++) {
    run r = shown_run(8, KEYS(pools[k], "hks=[0.05, 0.05, null]"));
    lfm_table *held_out = two_greys(HELD_OUT);
    r.options.valid = held_out;
    stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 3, .done = 1};
    r.options.progress = stops_there, r.options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, run_train(&r));
    for (int64_t i = 0; i < GRID; i++) { /* every second of those held out: dark and bright in turn */
      uint8_t pixels[DIM];
      look(file_of(&r, "preview.png"), 8, i, pixels);
      assert_true(fabs(mean_of(pixels) - levels[i % 2]) < 50.0);
    }
    lfm_table_destroy(held_out);
    run_drop(&r);
  }
}

static void the_strip_leads_to_the_noise_and_back(void **state) {
  (void)state;
  run r = shown_run(LFM_PREVIEW_AUTO, KEYS("max_batch=150", "cosine=true"));
  lfm_table *held_out = two_greys(HELD_OUT);
  r.options.valid = held_out;
  OK(run_train(&r));
  double spread = 0;
  for (int64_t line = 0; line < LINES; line++) { /* data, a border, noise, the border, data */
    const uint8_t *picture = lfm_table_pixels(held_out) + line * HELD_OUT / LINES * DIM;
    uint8_t first[DIM], down[DIM], noise[DIM], up[DIM], last[DIM];
    uint8_t *const columns[5] = {first, down, noise, up, last};
    for (int64_t k = 0; k < 5; k++) look(file_of(&r, "strip.png"), 5, line * 5 + k, columns[k]);
    assert_memory_equal(first, picture, DIM);
    for (int j = 0; j < DIM; j++) {
      assert_true(abs(first[j] - last[j]) <= 6 && abs(down[j] - up[j]) <= 6);
      spread += pow((double)noise[j] - mean_of(noise), 2) / (LINES * DIM);
    }
  }
  assert_true(sqrt(spread) > 24.0); /* the pictures have 8; N(0, I) cut at black and white, 87 */
  lfm_table_destroy(held_out);
  run_drop(&r);
}

static void a_stop_ends_in_the_same_pictures(void **state) {
  (void)state;
  run whole = shown_run(6, NULL), stopped = shown_run(6, NULL);
  OK(run_train(&whole));
  static const stop_at places[] = {{.phase = LFM_PHASE_TRAIN, .block = 1, .done = 6},
                                   {.phase = LFM_PHASE_PUSH, .block = 1, .done = 1},
                                   {.phase = LFM_PHASE_TRAIN, .block = 2, .done = 11}};
  for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
    stop_at stop = places[k];
    stopped.options.progress = stops_there, stopped.options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, run_train(&stopped));
    stopped.options.resume = true;
  }
  stopped.options.progress = NULL;
  OK(run_train(&stopped));
  assert_true(same_model(&stopped, &whole) && same_metrics(&stopped, &whole));
  assert_true(same_bytes(file_of(&stopped, "preview.png"), file_of(&whole, "preview.png")));
  assert_true(same_bytes(file_of(&stopped, "strip.png"), file_of(&whole, "strip.png")));
  run_drop(&stopped), run_drop(&whole);
}

/* The steps' own network may read other copies of the weights than the one that draws. */
static void a_grid_amid_a_block_is_of_its_weights(void **state) {
  (void)state;
  const lfm_kernels *kernels;
  for (int halves = 0; halves < 2; halves++) {
    if (halves && lfm_kernels_bf16(&kernels) != LFM_OK) break;
    run r = shown_run(LFM_PREVIEW_AUTO, KEYS("hidden_dim=96", halves ? "precision=bf16" : "precision=fp32"));
    lfm_trainer *t;
    uint8_t *amid, *kept;
    size_t size, again;
    r.options.config = r.config, r.options.run = r.path;
    OK(lfm_trainer_create(&r.options, &t));
    for (int step = 0; step < 3; step++) OK(lfm_trainer_step(t));
    OK(lfm_trainer_preview(t, lfm_trainer_weights(t)));
    OK(lfm_file_read(file_of(&r, "preview.png"), &amid, &size));
    lfm_params_copy(t->model->params[0], lfm_trainer_weights(t));
    OK(lfm_trainer_preview(t, t->model->params[0]));
    OK(lfm_file_read(file_of(&r, "preview.png"), &kept, &again));
    assert_int_equal(size, again);
    assert_memory_equal(amid, kept, size);
    lfm_free(amid), lfm_free(kept);
    lfm_trainer_destroy(t);
    run_drop(&r);
  }
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

enum { EVERY = 5 };
typedef struct counts {
  int64_t last;
  int block, quiet, steps;
} counts;

/* The most requests of a step that was followed by no preview. */
static bool count_requests(const lfm_progress *progress, void *context) {
  counts *c = context;
  int seen = (int)lfm_alloc_fail_at(0);
  if (progress->phase != LFM_PHASE_TRAIN) return false;
  bool is_quiet = progress->block == c->block && progress->done == c->last + 1 && progress->done % EVERY;
  c->steps += is_quiet;
  if (is_quiet && seen > c->quiet) c->quiet = seen;
  c->block = progress->block;
  c->last = progress->done;
  return false;
}

static void steps_between_two_ask_for_no_memory(void **state) {
  (void)state;
  run r = shown_run(EVERY, KEYS("ema_decay=0.9"));
  counts c = {0};
  r.options.progress = count_requests, r.options.context = &c;
  r.options.threads = 2;
  OK(run_train(&r));
  assert_int_equal(c.steps, 2 * 20 / EVERY * (EVERY - 1));
  assert_int_equal(c.quiet, 0);
  run_drop(&r);
}

static void what_they_hold_is_stated(void **state) {
  (void)state;
  run blind = shown_run(0, NULL), shown = shown_run(EVERY, NULL);
  OK(run_train(&blind));
  OK(run_train(&shown));
  int64_t rows = GRID * (DIM * 8 + DIM + 1) + 2 * DIM * 4 + LINES * (DIM * 4 + 5 * DIM);
  assert_in_range(shown.result.memory.pool - blind.result.memory.pool, rows, rows + rows / 50);
  assert_true(llabs(shown.result.memory.workers - blind.result.memory.workers) < 256); /* as the allocator rounds */
  run_drop(&shown), run_drop(&blind);
}

static void refused_memory_can_be_resumed(void **state) {
  (void)state;
  const char *const *tiny = KEYS("hidden_dim=2", "num_hidden=1", "batch_size=8", "max_batch=2", "lanes=1", "microbatch=8");
  setenv("LFM_KERNELS", "ref32", 1);
  run whole = shown_run(1, tiny);
  lfm_alloc_fail_at(0);
  OK(run_train(&whole));
  uint64_t requests = lfm_alloc_fail_at(0);
  for (uint64_t at = 1; at <= requests; at += 3) {
    run r = shown_run(1, tiny);
    check_refusal(&r, at, at % 27 == 1 ? &whole : NULL);
  }
  run_drop(&whole);
  unsetenv("LFM_KERNELS");
}

/* ---- where there is nothing to look at -------------------------------------------------------------------------- */

static void tables_have_none(void **state) {
  (void)state;
  run r = small_run(NULL);
  OK(run_train(&r));
  assert_false(lfm_path_exists(file_of(&r, "preview.png")) || lfm_path_exists(file_of(&r, "strip.png")));
  run asked = small_run(NULL);
  asked.options.preview_every = 5;
  FAILS(LFM_E_USAGE, run_train(&asked));
  assert_says("preview: ");
  assert_false(lfm_path_exists(asked.path));
  run_drop(&asked), run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(looking_changes_no_byte),
      cmocka_unit_test(the_last_grid_is_what_sampling_draws),
      cmocka_unit_test(an_unfinished_chain_begins_from_held_out_pictures),
      cmocka_unit_test(the_strip_leads_to_the_noise_and_back),
      cmocka_unit_test(a_stop_ends_in_the_same_pictures),
      cmocka_unit_test(a_grid_amid_a_block_is_of_its_weights),
      cmocka_unit_test(steps_between_two_ask_for_no_memory),
      cmocka_unit_test(what_they_hold_is_stated),
      cmocka_unit_test(refused_memory_can_be_resumed),
      cmocka_unit_test(tables_have_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
