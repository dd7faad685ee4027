/* SPDX-License-Identifier: MIT
 *
 * axis.c -- ranges and round tick values (Heckbert's nice numbers, Graphics Gems I): steps of 1, 2 or 5 times a power of ten.
 */
#include "report/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

lfm_axis lfm_axis_make(double low, double high, double margin, bool log) {
  if (!(low <= high) || !isfinite(low) || !isfinite(high) || (log && !(low > 0))) low = log ? 0.1 : 0, high = 1;
  if (high - low <= 1e-12 * fmax(fabs(low), fabs(high)) || low == high) {
    double half = low == 0 ? 0.5 : 0.1 * fabs(low);
    low -= half, high += half;
  }
  if (log) {
    double factor = pow(high / low, margin);
    return (lfm_axis){low / factor, high * factor, 0, 1, true};
  }
  double pad = margin * (high - low);
  return (lfm_axis){low - pad, high + pad, 0, 1, false};
}

double lfm_axis_place(const lfm_axis *axis, double value) {
  double s =
      axis->log ? log(value / axis->low) / log(axis->high / axis->low) : (value - axis->low) / (axis->high - axis->low);
  return axis->from + s * (axis->to - axis->from);
}

static void add(lfm_ticks *ticks, const lfm_axis *axis, double value) {
  double slack = 1e-9 * (axis->log ? value : axis->high - axis->low);
  if (ticks->count < LFM_TICKS_MOST && value >= axis->low - slack && value <= axis->high + slack)
    ticks->at[ticks->count++] = value;
}

static void linear_ticks(const lfm_axis *axis, int wish, lfm_ticks *out) {
  double rough = (axis->high - axis->low) / wish, power = pow(10, floor(log10(rough))), lead = rough / power;
  double step = (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
  out->decimals = (int)fmin(12, fmax(0, -floor(log10(step * 1.0001))));
  double first = ceil(axis->low / step - 1e-9);
  for (int i = 0; i < LFM_TICKS_MOST; i++) add(out, axis, (first + i) * step);
}

/* Powers of ten, thinned to `wish`; below two decades also twice and five times each. */
static void log_ticks(const lfm_axis *axis, int wish, lfm_ticks *out) {
  int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));
  int stride = (last - first + wish - 1) / wish;
  bool between = log10(axis->high / axis->low) < 2;
  for (int power = first; power <= last; power += stride < 1 ? 1 : stride) {
    add(out, axis, pow(10, power));
    if (between) add(out, axis, 2 * pow(10, power));
    if (between) add(out, axis, 5 * pow(10, power));
  }
  out->decimals = -1;
}

void lfm_axis_ticks(const lfm_axis *axis, int wish, lfm_ticks *out) {
  memset(out, 0, sizeof *out);
  if (axis->log && axis->high / axis->low >= 10) log_ticks(axis, wish, out);
  else linear_ticks(axis, wish, out);
}

/* "3x10^5" in Unicode; a mantissa of 1 is left out. */
static void power_text(double value, char *out, size_t size) {
  static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  int power = (int)floor(log10(fabs(value)) + 1e-9), digits = power < 0 ? -power : power;
  double mantissa = value / pow(10, power);
  char lead[24] = "";
  if (fabs(mantissa - 1) > 1e-9) snprintf(lead, sizeof lead, "%.3g×", mantissa);
  const char *hundreds = digits >= 100 ? raised[digits / 100 % 10] : "", *tens = digits >= 10 ? raised[digits / 10 % 10] : "";
  snprintf(out, size, "%s10%s%s%s%s", lead, power < 0 ? "⁻" : "", hundreds, tens, raised[digits % 10]);
}

void lfm_axis_number(const lfm_ticks *ticks, int index, char *out, size_t size) {
  double value = ticks->at[index], largest = fmax(fabs(ticks->at[0]), fabs(ticks->at[ticks->count - 1]));
  char text[64];
  if (value == 0 || fabs(value) < 1e-9 * largest) snprintf(text, sizeof text, "0");
  else if (ticks->decimals < 0 && fabs(value) >= 0.00099 && fabs(value) < 10001) snprintf(text, sizeof text, "%.6g", value);
  else if (ticks->decimals < 0 || largest >= 1e6 || ticks->decimals > 4) power_text(value, text, sizeof text);
  else snprintf(text, sizeof text, "%.*f", ticks->decimals, value);
  if (text[0] == '-') snprintf(out, size, "−%s", text + 1);
  else snprintf(out, size, "%s", text);
}
