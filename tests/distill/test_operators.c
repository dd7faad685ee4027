/* SPDX-License-Identifier: MIT
 *
 * test_operators.c -- the linear view of a chain: its variances and maps, what a merge reaches, a plan's error, and the time
 * of training from pilots.
 */
#include "distill/support.h"

#include "core/rng.h"

static void chains_follow_their_process(void **state) {
  (void)state;
  lfm_merge_operators *o = operators_of((double[]){6, .2, 1.4}, 3, example_hks, 5, .5);
  assert_int_equal(o->below, 1);
  double variance = .2, product = 1;
  for (int n = 1; n <= 5; n++) {
    double decay = n < 5 ? exp(-2 * example_hks[n - 1]) : 0, after = decay * variance + 1 - decay;
    assert_near(o->variance[n * 3], after, 1e-15);
    assert_near(o->map[n * 3], sqrt(variance / after), 1e-15);
    assert_near(o->kept[n * 3], exp(-after), 1e-15); /* 2 s = 1 */
    product *= o->map[n * 3];
    variance = after;
  }
  assert_near(product, sqrt(.2), 1e-15); /* the whole chain makes the data of N(0, 1) */
  double exact[3], target[] = {sqrt(.2), sqrt(1.4), sqrt(6)};
  lfm_merge_exact(o, 2, 4, exact);
  for (int c = 0; c < 3; c++) {
    assert_near(exact[c], o->map[2 * 3 + c] * o->map[3 * 3 + c] * o->map[4 * 3 + c], 1e-14);
    assert_near(o->target[c], target[c], 1e-14);
  }
  lfm_merge_operators_destroy(o);
}

/* A student's map by gradient descent in small steps on its own regression: slope -2 lambda (map - goal), for the time s. */
static void students_learn_by_gradient_flow(void **state) {
  (void)state;
  const double hks[] = {.3, .4};
  lfm_merge_operators *o = operators_of((double[]){2.5}, 1, hks, 2, .7);
  enum { STEPS = 200000 };
  double map = o->map[2], goal = o->map[1] * o->map[2];
  for (int i = 0; i < STEPS; i++) map -= .7 / STEPS * 2 * o->variance[2] * (map - goal);
  assert_near(error_of(o, "(1 2)"), (map - goal) * (map - goal), 1e-7);
  lfm_merge_operators_destroy(o);
}

/* Two merges by hand, and what costs nothing. */
static void errors_are_the_definition(void **state) {
  (void)state;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  double expected = 0;
  for (int c = 0; c < 3; c++) {
    const double *a = o->map + c, *g = o->kept + c;
    double inner = (1 - g[4 * 3]) * a[2 * 3] * a[3 * 3] * a[4 * 3] + g[4 * 3] * a[4 * 3]; /* (2 3 4) */
    double outer = (1 - g[4 * 3]) * a[1 * 3] * inner + g[4 * 3] * inner;
    double off = outer * a[5 * 3] - o->target[c];
    expected += off * off;
  }
  assert_near(error_of(o, "(1 (2 3 4)) | 5"), expected, 1e-15);
  assert_true(expected > 0.01);
  assert_true(error_of(o, "1 | 2 | 3 | 4 | 5") == 0);
  lfm_merge_operators_destroy(o);
}

/* Coordinates may come in any order, and a negative zero of an eigenvalue solver counts as zero. */
static void variances_may_come_as_they_are(void **state) {
  (void)state;
  lfm_merge_operators *a = operators_of((double[]){6, -1e-15, 1.4, .2}, 4, example_hks, 5, .5);
  lfm_merge_operators *b = operators_of((double[]){0, .2, 1.4, 6}, 4, example_hks, 5, .5);
  assert_true(error_of(a, "(1 2) | (3 4 5)") == error_of(b, "(1 2) | (3 4 5)"));
  assert_true(isfinite(error_of(a, "(1 2 3 4 5)")));
  lfm_merge_operators_destroy(a);
  lfm_merge_operators_destroy(b);
}

static void what_makes_no_sense_is_named(void **state) {
  (void)state;
  lfm_merge_operators *o = (lfm_merge_operators *)example_hks;
  const double *v = example_variances, *h = example_hks;
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create((double[]){1, NAN}, 2, h, 5, .5, &o), "variances: number 2 is nan");
  assert_null(o);
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create((double[]){1, -.1}, 2, h, 5, .5, &o), "number 2 is -0.1");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create((double[]){0, 0}, 2, h, 5, .5, &o), "none is above 0");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 0, h, 5, .5, &o), "there are none");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, (double[]){.1, 0}, 2, .5, &o), "step 2 is 0");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, (double[]){NAN, .1}, 2, .5, &o), "step 1 is free, but only the last");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, h, 0, .5, &o), "0 blocks");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, h, 65, .5, &o), "65 blocks");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, h, 5, 0, &o), "s: 0");
  REFUSES(LFM_E_USAGE, lfm_merge_operators_create(v, 3, h, 5, NAN, &o), "s: nan");
}

/* ---- the time of training ------------------------------------------------------------------------------------ */

/* The mean square error of a flat student to its exact teacher, by drawing rows at its border. */
static double drawn_error(const lfm_merge_operators *o, int first, int last, double s) {
  enum { ROWS = 4000 };
  lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  double sum = 0;
  for (int64_t i = 0; i < ROWS; i++) {
    float z[3];
    lfm_rng_normal(&rng, i, z, 3);
    for (int c = 0; c < 3; c++) {
      double variance = o->variance[last * 3 + c], begin = o->map[last * 3 + c], goal = 1;
      for (int n = first; n <= last; n++) goal *= o->map[n * 3 + c];
      double map = goal + (begin - goal) * exp(-2 * s * variance), x = sqrt(variance) * (double)z[c];
      sum += (map - goal) * (map - goal) * x * x / ROWS;
    }
  }
  return sum;
}

static void pilots_give_the_time_they_took(void **state) {
  (void)state;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  const double times[] = {.005, .3, 2};
  for (int i = 0; i < 3; i++) {
    double s = -1;
    lfm_merge_pilot pilots[] = {{1, 5, drawn_error(o, 1, 5, 0), drawn_error(o, 1, 5, times[i])},
                                {2, 4, drawn_error(o, 2, 4, 0), drawn_error(o, 2, 4, times[i])}};
    for (int count = 1; count <= 2; count++) {
      OK(lfm_merge_fit_time(o, pilots, count, &s));
      assert_near(s / times[i], 1, .03); /* of so many rows drawn */
    }
  }
  lfm_merge_operators_destroy(o);
}

static void pilots_that_say_nothing(void **state) {
  (void)state;
  double s;
  lfm_merge_operators *o = operators_of(example_variances, 3, example_hks, 5, .5);
  REFUSES(LFM_E_DATA, lfm_merge_fit_time(o, &(lfm_merge_pilot){1, 5, .3, .4}, 1, &s),
          "learnt nothing: their error went from 0.3");
  REFUSES(LFM_E_DATA, lfm_merge_fit_time(o, &(lfm_merge_pilot){1, 5, .3, NAN}, 1, &s), "blocks 1 to 5");
  REFUSES(LFM_E_USAGE, lfm_merge_fit_time(o, &(lfm_merge_pilot){3, 3, .3, .1}, 1, &s), "blocks 3 to 3");
  REFUSES(LFM_E_USAGE, lfm_merge_fit_time(o, &(lfm_merge_pilot){3, 6, .3, .1}, 1, &s), "blocks 3 to 6");
  lfm_merge_operators_destroy(o);
  o = operators_of((double[]){1, 1}, 2, example_hks, 5, .5);
  REFUSES(LFM_E_DATA, lfm_merge_fit_time(o, &(lfm_merge_pilot){1, 5, .3, .1}, 1, &s), "every variance is 1");
  lfm_merge_operators_destroy(o);
}

static void refused_memory_is_an_error(void **state) {
  (void)state;
  lfm_merge_operators *o = NULL;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t n = 1; status != LFM_OK; n++) {
    size_t before = lfm_alloc_in_use();
    lfm_alloc_fail_at(n);
    status = lfm_merge_operators_create(example_variances, 3, example_hks, 5, .5, &o);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !o && lfm_alloc_in_use() == before));
  }
  lfm_merge_operators_destroy(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chains_follow_their_process),  cmocka_unit_test(students_learn_by_gradient_flow),
      cmocka_unit_test(errors_are_the_definition),    cmocka_unit_test(variances_may_come_as_they_are),
      cmocka_unit_test(what_makes_no_sense_is_named), cmocka_unit_test(pilots_give_the_time_they_took),
      cmocka_unit_test(pilots_that_say_nothing),      cmocka_unit_test(refused_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
