/* SPDX-License-Identifier: MIT
 *
 * gaussian.c -- the full-covariance Gaussian through its Cholesky factor L:
 *   log p(x) = -|z|^2 / 2 - sum log L_ii - d/2 log 2 pi,  L z = x - mean;   a draw is mean + L z with z ~ N(0, I).
 * Two passes for the covariance (mean first), in double and in row order.  Refused: eigenvectors, which cost ten times as
 * much and add nothing that a density needs.
 */
#include "metric/gaussian.h"
#include "core/alloc.h"
#include "core/vmath.h"
#include "metric/normal.h"

#include <string.h>

static lfm_status make(int64_t dim, lfm_gaussian **out) {
  *out = NULL;
  if (dim < 1 || dim > 65536) return lfm_fail(LFM_E_USAGE, "gaussian: %lld dimensions; give 1 to 65536", (long long)dim);
  lfm_gaussian *gaussian;
  LFM_TRY(LFM_ALLOC(&gaussian, 1));
  gaussian->dim = dim;
  lfm_status status = LFM_ALLOC(&gaussian->mean, dim);
  if (status == LFM_OK) status = LFM_ALLOC(&gaussian->factor, dim * dim);
  if (status != LFM_OK) lfm_gaussian_destroy(gaussian);
  else *out = gaussian;
  return status;
}

void lfm_gaussian_destroy(lfm_gaussian *gaussian) {
  if (!gaussian) return;
  lfm_free(gaussian->mean);
  lfm_free(gaussian->factor);
  lfm_free(gaussian);
}

/* factor = the Cholesky factor of covariance, row by row; the column where it fails, or dim. */
static int64_t factorise(const double *covariance, int64_t dim, double *factor) {
  for (int64_t i = 0; i < dim; i++) {
    double *row = factor + i * dim;
    for (int64_t j = 0; j <= i; j++) {
      const double *other = factor + j * dim;
      double sum = covariance[i * dim + j];
      for (int64_t k = 0; k < j; k++) sum -= row[k] * other[k];
      if (j < i) row[j] = sum / other[j];
      else if (!(sum > 1e-13 * covariance[i * dim + i])) return i; /* what the columns before it leave over is rounding */
      else row[i] = sqrt(sum);
    }
    for (int64_t j = i + 1; j < dim; j++) row[j] = 0;
  }
  return dim;
}

static int64_t set(lfm_gaussian *gaussian, const double *mean, const double *covariance) {
  int64_t dim = gaussian->dim, failed = factorise(covariance, dim, gaussian->factor);
  memcpy(gaussian->mean, mean, (size_t)dim * sizeof *mean);
  gaussian->log_height = -0.5 * (double)dim * log(LFM_TWO_PI);
  for (int64_t i = 0; i < dim && failed == dim; i++) gaussian->log_height -= log(gaussian->factor[i * dim + i]);
  return failed;
}

bool lfm_gaussian_set(lfm_gaussian *gaussian, const double *mean, const double *covariance) {
  return set(gaussian, mean, covariance) == gaussian->dim;
}

lfm_status lfm_gaussian_create(const double *mean, const double *covariance, int64_t dim, lfm_gaussian **out) {
  lfm_gaussian *gaussian;
  *out = NULL;
  LFM_TRY(make(dim, &gaussian));
  int64_t failed = set(gaussian, mean, covariance);
  if (failed < dim) {
    lfm_gaussian_destroy(gaussian);
    return lfm_fail(LFM_E_DATA,
                    "gaussian: column %lld is constant, not finite or a linear function of those before it; drop it",
                    (long long)failed);
  }
  *out = gaussian;
  return LFM_OK;
}

/* mean and covariance [dim, dim] (lower half) of x. */
static void moments(const double *x, int64_t rows, int64_t dim, double *mean, double *covariance, double *centred) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t c = 0; c < dim; c++) mean[c] += x[i * dim + c] / (double)rows;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t c = 0; c < dim; c++) centred[c] = x[i * dim + c] - mean[c];
    for (int64_t a = 0; a < dim; a++)
      for (int64_t b = 0; b <= a; b++) covariance[a * dim + b] += centred[a] * centred[b] / (double)rows;
  }
}

lfm_status lfm_gaussian_fit(const double *x, int64_t rows, int64_t dim, lfm_gaussian **out) {
  *out = NULL;
  if (rows < 1 || dim < 1 || dim > 65536)
    return lfm_fail(LFM_E_DATA, "gaussian: %lld rows of %lld columns; nothing to fit", (long long)rows, (long long)dim);
  double *memory; /* mean, one centred row, covariance */
  LFM_TRY(LFM_ALLOC(&memory, dim * (dim + 2)));
  double *mean = memory, *centred = memory + dim, *covariance = memory + 2 * dim;
  moments(x, rows, dim, mean, covariance, centred);
  lfm_status status = lfm_gaussian_create(mean, covariance, dim, out);
  lfm_free(memory);
  return status;
}

double lfm_gaussian_log(const lfm_gaussian *gaussian, const double *x, double *z) {
  int64_t dim = gaussian->dim;
  double squares = 0;
  for (int64_t i = 0; i < dim; i++) {
    const double *row = gaussian->factor + i * dim;
    double sum = x[i] - gaussian->mean[i];
    for (int64_t k = 0; k < i; k++) sum -= row[k] * z[k];
    z[i] = sum / row[i];
    squares += z[i] * z[i];
  }
  return gaussian->log_height - 0.5 * squares;
}

/* The same sums in the same order, LFM_GAUSSIAN_TILE rows in step. */
LFM_VECTOR static void log_tile(const lfm_gaussian *gaussian, const double *x, double *restrict z, double *restrict logp) {
  enum { TILE = LFM_GAUSSIAN_TILE };
  int64_t dim = gaussian->dim;
  double squares[TILE] = {0};
  for (int64_t i = 0; i < dim; i++) {
    const double *row = gaussian->factor + i * dim;
    double sum[TILE];
    for (int r = 0; r < TILE; r++) sum[r] = x[i * TILE + r] - gaussian->mean[i];
    for (int64_t k = 0; k < i; k++)
      for (int r = 0; r < TILE; r++) sum[r] -= row[k] * z[k * TILE + r];
    for (int r = 0; r < TILE; r++) {
      z[i * TILE + r] = sum[r] / row[i];
      squares[r] += z[i * TILE + r] * z[i * TILE + r];
    }
  }
  for (int r = 0; r < TILE; r++) logp[r] = gaussian->log_height - 0.5 * squares[r];
}

void lfm_gaussian_log_tile(const lfm_gaussian *gaussian, const double *x, double *z, double *logp) {
  log_tile(gaussian, x, z, logp);
}

void lfm_gaussian_sample(const lfm_gaussian *gaussian, const lfm_rng *rng, int64_t row, uint32_t index, double *x) {
  int64_t dim = gaussian->dim;
  double pair[2] = {0};
  memcpy(x, gaussian->mean, (size_t)dim * sizeof *x);
  for (int64_t k = 0; k < dim; k++) { /* x += L z, a column of L at a time */
    if (k % 2 == 0) lfm_normal_pair(rng, row, index + (uint32_t)k, pair);
    for (int64_t i = k; i < dim; i++) x[i] += gaussian->factor[i * dim + k] * pair[k % 2];
  }
}

double lfm_gaussian_entropy(const lfm_gaussian *gaussian) { return 0.5 * (double)gaussian->dim - gaussian->log_height; }
