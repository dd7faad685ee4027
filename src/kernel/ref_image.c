/* SPDX-License-Identifier: MIT
 *
 * ref_image.c -- the kernels of image.h in plain C, for double and float from one text each:
 *   ref_conv_body.h    convolutions on plain images: the definition, and the oracle of the fast ones
 *   ref_norm_body.h    GroupNorm with embedding and SiLU or Mish, forward, backward, tangent
 *   ref_image_body.h   resampling, softmax, copies between layouts, dropout; the table
 * The last two take images of any block: the table of oneDNN has them, too.  They are made a third time for images of
 * bfloat16, which are read and written as such (HELD) and computed with in floats (NUM): a pass over memory is then half as
 * long.  Convolutions are not: they add up in memory.
 */
#include "core/act.h"
#include "core/alloc.h"
#include "kernel/bf16.h"
#include "kernel/image.h"

#include <string.h>

/* Sums of images run in this many strands side by side, a whole number of blocks. */
enum { STRANDS = 64 };
enum { MASK = 1024 }; /* numbers of a mask at a time */

struct lfm_conv {
  lfm_conv_shape shape;
  lfm_conv_pass pass;
  int64_t rows;
};

static lfm_filter plain_filter(const lfm_conv_shape *shape, lfm_conv_pass pass) {
  (void)pass;
  return lfm_filter_of(shape, 1);
}

static lfm_status conv_create(const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows, lfm_conv **out) {
  (void)bias;
  LFM_TRY(LFM_ALLOC(out, 1));
  **out = (lfm_conv){*shape, pass, rows};
  return LFM_OK;
}

static size_t conv_scratch(const lfm_conv *conv) {
  (void)conv;
  return 0;
}

static void conv_destroy(lfm_conv *conv) { lfm_free(conv); }

/* The outputs [*first, *end) along an axis whose input lies inside it, for the tap `shift` away from the middle. */
static void inside(int64_t in, int64_t out, int64_t stride, int64_t shift, int64_t *first, int64_t *end) {
  *first = shift < 0 ? (-shift + stride - 1) / stride : 0;
  *end = (in - shift + stride - 1) / stride;
  if (*end > out) *end = out;
}

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define NAME(function) PASTE(function, TAG)

/* NUM: what is computed with; HELD: what images are of, GET and PUT between the two. */
#define HELD NUM
#define GET(x) (x)
#define PUT(x) (x)
#define CONVOLUTIONS                                                                                                         \
  .filter = plain_filter, .pack_filter = NAME(pack_filter), .conv_create = conv_create, .conv_scratch = conv_scratch,        \
  .conv_run = NAME(conv_run), .conv_gradient = NAME(conv_gradient), .conv_destroy = conv_destroy

#define NUM float
#define TAG f32
#include "kernel/ref_conv_body.h"

#include "kernel/ref_norm_body.h"

#include "kernel/ref_image_body.h"
#undef NUM
#undef TAG

#define NUM double
#define TAG f64
#include "kernel/ref_conv_body.h"

#include "kernel/ref_norm_body.h"

#include "kernel/ref_image_body.h"
#undef NUM
#undef TAG

#undef HELD
#undef GET
#undef PUT
#undef CONVOLUTIONS
#define HELD uint16_t
#define GET(x) lfm_bf16_value(x)
#define PUT(x) lfm_bf16_of(x)
#define CONVOLUTIONS .half = true
#define act_exp_bf16 act_exp_f32
#define act_value_bf16 act_value_f32

#define NUM float
#define TAG bf16
#include "kernel/ref_norm_body.h"

#include "kernel/ref_image_body.h"
