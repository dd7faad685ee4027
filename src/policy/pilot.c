/* SPDX-License-Identifier: MIT
 *
 * pilot.c -- a control loop that keeps its deadline: who looks and acts never does the network's work.
 *
 *   loop     looks; where no action is left, hands what it has seen to the drawer and waits, by the deadline; executes
 *   drawer   a thread of its own: sleeps on a semaphore, draws one chunk, says so
 *
 * A chunk belongs to the drawer from when it is asked for until its number is `drawn`, and to the loop from then on: there is
 * nothing to lock.  A late chunk is of the step that asked for it; the actions that would have been executed since are
 * skipped. The action in force stands in two places in turn: the one that was written last is left alone while the other is
 * written, so a reader finds a whole one at once, and looks again only where two more have come meanwhile.
 */
#include "core/alloc.h"
#include "flow/meter.h"
#include "policy/policy.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define MOST_DEADLINE 3.6e9 /* microseconds */

enum { CHOICES = 5, TRIALS = 20, MOST_ACTION = 64, RECENT = 10 };
static const int evaluations[CHOICES] = {1, 2, 4, 8, 16}; /* a block */
static const double share = 0.8;                          /* of the deadline, for what a chunk may take at a good time */

struct lfm_pilot {
  lfm_compiled *compiled;
  lfm_rt_plan plan;
  float *time;
  lfm_policy *policy; /* the loop's: what is seen, statistics, and the chunk in execution */
  lfm_policy *drawer;
  double deadline;
  lfm_pilot_stats stats;
  bool has_chunk;              /* in this episode */
  bool waits;                  /* a chunk has been asked for and not taken up */
  bool is_stale;               /* it was asked for before the guard's alarm, and nobody wants it any more */
  int64_t since;               /* steps since then */
  int64_t late[RECENT], taken; /* what `since` was of the last chunks; chunks of which */
  double *last;                /* [action_dim] */
  /* between the threads */
  pthread_t thread;
  bool is_running;
  sem_t asked, answered;
  atomic_llong wanted, drawn; /* numbers of chunks; 0: none */
  atomic_bool stops;
  int64_t due;            /* of the chunk before `wanted`: the action of the step that asked */
  lfm_rt_outcome outcome; /* of the chunk `drawn` */
  double asked_at, took;
  /* the action in force: version v of it, 0 being none, is current[v % 2] */
  atomic_ullong version;
  _Atomic double current[2][MOST_ACTION];
};

/* ---- the drawer --------------------------------------------------------------------------------------------------- */

static void *draw_chunks(void *context) {
  lfm_pilot *p = context;
  for (;;) {
    while (sem_wait(&p->asked) != 0 && errno == EINTR) {}
    if (atomic_load(&p->stops)) return NULL;
    p->outcome = lfm_rt_draw(lfm_policy_loop(p->drawer), p->due);
    p->took = (lfm_seconds() - p->asked_at) * 1e6;
    atomic_store(&p->drawn, atomic_load(&p->wanted));
    sem_post(&p->answered);
  }
}

static bool is_there(lfm_pilot *p) { return atomic_load(&p->drawn) == atomic_load(&p->wanted); }

/* Steps that a chunk may take to come: as many as the latest of the last ones, and as the caller expects. */
static int64_t delay_of(const lfm_pilot *p) {
  int64_t most = lfm_policy_loop(p->policy)->delay;
  for (int k = 0; k < RECENT; k++) most = p->late[k] > most ? p->late[k] : most;
  return most;
}

/* Hands over what has been seen.  The drawer is idle. */
static void ask(lfm_pilot *p) {
  const lfm_rt_loop *from = lfm_policy_loop(p->policy);
  lfm_rt_loop *to = lfm_policy_loop(p->drawer);
  memcpy(to->seen, from->seen, (size_t)(from->units->observed * from->units->obs_dim) * sizeof *to->seen);
  to->delay = delay_of(p);
  p->waits = true;
  p->since = 0;
  p->due = from->next;
  p->asked_at = lfm_seconds();
  atomic_fetch_add(&p->wanted, 1);
  sem_post(&p->asked);
}

/* Until the chunk is there or, unless it is waited for however long, the deadline has passed. */
static void wait_for(lfm_pilot *p, bool however_long) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  double seconds = (double)until.tv_nsec * 1e-9 + p->deadline * 1e-6;
  until.tv_sec += (time_t)seconds;
  until.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
  while (!is_there(p)) {
    int failed = however_long ? sem_wait(&p->answered) : sem_clockwait(&p->answered, CLOCK_MONOTONIC, &until);
    if (failed && errno != EINTR) return;
  }
}

/* The drawn chunk into execution, from the action that is due now. */
static lfm_status take(lfm_pilot *p) {
  lfm_rt_loop *to = lfm_policy_loop(p->policy);
  const lfm_rt_loop *from = lfm_policy_loop(p->drawer);
  p->waits = false;
  if (p->outcome == LFM_RT_BROKEN) return lfm_policy_refuse(p->policy, p->outcome, NULL, 0);
  lfm_rt_take(to, from, p->since);
  p->late[p->taken++ % RECENT] = p->since;
  p->has_chunk = true;
  lfm_policy_count_chunk(p->policy, p->took);
  return LFM_OK;
}

static lfm_status drop(lfm_pilot *p) {
  p->waits = p->is_stale = false;
  return LFM_OK;
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

static void put_in_force(lfm_pilot *p, const double *action, int64_t dim) {
  unsigned long long next = atomic_load(&p->version) + 1;
  for (int64_t j = 0; j < dim; j++) atomic_store(&p->current[next % 2][j], action[j]);
  atomic_store(&p->version, next);
}

bool lfm_pilot_current(const lfm_pilot *p, double *action) {
  int64_t dim = lfm_policy_actions(p->policy);
  for (;;) {
    unsigned long long version = atomic_load(&p->version);
    if (version == 0) return false;
    for (int64_t j = 0; j < dim; j++) action[j] = atomic_load(&p->current[version % 2][j]);
    if (atomic_load(&p->version) == version) return true; /* the next but one, which goes here, has not begun */
  }
}

/* The next action of the chunk, of what is left of it, or the last one again. */
static void execute(lfm_pilot *p, double *action) {
  lfm_rt_loop *l = lfm_policy_loop(p->policy);
  int64_t dim = l->units->action_dim;
  if (l->next < l->units->predicted) memcpy(p->last, l->chunk + l->next++ * dim, (size_t)dim * sizeof *action);
  else p->stats.held++;
  l->has_acted = true;
  memcpy(action, p->last, (size_t)dim * sizeof *action);
  put_in_force(p, action, dim);
}

lfm_status lfm_pilot_act(lfm_pilot *p, const double *observation, int64_t count, double *action) {
  int64_t which;
  lfm_rt_loop *l = lfm_policy_loop(p->policy);
  p->since++; /* this step passes, too, if its observation is refused */
  LFM_TRY(lfm_policy_check_count(p->policy, count));
  lfm_rt_outcome outcome = lfm_rt_look(l, observation, &which);
  if (outcome > LFM_RT_HELD) return lfm_policy_refuse(p->policy, outcome, observation, which);
  if (p->waits && is_there(p)) LFM_TRY(p->is_stale ? drop(p) : take(p));
  if (outcome == LFM_RT_HELD) { /* what was meant to follow, and what is on its way, is of another situation */
    l->next = l->units->predicted;
    p->is_stale = p->waits;
  } else if (!p->waits && l->next >= l->end) {
    ask(p);
    wait_for(p, !p->has_chunk);
    if (is_there(p)) LFM_TRY(take(p));
    else p->stats.missed++;
  }
  execute(p, action);
  p->stats.policy.steps++;
  return LFM_OK;
}

int64_t lfm_pilot_observed(const lfm_pilot *pilot) { return lfm_policy_observed(pilot->policy); }
int64_t lfm_pilot_actions(const lfm_pilot *pilot) { return lfm_policy_actions(pilot->policy); }

void lfm_pilot_begin(lfm_pilot *p, int64_t episode) {
  if (p->waits) wait_for(p, true); /* a late chunk of the episode before is nobody's */
  p->waits = p->has_chunk = p->is_stale = false;
  lfm_policy_begin(p->policy, episode);
  lfm_policy_begin(p->drawer, episode);
}

bool lfm_pilot_guard(const lfm_pilot *pilot, lfm_guard_state *state) { return lfm_policy_guard(pilot->policy, state); }

void lfm_pilot_look(lfm_pilot *p, lfm_pilot_stats *stats) {
  *stats = p->stats;
  lfm_policy_look(p->policy, &stats->policy);
  stats->policy.steps = p->stats.policy.steps;
}

/* ---- making ------------------------------------------------------------------------------------------------------- */

/* Microseconds of a chunk at a good time: the median of some, drawn of nothing. */
static double measure(lfm_policy *policy) {
  lfm_latency latency = {0};
  lfm_policy_begin(policy, 0);
  for (int k = 0; k < TRIALS; k++) {
    double begun = lfm_seconds();
    lfm_policy_rehearse(policy);
    lfm_latency_add(&latency, (lfm_seconds() - begun) * 1e6);
  }
  return lfm_latency_at(&latency, 0.5);
}

/* It draws; the loop looks, and is guarded. */
static lfm_status make_drawer(lfm_pilot *p, const lfm_policy_options *options) {
  lfm_policy_options unguarded = *options;
  unguarded.guard = NULL;
  lfm_free(p->time);
  lfm_policy_destroy(p->drawer);
  p->drawer = NULL;
  LFM_TRY(lfm_compiled_plan(p->compiled, &options->solve, &p->plan, &p->time));
  return lfm_policy_create_shared(p->compiled, &p->plan, &unguarded, &p->drawer);
}

/* As many evaluations as fit, a step at least, unless the caller has named a number. */
static lfm_status choose_plan(lfm_pilot *p, bool is_named, lfm_policy_options *options) {
  int64_t blocks = lfm_compiled_chain(p->compiled)->blocks;
  lfm_solver solver = LFM_EULER;
  double took = 0.0;
  if (is_named) return make_drawer(p, options);
  if (options->solve.solver) LFM_TRY(lfm_solver_parse(options->solve.solver, &solver));
  for (int k = CHOICES - 1; k >= 0 && evaluations[k] >= lfm_solver_stages(solver); k--) {
    options->solve.nfe = (int)(evaluations[k] * blocks);
    LFM_TRY(make_drawer(p, options));
    took = measure(p->drawer);
    if (took <= share * p->deadline) return LFM_OK;
  }
  return lfm_fail(LFM_E_USAGE,
                  "deadline: a chunk of %d evaluations takes %.0f us here; %.0f %% of the %.0f us that there are "
                  "hold none",
                  options->solve.nfe, took, 100.0 * share, p->deadline);
}

static lfm_status build(lfm_pilot *p, const lfm_model *model, const lfm_pilot_options *options) {
  lfm_policy_options chosen;
  p->deadline = options->deadline;
  if (!(p->deadline > 0.0 && p->deadline <= MOST_DEADLINE))
    return lfm_fail(LFM_E_USAGE, "deadline: %g microseconds; say how long a step may wait, up to an hour", p->deadline);
  LFM_TRY(lfm_policy_resolve(&options->policy, model, &chosen));
  LFM_TRY(lfm_compile(model, lfm_policy_is_half(&chosen), chosen.rtc, &p->compiled));
  LFM_TRY(choose_plan(p, options->policy.solve.nfe != 0 || !lfm_chain_is_flow(model), &chosen));
  LFM_TRY(lfm_policy_create_shared(p->compiled, &p->plan, &chosen, &p->policy));
  if (lfm_policy_actions(p->policy) > MOST_ACTION)
    return lfm_fail(LFM_E_UNSUPPORTED, "policy: actions of %lld numbers; up to %d are possible",
                    (long long)lfm_policy_actions(p->policy), MOST_ACTION);
  LFM_TRY(LFM_ALLOC(&p->last, lfm_policy_actions(p->policy)));
  lfm_pilot_begin(p, 0);
  if (pthread_create(&p->thread, NULL, draw_chunks, p) != 0) return lfm_fail(LFM_E_MEMORY, "policy: no thread to draw in");
  p->is_running = true;
  return LFM_OK;
}

void lfm_pilot_defaults(lfm_pilot_options *options) {
  *options = (lfm_pilot_options){0};
  lfm_policy_defaults(&options->policy);
}

lfm_status lfm_pilot_create(const lfm_model *model, const lfm_pilot_options *options, lfm_pilot **out) {
  lfm_pilot *p;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&p, 1));
  sem_init(&p->asked, 0, 0);
  sem_init(&p->answered, 0, 0);
  lfm_status status = build(p, model, options);
  if (status == LFM_OK) *out = p;
  else lfm_pilot_destroy(p);
  return status;
}

void lfm_pilot_destroy(lfm_pilot *p) {
  if (!p) return;
  if (p->is_running) {
    atomic_store(&p->stops, true);
    sem_post(&p->asked);
    pthread_join(p->thread, NULL);
  }
  sem_destroy(&p->asked);
  sem_destroy(&p->answered);
  lfm_policy_destroy(p->policy);
  lfm_policy_destroy(p->drawer);
  lfm_free(p->time);
  lfm_compiled_destroy(p->compiled);
  lfm_free(p->last);
  lfm_free(p);
}
