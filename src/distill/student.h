/* SPDX-License-Identifier: MIT
 *
 * student.h -- a network of its teacher's shape that learns to do in one step, x_l = x_r - v(1, x_r), what several blocks do:
 * its configuration, its run folder, and the chain that all of them make.
 */
#ifndef LFM_DISTILL_STUDENT_H
#define LFM_DISTILL_STUDENT_H

#include "distill/plan.h"
#include "flow/trainer.h"

/* One block of the teacher's network; how it is trained follows `asked` (may be NULL), else the data.  LFM_E_USAGE when that
 * sets what the teacher or the method says. */
lfm_status lfm_student_configure(const lfm_model *teacher, lfm_objective objective, const lfm_config *asked,
                                 lfm_config **out);

/* To the end of its training, from its checkpoint where there is one, or not at all where it is finished: *out is then the
 * student, the caller's also after a failure.  Of the lesson of one that is finished only the times and the number of left
 * rows are looked at. */
lfm_status lfm_student_train(const lfm_model *teacher, const lfm_train_options *options, lfm_lesson *lesson, lfm_model **out,
                             lfm_train_result *result);

/* The OU time of the blocks that a student stands for, or of a piece of one; NAN where it begins at noise, as the free block.
 */
double lfm_student_step(const lfm_config *teacher, int split, const lfm_merge_node *node);

/* The students that stand for the whole chain, students[k] for group k of the plan, as one model. */
lfm_status lfm_students_join(const lfm_model *teacher, const lfm_merge_plan *plan, int split,
                             const lfm_model *const *students, lfm_model **out);

#endif
