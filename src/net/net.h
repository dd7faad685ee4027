/* SPDX-License-Identifier: MIT
 *
 * net.h -- a velocity field v(t, x): its plan, its parameters, and the work spaces that evaluate it.
 *
 *   lfm_net      what the network is: parameter table, graph, chosen kernels.  Immutable, shared by all threads.
 *   lfm_params   one set of weights: the plain master copy (PyTorch's layout) and the packed copies that kernels read.
 *   lfm_run      one worker's (or a whole team's) buffers for a fixed number of rows.  Rows beyond the caller's are
 *                padding: give them any finite values, and zero dv in training.
 *
 * Numbers inside are of the kernel table's type: float (oneDNN, ref32) or double (ref64, the oracle of the tests).
 * A row's result does not depend on its place in the run or on the other rows, to the bit.
 */
#ifndef LFM_NET_NET_H
#define LFM_NET_NET_H

#include "core/rng.h"
#include "core/status.h"
#include "core/threads.h"
#include "core/waves.h"
#include "kernel/kernel.h"

typedef struct lfm_factors lfm_factors; /* graph/factors.h */

typedef struct lfm_mlp_config {
  int64_t dim; /* of x and of v */
  int64_t hidden_dim;
  int num_hidden;        /* hidden layers; num_hidden + 1 linear maps */
  lfm_act act;           /* core/act.h: kind and beta */
  bool cat_t_all;        /* t beside the input of every layer, not of the first only; concat order (t, h) */
  int64_t given;         /* numbers beside x in the input of the first layer: (t, given, x); 0: none */
  bool span;             /* and in front of them h, over what time v is the mean velocity */
  lfm_wave_config waves; /* of x, that stand behind it */
} lfm_mlp_config;

/* The U-Net of guided diffusion; rows of x and v are [channels, height, width]. */
enum { LFM_UNET_LEVELS = 8 };
typedef struct lfm_unet2d_config {
  int64_t channels, height, width;
  int64_t hidden_dim;
  int mult_count, mults[LFM_UNET_LEVELS]; /* width of each level, in hidden_dim; each level is half as high and wide */
  int res_depth;                          /* residual blocks a level */
  int attention_count, attention[LFM_UNET_LEVELS]; /* at the level height / this, rounded down, times smaller */
  int64_t num_head_channels;                       /* 0: one head */
  double dropout;
  bool scale_shift; /* time scales and shifts behind the norm; else it is added in front of it */
  int64_t classes;  /* 0: none is given */
  bool span;        /* h stands beside the sinusoids of t */
} lfm_unet2d_config;

/* The conditional U-Net of Diffusion Policy; rows of x and v are series [length, channels]. */
typedef struct lfm_unet1d_config {
  int64_t length, channels;
  int64_t given; /* numbers beside t; 0: none */
  int64_t hidden_dim;
  int mult_count, mults[LFM_UNET_LEVELS]; /* width of each level, in hidden_dim; each level is half as long */
  int64_t kernel_size, groups;            /* taps of a convolution; groups of channels that are normalised together */
  int64_t step_embed_dim;                 /* of t */
  bool span;                              /* h stands beside the sinusoids of t */
} lfm_unet1d_config;

/* A small classifier, which judges pictures: rows of x are [channels, height, width], v is [classes] logits, and under them
 * lie LFM_JUDGE_WIDTH features.  There is no t. */
enum { LFM_JUDGE_WIDTH = 128, LFM_JUDGE_MOST_SIDE = 128 };
typedef struct lfm_judge_config {
  int64_t channels, height, width, classes;
} lfm_judge_config;

typedef struct lfm_net lfm_net;
lfm_status lfm_mlp_create(const lfm_mlp_config *config, const lfm_kernels *kernels, lfm_net **out);
lfm_status lfm_unet2d_create(const lfm_unet2d_config *config, const lfm_kernels *kernels, lfm_net **out);
lfm_status lfm_unet1d_create(const lfm_unet1d_config *config, const lfm_kernels *kernels, lfm_net **out);
lfm_status lfm_judge_net_create(const lfm_judge_config *config, const lfm_kernels *kernels, lfm_net **out);
void lfm_net_destroy(lfm_net *net);

int64_t lfm_net_dim(const lfm_net *net);
int64_t lfm_net_out(const lfm_net *net); /* columns of v: dim, but for a judge */
/* Numbers that it takes beside t and x: an observation, or one that names a class.  0: none. */
int64_t lfm_net_given(const lfm_net *net);
int64_t lfm_net_classes(const lfm_net *net); /* tests: that its one number can be; 0: it names no class */
/* What each of these numbers is where a row is not to know them: the last row of the table of classes; else 0. */
double lfm_net_nothing(const lfm_net *net);
bool lfm_net_of_images(const lfm_net *net); /* its x is one */
const lfm_kernels *lfm_net_kernels(const lfm_net *net);
size_t lfm_net_number_size(const lfm_net *net); /* 4 or 8 */
int64_t lfm_net_param_count(const lfm_net *net);

/* The parameter table, in file order: net.0.weight [out, in], net.0.bias [out], ... (the authors' names: the Linear
 * modules of a torch.nn.Sequential count their activations, so net.0, net.2, net.4, ...). */
typedef struct lfm_tensor_info {
  char name[64];
  int dims;
  int64_t shape[4];
  int64_t offset, count; /* in the flat master vector */
} lfm_tensor_info;
int lfm_net_tensor_count(const lfm_net *net);
const lfm_tensor_info *lfm_net_tensor(const lfm_net *net, int index);

/* Floating-point operations a row, counted as 2 a multiply-add, for one forward pass; one forward and backward pass
 * (three times the matrix products, less the input gradient of the first layer); one pass with the exact trace. */
double lfm_net_forward_flops(const lfm_net *net);
double lfm_net_train_flops(const lfm_net *net);
double lfm_net_trace_flops(const lfm_net *net);

/* ---- parameters -------------------------------------------------------------------------------------------- */

typedef struct lfm_params lfm_params;
lfm_status lfm_params_create(const lfm_net *net, lfm_params **out);           /* zeros */
lfm_status lfm_params_create_untrained(const lfm_net *net, lfm_params **out); /* without what backward reads */
void lfm_params_destroy(lfm_params *params);
size_t lfm_params_memory(const lfm_params *params); /* bytes; NULL: 0 */

/* torch's laws: weight and bias of linear maps and convolutions ~ U(-1/sqrt(in), 1/sqrt(in)), embeddings ~ N(0, 1), norms 1
 * and 0; what ends a residual branch 0.  From (seed, LFM_FOR_INIT, block). */
void lfm_params_init(lfm_params *params, uint64_t seed, uint32_t block);

/* The master vector [param_count] of the net's number type.  After writing it, pack. */
void *lfm_params_data(lfm_params *params);
const void *lfm_params_values(const lfm_params *params);
void lfm_params_pack(lfm_params *params);                     /* all packed copies from the master */
void lfm_params_set(lfm_params *params, const float *values); /* master from floats [param_count], packed */
/* Packed copies too.  Between two nets of one shape, both of floats, as well: of fp32 and bf16. */
void lfm_params_copy(lfm_params *to, const lfm_params *from);

/* Between a net and the same one with a span: the layer that sees t has one more column, its first, for h.  Widened, that
 * column is zero: whatever h, the net is what it was.  Folded, it has gone into the bias: the net is what it was at that h.
 * [arXiv 2505.13447, whose second time this is] */
void lfm_params_widen(lfm_params *wide, const lfm_params *plain);
void lfm_params_fold(lfm_params *plain, const lfm_params *wide, double span);

/* ---- runs --------------------------------------------------------------------------------------------------- */

typedef enum lfm_run_kind {
  LFM_RUN_EVAL,  /* v */
  LFM_RUN_TRAIN, /* v, then the gradient of the parameters */
  LFM_RUN_TRACE, /* v and tr dv/dx by forward tangents, exactly unless probed */
} lfm_run_kind;

typedef struct lfm_run lfm_run;
lfm_status lfm_run_create(const lfm_net *net, lfm_run_kind kind, int64_t rows, lfm_run **out);
/* A TRACE run that estimates: of each row's `probes` given vectors e it tells <e, dv/dx e>.  [Hutchinson 1989] */
lfm_status lfm_run_create_probed(const lfm_net *net, int64_t probes, int64_t rows, lfm_run **out);
/* An EVAL run of few rows on all workers of a team, to the same bits: each makes its own columns of every large layer.
 * Run by the team's caller, outside a round; the team outlives it. */
lfm_status lfm_run_create_shared(const lfm_net *net, lfm_team *team, int64_t rows, lfm_run **out);
/* A TRAIN run of a part of a batch, whose backward leaves the gradients of the weights to the factors, and takes no grads. */
lfm_status lfm_run_create_part(const lfm_net *net, lfm_factors *factors, int part, lfm_run **out);
/* The factors of a batch of `parts` such parts, of `rows` rows each, for the optimiser (net/optim.h). */
lfm_status lfm_net_factors(const lfm_net *net, int64_t rows, int parts, int workers, lfm_factors **out);
void lfm_run_destroy(lfm_run *run);
int64_t lfm_run_rows(const lfm_run *run);
size_t lfm_run_memory(const lfm_run *run); /* bytes of its buffers */

void *lfm_run_t(lfm_run *run);                       /* in  [rows]; NULL: the net has none */
void *lfm_run_x(lfm_run *run);                       /* in  [rows, dim] */
void *lfm_run_given(lfm_run *run);                   /* in  [rows, given]; NULL: the net takes none */
void *lfm_run_span(lfm_run *run);                    /* in  [rows] h; NULL: the net has none */
const void *lfm_run_v(const lfm_run *run);           /* out [rows, out] */
const void *lfm_run_features(const lfm_run *run);    /* out [rows, LFM_JUDGE_WIDTH], of a judge; NULL: the net has none */
void *lfm_run_dv(lfm_run *run);                      /* in, TRAIN: gradient of the loss by v [rows, out] */
const void *lfm_run_trace(const lfm_run *run);       /* out, TRACE: tr dv/dx [rows]; probed: [rows, probes] */
void *lfm_run_probes(lfm_run *run);                  /* in, probed: [rows, probes, dim] */
void lfm_run_trace_rows(lfm_run *run, int64_t rows); /* TRACE: only the first `rows` traces are wanted from now on */

/* TRAIN: from now on dropout draws from rng, row i having the address lfm_run_dropout_rows[i] (to begin with, i).  NULL, as
 * to begin with: no dropout.  There are no addresses, but NULL, where the net drops nothing. */
void lfm_run_dropout(lfm_run *run, const lfm_rng *rng);
int64_t *lfm_run_dropout_rows(lfm_run *run);

/* None of these allocates (of ours) or fails but for a fault inside the kernel library. */
lfm_status lfm_run_forward(lfm_run *run, const lfm_params *params); /* fills v, and trace in a TRACE run */
/* After forward on the same inputs: grads [param_count] = or += the parameter gradient, in the master's layout. */
lfm_status lfm_run_backward(lfm_run *run, const lfm_params *params, void *grads, bool accumulate);

/* A good number of rows for a run of this kind: activations within the second-level cache; of images a few, probed or not.
 * Depends on the net alone. */
int64_t lfm_run_rows_advised(const lfm_net *net, lfm_run_kind kind);
int64_t lfm_run_rows_advised_probed(const lfm_net *net, int64_t probes);

/* Is its gradient better made of factors than summed from lanes?  Where they are possible, and the gradient is more than a
 * second-level cache holds. */
bool lfm_net_wants_factors(const lfm_net *net);

#endif
