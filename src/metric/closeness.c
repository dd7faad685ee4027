/* SPDX-License-Identifier: MIT
 *
 * closeness.c -- distances to the closest record, of generated rows beside held-out ones.
 *   closer     the Mann-Whitney statistic: the mean over generated rows of the share of held-out rows that are farther; its
 *              standard error from the spread of these shares on both sides  [DeLong et al. 1988], which says 0 where the
 *              sides do not overlap
 *   memorised  how many generated rows fall below a low quantile of the held-out ones: a few copies among many honest rows
 *              move no mean and no median, but they show here
 * All training rows count, never a sample of them: a copy is found only beside what it is a copy of.  A generator whose rows
 * are dull (near the middle of everything) comes close without copying: look at the pictures, too.
 */
#include "metric/closeness.h"

#include <math.h>
#include <stdlib.h>

enum { FARTHER = 100 }; /* one held-out row in so many is a near one */

static int by_size(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return a < b ? -1 : a > b;
}

static double median(const float *sorted, int64_t count) {
  return 0.5 * (sqrt((double)sorted[(count - 1) / 2]) + sqrt((double)sorted[count / 2]));
}

/* How many of `sorted` are below `value`; or, with_equal, not above it. */
static int64_t count_below(const float *sorted, int64_t count, float value, bool with_equal) {
  int64_t low = 0, high = count;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (sorted[middle] < value || (with_equal && sorted[middle] == value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The mean and variance over `of` of the share of `among` that is larger, ties by half. */
static void place(const float *of, int64_t rows, const float *among, int64_t count, double *mean, double *variance) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < rows; i++) {
    double below = (double)(count_below(among, count, of[i], false) + count_below(among, count, of[i], true));
    double larger = 1 - 0.5 * below / (double)count;
    sum += larger;
    squares += larger * larger;
  }
  *mean = sum / (double)rows;
  *variance = fmax(0, squares - sum * *mean) / (double)(rows - 1);
}

/* A share that wavers with the rows of both sides does so as much as one of so many rows. */
static double rows_of_both(int64_t rows, int64_t others) { return (double)rows * (double)others / (double)(rows + others); }

/* At an end the interval is Wilson's, so that it has a width without any spread; in the middle that adds nothing. */
static lfm_summary chance_closer(const float *generated, int64_t rows, const float *heldout, int64_t others) {
  double mean, opposite, of_generated, of_heldout, least, most;
  place(generated, rows, heldout, others, &mean, &of_generated);
  place(heldout, others, generated, rows, &opposite, &of_heldout);
  double se = sqrt(of_generated / (double)rows + of_heldout / (double)others), reach = lfm_student_975(INT32_MAX) * se;
  lfm_summary_wilson(1.0, rows_of_both(rows, others), &least, &most);
  return (lfm_summary){.count = rows,
                       .clusters = rows,
                       .mean = mean,
                       .se = se,
                       .low = fmax(0, fmin(mean - reach, mean * least)),
                       .high = fmin(1, fmax(mean + reach, 1 - (1 - mean) * least))};
}

/* The threshold is one of the held-out rows and wavers as a share of these does. */
static lfm_share share_nearer(const float *generated, int64_t rows, float than, int64_t others) {
  int64_t nearer = count_below(generated, rows, than, false);
  lfm_share share = lfm_summary_share(nearer, rows);
  lfm_summary_wilson(share.share, rows_of_both(rows, others), &share.low, &share.high);
  return share;
}

lfm_status lfm_closeness_compare(float *generated, int64_t rows, float *heldout, int64_t others, lfm_closeness *out) {
  if (rows < 2 || others < 2)
    return lfm_fail(LFM_E_DATA, "closeness: %lld generated and %lld held-out rows; two of each are due", (long long)rows,
                    (long long)others);
  qsort(generated, (size_t)rows, sizeof *generated, by_size);
  qsort(heldout, (size_t)others, sizeof *heldout, by_size);
  int64_t rank = (others + FARTHER - 1) / FARTHER;
  *out = (lfm_closeness){.generated = median(generated, rows),
                         .heldout = median(heldout, others),
                         .closer = chance_closer(generated, rows, heldout, others),
                         .memorised_due = (double)rank / (double)(others + 1),
                         .copies = count_below(generated, rows, 0.0f, true)};
  out->memorised = share_nearer(generated, rows, heldout[rank - 1], others);
  return LFM_OK;
}
