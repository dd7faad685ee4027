/* SPDX-License-Identifier: MIT
 *
 * tasks.c -- the tasks that there are.
 */
#include "sim/arm.h"
#include "sim/pusht.h"

#include <stdio.h>

const lfm_task *const lfm_tasks[] = {&lfm_lift, &lfm_can, &lfm_square, &lfm_pusht, NULL};

lfm_status lfm_task_refuse(const char *name) {
  char names[128] = "none";
  size_t used = 0;
  for (int i = 0; lfm_tasks[i] && used < sizeof names; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", lfm_tasks[i]->name);
  return lfm_fail(LFM_E_USAGE, "unknown task '%s'; there are %s", name, names);
}
