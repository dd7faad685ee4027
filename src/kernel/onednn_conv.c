/* SPDX-License-Identifier: MIT
 *
 * onednn_conv.c -- convolutions on images of block 16, or 8: with AVX-512 those of 3x3 taps and stride 1 by winograd.c, those
 * of a line of five by toom.c and those of one tap by pointwise.c, the others by oneDNN, directly.  The other kernels of
 * image.h are ref_image.c's.
 *
 * The channels that fill up the last block are channels like any other, with weights of zero: the library has no fast
 * kernel for three channels, and none at all for their gradient.
 * Which way is taken is a function of the shape and the processor alone, so that an image's bits do not depend on
 * how many there are (docs/decisions/convolutions.md).
 * Images of bfloat16 go by the registers of AMX where there are any (amx_conv.c), else by tiles where those of floats do, in
 * floats, since a quarter of the multiplications is less than half of them; so do the gradients of lines' weights, where the
 * library's pairs are slow; all else goes in pairs of halves by oneDNN (docs/decisions/bf16.md).
 */
#include "core/alloc.h"
#include "core/order.h"
#include "kernel/amx_conv.h"
#include "kernel/attention.h"
#include "kernel/filter.h"
#include "kernel/onednn.h"
#include "kernel/pointwise.h"
#include "kernel/toom.h"
#include "kernel/winograd.h"
#include <string.h>

enum { ARGS = 5 };

static int64_t block = 16; /* floats of a vector: 8 below AVX-512 */

typedef enum conv_way { BY_LIBRARY, BY_TILES, BY_POINTS, BY_LINES, BY_REGISTERS } conv_way;

struct lfm_conv {
  lfm_conv_pass pass;
  lfm_filter filter;
  size_t scratch; /* of the convolution itself; behind it what the steps around it want */
  conv_way way;
  lfm_winograd tiles;
  lfm_pointwise points;
  lfm_toom lines;
  lfm_amx_conv registers;
  dnnl_primitive_t primitive;
  dnnl_stream_t stream;
  dnnl_exec_arg_t args[ARGS];
  void *bound[ARGS];
  int arg_count;
};

static conv_way best_way(const lfm_conv_shape *shape, lfm_conv_pass pass, bool half) {
  if (half && lfm_amx_conv_can(shape)) return BY_REGISTERS;
  if (lfm_winograd_can(shape)) return BY_TILES;
  if (lfm_pointwise_can(shape) && !half) return BY_POINTS;
  return lfm_toom_can(shape) && (!half || pass == LFM_CONV_BACK_WEIGHTS) ? BY_LINES : BY_LIBRARY;
}

static lfm_filter filter(const lfm_conv_shape *shape, lfm_conv_pass pass, conv_way way, bool half) {
  lfm_filter out = lfm_filter_of(shape, block);
  if (pass == LFM_CONV_BACK_WEIGHTS) return out; /* of floats */
  out.half = half && (way == BY_LIBRARY || way == BY_REGISTERS);
  if (way == BY_REGISTERS) out.depth = 2 * block;
  out.in_fastest = pass == LFM_CONV_BACK_DATA;
  out.in_first = out.in_fastest && (way != BY_LIBRARY || (block == 16 && shape->size == 1 && shape->stride == 1));
  out.count = lfm_filter_count(&out);
  return out;
}

/* ---- making one ------------------------------------------------------------------------------------------------ */

static int64_t whole(int64_t channels) { return lfm_rounded_up(channels, block); }

typedef struct conv_memory {
  dnnl_memory_desc_t x, w, b, y, scratch;
} conv_memory;

static lfm_status describe_image(dnnl_memory_desc_t *out, lfm_image image, int64_t rows, bool half) {
  dnnl_dims_t dims = {rows, whole(image.channels), image.height, image.width};
  return lfm_onednn_check(
      dnnl_memory_desc_init_by_tag(out, 4, dims, half ? dnnl_bf16 : dnnl_f32, block == 16 ? dnnl_nChw16c : dnnl_nChw8c),
      "memory descriptor");
}

static lfm_status describe_filter(dnnl_memory_desc_t *out, const lfm_conv_shape *shape, lfm_filter f) {
  dnnl_dims_t dims = {whole(f.out), whole(f.in), lfm_conv_lines(shape), shape->size};
  dnnl_format_tag_t wide = f.in_first ? dnnl_IOhw16o16i : f.in_fastest ? dnnl_OIhw16o16i : dnnl_OIhw16i16o;
  dnnl_format_tag_t narrow = f.in_fastest ? dnnl_OIhw8o8i : dnnl_OIhw8i8o;
  dnnl_format_tag_t paired = f.in_first ? dnnl_IOhw8o16i2o : f.in_fastest ? dnnl_OIhw8o16i2o : dnnl_OIhw8i16o2i;
  dnnl_format_tag_t tag = f.half ? paired : block == 16 ? wide : narrow;
  return lfm_onednn_check(dnnl_memory_desc_init_by_tag(out, 4, dims, f.half ? dnnl_bf16 : dnnl_f32, tag),
                          "memory descriptor");
}

static lfm_status describe_memory(const lfm_conv_shape *shape, lfm_filter f, int64_t rows, bool half, conv_memory *out) {
  dnnl_dims_t bias = {whole(f.out)};
  LFM_TRY(describe_image(&out->x, shape->in, rows, half));
  LFM_TRY(describe_image(&out->y, shape->out, rows, half));
  LFM_TRY(describe_filter(&out->w, shape, f));
  return lfm_onednn_check(dnnl_memory_desc_init_by_tag(&out->b, 1, bias, dnnl_f32, dnnl_x), "memory descriptor");
}

static lfm_status describe(const lfm_conv_shape *s, lfm_conv_pass pass, bool bias, const conv_memory *m,
                           dnnl_convolution_desc_t *out) {
  dnnl_alg_kind_t way = dnnl_convolution_direct;
  int64_t before = (s->size - 1) / 2, above = (lfm_conv_lines(s) - 1) / 2;
  dnnl_dims_t strides = {s->stride, s->stride}, left = {above, before};
  dnnl_dims_t right = {(s->out.height - 1) * s->stride + lfm_conv_lines(s) - s->in.height - above,
                       (s->out.width - 1) * s->stride + s->size - s->in.width - before};
  dnnl_status_t status;
  if (pass == LFM_CONV_FORWARD)
    status = dnnl_convolution_forward_desc_init(out, dnnl_forward_training, way, &m->x, &m->w, bias ? &m->b : NULL, &m->y,
                                                strides, left, right);
  else if (pass == LFM_CONV_BACK_DATA)
    status = dnnl_convolution_backward_data_desc_init(out, way, &m->x, &m->w, &m->y, strides, left, right);
  else status = dnnl_convolution_backward_weights_desc_init(out, way, &m->x, &m->w, &m->b, &m->y, strides, left, right);
  return lfm_onednn_check(status, "describing a convolution");
}

static lfm_status describe_primitive(const dnnl_convolution_desc_t *conv, dnnl_primitive_desc_t *out) {
  dnnl_primitive_attr_t attributes;
  LFM_TRY(lfm_onednn_check(dnnl_primitive_attr_create(&attributes), "attributes"));
  lfm_status status =
      lfm_onednn_check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "scratchpad mode");
  if (status == LFM_OK)
    status = lfm_onednn_check(dnnl_primitive_desc_create(out, conv, attributes, lfm_onednn_engine(), NULL), "convolution");
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

static lfm_status add_argument(lfm_conv *conv, int name, const dnnl_memory_desc_t *memory) {
  dnnl_exec_arg_t *arg = &conv->args[conv->arg_count];
  arg->arg = name;
  LFM_TRY(lfm_onednn_check(dnnl_memory_create(&arg->memory, memory, lfm_onednn_engine(), DNNL_MEMORY_NONE), "memory"));
  conv->arg_count++;
  return LFM_OK;
}

/* In the order in which execute takes the pointers: read, weights, written, scratch, bias. */
static lfm_status make_arguments(lfm_conv *conv, const conv_memory *m, bool bias) {
  bool forward = conv->pass == LFM_CONV_FORWARD, weights = conv->pass == LFM_CONV_BACK_WEIGHTS;
  LFM_TRY(forward || weights ? add_argument(conv, DNNL_ARG_SRC, &m->x) : add_argument(conv, DNNL_ARG_DIFF_DST, &m->y));
  LFM_TRY(add_argument(conv, weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, &m->w));
  LFM_TRY(forward   ? add_argument(conv, DNNL_ARG_DST, &m->y)
          : weights ? add_argument(conv, DNNL_ARG_DIFF_DST, &m->y)
                    : add_argument(conv, DNNL_ARG_DIFF_SRC, &m->x));
  LFM_TRY(add_argument(conv, DNNL_ARG_SCRATCHPAD, &m->scratch));
  if (!weights && !bias) return LFM_OK;
  return add_argument(conv, weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, &m->b);
}

static lfm_status fill(lfm_conv *conv, const lfm_conv_shape *shape, bool bias, int64_t rows, bool half) {
  conv_memory memory;
  dnnl_convolution_desc_t described;
  dnnl_primitive_desc_t primitive;
  LFM_TRY(describe_memory(shape, conv->filter, rows, half, &memory));
  LFM_TRY(describe(shape, conv->pass, bias, &memory, &described));
  LFM_TRY(describe_primitive(&described, &primitive));
  memory.scratch = *dnnl_primitive_desc_query_md(primitive, dnnl_query_scratchpad_md, 0);
  conv->scratch = lfm_whole_lines(dnnl_memory_desc_get_size(&memory.scratch));
  lfm_status status = lfm_onednn_check(dnnl_primitive_create(&conv->primitive, primitive), "making a primitive");
  dnnl_primitive_desc_destroy(primitive);
  LFM_TRY(status);
  LFM_TRY(lfm_onednn_check(dnnl_stream_create(&conv->stream, lfm_onednn_engine(), dnnl_stream_in_order), "stream"));
  return make_arguments(conv, &memory, bias);
}

static void conv_destroy(lfm_conv *conv) {
  if (!conv) return;
  for (int i = 0; i < conv->arg_count; i++) dnnl_memory_destroy(conv->args[i].memory);
  if (conv->primitive) dnnl_primitive_destroy(conv->primitive);
  if (conv->stream) dnnl_stream_destroy(conv->stream);
  lfm_free(conv);
}

static lfm_status conv_create(const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows, conv_way way,
                              bool half, lfm_conv **out) {
  lfm_conv *conv;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&conv, 1));
  conv->pass = pass;
  conv->way = way;
  conv->filter = filter(shape, pass, way, half);
  lfm_status status = LFM_OK;
  if (way == BY_TILES) {
    conv->tiles = lfm_winograd_of(shape, pass, rows, half);
    conv->scratch = lfm_whole_lines(lfm_winograd_scratch(&conv->tiles, pass));
  } else if (way == BY_LINES) {
    conv->lines = lfm_toom_of(shape, pass, rows, half);
    conv->scratch = lfm_whole_lines(lfm_toom_scratch(&conv->lines, pass));
  } else if (way == BY_REGISTERS) {
    conv->registers = lfm_amx_conv_of(shape, pass, rows);
    conv->scratch = lfm_whole_lines(lfm_amx_conv_scratch(&conv->registers));
  } else if (way == BY_POINTS) conv->points = lfm_pointwise_of(shape, pass, rows);
  else {
    int threads = lfm_onednn_threads_to_one();
    status = fill(conv, shape, bias, rows, half);
    omp_set_num_threads(threads);
  }
  if (status == LFM_OK) *out = conv;
  else conv_destroy(conv);
  return status;
}

/* ---- running it ------------------------------------------------------------------------------------------------ */

static size_t bias_bytes(const lfm_conv *conv) { return (size_t)whole(conv->filter.out) * sizeof(float); }

/* Behind the library's scratch: whole blocks of the bias; of back weights those of its gradient, and the filter's. */
static size_t conv_scratch(const lfm_conv *conv) {
  size_t gradient = conv->pass == LFM_CONV_BACK_WEIGHTS ? conv->filter.count * sizeof(float) : 0;
  return conv->scratch + bias_bytes(conv) + gradient;
}

static lfm_status execute(lfm_conv *conv, void *const *pointers) {
  int threads = lfm_onednn_threads_to_one();
  dnnl_status_t status = dnnl_success;
  for (int i = 0; i < conv->arg_count && status == dnnl_success; i++)
    if (pointers[i] != conv->bound[i]) {
      status = dnnl_memory_set_data_handle(conv->args[i].memory, pointers[i]);
      conv->bound[i] = pointers[i];
    }
  if (status == dnnl_success) status = dnnl_primitive_execute(conv->primitive, conv->stream, conv->arg_count, conv->args);
  omp_set_num_threads(threads);
  return lfm_onednn_check(status, "running a convolution");
}

static lfm_status conv_run(lfm_conv *conv, const void *in, const void *weights, const void *bias, void *out, void *scratch) {
  float *of = (float *)((char *)scratch + conv->scratch);
  if (bias && conv->filter.out % block) {
    memset(of, 0, bias_bytes(conv));
    memcpy(of, bias, (size_t)conv->filter.out * sizeof *of);
    bias = of;
  }
  if (conv->way == BY_TILES) lfm_winograd_run(&conv->tiles, in, weights, bias, out, scratch);
  if (conv->way == BY_POINTS) lfm_pointwise_run(&conv->points, in, weights, bias, out);
  if (conv->way == BY_LINES) lfm_toom_run(&conv->lines, in, weights, bias, out, scratch);
  if (conv->way == BY_REGISTERS) lfm_amx_conv_run(&conv->registers, in, weights, bias, out, scratch);
  if (conv->way != BY_LIBRARY) return LFM_OK;
  return execute(conv,
                 (void *[ARGS]){(void *)(uintptr_t)in, (void *)(uintptr_t)weights, out, scratch, (void *)(uintptr_t)bias});
}

static bool shares_pixels(const lfm_conv_shape *shape) {
  lfm_winograd tiles = lfm_winograd_of(shape, LFM_CONV_FORWARD, 1, false);
  return best_way(shape, LFM_CONV_FORWARD, false) == BY_TILES && lfm_winograd_shares_tiles(&tiles);
}

static void conv_take(lfm_conv *conv, int part, int parts) { lfm_winograd_take(&conv->tiles, part, parts); }

static lfm_status conv_gradient(lfm_conv *conv, const void *x, const void *dy, void *dw, void *db, bool accumulate,
                                void *scratch) {
  float *bias = (float *)((char *)scratch + conv->scratch), *tiles = bias + whole(conv->filter.out), *to = db;
  if (conv->way == BY_TILES) lfm_winograd_gradient(&conv->tiles, x, dy, tiles, bias, scratch);
  else if (conv->way == BY_POINTS) lfm_pointwise_gradient(&conv->points, x, dy, tiles, bias);
  else if (conv->way == BY_LINES) lfm_toom_gradient(&conv->lines, x, dy, tiles, bias, scratch);
  else if (conv->way == BY_REGISTERS) lfm_amx_conv_gradient(&conv->registers, x, dy, tiles, bias, scratch);
  else LFM_TRY(execute(conv, (void *[ARGS]){(void *)(uintptr_t)x, tiles, (void *)(uintptr_t)dy, scratch, bias}));
  lfm_filter_unpack(dw, tiles, &conv->filter, accumulate);
  for (int64_t o = 0; o < conv->filter.out; o++) to[o] = accumulate ? to[o] + bias[o] : bias[o];
  return LFM_OK;
}

/* ---- the tables -------------------------------------------------------------------------------------------------- */

#define WAYS(NAME, WAY, HALF)                                                                                                \
  static lfm_filter filter_##NAME(const lfm_conv_shape *shape, lfm_conv_pass pass) {                                         \
    return filter(shape, pass, WAY, HALF);                                                                                   \
  }                                                                                                                          \
  static lfm_status create_##NAME(const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows,                  \
                                  lfm_conv **out) {                                                                          \
    return conv_create(shape, pass, bias, rows, WAY, HALF, out);                                                             \
  }
WAYS(direct, BY_LIBRARY, false)
WAYS(best, best_way(shape, pass, false), false)
WAYS(of_halves, best_way(shape, pass, true), true)
#undef WAYS

static void fill_table(lfm_image_kernels *table) {
  table->block = block;
  table->pack_filter = lfm_filter_pack;
  table->conv_scratch = conv_scratch;
  table->conv_run = conv_run, table->conv_gradient = conv_gradient;
  table->conv_destroy = conv_destroy;
}

const lfm_image_kernels *lfm_onednn_images(bool direct, bool wide) {
  static lfm_image_kernels tables[2];
  lfm_image_kernels *table = &tables[direct];
  block = wide ? 16 : 8;
  *table = lfm_ref_images_f32;
  fill_table(table);
  table->filter = direct ? filter_direct : filter_best;
  table->conv_create = direct ? create_direct : create_best;
  if (direct) return table;
  table->shares_pixels = shares_pixels, table->conv_take = conv_take;
  lfm_attention_add(table);
  return table;
}

const lfm_image_kernels *lfm_onednn_images_of_halves(void) {
  static lfm_image_kernels table;
  table = lfm_ref_images_bf16;
  fill_table(&table);
  table.filter = filter_of_halves, table.conv_create = create_of_halves;
  return &table;
}
