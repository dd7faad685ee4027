/* SPDX-License-Identifier: MIT
 *
 * compile.c -- see compile.h.
 */
#include "policy/compile.h"

#include "core/alloc.h"
#include "flow/interpolant.h"
#include "flow/ou.h"
#include "ode/tableau.h"
#include "policy/prepare.h"

#include <math.h>

#define STRONGEST 1e6 /* at the ends of a block it has no bound */

struct lfm_compiled {
  const lfm_model *model;
  lfm_prepared *prepared;
  lfm_rt_chain chain;
  lfm_rt_block block[LFM_MAX_BLOCKS];
  double gammas[LFM_MAX_BLOCKS]; /* steps of the blocks; NAN: free */
  float keeps[LFM_MAX_BLOCKS];
  void *weights[LFM_MAX_BLOCKS];
  float *constants[LFM_MAX_BLOCKS];
  lfm_compiled *flow; /* of the model's guard; NULL: none, or this is one */
  /* of a flow that guards */
  lfm_rt_guard guard;
  float *time;
  double *scale;
};

static lfm_status prepare(const lfm_model *model, bool guided, lfm_prepared **out) {
  lfm_mlp_config mlp;
  lfm_unet1d_config unet;
  if (model->config->network == LFM_NETWORK_UNET1D) {
    LFM_TRY(lfm_chain_unet1d(model, &unet));
    return lfm_prepare_unet1d(&unet, guided, out);
  }
  LFM_TRY(lfm_chain_mlp(model, &mlp));
  return lfm_prepare_mlp(&mlp, guided, out);
}

static lfm_status fill(lfm_compiled *c, bool guided) {
  if (guided) LFM_TRY(lfm_ou_schedule(c->model->config, c->gammas, &(int){0}));
  LFM_TRY(prepare(c->model, guided, &c->prepared));
  c->chain.field = lfm_prepared_field(c->prepared);
  c->chain.block = c->block;
  c->chain.keeps = c->keeps;
  c->chain.blocks = c->model->blocks;
  for (int n = 0; n < c->model->blocks; n++) {
    size_t size = c->chain.half ? sizeof(uint16_t) : sizeof(float);
    LFM_TRY(lfm_alloc_array(&c->weights[n], (size_t)lfm_prepared_weights(c->prepared), size));
    LFM_TRY(LFM_ALLOC(&c->constants[n], lfm_prepared_constants(c->prepared)));
    LFM_TRY(
        lfm_prepared_fill(c->prepared, c->model->net, c->model->params[n], c->chain.half, c->weights[n], c->constants[n]));
    c->block[n] = (lfm_rt_block){c->weights[n], c->constants[n]};
    c->keeps[n] = (float)lfm_ou_step(lfm_ou_time_before(c->gammas, n)).decay;
  }
  return LFM_OK;
}

lfm_status lfm_compile(const lfm_model *model, bool half, bool guided, lfm_compiled **out) {
  lfm_compiled *c;
  *out = NULL;
  if (!model->windows)
    return lfm_fail(LFM_E_USAGE, "policy: the model was not trained on demonstrations, so it knows no actions");
  if (guided && !lfm_chain_is_flow(model))
    return lfm_fail(LFM_E_UNSUPPORTED, "rtc: the single steps of a distilled model can not be guided; take its teacher");
  LFM_TRY(LFM_ALLOC(&c, 1));
  c->model = model;
  c->chain.half = half;
  lfm_status status = fill(c, guided);
  if (status == LFM_OK && model->guard) status = lfm_compile_guard(model->guard, &c->flow);
  if (status == LFM_OK) *out = c;
  else lfm_compiled_destroy(c);
  return status;
}

/* Its units are the normaliser's, a number a column. */
static lfm_status fill_guard(lfm_compiled *c, const lfm_model_guard *guard) {
  const lfm_normaliser *n = c->model->normaliser;
  LFM_TRY(fill(c, false));
  LFM_TRY(LFM_ALLOC(&c->time, c->chain.field->timed_count));
  LFM_TRY(lfm_prepared_time(c->prepared, c->model->net, c->model->params[0], 0.0, c->time));
  LFM_TRY(LFM_ALLOC(&c->scale, n->dim));
  for (int64_t k = 0; k < n->dim; k++) c->scale[k] = n->forward[k * n->dim + k];
  c->guard = (lfm_rt_guard){.chain = &c->chain,
                            .time = c->time,
                            .numbers = n->dim,
                            .number = n->varying,
                            .mean = n->mean,
                            .scale = c->scale,
                            .levels = guard->levels,
                            .level = guard->level,
                            .first = -1};
  return LFM_OK;
}

lfm_status lfm_compile_guard(const lfm_model_guard *guard, lfm_compiled **out) {
  lfm_compiled *c;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&c, 1));
  c->model = guard->flow;
  lfm_status status = fill_guard(c, guard);
  if (status == LFM_OK) *out = c;
  else lfm_compiled_destroy(c);
  return status;
}

void lfm_compiled_destroy(lfm_compiled *c) {
  if (!c) return;
  for (int n = 0; n < LFM_MAX_BLOCKS; n++) lfm_free(c->weights[n]), lfm_free(c->constants[n]);
  lfm_prepared_destroy(c->prepared);
  lfm_compiled_destroy(c->flow);
  lfm_free(c->time);
  lfm_free(c->scale);
  lfm_free(c);
}

const lfm_rt_chain *lfm_compiled_chain(const lfm_compiled *compiled) { return &compiled->chain; }
const lfm_compiled *lfm_compiled_flow(const lfm_compiled *compiled) { return compiled->flow; }

const lfm_rt_guard *lfm_compiled_guard(const lfm_compiled *c) {
  if (c->guard.chain) return &c->guard;
  return c->flow ? &c->flow->guard : NULL;
}

const lfm_windows *lfm_compiled_windows(const lfm_compiled *compiled) { return compiled->model->windows; }

int64_t lfm_compiled_weights(const lfm_compiled *compiled) { return lfm_prepared_weights(compiled->prepared); }
int64_t lfm_compiled_turned(const lfm_compiled *compiled) { return lfm_prepared_turned(compiled->prepared); }
int64_t lfm_compiled_constants(const lfm_compiled *compiled) { return lfm_prepared_constants(compiled->prepared); }

/* ---- plans -------------------------------------------------------------------------------------------------------- */

static lfm_status method_of(lfm_solver solver, lfm_rt_method *out) {
  const lfm_tableau *tableau = lfm_tableau_of(solver);
  if (tableau->stages > LFM_RT_STAGES)
    return lfm_fail(LFM_E_USAGE, "solver: %s has %d stages; a policy takes steps of euler, midpoint, heun, rk4 or bs23",
                    tableau->name, tableau->stages);
  *out = (lfm_rt_method){.stages = tableau->stages};
  for (int i = 0; i < tableau->stages; i++) {
    out->b[i] = (float)tableau->b[i];
    for (int j = 0; j < i; j++) out->a[i][j] = (float)tableau->a[i][j];
  }
  return LFM_OK;
}

/* t of stage i of step k: from 1 down to 0. */
static double time_of(const lfm_tableau *tableau, int64_t steps, int64_t k, int i) {
  return 1.0 - ((double)k + tableau->c[i]) / (double)steps;
}

static lfm_status fill_times(const lfm_compiled *c, const lfm_tableau *tableau, int64_t steps, float *row) {
  for (int n = 0; n < c->model->blocks; n++)
    for (int64_t k = 0; k < steps; k++)
      for (int i = 0; i < tableau->stages; i++, row += c->chain.field->timed_count)
        LFM_TRY(lfm_prepared_time(c->prepared, c->model->net, c->model->params[n], time_of(tableau, steps, k, i), row));
  return LFM_OK;
}

/* The numbers of an interpolant's ends, x_t = a x_l + b x_r, in double. */
typedef struct way {
  double a, b, turn; /* turn = a b' - a' b: of x_t and v it is x_l = (b' x_t - b v) / turn */
  double db;
} way;

static way way_at(const lfm_compiled *c, double t) {
  lfm_interpolant at = lfm_interpolant_at(c->model->config->interp, t);
  double a = (double)at.a, b = (double)at.b, da = (double)at.da, db = (double)at.db;
  return (way){a, b, a * db - da * b, db};
}

/* Block n's way is x_t = alpha x + s z, x being its border on the data's side, of which the data are e^{-G} x in the mean.
 * A score g makes the velocity by s (s alpha' / alpha - s') g another.  Where the border is N(0, I), r^2 = s^2 / (alpha^2 +
 * s^2) is its variance given x_t.  Of a straight free block at the data that is (1 - tau) / (tau r^2). */
static double pull_of(const lfm_compiled *c, int n, double t) {
  way at = way_at(c, t);
  lfm_ou end = lfm_ou_step(c->gammas[n]), border = lfm_ou_step(lfm_ou_time_before(c->gammas, n));
  double alpha = at.a + at.b * end.decay, s = at.b * end.noise, r2 = s * s / (alpha * alpha + s * s);
  double known = border.decay * border.decay * r2 + border.noise * border.noise; /* the variance of the data given x_t */
  return fmin(s * end.noise * at.turn / (alpha * known), STRONGEST);             /* also where it is 0 / 0 */
}

static void fill_ways(const lfm_compiled *c, const lfm_tableau *tableau, int64_t steps, float *of_x, float *of_v,
                      float *pull) {
  for (int n = 0; n < c->model->blocks; n++)
    for (int64_t k = 0; k < steps; k++)
      for (int i = 0; i < tableau->stages; i++) {
        double t = time_of(tableau, steps, k, i);
        way at = way_at(c, t);
        of_x[k * tableau->stages + i] = (float)(at.db / at.turn);
        of_v[k * tableau->stages + i] = (float)(at.b / at.turn);
        *pull++ = (float)pull_of(c, n, t);
      }
}

lfm_status lfm_compiled_plan(const lfm_compiled *c, const lfm_solver_options *options, lfm_rt_plan *out, float **tables) {
  lfm_solve solve;
  *tables = NULL;
  if (!options->nfe) return lfm_fail(LFM_E_USAGE, "policy: say with nfe how many evaluations a chunk takes");
  if (!lfm_chain_is_whole(c->model))
    return lfm_fail(LFM_E_UNSUPPORTED, "policy: its networks stand for parts of blocks; distil it without split");
  lfm_solver_options given;
  LFM_TRY(lfm_solve_for(c->model, options, &given));
  LFM_TRY(lfm_solve_parse(&given, c->model->blocks, &solve));
  LFM_TRY(method_of(solve.solver, &out->method));
  out->steps = solve.fixed_steps;
  int64_t stages = out->steps * out->method.stages, timed = c->model->blocks * stages * c->chain.field->timed_count;
  LFM_TRY(LFM_ALLOC(tables, timed + (2 + c->model->blocks) * stages));
  float *of_x = *tables + timed, *of_v = of_x + stages, *pull = of_v + stages;
  out->time = *tables, out->of_x = of_x, out->of_v = of_v, out->pull = pull;
  fill_ways(c, lfm_tableau_of(solve.solver), out->steps, of_x, of_v, pull);
  lfm_status status = fill_times(c, lfm_tableau_of(solve.solver), out->steps, *tables);
  if (status == LFM_OK) return LFM_OK;
  lfm_free(*tables);
  *tables = NULL;
  return status;
}
