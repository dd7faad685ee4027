/* SPDX-License-Identifier: MIT
 *
 * ref_image.c -- the kernels of image.h in plain C, for double and float from one text each:
 *   ref_conv_body.h    convolutions on plain images: the definition, and the oracle of the fast ones
 *   ref_norm_body.h    GroupNorm with embedding and SiLU, forward, backward, tangent
 *   ref_image_body.h   resampling, softmax, copies between layouts, dropout
 * in this order, since the first makes the names and the last the table.  The last two take images of any block: the table of
 * oneDNN has them, too.
 */
#include "core/alloc.h"
#include "kernel/act.h"
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

#define NUM float
#define TAG f32
#define IMAGE_TABLE lfm_ref_images_f32
#include "kernel/ref_conv_body.h"

#include "kernel/ref_norm_body.h"

#include "kernel/ref_image_body.h"
#undef NUM
#undef TAG
#undef IMAGE_TABLE

#define NUM double
#define TAG f64
#define IMAGE_TABLE lfm_ref_images_f64
#include "kernel/ref_conv_body.h"

#include "kernel/ref_norm_body.h"

#include "kernel/ref_image_body.h"
