/* SPDX-License-Identifier: MIT
 *
 * kind.h -- what a kind of world does: the functions behind world.h, one table for each simulator.
 * A kind's own struct begins with the lfm_world, so that a pointer to the one is a pointer to the other.  world.c has checked
 * what can be checked without knowing the kind.
 */
#ifndef LFM_SIM_KIND_H
#define LFM_SIM_KIND_H

#include "sim/world.h"

struct lfm_world {
  const lfm_task *task;
};

typedef struct lfm_world_kind {
  lfm_status (*create)(const lfm_task *task, lfm_world **out); /* world.c fills in the task */
  void (*destroy)(lfm_world *world);                           /* not NULL */
  lfm_status (*reset)(lfm_world *world, uint64_t seed, int64_t episode);
  void (*observe)(const lfm_world *world, double *obs);
  lfm_status (*step)(lfm_world *world, const double *action); /* finite */
  double (*reward)(const lfm_world *world);
  bool (*succeeded)(const lfm_world *world);
  void (*state)(const lfm_world *world, double *state);
  lfm_status (*set_state)(lfm_world *world, const double *state); /* finite */
  lfm_status (*draw)(lfm_world *world, int64_t width, int64_t height, uint8_t *rgb);
  /* NULL where an action is no pose, and where there is no expert */
  void (*absolute)(const lfm_world *world, const double *delta, double *action);
  void (*expert)(lfm_world *world, double *delta);
} lfm_world_kind;

/* tasks.c, or absent.c in a build without simulators: the tasks, ended by NULL; and what to say of one that is not there or,
 * for_expert, has none. */
extern const lfm_task *const lfm_tasks[];
lfm_status lfm_task_refuse(const char *name, bool for_expert);

#endif
