/* SPDX-License-Identifier: MIT
 *
 * op_concat.c -- y = (a, b) side by side: t before x, t before a hidden layer.
 *   forward   two copies of columns
 *   backward  da and db are the columns of dy, where a parameter lies behind them
 *   tangent   with a still: that of b under a new name, `still` columns further; nothing is computed.  Where both
 *             move, copies as in forward; a moving a in front of a still b is refused: no network here needs it.
 */
#include "graph/op.h"

#include <string.h>

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)state, (void)part;
  const lfm_value_info *values = exec->graph->values;
  int64_t left = values[node->input[0]].count, right = values[node->input[1]].count, both = left + right;
  char *y = lfm_exec_value(exec, node->output);
  const lfm_kernels *kernels = exec->graph->kernels;
  kernels->columns(y, both, lfm_exec_value(exec, node->input[0]), left, exec->rows, left, false);
  kernels->columns(y + lfm_exec_bytes(exec, left), both, lfm_exec_value(exec, node->input[1]), right, exec->rows, right,
                   false);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *values = exec->graph->values;
  int64_t both = values[node->output].count;
  const char *d = lfm_exec_gradient(exec, node->output);
  for (int i = 0; i < node->inputs; i++) {
    int64_t cols = values[node->input[i]].count;
    if (values[node->input[i]].has_parameters)
      exec->graph->kernels->columns(lfm_exec_gradient(exec, node->input[i]), cols, d, both, exec->rows, cols, state->adds[i]);
    d += lfm_exec_bytes(exec, cols);
  }
  return LFM_OK;
}

/* Of two that move: as in forward. */
static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  int64_t both = lfm_exec_info(exec, node->output)->count;
  char *y = lfm_exec_tangent(exec, node->output);
  for (int i = 0; i < node->inputs; i++) {
    int64_t cols = lfm_exec_info(exec, node->input[i])->count;
    exec->graph->kernels->columns(y, both, lfm_exec_tangent(exec, node->input[i]), cols, exec->panel_count, cols, false);
    y += lfm_exec_bytes(exec, cols);
  }
  return LFM_OK;
}

static const lfm_op op_concat = {.name = "concat",
                                 .macs = lfm_op_no_macs,
                                 .plan = lfm_op_no_plan,
                                 .forward = forward,
                                 .backward = backward,
                                 .tangent = tangent};

/* Images side by side are their channels one after the other, where those of the first end with a block. */
static lfm_status describe_images(const lfm_value_info *left, const lfm_value_info *right, lfm_value_info *info) {
  const lfm_image *a = &left->image, *b = &right->image;
  if (a->height != b->height || a->width != b->width || a->channels % a->block || !b->channels)
    return lfm_fail(LFM_E_USAGE, "graph: images of %lld x %lld and %lld x %lld pixels side by side", (long long)a->width,
                    (long long)a->height, (long long)b->width, (long long)b->height);
  info->image = *b;
  info->image.channels += a->channels;
  info->dims = right->dims;
  memcpy(info->shape, right->shape, sizeof info->shape);
  info->shape[0] = info->image.channels;
  return LFM_OK;
}

lfm_status lfm_graph_concat(lfm_graph *graph, lfm_value a, lfm_value b, lfm_value *out) {
  LFM_TRY(lfm_graph_check(graph, a));
  LFM_TRY(lfm_graph_check(graph, b));
  const lfm_value_info left = graph->values[a], right = graph->values[b];
  bool both_move = left.tangent == LFM_TANGENT_DENSE && right.tangent == LFM_TANGENT_DENSE && !left.still && !right.still;
  if (left.tangent != LFM_TANGENT_NONE && !both_move)
    return lfm_fail(LFM_E_UNSUPPORTED, "graph: a moving value in front of another");
  if (left.half || right.half)
    return lfm_fail(LFM_E_UNSUPPORTED, "bf16: cat_t: all would round the time to eight bits; use cat_t: first");
  lfm_node node = {.op = &op_concat, .inputs = 2, .input = {a, b}};
  int64_t cols = left.count + right.count;
  lfm_value_info info = {.dims = 1,
                         .shape = {cols},
                         .count = cols,
                         .has_parameters = left.has_parameters || right.has_parameters,
                         .tangent = right.tangent,
                         .still = both_move ? 0 : left.count + right.still,
                         .tangent_of = both_move ? -1 : right.tangent_of};
  if (left.image.channels) LFM_TRY(describe_images(&left, &right, &info));
  return lfm_graph_add_node(graph, &node, &info, out);
}
