/* SPDX-License-Identifier: MIT
 *
 * modes_support.h -- demonstrations of two modes, which what is observed decides, and small policies that learn them.
 */
#ifndef MODES_SUPPORT_H
#define MODES_SUPPORT_H

#include "flow/train_support.h"

#include "core/alloc.h"

enum { EPISODES = 30, STEPS = 12, OBS = 2, DIM = 2, HORIZON = 4 };

/* Half of the episodes see (1, noise) and act about (0.8, -0.4), the others see (-1, noise) and act about the negative. */
static inline lfm_table *two_modes(uint64_t seed, lfm_action_kind kind) {
  int64_t dim = kind == LFM_ACTION_POSE ? LFM_ARM_ACTION : DIM;
  lfm_demos *d;
  lfm_table *table;
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  OK(lfm_demos_make(EPISODES, EPISODES * STEPS, OBS, dim, &d));
  OK(LFM_ALLOC(&d->key, 2));
  OK(LFM_ALLOC(&d->key_dim, 2));
  OK(lfm_alloc_text(&d->key[0], "mode"));
  OK(lfm_alloc_text(&d->key[1], "noise"));
  OK(lfm_alloc_text(&d->task, "modes"));
  d->keys = 2, d->key_dim[0] = d->key_dim[1] = 1, d->kind = kind;
  for (int64_t e = 0; e < EPISODES; e++) d->ends[e] = (e + 1) * STEPS;
  for (int64_t i = 0; i < d->steps; i++) {
    float z[8];
    double mode = i / STEPS % 2 ? 1.0 : -1.0;
    lfm_rng_normal(&rng, i, z, 8);
    d->obs[OBS * i] = mode, d->obs[OBS * i + 1] = 0.1 * (double)z[7];
    for (int64_t j = 0; j < dim; j++) d->actions[dim * i + j] = mode * (j % 2 ? -0.4 : 0.8) + 0.1 * (double)z[j];
  }
  OK(lfm_table_of_demos(d, &table));
  return table;
}

#define POLICY                                                                                                               \
  KEYS("hks=[0.3, null]", "prediction_horizon=4", "action_horizon=2", "hidden_dim=16", "unet_dim_mults=[1, 2]",              \
       "n_groups=4", "kernel_size=3", "step_embed_dim=8", "batch_size=64", "microbatch=16", "max_batch=24",                  \
       "checkpoint_every=9", "valid_every=8", "warmup=2", "lr=0.005", "optimizer=adamw", "adam_beta1=0.95",                  \
       "ema_power=0.75", "ema_decay=0.99", "push_tol=1e-3", "seed=5")

static inline run policy_run(const char *const *more) { return run_of(two_modes(1, LFM_ACTION_PLAIN), POLICY, more); }

static inline lfm_model *model_of(const run *r) {
  lfm_model *model;
  OK(lfm_model_load(r->path, &model));
  return model;
}

#endif
