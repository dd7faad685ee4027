/* SPDX-License-Identifier: MIT
 *
 * test_spill.c -- rows over the memory limit lie in files without a name: they are memory like any other, they are not
 * counted as such, nothing of them is ever seen in the folder, and a folder or disk that refuses is a line that says so.
 */
#include "core/spill.h"

#include "core/alloc.h"
#include "core/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 100000 };
static char folder[200];

static int names_in_folder(void) {
  int count = -2; /* . and .. */
  DIR *open = opendir(folder);
  assert_non_null(open);
  while (readdir(open)) count++;
  closedir(open);
  return count;
}

/* Rows of `bytes` in all; are they in a file? */
static bool goes_to_file(size_t bytes) {
  char *rows = NULL;
  assert_int_equal(lfm_alloc_rows(&rows, bytes, 1), LFM_OK);
  size_t in_file = lfm_alloc_size_in_file(rows);
  assert_true(lfm_alloc_size(rows) >= bytes && (in_file == 0 || in_file == bytes));
  lfm_free(rows);
  return in_file > 0;
}

static void rows_in_a_file_are_memory(void **state) {
  (void)state;
  double *rows[3];
  size_t before = lfm_alloc_in_use();
  assert_int_equal(lfm_memory_limit(1, folder), LFM_OK);
  for (int k = 0; k < 3; k++) {
    assert_int_equal(LFM_ALLOC_ROWS(&rows[k], ROWS), LFM_OK);
    assert_int_equal(lfm_alloc_size_in_file(rows[k]), ROWS * sizeof(double));
    assert_int_equal((uintptr_t)rows[k] % 64, 0);
    lfm_alloc_expect(rows[k], k == 1); /* advice changes nothing */
    for (size_t i = 0; i < ROWS; i++) {
      assert_true(rows[k][i] == 0.0);
      rows[k][i] = (double)(i + (size_t)k);
    }
  }
  assert_int_equal(names_in_folder(), 0);
  assert_int_equal(lfm_alloc_in_use(), before);
  lfm_free(rows[1]); /* the middle one of the list, then its ends */
  for (int k = 0; k < 3; k += 2)
    for (size_t i = 0; i < ROWS; i++) assert_true(rows[k][i] == (double)(i + (size_t)k));
  lfm_free(rows[0]);
  lfm_free(rows[2]);
  assert_int_equal(lfm_alloc_in_use(), before);
}

static void the_limit_counts_what_memory_holds(void **state) {
  (void)state;
  char *held;
  assert_int_equal(lfm_memory_limit((int64_t)(lfm_alloc_in_use() + 1000000), folder), LFM_OK);
  assert_false(goes_to_file(400000));
  assert_false(goes_to_file(999000));
  assert_true(goes_to_file(1000001));
  assert_int_equal(LFM_ALLOC(&held, 700000), LFM_OK);
  assert_true(goes_to_file(400000));
  assert_false(goes_to_file(200000));
  assert_false(goes_to_file(100)); /* too little for a file, whatever the limit */
  lfm_free(held);
  assert_false(goes_to_file(400000));
  assert_int_equal(LFM_ALLOC(&held, 3000000), LFM_OK); /* what is not rows stays in memory */
  assert_int_equal(lfm_alloc_size_in_file(held), 0);
  assert_false(goes_to_file(100));
  lfm_free(held);
  assert_int_equal(lfm_memory_limit(0, folder), LFM_OK); /* half of what is free: more than this */
  assert_false(goes_to_file(1000001));
  assert_int_equal(lfm_memory_limit(1, folder), LFM_OK);
  assert_int_equal(lfm_memory_limit(0, NULL), LFM_OK);
  assert_false(goes_to_file(1000001));
  assert_int_equal(lfm_memory_limit(-1, folder), LFM_E_USAGE);
}

static void growing_rows_move_to_a_file(void **state) {
  (void)state;
  int *array = NULL, *list = NULL;
  size_t capacity = 0, list_capacity = 0;
  assert_int_equal(lfm_memory_limit((int64_t)(lfm_alloc_in_use() + 100000), folder), LFM_OK);
  for (size_t n = 0; n < ROWS; n++) {
    assert_int_equal(lfm_alloc_grow_rows(&array, &capacity, n + 1, sizeof *array), LFM_OK);
    array[n] = (int)n;
  }
  assert_true(lfm_alloc_size_in_file(array) >= ROWS * sizeof *array);
  for (size_t n = 0; n < ROWS; n++) assert_int_equal(array[n], (int)n);
  assert_int_equal(lfm_alloc_grow(&list, &list_capacity, ROWS, sizeof *list), LFM_OK);
  assert_int_equal(lfm_alloc_size_in_file(list), 0); /* what is not of rows stays in memory */
  lfm_free(list);
  lfm_free(array);
}

/* Of a path that is not there yet the nearest folder above serves. */
static void a_folder_still_to_be_made(void **state) {
  (void)state;
  char path[300];
  snprintf(path, sizeof path, "%s/run/of/today/", folder);
  assert_int_equal(lfm_memory_limit(1, path), LFM_OK);
  assert_true(goes_to_file(100000));
  assert_int_equal(names_in_folder(), 0);
}

/* Then not even "." can be looked at; the superuser, who may look anywhere, is somebody else meanwhile. */
static void a_working_folder_that_is_closed(void **state) {
  (void)state;
  enum { NOBODY = 65534 };
  char here[4096], path[300], *rows;
  bool is_superuser = geteuid() == 0;
  assert_non_null(getcwd(here, sizeof here));
  snprintf(path, sizeof path, "%s/closed", folder);
  assert_int_equal(lfm_folder_make(path), LFM_OK);
  assert_int_equal(chdir(path), 0);
  assert_int_equal(chmod(path, 0), 0);
  if (is_superuser) assert_int_equal(seteuid(NOBODY), 0);
  alarm(20); /* a search without an end is a failure */
  assert_int_equal(lfm_memory_limit(1, "run/of/today"), LFM_OK);
  alarm(0);
  assert_int_equal(lfm_alloc_rows(&rows, 100000, 1), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), ".: rows that are over the memory limit cannot be put there"));
  if (is_superuser) assert_int_equal(seteuid(0), 0);
  assert_int_equal(chmod(path, 0700), 0);
  assert_int_equal(chdir(here), 0);
  assert_int_equal(rmdir(path), 0);
}

static void a_folder_that_is_gone_is_named(void **state) {
  (void)state;
  char path[300], *rows = (char *)1;
  size_t before = lfm_alloc_in_use();
  snprintf(path, sizeof path, "%s/gone", folder);
  assert_int_equal(lfm_folder_make(path), LFM_OK);
  assert_int_equal(lfm_memory_limit(1, path), LFM_OK);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(lfm_alloc_rows(&rows, 100000, 1), LFM_E_IO);
  assert_null(rows);
  assert_non_null(strstr(lfm_error(), "/gone: rows that are over the memory limit cannot be put there"));
  assert_int_equal(lfm_alloc_in_use(), before);
}

/* A limit on the size of files stands for a full disk: the space is asked for when the array is, not when it is used. */
static void a_full_disk_is_a_status(void **state) {
  (void)state;
  struct rlimit whole, small = {.rlim_cur = 50000};
  char *rows = (char *)1;
  assert_int_equal(lfm_memory_limit(1, folder), LFM_OK);
  getrlimit(RLIMIT_FSIZE, &whole);
  small.rlim_max = whole.rlim_max;
  void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  lfm_status status = lfm_alloc_rows(&rows, 100000, 1);
  setrlimit(RLIMIT_FSIZE, &whole);
  signal(SIGXFSZ, before);
  assert_int_equal(status, LFM_E_IO);
  assert_null(rows);
  assert_non_null(strstr(lfm_error(), "no room for 0.1 MB"));
  assert_int_equal(names_in_folder(), 0);
  assert_true(goes_to_file(100000));
}

static void sizes_that_overflow_and_refusals_on_command(void **state) {
  (void)state;
  char *rows = (char *)1;
  assert_int_equal(lfm_memory_limit(1, folder), LFM_OK);
  assert_int_equal(lfm_alloc_rows(&rows, SIZE_MAX / 2, 3), LFM_E_MEMORY);
  assert_null(rows);
  assert_int_equal(lfm_alloc_rows(&rows, SIZE_MAX, 1), LFM_E_MEMORY);
  assert_null(rows);
  lfm_alloc_fail_at(2);
  assert_true(goes_to_file(100000));
  rows = (char *)1;
  assert_int_equal(lfm_alloc_rows(&rows, 100000, 1), LFM_E_MEMORY);
  assert_null(rows);
  assert_true(goes_to_file(100000));
  assert_int_equal(lfm_alloc_fail_at(0), 3);
}

static int make_folder(void **state) {
  (void)state;
  const char *root = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/lfm-spill-XXXXXX", root && *root ? root : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return lfm_memory_limit(0, NULL) == LFM_OK ? rmdir(folder) : -1; /* empty, or it cannot be removed */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_in_a_file_are_memory),       cmocka_unit_test(the_limit_counts_what_memory_holds),
      cmocka_unit_test(growing_rows_move_to_a_file),     cmocka_unit_test(a_folder_still_to_be_made),
      cmocka_unit_test(a_working_folder_that_is_closed), cmocka_unit_test(a_folder_that_is_gone_is_named),
      cmocka_unit_test(a_full_disk_is_a_status),         cmocka_unit_test(sizes_that_overflow_and_refusals_on_command),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
