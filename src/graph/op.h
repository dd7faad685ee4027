/* SPDX-License-Identifier: MIT
 *
 * op.h -- what an operation is to the graph, and what the graph is to an operation.  Internal to this room.
 *
 * Tangents (exact trace): with d directions, row b of a value has d tangents.  A value's tangents are
 *   none   it does not depend on the moving input
 *   unit   it is the moving input: direction j is e_j, never stored
 *   dense  rows b * d + j of a panel, worked on a panel at a time
 * Of a probed run d is the number of probes and direction j of the moving input is the given e_bj.
 * and in front of the tangent there may be `still` columns that no direction moves (t in (t, x)): they are not stored, so
 * concatenating a still value with a moving one costs nothing, and a product skips those columns of its weights.
 */
#ifndef LFM_GRAPH_OP_H
#define LFM_GRAPH_OP_H

#include "graph/graph.h"
#include "kernel/table.h"

enum { LFM_NODE_INPUTS = 4, LFM_NODE_TENSORS = 4, LFM_NODE_PACKS = 4, LFM_NODE_PRODUCTS = 6, LFM_NODE_BUFFERS = 4 };
enum { LFM_NODE_CONVS = 4 };

typedef enum lfm_tangent_kind { LFM_TANGENT_NONE, LFM_TANGENT_UNIT, LFM_TANGENT_DENSE } lfm_tangent_kind;

typedef struct lfm_op lfm_op;

typedef struct lfm_node {
  const lfm_op *op;
  int inputs;
  lfm_value input[LFM_NODE_INPUTS];
  lfm_value output;
  int tensor[LFM_NODE_TENSORS]; /* indices in the tensor table */
  int pack[LFM_NODE_PACKS];     /* indices in the pack table */
  lfm_act act;
  /* of images */
  int64_t size, stride, heads;
  bool line, pixels_first; /* a convolution of lines; plain rows with the channels of a pixel side by side */
  bool sines_first;        /* of a sinusoid */
  lfm_waves *waves;        /* its own */
  lfm_norm_spec norm;
  double dropout;
} lfm_node;

typedef struct lfm_value_info {
  int dims;
  int64_t shape[LFM_GRAPH_DIMS];
  lfm_image image;     /* how a row lies; no channels: plain numbers */
  int64_t count;       /* numbers a row, as it lies */
  int producer;        /* node; -1 for an input */
  int last_use;        /* last node that reads it; below producer + 1: none */
  bool half;           /* stored as halves: what lies between layers, where the kernels keep such */
  bool kept;           /* tangents want it again */
  bool shown;          /* it is read after the run, as the output is */
  bool has_parameters; /* depends on a parameter, so that backward passes through it */
  lfm_tangent_kind tangent;
  int64_t still;
  lfm_value tangent_of; /* whose panel holds the tangent: itself, or the value it merely renames */
  int last_tangent_use; /* last node that reads that panel, under whatever name */
} lfm_value_info;

/* A copy of a weight matrix in the layout that a product reads. */
typedef struct lfm_pack {
  int tensor;
  bool transposed;
  int64_t skip;
  lfm_layout layout;
  bool is_filter; /* of a convolution: */
  lfm_filter filter;
  bool back;            /* only backward reads it: it lies behind all others */
  size_t bytes, offset; /* of the packed vector */
} lfm_pack;

struct lfm_graph {
  const lfm_kernels *kernels;
  lfm_value_info *values;
  lfm_node *nodes;
  lfm_graph_tensor *tensors;
  lfm_pack *packs;
  size_t value_count, node_count, tensor_count, pack_count;
  size_t value_room, node_room, tensor_room, pack_room;
  int64_t params;
  size_t packed, packed_forward; /* bytes, in all and without what only backward reads */
  lfm_value output;
  int64_t directions; /* columns of the moving input; 0: none moves */
  bool finished;
};

/* A buffer of an exec: who needs it when, and where the planner put it. */
typedef struct lfm_buffer {
  size_t bytes, offset;
  char *outside;   /* it is somebody else's; NULL: in the arena */
  int first, last; /* steps: forward of node i is i; backward 2 n - 1 - i; tangents n + i */
} lfm_buffer;

typedef struct lfm_node_state {
  int parts;            /* workers that make it forward, each its part; 1 unless the exec is shared */
  lfm_product **part;   /* [parts] products of forward */
  lfm_conv **conv_part; /* [parts] convolutions of forward */
  bool by_pixels;       /* each of which makes some of the pixels; else, some of the channels */
  lfm_product *product[LFM_NODE_PRODUCTS];
  lfm_conv *conv[LFM_NODE_CONVS];
  int buffer[LFM_NODE_BUFFERS];
  bool adds[LFM_NODE_INPUTS]; /* a later node has already put a gradient into this input */
} lfm_node_state;

struct lfm_exec {
  const lfm_graph *graph;
  lfm_exec_kind kind;
  lfm_team *team;                  /* shared: whose; NULL: the run of one worker */
  lfm_factors *factors;            /* BACKWARD: where it leaves the factors of the weights' gradients; NULL: it makes these */
  int part;                        /* of their rows */
  int64_t rows, traced_rows;       /* the first of them whose trace is wanted */
  int64_t padded_rows;             /* rows, rounded up to what the kernels want: buffers have so many */
  int64_t directions;              /* TRACE: tangents a row */
  int64_t panel_rows;              /* TRACE: rows of a tangent panel, rounded up likewise */
  lfm_node_state *state;           /* [nodes] */
  int *value, *gradient, *tangent; /* [values] buffer indices, -1: none */
  lfm_buffer *buffers;
  size_t buffer_count, buffer_room;
  int scratch, trace, probes; /* probes < 0: the exact trace */
  size_t scratch_bytes;       /* a worker */
  char *arena;
  int64_t *row_of; /* BACKWARD: addresses of the rows, for dropout */
  bool drops;
  lfm_rng rng;
  /* of the call at work */
  const char *params, *packed;
  char *grads;
  bool accumulate;
  int64_t panel_first, panel_count;
};

struct lfm_op {
  const char *name;
  double (*macs)(const lfm_graph *graph, const lfm_node *node); /* multiply-adds a row of one product pass */
  lfm_status (*plan)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);
  lfm_status (*forward)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part);
  lfm_status (*backward)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);
  /* After the forward of all rows, once: what the panels share.  NULL: nothing. */
  void (*tangent_begin)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);
  lfm_status (*tangent)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);
  /* For the output's node, in place of its tangent: adds the diagonal to the exact trace.  NULL: cannot end one. */
  lfm_status (*diagonal)(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);
  bool forgets; /* its backward neither reads the output nor writes the output's gradient */
  bool outer;   /* a linear map: of tensor 0 the gradient is dz' h, of tensor 1 the sum of dz (factors.c) */
};

/* ---- for builders (graph.c) ----------------------------------------------------------------------------------- */

lfm_status lfm_graph_add_tensor(lfm_graph *graph, const char *name, const char *part, int dims, const int64_t *shape,
                                int64_t fan_in, int *out);
lfm_status lfm_graph_add_pack(lfm_graph *graph, int tensor, bool transposed, int64_t skip, bool half, int *out);
lfm_status lfm_graph_add_filter(lfm_graph *graph, int tensor, const lfm_conv_shape *shape, lfm_conv_pass pass, bool back,
                                int *out);
lfm_status lfm_graph_add_node(lfm_graph *graph, const lfm_node *node, const lfm_value_info *output, lfm_value *out);
lfm_status lfm_graph_check_cols(int64_t cols);
lfm_status lfm_graph_check(const lfm_graph *graph, lfm_value value);       /* is it a value of this unfinished graph? */
lfm_status lfm_graph_check_image(const lfm_graph *graph, lfm_value value); /* and an image? */

/* What a node makes of `like`: an image of that shape, as the kernels like it. */
lfm_value_info lfm_graph_image_info(const lfm_graph *graph, lfm_value like, int64_t channels, int64_t height, int64_t width);

/* For operations whose product passes count nothing, or that plan nothing. */
double lfm_op_no_macs(const lfm_graph *graph, const lfm_node *node);
lfm_status lfm_op_no_plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state);

/* ---- for runs that keep factors (factors.c) -------------------------------------------------------------------- */

/* What is kept of a part's rows: a value, where a linear map reads it; the gradient behind one; else NULL. */
void *lfm_factors_h(const lfm_factors *factors, lfm_value value, int part);
void *lfm_factors_dz(const lfm_factors *factors, lfm_value value, int part);
void *lfm_factors_sums(const lfm_factors *factors, int tensor, int part); /* of a bias, its gradient by that part */
int64_t lfm_factors_rows(const lfm_factors *factors);                     /* of a part */

/* ---- for plans and runs (exec.c) ------------------------------------------------------------------------------ */

/* A buffer of `bytes` that lives from step `first` to step `last`. */
lfm_status lfm_exec_want(lfm_exec *exec, size_t bytes, int first, int last, int *out);
lfm_status lfm_exec_want_product(lfm_exec *exec, const lfm_product_spec *spec, lfm_product **out);
lfm_status lfm_exec_want_conv(lfm_exec *exec, const lfm_conv_shape *shape, lfm_conv_pass pass, bool bias, int64_t rows,
                              lfm_conv **out);
void lfm_exec_want_scratch(lfm_exec *exec, size_t bytes);
/* Workers for something that can be cut into so many pieces; 1 unless the exec is shared and of one row. */
int lfm_exec_parts(const lfm_exec *exec, int64_t pieces);
/* The same for one pass over an image, which is cut into its blocks of channels; 1 where the pass is soon done. */
int lfm_exec_pass_parts(const lfm_exec *exec, lfm_value image);
lfm_status lfm_plan_memory(lfm_buffer *buffers, size_t count, size_t *total); /* plan.c */

static inline void *lfm_exec_at(const lfm_exec *exec, int buffer) {
  if (buffer < 0) return NULL;
  const lfm_buffer *b = &exec->buffers[buffer];
  return b->outside ? b->outside : exec->arena + b->offset;
}
static inline void *lfm_exec_scratch(const lfm_exec *exec, int worker) {
  return exec->arena + exec->buffers[exec->scratch].offset + (size_t)worker * exec->scratch_bytes;
}
static inline void *lfm_exec_gradient(const lfm_exec *exec, lfm_value value) {
  return lfm_exec_at(exec, exec->gradient[value]);
}
static inline void *lfm_exec_tangent(const lfm_exec *exec, lfm_value value) {
  return lfm_exec_at(exec, exec->tangent[exec->graph->values[value].tangent_of]);
}
static inline const lfm_value_info *lfm_exec_info(const lfm_exec *exec, lfm_value value) {
  return &exec->graph->values[value];
}
static inline bool lfm_exec_moves(const lfm_exec *exec, lfm_value value) {
  return exec->graph->values[value].tangent != LFM_TANGENT_NONE;
}
static inline bool lfm_exec_is_probed(const lfm_exec *exec) { return exec->probes >= 0; }
static inline size_t lfm_exec_bytes(const lfm_exec *exec, int64_t numbers) {
  return (size_t)numbers * exec->graph->kernels->number_size;
}
/* `rows` rows of a value, or of its gradient. */
static inline size_t lfm_exec_value_bytes(const lfm_exec *exec, const lfm_value_info *value, int64_t rows) {
  return (size_t)(rows * value->count) * lfm_stored_size(exec->graph->kernels, value->half);
}
/* Blocks of an image's channels. */
static inline size_t lfm_exec_block_bytes(const lfm_exec *exec, const lfm_value_info *image, int64_t blocks) {
  int64_t numbers = blocks * lfm_image_pixels(image->image) * image->image.block;
  return (size_t)numbers * lfm_stored_size(exec->graph->kernels, image->half);
}
/* Where a part of `pieces` begins; that behind the last one where all end. */
static inline int64_t lfm_part_begins(int64_t pieces, int parts, int part) { return pieces * part / parts; }
static inline const void *lfm_exec_tensor(const lfm_exec *exec, int tensor) {
  return exec->params + lfm_exec_bytes(exec, exec->graph->tensors[tensor].offset);
}
static inline const void *lfm_exec_pack(const lfm_exec *exec, int pack) {
  return exec->packed + exec->graph->packs[pack].offset;
}
static inline void *lfm_exec_tensor_gradient(const lfm_exec *exec, int tensor) {
  if (exec->factors) return lfm_factors_sums(exec->factors, tensor, exec->part);
  return exec->grads + lfm_exec_bytes(exec, exec->graph->tensors[tensor].offset);
}

#endif
