/* SPDX-License-Identifier: MIT
 *
 * test_zarr.c -- what a .zarray says, and chunks: packed by the Blosc library itself, as zarr does.
 */
#include "data/support.h"
#include "data/zarr.h"

#include <blosc.h>

#define HEADER(compressor, type, shape, chunks)                                                                              \
  "{\"chunks\": " chunks ", \"compressor\": " compressor ", \"dtype\": \"" type "\", \"fill_value\": 0, \"filters\": null, " \
  "\"order\": \"C\", \"shape\": " shape ", \"zarr_format\": 2}"
#define BLOSC "{\"blocksize\": 0, \"clevel\": 5, \"cname\": \"zstd\", \"id\": \"blosc\", \"shuffle\": 2}"

static lfm_status parse(const char *text, lfm_zarr *out) {
  return lfm_zarr_parse("z", (const uint8_t *)text, strlen(text), out);
}

static void reads_a_header(void **state) {
  (void)state;
  lfm_zarr array;
  assert_int_equal(parse(HEADER(BLOSC, "<f4", "[25650, 9, 2]", "[161, 9, 2]"), &array), LFM_OK);
  assert_int_equal(array.rank, 3);
  assert_int_equal(array.shape[0], 25650);
  assert_int_equal(array.shape[3], 1);
  assert_int_equal(array.chunk[0], 161);
  assert_int_equal(array.width, 18);
  assert_int_equal(array.chunk_size, 161 * 18 * 4);
  assert_true(array.packed);
}

static void refuses(const char *text, lfm_status code, const char *line) {
  lfm_zarr array;
  assert_failure(parse(text, &array), code, line);
}

static void refuses_what_is_not_read(void **state) {
  (void)state;
  refuses("", LFM_E_FORMAT, "z: is no JSON object; the folder was altered");
  refuses("[1]", LFM_E_FORMAT, "z: is no JSON object; the folder was altered");
  refuses("{}", LFM_E_UNSUPPORTED, "z: its zarr_format is not 2; save it with zarr_format=2");
  refuses(HEADER("null", "<f4", "[]", "[]"), LFM_E_UNSUPPORTED, "z: arrays of 1 to 4 dimensions are read");
  refuses(HEADER("null", "<f4", "[1, 1, 1, 1, 1]", "[1, 1, 1, 1, 1]"), LFM_E_UNSUPPORTED,
          "z: arrays of 1 to 4 dimensions are read");
  refuses(HEADER("null", "<f4", "[-1]", "[1]"), LFM_E_FORMAT,
          "z: its shape or chunks are no list of lengths; the folder was altered");
  refuses(HEADER("null", "<f4", "[4]", "[0]"), LFM_E_FORMAT,
          "z: its shape or chunks are no list of lengths; the folder was altered");
  refuses(HEADER("null", "<f4", "[4]", "[1, 1]"), LFM_E_FORMAT,
          "z: its shape and chunks have different dimensions; the folder was altered");
  refuses(HEADER("null", "<f4", "[4611686018427387904, 4]", "[1, 1]"), LFM_E_FORMAT,
          "z: its shape is too large; the folder was altered");
  refuses(HEADER("null", "<f4", "[1099511627776, 1099511627776, 0]", "[1, 1, 1]"), LFM_E_FORMAT, /* 0, by way of 2^80 */
          "z: its shape is too large; the folder was altered");
  refuses(HEADER("null", "<f4", "[4]", "[4611686018427387904]"), LFM_E_FORMAT,
          "z: its shape is too large; the folder was altered");
  refuses(HEADER("null", "<c8", "[4]", "[4]"), LFM_E_UNSUPPORTED,
          "z: elements of type '<c8' are not read; save it as float64");
  refuses(HEADER("{\"id\": \"zlib\"}", "<f4", "[4]", "[4]"), LFM_E_UNSUPPORTED,
          "z: chunks packed by zlib are not read; save it with Blosc, or without compressor");
  refuses("{\"zarr_format\": 2, \"shape\": [2, 2], \"chunks\": [2, 2], \"dtype\": \"<f4\", \"order\": \"F\"}",
          LFM_E_UNSUPPORTED, "z: only arrays in C order are read");
  refuses("{\"zarr_format\": 2, \"shape\": [2], \"chunks\": [2], \"dtype\": \"<f4\", \"filters\": [{\"id\": \"delta\"}]}",
          LFM_E_UNSUPPORTED, "z: filters are not undone; save it without");
  refuses("{\"zarr_format\": 2, \"shape\": [2], \"chunks\": [2], \"dtype\": \"<f4\", \"dimension_separator\": \"/\"}",
          LFM_E_UNSUPPORTED, "z: its chunks lie in folders of their own; save it with dimension_separator='.'");
}

/* Number i of a chunk of 2 x 3 int16 is i; both ways of storing it. */
static void unpacks_chunks(void **state) {
  (void)state;
  int16_t numbers[6] = {0, 1, 2, 3, 4, 5};
  uint8_t packed[sizeof numbers + BLOSC_MAX_OVERHEAD], out[sizeof numbers];
  lfm_zarr plain, array;
  assert_int_equal(parse(HEADER("null", "<i2", "[3, 4]", "[2, 3]"), &plain), LFM_OK);
  assert_int_equal(parse(HEADER(BLOSC, "<i2", "[3, 4]", "[2, 3]"), &array), LFM_OK);
  assert_int_equal(lfm_zarr_unpack("c", &plain, (const uint8_t *)numbers, sizeof numbers, out), LFM_OK);
  assert_memory_equal(out, numbers, sizeof numbers);
  int size = blosc_compress_ctx(5, 2, 2, sizeof numbers, numbers, packed, sizeof packed, "zstd", 0, 1);
  assert_true(size > 0);
  memset(out, 0xA5, sizeof out);
  assert_int_equal(lfm_zarr_unpack("c", &array, packed, (size_t)size, out), LFM_OK);
  assert_memory_equal(out, numbers, sizeof numbers);
  assert_failure(lfm_zarr_unpack("c", &array, packed, (size_t)size - 1, out), LFM_E_FORMAT,
                 "c: is no chunk of Blosc's, or is truncated");
  assert_failure(lfm_zarr_unpack("c", &array, packed, 0, out), LFM_E_FORMAT, "c: is no chunk of Blosc's, or is truncated");
  assert_failure(lfm_zarr_unpack("c", &plain, (const uint8_t *)numbers, 11, out), LFM_E_FORMAT,
                 "c: holds 11 bytes; a chunk is 12");
  array.chunk_size = 14;
  assert_failure(lfm_zarr_unpack("c", &array, packed, (size_t)size, out), LFM_E_FORMAT, "c: holds 12 bytes; a chunk is 14");
}

/* A chunk whose bytes are turned over one by one is refused or unpacks to its size; a sanitizer watches. */
static void stands_damaged_chunks(void **state) {
  (void)state;
  enum { COUNT = 400 };
  double numbers[COUNT];
  uint8_t packed[sizeof numbers + BLOSC_MAX_OVERHEAD], *out = malloc(sizeof numbers);
  lfm_zarr array;
  assert_non_null(out);
  for (int i = 0; i < COUNT; i++) numbers[i] = i / 3;
  assert_int_equal(parse(HEADER(BLOSC, "<f8", "[400]", "[400]"), &array), LFM_OK);
  int size = blosc_compress_ctx(5, 1, 8, sizeof numbers, numbers, packed, sizeof packed, "lz4", 0, 1);
  assert_true(size > 0 && size < (int)sizeof numbers);
  for (int bit = 0; bit < 8 * size; bit++) {
    packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    lfm_status status = lfm_zarr_unpack("c", &array, packed, (size_t)size, out);
    assert_true(status == LFM_OK || status == LFM_E_FORMAT);
    packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  free(out);
}

/* Four chunks of 2 x 3 make 3 x 4: those at the edges reach beyond it. */
static void puts_chunks_where_they_belong(void **state) {
  (void)state;
  lfm_zarr array;
  assert_int_equal(parse(HEADER("null", ">i2", "[3, 4]", "[2, 3]"), &array), LFM_OK);
  double out[3 * 6];
  for (int i = 0; i < 18; i++) out[i] = -1;
  for (int64_t r = 0; r < 2; r++)
    for (int64_t c = 0; c < 2; c++) {
      uint8_t chunk[12] = {0};
      for (int i = 0; i < 6; i++) chunk[2 * i + 1] = (uint8_t)(10 * (2 * r + i / 3) + 3 * c + i % 3);
      lfm_zarr_put(&array, (const int64_t[LFM_ZARR_DIMS]){r, c}, chunk, out, 6, 1);
    }
  const double due[] = {-1, 0, 1, 2, 3, -1, -1, 10, 11, 12, 13, -1, -1, 20, 21, 22, 23, -1};
  assert_memory_equal(out, due, sizeof due);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_header),
      cmocka_unit_test(refuses_what_is_not_read),
      cmocka_unit_test(unpacks_chunks),
      cmocka_unit_test(stands_damaged_chunks),
      cmocka_unit_test(puts_chunks_where_they_belong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
