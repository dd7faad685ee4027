/* SPDX-License-Identifier: MIT
 *
 * runs.h -- folders that this library makes: a run, the runs of a sweep, the students of a distillation.  Their curves and
 * previews are PNGs, but they hold no data; the names of the files by which they are told stand here alone.
 */
#ifndef LFM_DATA_RUNS_H
#define LFM_DATA_RUNS_H

#include "data/listing.h"

typedef enum lfm_runs_kind {
  LFM_RUNS_NONE,         /* something else, or nothing at all */
  LFM_RUNS_ONE,          /* a run; a distillation that is finished */
  LFM_RUNS_DISTILLATION, /* one that is not */
  LFM_RUNS_SWEEP         /* of which a training has ended; before that its runs are all that there is */
} lfm_runs_kind;

#define LFM_RUNS_PLAN "checkpoint/plan.txt" /* plan and method of a distillation, a line each */

/* LFM_E_IO when the system does not let us look. */
lfm_status lfm_runs_recognise(const char *folder, lfm_runs_kind *kind);

/* Whether a distillation has left something there that no other run does, be it finished or not. */
lfm_status lfm_runs_is_distillation(const char *folder, bool *is_one);

/* LFM_E_USAGE when it is any of these, where data are due. */
lfm_status lfm_runs_refuse(const char *folder);

/* Whether these are the names in a run's folder, finished or not. */
bool lfm_runs_is_inside(const lfm_listing *names);

/* The names of the runs that lie in the folder. */
lfm_status lfm_runs_list(const char *folder, lfm_listing *out);

#endif
