/* SPDX-License-Identifier: MIT
 *
 * read_table.h -- any bytes as a data file: refused with one line of text and nothing left behind, or a table fit for
 * training: rows and columns, every value finite, no two names the same.
 */
#ifndef LFM_FUZZ_READ_TABLE_H
#define LFM_FUZZ_READ_TABLE_H

#include "core/alloc.h"
#include "data/format.h"
#include "data/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline void require(bool holds) {
  if (!holds) abort();
}

static inline void require_fit(const lfm_table *table) {
  const char *twice;
  require(table->rows > 0 && table->cols > 0);
  for (int64_t i = 0; i < table->rows * table->cols; i++) require(isfinite(table->values[i]));
  for (int64_t col = 0; col < table->cols; col++) require(table->names[col] && table->decimals[col] >= -1);
  require(lfm_table_unique_names(table->names, table->cols, &twice) == LFM_OK && !twice);
}

static inline void read_with(lfm_reader_fn reader, lfm_source source, const lfm_table_options *options) {
  lfm_table *table = NULL;
  source.options = options;
  lfm_status status = reader(&source, &table);
  if (status == LFM_OK) {
    require_fit(table);
  } else { /* memory is asked for only in the measure of the file, so it is never refused */
    require(status == LFM_E_USAGE || status == LFM_E_DATA || status == LFM_E_FORMAT || status == LFM_E_UNSUPPORTED);
    require(!table && *lfm_error() && !strchr(lfm_error(), '\n'));
  }
  lfm_table_destroy(table);
}

/* A look at it takes any value, and counts each row once. */
static inline void survey(lfm_reader_fn reader, lfm_source source) {
  lfm_table *table = NULL;
  lfm_column_survey column;
  source.survey = true;
  bool read = reader(&source, &table) == LFM_OK;
  for (int64_t col = 0; read && col < table->cols; col++) {
    require(lfm_survey_column(table, col, &column) == LFM_OK);
    require(column.numbers + column.infinite + column.missing + column.words == table->rows);
    require(column.distinct <= column.words && (column.distinct > 0) == (column.words > 0));
  }
  lfm_table_destroy(table);
}

/* As it is, without rows that lack a value, and by columns; key may be NULL. */
static inline void read_table(lfm_reader_fn reader, const uint8_t *data, size_t size, const char *key) {
  const lfm_source source = {.name = "input", .path = "input", .key = key, .data = data, .size = size};
  survey(reader, source);
  read_with(reader, source, NULL);
  read_with(reader, source, &(lfm_table_options){.drop_missing = true});
  read_with(reader, source, &(lfm_table_options){.columns = "x1,x0"});
  read_with(reader, source, &(lfm_table_options){.drop = "x0", .drop_missing = true});
}

#endif
