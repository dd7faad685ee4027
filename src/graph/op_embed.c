/* SPDX-License-Identifier: MIT
 *
 * op_embed.c -- what tells the network the time, the class and whatever else is given.
 *   sinusoid  cosines and sines of t, at frequencies from 1 down to 1 / 10,000; t is an input, so there is no backward
 *   embed     act(a + W[label]): a class is a row of a table, whose gradient is the sum over the rows of its label
 *   activate  act(a), where no linear map's output is what it is of: the gradient is multiplied by the slope
 * None of them moves: a tangent is one of the image alone.
 */
#include "graph/op.h"

#include <string.h>

enum { TABLE, SLOPE = 0 };

/* ---- sinusoid -------------------------------------------------------------------------------------------------- */

static lfm_status sinusoid_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)state, (void)part;
  exec->graph->kernels->image->sinusoid(lfm_exec_value(exec, node->output), lfm_exec_value(exec, node->input[0]),
                                        lfm_exec_info(exec, node->output)->count, node->sines_first, exec->rows);
  return LFM_OK;
}

static const lfm_op op_sinusoid = {
    .name = "sinusoid", .macs = lfm_op_no_macs, .plan = lfm_op_no_plan, .forward = sinusoid_forward};

static lfm_status check_still(const lfm_graph *graph, lfm_value v, bool input) {
  LFM_TRY(lfm_graph_check(graph, v));
  const lfm_value_info *info = &graph->values[v];
  if (info->tangent == LFM_TANGENT_NONE && !info->half && !info->image.channels &&
      (!input || (info->count == 1 && info->producer < 0)))
    return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "graph: value %d cannot be embedded", v);
}

lfm_status lfm_graph_sinusoid(lfm_graph *graph, lfm_value t, int64_t dim, bool sines_first, lfm_value *out) {
  LFM_TRY(check_still(graph, t, true));
  if (dim < 2 || dim % 2) return lfm_fail(LFM_E_USAGE, "graph: %lld cosines and sines", (long long)dim);
  lfm_node node = {.op = &op_sinusoid, .inputs = 1, .input = {t}, .sines_first = sines_first};
  lfm_value_info info = {.dims = 1, .shape = {dim}, .count = dim, .tangent_of = -1};
  return lfm_graph_add_node(graph, &node, &info, out);
}

/* ---- classes --------------------------------------------------------------------------------------------------- */

/* Room for the slope, where the value does not tell it. */
static lfm_status want_slope(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  int here = lfm_exec_info(exec, node->output)->producer, end = 2 * (int)exec->graph->node_count;
  size_t bytes = lfm_exec_bytes(exec, exec->padded_rows * lfm_exec_info(exec, node->output)->count);
  if (exec->kind != LFM_EXEC_BACKWARD || !lfm_act_keeps_slope(node->act)) return LFM_OK;
  return lfm_exec_want(exec, bytes, here, end - 1 - here, &state->buffer[SLOPE]);
}

/* The label of a row, if it is one. */
static lfm_status label_of(const lfm_exec *exec, const lfm_node *node, int64_t row, int64_t *out) {
  const void *labels = lfm_exec_value(exec, node->input[1]);
  bool wide = exec->graph->kernels->number_size == sizeof(double);
  double label = wide ? ((const double *)labels)[row] : (double)((const float *)labels)[row];
  double classes = (double)exec->graph->tensors[node->tensor[TABLE]].shape[0];
  if (!(label >= 0 && label < classes) || label != (double)(int64_t)label)
    return lfm_fail(LFM_E_USAGE, "label %g of row %lld; there are the classes 0 to %g", label, (long long)row, classes - 1);
  *out = (int64_t)label;
  return LFM_OK;
}

static lfm_status embed_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)part;
  const lfm_kernels *kernels = exec->graph->kernels;
  int64_t cols = lfm_exec_info(exec, node->output)->count, label = 0;
  const char *a = lfm_exec_value(exec, node->input[0]), *table = lfm_exec_tensor(exec, node->tensor[TABLE]);
  char *y = lfm_exec_value(exec, node->output);
  kernels->columns(y, cols, a, cols, exec->rows, cols, false);
  for (int64_t row = 0; row < exec->rows; row++) {
    LFM_TRY(label_of(exec, node, row, &label));
    kernels->columns(y + lfm_exec_bytes(exec, row * cols), cols, table + lfm_exec_bytes(exec, label * cols), cols, 1, cols,
                     true);
  }
  void *slope = lfm_exec_at(exec, state->buffer[SLOPE]);
  kernels->activate(y, slope, y, (size_t)(exec->rows * cols), node->act, false);
  return LFM_OK;
}

static lfm_status embed_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_kernels *kernels = exec->graph->kernels;
  const lfm_graph_tensor *tensor = &exec->graph->tensors[node->tensor[TABLE]];
  int64_t cols = lfm_exec_info(exec, node->output)->count, label = 0;
  char *d = lfm_exec_gradient(exec, node->output), *table = lfm_exec_tensor_gradient(exec, node->tensor[TABLE]);
  const char *kept = lfm_exec_at(exec, state->buffer[SLOPE]);
  if (!kept) kept = lfm_exec_value(exec, node->output);
  if (!exec->accumulate) memset(table, 0, lfm_exec_bytes(exec, tensor->count));
  for (int64_t row = 0; row < exec->rows; row++) { /* the kernel's sum of rows is the table's row */
    LFM_TRY(label_of(exec, node, row, &label));
    size_t at = lfm_exec_bytes(exec, row * cols);
    kernels->activate_backward(d + at, kept + at, 1, cols, node->act, false, table + lfm_exec_bytes(exec, label * cols),
                               true);
  }
  if (lfm_exec_info(exec, node->input[0])->has_parameters)
    kernels->columns(lfm_exec_gradient(exec, node->input[0]), cols, d, cols, exec->rows, cols, state->adds[0]);
  return LFM_OK;
}

static const lfm_op op_embed = {
    .name = "embed", .macs = lfm_op_no_macs, .plan = want_slope, .forward = embed_forward, .backward = embed_backward};

lfm_status lfm_graph_embed(lfm_graph *graph, const char *name, lfm_value a, lfm_value label, int64_t classes, lfm_act act,
                           lfm_value *out) {
  LFM_TRY(check_still(graph, a, false));
  LFM_TRY(check_still(graph, label, true));
  LFM_TRY(lfm_graph_check_cols(classes));
  int64_t cols = graph->values[a].count;
  lfm_node node = {.op = &op_embed, .inputs = 2, .input = {a, label}, .act = act};
  lfm_value_info info = {.dims = 1, .shape = {cols}, .count = cols, .has_parameters = true, .tangent_of = -1};
  LFM_TRY(lfm_graph_add_tensor(graph, name, "weight", 2, (int64_t[]){classes, cols}, 1, &node.tensor[TABLE]));
  graph->tensors[node.tensor[TABLE]].fill = LFM_FILL_NORMAL;
  return lfm_graph_add_node(graph, &node, &info, out);
}

/* ---- activations ----------------------------------------------------------------------------------------------- */

static lfm_status activate_plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  lfm_exec_want_scratch(exec, lfm_exec_bytes(exec, lfm_exec_info(exec, node->output)->count));
  return want_slope(exec, node, state);
}

static lfm_status activate_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)part;
  size_t count = (size_t)(exec->rows * lfm_exec_info(exec, node->output)->count);
  exec->graph->kernels->activate(lfm_exec_value(exec, node->output), lfm_exec_at(exec, state->buffer[SLOPE]),
                                 lfm_exec_value(exec, node->input[0]), count, node->act, false);
  return LFM_OK;
}

/* The kernel also sums the rows, which a bias would want: into scratch. */
static lfm_status activate_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_kernels *kernels = exec->graph->kernels;
  int64_t cols = lfm_exec_info(exec, node->output)->count;
  void *d = lfm_exec_gradient(exec, node->output);
  const void *kept = lfm_exec_at(exec, state->buffer[SLOPE]);
  kernels->activate_backward(d, kept ? kept : lfm_exec_value(exec, node->output), exec->rows, cols, node->act, false,
                             lfm_exec_scratch(exec, 0), false);
  kernels->columns(lfm_exec_gradient(exec, node->input[0]), cols, d, cols, exec->rows, cols, state->adds[0]);
  return LFM_OK;
}

static const lfm_op op_activate = {.name = "activate",
                                   .macs = lfm_op_no_macs,
                                   .plan = activate_plan,
                                   .forward = activate_forward,
                                   .backward = activate_backward};

lfm_status lfm_graph_activate(lfm_graph *graph, lfm_value a, lfm_act act, lfm_value *out) {
  LFM_TRY(check_still(graph, a, false));
  int64_t cols = graph->values[a].count;
  lfm_node node = {.op = &op_activate, .inputs = 1, .input = {a}, .act = act};
  lfm_value_info info = {
      .dims = 1, .shape = {cols}, .count = cols, .has_parameters = graph->values[a].has_parameters, .tangent_of = -1};
  return lfm_graph_add_node(graph, &node, &info, out);
}
