/* SPDX-License-Identifier: MIT
 *
 * lesson.h -- what one student is to learn: a merge of its plan, as pairs (x_l, x_r).
 * x_r is where its teacher was at the noisy border of the blocks that it covers, x_l what the merge's parts make of that, one
 * after the other from the noise's side: a part that is a block by its own flow, a part that was taught before by its one
 * step.  Where all parts are blocks, x_l is what the teacher drew.      [paper, Algorithm A.1; arXiv 2505.16024, section 3]
 */
#ifndef LFM_DISTILL_LESSON_H
#define LFM_DISTILL_LESSON_H

#include "distill/plan.h"
#include "distill/states.h"
#include "flow/trainer.h"

typedef struct lfm_syllabus {
  const lfm_model *teacher;
  const lfm_states *states;
  const lfm_states_options *how; /* they were recorded */
  const lfm_merge_plan *plan;
  lfm_model *const *student; /* [plan->count] those taught so far, one block each, by node; NULL: a block as it is */
  lfm_carry *carry;
  lfm_meter *meter;
} lfm_syllabus;

/* The times between which the network of its noisiest part takes the step. */
lfm_span lfm_lesson_span(int split, const lfm_merge_node *merge);

/* How many of the rows that came through are learnt from; the others judge. */
int64_t lfm_lesson_rows(int64_t rows);

/* The lesson of plan->node[node]; its start is the weights of the merge's noisiest part.  Rows that a part cannot carry are
 * no part of it (lfm_states_do_without).  What it holds after a failure, lfm_lesson_release takes as well.  *evaluations +=
 * those of the network. */
lfm_status lfm_lesson_make(const lfm_syllabus *of, int node, lfm_lesson *out, double *evaluations);
void lfm_lesson_release(lfm_lesson *lesson);

#endif
