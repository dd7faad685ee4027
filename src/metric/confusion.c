/* SPDX-License-Identifier: MIT
 *
 * confusion.c -- what a judge says of labelled rows, counted.
 * The judge is any classifier: one of real pictures asked about generated ones, or one of generated pictures asked about
 * real ones.  The accuracy is a binomial share over independent rows, hence Wilson's interval (metric/summary.c); where both
 * judges saw the same rows, compare them row by row (lfm_summary_paired), which is sharper than two intervals.
 */
#include "metric/confusion.h"

#include <math.h>
#include <string.h>

lfm_status lfm_confusion_count(const int32_t *truth, const int32_t *said, int64_t rows, int32_t classes, int64_t *table,
                               lfm_share *accuracy) {
  if (rows < 1 || classes < 1)
    return lfm_fail(LFM_E_DATA, "judge: %lld rows of %d classes; there is nothing to count", (long long)rows, (int)classes);
  memset(table, 0, (size_t)classes * (size_t)classes * sizeof *table);
  int64_t right = 0;
  for (int64_t i = 0; i < rows; i++) {
    if (truth[i] < 0 || truth[i] >= classes || said[i] < 0 || said[i] >= classes)
      return lfm_fail(LFM_E_DATA, "judge: row %lld is of class %d and called %d; classes are 0 to %d", (long long)i,
                      (int)truth[i], (int)said[i], (int)classes - 1);
    table[(int64_t)truth[i] * classes + said[i]]++;
    right += truth[i] == said[i];
  }
  *accuracy = lfm_summary_share(right, rows);
  return LFM_OK;
}

lfm_status lfm_confusion_choose(const float *scores, int64_t rows, int32_t classes, int32_t *said) {
  if (classes < 1) return lfm_fail(LFM_E_DATA, "judge: %d classes; there is nothing to choose from", (int)classes);
  for (int64_t i = 0; i < rows; i++) {
    said[i] = 0;
    for (int32_t k = 0; k < classes; k++) {
      float score = scores[i * classes + k];
      if (isnan(score)) return lfm_fail(LFM_E_DATA, "judge: score %d of row %lld is not a number", (int)k, (long long)i);
      if (score > scores[i * classes + said[i]]) said[i] = k;
    }
  }
  return LFM_OK;
}
