/* SPDX-License-Identifier: MIT
 *
 * test_runs.c -- folders that hold runs are told from folders that hold data, whatever pictures lie in them.
 */
#include "data/images_support.h"
#include "data/runs.h"
#include "golden/pictures.h"

static void make(const char *name) { assert_int_equal(lfm_folder_make(in_folder(name)), LFM_OK); }

static void put(const char *name) { assert_int_equal(lfm_file_write(in_folder(name), grey_png, sizeof grey_png), LFM_OK); }

/* As training leaves it when it is stopped, or at its end. */
static void make_run(const char *name, bool is_finished) {
  char inside[64];
  make(name);
  snprintf(inside, sizeof inside, "%s/checkpoint", name);
  make(inside);
  snprintf(inside, sizeof inside, "%s/config.yaml", name);
  put(inside);
  snprintf(inside, sizeof inside, "%s/%s", name, is_finished ? "loss.png" : "preview.png");
  put(inside);
}

static void clear(void) {
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'/*", folder);
  assert_int_equal(system(command), 0);
}

static lfm_runs_kind kind_in(const char *name) {
  lfm_runs_kind kind = LFM_RUNS_SWEEP + 1;
  assert_int_equal(lfm_runs_recognise(in_folder(name), &kind), LFM_OK);
  return kind;
}

/* What each is called where data are due. */
static void refuses(const char *name, const char *what) {
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder(name), NULL, &table), LFM_E_USAGE);
  if (!strstr(lfm_error(), what)) fail_msg("%s", lfm_error());
  assert_int_equal(kind_of(in_folder(name)), LFM_IMAGES_NONE);
}

static void each_kind_is_told(void **state) {
  (void)state;
  make_run("run", true);
  make_run("stopped", false);
  make("sweep");
  make_run("sweep/seed=1", true);
  put("sweep/sweep.csv");
  make("distilled");
  make_run("distilled/blocks-1-2", true);
  make("distilled/checkpoint");
  put("distilled/" LFM_RUNS_PLAN);
  make("pictures");
  put("pictures/1.png");
  assert_int_equal(kind_in("run"), LFM_RUNS_ONE);
  assert_int_equal(kind_in("stopped"), LFM_RUNS_ONE);
  assert_int_equal(kind_in("sweep"), LFM_RUNS_SWEEP);
  assert_int_equal(kind_in("distilled"), LFM_RUNS_DISTILLATION);
  assert_int_equal(kind_in("pictures"), LFM_RUNS_NONE);
  assert_int_equal(kind_in("pictures/1.png"), LFM_RUNS_NONE);
  assert_int_equal(kind_in("nothing"), LFM_RUNS_NONE);
  refuses("run", "/run: is a run folder; data are due here");
  refuses("sweep", "/sweep: is the folder of a sweep; data are due here");
  refuses("distilled", "/distilled: is the folder of a distillation; data are due here");
  assert_int_equal(kind_of(in_folder("pictures")), LFM_IMAGES_FOLDER);
  put("distilled/config.yaml"); /* at its end */
  assert_int_equal(kind_in("distilled"), LFM_RUNS_ONE);
  clear();
}

/* Of a sweep before its first table, or where somebody keeps them. */
static void runs_are_listed(void **state) {
  (void)state;
  lfm_listing runs;
  make_run("b", true);
  make_run("a", false);
  make("notes");
  put("notes/config.yaml"); /* of another program */
  put("readme");
  assert_int_equal(lfm_runs_list(folder, &runs), LFM_OK);
  assert_int_equal(runs.count, 2);
  assert_string_equal(runs.names[0], "a");
  assert_string_equal(runs.names[1], "b");
  lfm_listing_free(&runs);
  assert_int_equal(kind_in("."), LFM_RUNS_NONE);
  refuses(".", "/.: holds runs (a, b), and no data");
  assert_int_equal(lfm_runs_list(in_folder("nothing"), &runs), LFM_E_IO);
  assert_int_equal(runs.count, 0);
  clear();
}

static lfm_status list_again(void *context) {
  lfm_listing runs;
  (void)context;
  lfm_status status = lfm_runs_list(folder, &runs);
  if (status == LFM_OK) assert_int_equal(runs.count, 1);
  lfm_listing_free(&runs);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  make_run("a", true);
  assert_true(refuse_memory(list_again, NULL) > 4);
  clear();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_is_told), cmocka_unit_test(runs_are_listed),
                                     cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
