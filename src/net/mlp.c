/* SPDX-License-Identifier: MIT
 *
 * mlp.c -- the multilayer perceptron of the paper's tables: v(t, x) from h_0 = (t, g, x), g what is given, if anything, h_i =
 * act(W_i h_{i-1} + b_i), v = W h + b.  With waves, they stand behind x.  With cat_t_all, t stands beside every h_{i-1}, not
 * beside h_0 only.  The names of the tensors are those of the authors' torch.nn.Sequential, in which activations count:
 * net.0, net.2, net.4, ...
 */
#include "net/internal.h"
#include <stdio.h>

enum { MAX_HIDDEN = 256 };

static lfm_status build(const lfm_mlp_config *c, lfm_graph *graph, lfm_value *t, lfm_value *given, lfm_value *span,
                        lfm_value *x) {
  char name[32];
  lfm_value h;
  LFM_TRY(lfm_graph_input(graph, 1, false, t));
  if (c->given) LFM_TRY(lfm_graph_input(graph, c->given, false, given));
  if (c->span) LFM_TRY(lfm_graph_input(graph, 1, false, span));
  LFM_TRY(lfm_graph_input(graph, c->dim, true, x));
  h = *x;
  if (c->waves.count) LFM_TRY(lfm_graph_waves(graph, *x, *t, &c->waves, &h));
  for (int layer = 0; layer <= c->num_hidden; layer++) {
    bool last = layer == c->num_hidden;
    snprintf(name, sizeof name, "net.%d", 2 * layer);
    if (layer == 0 && c->given) LFM_TRY(lfm_graph_concat(graph, *given, h, &h));
    if (layer == 0 || c->cat_t_all) LFM_TRY(lfm_graph_concat(graph, *t, h, &h));
    if (layer == 0 && c->span) LFM_TRY(lfm_graph_concat(graph, *span, h, &h));
    LFM_TRY(lfm_graph_linear(graph, name, h, last ? c->dim : c->hidden_dim, last ? (lfm_act){LFM_ACT_NONE, 0} : c->act, &h));
  }
  return lfm_graph_finish(graph, h);
}

static lfm_status check(const lfm_mlp_config *c) {
  if (c->num_hidden < 1 || c->num_hidden > MAX_HIDDEN)
    return lfm_fail(LFM_E_USAGE, "num_hidden is %d; 1 to %d hidden layers are possible", c->num_hidden, MAX_HIDDEN);
  if (c->act.kind < LFM_ACT_NONE || c->act.kind >= LFM_ACTS)
    return lfm_fail(LFM_E_USAGE, "act: unknown kind %d", (int)c->act.kind);
  if (c->act.kind == LFM_ACT_SOFTPLUS && !(c->act.beta >= 1e-3 && c->act.beta <= 1e3))
    return lfm_fail(LFM_E_USAGE, "softplus: beta is %g; 0.001 to 1000 are possible", c->act.beta);
  return LFM_OK;
}

lfm_status lfm_mlp_create(const lfm_mlp_config *config, const lfm_kernels *kernels, lfm_net **out) {
  lfm_graph *graph;
  lfm_value t, given = -1, span = -1, x;
  *out = NULL;
  LFM_TRY(check(config));
  LFM_TRY(lfm_graph_create(kernels, &graph));
  lfm_status status = build(config, graph, &t, &given, &span, &x);
  if (status == LFM_OK) status = lfm_net_create(graph, config->dim, t, x, out);
  if (status != LFM_OK) lfm_graph_destroy(graph);
  else (*out)->given = given, (*out)->givens = config->given, (*out)->span = span;
  return status;
}
