/* SPDX-License-Identifier: MIT
 *
 * test_front.c -- fronts of partial plans: which offers stay, and what a front that is full still vouches for.
 */
#include "distill/front.h"
#include "distill/support.h"

#include "core/rng.h"

static const double ones[3] = {1, 1, 1}, target[3] = {0, 0, 2};

/* The first two coordinates are the better the smaller they are, the third the larger. */
static lfm_front_rule rule_of(double limit, int width) {
  return (lfm_front_rule){.dim = 3, .below = 2, .target = target, .limit = limit, .width = width};
}

static void offer(lfm_front *front, const lfm_front_rule *rule, const double *map, int number) {
  OK(lfm_front_offer(front, rule, ones, map, map, (lfm_front_origin){number, number, number}));
}

static bool holds(const lfm_front *front, int number) {
  for (int i = 0; i < front->count; i++)
    if (front->origin[i].split == number) return true;
  return false;
}

static void what_is_dominated_goes(void **state) {
  (void)state;
  lfm_front front = {0};
  lfm_front_rule rule = rule_of(1e9, 100);
  offer(&front, &rule, (double[]){.5, .5, 1.5}, 1);
  offer(&front, &rule, (double[]){.4, .6, 1.5}, 2);         /* neither is better than the other */
  offer(&front, &rule, (double[]){.5, .6, 1.5}, 3);         /* worse than the first */
  offer(&front, &rule, (double[]){.5, .5, 1.6}, 4);         /* better: larger counts in the third */
  offer(&front, &rule, (double[]){.5, .5, 1.6 - 1e-15}, 5); /* the same but for rounding */
  assert_int_equal(front.count, 2);
  assert_true(holds(&front, 2) && holds(&front, 4) && !front.is_cut);
  lfm_front_destroy(&front);
}

static void what_cannot_win_goes(void **state) {
  (void)state;
  lfm_front front = {0};
  lfm_front_rule rule = rule_of(.5, 100);
  const double rest[3] = {1, 0, 1};
  assert_near(lfm_front_cost(&rule, (double[]){.3, .4, 1.5}, ones), .09 + .16 + .25, 1e-15);
  offer(&front, &rule, (double[]){.3, .41, 1.5}, 1);
  assert_int_equal(front.count, 0);
  OK(lfm_front_offer(&front, &rule, rest, (double[]){.3, .41, 1.5}, (double[]){.3, .41, 1.5}, (lfm_front_origin){1, 1, 1}));
  assert_int_equal(front.count, 1); /* where the rest makes up for it, it stays */
  assert_near(front.score[0], .09 + .25, 1e-15);
  lfm_front_destroy(&front);
}

/* Of offers drawn at random: every one is stood for by an item that is at least as good in each coordinate, and every item is
 * one of them, no better than its own bound. */
static void a_full_front_vouches_for_all(void **state) {
  (void)state;
  enum { OFFERS = 400 };
  static double maps[OFFERS][3];
  lfm_front front = {0};
  lfm_rng rng = {.seed = 1, .purpose = LFM_FOR_DATA};
  for (int width = 1; width <= 9; width += 4) {
    lfm_front_rule rule = rule_of(1e9, width);
    for (int i = 0; i < OFFERS; i++) {
      float z[3];
      lfm_rng_normal(&rng, i, z, 3);
      for (int c = 0; c < 3; c++) maps[i][c] = exp(.3 * (double)z[c]);
      offer(&front, &rule, maps[i], i);
      assert_true(front.count <= width);
    }
    assert_true(front.is_cut && front.count >= 1);
    double best = INFINITY;
    for (int i = 0; i < OFFERS; i++) {
      bool is_covered = false;
      for (int k = 0; k < front.count; k++) {
        const double *bound = front.bound + 3 * k;
        is_covered |= bound[0] <= maps[i][0] && bound[1] <= maps[i][1] && bound[2] >= maps[i][2];
      }
      assert_true(is_covered);
      best = fmin(best, lfm_front_cost(&rule, maps[i], ones));
    }
    double score = INFINITY;
    for (int k = 0; k < front.count; k++) {
      const double *reached = front.reached + 3 * k, *bound = front.bound + 3 * k;
      assert_memory_equal(reached, maps[front.origin[k].split], 3 * sizeof *reached);
      assert_true(bound[0] <= reached[0] && bound[1] <= reached[1] && bound[2] >= reached[2]);
      assert_true(front.score[k] == lfm_front_cost(&rule, reached, ones));
      score = fmin(score, front.score[k]);
    }
    assert_true(score == best); /* the best of all was not lost */
    lfm_front_destroy(&front);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_dominated_goes),
      cmocka_unit_test(what_cannot_win_goes),
      cmocka_unit_test(a_full_front_vouches_for_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
