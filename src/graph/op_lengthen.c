/* SPDX-License-Identifier: MIT
 *
 * op_lengthen.c -- y = W' x + b, a line twice as long: the transpose of a convolution of four taps and stride 2, which leads
 * from lines like y to lines like x.  So nothing here computes that a convolution does not:
 *   forward   the pass of that convolution's data gradient, then the bias
 *   backward  dW by its pass of the weights, with y's gradient for the image and x for the gradient; dx by its forward pass
 *   tangent   as forward, without the bias
 * Nearest enlargement and a convolution, as between images, would take half as many multiplications more.
 */
#include "graph/op.h"

enum { SPREAD, GATHER, WEIGHTS };  /* convolutions: forward and tangent; back data; back weights */
enum { WEIGHT, BIAS };             /* tensors */
enum { PACK_SPREAD, PACK_GATHER }; /* packs */
enum { RUBBISH, PART };            /* buffers */
enum { SIZE = 4, STRIDE = 2 };

static lfm_conv_shape shape_between(lfm_image small, lfm_image large) {
  return (lfm_conv_shape){.in = large, .out = small, .size = SIZE, .stride = STRIDE, .line = true};
}

static lfm_conv_shape shape_of(const lfm_graph *graph, const lfm_node *node) {
  return shape_between(graph->values[node->input[0]].image, graph->values[node->output].image);
}

static lfm_status plan_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_conv_shape shape = shape_of(exec->graph, node);
  const lfm_value_info *x = lfm_exec_info(exec, node->input[0]);
  int step = 2 * (int)exec->graph->node_count - 1 - lfm_exec_info(exec, node->output)->producer;
  LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_BACK_WEIGHTS, true, exec->rows, &state->conv[WEIGHTS]));
  LFM_TRY(lfm_exec_want(exec, lfm_exec_bytes(exec, x->image.channels), step, step, &state->buffer[RUBBISH]));
  if (!x->has_parameters) return LFM_OK;
  LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_FORWARD, false, exec->rows, &state->conv[GATHER]));
  if (!state->adds[0]) return LFM_OK;
  return lfm_exec_want(exec, lfm_exec_value_bytes(exec, x, exec->rows), step, step, &state->buffer[PART]);
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_conv_shape shape = shape_of(exec->graph, node);
  bool pushes = exec->kind == LFM_EXEC_TRACE && lfm_exec_moves(exec, node->output);
  LFM_TRY(lfm_exec_want_conv(exec, &shape, LFM_CONV_BACK_DATA, false, exec->rows, &state->conv[SPREAD]));
  if (pushes) return lfm_exec_want_conv(exec, &shape, LFM_CONV_BACK_DATA, false, exec->panel_rows, &state->conv[GATHER]);
  return exec->kind == LFM_EXEC_BACKWARD ? plan_backward(exec, node, state) : LFM_OK;
}

static lfm_status spread(lfm_exec *exec, const lfm_node *node, lfm_conv *conv, const void *x, void *y) {
  return exec->graph->kernels->image->conv_run(conv, x, lfm_exec_pack(exec, node->pack[PACK_SPREAD]), NULL, y,
                                               lfm_exec_scratch(exec, 0));
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)part;
  void *y = lfm_exec_value(exec, node->output);
  LFM_TRY(spread(exec, node, state->conv[SPREAD], lfm_exec_value(exec, node->input[0]), y));
  exec->graph->kernels->image->add_bias(y, lfm_exec_tensor(exec, node->tensor[BIAS]),
                                        lfm_exec_info(exec, node->output)->image, exec->rows);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  const void *dy = lfm_exec_gradient(exec, node->output);
  kernels->sum_bias(lfm_exec_tensor_gradient(exec, node->tensor[BIAS]), dy, lfm_exec_info(exec, node->output)->image,
                    exec->rows, exec->accumulate);
  LFM_TRY(kernels->conv_gradient(state->conv[WEIGHTS], dy, lfm_exec_value(exec, node->input[0]),
                                 lfm_exec_tensor_gradient(exec, node->tensor[WEIGHT]),
                                 lfm_exec_at(exec, state->buffer[RUBBISH]), exec->accumulate, lfm_exec_scratch(exec, 0)));
  if (!state->conv[GATHER]) return LFM_OK;
  void *dx = lfm_exec_gradient(exec, node->input[0]), *part = state->adds[0] ? lfm_exec_at(exec, state->buffer[PART]) : dx;
  LFM_TRY(kernels->conv_run(state->conv[GATHER], dy, lfm_exec_pack(exec, node->pack[PACK_GATHER]), NULL, part,
                            lfm_exec_scratch(exec, 0)));
  if (part != dx) kernels->sum(dx, dx, part, (size_t)(exec->rows * lfm_exec_info(exec, node->input[0])->count));
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  return spread(exec, node, state->conv[GATHER], lfm_exec_tangent(exec, node->input[0]),
                lfm_exec_tangent(exec, node->output));
}

static double macs(const lfm_graph *graph, const lfm_node *node) {
  lfm_conv_shape shape = shape_of(graph, node);
  return (double)(shape.in.channels * SIZE) * (double)(shape.out.channels * lfm_image_pixels(shape.out));
}

static const lfm_op op_lengthen = {.name = "lengthen",
                                   .forgets = true,
                                   .macs = macs,
                                   .plan = plan,
                                   .forward = forward,
                                   .backward = backward,
                                   .tangent = tangent};

lfm_status lfm_graph_lengthen(lfm_graph *graph, const char *name, lfm_value x, int64_t channels, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, x));
  const lfm_value_info in = graph->values[x];
  if (in.shape[1] != 1) return lfm_fail(LFM_E_USAGE, "graph: an image of %lld lines made longer", (long long)in.shape[1]);
  lfm_node node = {.op = &op_lengthen, .inputs = 1, .input = {x}};
  lfm_value_info info = lfm_graph_image_info(graph, x, channels, 1, STRIDE * in.shape[2]);
  info.has_parameters = true;
  lfm_conv_shape shape = shape_between(in.image, info.image);
  int64_t fan_in = channels * SIZE; /* as torch counts it */
  LFM_TRY(
      lfm_graph_add_tensor(graph, name, "weight", 3, (int64_t[]){in.shape[0], channels, SIZE}, fan_in, &node.tensor[WEIGHT]));
  LFM_TRY(lfm_graph_add_tensor(graph, name, "bias", 1, &channels, fan_in, &node.tensor[BIAS]));
  LFM_TRY(lfm_graph_add_filter(graph, node.tensor[WEIGHT], &shape, LFM_CONV_BACK_DATA, false, &node.pack[PACK_SPREAD]));
  if (in.has_parameters)
    LFM_TRY(lfm_graph_add_filter(graph, node.tensor[WEIGHT], &shape, LFM_CONV_FORWARD, true, &node.pack[PACK_GATHER]));
  return lfm_graph_add_node(graph, &node, &info, out);
}
