/* SPDX-License-Identifier: MIT
 * The tree stands inside its square, is drawn the same twice, and has the entropy that the header states. */
#include "core/alloc.h"
#include "metric/tree.h"
#include "support/near.h"

#include <string.h>

enum { SIZE = LFM_TREE_SIZE };

static void stands_inside_its_square(void **state) {
  (void)state;
  static float ink[SIZE * SIZE], again[SIZE * SIZE];
  memset(ink, 0xff, sizeof ink);
  assert_int_equal(lfm_tree_draw(SIZE, ink), LFM_OK);
  assert_int_equal(lfm_tree_draw(SIZE, again), LFM_OK);
  assert_memory_equal(ink, again, sizeof ink);
  int lit = 0, black = 0;
  for (int j = 0; j < SIZE; j++)
    for (int i = 0; i < SIZE; i++) {
      float v = ink[j * SIZE + i];
      assert_true(v >= 0 && v <= 1);
      if (i < 4 || j < 4 || i >= SIZE - 4 || j >= SIZE - 4) assert_true(v == 0);
      lit += v > 0, black += v == 1.0f;
    }
  assert_in_range(lit, SIZE * SIZE / 10, SIZE * SIZE / 4); /* a tree, neither a line nor a blot */
  assert_in_range(black, SIZE * SIZE / 50, lit);
  assert_int_equal(lfm_tree_draw(63, ink), LFM_E_USAGE);
}

static void has_the_stated_entropy(void **state) {
  (void)state;
  lfm_pixel_density *tree = NULL;
  assert_int_equal(lfm_tree_density(&tree), LFM_OK);
  double entropy = NAN, mass = NAN;
  assert_int_equal(lfm_pixel_density_entropy(tree, 2, &entropy, &mass), LFM_OK);
  assert_near(mass, 1, 1e-10);
  assert_near(entropy, LFM_TREE_ENTROPY, LFM_TREE_ENTROPY_ERROR);
  lfm_pixel_density_destroy(tree);
}

static void draws_agree_with_it(void **state) {
  (void)state;
  enum { DRAWS = 20000 };
  lfm_pixel_density *tree = NULL;
  assert_int_equal(lfm_tree_density(&tree), LFM_OK);
  lfm_rng rng = {.seed = 11, .purpose = LFM_FOR_DATA};
  double sum = 0, squares = 0;
  for (int64_t row = 0; row < DRAWS; row++) {
    double xy[2] = {NAN, NAN}, logp;
    lfm_pixel_density_sample(tree, &rng, row, xy);
    logp = lfm_pixel_density_log(tree, xy[0], xy[1]);
    sum -= logp, squares += logp * logp;
  }
  double mean = sum / DRAWS, se = sqrt((squares / DRAWS - mean * mean) / DRAWS);
  assert_true(se < 0.01);
  assert_near(mean, LFM_TREE_ENTROPY, 4 * se);
  lfm_pixel_density_destroy(tree);
}

static void survives_refused_memory(void **state) {
  (void)state;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_pixel_density *tree = NULL;
    lfm_alloc_fail_at(at);
    status = lfm_tree_density(&tree);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !tree));
    lfm_pixel_density_destroy(tree);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stands_inside_its_square),
      cmocka_unit_test(has_the_stated_entropy),
      cmocka_unit_test(draws_agree_with_it),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
