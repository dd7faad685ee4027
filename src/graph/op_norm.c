/* SPDX-License-Identifier: MIT
 *
 * op_norm.c -- y = drop(act(GroupNorm(x + e) or GroupNorm(x) (1 + s) + h), or act(GroupNorm(x)) s + h): normalisation, the
 * embedding of time, activation and dropout are one node, since each alone is a pass over memory and nothing else.
 *   forward   statistics of every group are kept
 *   backward  from x again: neither the normalised image nor the activation's argument is kept
 *   tangent   likewise; the embedding does not move
 */
#include "graph/op.h"

#include <string.h>

enum { WEIGHT, BIAS, STATS = 0 };
static const int64_t most_dropped = 1 << 23; /* numbers that the draws of one node have addresses for */

/* Channels that may be normalised apart from the others: whole groups and whole blocks, or all. */
static int64_t piece_of(const lfm_norm_spec *norm) {
  int64_t group = norm->image.channels / norm->groups, piece = group;
  while (piece % norm->image.block && piece < norm->image.channels) piece += group;
  return piece;
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  int here = lfm_exec_info(exec, node->output)->producer, end = 2 * (int)exec->graph->node_count;
  int last = exec->kind == LFM_EXEC_FORWARD ? here : exec->kind == LFM_EXEC_BACKWARD ? end - 1 - here : end;
  if (exec->kind == LFM_EXEC_BACKWARD && node->inputs > 1 && state->adds[1])
    return lfm_fail(LFM_E_UNSUPPORTED, "graph: an embedding that several nodes read");
  state->parts = lfm_exec_parts(exec, node->norm.image.channels / piece_of(&node->norm));
  lfm_exec_want_scratch(exec, exec->graph->kernels->image->norm_scratch(&node->norm));
  return lfm_exec_want(exec, lfm_exec_bytes(exec, exec->rows * 2 * node->norm.groups), here, last, &state->buffer[STATS]);
}

static const void *embedding(const lfm_exec *exec, const lfm_node *node) {
  return node->inputs > 1 ? lfm_exec_value(exec, node->input[1]) : NULL;
}

/* Training alone drops, and only what it was told to. */
static void drop(lfm_exec *exec, const lfm_node *node, void *v) {
  if (!exec->drops || node->dropout <= 0) return;
  lfm_dropout mask = {exec->rng, node->dropout, (uint32_t)lfm_exec_info(exec, node->output)->producer};
  exec->graph->kernels->image->dropout(v, node->norm.image, &mask, exec->row_of, exec->rows);
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  int64_t channels = node->norm.image.channels, piece = piece_of(&node->norm), pieces = channels / piece;
  int64_t first = lfm_part_begins(pieces, state->parts, part) * piece;
  int64_t end = part + 1 < state->parts ? lfm_part_begins(pieces, state->parts, part + 1) * piece : channels;
  lfm_norm_spec some = node->norm;
  some.image.channels = end - first, some.groups = node->norm.groups * some.image.channels / channels;
  size_t at = lfm_exec_bytes(exec, first * lfm_image_pixels(some.image)), channel = lfm_exec_bytes(exec, first);
  char *y = (char *)lfm_exec_value(exec, node->output) + at, *stats = lfm_exec_at(exec, state->buffer[STATS]);
  const char *e = embedding(exec, node), *gamma = lfm_exec_tensor(exec, node->tensor[WEIGHT]);
  exec->graph->kernels->image->norm(y, (const char *)lfm_exec_value(exec, node->input[0]) + at, e ? e + channel : NULL,
                                    gamma + channel, (const char *)lfm_exec_tensor(exec, node->tensor[BIAS]) + channel,
                                    stats + lfm_exec_bytes(exec, 2 * first * node->norm.groups / channels), &some, exec->rows,
                                    lfm_exec_scratch(exec, part));
  drop(exec, node, y);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  size_t bytes = lfm_exec_bytes(exec, node->norm.image.channels);
  void *dgamma = lfm_exec_tensor_gradient(exec, node->tensor[WEIGHT]);
  void *dbeta = lfm_exec_tensor_gradient(exec, node->tensor[BIAS]), *dy = lfm_exec_gradient(exec, node->output);
  if (!exec->accumulate) memset(dgamma, 0, bytes), memset(dbeta, 0, bytes);
  drop(exec, node, dy);
  void *de = node->inputs > 1 ? lfm_exec_gradient(exec, node->input[1]) : NULL;
  exec->graph->kernels->image->norm_backward(
      lfm_exec_gradient(exec, node->input[0]), dy, de, dgamma, dbeta, lfm_exec_value(exec, node->input[0]),
      embedding(exec, node), lfm_exec_tensor(exec, node->tensor[WEIGHT]), lfm_exec_tensor(exec, node->tensor[BIAS]),
      lfm_exec_at(exec, state->buffer[STATS]), &node->norm, exec->rows, state->adds[0], lfm_exec_scratch(exec, 0));
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  exec->graph->kernels->image->norm_tangent(
      lfm_exec_tangent(exec, node->output), lfm_exec_tangent(exec, node->input[0]), lfm_exec_value(exec, node->input[0]),
      embedding(exec, node), lfm_exec_tensor(exec, node->tensor[WEIGHT]), lfm_exec_tensor(exec, node->tensor[BIAS]),
      lfm_exec_at(exec, state->buffer[STATS]), &node->norm, exec->directions, exec->panel_first, exec->panel_count,
      lfm_exec_scratch(exec, 0));
  return LFM_OK;
}

static const lfm_op op_norm = {
    .name = "norm", .macs = lfm_op_no_macs, .plan = plan, .forward = forward, .backward = backward, .tangent = tangent};

static int64_t groups_of(const lfm_graph_norm_config *c) { return c->groups ? c->groups : LFM_USUAL_GROUPS; }

static lfm_status check(const lfm_graph *graph, lfm_value x, const lfm_graph_norm_config *c) {
  LFM_TRY(lfm_graph_check_image(graph, x));
  const lfm_value_info *in = &graph->values[x];
  if (!in->has_parameters) return lfm_fail(LFM_E_UNSUPPORTED, "graph: a norm of the input itself");
  long long groups = groups_of(c);
  if (groups < 1 || in->shape[0] % groups)
    return lfm_fail(LFM_E_USAGE,
                    "graph: %lld channels in %lld groups; hidden_dim and its multiples are to be multiples of %lld",
                    (long long)in->shape[0], groups, groups);
  if (c->act != LFM_ACT_NONE && c->act != LFM_ACT_SILU && c->act != LFM_ACT_MISH)
    return lfm_fail(LFM_E_USAGE, "graph: no activation %d behind a norm", (int)c->act);
  if (!(c->dropout >= 0 && c->dropout < 1))
    return lfm_fail(LFM_E_USAGE, "dropout is %g; 0 to below 1 is possible", c->dropout);
  if (c->dropout > 0 && in->count > most_dropped)
    return lfm_fail(LFM_E_UNSUPPORTED, "dropout of images of %lld numbers; up to %lld are possible", (long long)in->count,
                    (long long)most_dropped);
  if (c->modulation == LFM_MODULATE_NONE) return LFM_OK;
  LFM_TRY(lfm_graph_check(graph, c->e));
  const lfm_value_info *e = &graph->values[c->e];
  int64_t want = lfm_modulation_is_wide(c->modulation) ? 2 * in->shape[0] : in->shape[0];
  if (e->count != want || e->half || !e->has_parameters || e->tangent != LFM_TANGENT_NONE)
    return lfm_fail(LFM_E_USAGE, "graph: an embedding of %lld numbers for %lld", (long long)e->count, (long long)want);
  return LFM_OK;
}

lfm_status lfm_graph_norm(lfm_graph *graph, const char *name, lfm_value x, const lfm_graph_norm_config *c, lfm_value *out) {
  LFM_TRY(check(graph, x, c));
  bool with_e = c->modulation != LFM_MODULATE_NONE;
  const int64_t *shape = graph->values[x].shape;
  lfm_value_info info = lfm_graph_image_info(graph, x, shape[0], shape[1], shape[2]);
  lfm_node node = {.op = &op_norm, .inputs = with_e ? 2 : 1, .input = {x, with_e ? c->e : 0}, .dropout = c->dropout};
  node.norm = (lfm_norm_spec){info.image, groups_of(c), c->modulation, c->act, info.image.channels};
  for (int i = 0; i < node.inputs; i++) graph->values[node.input[i]].kept = true;
  LFM_TRY(lfm_graph_add_tensor(graph, name, "weight", 1, info.shape, 1, &node.tensor[WEIGHT]));
  LFM_TRY(lfm_graph_add_tensor(graph, name, "bias", 1, info.shape, 1, &node.tensor[BIAS]));
  graph->tensors[node.tensor[WEIGHT]].fill = LFM_FILL_ONE;
  graph->tensors[node.tensor[BIAS]].fill = LFM_FILL_ZERO;
  return lfm_graph_add_node(graph, &node, &info, out);
}
