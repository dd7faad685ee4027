/* SPDX-License-Identifier: MIT
 *
 * support.h -- what the tests of the data room share: readers fed from memory, a folder that goes away, and the three
 * torments every reader has to stand: memory refused at each request, a file cut at each byte, each bit turned over.
 */
#ifndef LFM_TESTS_DATA_SUPPORT_H
#define LFM_TESTS_DATA_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "data/format.h"
#include "support/shared_data.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads bytes [size] from a block of exactly that size, so that a sanitizer sees the first byte too far. */
static inline lfm_status read_bytes(lfm_reader_fn reader, const void *bytes, size_t size, const char *key,
                                    const lfm_table_options *options, lfm_table **out) {
  uint8_t *exact = malloc(size ? size : 1);
  assert_non_null(exact);
  if (size) memcpy(exact, bytes, size);
  *out = (lfm_table *)(uintptr_t)0xDEAD0;
  lfm_source source = {.name = "t", .path = "t", .key = key, .data = exact, .size = size, .options = options};
  lfm_status status = reader(&source, out);
  if (status != LFM_OK) assert_null(*out);
  free(exact);
  return status;
}

/* The status and the whole line of a failure. */
#define assert_failure(status, code, text)                                                                                   \
  do {                                                                                                                       \
    assert_int_equal(status, code);                                                                                          \
    assert_string_equal(lfm_error(), text);                                                                                  \
  } while (0)

static inline void assert_values(const lfm_table *table, int64_t rows, int64_t cols, const double *values) {
  assert_int_equal(lfm_table_rows(table), rows);
  assert_int_equal(lfm_table_cols(table), cols);
  for (int64_t i = 0; i < rows * cols; i++)
    if (memcmp(&lfm_table_values(table)[i], &values[i], sizeof(double)) != 0)
      fail_msg("value %lld is %a, not %a", (long long)i, lfm_table_values(table)[i], values[i]);
}

static inline size_t from_hex(const char *hex, uint8_t *out, size_t room) {
  size_t size = strlen(hex) / 2;
  assert_true(size <= room);
  for (size_t i = 0; i < size; i++) {
    unsigned byte;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
    out[i] = (uint8_t)byte;
  }
  return size;
}

/* A reader is to fail cleanly, or to give a table of finite values, whatever the bytes. */
static inline bool survives(lfm_reader_fn reader, const uint8_t *bytes, size_t size, const char *key) {
  lfm_table *table;
  lfm_status status = read_bytes(reader, bytes, size, key, NULL, &table);
  if (status != LFM_OK) assert_true(strlen(lfm_error()) > 0);
  for (int64_t i = 0; status == LFM_OK && i < table->rows * table->cols; i++) assert_true(isfinite(table->values[i]));
  lfm_table_destroy(table);
  return status == LFM_OK;
}

static inline void torture(lfm_reader_fn reader, const uint8_t *bytes, size_t size, const char *key, bool may_be_cut) {
  assert_true(survives(reader, bytes, size, key));
  for (size_t cut = 0; cut < size; cut++)
    if (survives(reader, bytes, cut, key)) assert_true(may_be_cut);
  uint8_t *turned = malloc(size);
  assert_non_null(turned);
  memcpy(turned, bytes, size);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    turned[bit / 8] ^= (uint8_t)(1u << bit % 8);
    survives(reader, turned, size, key);
    turned[bit / 8] = bytes[bit / 8];
  }
  free(turned);
}

/* Runs `action` with the first, second, ... request for memory refused until it succeeds; returns how many there were.  What
 * fails keeps nothing. */
static inline int refuse_memory(lfm_status (*action)(void *context), void *context) {
  size_t held = lfm_alloc_in_use();
  for (int at = 1; at < 10000; at++) {
    lfm_alloc_fail_at((uint64_t)at);
    lfm_status status = action(context);
    lfm_alloc_fail_at(0);
    if (status == LFM_OK) return at - 1;
    assert_int_equal(status, LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), held);
  }
  fail_msg("memory was refused ten thousand times");
  return 0;
}

/* A folder for the files of one test program. */
static char folder[256];

static inline int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/lfm-test-XXXXXX", base && *base ? base : P_tmpdir);
  return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  (void)state;
  return rmdir(folder); /* fails, and so does the test program, when a test leaves a file behind */
}

/* folder/name; valid until the fourth call after. */
static inline const char *in_folder(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static inline bool same_file(const char *a, const char *b) {
  uint8_t *one, *two;
  size_t one_size, two_size;
  assert_int_equal(lfm_file_read(a, &one, &one_size), LFM_OK);
  assert_int_equal(lfm_file_read(b, &two, &two_size), LFM_OK);
  bool same = one_size == two_size && memcmp(one, two, one_size) == 0;
  lfm_free(one);
  lfm_free(two);
  return same;
}

#endif
