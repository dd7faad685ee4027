/* SPDX-License-Identifier: MIT
 *
 * factors.c -- see factors.h.
 * A factor is one matrix of all rows of the batch, in which each part has its lines: first those of its rows, then what the
 * kernels want rows to be rounded up to.  The latter are zero in dz and finite in h, and so add nothing.
 * The gradient of a bias is summed by each part's backward, which has dz at hand, and here over the parts in their order.
 */
#include "graph/factors.h"
#include "core/alloc.h"
#include "core/order.h"
#include "graph/op.h"

enum { WEIGHT, BIAS };
enum { FULL, REST, SIZES };

typedef struct outer { /* a tensor's gradient */
  const lfm_node *node;
  bool is_bias;
  size_t sums; /* of a bias, where the parts' gradients are */
} outer;

struct lfm_factors {
  const lfm_graph *graph;
  int64_t rows, lines; /* of a part: given, and with what rounding adds */
  int parts, workers;
  size_t *h, *dz; /* [values] where the factor lies, NONE: it is none */
  outer *tensor;  /* [tensors] */
  char *arena;
  size_t bytes;
  lfm_product **product; /* [workers][tensors][SIZES]; of biases NULL */
  size_t scratch_bytes;  /* of a worker */
  char *scratch;
};

static const size_t NONE = SIZE_MAX;

bool lfm_graph_has_factors(const lfm_graph *graph) {
  size_t tensors = 0;
  for (size_t i = 0; i < graph->node_count; i++) tensors += graph->nodes[i].op->outer ? 2 : 0;
  return tensors == graph->tensor_count;
}

/* ---- what is kept, and where ----------------------------------------------------------------------------------- */

static size_t take(lfm_factors *factors, size_t bytes) {
  size_t place = factors->bytes;
  factors->bytes += lfm_whole_lines(bytes);
  return place;
}

/* Bytes of one line of a factor. */
static size_t line_of(const lfm_factors *factors, lfm_value v) {
  const lfm_value_info *info = &factors->graph->values[v];
  return (size_t)info->count * lfm_stored_size(factors->graph->kernels, info->half);
}

static void take_matrix(lfm_factors *factors, size_t *place, lfm_value v) {
  if (place[v] == NONE) place[v] = take(factors, (size_t)(factors->parts * factors->lines) * line_of(factors, v));
}

static void take_node(lfm_factors *factors, const lfm_node *node) {
  const lfm_graph *graph = factors->graph;
  take_matrix(factors, factors->h, node->input[0]);
  take_matrix(factors, factors->dz, node->output);
  size_t sums = lfm_whole_lines((size_t)graph->values[node->output].count * graph->kernels->number_size);
  factors->tensor[node->tensor[WEIGHT]] = (outer){.node = node};
  factors->tensor[node->tensor[BIAS]] =
      (outer){.node = node, .is_bias = true, .sums = take(factors, (size_t)factors->parts * sums)};
}

static void *part_of(const lfm_factors *factors, const size_t *place, lfm_value v, int part) {
  if (place[v] == NONE) return NULL;
  return factors->arena + place[v] + (size_t)(part * factors->lines) * line_of(factors, v);
}

void *lfm_factors_h(const lfm_factors *factors, lfm_value v, int part) { return part_of(factors, factors->h, v, part); }

void *lfm_factors_dz(const lfm_factors *factors, lfm_value v, int part) { return part_of(factors, factors->dz, v, part); }

void *lfm_factors_sums(const lfm_factors *factors, int tensor, int part) {
  const outer *bias = &factors->tensor[tensor];
  size_t sums = lfm_whole_lines((size_t)factors->graph->tensors[tensor].count * factors->graph->kernels->number_size);
  return factors->arena + bias->sums + (size_t)part * sums;
}

int64_t lfm_factors_rows(const lfm_factors *factors) { return factors->rows; }

/* ---- life ------------------------------------------------------------------------------------------------------ */

/* Enough for a product to be at its best; and they still lie in a second-level cache, with what is read for them. */
int64_t lfm_factors_rows_at_once(const lfm_graph *graph, int tensor) {
  return lfm_rounded_up(graph->kernels->gradient_rows, lfm_graph_strip(graph, tensor));
}

static lfm_product **products_of(const lfm_factors *factors, int worker, int tensor) {
  return factors->product + ((size_t)worker * factors->graph->tensor_count + (size_t)tensor) * SIZES;
}

static lfm_status create_products(lfm_factors *factors, int tensor) {
  const lfm_graph *graph = factors->graph;
  const outer *weight = &factors->tensor[tensor];
  if (weight->is_bias) return LFM_OK;
  const lfm_value_info *input = &graph->values[weight->node->input[0]], *output = &graph->values[weight->node->output];
  int64_t most = lfm_factors_rows_at_once(graph, tensor), all = output->count;
  int64_t rows[SIZES] = {all < most ? 0 : most, all % most};
  for (int s = 0; s < SIZES; s++)
    for (int w = 0; w < factors->workers && rows[s]; w++) {
      lfm_product_spec spec = {.m = rows[s],
                               .n = input->count,
                               .k = factors->parts * factors->lines,
                               .lda = output->count,
                               .half_a = output->half,
                               .half_b = input->half};
      lfm_product **product = &products_of(factors, w, tensor)[s];
      LFM_TRY(graph->kernels->product_create(&spec, product));
      size_t scratch = lfm_whole_lines(graph->kernels->product_scratch(*product));
      if (scratch > factors->scratch_bytes) factors->scratch_bytes = scratch;
    }
  return LFM_OK;
}

static lfm_status fill(lfm_factors *factors) {
  const lfm_graph *graph = factors->graph;
  LFM_TRY(LFM_ALLOC(&factors->h, graph->value_count));
  LFM_TRY(LFM_ALLOC(&factors->dz, graph->value_count));
  LFM_TRY(LFM_ALLOC(&factors->tensor, graph->tensor_count));
  LFM_TRY(LFM_ALLOC(&factors->product, (size_t)factors->workers * graph->tensor_count * SIZES));
  for (size_t v = 0; v < graph->value_count; v++) factors->h[v] = factors->dz[v] = NONE;
  for (size_t i = 0; i < graph->node_count; i++)
    if (graph->nodes[i].op->outer) take_node(factors, &graph->nodes[i]);
  LFM_TRY(LFM_ALLOC(&factors->arena, factors->bytes));
  for (size_t i = 0; i < graph->tensor_count; i++) LFM_TRY(create_products(factors, (int)i));
  return LFM_ALLOC(&factors->scratch, (size_t)factors->workers * factors->scratch_bytes);
}

lfm_status lfm_factors_create(const lfm_graph *graph, int64_t rows, int parts, int workers, lfm_factors **out) {
  *out = NULL;
  if (!lfm_graph_has_factors(graph))
    return lfm_fail(LFM_E_UNSUPPORTED, "graph: factors of a gradient: not all of its weights are those of linear maps");
  lfm_factors *factors;
  LFM_TRY(LFM_ALLOC(&factors, 1));
  factors->graph = graph, factors->parts = parts, factors->workers = workers;
  factors->rows = rows, factors->lines = lfm_rounded_up(rows, graph->kernels->row_multiple);
  lfm_status status = fill(factors);
  if (status == LFM_OK) *out = factors;
  else lfm_factors_destroy(factors);
  return status;
}

void lfm_factors_destroy(lfm_factors *factors) {
  if (!factors) return;
  size_t products = (size_t)factors->workers * factors->graph->tensor_count * SIZES;
  for (size_t i = 0; factors->product && i < products; i++) factors->graph->kernels->product_destroy(factors->product[i]);
  lfm_free(factors->product);
  lfm_free(factors->h);
  lfm_free(factors->dz);
  lfm_free(factors->tensor);
  lfm_free(factors->arena);
  lfm_free(factors->scratch);
  lfm_free(factors);
}

size_t lfm_factors_memory(const lfm_factors *factors) {
  return factors ? lfm_alloc_size(factors->arena) + lfm_alloc_size(factors->scratch) : 0;
}

/* ---- gradients ------------------------------------------------------------------------------------------------- */

static void sum_of_parts(const lfm_factors *factors, int tensor, int64_t first, void *out) {
  const lfm_kernels *kernels = factors->graph->kernels;
  int64_t left = factors->graph->tensors[tensor].count - first, most = lfm_factors_rows_at_once(factors->graph, tensor);
  int64_t count = left < most ? left : most;
  for (int part = 0; part < factors->parts; part++) {
    const char *sums = lfm_factors_sums(factors, tensor, part);
    kernels->columns(out, count, sums + (size_t)first * kernels->number_size, count, 1, count, part > 0);
  }
}

lfm_status lfm_factors_gradient(lfm_factors *factors, int worker, int tensor, int64_t first, void *out) {
  const lfm_graph *graph = factors->graph;
  const outer *of = &factors->tensor[tensor];
  if (of->is_bias) return sum_of_parts(factors, tensor, first, out), LFM_OK;
  const lfm_value_info *output = &graph->values[of->node->output];
  bool is_full = output->count - first >= lfm_factors_rows_at_once(graph, tensor);
  const char *dz = lfm_factors_dz(factors, of->node->output, 0), *h = lfm_factors_h(factors, of->node->input[0], 0);
  return graph->kernels->product_run(products_of(factors, worker, tensor)[is_full ? FULL : REST],
                                     dz + (size_t)first * lfm_stored_size(graph->kernels, output->half), h, NULL, out,
                                     factors->scratch + (size_t)worker * factors->scratch_bytes);
}
