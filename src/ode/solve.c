/* SPDX-License-Identifier: MIT
 *
 * solve.c -- the driver: a queue of rows, a batch of slots for each worker, one call of f a round.
 *
 *     fill the slots from the queue
 *     while a slot is busy:  f for the whole batch;  every busy slot takes its answer;  an ended row is stored and its slot
 *                            takes the next row of the queue, so that the next call of f finds it there;  when the queue is
 *                            empty, the last busy slot's row moves into the gap: an f that costs by the row costs no more;
 *                            rows whose divergence is wanted stand in front, for the same reason
 *
 * Each slot is at its own time, stage and step size (stepper.c).  The usual batched solver, with one step size for all, was
 * refused: there the hardest row sets the pace, and a row's result depends on its neighbours.
 * Rows are claimed by an atomic counter.  Which worker or slot gets a row depends on timing; what comes out does not.
 */
#include "core/alloc.h"
#include "core/bytes.h"
#include "ode/stepper.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* One worker's rows in flight and what f reads and writes. */
typedef struct batch {
  double *t, *y, *dydt, *div; /* [slots], [slots, dim], [slots, dim], [slots, logdets] */
  int64_t *row;               /* [slots] */
  double *vectors;            /* [slots, LFM_STEPPER_VECTORS, size] behind the steppers */
  lfm_stepper *slots;
} batch;

struct lfm_ode {
  int workers;
  int64_t dim, slots;
  int logdets;
  batch *batches; /* [workers] */
};

typedef struct solve {
  const lfm_ode *ode;
  const lfm_ode_problem *problem;
  lfm_step_rule rule;
  int64_t rows, workers;
  _Atomic int64_t claimed; /* rows given out */
  atomic_int working;      /* workers at it */
  atomic_bool over;        /* a worker failed or was stopped: the others leave too */
} solve;

/* ---- work space --------------------------------------------------------------------------------------------- */

static lfm_status batch_init(batch *b, int64_t dim, int logdets, int64_t slots) {
  size_t size = (size_t)dim + (size_t)logdets, states, vectors;
  if (!lfm_size_multiply((size_t)slots, (size_t)dim, &states) || !lfm_size_multiply((size_t)slots, size, &vectors) ||
      !lfm_size_multiply(vectors, LFM_STEPPER_VECTORS, &vectors))
    return lfm_fail(LFM_E_USAGE, "an ODE batch of %lld rows of %lld is too large", (long long)slots, (long long)dim);
  LFM_TRY(LFM_ALLOC(&b->t, slots));
  LFM_TRY(LFM_ALLOC(&b->y, states));
  LFM_TRY(LFM_ALLOC(&b->dydt, states));
  LFM_TRY(LFM_ALLOC(&b->div, slots * logdets));
  LFM_TRY(LFM_ALLOC(&b->row, slots));
  LFM_TRY(LFM_ALLOC(&b->vectors, vectors));
  LFM_TRY(LFM_ALLOC(&b->slots, slots));
  for (int64_t i = 0; i < slots; i++) {
    double *own = b->vectors + (size_t)i * LFM_STEPPER_VECTORS * size;
    b->slots[i] = (lfm_stepper){.t = b->t + i, .x = b->y + i * dim, .y = own, .y_next = own + size, .k = own + 2 * size};
  }
  return LFM_OK;
}

lfm_status lfm_ode_create(int workers, int64_t dim, int logdets, int64_t slots, lfm_ode **out) {
  *out = NULL;
  if (logdets < 0) return lfm_fail(LFM_E_USAGE, "an ODE with %d log-determinants", logdets);
  if (workers < 1 || dim < 1 || slots < 1)
    return lfm_fail(LFM_E_USAGE, "an ODE needs workers, dim and slots of at least 1 (got %d, %lld, %lld)", workers,
                    (long long)dim, (long long)slots);
  lfm_ode *ode;
  LFM_TRY(LFM_ALLOC(&ode, 1));
  *ode = (lfm_ode){.workers = workers, .dim = dim, .slots = slots, .logdets = logdets};
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&ode->batches, workers), failed);
  for (int w = 0; w < workers; w++) LFM_TRY_GOTO(batch_init(&ode->batches[w], dim, logdets, slots), failed);
  *out = ode;
  return LFM_OK;
failed:
  lfm_ode_destroy(ode);
  return status;
}

void lfm_ode_destroy(lfm_ode *ode) {
  if (ode == NULL) return;
  for (int w = 0; ode->batches != NULL && w < ode->workers; w++) {
    batch *b = &ode->batches[w];
    lfm_free(b->t);
    lfm_free(b->y);
    lfm_free(b->dydt);
    lfm_free(b->div);
    lfm_free(b->row);
    lfm_free(b->vectors);
    lfm_free(b->slots);
  }
  lfm_free(ode->batches);
  lfm_free(ode);
}

size_t lfm_ode_memory(const lfm_ode *ode) {
  size_t bytes = 0;
  for (int w = 0; w < ode->workers; w++) {
    const batch *b = &ode->batches[w];
    const void *const parts[] = {b->t, b->y, b->dydt, b->div, b->row, b->vectors, b->slots};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) bytes += lfm_alloc_size(parts[k]);
  }
  return bytes;
}

/* ---- the queue ---------------------------------------------------------------------------------------------- */

static void store_row(const solve *s, const lfm_stepper *slot) {
  const lfm_ode_problem *p = s->problem;
  p->store(p->context, slot->row, slot->y, slot->y + p->dim, slot->status, slot->nfe);
}

/* Empty and harmless. */
static void leave_empty(const solve *s, lfm_stepper *slot) {
  slot->row = -1;
  *slot->t = s->problem->t0;
  memset(slot->x, 0, (size_t)s->problem->dim * sizeof *slot->x);
}

/* Gives the slot the next row of the queue, if there is one. */
static void refill(solve *s, lfm_stepper *slot) {
  const lfm_ode_problem *p = s->problem;
  while ((slot->row = atomic_fetch_add(&s->claimed, 1)) < s->rows) {
    p->load(p->context, slot->row, slot->y);
    if (lfm_stepper_start(slot, &s->rule)) return;
    store_row(s, slot);
  }
  leave_empty(s, slot);
}

/* The rows of two slots change places. */
static void swap_rows(batch *b, int64_t one, int64_t other, int64_t dim) {
  lfm_stepper *a = &b->slots[one], *z = &b->slots[other], kept = *a;
  double t = *a->t;
  *a->t = *z->t;
  *z->t = t;
  for (int64_t i = 0; i < dim; i++) {
    double x = a->x[i];
    a->x[i] = z->x[i];
    z->x[i] = x;
  }
  double *place_t = z->t, *place_x = z->x; /* these stay where they are in the batch */
  *a = *z, *z = kept;
  z->t = place_t, z->x = place_x;
  a->t = kept.t, a->x = kept.x;
}

/* Busy slots to the front, `slots` of which are looked at; returns how many are busy. */
static int64_t close_gaps(batch *b, int64_t slots, int64_t dim) {
  int64_t busy = slots;
  for (int64_t i = 0; i < busy; i++) {
    while (busy > i && b->slots[busy - 1].row < 0) busy--;
    if (i < busy && b->slots[i].row < 0) swap_rows(b, --busy, i, dim);
  }
  return busy;
}

/* Of the busy slots those whose divergence is wanted to the front; returns how many they are. */
static int64_t part_traced(batch *b, int64_t busy, const lfm_step_rule *rule) {
  int64_t traced = 0;
  for (int64_t i = 0; i < busy; i++) {
    if (!lfm_stepper_wants_div(&b->slots[i], rule)) continue;
    if (i != traced) swap_rows(b, i, traced, rule->dim);
    traced++;
  }
  return traced;
}

/* No worker takes more than its share at the start: few rows are spread over all. */
static int64_t fill(solve *s, batch *b) {
  int64_t slots = s->ode->slots, share = (s->rows + s->workers - 1) / s->workers;
  for (int64_t i = 0; i < slots; i++) {
    if (i < share) refill(s, &b->slots[i]);
    else leave_empty(s, &b->slots[i]);
  }
  return close_gaps(b, slots, s->ode->dim);
}

/* Every busy slot takes its row of f; returns how many are still busy. */
static int64_t take_all(solve *s, batch *b, int64_t busy) {
  int64_t dim = s->ode->dim;
  for (int64_t i = 0; i < busy; i++) {
    lfm_stepper *slot = &b->slots[i];
    bool goes_on = lfm_stepper_take(slot, &s->rule, b->dydt + i * dim, b->div + i * s->ode->logdets);
    if (goes_on) continue;
    store_row(s, slot);
    refill(s, slot);
  }
  return close_gaps(b, busy, dim);
}

static lfm_status ask(const lfm_ode_problem *p) {
  return p->stop != NULL && p->stop(p->context) ? lfm_fail(LFM_E_INTERRUPTED, "stopped while solving") : LFM_OK;
}

static lfm_status evaluate(const solve *s, batch *b, int worker, int64_t busy) {
  const lfm_ode_problem *p = s->problem;
  int64_t traced = part_traced(b, busy, &s->rule);
  if (worker == 0) LFM_TRY(ask(p));
  for (int64_t i = 0; i < s->ode->slots; i++) b->row[i] = b->slots[i].row;
  return p->field(p->context, worker, busy, traced, b->row, b->t, b->y, b->dydt, p->logdets > 0 ? b->div : NULL);
}

static lfm_status solve_own(solve *s, batch *b, int worker) {
  int64_t busy = fill(s, b);
  while (busy > 0 && !atomic_load(&s->over)) {
    LFM_TRY(evaluate(s, b, worker, busy));
    busy = take_all(s, b, busy);
  }
  return LFM_OK;
}

/* The caller has no rows left, but others have: it goes on asking whether to stop. */
static lfm_status listen(const solve *s) {
  const struct timespec moment = {.tv_nsec = 200000};
  lfm_status status = LFM_OK;
  while (status == LFM_OK && atomic_load(&s->working) > 1 && !atomic_load(&s->over)) {
    nanosleep(&moment, NULL);
    status = ask(s->problem);
  }
  return status;
}

static lfm_status work(void *context, int worker, int64_t task) {
  (void)task; /* one a worker: what is to be done comes from the queue */
  solve *s = context;
  atomic_fetch_add(&s->working, 1);
  lfm_status status = solve_own(s, &s->ode->batches[worker], worker);
  if (status == LFM_OK && worker == 0 && s->problem->stop != NULL) status = listen(s);
  atomic_fetch_sub(&s->working, 1);
  if (status != LFM_OK) atomic_store(&s->over, true);
  return status;
}

/* ---- the solve ---------------------------------------------------------------------------------------------- */

static lfm_status check(const lfm_ode *ode, const lfm_team *team, const lfm_ode_problem *p, int64_t rows) {
  const int most = INT_MAX / (LFM_TABLEAU_STAGES + 2); /* so that the count of evaluations fits an int */
  if (p->dim != ode->dim || p->slots != ode->slots || p->logdets != ode->logdets)
    return lfm_fail(LFM_E_USAGE, "the ODE's work space was made for another dim, slots or logdets");
  if (lfm_team_size(team) > ode->workers)
    return lfm_fail(LFM_E_USAGE, "%d threads but an ODE work space for %d", lfm_team_size(team), ode->workers);
  if (p->solver < LFM_EULER || p->solver >= LFM_SOLVERS) return lfm_fail(LFM_E_USAGE, "no such solver: %d", (int)p->solver);
  if (rows < 0 || !isfinite(p->t1 - p->t0)) return lfm_fail(LFM_E_USAGE, "the ODE's rows and times make no sense");
  if (p->fixed_steps < 0 || p->fixed_steps > most || p->max_steps < 0 || p->max_steps > most)
    return lfm_fail(LFM_E_USAGE, "fixed_steps and max_steps must lie within 0 .. %d", most);
  if (!(p->crowding >= 0.0 && isfinite(p->crowding)) || (p->crowding > 0.0 && fmin(p->t0, p->t1) < 0.0))
    return lfm_fail(LFM_E_USAGE, "steps that crowd by %g from %g to %g: they do towards 0, from above", p->crowding, p->t0,
                    p->t1);
  if (p->fixed_steps > 0) return LFM_OK;
  if (!lfm_solver_is_adaptive(p->solver))
    return lfm_fail(LFM_E_USAGE, "solver %s has no error estimate; give a number of steps, or use bs23, dopri5 or tsit5",
                    lfm_solver_name(p->solver));
  if (!(p->atol > 0.0 && p->rtol >= 0.0 && isfinite(p->atol) && isfinite(p->rtol) && p->step_floor >= 0.0))
    return lfm_fail(LFM_E_USAGE, "tolerance %g, %g makes no sense: it must be above 0", p->atol, p->rtol);
  return LFM_OK;
}

lfm_status lfm_ode_solve(lfm_ode *ode, lfm_team *team, const lfm_ode_problem *problem, int64_t rows) {
  LFM_TRY(check(ode, team, problem, rows));
  solve s = {.ode = ode, .problem = problem, .rule = lfm_step_rule_of(problem), .rows = rows, .workers = lfm_team_size(team)};
  return lfm_team_run(team, s.workers, work, &s);
}
