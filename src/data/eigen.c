/* SPDX-License-Identifier: MIT
 *
 * eigen.c -- the symmetric eigenproblem by cyclic Jacobi rotations  [Golub and Van Loan, Matrix Computations, 8.5].
 * Needed once, for the whitening of a few dozen columns (data/normaliser.c).  Jacobi gives small eigenvalues of a scaled
 * covariance to high relative accuracy, which the log-determinant wants, and is forty lines; LAPACK would be a new
 * dependency for one call of some milliseconds.  Cost: about 6 sweeps of 6 n^3 operations; beyond a thousand columns
 * a tridiagonal method would be due.
 */
#include "data/eigen.h"

#include <math.h>
#include <string.h>

/* Rotates rows (step 1 along them, stride n between) or columns p and q of m: x_p = c x_p - s x_q, x_q = s x_p + c x_q. */
static void rotate(double *p, double *q, int64_t n, int64_t step, double c, double s) {
  for (int64_t i = 0; i < n; i++) {
    double at_p = p[i * step], at_q = q[i * step];
    p[i * step] = c * at_p - s * at_q;
    q[i * step] = s * at_p + c * at_q;
  }
}

/* The rotation that makes a[p, q] zero, applied from both sides; the vectors gather it. */
static void annihilate(int64_t n, double *a, double *vectors_t, int64_t p, int64_t q) {
  double off = a[p * n + q];
  double theta = (a[q * n + q] - a[p * n + p]) / (2 * off);
  double t = (theta < 0 ? -1.0 : 1.0) / (fabs(theta) + hypot(theta, 1.0));
  double c = 1 / hypot(t, 1.0), s = t * c;
  rotate(a + p * n, a + q * n, n, 1, c, s);
  rotate(a + p, a + q, n, n, c, s);
  rotate(vectors_t + p * n, vectors_t + q * n, n, 1, c, s);
  a[p * n + q] = a[q * n + p] = 0;
}

/* One pass over the upper triangle; false when every element there was negligible against its diagonal. */
static bool sweep(int64_t n, double *a, double *vectors_t) {
  bool rotated = false;
  for (int64_t p = 0; p < n; p++)
    for (int64_t q = p + 1; q < n; q++) {
      double negligible = 0x1p-53 * sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q]));
      if (fabs(a[p * n + q]) <= negligible) continue;
      annihilate(n, a, vectors_t, p, q);
      rotated = true;
    }
  return rotated;
}

static void transpose(int64_t n, double *m) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) {
      double kept = m[i * n + j];
      m[i * n + j] = m[j * n + i];
      m[j * n + i] = kept;
    }
}

lfm_status lfm_eigen_symmetric(int64_t n, double *a, double *values, double *vectors) {
  memset(vectors, 0, (size_t)n * (size_t)n * sizeof *vectors);
  for (int64_t i = 0; i < n; i++) vectors[i * n + i] = 1;
  int left = 60; /* sweeps; convergence is quadratic, about 8 are needed */
  while (left > 0 && sweep(n, a, vectors)) left--;
  bool converged = left > 0;
  for (int64_t i = 0; i < n; i++) {
    values[i] = a[i * n + i];
    converged &= isfinite(values[i]) != 0;
  }
  transpose(n, vectors); /* kept by rows so far: rotations run along memory */
  return converged
             ? LFM_OK
             : lfm_fail(LFM_E_NUMERIC, "eigenvalues of a %lld x %lld matrix did not converge", (long long)n, (long long)n);
}
