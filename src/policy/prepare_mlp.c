/* SPDX-License-Identifier: MIT
 *
 * prepare_mlp.c -- the perceptron of net/mlp.c in steps: a position, and a map with its activation a layer.  The first layer
 * is W_x x + (W_g g + b) + W_t t: of its three terms only the first is left for the evaluation.
 */
#include "policy/prepare_internal.h"

#include "core/alloc.h"

#include <stdio.h>

static void name_of(char name[LFM_PREPARED_NAME], int layer) { snprintf(name, LFM_PREPARED_NAME, "net.%d", 2 * layer); }

static bool sees_time(const lfm_mlp_config *c, int layer) { return layer == 0 || c->cat_t_all; }
static int64_t out_of(const lfm_mlp_config *c, int layer) { return layer < c->num_hidden ? c->hidden_dim : c->dim; }

/* Inputs of a layer in front of h: t, and to begin with what is given. */
static int64_t in_front(const lfm_mlp_config *c, int layer) { return sees_time(c, layer) + (layer ? 0 : c->given); }
static int64_t in_of(const lfm_mlp_config *c, int layer) { return in_front(c, layer) + (layer ? c->hidden_dim : c->dim); }

static void add_layer(lfm_prepared *p, int layer, lfm_rt_place from, lfm_rt_place to, const int64_t *timed) {
  const lfm_mlp_config *c = &p->mlp;
  char name[LFM_PREPARED_NAME];
  name_of(name, layer);
  int64_t read = in_of(c, layer) - in_front(c, layer);
  lfm_rt_place plain = layer == c->num_hidden ? to : lfm_prepare_kept(p, to, 1, c->hidden_dim);
  lfm_rt_step step = {.positions = 1, .from = from, .to = plain, .stride = 1, .taps = 1, .in = read};
  step.bias = timed ? -1 : 0;
  step.more = timed ? *timed : -1;
  lfm_source *source = lfm_prepare_conv(p, name, step, in_of(c, layer), out_of(c, layer));
  source->first_in = in_front(c, layer), source->in[0] = read;
  if (layer == c->num_hidden) return;
  lfm_prepare_step(p, (lfm_rt_step){.kind = LFM_RT_ACT,
                                    .positions = 1,
                                    .channels = c->hidden_dim,
                                    .from = plain,
                                    .to = to,
                                    .act = c->act.kind,
                                    .beta = (float)c->act.beta});
}

/* W_t t of every layer that sees it. */
static lfm_status time_of(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, double t, float *row) {
  const lfm_mlp_config *c = &p->mlp;
  for (int layer = 0; layer < p->map_count; layer++) {
    const float *w;
    int64_t in = in_of(c, layer);
    LFM_TRY(lfm_prepared_tensor(net, params, p->maps[layer].name, "weight", p->maps[layer].out * in, &w));
    for (int64_t o = 0; o < p->maps[layer].out; o++) row[p->maps[layer].at + o] = (float)((double)w[o * in] * t);
  }
  return LFM_OK;
}

static void build(lfm_prepared *p) {
  const lfm_mlp_config *c = &p->mlp;
  char name[LFM_PREPARED_NAME];
  int64_t timed = 0;
  for (int layer = 0; layer <= c->num_hidden; layer++)
    if (sees_time(c, layer)) timed += lfm_whole_vectors(out_of(c, layer));
  lfm_prepare_given(p, c->given, timed, false);
  p->field.positions = 1, p->field.channels = c->dim;
  p->field.x = lfm_prepare_array(p, 1, c->dim), p->field.v = lfm_prepare_array(p, 1, c->dim);
  lfm_rt_place from = p->field.x, to;
  for (int layer = 0; layer <= c->num_hidden; layer++, from = to) {
    int64_t at;
    bool sees = sees_time(c, layer);
    name_of(name, layer);
    to = layer == c->num_hidden ? p->field.v : lfm_prepare_array(p, 1, c->hidden_dim);
    if (sees) lfm_prepare_timed(p, name, out_of(c, layer), &at);
    add_layer(p, layer, from, to, sees ? &at : NULL);
  }
  /* Only the first reads what is given: of the others the product is with channels that do not exist. */
  for (int layer = 0; layer < p->map_count; layer++) {
    lfm_prepare_given_map(p, &p->maps[layer], 1, in_of(c, layer));
    if (layer > 0) p->sources[p->source_count - 1].in[0] = 0;
  }
}

lfm_status lfm_prepare_mlp(const lfm_mlp_config *config, bool back, lfm_prepared **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->mlp = *config;
  (*out)->back = back;
  (*out)->time = time_of;
  build(*out);
  lfm_status status = lfm_prepare_finish(*out);
  if (status == LFM_OK) return LFM_OK;
  lfm_prepared_destroy(*out);
  *out = NULL;
  return status;
}
