/* SPDX-License-Identifier: MIT
 *
 * test_coupling.c -- each pool row once an epoch, in another order each time; what the right ends are for each coupling.
 */
#include "flow_support.h"

#include "flow/coupling.h"

enum { POOL = 210, BATCH = 30, EPOCH = POOL / BATCH };

static lfm_pairing pairing_of(lfm_coupling coupling) {
  return (lfm_pairing){.coupling = coupling, .seed = 5, .block = 1, .pool_rows = POOL, .batch = BATCH};
}

static void an_epoch_visits_every_row_once(void **state) {
  (void)state;
  static const lfm_coupling couplings[] = {LFM_COUPLING_DEPENDENT, LFM_COUPLING_SHUFFLED, LFM_COUPLING_INDEPENDENT};
  for (int k = 0; k < 3; k++) {
    lfm_pairing pairing = pairing_of(couplings[k]);
    for (int64_t epoch = 0; epoch < 3; epoch++) {
      int left[POOL] = {0}, right[POOL] = {0};
      for (int64_t step = epoch * EPOCH; step < (epoch + 1) * EPOCH; step++)
        for (int64_t i = 0; i < BATCH; i++) {
          left[lfm_pairing_left(&pairing, step, i)]++;
          right[lfm_pairing_right(&pairing, step, i)]++;
        }
      for (int row = 0; row < POOL; row++) assert_true(left[row] == 1 && right[row] == 1);
    }
  }
}

/* A batch that does not divide the pool runs over the end of an epoch into the next. */
static void batches_run_over_the_end_of_an_epoch(void **state) {
  (void)state;
  lfm_pairing pairing = pairing_of(LFM_COUPLING_DEPENDENT);
  pairing.batch = 77;
  int visits[POOL] = {0};
  for (int64_t at = 0; at < 11 * POOL; at++) visits[lfm_pairing_left(&pairing, at / 77, at % 77)]++;
  for (int row = 0; row < POOL; row++) assert_int_equal(visits[row], 11);
  for (int64_t step = 0; step < 20; step++) { /* together as alone */
    int64_t rows[78];
    memset(rows, 0xFF, sizeof rows);
    lfm_pairing_left_rows(&pairing, step, step, 77 - step, rows);
    for (int64_t i = step; i < 77; i++) assert_int_equal(rows[i - step], lfm_pairing_left(&pairing, step, i));
    assert_int_equal(rows[77 - step], -1);
  }
}

/* How many of the first epoch's places hold the same row in two walks; about one by chance. */
static int agreements(const lfm_pairing *a, int64_t step_a, const lfm_pairing *b, int64_t step_b) {
  int same = 0;
  for (int64_t k = 0; k < POOL; k++)
    same += lfm_pairing_left(a, step_a + k / BATCH, k % BATCH) == lfm_pairing_left(b, step_b + k / BATCH, k % BATCH);
  return same;
}

static void epochs_blocks_and_seeds_differ(void **state) {
  (void)state;
  lfm_pairing here = pairing_of(LFM_COUPLING_DEPENDENT), other_block = here, other_seed = here;
  other_block.block = 2;
  other_seed.seed = 6;
  assert_int_equal(agreements(&here, 0, &here, 0), POOL);
  assert_in_range(agreements(&here, 0, &here, EPOCH), 0, 8);
  assert_in_range(agreements(&here, 0, &other_block, 0), 0, 8);
  assert_in_range(agreements(&here, 0, &other_seed, 0), 0, 8);
}

static void dependent_and_shared_are_the_same_row(void **state) {
  (void)state;
  lfm_pairing dependent = pairing_of(LFM_COUPLING_DEPENDENT), shared = pairing_of(LFM_COUPLING_SHARED);
  for (int64_t step = 0; step < 20; step++)
    for (int64_t i = 0; i < BATCH; i++) {
      int64_t left = lfm_pairing_left(&dependent, step, i);
      assert_int_equal(lfm_pairing_right(&dependent, step, i), left);
      assert_int_equal(lfm_pairing_left(&shared, step, i), left);
      assert_int_equal(lfm_pairing_right(&shared, step, i), left);
    }
}

static void shuffled_permutes_the_batch(void **state) {
  (void)state;
  lfm_pairing pairing = pairing_of(LFM_COUPLING_SHUFFLED);
  int same = 0;
  for (int64_t step = 0; step < 20; step++) {
    int balance[POOL] = {0};
    for (int64_t i = 0; i < BATCH; i++) {
      int64_t left = lfm_pairing_left(&pairing, step, i), right = lfm_pairing_right(&pairing, step, i);
      balance[left]++, balance[right]--;
      same += left == right;
    }
    for (int row = 0; row < POOL; row++) assert_int_equal(balance[row], 0);
  }
  assert_in_range(same, 5, 45); /* a random permutation keeps one place on average: 20 of the 600 */
}

/* Right ends come from other batches, and their rows say nothing about the left ones. */
static void independent_is_unrelated(void **state) {
  (void)state;
  enum { STEPS = 100 * EPOCH };
  lfm_pairing pairing = pairing_of(LFM_COUPLING_INDEPENDENT);
  double product = 0.0, count = (double)STEPS * BATCH, centre = (POOL - 1) / 2.0;
  int64_t same = 0, outside = 0;
  for (int64_t step = 0; step < STEPS; step++) {
    bool in_batch[POOL] = {0};
    for (int64_t i = 0; i < BATCH; i++) in_batch[lfm_pairing_left(&pairing, step, i)] = true;
    for (int64_t i = 0; i < BATCH; i++) {
      int64_t left = lfm_pairing_left(&pairing, step, i), right = lfm_pairing_right(&pairing, step, i);
      same += left == right;
      outside += !in_batch[right];
      product += ((double)left - centre) * ((double)right - centre);
    }
  }
  double variance = ((double)POOL * POOL - 1) / 12.0;
  assert_near(product / count / variance, 0.0, 5.0 / sqrt(count)); /* the correlation, within five of its errors */
  assert_near((double)same / count, 1.0 / POOL, 5.0 * sqrt(1.0 / POOL / count));
  assert_near((double)outside / count, 1.0 - (double)BATCH / POOL, 0.02);
}

/* A pair stays where it is when the batch it belongs to is made in another order or alone. */
static void pairs_are_addressed(void **state) {
  (void)state;
  lfm_pairing pairing = pairing_of(LFM_COUPLING_SHUFFLED);
  int64_t ahead[BATCH];
  for (int64_t i = 0; i < BATCH; i++) ahead[i] = lfm_pairing_right(&pairing, 9, i);
  for (int64_t i = BATCH - 1; i >= 0; i--) assert_int_equal(lfm_pairing_right(&pairing, 9, i), ahead[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_epoch_visits_every_row_once),
      cmocka_unit_test(batches_run_over_the_end_of_an_epoch),
      cmocka_unit_test(epochs_blocks_and_seeds_differ),
      cmocka_unit_test(dependent_and_shared_are_the_same_row),
      cmocka_unit_test(shuffled_permutes_the_batch),
      cmocka_unit_test(independent_is_unrelated),
      cmocka_unit_test(pairs_are_addressed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
