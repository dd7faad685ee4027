/* SPDX-License-Identifier: MIT
 *
 * test_npz.c -- NumPy archives in and out.  The files in hexadecimal are numpy.savez's (two arrays, stored) and
 * numpy.savez_compressed's (one array of forty rows 0.5, 1, 2).
 */
#include "data/support.h"

static const char two[] =
    "504b03042d00000000000000210021358b69ffffffffffffffff0900140066697273742e6e707901001000a000000000000000a000000000"
    "000000934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c202773"
    "68617065273a2028322c2032292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020202020200a000000000000f03f000000000000004000000000000008400000000000001040504b03042d"
    "000000000000002100a7996b15ffffffffffffffff0a0014007365636f6e642e6e7079010010008c000000000000008c0000000000000093"
    "4e554d5059010076007b276465736372273a20273c6934272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065"
    "273a2028332c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020200a070000000800000009000000504b01022d032d00000000000000210021358b69a0000000a000000009"
    "000000000000000000000080010000000066697273742e6e7079504b01022d032d000000000000002100a7996b158c0000008c0000000a00"
    "000000000000000000008001db0000007365636f6e642e6e7079504b050600000000020002006f000000a30100000000";

static const char packed[] =
    "504b03042d000000080000002100a23d9c07ffffffffffffffff090014006172725f302e6e70790100100040040000000000005b00000000"
    "0000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416"
    "a402f91a26063a0ac69a3a0ab50ae4022e063078600fa13f4069068751f151f151f1c12f0e00504b01022d032d000000080000002100a23d"
    "9c075b000000400400000900000000000000000000008001000000006172725f302e6e7079504b0506000000000100010037000000960000"
    "000000";

static lfm_status parse_with(const char *hex, const char *key, const lfm_table_options *options, lfm_table **out) {
  uint8_t bytes[2048];
  size_t size = from_hex(hex, bytes, sizeof bytes);
  return read_bytes(lfm_npz_parse, bytes, size, key, options, out);
}

static void reads_what_numpy_writes(void **state) {
  (void)state;
  lfm_table *table;
  assert_int_equal(parse_with(two, "first", NULL, &table), LFM_OK);
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  lfm_table_destroy(table);
  assert_int_equal(parse_with(two, "second.npy", NULL, &table), LFM_OK);
  assert_values(table, 3, 1, (const double[]){7, 8, 9});
  lfm_table_destroy(table);
  assert_int_equal(parse_with(packed, NULL, NULL, &table), LFM_OK); /* the only array needs no key */
  assert_int_equal(table->rows, 40);
  const double row[] = {0.5, 1, 2};
  for (int64_t i = 0; i < 120; i++) assert_true(table->values[i] == row[i % 3]);
  lfm_table_destroy(table);
}

/* Something else beside the only array. */
static void other_things_are_no_arrays(void **state) {
  (void)state;
  lfm_table *table;
  char text[sizeof two], *at = memcpy(text, two, sizeof two);
  while ((at = strstr(at, "6e642e6e7079"))) memcpy(at, "6e642e747874", 12); /* second.txt */
  assert_int_equal(parse_with(text, NULL, NULL, &table), LFM_OK);
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  lfm_table_destroy(table);
  at = text;
  while ((at = strstr(at, "73742e6e7079"))) memcpy(at, "73742e747874", 12); /* first.txt, too */
  assert_failure(parse_with(text, NULL, NULL, &table), LFM_E_DATA, "t: none of what it holds is an array (.npy)");
}

static void lists_what_there_is(void **state) {
  (void)state;
  lfm_table *table;
  assert_failure(parse_with(two, "third", NULL, &table), LFM_E_USAGE,
                 "t: has no array \"third\"; there are \"first\", \"second\"");
  assert_failure(parse_with(two, NULL, NULL, &table), LFM_E_USAGE,
                 "t: holds several arrays; name one as t::KEY, KEY being one of \"first\", \"second\"");
  assert_failure(parse_with(packed, "", NULL, &table), LFM_E_USAGE, "t: has no array \"\"; there are \"arr_0\"");
}

static void sees_what_was_altered(void **state) {
  (void)state;
  uint8_t bytes[2048];
  lfm_table *table;
  size_t size = from_hex(two, bytes, sizeof bytes);
  assert_failure(read_bytes(lfm_npz_parse, bytes, size - 1, "first", NULL, &table), LFM_E_FORMAT,
                 "t: not a readable npz archive: it has no end; the file is truncated");
  assert_failure(read_bytes(lfm_npz_parse, "", 0, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: not a readable npz archive: it has no end; the file is truncated");
  bytes[200] ^= 1; /* a value of the first array */
  assert_failure(read_bytes(lfm_npz_parse, bytes, size, "first", NULL, &table), LFM_E_FORMAT,
                 "t: not a readable npz archive: the array's checksum is wrong; the file was altered");
  bytes[200] ^= 1;
  size = from_hex(packed, bytes, sizeof bytes);
  bytes[70] ^= 4; /* inside the deflated stream */
  assert_int_equal(read_bytes(lfm_npz_parse, bytes, size, NULL, NULL, &table), LFM_E_FORMAT);
}

/* An end record alone is an archive with nothing in it. */
static void refuses_an_empty_archive(void **state) {
  (void)state;
  uint8_t end[22] = "PK\5\6";
  lfm_table *table;
  assert_failure(read_bytes(lfm_npz_parse, end, sizeof end, NULL, NULL, &table), LFM_E_DATA, "t: the archive is empty");
  end[12] = 1; /* a directory of one byte, which is not there */
  assert_failure(read_bytes(lfm_npz_parse, end, sizeof end, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: not a readable npz archive: its directory lies outside the file");
}

/* A round trip to the bit, through zip64 headers; the same table gives the same file. */
static void comes_back_to_the_bit(void **state) {
  (void)state;
  const double values[] = {1.5, -2, 3, 0.1, 1e300, -5e-324};
  lfm_table *table, *again;
  assert_int_equal(lfm_table_create(values, 2, 3, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.npz")), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("b.npz")), LFM_OK);
  assert_true(same_file(in_folder("a.npz"), in_folder("b.npz")));
  assert_int_equal(lfm_table_read(in_folder("a.npz::arr_0"), NULL, &again), LFM_OK);
  assert_values(again, 2, 3, values);
  lfm_table_destroy(again);
  unlink(in_folder("a.npz"));
  assert_int_equal(lfm_table_write(table, in_folder("a.npz::x::y")), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.npz::x::y")), LFM_OK); /* over the old one */
  assert_int_equal(lfm_table_read(in_folder("a.npz::x::y"), &(lfm_table_options){.drop = "x1"}, &again), LFM_OK);
  assert_values(again, 2, 2, (const double[]){1.5, 3, 0.1, -5e-324});
  lfm_table_destroy(again);
  char key[2000];
  memset(key, 'k', sizeof key - 1);
  memcpy(key, "a.npz::", 7);
  key[sizeof key - 1] = 0;
  assert_int_equal(lfm_table_write(table, key), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "kkk...: the name of the array is longer than 1019 bytes"));
  lfm_table_destroy(table);
  unlink(in_folder("a.npz"));
  unlink(in_folder("b.npz"));
}

/* The flags of the only member, which both of its headers have. */
static unsigned flags_of(const char *path) {
  uint8_t *bytes;
  size_t size, at = 0;
  assert_int_equal(lfm_file_read(path, &bytes, &size), LFM_OK);
  while (memcmp(bytes + at, "PK\1\2", 4) != 0) assert_true(++at < size - 46);
  assert_memory_equal(bytes + 6, bytes + at + 8, 2);
  unsigned flags = bytes[6] | (unsigned)bytes[7] << 8;
  lfm_free(bytes);
  return flags;
}

/* Or a reader takes it for code page 437, as Python's zipfile does. */
static void says_that_a_name_is_utf8(void **state) {
  (void)state;
  const double value = 1.5;
  lfm_table *table, *again;
  assert_int_equal(lfm_table_create(&value, 1, 1, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.npz::größe")), LFM_OK);
  assert_int_equal(flags_of(in_folder("a.npz")), 1 << 11);
  assert_int_equal(lfm_table_read(in_folder("a.npz"), NULL, &again), LFM_OK);
  assert_values(again, 1, 1, &value);
  lfm_table_destroy(again);
  unlink(in_folder("a.npz"));
  assert_int_equal(lfm_table_write(table, in_folder("a.npz::\xf6")), LFM_OK); /* which is none */
  assert_int_equal(flags_of(in_folder("a.npz")), 0);
  lfm_table_destroy(table);
  unlink(in_folder("a.npz"));
}

static lfm_status parse_sample(void *hex) {
  lfm_table *table;
  lfm_status status = parse_with(hex, hex == two ? "first" : NULL, &(lfm_table_options){.columns = "x0"}, &table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  int stored = refuse_memory(parse_sample, (void *)(uintptr_t)two);
  int deflated = refuse_memory(parse_sample, (void *)(uintptr_t)packed);
  assert_true(stored > 5 && deflated > stored); /* zlib's own requests are among them */
}

static void stands_any_bytes(void **state) {
  (void)state;
  uint8_t bytes[2048];
  size_t size = from_hex(two, bytes, sizeof bytes);
  torture(lfm_npz_parse, bytes, size, "second", false);
  size = from_hex(packed, bytes, sizeof bytes);
  torture(lfm_npz_parse, bytes, size, NULL, false);
}

/* Our own archive, whose sizes stand in zip64 fields. */
static void stands_any_bytes_of_zip64(void **state) {
  (void)state;
  lfm_table *table;
  uint8_t *bytes;
  size_t size;
  assert_int_equal(lfm_table_create((const double[]){1, 2}, 1, 2, NULL, NULL, &table), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("a.npz")), LFM_OK);
  assert_int_equal(lfm_file_read(in_folder("a.npz"), &bytes, &size), LFM_OK);
  torture(lfm_npz_parse, bytes, size, NULL, false);
  lfm_free(bytes);
  lfm_table_destroy(table);
  unlink(in_folder("a.npz"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_numpy_writes),   cmocka_unit_test(other_things_are_no_arrays),
      cmocka_unit_test(lists_what_there_is),       cmocka_unit_test(sees_what_was_altered),
      cmocka_unit_test(refuses_an_empty_archive),  cmocka_unit_test(comes_back_to_the_bit),
      cmocka_unit_test(stands_refused_memory),     cmocka_unit_test(stands_any_bytes),
      cmocka_unit_test(stands_any_bytes_of_zip64), cmocka_unit_test(says_that_a_name_is_utf8),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
