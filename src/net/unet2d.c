/* SPDX-License-Identifier: MIT
 *
 * unet2d.c -- the U-Net of guided diffusion as velocity field of images.  [Dhariwal and Nichol 2021]
 *
 *   emb   silu of an MLP of the sinusoids of t (+ the class's row); every block takes it, so it is computed once
 *   down  at each level res_depth residual blocks, with attention where its resolution says so; then a convolution of
 *         stride 2
 *   mid   residual block, attention, residual block
 *   up    the same backwards with one block more a level, each of which reads beside h what was kept on the way down; then
 *         nearest enlargement and a convolution
 * Names and their order are those of the public implementation, the last map of every residual branch starts at zero, the
 * rest as torch starts it.
 */
#include "net/internal.h"
#include <stdio.h>

enum { MOST_DEPTH = 16, MOST_SKIPS = LFM_UNET_LEVELS * (MOST_DEPTH + 1) + 1, TIME_WIDTH = 4 };

typedef struct builder {
  const lfm_unet2d_config *c;
  lfm_graph *graph;
  lfm_value emb, h;
  int64_t channels; /* of h */
  int64_t shrunk;   /* how many times smaller than the image h is */
  lfm_value skip[MOST_SKIPS];
  int64_t skip_channels[MOST_SKIPS];
  int skips;
  char name[28]; /* of the block at work, without its last part */
} builder;

static const char *part(const builder *b, char *room, size_t size, int index, const char *what) {
  snprintf(room, size, "%s.%d%s%s", b->name, index, *what ? "." : "", what);
  return room;
}

static lfm_status conv(builder *b, int index, const char *what, lfm_value x, lfm_graph_conv_config config, lfm_value *out) {
  char name[64];
  return lfm_graph_conv(b->graph, part(b, name, sizeof name, index, what), x, &config, out);
}

static lfm_status norm(builder *b, int index, const char *what, lfm_value x, lfm_graph_norm_config config, lfm_value *out) {
  char name[64];
  return lfm_graph_norm(b->graph, part(b, name, sizeof name, index, what), x, &config, out);
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

/* h + F(h, emb): norm, silu, convolution; norm with the embedding, silu, dropout, convolution. */
static lfm_status residual(builder *b, int index, int64_t channels) {
  char name[64];
  lfm_value e, y, skip = b->h;
  bool scales = b->c->scale_shift;
  LFM_TRY(norm(b, index, "in_layers.0", b->h, (lfm_graph_norm_config){.act = LFM_ACT_SILU}, &y));
  LFM_TRY(conv(b, index, "in_layers.2", y, (lfm_graph_conv_config){channels, 3, 1, 4, false}, &y));
  LFM_TRY(lfm_graph_linear(b->graph, part(b, name, sizeof name, index, "emb_layers.1"), b->emb,
                           scales ? 2 * channels : channels, (lfm_act){LFM_ACT_NONE, 0}, &e));
  lfm_graph_norm_config embedded = {
      .e = e, .modulation = scales ? LFM_MODULATE_SCALE : LFM_MODULATE_ADD, .act = LFM_ACT_SILU, .dropout = b->c->dropout};
  LFM_TRY(norm(b, index, "out_layers.0", y, embedded, &y));
  LFM_TRY(conv(b, index, "out_layers.3", y, (lfm_graph_conv_config){channels, 3, 1, 4, true}, &y));
  if (channels != b->channels)
    LFM_TRY(conv(b, index, "skip_connection", b->h, (lfm_graph_conv_config){channels, 1, 1, 4, false}, &skip));
  b->channels = channels;
  return lfm_graph_add(b->graph, skip, y, &b->h);
}

static lfm_status attention(builder *b, int index) {
  lfm_value y;
  int64_t each = b->c->num_head_channels ? b->c->num_head_channels : b->channels;
  if (b->channels % each)
    return lfm_fail(LFM_E_USAGE, "num_head_channels is %lld, which does not divide the %lld channels of %s", (long long)each,
                    (long long)b->channels, b->name);
  LFM_TRY(norm(b, index, "norm", b->h, (lfm_graph_norm_config){.act = LFM_ACT_NONE}, &y));
  LFM_TRY(conv(b, index, "qkv", y, (lfm_graph_conv_config){3 * b->channels, 1, 1, 3, false}, &y));
  LFM_TRY(lfm_graph_attention(b->graph, y, b->channels / each, &y));
  LFM_TRY(conv(b, index, "proj_out", y, (lfm_graph_conv_config){b->channels, 1, 1, 3, true}, &y));
  return lfm_graph_add(b->graph, b->h, y, &b->h);
}

static bool has_attention(const builder *b) {
  for (int i = 0; i < b->c->attention_count; i++)
    if (b->c->height / b->c->attention[i] == b->shrunk) return true;
  return false;
}

/* ---- the way down, and up ---------------------------------------------------------------------------------------- */

static void keep(builder *b) {
  b->skip[b->skips] = b->h, b->skip_channels[b->skips] = b->channels;
  b->skips++;
  snprintf(b->name, sizeof b->name, "input_blocks.%d", b->skips);
}

static lfm_status go_down(builder *b) {
  const lfm_unet2d_config *c = b->c;
  snprintf(b->name, sizeof b->name, "input_blocks.0");
  b->channels = c->mults[0] * c->hidden_dim;
  LFM_TRY(conv(b, 0, "", b->h, (lfm_graph_conv_config){b->channels, 3, 1, 4, false}, &b->h));
  keep(b);
  for (int level = 0; level < c->mult_count; level++) {
    for (int i = 0; i < c->res_depth; i++) {
      LFM_TRY(residual(b, 0, c->mults[level] * c->hidden_dim));
      if (has_attention(b)) LFM_TRY(attention(b, 1));
      keep(b);
    }
    if (level == c->mult_count - 1) continue;
    LFM_TRY(conv(b, 0, "op", b->h, (lfm_graph_conv_config){b->channels, 3, 2, 4, false}, &b->h));
    b->shrunk *= 2;
    keep(b);
  }
  return LFM_OK;
}

static lfm_status middle(builder *b) {
  snprintf(b->name, sizeof b->name, "middle_block");
  LFM_TRY(residual(b, 0, b->channels));
  LFM_TRY(attention(b, 1));
  return residual(b, 2, b->channels);
}

static lfm_status go_up(builder *b) {
  const lfm_unet2d_config *c = b->c;
  int block = 0;
  for (int level = c->mult_count - 1; level >= 0; level--)
    for (int i = 0; i <= c->res_depth; i++, block++) {
      snprintf(b->name, sizeof b->name, "output_blocks.%d", block);
      int next = 1;
      b->skips--;
      LFM_TRY(lfm_graph_concat(b->graph, b->h, b->skip[b->skips], &b->h));
      b->channels += b->skip_channels[b->skips];
      LFM_TRY(residual(b, 0, c->mults[level] * c->hidden_dim));
      if (has_attention(b)) LFM_TRY(attention(b, next++));
      if (level == 0 || i < c->res_depth) continue;
      LFM_TRY(lfm_graph_enlarge(b->graph, b->h, &b->h));
      LFM_TRY(conv(b, next, "conv", b->h, (lfm_graph_conv_config){b->channels, 3, 1, 4, false}, &b->h));
      b->shrunk /= 2;
    }
  return LFM_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static lfm_status embed(builder *b, lfm_value t, lfm_value *span, lfm_value *label) {
  const lfm_unet2d_config *c = b->c;
  lfm_act silu = {LFM_ACT_SILU, 0}, none = {LFM_ACT_NONE, 0};
  int64_t width = TIME_WIDTH * c->hidden_dim;
  LFM_TRY(lfm_graph_sinusoid(b->graph, t, c->hidden_dim, false, &b->emb));
  if (c->span) {
    LFM_TRY(lfm_graph_input(b->graph, 1, false, span));
    LFM_TRY(lfm_graph_concat(b->graph, *span, b->emb, &b->emb));
  }
  LFM_TRY(lfm_graph_linear(b->graph, "time_embed.0", b->emb, width, silu, &b->emb));
  LFM_TRY(lfm_graph_linear(b->graph, "time_embed.2", b->emb, width, c->classes ? none : silu, &b->emb));
  if (!c->classes) return LFM_OK;
  LFM_TRY(lfm_graph_input(b->graph, 1, false, label));
  return lfm_graph_embed(b->graph, "label_emb", b->emb, *label, c->classes, silu, &b->emb);
}

static lfm_status build(builder *b, lfm_value *t, lfm_value *x, lfm_value *span, lfm_value *label) {
  const lfm_unet2d_config *c = b->c;
  lfm_value v;
  LFM_TRY(lfm_graph_input(b->graph, 1, false, t));
  LFM_TRY(lfm_graph_input(b->graph, c->channels * c->height * c->width, true, x));
  LFM_TRY(embed(b, *t, span, label));
  LFM_TRY(lfm_graph_image(b->graph, *x, c->channels, c->height, c->width, &b->h));
  LFM_TRY(go_down(b));
  LFM_TRY(middle(b));
  LFM_TRY(go_up(b));
  snprintf(b->name, sizeof b->name, "out");
  LFM_TRY(norm(b, 0, "", b->h, (lfm_graph_norm_config){.act = LFM_ACT_SILU}, &v));
  LFM_TRY(conv(b, 2, "", v, (lfm_graph_conv_config){c->channels, 3, 1, 4, true}, &v));
  LFM_TRY(lfm_graph_plain(b->graph, v, &v));
  return lfm_graph_finish(b->graph, v);
}

static lfm_status check(const lfm_unet2d_config *c) {
  enum { MOST_SIDE = 4096, MOST_MULT = 64, MOST_WIDTH = 4096, MOST_CHANNELS = 1024 };
  if (c->mult_count < 1 || c->mult_count > LFM_UNET_LEVELS || c->attention_count < 0 || c->attention_count > LFM_UNET_LEVELS)
    return lfm_fail(LFM_E_USAGE, "unet_dim_mults and attention_resolution: 1 to %d and up to %d numbers are possible",
                    LFM_UNET_LEVELS, LFM_UNET_LEVELS);
  if (c->res_depth < 1 || c->res_depth > MOST_DEPTH)
    return lfm_fail(LFM_E_USAGE, "res_depth is %d; 1 to %d blocks a level are possible", c->res_depth, MOST_DEPTH);
  if (c->hidden_dim < 2 || c->hidden_dim > MOST_WIDTH || c->channels < 1 || c->channels > MOST_CHANNELS)
    return lfm_fail(LFM_E_USAGE, "hidden_dim is %lld, of %lld channels; up to %d, and of up to %d, are possible",
                    (long long)c->hidden_dim, (long long)c->channels, MOST_WIDTH, MOST_CHANNELS);
  if (c->hidden_dim % LFM_USUAL_GROUPS)
    return lfm_fail(LFM_E_USAGE, "hidden_dim is %lld; a multiple of %d is needed, the groups that are normalised",
                    (long long)c->hidden_dim, LFM_USUAL_GROUPS);
  int64_t least = (int64_t)1 << (c->mult_count - 1);
  if (c->height < least || c->width < least || c->height % least || c->width % least || c->height > MOST_SIDE ||
      c->width > MOST_SIDE)
    return lfm_fail(LFM_E_USAGE, "images of %lld x %lld cannot be halved %d times; take fewer unet_dim_mults or crop them",
                    (long long)c->width, (long long)c->height, c->mult_count - 1);
  for (int i = 0; i < c->mult_count; i++)
    if (c->mults[i] < 1 || c->mults[i] > MOST_MULT)
      return lfm_fail(LFM_E_USAGE, "unet_dim_mults: %d; 1 to %d are possible", c->mults[i], MOST_MULT);
  for (int i = 0; i < c->attention_count; i++)
    if (c->attention[i] < 1) return lfm_fail(LFM_E_USAGE, "attention_resolution: %d pixels", c->attention[i]);
  if (c->num_head_channels < 0 || c->classes < 0)
    return lfm_fail(LFM_E_USAGE, "num_head_channels is %lld and the classes are %lld; neither may be below 0",
                    (long long)c->num_head_channels, (long long)c->classes);
  return LFM_OK;
}

lfm_status lfm_unet2d_create(const lfm_unet2d_config *config, const lfm_kernels *kernels, lfm_net **out) {
  builder b = {.c = config, .shrunk = 1};
  lfm_value t, x, span = -1, label = -1;
  *out = NULL;
  LFM_TRY(check(config));
  LFM_TRY(lfm_graph_create(kernels, &b.graph));
  lfm_status status = build(&b, &t, &x, &span, &label);
  if (status == LFM_OK) status = lfm_net_create(b.graph, config->channels * config->height * config->width, t, x, out);
  if (status != LFM_OK) return lfm_graph_destroy(b.graph), status;
  (*out)->given = label, (*out)->givens = config->classes ? 1 : 0, (*out)->classes = config->classes;
  (*out)->span = span;
  return LFM_OK;
}
