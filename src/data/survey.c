/* SPDX-License-Identifier: MIT
 *
 * survey.c -- what `lfm info` says of a column (survey.h).
 * A word is remembered as a hash in the 50 free bits of a NaN, in the very place of the number that it is not: different
 * words of a column are then counted by one sort, and no reader needs a second kind of table.  A column store of texts was
 * refused, being larger than the whole rest of this room.
 */
#include "data/survey.h"

#include "core/alloc.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORD_TAG UINT64_C(0xFFFC) /* of the top 16 bits: a negative quiet NaN that no arithmetic makes */
enum { HASH_BITS = 50 };

double lfm_survey_word(const char *text, size_t size) {
  uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
  uint64_t bits = WORD_TAG << 48 | (hash ^ hash >> HASH_BITS) << (64 - HASH_BITS) >> (64 - HASH_BITS);
  double mark;
  memcpy(&mark, &bits, sizeof mark);
  return mark;
}

/* The bits of a word, 0 for anything else. */
static uint64_t word_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (bits >> 48 & WORD_TAG) == WORD_TAG ? bits : 0;
}

bool lfm_survey_is_word(double value) { return word_bits(value) != 0; }

static lfm_status count_distinct(const lfm_table *table, int64_t col, lfm_column_survey *out) {
  uint64_t *words;
  int64_t count = 0;
  LFM_TRY(LFM_ALLOC(&words, out->words));
  for (int64_t row = 0; row < table->rows; row++) {
    uint64_t bits = word_bits(table->values[row * table->cols + col]);
    if (bits) words[count++] = bits;
  }
  qsort(words, (size_t)count, sizeof *words, lfm_by_bits);
  for (int64_t i = 0; i < count; i++) out->distinct += i == 0 || words[i] != words[i - 1];
  lfm_free(words);
  return LFM_OK;
}

static void count_kinds(const lfm_table *table, int64_t col, lfm_column_survey *out) {
  double sum = 0;
  for (int64_t row = 0; row < table->rows; row++) {
    double value = table->values[row * table->cols + col];
    if (!isfinite(value)) {
      out->infinite += isinf(value) != 0;
      out->words += word_bits(value) != 0;
      continue;
    }
    out->min = out->numbers ? fmin(out->min, value) : value;
    out->max = out->numbers ? fmax(out->max, value) : value;
    out->numbers++;
    sum += value;
  }
  out->missing = table->rows - out->numbers - out->infinite - out->words;
  if (out->numbers) out->mean = sum / (double)out->numbers;
}

lfm_status lfm_survey_column(const lfm_table *table, int64_t col, lfm_column_survey *out) {
  *out = (lfm_column_survey){.min = (double)NAN, .mean = (double)NAN, .max = (double)NAN, .sd = (double)NAN};
  count_kinds(table, col, out);
  double squares = 0;
  for (int64_t row = 0; row < table->rows; row++) {
    double deviation = table->values[row * table->cols + col] - out->mean;
    if (isfinite(deviation)) squares += deviation * deviation;
  }
  if (out->numbers > 1) out->sd = sqrt(squares / (double)(out->numbers - 1));
  return out->words ? count_distinct(table, col, out) : LFM_OK;
}
