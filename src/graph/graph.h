/* SPDX-License-Identifier: MIT
 *
 * graph.h -- a static graph of coarse operations: built once, planned once, then run without asking for memory.
 *
 *   lfm_graph   values, nodes, parameter tensors and their packed copies.  Immutable once finished; shared by threads.
 *   lfm_exec    one worker's plan of that graph for a fixed number of rows: kernels made, all buffers laid in one arena
 *               by their lifetimes.  Three kinds: forward only, forward and backward, forward and tangents
 *               (of every direction, for the exact trace, or of a few random probes, for an estimate of it).
 *               A forward run of few rows may be a whole team's: each worker makes some columns of every layer; a
 *               backward run may be a part of a batch, whose weights' gradients are made last (graph/factors.h).
 *
 * A value is [rows, shape...]; nodes are in the order they were added, which is the order they run in.  Each operation
 * is a file (op_*.c) with forward, backward and tangent, and reaches numbers only through kernel/table.h.
 * Building a graph: create, inputs, operations, finish.  Functions that add return the status of the addition.
 */
#ifndef LFM_GRAPH_GRAPH_H
#define LFM_GRAPH_GRAPH_H

#include "core/status.h"
#include "core/threads.h"
#include "core/waves.h"
#include "kernel/image.h"
#include "kernel/kernel.h"

enum { LFM_GRAPH_DIMS = 4 };

typedef struct lfm_graph lfm_graph;
typedef struct lfm_factors lfm_factors; /* graph/factors.h */
typedef int lfm_value;

/* ---- building ------------------------------------------------------------------------------------------------ */

lfm_status lfm_graph_create(const lfm_kernels *kernels, lfm_graph **out);
void lfm_graph_destroy(lfm_graph *graph);

/* A batch of [cols]; `moves`: the tangents start here, one direction a column.  At most one input moves. */
lfm_status lfm_graph_input(lfm_graph *graph, int64_t cols, bool moves, lfm_value *out);

/* act(W h + b); the tensors NAME.weight [cols, of h] and NAME.bias [cols] join the table. */
lfm_status lfm_graph_linear(lfm_graph *graph, const char *name, lfm_value h, int64_t cols, lfm_act act, lfm_value *out);

/* (a, b) side by side; of images the channels. */
lfm_status lfm_graph_concat(lfm_graph *graph, lfm_value a, lfm_value b, lfm_value *out);

/* ---- images: a row is [channels, height, width], and lies as the kernels like it (kernel/image.h) ---------------- */

/* Plain rows [channels * height * width] as images, and back. */
lfm_status lfm_graph_image(lfm_graph *graph, lfm_value plain, int64_t channels, int64_t height, int64_t width,
                           lfm_value *out);
lfm_status lfm_graph_plain(lfm_graph *graph, lfm_value image, lfm_value *out);

/* A series [length, channels] as an image of one line of `length` pixels, and back. */
lfm_status lfm_graph_line(lfm_graph *graph, lfm_value series, int64_t length, int64_t channels, lfm_value *out);
lfm_status lfm_graph_series(lfm_graph *graph, lfm_value line, lfm_value *out);

/* A convolution with bias, of odd size, `size` / 2 zeros around the image; `dims` of its NAME.weight: 4, or 3 where its taps
 * are a line, which an image of one line wants, or one.  zero: it starts at zero. */
typedef struct lfm_graph_conv_config {
  int64_t channels, size, stride;
  int dims;
  bool zero;
} lfm_graph_conv_config;
lfm_status lfm_graph_conv(lfm_graph *graph, const char *name, lfm_value x, const lfm_graph_conv_config *config,
                          lfm_value *out);

/* A line twice as long: the transpose of a convolution of four taps and stride 2 (torch's ConvTranspose1d of kernel 4, stride
 * 2 and padding 1), with bias.  NAME.weight [of x, channels, 4]. */
lfm_status lfm_graph_lengthen(lfm_graph *graph, const char *name, lfm_value x, int64_t channels, lfm_value *out);

/* GroupNorm with NAME.weight and NAME.bias [channels]; then SiLU or Mish; then, in training, dropout.
 * e: its embedding [channels], or [2 channels] for a scale and a shift; none: below 0. */
enum { LFM_USUAL_GROUPS = 32 };
typedef struct lfm_graph_norm_config {
  lfm_value e;
  lfm_modulation modulation;
  lfm_act_kind act;
  double dropout;
  int64_t groups; /* 0: the usual ones */
} lfm_graph_norm_config;
lfm_status lfm_graph_norm(lfm_graph *graph, const char *name, lfm_value x, const lfm_graph_norm_config *config,
                          lfm_value *out);

/* softmax(Q K') V over the pixels, for each head of (q, k, v) side by side in qkv.  [Vaswani et al. 2017] */
lfm_status lfm_graph_attention(lfm_graph *graph, lfm_value qkv, int64_t heads, lfm_value *out);

lfm_status lfm_graph_enlarge(lfm_graph *graph, lfm_value x, lfm_value *out);          /* twice as high and wide */
lfm_status lfm_graph_add(lfm_graph *graph, lfm_value a, lfm_value b, lfm_value *out); /* of one shape */

/* [dim] cosines and sines of t [1]; sines_first: in the other order, and of other frequencies (kernel/image.h). */
lfm_status lfm_graph_sinusoid(lfm_graph *graph, lfm_value t, int64_t dim, bool sines_first, lfm_value *out);
/* (x, sines, cosines) of the moving input x [dim] at t [1]. */
lfm_status lfm_graph_waves(lfm_graph *graph, lfm_value x, lfm_value t, const lfm_wave_config *config, lfm_value *out);
/* act(a), a number at a time, of what does not move. */
lfm_status lfm_graph_activate(lfm_graph *graph, lfm_value a, lfm_act act, lfm_value *out);
/* act(a + row `label` of NAME.weight [classes, of a]); label [1]: a whole number. */
lfm_status lfm_graph_embed(lfm_graph *graph, const char *name, lfm_value a, lfm_value label, int64_t classes, lfm_act act,
                           lfm_value *out);

/* This value can be read after a run, too, beside the output. */
lfm_status lfm_graph_keep(lfm_graph *graph, lfm_value value);

/* Closes the graph: `output` is what it computes. */
lfm_status lfm_graph_finish(lfm_graph *graph, lfm_value output);

/* ---- parameters ---------------------------------------------------------------------------------------------- */

typedef enum lfm_fill { LFM_FILL_UNIFORM, LFM_FILL_ZERO, LFM_FILL_ONE, LFM_FILL_NORMAL } lfm_fill;

typedef struct lfm_graph_tensor {
  char name[64];
  int dims;
  int64_t shape[LFM_GRAPH_DIMS];
  int64_t offset, count; /* in the flat vector of parameters */
  int64_t fan_in;        /* inputs of one output: what a uniform start scales by */
  lfm_fill fill;         /* how it starts */
} lfm_graph_tensor;

const lfm_kernels *lfm_graph_kernels(const lfm_graph *graph);
size_t lfm_graph_number_size(const lfm_graph *graph); /* 4 or 8 */
int lfm_graph_tensor_count(const lfm_graph *graph);
const lfm_graph_tensor *lfm_graph_tensor_at(const lfm_graph *graph, int index);
int64_t lfm_graph_param_count(const lfm_graph *graph);
size_t lfm_graph_packed_bytes(const lfm_graph *graph, bool backward); /* of all packed copies, or without those of backward */

/* Brings rows [first, first + count) of tensor `index` (its first dimension) from the flat vector to the packed copies, or to
 * those alone that are not of backward. */
void lfm_graph_pack(const lfm_graph *graph, int index, int64_t first, int64_t count, const void *params, void *packed,
                    bool backward);

/* Rows of a tensor that one hand works on at a time: some thousands of numbers, in sixteens of rows, since a line of a packed
 * copy is then written by one hand.  The last rows may be fewer. */
int64_t lfm_graph_strip(const lfm_graph *graph, int index);

/* Floating-point operations a row: of the forward pass, of the backward pass, of the tangents of the exact trace. */
typedef struct lfm_graph_flops {
  double forward, backward, trace;
} lfm_graph_flops;
lfm_graph_flops lfm_graph_count_flops(const lfm_graph *graph);

bool lfm_graph_has_images(const lfm_graph *graph);
bool lfm_graph_has_lines(const lfm_graph *graph); /* images, all of one line */

/* Bytes of activations, and of gradients where `train`, that a row needs at a time. */
size_t lfm_graph_row_bytes(const lfm_graph *graph, bool train);

/* ---- running ------------------------------------------------------------------------------------------------- */

typedef enum lfm_exec_kind { LFM_EXEC_FORWARD, LFM_EXEC_BACKWARD, LFM_EXEC_TRACE } lfm_exec_kind;

typedef struct lfm_exec lfm_exec;
lfm_status lfm_exec_create(const lfm_graph *graph, lfm_exec_kind kind, int64_t rows, lfm_exec **out);
/* A TRACE run that pushes `probes` given tangents e a row and gives <e, J e> of each in place of the exact trace. */
lfm_status lfm_exec_create_probed(const lfm_graph *graph, int64_t probes, int64_t rows, lfm_exec **out);
/* A FORWARD run whose layers are shared out by columns, to the same bits: for so few rows that reading the weights is the
 * work.  It is run by the team's caller, outside a round; the team outlives it. */
lfm_status lfm_exec_create_shared(const lfm_graph *graph, lfm_team *team, int64_t rows, lfm_exec **out);
/* A BACKWARD run of a part of a batch, whose backward leaves the factors of the weights' gradients in `factors`, of the same
 * graph, and takes no grads.  One run a part; the factors outlive it. */
lfm_status lfm_exec_create_part(const lfm_graph *graph, lfm_factors *factors, int part, lfm_exec **out);
void lfm_exec_destroy(lfm_exec *exec);
int64_t lfm_exec_rows(const lfm_exec *exec);
size_t lfm_exec_memory(const lfm_exec *exec); /* bytes of its buffers */

void *lfm_exec_value(const lfm_exec *exec, lfm_value value); /* inputs, the output, what is kept: the others share memory */
void *lfm_exec_output(const lfm_exec *exec);
void *lfm_exec_output_gradient(const lfm_exec *exec); /* BACKWARD; backward overwrites it */
void *lfm_exec_trace(const lfm_exec *exec);           /* TRACE: [rows]; probed: [rows, probes] */
void *lfm_exec_probes(const lfm_exec *exec);          /* probed: in, [rows, probes, columns of the moving input] */

/* BACKWARD: from now on dropout draws from rng, row i having the address lfm_exec_dropout_rows[i] (to begin with, i).  NULL,
 * as to begin with: no dropout.  There are no addresses where no node drops. */
void lfm_exec_dropout(lfm_exec *exec, const lfm_rng *rng);
int64_t *lfm_exec_dropout_rows(lfm_exec *exec);

/* TRACE: from now on only the first `rows` traces are wanted (to begin with, all); the others keep what they had. */
void lfm_exec_trace_rows(lfm_exec *exec, int64_t rows);

/* TRACE runs push the tangents too. */
lfm_status lfm_exec_forward(lfm_exec *exec, const void *params, const void *packed);
lfm_status lfm_exec_backward(lfm_exec *exec, const void *params, const void *packed, void *grads, bool accumulate);

#endif
