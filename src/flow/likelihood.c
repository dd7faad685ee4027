/* SPDX-License-Identifier: MIT
 *
 * likelihood.c -- rows through the chain, data side to noise side, with their log-determinants      [FFJORD eq. 4]:
 *   log p(x) = sum_n integral_0^1 div v_n(t, x(t)) dt + log N(x_N; 0, I) + log |det W|
 *
 * The protocol of the published code is kept beside the converged solve because published numbers were made with it; it is
 * biased by several nats on the 63 columns of BSDS300 (docs/paper-map.md), so it is never the default.
 */
#include "flow/likelihood.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

enum { PAPER_NODES = 150 };

double lfm_normal_logp(const double *x, int64_t dim) {
  double square = 0.0;
  for (int64_t j = 0; j < dim; j++) square += x[j] * x[j];
  return -0.5 * (square + (double)dim * log(2.0 * M_PI));
}

typedef struct work {
  const lfm_model *model;
  const lfm_solve *solve;
  const lfm_likelihood_rows *rows;
  lfm_carry *traced; /* with the log-determinant */
  lfm_carry *plain;  /* paper: the transport between blocks */
  int64_t dim;
  double *x;      /* [rows, dim] where the rows are */
  double *end;    /* paper: [rows, dim] where Euler ended */
  double *logdet; /* [rows, estimates] */
  double *units;  /* [rows] of the normaliser: log |det dy/dx| */
  int estimates;  /* 1, or a probe each */
  lfm_meter *meter;
} work;

/* The rows at `at`, to be carried through block n with their log-determinants. */
static lfm_rows traced_rows(const work *w, double *at, int n) {
  const lfm_likelihood_rows *r = w->rows;
  return (lfm_rows){.count = r->count,
                    .f64 = at,
                    .logdet = w->logdet,
                    .failed = r->failed,
                    .nfe = r->nfe,
                    .given = r->given,
                    .guidance = 1.0,
                    .probe = {.seed = r->probes.seed, .purpose = LFM_FOR_PROBE, .block = (uint32_t)n},
                    .number = r->probes.number};
}

static lfm_status through_block(const work *w, int n) {
  lfm_path path = lfm_solve_path(w->solve, w->model, n, 0.0, 1.0);
  lfm_rows rows = traced_rows(w, w->x, n);
  return lfm_carry_rows(w->traced, w->model->params[n], &path, &rows, w->meter);
}

/* The trace by Euler from the block's true start; the rows themselves by dopri5. */
static lfm_status through_block_as_paper(const work *w, int n) {
  int steps = w->solve->fixed_steps ? w->solve->fixed_steps : PAPER_NODES - 1;
  lfm_path euler = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_EULER, .fixed_steps = steps};
  lfm_path dopri5 = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_DOPRI5, .tol = w->solve->tol};
  lfm_rows traced = traced_rows(w, w->end, n), moved = traced;
  moved.f64 = w->x, moved.logdet = NULL;
  memcpy(w->end, w->x, (size_t)(w->rows->count * w->dim) * sizeof *w->x);
  LFM_TRY(lfm_carry_rows(w->traced, w->model->params[n], &euler, &traced, w->meter));
  bool is_last = n == w->model->blocks - 1;
  return is_last ? LFM_OK : lfm_carry_rows(w->plain, w->model->params[n], &dopri5, &moved, w->meter);
}

double lfm_probes_mean(const double *estimates, int count) {
  double sum = 0.0;
  for (int k = 0; k < count; k++) sum += estimates[k];
  return sum / count;
}

double lfm_probes_variance(const double *estimates, int count) {
  double squares = 0.0, mean = lfm_probes_mean(estimates, count), n = count;
  if (count < 2) return (double)NAN;
  for (int k = 0; k < count; k++) squares += pow(estimates[k] - mean, 2);
  return squares / (n * (n - 1.0));
}

static const double *logdets_of(const work *w, int64_t row) { return w->logdet + row * w->estimates; }

/* logp = the mean of the log-determinant's estimates + log N(end; 0, I) + that of the units, of the chain that ends there. */
static void close_chain(const work *w, const double *end, double *logp) {
  for (int64_t i = 0; i < w->rows->count; i++)
    logp[i] = w->rows->failed[i]
                  ? (double)NAN
                  : lfm_probes_mean(logdets_of(w, i), w->estimates) + lfm_normal_logp(end + i * w->dim, w->dim) + w->units[i];
}

static lfm_status through_chain(const work *w, bool paper) {
  double *cut = w->rows->cut;
  if (cut) close_chain(w, w->x, cut);
  for (int n = 0; n < w->model->blocks; n++) {
    lfm_meter_phase(w->meter, LFM_PHASE_SCORE, n + 1, w->model->blocks, 0, w->rows->count);
    LFM_TRY(paper ? through_block_as_paper(w, n) : through_block(w, n));
    if (cut) close_chain(w, w->x, cut + (n + 1) * w->rows->count);
  }
  return LFM_OK;
}

static lfm_status make_room(work *w, lfm_team *team, bool paper) {
  const lfm_net *net = w->model->net;
  int64_t rows = w->rows->count, probes = w->rows->probes.count;
  w->dim = w->model->normaliser->dim;
  w->estimates = probes ? (int)probes : 1;
  LFM_TRY(probes ? lfm_carry_create_probed(team, net, (int)probes, &w->traced)
                 : lfm_carry_create(team, net, true, &w->traced));
  LFM_TRY(LFM_ALLOC_ROWS(&w->x, rows * w->dim));
  LFM_TRY(LFM_ALLOC(&w->logdet, rows * w->estimates));
  LFM_TRY(LFM_ALLOC(&w->units, rows));
  if (!paper) return LFM_OK;
  LFM_TRY(lfm_carry_create(team, net, false, &w->plain));
  return LFM_ALLOC_ROWS(&w->end, rows * w->dim);
}

static void begin_rows(const work *w) {
  const lfm_likelihood_rows *r = w->rows;
  for (int64_t i = 0; i < r->count; i++) {
    lfm_normaliser_apply(w->model->normaliser, r->x + i * w->model->cols, w->x + i * w->dim);
    w->units[i] = lfm_normaliser_logdet(w->model->normaliser, w->x + i * w->dim);
    r->failed[i] = LFM_ROW_SOLVED;
    r->nfe[i] = 0;
  }
}

static void spread_of_probes(const work *w) {
  const lfm_likelihood_rows *r = w->rows;
  if (!r->probes.count || !r->probes.variance) return;
  for (int64_t i = 0; i < r->count; i++)
    r->probes.variance[i] = r->failed[i] ? (double)NAN : lfm_probes_variance(logdets_of(w, i), w->estimates);
}

lfm_status lfm_likelihood(const lfm_model *model, lfm_team *team, const lfm_solve *solve, bool paper,
                          const lfm_likelihood_rows *rows, lfm_meter *meter) {
  work w = {.model = model, .solve = solve, .rows = rows, .meter = meter};
  lfm_status status;
  LFM_TRY(lfm_probes_check(rows->probes.count));
  LFM_TRY_GOTO(make_room(&w, team, paper), done);
  begin_rows(&w);
  LFM_TRY_GOTO(through_chain(&w, paper), done);
  close_chain(&w, paper ? w.end : w.x, rows->logp);
  spread_of_probes(&w);
done:
  lfm_carry_destroy(w.traced);
  lfm_carry_destroy(w.plain);
  lfm_free(w.x);
  lfm_free(w.end);
  lfm_free(w.logdet);
  lfm_free(w.units);
  return status;
}

/* Grey levels taken for points: their density grows without bound as the model sharpens. */
lfm_status lfm_density_check(const lfm_model *model) {
  if (lfm_chain_is_flow(model)) LFM_TRY(lfm_solve_check_classless(model, "log p"));
  if (!model->picture || model->config->dequantise == LFM_DEQUANTISE_UNIFORM) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED,
                  "the model takes each grey level for a point, so its density says nothing of pictures; train with "
                  "--set dequantise=uniform");
}

/* Of images, and of chunks of actions as such, nobody could wait for the exact trace. */
bool lfm_model_is_probed(const lfm_model *model) { return model->picture || lfm_net_of_images(model->net); }

int lfm_probes_of(const lfm_model *model, int asked) { return asked || !lfm_model_is_probed(model) ? asked : 2; }

lfm_status lfm_probes_check(int count) {
  if (count >= 0 && count <= LFM_MOST_PROBES) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "probes: %d is not between 0 (the exact trace) and %d", count, LFM_MOST_PROBES);
}

void lfm_probes_advise(const lfm_model *model, int count) {
  if (count >= model->normaliser->dim)
    lfm_note(LFM_NOTE, "probes: %d a row cost no less than the exact trace of %lld columns", count,
             (long long)model->normaliser->dim);
}

int64_t lfm_likelihood_rows_advised(const lfm_model *model, int64_t rows) {
  double row_flops = lfm_net_trace_flops(model->net) * 60.0 * model->blocks; /* some 60 evaluations a block */
  double affordable = fmin(fmax(2e12 / row_flops, 100.0), 2000.0);           /* ten seconds or so */
  return rows < (int64_t)affordable ? rows : (int64_t)affordable;
}
