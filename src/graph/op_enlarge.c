/* SPDX-License-Identifier: MIT
 *
 * op_enlarge.c -- twice as high and wide, each pixel four times (nearest neighbour).
 *   backward  dx is the sum of the four;  tangent  the same as forward
 */
#include "graph/op.h"

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  state->parts = lfm_exec_pass_parts(exec, node->output);
  return LFM_OK;
}

/* Each block of channels is an image of its own. */
static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  const lfm_value_info *large = lfm_exec_info(exec, node->output), *small = lfm_exec_info(exec, node->input[0]);
  int64_t blocks = exec->rows * lfm_image_blocks(small->image), first = lfm_part_begins(blocks, state->parts, part);
  lfm_image one = small->image;
  one.channels = one.block;
  exec->graph->kernels->image->enlarge((char *)lfm_exec_value(exec, node->output) + lfm_exec_block_bytes(exec, large, first),
                                       (const char *)lfm_exec_value(exec, node->input[0]) +
                                           lfm_exec_block_bytes(exec, small, first),
                                       one, lfm_part_begins(blocks, state->parts, part + 1) - first);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  if (lfm_exec_info(exec, node->input[0])->has_parameters)
    exec->graph->kernels->image->reduce(lfm_exec_gradient(exec, node->input[0]), lfm_exec_gradient(exec, node->output),
                                        lfm_exec_info(exec, node->input[0])->image, exec->rows, state->adds[0]);
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  exec->graph->kernels->image->enlarge(lfm_exec_tangent(exec, node->output), lfm_exec_tangent(exec, node->input[0]),
                                       lfm_exec_info(exec, node->input[0])->image, exec->panel_count);
  return LFM_OK;
}

static const lfm_op op_enlarge = {
    .name = "enlarge", .macs = lfm_op_no_macs, .plan = plan, .forward = forward, .backward = backward, .tangent = tangent};

lfm_status lfm_graph_enlarge(lfm_graph *graph, lfm_value x, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, x));
  const int64_t *shape = graph->values[x].shape;
  lfm_node node = {.op = &op_enlarge, .inputs = 1, .input = {x}};
  lfm_value_info info = lfm_graph_image_info(graph, x, shape[0], 2 * shape[1], 2 * shape[2]);
  return lfm_graph_add_node(graph, &node, &info, out);
}
