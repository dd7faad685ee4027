/* SPDX-License-Identifier: MIT
 *
 * order.h -- numbers by size: the lesser, the greater, parts, the next multiple, rows evenly spaced; orders for qsort, of
 * doubles, in which NaN equals everything (whoever may have one looks for it first), and of whole numbers.
 */
#ifndef LFM_CORE_ORDER_H
#define LFM_CORE_ORDER_H

#include <stdint.h>

static inline int64_t lfm_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t lfm_most(int64_t a, int64_t b) { return a > b ? a : b; }

static inline int64_t lfm_parts_of(int64_t n, int64_t part) {
  return (n + part - 1) / part;
} /* n >= 0; the last may be less */
static inline int64_t lfm_rounded_up(int64_t n, int64_t to) { return lfm_parts_of(n, to) * to; } /* to a multiple */

/* The i-th of COUNT rows that are evenly spaced among ROWS: floor(i rows / count), whose product may have no room. */
static inline int64_t lfm_spaced(int64_t i, int64_t rows, int64_t count) {
  return rows / count * i + rows % count * i / count;
}

static inline int lfm_by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline int lfm_by_bits(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

#endif
