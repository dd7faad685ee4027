/* SPDX-License-Identifier: MIT
 *
 * test_file.c -- whole files or none: a commit puts the new one in place, an abort and every failure leave the old one and
 * no NAME.partial.  Faults come from the system itself: a limit on file sizes, folders that are missing or closed.  The
 * program's own flock stands in front of the C library's, so that another writer can end at the worst moment.
 */
#include "core/file.h"

#include "core/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[200];

/* A path below this test's folder; valid until the eighth next call. */
static const char *in_folder(const char *name) {
  static char paths[8][500];
  static int turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static lfm_writer *ends_before_next_lock;

__attribute__((visibility("default"))) int flock(int descriptor, int how) {
  lfm_writer *ending = ends_before_next_lock;
  ends_before_next_lock = NULL;
  if (ending) assert_int_equal(lfm_writer_commit(ending), LFM_OK);
  return (int)syscall(SYS_flock, descriptor, how);
}

static void write_text(const char *path, const char *text) {
  assert_int_equal(lfm_file_write(path, text, strlen(text)), LFM_OK);
}

static void assert_holds(const char *path, const char *text) {
  uint8_t *data;
  size_t size;
  assert_int_equal(lfm_file_read(path, &data, &size), LFM_OK);
  assert_int_equal(size, strlen(text));
  assert_string_equal((const char *)data, text); /* the zero byte behind the content is part of the promise */
  lfm_free(data);
}

static void a_commit_gives_the_whole_content(void **state) {
  (void)state;
  enum { SIZE = (5 << 20) / 2 + 3 }; /* more than two buffers, in parts that do not fit them */
  uint8_t *content, *back;
  size_t size = 0;
  assert_int_equal(LFM_ALLOC(&content, SIZE), LFM_OK);
  for (size_t i = 0; i < SIZE; i++) content[i] = (uint8_t)(i * 2654435761u >> 24);
  lfm_writer *writer;
  const char *path = in_folder("big");
  assert_int_equal(lfm_writer_open(path, &writer), LFM_OK);
  for (size_t at = 0, part = 1; at < SIZE; at += part, part = part * 3 + 1) {
    if (part > SIZE - at) part = SIZE - at;
    assert_int_equal(lfm_writer_put(writer, content + at, part), LFM_OK);
  }
  assert_false(lfm_path_exists(path));
  assert_int_equal(lfm_writer_commit(writer), LFM_OK);
  assert_false(lfm_path_exists(in_folder("big.partial")));
  assert_int_equal(lfm_file_read(path, &back, &size), LFM_OK);
  assert_int_equal(size, SIZE);
  assert_memory_equal(back, content, SIZE);
  lfm_free(back);
  lfm_free(content);
}

static void a_commit_replaces_and_an_abort_does_not(void **state) {
  (void)state;
  const char *path = in_folder("a");
  write_text(path, "old and longer");
  write_text(path, "new");
  assert_holds(path, "new");
  lfm_writer *writer;
  assert_int_equal(lfm_writer_open(path, &writer), LFM_OK);
  assert_int_equal(lfm_writer_put(writer, "newer", 5), LFM_OK);
  assert_true(lfm_path_exists(in_folder("a.partial")));
  lfm_writer_abort(writer);
  lfm_writer_abort(NULL);
  assert_holds(path, "new");
  assert_false(lfm_path_exists(in_folder("a.partial")));
}

static void a_replaced_file_keeps_its_permissions(void **state) {
  (void)state;
  const mode_t modes[] = {0600, 0444, 0666};
  const char *path = in_folder("mode");
  struct stat facts;
  write_text(path, "old");
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    lfm_writer *writer;
    assert_int_equal(chmod(path, modes[i]), 0);
    assert_int_equal(lfm_writer_open(path, &writer), LFM_OK);
    assert_int_equal(stat(in_folder("mode.partial"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777 & ~(modes[i] | S_IWUSR), 0);
    assert_int_equal(lfm_writer_commit(writer), LFM_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, modes[i]);
  }
}

static void a_link_stays_and_its_file_is_replaced(void **state) {
  (void)state;
  char here[4096];
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(lfm_folder_make(in_folder("far")), LFM_OK);
  assert_int_equal(symlink("far/second", in_folder("first")), 0);
  assert_int_equal(symlink("../end", in_folder("far/second")), 0);
  assert_int_equal(lfm_path_check_writable(in_folder("first")), LFM_OK);
  write_text(in_folder("first"), "made"); /* it led nowhere */
  assert_int_equal(chdir(folder), 0);
  assert_holds("end", "made");
  write_text("first", "replaced");
  assert_int_equal(chdir(here), 0);
  assert_holds(in_folder("end"), "replaced");
  struct stat facts;
  const char *links[] = {"first", "far/second"};
  for (int i = 0; i < 2; i++) assert_true(lstat(in_folder(links[i]), &facts) == 0 && S_ISLNK(facts.st_mode));
  lfm_writer *first, *second;
  assert_int_equal(lfm_writer_open(in_folder("first"), &first), LFM_OK);
  assert_int_equal(lfm_writer_open(in_folder("end"), &second), LFM_E_EXISTS); /* one file by two names */
  lfm_writer_abort(first);
  for (int i = 0; i < 2; i++) assert_int_equal(unlink(in_folder(links[i])), 0);
  assert_int_equal(rmdir(in_folder("far")), 0);
}

/* Refused before the work whose fruit would have no place: a file is written first as NAME.partial. */
static void names_that_cannot_be_are_refused_before(void **state) {
  (void)state;
  char name[256];
  assert_int_equal(lfm_path_check_writable(""), LFM_E_USAGE);
  memset(name, 'n', sizeof name);
  name[255 - 8] = 0;
  assert_int_equal(lfm_path_check_writable(in_folder(name)), LFM_OK);
  assert_int_equal(lfm_file_write(in_folder(name), "x", 1), LFM_OK);
  assert_int_equal(unlink(in_folder(name)), 0);
  name[255 - 8] = 'n', name[255 - 7] = 0;
  assert_int_equal(lfm_path_check_writable(in_folder(name)), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "the name is too long; 247 letters are possible"));
  assert_int_equal(lfm_file_write(in_folder(name), "x", 1), LFM_E_USAGE);
}

static void a_link_that_leads_nowhere_is_refused(void **state) {
  (void)state;
  const char *path = in_folder("round");
  assert_int_equal(symlink("round", path), 0);
  assert_int_equal(lfm_path_check_writable(path), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "round: is a link without an end"));
  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("missing/file", path), 0);
  assert_int_equal(lfm_file_write(path, "x", 1), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "round: there is no folder"));
  assert_int_equal(unlink(path), 0);
}

static void a_left_over_partial_is_no_hindrance(void **state) {
  (void)state;
  write_text(in_folder("b.partial"), "half of a file that a crash left");
  write_text(in_folder("b"), "whole");
  assert_holds(in_folder("b"), "whole");
  assert_false(lfm_path_exists(in_folder("b.partial")));
}

static void a_partial_that_is_no_file_is_left_alone(void **state) {
  (void)state;
  const char *path = in_folder("c"), *partial = in_folder("c.partial"), *other = in_folder("other");
  lfm_writer *writer;
  write_text(other, "not ours");
  assert_int_equal(symlink(other, partial), 0);
  assert_int_equal(lfm_writer_open(path, &writer), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "c.partial: is a link where a file is written first; remove it"));
  assert_holds(other, "not ours");
  assert_int_equal(unlink(partial), 0);
  assert_int_equal(mkfifo(partial, 0600), 0);
  for (int readers = 0; readers <= 1; readers++) { /* without one, to open it would be to wait */
    int reader = readers ? open(partial, O_RDONLY | O_NONBLOCK) : -1;
    assert_int_equal(lfm_writer_open(path, &writer), LFM_E_IO);
    assert_non_null(strstr(lfm_error(), "c.partial: is a pipe or device where"));
    if (reader >= 0) close(reader);
  }
  assert_int_equal(unlink(partial), 0);
  assert_int_equal(lfm_folder_make(partial), LFM_OK);
  assert_int_equal(lfm_writer_open(path, &writer), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "c.partial: is a folder where"));
  assert_int_equal(rmdir(partial), 0);
  assert_false(lfm_path_exists(path));
}

static void a_second_writer_of_a_file_is_refused(void **state) {
  (void)state;
  const char *path = in_folder("both");
  lfm_writer *first, *second = (lfm_writer *)1;
  assert_int_equal(lfm_writer_open(path, &first), LFM_OK);
  assert_int_equal(lfm_writer_put(first, "first", 5), LFM_OK);
  assert_int_equal(lfm_writer_open(path, &second), LFM_E_EXISTS);
  assert_null(second);
  assert_non_null(strstr(lfm_error(), "both: another program is writing it; "));
  assert_int_equal(lfm_writer_commit(first), LFM_OK);
  assert_holds(path, "first");
  write_text(path, "second");
  assert_holds(path, "second");
}

static void a_writer_that_commits_between_open_and_lock_keeps_its_file(void **state) {
  (void)state;
  const char *path = in_folder("both");
  lfm_writer *second;
  assert_int_equal(lfm_writer_open(path, &ends_before_next_lock), LFM_OK);
  assert_int_equal(lfm_writer_put(ends_before_next_lock, "first", 5), LFM_OK);
  assert_int_equal(lfm_writer_open(path, &second), LFM_OK);
  assert_null(ends_before_next_lock);
  assert_int_equal(lfm_writer_put(second, "second", 6), LFM_OK);
  assert_holds(path, "first");
  assert_int_equal(lfm_writer_commit(second), LFM_OK);
  assert_holds(path, "second");
  assert_false(lfm_path_exists(in_folder("both.partial")));
}

static void a_relative_path_works(void **state) {
  (void)state;
  char here[4096];
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(chdir(folder), 0);
  write_text("relative", "text");
  assert_int_equal(chdir(here), 0);
  assert_holds(in_folder("relative"), "text");
}

static void places_that_cannot_be_written_are_named(void **state) {
  (void)state;
  lfm_writer *writer = (lfm_writer *)1;
  assert_int_equal(lfm_writer_open(in_folder("missing/file"), &writer), LFM_E_IO);
  assert_null(writer);
  assert_non_null(strstr(lfm_error(), "missing/file: there is no folder"));
  assert_int_equal(lfm_folder_make(in_folder("missing/folder")), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "missing/folder: the folder to make it in is not there"));
  writer = (lfm_writer *)1;
  assert_int_equal(lfm_writer_open(folder, &writer), LFM_E_IO);
  assert_null(writer);
  assert_non_null(strstr(lfm_error(), "folder"));
  assert_int_equal(lfm_file_write("/dev/null", "x", 1), LFM_E_IO); /* the superuser's rename would replace it */
  assert_non_null(strstr(lfm_error(), "device"));
  char endless[5000];
  memset(endless, 'x', sizeof endless - 1);
  endless[sizeof endless - 1] = 0;
  assert_int_equal(lfm_writer_open(endless, &writer), LFM_E_USAGE);
}

static void a_closed_folder_refuses(void **state) {
  (void)state;
  if (geteuid() == 0) skip(); /* the superuser may write anywhere */
  const char *closed = in_folder("closed");
  assert_int_equal(lfm_folder_make(closed), LFM_OK);
  assert_int_equal(chmod(closed, 0500), 0);
  assert_int_equal(lfm_file_write(in_folder("closed/a"), "x", 1), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "closed/a"));
  assert_int_equal(rmdir(closed), 0);
}

static void limit_file_size(rlim_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_the_old_file(void **state) {
  (void)state;
  const char *path = in_folder("full");
  char *large;
  size_t size = 3 << 20;
  assert_int_equal(LFM_ALLOC(&large, size), LFM_OK);
  write_text(path, "old");
  limit_file_size(1000); /* room for a part of a buffer */
  lfm_status in_put = lfm_file_write(path, large, size);
  lfm_status in_commit = lfm_file_write(path, large, 5000);
  limit_file_size(RLIM_INFINITY);
  assert_int_equal(in_put, LFM_E_IO);
  assert_int_equal(in_commit, LFM_E_IO);
  assert_non_null(strstr(lfm_error(), path));
  assert_holds(path, "old");
  assert_false(lfm_path_exists(in_folder("full.partial")));
  lfm_free(large);
}

static void a_failed_writer_never_commits(void **state) {
  (void)state;
  const char *path = in_folder("failed");
  char *large;
  size_t size = 3 << 20;
  assert_int_equal(LFM_ALLOC(&large, size), LFM_OK);
  write_text(path, "old");
  lfm_writer *writer;
  assert_int_equal(lfm_writer_open(path, &writer), LFM_OK);
  limit_file_size(1000);
  assert_int_equal(lfm_writer_put(writer, large, size), LFM_E_IO);
  limit_file_size(RLIM_INFINITY); /* there is room again, but a part is lost */
  assert_int_equal(lfm_writer_put(writer, large, size), LFM_E_IO);
  assert_int_equal(lfm_writer_commit(writer), LFM_E_IO);
  assert_holds(path, "old");
  assert_false(lfm_path_exists(in_folder("failed.partial")));
  lfm_free(large);
}

static void what_cannot_be_read_is_named(void **state) {
  (void)state;
  uint8_t *data = (uint8_t *)1;
  size_t size = 7;
  lfm_map map = {(const uint8_t *)1, 7};
  assert_int_equal(lfm_file_read(in_folder("missing"), &data, &size), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "missing: No such file"));
  assert_null(data);
  assert_int_equal(size, 0);
  assert_int_equal(lfm_map_open(in_folder("missing"), &map), LFM_E_IO);
  assert_null(map.data);
  assert_int_equal(lfm_file_read(folder, &data, &size), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "is a folder"));
  assert_int_equal(lfm_map_open("/dev/zero", &map), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "not a file"));
  assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
  assert_int_equal(lfm_file_read(in_folder("pipe"), &data, &size), LFM_E_IO); /* and does not wait for a writer */
  assert_non_null(strstr(lfm_error(), "not a file"));
}

static void maps_show_the_file(void **state) {
  (void)state;
  lfm_map map;
  write_text(in_folder("mapped"), "eight by");
  assert_int_equal(lfm_map_open(in_folder("mapped"), &map), LFM_OK);
  assert_int_equal(map.size, 8);
  assert_memory_equal(map.data, "eight by", 8);
  write_text(in_folder("mapped"), "another"); /* a new file under the name: the view keeps the old one */
  assert_memory_equal(map.data, "eight by", 8);
  lfm_map_close(&map);
  lfm_map_close(&map);
  assert_null(map.data);
}

static void an_empty_file_is_a_file(void **state) {
  (void)state;
  lfm_map map = {NULL, 7};
  assert_int_equal(lfm_file_write(in_folder("empty"), NULL, 0), LFM_OK);
  assert_holds(in_folder("empty"), "");
  assert_int_equal(lfm_map_open(in_folder("empty"), &map), LFM_OK);
  assert_int_equal(map.size, 0);
  assert_non_null(map.data); /* so that pointer arithmetic on it is defined */
  lfm_map_close(&map);
  lfm_map_close(&map);
}

static void paths(void **state) {
  (void)state;
  char out[12];
  assert_int_equal(lfm_path_join(out, sizeof out, "run", "model"), LFM_OK);
  assert_string_equal(out, "run/model");
  assert_int_equal(lfm_path_join(out, sizeof out, "run/", "model"), LFM_OK);
  assert_string_equal(out, "run/model");
  assert_int_equal(lfm_path_join(out, sizeof out, "/", "model"), LFM_OK);
  assert_string_equal(out, "/model");
  assert_int_equal(lfm_path_join(out, sizeof out, "", "model"), LFM_OK);
  assert_string_equal(out, "model");
  assert_int_equal(lfm_path_join(out, sizeof out, "run45", "model"), LFM_OK); /* fills it */
  assert_int_equal(lfm_path_join(out, sizeof out, "run456", "model"), LFM_E_USAGE);
  assert_true(lfm_path_ends_with("a/b.CSV", ".csv"));
  assert_true(lfm_path_ends_with(".csv", ".csv"));
  assert_false(lfm_path_ends_with("csv", ".csv"));
  assert_false(lfm_path_ends_with("a.csv.gz", ".csv"));
  assert_true(lfm_path_ends_with("a", ""));
  assert_true(lfm_path_is_folder(folder));
  assert_false(lfm_path_is_folder(in_folder("missing")));
}

static void a_path_leads_up_to_an_end(void **state) {
  (void)state;
  const char *cases[][3] = {{"run/of/today", "run/of", "."},
                            {"/run/of", "/run", "/"},
                            {"run", ".", "."},
                            {"/", "/", "/"},
                            {"./run/", "./run", "."},
                            {"", ".", "."}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    char path[20];
    snprintf(path, sizeof path, "%s", cases[k][0]);
    assert_int_equal(lfm_path_parent(path), strcmp(cases[k][0], "/") != 0);
    assert_string_equal(path, cases[k][1]);
    int steps = 0;
    while (lfm_path_parent(path)) assert_true(++steps < 5);
    assert_string_equal(path, cases[k][2]);
  }
}

/* For the effective user, which is who opens files. */
static void what_may_not_be_looked_at_is_not_missing(void **state) {
  (void)state;
  const uid_t before = geteuid(), nobody = 65534;
  const char *closed = in_folder("closed"), *within = in_folder("closed/a");
  bool is_there = false;
  assert_int_equal(lfm_folder_make(closed), LFM_OK);
  write_text(within, "x");
  assert_int_equal(lfm_path_find(within, &is_there), LFM_OK);
  assert_true(is_there);
  assert_int_equal(lfm_path_find(in_folder("closed/a/b"), &is_there), LFM_OK);
  assert_false(is_there);
  assert_int_equal(lfm_path_find(in_folder("closed/b"), &is_there), LFM_OK);
  assert_false(is_there);
  assert_int_equal(chmod(closed, 0), 0);
  if (before == 0) assert_int_equal(seteuid(nobody), 0);
  lfm_status status = lfm_path_find(within, &is_there);
  assert_int_equal(seteuid(before), 0);
  assert_int_equal(status, LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "closed/a: Permission denied"));
  assert_int_equal(chmod(closed, 0700), 0);
  assert_int_equal(unlink(within), 0);
  assert_int_equal(rmdir(closed), 0);
}

static void folders_and_removal(void **state) {
  (void)state;
  const char *path = in_folder("new");
  assert_int_equal(lfm_folder_make(path), LFM_OK);
  assert_int_equal(lfm_folder_make(path), LFM_OK);
  assert_true(lfm_path_is_folder(path));
  assert_int_equal(lfm_folder_make(in_folder("missing/new")), LFM_E_IO);
  write_text(in_folder("plain"), "x");
  assert_int_equal(lfm_folder_make(in_folder("plain")), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "plain: is no folder, and one cannot be made there"));
  assert_int_equal(lfm_file_remove(in_folder("plain")), LFM_OK);
  assert_false(lfm_path_exists(in_folder("plain")));
  assert_int_equal(lfm_file_remove(in_folder("plain")), LFM_OK);
  assert_int_equal(lfm_file_remove(path), LFM_E_IO);
  assert_int_equal(rmdir(path), 0);
}

/* A second program is refused; a descriptor of 0 would be taken for none. */
static void a_folder_has_one_holder(void **state) {
  (void)state;
  const char *path = in_folder("held");
  int first = 0, second = 0, input = dup(0);
  assert_int_equal(lfm_folder_make(path), LFM_OK);
  close(0);
  assert_int_equal(lfm_folder_lock(path, "is writing", &first), LFM_OK);
  assert_true(first > 0);
  assert_int_equal(lfm_folder_lock(path, "is writing", &second), LFM_E_EXISTS);
  assert_non_null(strstr(lfm_error(), "held: another program is writing there at this moment"));
  assert_int_equal(second, 0);
  close(first);
  assert_int_equal(lfm_folder_lock(path, "is writing", &second), LFM_OK);
  close(second);
  assert_int_equal(lfm_folder_lock(in_folder("missing"), "is writing", &second), LFM_E_IO);
  assert_int_equal(dup2(input, 0), 0);
  close(input);
  assert_int_equal(rmdir(path), 0);
}

static void a_link_to_nowhere_is_in_the_way(void **state) {
  (void)state;
  const char *path = in_folder("link");
  assert_int_equal(symlink("nowhere", path), 0);
  assert_int_equal(lfm_folder_make(path), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "link: is no folder, and one cannot be made there"));
  assert_int_equal(unlink(path), 0);
}

static void memory_may_be_refused_anywhere(void **state) {
  (void)state;
  const char *path = in_folder("memory");
  write_text(path, "old");
  uint8_t *data = (uint8_t *)1;
  size_t size;
  lfm_alloc_fail_at(1);
  assert_int_equal(lfm_file_read(path, &data, &size), LFM_E_MEMORY);
  assert_null(data);
  lfm_alloc_fail_at(1);
  assert_int_equal(lfm_file_write(path, "new", 3), LFM_E_MEMORY);
  lfm_alloc_fail_at(0);
  assert_holds(path, "old");
  assert_false(lfm_path_exists(in_folder("memory.partial")));
  lfm_alloc_fail_at(0);
  write_text(path, "new");
  assert_int_equal(lfm_alloc_fail_at(0), 1); /* one request: the sweep above was whole */
}

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/lfm-file-XXXXXX", base ? base : P_tmpdir);
  signal(SIGXFSZ, SIG_IGN); /* the limit then shows as EFBIG */
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  const char *left[] = {"big",      "a",    "mode",   "end",  "b",      "other", "both",
                        "relative", "full", "failed", "pipe", "mapped", "empty", "memory"};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) unlink(in_folder(left[i]));
  return rmdir(folder); /* fails when a test has left anything else */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_commit_gives_the_whole_content),
      cmocka_unit_test(a_commit_replaces_and_an_abort_does_not),
      cmocka_unit_test(a_replaced_file_keeps_its_permissions),
      cmocka_unit_test(a_link_stays_and_its_file_is_replaced),
      cmocka_unit_test(names_that_cannot_be_are_refused_before),
      cmocka_unit_test(a_link_that_leads_nowhere_is_refused),
      cmocka_unit_test(a_left_over_partial_is_no_hindrance),
      cmocka_unit_test(a_partial_that_is_no_file_is_left_alone),
      cmocka_unit_test(a_second_writer_of_a_file_is_refused),
      cmocka_unit_test(a_writer_that_commits_between_open_and_lock_keeps_its_file),
      cmocka_unit_test(a_relative_path_works),
      cmocka_unit_test(places_that_cannot_be_written_are_named),
      cmocka_unit_test(a_closed_folder_refuses),
      cmocka_unit_test(a_full_disk_leaves_the_old_file),
      cmocka_unit_test(a_failed_writer_never_commits),
      cmocka_unit_test(what_cannot_be_read_is_named),
      cmocka_unit_test(maps_show_the_file),
      cmocka_unit_test(an_empty_file_is_a_file),
      cmocka_unit_test(paths),
      cmocka_unit_test(a_path_leads_up_to_an_end),
      cmocka_unit_test(what_may_not_be_looked_at_is_not_missing),
      cmocka_unit_test(folders_and_removal),
      cmocka_unit_test(a_folder_has_one_holder),
      cmocka_unit_test(a_link_to_nowhere_is_in_the_way),
      cmocka_unit_test(memory_may_be_refused_anywhere),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
