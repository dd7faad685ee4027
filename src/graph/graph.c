/* SPDX-License-Identifier: MIT
 *
 * graph.c -- building a graph: values, nodes, the table of parameter tensors and of their packed copies.
 * The nodes are kept in the order of their creation, which is a valid order to run them in since a node can only read
 * values that exist.  No pattern is searched for and nothing is rewritten: the operations are coarse enough as they are.
 */
#include "core/alloc.h"
#include "core/bytes.h"
#include "core/order.h"
#include "graph/op.h"
#include <stdio.h>

enum { MAX_NODES = 4096, STRIP_NUMBERS = 8192, STRIP_ROWS = 16 };
static const int64_t max_count = 1 << 26; /* of a row; sizes multiply: this keeps every product of two far below 2^63 */
static const int64_t max_side = 4096;

lfm_status lfm_graph_create(const lfm_kernels *kernels, lfm_graph **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->kernels = kernels;
  (*out)->output = -1;
  return LFM_OK;
}

void lfm_graph_destroy(lfm_graph *graph) {
  if (!graph) return;
  lfm_free(graph->values);
  for (size_t i = 0; i < graph->node_count; i++) lfm_free(graph->nodes[i].waves);
  lfm_free(graph->nodes);
  lfm_free(graph->tensors);
  lfm_free(graph->packs);
  lfm_free(graph);
}

lfm_status lfm_graph_check(const lfm_graph *graph, lfm_value value) {
  if (graph->finished) return lfm_fail(LFM_E_USAGE, "graph: it is finished; nothing can be added");
  if (value < 0 || (size_t)value >= graph->value_count) return lfm_fail(LFM_E_USAGE, "graph: there is no value %d", value);
  return LFM_OK;
}

lfm_status lfm_graph_check_cols(int64_t cols) {
  if (cols >= 1 && cols <= max_count) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "graph: a value of %lld numbers a row; 1 to %lld are possible", (long long)cols,
                  (long long)max_count);
}

lfm_status lfm_graph_check_image(const lfm_graph *graph, lfm_value value) {
  LFM_TRY(lfm_graph_check(graph, value));
  if (graph->values[value].image.channels) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "graph: value %d is no image", value);
}

/* Sides and channels that are out of bounds give a count that is, too, which add_value refuses. */
lfm_value_info lfm_graph_image_info(const lfm_graph *graph, lfm_value like, int64_t channels, int64_t height, int64_t width) {
  const lfm_value_info *from = &graph->values[like];
  lfm_value_info info = {.dims = 3, .shape = {channels, height, width}, .tangent_of = -1};
  bool possible =
      channels >= 1 && height >= 1 && width >= 1 && channels <= max_count && height <= max_side && width <= max_side;
  info.image = (lfm_image){channels, height, width, graph->kernels->image->block};
  info.count = possible ? lfm_image_count(info.image) : INT64_MAX;
  info.half = graph->kernels->image->half;
  info.has_parameters = from->has_parameters;
  info.tangent = from->tangent == LFM_TANGENT_NONE ? LFM_TANGENT_NONE : LFM_TANGENT_DENSE;
  return info;
}

double lfm_op_no_macs(const lfm_graph *graph, const lfm_node *node) {
  (void)graph, (void)node;
  return 0;
}

lfm_status lfm_op_no_plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)exec, (void)node, (void)state;
  return LFM_OK;
}

static lfm_status add_value(lfm_graph *graph, const lfm_value_info *info, lfm_value *out) {
  if (info->image.channels == 0) LFM_TRY(lfm_graph_check_cols(info->count));
  else if (info->count > max_count)
    return lfm_fail(LFM_E_USAGE, "graph: an image of %lld numbers; up to %lld are possible", (long long)info->count,
                    (long long)max_count);
  LFM_TRY(lfm_alloc_grow(&graph->values, &graph->value_room, graph->value_count + 1, sizeof *graph->values));
  *out = (lfm_value)graph->value_count++;
  graph->values[*out] = *info;
  graph->values[*out].last_use = graph->values[*out].last_tangent_use = info->producer;
  if (info->tangent_of < 0) graph->values[*out].tangent_of = *out;
  return LFM_OK;
}

lfm_status lfm_graph_input(lfm_graph *graph, int64_t cols, bool moves, lfm_value *out) {
  if (graph->finished) return lfm_fail(LFM_E_USAGE, "graph: it is finished; nothing can be added");
  if (moves && graph->directions) return lfm_fail(LFM_E_USAGE, "graph: a second moving input");
  lfm_value_info info = {.dims = 1, .shape = {cols}, .count = cols, .producer = -1, .tangent_of = -1};
  info.tangent = moves ? LFM_TANGENT_UNIT : LFM_TANGENT_NONE;
  LFM_TRY(add_value(graph, &info, out));
  if (moves) graph->directions = cols;
  return LFM_OK;
}

lfm_status lfm_graph_add_node(lfm_graph *graph, const lfm_node *node, const lfm_value_info *output, lfm_value *out) {
  if (graph->node_count >= MAX_NODES) return lfm_fail(LFM_E_USAGE, "graph: more than %d nodes", MAX_NODES);
  LFM_TRY(lfm_alloc_grow(&graph->nodes, &graph->node_room, graph->node_count + 1, sizeof *graph->nodes));
  LFM_TRY(add_value(graph, output, out));
  int index = (int)graph->node_count++;
  graph->nodes[index] = *node;
  graph->nodes[index].output = *out;
  lfm_value_info *info = &graph->values[*out];
  info->producer = info->last_use = info->last_tangent_use = index;
  for (int i = 0; i < node->inputs; i++) {
    lfm_value read = node->input[i];
    graph->values[read].last_use = index;
    graph->values[graph->values[read].tangent_of].last_tangent_use = index;
  }
  return LFM_OK;
}

lfm_status lfm_graph_add_tensor(lfm_graph *graph, const char *name, const char *part, int dims, const int64_t *shape,
                                int64_t fan_in, int *out) {
  LFM_TRY(lfm_alloc_grow(&graph->tensors, &graph->tensor_room, graph->tensor_count + 1, sizeof *graph->tensors));
  lfm_graph_tensor *tensor = &graph->tensors[graph->tensor_count];
  *tensor = (lfm_graph_tensor){.dims = dims, .offset = graph->params, .count = 1, .fan_in = fan_in};
  int length = snprintf(tensor->name, sizeof tensor->name, "%s.%s", name, part);
  if (length < 0 || (size_t)length >= sizeof tensor->name)
    return lfm_fail(LFM_E_USAGE, "graph: tensor name too long: %s", name);
  for (int i = 0; i < dims; i++) {
    tensor->shape[i] = shape[i];
    tensor->count *= shape[i];
  }
  graph->params += tensor->count;
  *out = (int)graph->tensor_count++;
  return LFM_OK;
}

/* B [k, n] = W[n, skip + k] for the forward product of W [out, in], or W itself for the product that carries gradients back.
 */
lfm_status lfm_graph_add_pack(lfm_graph *graph, int tensor, bool transposed, int64_t skip, bool half, int *out) {
  LFM_TRY(lfm_alloc_grow(&graph->packs, &graph->pack_room, graph->pack_count + 1, sizeof *graph->packs));
  const int64_t *shape = graph->tensors[tensor].shape;
  lfm_pack *pack = &graph->packs[graph->pack_count];
  *pack = (lfm_pack){.tensor = tensor, .transposed = transposed, .skip = skip, .back = !transposed};
  int64_t k = transposed ? shape[1] - skip : shape[0], n = transposed ? shape[0] : shape[1];
  LFM_TRY(graph->kernels->layout(k, n, half, &pack->layout));
  pack->bytes = pack->layout.count * lfm_stored_size(graph->kernels, half);
  *out = (int)graph->pack_count++;
  return LFM_OK;
}

/* The weights as one pass of a convolution reads them; back: only backward does. */
lfm_status lfm_graph_add_filter(lfm_graph *graph, int tensor, const lfm_conv_shape *shape, lfm_conv_pass pass, bool back,
                                int *out) {
  LFM_TRY(lfm_alloc_grow(&graph->packs, &graph->pack_room, graph->pack_count + 1, sizeof *graph->packs));
  lfm_pack *pack = &graph->packs[graph->pack_count];
  *pack = (lfm_pack){.tensor = tensor, .is_filter = true, .back = back};
  pack->filter = graph->kernels->image->filter(shape, pass);
  pack->bytes = pack->filter.count * lfm_stored_size(graph->kernels, pack->filter.half);
  *out = (int)graph->pack_count++;
  return LFM_OK;
}

lfm_status lfm_graph_keep(lfm_graph *graph, lfm_value value) {
  LFM_TRY(lfm_graph_check(graph, value));
  graph->values[value].shown = true;
  graph->values[value].half = false;
  return LFM_OK;
}

/* What only backward reads comes last, so that weights that are not trained do without it. */
static void place_packs(lfm_graph *graph) {
  for (int back = 0; back < 2; back++) {
    for (size_t i = 0; i < graph->pack_count; i++) {
      lfm_pack *pack = &graph->packs[i];
      if (pack->back != (bool)back) continue;
      pack->offset = graph->packed;
      graph->packed += lfm_whole_lines(pack->bytes);
    }
    if (!back) graph->packed_forward = graph->packed;
  }
}

lfm_status lfm_graph_finish(lfm_graph *graph, lfm_value output) {
  LFM_TRY(lfm_graph_check(graph, output));
  if (graph->values[output].producer < 0) return lfm_fail(LFM_E_USAGE, "graph: the output is an input");
  for (lfm_value v = 0; (size_t)v < graph->value_count; v++)
    if (v != output && graph->values[v].last_use == graph->values[v].producer)
      return lfm_fail(LFM_E_USAGE, "graph: value %d is computed or given but never used", v);
  graph->output = output;
  graph->values[output].half = false;
  place_packs(graph);
  graph->finished = true;
  return LFM_OK;
}

/* ---- questions ----------------------------------------------------------------------------------------------- */

const lfm_kernels *lfm_graph_kernels(const lfm_graph *graph) { return graph->kernels; }
size_t lfm_graph_number_size(const lfm_graph *graph) { return graph->kernels->number_size; }
int lfm_graph_tensor_count(const lfm_graph *graph) { return (int)graph->tensor_count; }
const lfm_graph_tensor *lfm_graph_tensor_at(const lfm_graph *graph, int index) { return &graph->tensors[index]; }
int64_t lfm_graph_param_count(const lfm_graph *graph) { return graph->params; }
size_t lfm_graph_packed_bytes(const lfm_graph *graph, bool backward) {
  return backward ? graph->packed : graph->packed_forward;
}

void lfm_graph_pack(const lfm_graph *graph, int index, int64_t first, int64_t count, const void *params, void *packed,
                    bool backward) {
  const lfm_graph_tensor *tensor = &graph->tensors[index];
  size_t size = graph->kernels->number_size;
  const char *w = (const char *)params + (size_t)tensor->offset * size;
  for (size_t i = 0; i < graph->pack_count; i++) {
    const lfm_pack *pack = &graph->packs[i];
    if (pack->tensor != index || (pack->back && !backward)) continue;
    if (pack->is_filter) {
      graph->kernels->image->pack_filter((char *)packed + pack->offset, &pack->filter, w, first, count);
      continue;
    }
    graph->kernels->pack((char *)packed + pack->offset, &pack->layout, pack->transposed, w, tensor->shape[1], pack->skip,
                         first, count);
  }
}

int64_t lfm_graph_strip(const lfm_graph *graph, int index) {
  const lfm_graph_tensor *tensor = &graph->tensors[index];
  int64_t numbers = tensor->count / tensor->shape[0], rows = lfm_parts_of(STRIP_NUMBERS, numbers);
  return lfm_rounded_up(rows, STRIP_ROWS);
}

/* Backward: a product for the weights, and one for the input where a parameter lies behind it.  Trace: a product a
 * direction but for the first map, whose tangent is its weights, and the last, of which the diagonal is one row in d. */
lfm_graph_flops lfm_graph_count_flops(const lfm_graph *graph) {
  lfm_graph_flops flops = {0};
  for (size_t i = 0; i < graph->node_count; i++) {
    const lfm_node *node = &graph->nodes[i];
    double once = 2.0 * node->op->macs(graph, node);
    const lfm_value_info *input = &graph->values[node->input[0]];
    flops.forward += once;
    flops.backward += input->has_parameters ? 2.0 * once : once;
    if (input->tangent != LFM_TANGENT_DENSE) continue;
    double moving = once * (double)(input->count - input->still) / (double)input->count;
    flops.trace += node->output == graph->output ? moving : moving * (double)graph->directions;
  }
  return flops;
}

bool lfm_graph_has_images(const lfm_graph *graph) {
  for (size_t i = 0; i < graph->value_count; i++)
    if (graph->values[i].image.channels) return true;
  return false;
}

bool lfm_graph_has_lines(const lfm_graph *graph) {
  for (size_t i = 0; i < graph->value_count; i++)
    if (graph->values[i].image.height > 1) return false;
  return lfm_graph_has_images(graph);
}

size_t lfm_graph_row_bytes(const lfm_graph *graph, bool train) {
  int64_t numbers = 0, widest = 0;
  for (size_t i = 0; i < graph->value_count; i++) {
    numbers += graph->values[i].count;
    if (graph->values[i].count > widest) widest = graph->values[i].count;
  }
  return (size_t)(train ? numbers + 2 * widest : 2 * widest) * graph->kernels->number_size;
}
