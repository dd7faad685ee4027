/* SPDX-License-Identifier: MIT
 *
 * guard.h -- MuJoCo's faults as statuses.
 * MuJoCo reports what it cannot go on from to a handler that must not return, and by default prints and ends the process.
 * Here the handler jumps back to whoever called; what was being computed is lost.  Its warnings go nowhere: they are counted
 * in mjData.warning, where arm.c looks.  The handlers are the process's: they are set when the first world is made.
 */
#ifndef LFM_SIM_GUARD_H
#define LFM_SIM_GUARD_H

#include "core/status.h"

typedef void (*lfm_physics_fn)(void *context);

/* Runs fn.  LFM_E_NUMERIC, with MuJoCo's words, when MuJoCo gave up; fn must then own nothing that is not in context. */
lfm_status lfm_physics_guard(lfm_physics_fn fn, void *context);

#endif
