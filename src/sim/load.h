/* SPDX-License-Identifier: MIT
 *
 * load.h -- a model of MuJoCo from the texts inside the binary.
 */
#ifndef LFM_SIM_LOAD_H
#define LFM_SIM_LOAD_H

#include "core/status.h"

#include <mujoco/mujoco.h>

/* The model of this name, with what it includes.  Free with mj_deleteModel.  One at a time in a process: MuJoCo's compiler
 * keeps things of its own. */
lfm_status lfm_load_model(const char *name, mjModel **out);

#endif
