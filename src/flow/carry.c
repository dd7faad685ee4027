/* SPDX-License-Identifier: MIT
 *
 * carry.c -- the bridge between the solver's doubles and the network's numbers.
 * The state stays in double between evaluations, so a thousand small steps lose nothing to rounding; only the network works
 * in its own precision.
 * A pass costs the same for all slots.  So a few rows, where no trace is wanted, have a run of just their number, whose large
 * layers the whole team makes: the same bytes in a fraction of the time.  Few pictures are dealt out evenly instead, to runs
 * of just as many: a layer of several is not split.
 */
#include "flow/carry.h"

#include "core/alloc.h"
#include "core/half.h"

#include <stdatomic.h>
#include <string.h>

enum { FEW = 64 }; /* up to here one worker's pass takes less time than two that are padded to a microbatch */

/* Those who carry rows: a team, and for each of its workers a network run of so many rows. */
typedef struct crew {
  lfm_team *team;
  int workers;
  int64_t slots;
  lfm_run **runs; /* [workers] */
  lfm_ode *ode;
} crew;

struct lfm_carry {
  lfm_team *team;
  const lfm_net *net;
  int logdets, probes; /* numbers a row: 0, 1 or probes; 0 or probes */
  int64_t dim;
  crew many; /* each worker has rows of its own */
  crew few;  /* made when there are such rows: one worker has them all, and the whole team makes their network's pass; or, of
              * pictures, each worker has its share */
  /* of the call at work */
  const crew *crew;
  bool guided;
  const lfm_params *params;
  lfm_rows *rows;
  lfm_meter *meter;
  atomic_llong stored;
};

static lfm_status create_run(const lfm_carry *carry, bool shared, int64_t slots, lfm_run **out) {
  if (shared) return lfm_run_create_shared(carry->net, carry->team, slots, out);
  if (carry->probes) return lfm_run_create_probed(carry->net, carry->probes, slots, out);
  return lfm_run_create(carry->net, carry->logdets ? LFM_RUN_TRACE : LFM_RUN_EVAL, slots, out);
}

/* The caller destroys it, also when it failed. */
static lfm_status make_crew(const lfm_carry *carry, lfm_team *team, int64_t slots, crew *out) {
  *out = (crew){.team = team, .workers = lfm_team_size(team), .slots = slots};
  LFM_TRY(LFM_ALLOC(&out->runs, out->workers));
  for (int w = 0; w < out->workers; w++) LFM_TRY(create_run(carry, team != carry->team, slots, &out->runs[w]));
  return lfm_ode_create(out->workers, carry->dim, carry->logdets, slots, &out->ode);
}

static void destroy_crew(crew *old) {
  for (int w = 0; old->runs && w < old->workers; w++) lfm_run_destroy(old->runs[w]);
  lfm_free(old->runs);
  lfm_ode_destroy(old->ode);
  *old = (crew){0};
}

static void destroy_few(lfm_carry *carry) {
  lfm_team *team = carry->few.team;
  destroy_crew(&carry->few);
  if (team != carry->team) lfm_team_destroy(team);
}

/* Who carries so many rows.  Traces are work enough for a worker, whatever the rows. */
static lfm_status choose_crew(lfm_carry *carry, int64_t rows) {
  int64_t workers = lfm_team_size(carry->team), share = (rows + workers - 1) / workers;
  bool dealt = lfm_net_of_images(carry->net) && rows >= workers;
  int64_t slots = dealt ? share : rows;
  carry->crew = &carry->many;
  bool few = rows >= 1 && rows <= FEW && !(dealt && share >= carry->many.slots);
  if (!few || carry->rows->spread || carry->logdets) return LFM_OK;
  carry->crew = &carry->few;
  if (carry->few.slots == slots && (carry->few.team == carry->team) == dealt) return LFM_OK;
  destroy_few(carry);
  lfm_team *team = carry->team;
  if (!dealt) LFM_TRY(lfm_team_create(1, &team));
  lfm_status status = make_crew(carry, team, slots, &carry->few);
  if (status != LFM_OK) destroy_few(carry);
  return status;
}

static lfm_status create(lfm_team *team, const lfm_net *net, int logdets, int probes, int64_t slots, lfm_carry **out) {
  *out = NULL;
  lfm_carry *carry;
  LFM_TRY(LFM_ALLOC(&carry, 1));
  carry->team = team;
  carry->net = net;
  carry->logdets = logdets;
  carry->probes = probes;
  carry->dim = lfm_net_dim(net);
  lfm_status status = make_crew(carry, team, slots, &carry->many);
  if (status == LFM_OK) *out = carry;
  else lfm_carry_destroy(carry);
  return status;
}

lfm_status lfm_carry_create(lfm_team *team, const lfm_net *net, bool with_logdet, lfm_carry **out) {
  return create(team, net, with_logdet, 0, lfm_run_rows_advised(net, with_logdet ? LFM_RUN_TRACE : LFM_RUN_EVAL), out);
}

lfm_status lfm_carry_create_probed(lfm_team *team, const lfm_net *net, int probes, lfm_carry **out) {
  return create(team, net, probes, probes, lfm_run_rows_advised_probed(net, probes), out);
}

void lfm_carry_destroy(lfm_carry *carry) {
  if (!carry) return;
  destroy_few(carry);
  destroy_crew(&carry->many);
  lfm_free(carry);
}

size_t lfm_carry_memory(const lfm_carry *carry) {
  size_t bytes = carry ? lfm_ode_memory(carry->many.ode) : 0;
  for (int w = 0; carry && w < carry->many.workers; w++) bytes += lfm_run_memory(carry->many.runs[w]);
  return bytes;
}

/* to [n] (floats or doubles, by size) = from [n]. */
static void narrow(void *to, size_t size, const double *from, int64_t n) {
  if (size == sizeof(double)) memcpy(to, from, (size_t)n * size);
  else
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
}

static void widen(double *to, const void *from, size_t size, int64_t n) {
  if (size == sizeof(double)) memcpy(to, from, (size_t)n * size);
  else
    for (int64_t i = 0; i < n; i++) to[i] = (double)((const float *)from)[i];
}

/* e [probes, dim] of one row, always the same: drawn anew where it is needed, which is nothing beside the tangents. */
static void draw_probes(const lfm_carry *carry, int64_t row, size_t size, char *e) {
  lfm_rng rng = carry->rows->probe;
  int64_t number = carry->rows->number ? carry->rows->number[row] : row;
  double signs[LFM_RNG_SIGNS];
  for (int k = 0; k < carry->probes; k++) {
    rng.step = (uint32_t)k;
    for (int64_t left = carry->dim, group = 0; left > 0; left -= LFM_RNG_SIGNS, group++) {
      int64_t n = left < LFM_RNG_SIGNS ? left : LFM_RNG_SIGNS;
      lfm_rng_signs(&rng, number, (uint32_t)group, signs);
      narrow(e, size, signs, n);
      e += (size_t)n * size;
    }
  }
}

/* What is given of every slot's row, or nothing; of idle slots nothing. */
static void set_given(const lfm_carry *carry, lfm_run *run, int64_t busy, const int64_t *row, bool shown) {
  size_t size = lfm_net_number_size(carry->net);
  char *given = lfm_run_given(run);
  int64_t givens = lfm_net_given(carry->net);
  const float *of = shown ? carry->rows->given : NULL;
  const double nothing = lfm_net_nothing(carry->net);
  for (int64_t i = 0; i < carry->crew->slots; i++)
    for (int64_t j = 0; j < givens; j++, given += size) {
      double number = of && i < busy ? (double)of[row[i] * givens + j] : nothing;
      narrow(given, size, &number, 1);
    }
}

/* dxdt, which is the field of what is given, becomes the guided one. */
static lfm_status guide(lfm_carry *carry, lfm_run *run, int64_t busy, const int64_t *row, double *dxdt) {
  size_t size = lfm_net_number_size(carry->net);
  int64_t numbers = carry->crew->slots * carry->dim;
  set_given(carry, run, busy, row, false);
  LFM_TRY(lfm_run_forward(run, carry->params));
  const void *v = lfm_run_v(run);
  double w = carry->rows->guidance, blind;
  for (int64_t k = 0; k < numbers; k++) {
    widen(&blind, (const char *)v + (size_t)k * size, size, 1);
    dxdt[k] = blind + w * (dxdt[k] - blind);
  }
  return LFM_OK;
}

/* v(t, x) and tr dv/dx of all slots of a worker: the solver's lfm_field_fn. */
static lfm_status velocity(void *context, int worker, int64_t busy, int64_t traced, const int64_t *row, const double *t,
                           const double *x, double *dxdt, double *div) {
  lfm_carry *carry = context;
  lfm_run *run = carry->crew->runs[worker];
  int64_t slots = carry->crew->slots;
  size_t size = lfm_net_number_size(carry->net);
  narrow(lfm_run_t(run), size, t, slots);
  narrow(lfm_run_x(run), size, x, slots * carry->dim);
  if (div) lfm_run_trace_rows(run, traced); /* a trace costs as many products as there are columns */
  char *e = lfm_run_probes(run);
  for (int64_t i = 0; e && i < traced; i++)
    draw_probes(carry, row[i], size, e + (size_t)(i * carry->probes * carry->dim) * size);
  if (lfm_run_given(run)) set_given(carry, run, busy, row, true);
  LFM_TRY(lfm_run_forward(run, carry->params)); /* costs the same for all slots, busy or not */
  widen(dxdt, lfm_run_v(run), size, slots * carry->dim);
  if (carry->guided) LFM_TRY(guide(carry, run, busy, row, dxdt));
  if (div) widen(div, lfm_run_trace(run), size, slots * carry->logdets);
  return LFM_OK;
}

static void from_halves(double *to, const uint16_t *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = (double)lfm_half_value(from[i]);
}

static void to_halves(uint16_t *to, const double *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = lfm_half_of((float)from[i]);
}

/* A row that failed in an earlier block is solved from zero, harmlessly, and not looked at. */
static void load_row(void *context, int64_t row, double *x) {
  lfm_carry *carry = context;
  const lfm_rows *rows = carry->rows;
  size_t at = (size_t)row * (size_t)carry->dim;
  if (rows->failed[row]) memset(x, 0, (size_t)carry->dim * sizeof *x);
  else if (rows->f16) from_halves(x, rows->f16 + at, carry->dim);
  else if (rows->f32) widen(x, rows->f32 + at, sizeof(float), carry->dim);
  else memcpy(x, rows->f64 + at, (size_t)carry->dim * sizeof *x);
}

static void store_row(void *context, int64_t row, const double *x, const double *logdet, lfm_row_status status, int nfe) {
  lfm_carry *carry = context;
  lfm_rows *rows = carry->rows;
  size_t at = (size_t)row * (size_t)carry->dim;
  atomic_fetch_add_explicit(&carry->stored, 1, memory_order_relaxed);
  if (rows->failed[row]) return;
  rows->failed[row] = (uint8_t)status;
  if (rows->f16) to_halves(rows->f16 + at, x, carry->dim);
  else if (rows->f32) narrow(rows->f32 + at, sizeof(float), x, carry->dim);
  else memcpy(rows->f64 + at, x, (size_t)carry->dim * sizeof *x);
  for (int k = 0; rows->logdet && k < carry->logdets; k++) rows->logdet[row * carry->logdets + k] += logdet[k];
  if (rows->nfe) rows->nfe[row] += nfe;
}

static bool wants_stop(void *context) {
  lfm_carry *carry = context;
  return carry->meter && lfm_meter_tick(carry->meter, atomic_load_explicit(&carry->stored, memory_order_relaxed));
}

lfm_status lfm_carry_rows(lfm_carry *carry, const lfm_params *params, const lfm_path *path, lfm_rows *rows,
                          lfm_meter *meter) {
  carry->params = params;
  carry->rows = rows;
  carry->meter = meter;
  carry->guided = lfm_carry_passes(rows->given, rows->guidance) > 1.0;
  if (carry->guided && carry->logdets) return lfm_fail(LFM_E_UNSUPPORTED, "guidance: a guided field has no density here");
  atomic_store(&carry->stored, 0);
  LFM_TRY(choose_crew(carry, rows->count));
  lfm_ode_problem problem = {
      .dim = carry->dim,
      .logdets = carry->logdets,
      .t0 = path->t0,
      .t1 = path->t1,
      .solver = path->solver,
      .atol = path->tol,
      .rtol = path->tol,
      .fixed_steps = path->fixed_steps,
      .crowding = path->crowding,
      .slots = carry->crew->slots,
      .field = velocity,
      .load = load_row,
      .store = store_row,
      .context = carry,
      .stop = wants_stop,
  };
  if (meter && meter->stopped) return lfm_fail(LFM_E_INTERRUPTED, "stopped before the solve began");
  LFM_TRY(lfm_ode_solve(carry->crew->ode, carry->crew->team, &problem, rows->count));
  if (meter) lfm_meter_tick(meter, rows->count); /* a phase is seen to end; a wish to stop is heard by the next one */
  return LFM_OK;
}
