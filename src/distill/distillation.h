/* SPDX-License-Identifier: MIT
 *
 * distillation.h -- one call of lfm_distill, as its files share it: distill.c (the algorithm), teach.c (the trainings),
 * begun.c (a run that is gone on with).
 */
#ifndef LFM_DISTILL_DISTILLATION_H
#define LFM_DISTILL_DISTILLATION_H

#include "core/file.h"
#include "distill/plan.h"
#include "distill/states.h"
#include "flow/trainer.h"

typedef struct lfm_distillation {
  const lfm_distill_options *options;
  const lfm_model *teacher;
  lfm_merge_plan plan;
  int merges, trained; /* students to teach, parts of others among them; trainings so far */
  lfm_objective method;
  lfm_states_options how;
  lfm_states states;
  lfm_team *team;
  lfm_carry *carry;
  lfm_model *student[LFM_MERGE_MOST_NODES]; /* by node */
  lfm_train_result *result;
  double evaluations; /* of the teacher and of parts, while lessons were made */
  double pilot_flops;
  double before; /* seconds that the calls which this one resumes have spent on what is left of them */
  lfm_meter meter;
  lfm_claim claim;
} lfm_distillation;

/* ---- teach.c ---- */

bool lfm_distill_is_taught(const lfm_merge_plan *plan, int node);
void lfm_distill_count_merges(lfm_distillation *d);
int lfm_distill_trainings(const lfm_distillation *d);
/* Of a training, if the plan is an even one; 0: the time decides. */
int64_t lfm_distill_steps(const lfm_distillation *d, const lfm_config *config);
/* How one student is trained; what it is in the end. */
lfm_status lfm_distill_configure(const lfm_distillation *d, lfm_objective objective, lfm_config **out);
lfm_objective lfm_distill_last(const lfm_distillation *d);

/* Seconds over all calls that made the run; of each of the trainings that are left; of calls before this one. */
double lfm_distill_spent(const lfm_distillation *d);
double lfm_distill_share_of_time(const lfm_distillation *d);
void lfm_distill_add_before(lfm_distillation *d, double seconds);

/* The student of plan.node[node], whose parts are there. */
lfm_status lfm_distill_teach(lfm_distillation *d, int node);

/* ---- begun.c ---- */

/* RUN/FOLDER/NAME, or RUN/FOLDER where the name is empty. */
lfm_status lfm_distill_file(const lfm_distillation *d, const char *folder, const char *name, char path[LFM_PATH_SIZE]);
/* Of a run in a folder, a student's or any. */
lfm_status lfm_distill_stand_of(const char *run, bool *is_begun, bool *is_finished);

/* LFM_E_EXISTS when RUN holds a run that is no distillation. */
lfm_status lfm_distill_check_ours(const lfm_distillation *d);
/* What the run was begun with, if it was, is what is asked for; a plan that was chosen is taken from there. */
lfm_status lfm_distill_go_on(lfm_distillation *d);
/* No student has begun to learn from rows that are not at STATES any more. */
lfm_status lfm_distill_check_new(const lfm_distillation *d, const char *states);
lfm_status lfm_distill_keep_plan(const lfm_distillation *d);

/* Of the teacher's rows what says where they came from stays in the file. */
lfm_status lfm_distill_drop_rows(lfm_states *states, const char *path);
lfm_status lfm_distill_check_finished(lfm_distillation *d);

#endif
