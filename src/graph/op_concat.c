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

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  state->parts = lfm_exec_pass_parts(exec, node->output);
  return LFM_OK;
}

/* Of rows of both inputs side by side, whatever they are of, the bytes [first, end) of each; of images the blocks of channels
 * follow each other. */
static void join(const lfm_exec *exec, const lfm_node *node, char *y, const char *const inputs[2], int64_t rows, size_t first,
                 size_t end) {
  size_t both = lfm_exec_value_bytes(exec, lfm_exec_info(exec, node->output), 1), before = 0;
  for (int i = 0; i < 2; i++) {
    size_t bytes = lfm_exec_value_bytes(exec, lfm_exec_info(exec, node->input[i]), 1);
    size_t from = first > before ? first - before : 0, to = end < before + bytes ? end : before + bytes;
    for (int64_t row = 0; row < rows && y && inputs[i] && before + from < to; row++)
      memcpy(y + (size_t)row * both + before + from, inputs[i] + (size_t)row * bytes + from, to - before - from);
    before += bytes;
  }
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  const char *inputs[] = {lfm_exec_value(exec, node->input[0]), lfm_exec_value(exec, node->input[1])};
  const lfm_value_info *y = lfm_exec_info(exec, node->output);
  size_t first = 0, end = lfm_exec_value_bytes(exec, y, 1);
  if (state->parts > 1) {
    int64_t blocks = lfm_image_blocks(y->image);
    first = lfm_exec_block_bytes(exec, y, lfm_part_begins(blocks, state->parts, part));
    end = lfm_exec_block_bytes(exec, y, lfm_part_begins(blocks, state->parts, part + 1));
  }
  join(exec, node, lfm_exec_value(exec, node->output), inputs, exec->rows, first, end);
  return LFM_OK;
}

/* to = or += from, a row's share. */
static void take(const lfm_exec *exec, const lfm_value_info *share, char *to, const char *from, bool add) {
  if (!add) memcpy(to, from, lfm_exec_value_bytes(exec, share, 1));
  else if (share->image.channels) exec->graph->kernels->image->sum(to, to, from, (size_t)share->count);
  else exec->graph->kernels->columns(to, share->count, from, share->count, 1, share->count, true);
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  size_t both = lfm_exec_value_bytes(exec, lfm_exec_info(exec, node->output), 1);
  const char *dy = lfm_exec_gradient(exec, node->output);
  for (int i = 0; i < node->inputs; i++) {
    const lfm_value_info *share = lfm_exec_info(exec, node->input[i]);
    char *d = lfm_exec_gradient(exec, node->input[i]);
    size_t bytes = lfm_exec_value_bytes(exec, share, 1);
    bool wanted = share->has_parameters && d && dy;
    for (int64_t row = 0; row < exec->rows && wanted; row++)
      take(exec, share, d + (size_t)row * bytes, dy + (size_t)row * both, state->adds[i]);
    dy += bytes;
  }
  return LFM_OK;
}

/* Of two that move: as in forward. */
static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  const char *inputs[] = {lfm_exec_tangent(exec, node->input[0]), lfm_exec_tangent(exec, node->input[1])};
  size_t all = lfm_exec_value_bytes(exec, lfm_exec_info(exec, node->output), 1);
  join(exec, node, lfm_exec_tangent(exec, node->output), inputs, exec->panel_count, 0, all);
  return LFM_OK;
}

static const lfm_op op_concat = {
    .name = "concat", .macs = lfm_op_no_macs, .plan = plan, .forward = forward, .backward = backward, .tangent = tangent};

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
  bool of_images = left.image.channels && right.image.channels;
  if ((left.half || right.half) && !of_images)
    return lfm_fail(LFM_E_UNSUPPORTED, "bf16: cat_t: all would round the time to eight bits; use cat_t: first");
  lfm_node node = {.op = &op_concat, .inputs = 2, .input = {a, b}};
  int64_t cols = left.count + right.count;
  lfm_value_info info = {.dims = 1,
                         .shape = {cols},
                         .count = cols,
                         .has_parameters = left.has_parameters || right.has_parameters,
                         .tangent = right.tangent,
                         .half = of_images && left.half,
                         .still = both_move ? 0 : left.count + right.still,
                         .tangent_of = both_move ? -1 : right.tangent_of};
  if (left.image.channels) LFM_TRY(describe_images(&left, &right, &info));
  return lfm_graph_add_node(graph, &node, &info, out);
}
