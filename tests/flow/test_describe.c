/* SPDX-License-Identifier: MIT
 *
 * test_describe.c -- what `lfm info` says of tables, models, checkpoints, runs, and of files that are none of these.
 */
#include "archive_copy.h"
#include "support/demo_file.h"
#include "support/notes.h"
#include "train_support.h"

static char *text_of(const char *path, bool json) {
  char *text = NULL;
  OK(lfm_describe(path, json, &text));
  assert_non_null(text);
  return text;
}

#define assert_has(text, part) has_or_fail((text), (part), __FILE__, __LINE__)
static void has_or_fail(const char *text, const char *part, const char *file, int line) {
  if (strstr(text, part)) return;
  print_error("'%s' is not in:\n%s\n", part, text);
  _fail(file, line);
}

static void tables(void **state) {
  (void)state;
  folder here = folder_create();
  const char csv[] = "length,mass\n1.25,5\n2.00,7\n3.50,9\n";
  OK(lfm_file_write(inside(here.path, "t.csv"), csv, sizeof csv - 1));
  char *text = text_of(inside(here.path, "t.csv"), false), *json = text_of(inside(here.path, "t.csv"), true);
  assert_has(text, "table");
  assert_has(text, "length");
  assert_has(json, "\"kind\": \"table\"");
  assert_has(json, "\"rows\": 3");
  assert_has(json, "\"name\": \"mass\"");
  assert_has(json, "\"min\": 5");
  assert_has(json, "\"mean\": 7");
  assert_has(json, "\"max\": 9");
  assert_has(json, "\"sd\": 2"); /* of a sample */
  assert_has(json, "\"decimals\": 2");
  lfm_text_free(text);
  lfm_text_free(json);
  folder_remove(&here);
}

/* A table that cannot be learnt from yet is what one asks about first. */
static void tables_with_words_and_gaps(void **state) {
  (void)state;
  folder here = folder_create();
  const char csv[] = "kind,mass\na,5\nb,\na,7\n";
  OK(lfm_file_write(inside(here.path, "t.csv"), csv, sizeof csv - 1));
  char *json = text_of(inside(here.path, "t.csv"), true);
  assert_has(json, "\"text\": 3");
  assert_has(json, "\"distinct\": 2");
  assert_has(json, "\"missing\": 1");
  assert_has(json, "\"mean\": 6");
  lfm_text_free(json);
  folder_remove(&here);
}

static void demonstrations(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "d.hdf5");
  hid_t file = demo_create(path);
  demo_put_episode(file, 3, 4);
  demo_put_episode(file, 12, 2);
  demo_put_text(file, "data", "env_args", "{\"env_name\": \"PickPlaceCan\"}", false);
  demo_put_filter(file, "train", 1, (const char *const[]){"demo_12"}, true);
  H5Fclose(file);
  char *text = text_of(path, false), *json = text_of(inside(here.path, "d.hdf5::train"), true);
  assert_has(text, "demonstrations");
  assert_has(text, "robot0_eef_quat");
  assert_has(json, "\"rows\": 2");
  assert_has(json, "\"episodes\": 1");
  assert_has(json, "\"action\": \"delta\"");
  assert_has(json, "\"task\": \"can\"");
  assert_has(json, "\"other_observations\": [");
  assert_has(json, "\"filters\": [");
  assert_has(json, "\"min\": 1200"); /* of an action's numbers */
  lfm_text_free(text);
  lfm_text_free(json);
  folder_remove(&here);
}

static void models_runs_and_checkpoints(void **state) {
  (void)state;
  run r = small_run(NULL);
  stop_at stop = {.phase = LFM_PHASE_TRAIN, .block = 2, .done = 5};
  r.options.progress = stops_there;
  r.options.context = &stop;
  FAILS(LFM_E_INTERRUPTED, run_train(&r));
  char *checkpoint = text_of(r.path, true); /* an unfinished run is its checkpoint */
  assert_has(checkpoint, "\"kind\": \"checkpoint\"");
  assert_has(checkpoint, "\"block\": 2");
  assert_has(checkpoint, "\"step\": 5");
  assert_has(checkpoint, "\"run\": \"not finished\"");
  char *inner = text_of(file_of(&r, "checkpoint"), true);
  assert_has(inner, "\"step\": 5");
  lfm_text_free(inner);
  r.options.progress = NULL;
  r.options.resume = true;
  OK(run_train(&r));
  char *model = text_of(r.path, true), *file = text_of(file_of(&r, "model.safetensors"), true);
  assert_has(model, "\"kind\": \"model\"");
  assert_has(model, "\"run\": \"finished\"");
  assert_has(model, "\"valid_nll\": ");
  assert_has(model, "\"steps\": 72");
  assert_has(model, "\"blocks\": 3");
  assert_has(model, "\"parameters\": 7254"); /* 3 blocks of (1 + 2 + 128) x 16, 16 x 16 and 16 x 2 with biases */
  assert_has(model, "blocks.2.net.4.weight");
  assert_has(model, "[16, 131]");
  assert_has(model, "hidden_dim: 16");
  assert_string_equal(strstr(model, "\"kind\""), strstr(file, "\"kind\"")); /* but for the path */
  lfm_text_free(checkpoint);
  lfm_text_free(model);
  lfm_text_free(file);
  lfm_text_free(NULL);
  run_drop(&r);
}

static void no_model_in(const char *path, const char *why) {
  lfm_model *model;
  FAILS(LFM_E_IO, lfm_model_load(path, &model));
  assert_says(why);
}

/* Whose curves are PNGs in folders, as pictures of classes are. */
static void folders_of_runs(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2"));
  OK(run_train(&r));
  OK(lfm_folder_make(inside(r.root.path, "begun")));
  OK(lfm_folder_make(inside(r.root.path, "begun/checkpoint")));
  OK(lfm_file_write(inside(r.root.path, "begun/config.yaml"), "", 0));
  char *loose = text_of(r.root.path, true), *begun = text_of(inside(r.root.path, "begun"), true);
  assert_has(loose, "\"kind\": \"runs\"");
  assert_has(loose, "\"finished\": 1");
  assert_has(loose, "\"name\": \"run\"");
  assert_has(begun, "\"run\": \"not finished\"");
  no_model_in(r.root.path, "holds no model.safetensors; a model is one of its runs, as begun");
  no_model_in(inside(r.root.path, "begun"), "the run was stopped, and has one once --resume has finished it");
  OK(lfm_file_write(inside(r.root.path, "sweep.csv"), "", 0));
  char *sweep = text_of(r.root.path, true);
  assert_has(sweep, "\"kind\": \"sweep\"");
  no_model_in(r.root.path, "is the folder of a sweep; a model is one of its runs, as begun");
  OK(lfm_file_remove(inside(r.root.path, "sweep.csv")));
  lfm_text_free(loose);
  lfm_text_free(begun);
  lfm_text_free(sweep);
  run_drop(&r);
}

/* Its students are runs; its own config.yaml comes at its end. */
static void stopped_distillations(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2"));
  OK(run_train(&r));
  OK(lfm_folder_make(inside(r.root.path, "checkpoint")));
  OK(lfm_file_write(inside(r.root.path, "checkpoint/states.safetensors"), "", 0));
  lfm_notes_to(take_note, NULL);
  notes = 0;
  char *before = text_of(r.root.path, true);
  OK(lfm_file_write(inside(r.root.path, "checkpoint/plan.txt"), "1 | (2 3)\nresidual\n", 19));
  char *text = text_of(r.root.path, true);
  lfm_notes_to(NULL, NULL);
  assert_int_equal(notes, 2);
  assert_has(last_note, "is a distillation that is not finished; lfm distill --resume goes on with it");
  assert_has(before, "\"kind\": \"distillation\"");
  assert_has(text, "\"run\": \"not finished\"");
  assert_has(text, "\"plan\": \"1 | (2 3)\"");
  assert_has(text, "\"finished\": 1");
  no_model_in(r.root.path, "the distillation was stopped, and has one once lfm distill --resume has finished it");
  lfm_text_free(before);
  lfm_text_free(text);
  run_drop(&r);
}

static void other_files(void **state) {
  (void)state;
  folder here = folder_create();
  char *text = here.path;
  FAILS(LFM_E_USAGE, lfm_describe(here.path, false, &text)); /* as where data are due */
  assert_says("not a run of lfm train");
  assert_null(text);
  OK(lfm_folder_make(inside(here.path, "empty.zarr")));
  FAILS(LFM_E_FORMAT, lfm_describe(inside(here.path, "empty.zarr"), false, &text));
  assert_says("has no array data/action");
  FAILS(LFM_E_IO, lfm_describe(inside(here.path, "absent.csv"), false, &text));
  FAILS(LFM_E_IO, lfm_describe(inside(here.path, "absent.safetensors"), false, &text));
  FAILS(LFM_E_IO, lfm_describe(inside(here.path, "what.xyz"), false, &text)); /* that it is missing comes first */
  OK(lfm_file_write(inside(here.path, "what.xyz"), "1", 1));
  FAILS(LFM_E_USAGE, lfm_describe(inside(here.path, "what.xyz"), false, &text));
  OK(lfm_file_write(inside(here.path, "ill.safetensors"), "12345678", 8));
  FAILS(LFM_E_FORMAT, lfm_describe(inside(here.path, "ill.safetensors"), false, &text));

  lfm_archive *archive; /* anyone's tensors */
  const float weights[6] = {0};
  OK(lfm_archive_create(&archive));
  OK(lfm_archive_add(archive, "layer.weight", LFM_F32, 2, (int64_t[]){2, 3}, weights));
  OK(lfm_archive_write(archive, inside(here.path, "other.safetensors")));
  lfm_archive_destroy(archive);
  text = text_of(inside(here.path, "other.safetensors"), true);
  assert_has(text, "\"kind\": \"tensors\"");
  assert_has(text, "layer.weight");
  assert_has(text, "[2, 3]");
  lfm_text_free(text);
  folder_remove(&here);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  run r = small_run(KEYS("max_batch=2"));
  OK(run_train(&r));
  const char *path = r.path;
  char *text;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_describe(path, true, &text);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !text && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_text_free(text);
  run_drop(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables),          cmocka_unit_test(tables_with_words_and_gaps),
      cmocka_unit_test(demonstrations),  cmocka_unit_test(models_runs_and_checkpoints),
      cmocka_unit_test(folders_of_runs), cmocka_unit_test(stopped_distillations),
      cmocka_unit_test(other_files),     cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
