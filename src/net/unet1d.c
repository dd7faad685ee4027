/* SPDX-License-Identifier: MIT
 *
 * unet1d.c -- the conditional U-Net of Diffusion Policy as velocity field of series: a chunk of actions, given what was
 * observed.  [Chi et al. 2023; Janner et al. 2022]
 *
 *   c     mish of (an MLP of the sinusoids of t, what is given): every block reads it
 *   down  at each level two residual blocks; then a convolution of stride 2
 *   mid   two residual blocks
 *   up    the same backwards, the first block of each level reading beside h what was kept on the way down; then lengthened
 * A residual block is convolution, GroupNorm, Mish, twice, with scale and shift from c behind the first.  What the first
 * level keeps nobody reads, as in the public implementation, whose names these are.  A series is an image of one line, so all
 * that images have (kernels, halves, tangents) serves here.
 */
#include "net/internal.h"
#include <stdio.h>

typedef struct builder {
  const lfm_unet1d_config *c;
  lfm_graph *graph;
  lfm_value given, span, e, h; /* e: c of the head comment */
  int64_t width;               /* channels of h */
  lfm_value skip[LFM_UNET_LEVELS];
} builder;

enum { NAME = 96, LIST = 32, BLOCK = 64 }; /* of names */

/* Convolution, norm, mish; e below 0: nothing behind it.  `of` is the block's name up to its number. */
static lfm_status conv_block(builder *b, const char *of, int index, lfm_value x, int64_t width, lfm_value e, lfm_value *y) {
  char name[NAME];
  snprintf(name, sizeof name, "%s%d.block.0", of, index);
  LFM_TRY(lfm_graph_conv(b->graph, name, x, &(lfm_graph_conv_config){width, b->c->kernel_size, 1, 3, false}, y));
  lfm_graph_norm_config norm = {
      .e = e, .modulation = e < 0 ? LFM_MODULATE_NONE : LFM_MODULATE_BEHIND, .act = LFM_ACT_MISH, .groups = b->c->groups};
  snprintf(name, sizeof name, "%s%d.block.1", of, index);
  return lfm_graph_norm(b->graph, name, *y, &norm, y);
}

/* The module `index` of the list `where`. */
static lfm_status residual(builder *b, const char *where, int index, int64_t width) {
  char name[NAME], of[BLOCK];
  lfm_value e, y, skip = b->h;
  snprintf(name, sizeof name, "%s.%d.cond_encoder.1", where, index);
  LFM_TRY(lfm_graph_linear(b->graph, name, b->e, 2 * width, (lfm_act){LFM_ACT_NONE, 0}, &e));
  snprintf(of, sizeof of, "%s.%d.blocks.", where, index);
  LFM_TRY(conv_block(b, of, 0, b->h, width, e, &y));
  LFM_TRY(conv_block(b, of, 1, y, width, -1, &y));
  if (width != b->width) {
    snprintf(name, sizeof name, "%s.%d.residual_conv", where, index);
    LFM_TRY(lfm_graph_conv(b->graph, name, b->h, &(lfm_graph_conv_config){width, 1, 1, 3, false}, &skip));
  }
  b->width = width;
  return lfm_graph_add(b->graph, skip, y, &b->h);
}

static int64_t width_of(const builder *b, int level) { return b->c->mults[level] * b->c->hidden_dim; }

static lfm_status go_down(builder *b) {
  char name[NAME], where[LIST];
  for (int level = 0; level < b->c->mult_count; level++) {
    snprintf(where, sizeof where, "down_modules.%d", level);
    for (int i = 0; i < 2; i++) LFM_TRY(residual(b, where, i, width_of(b, level)));
    b->skip[level] = b->h;
    if (level == b->c->mult_count - 1) continue;
    snprintf(name, sizeof name, "%s.2.conv", where);
    LFM_TRY(lfm_graph_conv(b->graph, name, b->h, &(lfm_graph_conv_config){b->width, 3, 2, 3, false}, &b->h));
  }
  return LFM_OK;
}

static lfm_status go_up(builder *b) {
  char name[NAME], where[LIST];
  for (int level = b->c->mult_count - 1; level > 0; level--) {
    snprintf(where, sizeof where, "up_modules.%d", b->c->mult_count - 1 - level);
    LFM_TRY(lfm_graph_concat(b->graph, b->h, b->skip[level], &b->h));
    b->width += width_of(b, level);
    for (int i = 0; i < 2; i++) LFM_TRY(residual(b, where, i, width_of(b, level - 1)));
    snprintf(name, sizeof name, "%s.2.conv", where);
    LFM_TRY(lfm_graph_lengthen(b->graph, name, b->h, b->width, &b->h));
  }
  return LFM_OK;
}

static lfm_status embed(builder *b, lfm_value t) {
  lfm_act mish = {LFM_ACT_MISH, 0}, none = {LFM_ACT_NONE, 0};
  int64_t width = b->c->step_embed_dim;
  LFM_TRY(lfm_graph_sinusoid(b->graph, t, width, true, &b->e));
  if (b->c->span) LFM_TRY(lfm_graph_concat(b->graph, b->span, b->e, &b->e));
  LFM_TRY(lfm_graph_linear(b->graph, "diffusion_step_encoder.1", b->e, 4 * width, mish, &b->e));
  LFM_TRY(lfm_graph_linear(b->graph, "diffusion_step_encoder.3", b->e, width, none, &b->e));
  if (b->c->given) LFM_TRY(lfm_graph_concat(b->graph, b->e, b->given, &b->e));
  return lfm_graph_activate(b->graph, b->e, mish, &b->e);
}

static lfm_status build(builder *b, lfm_value *t, lfm_value *x) {
  lfm_value y;
  const lfm_unet1d_config *c = b->c;
  LFM_TRY(lfm_graph_input(b->graph, 1, false, t));
  if (c->given) LFM_TRY(lfm_graph_input(b->graph, c->given, false, &b->given));
  if (c->span) LFM_TRY(lfm_graph_input(b->graph, 1, false, &b->span));
  LFM_TRY(lfm_graph_input(b->graph, c->length * c->channels, true, x));
  LFM_TRY(embed(b, *t));
  LFM_TRY(lfm_graph_line(b->graph, *x, c->length, c->channels, &b->h));
  b->width = c->channels;
  LFM_TRY(go_down(b));
  for (int i = 0; i < 2; i++) LFM_TRY(residual(b, "mid_modules", i, b->width));
  LFM_TRY(go_up(b));
  LFM_TRY(conv_block(b, "final_conv.", 0, b->h, b->width, -1, &y));
  LFM_TRY(lfm_graph_conv(b->graph, "final_conv.1", y, &(lfm_graph_conv_config){c->channels, 1, 1, 3, false}, &y));
  LFM_TRY(lfm_graph_series(b->graph, y, &y));
  return lfm_graph_finish(b->graph, y);
}

static lfm_status check_widths(const lfm_unet1d_config *c) {
  enum { MOST_MULT = 64, MOST_WIDTH = 4096, WHOLE = 16 };
  if (c->hidden_dim < 1 || c->hidden_dim > MOST_WIDTH || c->groups < 1 || c->hidden_dim % c->groups)
    return lfm_fail(LFM_E_USAGE, "hidden_dim is %lld in %lld groups; up to %d channels, in groups of one size, are possible",
                    (long long)c->hidden_dim, (long long)c->groups, MOST_WIDTH);
  for (int k = 0; k < c->mult_count; k++) {
    if (c->mults[k] < 1 || c->mults[k] > MOST_MULT)
      return lfm_fail(LFM_E_USAGE, "unet_dim_mults: %d; 1 to %d are possible", c->mults[k], MOST_MULT);
    if (k > 0 && c->mults[k] * c->hidden_dim % WHOLE)
      return lfm_fail(LFM_E_USAGE,
                      "unet_dim_mults: %d times a hidden_dim of %lld is no multiple of %d, which all but the first "
                      "width are to be",
                      c->mults[k], (long long)c->hidden_dim, WHOLE);
  }
  return LFM_OK;
}

static lfm_status check(const lfm_unet1d_config *c) {
  enum { MOST_LENGTH = 4096, MOST_CHANNELS = 1024, MOST_EMBED = 4096, MOST_GIVEN = 1 << 20 };
  if (c->mult_count < 1 || c->mult_count > LFM_UNET_LEVELS)
    return lfm_fail(LFM_E_USAGE, "unet_dim_mults: 1 to %d numbers are possible", LFM_UNET_LEVELS);
  int64_t least = (int64_t)1 << (c->mult_count - 1);
  if (c->channels < 1 || c->channels > MOST_CHANNELS || c->length < least || c->length > MOST_LENGTH || c->length % least)
    return lfm_fail(LFM_E_USAGE,
                    "a series of %lld steps of %lld numbers cannot be halved %d times: take fewer unet_dim_mults, or "
                    "another prediction_horizon",
                    (long long)c->length, (long long)c->channels, c->mult_count - 1);
  if (c->step_embed_dim < 2 || c->step_embed_dim % 2 || c->step_embed_dim > MOST_EMBED || c->given < 0 ||
      c->given > MOST_GIVEN)
    return lfm_fail(LFM_E_USAGE, "step_embed_dim is %lld, of %lld given numbers; even ones to %d, and up to %d, are possible",
                    (long long)c->step_embed_dim, (long long)c->given, MOST_EMBED, MOST_GIVEN);
  if (c->kernel_size < 1 || c->kernel_size % 2 == 0)
    return lfm_fail(LFM_E_USAGE, "kernel_size is %lld; an odd number of taps is needed", (long long)c->kernel_size);
  return check_widths(c);
}

lfm_status lfm_unet1d_create(const lfm_unet1d_config *config, const lfm_kernels *kernels, lfm_net **out) {
  builder b = {.c = config, .given = -1, .span = -1};
  lfm_value t, x;
  *out = NULL;
  LFM_TRY(check(config));
  LFM_TRY(lfm_graph_create(kernels, &b.graph));
  lfm_status status = build(&b, &t, &x);
  if (status == LFM_OK) status = lfm_net_create(b.graph, config->length * config->channels, t, x, out);
  if (status != LFM_OK) lfm_graph_destroy(b.graph);
  else (*out)->given = b.given, (*out)->givens = config->given, (*out)->span = b.span;
  return status;
}
