/* SPDX-License-Identifier: MIT
 *
 * op_conv.c -- y = W * x + b: a convolution of images.
 *   forward   by the kernels' forward pass, bias included.  Of one image in a shared run each worker makes some blocks of
 *             channels, whose weights then stay in the cache of its core; or some of the pixels, where there are many
 *   backward  dW, db by the pass of the weights; dx by the pass of the data, into scratch where others have put a gradient
 *             already, since no library's pass adds
 *   tangent   T_y = W * T_x: forward without the bias, a panel at a time
 */
#include "core/alloc.h"
#include "graph/op.h"

enum { BACK_DATA, BACK_WEIGHTS, TANGENT = BACK_DATA }; /* convolutions */
enum { WEIGHT, BIAS };                                 /* tensors */
enum { PACK_FORWARD, PACK_BACK };                      /* packs */
enum { MOST_TAPS = 31 };                               /* of a line */

static lfm_conv_shape shape_of(const lfm_graph *graph, const lfm_node *node) {
  return (lfm_conv_shape){graph->values[node->input[0]].image, graph->values[node->output].image, node->size, node->stride,
                          node->line};
}

static lfm_status plan_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_conv_shape shape = shape_of(exec->graph, node);
  LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_BACK_WEIGHTS, true, exec->rows, &state->conv[BACK_WEIGHTS]));
  if (!lfm_exec_info(exec, node->input[0])->has_parameters) return LFM_OK;
  LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_BACK_DATA, false, exec->rows, &state->conv[BACK_DATA]));
  if (!state->adds[0]) return LFM_OK;
  int here = lfm_exec_info(exec, node->output)->producer, step = 2 * (int)exec->graph->node_count - 1 - here;
  size_t bytes = lfm_exec_value_bytes(exec, lfm_exec_info(exec, node->input[0]), exec->rows);
  return lfm_exec_want(exec, bytes, step, step, &state->buffer[0]);
}

/* The first channel that a part makes. */
static int64_t part_begins(const lfm_conv_shape *shape, const lfm_node_state *state, int part) {
  int64_t channel = lfm_part_begins(lfm_image_blocks(shape->out), state->parts, part) * shape->out.block;
  return state->by_pixels ? 0 : channel < shape->out.channels ? channel : shape->out.channels;
}

static int64_t part_ends(const lfm_conv_shape *shape, const lfm_node_state *state, int part) {
  return state->by_pixels ? shape->out.channels : part_begins(shape, state, part + 1);
}

static lfm_status plan_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  lfm_conv_shape whole = shape_of(exec->graph, node);
  state->by_pixels = kernels->shares_pixels && kernels->shares_pixels(&whole);
  state->parts = lfm_exec_parts(exec, state->by_pixels ? lfm_image_pixels(whole.out) : lfm_image_blocks(whole.out));
  LFM_TRY(LFM_ALLOC(&state->conv_part, state->parts));
  for (int part = 0; part < state->parts; part++) {
    lfm_conv_shape shape = whole;
    shape.out.channels = part_ends(&whole, state, part) - part_begins(&whole, state, part);
    LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_FORWARD, true, exec->rows, &state->conv_part[part]));
    if (state->by_pixels && state->parts > 1) kernels->conv_take(state->conv_part[part], part, state->parts);
  }
  return LFM_OK;
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_conv_shape shape = shape_of(exec->graph, node);
  LFM_TRY(plan_forward(exec, node, state));
  if (exec->kind == LFM_EXEC_BACKWARD) return plan_backward(exec, node, state);
  if (exec->kind == LFM_EXEC_TRACE && lfm_exec_moves(exec, node->output))
    return lfm_exec_want_conv(exec, &shape, LFM_CONV_FORWARD, false, exec->panel_rows, &state->conv[TANGENT]);
  return LFM_OK;
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  lfm_conv_shape shape = shape_of(exec->graph, node);
  const lfm_filter *filter = &exec->graph->packs[node->pack[PACK_FORWARD]].filter;
  int64_t first = part_begins(&shape, state, part);
  const char *weights = lfm_exec_pack(exec, node->pack[PACK_FORWARD]), *bias = lfm_exec_tensor(exec, node->tensor[BIAS]);
  return exec->graph->kernels->image->conv_run(
      state->conv_part[part], lfm_exec_value(exec, node->input[0]),
      weights + lfm_exec_bytes(exec, lfm_filter_at(filter, first, 0, 0)), bias + lfm_exec_bytes(exec, first),
      (char *)lfm_exec_value(exec, node->output) + lfm_exec_bytes(exec, first * lfm_image_pixels(shape.out)),
      lfm_exec_scratch(exec, part));
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  const void *dy = lfm_exec_gradient(exec, node->output);
  LFM_TRY(kernels->conv_gradient(state->conv[BACK_WEIGHTS], lfm_exec_value(exec, node->input[0]), dy,
                                 lfm_exec_tensor_gradient(exec, node->tensor[WEIGHT]),
                                 lfm_exec_tensor_gradient(exec, node->tensor[BIAS]), exec->accumulate,
                                 lfm_exec_scratch(exec, 0)));
  if (!state->conv[BACK_DATA]) return LFM_OK;
  void *dx = lfm_exec_gradient(exec, node->input[0]), *part = state->adds[0] ? lfm_exec_at(exec, state->buffer[0]) : dx;
  LFM_TRY(kernels->conv_run(state->conv[BACK_DATA], dy, lfm_exec_pack(exec, node->pack[PACK_BACK]), NULL, part,
                            lfm_exec_scratch(exec, 0)));
  if (part != dx) kernels->sum(dx, dx, part, (size_t)(exec->rows * lfm_exec_info(exec, node->input[0])->count));
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  return exec->graph->kernels->image->conv_run(state->conv[TANGENT], lfm_exec_tangent(exec, node->input[0]),
                                               lfm_exec_pack(exec, node->pack[PACK_FORWARD]), NULL,
                                               lfm_exec_tangent(exec, node->output), lfm_exec_scratch(exec, 0));
}

static double macs(const lfm_graph *graph, const lfm_node *node) {
  lfm_conv_shape shape = shape_of(graph, node);
  return (double)(shape.in.channels * lfm_conv_taps(&shape)) * (double)(shape.out.channels * lfm_image_pixels(shape.out));
}

static const lfm_op op_conv = {.name = "conv",
                               .forgets = true,
                               .macs = macs,
                               .plan = plan,
                               .forward = forward,
                               .backward = backward,
                               .tangent = tangent};

static lfm_status check(const lfm_graph_conv_config *c, const lfm_value_info *in) {
  bool line = c->dims == 3 && (in->shape[1] == 1 || c->size == 1), stride = c->stride == 1 || c->stride == 2;
  int64_t most = line ? MOST_TAPS : 3;
  if (c->size % 2 == 1 && c->size >= 1 && c->size <= most && stride && (c->dims == 4 || line)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "graph: no convolution of size %lld and stride %lld", (long long)c->size,
                  (long long)c->stride);
}

lfm_status lfm_graph_conv(lfm_graph *graph, const char *name, lfm_value x, const lfm_graph_conv_config *c, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, x));
  const lfm_value_info in = graph->values[x];
  LFM_TRY(check(c, &in));
  lfm_node node = {.op = &op_conv, .inputs = 1, .input = {x}, .size = c->size, .stride = c->stride, .line = c->dims == 3};
  lfm_value_info info =
      lfm_graph_image_info(graph, x, c->channels, (in.shape[1] - 1) / c->stride + 1, (in.shape[2] - 1) / c->stride + 1);
  info.has_parameters = true;
  lfm_conv_shape shape = {in.image, info.image, c->size, c->stride, node.line};
  int64_t fan_in = in.shape[0] * lfm_conv_taps(&shape);
  LFM_TRY(lfm_graph_add_tensor(graph, name, "weight", c->dims, (int64_t[]){c->channels, in.shape[0], c->size, c->size},
                               fan_in, &node.tensor[WEIGHT]));
  LFM_TRY(lfm_graph_add_tensor(graph, name, "bias", 1, &c->channels, fan_in, &node.tensor[BIAS]));
  for (int i = 0; i < 2 && c->zero; i++) graph->tensors[node.tensor[i]].fill = LFM_FILL_ZERO;
  LFM_TRY(lfm_graph_add_filter(graph, node.tensor[WEIGHT], &shape, LFM_CONV_FORWARD, false, &node.pack[PACK_FORWARD]));
  if (in.has_parameters)
    LFM_TRY(lfm_graph_add_filter(graph, node.tensor[WEIGHT], &shape, LFM_CONV_BACK_DATA, true, &node.pack[PACK_BACK]));
  return lfm_graph_add_node(graph, &node, &info, out);
}
