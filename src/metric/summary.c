/* SPDX-License-Identifier: MIT
 *
 * summary.c -- how sure a mean is.
 * Rows cut from one picture or one recording are not independent, so the unit is the cluster:
 *   se = sqrt( G / (G - 1) sum_g (sum_{i in g} (v_i - mean))^2 ) / n      [Liang and Zeger 1986, for a mean]
 * which is sd / sqrt(n) when every row is its own cluster.  Refused: the mean of the cluster means, which would weigh rows by
 * the size of their cluster and so estimate another number.
 */
#include "metric/summary.h"
#include "core/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NORMAL_975 = 1.959963984540054;

typedef struct residual {
  double group, value;
  int64_t row; /* breaks ties, so that sums run in row order */
} residual;

static int by_group(const void *left, const void *right) {
  const residual *a = left, *b = right;
  if (a->group != b->group) return a->group < b->group ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

double lfm_student_975(int64_t degrees) {
  if (degrees <= 1) return 12.706204736;
  if (degrees == 2) return 4.302652730;
  const double z = NORMAL_975; /* Cornish and Fisher's expansion around it */
  double n = (double)degrees, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * n * n * n * n);
}

/* The sum over clusters of squared sums of residuals. */
static lfm_status clustered_squares(const double *values, const double *group, int64_t count, double mean, double *squares,
                                    int64_t *clusters) {
  residual *sorted;
  LFM_TRY(LFM_ALLOC(&sorted, count));
  for (int64_t i = 0; i < count; i++) sorted[i] = (residual){group[i], values[i] - mean, i};
  qsort(sorted, (size_t)count, sizeof *sorted, by_group);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    sum += sorted[i].value;
    if (i + 1 < count && sorted[i + 1].group == sorted[i].group) continue;
    *squares += sum * sum;
    *clusters += 1;
    sum = 0;
  }
  lfm_free(sorted);
  return LFM_OK;
}

static lfm_status check_values(const double *values, const double *group, int64_t count) {
  if (count < 1) return lfm_fail(LFM_E_DATA, "summary: there is no value to take the mean of");
  for (int64_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) return lfm_fail(LFM_E_DATA, "summary: value %lld is %g", (long long)i, values[i]);
    if (group && !isfinite(group[i]))
      return lfm_fail(LFM_E_DATA, "summary: the group of row %lld is %g", (long long)i, group[i]);
  }
  return LFM_OK;
}

lfm_status lfm_summary_mean(const double *values, const double *group, int64_t count, lfm_summary *out) {
  LFM_TRY(check_values(values, group, count));
  double sum = 0, squares = 0, n = (double)count;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  *out = (lfm_summary){.count = count, .mean = sum / n, .se = NAN, .low = NAN, .high = NAN};
  if (group) {
    LFM_TRY(clustered_squares(values, group, count, out->mean, &squares, &out->clusters));
  } else {
    for (int64_t i = 0; i < count; i++) squares += (values[i] - out->mean) * (values[i] - out->mean);
    out->clusters = count;
  }
  if (out->clusters < 2) return LFM_OK;
  double units = (double)out->clusters, t = lfm_student_975(out->clusters - 1);
  out->se = sqrt(units / (units - 1) * squares) / n;
  out->low = out->mean - t * out->se;
  out->high = out->mean + t * out->se;
  return LFM_OK;
}

lfm_status lfm_summary_paired(const double *a, const double *b, const double *group, int64_t count, lfm_summary *out) {
  double *difference;
  LFM_TRY(LFM_ALLOC(&difference, count < 0 ? 0 : count));
  for (int64_t i = 0; i < count; i++) difference[i] = a[i] - b[i];
  lfm_status status = lfm_summary_mean(difference, group, count, out);
  lfm_free(difference);
  return status;
}

void lfm_summary_wilson(double p, double n, double *low, double *high) {
  const double z = NORMAL_975, shrink = 1 + z * z / n;
  double middle = (p + 0.5 * z * z / n) / shrink, half = z / shrink * sqrt(p * (1 - p) / n + 0.25 * z * z / (n * n));
  *low = fmax(0, middle - half);
  *high = fmin(1, middle + half);
}

lfm_share lfm_summary_share(int64_t right, int64_t rows) {
  if (!rows) return (lfm_share){0};
  lfm_share out = {.of = rows, .count = right, .share = (double)right / (double)rows};
  lfm_summary_wilson(out.share, (double)rows, &out.low, &out.high);
  return out;
}
