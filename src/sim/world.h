/* SPDX-License-Identifier: MIT
 *
 * world.h -- simulated worlds to act in: a task names what is to be done, a world is one place to do it.
 *
 *   lfm_world_reset(world, seed, episode);                      the same start for the same two numbers, whatever ran before
 *   for (t = 0; t < task->horizon && !lfm_world_succeeded(world); t++) {
 *     lfm_world_observe(world, obs);
 *     ... choose an action ...
 *     lfm_world_step(world, action);                            one control step, 1 / control_hz seconds
 *   }
 *
 * What simulates is a kind of world behind a table of functions (kind.h); the tasks stand in tasks.c.  An episode depends on
 * its seed, its number and the actions alone, to the bit.  One thread at a time acts in a world; several worlds are apart.
 * Only creating and a first picture ask for memory of ours; Chipmunk, for Push-T, takes some of its own at each start and as
 * it goes.
 */
#ifndef LFM_SIM_WORLD_H
#define LFM_SIM_WORLD_H

#include "core/status.h"

/* What an action is. */
typedef enum lfm_control {
  LFM_CONTROL_POSE,  /* of an arm's grip site, absolute: position 3 (m), axis-angle 3 (rad), gripper 1 (over 0 closes) */
  LFM_CONTROL_POINT, /* a position to go to */
} lfm_control;

enum { LFM_MOST_PARTS = 6 };

typedef struct lfm_part { /* of an observation: they lie side by side, in order */
  const char *name;       /* NULL ends them */
  int64_t dim;
} lfm_part;

typedef struct lfm_task {
  const char *name;        /* "lift" */
  const char *environment; /* what files of demonstrations call it: "Lift" */
  lfm_control control;
  int64_t obs_dim, action_dim, state_dim;
  int64_t horizon; /* control steps after which an episode has failed */
  double control_hz;
  lfm_part parts[LFM_MOST_PARTS];
  const struct lfm_world_kind *kind;
  const void *scene; /* what the kind needs to know of this task */
} lfm_task;

/* LFM_E_USAGE names the tasks that there are; LFM_E_UNSUPPORTED in a build without simulators. */
lfm_status lfm_task_find(const char *name, const lfm_task **out);
lfm_status lfm_task_find_expert(const char *name, const lfm_task **out); /* of those alone that have an expert */
const lfm_task *lfm_task_at(int index);                                  /* NULL past the last */

typedef struct lfm_world lfm_world;

lfm_status lfm_world_create(const lfm_task *task, lfm_world **out);
void lfm_world_destroy(lfm_world *world); /* accepts NULL */
const lfm_task *lfm_world_task(const lfm_world *world);

/* The start of episode `episode` >= 0 of a seed.  Before the first reset a world is in no state to be used. */
lfm_status lfm_world_reset(lfm_world *world, uint64_t seed, int64_t episode);

void lfm_world_observe(const lfm_world *world, double *obs); /* [obs_dim] */

/* One control step towards the action [action_dim].  LFM_E_NUMERIC when an action is not finite or the physics breaks: the
 * world then wants a reset. */
lfm_status lfm_world_step(lfm_world *world, const double *action);

/* Of the state as it is: 0 or 1, or in between where a task knows halves. */
double lfm_world_reward(const lfm_world *world);
bool lfm_world_succeeded(const lfm_world *world);

/* All that the future depends on [state_dim], between two steps.  A world set to it goes on to the same bits; but one of
 * Push-T, whose simulator remembers more than it tells, as any other that is set to the same state.  LFM_E_DATA
 * when a value is not finite. */
void lfm_world_state(const lfm_world *world, double *state);
lfm_status lfm_world_set_state(lfm_world *world, const double *state);

/* Tasks of LFM_CONTROL_POSE: the pose that a step of the controller means from where the arm is now.  delta [action_dim]:
 * -1..1 for up to 5 cm and half a radian an axis, clipped to that; gripper.  action [action_dim] may be delta. */
void lfm_world_absolute(const lfm_world *world, const double *delta, double *action);

/* What the scripted expert would do now, as such a step, noise and all: begun by the reset, to be asked once a step.  False:
 * the task has none. */
bool lfm_task_has_expert(const lfm_task *task);
void lfm_world_expert(lfm_world *world, double *delta);

/* A picture of the world.  rgb [height, width, 3], the top line first.  LFM_E_UNSUPPORTED where there is nothing to draw
 * with. The first of a world takes memory of its own until the world is destroyed. */
lfm_status lfm_world_draw(lfm_world *world, int64_t width, int64_t height, uint8_t *rgb);

#endif
