/* SPDX-License-Identifier: MIT
 *
 * net.c -- a velocity field as the rooms above see it: its parameter table and its costs, read off the graph.
 */
#include "core/alloc.h"
#include "net/internal.h"
#include <string.h>

lfm_status lfm_net_create(lfm_graph *graph, int64_t dim, lfm_value t, lfm_value x, lfm_net **out) {
  lfm_net *net;
  int tensors = lfm_graph_tensor_count(graph);
  LFM_TRY(LFM_ALLOC(&net, 1));
  lfm_status status = LFM_ALLOC(&net->tensors, tensors);
  if (status != LFM_OK) {
    lfm_free(net);
    return status;
  }
  for (int i = 0; i < tensors; i++) {
    const lfm_graph_tensor *from = lfm_graph_tensor_at(graph, i);
    lfm_tensor_info *to = &net->tensors[i];
    *to = (lfm_tensor_info){.dims = from->dims, .offset = from->offset, .count = from->count};
    memcpy(to->name, from->name, sizeof to->name);
    memcpy(to->shape, from->shape, sizeof to->shape);
  }
  net->graph = graph, net->dim = net->out = dim, net->t = t, net->x = x, net->given = net->span = net->features = -1;
  *out = net;
  return LFM_OK;
}

void lfm_net_destroy(lfm_net *net) {
  if (!net) return;
  lfm_graph_destroy(net->graph);
  lfm_free(net->tensors);
  lfm_free(net);
}

int64_t lfm_net_dim(const lfm_net *net) { return net->dim; }
int64_t lfm_net_out(const lfm_net *net) { return net->out; }
int64_t lfm_net_given(const lfm_net *net) { return net->givens; }
int64_t lfm_net_classes(const lfm_net *net) { return net->classes; }
double lfm_net_nothing(const lfm_net *net) { return net->classes ? (double)net->classes - 1.0 : 0.0; }
bool lfm_net_of_images(const lfm_net *net) { return lfm_graph_has_images(net->graph); }
const lfm_kernels *lfm_net_kernels(const lfm_net *net) { return lfm_graph_kernels(net->graph); }
size_t lfm_net_number_size(const lfm_net *net) { return lfm_graph_number_size(net->graph); }
int64_t lfm_net_param_count(const lfm_net *net) { return lfm_graph_param_count(net->graph); }
int lfm_net_tensor_count(const lfm_net *net) { return lfm_graph_tensor_count(net->graph); }
const lfm_tensor_info *lfm_net_tensor(const lfm_net *net, int index) { return &net->tensors[index]; }

double lfm_net_forward_flops(const lfm_net *net) { return lfm_graph_count_flops(net->graph).forward; }

double lfm_net_train_flops(const lfm_net *net) {
  lfm_graph_flops flops = lfm_graph_count_flops(net->graph);
  return flops.forward + flops.backward;
}

double lfm_net_trace_flops(const lfm_net *net) {
  lfm_graph_flops flops = lfm_graph_count_flops(net->graph);
  return flops.forward + flops.trace;
}
