/* SPDX-License-Identifier: MIT
 *
 * test_pusht.c -- Push-T: the human demonstrations replayed open loop where they are at hand; resets, coverage, pictures, and
 * that nothing but seed, episode and actions decides what happens.
 */
#include "sim/pusht.h"
#include "support/capture.h"
#include "support/near.h"
#include "support/shared_data.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "data/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TWO_PI 6.283185307179586
enum { STATE = 10 };

static lfm_world *make(void) {
  const lfm_task *task;
  lfm_world *world;
  assert_int_equal(lfm_task_find("pusht", &task), LFM_OK);
  assert_ptr_equal(task, &lfm_pusht);
  assert_int_equal(lfm_world_create(task, &world), LFM_OK);
  return world;
}

/* The first world of the process, which is when Chipmunk would greet. */
static void says_nothing(void **state) {
  (void)state;
  char said[256];
  lfm_world *world;
  capture c = capture_begin();
  lfm_status status = lfm_world_create(&lfm_pusht, &world);
  if (status == LFM_OK) status = lfm_world_reset(world, 1, 0);
  capture_end(&c, said, sizeof said);
  assert_int_equal(status, LFM_OK);
  assert_string_equal(said, "");
  lfm_world_destroy(world);
}

/* An action of a wanderer, anywhere on the table. */
static void wander(int64_t episode, int64_t step, double action[2]) {
  const lfm_rng rng = {.seed = 9, .purpose = LFM_FOR_DATA, .step = (uint32_t)step / 5};
  for (uint32_t j = 0; j < 2; j++) action[j] = 512 * lfm_rng_uniform(&rng, episode, j);
}

/* states [steps, STATE] of an episode. */
static void run_episode(lfm_world *world, int64_t episode, int64_t steps, double *states) {
  assert_int_equal(lfm_world_reset(world, 3, episode), LFM_OK);
  for (int64_t t = 0; t < steps; t++) {
    double action[2];
    wander(episode, t, action);
    assert_int_equal(lfm_world_step(world, action), LFM_OK);
    lfm_world_state(world, states + t * STATE);
  }
}

static void an_episode_is_its_seed_and_number(void **state) {
  (void)state;
  enum { STEPS = 100 };
  static double first[STEPS * STATE], again[STEPS * STATE], other[STEPS * STATE];
  lfm_world *world = make(), *fresh = make();
  run_episode(world, 7, STEPS, first);
  run_episode(world, 2, STEPS, other);
  run_episode(world, 7, STEPS, again); /* in a world where much has happened */
  assert_memory_equal(first, again, sizeof first);
  run_episode(fresh, 7, STEPS, again);
  assert_memory_equal(first, again, sizeof first);
  assert_memory_not_equal(first, other, sizeof first);
  lfm_world_destroy(world);
  lfm_world_destroy(fresh);
}

typedef struct runner {
  int64_t episode;
  double *states;
} runner;

enum { LONG = 300 };

static void *run_thread(void *context) {
  runner *r = context;
  lfm_world *world;
  if (lfm_world_create(&lfm_pusht, &world) != LFM_OK) return NULL;
  for (int i = 0; i < 3; i++) run_episode(world, r->episode, LONG, r->states);
  lfm_world_destroy(world);
  return r;
}

static void threads_do_not_meet(void **state) {
  (void)state;
  enum { THREADS = 4 };
  static double alone[THREADS][LONG * STATE], beside[THREADS][LONG * STATE];
  lfm_world *world = make();
  pthread_t thread[THREADS];
  runner runners[THREADS];
  for (int i = 0; i < THREADS; i++) run_episode(world, i, LONG, alone[i]);
  for (int i = 0; i < THREADS; i++) {
    runners[i] = (runner){i, beside[i]};
    assert_int_equal(pthread_create(&thread[i], NULL, run_thread, &runners[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    void *done;
    pthread_join(thread[i], &done);
    assert_non_null(done);
  }
  assert_memory_equal(alone, beside, sizeof alone);
  lfm_world_destroy(world);
}

/* Each number falls where it is to fall, and over many episodes everywhere there. */
static void resets_cover_the_table(void **state) {
  (void)state;
  enum { EPISODES = 400 };
  double least[5], most[5], obs[5], away = 0;
  lfm_world *world = make();
  for (int j = 0; j < 5; j++) least[j] = 1e9, most[j] = -1e9;
  for (int e = 0; e < EPISODES; e++) {
    assert_int_equal(lfm_world_reset(world, 11, e), LFM_OK);
    lfm_world_observe(world, obs);
    for (int j = 0; j < 5; j++) least[j] = fmin(least[j], obs[j]), most[j] = fmax(most[j], obs[j]);
    assert_true(obs[0] == floor(obs[0]) && obs[1] == floor(obs[1])); /* the finger is where it was put */
    away += obs[2] != floor(obs[2]) || obs[3] != floor(obs[3]);      /* a block beneath it was pushed off */
    assert_false(lfm_world_succeeded(world));
  }
  assert_true(least[0] >= 50 && least[1] >= 50 && most[0] <= 449 && most[1] <= 449);
  assert_true(least[0] < 55 && least[1] < 55 && most[0] > 444 && most[1] > 444);
  assert_true(least[2] > 80 && least[3] > 80 && most[2] < 420 && most[3] < 420);
  assert_true(least[2] < 105 && least[3] < 105 && most[2] > 394 && most[3] > 394);
  assert_true(least[4] >= 0 && least[4] < 0.2 && most[4] > TWO_PI - 0.2 && most[4] < TWO_PI);
  assert_true(away > 0 && away < EPISODES / 4);
  lfm_world_destroy(world);
}

static void put_block(lfm_world *world, double x, double y, double angle) {
  const double numbers[STATE] = {30, 30, 0, 0, x, y, angle};
  assert_int_equal(lfm_world_set_state(world, numbers), LFM_OK);
}

static bool is_on_tee(double x, double y, double angle, double px, double py) {
  double c = cos(angle), s = sin(angle), u = c * (px - x) + s * (py - y), v = c * (py - y) - s * (px - x);
  return (fabs(u) <= 60 && v >= 0 && v <= 30) || (fabs(u) <= 15 && v >= 30 && v <= 120);
}

static void coverage_is_the_area_in_common(void **state) {
  (void)state;
  lfm_world *world = make();
  put_block(world, 256, 256, TWO_PI / 8);
  assert_near(lfm_pusht_coverage(world), 1, 1e-12);
  assert_true(lfm_world_succeeded(world));
  assert_true(lfm_world_reward(world) == 1);
  put_block(world, 400, 100, 0);
  assert_true(lfm_pusht_coverage(world) == 0);
  assert_true(lfm_world_reward(world) == 0);
  for (int n = 0; n < 8; n++) {
    double x = 240 + 5 * n, y = 270 - 4 * n, angle = 0.3 + 0.7 * n;
    int both = 0;
    put_block(world, x, y, angle);
    for (int i = 0; i < 1024 * 1024; i++) {
      double px = (i % 1024 + 0.5) / 2, py = (i / 1024 + 0.5) / 2;
      both += is_on_tee(256, 256, TWO_PI / 8, px, py) && is_on_tee(x, y, angle, px, py);
    }
    double coverage = lfm_pusht_coverage(world);
    assert_near(coverage, both / 4.0 / 6300, 0.004);
    assert_near(lfm_world_reward(world), fmin(coverage / 0.95, 1), 1e-15);
  }
  lfm_world_destroy(world);
}

/* The finger goes where it is told; the block before it is pushed along, and stays on the table. */
static void pushes_the_block(void **state) {
  (void)state;
  lfm_world *world = make();
  const double numbers[STATE] = {256, 60, 0, 0, 256, 200, 0};
  double obs[5];
  assert_int_equal(lfm_world_set_state(world, numbers), LFM_OK);
  for (int t = 0; t < 60; t++) assert_int_equal(lfm_world_step(world, (const double[]){256, 300}), LFM_OK);
  lfm_world_observe(world, obs);
  assert_near(obs[0], 256, 1e-6);
  assert_near(obs[1], 300, 1e-3);
  assert_true(obs[3] > 313 && obs[3] < 317); /* its edge lies against the finger */
  for (int t = 0; t < 60; t++) assert_int_equal(lfm_world_step(world, (const double[]){256, 600}), LFM_OK);
  lfm_world_observe(world, obs);
  assert_true(obs[2] > 0 && obs[2] < 512 && obs[3] > 0 && obs[3] < 512);
  lfm_world_destroy(world);
}

/* Whatever a policy asks for, the numbers stay numbers and the process alive. */
static void stands_wild_actions(void **state) {
  (void)state;
  lfm_world *world = make();
  double numbers[STATE];
  assert_int_equal(lfm_world_reset(world, 0, 0), LFM_OK);
  for (int t = 0; t < 200; t++) {
    const double action[2] = {t % 3 ? 1e300 : -1e300, t % 5 ? -1e300 : 0};
    assert_int_equal(lfm_world_step(world, action), LFM_OK);
    lfm_world_state(world, numbers);
    for (int j = 0; j < STATE; j++) assert_true(isfinite(numbers[j]));
  }
  assert_int_equal(lfm_world_step(world, (const double[]){(double)NAN, 0}), LFM_E_NUMERIC);
  numbers[2] = 1e9;
  assert_int_equal(lfm_world_set_state(world, numbers), LFM_E_DATA);
  assert_string_equal(lfm_error(), "pusht: number 3 of a state is 1e+09; the table is 512 wide");
  lfm_world_destroy(world);
}

/* Worlds set to one state, from the midst of an episode, show it and go on alike, whatever they did before. */
static void begins_at_a_state(void **state) {
  (void)state;
  enum { STEPS = 60, AHEAD = 40 };
  static double numbers[STEPS * STATE], one[AHEAD * STATE], other[AHEAD * STATE];
  lfm_world *first = make(), *second = make();
  run_episode(first, 4, STEPS, numbers);
  const double *from = numbers + (STEPS - 1) * STATE;
  for (int w = 0; w < 2; w++) {
    lfm_world *world = w ? second : first;
    double *states = w ? other : one;
    assert_int_equal(lfm_world_set_state(world, from), LFM_OK);
    lfm_world_state(world, states);
    for (int j = 0; j < STATE; j++) assert_near(states[j], from[j], 1e-12);
    for (int64_t t = 0; t < AHEAD; t++) {
      double action[2];
      wander(4, STEPS + t, action);
      assert_int_equal(lfm_world_step(world, action), LFM_OK);
      lfm_world_state(world, states + t * STATE);
    }
  }
  assert_memory_equal(one, other, sizeof one);
  lfm_world_destroy(first);
  lfm_world_destroy(second);
}

/* Places and speeds that no episode has: within the walls, in the block, far away. */
static void stands_strange_states(void **state) {
  (void)state;
  const lfm_rng rng = {.seed = 5, .purpose = LFM_FOR_DATA};
  lfm_world *world = make();
  for (int64_t n = 0; n < 500; n++) {
    double numbers[STATE];
    for (uint32_t j = 0; j < STATE; j++)
      numbers[j] = (2 * lfm_rng_uniform(&rng, n, j) - 1) * pow(10, 6 * lfm_rng_uniform(&rng, n, STATE + j));
    assert_int_equal(lfm_world_set_state(world, numbers), LFM_OK);
    for (int64_t t = 0; t < 10; t++) {
      double action[2];
      wander(n, t, action);
      assert_int_equal(lfm_world_step(world, action), LFM_OK);
      lfm_world_state(world, numbers);
      for (int j = 0; j < STATE; j++) assert_true(isfinite(numbers[j]));
      double coverage = lfm_pusht_coverage(world);
      assert_true(coverage >= 0 && coverage <= 1 + 1e-9);
    }
  }
  lfm_world_destroy(world);
}

static void stands_refused_memory(void **state) {
  (void)state;
  lfm_world *world = (lfm_world *)&state;
  lfm_alloc_fail_at(1);
  assert_int_equal(lfm_world_create(&lfm_pusht, &world), LFM_E_MEMORY);
  lfm_alloc_fail_at(0);
  assert_null(world);
  world = make();
  lfm_world_destroy(world); /* before its first reset */
  lfm_world_destroy(NULL);
}

static void is_drawn(void **state) {
  (void)state;
  enum { SIDE = 128 };
  static uint8_t rgb[SIDE][SIDE][3];
  lfm_world *world = make();
  const double numbers[STATE] = {100, 400, 0, 0, 400, 100, 0};
  assert_int_equal(lfm_world_set_state(world, numbers), LFM_OK);
  memset(rgb, 0xA5, sizeof rgb);
  assert_int_equal(lfm_world_draw(world, SIDE, SIDE, &rgb[0][0][0]), LFM_OK);
  assert_memory_equal(rgb[100][25], ((const uint8_t[]){65, 105, 225}), 3);   /* the finger: line 400 / 4, column 100 / 4 */
  assert_memory_equal(rgb[27][100], ((const uint8_t[]){119, 136, 153}), 3);  /* the block's beam */
  assert_memory_equal(rgb[50][100], ((const uint8_t[]){119, 136, 153}), 3);  /* its stem, downwards */
  assert_memory_equal(rgb[66][64], ((const uint8_t[]){144, 238, 144}), 3);   /* the goal */
  assert_memory_equal(rgb[100][100], ((const uint8_t[]){255, 255, 255}), 3); /* the table */
  lfm_world_destroy(world);
}

/* ---- the human demonstrations ----------------------------------------------------------------------------------- */

typedef struct errors {
  double agent, block_sum, block_most;
  double score; /* the sum over episodes of the best reward */
  int64_t steps, solved;
} errors;

static void replay(lfm_world *world, const lfm_demos *demos, int64_t episode, errors *e) {
  int64_t begin = lfm_demos_begin(demos, episode);
  double best = 0;
  const double *seen = demos->obs + begin * 5;
  const double numbers[STATE] = {seen[0], seen[1], 0, 0, seen[2], seen[3], seen[4]};
  assert_int_equal(lfm_world_set_state(world, numbers), LFM_OK);
  for (int64_t step = begin; step < demos->ends[episode]; step++) {
    double obs[5];
    const double *due = demos->obs + (step + 1) * 5;
    assert_int_equal(lfm_world_step(world, demos->actions + step * 2), LFM_OK);
    best = fmax(best, lfm_world_reward(world));
    if (step + 1 == demos->ends[episode]) break; /* what the last action led to is not told */
    lfm_world_observe(world, obs);
    double block = hypot(obs[2] - due[2], obs[3] - due[3]);
    e->agent = fmax(e->agent, hypot(obs[0] - due[0], obs[1] - due[1]));
    e->block_most = fmax(e->block_most, block);
    e->block_sum += block;
    e->steps++;
  }
  e->score += best;
  e->solved += best >= 1;
}

static void replays_the_human_demonstrations(void **state) {
  (void)state;
  const char *path = shared_data("pusht/pusht_cchi_v7_lowdim.hdf5");
  lfm_table *table;
  lfm_world *world = make();
  errors e = {0};
  assert_int_equal(lfm_table_read(path, NULL, &table), LFM_OK);
  assert_int_equal(table->demos->episodes, 206);
  for (int64_t i = 0; i < table->demos->episodes; i++) replay(world, table->demos, i, &e);
  print_message("%lld steps: finger off by at most %.3g px, block by %.3g on average and %.3g at most\n", (long long)e.steps,
                e.agent, e.block_sum / (double)e.steps, e.block_most);
  print_message("their score is %.3f on average, and %lld succeed\n", e.score / 206, (long long)e.solved);
  /* what was measured, and room for another machine's last digits */
  assert_near(e.score / 206, 0.947, 0.001);
  assert_in_range(e.solved, 6, 8);
  assert_true(e.agent < 1e-4);
  assert_true(e.block_sum / (double)e.steps < 0.001);
  assert_true(e.block_most < 0.5);
  lfm_table_destroy(table);
  lfm_world_destroy(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_nothing),
      cmocka_unit_test(an_episode_is_its_seed_and_number),
      cmocka_unit_test(threads_do_not_meet),
      cmocka_unit_test(resets_cover_the_table),
      cmocka_unit_test(coverage_is_the_area_in_common),
      cmocka_unit_test(pushes_the_block),
      cmocka_unit_test(stands_wild_actions),
      cmocka_unit_test(stands_strange_states),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(begins_at_a_state),
      cmocka_unit_test(is_drawn),
      cmocka_unit_test(replays_the_human_demonstrations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
