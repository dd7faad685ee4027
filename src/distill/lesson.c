/* SPDX-License-Identifier: MIT
 *
 * lesson.c -- see lesson.h.
 */
#include "distill/lesson.h"

#include "core/alloc.h"

#include <string.h>

enum { MOST_VALID = 10000 };

void lfm_lesson_release(lfm_lesson *lesson) {
  lfm_pool_release(&lesson->left);
  lfm_pool_release(&lesson->right);
  lfm_pool_release(&lesson->valid_left);
  lfm_pool_release(&lesson->valid_right);
}

/* ---- the parts, one after the other --------------------------------------------------------------------------- */

/* The rows, which are at the noisy border of this part, through it. */
static lfm_status through(const lfm_syllabus *of, int part, lfm_pool *x, double *evaluations) {
  const lfm_model *student = of->student[part];
  const lfm_pool *data = &of->states->border[0];
  lfm_solve one = {.solver = LFM_EULER, .fixed_steps = 1};
  lfm_part block = lfm_part_of(of->how->split, of->plan->node[part].first);
  lfm_span span = student ? student->span[0] : block.span;
  lfm_path path = lfm_solve_path(student ? &one : &of->how->solve, span.right, span.left);
  const lfm_params *weights = student ? student->params[0] : of->teacher->params[block.block];
  double passes = !student && data->given && of->how->guidance != 1.0 ? 2.0 : 1.0;
  uint8_t *failed = NULL;
  int64_t *nfe = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&failed, x->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&nfe, x->rows), done);
  lfm_rows rows = {.count = x->rows,
                   .f16 = x->halves,
                   .f32 = x->values,
                   .failed = failed,
                   .nfe = nfe,
                   .given = data->given,
                   .guidance = student ? 1.0 : of->how->guidance}; /* a student has the guidance within */
  lfm_meter_phase(of->meter, LFM_PHASE_SAMPLE, 1, 1, 0, x->rows);
  LFM_TRY_GOTO(lfm_carry_rows(of->carry, weights, &path, &rows, of->meter), done);
  for (int64_t i = 0; i < x->rows; i++) {
    *evaluations += passes * (double)nfe[i];
    if (failed[i])
      LFM_TRY_GOTO(
          lfm_fail(LFM_E_NUMERIC, "row %lld cannot go through block %d", (long long)i + 1, of->plan->node[part].first), done);
  }
done:
  lfm_free(failed);
  lfm_free(nfe);
  return status;
}

static void copy_rows(const lfm_pool *from, int64_t first, lfm_pool *to) {
  size_t bytes = (size_t)from->dim * lfm_pool_number_size(from);
  memcpy(lfm_pool_numbers(to), (const char *)lfm_pool_numbers(from) + (size_t)first * bytes, (size_t)to->rows * bytes);
}

/* The parts from the noise's side on, for as long as they are blocks: so far the teacher has been.  Those before go on from
 * there, in x. */
static lfm_status through_parts(const lfm_syllabus *of, const int *part, int parts, lfm_pool *x, double *evaluations) {
  int k = parts - 1;
  const lfm_merge_node *node = of->plan->node;
  while (k >= 0 && !of->student[part[k]] && !node[part[k]].children) k--;
  int border = k < parts - 1 ? node[part[k + 1]].first - 1 : node[part[parts - 1]].last;
  copy_rows(&of->states->border[border], 0, x);
  for (; k >= 0; k--) LFM_TRY(through(of, part[k], x, evaluations));
  return LFM_OK;
}

/* From where its noisiest part begins to where that block ends, or the student's part of it. */
lfm_span lfm_lesson_span(int split, const lfm_merge_node *merge) {
  lfm_part from = lfm_part_of(split, merge->last), to = lfm_part_of(split, merge->first);
  return (lfm_span){.right = from.span.right, .left = from.block == to.block ? to.span.left : 0.0};
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

/* The first rows to learn from, the last to be judged by. */
static lfm_status split(const lfm_pool *from, const lfm_pool *given, lfm_pool *train, lfm_pool *valid) {
  int64_t held = from->rows / 10 < MOST_VALID ? from->rows / 10 : MOST_VALID, rows = from->rows - held;
  size_t numbers = given ? (size_t)given->givens : 0;
  LFM_TRY(lfm_pool_make(rows, from->dim, from->halves != NULL, (int64_t)numbers, train));
  LFM_TRY(lfm_pool_make(held, from->dim, from->halves != NULL, (int64_t)numbers, valid));
  copy_rows(from, 0, train);
  copy_rows(from, rows, valid);
  if (!numbers) return LFM_OK;
  memcpy(train->given, given->given, (size_t)rows * numbers * sizeof *given->given);
  memcpy(valid->given, given->given + (size_t)rows * numbers, (size_t)held * numbers * sizeof *given->given);
  return LFM_OK;
}

lfm_status lfm_lesson_make(const lfm_syllabus *of, int node, lfm_lesson *out, double *evaluations) {
  const lfm_merge_node *merge = &of->plan->node[node];
  const lfm_pool *data = &of->states->border[0], *from = &of->states->border[merge->last];
  int part[LFM_MAX_BLOCKS] = {node}, parts = 0;
  lfm_pool x = {0};
  *out = (lfm_lesson){0};
  for (int c = merge->child; c >= 0; c = of->plan->node[c].next) part[parts++] = c;
  if (!parts) parts = 1; /* a block alone, whose flow becomes a step */
  const lfm_model *noisiest = of->student[part[parts - 1]];
  lfm_span span = lfm_lesson_span(of->how->split, merge);
  out->t_left = span.left, out->t_right = span.right;
  out->start = noisiest ? noisiest->params[0] : of->teacher->params[lfm_part_of(of->how->split, merge->last).block];
  memcpy(out->origin, of->states->origin, sizeof out->origin);
  lfm_status status;
  LFM_TRY_GOTO(lfm_pool_make(of->states->rows, data->dim, data->halves != NULL, 0, &x), done);
  LFM_TRY_GOTO(through_parts(of, part, parts, &x, evaluations), done);
  LFM_TRY_GOTO(split(&x, data, &out->left, &out->valid_left), done);
  LFM_TRY_GOTO(split(from, NULL, &out->right, &out->valid_right), done);
done:
  lfm_pool_release(&x);
  return status;
}
