/* SPDX-License-Identifier: MIT
 *
 * loop.h -- receding horizon: look, draw a chunk where none is left, execute its next action.       [Chi et al. 2023]
 *
 *   look      the last `observed` observations; the first one stands for those before it; a guard may find them strange
 *   draw      z ~ N(0, I) by (seed, episode, chunk), then the chain backwards, then the data's units
 *   execute   `executed` steps of the chunk, from the one that was observed last on
 *
 * Where a chunk takes `delay` steps to come, that many of the chunk before are executed meanwhile, and it is entered at the
 * action that is due by then.  With a mask it is drawn so that it goes on from them (guide.h); in the flow's units, where all
 * numbers of an action are about as large.
 */
#ifndef LFM_RUNTIME_LOOP_H
#define LFM_RUNTIME_LOOP_H

#include "runtime/guard.h"

/* What a policy sees and does, and in which units. */
typedef struct lfm_rt_units {
  int64_t observed, predicted, executed; /* steps */
  int64_t obs_dim, action_dim;           /* numbers of a step, as the data have them */
  int64_t width;                         /* of an action inside */
  bool poses;                           /* an action is [position 3, axis-angle 3, gripper] of each arm, inside ten numbers */
  const double *obs_mean, *obs_scale;   /* [obs_dim] o is given as (o - mean) scale */
  const double *obs_middle, *obs_reach; /* [obs_dim] each number of what was learnt from was in middle +- reach */
  const double *action_mean, *action_scale; /* [width] likewise, of an action inside */
} lfm_rt_units;

/* What follows where the guard finds strange what is seen. */
typedef enum lfm_rt_heed {
  LFM_RT_COUNT, /* nothing else */
  LFM_RT_HOLD,  /* the last action again, as long as it does; and then a new chunk */
  LFM_RT_STOP,  /* no action any more in this episode */
} lfm_rt_heed;

typedef struct lfm_rt_loop {
  const lfm_rt_chain *chain;
  const lfm_rt_plan *plan;
  const lfm_rt_units *units;
  uint64_t seed;
  double range;        /* how far out an observation may lie, 1 being the edge of what was learnt from */
  bool clamp;          /* what lies beyond is moved to that; else it is refused */
  lfm_rt_guard *guard; /* NULL: none */
  lfm_rt_heed heed;
  int64_t delay; /* steps */
  float most;    /* of a guide's pull */
  /* room */
  double *seen;                    /* [observed, obs_dim], the last one last */
  float *given, *x, *space, *room; /* as lfm_rt_generate wants them; given [observed, obs_dim] */
  double *coming, *chunk;          /* [predicted, action_dim]: drawn last; in execution */
  float *before;                   /* [predicted, width] the chunk before that of x, moved to the steps of that */
  float *mask;                     /* likewise; NULL: chunks are not guided */
  double *last;                    /* [action_dim] the action in force */
  /* how far it is */
  bool has_seen, has_drawn;
  int64_t next, end;      /* actions of the chunk still to be executed */
  int64_t wait;           /* steps until the chunk that is coming is due; -1: none is */
  int64_t overlap;        /* actions of `before` that there are */
  int64_t episode, drawn; /* chunks of this episode */
  bool has_acted;
  int64_t clamped; /* numbers moved */
  int64_t joints;  /* chunks that were entered where the one before had an action, too, */
  double jumps;    /* and the distances between the two, summed up; in the flow's units */
} lfm_rt_loop;

typedef enum lfm_rt_outcome {
  LFM_RT_ACTED,
  LFM_RT_DREW,         /* and acted: a chunk was drawn */
  LFM_RT_HELD,         /* and acted: as the action before, since the guard finds strange what is seen */
  LFM_RT_NOT_A_NUMBER, /* an observation is not finite */
  LFM_RT_OUT_OF_RANGE,
  LFM_RT_BROKEN,  /* the network gives something that is not finite */
  LFM_RT_STOPPED, /* by the guard */
  LFM_RT_WAITS,   /* for an action to hold: the guard finds strange what is seen before there is one */
} lfm_rt_outcome;

/* Before an episode, 0 to 2^24 - 1 (of another number its last 24 bits count): it has noise of its own, for 2^20
 * chunks, and no past. */
LFM_RT_API void lfm_rt_begin(lfm_rt_loop *loop, int64_t episode);

/* Adds observation [obs_dim] to what was seen: LFM_RT_ACTED, or LFM_RT_NOT_A_NUMBER or LFM_RT_OUT_OF_RANGE, and then it is as
 * if it had not been made, and *which says which number of it is at fault.  LFM_RT_HELD, LFM_RT_STOPPED and LFM_RT_WAITS:
 * it was added, and this is what the guard wants done. */
LFM_RT_API lfm_rt_outcome lfm_rt_look(lfm_rt_loop *loop, const double *observation, int64_t *which);

/* The next chunk of the episode from what was seen, while action `due` of the one before is: LFM_RT_DREW or LFM_RT_BROKEN. */
LFM_RT_API lfm_rt_outcome lfm_rt_draw(lfm_rt_loop *loop, int64_t due);

/* The chunk that `from` has drawn into the execution of `loop`, which may be the same, `late` steps after what it was drawn
 * of. */
LFM_RT_API void lfm_rt_take(lfm_rt_loop *loop, const lfm_rt_loop *from, int64_t late);

/* A step of control: looks, draws if no action is left, and fills action [action_dim]; where the observation is refused or
 * the network broken, or the guard stops it or has nothing to hold yet, action is left as it was. */
LFM_RT_API lfm_rt_outcome lfm_rt_act(lfm_rt_loop *loop, const double *observation, double *action, int64_t *which);

#endif
