/* SPDX-License-Identifier: MIT
 *
 * likelihood.c -- rows through the chain, data side to noise side, with their log-determinants.
 * The protocol of the published code is kept beside the converged solve because published numbers were made with it; it is
 * biased by several nats on images (docs/paper-map.md), so it is never the default.
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
  lfm_carry *traced; /* with the log-determinant */
  lfm_carry *plain;  /* paper: the transport between blocks */
  int64_t rows, dim;
  double *x;      /* [rows, dim] where the rows are */
  double *end;    /* paper: [rows, dim] where Euler ended */
  double *logdet; /* [rows] */
  double *cut;    /* [blocks + 1, rows] log p under the chain cut at each border, or NULL */
  uint8_t *failed;
  int64_t *nfe;
  lfm_meter *meter;
} work;

static lfm_status through_block(const work *w, int n) {
  lfm_path path = lfm_solve_path(w->solve, 0.0, 1.0);
  lfm_rows rows = {.count = w->rows, .f64 = w->x, .logdet = w->logdet, .failed = w->failed, .nfe = w->nfe};
  return lfm_carry_rows(w->traced, w->model->params[n], &path, &rows, w->meter);
}

/* The trace by Euler from the block's true start; the rows themselves by dopri5. */
static lfm_status through_block_as_paper(const work *w, int n) {
  lfm_path euler = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_EULER, .fixed_steps = PAPER_NODES - 1};
  lfm_path dopri5 = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_DOPRI5, .tol = w->solve->tol};
  lfm_rows traced = {.count = w->rows, .f64 = w->end, .logdet = w->logdet, .failed = w->failed, .nfe = w->nfe};
  lfm_rows moved = {.count = w->rows, .f64 = w->x, .failed = w->failed, .nfe = w->nfe};
  memcpy(w->end, w->x, (size_t)(w->rows * w->dim) * sizeof *w->x);
  LFM_TRY(lfm_carry_rows(w->traced, w->model->params[n], &euler, &traced, w->meter));
  bool is_last = n == w->model->blocks - 1;
  return is_last ? LFM_OK : lfm_carry_rows(w->plain, w->model->params[n], &dopri5, &moved, w->meter);
}

/* logp [rows] of the chain that ends where the rows are now, at `end`; may be w->logdet itself. */
static void close_chain(const work *w, const double *end, double *logp) {
  for (int64_t i = 0; i < w->rows; i++)
    logp[i] =
        w->failed[i] ? (double)NAN : w->logdet[i] + lfm_normal_logp(end + i * w->dim, w->dim) + w->model->normaliser->logdet;
}

static lfm_status through_chain(const work *w, bool paper) {
  if (w->cut) close_chain(w, w->x, w->cut);
  for (int n = 0; n < w->model->blocks; n++) {
    lfm_meter_phase(w->meter, LFM_PHASE_SCORE, n + 1, w->model->blocks, 0, w->rows);
    LFM_TRY(paper ? through_block_as_paper(w, n) : through_block(w, n));
    if (w->cut) close_chain(w, w->x, w->cut + (n + 1) * w->rows);
  }
  return LFM_OK;
}

static lfm_status likelihood(const lfm_model *model, lfm_team *team, const lfm_solve *solve, bool paper, int64_t rows,
                             const double *x, double *logp, double *cut, uint8_t *failed, int64_t *nfe, lfm_meter *meter) {
  int64_t dim = model->normaliser->dim;
  work w = {.model = model,
            .solve = solve,
            .rows = rows,
            .dim = dim,
            .logdet = logp,
            .cut = cut,
            .failed = failed,
            .nfe = nfe,
            .meter = meter};
  lfm_status status;
  LFM_TRY_GOTO(lfm_carry_create(team, model->net, true, &w.traced), done);
  LFM_TRY_GOTO(LFM_ALLOC(&w.x, rows * dim), done);
  if (paper) {
    LFM_TRY_GOTO(lfm_carry_create(team, model->net, false, &w.plain), done);
    LFM_TRY_GOTO(LFM_ALLOC(&w.end, rows * dim), done);
  }
  for (int64_t i = 0; i < rows; i++) {
    lfm_normaliser_apply(model->normaliser, x + i * model->cols, w.x + i * dim);
    logp[i] = 0.0;
    failed[i] = LFM_ROW_SOLVED;
    nfe[i] = 0;
  }
  LFM_TRY_GOTO(through_chain(&w, paper), done);
  close_chain(&w, paper ? w.end : w.x, logp);
done:
  lfm_carry_destroy(w.traced);
  lfm_carry_destroy(w.plain);
  lfm_free(w.x);
  lfm_free(w.end);
  return status;
}

lfm_status lfm_likelihood(const lfm_model *model, lfm_team *team, const lfm_solve *solve, bool paper, int64_t rows,
                          const double *x, double *logp, uint8_t *failed, int64_t *nfe, lfm_meter *meter) {
  return likelihood(model, team, solve, paper, rows, x, logp, NULL, failed, nfe, meter);
}

lfm_status lfm_likelihood_cut(const lfm_model *model, lfm_team *team, const lfm_solve *solve, int64_t rows, const double *x,
                              double *logp, double *cut, uint8_t *failed, int64_t *nfe, lfm_meter *meter) {
  return likelihood(model, team, solve, false, rows, x, logp, cut, failed, nfe, meter);
}

int64_t lfm_likelihood_rows_advised(const lfm_model *model, int64_t rows) {
  double row_flops = lfm_net_trace_flops(model->net) * 60.0 * model->blocks; /* some 60 evaluations a block */
  double affordable = fmin(fmax(2e12 / row_flops, 100.0), 2000.0);           /* ten seconds or so */
  return rows < (int64_t)affordable ? rows : (int64_t)affordable;
}
