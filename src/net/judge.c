/* SPDX-License-Identifier: MIT
 *
 * judge.c -- the network that judges pictures: three convolutions, the last two of stride 2, each with GroupNorm and SiLU;
 * a linear map to the features; another to the logits.  The first net here whose output is not a velocity: it takes no t.
 * The features are kept beside the logits, so that one run gives both.  The names count as those of a torch.nn.Sequential do:
 *   Conv2d GroupNorm SiLU  Conv2d GroupNorm SiLU  Conv2d GroupNorm SiLU  Flatten Linear SiLU  Linear
 */
#include "net/internal.h"
#include <stdio.h>

static const struct { int64_t channels, stride; } layers[] = {{32, 1}, {64, 2}, {128, 2}};
enum { LAYERS = sizeof layers / sizeof *layers };

static lfm_status convolve(lfm_graph *graph, lfm_value *h) {
  char name[16];
  for (int i = 0; i < LAYERS; i++) {
    lfm_graph_conv_config conv = {.channels = layers[i].channels, .size = 3, .stride = layers[i].stride, .dims = 4};
    snprintf(name, sizeof name, "net.%d", 3 * i);
    LFM_TRY(lfm_graph_conv(graph, name, *h, &conv, h));
    snprintf(name, sizeof name, "net.%d", 3 * i + 1);
    LFM_TRY(lfm_graph_norm(graph, name, *h, &(lfm_graph_norm_config){.act = LFM_ACT_SILU}, h));
  }
  return lfm_graph_plain(graph, *h, h);
}

static lfm_status build(const lfm_judge_config *c, lfm_graph *graph, lfm_value *x, lfm_value *features) {
  lfm_value h;
  LFM_TRY(lfm_graph_input(graph, c->channels * c->height * c->width, false, x));
  LFM_TRY(lfm_graph_image(graph, *x, c->channels, c->height, c->width, &h));
  LFM_TRY(convolve(graph, &h));
  LFM_TRY(lfm_graph_linear(graph, "net.10", h, LFM_JUDGE_WIDTH, (lfm_act){LFM_ACT_SILU, 0}, features));
  LFM_TRY(lfm_graph_keep(graph, *features));
  LFM_TRY(lfm_graph_linear(graph, "net.12", *features, c->classes, (lfm_act){LFM_ACT_NONE, 0}, &h));
  return lfm_graph_finish(graph, h);
}

static lfm_status check(const lfm_judge_config *c) {
  if (c->channels < 1 || c->height < 1 || c->width < 1 || c->classes < 1)
    return lfm_fail(LFM_E_USAGE, "judge: pictures of %lld x %lld x %lld, of %lld classes", (long long)c->channels,
                    (long long)c->height, (long long)c->width, (long long)c->classes);
  if (c->height <= LFM_JUDGE_MOST_SIDE && c->width <= LFM_JUDGE_MOST_SIDE) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "judge: pictures of %lld x %lld; up to %d x %d are possible: have them scaled to a size",
                  (long long)c->width, (long long)c->height, LFM_JUDGE_MOST_SIDE, LFM_JUDGE_MOST_SIDE);
}

lfm_status lfm_judge_net_create(const lfm_judge_config *config, const lfm_kernels *kernels, lfm_net **out) {
  lfm_graph *graph;
  lfm_value x, features;
  *out = NULL;
  LFM_TRY(check(config));
  LFM_TRY(lfm_graph_create(kernels, &graph));
  lfm_status status = build(config, graph, &x, &features);
  if (status == LFM_OK) status = lfm_net_create(graph, config->channels * config->height * config->width, -1, x, out);
  if (status != LFM_OK) lfm_graph_destroy(graph);
  else (*out)->out = config->classes, (*out)->features = features;
  return status;
}
