/* SPDX-License-Identifier: MIT
 *
 * axis.h -- from values to pixels, with round numbers along the way.
 */
#ifndef LFM_REPORT_AXIS_H
#define LFM_REPORT_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lfm_axis {
  double low, high; /* values; low < high, over 0 on a log axis */
  double from, to;  /* pixels */
  bool log;
} lfm_axis;

enum { LFM_TICKS_MOST = 16 };

typedef struct lfm_ticks {
  int count;
  double at[LFM_TICKS_MOST];
  bool powers;  /* of ten; otherwise in equal steps, */
  int decimals; /* of which the last digit is so far behind the point */
} lfm_ticks;

/* The narrowest axis that shows low..high with `margin` of its length on both ends; repairs an empty range. */
lfm_axis lfm_axis_make(double low, double high, double margin, bool log);

double lfm_axis_place(const lfm_axis *axis, double value);

/* Round values inside the axis, about `wish` of them: steps of 1, 2 or 5; on a log axis of a
 * decade or more powers of ten, and between few of them twice and five times each. */
void lfm_axis_ticks(const lfm_axis *axis, int wish, lfm_ticks *out);

/* The number beside a tick, with a true minus sign: "-0.5", "2000", "3e5" as "3x10^5" in Unicode. */
void lfm_axis_number(const lfm_ticks *ticks, int index, char *out, size_t size);

#endif
