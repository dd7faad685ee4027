/* SPDX-License-Identifier: MIT
 *
 * config.h -- inside of lfm_config: a plain struct, and one table of keys (config/keys.c) that reading YAML, --set, writing
 * the resolved file, the help text and the nearest-name error all share.  Authors' names where they exist.
 */
#ifndef LFM_CONFIG_CONFIG_H
#define LFM_CONFIG_CONFIG_H

#include "core/status.h"

enum { LFM_MAX_BLOCKS = 64 };

typedef enum lfm_schedule_kind { LFM_SCHEDULE_EXPONENTIAL, LFM_SCHEDULE_COSINE, LFM_SCHEDULE_LINEAR } lfm_schedule_kind;
typedef enum lfm_interp { LFM_INTERP_LINEAR, LFM_INTERP_TRIG } lfm_interp;
typedef enum lfm_coupling { LFM_COUPLING_DEPENDENT, LFM_COUPLING_SHUFFLED, LFM_COUPLING_INDEPENDENT } lfm_coupling;
typedef enum lfm_pool_kind { LFM_POOL_PUSHED, LFM_POOL_OU } lfm_pool_kind;
typedef enum lfm_time_law { LFM_TIME_UNIFORM, LFM_TIME_BETA } lfm_time_law;

/* Unset numbers are 0 (counts) or NAN (reals) until lfm_train resolves them from the data; `*_set` where 0 has a meaning. */
struct lfm_config {
  /* the chain */
  int blocks;                        /* length of hks; 0: from the schedule */
  double hks[LFM_MAX_BLOCKS];        /* g_n; NAN = null = free block (x_r = z); only the last may be free */
  lfm_schedule_kind schedule_kind;   /* schedule: {kind, c, rho, blocks}; used when hks is unset */
  double schedule_c, schedule_rho;
  int schedule_blocks;               /* N, the free one included */
  lfm_interp interp;
  lfm_coupling coupling;
  lfm_pool_kind pool;
  int normalise;                     /* lfm_normalise of data/normaliser.h */
  /* time */
  lfm_time_law beta_sample_t;        /* key: beta_sample_t: true|false, with alpha, beta */
  double alpha, beta;
  int num_tk;
  /* the network */
  int64_t hidden_dim;
  int num_hidden;
  char act[24];                      /* relu elu silu gelu tanh softplus softplus(20) */
  bool cat_t_all;                    /* cat_t: first|all */
  /* training */
  int64_t batch_size;
  int batches_given;                 /* length of max_batch: 1 (every block) or blocks */
  int64_t max_batch[LFM_MAX_BLOCKS]; /* steps a block */
  double lr, lr_decay;               /* lr *= lr_decay every lr_step batches */
  int64_t lr_step;
  int64_t warmup;                    /* linear, batches */
  bool cosine;                       /* to zero over the block */
  double grad_clip;
  bool adamw;                        /* optimizer: adam|adamw */
  double weight_decay;
  double ema_decay;                  /* 0 during warmup */
  bool warm_start;
  int64_t patience;                  /* batches without a better validation loss; 0: off */
  double push_tol;                   /* dopri5 tolerance of the push */
  /* bookkeeping */
  int lanes;
  int64_t microbatch;
  uint64_t seed;
  int64_t checkpoint_every;          /* batches */
  int64_t valid_every;               /* batches between validation losses */
  uint64_t set[2];                   /* bit k: key k of the table was given by preset, file or --set */
};

#endif
