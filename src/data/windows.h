/* SPDX-License-Identifier: MIT
 *
 * windows.h -- demonstrations as a policy learns them: at each step the chunk of actions around it, given the observations up
 * to it.  [Chi et al. 2023, Diffusion Policy]
 *
 *   step            c-1   c   c+1  ...  c+14      horizons 2, 16, 8
 *   observations     o    o
 *   chunk            a    a    a   ...   a        of which those from c on are executed, action_horizon of them
 *
 * A table holds windows as it may hold pictures: a row is a window, its values the chunk [prediction, width], and what is
 * given of it lies beside it.  Before its first step an episode stands still at it; behind the last one the last action goes
 * on, as far as an executed action may reach.  A pose has its rotation in six numbers inside (rotation.h), so that `width` is
 * 10 an arm and not 7.
 */
#ifndef LFM_DATA_WINDOWS_H
#define LFM_DATA_WINDOWS_H

#include "data/demos.h"

struct lfm_table;

#define LFM_LEAST_RANGE 1e-4 /* what varies less is taken for a constant, which no unit makes visible */

typedef struct lfm_horizons {
  int64_t observation; /* steps that are seen */
  int64_t prediction;  /* steps of a chunk, from the first of those that are seen on */
  int64_t action;      /* steps of it that are executed, from the last of those that are seen on */
} lfm_horizons;

typedef struct lfm_windows {
  lfm_horizons horizons;
  lfm_action_kind kind;
  int64_t obs_dim, action_dim;        /* numbers of a step, as the data have them */
  int64_t width;                      /* of an action inside */
  char *task;                         /* NULL: not known */
  int64_t keys;                       /* what an observation is made of, in its order: */
  char **key;                         /* [keys] */
  int64_t *key_dim;                   /* [keys] */
  char *observations;                 /* "a,b": the keys as lfm_table_options takes them */
  double *obs_mean, *obs_scale;       /* [obs_dim] o is given as (o - mean) scale */
  double *obs_middle, *obs_reach;     /* [obs_dim] in the demonstrations each number is in middle +- reach */
  double *action_mean, *action_scale; /* [width] likewise, of an action inside */
  int64_t count;
  float *given; /* [count, observation * obs_dim], as the network sees it; may lie in a file */
} lfm_windows;

/* Keys and units of these demonstrations, of no windows.  Units: positions and plain numbers from -1 to 1 between their least
 * and greatest; rotations and grippers as they are; observations by the largest of all, or of plain numbers each by its own
 * range.  The reach of an observation is its own, and a tenth of the farthest of its key at least.  LFM_E_USAGE for horizons
 * that do not fit each other, LFM_E_DATA for an observation that is not finite. */
lfm_status lfm_windows_fit(const lfm_demos *demos, lfm_horizons horizons, lfm_windows **out);
/* The same keys and units, and zeros for `count` windows. */
lfm_status lfm_windows_alike(const lfm_windows *windows, int64_t count, lfm_windows **out);
/* Nothing but room, for whoever reads the rest from a file. */
lfm_status lfm_windows_make(const lfm_windows *sizes, lfm_windows **out);
/* Task (NULL: not known) and keys [keys], once, into one that has room for them. */
lfm_status lfm_windows_name(lfm_windows *windows, const char *task, char *const *key, const int64_t *key_dim);
void lfm_windows_destroy(lfm_windows *windows); /* accepts NULL */

lfm_status lfm_windows_check(lfm_horizons horizons);
int64_t lfm_windows_width(lfm_action_kind kind, int64_t action_dim);

/* LFM_E_DATA where demonstrations are of other actions or observations; their units do not matter. */
lfm_status lfm_windows_fit_demos(const lfm_windows *windows, const lfm_demos *demos);

/* All windows of the demonstrations, episode by episode, as a table.  LFM_E_DATA as lfm_windows_fit_demos. */
lfm_status lfm_windows_cut(const lfm_windows *like, const lfm_demos *demos, struct lfm_table **out);
int64_t lfm_windows_count(const lfm_demos *demos, lfm_horizons horizons);

/* What is seen at a step of an episode: it and those before, [horizon, obs_dim]; the first stands for those before it. */
void lfm_windows_look(const lfm_demos *demos, int64_t episode, int64_t step, int64_t horizon, double *seen);
/* Observations [observation, obs_dim], the last one now, as what is given of a row. */
void lfm_windows_give(const lfm_windows *windows, const double *observations, float *given);
/* One action [action_dim] as the data have it, [width] inside; */
void lfm_windows_encode(const lfm_windows *windows, const double *action, double *inside);
/* and back, from the flow's units, y [width], (inside - mean) scale. */
void lfm_windows_action(const lfm_windows *windows, const double *y, double *action);

/* LFM_E_DATA says where two are not of the same actions, observations and horizons; `what` the second one is. */
lfm_status lfm_windows_compare(const lfm_windows *a, const lfm_windows *b, const char *what);

#endif
