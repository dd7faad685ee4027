/* SPDX-License-Identifier: MIT
 *
 * chunker.c -- see chunker.h.
 *   1. z ~ N(0, I) from (seed, number); what is given, from the observations
 *   2. the blocks backwards, each from t = 1 to 0, in fixed steps
 *   3. to the data's units, poses back to seven numbers
 * It is lfm_sample of one row, whose buffers are kept: the first chunk, drawn when it is made, asks for all of them.
 */
#include "flow/chunker.h"

#include "core/alloc.h"
#include "flow/columns.h"
#include "flow/solve.h"

#include <math.h>

struct lfm_chunker {
  const lfm_model *model;
  lfm_team *team;
  lfm_carry *carry;
  lfm_path path;
  float *z;     /* [dim] */
  double *x;    /* [dim] */
  float *given; /* [given] */
  uint8_t failed;
};

static lfm_status make_room(lfm_chunker *c, int threads) {
  const lfm_model *model = c->model;
  LFM_TRY(lfm_team_create(threads, &c->team));
  LFM_TRY(lfm_carry_create(c->team, model->net, false, &c->carry));
  LFM_TRY(LFM_ALLOC(&c->z, model->normaliser->dim));
  LFM_TRY(LFM_ALLOC(&c->x, model->normaliser->dim));
  return LFM_ALLOC(&c->given, lfm_net_given(model->net));
}

/* The chunk of what is given now, from the noise in z to x. */
static lfm_status carry_back(lfm_chunker *c) {
  const lfm_model *model = c->model;
  lfm_rows rows = {.count = 1, .f64 = c->x, .failed = &c->failed, .given = c->given, .guidance = 1.0};
  c->failed = LFM_ROW_SOLVED;
  for (int64_t j = 0; j < model->normaliser->dim; j++) c->x[j] = (double)c->z[j];
  for (int n = model->blocks - 1; n >= 0; n--) LFM_TRY(lfm_carry_rows(c->carry, model->params[n], &c->path, &rows, NULL));
  return c->failed ? lfm_fail(LFM_E_NUMERIC, "policy: the chunk's solve could not go on") : LFM_OK;
}

lfm_status lfm_chunker_create(const lfm_model *model, const lfm_solver_options *solve, int threads, lfm_chunker **out) {
  lfm_chunker *c;
  lfm_solve how;
  *out = NULL;
  if (!model->windows) return lfm_fail(LFM_E_USAGE, "policy: the model was not trained on demonstrations");
  if (!solve->nfe) return lfm_fail(LFM_E_USAGE, "policy: say with nfe how many evaluations a chunk takes");
  lfm_solver_options options = lfm_solve_for(true, solve);
  LFM_TRY(lfm_solve_parse(&options, model->blocks, &how));
  LFM_TRY(LFM_ALLOC(&c, 1));
  c->model = model;
  c->path = lfm_solve_path(&how, 1.0, 0.0);
  lfm_status status = make_room(c, threads);
  if (status == LFM_OK) status = carry_back(c); /* of zeros: what memory it wants, it has from now on */
  if (status == LFM_OK) *out = c;
  else lfm_chunker_destroy(c);
  return status;
}

void lfm_chunker_destroy(lfm_chunker *c) {
  if (!c) return;
  lfm_carry_destroy(c->carry);
  lfm_team_destroy(c->team);
  lfm_free(c->z);
  lfm_free(c->x);
  lfm_free(c->given);
  lfm_free(c);
}

lfm_status lfm_chunker_draw(lfm_chunker *c, const double *observations, uint64_t seed, int64_t number, double *actions) {
  const lfm_windows *w = c->model->windows;
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_SAMPLE};
  for (int64_t i = 0; i < w->horizons.observation * w->obs_dim; i++)
    if (!isfinite(observations[i]))
      return lfm_fail(LFM_E_NUMERIC, "policy: number %lld of the observations is not finite", (long long)i + 1);
  lfm_windows_give(w, observations, c->given);
  lfm_rng_normal(&rng, number, c->z, (size_t)c->model->normaliser->dim);
  LFM_TRY(carry_back(c));
  for (int64_t k = 0; k < w->horizons.prediction; k++)
    lfm_windows_action(w, c->x + k * w->width, actions + k * w->action_dim);
  return LFM_OK;
}
