/* SPDX-License-Identifier: MIT
 *
 * machine_lock.h -- one long run at a time on a machine.
 * Two trainings side by side take more than twice the time of one, and measured times mean nothing then; so the verbs that
 * run for long take a lock of the user, and whoever comes second is told who holds it.
 */
#ifndef APP_MACHINE_LOCK_H
#define APP_MACHINE_LOCK_H

#include "app.h"

/* Held until the process ends, however it does.  argv is what the second one is told.  Returns APP_DONE, or says on standard
 * error who holds the lock, or why there is none to be had, and returns APP_FAILED. */
int app_machine_lock(const app_command *command, int argc, char **argv);

#endif
