/* SPDX-License-Identifier: MIT
 *
 * test_npy.c -- NumPy arrays in and out.  The files in hexadecimal are numpy.lib.format.write_array's own (NumPy 2.4).
 */
#include "data/support.h"

static const char f8_c[] =
    "934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028322c2033292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a000000000000f83f00000000000000c000000000000008409a9999999999b93f9c7500883ce4377e"
    "0100000000000080";

static const char f4_fortran[] =
    "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a20547275652c20277368617065"
    "273a2028322c2033292c207d2020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a0000803f00008040000000400000a040000040400000d040";

static const char f4_big_1d[] =
    "934e554d5059010076007b276465736372273a20273e6634272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028332c292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a3f800000c02000003dcccccd";

static const char i2_big[] =
    "934e554d5059010076007b276465736372273a20273e6932272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028322c2032292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a0001fed400077fff";

static const char u1[] =
    "934e554d5059010076007b276465736372273a20277c7531272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028312c2032292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a00ff";

static const char bools[] =
    "934e554d5059010076007b276465736372273a20277c6231272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028312c2032292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a0100";

static const char halves[] =
    "934e554d5059010076007b276465736372273a20273c6632272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028342c292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a003c00b8ff7b0100";

static const char i8[] =
    "934e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028322c292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a000000000000e0ff0000000000010000";

static const char v2[] =
    "934e554d50590200740000007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c20277368"
    "617065273a2028322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a000000000000f03f0000000000000040";

static const char v3[] =
    "934e554d50590300740000007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c20277368"
    "617065273a2028322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a000000000000f03f0000000000000040";

static const char complex_[] =
    "934e554d5059010076007b276465736372273a20273c633136272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
    "7065273a2028312c292c207d2020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a0000000000000000000000000000f03f";

static const char records[] =
    "934e554d5059010076007b276465736372273a205b282761272c20273c693427292c20282762272c20273c663827295d2c2027666f727472"
    "616e5f6f72646572273a2046616c73652c20277368617065273a2028312c292c207d20202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a010000000000000000000040";

static const char cube[] =
    "934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c202773686170"
    "65273a2028312c20312c2031292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020200a0000000000000000";

static lfm_status parse_with(const char *hex, const lfm_table_options *options, lfm_table **out) {
  uint8_t bytes[512];
  size_t size = from_hex(hex, bytes, sizeof bytes);
  return read_bytes(lfm_npy_parse, bytes, size, NULL, options, out);
}

static void reads(const char *hex, int64_t rows, int64_t cols, const double *values, int decimals) {
  lfm_table *table;
  lfm_status status = parse_with(hex, NULL, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_values(table, rows, cols, values);
  assert_string_equal(lfm_table_name(table, cols - 1), cols == 1 ? "x0" : (cols == 2 ? "x1" : "x2"));
  for (int64_t col = 0; col < cols; col++) assert_int_equal(lfm_table_decimals(table, col), decimals);
  lfm_table_destroy(table);
}

static void reads_as(const char *hex, int64_t rows, int64_t cols, const double *values) {
  reads(hex, rows, cols, values, -1);
}

/* Integers have no decimals, and so have samples of what was learnt from them. */
static void reads_whole(const char *hex, int64_t rows, int64_t cols, const double *values) {
  reads(hex, rows, cols, values, 0);
}

static void reads_what_numpy_writes(void **state) {
  (void)state;
  reads_as(f8_c, 2, 3, (const double[]){1.5, -2, 3, 0.1, 1e300, -5e-324});
  reads_as(f4_fortran, 2, 3, (const double[]){1, 2, 3, 4, 5, 6.5});
  reads_as(f4_big_1d, 3, 1, (const double[]){1, -2.5, (double)0.1f});
  reads_whole(i2_big, 2, 2, (const double[]){1, -300, 7, 32767});
  reads_whole(u1, 1, 2, (const double[]){0, 255});
  reads_whole(bools, 1, 2, (const double[]){1, 0});
  reads_as(halves, 4, 1, (const double[]){1, -0.5, 65504, 0x1p-24}); /* 6e-8 is the smallest half there is */
  reads_whole(i8, 2, 1, (const double[]){-0x1p53, 0x1p40});
  reads_as(v2, 2, 1, (const double[]){1, 2});
  reads_as(v3, 2, 1, (const double[]){1, 2});
}

static void refuses_what_is_no_table(void **state) {
  (void)state;
  lfm_table *table;
  assert_failure(parse_with(complex_, NULL, &table), LFM_E_UNSUPPORTED,
                 "t: elements of type '<c16' are not read; save it as float64");
  assert_failure(parse_with(records, NULL, &table), LFM_E_UNSUPPORTED,
                 "t: its elements are records; save a plain array of numbers");
  assert_failure(parse_with(cube, NULL, &table), LFM_E_DATA, "t: the array has 3 dimensions; a table has 1 or 2");
}

/* An array with a header of our wording before `left` bytes of zeros. */
static lfm_status parse_header(const char *header, size_t left, lfm_table **out) {
  uint8_t bytes[512] = "\x93NUMPY\x01";
  size_t size = strlen(header);
  bytes[8] = (uint8_t)size;
  memcpy(bytes + 10, header, size);
  return read_bytes(lfm_npy_parse, bytes, 10 + size + left, NULL, NULL, out);
}

static void refuses_hostile_headers(void **state) {
  (void)state;
  static const struct {
    const char *header, *line;
    lfm_status code;
  } cases[] = {
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1)}",
       "t: an array of 3 x 1 does not fit in the 16 bytes there are; the file is truncated", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
       "t: an array of 4294967296 x 4294967296 does not fit in the 16 bytes there are; the file is truncated", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693953,)}",
       "t: an array of 2305843009213693953 x 1 does not fit in the 16 bytes there are; the file is truncated", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", "t: the array's shape is not readable",
       LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", "t: the array's shape is not readable", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1 1)}", "t: the array's shape is not readable", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': 2}", "t: the array's shape is not readable", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "t: the array has 0 dimensions; a table has 1 or 2",
       LFM_E_DATA},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "t: 8 bytes follow the array", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}", "t: fortran_order is neither True nor False", LFM_E_FORMAT},
      {"{'descr': '<f8', 'shape': (2,)}", "t: the array's header lacks a key", LFM_E_FORMAT},
      {"{'descr': '<f8', 'descr': '<f8'}", "t: the array's header has an unknown key", LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", "t: the array's header has an unknown key",
       LFM_E_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)", "t: the array's header is not readable", LFM_E_FORMAT},
      {"('descr', '<f8')", "t: the array's header is not readable", LFM_E_FORMAT},
      {"{'descr': '<S8', 'fortran_order': False, 'shape': (2,)}",
       "t: elements of type '<S8' are not read; save it as float64", LFM_E_UNSUPPORTED},
      {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "t: elements of type '' are not read; save it as float64",
       LFM_E_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    lfm_table *table;
    assert_failure(parse_header(cases[i].header, 16, &table), cases[i].code, cases[i].line);
  }
  lfm_table *table;
  assert_failure(parse_header("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3)}", 0, &table), LFM_E_DATA,
                 "t: holds no values (0 rows, 0 columns)");
  assert_failure(parse_header("{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000000000, 0)}", 0, &table),
                 LFM_E_DATA, "t: holds no values (0 rows, 0 columns)");
  assert_int_equal(parse_header("{\"shape\":(1,2),\"descr\":\"=i8\",\"fortran_order\":True}", 16, &table), LFM_OK);
  lfm_table_destroy(table);
  assert_int_equal(parse_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 1L), }", 16, &table), LFM_OK);
  lfm_table_destroy(table); /* as Python 2 wrote them */
}

static void refuses_other_files(void **state) {
  (void)state;
  lfm_table *table;
  assert_failure(read_bytes(lfm_npy_parse, "", 0, NULL, NULL, &table), LFM_E_FORMAT, "t: is not a NumPy array");
  assert_failure(read_bytes(lfm_npy_parse, "a,b\n1,2\n", 8, NULL, NULL, &table), LFM_E_FORMAT, "t: is not a NumPy array");
  assert_failure(read_bytes(lfm_npy_parse, "\x93NUMPY\x04\0", 8, NULL, NULL, &table), LFM_E_UNSUPPORTED,
                 "t: NumPy format version 4 is not read");
  assert_failure(read_bytes(lfm_npy_parse, "\x93NUMPY\x01\0\x10", 9, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: the header ends early; the file is truncated");
}

/* nan and inf are named by row and column, or dropped. */
static void refuses_or_drops_missing_values(void **state) {
  (void)state;
  double values[] = {1, 2, 3, 4, 5, 6};
  lfm_table *table, *again;
  assert_int_equal(lfm_table_create(values, 3, 2, NULL, NULL, &table), LFM_OK);
  table->values[3] = NAN;
  assert_int_equal(lfm_table_write(table, in_folder("a.npy")), LFM_OK);
  char line[600];
  snprintf(line, sizeof line, "%s: row 2, column \"x1\": the value is missing (nan); --drop-missing leaves such rows out",
           in_folder("a.npy"));
  assert_failure(lfm_table_read(in_folder("a.npy"), NULL, &again), LFM_E_DATA, line);
  assert_int_equal(lfm_table_read(in_folder("a.npy"), &(lfm_table_options){.drop_missing = true}, &again), LFM_OK);
  assert_values(again, 2, 2, (const double[]){1, 2, 5, 6});
  assert_true(lfm_table_number(again, 0) == 0 && lfm_table_number(again, 1) == 2);
  lfm_table_destroy(again);
  assert_int_equal(lfm_table_read(in_folder("a.npy"), &(lfm_table_options){.columns = "x0"}, &again), LFM_OK);
  assert_values(again, 3, 1, (const double[]){1, 3, 5});
  lfm_table_destroy(again);
  table->values[3] = -INFINITY;
  assert_int_equal(lfm_table_write(table, in_folder("a.npy")), LFM_OK);
  snprintf(line, sizeof line, "%s: row 2, column \"x1\": the value is infinite; --drop-missing leaves such rows out",
           in_folder("a.npy"));
  assert_failure(lfm_table_read(in_folder("a.npy"), NULL, &again), LFM_E_DATA, line);
  lfm_table_destroy(table);
  unlink(in_folder("a.npy"));
}

/* The bytes written for [[1.5, -2, 3], [0.1, 1e300, -5e-324]] are NumPy's own, padding and all. */
static void writes_what_numpy_writes(void **state) {
  (void)state;
  const double values[] = {1.5, -2, 3, 0.1, 1e300, -5e-324};
  uint8_t expected[512], *found;
  size_t size = from_hex(f8_c, expected, sizeof expected), found_size;
  lfm_table *table;
  assert_int_equal(lfm_table_create(values, 2, 3, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.npy")), LFM_OK);
  assert_int_equal(lfm_file_read(in_folder("a.npy"), &found, &found_size), LFM_OK);
  assert_int_equal(found_size, size);
  assert_memory_equal(found, expected, size);
  lfm_free(found);
  lfm_table_destroy(table);
  unlink(in_folder("a.npy"));
}

static lfm_status parse_sample(void *options) {
  lfm_table *table;
  lfm_status status = parse_with(f8_c, options, &table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  assert_true(refuse_memory(parse_sample, &(lfm_table_options){.columns = "x2,x0"}) > 10);
  assert_true(refuse_memory(parse_sample, &(lfm_table_options){.drop_missing = true}) > 4);
}

static void stands_any_bytes(void **state) {
  (void)state;
  const char *const files[] = {f8_c, f4_fortran, i2_big, v2};
  for (size_t i = 0; i < 4; i++) {
    uint8_t bytes[512];
    size_t size = from_hex(files[i], bytes, sizeof bytes);
    torture(lfm_npy_parse, bytes, size, NULL, false);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_numpy_writes),         cmocka_unit_test(refuses_what_is_no_table),
      cmocka_unit_test(refuses_hostile_headers),         cmocka_unit_test(refuses_other_files),
      cmocka_unit_test(refuses_or_drops_missing_values), cmocka_unit_test(writes_what_numpy_writes),
      cmocka_unit_test(stands_refused_memory),           cmocka_unit_test(stands_any_bytes),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
