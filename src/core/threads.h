/* SPDX-License-Identifier: MIT
 *
 * threads.h -- a team of workers that runs numbered tasks.
 * Tasks are claimed in order by whoever is free; a task must not depend on who runs it, only on its number, and then the
 * results do not depend on the number of threads.  The caller is worker 0.  Running allocates nothing.
 * Tasks of a few microseconds are shared instead: each goes to the same worker every time, whose core keeps its data.
 */
#ifndef LFM_CORE_THREADS_H
#define LFM_CORE_THREADS_H

#include "core/status.h"

typedef struct lfm_team lfm_team;

/* worker < lfm_team_size(team); task < tasks. */
typedef lfm_status (*lfm_task_fn)(void *context, int worker, int64_t task);

lfm_status lfm_team_create(int threads, lfm_team **out); /* threads 0: all processors that it may have */
int lfm_team_size(const lfm_team *team);

/* Runs fn for every task and returns when all are done.  After a failure no new task is begun; the status and error line
 * of the failed task with the lowest number come back. */
lfm_status lfm_team_run(lfm_team *team, int64_t tasks, lfm_task_fn fn, void *context);

/* The same for as many tasks as there are workers or fewer, each a few microseconds long: task w is worker w's, and the
 * caller's if that worker has not come by the time the caller is done with its own.  Nobody who sleeps, or has lost his
 * processor, is waited for, unless he has begun. */
lfm_status lfm_team_share(lfm_team *team, int tasks, lfm_task_fn fn, void *context);

void lfm_team_destroy(lfm_team *team);

#endif
