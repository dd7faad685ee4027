/* SPDX-License-Identifier: MIT
 *
 * test_pool.c -- rows of a pool as they are put and moved, in floats to the bit and in halves to eleven; a chain whose pool
 * is of halves is nearly the chain of floats, the same for any threads, for tables and for pictures.
 */
#include "train_support.h"

#include "core/half.h"
#include "flow/pool.h"

enum { ROWS = 5, DIM = 7 };

static void rows_come_back(void **state) {
  (void)state;
  for (int in_halves = 0; in_halves < 2; in_halves++) {
    lfm_pool pool;
    float rows[ROWS][DIM], room[DIM];
    OK(lfm_pool_make(ROWS, DIM, in_halves, true, &pool));
    for (int i = 0; i < ROWS; i++) {
      lfm_rng rng = {.seed = 1, .purpose = LFM_FOR_DATA};
      lfm_rng_normal(&rng, i, rows[i], DIM);
      lfm_pool_put(&pool, i, rows[i]);
      pool.given[i] = (float)i;
    }
    lfm_pool_move(&pool, 1, 3);
    for (int i = 0; i < ROWS; i++) {
      const float *row = lfm_pool_row(&pool, i, room), *put = rows[i == 1 ? 3 : i];
      assert_true(pool.given[i] == (float)(i == 1 ? 3 : i));
      for (int j = 0; j < DIM; j++) {
        if (in_halves) assert_true(row[j] == lfm_half_value(lfm_half_of(put[j])));
        else assert_true(row[j] == put[j]);
        assert_near((double)row[j], (double)put[j], fabs((double)put[j]) / 2048.0 + 0x1p-25);
      }
    }
    lfm_pool_release(&pool);
    assert_null(lfm_pool_numbers(&pool));
  }
}

static void refused_memory_is_a_status(void **state) {
  (void)state;
  for (uint64_t at = 1; at <= 2; at++) {
    lfm_pool pool;
    lfm_alloc_fail_at(at);
    FAILS(LFM_E_MEMORY, lfm_pool_make(ROWS, DIM, true, true, &pool));
    lfm_alloc_fail_at(0);
    lfm_pool_release(&pool);
  }
}

/* Eleven bits of a row are much finer than what 24 steps learn of it. */
static void the_chain_is_nearly_the_same(void **state) {
  (void)state;
  run floats = small_run(NULL), halves = small_run(KEYS("pool_precision=fp16")),
      threads = small_run(KEYS("pool_precision=fp16"));
  threads.options.threads = 3;
  OK(run_train(&floats));
  OK(run_train(&halves));
  OK(run_train(&threads));
  assert_false(same_model(&halves, &floats));
  assert_true(same_model(&threads, &halves));
  assert_true(fabs(halves.result.valid_nll - floats.result.valid_nll) < 1e-3);
  assert_true(2 * halves.result.memory.pool < floats.result.memory.pool + 300 * 9 * 2); /* beside the push's notes */
  run_drop(&floats), run_drop(&halves), run_drop(&threads);
}

/* Mean targets read the pool as well. */
static void mean_targets_read_halves(void **state) {
  (void)state;
  run floats = small_run(KEYS("waves=0", "target_rows=100")),
      halves = small_run(KEYS("waves=0", "target_rows=100", "pool_precision=fp16"));
  OK(run_train(&floats));
  OK(run_train(&halves));
  assert_false(same_model(&halves, &floats));
  assert_true(fabs(halves.result.valid_nll - floats.result.valid_nll) < 1e-3);
  run_drop(&floats), run_drop(&halves);
}

/* What would be an infinity, or be cut down to the largest half, is not learnt from. */
static void what_it_cannot_hold_is_refused(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *precision, *says;
  } cases[] = {{1e60, "pool_precision=fp32", "column 'x1': in the flow's units it is beyond what floats hold"},
               {70000.0, "pool_precision=fp16", "column 'x1': in the flow's units it is beyond what halves"},
               {70000.0, "pool_precision=fp32", NULL}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    run r = small_run(KEYS("normalise=none", cases[k].precision));
    lfm_table *train = gaussian_table(300, 2, 4), *valid = gaussian_table(50, 2, 5);
    train->values[2 * 17 + 1] = cases[k].value;
    r.options.train = train, r.options.valid = valid;
    if (cases[k].says) {
      FAILS(LFM_E_DATA, run_train(&r));
      assert_says(cases[k].says);
      assert_says("row 18");
      assert_false(lfm_path_exists(r.options.run));
    } else {
      OK(run_train(&r));
    }
    lfm_table_destroy(train);
    lfm_table_destroy(valid);
    run_drop(&r);
  }
}

/* What is pushed differs by no more than a tenth of a grey level: by the rounding, and what a few steps make of it. */
static void pictures_are_pushed_as_they_were(void **state) {
  (void)state;
  enum { PICTURES = 60, TRAINED = 54, PIXELS = 16 };
  uint8_t pixels[PICTURES * PIXELS];
  run r[2];
  lfm_archive *archive[2];
  const lfm_tensor *pool[2];
  for (int i = 0; i < PICTURES * PIXELS; i++) pixels[i] = (uint8_t)(i * 89 % 253);
  for (int k = 0; k < 2; k++) {
    lfm_table *table;
    stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 2, .done = 1};
    OK(lfm_table_create_pictures(pixels, PICTURES, 1, 4, 4, NULL, &table));
    r[k] =
        run_of(table, KEYS("network=mlp", "hks=[0.4, null]", "hidden_dim=16", "num_hidden=1", "batch_size=16", "max_batch=5"),
               k ? KEYS("pool_precision=fp16") : NULL);
    r[k].options.progress = stops_there, r[k].options.context = &stop;
    FAILS(LFM_E_INTERRUPTED, run_train(&r[k]));
    OK(lfm_archive_open(file_of(&r[k], "checkpoint/pool-1.safetensors"), &archive[k]));
    OK(lfm_archive_require(archive[k], "pool", k ? LFM_F16 : LFM_F32, 2, (int64_t[]){TRAINED, PIXELS}, &pool[k]));
  }
  const float *floats = pool[0]->data;
  const uint16_t *halves = pool[1]->data;
  for (int i = 0; i < TRAINED * PIXELS; i++) assert_near((double)lfm_half_value(halves[i]), (double)floats[i], 0.1 / 127.5);
  for (int k = 0; k < 2; k++) lfm_archive_destroy(archive[k]), run_drop(&r[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_come_back),
      cmocka_unit_test(refused_memory_is_a_status),
      cmocka_unit_test(the_chain_is_nearly_the_same),
      cmocka_unit_test(mean_targets_read_halves),
      cmocka_unit_test(what_it_cannot_hold_is_refused),
      cmocka_unit_test(pictures_are_pushed_as_they_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
