/* SPDX-License-Identifier: MIT
 *
 * threads.c -- workers that wait for a round of tasks, claim them in order and report.
 * A round is a number; a worker spins on it for a tenth of a millisecond and then sleeps on a condition.  To be woken takes
 * about as long: between two rounds the caller may work alone for a while, and a worker that had gone to sleep would miss
 * the next one.  All shared words are atomics or under the mutex: TSan sees every hand-over.
 *
 * A shared round is one that no worker need attend.  The caller offers each worker its task, by the round's number; whoever
 * takes the offer back runs the task, that worker or the caller.  A late worker finds the offer gone, or a later one, and has
 * touched nothing.  A barrier between equal workers was refused: where another program runs too, one of them is often
 * without a processor, and the others would wait a time slice for it at every layer of a network.
 */
#include "core/threads.h"

#include "core/alloc.h"
#include "core/machine.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SPINS = 4000, MAX_THREADS = 1024, CACHE_LINE = 64 };

/* Some 20 to 40 nanoseconds, in which a core's other thread has it to itself. */
static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

typedef struct worker {
  _Alignas(CACHE_LINE) atomic_ullong offer; /* the shared round in which its task is free to take; 0: taken */
  atomic_ullong done;                       /* the last shared round in which its task was done */
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
  atomic_bool quit;
  _Alignas(CACHE_LINE) atomic_ullong round; /* counts up by 2 when a round begins; odd: a shared one */
  lfm_task_fn fn;                           /* beside it, since a shared round is all hand-overs of cache lines */
  void *context;
  int64_t tasks;
  _Alignas(CACHE_LINE) atomic_int working; /* threads not yet through this round, if it is no shared one */
  atomic_bool sleeping;                    /* some worker may be waiting for `begun` */
  atomic_llong next;                       /* the next task to claim */
  int64_t failed_task;                     /* lowest failed one, or -1; with status and line under the mutex */
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

/* If its task is still free. */
static void take_offer(lfm_team *team, int number, unsigned long long round) {
  if (!atomic_compare_exchange_strong(&team->workers[number].offer, &round, 0)) return;
  lfm_status status = team->fn(team->context, number, number);
  if (status != LFM_OK) record_failure(team, number, status);
  atomic_store_explicit(&team->workers[number].done, round, memory_order_release);
}

/* Another round than `seen`, once it has begun. */
static unsigned long long wait_for_round(lfm_team *team, unsigned long long seen) {
  unsigned long long round;
  for (int spin = 0; spin < SPINS; spin++, pause_briefly())
    if ((round = atomic_load(&team->round)) != seen) return round;
  pthread_mutex_lock(&team->mutex);
  for (;;) {
    atomic_exchange(&team->sleeping, true); /* and then a look; whoever begins a round does the two in the opposite order */
    if ((round = atomic_load(&team->round)) != seen) break;
    pthread_cond_wait(&team->begun, &team->mutex);
  }
  pthread_mutex_unlock(&team->mutex);
  return round;
}

static void *worker_main(void *argument) {
  worker *self = argument;
  lfm_team *team = self->team;
  for (unsigned long long round = 0;;) {
    round = wait_for_round(team, round);
    if (atomic_load(&team->quit)) return NULL;
    if (round % 2) {
      take_offer(team, self->number, round);
      continue;
    }
    work(team, self->number);
    if (atomic_fetch_sub(&team->working, 1) == 1) {
      pthread_mutex_lock(&team->mutex);
      pthread_cond_signal(&team->ended);
      pthread_mutex_unlock(&team->mutex);
    }
  }
}

static void wake_sleepers(lfm_team *team) {
  if (!atomic_exchange(&team->sleeping, false)) return;
  pthread_mutex_lock(&team->mutex);
  pthread_cond_broadcast(&team->begun);
  pthread_mutex_unlock(&team->mutex);
}

/* The number of the next round, shared or not. */
static unsigned long long next_round(const lfm_team *team, bool shared) {
  return atomic_load(&team->round) / 2 * 2 + 2 + shared;
}

static void begin_round(lfm_team *team) {
  atomic_store(&team->working, team->started);
  atomic_store(&team->round, next_round(team, false));
  wake_sleepers(team);
}

static void wait_for_end(lfm_team *team) {
  for (int spin = 0; spin < SPINS; spin++, pause_briefly())
    if (atomic_load(&team->working) == 0) return;
  pthread_mutex_lock(&team->mutex);
  while (atomic_load(&team->working) > 0) pthread_cond_wait(&team->ended, &team->mutex);
  pthread_mutex_unlock(&team->mutex);
}

lfm_status lfm_team_create(int threads, lfm_team **out) {
  *out = NULL;
  int processors = lfm_machine_processors(""), size = threads;
  if (threads < 0) return lfm_fail(LFM_E_USAGE, "threads: %d; 0 takes all processors", threads);
  if (threads == 0) size = processors < MAX_THREADS ? processors : MAX_THREADS;
  if (size > MAX_THREADS) return lfm_fail(LFM_E_USAGE, "threads: %d is more than %d", size, MAX_THREADS);
  if (size > 4 * processors) lfm_note(LFM_NOTE, "threads: %d on %d processors get in each other's way", size, processors);
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

static void prepare(lfm_team *team, int64_t tasks, lfm_task_fn fn, void *context) {
  team->fn = fn;
  team->context = context;
  team->tasks = tasks;
  team->failed_task = -1;
  team->failed_status = LFM_OK;
  atomic_store(&team->next, 0);
}

static lfm_status outcome(const lfm_team *team) {
  if (team->failed_task >= 0) lfm_error_set(team->failed_line);
  return team->failed_status;
}

lfm_status lfm_team_run(lfm_team *team, int64_t tasks, lfm_task_fn fn, void *context) {
  prepare(team, tasks, fn, context);
  bool alone = tasks <= 1 || team->started == 0;
  if (!alone) begin_round(team);
  work(team, 0);
  if (!alone) wait_for_end(team);
  return outcome(team);
}

/* Sleepers are woken when the caller's own task is done: that takes longer than the task, and then they are too late. */
lfm_status lfm_team_share(lfm_team *team, int tasks, lfm_task_fn fn, void *context) {
  if (tasks > team->size) return lfm_fail(LFM_E_USAGE, "threads: %d tasks shared by %d workers", tasks, team->size);
  if (tasks < 2) return lfm_team_run(team, tasks, fn, context);
  unsigned long long round = next_round(team, true);
  prepare(team, tasks, fn, context);
  for (int w = 0; w < tasks; w++) atomic_store_explicit(&team->workers[w].offer, round, memory_order_release);
  atomic_store_explicit(&team->round, round, memory_order_release);
  take_offer(team, 0, round);
  wake_sleepers(team);
  for (int w = 1; w < tasks; w++)
    if (atomic_load(&team->workers[w].offer) == round) take_offer(team, w, round);
  for (int w = 1; w < tasks; w++)
    for (int spin = 0; atomic_load(&team->workers[w].done) != round; spin++)
      if (spin < SPINS) pause_briefly();
      else sched_yield();
  return outcome(team);
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
