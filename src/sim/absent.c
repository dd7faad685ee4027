/* SPDX-License-Identifier: MIT
 *
 * absent.c -- in the place of tasks.c and of all kinds of worlds where the build has no simulators: no tasks, and the reason.
 */
#include "sim/kind.h"

const lfm_task *const lfm_tasks[] = {NULL};

lfm_status lfm_task_refuse(const char *name, bool for_expert) {
  (void)for_expert;
  return lfm_fail(LFM_E_UNSUPPORTED,
                  "task '%s': this lfm was built without simulators; install libmujoco-dev, libchipmunk-dev and "
                  "libosmesa6-dev, and build anew",
                  name);
}
