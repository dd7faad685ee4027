/* SPDX-License-Identifier: MIT
 *
 * eigen.c -- the symmetric eigenproblem by cyclic Jacobi rotations  [Golub and Van Loan, Matrix Computations, 8.5].
 * Needed once, for the whitening of a few dozen columns (data/normaliser.c).  Jacobi gives small eigenvalues of a scaled
 * covariance to high relative accuracy, which the log-determinant wants, and is forty lines; LAPACK would be a new
 * dependency for one call of some milliseconds.  Cost: about 6 sweeps of 6 n^3 operations.
 *
 * Where eigenvalues alone are wanted, by the dozen of matrices (metric/frechet.c), a tridiagonal matrix of the same ones is
 * made first, in 2 n^3 operations, and solved by the implicit QL method in some 20 n^2  [8.3.1 and 8.3.5 there].
 */
#include "data/eigen.h"
#include "core/vmath.h"

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

/* ---- eigenvalues alone ----------------------------------------------------------------------------------------- */

/* rest [m, m] (rows n apart) becomes H rest H, H = I - 2 v v^T / (v^T v), whose square `length` is; w [m] is scratch. */
LFM_VECTOR
static void reflect(int64_t n, int64_t m, const double *restrict v, double length, double *restrict w,
                    double *restrict rest) {
  double along = 0;
  memset(w, 0, (size_t)m * sizeof *w);
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = 0; i < m; i++) w[i] += v[j] * rest[j * n + i];
  for (int64_t i = 0; i < m; i++) along += w[i] * v[i];
  for (int64_t i = 0; i < m; i++) w[i] = 2 / length * (w[i] - along / length * v[i]);
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = 0; i < m; i++) rest[j * n + i] -= v[j] * w[i] + w[j] * v[i];
}

/* d [n] and e [n]: diagonal and, but for the last, neighbours of a tridiagonal matrix with the eigenvalues of a; w [n]
 * scratch. */
static void make_tridiagonal(int64_t n, double *a, double *d, double *e, double *w) {
  for (int64_t k = 0; k + 1 < n; k++) {
    double *v = a + k * n + k + 1, norm = 0, length;
    int64_t m = n - k - 1;
    d[k] = a[k * n + k];
    for (int64_t i = 0; i < m; i++) norm += v[i] * v[i];
    e[k] = v[0] > 0 ? -sqrt(norm) : sqrt(norm);
    length = 2 * (norm - e[k] * v[0]);
    v[0] -= e[k];
    if (length > 0) reflect(n, m, v, length, w, a + (k + 1) * n + k + 1);
  }
  d[n - 1] = a[n * n - 1];
}

/* One step on the rows first .. last, shifted by an eigenvalue of the first two. */
static void ql_step(int64_t first, int64_t last, double *d, double *e) {
  double slope = (d[first + 1] - d[first]) / (2 * e[first]);
  double g = d[last] - d[first] + e[first] / (slope + copysign(hypot(slope, 1), slope)), s = 1, c = 1, p = 0;
  for (int64_t i = last - 1; i >= first; i--) {
    double f = s * e[i], b = c * e[i], r = hypot(f, g);
    e[i + 1] = i + 1 < last ? r : 0;
    if (r == 0) { /* it has come apart */
      d[i + 1] -= p;
      return;
    }
    s = f / r, c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
  }
  d[first] -= p;
  e[first] = g;
}

static double largest(int64_t n, const double *d, const double *e) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(d[i]) + (i + 1 < n ? fabs(e[i]) : 0));
  return most;
}

lfm_status lfm_eigen_values(int64_t n, double *a, double *values, double *scratch) {
  double *e = scratch, *w = e + n;
  make_tridiagonal(n, a, values, e, w);
  double nothing = 0x1p-70 * largest(n, values, e);
  for (int64_t first = 0; first < n; first++)
    for (int left = 60;; left--) {
      int64_t last = first;
      while (last + 1 < n && !(fabs(e[last]) <= 0x1p-53 * (fabs(values[last]) + fabs(values[last + 1])) + nothing)) last++;
      if (last == first && isfinite(values[first])) break;
      if (last == first || left == 0)
        return lfm_fail(LFM_E_NUMERIC, "eigenvalues of a %lld x %lld matrix did not converge", (long long)n, (long long)n);
      ql_step(first, last, values, e);
    }
  return LFM_OK;
}
