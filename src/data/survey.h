/* SPDX-License-Identifier: MIT
 *
 * survey.h -- a look at a file that may not be fit to learn from: columns of words, missing and infinite values.
 * The reader then refuses no value: what is missing is a NaN, and a word is a NaN that tells words apart.
 */
#ifndef LFM_DATA_SURVEY_H
#define LFM_DATA_SURVEY_H

#include "data/table.h"

/* Like lfm_table_read with every column and row, words as marks.  Nothing may take such values but lfm_survey_column,
 * groups.c, and kit/compare.c, which keeps only the finite ones of a table of scores. */
lfm_status lfm_survey_read(const char *path, lfm_table **out);

typedef struct lfm_column_survey {
  int64_t numbers, infinite, missing, words; /* rows of each kind */
  int64_t distinct;                          /* different words */
  double min, mean, max, sd;                 /* of the finite numbers; NAN where there are too few */
} lfm_column_survey;

lfm_status lfm_survey_column(const lfm_table *table, int64_t col, lfm_column_survey *out);

/* The NaN that stands for a word, the same for the same word, and another for another but for one chance in 2^50. */
double lfm_survey_word(const char *text, size_t size);
bool lfm_survey_is_word(double value);

#endif
