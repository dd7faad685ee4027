/* SPDX-License-Identifier: MIT
 *
 * image.h -- the kernels of a backend on images: convolutions, normalisation, resampling, softmax.  Part of table.h's table.
 *
 * How an image lies: [channels / block][height][width][block], `block` channels side by side at every pixel; channels beyond
 * the last are there up to a whole block, and zero.  Block 1 is plain [channels, height, width]; block 16, or 8, is a vector
 * of floats, which the fast convolutions read.  All but the convolutions are one text for both (ref_image_body.h).
 * One row is one image.  Every kernel treats the rows one by one, to the bit; sums over rows run from the first to the last.
 */
#ifndef LFM_KERNEL_IMAGE_H
#define LFM_KERNEL_IMAGE_H

#include "core/rng.h"
#include "core/status.h"
#include "kernel/kernel.h"

typedef struct lfm_image {
  int64_t channels, height, width, block;
} lfm_image;

static inline int64_t lfm_image_blocks(lfm_image image) { return (image.channels + image.block - 1) / image.block; }
static inline int64_t lfm_image_pixels(lfm_image image) { return image.height * image.width; }
/* Numbers a row, with those of the channels that are not there. */
static inline int64_t lfm_image_count(lfm_image image) {
  return lfm_image_blocks(image) * image.block * lfm_image_pixels(image);
}

/* A square kernel, or one of a line of taps for images of one line, at every `stride`-th pixel; (size - 1) / 2 zeros stand
 * in front of the image and so many behind it as the output needs. */
typedef struct lfm_conv_shape {
  lfm_image in, out;
  int64_t size, stride;
  bool line;
} lfm_conv_shape;

static inline int64_t lfm_conv_lines(const lfm_conv_shape *shape) { return shape->line ? 1 : shape->size; }
static inline int64_t lfm_conv_taps(const lfm_conv_shape *shape) { return lfm_conv_lines(shape) * shape->size; }

typedef enum lfm_conv_pass { LFM_CONV_FORWARD, LFM_CONV_BACK_DATA, LFM_CONV_BACK_WEIGHTS } lfm_conv_pass;

/* Weights [out, in, taps] cut into tiles of channels, which lie as [out][in][taps], or as [in][out][taps].  In a tile
 * [depth][block] the channels of `out` run fastest, or those of `in`; of the others it has `depth`, a block or two.  Channels
 * that are not there: zeros. */
typedef struct lfm_filter {
  int64_t out, in, taps, block, depth;
  bool in_first, in_fastest;
  bool half;    /* of halves, and of the channels that do not run fastest two at a time side by side */
  size_t count; /* numbers in all */
} lfm_filter;

typedef struct lfm_conv lfm_conv; /* one worker's: not to be run by two threads at a time */

/* What an embedding does to a normalisation: nothing; e [channels] is added to x in front of it; or (s, h) [2, channels] make
 * z (1 + s) + h behind it; or y s + h behind the activation.  [Perez et al. 2018; Nichol and Dhariwal 2021] */
typedef enum lfm_modulation { LFM_MODULATE_NONE, LFM_MODULATE_ADD, LFM_MODULATE_SCALE, LFM_MODULATE_BEHIND } lfm_modulation;

/* Is it of two numbers a channel? */
static inline bool lfm_modulation_is_wide(lfm_modulation modulation) {
  return modulation == LFM_MODULATE_SCALE || modulation == LFM_MODULATE_BEHIND;
}

/* y = act((u - mean) / sqrt(var + eps) gamma + beta) over groups of neighbouring channels.  [Wu and He 2018] */
typedef struct lfm_norm_spec {
  lfm_image image;
  int64_t groups;
  lfm_modulation modulation;
  lfm_act_kind act; /* none, silu or mish */
  int64_t apart;    /* from s to h in the embedding: the channels, unless these are some of more */
} lfm_norm_spec;

/* Numbers that are zero with probability p and 1 / (1 - p) otherwise, a function of rng, row and place. */
typedef struct lfm_dropout {
  lfm_rng rng;
  double p;
  uint32_t node;
} lfm_dropout;

typedef struct lfm_image_kernels {
  int64_t block;
  bool half; /* images, and what else is called one here, are of bfloat16; all other arrays are of numbers */

  /* How the weights lie that this pass (forward or back data) of a convolution reads. */
  lfm_filter (*filter)(const lfm_conv_shape *shape, lfm_conv_pass pass);
  /* dst from the rows [first, first + count) of w [out, in, taps]. */
  void (*pack_filter)(void *dst, const lfm_filter *filter, const void *w, int64_t first, int64_t count);

  lfm_status (*conv_create)(const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows, lfm_conv **out);
  size_t (*conv_scratch)(const lfm_conv *conv); /* bytes that each run of it may overwrite */
  /* forward: y = filter x + bias [out];  back data: dx from dy.  in and out [rows, image]. */
  lfm_status (*conv_run)(lfm_conv *conv, const void *in, const void *filter, const void *bias, void *out, void *scratch);
  /* back weights: dw [out, in, taps] and db [out] = or += the gradients. */
  lfm_status (*conv_gradient)(lfm_conv *conv, const void *x, const void *dy, void *dw, void *db, bool accumulate,
                              void *scratch);
  void (*conv_destroy)(lfm_conv *conv);
  /* Several workers on one image: is it better that each makes some of its pixels than some channels of all (NULL: never)?
   * Then conv_take: from now on a forward run makes only part `part` of `parts` of the pixels. */
  bool (*shares_pixels)(const lfm_conv_shape *shape);
  void (*conv_take)(lfm_conv *conv, int part, int parts);

  /* Between plain rows [rows, channels, pixels] or, pixels first, [rows, pixels, channels] and images. */
  void (*block_rows)(void *image, const void *plain, lfm_image shape, bool pixels_first, int64_t rows);
  void (*plain_rows)(void *plain, const void *image, lfm_image shape, bool pixels_first, int64_t rows);

  /* v [rows, image] += bias [channels];  d_bias = or += the sum of d's rows and pixels. */
  void (*add_bias)(void *v, const void *bias, lfm_image shape, int64_t rows);
  void (*sum_bias)(void *d_bias, const void *d, lfm_image shape, int64_t rows, bool accumulate);

  /* Normalisation.  e [rows, channels or 2 channels], or NULL; stats [rows, groups, 2]: mean, 1 / deviation, which forward
   * leaves for the others; scratch: norm_scratch bytes.
   *   backward   dy becomes rubbish; dx = or += (`add`); dgamma, dbeta [channels] += ; de = (unless NULL)
   *   tangent    panel rows f = first .. first + count - 1 of batch rows f / directions: dy from dx */
  size_t (*norm_scratch)(const lfm_norm_spec *spec);
  void (*norm)(void *y, const void *x, const void *e, const void *gamma, const void *beta, void *stats,
               const lfm_norm_spec *spec, int64_t rows, void *scratch);
  void (*norm_backward)(void *dx, void *dy, void *de, void *dgamma, void *dbeta, const void *x, const void *e,
                        const void *gamma, const void *beta, const void *stats, const lfm_norm_spec *spec, int64_t rows,
                        bool add, void *scratch);
  void (*norm_tangent)(void *dy, const void *dx, const void *x, const void *e, const void *gamma, const void *beta,
                       const void *stats, const lfm_norm_spec *spec, int64_t directions, int64_t first, int64_t count,
                       void *scratch);

  /* v [rows, image] times its mask, row i having the address row_of[i]. */
  void (*dropout)(void *v, lfm_image shape, const lfm_dropout *dropout, const int64_t *row_of, int64_t rows);

  /* large [rows, 2h, 2w] from small [rows, h, w], each pixel four times; and small = or += the sums of fours. */
  void (*enlarge)(void *large, const void *small, lfm_image small_shape, int64_t rows);
  void (*reduce)(void *small, const void *large, lfm_image small_shape, int64_t rows, bool add);

  /* Channels [first, first + count) of one image as a matrix times `scale`: [pixels, count], or transposed, of what images
   * are of; and back from one of numbers. */
  void (*gather)(void *matrix, const void *image, lfm_image shape, int64_t first, int64_t count, bool transposed,
                 double scale);
  void (*scatter)(void *image, const void *matrix, lfm_image shape, int64_t first, int64_t count, double scale);

  /* Attention's head `number` of one image, whole, where a kernel can (NULL: none can); op_attention.c says what lies where.
   *   attend            out = softmax(Q K' / sqrt(d)) V
   *   attend_backward   dqkv = its gradient; room: attend_room bytes */
  bool (*can_attend)(lfm_image out, int64_t heads);
  size_t (*attend_room)(lfm_image out, int64_t heads);
  void (*attend)(void *out, const void *qkv, lfm_image out_shape, int64_t heads, int64_t number, void *room);
  void (*attend_backward)(void *dqkv, const void *dout, const void *qkv, lfm_image out_shape, int64_t heads, int64_t number,
                          void *room);

  /* Rows of p [rows, n] become e^p / sum;  dp becomes p (dp - <p, dp>), the gradient or tangent of that. */
  void (*softmax)(void *p, int64_t rows, int64_t n);
  void (*softmax_slope)(void *dp, const void *p, int64_t rows, int64_t n);

  /* out [rows, dim], dim even: the cosines and sines of t f_j, with n = dim / 2
   *   (cos, sin), f_j = 10000^(-j / n);  or sines first, (sin, cos) and f_j = 10000^(-j / (n - 1)) */
  void (*sinusoid)(void *out, const void *t, int64_t dim, bool sines_first, int64_t rows);

  void (*sum)(void *y, const void *a, const void *b, size_t n); /* y = a + b of images' numbers; y may be either */
} lfm_image_kernels;

extern const lfm_image_kernels lfm_ref_images_f32, lfm_ref_images_f64;
extern const lfm_image_kernels lfm_ref_images_bf16; /* without convolutions */

/* Channels written, and read, a tile. */
static inline int64_t lfm_filter_outs(const lfm_filter *f) { return f->in_fastest ? f->depth : f->block; }
static inline int64_t lfm_filter_ins(const lfm_filter *f) { return f->in_fastest ? f->block : f->depth; }

static inline size_t lfm_filter_count(const lfm_filter *f) {
  int64_t outs = lfm_filter_outs(f), ins = lfm_filter_ins(f);
  return (size_t)((f->out + outs - 1) / outs * ((f->in + ins - 1) / ins) * f->taps * outs * ins);
}

static inline lfm_filter lfm_filter_of(const lfm_conv_shape *shape, int64_t block) {
  lfm_filter filter = {
      .out = shape->out.channels, .in = shape->in.channels, .taps = lfm_conv_taps(shape), .block = block, .depth = block};
  filter.count = lfm_filter_count(&filter);
  return filter;
}

/* The place of weight (o, i, tap). */
static inline int64_t lfm_filter_at(const lfm_filter *f, int64_t o, int64_t i, int64_t tap) {
  int64_t b = f->block, by_out = lfm_filter_outs(f), by_in = lfm_filter_ins(f);
  int64_t outs = (f->out + by_out - 1) / by_out, ins = (f->in + by_in - 1) / by_in;
  int64_t tile = f->in_first ? i / by_in * outs + o / by_out : o / by_out * ins + i / by_in;
  int64_t slow = f->in_fastest ? o % by_out : i % by_in, fast = f->in_fastest ? i % b : o % b;
  int64_t in_tile = f->half ? slow / 2 * 2 * b + fast * 2 + slow % 2 : slow * b + fast;
  return (tile * f->taps + tap) * b * f->depth + in_tile;
}

#endif
