/* SPDX-License-Identifier: MIT
 *
 * axis.c -- ranges and round tick values (Heckbert's nice numbers, Graphics Gems I): steps of 1, 2 or 5 times a power of ten.
 */
#include "report/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MOST = 1e300; /* beyond it, and below its inverse, ranges and steps would overflow */

static double clip(double value, bool log) { return fmin(fmax(value, log ? 1 / MOST : -MOST), MOST); }

lfm_axis lfm_axis_make(double low, double high, double margin, bool log) {
  if (!(low <= high) || !isfinite(low) || !isfinite(high) || (log && !(low > 0))) low = log ? 0.1 : 0, high = 1;
  low = clip(low, log), high = clip(high, log);
  if (high - low <= fmax(1e-12 * fmax(fabs(low), fabs(high)), 1 / MOST)) {
    double half = fabs(low) < 1 / MOST ? 0.5 : 0.1 * fabs(low);
    low -= half, high += half;
  }
  if (log) {
    double factor = pow(10, margin * (log10(high) - log10(low)));
    return (lfm_axis){clip(low / factor, true), clip(high * factor, true), 0, 1, true};
  }
  double pad = margin * (high - low);
  return (lfm_axis){low - pad, high + pad, 0, 1, false};
}

double lfm_axis_place(const lfm_axis *axis, double value) {
  value = clip(value, axis->log);
  double s = axis->log ? (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low))
                       : (value - axis->low) / (axis->high - axis->low);
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
  out->decimals = -(int)floor(log10(step * 1.0001));
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
  out->powers = true;
}

void lfm_axis_ticks(const lfm_axis *axis, int wish, lfm_ticks *out) {
  memset(out, 0, sizeof *out);
  if (axis->log && axis->high / axis->low >= 10) log_ticks(axis, wish, out);
  else linear_ticks(axis, wish, out);
}

/* "3x10^5" in Unicode, the mantissa to so many digits at most; one of 1 is left out. */
static void power_text(double value, int mantissa_digits, char *out, size_t size) {
  static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  int power = (int)floor(log10(fabs(value)) + 1e-9), digits = power < 0 ? -power : power;
  char lead[32];
  snprintf(lead, sizeof lead, "%.*g", mantissa_digits, value / pow(10, power));
  const char *hundreds = digits >= 100 ? raised[digits / 100 % 10] : "", *tens = digits >= 10 ? raised[digits / 10 % 10] : "";
  snprintf(out, size, "%s%s10%s%s%s%s", strcmp(lead, "1") ? lead : "", strcmp(lead, "1") ? "×" : "", power < 0 ? "⁻" : "",
           hundreds, tens, raised[digits % 10]);
}

/* Neighbours must differ: far from 0 their mantissas need many digits, and plain numbers may then be as short. */
static void linear_text(const lfm_ticks *ticks, double value, double largest, char *out, size_t size) {
  int before = (int)floor(log10(largest) + 1e-9), behind = ticks->decimals > 0 ? ticks->decimals : 0;
  int mantissa = before + ticks->decimals; /* digits behind its point */
  int plain = (before > 0 ? before : 0) + 2 + behind, power = mantissa + 6;
  bool small = largest < 1e6 && behind <= 4;
  if (small || (mantissa > 2 && plain <= power)) snprintf(out, size, "%.*f", behind, value);
  else power_text(value, mantissa > 2 ? mantissa + 1 : 3, out, size);
}

void lfm_axis_number(const lfm_ticks *ticks, int index, char *out, size_t size) {
  double value = ticks->at[index], largest = fmax(fabs(ticks->at[0]), fabs(ticks->at[ticks->count - 1]));
  char text[64];
  if (!ticks->powers && fabs(value) <= 1e-9 * largest) snprintf(text, sizeof text, "0");
  else if (!ticks->powers) linear_text(ticks, value, largest, text, sizeof text);
  else if (fabs(value) >= 0.00099 && fabs(value) < 10001) snprintf(text, sizeof text, "%.6g", value);
  else power_text(value, 3, text, sizeof text);
  if (text[0] == '-') snprintf(out, size, "−%s", text + 1);
  else snprintf(out, size, "%s", text);
}
