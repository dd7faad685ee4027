/* SPDX-License-Identifier: MIT
 *
 * control_loop.c -- a policy drives a machine: 20 times a second it is told what is observed and says what to do next; a
 * thread of its own, 1,000 times a second, moves the machine towards the action in force.  After an episode's first chunk
 * neither waits for the network longer than the deadline.
 *
 *   cc control_loop.c $(pkg-config --cflags --libs lfm) -lm -pthread -o control_loop
 *   control_loop MODEL [SECONDS [rtc]]      MODEL is what lfm train has made of demonstrations; the machine here is a stub
 *                                           that stays put.  rtc: each chunk goes on from the one before (real-time chunking)
 */
#include "lfm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 64, CONTROL_HZ = 20, TICK_HZ = 1000 };

/* ---- the machine -------------------------------------------------------------------------------------------------- */

typedef struct machine {
  lfm_pilot *pilot;
  int64_t actions;
  atomic_bool stops;
  atomic_long ticks;
  double command[MOST]; /* where the motors are told to go */
} machine;

static void sleep_until(struct timespec *next, long nanoseconds) {
  next->tv_nsec += nanoseconds;
  if (next->tv_nsec >= 1000000000L) next->tv_nsec -= 1000000000L, next->tv_sec++;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* A millisecond's worth of the way to the action in force. */
static void *tick(void *context) {
  machine *m = context;
  double action[MOST];
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (!atomic_load(&m->stops)) {
    if (lfm_pilot_current(m->pilot, action)) /* waits for nobody */
      for (int64_t j = 0; j < m->actions; j++) m->command[j] += 0.05 * (action[j] - m->command[j]);
    atomic_fetch_add(&m->ticks, 1);
    sleep_until(&next, 1000000000L / TICK_HZ);
  }
  return NULL;
}

/* What cameras and encoders would say. */
static void observe(double *observation, int64_t count) {
  for (int64_t j = 0; j < count; j++) observation[j] = 0.0;
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

static int fail(void) {
  fprintf(stderr, "control_loop: %s\n", lfm_error());
  return 1;
}

static int drive(machine *m, int64_t observed, int seconds) {
  double observation[MOST], action[MOST];
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  lfm_pilot_begin(m->pilot, 0);
  for (int step = 0; step < seconds * CONTROL_HZ; step++) {
    observe(observation, observed);
    if (lfm_pilot_act(m->pilot, observation, observed, action) != LFM_OK) return fail(); /* a robot would stop here */
    sleep_until(&next, 1000000000L / CONTROL_HZ);
  }
  return 0;
}

static void report(machine *m) {
  lfm_pilot_stats stats;
  lfm_pilot_look(m->pilot, &stats);
  printf("steps %lld, chunks %lld of %d evaluations, missed %lld, held %lld, ticks %ld\n", (long long)stats.policy.steps,
         (long long)stats.policy.chunks, stats.policy.nfe, (long long)stats.missed, (long long)stats.held,
         atomic_load(&m->ticks));
  printf("a chunk: %.0f us in the median, p99 %.0f, at most %.0f\n", stats.policy.p50, stats.policy.p99, stats.policy.max);
}

int main(int argc, char **argv) {
  lfm_model *model;
  lfm_pilot_options options;
  machine m = {0};
  pthread_t thread;
  if (argc < 2) return fprintf(stderr, "usage: control_loop MODEL [SECONDS [rtc]]\n"), 2;
  if (lfm_model_load(argv[1], &model) != LFM_OK) return fail();
  lfm_pilot_defaults(&options);
  options.deadline = 10000.0; /* a fifth of a step */
  options.policy.clamp = true;
  options.policy.rtc = argc > 3 && strcmp(argv[3], "rtc") == 0;
  if (lfm_pilot_create(model, &options, &m.pilot) != LFM_OK) return lfm_model_destroy(model), fail();
  int64_t observed = lfm_pilot_observed(m.pilot);
  m.actions = lfm_pilot_actions(m.pilot);
  int code = 1;
  if (observed > MOST || m.actions > MOST)
    fprintf(stderr, "control_loop: %lld numbers observed, %lld of an action; this example has room for %d\n",
            (long long)observed, (long long)m.actions, MOST);
  else if (pthread_create(&thread, NULL, tick, &m) != 0) fprintf(stderr, "control_loop: no thread for the machine\n");
  else {
    code = drive(&m, observed, argc > 2 ? atoi(argv[2]) : 2);
    atomic_store(&m.stops, true);
    pthread_join(thread, NULL);
    report(&m);
  }
  lfm_pilot_destroy(m.pilot);
  lfm_model_destroy(model);
  return code;
}
