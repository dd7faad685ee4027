/* SPDX-License-Identifier: MIT
 *
 * tasks.c -- the tasks that there are.
 */
#include "sim/arm.h"
#include "sim/pusht.h"

#include <stdio.h>
#include <string.h>

const lfm_task *const lfm_tasks[] = {&lfm_lift, &lfm_can, &lfm_square, &lfm_pusht, NULL};

lfm_status lfm_task_refuse(const char *name, bool for_expert) {
  char names[128] = "none";
  size_t used = 0;
  bool is_known = false;
  for (int i = 0; lfm_tasks[i] && used < sizeof names; i++) {
    is_known |= strcmp(lfm_tasks[i]->name, name) == 0;
    if (for_expert && !lfm_task_has_expert(lfm_tasks[i])) continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", lfm_tasks[i]->name);
  }
  return is_known ? lfm_fail(LFM_E_USAGE, "task '%s' has no scripted expert; %s have one", name, names)
                  : lfm_fail(LFM_E_USAGE, "unknown task '%s'; there are %s", name, names);
}
