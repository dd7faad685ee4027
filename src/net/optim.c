/* SPDX-License-Identifier: MIT
 *
 * optim.c -- one optimiser step, in two sweeps of the team over strips of the parameters:
 *   gather   the lanes summed by a fixed tree, or the factors multiplied, and the strip's sum of squares
 *   update   clip, Adam, average, and the strip's part of the packed copies
 * Between them the norm: the strips' sums added in order.  Where nothing is clipped factors take one sweep: a strip is
 * updated with the gradient still in the cache, to which memory gives weights and moments and from which it takes them, and
 * no more. A strip is some rows of one tensor, cut by the net alone, so no byte depends on who works on it.  Packing here,
 * while the strip is in the cache, replaces a pass of its own that costs a tenth of a training step.  Everything is float
 * except the norm and the constants, which are worked out in double.
 */
#include "net/optim.h"
#include "core/alloc.h"
#include "graph/factors.h"
#include "kernel/update.h"
#include "net/internal.h"
#include <math.h>
#include <string.h>

typedef struct strip {
  int tensor;
  int64_t first, rows;   /* of the tensor */
  int64_t offset, count; /* of the flat vector */
} strip;

struct lfm_optim {
  const lfm_net *net;
  lfm_optim_config config;
  float *moment1, *moment2, *ema;
  int64_t steps, strip_count;
  strip *strips;
  double *squares; /* [strip_count] */
  int64_t panel_count;
  int64_t *panels; /* [panel_count + 1] of strips that factors make at once the first, and where the last ends */
};

/* What the two sweeps of a step read. */
typedef struct step_context {
  lfm_optim *optim;
  lfm_params *params;
  const lfm_gradient *gradient;
  double ema_decay;
  lfm_adam adam;
} step_context;

void lfm_optim_defaults(lfm_optim_config *config) { *config = (lfm_optim_config){.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}; }

/* ---- strips -------------------------------------------------------------------------------------------------- */

/* Of the same rows that lfm_factors_gradient makes at once. */
static bool begins_panel(const lfm_graph *graph, const strip *s) {
  return s->first % lfm_factors_rows_at_once(graph, s->tensor) == 0;
}

static int64_t count_strips(const lfm_graph *graph) {
  int64_t count = 0;
  for (int i = 0; i < lfm_graph_tensor_count(graph); i++) {
    int64_t step = lfm_graph_strip(graph, i);
    count += (lfm_graph_tensor_at(graph, i)->shape[0] + step - 1) / step;
  }
  return count;
}

static void cut_strips(const lfm_graph *graph, strip *out) {
  for (int i = 0; i < lfm_graph_tensor_count(graph); i++) {
    const lfm_graph_tensor *tensor = lfm_graph_tensor_at(graph, i);
    int64_t numbers = tensor->count / tensor->shape[0], step = lfm_graph_strip(graph, i);
    for (int64_t first = 0; first < tensor->shape[0]; first += step) {
      int64_t rows = tensor->shape[0] - first < step ? tensor->shape[0] - first : step;
      *out++ = (strip){i, first, rows, tensor->offset + first * numbers, rows * numbers};
    }
  }
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

static lfm_status check(const lfm_net *net, const lfm_optim_config *c) {
  if (lfm_net_number_size(net) != sizeof(float))
    return lfm_fail(LFM_E_USAGE, "optimiser: the net must be of floats, not doubles");
  if (!(c->beta1 >= 0 && c->beta1 < 1 && c->beta2 >= 0 && c->beta2 < 1))
    return lfm_fail(LFM_E_USAGE, "optimiser: beta1 %g and beta2 %g must lie in [0, 1)", c->beta1, c->beta2);
  if (!(c->eps > 0 && c->weight_decay >= 0 && c->grad_clip >= 0))
    return lfm_fail(LFM_E_USAGE, "optimiser: eps %g must be over 0, weight_decay %g and grad_clip %g not below", c->eps,
                    c->weight_decay, c->grad_clip);
  if (!(c->ema_decay >= 0 && c->ema_decay < 1))
    return lfm_fail(LFM_E_USAGE, "optimiser: ema_decay %g must lie in [0, 1)", c->ema_decay);
  return LFM_OK;
}

static lfm_status fill(lfm_optim *optim) {
  int64_t params = lfm_net_param_count(optim->net);
  optim->strip_count = count_strips(optim->net->graph);
  LFM_TRY(LFM_ALLOC(&optim->moment1, params));
  LFM_TRY(LFM_ALLOC(&optim->moment2, params));
  if (optim->config.ema_decay > 0) LFM_TRY(LFM_ALLOC(&optim->ema, params));
  LFM_TRY(LFM_ALLOC(&optim->strips, optim->strip_count));
  LFM_TRY(LFM_ALLOC(&optim->squares, optim->strip_count));
  cut_strips(optim->net->graph, optim->strips);
  LFM_TRY(LFM_ALLOC(&optim->panels, optim->strip_count + 1));
  for (int64_t i = 0; i < optim->strip_count; i++)
    if (begins_panel(optim->net->graph, &optim->strips[i])) optim->panels[optim->panel_count++] = i;
  optim->panels[optim->panel_count] = optim->strip_count;
  return LFM_OK;
}

lfm_status lfm_optim_create(const lfm_net *net, const lfm_optim_config *config, lfm_optim **out) {
  *out = NULL;
  LFM_TRY(check(net, config));
  lfm_optim *optim;
  LFM_TRY(LFM_ALLOC(&optim, 1));
  optim->net = net, optim->config = *config;
  lfm_status status = fill(optim);
  if (status == LFM_OK) *out = optim;
  else lfm_optim_destroy(optim);
  return status;
}

void lfm_optim_destroy(lfm_optim *optim) {
  if (!optim) return;
  lfm_free(optim->moment1);
  lfm_free(optim->moment2);
  lfm_free(optim->ema);
  lfm_free(optim->strips);
  lfm_free(optim->squares);
  lfm_free(optim->panels);
  lfm_free(optim);
}

size_t lfm_optim_memory(const lfm_optim *optim) {
  return lfm_alloc_size(optim->moment1) + lfm_alloc_size(optim->moment2) + lfm_alloc_size(optim->ema);
}

void lfm_optim_restart(lfm_optim *optim, const lfm_params *params) {
  size_t bytes = (size_t)lfm_net_param_count(optim->net) * sizeof(float);
  memset(optim->moment1, 0, bytes);
  memset(optim->moment2, 0, bytes);
  if (optim->ema) memcpy(optim->ema, params->values, bytes);
  optim->steps = 0;
}

/* ---- the step ------------------------------------------------------------------------------------------------ */

static lfm_status gather(void *context, int worker, int64_t task) {
  (void)worker;
  const step_context *step = context;
  const lfm_gradient *gradient = step->gradient;
  const strip *s = &step->optim->strips[task];
  step->optim->squares[task] = lfm_update_sum_lanes(gradient->lanes, gradient->count, (size_t)s->offset, (size_t)s->count);
  return LFM_OK;
}

static lfm_status update(void *context, int worker, int64_t task) {
  (void)worker;
  const step_context *step = context;
  lfm_optim *optim = step->optim;
  const strip *s = &optim->strips[task];
  float *w = (float *)step->params->values + s->offset;
  lfm_update_adam(w, optim->moment1 + s->offset, optim->moment2 + s->offset, step->gradient->lanes[0] + s->offset,
                  (size_t)s->count, &step->adam);
  if (optim->ema) lfm_update_average(optim->ema + s->offset, w, (size_t)s->count, step->ema_decay);
  lfm_graph_pack(optim->net->graph, s->tensor, s->first, s->rows, step->params->values, step->params->packed,
                 step->params->trained);
  return LFM_OK;
}

static bool is_clipped(const lfm_optim *optim) { return optim->config.grad_clip > 0; }

/* The strips that the factors make at once, from the first of them on; and, where nothing is clipped, all that there is to do
 * about them. */
static lfm_status multiply(void *context, int worker, int64_t task) {
  const step_context *step = context;
  const lfm_optim *optim = step->optim;
  int64_t begin = optim->panels[task], end = optim->panels[task + 1];
  const strip *s = &optim->strips[begin];
  LFM_TRY(lfm_factors_gradient(step->gradient->factors, worker, s->tensor, s->first, step->gradient->lanes[0] + s->offset));
  for (int64_t i = begin; i < end; i++) {
    LFM_TRY(gather(context, worker, i));
    if (!is_clipped(optim)) LFM_TRY(update(context, worker, i));
  }
  return LFM_OK;
}

/* torch.optim.Adam and AdamW, and torch.nn.utils.clip_grad_norm_. */
static lfm_adam constants(const lfm_optim *optim, double lr, double norm) {
  const lfm_optim_config *c = &optim->config;
  double t = (double)optim->steps + 1, scale = c->grad_clip > 0 ? c->grad_clip / (norm + 1e-6) : 1.0;
  return (lfm_adam){.grad_scale = scale < 1.0 ? (float)scale : 1.0f,
                    .decay_grad = c->decoupled_decay ? 0.0f : (float)c->weight_decay,
                    .decay_weight = c->decoupled_decay ? (float)(1.0 - lr * c->weight_decay) : 1.0f,
                    .beta1 = (float)c->beta1,
                    .beta2 = (float)c->beta2,
                    .one_less_beta1 = (float)(1.0 - c->beta1),
                    .one_less_beta2 = (float)(1.0 - c->beta2),
                    .root_correction2 = (float)sqrt(1.0 - pow(c->beta2, t)),
                    .eps = (float)c->eps,
                    .step_size = (float)(lr / (1.0 - pow(c->beta1, t)))};
}

lfm_status lfm_optim_step(lfm_optim *optim, lfm_team *team, lfm_params *params, const lfm_gradient *gradient, double lr,
                          double ema_decay, double *grad_norm) {
  bool multiplies = gradient->factors != NULL, at_once = multiplies && !is_clipped(optim);
  step_context step = {.optim = optim, .params = params, .gradient = gradient, .ema_decay = ema_decay};
  if (at_once) step.adam = constants(optim, lr, 0.0);
  LFM_TRY(lfm_team_run(team, multiplies ? optim->panel_count : optim->strip_count, multiplies ? multiply : gather, &step));
  double squares = 0.0;
  for (int64_t i = 0; i < optim->strip_count; i++) squares += optim->squares[i];
  *grad_norm = sqrt(squares);
  if (!isfinite(*grad_norm)) return lfm_fail(LFM_E_NUMERIC, "the gradient is not finite; lower lr or set grad_clip");
  if (!at_once) {
    step.adam = constants(optim, lr, *grad_norm);
    LFM_TRY(lfm_team_run(team, optim->strip_count, update, &step));
  }
  optim->steps++;
  return LFM_OK;
}

float *lfm_optim_first_moment(lfm_optim *optim) { return optim->moment1; }
float *lfm_optim_second_moment(lfm_optim *optim) { return optim->moment2; }
float *lfm_optim_ema(lfm_optim *optim) { return optim->ema; }
int64_t lfm_optim_steps(const lfm_optim *optim) { return optim->steps; }
void lfm_optim_set_steps(lfm_optim *optim, int64_t steps) { optim->steps = steps; }
