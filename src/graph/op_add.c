/* SPDX-License-Identifier: MIT
 *
 * op_add.c -- y = a + b of one shape: the end of a residual block.  [He et al. 2016]
 *   in place  where b is a convolution's and nobody else reads it, y lies where b did, and db is dy; and da is dy itself
 *             where no other gradient comes to a before b's is used up
 *   backward  da and db are dy, or dy is added to them
 *   tangent   T_y = T_a + T_b, of those that move
 */
#include "graph/op.h"

#include <string.h>

static bool reads(const lfm_node *node, lfm_value v) {
  for (int i = 0; i < node->inputs; i++)
    if (node->input[i] == v) return true;
  return false;
}

/* b and its gradient end with this node, and with b's producer. */
static bool may_lie_on_b(const lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *b = lfm_exec_info(exec, node->input[1]);
  int here = lfm_exec_info(exec, node->output)->producer;
  if (node->input[0] == node->input[1] || b->producer < 0 || b->last_use != here || state->adds[1]) return false;
  for (int i = b->producer + 1; i < here; i++)
    if (reads(&exec->graph->nodes[i], node->input[1])) return false;
  return exec->graph->nodes[b->producer].op->forgets;
}

/* Whatever else comes to da comes behind the backward of b's producer, that is from nodes in front of it. */
static bool may_be_da(const lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *a = lfm_exec_info(exec, node->input[0]);
  int here = lfm_exec_info(exec, node->output)->producer, from = lfm_exec_info(exec, node->input[1])->producer;
  if (!a->has_parameters || state->adds[0]) return false;
  for (int i = from; i < here; i++)
    if (reads(&exec->graph->nodes[i], node->input[0])) return false;
  return true;
}

/* All that lie in buffer `freed` lie in `kept` from now on. */
static void share(lfm_exec *exec, int *places, int freed, int kept) {
  lfm_buffer *from = &exec->buffers[freed], *to = &exec->buffers[kept];
  if (from->first < to->first) to->first = from->first;
  if (from->last > to->last) to->last = from->last;
  from->bytes = 0;
  for (size_t v = 0; v < exec->graph->value_count; v++)
    if (places[v] == freed) places[v] = kept;
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_value a = node->input[0], b = node->input[1], y = node->output;
  state->parts = lfm_exec_pass_parts(exec, y);
  if (!may_lie_on_b(exec, node, state)) return LFM_OK;
  share(exec, exec->value, exec->value[b], exec->value[y]);
  if (exec->kind != LFM_EXEC_BACKWARD) return LFM_OK;
  share(exec, exec->gradient, exec->gradient[b], exec->gradient[y]);
  if (may_be_da(exec, node, state)) share(exec, exec->gradient, exec->gradient[a], exec->gradient[y]);
  return LFM_OK;
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  const lfm_value_info *y = lfm_exec_info(exec, node->output);
  int64_t blocks = exec->rows * lfm_image_blocks(y->image), first = lfm_part_begins(blocks, state->parts, part);
  int64_t count = lfm_part_begins(blocks, state->parts, part + 1) - first;
  size_t at = lfm_exec_block_bytes(exec, y, first);
  exec->graph->kernels->image->sum(
      (char *)lfm_exec_value(exec, node->output) + at, (const char *)lfm_exec_value(exec, node->input[0]) + at,
      (const char *)lfm_exec_value(exec, node->input[1]) + at, (size_t)(count * lfm_image_pixels(y->image) * y->image.block));
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *y = lfm_exec_info(exec, node->output);
  const void *dy = lfm_exec_gradient(exec, node->output);
  for (int i = 0; i < node->inputs; i++) {
    void *d = lfm_exec_gradient(exec, node->input[i]);
    if (!lfm_exec_info(exec, node->input[i])->has_parameters || d == dy || !d || !dy) continue;
    if (state->adds[i]) exec->graph->kernels->image->sum(d, d, dy, (size_t)(exec->rows * y->count));
    else memcpy(d, dy, lfm_exec_value_bytes(exec, y, exec->rows));
  }
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  int64_t count = exec->panel_count * lfm_exec_info(exec, node->output)->count;
  const void *a = lfm_exec_tangent(exec, node->input[0]), *b = lfm_exec_tangent(exec, node->input[1]);
  void *y = lfm_exec_tangent(exec, node->output);
  if (a && b) exec->graph->kernels->image->sum(y, a, b, (size_t)count);
  else exec->graph->kernels->columns(y, count, a ? a : b, count, 1, count, false);
  return LFM_OK;
}

static const lfm_op op_add = {
    .name = "add", .macs = lfm_op_no_macs, .plan = plan, .forward = forward, .backward = backward, .tangent = tangent};

lfm_status lfm_graph_add(lfm_graph *graph, lfm_value a, lfm_value b, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, a));
  LFM_TRY(lfm_graph_check_image(graph, b));
  const lfm_value_info *left = &graph->values[a], *right = &graph->values[b];
  for (int i = 0; i < 3; i++)
    if (left->shape[i] != right->shape[i])
      return lfm_fail(LFM_E_USAGE, "graph: a sum of images of %lld and %lld along axis %d", (long long)left->shape[i],
                      (long long)right->shape[i], i);
  lfm_node node = {.op = &op_add, .inputs = 2, .input = {a, b}};
  bool moves = left->tangent != LFM_TANGENT_NONE || right->tangent != LFM_TANGENT_NONE;
  lfm_value_info info = lfm_graph_image_info(graph, a, left->shape[0], left->shape[1], left->shape[2]);
  info.has_parameters = left->has_parameters || right->has_parameters;
  info.tangent = moves ? LFM_TANGENT_DENSE : LFM_TANGENT_NONE;
  return lfm_graph_add_node(graph, &node, &info, out);
}
