/* SPDX-License-Identifier: MIT
 *
 * params.c -- one set of weights: the master vector, its start, and the packed copies that the kernels read.
 */
#include "core/alloc.h"
#include "core/rng.h"
#include "net/internal.h"
#include <math.h>
#include <string.h>

static lfm_status create(const lfm_net *net, bool trained, lfm_params **out) {
  *out = NULL;
  lfm_params *params;
  LFM_TRY(LFM_ALLOC(&params, 1));
  params->net = net, params->trained = trained;
  lfm_status status = lfm_alloc_array(&params->values, (size_t)lfm_net_param_count(net), lfm_net_number_size(net));
  if (status == LFM_OK) status = lfm_alloc_array(&params->packed, lfm_graph_packed_bytes(net->graph, trained), 1);
  if (status == LFM_OK) *out = params;
  else lfm_params_destroy(params);
  return status;
}

lfm_status lfm_params_create(const lfm_net *net, lfm_params **out) { return create(net, true, out); }
lfm_status lfm_params_create_untrained(const lfm_net *net, lfm_params **out) { return create(net, false, out); }

void lfm_params_destroy(lfm_params *params) {
  if (!params) return;
  lfm_free(params->values);
  lfm_free(params->packed);
  lfm_free(params);
}

size_t lfm_params_memory(const lfm_params *params) {
  return params ? lfm_alloc_size(params->values) + lfm_alloc_size(params->packed) : 0;
}

/* Number i of the flat vector is drawn at row i, and rounded to float in both number types: the oracle
 * starts where the float net does. */
static float start_of(const lfm_graph_tensor *tensor, const lfm_rng *rng, int64_t i) {
  float normal;
  switch (tensor->fill) {
  case LFM_FILL_ZERO:
    return 0;
  case LFM_FILL_ONE:
    return 1;
  case LFM_FILL_NORMAL:
    lfm_rng_normal(rng, i, &normal, 1);
    return normal;
  default:
    return (float)(1.0 / sqrt((double)tensor->fan_in) * (2.0 * lfm_rng_uniform(rng, i, 0) - 1.0));
  }
}

void lfm_params_init(lfm_params *params, uint64_t seed, uint32_t block) {
  const lfm_net *net = params->net;
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_INIT, .block = block};
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_graph_tensor *tensor = lfm_graph_tensor_at(net->graph, i);
    for (int64_t j = tensor->offset; j < tensor->offset + tensor->count; j++) {
      float value = start_of(tensor, &rng, j);
      if (lfm_net_number_size(net) == sizeof(float)) ((float *)params->values)[j] = value;
      else ((double *)params->values)[j] = (double)value;
    }
  }
  lfm_params_pack(params);
}

void *lfm_params_data(lfm_params *params) { return params->values; }
const void *lfm_params_values(const lfm_params *params) { return params->values; }

void lfm_params_pack(lfm_params *params) {
  const lfm_graph *graph = params->net->graph;
  for (int i = 0; i < lfm_graph_tensor_count(graph); i++)
    lfm_graph_pack(graph, i, 0, lfm_graph_tensor_at(graph, i)->shape[0], params->values, params->packed, params->trained);
}

void lfm_params_set(lfm_params *params, const float *values) {
  int64_t count = lfm_net_param_count(params->net);
  if (lfm_net_number_size(params->net) == sizeof(float)) memcpy(params->values, values, (size_t)count * sizeof *values);
  else
    for (int64_t i = 0; i < count; i++) ((double *)params->values)[i] = (double)values[i];
  lfm_params_pack(params);
}

void lfm_params_copy(lfm_params *to, const lfm_params *from) {
  if (to->net != from->net) {
    lfm_params_set(to, from->values);
    return;
  }
  memcpy(to->values, from->values, (size_t)lfm_net_param_count(from->net) * lfm_net_number_size(from->net));
  if (to->trained && !from->trained) lfm_params_pack(to);
  else memcpy(to->packed, from->packed, lfm_graph_packed_bytes(to->net->graph, to->trained));
}
