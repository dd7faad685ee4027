/* SPDX-License-Identifier: MIT
 *
 * test_eigen.c -- the symmetric eigenproblem: known answers, reconstruction, orthogonality.
 */
#include "data/eigen.h"
#include "data/support.h"

#include "core/rng.h"

enum { N = 64 };

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The second-difference matrix: eigenvalues 2 - 2 cos(k pi / (n + 1)). */
static void finds_known_eigenvalues(void **state) {
  (void)state;
  static double a[N * N], values[N], vectors[N * N];
  for (int alone = 0; alone < 2; alone++) {
    memset(a, 0, sizeof a);
    for (int i = 0; i < N; i++) {
      a[i * N + i] = 2;
      if (i) a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    assert_int_equal(alone ? lfm_eigen_values(N, a, values, vectors) : lfm_eigen_symmetric(N, a, values, vectors), LFM_OK);
    qsort(values, N, sizeof *values, by_size);
    for (int k = 0; k < N; k++) assert_true(fabs(values[k] - (2 - 2 * cos((k + 1) * M_PI / (N + 1)))) < 1e-13);
  }
}

/* Full matrices and singular ones, up to the rounding of the largest eigenvalue: what has 20 columns has N - 20 zeros. */
static void values_alone_are_the_same(void **state) {
  (void)state;
  static double a[N * N], kept[N * N], values[N], alone[N], vectors[N * N];
  const lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  for (int columns = 0; columns <= 80; columns += 20) {
    memset(a, 0, sizeof a);
    for (int k = 0; k < columns; k++) {
      float z[N];
      lfm_rng_normal(&rng, k, z, N);
      for (int i = 0; i < N * N; i++) a[i] += (double)z[i / N] * (double)z[i % N];
    }
    memcpy(kept, a, sizeof a);
    assert_int_equal(lfm_eigen_symmetric(N, a, values, vectors), LFM_OK);
    assert_int_equal(lfm_eigen_values(N, kept, alone, vectors), LFM_OK);
    qsort(values, N, sizeof *values, by_size);
    qsort(alone, N, sizeof *alone, by_size);
    for (int k = 0; k < N; k++) assert_true(fabs(alone[k] - values[k]) <= 1e-14 * N * values[N - 1]);
  }
}

static void rebuilds_the_matrix(void **state) {
  (void)state;
  static double a[N * N], kept[N * N], values[N], vectors[N * N];
  const lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  for (int i = 0; i < N; i++) {
    float z[N];
    lfm_rng_normal(&rng, i, z, N);
    for (int j = 0; j <= i; j++) a[i * N + j] = a[j * N + i] = (double)z[j] * pow(10, (i + j) / 32.0 - 2);
  }
  memcpy(kept, a, sizeof a);
  assert_int_equal(lfm_eigen_symmetric(N, a, values, vectors), LFM_OK);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      double rebuilt = 0, product = 0;
      for (int k = 0; k < N; k++) {
        rebuilt += vectors[i * N + k] * values[k] * vectors[j * N + k];
        product += vectors[k * N + i] * vectors[k * N + j];
      }
      assert_true(fabs(rebuilt - kept[i * N + j]) < 1e-10);
      assert_true(fabs(product - (i == j)) < 1e-13);
    }
}

/* Graded by sixteen orders of magnitude, the smallest eigenvalue still has its digits: diag(1, 1e-8) R diag(1, 1e-8). */
static void keeps_small_eigenvalues(void **state) {
  (void)state;
  double a[4] = {1, 5e-9, 5e-9, 1e-16}, values[2], vectors[4];
  assert_int_equal(lfm_eigen_symmetric(2, a, values, vectors), LFM_OK);
  double smallest = fmin(values[0], values[1]); /* det / trace to first order: 0.75e-16 / (1 + 0.25e-16) */
  assert_true(fabs(smallest / 0.75e-16 - 1) < 1e-12);
}

static void fails_on_what_is_not_finite(void **state) {
  (void)state;
  double a[4] = {1, INFINITY, INFINITY, 1}, values[2], vectors[4], one = 5;
  assert_failure(lfm_eigen_symmetric(2, a, values, vectors), LFM_E_NUMERIC, "eigenvalues of a 2 x 2 matrix did not converge");
  assert_int_equal(lfm_eigen_symmetric(1, &one, values, vectors), LFM_OK);
  assert_true(values[0] == 5 && vectors[0] == 1);
  double b[4] = {1, INFINITY, INFINITY, 1};
  assert_failure(lfm_eigen_values(2, b, values, vectors), LFM_E_NUMERIC, "eigenvalues of a 2 x 2 matrix did not converge");
  assert_int_equal(lfm_eigen_values(1, &one, values, vectors), LFM_OK);
  assert_true(values[0] == 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_known_eigenvalues),     cmocka_unit_test(values_alone_are_the_same),
      cmocka_unit_test(rebuilds_the_matrix),         cmocka_unit_test(keeps_small_eigenvalues),
      cmocka_unit_test(fails_on_what_is_not_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
