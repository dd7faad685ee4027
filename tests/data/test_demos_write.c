/* SPDX-License-Identifier: MIT
 *
 * test_demos_write.c -- the layout that robomimic's tools open, asked of the HDF5 library itself; and our own reader finds
 * what was put in.
 */
#include "data/demos_write.h"
#include "data/support.h"

#include <hdf5.h>
#include <sys/stat.h>

#define OK(call) assert_int_equal((call), LFM_OK)

enum { EPISODES = 3, OBS = 5, ACTION = 7, STATE = 4, LONGEST = 6 };

static const char *const keys[] = {"object", "robot0_eef_pos"};
static const int64_t key_dims[] = {2, 3};
static const int64_t lengths[EPISODES] = {4, 1, 6};
static double block[EPISODES][(LONGEST + 1) * OBS + 2 * LONGEST * ACTION + LONGEST * (STATE + 1)];
static lfm_recorded episodes[EPISODES];

/* Every number says where it stands. */
static lfm_recording make_recording(void) {
  for (int e = 0; e < EPISODES; e++) {
    for (size_t i = 0; i < sizeof block[e] / sizeof **block; i++) block[e][i] = 1000.0 * e + (double)i + 0.25;
    double *at = block[e];
    episodes[e].steps = lengths[e];
    episodes[e].obs = at, at += (LONGEST + 1) * OBS;
    episodes[e].actions = at, at += LONGEST * ACTION;
    episodes[e].absolute = at, at += LONGEST * ACTION;
    episodes[e].states = at, at += LONGEST * STATE;
    episodes[e].rewards = at;
    for (int t = 0; t < LONGEST; t++) at[t] = t >= 2;
  }
  return (lfm_recording){.env_args = "{\"env_name\": \"Lift\", \"env_kwargs\": {\"control_delta\": true}}",
                         .keys = 2,
                         .key = keys,
                         .key_dim = key_dims,
                         .obs_dim = OBS,
                         .action_dim = ACTION,
                         .state_dim = STATE,
                         .episodes = EPISODES,
                         .episode = episodes};
}

static lfm_status write_as(void *name) {
  lfm_recording recording = make_recording();
  return lfm_demos_write(&recording, in_folder(name));
}

static void expect_array(hid_t file, const char *name, int rank, int64_t rows, int64_t cols, const double *values,
                         int64_t width) {
  hsize_t shape[2] = {0, 1};
  double got[LONGEST * ACTION];
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(dataset >= 0);
  hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
  assert_int_equal(H5Sget_simple_extent_dims(space, shape, NULL), rank);
  assert_true(H5Tequal(type, H5T_IEEE_F64LE) > 0);
  assert_int_equal(shape[0], rows);
  assert_int_equal(shape[1], cols);
  assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, got) >= 0);
  for (int64_t i = 0; values && i < rows; i++)
    for (int64_t j = 0; j < cols; j++) assert_true(got[i * cols + j] == values[i * width + j]);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
}

static int64_t whole_attribute(hid_t file, const char *object, const char *name) {
  int64_t value = -1;
  hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

static void the_layout_is_robomimics(void **state) {
  (void)state;
  OK(write_as("a.hdf5"));
  hid_t file = H5Fopen(in_folder("a.hdf5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  assert_int_equal(whole_attribute(file, "data", "total"), 11);
  for (int e = 0; e < EPISODES; e++) {
    char name[64];
    const lfm_recorded *r = &episodes[e];
#define AT(part) (snprintf(name, sizeof name, "data/demo_%d" part, e), name)
    assert_int_equal(whole_attribute(file, AT(""), "num_samples"), r->steps);
    expect_array(file, AT("/actions"), 2, r->steps, ACTION, r->actions, ACTION);
    expect_array(file, AT("/actions_abs"), 2, r->steps, ACTION, r->absolute, ACTION);
    expect_array(file, AT("/states"), 2, r->steps, STATE, r->states, STATE);
    expect_array(file, AT("/rewards"), 1, r->steps, 1, r->rewards, 1);
    expect_array(file, AT("/obs/object"), 2, r->steps, 2, r->obs, OBS);
    expect_array(file, AT("/obs/robot0_eef_pos"), 2, r->steps, 3, r->obs + 2, OBS);
    expect_array(file, AT("/next_obs/object"), 2, r->steps, 2, r->obs + OBS, OBS);
    expect_array(file, AT("/next_obs/robot0_eef_pos"), 2, r->steps, 3, r->obs + OBS + 2, OBS);
#undef AT
  }
  expect_array(file, "data/demo_0/dones", 1, 4, 1, (const double[4]){0, 0, 1, 1}, 1);
  expect_array(file, "data/demo_1/dones", 1, 1, 1, (const double[1]){1}, 1);
  H5Fclose(file);
  unlink(in_folder("a.hdf5"));
}

static void our_reader_finds_what_was_put_in(void **state) {
  (void)state;
  lfm_table *table = NULL;
  OK(write_as("a.hdf5"));
  OK(lfm_table_read(in_folder("a.hdf5"), NULL, &table));
  assert_non_null(table->demos);
  assert_int_equal(table->demos->episodes, EPISODES);
  assert_int_equal(table->demos->steps, 11);
  assert_string_equal(table->demos->task, "lift");
  lfm_table_destroy(table);
  OK(lfm_table_read(in_folder("a.hdf5::valid"), NULL, &table));
  assert_int_equal(table->demos->episodes, 1);
  assert_int_equal(table->demos->steps, lengths[2]);
  lfm_table_destroy(table);
  unlink(in_folder("a.hdf5"));
}

static void the_same_recording_makes_the_same_bytes(void **state) {
  (void)state;
  OK(write_as("a.hdf5"));
  OK(write_as("b.hdf5"));
  assert_true(same_file(in_folder("a.hdf5"), in_folder("b.hdf5")));
  unlink(in_folder("a.hdf5"));
  unlink(in_folder("b.hdf5"));
}

static lfm_status write_over(void *name) {
  struct stat file;
  lfm_status status = write_as(name);
  assert_int_equal(stat(in_folder(name), &file), 0);
  if (status != LFM_OK) assert_int_equal(file.st_size, strlen("old"));
  return status;
}

static void refused_memory_leaves_the_old_file(void **state) {
  (void)state;
  OK(lfm_file_write(in_folder("a.hdf5"), "old", strlen("old")));
  assert_true(refuse_memory(write_over, "a.hdf5") > 5);
  unlink(in_folder("a.hdf5"));
}

static void a_folder_that_is_not_there_is_named(void **state) {
  (void)state;
  lfm_recording recording = make_recording();
  assert_int_equal(lfm_demos_write(&recording, "/nowhere/lift.hdf5"), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "/nowhere"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_layout_is_robomimics),
      cmocka_unit_test(our_reader_finds_what_was_put_in),
      cmocka_unit_test(the_same_recording_makes_the_same_bytes),
      cmocka_unit_test(refused_memory_leaves_the_old_file),
      cmocka_unit_test(a_folder_that_is_not_there_is_named),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
