/* SPDX-License-Identifier: MIT
 *
 * world.c -- the tasks by name, and every call on a world to the kind that it is of.
 * Numbers that are not finite end here, so that no simulator sees one.
 */
#include "sim/world.h"
#include "sim/kind.h"

#include <math.h>
#include <string.h>

const lfm_task *lfm_task_at(int index) {
  int at = 0;
  while (at < index && lfm_tasks[at]) at++;
  return index < 0 ? NULL : lfm_tasks[at];
}

bool lfm_task_has_expert(const lfm_task *task) { return task->kind->expert != NULL; }

static lfm_status find(const char *name, bool for_expert, const lfm_task **out) {
  for (int i = 0; lfm_tasks[i]; i++)
    if (strcmp(lfm_tasks[i]->name, name) == 0 && (!for_expert || lfm_task_has_expert(lfm_tasks[i])))
      return *out = lfm_tasks[i], LFM_OK;
  *out = NULL;
  return lfm_task_refuse(name, for_expert);
}

lfm_status lfm_task_find(const char *name, const lfm_task **out) { return find(name, false, out); }
lfm_status lfm_task_find_expert(const char *name, const lfm_task **out) { return find(name, true, out); }

lfm_status lfm_world_create(const lfm_task *task, lfm_world **out) {
  *out = NULL;
  LFM_TRY(task->kind->create(task, out));
  (*out)->task = task;
  return LFM_OK;
}

void lfm_world_destroy(lfm_world *world) {
  if (world) world->task->kind->destroy(world);
}

const lfm_task *lfm_world_task(const lfm_world *world) { return world->task; }

lfm_status lfm_world_reset(lfm_world *world, uint64_t seed, int64_t episode) {
  return world->task->kind->reset(world, seed, episode);
}

void lfm_world_observe(const lfm_world *world, double *obs) { world->task->kind->observe(world, obs); }

static bool all_finite(const double *values, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

lfm_status lfm_world_step(lfm_world *world, const double *action) {
  const lfm_task *task = world->task;
  if (!all_finite(action, task->action_dim))
    return lfm_fail(LFM_E_NUMERIC, "%s: an action that is not finite; the policy diverged", task->name);
  return task->kind->step(world, action);
}

double lfm_world_reward(const lfm_world *world) { return world->task->kind->reward(world); }

bool lfm_world_succeeded(const lfm_world *world) { return world->task->kind->succeeded(world); }

void lfm_world_state(const lfm_world *world, double *state) { world->task->kind->state(world, state); }

lfm_status lfm_world_set_state(lfm_world *world, const double *state) {
  const lfm_task *task = world->task;
  if (!all_finite(state, task->state_dim)) return lfm_fail(LFM_E_DATA, "%s: a state that is not finite", task->name);
  return task->kind->set_state(world, state);
}

void lfm_world_absolute(const lfm_world *world, const double *delta, double *action) {
  world->task->kind->absolute(world, delta, action);
}

void lfm_world_expert(lfm_world *world, double *delta) { world->task->kind->expert(world, delta); }

lfm_status lfm_world_draw(lfm_world *world, int64_t width, int64_t height, uint8_t *rgb) {
  return world->task->kind->draw(world, width, height, rgb);
}
