/* SPDX-License-Identifier: MIT
 *
 * demos_write.h -- demonstrations as they are recorded, into robomimic's layout of an HDF5 file.
 */
#ifndef LFM_DATA_DEMOS_WRITE_H
#define LFM_DATA_DEMOS_WRITE_H

#include "core/status.h"

/* One episode. */
typedef struct lfm_recorded {
  int64_t steps;
  double *obs;      /* [steps + 1, obs_dim]; the last is what the last action led to */
  double *actions;  /* [steps, action_dim] as steps of the controller */
  double *absolute; /* [steps, action_dim] the same as poses */
  double *states;   /* [steps, state_dim] before each action */
  double *rewards;  /* [steps] of what each led to */
} lfm_recorded;

typedef struct lfm_recording {
  const char *env_args;   /* JSON: what world this was */
  int64_t keys;           /* that an observation is made of, side by side: */
  const char *const *key; /* [keys] "object" */
  const int64_t *key_dim; /* [keys] numbers of each */
  int64_t obs_dim, action_dim, state_dim;
  int64_t episodes;
  const lfm_recorded *episode; /* [episodes] */
} lfm_recording;

/* data/(total, env_args), data/demo_i/(num_samples){actions, actions_abs, states, rewards, dones, obs/KEY, next_obs/KEY}, all
 * float64, and mask/{train, valid}: the last tenth of the episodes, and at least one of several, is valid.  Whole or not at
 * all; the same recording makes the same bytes. */
lfm_status lfm_demos_write(const lfm_recording *recording, const char *path);

#endif
