/* SPDX-License-Identifier: MIT
 *
 * test_windows.c -- windows of demonstrations: which steps each has, at the ends of episodes and of short ones; units and how
 * an action goes inside and comes back; what does not fit; refused memory.
 */
#include "data/normaliser.h"
#include "data/support.h"
#include "data/table.h"

#define OK(call) assert_int_equal((call), LFM_OK)

static const lfm_horizons usual = {2, 16, 8};

/* Episodes of so many steps; observation j of step i is 10 i + j, action j is i + j / 10. */
static lfm_demos *demos_of(int64_t episodes, const int64_t *lengths, int64_t obs, int64_t dim, lfm_action_kind kind) {
  lfm_demos *d;
  int64_t steps = 0;
  for (int64_t e = 0; e < episodes; e++) steps += lengths[e];
  OK(lfm_demos_make(episodes, steps, obs, dim, &d));
  OK(LFM_ALLOC(&d->key, 1));
  OK(LFM_ALLOC(&d->key_dim, 1));
  OK(lfm_alloc_text(&d->key[0], "state"));
  d->keys = 1, d->key_dim[0] = obs, d->kind = kind;
  for (int64_t e = 0, end = 0; e < episodes; e++) d->ends[e] = end += lengths[e];
  for (int64_t i = 0; i < steps * obs; i++) d->obs[i] = (double)(10 * (i / obs) + i % obs);
  for (int64_t i = 0; i < steps * dim; i++) d->actions[i] = (double)(i / dim) + 0.1 * (double)(i % dim);
  return d;
}

static lfm_table *cut(const lfm_demos *demos, lfm_horizons horizons) {
  lfm_windows *windows;
  lfm_table *table;
  OK(lfm_windows_fit(demos, horizons, &windows));
  OK(lfm_windows_cut(windows, demos, &table));
  lfm_windows_destroy(windows);
  return table;
}

/* Window `row` sees the steps `seen` and has the actions of `first` on, as far as the episode [begin, end) goes. */
static void check_window(const lfm_table *t, int64_t row, int64_t now, int64_t begin, int64_t end) {
  const lfm_windows *w = t->windows;
  for (int64_t k = 0; k < w->horizons.observation; k++) {
    int64_t step = now - (w->horizons.observation - 1) + k;
    if (step < begin) step = begin;
    for (int64_t j = 0; j < w->obs_dim; j++) {
      double given = (double)w->given[(row * w->horizons.observation + k) * w->obs_dim + j];
      assert_true(fabs(given / w->obs_scale[j] + w->obs_mean[j] - (double)(10 * step + j)) < 1e-3);
    }
  }
  for (int64_t k = 0; k < w->horizons.prediction; k++) {
    int64_t step = now - (w->horizons.observation - 1) + k;
    step = step < begin ? begin : step >= end ? end - 1 : step;
    for (int64_t j = 0; j < w->width; j++)
      assert_true(t->values[row * t->cols + k * w->width + j] == (double)step + 0.1 * (double)j);
  }
}

/* Diffusion Policy's: the first observation once before the start, the last action seven times behind the end. */
static void test_padding(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(2, (int64_t[]){20, 9}, 3, 2, LFM_ACTION_PLAIN);
  lfm_table *t = cut(demos, usual);
  assert_int_equal(t->rows, 13 + 2); /* the current step runs from 0 to length - 8 */
  assert_int_equal(lfm_windows_count(demos, usual), t->rows);
  assert_int_equal(t->cols, 16 * 2);
  for (int64_t c = 0; c < 13; c++) check_window(t, c, c, 0, 20);
  for (int64_t c = 0; c < 2; c++) check_window(t, 13 + c, 20 + c, 20, 29);
  const double *last = t->values + 12 * t->cols; /* the last window: step 19 eight times, that is seven beyond its own */
  for (int64_t k = 8; k < 16; k++) assert_true(last[2 * k] == 19.0);
  assert_true(last[2 * 7] == 18.0);
  lfm_table_destroy(t);
  lfm_demos_destroy(demos);
}

static void test_other_horizons_and_short_episodes(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(3, (int64_t[]){1, 5, 6}, 1, 1, LFM_ACTION_PLAIN);
  static const lfm_horizons horizons[] = {{1, 4, 4}, {3, 4, 2}, {2, 16, 8}, {1, 1, 1}};
  static const int64_t counts[][3] = {{1, 5, 6}, {1, 5, 6}, {1, 1, 1}, {1, 5, 6}};
  for (int h = 0; h < 4; h++) {
    lfm_table *t = cut(demos, horizons[h]);
    int64_t row = 0;
    for (int64_t e = 0; e < 3; e++)
      for (int64_t c = 0; c < counts[h][e]; c++, row++)
        check_window(t, row, lfm_demos_begin(demos, e) + c, lfm_demos_begin(demos, e), demos->ends[e]);
    assert_int_equal(t->rows, row);
    lfm_table_destroy(t);
  }
  lfm_demos_destroy(demos);
}

/* Two arms: positions by their range, rotations in six numbers and grippers as they are; and back in the data's units. */
static void test_poses(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(1, (int64_t[]){30}, 4, LFM_TWO_ARMS_ACTION, LFM_ACTION_POSE);
  lfm_windows *w;
  for (int64_t i = 0; i < demos->steps * demos->action_dim; i++) demos->actions[i] = sin(0.7 * (double)i);
  for (int64_t i = 0; i < demos->steps; i++) demos->actions[i * 14 + 2] = 0.25; /* one that does not move */
  demos->obs[7] = -500.0;
  OK(lfm_windows_fit(demos, usual, &w));
  assert_int_equal(w->width, 20);
  for (int64_t j = 0; j < 20; j++) {
    bool position = j % 10 < 3;
    if (position && j != 2) {
      double low = 1e9, high = -1e9;
      for (int64_t i = 0; i < demos->steps; i++) {
        double inside = (demos->actions[i * 14 + j / 10 * 7 + j % 10] - w->action_mean[j]) * w->action_scale[j];
        low = fmin(low, inside), high = fmax(high, inside);
      }
      assert_true(fabs(low + 1) < 1e-12 && fabs(high - 1) < 1e-12);
    } else assert_true(w->action_scale[j] == 1.0 && w->action_mean[j] == (position ? 0.25 : 0.0));
  }
  for (int64_t j = 0; j < 4; j++) {
    double low = j == 3 ? -500.0 : (double)j, high = 290.0 + (double)j; /* a number went up by ten a step, one fell once */
    assert_true(w->obs_mean[j] == 0.0 && fabs(w->obs_scale[j] - 1.0 / 500.0) < 1e-15);
    assert_true(fabs(w->obs_middle[j] - (low + high) / 2) < 1e-12 && fabs(w->obs_reach[j] - (high - low) / 2) < 1e-12);
  }
  for (int64_t i = 0; i < demos->steps; i++) {
    double inside[20], y[20], back[14];
    lfm_windows_encode(w, demos->actions + i * 14, inside);
    for (int64_t j = 0; j < 20; j++) y[j] = (inside[j] - w->action_mean[j]) * w->action_scale[j];
    lfm_windows_action(w, y, back);
    for (int64_t j = 0; j < 14; j++) assert_true(fabs(back[j] - demos->actions[i * 14 + j]) < 1e-12);
  }
  lfm_windows_destroy(w);
  lfm_demos_destroy(demos);
}

/* Plain numbers: observations and actions each by their own range; and the chunks' normaliser is that of every step. */
static void test_plain_units(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(1, (int64_t[]){21}, 2, 2, LFM_ACTION_PLAIN);
  lfm_windows *w;
  lfm_normaliser *n;
  double x[32], y[32], back[32];
  OK(lfm_windows_fit(demos, usual, &w));
  assert_true(fabs(w->obs_mean[1] - 101) < 1e-12 && fabs(w->obs_scale[1] - 0.01) < 1e-15);
  assert_true(fabs(w->action_mean[1] - 10.1) < 1e-12 && fabs(w->action_scale[1] - 0.1) < 1e-15);
  OK(lfm_normaliser_chunks(16, 2, w->action_mean, w->action_scale, &n));
  for (int i = 0; i < 32; i++) x[i] = 3.0 * i - 20;
  lfm_normaliser_apply(n, x, y);
  lfm_normaliser_invert(n, y, back);
  for (int i = 0; i < 32; i++) {
    assert_true(fabs(y[i] - (x[i] - w->action_mean[i % 2]) * 0.1) < 1e-12);
    assert_true(fabs(back[i] - x[i]) < 1e-12);
  }
  assert_true(fabs(n->logdet - 32 * log(0.1)) < 1e-12);
  lfm_normaliser_destroy(n);
  lfm_windows_destroy(w);
  lfm_demos_destroy(demos);
}

static void test_what_does_not_fit(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(1, (int64_t[]){20}, 2, 2, LFM_ACTION_PLAIN);
  lfm_demos *others = demos_of(1, (int64_t[]){20}, 3, 2, LFM_ACTION_PLAIN);
  lfm_windows *w;
  lfm_table *t;
  static const lfm_horizons bad[] = {{0, 16, 8}, {2, 16, 0}, {2, 8, 8}, {2, 5000, 8}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(lfm_windows_fit(demos, bad[i], &w), LFM_E_USAGE);
    assert_null(w);
  }
  OK(lfm_windows_fit(demos, usual, &w));
  assert_int_equal(lfm_windows_cut(w, others, &t), LFM_E_DATA);
  others->obs[4] = NAN;
  lfm_windows *none;
  assert_int_equal(lfm_windows_fit(others, usual, &none), LFM_E_DATA);
  others->kind = LFM_ACTION_DELTA;
  assert_int_equal(lfm_windows_cut(w, others, &t), LFM_E_DATA);
  lfm_windows_destroy(w);
  lfm_demos_destroy(demos), lfm_demos_destroy(others);
}

static lfm_status fit_and_cut(void *demos) {
  lfm_windows *w;
  lfm_table *t = NULL;
  LFM_TRY(lfm_windows_fit(demos, usual, &w));
  lfm_status status = lfm_windows_cut(w, demos, &t);
  lfm_table_destroy(t);
  lfm_windows_destroy(w);
  return status;
}

static void test_refused_memory(void **state) {
  (void)state;
  lfm_demos *demos = demos_of(2, (int64_t[]){20, 9}, 2, 7, LFM_ACTION_POSE);
  size_t before = lfm_alloc_in_use();
  assert_true(refuse_memory(fit_and_cut, demos) > 20);
  assert_int_equal(lfm_alloc_in_use(), before);
  lfm_demos_destroy(demos);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_padding),
      cmocka_unit_test(test_other_horizons_and_short_episodes),
      cmocka_unit_test(test_poses),
      cmocka_unit_test(test_plain_units),
      cmocka_unit_test(test_what_does_not_fit),
      cmocka_unit_test(test_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
