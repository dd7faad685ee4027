/* SPDX-License-Identifier: MIT
 *
 * chain.h -- inside of lfm_model: N blocks between the data and N(0, I), with the map from the data's units.
 *   data --normaliser--> x_0 --block 1--> x_1 ... --block N--> x_N ~ N(0, I)
 * One network plan serves all blocks; each block has its own parameters; no block index is fed to the network.
 */
#ifndef LFM_FLOW_CHAIN_H
#define LFM_FLOW_CHAIN_H

#include "config/config.h"
#include "data/images.h"
#include "data/normaliser.h"
#include "data/windows.h"
#include "net/net.h"
#include "store/safetensors.h"

/* The times between which block n is solved to draw: 1 and 0, but of a student that stands for a part of a block. */
typedef struct lfm_span {
  double right, left;
} lfm_span;

/* What a policy's guard is: a small flow over what it sees, and how much of a score is too much.  (chain_guard.c) */
typedef struct lfm_model_guard {
  lfm_model *flow; /* one block over [observation, obs_dim] numbers, in the data's units */
  double alpha;    /* the share of good episodes that are to raise an alarm */
  int64_t levels;
  double *level; /* [levels] at step 0, 1, ... of an episode; the last one holds on */
} lfm_model_guard;

struct lfm_model {
  lfm_config *config; /* resolved: every key has its value, hks is set */
  int64_t cols;       /* of the data */
  char **names;       /* [cols] */
  int *decimals;      /* [cols] */
  lfm_images
      *picture; /* of no pictures: size and classes of a row's; NULL: columns of numbers, else names and decimals are */
  lfm_windows *windows; /* of no windows: the actions and observations of a policy; NULL: the model is none */
  lfm_normaliser *normaliser;
  char *
      plan; /* of students: which blocks of their teacher each stands for, as text (distill/plan.h); NULL: a chain of flows */
  lfm_net *net;
  lfm_model_guard *guard; /* NULL: none */
  int blocks;
  lfm_span span[LFM_MAX_BLOCKS];
  lfm_params *params[LFM_MAX_BLOCKS]; /* of block n = 0 (data side) .. blocks-1 (noise side) */
};

/* The resolved configuration's network and `blocks` zero blocks; names and decimals from the table's columns.
 * Takes over the normaliser, whatever is returned. */
lfm_status lfm_chain_create(const lfm_config *resolved, const lfm_table *schema, lfm_normaliser *normaliser, lfm_model **out);

/* The same for another configuration of that network: columns, units and all but the weights are those of `model`. */
lfm_status lfm_chain_like(const lfm_model *model, const lfm_config *resolved, lfm_model **out);

/* Are its blocks flows, or single steps that a teacher has taught: x - v(1, x)? */
bool lfm_chain_is_flow(const lfm_model *model);

/* LFM_E_USAGE where the configuration names a network of other data. */
lfm_status lfm_chain_check_network(const lfm_config *config, bool of_pictures, bool of_demonstrations);

/* What its network is, the one or the other as the configuration says. */
lfm_status lfm_chain_unet1d(const lfm_model *model, lfm_unet1d_config *out);
lfm_status lfm_chain_mlp(const lfm_model *model, lfm_mlp_config *out);

/* A network of the chain's shape on these kernels: for training steps in another precision, or by mean velocities, for which
 * it has a span (net.h). */
lfm_status lfm_chain_net(const lfm_model *model, const lfm_kernels *kernels, bool span, lfm_net **out);

/* The same in two parts: all but the blocks, whose memory is then asked for once the weights are known to be there. */
lfm_status lfm_chain_plan(const lfm_config *resolved, const lfm_table *schema, lfm_normaliser *normaliser, lfm_model **out);
lfm_status lfm_chain_make_blocks(lfm_model *model);

lfm_status lfm_chain_make_schema(lfm_model *model, int64_t cols); /* room for the names and decimals of so many columns */

bool lfm_chain_is_whole(const lfm_model *model);    /* every span is from 1 to 0 */
bool lfm_chain_needs_class(const lfm_model *model); /* it has learnt pictures with their class, and none without */

/* ---- the file: chain_file.c ------------------------------------------------------------------------------------ */

/* Everything but the parameters of the blocks, then blocks 0 .. count-1, into an archive; and back. */
lfm_status lfm_chain_describe(const lfm_model *model, lfm_archive *archive);
lfm_status lfm_chain_add_block(const lfm_model *model, int n, lfm_archive *archive);
lfm_status lfm_chain_open(const lfm_archive *archive, lfm_model **out);
lfm_status lfm_chain_read_block(lfm_model *model, int n, const lfm_archive *archive);

/* What the blocks of a student stand for: the plan and, where blocks were cut into pieces, the tensor `spans`; nothing of
 * another chain.  And back, once the blocks are there. */
#define LFM_CHAIN_SPANS "spans"
lfm_status lfm_chain_add_plan(const lfm_model *model, lfm_archive *archive);
lfm_status lfm_chain_read_plan(lfm_model *model, const lfm_archive *archive);

/* Names and decimals of the columns alone, as metadata; and one back.  *name lives as long as the archive. */
lfm_status lfm_chain_add_columns(const lfm_model *model, lfm_archive *archive);
lfm_status lfm_chain_find_column(const lfm_archive *archive, int64_t col, const char **name, int *decimals);

/* Of pictures: size and classes (lfm_images of no pictures), as metadata; and back. */
lfm_status lfm_chain_add_picture(const lfm_images *picture, lfm_archive *archive);
lfm_status lfm_chain_read_picture(const lfm_archive *archive, lfm_images **out);

/* Of policies: actions, observations and their units (lfm_windows of no windows), as metadata and tensors; and back, with the
 * horizons of the configuration.  (chain_windows.c) */
lfm_status lfm_chain_add_windows(const lfm_windows *windows, lfm_archive *archive);
lfm_status lfm_chain_read_windows(const lfm_archive *archive, lfm_horizons horizons, lfm_windows **out);
lfm_horizons lfm_chain_horizons(const lfm_config *config);
lfm_status lfm_chain_units(const lfm_windows *windows, lfm_normaliser **out); /* the chunks' normaliser */

/* Of guarded policies: all that the guard is; and back, where the archive has one.  (chain_guard.c) */
lfm_status lfm_chain_add_guard(const lfm_model_guard *guard, lfm_archive *archive);
lfm_status lfm_chain_read_guard(lfm_archive *archive, lfm_model *model);
void lfm_model_guard_destroy(lfm_model_guard *guard); /* accepts NULL */

/* Whole numbers as metadata; LFM_E_FORMAT where one is not between low and high. */
lfm_status lfm_chain_add_number(lfm_archive *archive, const char *key, int64_t number);
lfm_status lfm_chain_find_number(const lfm_archive *archive, const char *key, long low, long high, long *out);

/* The normaliser's tensors alone.  Reading checks their shapes against each other and `cols`. */
lfm_status lfm_chain_add_normaliser(const lfm_model *model, lfm_archive *archive);
lfm_status lfm_chain_read_normaliser(const lfm_archive *archive, lfm_normalise kind, int64_t cols, lfm_normaliser **out);

/* RUN/model.safetensors and the like: no times, hosts or paths inside, so equal training gives equal bytes. */
lfm_status lfm_chain_write(const lfm_model *model, const char *path);
lfm_status
lfm_chain_writable(const char *path); /* whether that has a chance; LFM_E_USAGE: another ending; LFM_E_EXISTS: a run's own */

/* Named vectors laid out as the parameters are ("blocks.0.net.0.weight", or another prefix), values [param_count]. */
lfm_status lfm_chain_add_vector(const lfm_net *net, const char *prefix, const float *values, lfm_archive *archive);
lfm_status lfm_chain_read_vector(const lfm_net *net, const char *prefix, const lfm_archive *archive, float *values);

#endif
