/* SPDX-License-Identifier: MIT
 *
 * threads.c -- workers that wait for a round of tasks, claim them in order and report.
 * A round is a number; a worker spins on it for a few microseconds (a training step has several rounds a few milliseconds
 * long) and then sleeps on a condition.  All shared words are atomics or under the mutex: TSan sees every hand-over.
 */
#include "core/threads.h"

#include "core/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SPINS = 2000, MAX_THREADS = 1024 };

typedef struct worker {
  struct lfm_team *team;
  int number;
  pthread_t thread;
} worker;

struct lfm_team {
  int size;        /* the caller included */
  int started;     /* threads that exist */
  worker *workers; /* [size]; 0 is the caller */
  pthread_mutex_t mutex;
  pthread_cond_t begun, ended;
  atomic_ullong round; /* counts up when a round begins */
  atomic_int working;  /* threads not yet through this round */
  atomic_bool quit;
  lfm_task_fn fn;
  void *context;
  int64_t tasks;
  atomic_llong next;   /* the next task to claim */
  int64_t failed_task; /* lowest failed one, or -1; with status and line under the mutex */
  lfm_status failed_status;
  char failed_line[1024];
};

static void record_failure(lfm_team *team, int64_t task, lfm_status status) {
  pthread_mutex_lock(&team->mutex);
  if (team->failed_task < 0 || task < team->failed_task) {
    team->failed_task = task;
    team->failed_status = status;
    snprintf(team->failed_line, sizeof team->failed_line, "%s", lfm_error());
  }
  pthread_mutex_unlock(&team->mutex);
  atomic_store(&team->next, team->tasks); /* no new task is begun */
}

static void work(lfm_team *team, int number) {
  for (;;) {
    int64_t task = atomic_fetch_add(&team->next, 1);
    if (task >= team->tasks) return;
    lfm_status status = team->fn(team->context, number, task);
    if (status != LFM_OK) record_failure(team, task, status);
  }
}

/* Returns when a round after `seen` has begun. */
static void wait_for_round(lfm_team *team, unsigned long long seen) {
  for (int spin = 0; spin < SPINS; spin++)
    if (atomic_load(&team->round) != seen) return;
  pthread_mutex_lock(&team->mutex);
  while (atomic_load(&team->round) == seen) pthread_cond_wait(&team->begun, &team->mutex);
  pthread_mutex_unlock(&team->mutex);
}

static void *worker_main(void *argument) {
  worker *self = argument;
  lfm_team *team = self->team;
  for (unsigned long long seen = 0;; seen++) {
    wait_for_round(team, seen);
    if (atomic_load(&team->quit)) return NULL;
    work(team, self->number);
    if (atomic_fetch_sub(&team->working, 1) == 1) {
      pthread_mutex_lock(&team->mutex);
      pthread_cond_signal(&team->ended);
      pthread_mutex_unlock(&team->mutex);
    }
  }
}

static void begin_round(lfm_team *team) {
  pthread_mutex_lock(&team->mutex);
  atomic_store(&team->working, team->started);
  atomic_fetch_add(&team->round, 1);
  pthread_cond_broadcast(&team->begun);
  pthread_mutex_unlock(&team->mutex);
}

static void wait_for_end(lfm_team *team) {
  for (int spin = 0; spin < SPINS; spin++)
    if (atomic_load(&team->working) == 0) return;
  pthread_mutex_lock(&team->mutex);
  while (atomic_load(&team->working) > 0) pthread_cond_wait(&team->ended, &team->mutex);
  pthread_mutex_unlock(&team->mutex);
}

/* Those that this process may use: taskset and batch systems give it fewer than the machine has. */
static int processors(void) {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

lfm_status lfm_team_create(int threads, lfm_team **out) {
  *out = NULL;
  int size = threads > 0 ? threads : processors();
  if (size > MAX_THREADS) return lfm_fail(LFM_E_USAGE, "threads: %d is more than %d", size, MAX_THREADS);
  if (size > 4 * processors()) lfm_note(LFM_NOTE, "threads: %d on %d processors get in each other's way", size, processors());
  lfm_team *team;
  LFM_TRY(LFM_ALLOC(&team, 1));
  lfm_status status = LFM_ALLOC(&team->workers, size);
  if (status != LFM_OK) {
    lfm_free(team);
    return status;
  }
  team->size = size;
  team->failed_task = -1;
  pthread_mutex_init(&team->mutex, NULL);
  pthread_cond_init(&team->begun, NULL);
  pthread_cond_init(&team->ended, NULL);
  for (int i = 1; i < size; i++) {
    team->workers[i] = (worker){.team = team, .number = i};
    if (pthread_create(&team->workers[i].thread, NULL, worker_main, &team->workers[i]) != 0) {
      lfm_team_destroy(team);
      return lfm_fail(LFM_E_MEMORY, "thread %d of %d was refused by the system; ask for fewer with --threads", i + 1, size);
    }
    team->started++;
  }
  *out = team;
  return LFM_OK;
}

int lfm_team_size(const lfm_team *team) { return team->size; }

lfm_status lfm_team_run(lfm_team *team, int64_t tasks, lfm_task_fn fn, void *context) {
  team->fn = fn;
  team->context = context;
  team->tasks = tasks;
  team->failed_task = -1;
  team->failed_status = LFM_OK;
  atomic_store(&team->next, 0);
  bool alone = tasks <= 1 || team->started == 0;
  if (!alone) begin_round(team);
  work(team, 0);
  if (!alone) wait_for_end(team);
  if (team->failed_task >= 0) lfm_error_set(team->failed_line);
  return team->failed_status;
}

void lfm_team_destroy(lfm_team *team) {
  if (!team) return;
  atomic_store(&team->quit, true);
  begin_round(team);
  for (int i = 1; i <= team->started; i++) pthread_join(team->workers[i].thread, NULL);
  pthread_mutex_destroy(&team->mutex);
  pthread_cond_destroy(&team->begun);
  pthread_cond_destroy(&team->ended);
  lfm_free(team->workers);
  lfm_free(team);
}
