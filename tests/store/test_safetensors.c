/* SPDX-License-Identifier: MIT
 *
 * What a user relies on: a model file comes back as it was written, byte for byte the same each time; files of Python's
 * safetensors are read; and a file that was cut, altered or made to mislead is an error with a reason, never a model.
 */
#include "store/safetensors.h"

#include "core/alloc.h"
#include "core/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const float weight[6] = {1.0f, -2.5f, 3e-20f, 4.0f, 0.1f, -0.0f};
static const double mean[2] = {0.1, -1e300};
static const int64_t steps[1] = {-7};
static const uint8_t mask[3] = {1, 2, 3};

static char folder[64], file[96];

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/lfm-store-XXXXXX");
  if (!mkdtemp(folder)) return -1;
  snprintf(file, sizeof file, "%s/a.safetensors", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  unlink(file);
  return rmdir(folder); /* fails where a test left a file behind */
}

static lfm_status fill(lfm_archive *archive) {
  LFM_TRY(lfm_archive_add(archive, "mask", LFM_U8, 1, (int64_t[]){3}, mask));
  LFM_TRY(lfm_archive_add(archive, "blocks.0.net.0.weight", LFM_F32, 2, (int64_t[]){2, 3}, weight));
  LFM_TRY(lfm_archive_add(archive, "mean", LFM_F64, 1, (int64_t[]){2}, mean));
  LFM_TRY(lfm_archive_add(archive, "steps", LFM_I64, 0, NULL, steps));
  LFM_TRY(lfm_archive_add(archive, "none", LFM_F32, 2, (int64_t[]){0, 4}, NULL));
  LFM_TRY(lfm_archive_meta(archive, "config", "hks: [0.1, null]\n\"\\"));
  return lfm_archive_meta(archive, "\xC3\xA9", "\xC3\xBC");
}

static lfm_status write_one(const char *path) {
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = fill(archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}

static const void *tensor_data(const lfm_archive *archive, const char *name) {
  const lfm_tensor *tensor = lfm_archive_find(archive, name);
  assert_non_null(tensor);
  return tensor->data;
}

static void assert_contents(const lfm_archive *archive) {
  assert_int_equal(lfm_archive_size(archive), 5);
  assert_memory_equal(tensor_data(archive, "mask"), mask, sizeof mask);
  assert_memory_equal(tensor_data(archive, "blocks.0.net.0.weight"), weight, sizeof weight);
  assert_memory_equal(tensor_data(archive, "mean"), mean, sizeof mean);
  assert_memory_equal(tensor_data(archive, "steps"), steps, sizeof steps);
  assert_int_equal(lfm_tensor_count(lfm_archive_find(archive, "none")), 0);
  assert_string_equal(lfm_archive_meta_find(archive, "config"), "hks: [0.1, null]\n\"\\");
  assert_string_equal(lfm_archive_meta_find(archive, "\xC3\xA9"), "\xC3\xBC");
}

/* ---- round trip --------------------------------------------------------------------------------------------- */

static void test_comes_back_as_written(void **state) {
  (void)state;
  assert_int_equal(write_one(file), LFM_OK);
  lfm_archive *archive = NULL;
  assert_int_equal(lfm_archive_open(file, &archive), LFM_OK);
  assert_contents(archive);
  assert_string_equal(lfm_archive_path(archive), file);
  assert_string_equal(lfm_archive_at(archive, 1)->name, "blocks.0.net.0.weight"); /* the order of the calls */
  assert_int_equal(lfm_archive_at(archive, 1)->shape[1], 3);
  assert_null(lfm_archive_find(archive, "absent"));
  assert_null(lfm_archive_meta_find(archive, "absent"));
  lfm_archive_destroy(archive);
}

static void test_same_bytes_twice_and_data_on_a_cache_line(void **state) {
  (void)state;
  uint8_t *first, *second;
  size_t size, size_again;
  assert_int_equal(write_one(file), LFM_OK);
  assert_int_equal(lfm_file_read(file, &first, &size), LFM_OK);
  assert_int_equal(write_one(file), LFM_OK);
  assert_int_equal(lfm_file_read(file, &second, &size_again), LFM_OK);
  assert_int_equal(size, size_again);
  assert_memory_equal(first, second, size);
  uint64_t header;
  memcpy(&header, first, sizeof header);
  assert_int_equal((header + 8) % 64, 0);
  assert_int_equal(header + 8 + sizeof mask + sizeof weight + sizeof mean + sizeof steps, size);
  lfm_free(first);
  lfm_free(second);
}

static void test_an_archive_without_anything(void **state) {
  (void)state;
  lfm_archive *archive;
  assert_int_equal(lfm_archive_create(&archive), LFM_OK);
  assert_int_equal(lfm_archive_write(archive, file), LFM_OK);
  lfm_archive_destroy(archive);
  assert_int_equal(lfm_archive_open(file, &archive), LFM_OK);
  assert_int_equal(lfm_archive_size(archive), 0);
  lfm_archive_destroy(archive);
  lfm_archive_destroy(NULL);
}

static void test_require_names_what_differs(void **state) {
  (void)state;
  lfm_archive *archive;
  const lfm_tensor *tensor = NULL;
  assert_int_equal(write_one(file), LFM_OK);
  assert_int_equal(lfm_archive_open(file, &archive), LFM_OK);
  assert_int_equal(lfm_archive_require(archive, "mean", LFM_F64, 1, (int64_t[]){2}, &tensor), LFM_OK);
  assert_string_equal(tensor->name, "mean");
  assert_int_equal(lfm_archive_require(archive, "mean", LFM_F32, 1, (int64_t[]){2}, &tensor), LFM_E_FORMAT);
  assert_null(tensor);
  assert_non_null(strstr(lfm_error(), "tensor 'mean' is F64 [2], expected F32 [2]"));
  assert_non_null(strstr(lfm_error(), file));
  assert_int_equal(lfm_archive_require(archive, "mean", LFM_F64, 2, (int64_t[]){2, 1}, &tensor), LFM_E_FORMAT);
  assert_int_equal(lfm_archive_require(archive, "sd", LFM_F64, 1, (int64_t[]){2}, &tensor), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "no tensor 'sd'"));
  lfm_archive_destroy(archive);
}

/* ---- another program's files -------------------------------------------------------------------------------- */

/* length, header, data -> out [at most 1024]; returns the size. */
static size_t assemble(const char *header, const void *data, size_t data_size, uint8_t *out) {
  uint64_t length = strlen(header);
  assert_true(8 + length + data_size <= 1024);
  memcpy(out, &length, 8);
  memcpy(out + 8, header, length);
  if (data_size) memcpy(out + 8 + length, data, data_size);
  return 8 + length + data_size;
}

/* What safetensors 0.8.0 wrote for {net.0.weight: float32 [[1.5, -2], [0.25, 3]], steps: int64 [7, -1], mask: uint8 [1, 2,
 * 3], mean: float64 0.125, none: float32 [0, 4]}, metadata {by: python, e-acute: u-umlaut}. */
static const char python_header[] = "{\"__metadata__\":{\"\xC3\xA9\":\"\xC3\xBC\",\"by\":\"python\"},"
                                    "\"steps\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                                    "\"mean\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[16,24]},"
                                    "\"net.0.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[24,40]},"
                                    "\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[40,40]},"
                                    "\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[40,43]}}  ";
static const uint8_t python_data[43] = {0x07, 0,    0, 0, 0,    0,    0, 0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                        0xFF, 0,    0, 0, 0,    0,    0, 0xC0, 0x3F, 0,    0,    0xC0, 0x3F, 0,    0,
                                        0,    0xC0, 0, 0, 0x80, 0x3E, 0, 0,    0x40, 0x40, 1,    2,    3};

static void assert_python_contents(const lfm_archive *archive) {
  const int64_t *i = tensor_data(archive, "steps");
  assert_true(i[0] == 7 && i[1] == -1);
  const double *d = tensor_data(archive, "mean");
  assert_true(*d == 0.125);
  const float *f = tensor_data(archive, "net.0.weight");
  assert_true(f[0] == 1.5f && f[1] == -2.0f && f[2] == 0.25f && f[3] == 3.0f);
  assert_memory_equal(tensor_data(archive, "mask"), mask, 3);
  assert_int_equal(lfm_archive_find(archive, "mean")->dims, 0);
  assert_string_equal(lfm_archive_meta_find(archive, "by"), "python");
}

/* Wherever the bytes lie (8 offsets in memory, header padded or not), numbers are read in place or from an aligned copy. */
static void test_reads_pythons_files_at_any_alignment(void **state) {
  (void)state;
  char header[1024];
  for (int spaces = 0; spaces < 8; spaces++) {
    for (size_t shift = 0; shift < 8; shift++) {
      uint8_t *buffer;
      assert_int_equal(LFM_ALLOC(&buffer, 1024 + 8), LFM_OK);
      snprintf(header, sizeof header, "%s%*s", python_header, spaces, "");
      size_t size = assemble(header, python_data, sizeof python_data, buffer + shift);
      lfm_archive *archive = NULL;
      assert_int_equal(lfm_archive_open_memory(buffer + shift, size, "py", &archive), LFM_OK);
      assert_python_contents(archive);
      lfm_archive_destroy(archive);
      lfm_free(buffer);
    }
  }
}

static void test_the_order_of_names_need_not_be_that_of_bytes(void **state) {
  (void)state;
  static const char header[] = "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
                               "\"a\":{\"shape\":[1],\"data_offsets\":[0,1],\"dtype\":\"U8\"}}";
  uint8_t bytes[1024];
  lfm_archive *archive = NULL;
  assert_int_equal(lfm_archive_open_memory(bytes, assemble(header, mask, 3, bytes), "py", &archive), LFM_OK);
  assert_int_equal(*(const uint8_t *)tensor_data(archive, "a"), 1);
  assert_int_equal(*(const uint8_t *)tensor_data(archive, "b"), 2);
  lfm_archive_destroy(archive);
}

/* What write_one has written, as a writer that orders metadata, tensors and bytes otherwise has it. */
static size_t reordered(uint8_t out[1024]) {
  static const char header[] =
      "{\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[40,48]},"
      "\"none\":{\"shape\":[0,4],\"data_offsets\":[0,0],\"dtype\":\"F32\"},"
      "\"mean\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
      "\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[48,51]},"
      "\"__metadata__\":{\"\xC3\xA9\":\"\xC3\xBC\",\"lfm.crc32\":\"%.8s\",\"config\":\"hks: [0.1, null]\\n\\\"\\\\\"},"
      "\"blocks.0.net.0.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]}}";
  uint8_t data[51], *written;
  char text[1024];
  size_t size;
  memcpy(data, mean, 16);
  memcpy(data + 16, weight, 24);
  memcpy(data + 40, steps, 8);
  memcpy(data + 48, mask, 3);
  assert_int_equal(lfm_file_read(file, &written, &size), LFM_OK);
  const char *crc = strstr((const char *)written + 8, "lfm.crc32\":\"") + strlen("lfm.crc32\":\"");
  snprintf(text, sizeof text, header, crc);
  lfm_free(written);
  return assemble(text, data, sizeof data, out);
}

static void test_another_writer_may_order_as_it_likes(void **state) {
  (void)state;
  uint8_t bytes[1024];
  lfm_archive *archive = NULL;
  assert_int_equal(write_one(file), LFM_OK);
  size_t size = reordered(bytes);
  lfm_status status = lfm_archive_open_memory(bytes, size, "py", &archive);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_contents(archive);
  lfm_archive_destroy(archive);
  bytes[size - 1] ^= 1; /* and altered is altered in any order */
  assert_int_equal(lfm_archive_open_memory(bytes, size, "py", &archive), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "checksum"));
}

/* ---- files that are not whole ------------------------------------------------------------------------------- */

static void test_a_cut_at_every_byte_is_an_error(void **state) {
  (void)state;
  uint8_t *bytes;
  size_t size;
  assert_int_equal(write_one(file), LFM_OK);
  assert_int_equal(lfm_file_read(file, &bytes, &size), LFM_OK);
  for (size_t cut = 0; cut < size; cut++) {
    uint8_t *part; /* of that size exactly, for the sanitizer to watch its end */
    assert_int_equal(LFM_ALLOC(&part, cut), LFM_OK);
    memcpy(part, bytes, cut);
    lfm_archive *archive = (lfm_archive *)(uintptr_t)1;
    assert_int_equal(lfm_archive_open_memory(part, cut, "cut", &archive), LFM_E_FORMAT);
    assert_null(archive);
    assert_non_null(strstr(lfm_error(), "cut: truncated"));
    lfm_free(part);
  }
  lfm_free(bytes);
}

/* Each of the eight bits of each byte: an error, but in the name of the checksum itself, where all else is as it was. */
static void test_every_flipped_bit_is_an_error_or_harmless(void **state) {
  (void)state;
  uint8_t *bytes;
  size_t size;
  int harmless = 0;
  assert_int_equal(write_one(file), LFM_OK);
  assert_int_equal(lfm_file_read(file, &bytes, &size), LFM_OK);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    lfm_archive *archive = NULL;
    lfm_status status = lfm_archive_open_memory(bytes, size, "flipped", &archive);
    if (status == LFM_OK) {
      assert_contents(archive);
      harmless++;
    } else {
      assert_int_equal(status, LFM_E_FORMAT);
      assert_non_null(strstr(lfm_error(), "flipped: "));
    }
    lfm_archive_destroy(archive);
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
  }
  assert_in_range(harmless, 1, 8 * (sizeof "lfm.crc32" - 1));
  lfm_free(bytes);
}

static void test_misleading_headers(void **state) {
  (void)state;
#define U8_TENSOR(shape, begin, end) "{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
  static const struct {
    const char *header, *says;
  } cases[] = {/* each over 4 bytes of data */
               {"", "no header"},
               {" {}", "no header"},
               {"[]", "no header"},
               {"{", "altered"},
               {"{\"a\":1}", "'a' lacks dtype"},
               {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", "'a' lacks dtype"},
               {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":0}}", "'a' lacks dtype"},
               {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
                "'a' has type 'BF16', which is not read; save weights as F32"},
               {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}}", "'a' lacks its two data_offsets"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "4.0") "}", "'a' lacks its two data_offsets"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "3") "}", "'a' claims bytes 0 to 3, but its shape needs 4"},
               {"{\"a\":" U8_TENSOR("[4]", "4", "0") "}", "'a' claims bytes 4 to 0"},
               {"{\"a\":" U8_TENSOR("[4]", "-4", "0") "}", "'a' claims bytes -4 to 0"},
               {"{\"a\":" U8_TENSOR("[-4]", "0", "4") "}", "'a' has an impossible shape"},
               {"{\"a\":" U8_TENSOR("[4.0]", "0", "4") "}", "'a' has an impossible shape"},
               {"{\"a\":" U8_TENSOR("[4294967296,4294967296,16]", "0", "4") "}", "'a' has an impossible shape"},
               {"{\"a\":" U8_TENSOR("[0,9223372036854775807,2]", "0", "0") "}", "'a' has an impossible shape"},
               {"{\"a\":" U8_TENSOR("[99999999999999999999]", "0", "4") "}", "too big integer"},
               {"{\"a\":" U8_TENSOR("[1,1,1,1,1,1,1,1,4]", "0", "4") "}", "more than 8 dimensions"},
               {"{\"a\":" U8_TENSOR("[2]", "0", "2") ",\"b\":" U8_TENSOR("[3]", "1", "4") "}", "an overlap"},
               {"{\"a\":" U8_TENSOR("[2]", "0", "2") ",\"b\":" U8_TENSOR("[1]", "3", "4") "}", "a gap"},
               {"{\"a\":" U8_TENSOR("[3]", "1", "4") "}", "a gap"},
               {"{\"a\":" U8_TENSOR("[3]", "0", "3") "}", "altered: 1 bytes follow"},
               {"{\"a\":" U8_TENSOR("[5]", "0", "5") "}", "truncated"},
               {"{\"a\":" U8_TENSOR("[2]", "0", "2") ",\"a\":" U8_TENSOR("[2]", "2", "4") "}", "duplicate"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "4") ",\"__metadata__\":[]}", "metadata is not an object"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "4") ",\"__metadata__\":{\"k\":1}}", "metadata 'k' is not text"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "4") ",\"__metadata__\":{\"lfm.crc32\":\"00000000\"}}", "checksum"},
               {"{\"a\":" U8_TENSOR("[4]", "0", "4") "}x", "altered"},
               {"{\"\xFF\":" U8_TENSOR("[4]", "0", "4") "}", "altered"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t bytes[1024];
    lfm_archive *archive = NULL;
    size_t size = assemble(cases[i].header, "data", 4, bytes);
    if (lfm_archive_open_memory(bytes, size, "bad", &archive) != LFM_E_FORMAT || !strstr(lfm_error(), cases[i].says))
      fail_msg("%s gave '%s', not '%s'", cases[i].header, lfm_error(), cases[i].says);
    assert_null(archive);
  }
}

static void test_files_of_another_kind(void **state) {
  (void)state;
  lfm_archive *archive = NULL;
  const char *csv = "x,y\n0.5,0.25\n1.5,1.25\n";
  assert_int_equal(lfm_archive_open_memory((const uint8_t *)csv, strlen(csv), "a.csv", &archive), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "a.csv: is not a safetensors file"));
  assert_int_equal(lfm_archive_open("absent.safetensors", &archive), LFM_E_IO);
  assert_null(archive);
  assert_int_equal(lfm_file_write(file, "", 0), LFM_OK);
  assert_int_equal(lfm_archive_open(file, &archive), LFM_E_FORMAT);
  assert_null(archive);
}

/* ---- what a builder refuses --------------------------------------------------------------------------------- */

static void test_builder_refuses_what_a_reader_would(void **state) {
  (void)state;
  lfm_archive *archive;
  int64_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {INT64_MAX, 3}, negative[1] = {-1};
  assert_int_equal(lfm_archive_create(&archive), LFM_OK);
  assert_int_equal(lfm_archive_add(archive, "a", LFM_U8, 1, shape, mask), LFM_OK);
  assert_int_equal(lfm_archive_add(archive, "a", LFM_U8, 1, shape, mask), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "'a'"));
  assert_int_equal(lfm_archive_add(archive, "__metadata__", LFM_U8, 1, shape, mask), LFM_E_USAGE);
  assert_int_equal(lfm_archive_add(archive, "b", LFM_U8, 9, shape, mask), LFM_E_USAGE);
  assert_int_equal(lfm_archive_add(archive, "b", LFM_F64, 2, huge, mask), LFM_E_USAGE);
  assert_int_equal(lfm_archive_add(archive, "b", LFM_F64, 1, negative, mask), LFM_E_USAGE);
  assert_int_equal(lfm_archive_add(archive, "\xFF", LFM_U8, 1, shape, mask), LFM_E_DATA);
  assert_int_equal(lfm_archive_meta(archive, "k", "v"), LFM_OK);
  assert_int_equal(lfm_archive_meta(archive, "k", "w"), LFM_E_USAGE);
  assert_int_equal(lfm_archive_meta(archive, "lfm.crc32", "0"), LFM_E_USAGE);
  assert_int_equal(lfm_archive_meta(archive, "latin", "M\xFCnchen"), LFM_E_DATA);
  assert_int_equal(lfm_archive_size(archive), 1);
  assert_string_equal(lfm_archive_meta_find(archive, "k"), "v");
  lfm_archive_destroy(archive);
}

static void test_a_failed_write_leaves_the_old_file(void **state) {
  (void)state;
  lfm_archive *archive = NULL;
  char nowhere[128];
  snprintf(nowhere, sizeof nowhere, "%s/none/a.safetensors", folder);
  assert_int_equal(write_one(nowhere), LFM_E_IO);
  assert_int_equal(write_one(file), LFM_OK);
  for (uint64_t at = 1;; at++) {
    lfm_alloc_fail_at(at);
    lfm_status status = write_one(file);
    lfm_alloc_fail_at(0);
    assert_int_equal(lfm_archive_open(file, &archive), LFM_OK);
    assert_contents(archive);
    lfm_archive_destroy(archive);
    if (status == LFM_OK) break;
    assert_int_equal(status, LFM_E_MEMORY);
    assert_true(at < 100);
  }
}

static void test_refused_memory_while_reading(void **state) {
  (void)state;
  uint8_t *bytes;
  assert_int_equal(LFM_ALLOC(&bytes, 1025), LFM_OK);
  size_t size = assemble(python_header, python_data, sizeof python_data, bytes + 1); /* + 1: copies are made too */
  uint64_t at = 1;
  for (lfm_status status = LFM_E_MEMORY; status != LFM_OK; at++) {
    lfm_archive *archive = (lfm_archive *)(uintptr_t)1;
    lfm_alloc_fail_at(at);
    status = lfm_archive_open_memory(bytes + 1, size, "py", &archive);
    lfm_alloc_fail_at(0);
    if (status == LFM_OK) assert_python_contents(archive), lfm_archive_destroy(archive);
    else assert_true(status == LFM_E_MEMORY && !archive);
    assert_true(at < 100);
  }
  assert_true(at > 10);
  lfm_free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_comes_back_as_written),
      cmocka_unit_test(test_same_bytes_twice_and_data_on_a_cache_line),
      cmocka_unit_test(test_an_archive_without_anything),
      cmocka_unit_test(test_require_names_what_differs),
      cmocka_unit_test(test_reads_pythons_files_at_any_alignment),
      cmocka_unit_test(test_the_order_of_names_need_not_be_that_of_bytes),
      cmocka_unit_test(test_another_writer_may_order_as_it_likes),
      cmocka_unit_test(test_a_cut_at_every_byte_is_an_error),
      cmocka_unit_test(test_every_flipped_bit_is_an_error_or_harmless),
      cmocka_unit_test(test_misleading_headers),
      cmocka_unit_test(test_files_of_another_kind),
      cmocka_unit_test(test_builder_refuses_what_a_reader_would),
      cmocka_unit_test(test_a_failed_write_leaves_the_old_file),
      cmocka_unit_test(test_refused_memory_while_reading),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
