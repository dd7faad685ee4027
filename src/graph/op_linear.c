/* SPDX-License-Identifier: MIT
 *
 * op_linear.c -- y = act(W h + b): a fully connected layer, one node.
 *   forward   y = act(h W' + b), one product; bias and most activations are fused into it.  In a shared run one product a
 *             worker, of its own columns of W', whose weights then stay in the cache of its core
 *   backward  dz = dy * act'(z), in place; db = sum of the rows of dz; dW = dz' h; dh = dz W.  In a run of a batch's part dW
 *             is left to factors.c
 *   tangent   T_y = act'(z) * (T_h W'), over the columns of W that move; behind the input itself T_h = 1, and the tangent is
 *             W's columns: no product.  With probes T_h = (0, e) there, and the product is that of forward.  Where the
 * kernels have faster products for tangents, they read W in a layout of its own, which each run makes for all its panels
 *   diagonal  tr = sum over j of act'(z_j) <W[j], T_h[j]>: of the last map only the diagonal is needed, one dot a direction
 */
#include "core/alloc.h"
#include "core/order.h"
#include "graph/op.h"

enum { SHARED_BYTES = 1 << 17 }; /* of weights: what less would gain, the hand-over would cost */
enum { BACK_DATA, BACK_WEIGHTS, BACK_WEIGHTS_ADD, TANGENT = BACK_DATA, PANEL_SIZES = 3 }; /* products */
enum { WEIGHT, BIAS };                                                                    /* tensors */
enum { PACK_FORWARD, PACK_BACK, PACK_TANGENT };                                           /* packs */
enum { SLOPE, UNIT, PIECES, SPLIT };                                                      /* buffers */

static const lfm_value_info *value_of(const lfm_exec *exec, lfm_value v) { return &exec->graph->values[v]; }

/* A panel that is not full, as the last one of few rows, is a product of half or a quarter of its rows. */
static int64_t panel_of(const lfm_exec *exec, int size) {
  int64_t rows = (exec->panel_rows + (1 << size) - 1) >> size;
  return lfm_rounded_up(rows, exec->graph->kernels->row_multiple);
}

/* ---- planning ------------------------------------------------------------------------------------------------ */

static lfm_act fused_act(const lfm_exec *exec, const lfm_node *node) {
  return exec->graph->kernels->fuses(node->act) ? node->act : (lfm_act){LFM_ACT_NONE, 0};
}

static const lfm_layout *layout_of(const lfm_exec *exec, const lfm_node *node) {
  return &exec->graph->packs[node->pack[PACK_FORWARD]].layout;
}

static int64_t steps_of(const lfm_layout *w) { return w->col_step ? lfm_parts_of(w->cols, w->col_step) : 1; }

static int count_parts(const lfm_exec *exec, const lfm_layout *w) {
  if (!exec->team || exec->graph->kernels->halves || lfm_exec_bytes(exec, w->rows * w->cols) < SHARED_BYTES) return 1;
  int64_t workers = lfm_team_size(exec->team), steps = steps_of(w);
  return (int)(workers < steps ? workers : steps);
}

/* The first column of a part; of the part behind the last one, where all end. */
static int64_t part_begins(const lfm_layout *w, int parts, int part) {
  return part == parts ? w->cols : steps_of(w) * part / parts * w->col_step;
}

static lfm_status plan_part(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  size_t offset;
  const lfm_layout *whole = layout_of(exec, node);
  int64_t first = part_begins(whole, state->parts, part), end = part_begins(whole, state->parts, part + 1);
  lfm_layout layout = lfm_layout_part(whole, first, end - first, &offset);
  lfm_product_spec spec = {.m = exec->padded_rows,
                           .n = end - first,
                           .k = whole->rows,
                           .layout = &layout,
                           .bias = true,
                           .half_a = value_of(exec, node->input[0])->half,
                           .half_c = value_of(exec, node->output)->half,
                           .act = fused_act(exec, node)};
  return lfm_exec_want_product(exec, &spec, &state->part[part]);
}

static lfm_status plan_forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  state->parts = count_parts(exec, layout_of(exec, node));
  LFM_TRY(LFM_ALLOC(&state->part, state->parts));
  for (int part = 0; part < state->parts; part++) LFM_TRY(plan_part(exec, node, state, part));
  int first = value_of(exec, node->output)->producer, end = 2 * (int)exec->graph->node_count;
  size_t bytes = lfm_exec_value_bytes(exec, value_of(exec, node->output), exec->padded_rows);
  if (state->parts > 1) LFM_TRY(lfm_exec_want(exec, bytes, first, first, &state->buffer[PIECES]));
  if (exec->kind != LFM_EXEC_BACKWARD || !lfm_act_keeps_slope(node->act)) return LFM_OK;
  return lfm_exec_want(exec, bytes, first, end - 1 - first, &state->buffer[SLOPE]);
}

static lfm_status plan_backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *input = value_of(exec, node->input[0]), *output = value_of(exec, node->output);
  lfm_product_spec weights = {
      .m = output->count, .n = input->count, .k = exec->rows, .half_a = output->half, .half_b = input->half};
  if (!exec->factors) {
    LFM_TRY(lfm_exec_want_product(exec, &weights, &state->product[BACK_WEIGHTS]));
    weights.accumulate = true;
    LFM_TRY(lfm_exec_want_product(exec, &weights, &state->product[BACK_WEIGHTS_ADD]));
  }
  if (!input->has_parameters) return LFM_OK;
  lfm_product_spec data = {.m = exec->padded_rows,
                           .n = input->count,
                           .k = output->count,
                           .layout = &exec->graph->packs[node->pack[PACK_BACK]].layout,
                           .half_a = output->half,
                           .half_c = input->half,
                           .accumulate = state->adds[0]};
  return lfm_exec_want_product(exec, &data, &state->product[BACK_DATA]);
}

/* Columns of W that the tangents' product passes by, and the layout of the others where it is one of its own. */
static int64_t tangent_skips(const lfm_exec *exec, const lfm_node *node) {
  const lfm_value_info *input = value_of(exec, node->input[0]);
  return input->tangent == LFM_TANGENT_UNIT ? 0 : input->still;
}
static bool split_layout(const lfm_exec *exec, const lfm_node *node, lfm_layout *out) {
  const lfm_kernels *kernels = exec->graph->kernels;
  int64_t k = value_of(exec, node->input[0])->count - tangent_skips(exec, node);
  return kernels->split_layout && kernels->split_layout(k, value_of(exec, node->output)->count, out);
}

static lfm_status plan_tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *input = value_of(exec, node->input[0]), *output = value_of(exec, node->output);
  int here = output->producer, end = 2 * (int)exec->graph->node_count;
  int64_t moving = input->count - input->still;
  const lfm_layout *weights = &exec->graph->packs[node->pack[PACK_TANGENT]].layout;
  lfm_layout split;
  if (node->act.kind != LFM_ACT_NONE)
    LFM_TRY(lfm_exec_want(exec, lfm_exec_bytes(exec, exec->rows * output->count), here, end, &state->buffer[SLOPE]));
  bool unit = input->tangent == LFM_TANGENT_UNIT;
  if (!lfm_exec_is_probed(exec)) {
    if (unit && node->output == exec->graph->output)
      return lfm_fail(LFM_E_UNSUPPORTED, "graph: no exact trace of a single map; put a hidden layer in front");
    if (node->output == exec->graph->output) return LFM_OK;
    if (unit) return lfm_exec_want(exec, lfm_exec_bytes(exec, moving * output->count), here, end, &state->buffer[UNIT]);
  }
  if (unit) /* for good: the still columns are zero and stay so */
    LFM_TRY(lfm_exec_want(exec, lfm_exec_bytes(exec, exec->panel_rows * input->count), -1, end, &state->buffer[UNIT]));
  if (split_layout(exec, node, &split)) {
    LFM_TRY(lfm_exec_want(exec, lfm_exec_bytes(exec, (int64_t)split.count), here, end, &state->buffer[SPLIT]));
    weights = &split;
  }
  for (int size = 0; size < PANEL_SIZES; size++) {
    lfm_product_spec spec = {
        .m = panel_of(exec, size), .n = output->count, .k = unit ? input->count : moving, .layout = weights};
    LFM_TRY(lfm_exec_want_product(exec, &spec, &state->product[TANGENT + size]));
  }
  return LFM_OK;
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  LFM_TRY(plan_forward(exec, node, state));
  if (exec->kind == LFM_EXEC_BACKWARD) return plan_backward(exec, node, state);
  if (exec->kind == LFM_EXEC_TRACE && value_of(exec, node->output)->tangent != LFM_TANGENT_NONE)
    return plan_tangent(exec, node, state);
  return LFM_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

/* Some of the columns; of several rows they are made beside each other first. */
static lfm_status forward_part(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  size_t offset;
  const lfm_kernels *kernels = exec->graph->kernels;
  const lfm_layout *w = layout_of(exec, node);
  int64_t first = part_begins(w, state->parts, part), cols = part_begins(w, state->parts, part + 1) - first;
  lfm_layout_part(w, first, cols, &offset);
  const char *weights = lfm_exec_pack(exec, node->pack[PACK_FORWARD]), *bias = lfm_exec_tensor(exec, node->tensor[BIAS]);
  char *y = (char *)lfm_exec_value(exec, node->output) + lfm_exec_bytes(exec, first), *piece = y;
  if (exec->padded_rows > 1)
    piece = (char *)lfm_exec_at(exec, state->buffer[PIECES]) + lfm_exec_bytes(exec, first * exec->padded_rows);
  LFM_TRY(kernels->product_run(state->part[part], lfm_exec_value(exec, node->input[0]),
                               weights + offset * kernels->number_size, bias + lfm_exec_bytes(exec, first), piece,
                               lfm_exec_scratch(exec, part)));
  if (!kernels->fuses(node->act)) kernels->activate(piece, NULL, piece, (size_t)(exec->rows * cols), node->act, false);
  if (piece != y) kernels->columns(y, w->cols, piece, cols, exec->rows, cols, false);
  return LFM_OK;
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  if (state->parts > 1) return forward_part(exec, node, state, part);
  const lfm_kernels *kernels = exec->graph->kernels;
  size_t count = (size_t)(exec->rows * value_of(exec, node->output)->count);
  void *y = lfm_exec_value(exec, node->output), *slope = lfm_exec_at(exec, state->buffer[SLOPE]);
  LFM_TRY(kernels->product_run(state->part[0], lfm_exec_value(exec, node->input[0]),
                               lfm_exec_pack(exec, node->pack[PACK_FORWARD]), lfm_exec_tensor(exec, node->tensor[BIAS]), y,
                               lfm_exec_scratch(exec, 0)));
  bool with_slope = lfm_act_keeps_slope(node->act);
  bool half = value_of(exec, node->output)->half;
  if (!kernels->fuses(node->act)) kernels->activate(y, with_slope ? slope : NULL, y, count, node->act, half);
  if (slope && !with_slope) kernels->slope(slope, y, count, node->act);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_kernels *kernels = exec->graph->kernels;
  void *d = lfm_exec_gradient(exec, node->output), *scratch = lfm_exec_scratch(exec, 0);
  const void *slope = lfm_exec_at(exec, state->buffer[SLOPE]);
  kernels->activate_backward(d, slope ? slope : lfm_exec_value(exec, node->output), exec->rows,
                             value_of(exec, node->output)->count, node->act, value_of(exec, node->output)->half,
                             lfm_exec_tensor_gradient(exec, node->tensor[BIAS]), exec->accumulate);
  if (!exec->factors)
    LFM_TRY(kernels->product_run(state->product[exec->accumulate ? BACK_WEIGHTS_ADD : BACK_WEIGHTS], d,
                                 lfm_exec_value(exec, node->input[0]), NULL,
                                 lfm_exec_tensor_gradient(exec, node->tensor[WEIGHT]), scratch));
  if (!state->product[BACK_DATA]) return LFM_OK;
  return kernels->product_run(state->product[BACK_DATA], d, lfm_exec_pack(exec, node->pack[PACK_BACK]), NULL,
                              lfm_exec_gradient(exec, node->input[0]), scratch);
}

/* For all panels: behind the input W's moving columns as rows, and W in the layout of the tangents' product. */
static void tangent_begin(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_kernels *kernels = exec->graph->kernels;
  const lfm_value_info *input = value_of(exec, node->input[0]);
  const void *w = lfm_exec_tensor(exec, node->tensor[WEIGHT]);
  int64_t cols = value_of(exec, node->output)->count;
  lfm_layout rows = lfm_layout_plain(input->count - input->still, cols), split;
  if (state->buffer[UNIT] >= 0 && !lfm_exec_is_probed(exec))
    kernels->pack(lfm_exec_at(exec, state->buffer[UNIT]), &rows, true, w, input->count, input->still, 0, cols);
  if (state->buffer[SPLIT] >= 0 && split_layout(exec, node, &split))
    kernels->pack(lfm_exec_at(exec, state->buffer[SPLIT]), &split, true, w, input->count, tangent_skips(exec, node), 0, cols);
}

/* Behind the input, with probes: this panel's (0, e). */
static const void *unit_panel(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *input = value_of(exec, node->input[0]);
  int64_t moving = input->count - input->still;
  char *panel = lfm_exec_at(exec, state->buffer[UNIT]);
  const char *e = lfm_exec_probes(exec);
  exec->graph->kernels->columns(panel + lfm_exec_bytes(exec, input->still), input->count,
                                e + lfm_exec_bytes(exec, exec->panel_first * moving), moving, exec->panel_count, moving,
                                false);
  return panel;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_kernels *kernels = exec->graph->kernels;
  int64_t cols = value_of(exec, node->output)->count, directions = exec->directions;
  void *panel = lfm_exec_tangent(exec, node->output), *slope = lfm_exec_at(exec, state->buffer[SLOPE]);
  bool unit = state->buffer[UNIT] >= 0;
  if (unit && !lfm_exec_is_probed(exec)) {
    kernels->unit_tangent(panel, lfm_exec_at(exec, state->buffer[UNIT]), slope, cols, directions, exec->panel_first,
                          exec->panel_count);
    return LFM_OK;
  }
  const void *moved = unit ? unit_panel(exec, node, state) : lfm_exec_tangent(exec, node->input[0]);
  int size = 0;
  while (size + 1 < PANEL_SIZES && panel_of(exec, size + 1) >= exec->panel_count) size++;
  const void *split = lfm_exec_at(exec, state->buffer[SPLIT]);
  LFM_TRY(kernels->product_run(state->product[TANGENT + size], moved,
                               split ? split : lfm_exec_pack(exec, node->pack[PACK_TANGENT]), NULL, panel,
                               lfm_exec_scratch(exec, 0)));
  if (slope) kernels->scale_tangent(panel, slope, cols, directions, exec->panel_first, exec->panel_count);
  return LFM_OK;
}

static lfm_status diagonal(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_value_info *input = value_of(exec, node->input[0]);
  const char *w = lfm_exec_tensor(exec, node->tensor[WEIGHT]);
  exec->graph->kernels->trace(lfm_exec_trace(exec), w + lfm_exec_bytes(exec, input->still), input->count,
                              lfm_exec_tangent(exec, node->input[0]), lfm_exec_at(exec, state->buffer[SLOPE]),
                              input->count - input->still, exec->graph->directions, exec->panel_first, exec->panel_count);
  return LFM_OK;
}

/* ---- building ------------------------------------------------------------------------------------------------ */

static double macs(const lfm_graph *graph, const lfm_node *node) {
  return (double)graph->values[node->input[0]].count * (double)graph->values[node->output].count;
}

static const lfm_op op_linear = {.name = "linear",
                                 .macs = macs,
                                 .plan = plan,
                                 .forward = forward,
                                 .backward = backward,
                                 .tangent_begin = tangent_begin,
                                 .tangent = tangent,
                                 .diagonal = diagonal,
                                 .outer = true};

/* Packed copies: for forward always; for backward where a gradient goes on; for tangents where still columns are skipped. */
static lfm_status add_packs(lfm_graph *graph, lfm_node *node) {
  const lfm_value_info input = graph->values[node->input[0]];
  LFM_TRY(lfm_graph_add_pack(graph, node->tensor[WEIGHT], true, 0, input.half, &node->pack[PACK_FORWARD]));
  node->pack[PACK_TANGENT] = node->pack[PACK_FORWARD];
  if (input.has_parameters)
    LFM_TRY(lfm_graph_add_pack(graph, node->tensor[WEIGHT], false, 0, input.half, &node->pack[PACK_BACK]));
  if (input.tangent != LFM_TANGENT_DENSE || input.still == 0) return LFM_OK;
  return lfm_graph_add_pack(graph, node->tensor[WEIGHT], true, input.still, input.half, &node->pack[PACK_TANGENT]);
}

lfm_status lfm_graph_linear(lfm_graph *graph, const char *name, lfm_value h, int64_t cols, lfm_act act, lfm_value *out) {
  LFM_TRY(lfm_graph_check(graph, h));
  LFM_TRY(lfm_graph_check_cols(cols));
  const lfm_value_info input = graph->values[h];
  lfm_node node = {.op = &op_linear, .inputs = 1, .input = {h}, .act = act};
  lfm_value_info info = {.dims = 1, .shape = {cols}, .count = cols, .has_parameters = true, .tangent_of = -1};
  info.tangent = input.tangent == LFM_TANGENT_NONE ? LFM_TANGENT_NONE : LFM_TANGENT_DENSE;
  info.half = graph->kernels->halves && info.tangent != LFM_TANGENT_NONE; /* what follows from t alone keeps its digits */
  LFM_TRY(lfm_graph_add_tensor(graph, name, "weight", 2, (int64_t[]){cols, input.count}, input.count, &node.tensor[WEIGHT]));
  LFM_TRY(lfm_graph_add_tensor(graph, name, "bias", 1, (int64_t[]){cols}, input.count, &node.tensor[BIAS]));
  LFM_TRY(add_packs(graph, &node));
  return lfm_graph_add_node(graph, &node, &info, out);
}
