/* SPDX-License-Identifier: MIT
 *
 * test_run_folder.c -- who may have a folder, metrics on a disk that takes them in parts, and results that are read back.
 * The program's own write and flock stand in front of the C library's, so that a disk can fill up within a line and a file
 * system know no locks.
 */
#include "train_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "flow/trainer.h"

static size_t room_in_a_line; /* appended at once; 0: as much as is asked for */
static bool is_full_behind_it;

__attribute__((visibility("default"))) ssize_t write(int descriptor, const void *data, size_t size) {
  static bool took_a_part;
  bool cuts = room_in_a_line && fcntl(descriptor, F_GETFL) & O_APPEND;
  if (cuts && is_full_behind_it && took_a_part) return took_a_part = false, errno = ENOSPC, -1;
  took_a_part = cuts && size > room_in_a_line;
  return syscall(SYS_write, descriptor, data, took_a_part ? room_in_a_line : size);
}

static bool knows_no_locks;

__attribute__((visibility("default"))) int flock(int descriptor, int how) {
  if (knows_no_locks) return errno = ENOLCK, -1;
  return (int)syscall(SYS_flock, descriptor, how);
}

static void a_folder_has_one_owner(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "run");
  lfm_claim first = {0}, second = {0};
  OK(lfm_run_folder_claim(path, false, &first));
  assert_true(first.lock > 0 && !first.was_there);
  FAILS(LFM_E_EXISTS, lfm_run_folder_claim(path, true, &second));
  assert_says("another program");
  assert_int_equal(second.lock, 0);
  lfm_run_folder_release(&first);
  OK(lfm_run_folder_claim(path, false, &second)); /* nothing was begun there: still free, without resume */
  lfm_run_folder_release(&second);
  lfm_run_folder_release(&(lfm_claim){0});
  folder_remove(&here);
}

static void a_folder_without_locks_is_nobodys(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2"));
  knows_no_locks = true;
  OK(run_train(&r));
  knows_no_locks = false;
  run_drop(&r);
}

/* What failed before it began leaves no folder, but for one that was there. */
static void an_empty_folder_of_the_users_stays(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "run");
  for (int was_there = 0; was_there < 2; was_there++) {
    lfm_claim claim = {0};
    if (was_there) OK(lfm_folder_make(path));
    OK(lfm_run_folder_claim(path, false, &claim));
    lfm_run_folder_abandon(path, &claim);
    lfm_run_folder_release(&claim);
    assert_true(lfm_path_exists(path) == was_there);
    assert_false(lfm_path_exists(inside(here.path, "run/checkpoint")));
  }
  folder_remove(&here);
}

static void any_sign_of_a_run_is_respected(void **state) {
  (void)state;
  static const char *const signs[] = {"config.yaml", "model.safetensors", "result.json", "checkpoint/state.safetensors"};
  for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
    folder here = folder_create();
    lfm_claim claim = {0};
    OK(lfm_folder_make(inside(here.path, "checkpoint")));
    OK(lfm_file_write(inside(here.path, "notes.txt"), "mine", 4)); /* no sign */
    OK(lfm_run_folder_claim(here.path, false, &claim));
    lfm_run_folder_release(&claim);
    OK(lfm_file_write(inside(here.path, signs[k]), "x", 1));
    FAILS(LFM_E_EXISTS, lfm_run_folder_claim(here.path, false, &claim));
    assert_says(here.path);
    OK(lfm_run_folder_claim(here.path, true, &claim));
    lfm_run_folder_release(&claim);
    folder_remove(&here);
  }
}

static void what_is_no_run_is_left_alone(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_claim claim = {0};
  OK(lfm_file_write(inside(here.path, "loss.png"), "mine", 4));
  for (int resume = 0; resume < 2; resume++) {
    FAILS(LFM_E_EXISTS, lfm_run_folder_claim(here.path, resume, &claim));
    assert_says("holds files that are of no run (loss.png); name a new folder, or an empty one");
    assert_false(lfm_path_exists(inside(here.path, "checkpoint")));
  }
  OK(lfm_file_remove(inside(here.path, "loss.png")));
  OK(lfm_run_folder_claim(here.path, false, &claim));
  lfm_run_folder_release(&claim);
  folder_remove(&here);
}

static void folders_that_cannot_be(void **state) {
  (void)state;
  folder here = folder_create();
  static char longer[5000];
  lfm_claim claim = {0};
  memset(longer, 'a', sizeof longer - 1);
  FAILS(LFM_E_USAGE, lfm_run_folder_claim(longer, false, &claim));
  OK(lfm_file_write(inside(here.path, "file"), "x", 1));
  assert_int_not_equal(lfm_run_folder_claim(inside(here.path, "file"), false, &claim), LFM_OK);
  FAILS(LFM_E_IO, lfm_run_folder_claim(inside(here.path, "file/run"), false, &claim));
  assert_int_equal(claim.lock, 0);
  folder_remove(&here);
}

static void metrics_are_whole_lines_or_an_error(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2")), whole = small_run(KEYS("max_batch=2"));
  OK(run_train(&whole));
  room_in_a_line = 7;
  OK(run_train(&r));
  assert_true(same_metrics(&r, &whole));
  run_drop(&r);
  r = small_run(KEYS("max_batch=2"));
  is_full_behind_it = true;
  FAILS(LFM_E_IO, run_train(&r));
  assert_says("metrics.jsonl: cannot be written: No space left on device");
  room_in_a_line = 0, is_full_behind_it = false;
  r.options.resume = true;
  OK(run_train(&r));
  assert_true(same_metrics(&r, &whole));
  run_drop(&r);
  run_drop(&whole);
}

static void results_come_back(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2"));
  lfm_train_result read;
  bool finished = false;
  OK(run_train(&r));
  memset(&read, 0, sizeof read);
  OK(lfm_run_folder_read_result(r.path, &read, &finished));
  assert_true(finished && memcmp(&read, &r.result, sizeof read) == 0);

  static const char *const ill[] = {
      "",
      "{",
      "[]",
      "{}",
      "{\"blocks\": 1}",
      "{\"blocks\": \"one\", \"steps\": 3}",
      "{\"blocks\":1,\"steps\":1e300,\"seconds\":0,\"loss\":0,\"valid_nll\":0,\"train_flops\":0,"
      "\"push_flops\":0,\"rows_dropped\":0}",
      "{\"blocks\":null,\"steps\":1,\"seconds\":0,\"loss\":0,\"valid_nll\":0,\"train_flops\":0,"
      "\"push_flops\":0,\"rows_dropped\":0}"};
  for (size_t k = 0; k < sizeof ill / sizeof *ill; k++) {
    OK(lfm_file_write(file_of(&r, "result.json"), ill[k], strlen(ill[k])));
    FAILS(LFM_E_FORMAT, lfm_run_folder_read_result(r.path, &read, &finished));
    assert_says("result.json");
  }
  OK(lfm_run_folder_read_result(r.root.path, &read, &finished));
  assert_false(finished);
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_folder_has_one_owner),
      cmocka_unit_test(an_empty_folder_of_the_users_stays),
      cmocka_unit_test(a_folder_without_locks_is_nobodys),
      cmocka_unit_test(any_sign_of_a_run_is_respected),
      cmocka_unit_test(what_is_no_run_is_left_alone),
      cmocka_unit_test(folders_that_cannot_be),
      cmocka_unit_test(metrics_are_whole_lines_or_an_error),
      cmocka_unit_test(results_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
