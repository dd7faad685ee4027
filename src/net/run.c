/* SPDX-License-Identifier: MIT
 *
 * run.c -- one worker's evaluation of a net: the graph's exec with names for its inputs and outputs.
 */
#include "core/alloc.h"
#include "graph/factors.h"
#include "net/internal.h"

/* Rows advised.  MANY amortise reading the weights and still split the usual round batch sizes evenly; half of that where a
 * row is so heavy that activations would leave a second-level cache; more gains nothing.  A TRACE run multiplies its rows
 * by dim, or by its probes: it gets about WIDE rows of tangents.
 * Of images, which no such cache holds, IMAGES pay for what Winograd's convolutions do with the weights.  Where a run keeps
 * all layers, and so many would take more than kept_bytes, half of them halve that for a few per cent of the time; fewer
 * where they would take more than image_bytes.  Images of one line are small: LINES of them read the weights as seldom as
 * pays. */
enum { MANY = 250, FEW = 125, WIDE = 2500, FEW_TRACED = 50, IMAGES = 16, KEPT_IMAGES = 8, LINES = 64 };
static const size_t cache_bytes = 2 << 20, kept_bytes = 128 << 20, image_bytes = (size_t)1 << 30;

struct lfm_run {
  const lfm_net *net;
  lfm_run_kind kind;
  int64_t rows;
  lfm_exec *exec;
};

/* Around an exec, whose creation had that status. */
static lfm_status wrap(const lfm_net *net, lfm_run_kind kind, lfm_exec *exec, lfm_status status, lfm_run **out) {
  *out = NULL;
  LFM_TRY(status);
  status = LFM_ALLOC(out, 1);
  if (status == LFM_OK) **out = (lfm_run){.net = net, .kind = kind, .rows = lfm_exec_rows(exec), .exec = exec};
  else lfm_exec_destroy(exec);
  return status;
}

lfm_status lfm_run_create(const lfm_net *net, lfm_run_kind kind, int64_t rows, lfm_run **out) {
  static const lfm_exec_kind kinds[] = {
      [LFM_RUN_EVAL] = LFM_EXEC_FORWARD, [LFM_RUN_TRAIN] = LFM_EXEC_BACKWARD, [LFM_RUN_TRACE] = LFM_EXEC_TRACE};
  lfm_exec *exec;
  lfm_status status = lfm_exec_create(net->graph, kinds[kind], rows, &exec);
  return wrap(net, kind, exec, status, out);
}

lfm_status lfm_run_create_shared(const lfm_net *net, lfm_team *team, int64_t rows, lfm_run **out) {
  lfm_exec *exec;
  lfm_status status = lfm_exec_create_shared(net->graph, team, rows, &exec);
  return wrap(net, LFM_RUN_EVAL, exec, status, out);
}

lfm_status lfm_run_create_probed(const lfm_net *net, int64_t probes, int64_t rows, lfm_run **out) {
  lfm_exec *exec;
  lfm_status status = lfm_exec_create_probed(net->graph, probes, rows, &exec);
  return wrap(net, LFM_RUN_TRACE, exec, status, out);
}

lfm_status lfm_run_create_part(const lfm_net *net, lfm_factors *factors, int part, lfm_run **out) {
  lfm_exec *exec;
  lfm_status status = lfm_exec_create_part(net->graph, factors, part, &exec);
  return wrap(net, LFM_RUN_TRAIN, exec, status, out);
}

lfm_status lfm_net_factors(const lfm_net *net, int64_t rows, int parts, int workers, lfm_factors **out) {
  return lfm_factors_create(net->graph, rows, parts, workers, out);
}

void lfm_run_destroy(lfm_run *run) {
  if (!run) return;
  lfm_exec_destroy(run->exec);
  lfm_free(run);
}

int64_t lfm_run_rows(const lfm_run *run) { return run->rows; }
size_t lfm_run_memory(const lfm_run *run) { return lfm_exec_memory(run->exec); }
void *lfm_run_t(lfm_run *run) { return run->net->t < 0 ? NULL : lfm_exec_value(run->exec, run->net->t); }
void *lfm_run_x(lfm_run *run) { return lfm_exec_value(run->exec, run->net->x); }
void *lfm_run_given(lfm_run *run) { return run->net->given < 0 ? NULL : lfm_exec_value(run->exec, run->net->given); }
void *lfm_run_span(lfm_run *run) { return run->net->span < 0 ? NULL : lfm_exec_value(run->exec, run->net->span); }
void lfm_run_dropout(lfm_run *run, const lfm_rng *rng) { lfm_exec_dropout(run->exec, rng); }
int64_t *lfm_run_dropout_rows(lfm_run *run) { return lfm_exec_dropout_rows(run->exec); }
const void *lfm_run_v(const lfm_run *run) { return lfm_exec_output(run->exec); }
const void *lfm_run_features(const lfm_run *run) {
  return run->net->features < 0 ? NULL : lfm_exec_value(run->exec, run->net->features);
}
void *lfm_run_dv(lfm_run *run) { return lfm_exec_output_gradient(run->exec); }
const void *lfm_run_trace(const lfm_run *run) { return lfm_exec_trace(run->exec); }
void *lfm_run_probes(lfm_run *run) { return lfm_exec_probes(run->exec); }
void lfm_run_trace_rows(lfm_run *run, int64_t rows) { lfm_exec_trace_rows(run->exec, rows); }

lfm_status lfm_run_forward(lfm_run *run, const lfm_params *params) {
  return lfm_exec_forward(run->exec, params->values, params->packed);
}

lfm_status lfm_run_backward(lfm_run *run, const lfm_params *params, void *grads, bool accumulate) {
  if (!params->trained) return lfm_fail(LFM_E_USAGE, "net: backward with weights that were made for evaluation alone");
  return lfm_exec_backward(run->exec, params->values, params->packed, grads, accumulate);
}

static int64_t traced_advised(int64_t directions) {
  int64_t rows = WIDE / directions;
  return rows > MANY ? MANY : rows < FEW_TRACED ? FEW_TRACED : rows;
}

static int64_t images_advised(const lfm_net *net, lfm_run_kind kind) {
  bool keeps = kind != LFM_RUN_EVAL; /* a trace keeps values as training does */
  if (lfm_graph_has_lines(net->graph)) return kind == LFM_RUN_TRACE ? IMAGES : LINES;
  size_t row = lfm_graph_row_bytes(net->graph, keeps), fit = image_bytes / row;
  int64_t most = keeps && (kind == LFM_RUN_TRACE || IMAGES * row > kept_bytes) ? KEPT_IMAGES : IMAGES;
  return fit < 1 ? 1 : fit < (size_t)most ? (int64_t)fit : most;
}

int64_t lfm_run_rows_advised(const lfm_net *net, lfm_run_kind kind) {
  if (lfm_graph_has_images(net->graph)) return images_advised(net, kind);
  if (kind == LFM_RUN_TRACE) return traced_advised(net->dim);
  size_t row = lfm_graph_row_bytes(net->graph, kind == LFM_RUN_TRAIN);
  return MANY * row <= cache_bytes ? MANY : FEW;
}

int64_t lfm_run_rows_advised_probed(const lfm_net *net, int64_t probes) {
  return lfm_graph_has_images(net->graph) ? images_advised(net, LFM_RUN_TRACE) : traced_advised(probes);
}

bool lfm_net_wants_factors(const lfm_net *net) {
  return lfm_graph_has_factors(net->graph) && (size_t)lfm_net_param_count(net) * lfm_net_number_size(net) > cache_bytes;
}
