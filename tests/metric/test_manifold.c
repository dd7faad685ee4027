/* SPDX-License-Identifier: MIT
 * Precision, recall, density and coverage where they are known: equal, shifted and disjoint squares, a line by hand. */
#include "core/alloc.h"
#include "core/rng.h"
#include "metric/manifold.h"
#include "support/near.h"

#include <string.h>

enum { MOST = 4000, DIM = 2 };
static float a[MOST * DIM], b[MOST * DIM], c[MOST * DIM];

static lfm_features view(const char *name, const float *x, int64_t rows, int64_t dim) {
  return (lfm_features){.name = name, .x = x, .rows = rows, .dim = dim};
}

/* Uniform on [shift, shift + 1] x [0, 1]. */
static void draw_square(uint64_t seed, double shift, int64_t rows, float *x) {
  const lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < rows; i++) {
    x[i * DIM] = (float)(shift + lfm_rng_uniform(&rng, i, 0));
    x[i * DIM + 1] = (float)lfm_rng_uniform(&rng, i, 1);
  }
}

static lfm_manifold compare(const float *generated, const float *real, int64_t rows) {
  lfm_features x = view("generated", generated, rows, DIM), y = view("real", real, rows, DIM);
  lfm_manifold m = {.density = {.mean = NAN}};
  assert_int_equal(lfm_manifold_compare(&x, &y, NULL, &m), LFM_OK);
  return m;
}

/* A row lies in its own ball and in as many others as it is a k-th neighbour or nearer of: k on average. */
static void a_set_is_like_itself(void **state) {
  (void)state;
  draw_square(1, 0, 500, a);
  lfm_manifold m = compare(a, a, 500);
  assert_near(m.precision.share, 1, 0);
  assert_near(m.recall.share, 1, 0);
  assert_near(m.coverage.share, 1, 0);
  assert_near(m.density.mean, 6.0 / 5, 1e-12);
}

/* Two samples of one law, whatever it is: mean density 1, and a ball stays empty when the 5 nearest of the other 2 n - 1 rows
 * are all real: coverage 1 - prod_(i < 5) (n - 1 - i) / (2 n - 1 - i). */
static void samples_of_one_law(void **state) {
  (void)state;
  draw_square(1, 0, MOST, a);
  draw_square(2, 0, MOST, b);
  lfm_manifold m = compare(a, b, MOST);
  double empty = 1;
  for (int i = 0; i < 5; i++) empty *= (MOST - 1.0 - i) / (2 * MOST - 1.0 - i);
  assert_near(m.density.mean, 1, 5 * m.density.se);
  assert_true(m.density.se < 0.02);
  assert_near(m.coverage.share, 1 - empty, 0.012); /* four standard errors */
  assert_near(m.precision.share, m.recall.share, 0.02);
  assert_true(m.precision.share > 0.9);
}

/* Half of each square is common: half of the rows are inside, and a strip as wide as a ball. */
static void squares_that_overlap_by_half(void **state) {
  (void)state;
  draw_square(1, 0.5, MOST, a);
  draw_square(2, 0, MOST, b);
  lfm_manifold half = compare(a, b, MOST);
  draw_square(1, 0, MOST, a);
  lfm_manifold whole = compare(a, b, MOST);
  assert_near(half.precision.share, 0.5 * whole.precision.share, 0.03);
  assert_near(half.recall.share, 0.5 * whole.recall.share, 0.03);
  assert_near(half.coverage.share, 0.5 * whole.coverage.share, 0.03);
  assert_near(half.density.mean, 0.5, 0.05);
  assert_true(half.precision.low < half.precision.share && half.precision.share < half.precision.high);
}

/* Generated rows on the left half alone: all of them right, half of the real ones missed. */
static void precision_is_not_recall(void **state) {
  (void)state;
  draw_square(1, 0, MOST, a);
  draw_square(2, 0, MOST, b);
  for (int i = 0; i < MOST; i++) a[i * DIM] *= 0.5f;
  lfm_manifold m = compare(a, b, MOST);
  assert_true(m.precision.share > 0.9);
  assert_near(m.recall.share, 0.5, 0.05);
  lfm_manifold back = compare(b, a, MOST);
  assert_near(back.precision.share, m.recall.share, 0);
  assert_near(back.recall.share, m.precision.share, 0);
}

static void disjoint_squares(void **state) {
  (void)state;
  draw_square(1, 3, 500, a);
  draw_square(2, 0, 500, b);
  lfm_manifold m = compare(a, b, 500);
  assert_int_equal(m.precision.count + m.recall.count + m.coverage.count, 0);
  assert_near(m.density.mean, 0, 0);
  assert_near(m.precision.low, 0, 1e-15);
}

/* Real rows 0, 1, 3, 6, 10, 15, 21: every distance between them is known. */
static void a_line_by_hand(void **state) {
  (void)state;
  const float real[] = {0, 1, 3, 6, 10, 15, 21}, generated[] = {-5.5f, -6.5f, 100, 101, 103, 106, 110};
  lfm_features x = view("generated", generated, 7, 1), y = view("real", real, 7, 1);
  lfm_manifold m = {.density = {.mean = NAN}};
  assert_int_equal(lfm_manifold_compare(&x, &y, NULL, &m), LFM_OK);
  /* k = 3 radii: 6 5 3 5 7 9 15: -5.5 is in the ball of 0, -6.5 in none */
  assert_int_equal(m.precision.count, 1);
  /* k = 5 radii: 15 14 12 9 10 14 20: -5.5 and -6.5 are in the balls of 0, 1 and 3 */
  assert_near(m.density.mean, (3 + 3) / 5.0 / 7, 1e-15);
  assert_int_equal(m.coverage.count, 3);
  /* the generated balls of k = 3: -5.5 reaches 106.5 far: all real rows are inside */
  assert_int_equal(m.recall.count, 7);
}

/* 100 rows against 130, all in sixteenths, so that float sums are exact and ties are ties.  numpy, from the definitions:
 *   (d <= rad(real, 3)).any(1).sum(), (d.T <= rad(gen, 3)).any(1).sum(), (d <= rad(real, 5)).sum() / 5 / 100,
 *   (d.min(0) <= rad(real, 5)).sum(), d the squared distances and rad(x, k) those to the k-th neighbour in x */
static void numpy_agrees(void **state) {
  (void)state;
  enum { WIDE = 4 };
  static float generated[100 * WIDE], real[130 * WIDE];
  for (int i = 0; i < 130; i++)
    for (int k = 0; k < WIDE; k++) {
      if (i < 100) generated[i * WIDE + k] = (float)((i * i * 3 + i * k * 11 + 7 * k * k + 3 * k) % 101) / 16;
      real[i * WIDE + k] = (float)((i * i * 5 + i * k * 13 + 7 * k * k + 3 * k) % 89 + k % 3) / 16;
    }
  lfm_features x = view("generated", generated, 100, WIDE), y = view("real", real, 130, WIDE);
  lfm_manifold m = {.density = {.mean = NAN}};
  assert_int_equal(lfm_manifold_compare(&x, &y, NULL, &m), LFM_OK);
  assert_int_equal(m.precision.count, 77);
  assert_int_equal(m.recall.count, 128);
  assert_near(m.density.mean, 0.754, 1e-12);
  assert_int_equal(m.coverage.count, 106);
}

/* Neither a rotation and shift of both, nor the order of rows. */
static void invariances(void **state) {
  (void)state;
  enum { ROWS = 700 };
  draw_square(1, 0.25, ROWS, a);
  draw_square(2, 0, ROWS, b);
  lfm_manifold m = compare(a, b, ROWS);
  for (int64_t i = 0; i < ROWS; i++) memcpy(c + i * DIM, a + (ROWS - 1 - i) * DIM, DIM * sizeof *c);
  lfm_manifold shuffled = compare(c, b, ROWS);
  assert_int_equal(shuffled.precision.count, m.precision.count);
  assert_int_equal(shuffled.recall.count, m.recall.count);
  assert_int_equal(shuffled.coverage.count, m.coverage.count);
  assert_near(shuffled.density.mean, m.density.mean, 1e-12);
  for (int64_t i = 0; i < 2 * ROWS; i++) {
    float *row = i < ROWS ? a + i * DIM : b + (i - ROWS) * DIM, p = row[0], q = row[1];
    row[0] = (float)(0.6 * (double)p - 0.8 * (double)q) + 4;
    row[1] = (float)(0.8 * (double)p + 0.6 * (double)q) - 2;
  }
  lfm_manifold moved = compare(a, b, ROWS); /* rounding may move a row over a border, hardly two */
  assert_near(moved.precision.share, m.precision.share, 2.0 / ROWS);
  assert_near(moved.recall.share, m.recall.share, 2.0 / ROWS);
  assert_near(moved.coverage.share, m.coverage.share, 2.0 / ROWS);
  assert_near(moved.density.mean, m.density.mean, 2.0 / ROWS);
}

static void the_team_changes_nothing(void **state) {
  (void)state;
  draw_square(1, 0.5, 333, a);
  draw_square(2, 0, 401, b);
  lfm_features x = view("generated", a, 333, DIM), y = view("real", b, 401, DIM);
  lfm_manifold alone = {.density = {.mean = NAN}}, together = alone;
  assert_int_equal(lfm_manifold_compare(&x, &y, NULL, &alone), LFM_OK);
  for (int threads = 1; threads <= 3; threads++) {
    lfm_team *team = NULL;
    assert_int_equal(lfm_team_create(threads, &team), LFM_OK);
    assert_int_equal(lfm_manifold_compare(&x, &y, team, &together), LFM_OK);
    assert_memory_equal(&alone, &together, sizeof alone);
    lfm_team_destroy(team);
  }
}

/* All rows equal: everything is at distance 0 and inside. */
static void constant_rows(void **state) {
  (void)state;
  for (int i = 0; i < 20 * DIM; i++) a[i] = b[i] = 3;
  lfm_manifold m = compare(a, b, 20);
  assert_near(m.precision.share + m.recall.share + m.coverage.share, 3, 0);
  for (int i = 0; i < 20 * DIM; i++) a[i] = 4;
  m = compare(a, b, 20);
  assert_near(m.precision.share + m.recall.share + m.coverage.share, 0, 0);
}

static void refuses_nonsense(void **state) {
  (void)state;
  draw_square(1, 0, 20, a);
  lfm_features x = view("generated", a, 20, DIM), few = view("real", a, 5, DIM);
  lfm_manifold m;
  assert_int_equal(lfm_manifold_compare(&x, &few, NULL, &m), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "real: 5 rows"));
  a[9] = NAN;
  assert_int_equal(lfm_manifold_compare(&x, &x, NULL, &m), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "generated: feature 1 of row 4 is nan"));
}

static void survives_refused_memory(void **state) {
  (void)state;
  draw_square(1, 0, 40, a);
  lfm_features x = view("generated", a, 40, DIM);
  size_t before = lfm_alloc_in_use();
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_manifold m;
    lfm_alloc_fail_at(at);
    status = lfm_manifold_compare(&x, &x, NULL, &m);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_set_is_like_itself),
      cmocka_unit_test(samples_of_one_law),
      cmocka_unit_test(squares_that_overlap_by_half),
      cmocka_unit_test(precision_is_not_recall),
      cmocka_unit_test(disjoint_squares),
      cmocka_unit_test(a_line_by_hand),
      cmocka_unit_test(numpy_agrees),
      cmocka_unit_test(invariances),
      cmocka_unit_test(the_team_changes_nothing),
      cmocka_unit_test(constant_rows),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
