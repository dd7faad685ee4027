/* SPDX-License-Identifier: MIT
 *
 * test_record.c -- demonstrations: all of them successes, consistent within, the same bytes for any number of threads; how
 * often their expert succeeds; what cannot work is refused before anything is recorded, and whoever stops leaves no file.
 */
#include "lfm.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/demos.h"
#include "data/table.h"
#include "flow/flow_support.h"
#include "sim/world.h"

#include "policy/record.c"

static lfm_demos_options options_of(const char *task, int64_t episodes, int threads) {
  lfm_demos_options options;
  lfm_demos_defaults(&options);
  options.task = task;
  options.episodes = episodes;
  options.threads = threads;
  options.seed = 3;
  return options;
}

static bool has_simulators(void) { return lfm_task_at(0) != NULL; }

static void the_same_seed_makes_the_same_file_on_any_number_of_threads(void **state) {
  (void)state;
  if (!has_simulators()) skip();
  folder f = folder_create();
  char one[600], two[600];
  uint8_t *bytes[2];
  size_t sizes[2];
  lfm_demos_result result;
  snprintf(one, sizeof one, "%s/one.hdf5", f.path);
  snprintf(two, sizeof two, "%s/two.hdf5", f.path);
  lfm_demos_options options = options_of("lift", 3, 1);
  OK(lfm_demos_record(&options, one, &result));
  options.threads = 2;
  OK(lfm_demos_record(&options, two, NULL));
  OK(lfm_file_read(one, &bytes[0], &sizes[0]));
  OK(lfm_file_read(two, &bytes[1], &sizes[1]));
  assert_int_equal(sizes[0], sizes[1]);
  assert_memory_equal(bytes[0], bytes[1], sizes[0]);
  assert_int_equal(result.success.count, 3);
  assert_true(result.success.of >= 3 && result.success.low < result.success.share && result.seconds > 0);
  options.seed = 4;
  OK(lfm_demos_record(&options, two, NULL));
  lfm_free(bytes[1]);
  OK(lfm_file_read(two, &bytes[1], &sizes[1]));
  assert_true(sizes[0] != sizes[1] || memcmp(bytes[0], bytes[1], sizes[0]) != 0);
  lfm_free(bytes[0]);
  lfm_free(bytes[1]);
  folder_remove(&f);
}

/* The chance that `of` tries or fewer give `count` successes, try by try: of the successes so far, the last for good. */
static double chance_of_success_within(int64_t of, int64_t count, double p) {
  double state[512] = {1};
  assert_true(count < 512);
  for (int64_t i = 0; i < of; i++)
    for (int64_t k = count; k-- > 0;) {
      state[k + 1] += p * state[k];
      state[k] *= 1 - p;
    }
  return state[count];
}

/* At the lower end so few episodes are as rare as one time in forty, at the upper end so many. */
static void a_share_is_of_trying_until_so_many_succeed(void **state) {
  (void)state;
  static const int64_t cases[][2] = {{200, 208}, {50, 400}, {20, 21}, {1, 2}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    int64_t count = cases[k][0], of = cases[k][1];
    lfm_share s = share_until(count, of);
    assert_true(s.count == count && s.of == of && s.share == (double)count / (double)of && s.low < s.share &&
                s.share < s.high);
    assert_near(chance_of_success_within(of, count, s.low), 0.025, 1e-9);
    assert_near(1 - chance_of_success_within(of - 1, count, s.high), 0.025, 1e-9);
  }
  assert_true(share_until(3, 3).high == 1.0);
  assert_near(share_until(3, 3).low, cbrt(0.025), 1e-12);
  assert_near(share_until(1, 1).low, 0.025, 1e-12);
}

/* Played back from the first state by its absolute actions, an episode ends in success, having seen what it says. */
static void an_episode_plays_back(void **state) {
  (void)state;
  if (!has_simulators()) skip();
  folder f = folder_create();
  char path[600], key[700];
  lfm_table *demos = NULL, *states = NULL, *actions = NULL;
  const lfm_task *task;
  lfm_world *world;
  double obs[64];
  snprintf(path, sizeof path, "%s/lift.hdf5", f.path);
  lfm_demos_options options = options_of("lift", 2, 1);
  OK(lfm_demos_record(&options, path, NULL));
  OK(lfm_table_read(path, NULL, &demos));
  snprintf(key, sizeof key, "%s::data/demo_1/states", path);
  OK(lfm_table_read(key, NULL, &states));
  snprintf(key, sizeof key, "%s::data/demo_1/actions_abs", path);
  OK(lfm_table_read(key, NULL, &actions));
  OK(lfm_task_find("lift", &task));
  OK(lfm_world_create(task, &world));
  OK(lfm_world_set_state(world, states->values));
  int64_t first = lfm_demos_begin(demos->demos, 1);
  assert_int_equal(states->cols, task->state_dim);
  for (int64_t t = 0; t < actions->rows; t++) {
    lfm_world_observe(world, obs);
    assert_memory_equal(obs, demos->demos->obs + (first + t) * task->obs_dim, (size_t)task->obs_dim * sizeof *obs);
    OK(lfm_world_step(world, actions->values + t * actions->cols));
    assert_int_equal(lfm_world_succeeded(world), t >= actions->rows - 10); /* it had lasted ten steps, and ended then */
  }
  lfm_world_destroy(world);
  lfm_table_destroy(demos);
  lfm_table_destroy(states);
  lfm_table_destroy(actions);
  folder_remove(&f);
}

static bool stop_at_once(const lfm_progress *progress, void *context) {
  ++*(int *)context;
  assert_int_equal(progress->phase, LFM_PHASE_RECORD);
  assert_int_equal(progress->total, 50);
  return true;
}

static void whoever_stops_leaves_no_file(void **state) {
  (void)state;
  if (!has_simulators()) skip();
  folder f = folder_create();
  char path[600];
  int calls = 0;
  snprintf(path, sizeof path, "%s/lift.hdf5", f.path);
  lfm_demos_options options = options_of("lift", 50, 1);
  options.progress = stop_at_once;
  options.context = &calls;
  FAILS(LFM_E_INTERRUPTED, lfm_demos_record(&options, path, NULL));
  assert_true(calls >= 1 && !lfm_path_exists(path));
  folder_remove(&f);
}

static void what_cannot_work_is_refused(void **state) {
  (void)state;
  lfm_demos_options options = options_of("lift", 1, 1);
  if (!has_simulators()) {
    FAILS(LFM_E_UNSUPPORTED, lfm_demos_record(&options, "lift.hdf5", NULL));
    assert_says("libmujoco-dev");
    return;
  }
  FAILS(LFM_E_USAGE, lfm_demos_record(&options, "lift.csv", NULL));
  assert_says(".hdf5");
  FAILS(LFM_E_IO, lfm_demos_record(&options, "/nowhere/lift.hdf5", NULL));
  options.sheet = "sheet.jpg";
  FAILS(LFM_E_USAGE, lfm_demos_record(&options, "lift.hdf5", NULL));
  assert_says("sheet.jpg");
  options.sheet = NULL;
  options.episodes = 0;
  FAILS(LFM_E_USAGE, lfm_demos_record(&options, "lift.hdf5", NULL));
  options.task = "juggle";
  FAILS(LFM_E_USAGE, lfm_demos_record(&options, "juggle.hdf5", NULL));
  assert_says("lift");
  options.task = NULL;
  FAILS(LFM_E_USAGE, lfm_demos_record(&options, "lift.hdf5", NULL));
}

static void refused_memory_is_a_status(void **state) {
  (void)state;
  if (!has_simulators()) skip();
  folder f = folder_create();
  char path[600];
  snprintf(path, sizeof path, "%s/lift.hdf5", f.path);
  lfm_demos_options options = options_of("lift", 1, 1);
  lfm_alloc_fail_at(0);
  OK(lfm_demos_record(&options, path, NULL));
  uint64_t requests = lfm_alloc_fail_at(0);
  size_t held = lfm_alloc_in_use();
  for (uint64_t at = 1; at <= requests; at += 5) {
    lfm_alloc_fail_at(at);
    FAILS(LFM_E_MEMORY, lfm_demos_record(&options, path, NULL));
    lfm_alloc_fail_at(0);
    assert_int_equal(lfm_alloc_in_use(), held);
  }
  folder_remove(&f);
}

static void a_sheet_shows_a_strip_an_episode(void **state) {
  (void)state;
  if (!has_simulators()) skip();
  folder f = folder_create();
  char path[600], sheet[600];
  lfm_table *picture = NULL;
  lfm_table_options as_it_is = {0};
  int64_t channels, height, width;
  snprintf(path, sizeof path, "%s/lift.hdf5", f.path);
  snprintf(sheet, sizeof sheet, "%s/pictures", f.path);
  OK(lfm_folder_make(sheet));
  snprintf(sheet, sizeof sheet, "%s/pictures/sheet.png", f.path);
  lfm_demos_options options = options_of("lift", 1, 1);
  options.sheet = sheet;
  lfm_status status = lfm_demos_record(&options, path, NULL);
  if (status == LFM_E_UNSUPPORTED) { /* no OSMesa here */
    folder_remove(&f);
    skip();
  }
  assert_int_equal(status, LFM_OK);
  *strrchr(sheet, '/') = '\0';
  OK(lfm_table_read(sheet, &as_it_is, &picture));
  assert_true(lfm_table_picture(picture, &channels, &height, &width));
  assert_int_equal(height, 160 + 2 * 2);
  assert_int_equal(width, 8 * (160 + 2) + 2);
  lfm_table_destroy(picture);
  folder_remove(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_seed_makes_the_same_file_on_any_number_of_threads),
      cmocka_unit_test(a_share_is_of_trying_until_so_many_succeed),
      cmocka_unit_test(an_episode_plays_back),
      cmocka_unit_test(whoever_stops_leaves_no_file),
      cmocka_unit_test(what_cannot_work_is_refused),
      cmocka_unit_test(refused_memory_is_a_status),
      cmocka_unit_test(a_sheet_shows_a_strip_an_episode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
