/* SPDX-License-Identifier: MIT
 *
 * op_image.c -- the ways in and out: plain rows [channels * height * width], or series [length, channels], as images that lie
 * as the kernels like it, and images as such rows.  Each is the other's backward; the tangent of either is itself.
 */
#include "graph/op.h"

static lfm_status refuse_adding(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  if (exec->kind != LFM_EXEC_BACKWARD || !state->adds[0] || !lfm_exec_info(exec, node->input[0])->has_parameters)
    return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "graph: %s of a value that others read, too", node->op->name);
}

/* ---- in -------------------------------------------------------------------------------------------------------- */

static lfm_status image_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)state, (void)part;
  exec->graph->kernels->image->block_rows(lfm_exec_value(exec, node->output), lfm_exec_value(exec, node->input[0]),
                                          lfm_exec_info(exec, node->output)->image, node->pixels_first, exec->rows);
  return LFM_OK;
}

static lfm_status image_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  exec->graph->kernels->image->plain_rows(lfm_exec_gradient(exec, node->input[0]), lfm_exec_gradient(exec, node->output),
                                          lfm_exec_info(exec, node->output)->image, node->pixels_first, exec->rows);
  return LFM_OK;
}

/* Behind the input itself the tangents are the given ones. */
static lfm_status image_tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  const lfm_value_info *input = lfm_exec_info(exec, node->input[0]);
  const char *moved = lfm_exec_tangent(exec, node->input[0]);
  if (input->tangent == LFM_TANGENT_UNIT)
    moved = (const char *)lfm_exec_probes(exec) + lfm_exec_bytes(exec, exec->panel_first * input->count);
  exec->graph->kernels->image->block_rows(lfm_exec_tangent(exec, node->output), moved,
                                          lfm_exec_info(exec, node->output)->image, node->pixels_first, exec->panel_count);
  return LFM_OK;
}

static const lfm_op op_image = {.name = "image",
                                .macs = lfm_op_no_macs,
                                .plan = refuse_adding,
                                .forward = image_forward,
                                .backward = image_backward,
                                .tangent = image_tangent};

static lfm_status add_image(lfm_graph *graph, lfm_value plain, int64_t channels, int64_t height, int64_t width,
                            bool pixels_first, lfm_value *out) {
  LFM_TRY(lfm_graph_check(graph, plain));
  lfm_value_info info = lfm_graph_image_info(graph, plain, channels, height, width);
  const lfm_value_info *from = &graph->values[plain];
  if (info.count == INT64_MAX || from->count != channels * height * width || from->image.channels || from->still)
    return lfm_fail(LFM_E_USAGE, "graph: %lld numbers are no image of %lld x %lld x %lld", (long long)from->count,
                    (long long)channels, (long long)height, (long long)width);
  lfm_node node = {.op = &op_image, .inputs = 1, .input = {plain}, .pixels_first = pixels_first};
  return lfm_graph_add_node(graph, &node, &info, out);
}

lfm_status lfm_graph_image(lfm_graph *graph, lfm_value plain, int64_t channels, int64_t height, int64_t width,
                           lfm_value *out) {
  return add_image(graph, plain, channels, height, width, false, out);
}

lfm_status lfm_graph_line(lfm_graph *graph, lfm_value series, int64_t length, int64_t channels, lfm_value *out) {
  return add_image(graph, series, channels, 1, length, true, out);
}

/* ---- out ------------------------------------------------------------------------------------------------------- */

static lfm_status plain_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)state, (void)part;
  exec->graph->kernels->image->plain_rows(lfm_exec_value(exec, node->output), lfm_exec_value(exec, node->input[0]),
                                          lfm_exec_info(exec, node->input[0])->image, node->pixels_first, exec->rows);
  return LFM_OK;
}

static lfm_status plain_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  exec->graph->kernels->image->block_rows(lfm_exec_gradient(exec, node->input[0]), lfm_exec_gradient(exec, node->output),
                                          lfm_exec_info(exec, node->input[0])->image, node->pixels_first, exec->rows);
  return LFM_OK;
}

static lfm_status plain_tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  exec->graph->kernels->image->plain_rows(lfm_exec_tangent(exec, node->output), lfm_exec_tangent(exec, node->input[0]),
                                          lfm_exec_info(exec, node->input[0])->image, node->pixels_first, exec->panel_count);
  return LFM_OK;
}

static const lfm_op op_plain = {.name = "plain",
                                .macs = lfm_op_no_macs,
                                .plan = refuse_adding,
                                .forward = plain_forward,
                                .backward = plain_backward,
                                .tangent = plain_tangent};

static lfm_status add_plain(lfm_graph *graph, lfm_value image, bool pixels_first, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, image));
  const lfm_value_info from = graph->values[image];
  int64_t cols = from.image.channels * lfm_image_pixels(from.image);
  lfm_node node = {.op = &op_plain, .inputs = 1, .input = {image}, .pixels_first = pixels_first};
  lfm_value_info info = {.dims = 1, .shape = {cols}, .count = cols, .has_parameters = from.has_parameters, .tangent_of = -1};
  info.tangent = from.tangent;
  return lfm_graph_add_node(graph, &node, &info, out);
}

lfm_status lfm_graph_plain(lfm_graph *graph, lfm_value image, lfm_value *out) { return add_plain(graph, image, false, out); }

lfm_status lfm_graph_series(lfm_graph *graph, lfm_value line, lfm_value *out) { return add_plain(graph, line, true, out); }
