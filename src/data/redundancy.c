/* SPDX-License-Identifier: MIT
 *
 * redundancy.c -- copies of rows, and columns that follow from others (redundancy.h).
 * Both leave a density without a bound: a point that has a share of the rows, a plane that has all of them.  A network that
 * is trained longer only ends at a lower NLL, and held-out rows do not tell, because they have the same copies and lie in the
 * same plane.
 *   rows      a 64-bit hash of each, sorted: O(n log n); two different rows are taken for one with a chance below 1e-6
 *   columns   the correlations' Cholesky factor, in the table's order: what is left of a column on the diagonal is what the
 *             columns before it do not say; O(n d^2) of evenly spaced rows, as many as a tenth of a second allows
 * Refused: the eigenvectors of the covariance, which say that columns depend on each other, but not which of them to drop.
 */
#include "data/redundancy.h"

#include "core/alloc.h"
#include "core/order.h"
#include "data/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHARE 0.01  /* of copies, to be worth a word */
#define LEAST_LEFT 1e-6   /* of a column's variance: a thousandth of its spread, and more than rounding usually leaves */
#define LEAST_WEIGHT 1e-3 /* of a column in another, both standardised, to be named */
#define MOST_PRODUCTS 300000000 /* of the correlations */

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* [Steele, Lea, Flood 2014: splitmix64] */
static uint64_t mix(uint64_t h) {
  h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
  return h ^ h >> 31;
}

static uint64_t hash_row(const double *x, int64_t cols) {
  uint64_t hash = 0, bits;
  for (int64_t j = 0; j < cols; j++) {
    double value = x[j] == 0 ? 0 : x[j]; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    hash = mix(hash + UINT64_C(0x9E3779B97F4A7C15) + bits);
  }
  return hash;
}

static lfm_status count_copies(const double *x, int64_t rows, int64_t cols, const double *group, int64_t *copies) {
  uint64_t *hash;
  *copies = 0;
  LFM_TRY(LFM_ALLOC_ROWS(&hash, rows));
  for (int64_t i = 0; i < rows; i++) hash[i] = hash_row(x + i * cols, cols) + (group ? hash_row(group + i, 1) : 0);
  qsort(hash, (size_t)rows, sizeof *hash, lfm_by_bits);
  for (int64_t i = 1; i < rows; i++) *copies += hash[i] == hash[i - 1];
  lfm_free(hash);
  return LFM_OK;
}

/* Rows that are copies, less those that are copies within their group. */
lfm_status lfm_redundant_rows(const double *x, int64_t rows, int64_t cols, const double *group, int64_t *copies) {
  int64_t within = 0;
  LFM_TRY(count_copies(x, rows, cols, NULL, copies));
  if (group) LFM_TRY(count_copies(x, rows, cols, group, &within));
  *copies -= within;
  return LFM_OK;
}

lfm_status lfm_shared_rows(const double *x, int64_t rows, const double *y, int64_t others, int64_t cols, int64_t *shared) {
  uint64_t *hash;
  *shared = 0;
  LFM_TRY(LFM_ALLOC_ROWS(&hash, rows));
  for (int64_t i = 0; i < rows; i++) hash[i] = hash_row(x + i * cols, cols);
  qsort(hash, (size_t)rows, sizeof *hash, lfm_by_bits);
  for (int64_t i = 0; i < others; i++) {
    uint64_t other = hash_row(y + i * cols, cols);
    *shared += bsearch(&other, hash, (size_t)rows, sizeof *hash, lfm_by_bits) != NULL;
  }
  lfm_free(hash);
  return LFM_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

typedef struct factor {
  const double *x;
  int64_t rows, cols, taken; /* of the rows so many, evenly spaced, are looked at */
  double *mean, *sd;         /* [cols]; sd 0: constant */
  double *l;                 /* [cols, cols] correlations, then their factor; columns without a pivot are 0 */
  double *weight;            /* [cols] of the columns before in one column */
} factor;

static const double *row_of(const factor *f, int64_t i) { return f->x + lfm_spaced(i, f->rows, f->taken) * f->cols; }

static void take_moments(factor *f) {
  double n = (double)f->taken;
  for (int64_t i = 0; i < f->taken; i++)
    for (int64_t j = 0; j < f->cols; j++) f->mean[j] += row_of(f, i)[j] / n;
  for (int64_t i = 0; i < f->taken; i++)
    for (int64_t j = 0; j < f->cols; j++) {
      double off = row_of(f, i)[j] - f->mean[j];
      f->sd[j] += off * off / n;
    }
  for (int64_t j = 0; j < f->cols; j++) {
    f->sd[j] = sqrt(f->sd[j]);
    if (!isnormal(f->sd[j]) || f->sd[j] < 1e-14 * fabs(f->mean[j])) f->sd[j] = 0; /* rounding of a constant */
  }
}

static void correlate(factor *f) {
  int64_t d = f->cols;
  double *z = f->weight;
  for (int64_t i = 0; i < f->taken; i++) {
    const double *x = row_of(f, i);
    for (int64_t j = 0; j < d; j++) z[j] = f->sd[j] > 0 ? (x[j] - f->mean[j]) / f->sd[j] : 0;
    for (int64_t j = 0; j < d; j++)
      for (int64_t k = 0; k <= j; k++) f->l[j * d + k] += z[j] * z[k];
  }
  for (int64_t j = 0; j < d * d; j++) f->l[j] /= (double)f->taken;
}

/* Row j of the factor; true when the columns before it leave nothing of column j, which then is no pivot. */
static bool follows(factor *f, int64_t j) {
  double *own = f->l + j * f->cols, left = own[j];
  for (int64_t k = 0; k < j; k++) {
    const double *other = f->l + k * f->cols;
    double sum = own[k];
    for (int64_t i = 0; i < k; i++) sum -= own[i] * other[i];
    own[k] = other[k] > 0 ? sum / other[k] : 0;
    left -= own[k] * own[k];
  }
  own[j] = f->sd[j] > 0 && left >= LEAST_LEFT ? sqrt(left) : 0;
  return f->sd[j] > 0 && own[j] == 0;
}

/* Column j as a sum of those before it: L' w = row j of the factor, backwards. */
static void solve_weights(const factor *f, int64_t j) {
  for (int64_t k = j - 1; k >= 0; k--) {
    double sum = f->l[j * f->cols + k], pivot = f->l[k * f->cols + k];
    for (int64_t i = k + 1; i < j; i++) sum -= f->l[i * f->cols + k] * f->weight[i];
    f->weight[k] = pivot > 0 ? sum / pivot : 0;
  }
}

/* "b (of a, c)" behind what the list holds; as far as there is room. */
static void list_column(const factor *f, int64_t j, char *const *names, char *list, size_t size) {
  char quoted[LFM_QUOTE_MAX];
  size_t used = strlen(list);
  int behind =
      snprintf(list + used, size - used, "%s%s (of", used ? ", " : "", lfm_quote(names[j], strlen(names[j]), quoted));
  for (int64_t k = 0, count = 0; k < j && behind >= 0; k++) {
    if (fabs(f->weight[k]) < LEAST_WEIGHT) continue;
    used = strlen(list);
    behind = snprintf(list + used, size - used, "%s %s", count++ ? "," : "", lfm_quote(names[k], strlen(names[k]), quoted));
  }
  used = strlen(list);
  snprintf(list + used, size - used, ")");
}

static lfm_status make_room(factor *f) {
  LFM_TRY(LFM_ALLOC(&f->mean, f->cols));
  LFM_TRY(LFM_ALLOC(&f->sd, f->cols));
  LFM_TRY(LFM_ALLOC(&f->weight, f->cols));
  return LFM_ALLOC(&f->l, f->cols * f->cols);
}

lfm_status lfm_redundant_columns(const double *x, int64_t rows, int64_t cols, char *const *names, int64_t *count, char *list,
                                 size_t size) {
  int64_t affordable = MOST_PRODUCTS / (cols * cols);
  factor f = {.x = x, .rows = rows, .cols = cols, .taken = rows < affordable ? rows : affordable};
  list[0] = 0;
  *count = 0;
  if (f.taken < 2 * cols + 2) return LFM_OK; /* few rows lie in a plane whatever they are */
  lfm_status status = make_room(&f);
  if (status == LFM_OK) {
    take_moments(&f);
    correlate(&f);
  }
  for (int64_t j = 0; status == LFM_OK && j < cols; j++) {
    if (!follows(&f, j)) continue;
    ++*count;
    solve_weights(&f, j);
    list_column(&f, j, names, list, size);
  }
  lfm_free(f.mean);
  lfm_free(f.sd);
  lfm_free(f.weight);
  lfm_free(f.l);
  return status;
}

/* ---- the warnings ---------------------------------------------------------------------------------------------- */

static lfm_status warn_of_rows(const double *x, int64_t rows, int64_t cols, const double *group, const char *advice) {
  int64_t copies;
  if (cols < 2) return LFM_OK; /* equal values of one column are told as such */
  if (rows > LFM_MOST_COMPARED_ROWS)
    return lfm_note(LFM_NOTE, "%lld rows are too many to look for copies among them", (long long)rows), LFM_OK;
  LFM_TRY(lfm_redundant_rows(x, rows, cols, group, &copies));
  double share = (double)copies / (double)rows;
  if (share > LEAST_SHARE)
    lfm_note(LFM_WARNING, "%lld of %lld rows (%.3g %%) are exact copies of others%s: %s", (long long)copies, (long long)rows,
             100 * share, group ? " in other groups" : "", advice);
  return LFM_OK;
}

static lfm_status warn_of_columns(const double *x, int64_t rows, int64_t cols, char *const *names) {
  int64_t count;
  char list[512];
  if (cols > LFM_MOST_COMPARED_COLUMNS)
    return lfm_note(LFM_NOTE, "%lld columns are too many to look for linear functions among them", (long long)cols), LFM_OK;
  LFM_TRY(lfm_redundant_columns(x, rows, cols, names, &count, list, sizeof list));
  if (count)
    lfm_note(LFM_WARNING,
             "%lld column%s linear function%s of others, to a thousandth of the spread: %s; such rows lie in a plane, "
             "and no NLL of theirs means anything (--drop)",
             (long long)count, count > 1 ? "s are" : " is a", count > 1 ? "s" : "", list);
  return LFM_OK;
}

lfm_status lfm_redundancy_warn(const double *x, int64_t rows, int64_t cols, char *const *names, const double *group,
                               const char *advice) {
  LFM_TRY(warn_of_rows(x, rows, cols, group, advice));
  return warn_of_columns(x, rows, cols, names);
}
