/* SPDX-License-Identifier: MIT
 *
 * prepare_internal.h -- what the files share that turn a network into steps (prepare_mlp.c, prepare_unet1d.c).
 */
#ifndef LFM_POLICY_PREPARE_INTERNAL_H
#define LFM_POLICY_PREPARE_INTERNAL_H

#include "policy/prepare.h"

enum {
  LFM_PREPARED_NAME = 64,
  LFM_PREPARED_STEPS = 1024,
  LFM_PREPARED_TAPS = 64,
  LFM_PREPARED_MAPS = 260, /* a perceptron's layers are 257 at most (net/mlp.c) */
};

/* Where the numbers of a step come from: NAME.weight [out, in, taps] and NAME.bias [out], or of a norm both [out]. */
typedef struct lfm_source {
  char name[LFM_PREPARED_NAME];
  bool is_norm;
  int64_t step;            /* whose they are */
  int64_t out;             /* channels, without those that fill up the last vector */
  int64_t all_in, all_out; /* of the tensor */
  int64_t first_in;        /* the tensor's channel that is read as the first */
  int64_t in[2];           /* channels that are read, in one run or two, the first filled up to whole vectors */
  int64_t all_taps;
  bool turned;                    /* [in, out, taps], as of a transposed convolution */
  int tap[LFM_PREPARED_TAPS];     /* the tensor's tap of each of the step's */
  int64_t weights, bias, written; /* where they go; bias -1: nowhere */
  int64_t before;                 /* so many positions in front of the first one lies the step's first tap */
} lfm_source;

/* A map whose output the time and what is given add to: some of the timed numbers. */
typedef struct lfm_timed_map {
  char name[LFM_PREPARED_NAME];
  int64_t out, at;
} lfm_timed_map;

struct lfm_prepared {
  lfm_unet1d_config unet; /* the one or the other */
  lfm_mlp_config mlp;
  lfm_status (*time)(const lfm_prepared *, const lfm_net *, const lfm_params *, double t, float *row);
  lfm_rt_field field;
  lfm_rt_step steps[LFM_PREPARED_STEPS];
  lfm_source sources[LFM_PREPARED_STEPS];
  lfm_timed_map maps[LFM_PREPARED_MAPS];
  int64_t step_count, source_count, map_count;
  int64_t weights, turned, constants, floats; /* turned: weights of the gradient, among them */
  int64_t margin;                             /* positions of zeros around an array */
  bool back;
};

int64_t lfm_whole_vectors(int64_t channels); /* so many channels, and what fills up the last vector */

/* Zeros for [positions, channels] with margins, and its place. */
lfm_rt_place lfm_prepare_array(lfm_prepared *prepared, int64_t positions, int64_t channels);

lfm_rt_step *lfm_prepare_step(lfm_prepared *prepared, lfm_rt_step step);

/* A convolution of which the step says all but the channels it makes and the weights, NAME's [out, in]; bias -1: without.
 * The source may be changed. */
lfm_source *lfm_prepare_conv(lfm_prepared *prepared, const char *name, lfm_rt_step step, int64_t in, int64_t out);

/* What a norm or an activation reads: an array of its own where a gradient will ask for it, else `to` itself. */
lfm_rt_place lfm_prepare_kept(lfm_prepared *prepared, lfm_rt_place to, int64_t positions, int64_t channels);

/* A norm of which the step says all but scale and shift, NAME's. */
void lfm_prepare_norm(lfm_prepared *prepared, const char *name, lfm_rt_step step);

/* The next `out` timed numbers are NAME's; *at: where they begin in the work space. */
lfm_timed_map *lfm_prepare_timed(lfm_prepared *prepared, const char *name, int64_t out, int64_t *at);

/* Once, before all other steps: `timed` numbers follow from what is given [given], of which `mish` is taken first.  The
 * sources of their maps are added by lfm_prepare_given_map. */
void lfm_prepare_given(lfm_prepared *prepared, int64_t given, int64_t timed, bool mish);
/* W given + b of a map whose tensor has what is given from `first_in` on. */
void lfm_prepare_given_map(lfm_prepared *prepared, const lfm_timed_map *map, int64_t first_in, int64_t all_in);

lfm_status lfm_prepare_finish(lfm_prepared *prepared); /* LFM_E_UNSUPPORTED when there are too many steps */

void lfm_prepare_back(lfm_prepared *prepared); /* behind all steps those of the gradient */

/* A tensor of the network. */
lfm_status lfm_prepared_tensor(const lfm_net *net, const lfm_params *params, const char *name, const char *part,
                               int64_t count, const float **out);

#endif
