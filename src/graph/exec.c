/* SPDX-License-Identifier: MIT
 *
 * exec.c -- a worker's plan of a graph, and its runs: forward node by node, backward in the opposite order, tangents a
 * panel at a time.
 *
 * Exact trace: d directions of R rows are R d rows of one wide matrix product a layer.  They are cut into panels of at
 * most PANEL_ROWS such rows, whatever rows and directions those belong to, so that a panel's two buffers stay in the
 * second-level cache and the last panel is nearly full; d backward passes, or one product of R d rows, were refused.
 *
 * Shared: of one row a layer is its weights read once, at the pace of whatever memory holds them.  Split by columns over a
 * team, they stay in the workers' second-level caches and are read by all at once.  Of one image channels are split likewise.
 *
 * Probed trace [Hutchinson 1989]: K given tangents e a row instead, in the same panels; the output's tangent J e is made like
 * any other, and the estimates are the products <e, J e>.
 */
#include "core/alloc.h"
#include "core/bytes.h"
#include "core/order.h"
#include "graph/op.h"

enum { PANEL_ROWS = 256, PANEL_NUMBERS = 1 << 20, MOST_PROBES = 1 << 16 };
enum { WORTH_SHARING = 1 << 14 }; /* numbers that one worker copies in the time of a hand-over */
static const int64_t max_rows = 1 << 20;

/* ---- planning ------------------------------------------------------------------------------------------------ */

lfm_status lfm_exec_want(lfm_exec *exec, size_t bytes, int first, int last, int *out) {
  LFM_TRY(lfm_alloc_grow(&exec->buffers, &exec->buffer_room, exec->buffer_count + 1, sizeof *exec->buffers));
  exec->buffers[exec->buffer_count] = (lfm_buffer){.bytes = bytes, .first = first, .last = last};
  *out = (int)exec->buffer_count++;
  return LFM_OK;
}

static lfm_status want_outside(lfm_exec *exec, void *outside, int *out) {
  LFM_TRY(lfm_exec_want(exec, 0, -1, -1, out));
  exec->buffers[*out].outside = outside;
  return LFM_OK;
}

lfm_status lfm_exec_want_product(lfm_exec *exec, const lfm_product_spec *spec, lfm_product **out) {
  const lfm_kernels *kernels = exec->graph->kernels;
  LFM_TRY(kernels->product_create(spec, out));
  lfm_exec_want_scratch(exec, kernels->product_scratch(*out));
  return LFM_OK;
}

lfm_status lfm_exec_want_conv(lfm_exec *exec, const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows,
                              lfm_conv **out) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  LFM_TRY(kernels->conv_create(shape, pass, bias, rows, out));
  lfm_exec_want_scratch(exec, kernels->conv_scratch(*out));
  return LFM_OK;
}

/* Of a worker: each run of an operation may overwrite it. */
void lfm_exec_want_scratch(lfm_exec *exec, size_t bytes) {
  if (bytes > exec->scratch_bytes) exec->scratch_bytes = bytes;
}

int lfm_exec_parts(const lfm_exec *exec, int64_t pieces) {
  int64_t workers = exec->team && exec->rows == 1 ? lfm_team_size(exec->team) : 1;
  return (int)(workers < pieces ? workers : pieces);
}

int lfm_exec_pass_parts(const lfm_exec *exec, lfm_value image) {
  const lfm_value_info *info = lfm_exec_info(exec, image);
  int64_t worth = info->count / WORTH_SHARING, blocks = info->image.channels ? lfm_image_blocks(info->image) : 1;
  return worth < 2 ? 1 : lfm_exec_parts(exec, worth < blocks ? worth : blocks);
}

/* Inputs, the output and what is kept outlive the run; the rest lives from its producer to its last reader, or to its
 * producer's backward, which may want the value again. */
static lfm_status want_value(lfm_exec *exec, lfm_value v) {
  const lfm_graph *graph = exec->graph;
  const lfm_value_info *info = &graph->values[v];
  void *factor = exec->factors ? lfm_factors_h(exec->factors, v, exec->part) : NULL;
  if (factor) return want_outside(exec, factor, &exec->value[v]);
  int end = 2 * (int)graph->node_count;
  bool outlives = info->producer < 0 || v == graph->output || info->shown || (info->kept && exec->kind == LFM_EXEC_TRACE);
  int first = info->producer < 0 ? -1 : info->producer;
  int last = outlives ? end : exec->kind == LFM_EXEC_BACKWARD ? end - 1 - info->producer : info->last_use;
  return lfm_exec_want(exec, lfm_exec_value_bytes(exec, info, exec->padded_rows), first, last, &exec->value[v]);
}

/* A gradient is first written in the backward of the value's last reader and last read in that of its producer. */
static lfm_status want_gradient(lfm_exec *exec, lfm_value v) {
  const lfm_graph *graph = exec->graph;
  const lfm_value_info *info = &graph->values[v];
  int end = 2 * (int)graph->node_count;
  if (exec->kind != LFM_EXEC_BACKWARD || !info->has_parameters) return LFM_OK;
  void *factor = exec->factors ? lfm_factors_dz(exec->factors, v, exec->part) : NULL;
  if (factor) return want_outside(exec, factor, &exec->gradient[v]);
  bool given = v == graph->output; /* by the caller, before the run */
  int first = given ? -1 : end - 1 - info->last_use, last = given ? end : end - 1 - info->producer;
  return lfm_exec_want(exec, lfm_exec_value_bytes(exec, info, exec->padded_rows), first, last, &exec->gradient[v]);
}

static lfm_status want_tangent(lfm_exec *exec, lfm_value v) {
  const lfm_graph *graph = exec->graph;
  const lfm_value_info *info = &graph->values[v];
  int nodes = (int)graph->node_count;
  if (exec->kind != LFM_EXEC_TRACE || info->tangent != LFM_TANGENT_DENSE || info->tangent_of != v) return LFM_OK;
  if (v == graph->output && !lfm_exec_is_probed(exec)) return LFM_OK; /* its diagonal suffices */
  return lfm_exec_want(exec, lfm_exec_bytes(exec, exec->panel_rows * (info->count - info->still)), nodes + info->producer,
                       nodes + info->last_tangent_use, &exec->tangent[v]);
}

/* The node that runs first in backward writes a gradient, later ones add to it. */
static void mark_adders(lfm_exec *exec) {
  const lfm_graph *graph = exec->graph;
  for (size_t i = 0; i < graph->node_count; i++)
    for (int j = 0; j < graph->nodes[i].inputs; j++) {
      lfm_value v = graph->nodes[i].input[j];
      bool repeated = false;
      for (int earlier = 0; earlier < j; earlier++) repeated = repeated || graph->nodes[i].input[earlier] == v;
      exec->state[i].adds[j] = repeated || graph->values[v].last_use != (int)i;
    }
}

static lfm_status check_kind(const lfm_graph *graph, lfm_exec_kind kind, int64_t probes, int64_t rows) {
  if (!graph->finished) return lfm_fail(LFM_E_USAGE, "graph: finish it before running it");
  if (rows < 1 || rows > max_rows)
    return lfm_fail(LFM_E_USAGE, "graph: a run of %lld rows; 1 to %lld are possible", (long long)rows, (long long)max_rows);
  if (kind != LFM_EXEC_TRACE) return LFM_OK;
  if (graph->kernels->halves) return lfm_fail(LFM_E_UNSUPPORTED, "graph: no trace in bf16");
  const lfm_value_info *output = &graph->values[graph->output];
  if (output->tangent != LFM_TANGENT_DENSE || output->count != graph->directions ||
      (!probes && !graph->nodes[output->producer].op->diagonal))
    return lfm_fail(LFM_E_UNSUPPORTED, "graph: no trace: the output is not a moving map of the moving input's size");
  return LFM_OK;
}

/* At most so many rows of tangents at a time; fewer of images. */
static int64_t longest_panel(const lfm_graph *graph) {
  int64_t widest = 1;
  for (size_t v = 0; v < graph->value_count; v++)
    if (graph->values[v].image.channels && graph->values[v].count > widest) widest = graph->values[v].count;
  int64_t rows = PANEL_NUMBERS / widest;
  return rows < 1 ? 1 : rows < PANEL_ROWS ? rows : PANEL_ROWS;
}

static lfm_status plan_tables(lfm_exec *exec) {
  const lfm_graph *graph = exec->graph;
  int64_t wide = exec->rows * exec->directions, longest = longest_panel(graph), panels = lfm_parts_of(wide, longest);
  exec->padded_rows = lfm_rounded_up(exec->rows, graph->kernels->row_multiple);
  exec->panel_rows =
      exec->kind == LFM_EXEC_TRACE ? lfm_rounded_up(lfm_parts_of(wide, panels), graph->kernels->row_multiple) : 0;
  exec->scratch = exec->trace = -1;
  LFM_TRY(LFM_ALLOC(&exec->state, graph->node_count));
  LFM_TRY(LFM_ALLOC(&exec->value, graph->value_count));
  LFM_TRY(LFM_ALLOC(&exec->gradient, graph->value_count));
  LFM_TRY(LFM_ALLOC(&exec->tangent, graph->value_count));
  for (size_t v = 0; v < graph->value_count; v++) exec->value[v] = exec->gradient[v] = exec->tangent[v] = -1;
  for (size_t i = 0; i < graph->node_count; i++) {
    exec->state[i].parts = 1;
    for (int j = 0; j < LFM_NODE_BUFFERS; j++) exec->state[i].buffer[j] = -1;
  }
  mark_adders(exec);
  bool drops = false;
  for (size_t i = 0; i < graph->node_count; i++) drops = drops || graph->nodes[i].dropout > 0;
  if (exec->kind != LFM_EXEC_BACKWARD || !drops) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&exec->row_of, exec->padded_rows));
  for (int64_t row = 0; row < exec->padded_rows; row++) exec->row_of[row] = row;
  return LFM_OK;
}

/* The probes come in and the traces go out. */
static lfm_status want_trace(lfm_exec *exec, int64_t probes) {
  int end = 2 * (int)exec->graph->node_count;
  exec->probes = -1;
  if (exec->kind != LFM_EXEC_TRACE) return LFM_OK;
  if (probes)
    LFM_TRY(lfm_exec_want(exec, lfm_exec_bytes(exec, exec->rows * probes * exec->graph->directions), -1, end, &exec->probes));
  return lfm_exec_want(exec, lfm_exec_bytes(exec, exec->rows * (probes ? probes : 1)), -1, end, &exec->trace);
}

static lfm_status plan(lfm_exec *exec, int64_t probes) {
  const lfm_graph *graph = exec->graph;
  int end = 2 * (int)graph->node_count;
  exec->directions = probes ? probes : graph->directions;
  LFM_TRY(plan_tables(exec));
  LFM_TRY(want_trace(exec, probes));
  for (lfm_value v = 0; (size_t)v < graph->value_count; v++) {
    LFM_TRY(want_value(exec, v));
    LFM_TRY(want_gradient(exec, v));
    LFM_TRY(want_tangent(exec, v));
  }
  for (size_t i = 0; i < graph->node_count; i++) LFM_TRY(graph->nodes[i].op->plan(exec, &graph->nodes[i], &exec->state[i]));
  size_t workers = exec->team ? (size_t)lfm_team_size(exec->team) : 1;
  exec->scratch_bytes = lfm_whole_lines(exec->scratch_bytes);
  LFM_TRY(lfm_exec_want(exec, workers * exec->scratch_bytes, -1, end, &exec->scratch));
  size_t total;
  LFM_TRY(lfm_plan_memory(exec->buffers, exec->buffer_count, &total));
  return LFM_ALLOC(&exec->arena, total);
}

/* asked: what there is to know, but for the plan. */
static lfm_status create(const lfm_exec *asked, int64_t probes, lfm_exec **out) {
  *out = NULL;
  LFM_TRY(check_kind(asked->graph, asked->kind, probes, asked->rows));
  lfm_exec *exec;
  LFM_TRY(LFM_ALLOC(&exec, 1));
  *exec = *asked;
  exec->traced_rows = exec->rows;
  lfm_status status = plan(exec, probes);
  if (status == LFM_OK) *out = exec;
  else lfm_exec_destroy(exec);
  return status;
}

lfm_status lfm_exec_create(const lfm_graph *graph, lfm_exec_kind kind, int64_t rows, lfm_exec **out) {
  return create(&(lfm_exec){.graph = graph, .kind = kind, .rows = rows}, 0, out);
}

lfm_status lfm_exec_create_shared(const lfm_graph *graph, lfm_team *team, int64_t rows, lfm_exec **out) {
  return create(&(lfm_exec){.graph = graph, .kind = LFM_EXEC_FORWARD, .team = team, .rows = rows}, 0, out);
}

lfm_status lfm_exec_create_part(const lfm_graph *graph, lfm_factors *factors, int part, lfm_exec **out) {
  int64_t rows = lfm_factors_rows(factors);
  return create(&(lfm_exec){.graph = graph, .kind = LFM_EXEC_BACKWARD, .factors = factors, .part = part, .rows = rows}, 0,
                out);
}

lfm_status lfm_exec_create_probed(const lfm_graph *graph, int64_t probes, int64_t rows, lfm_exec **out) {
  *out = NULL;
  if (probes < 1 || probes > MOST_PROBES)
    return lfm_fail(LFM_E_USAGE, "graph: %lld probes a row; 1 to %d are possible", (long long)probes, MOST_PROBES);
  return create(&(lfm_exec){.graph = graph, .kind = LFM_EXEC_TRACE, .rows = rows}, probes, out);
}

void lfm_exec_destroy(lfm_exec *exec) {
  if (!exec) return;
  const lfm_kernels *kernels = exec->graph->kernels;
  for (size_t i = 0; exec->state && i < exec->graph->node_count; i++) {
    lfm_node_state *state = &exec->state[i];
    for (int j = 0; j < LFM_NODE_PRODUCTS; j++) kernels->product_destroy(state->product[j]);
    for (int j = 0; j < LFM_NODE_CONVS; j++)
      if (state->conv[j]) kernels->image->conv_destroy(state->conv[j]);
    for (int j = 0; state->part && j < state->parts; j++) kernels->product_destroy(state->part[j]);
    for (int j = 0; state->conv_part && j < state->parts; j++)
      if (state->conv_part[j]) kernels->image->conv_destroy(state->conv_part[j]);
    lfm_free(state->part);
    lfm_free(state->conv_part);
  }
  lfm_free(exec->state);
  lfm_free(exec->value);
  lfm_free(exec->gradient);
  lfm_free(exec->tangent);
  lfm_free(exec->buffers);
  lfm_free(exec->arena);
  lfm_free(exec->row_of);
  lfm_free(exec);
}

int64_t lfm_exec_rows(const lfm_exec *exec) { return exec->rows; }
size_t lfm_exec_memory(const lfm_exec *exec) { return lfm_alloc_size(exec->arena) + lfm_alloc_size(exec->row_of); }

void *lfm_exec_value(const lfm_exec *exec, lfm_value value) { return lfm_exec_at(exec, exec->value[value]); }
void *lfm_exec_output(const lfm_exec *exec) { return lfm_exec_value(exec, exec->graph->output); }
void *lfm_exec_output_gradient(const lfm_exec *exec) { return lfm_exec_gradient(exec, exec->graph->output); }
void *lfm_exec_trace(const lfm_exec *exec) { return lfm_exec_at(exec, exec->trace); }
void *lfm_exec_probes(const lfm_exec *exec) { return lfm_exec_at(exec, exec->probes); }
void lfm_exec_trace_rows(lfm_exec *exec, int64_t rows) { exec->traced_rows = rows; }
int64_t *lfm_exec_dropout_rows(lfm_exec *exec) { return exec->row_of; }

void lfm_exec_dropout(lfm_exec *exec, const lfm_rng *rng) {
  exec->drops = rng != NULL;
  if (rng) exec->rng = *rng;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

/* <e, J e> of the panel's probes. */
static void estimate(lfm_exec *exec) {
  int64_t dim = exec->graph->directions, first = exec->panel_first;
  const char *e = lfm_exec_probes(exec);
  char *trace = lfm_exec_trace(exec);
  exec->graph->kernels->dots(trace + lfm_exec_bytes(exec, first), e + lfm_exec_bytes(exec, first * dim),
                             lfm_exec_tangent(exec, exec->graph->output), dim, exec->panel_count);
}

static lfm_status push_panel(lfm_exec *exec) {
  const lfm_graph *graph = exec->graph;
  for (size_t i = 0; i < graph->node_count; i++) {
    const lfm_node *node = &graph->nodes[i];
    if (node->output == graph->output && !lfm_exec_is_probed(exec)) return node->op->diagonal(exec, node, &exec->state[i]);
    const lfm_value_info *output = &graph->values[node->output];
    if (output->tangent == LFM_TANGENT_DENSE && output->tangent_of == node->output) /* not only another's new name */
      LFM_TRY(node->op->tangent(exec, node, &exec->state[i]));
  }
  estimate(exec);
  return LFM_OK;
}

static lfm_status push_tangents(lfm_exec *exec) {
  const lfm_graph *graph = exec->graph;
  int64_t wide = exec->traced_rows * exec->directions;
  if (wide == 0) return LFM_OK;
  for (size_t i = 0; i < graph->node_count; i++)
    if (graph->nodes[i].op->tangent_begin) graph->nodes[i].op->tangent_begin(exec, &graph->nodes[i], &exec->state[i]);
  for (int64_t first = 0; first < wide; first += exec->panel_rows) {
    exec->panel_first = first;
    exec->panel_count = wide - first < exec->panel_rows ? wide - first : exec->panel_rows;
    LFM_TRY(push_panel(exec));
  }
  return LFM_OK;
}

typedef struct shared_node {
  lfm_exec *exec;
  size_t index;
} shared_node;

static lfm_status forward_part(void *context, int worker, int64_t part) {
  (void)worker;
  const shared_node *shared = context;
  lfm_exec *exec = shared->exec;
  const lfm_node *node = &exec->graph->nodes[shared->index];
  return node->op->forward(exec, node, &exec->state[shared->index], (int)part);
}

lfm_status lfm_exec_forward(lfm_exec *exec, const void *params, const void *packed) {
  const lfm_graph *graph = exec->graph;
  exec->params = params, exec->packed = packed;
  for (size_t i = 0; i < graph->node_count; i++) {
    shared_node shared = {exec, i};
    LFM_TRY(exec->state[i].parts > 1 ? lfm_team_share(exec->team, exec->state[i].parts, forward_part, &shared)
                                     : forward_part(&shared, 0, 0));
  }
  return exec->kind == LFM_EXEC_TRACE ? push_tangents(exec) : LFM_OK;
}

lfm_status lfm_exec_backward(lfm_exec *exec, const void *params, const void *packed, void *grads, bool accumulate) {
  const lfm_graph *graph = exec->graph;
  if (exec->kind != LFM_EXEC_BACKWARD) return lfm_fail(LFM_E_USAGE, "graph: backward in a run that was not made for it");
  exec->params = params, exec->packed = packed, exec->grads = grads, exec->accumulate = accumulate;
  for (size_t i = graph->node_count; i-- > 0;) {
    const lfm_node *node = &graph->nodes[i];
    if (graph->values[node->output].has_parameters) LFM_TRY(node->op->backward(exec, node, &exec->state[i]));
  }
  return LFM_OK;
}
