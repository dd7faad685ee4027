/* SPDX-License-Identifier: MIT
 *
 * order.h -- numbers by size, for qsort.  NaN equals everything: whoever may have one looks for it first.
 */
#ifndef LFM_CORE_ORDER_H
#define LFM_CORE_ORDER_H

static inline int lfm_by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

#endif
