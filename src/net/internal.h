/* SPDX-License-Identifier: MIT
 *
 * internal.h -- what the files of this room share: the bodies of net.h's opaque objects.
 */
#ifndef LFM_NET_INTERNAL_H
#define LFM_NET_INTERNAL_H

#include "graph/graph.h"
#include "net/net.h"

struct lfm_net {
  lfm_graph *graph;
  int64_t dim;        /* columns of x */
  int64_t out;        /* columns of v: as many, but for a judge */
  lfm_value t, x;     /* inputs; the output is v.  t -1: none */
  lfm_value given;    /* another; -1: none */
  int64_t givens;     /* columns of it; 0 without */
  lfm_value span;     /* another; -1: none */
  int64_t classes;    /* that it can be, where it is one number that names a class; else 0 */
  lfm_value features; /* of a judge; -1: none */
  lfm_tensor_info *tensors;
};

struct lfm_params {
  const lfm_net *net;
  void *values; /* [param_count], PyTorch's layout */
  void *packed; /* what the kernels read; what backward reads is there only if `trained` */
  bool trained;
};

/* A net around a finished graph, which it takes over on success only.  v has as many columns as x. */
lfm_status lfm_net_create(lfm_graph *graph, int64_t dim, lfm_value t, lfm_value x, lfm_net **out);

#endif
