/* SPDX-License-Identifier: MIT
 *
 * test_demos_robomimic.c -- demonstrations in robomimic's layout, in the variants that real files come in (demo_file.h), and
 * in those that none should.
 */
#include "data/support.h"
#include "support/demo_file.h"

/* ---- a file ---------------------------------------------------------------------------------------------------- */

static hid_t create(const char *name) { return demo_create(in_folder(name)); }

/* Three episodes of 3, 1 and 5 steps; numbers with gaps, and of one digit and two. */
static hid_t create_usual(const char *name) {
  hid_t file = create(name);
  demo_put_episode(file, 10, 5);
  demo_put_episode(file, 0, 3);
  demo_put_episode(file, 7, 1);
  return file;
}

static lfm_table *read_good(const char *name, const lfm_table_options *options) {
  lfm_table *table;
  lfm_status status = lfm_table_read(in_folder(name), options, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_non_null(table->demos);
  return table;
}

static void refuses_with(const char *name, const lfm_table_options *options, lfm_status code, const char *line) {
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_table_read(in_folder(name), options, &table), code);
  assert_null(table);
  assert_string_equal(lfm_error() + strlen(folder) + 1, line);
}

static void refuses(const char *name, lfm_status code, const char *line) { refuses_with(name, NULL, code, line); }

/* A number of the key or action that begins so, as float32 where it is stored so. */
static void assert_step(const double *row, int64_t width, int begin, int64_t step) {
  for (int64_t j = 0; j < width; j++) assert_true(fabs(row[j] - ((double)begin + (double)step + (double)j / 100)) < 1e-4);
}

/* ---- what is read ---------------------------------------------------------------------------------------------- */

static void reads_episodes_in_the_order_of_their_numbers(void **state) {
  (void)state;
  H5Fclose(create_usual("a.hdf5"));
  lfm_table *table = read_good("a.hdf5", NULL);
  const lfm_demos *demos = table->demos;
  const int number[] = {0, 7, 10};
  const int64_t ends[] = {3, 4, 9};
  assert_int_equal(demos->episodes, 3);
  assert_int_equal(demos->steps, 9);
  assert_int_equal(demos->obs_dim, 12);
  assert_int_equal(demos->action_dim, 7);
  assert_int_equal(lfm_table_rows(table), 9);
  assert_int_equal(lfm_table_cols(table), 7);
  assert_ptr_equal(lfm_table_values(table), demos->actions);
  assert_int_equal(lfm_table_units(table), 3);
  for (int e = 0; e < 3; e++) {
    assert_int_equal(demos->ends[e], ends[e]);
    for (int64_t row = lfm_demos_begin(demos, e), step = 0; row < ends[e]; row++, step++) {
      const double *obs = demos->obs + row * 12;
      assert_step(demos->actions + row * 7, 7, 100 * number[e], step);
      assert_step(obs, 3, 100 * number[e] + 10, step);
      assert_step(obs + 3, 3, 100 * number[e] + 20, step);
      assert_step(obs + 6, 4, 100 * number[e] + 30, step);
      assert_step(obs + 10, 2, 100 * number[e] + 40, step);
    }
  }
  assert_int_equal(demos->keys, 4);
  assert_string_equal(demos->key[2], "robot0_eef_quat");
  assert_int_equal(demos->key_dim[2], 4);
  assert_int_equal(demos->others.count, 1);
  assert_string_equal(demos->others.names[0], "robot0_joint_pos");
  assert_null(demos->task);
  lfm_table_destroy(table);
  unlink(in_folder("a.hdf5"));
}

static void reads_the_observations_asked_for(void **state) {
  (void)state;
  H5Fclose(create_usual("a.h5"));
  lfm_table *table = read_good("a.h5", &(lfm_table_options){.observations = "robot0_joint_pos , object"});
  assert_int_equal(table->demos->obs_dim, 10);
  assert_string_equal(table->demos->key[0], "robot0_joint_pos");
  assert_step(table->demos->obs + 4 * 10, 7, 1050, 0);
  assert_step(table->demos->obs + 4 * 10 + 7, 3, 1010, 0);
  lfm_table_destroy(table);
  const char *all = "object, robot0_eef_pos, robot0_eef_quat, robot0_gripper_qpos, robot0_joint_pos";
  char line[512];
  snprintf(line, sizeof line, "a.h5: has no observation \"objects\"; there are %s", all);
  refuses_with("a.h5", &(lfm_table_options){.observations = "object,objects"}, LFM_E_USAGE, line);
  snprintf(line, sizeof line, "a.h5: has no observation \"\"; there are %s", all);
  refuses_with("a.h5", &(lfm_table_options){.observations = "object,"}, LFM_E_USAGE, line);
  snprintf(line, sizeof line, "a.h5: an observation is named twice: \"object\"; there are %s", all);
  refuses_with("a.h5", &(lfm_table_options){.observations = "object,object"}, LFM_E_USAGE, line);
  unlink(in_folder("a.h5"));
}

/* Where none of the usual names is there, all that is numbers; pictures are left out, and refused when asked for. */
static void reads_other_worlds(void **state) {
  (void)state;
  hid_t file = create("a.h5");
  demo_put(file, "data/demo_3/actions", H5T_IEEE_F32LE, 2, 2, 2, 0, false);
  demo_put(file, "data/demo_3/obs/angle", H5T_IEEE_F32LE, 1, 2, 1, 5, false);
  demo_put(file, "data/demo_3/obs/where", H5T_STD_I16LE, 2, 2, 2, 7, false);
  hid_t space = H5Screate_simple(4, (const hsize_t[]){2, 8, 8, 3}, NULL);
  H5Dclose(H5Dcreate2(file, "data/demo_3/obs/image", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  demo_put_text(file, "data", "env_args", "{\"env_name\": \"Pendulum\", \"env_kwargs\": {}}", true);
  H5Fclose(file);
  lfm_table *table = read_good("a.h5", NULL);
  assert_int_equal(table->demos->obs_dim, 3);
  assert_int_equal(table->demos->kind, LFM_ACTION_PLAIN);
  assert_string_equal(table->demos->task, "Pendulum");
  assert_string_equal(table->demos->others.names[0], "image");
  assert_true(table->demos->obs[3] == 6.0 && table->demos->obs[4] == 8.0 && table->demos->obs[5] == 8.0);
  lfm_table_destroy(table);
  refuses_with("a.h5", &(lfm_table_options){.observations = "image"}, LFM_E_DATA,
               "a.h5: these are no numbers a step, in one row: \"image\"; there are angle, image, where");
  unlink(in_folder("a.h5"));
}

static void kind_is(const char *env_args, bool with_absolute, lfm_action_kind kind, const char *task) {
  hid_t file = create_usual("k.h5");
  if (env_args) demo_put_text(file, "data", "env_args", env_args, with_absolute);
  const int numbers[] = {0, 7, 10}, steps[] = {3, 1, 5};
  for (int e = 0; with_absolute && e < 3; e++) {
    char path[64];
    snprintf(path, sizeof path, "data/demo_%d/actions_abs", numbers[e]);
    demo_put(file, path, H5T_IEEE_F64LE, 2, steps[e], 7, 5000, false);
  }
  H5Fclose(file);
  lfm_table *table = read_good("k.h5", NULL);
  assert_int_equal(table->demos->kind, kind);
  assert_step(table->demos->actions, 7, with_absolute ? 5000 : 0, 0);
  if (task) assert_string_equal(table->demos->task, task);
  else assert_null(table->demos->task);
  lfm_table_destroy(table);
  unlink(in_folder("k.h5"));
}

static void tells_steps_from_poses(void **state) {
  (void)state;
  kind_is(NULL, false, LFM_ACTION_DELTA, NULL);
  kind_is(NULL, true, LFM_ACTION_POSE, NULL);
  kind_is("{\"env_name\": \"Lift\", \"env_kwargs\": {\"controller_configs\": {\"control_delta\": true}}}", false,
          LFM_ACTION_DELTA, "lift");
  kind_is("{\"env_name\": \"PickPlaceCan\", \"env_kwargs\": {\"controller_configs\": {\"control_delta\": false}}}", false,
          LFM_ACTION_POSE, "can");
  kind_is("{\"env_name\": \"NutAssemblySquare\", \"env_kwargs\": {\"controller_configs\": {\"body_parts\": {\"right\": "
          "{\"input_type\": \"absolute\"}}}}}",
          false, LFM_ACTION_POSE, "square");
  kind_is("{\"env_name\": \"ToolHang\", \"parts\": [{\"control_delta\": true}]}", true, LFM_ACTION_POSE, "ToolHang");
}

static void reads_the_episodes_of_a_filter(void **state) {
  (void)state;
  hid_t file = create_usual("a.hdf5");
  demo_put_filter(file, "train", 2, (const char *const[]){"demo_10", "demo_0"}, true);
  demo_put_filter(file, "valid", 1, (const char *const[]){"demo_7"}, false);
  H5Fclose(file);
  lfm_table *table = read_good("a.hdf5::train", NULL);
  assert_int_equal(table->demos->episodes, 2);
  assert_int_equal(table->demos->ends[0], 3);
  assert_int_equal(table->demos->ends[1], 8);
  assert_step(table->demos->actions + 3 * 7, 7, 1000, 0);
  assert_int_equal(table->demos->filters.count, 2);
  assert_string_equal(table->demos->filters.names[1], "valid");
  lfm_table_destroy(table);
  table = read_good("a.hdf5::valid", NULL);
  assert_int_equal(table->demos->steps, 1);
  assert_step(table->demos->actions, 7, 700, 0);
  lfm_table_destroy(table);
  assert_int_equal(lfm_table_read(in_folder("a.hdf5::data/demo_0/actions"), NULL, &table), LFM_OK); /* a dataset is a table */
  assert_null(table->demos);
  assert_int_equal(lfm_table_rows(table), 3);
  lfm_table_destroy(table);
  refuses("a.hdf5::test", LFM_E_USAGE, "a.hdf5: has no dataset or filter \"test\"; its filters are train, valid");
  unlink(in_folder("a.hdf5"));
}

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static void refuses_filters_that_lie(void **state) {
  (void)state;
  hid_t file = create_usual("a.h5");
  demo_put_filter(file, "gone", 2, (const char *const[]){"demo_0", "demo_1"}, false);
  demo_put_filter(file, "twice", 2, (const char *const[]){"demo_0", "demo_0"}, true);
  demo_put_filter(file, "none", 0, NULL, false);
  demo_put(file, "mask/numbers", H5T_IEEE_F64LE, 1, 2, 1, 0, false);
  H5Fclose(file);
  refuses("a.h5::gone", LFM_E_FORMAT, "a.h5::gone: mask/gone names \"demo_1\", which data does not hold");
  refuses("a.h5::twice", LFM_E_FORMAT, "a.h5::twice: mask/twice names demo_0 twice");
  refuses("a.h5::none", LFM_E_DATA, "a.h5::none: has no episodes");
  refuses("a.h5::numbers", LFM_E_FORMAT, "a.h5::numbers: mask/numbers: is no list of texts");
  unlink(in_folder("a.h5"));
}

/* One thing wrong with a good file, and the line that says so. */
static void mars(void (*mar)(hid_t file), lfm_status code, const char *line) {
  hid_t file = create_usual("m.h5");
  mar(file);
  H5Fclose(file);
  refuses("m.h5", code, line);
  unlink(in_folder("m.h5"));
}

static void shorten_key(hid_t file) {
  H5Ldelete(file, "data/demo_7/obs/object", H5P_DEFAULT);
  demo_put(file, "data/demo_7/obs/object", H5T_IEEE_F64LE, 2, 2, 3, 0, false);
}
static void shorten_first_key(hid_t file) {
  H5Ldelete(file, "data/demo_0/obs/object", H5P_DEFAULT);
  demo_put(file, "data/demo_0/obs/object", H5T_IEEE_F64LE, 2, 2, 3, 0, false);
}
static void narrow_key(hid_t file) {
  H5Ldelete(file, "data/demo_10/obs/robot0_eef_quat", H5P_DEFAULT);
  demo_put(file, "data/demo_10/obs/robot0_eef_quat", H5T_IEEE_F64LE, 2, 5, 3, 0, false);
}
static void drop_key(hid_t file) { H5Ldelete(file, "data/demo_10/obs/object", H5P_DEFAULT); }
static void drop_obs(hid_t file) { H5Ldelete(file, "data/demo_0/obs", H5P_DEFAULT); }
static void drop_actions(hid_t file) { H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT); }
static void widen_actions(hid_t file) {
  H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT);
  demo_put(file, "data/demo_7/actions", H5T_IEEE_F64LE, 2, 1, 14, 0, false);
}
static void empty_actions(hid_t file) {
  H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT);
  demo_put(file, "data/demo_7/actions", H5T_IEEE_F64LE, 2, 0, 7, 0, false);
}
static void flatten_actions(hid_t file) {
  H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT);
  demo_put(file, "data/demo_7/actions", H5T_IEEE_F64LE, 1, 1, 1, 0, false);
}
static void flatten_first_actions(hid_t file) {
  H5Ldelete(file, "data/demo_0/actions", H5P_DEFAULT);
  demo_put(file, "data/demo_0/actions", H5T_IEEE_F64LE, 1, 3, 1, 0, false);
}
static void miscount(hid_t file) { demo_put_whole(file, "data/demo_10", "num_samples", 4); }
static void absolute_in_one(hid_t file) { demo_put(file, "data/demo_0/actions_abs", H5T_IEEE_F64LE, 2, 3, 7, 0, false); }
static void not_json(hid_t file) { demo_put_text(file, "data", "env_args", "{\"env_name\":", false); }
static void not_finite(hid_t file) {
  H5Ldelete(file, "data/demo_10/obs/object", H5P_DEFAULT);
  demo_put(file, "data/demo_10/obs/object", H5T_IEEE_F64LE, 2, 5, 3, (double)NAN, false);
}
/* Chunks of so many rows, of which nothing is written, or the first alone, by a few bytes. */
static void put_chunks(hid_t file, const char *path, hsize_t rows, hsize_t cols, hsize_t chunk, bool first) {
  H5Ldelete(file, path, H5P_DEFAULT);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, (const hsize_t[]){rows, cols}, NULL);
  H5Pset_chunk(creation, 2, (const hsize_t[]){chunk, cols});
  H5Pset_deflate(creation, 1);
  hid_t dataset = H5Dcreate2(file, path, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  if (first) assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, (const hsize_t[]){0, 0}, 8, "unpacked") >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
}
static void claim_much(hid_t file) { put_chunks(file, "data/demo_7/actions", 10000000000u, 7, 1000, false); }
static void claim_much_in_one_chunk(hid_t file) { put_chunks(file, "data/demo_7/actions", 50000000, 7, 50000000, true); }
static void write_no_key(hid_t file) { put_chunks(file, "data/demo_0/obs/object", 3, 3, 1, false); }
static void write_half_a_key(hid_t file) { put_chunks(file, "data/demo_10/obs/object", 5, 3, 3, true); }

static void names_what_is_wrong(void **state) {
  (void)state;
  mars(shorten_key, LFM_E_DATA,
       "m.h5: data/demo_7/obs/object has 2 rows, data/demo_7/actions 1; leave the episode out with a filter");
  mars(narrow_key, LFM_E_DATA,
       "m.h5: data/demo_10/obs/robot0_eef_quat: is not 4 numbers a step, as in demo_0; leave the episode out with a filter");
  mars(shorten_first_key, LFM_E_DATA, "m.h5: data/demo_0/obs/object has 2 rows, data/demo_0/actions 3"); /* as all may be */
  mars(drop_key, LFM_E_DATA, "m.h5: data/demo_10/obs/object: is not there; leave the episode out with a filter");
  mars(drop_obs, LFM_E_DATA,
       "m.h5: data/demo_0/obs is not there; a file of states only gets observations from robomimic's own scripts");
  mars(drop_actions, LFM_E_DATA, "m.h5: data/demo_7/actions: is not there; leave the episode out with a filter");
  mars(widen_actions, LFM_E_DATA,
       "m.h5: data/demo_7/actions: has 14 numbers a step, those of demo_0 7; leave the episode out with a filter");
  mars(empty_actions, LFM_E_DATA,
       "m.h5: data/demo_7/actions: is empty; [steps, numbers] is due; leave the episode out with a filter");
  mars(flatten_actions, LFM_E_DATA,
       "m.h5: data/demo_7/actions: has the shape [1]; [steps, numbers] is due, [1, 1] where an action is one number; leave "
       "the "
       "episode out with a filter");
  mars(flatten_first_actions, LFM_E_DATA,
       "m.h5: data/demo_0/actions: has the shape [3]; [steps, numbers] is due, [3, 1] where an action is one number");
  mars(miscount, LFM_E_FORMAT,
       "m.h5: data/demo_10/actions: has 5 steps, where num_samples says 4; the file is truncated or altered");
  mars(absolute_in_one, LFM_E_DATA, "m.h5: data/demo_7/actions_abs: is not there; leave the episode out with a filter");
  mars(not_json, LFM_E_FORMAT, "m.h5: data: its attribute env_args is not JSON (line 1: unexpected token near end of file)");
  mars(not_finite, LFM_E_DATA,
       "m.h5: data/demo_10/obs/object: row 1 holds a value that is not finite; leave its episode out with a filter");
  mars(claim_much, LFM_E_FORMAT,
       "m.h5: data/demo_7/actions: has 0 of its 10000000 chunks; write the others, or shrink it to those that were written");
  mars(claim_much_in_one_chunk, LFM_E_FORMAT,
       "m.h5: data/demo_7/actions: claims more numbers than its bytes can be; the file is truncated or altered");
  mars(write_no_key, LFM_E_FORMAT,
       "m.h5: data/demo_0/obs/object: has 0 of its 3 chunks; write the others, or shrink it to those that were written");
  mars(write_half_a_key, LFM_E_FORMAT,
       "m.h5: data/demo_10/obs/object: has 1 of its 2 chunks; write the others, or shrink it to those that were written");
}

/* A filter that this library does not have, as a plug-in's would be elsewhere. */
static void pack_strangely(hid_t file) {
  H5Ldelete(file, "data/demo_7/obs/object", H5P_DEFAULT);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, (const hsize_t[]){1, 3}, NULL);
  H5Pset_chunk(creation, 2, (const hsize_t[]){1, 3});
  H5Pset_deflate(creation, 1);
  hid_t dataset = H5Dcreate2(file, "data/demo_7/obs/object", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  const uint8_t no_deflate[] = "these bytes were never packed";
  assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, (const hsize_t[]){0, 0}, sizeof no_deflate, no_deflate) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
}

static void scalar_actions(hid_t file) {
  H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT);
  hid_t space = H5Screate(H5S_SCALAR);
  H5Dclose(H5Dcreate2(file, "data/demo_7/actions", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
}

static void wordy_actions(hid_t file) {
  H5Ldelete(file, "data/demo_7/actions", H5P_DEFAULT);
  demo_put_filter(file, "words", 1, (const char *const[]){"demo_0"}, true);
  H5Lmove(file, "mask/words", file, "data/demo_7/actions", H5P_DEFAULT, H5P_DEFAULT);
}

static void loop_obs(hid_t file) {
  H5Ldelete(file, "data/demo_0/obs", H5P_DEFAULT);
  H5Lcreate_soft("/data/demo_0/obs", file, "data/demo_0/obs", H5P_DEFAULT, H5P_DEFAULT);
}

static void numbers_for_obs(hid_t file) {
  H5Ldelete(file, "data/demo_0/obs", H5P_DEFAULT);
  demo_put(file, "data/demo_0/obs", H5T_IEEE_F64LE, 2, 3, 3, 0, false);
}

static void names_odd_objects(void **state) {
  (void)state;
  mars(pack_strangely, LFM_E_FORMAT,
       "m.h5: data/demo_7/obs/object: its values cannot be read; the file is truncated or altered (inflate() failed)");
  mars(scalar_actions, LFM_E_DATA,
       "m.h5: data/demo_7/actions: has 0 dimensions; [steps, numbers] is due; leave the episode out with a filter");
  mars(wordy_actions, LFM_E_DATA,
       "m.h5: data/demo_7/actions: holds no numbers; [steps, numbers] is due; leave the episode out with a filter");
  const char *no_obs =
      "m.h5: data/demo_0/obs is not there; a file of states only gets observations from robomimic's own scripts";
  mars(loop_obs, LFM_E_DATA, no_obs);
  mars(numbers_for_obs, LFM_E_DATA, no_obs);
}

/* What is beside the point is passed over: other things among the episodes and observations, attributes of another kind. */
static void passes_over_the_rest(void **state) {
  (void)state;
  hid_t file = create_usual("r.h5");
  demo_put(file, "data/demo_3", H5T_IEEE_F64LE, 2, 2, 2, 0, false);
  demo_put_group(file, "data/demo_x");
  demo_put_group(file, "data/demo_99999999999999999999");
  demo_put_group(file, "data/demo_0/obs/nested");
  demo_put_group(file, "mask/nested");
  H5Lcreate_soft("/nowhere", file, "data/demo_0/obs/dangling", H5P_DEFAULT, H5P_DEFAULT);
  demo_put_text(file, "data/demo_0", "num_samples", "three", true);
  demo_put_whole(file, "data", "env_args", 5);
  demo_put_whole(file, "data", "total", 12345);
  H5Fclose(file);
  lfm_table *table = read_good("r.h5", NULL);
  assert_int_equal(table->demos->episodes, 3);
  assert_int_equal(table->demos->steps, 9);
  assert_int_equal(table->demos->filters.count, 0);
  assert_null(table->demos->task);
  lfm_table_destroy(table);
  unlink(in_folder("r.h5"));
}

static void refuses_options_of_tables(void **state) {
  (void)state;
  H5Fclose(create_usual("a.h5"));
  const char *line = "a.h5: holds demonstrations, whose actions and steps cannot be chosen or dropped one by one";
  refuses_with("a.h5", &(lfm_table_options){.columns = "x0"}, LFM_E_USAGE, line);
  refuses_with("a.h5", &(lfm_table_options){.drop = "x0"}, LFM_E_USAGE, line);
  refuses_with("a.h5", &(lfm_table_options){.drop_missing = true}, LFM_E_USAGE, line);
  unlink(in_folder("a.h5"));
  assert_int_equal(lfm_file_write(in_folder("t.csv"), "a,b\n1,2\n", 8), LFM_OK);
  refuses_with("t.csv", &(lfm_table_options){.observations = "a"}, LFM_E_USAGE,
               "t.csv: holds no demonstrations, whose observations could be chosen");
  unlink(in_folder("t.csv"));
}

/* What holds something else is told as that, before any word in it. */
static void refuses_what_is_not_due(void **state) {
  (void)state;
  H5Fclose(create_usual("a.h5"));
  lfm_table *table;
  assert_int_equal(lfm_table_read(in_folder("a.h5"), &(lfm_table_options){.due = LFM_ROWS_DEMOS}, &table), LFM_OK);
  assert_int_equal(lfm_table_kind(table), LFM_ROWS_DEMOS);
  lfm_table_destroy(table);
  refuses_with("a.h5", &(lfm_table_options){.due = LFM_ROWS_PICTURES}, LFM_E_DATA,
               "a.h5: pictures are due here, not demonstrations");
  refuses_with("a.h5", &(lfm_table_options){.due = LFM_ROWS_TABLE}, LFM_E_DATA,
               "a.h5: a table is due here, not demonstrations");
  refuses_with("a.h5::data/demo_0/actions", &(lfm_table_options){.due = LFM_ROWS_DEMOS}, LFM_E_DATA,
               "a.h5::data/demo_0/actions: demonstrations are due here, not a table");
  unlink(in_folder("a.h5"));
  assert_int_equal(lfm_file_write(in_folder("t.csv"), "a,b\n1,word\n", 11), LFM_OK);
  refuses_with("t.csv", &(lfm_table_options){.due = LFM_ROWS_DEMOS}, LFM_E_DATA,
               "t.csv: demonstrations are due here, not a table");
  unlink(in_folder("t.csv"));
  assert_int_equal(lfm_table_read(in_folder("t.csv"), &(lfm_table_options){.due = LFM_ROWS_DEMOS}, &table), LFM_E_IO);
  assert_int_equal(lfm_table_read(in_folder("t"), &(lfm_table_options){.due = LFM_ROWS_DEMOS}, &table), LFM_E_IO);
}

/* ---- torments -------------------------------------------------------------------------------------------------- */

typedef struct file_image {
  uint8_t *bytes;
  size_t size;
} file_image;

static file_image usual_image(void) {
  file_image image;
  hid_t file = create_usual("i.h5");
  demo_put_filter(file, "train", 2, (const char *const[]){"demo_7", "demo_0"}, true);
  demo_put_text(file, "data", "env_args", "{\"env_name\": \"Lift\"}", true);
  H5Fclose(file);
  assert_int_equal(lfm_file_read(in_folder("i.h5"), &image.bytes, &image.size), LFM_OK);
  unlink(in_folder("i.h5"));
  return image;
}

static lfm_status parse_image(void *context) {
  const file_image *image = context;
  lfm_table *table;
  lfm_status status = read_bytes(lfm_hdf5_parse, image->bytes, image->size, "train", NULL, &table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  file_image image = usual_image();
  assert_true(refuse_memory(parse_image, &image) > 20);
  lfm_free(image.bytes);
}

/* Every truncation is one to the HDF5 library; a few hundred of them, and none crashes or passes. */
static void stands_truncation(void **state) {
  (void)state;
  file_image image = usual_image();
  assert_true(survives(lfm_hdf5_parse, image.bytes, image.size, "train"));
  for (size_t cut = 1; cut < image.size; cut += 97) assert_false(survives(lfm_hdf5_parse, image.bytes, cut, "train"));
  lfm_free(image.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_episodes_in_the_order_of_their_numbers),
      cmocka_unit_test(reads_the_observations_asked_for),
      cmocka_unit_test(reads_other_worlds),
      cmocka_unit_test(tells_steps_from_poses),
      cmocka_unit_test(reads_the_episodes_of_a_filter),
      cmocka_unit_test(refuses_filters_that_lie),
      cmocka_unit_test(names_what_is_wrong),
      cmocka_unit_test(names_odd_objects),
      cmocka_unit_test(passes_over_the_rest),
      cmocka_unit_test(refuses_options_of_tables),
      cmocka_unit_test(refuses_what_is_not_due),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(stands_truncation),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
