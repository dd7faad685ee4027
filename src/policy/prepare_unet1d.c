/* SPDX-License-Identifier: MIT
 *
 * prepare_unet1d.c -- the conditional U-Net of net/unet1d.c in steps.
 *
 * What a level keeps on the way down is written beside the place where the way up will put its own, so nothing is put side by
 * side.  A transposed convolution is two ordinary ones, for the even and the odd positions.  Blocks are scaled and shifted by
 * maps A of c = mish(e(t), given), which are sums A_t mish(e(t)) + (A_g mish(given) + b).
 */
#include "policy/prepare_internal.h"

#include "core/alloc.h"

#include <math.h>
#include <stdio.h>

enum { NAME = LFM_PREPARED_NAME, LIST = 24 };

/* The series at work. */
typedef struct builder {
  lfm_prepared *p;
  const lfm_unet1d_config *c;
  lfm_rt_place h;
  int64_t length;
  int64_t runs[2]; /* channels of h: one run, or two that are filled up each */
} builder;

static int64_t width_of(const lfm_unet1d_config *c, int level) { return c->mults[level] * c->hidden_dim; }

static lfm_rt_place shifted(lfm_rt_place place, int64_t positions) {
  return (lfm_rt_place){place.at + positions * place.row, place.row};
}

static void conv(builder *b, const char *name, lfm_rt_place from, const int64_t runs[2], lfm_rt_place to, int64_t out,
                 int64_t taps, int64_t stride, bool adds) {
  int64_t read = runs[1] ? lfm_whole_vectors(runs[0]) + runs[1] : runs[0];
  lfm_rt_step step = {.positions = b->length,
                      .from = shifted(from, -(taps / 2)),
                      .to = to,
                      .stride = stride,
                      .taps = taps,
                      .in = read,
                      .adds = adds,
                      .is_series = stride == 1,
                      .more = -1};
  lfm_source *source = lfm_prepare_conv(b->p, name, step, runs[0] + runs[1], out);
  source->in[0] = runs[0], source->in[1] = runs[1];
  source->before = taps / 2;
}

static void norm(builder *b, const char *name, lfm_rt_place from, lfm_rt_place to, int64_t channels, int64_t more) {
  lfm_prepare_norm(
      b->p, name,
      (lfm_rt_step){
          .positions = b->length, .channels = channels, .from = from, .to = to, .more = more, .groups = b->c->groups});
}

/* Convolution, norm, mish; more: what scales and shifts behind them, or -1. */
static void conv_block(builder *b, const char *of, int index, lfm_rt_place from, const int64_t runs[2], lfm_rt_place to,
                       int64_t width, int64_t more) {
  char name[NAME];
  lfm_rt_place plain = lfm_prepare_kept(b->p, to, b->length, width);
  snprintf(name, sizeof name, "%s%d.block.0", of, index);
  conv(b, name, from, runs, plain, width, b->c->kernel_size, 1, false);
  snprintf(name, sizeof name, "%s%d.block.1", of, index);
  norm(b, name, plain, to, width, more);
}

/* h becomes a residual block of itself, which ends at `to`. */
static void residual(builder *b, const char *where, int index, int64_t width, lfm_rt_place to) {
  char name[NAME], of[NAME];
  int64_t more;
  lfm_rt_place middle = lfm_prepare_array(b->p, b->length, width);
  snprintf(name, sizeof name, "%s.%d.cond_encoder.1", where, index);
  lfm_prepare_timed(b->p, name, 2 * width, &more);
  snprintf(of, sizeof of, "%s.%d.blocks.", where, index);
  conv_block(b, of, 0, b->h, b->runs, middle, width, more);
  conv_block(b, of, 1, middle, (int64_t[2]){width, 0}, to, width, -1);
  snprintf(name, sizeof name, "%s.%d.residual_conv", where, index);
  if (b->runs[0] + b->runs[1] != width) conv(b, name, b->h, b->runs, to, width, 1, 1, true);
  else
    lfm_prepare_step(b->p,
                     (lfm_rt_step){.kind = LFM_RT_ADD, .positions = b->length, .channels = width, .from = b->h, .to = to});
  b->h = to;
  b->runs[0] = width, b->runs[1] = 0;
}

/* Two, the second of which ends at `end`. */
static void residuals(builder *b, const char *where, int64_t width, lfm_rt_place end) {
  residual(b, where, 0, width, lfm_prepare_array(b->p, b->length, width));
  residual(b, where, 1, width, end);
}

static void shorten(builder *b, const char *where) {
  char name[NAME];
  snprintf(name, sizeof name, "%s.2.conv", where);
  b->length /= 2;
  lfm_rt_place to = lfm_prepare_array(b->p, b->length, b->runs[0]);
  conv(b, name, b->h, b->runs, to, b->runs[0], 3, 2, false);
  b->h = to;
}

/* torch's ConvTranspose1d(4, 2, 1): position 2q is made by taps 3 and 1 of q - 1 and q, 2q + 1 by 2 and 0 of q and q + 1. */
static void lengthen(builder *b, const char *where, lfm_rt_place to) {
  char name[NAME];
  snprintf(name, sizeof name, "%s.2.conv", where);
  for (int odd = 0; odd < 2; odd++) {
    lfm_rt_step step = {.positions = b->length,
                        .from = shifted(b->h, odd - 1),
                        .to = {to.at + odd * to.row, 2 * to.row},
                        .stride = 1,
                        .taps = 2,
                        .in = b->runs[0],
                        .more = -1};
    lfm_source *source = lfm_prepare_conv(b->p, name, step, b->runs[0], b->runs[0]);
    source->turned = true, source->all_taps = 4, source->before = 1 - odd;
    source->tap[0] = odd ? 2 : 3, source->tap[1] = odd ? 0 : 1;
  }
  b->h = to;
  b->length *= 2;
}

static void build_field(builder *b) {
  char where[LIST];
  const lfm_unet1d_config *c = b->c;
  int last = c->mult_count - 1;
  lfm_rt_place kept[LFM_UNET_LEVELS]; /* of the way up's channels, and behind them the way down's */
  for (int level = 0; level <= last; level++) {
    int64_t width = width_of(c, level), row = level ? lfm_whole_vectors(width) : 0;
    snprintf(where, sizeof where, "down_modules.%d", level);
    kept[level] = lfm_prepare_array(b->p, b->length, row + width); /* nobody reads the first level's again */
    residuals(b, where, width, (lfm_rt_place){kept[level].at + row, kept[level].row});
    if (level < last) shorten(b, where);
  }
  residuals(b, "mid_modules", b->runs[0], last ? kept[last] : lfm_prepare_array(b->p, b->length, b->runs[0]));
  for (int level = last; level > 0; level--) {
    int64_t width = width_of(c, level - 1);
    b->runs[1] = b->runs[0];
    snprintf(where, sizeof where, "up_modules.%d", last - level);
    residuals(b, where, width, lfm_prepare_array(b->p, b->length, width));
    lengthen(b, where, level > 1 ? kept[level - 1] : lfm_prepare_array(b->p, 2 * b->length, width));
  }
  lfm_rt_place y = lfm_prepare_array(b->p, b->length, b->runs[0]);
  conv_block(b, "final_conv.", 0, b->h, b->runs, y, b->runs[0], -1);
  conv(b, "final_conv.1", y, b->runs, b->p->field.v, c->channels, 1, 1, false);
}

/* Numbers that scale and shift, of all blocks: two a level on the way down, two in the middle, two a level on the way up. */
static int64_t count_timed(const lfm_unet1d_config *c) {
  int last = c->mult_count - 1;
  int64_t numbers = 2 * lfm_whole_vectors(2 * width_of(c, last));
  for (int level = 0; level <= last; level++) numbers += (level < last ? 4 : 2) * lfm_whole_vectors(2 * width_of(c, level));
  return numbers;
}

static int64_t widest(const lfm_unet1d_config *c) {
  int64_t most = 0;
  for (int level = 0; level < c->mult_count; level++) most = width_of(c, level) > most ? width_of(c, level) : most;
  return most;
}

/* ---- time --------------------------------------------------------------------------------------------------------- */

static double mish(double x) {
  double slope;
  return act_value_f64(LFM_ACT_MISH, 0, x, &slope);
}

/* y = W x + b of the encoder's map. */
static lfm_status encode(const lfm_net *net, const lfm_params *params, const char *name, int64_t out, int64_t in,
                         const double *x, double *y) {
  const float *w, *b;
  LFM_TRY(lfm_prepared_tensor(net, params, name, "weight", out * in, &w));
  LFM_TRY(lfm_prepared_tensor(net, params, name, "bias", out, &b));
  for (int64_t o = 0; o < out; o++) {
    y[o] = (double)b[o];
    for (int64_t i = 0; i < in; i++) y[o] += (double)w[o * in + i] * x[i];
  }
  return LFM_OK;
}

/* A_t e of all maps, into row. */
static lfm_status scale_and_shift(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, const double *e,
                                  float *row) {
  int64_t width = p->unet.step_embed_dim, in = width + p->unet.given;
  for (int64_t m = 0; m < p->map_count; m++) {
    const float *w;
    LFM_TRY(lfm_prepared_tensor(net, params, p->maps[m].name, "weight", p->maps[m].out * in, &w));
    for (int64_t o = 0; o < p->maps[m].out; o++) {
      double sum = 0.0;
      for (int64_t i = 0; i < width; i++) sum += (double)w[o * in + i] * e[i];
      row[p->maps[m].at + o] = (float)sum;
    }
  }
  return LFM_OK;
}

static lfm_status time_of(const lfm_prepared *p, const lfm_net *net, const lfm_params *params, double t, float *row) {
  int64_t width = p->unet.step_embed_dim, half = width / 2;
  double *wave, *wide, *e;
  LFM_TRY(LFM_ALLOC(&wave, 6 * width));
  wide = wave + width, e = wide + 4 * width;
  for (int64_t i = 0; i < half; i++) {
    double angle = t * exp(half > 1 ? -(double)i * log(10000.0) / (double)(half - 1) : 0.0);
    wave[i] = sin(angle), wave[half + i] = cos(angle);
  }
  lfm_status status;
  LFM_TRY_GOTO(encode(net, params, "diffusion_step_encoder.1", 4 * width, width, wave, wide), done);
  for (int64_t i = 0; i < 4 * width; i++) wide[i] = mish(wide[i]);
  LFM_TRY_GOTO(encode(net, params, "diffusion_step_encoder.3", width, 4 * width, wide, e), done);
  for (int64_t i = 0; i < width; i++) e[i] = mish(e[i]);
  status = scale_and_shift(p, net, params, e, row);
done:
  lfm_free(wave);
  return status;
}

lfm_status lfm_prepare_unet1d(const lfm_unet1d_config *config, bool back, lfm_prepared **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  lfm_prepared *p = *out;
  builder b = {.p = p, .c = config, .length = config->length, .runs = {config->channels}};
  p->unet = *config;
  p->back = back;
  p->time = time_of;
  p->margin = config->kernel_size / 2 > 1 ? config->kernel_size / 2 : 1;
  lfm_prepare_given(p, config->given, count_timed(config), true);
  p->field.positions = config->length, p->field.channels = config->channels;
  p->field.x = lfm_prepare_array(p, config->length, config->channels);
  p->field.v = lfm_prepare_array(p, config->length, config->channels);
  p->field.room = lfm_prepare_array(p, 1, (back ? 4 : 2) * widest(config)).at;
  b.h = p->field.x;
  build_field(&b);
  for (int64_t m = 0; m < p->map_count; m++)
    lfm_prepare_given_map(p, &p->maps[m], config->step_embed_dim, config->step_embed_dim + config->given);
  lfm_status status = lfm_prepare_finish(p);
  if (status == LFM_OK) return LFM_OK;
  lfm_prepared_destroy(p);
  *out = NULL;
  return status;
}
