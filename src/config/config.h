/* SPDX-License-Identifier: MIT
 *
 * config.h -- inside of lfm_config: a plain struct, and one table of keys (config/keys.c) that reading YAML, --set, writing
 * the resolved file, the help text and the nearest-name error all share.  Authors' names where they exist.
 */
#ifndef LFM_CONFIG_CONFIG_H
#define LFM_CONFIG_CONFIG_H

#include "core/status.h"

typedef enum lfm_schedule_kind { LFM_SCHEDULE_EXPONENTIAL, LFM_SCHEDULE_COSINE, LFM_SCHEDULE_LINEAR } lfm_schedule_kind;
typedef enum lfm_interp { LFM_INTERP_LINEAR, LFM_INTERP_TRIG } lfm_interp;
typedef enum lfm_coupling {
  LFM_COUPLING_DEPENDENT,
  LFM_COUPLING_SHUFFLED,
  LFM_COUPLING_INDEPENDENT,
  LFM_COUPLING_SHARED
} lfm_coupling;
/* Is a pair one row and its own step? */
static inline bool lfm_coupling_is_own(lfm_coupling coupling) {
  return coupling == LFM_COUPLING_DEPENDENT || coupling == LFM_COUPLING_SHARED;
}
typedef enum lfm_pool_kind { LFM_POOL_PUSHED, LFM_POOL_OU } lfm_pool_kind;
typedef enum lfm_pool_precision { LFM_POOL_FP32, LFM_POOL_FP16 } lfm_pool_precision;
typedef enum lfm_precision { LFM_PRECISION_FP32, LFM_PRECISION_BF16 } lfm_precision;
typedef enum lfm_time_law { LFM_TIME_UNIFORM, LFM_TIME_BETA } lfm_time_law;
typedef enum lfm_objective {
  LFM_OBJECTIVE_FLOW,
  LFM_OBJECTIVE_MEANFLOW,
  LFM_OBJECTIVE_RESIDUAL,
  LFM_OBJECTIVE_REFLOW
} lfm_objective;
typedef enum lfm_network { LFM_NETWORK_AUTO, LFM_NETWORK_MLP, LFM_NETWORK_UNET, LFM_NETWORK_UNET1D } lfm_network;
typedef enum lfm_dequantise { LFM_DEQUANTISE_NONE, LFM_DEQUANTISE_UNIFORM } lfm_dequantise;

/* Lists of whole numbers; count 0: not given.  They differ in their room only. */
typedef struct lfm_counts {
  int64_t count, of[LFM_MAX_BLOCKS];
} lfm_counts;
enum { LFM_MAX_SIZES = 8 }; /* of a picture within a U-Net */
typedef struct lfm_sizes {
  int64_t count, of[LFM_MAX_SIZES];
} lfm_sizes;

/* Of a step that is trained or planned with, and of any: a student's is the sum of those that it stands for. */
enum { LFM_STEP_BELOW = 50, LFM_SUM_BELOW = LFM_STEP_BELOW * LFM_MAX_BLOCKS };

/* Keys whose fallback is "auto" are 0 (counts) or NAN (reals) until lfm_train resolves them from the data; where 0 has a
 * meaning (ema_decay, patience, ...) lfm_config_is_set tells the two apart.  All others hold their fallback. */
struct lfm_config {
  /* the chain */
  int blocks;                      /* length of hks; 0: from the schedule */
  double hks[LFM_MAX_BLOCKS];      /* g_n; NAN = null = free block (x_r = z); only the last may be free */
  lfm_schedule_kind schedule_kind; /* schedule: {kind, c, rho, blocks}; used when hks is unset */
  double schedule_c, schedule_rho;
  int schedule_blocks; /* N, the free one included */
  lfm_interp interp;
  lfm_coupling coupling;
  lfm_pool_kind pool;
  lfm_pool_precision pool_precision; /* of its rows where they lie */
  int normalise;                     /* lfm_normalise of data/normaliser.h */
  lfm_objective objective;           /* what a block is: a flow, or a student's one step */
  /* time */
  lfm_time_law beta_sample_t; /* key: beta_sample_t: true|false, with alpha, beta */
  double alpha, beta;
  int num_tk;
  int64_t target_rows; /* that a target is the mean over; 0: each pair's own */
  double defensive;    /* share of the pairs that start from the wide law */
  /* pictures */
  int64_t image_size;        /* of a folder's, once cropped and resampled; 0: they have one size */
  bool flip;                 /* mirror half of the draws */
  lfm_dequantise dequantise; /* what a grey level stands for: its middle, or anywhere in its step */
  bool conditional;          /* the network sees the class */
  double class_drop;         /* share of the draws whose class it does not see: for guidance */
  /* demonstrations: steps (data/windows.h) */
  int64_t observation_horizon, prediction_horizon, action_horizon;
  /* the network */
  lfm_network network;
  int64_t hidden_dim;
  int num_hidden;
  char act[24];   /* relu elu silu gelu tanh mish softplus softplus(20); lfm_config_act_split */
  bool cat_t_all; /* cat_t: first|all */
  int64_t waves;  /* of a table's columns, beside them; 0: none */
  double finest_wave;
  double wave_noise; /* that they fade by; 0: that of t */
  lfm_sizes unet_dim_mults;
  int res_depth;
  lfm_sizes attention_resolution; /* one 0: none */
  int64_t num_head_channels;
  double dropout;
  bool scale_shift;
  int64_t kernel_size, n_groups, step_embed_dim; /* of the unet1d */
  /* training */
  int64_t batch_size;
  lfm_counts max_batch; /* steps a block: one for all, or one for each */
  double lr, lr_decay;  /* lr *= lr_decay every lr_step batches */
  int64_t lr_step;
  int64_t warmup; /* linear, batches */
  bool cosine;    /* to zero over the block */
  double grad_clip;
  bool adamw;          /* optimizer: adam|adamw */
  double beta1, beta2; /* adam_beta1, adam_beta2 */
  double weight_decay;
  double ema_decay; /* 0 during warmup */
  double ema_power; /* over 0: it rises to ema_decay instead */
  bool warm_start;
  int64_t patience;        /* batches without a better validation loss; 0: off */
  double push_tol;         /* dopri5 tolerance of the push */
  lfm_precision precision; /* of a training step; everything else is fp32 */
  /* bookkeeping */
  int lanes;
  int64_t microbatch;
  uint64_t seed;
  int64_t checkpoint_every; /* batches */
  int64_t valid_every;      /* batches between validation losses */
  uint64_t set[2];          /* bit k: key k of the table was given by preset, file or --set */
};

lfm_status lfm_config_copy(const lfm_config *from, lfm_config **out);

/* Was this key given by preset, file or --set?  "schedule": any of its parts. */
bool lfm_config_is_set(const lfm_config *config, const char *key);

/* Was it given, and is it not what it is without a word? */
bool lfm_config_differs(const lfm_config *config, const char *key);

/* The value of this key of another configuration, as one that is given. */
void lfm_config_take(lfm_config *config, const lfm_config *from, const char *key);

/* From now on every value counts as given, also a 0 that says "none": what resolving ends with.  The schedule's parts do so
 * only where there is no hks. */
void lfm_config_settle(lfm_config *config);

/* "softplus" and no number -> (softplus, 1); "softplus(20)" -> (softplus, 20); others -> (name, 1).  name [16]. */
void lfm_config_act_split(const lfm_config *config, char name[16], double *beta);

/* YAML text over what is set; place ("runs/a/config.yaml", "preset tree@A") opens the error lines.  On failure the
 * configuration is as it was: files and presets count whole or not at all. */
lfm_status lfm_config_parse(lfm_config *config, const char *text, size_t size, const char *place);

/* Do the keys that were set in `asked` have the values of `stored`?  LFM_E_USAGE names the first that has not.  A schedule
 * is compared by its chain: fill the hks of both before. */
lfm_status lfm_config_agrees(const lfm_config *stored, const lfm_config *asked);

/* Every key as YAML that reads back as the same values; *text is freed with lfm_free.  Where blocks > 0, hks is written
 * and the schedule that it came from is not: the chain is stated once. */
lfm_status lfm_config_write_text(const lfm_config *config, char **text);

#endif
