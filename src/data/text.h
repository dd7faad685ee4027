/* SPDX-License-Identifier: MIT
 *
 * text.h -- numbers and names as text: what a field of a CSV file means, how a number is written, how a message quotes.
 * Nothing here depends on the locale of the process: a file written under one is read under any other.
 */
#ifndef LFM_DATA_TEXT_H
#define LFM_DATA_TEXT_H

#include "core/status.h"

typedef enum lfm_field_kind {
  LFM_FIELD_NUMBER,  /* a decimal number, or inf */
  LFM_FIELD_MISSING, /* empty, NA, N/A, nan, null, none, ? (letters of either case) */
  LFM_FIELD_TEXT,
} lfm_field_kind;

enum {
  LFM_DECIMALS_MAX = 30, /* more digits after the point than this are not recorded */
  LFM_AS_SINGLE = -1,    /* in place of decimals: as many digits as tell a float32 from its neighbours */
  LFM_AS_DOUBLE = -2,    /* or a double */
  LFM_NUMBER_MAX = 400,  /* a written number with its NUL: 309 digits, sign, point and the decimals fit */
  LFM_DIGITS_MAX = 1100, /* longer texts are no numbers: every double is told from its neighbours within 770 digits */
  LFM_QUOTE_MAX = 64,
};

/* The meaning of text [size], without blanks around it.  A number is correct to the last bit; one too large is infinite.
 * *decimals: digits after the point up to the last that is not 0, -1 when there is an exponent or more than LFM_DECIMALS_MAX.
 */
lfm_field_kind lfm_number_parse(const char *text, size_t size, double *value, int *decimals);

/* Writes value with so many decimals, or the shortest text that reads back as the same float32 (beyond the range of its
 * normal numbers, as the same double), or as the same double.  Never -0.  Returns the length. */
size_t lfm_number_format(double value, int decimals, char out[LFM_NUMBER_MAX]);

/* "text" for a message: one line, clipped, in quotes. */
const char *lfm_quote(const char *text, size_t size, char out[LFM_QUOTE_MAX]);

/* "a, b, c" for a message, or "a, b, ... (63 in all)" where that is too long. */
const char *lfm_quote_list(char *const *names, int64_t count, char *out, size_t size);

#endif
