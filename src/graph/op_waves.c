/* SPDX-License-Identifier: MIT
 *
 * op_waves.c -- y = (x, waves of x): an MLP learns slowly what changes within a short way of its input, and a density may.
 *   forward   sines and cosines of x at several lengths [Tancik et al., NeurIPS 2020], each times what the noise that x
 *             has at t leaves of it in the mean [Barron et al., ICCV 2021]: fine ones appear near the data only, where
 *             the velocity is fine (core/waves.h)
 *   tangent   from y: the derivative of a sine is its cosine, and the noise depends on t alone
 * x and t are inputs, so there is no backward.
 */
#include "core/alloc.h"
#include "graph/op.h"

#include <math.h>

static const double golden = 0.6180339887498949, pi = 3.141592653589793;

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  (void)state, (void)part;
  exec->graph->kernels->waves(lfm_exec_value(exec, node->output), lfm_exec_value(exec, node->input[0]),
                              lfm_exec_value(exec, node->input[1]), node->waves, exec->rows);
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  (void)state;
  exec->graph->kernels->waves_tangent(lfm_exec_tangent(exec, node->output), lfm_exec_value(exec, node->output), node->waves,
                                      lfm_exec_is_probed(exec) ? lfm_exec_probes(exec) : NULL, exec->directions,
                                      exec->panel_first, exec->panel_count);
  return LFM_OK;
}

static const lfm_op op_waves = {
    .name = "waves", .macs = lfm_op_no_macs, .plan = lfm_op_no_plan, .forward = forward, .tangent = tangent};

/* ---- building ------------------------------------------------------------------------------------------------ */

static void put(void *array, size_t number_size, int64_t at, double number) {
  if (number_size == sizeof(float)) ((float *)array)[at] = (float)number;
  else ((double *)array)[at] = number;
}

static lfm_status make_waves(const lfm_kernels *kernels, int64_t dim, const lfm_wave_config *c, lfm_waves **out) {
  int64_t count = c->count;
  size_t size = kernels->number_size;
  LFM_TRY(lfm_alloc_array(out, 1, sizeof **out + 3 * (size_t)count * size));
  lfm_waves *w = *out;
  w->dim = dim, w->count = count, w->trig = c->trig, w->noise = c->noise;
  w->strengths = w + 1, w->turns = (char *)w->strengths + (size_t)count * size;
  for (int64_t n = 0; n < count; n++) {
    double number = count > 1 ? pow(c->finest, (double)n / (double)(count - 1)) : 1.0, turns = number / (2.0 * pi);
    double angle = dim == 2 ? pi * fmod((double)n * golden, 1.0) : 0.0;
    put(w->strengths, size, n, 0.5 * number * number);
    put(w->turns, size, n, turns * cos(angle));
    put(w->turns, size, count + n, turns * sin(angle));
  }
  return LFM_OK;
}

lfm_status lfm_graph_waves(lfm_graph *graph, lfm_value x, lfm_value t, const lfm_wave_config *config, lfm_value *out) {
  LFM_TRY(lfm_graph_check(graph, x));
  LFM_TRY(lfm_graph_check(graph, t));
  int64_t dim = graph->values[x].count;
  if (graph->values[x].tangent != LFM_TANGENT_UNIT || graph->values[t].count != 1 || graph->values[t].producer >= 0)
    return lfm_fail(LFM_E_USAGE, "graph: waves of value %d", x);
  if (config->count < 1 || config->count > LFM_MOST_WAVES || !(config->finest >= 1.0 && config->finest <= 1e4) ||
      !(config->noise >= 0.0))
    return lfm_fail(LFM_E_USAGE, "graph: %lld waves up to %g radians, in noise of %g", (long long)config->count,
                    config->finest, config->noise);
  lfm_node node = {.op = &op_waves, .inputs = 2, .input = {x, t}};
  LFM_TRY(make_waves(graph->kernels, dim, config, &node.waves));
  int64_t cols = lfm_wave_columns(dim, config->count);
  lfm_value_info info = {.dims = 1, .shape = {cols}, .count = cols, .tangent = LFM_TANGENT_DENSE, .tangent_of = -1};
  lfm_status status = lfm_graph_add_node(graph, &node, &info, out);
  if (status != LFM_OK) lfm_free(node.waves);
  else graph->values[*out].kept = true;
  return status;
}
