/* SPDX-License-Identifier: MIT
 *
 * confusion.h -- how often a judge is right: the confusion table and the accuracy with its interval.
 */
#ifndef LFM_METRIC_CONFUSION_H
#define LFM_METRIC_CONFUSION_H

#include "metric/summary.h"

/* table [classes, classes]: how many rows of class i (row of the table) the judge calls j (column).  accuracy: the share of
 * the rows that lie on its diagonal; lfm_summary_share of one row of the table gives the recall of a class.
 *   truth, said [rows] 0 .. classes - 1
 * LFM_E_DATA when there is no row, or a label outside the classes. */
lfm_status lfm_confusion_count(const int32_t *truth, const int32_t *said, int64_t rows, int32_t classes, int64_t *table,
                               lfm_share *accuracy);

/* said [rows]: the class with the highest of its row's scores [rows, classes]; the lowest of equal ones.  LFM_E_DATA when a
 * score is not a number. */
lfm_status lfm_confusion_choose(const float *scores, int64_t rows, int32_t classes, int32_t *said);

#endif
