/* SPDX-License-Identifier: MIT
 *
 * demos.h -- demonstrations: episodes of steps, each an observation and the action that was taken on it.
 *
 *   robomimic   an HDF5 file with data/demo_0, data/demo_1, ...             demos_robomimic.c
 *   replay      a zarr folder or HDF5 file with data/ and meta/episode_ends  demos_replay.c
 *
 * A table holds them as it may hold pictures: a row is a step, the columns are the action's numbers, and the observations lie
 * beside them.  What may not be torn apart is the episode: two halves of one are no more strangers than a photograph and its
 * negative, so that whatever splits or shuffles a table goes by lfm_table_units (table.h).
 */
#ifndef LFM_DATA_DEMOS_H
#define LFM_DATA_DEMOS_H

#include "core/status.h"
#include "data/listing.h"

typedef enum lfm_action_kind {
  LFM_ACTION_PLAIN, /* numbers as they are (Push-T: a position to go to) */
  LFM_ACTION_POSE,  /* for each arm position 3 in metres, axis-angle 3 in radians, gripper 1: absolute */
  LFM_ACTION_DELTA, /* the same as steps of the controller, -1 .. 1 */
} lfm_action_kind;

enum { LFM_ARM_ACTION = 7, LFM_TWO_ARMS_ACTION = 14 }; /* numbers of a pose or step */

typedef struct lfm_demos {
  int64_t episodes, steps, obs_dim, action_dim;
  int64_t *ends;   /* [episodes] one past the last step of each; ends[episodes - 1] = steps */
  double *obs;     /* [steps, obs_dim] the keys side by side; may lie in a file, as actions (lfm_alloc_rows) */
  double *actions; /* [steps, action_dim] */
  lfm_action_kind kind;
  char *task;         /* "lift", "can", "square", "pusht", another as the file names its environment; NULL: it does not say */
  int64_t keys;       /* what an observation is made of, in its order: */
  char **key;         /* [keys] "robot0_eef_pos" */
  int64_t *key_dim;   /* [keys] numbers of each; they add up to obs_dim */
  lfm_listing others; /* keys of the source that were not chosen */
  lfm_listing filters; /* names that choose among its episodes, FILE::NAME */
} lfm_demos;

/* Zeros; no keys, no task.  LFM_E_USAGE when there is no episode, step or number of an action, or too many. */
lfm_status lfm_demos_make(int64_t episodes, int64_t steps, int64_t obs_dim, int64_t action_dim, lfm_demos **out);
void lfm_demos_destroy(lfm_demos *demos); /* accepts NULL */

/* The first step of an episode. */
int64_t lfm_demos_begin(const lfm_demos *demos, int64_t episode);

/* Episodes in the order of index [count]. */
lfm_status lfm_demos_take(const lfm_demos *demos, const int64_t *index, int64_t count, lfm_demos **out);

/* "plain", "pose", "delta" */
const char *lfm_action_kind_name(lfm_action_kind kind);

#endif
