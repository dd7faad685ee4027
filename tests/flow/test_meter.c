/* SPDX-License-Identifier: MIT
 *
 * test_meter.c -- what a caller hears of a call's progress: every phase's begin and end, about ten ticks a second between.
 */
#include "flow_support.h"

#include <time.h>

#include "flow/meter.h"

/* A clock that stands still unless the test moves it. */
static double clock_at = 1000.0;
int clock_gettime(clockid_t clock, struct timespec *now) {
  (void)clock;
  *now = (struct timespec){.tv_sec = (time_t)clock_at, .tv_nsec = (long)(fmod(clock_at, 1.0) * 1e9)};
  return 0;
}

typedef struct heard {
  int calls;
  lfm_progress last;
  int stop_after; /* calls; 0: never */
} heard;

static bool hear(const lfm_progress *progress, void *context) {
  heard *h = context;
  h->last = *progress;
  return ++h->calls == h->stop_after;
}

static void ten_times_a_second(void **state) {
  (void)state;
  heard h = {0};
  lfm_meter meter;
  lfm_meter_begin(&meter, hear, &h);
  lfm_meter_phase(&meter, LFM_PHASE_TRAIN, 2, 3, 50, 1050); /* resumed at step 50 */
  assert_true(h.calls == 1 && h.last.done == 50 && h.last.block == 2 && h.last.blocks == 3 && h.last.total == 1050);
  assert_true(h.last.rate == 0.0 && isnan(h.last.loss) && isnan(h.last.valid_loss));
  for (int step = 51; step <= 1049; step++) {
    clock_at += 0.002;
    assert_false(lfm_meter_tick(&meter, step));
  }
  assert_in_range(h.calls, 18, 21);     /* two seconds */
  assert_near(h.last.rate, 500.0, 1.0); /* of this call's own steps */
  int before = h.calls;
  lfm_meter_tick(&meter, 1050); /* the end is always heard */
  assert_true(h.calls == before + 1 && h.last.done == 1050);
  assert_near(h.last.seconds, 1.998, 0.01);
}

static void a_wish_to_stop_lasts(void **state) {
  (void)state;
  heard h = {.stop_after = 2};
  lfm_meter meter;
  lfm_meter_begin(&meter, hear, &h);
  lfm_meter_phase(&meter, LFM_PHASE_PUSH, 1, 1, 0, 10);
  assert_false(lfm_meter_tick(&meter, 1));
  clock_at += 0.2;
  assert_true(lfm_meter_tick(&meter, 2));
  clock_at += 0.2;
  assert_true(lfm_meter_tick(&meter, 3));
  lfm_meter_phase(&meter, LFM_PHASE_TRAIN, 2, 2, 0, 10);
  assert_true(lfm_meter_tick(&meter, 1));
  assert_int_equal(h.calls, 2);
}

static void nobody_need_listen(void **state) {
  (void)state;
  lfm_meter meter;
  lfm_meter_begin(&meter, NULL, NULL);
  lfm_meter_phase(&meter, LFM_PHASE_SCORE, 1, 1, 0, 10);
  assert_false(lfm_meter_tick(&meter, 10));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_times_a_second),
      cmocka_unit_test(a_wish_to_stop_lasts),
      cmocka_unit_test(nobody_need_listen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
