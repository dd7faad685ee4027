/* SPDX-License-Identifier: MIT
 *
 * text.c -- numbers and names as text.
 * Reading: a number of at most 19 digits whose value is a whole number below 2^53 times a power of ten up to 10^22 is one
 * exact multiplication or division [Clinger, PLDI 1990]; that is nearly every number of a table.  The rest goes to strtod
 * under the C locale, which glibc rounds correctly.  Own tables for the general case (Eisel-Lemire) were refused: four
 * hundred lines and 10 KB for the few numbers with seventeen digits.
 * Writing: printf under the C locale.  [core/plain.h]
 */
#include "data/text.h"

#include "core/plain.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The parts of a decimal number: sign, digits * 10^exponent. */
typedef struct decimal {
  uint64_t digits; /* the first 19 significant ones */
  int significant; /* how many there were, at most INT_MAX / 2 as texts are bounded */
  int after_point; /* digits after the point, as written */
  int decimals;    /* those up to the last that is not 0 */
  long exponent;   /* the one written behind e, clamped */
  bool has_exponent;
  bool negative;
} decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Takes digits into d; leading zeros are not significant. */
static const char *take_digits(const char *at, const char *end, decimal *d) {
  for (; at < end && is_digit(*at); at++) {
    if (d->significant == 0 && *at == '0') continue;
    if (d->significant < 19) d->digits = d->digits * 10 + (uint64_t)(*at - '0');
    d->significant++;
  }
  return at;
}

static const char *take_exponent(const char *at, const char *end, decimal *d) {
  const char *start = at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end || !is_digit(*at)) return start;
  for (; at < end && is_digit(*at); at++)
    if (d->exponent < 100000) d->exponent = d->exponent * 10 + (*at - '0');
  if (negative) d->exponent = -d->exponent;
  d->has_exponent = true;
  return at;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent, and nothing behind. */
static bool take_decimal(const char *text, size_t size, decimal *d) {
  const char *at = text, *end = text + size;
  if (at < end && (*at == '-' || *at == '+')) d->negative = *at++ == '-';
  const char *whole = at;
  at = take_digits(at, end, d);
  int digits = (int)(at - whole);
  if (at < end && *at == '.') {
    const char *fraction = ++at;
    at = take_digits(at, end, d);
    d->after_point = d->decimals = (int)(at - fraction);
    while (d->decimals > 0 && fraction[d->decimals - 1] == '0') d->decimals--;
    digits += d->after_point;
  }
  if (digits == 0) return false;
  if (at < end && (*at == 'e' || *at == 'E')) at = take_exponent(at, end, d);
  return at == end;
}

static double parse_slowly(const char *text, size_t size) {
  char copy[LFM_DIGITS_MAX + 1];
  memcpy(copy, text, size);
  copy[size] = 0;
  locale_t before = lfm_plain_begin();
  double value = strtod(copy, NULL);
  lfm_plain_end(before);
  return value;
}

static double decimal_value(const decimal *d, const char *text, size_t size) {
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  long exponent = d->exponent - d->after_point;
  if (d->significant > 19 || d->digits > (UINT64_C(1) << 53) || exponent < -22 || exponent > 22)
    return parse_slowly(text, size);
  double value = (double)d->digits;
  value = exponent < 0 ? value / power[-exponent] : value * power[exponent];
  return d->negative ? -value : value;
}

static bool is_word(const char *text, size_t size, const char *word) {
  return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

/* What stands for a number without being one. */
static lfm_field_kind parse_word(const char *text, size_t size, double *value) {
  static const char *const missing[] = {"", "?", "na", "n/a", "nan", "null", "none"};
  bool sign = size > 0 && (*text == '-' || *text == '+');
  const char *bare = text + sign;
  if (is_word(bare, size - sign, "inf") || is_word(bare, size - sign, "infinity")) {
    *value = *text == '-' ? -INFINITY : INFINITY;
    return LFM_FIELD_NUMBER;
  }
  for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
    if (is_word(text, size, missing[i])) return LFM_FIELD_MISSING;
  return is_word(bare, size - sign, "nan") ? LFM_FIELD_MISSING : LFM_FIELD_TEXT;
}

lfm_field_kind lfm_number_parse(const char *text, size_t size, double *value, int *decimals) {
  decimal d = {0};
  *value = NAN;
  *decimals = -1;
  if (size > LFM_DIGITS_MAX) return LFM_FIELD_TEXT;
  if (!take_decimal(text, size, &d)) return parse_word(text, size, value);
  *value = decimal_value(&d, text, size);
  if (!d.has_exponent && d.decimals <= LFM_DECIMALS_MAX) *decimals = d.decimals;
  return LFM_FIELD_NUMBER;
}

/* 6 digits bring every short decimal back, 9 every float32; 15 and 17 do for double. */
static void format_shortest(double value, bool as_single, char *out) {
  bool single = value == 0 || (as_single && fabs(value) >= (double)FLT_MIN && fabs(value) <= (double)FLT_MAX);
  int most = single ? 9 : 17;
  if (single) value = (double)(float)value;
  for (int digits = single ? 6 : 15; digits <= most; digits++) {
    snprintf(out, LFM_NUMBER_MAX, "%.*g", digits, value);
    if (single ? strtof(out, NULL) == (float)value : strtod(out, NULL) == value) return;
  }
}

size_t lfm_number_format(double value, int decimals, char out[LFM_NUMBER_MAX]) {
  locale_t before = lfm_plain_begin();
  if (isnan(value)) memcpy(out, "nan", 4);
  else if (decimals >= 0 && isfinite(value))
    snprintf(out, LFM_NUMBER_MAX, "%.*f", decimals < LFM_DECIMALS_MAX ? decimals : LFM_DECIMALS_MAX, value);
  else format_shortest(value, decimals != LFM_AS_DOUBLE, out);
  lfm_plain_end(before);
  size_t size = strlen(out);
  bool minus_zero = out[0] == '-' && strspn(out + 1, "0.") == size - 1;
  if (minus_zero) memmove(out, out + 1, size--);
  return size;
}

const char *lfm_quote(const char *text, size_t size, char out[LFM_QUOTE_MAX]) {
  const size_t most = LFM_QUOTE_MAX - 6; /* two quotes, three dots, NUL */
  size_t shown = size <= most ? size : most;
  if (shown < size) /* a cut never falls inside a UTF-8 character */
    while (shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;
  char *to = out;
  *to++ = '"';
  for (size_t i = 0; i < shown; i++) *to++ = (unsigned char)text[i] < ' ' || text[i] == 127 ? '.' : text[i];
  for (int i = 0; i < 3 && shown < size; i++) *to++ = '.';
  *to++ = '"';
  *to = 0;
  return out;
}

const char *lfm_quote_list(char *const *names, int64_t count, char *out, size_t size) {
  size_t used = 0;
  out[0] = 0;
  for (int64_t i = 0; i < count; i++) {
    char quoted[LFM_QUOTE_MAX];
    lfm_quote(names[i], strlen(names[i]), quoted);
    quoted[strlen(quoted) - 1] = 0; /* a list reads better without the quotes */
    if (used + strlen(quoted) + 32 > size) {
      snprintf(out + used, size - used, ", ... (%lld in all)", (long long)count);
      break;
    }
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", quoted + 1);
  }
  return out;
}
