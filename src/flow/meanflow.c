/* SPDX-License-Identifier: MIT
 *
 * meanflow.c -- see meanflow.h.
 * du/dt is a difference over 2 STEP of time along the flow, to both sides of t, by two more passes of the run at hand.
 * Forward tangents would take one, but they are of x alone: no network here lets its t move.  The difference errs by the
 * square of STEP (times the wave number, of waves, which are no finer than 100: config.c) and, in floats, by some 1e-7 /
 * STEP: both far below the noise of v.
 */
#include "flow/meanflow.h"

#include "core/alloc.h"

#include <string.h>

static const float STEP = 5e-3f;

struct lfm_meanflow {
  int64_t dim;
  float *x, *t, *h; /* [rows, dim], [rows], [rows]: where the rows are */
  float *ahead;     /* [rows, dim] u a step ahead of there */
};

lfm_status lfm_meanflow_create(int64_t rows, int64_t dim, lfm_meanflow **out) {
  lfm_meanflow *m;
  lfm_status status;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&m, 1));
  m->dim = dim;
  LFM_TRY_GOTO(LFM_ALLOC(&m->x, rows * dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&m->ahead, rows * dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&m->t, rows), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&m->h, rows), fail);
  *out = m;
  return LFM_OK;
fail:
  lfm_meanflow_destroy(m);
  return status;
}

void lfm_meanflow_destroy(lfm_meanflow *m) {
  if (!m) return;
  lfm_free(m->x);
  lfm_free(m->ahead);
  lfm_free(m->t);
  lfm_free(m->h);
  lfm_free(m);
}

size_t lfm_meanflow_memory(const lfm_meanflow *m) {
  return m ? lfm_alloc_size(m->x) + lfm_alloc_size(m->ahead) + lfm_alloc_size(m->t) + lfm_alloc_size(m->h) : 0;
}

/* The rows `by` of time along the flow, whose velocity is v, with r where it was; 0: back where they were. */
static void move(const lfm_meanflow *m, lfm_run *run, const float *v, int64_t count, float by) {
  float *x = lfm_run_x(run), *t = lfm_run_t(run), *h = lfm_run_span(run);
  for (int64_t k = 0; k < count * m->dim; k++) x[k] = m->x[k] + by * v[k];
  for (int64_t i = 0; i < count; i++) t[i] = m->t[i] + by, h[i] = m->h[i] + by;
}

lfm_status lfm_meanflow_target(lfm_meanflow *m, lfm_run *run, const lfm_params *params, int64_t count, float *target) {
  size_t numbers = (size_t)(count * m->dim);
  memcpy(m->x, lfm_run_x(run), numbers * sizeof *m->x);
  memcpy(m->t, lfm_run_t(run), (size_t)count * sizeof *m->t);
  memcpy(m->h, lfm_run_span(run), (size_t)count * sizeof *m->h);
  move(m, run, target, count, STEP);
  LFM_TRY(lfm_run_forward(run, params));
  memcpy(m->ahead, lfm_run_v(run), numbers * sizeof *m->ahead);
  move(m, run, target, count, -STEP);
  LFM_TRY(lfm_run_forward(run, params));
  const float *behind = lfm_run_v(run);
  move(m, run, target, count, 0.0f);
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = i * m->dim; k < (i + 1) * m->dim; k++)
      target[k] -= m->h[i] * (m->ahead[k] - behind[k]) / (2.0f * STEP); /* v - h du/dt */
  return LFM_OK;
}

double lfm_meanflow_flops(const lfm_net *net) { return 2.0 * lfm_net_forward_flops(net); }
